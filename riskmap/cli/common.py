"""What all commands share: a choice checked, a document printed."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from riskmap.errors import UsageError
from riskmap.i18n import text

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def choice(name: str, value: str | None, allowed: tuple[str, ...]) -> None:
    """Check a value that must be one of a few.

    Parameters
    ----------
    name
        Name of the option.
    value
        What was given; None passes.
    allowed
        The values.

    Raises
    ------
    UsageError
        When it is none of them.
    """
    if value is not None and value not in allowed:
        raise UsageError(
            text(
                "{name}: unknown value '{value}'; use one of {allowed}",
                name=name,
                value=value,
                allowed=", ".join(allowed),
            )
        )


def emit(document: Any) -> None:
    """Print one JSON document on stdout; in a file or a pipe it is UTF-8, whatever the console.

    Parameters
    ----------
    document
        Plain values.
    """
    said = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False, default=str) + "\n"
    if (raw := getattr(sys.stdout, "buffer", None)) is None or sys.stdout.isatty():
        sys.stdout.write(said)
        return
    sys.stdout.flush()
    raw.write(said.encode("utf-8", "replace"))
    raw.flush()
