"""Progress and messages on stderr; a moving line only on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from riskmap.i18n import Text


@contextmanager
def stage(name: Text) -> Iterator[None]:
    """Say on stderr which stage runs and how long it took.

    Parameters
    ----------
    name
        The stage, as the user knows it.

    Yields
    ------
    None
        Nothing.
    """
    started = time.perf_counter()
    live = sys.stderr.isatty()
    if live:
        print(f"… {name}", end="\r", file=sys.stderr, flush=True)  # noqa: T201
    yield
    if live:
        print(f"✓ {name}  {time.perf_counter() - started:.1f} s", file=sys.stderr)  # noqa: T201


def say(message: Text | str) -> None:
    """Print one message on stderr.

    Parameters
    ----------
    message
        What to say.
    """
    print(message, file=sys.stderr)  # noqa: T201
