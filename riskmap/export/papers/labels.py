"""Words on a map: every label finds a free spot, none lies on another."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

LINE: Final = 1.18
"""Distance of lines of text, in heights of a character."""
_WIDE: Final = 1.0
_STRAIGHT: Final = 0.985
"""Chord over arc from which a line is straight enough for a name."""
_ROUND: Final = ((1, 0), (1, -0.8), (1, 0.8), (-1, 0), (-1, -0.8), (-1, 0.8), (0, -1), (0, 1))
"""Sides of a point on which its name may stand, best first."""

Spot = tuple[float, float, float]
"""Centre [mm, y downwards] and turn [degrees, clockwise] of a label."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A label that wants a spot."""

    lines: tuple[str, ...]
    size: float
    """Height of a character [mm]."""
    spots: tuple[Spot, ...]
    """Where it may stand, best first."""
    rank: float = 0.0
    """Who chooses first: lower before higher."""
    look: str = ""
    """Name of its style."""
    short: str = ""
    """What stands where the whole has no room: a number that tables speak of."""
    radius: float = 0.0
    """Room that the symbol of the short form takes [mm]."""
    anchor: tuple[float, float] | None = None
    """What it speaks of [mm]: from there a line is drawn to a label that stands away."""

    @property
    def wide(self) -> float:
        """Width [mm]."""
        return max(width(line) for line in self.lines) * self.size

    @property
    def high(self) -> float:
        """Height [mm]."""
        return ((len(self.lines) - 1) * LINE + 1.0) * self.size


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A label at its spot."""

    wish: Wish
    spot: Spot
    box: NDArray[np.float64]
    """Its four corners [mm]."""


@lru_cache(maxsize=1)
def _advances() -> dict[int, float]:
    """Read how wide every character is, in heights of one."""
    import noto_cjk_sans_otc
    from fontTools.ttLib import TTFont

    from riskmap.export.papers.typeset import FAMILY

    for place in range(64):
        with TTFont(str(noto_cjk_sans_otc.FONT_PATH), fontNumber=place, lazy=True) as face:
            if face["name"].getDebugName(1) == FAMILY:
                widths, em = face["hmtx"].metrics, face["head"].unitsPerEm
                cmap = face.getBestCmap()
                return {letter: widths[glyph][0] / em for letter, glyph in cmap.items()}
    return {}


@lru_cache(maxsize=65536)
def width(said: str) -> float:
    """Measure a text in heights of a character.

    Parameters
    ----------
    said
        One line.

    Returns
    -------
    float
        Width over height.

    Examples
    --------
    >>> width("中文"), width("iW") < 1.3
    (2.0, True)
    """
    known = _advances()
    return sum(known.get(ord(letter), _WIDE) for letter in said)


def wrap(said: str, most: float) -> tuple[str, ...]:
    """Part a name into lines of about one length.

    Parameters
    ----------
    said
        The name.
    most
        Longest line, in heights of a character.

    Returns
    -------
    tuple of str
        Lines; a Latin word stays whole where it fits.

    Examples
    --------
    >>> wrap("示范枫庄社区村（居）委会避灾安置场所", 9)
    ('示范枫庄社区村（居）', '委会避灾安置场所')
    """
    said = " ".join(said.split())
    whole = width(said)
    if whole <= most or not said:
        return (said,)
    target = whole / math.ceil(whole / most)
    lines: list[str] = []
    line = ""
    for word in _words(said):
        if line and width(line + word) > max(target, 1.0) + 0.99 and word not in "）)，。、":
            lines.append(line.strip())
            line = ""
        line += word
    return (*lines, line.strip()) if line.strip() else tuple(lines)


def _words(said: str) -> Iterable[str]:
    """Part a text where a line may end: at every Chinese character, after Latin words."""
    word = ""
    for letter in said:
        if letter.isascii() and letter != " " and len(word) < 12:
            word += letter
            continue
        if word:
            yield word
        word = ""
        yield letter
    if word:
        yield word


def around(
    x: float, y: float, wide: float, high: float, *, radius: float, rings: int = 3
) -> tuple[Spot, ...]:
    """List the spots of a name beside a point.

    Parameters
    ----------
    x, y
        The point [mm].
    wide, high
        Size of the name [mm].
    radius
        Room that the point's symbol takes [mm].
    rings
        Circles of spots around it.

    Returns
    -------
    tuple
        Spots, best first.
    """
    found: list[Spot] = []
    for ring in range(rings):
        away = radius + 0.4 + ring * max(high, 2.0) * 0.9
        for side, up in _ROUND:
            found.append((x + side * (away + wide / 2), y + up * (away + high / 2), 0.0))
    return tuple(found)


def along(
    line: NDArray[np.float64], wide: float, *, most: int = 8, step: float = 8.0
) -> tuple[Spot, ...]:
    """List the spots of a name on a line, where the line is straight enough.

    Parameters
    ----------
    line
        Corners of the line [mm].
    wide
        Width of the name [mm].
    most
        Number of spots.
    step
        Distance of the spots that are tried [mm].

    Returns
    -------
    tuple
        Spots, those near the middle first; the text never stands on its head.

    Examples
    --------
    >>> along(np.array([[0.0, 0.0], [40.0, 0.0]]), 10.0)[0]
    (20.0, 0.0, 0.0)
    """
    steps = np.hypot(*np.diff(line, axis=0).T)
    run = np.concatenate([[0.0], np.cumsum(steps)])
    length = float(run[-1])
    if length < wide * 1.15:
        return ()
    room = length - wide
    n = int(np.clip(room // step, 0, 40)) * 2 + 1
    starts = np.linspace(0, room, n) if n > 1 else np.array([room / 2])
    ends = starts + wide
    ax, ay = np.interp(starts, run, line[:, 0]), np.interp(starts, run, line[:, 1])
    bx, by = np.interp(ends, run, line[:, 0]), np.interp(ends, run, line[:, 1])
    mx, my = (np.interp((starts + ends) / 2, run, line[:, k]) for k in (0, 1))
    chord = np.hypot(bx - ax, by - ay)
    bow = np.hypot(mx - (ax + bx) / 2, my - (ay + by) / 2)
    fit = np.flatnonzero((chord >= _STRAIGHT * wide) & (bow < 0.8))
    order = fit[np.argsort(np.abs(starts[fit] - room / 2), kind="stable")][:most]
    found = []
    for i in order:
        turn = math.degrees(math.atan2(by[i] - ay[i], bx[i] - ax[i]))
        turn = turn - 180 if turn > 90 else turn + 180 if turn < -90 else turn
        found.append((float((ax[i] + bx[i]) / 2), float((ay[i] + by[i]) / 2), round(turn, 1)))
    return tuple(found)


def corners(spot: Spot, wide: float, high: float, *, gap: float = 0.0) -> NDArray[np.float64]:
    """Give the four corners of a label.

    Parameters
    ----------
    spot
        Centre and turn.
    wide, high
        Size [mm].
    gap
        Room kept around it [mm].

    Returns
    -------
    ndarray
        Corners, shape (4, 2) [mm].
    """
    x, y, turn = spot
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    u = np.array([c, s]) * (wide / 2 + gap)
    v = np.array([-s, c]) * (high / 2 + gap)
    found: NDArray[np.float64] = np.array([x, y]) + np.array([-u - v, u - v, u + v, v - u])
    return found


class _Taken:
    """Boxes that are taken, in growing arrays."""

    def __init__(self) -> None:
        self.n = 0
        self.boxes = np.empty((256, 4, 2))
        self.low = np.empty((256, 2))
        self.high = np.empty((256, 2))

    def add(self, box: NDArray[np.float64]) -> None:
        if self.n == len(self.boxes):
            self.boxes, self.low, self.high = (
                np.concatenate([part, np.empty_like(part)])
                for part in (self.boxes, self.low, self.high)
            )
        self.boxes[self.n] = box
        self.low[self.n], self.high[self.n] = box.min(axis=0), box.max(axis=0)
        self.n += 1

    def hits(self, box: NDArray[np.float64]) -> bool:
        low, high = box.min(axis=0), box.max(axis=0)
        near = np.flatnonzero(
            ((self.low[: self.n] < high) & (self.high[: self.n] > low)).all(axis=1)
        )
        return any(overlap(box, self.boxes[i]) for i in near)


def overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Tell whether two boxes share ground, by the axes that could part them.

    Parameters
    ----------
    one, other
        Corners of two rectangles, shape (4, 2).

    Returns
    -------
    bool
        False where they merely touch.

    Examples
    --------
    >>> box = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 1.0], [0.0, 1.0]])
    >>> overlap(box, box + 0.5), overlap(box, box + [2.0, 0.0])
    (True, False)
    """
    for box in (one, other):
        for edge in (box[1] - box[0], box[3] - box[0]):
            a, b = one @ edge, other @ edge
            if a.max() <= b.min() + 1e-9 or b.max() <= a.min() + 1e-9:
                return False
    return True


def place(
    wishes: Sequence[Wish],
    *,
    size: tuple[float, float],
    obstacles: Sequence[NDArray[np.float64]] = (),
    gap: float = 0.25,
) -> tuple[list[Placed], list[Wish]]:
    """Give every label a free spot, the important ones first.

    Parameters
    ----------
    wishes
        Labels and where they may stand.
    size
        Width and height of the map [mm]; a label stays inside.
    obstacles
        Boxes that no label may cover, such as symbols [mm].
    gap
        Room kept around a label [mm].

    Returns
    -------
    tuple
        The labels that stand, and those for which there was no room.

    Examples
    --------
    >>> one = Wish(lines=("甲村",), size=3.0, spots=((10, 10, 0), (10, 20, 0)))
    >>> stood, left = place([one, one, one], size=(100, 100))
    >>> [label.spot for label in stood], len(left)
    ([(10, 10, 0), (10, 20, 0)], 1)
    """
    taken = _Taken()
    for box in obstacles:
        taken.add(box)
    stood: list[Placed] = []
    left: list[Wish] = []
    for wish in sorted(wishes, key=lambda one: one.rank):
        found = _stand(wish, taken, size, gap)
        if found is None and wish.short and wish.anchor:
            spots = around(
                *wish.anchor, width(wish.short) * wish.size, wish.size, radius=wish.radius
            )
            found = _stand(replace(wish, lines=(wish.short,), spots=spots), taken, size, gap)
        if found is None:
            left.append(wish)
        else:
            stood.append(found)
    return stood, left


def _stand(wish: Wish, taken: _Taken, size: tuple[float, float], gap: float) -> Placed | None:
    """Take the first free spot of a label."""
    wide, high = wish.wide, wish.high
    for spot in wish.spots:
        box = corners(spot, wide, high, gap=gap)
        if bool((box >= 0).all() and (box <= size).all()) and not taken.hits(box):
            taken.add(box)
            return Placed(wish=wish, spot=spot, box=corners(spot, wide, high))
    return None
