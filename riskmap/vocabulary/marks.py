"""How kinds of map objects look: one answer for the page and for QGIS."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE: Final = Path(__file__).with_suffix(".yaml")
FAMILY: Final = "Noto Sans CJK SC"
"""Font of every map and paper that names no other: forms of characters as the mainland writes them;
where QGIS does not find it, it takes its own."""


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
def changes() -> Mapping[str, Mark]:
    """Give the look of what has changed since an earlier result; on the page alone.

    Returns
    -------
    Mapping
        worse, better (areas), new, changed, closed (points) to their look.

    Examples
    --------
    >>> changes()["closed"].symbol
    'square'
    """
    return {kind: Mark(**entry) for kind, entry in _read()["changes"].items()}


@cache
def palettes() -> Mapping[str, tuple[str, ...]]:
    """Give the colours of the classes.

    Returns
    -------
    Mapping
        Palette to ``#rrggbb`` of unknown, low, general, larger, major.

    Examples
    --------
    >>> palettes()["area"][4]
    '#b5121b'
    """
    return {name: tuple(colours) for name, colours in _read()["palettes"].items()}


def level_colours() -> tuple[str, ...]:
    """Give the colours of low to major risk, as every paper has them.

    Returns
    -------
    tuple of str
        Four times ``#rrggbb``.

    Examples
    --------
    >>> level_colours()[3]
    '#a30f1a'
    """
    return palettes()["points"][1:]


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


def _round_shape(n: int, radius: float) -> list[list[float]]:
    turns = [2 * math.pi * i / n - math.pi / 2 for i in range(n)]
    return [[radius * math.cos(turn), radius * math.sin(turn)] for turn in turns]


_CROSS: Final = [
    [-0.38, -1], [0.38, -1], [0.38, -0.38], [1, -0.38], [1, 0.38], [0.38, 0.38], [0.38, 1],
    [-0.38, 1], [-0.38, 0.38], [-1, 0.38], [-1, -0.38], [-0.38, -0.38],
]  # fmt: skip
_TRIANGLE: Final = [[0, -1.1], [1.05, 0.8], [-1.05, 0.8]]
SHAPES: Final[dict[str, list[list[float]]]] = {
    "circle": _round_shape(14, 0.9),
    "square": [[-0.8, -0.8], [0.8, -0.8], [0.8, 0.8], [-0.8, 0.8]],
    "diamond": [[0, -1.1], [1.1, 0], [0, 1.1], [-1.1, 0]],
    "triangle": _TRIANGLE,
    "equilateral_triangle": _TRIANGLE,
    "cross": _CROSS,
    "cross_fill": _CROSS,
    "house": [
        [0, -1.1], [1.05, -0.15], [0.8, -0.15], [0.8, 0.9], [-0.8, 0.9], [-0.8, -0.15],
        [-1.05, -0.15],
    ],
    "pentagon": _round_shape(5, 1.0),
    "hexagon": _round_shape(6, 1.0),
    "octagon": _round_shape(8, 1.0),
    "star": [
        [part * radius for part in corner]
        for i, corner in enumerate(_round_shape(10, 1.0))
        for radius in (0.48 if i % 2 else 1.15,)
    ],
    "drop": [
        [0, -1.2], [0.46, -0.56], [0.83, -0.02], [0.9, 0.42], [0.6, 0.97], [0, 1.2],
        [-0.6, 0.97], [-0.9, 0.42], [-0.83, -0.02], [-0.46, -0.56],
    ],
    "shield": [
        [-0.9, -0.9], [0.9, -0.9], [0.83, -0.2], [0.64, 0.42], [0.36, 0.86], [0, 1.15],
        [-0.36, 0.86], [-0.64, 0.42], [-0.83, -0.2],
    ],
    "flag": [[-0.75, -1.15], [1.1, -0.55], [-0.3, 0.1], [-0.3, 1.15], [-0.75, 1.15]],
    "arrow": [[0, -1.1], [0.9, 0.9], [0, 0.4], [-0.9, 0.9]],
    "area": [[-0.62, -0.62], [0.62, -0.62], [0.62, 0.62], [-0.62, 0.62]],
    "no": [
        [-1.05, -0.65], [-0.65, -1.05], [0, -0.4], [0.65, -1.05], [1.05, -0.65], [0.4, 0],
        [1.05, 0.65], [0.65, 1.05], [0, 0.4], [-0.65, 1.05], [-1.05, 0.65], [-0.4, 0],
    ],
}  # fmt: skip
"""Corners of the symbols, as the page draws them; their radius is 1."""
IN_DISC: Final = {"cross_fill": 0.72}
"""Symbols that stand in a white disc, as a hospital's cross does."""


def shape_of(symbol: str) -> list[list[float]]:
    """Give the corners of a symbol.

    Parameters
    ----------
    symbol
        Its name, as roles and marks have it; an unknown one is a circle.

    Returns
    -------
    list
        Corners, x to the right and y downwards.

    Examples
    --------
    >>> len(shape_of("diamond")), shape_of("unheard of") == shape_of("circle")
    (4, True)
    """
    return SHAPES.get(symbol, SHAPES["circle"])
