"""How kinds of map objects look: one answer for the page and for QGIS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

_FILE: Final = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True, kw_only=True)
class Mark:
    """How objects of one kind look."""

    colour: str
    width: float = 1.0
    """Of lines [px]."""
    dash: tuple[float, ...] = ()
    """Drawn and blank [px]; nothing for a whole line."""
    symbol: str = ""
    """Of points."""
    fill: float = 0.0
    """Opacity of areas."""
    own: Mapping[str, str] = field(default_factory=dict)
    """Plan to the colour of its objects."""


@dataclass(frozen=True, kw_only=True)
class Band:
    """Colours of one band of coverage."""

    fill: str
    edge: str


@cache
def _read() -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Any] = yaml.load(_FILE.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
    return found


@cache
def marks() -> Mapping[str, Mark]:
    """Give the look of every kind.

    Returns
    -------
    Mapping
        Kind to its look.

    Examples
    --------
    >>> marks()["site"].symbol, marks()["other_route"].dash
    ('star', (8, 5))
    """
    return {
        kind: Mark(**{**entry, "dash": tuple(entry.get("dash", ()))})
        for kind, entry in _read()["kinds"].items()
    }


@cache
def bands() -> tuple[Band, ...]:
    """Give the colours of the bands of coverage; the first is band 1.

    Returns
    -------
    tuple of Band
        Best first; then covered by none, lost to water, cut off.
    """
    return tuple(Band(**entry) for entry in _read()["bands"])


def colour_of(kind: str, plan: str = "") -> str:
    """Give the colour of a kind, in the plan it belongs to.

    Parameters
    ----------
    kind
        Kind of the object; an unknown one looks like a site.
    plan
        Name of the plan.

    Returns
    -------
    str
        ``#rrggbb``.

    Examples
    --------
    >>> colour_of("site"), colour_of("site", "refuges")
    ('#6a1b9a', '#1b7f4b')
    """
    mark = marks().get(kind) or marks()["site"]
    return mark.own.get(plan, mark.colour)
