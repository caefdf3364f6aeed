"""A map as a picture in millimetres of paper; no word on it lies on another."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely

from riskmap.vocabulary.marks import FAMILY, IN_DISC, shape_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


SCALES: Final = (
    200, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 4_000, 5_000, 6_000, 7_500, 10_000, 12_500,
    15_000, 20_000, 25_000, 30_000, 40_000, 50_000, 60_000, 75_000, 100_000, 125_000, 150_000,
    200_000, 250_000, 300_000, 400_000, 500_000, 750_000, 1_000_000,
)  # fmt: skip
"""Round scales: 1 to this many."""
UNIT: Final = 0.05
"""Step of every corner in a path [mm]: finer than a printer's dot, and short to write."""
FINE: Final = 0.1
"""Corners nearer to a line than this are left out [mm of paper]."""
_STEPS: Final = (1, 2, 5)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The part of the world on the map, and its size on paper."""

    west: float
    north: float
    """Upper left corner in the CRS of the run [m]."""
    scale: float
    """1 to this many, before the sheet is enlarged."""
    wide: float
    high: float
    """Size on paper [mm]."""

    @property
    def metres(self) -> float:
        """Ground under one millimetre of paper [m]."""
        return self.scale / 1000

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north [m]."""
        east = self.west + self.wide * self.metres
        return self.west, self.north - self.high * self.metres, east, self.north

    def paper(self, spots: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn places of the world into millimetres of paper.

        Parameters
        ----------
        spots
            Easting and northing, shape (n, 2) [m].

        Returns
        -------
        ndarray
            From the upper left corner to the right and downwards [mm].
        """
        return np.column_stack(
            [(spots[:, 0] - self.west) / self.metres, (self.north - spots[:, 1]) / self.metres]
        )


def choose_frame(
    bounds: Sequence[float], *, wide: float, high: float, room: float = 0.04, least: int = 500
) -> Frame:
    """Choose the largest round scale at which a place fits on paper, and centre it.

    Parameters
    ----------
    bounds
        West, south, east, north of what must be seen [m].
    wide, high
        Size of the map [mm].
    room
        Share of the map that stays free on every side.
    least
        Scales larger than 1 to this are not used.

    Returns
    -------
    Frame
        Centred on the bounds.

    Examples
    --------
    >>> frame = choose_frame((0, 0, 2400, 1000), wide=270, high=200)
    >>> frame.scale, frame.bounds[0]
    (10000, -150.0)
    """
    west, south, east, north = (float(v) for v in bounds)
    across = max((east - west) / wide, (north - south) / high) / (1 - 2 * room) * 1000
    scale = next((s for s in SCALES if s >= max(across, least)), math.ceil(across / 1e5) * 100_000)
    metres = scale / 1000
    return Frame(
        west=(west + east) / 2 - wide * metres / 2,
        north=(south + north) / 2 + high * metres / 2,
        scale=scale,
        wide=wide,
        high=high,
    )


def round_step(most: float) -> float:
    """Find the largest 1, 2 or 5 times a power of ten that is not larger.

    Parameters
    ----------
    most
        Upper limit, positive.

    Returns
    -------
    float
        The round number.

    Examples
    --------
    >>> round_step(730), round_step(2.5), round_step(0.5)
    (500.0, 2.0, 0.5)
    """
    power = 10.0 ** math.floor(math.log10(most) + 1e-9)
    return max(step * power for step in _STEPS if step * power <= most * (1 + 1e-9))


_INK: Final = "#1a2530"


def symbols(spots: NDArray[np.float64], shape: str, colour: str, *, radius: float) -> str:
    """Draw symbols of one kind, as the page does.

    Parameters
    ----------
    spots
        Places, shape (n, 2) [mm].
    shape
        Name of the shape; an unknown one is a circle.
    colour
        ``#rrggbb``.
    radius
        Size [mm].

    Returns
    -------
    str
        SVG; empty without places.

    Examples
    --------
    >>> symbols(np.array([[1.0, 2.0]]), "square", "#1b7f4b", radius=1.0).count("<path")
    1
    """
    if not len(spots):
        return ""
    inner = IN_DISC.get(shape)
    if inner is None:
        return _stamp(spots, shape, radius, fill=colour, edge=_INK)
    disc = _stamp(spots, "circle", radius * 1.15, fill="#ffffff", edge=_INK)
    return disc + _stamp(spots, shape, radius * inner, fill=colour)


def _stamp(
    spots: NDArray[np.float64], shape: str, radius: float, *, fill: str, edge: str = ""
) -> str:
    outline = np.array(shape_of(shape)) * radius
    rings = (spots[:, None, :] + outline[None]).reshape(-1, 2)
    path = path_of(rings, np.arange(0, len(rings), len(outline)), closed=True)
    return drawn(path, fill=fill, edge=edge, width=0.16)


def path_of(
    spots: NDArray[np.float64], starts: NDArray[np.int64], *, closed: bool, coarse: int = 1
) -> str:
    """Write lines as the data of one path, in twentieths of a millimetre.

    Parameters
    ----------
    spots
        Corners of all lines, shape (n, 2) [mm].
    starts
        Where each line begins.
    closed
        Whether each line ends where it began; the last corner is not repeated then.
    coarse
        Units a step of the corners.

    Returns
    -------
    str
        Path data.

    Examples
    --------
    >>> path_of(np.array([[0.0, 0.0], [1.0, 0.5]]), np.array([0]), closed=False)
    'M0 0l20 10'
    """
    whole = np.rint(spots / (UNIT * coarse)).astype(np.int64)
    steps = np.diff(whole, axis=0, prepend=whole[:1])
    steps[starts] = whole[starts]
    signs = np.full(len(whole), " ", dtype=object)
    if len(whole) > 1:
        signs[(starts + 1)[starts + 1 < len(whole)]] = "l"
    signs[starts] = "ZM" if closed else "M"
    text = "".join(
        f"{sign}{x} {y}" for sign, x, y in zip(signs.tolist(), *steps.T.tolist(), strict=True)
    )
    return text.removeprefix("Z") + ("Z" if closed and text else "")


def drawn(
    path: str, *, fill: str = "none", edge: str = "", width: float = 0.2, opacity: float = 1.0,
    dash: Sequence[float] = (), cap: str = "round", coarse: int = 1,
    at: tuple[float, float] | None = None,
) -> str:  # fmt: skip
    """Draw path data.

    Parameters
    ----------
    path
        From `path_of` or `lines`.
    fill
        Colour inside.
    edge
        Colour of the line; empty for none.
    width
        Of the line [mm].
    opacity
        Of what is inside.
    dash
        Drawn and blank parts [mm].
    cap
        Ends of lines.
    coarse
        Units a step of the path's corners.
    at
        Where the path's zero lies [mm]; by default the upper left corner.

    Returns
    -------
    str
        SVG; empty for an empty path.
    """
    if not path:
        return ""
    unit = UNIT * coarse
    moved = f"translate({at[0]:g} {at[1]:g})" if at else ""
    parts = [f'<path transform="{moved}scale({unit:g})" d="{path}" fill="{fill}"']
    if opacity < 1:
        parts.append(f'fill-opacity="{opacity:g}"')
    if fill != "none":
        parts.append('fill-rule="evenodd"')
    if edge:
        parts.append(
            f'stroke="{edge}" stroke-width="{width / unit:g}" stroke-linejoin="round" '
            f'stroke-linecap="{cap}"'
        )
    if dash:
        parts.append(f'stroke-dasharray="{" ".join(f"{part / unit:g}" for part in dash)}"')
    return " ".join(parts) + "/>"


def shape_path(
    shapes: Iterable[object], frame: Frame, *, fine: float = FINE, coarse: int = 1
) -> str:
    """Cut lines and areas to the frame, leave out corners nobody can see, and write one path.

    Parameters
    ----------
    shapes
        Geometries in the CRS of the run.
    frame
        The frame.
    fine
        Corners nearer to a line than this are left out [mm].
    coarse
        Units a step of the corners.

    Returns
    -------
    str
        Path data; empty when nothing is in the frame.
    """
    cut = cut_to(shapes, frame, fine=fine)
    parts = shapely.get_parts(cut)
    kinds = shapely.get_type_id(parts)
    rings = shapely.get_rings(parts[kinds == 3])
    lines = parts[kinds == 1]
    return _joined(rings, frame, closed=True, coarse=coarse) + _joined(
        lines, frame, closed=False, coarse=coarse
    )


def cut_to(shapes: Iterable[object], frame: Frame, *, fine: float = FINE) -> NDArray[np.object_]:
    """Cut shapes to the frame and leave out corners that nobody can see on paper.

    Parameters
    ----------
    shapes
        Geometries in the CRS of the run.
    frame
        The frame.
    fine
        Corners nearer to a line than this are left out [mm].

    Returns
    -------
    ndarray
        What is left of each that is in the frame.
    """
    given = np.asarray(list(shapes), dtype=object)
    west, south, east, north = frame.bounds
    edge = 2 * frame.metres  # lines of borders stay outside
    thin = shapely.simplify(given, fine * frame.metres, preserve_topology=False)
    thin = np.where(shapely.is_empty(thin), given, thin)
    cut = shapely.clip_by_rect(thin, west - edge, south - edge, east + edge, north + edge)
    found: NDArray[np.object_] = cut[~(shapely.is_missing(cut) | shapely.is_empty(cut))]
    return found


def drawn_densely(
    shapes: Iterable[object], frame: Frame, *, fill: str = "none", edge: str, width: float,
    fine: float = FINE, coarse: int = 1,
) -> str:  # fmt: skip
    """Draw very many small lines or areas tile by tile: short numbers make a small file.

    Parameters
    ----------
    shapes
        Geometries in the CRS of the run.
    frame
        The frame.
    fill, edge, width
        As `drawn` takes them.
    fine
        Corners nearer to a line than this are left out [mm].
    coarse
        Units a step of the corners.

    Returns
    -------
    str
        SVG; empty when nothing is in the frame.
    """
    parts = shapely.get_parts(cut_to(shapes, frame, fine=fine))
    kinds = shapely.get_type_id(parts)
    out = []
    for some, closed in ((parts[kinds == 3], True), (parts[kinds == 1], False)):
        if not len(some):
            continue
        tiles = np.floor(frame.paper(shapely.bounds(some)[:, [0, 3]]) / _TILE).astype(np.int64)
        keys, owner = np.unique(tiles[:, ::-1], axis=0, return_inverse=True)
        for i, (row, column) in enumerate(keys):
            at = column * _TILE, row * _TILE
            mine = some[owner.ravel() == i]
            lines = shapely.get_rings(mine) if closed else mine
            path = _joined(lines, frame, closed=closed, coarse=coarse, at=at)
            out.append(drawn(path, fill=fill, edge=edge, width=width, coarse=coarse, at=at))
    return "".join(out)


_TILE: Final = 20.0
"""Side of the tiles [mm]."""
_FEW: Final = 100
_STRIP: Final = 6.0
"""Height of the strips in which lines are ordered [mm]."""


def _joined(
    lines: NDArray[np.object_], frame: Frame, *, closed: bool, coarse: int = 1,
    at: tuple[float, float] = (0.0, 0.0),
) -> str:  # fmt: skip
    if not len(lines):
        return ""
    if len(lines) > _FEW:  # neighbours beside each other make a smaller file
        west, south, _, _ = shapely.bounds(lines).T
        lines = lines[np.lexsort((west, south // (_STRIP * frame.metres)))]
    spots, owner = shapely.get_coordinates(lines, return_index=True)
    if closed:  # the last corner repeats the first
        last = np.append(owner[1:] != owner[:-1], [True])
        spots, owner = spots[~last], owner[~last]
    starts = np.flatnonzero(np.append([True], owner[1:] != owner[:-1]))
    return path_of(frame.paper(spots) - at, starts, closed=closed, coarse=coarse)


def words(labels: Sequence[Placed], looks: dict[str, tuple[str, str, str]]) -> str:
    """Draw labels with a light rim.

    Parameters
    ----------
    labels
        Labels at their spots.
    looks
        Name of a style to colour, colour of the rim and weight (``bold`` or empty).

    Returns
    -------
    str
        SVG.
    """
    out = []
    for label in labels:
        colour, rim, weight = looks[label.wish.look]
        size = label.wish.size
        x, y, turn = label.spot
        first = -((len(label.wish.lines) - 1) * LINE) / 2 * size + 0.36 * size
        where = f'transform="translate({x:.2f} {y:.2f})' + (f" rotate({turn:g})" if turn else "")
        rows = "".join(
            f'<text y="{first + i * LINE * size:.2f}">{escape(line)}</text>'
            for i, line in enumerate(label.wish.lines)
        )
        out.append(f'<g {where}" font-size="{size:g}" text-anchor="middle">')
        if rim:  # twice, for a rim painted first would turn the words into outlines
            out.append(
                f'<g stroke="{rim}" stroke-width="{size * 0.22:.2f}" stroke-linejoin="round" '
                f'fill="{rim}">{rows}</g>'
            )
        heavy = f' stroke="{colour}" stroke-width="{size * 0.035:.3f}"' if weight else ""
        out.append(f'<g fill="{colour}"{heavy}>{rows}</g></g>')
    return "".join(out)


def qr_code(said: str) -> str:
    """Draw a text as a QR code that a telephone reads without network.

    Parameters
    ----------
    said
        The text.

    Returns
    -------
    str
        An SVG document with a light rim of four modules.

    Examples
    --------
    >>> qr_code("118.86,28.99").count("<path")
    2
    """
    import segno

    rows = segno.make(said, error="m", encoding="utf-8", micro=False).matrix
    side = len(rows) + 8
    runs = []
    for y, row in enumerate(rows, start=4):
        x = 0
        while x < len(row):
            n = x
            while n < len(row) and row[n]:
                n += 1
            if n > x:
                runs.append(f"M{x + 4} {y}h{n - x}v1h-{n - x}Z")
            x = max(n, x + 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">'
        f'<path d="M0 0h{side}v{side}h-{side}Z" fill="#ffffff"/>'
        f'<path d="{"".join(runs)}" fill="#000000"/></svg>'
    )


def picture(parts: Iterable[str], *, wide: float, high: float) -> str:
    """Put parts of a map together.

    Parameters
    ----------
    parts
        SVG, what lies below first.
    wide, high
        Size [mm].

    Returns
    -------
    str
        An SVG document in millimetres.
    """
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{wide:g}mm" height="{high:g}mm" viewBox="0 0 {wide:g} {high:g}" '
        f'font-family="{FAMILY}">{"".join(parts)}</svg>'
    )


def arrows(
    lines: Sequence[NDArray[np.float64]], colour: str, *, every: float = 32.0, radius: float = 2.0
) -> str:
    """Draw heads of arrows along lines, in their direction; where lines run together one serves.

    Parameters
    ----------
    lines
        Corners of each [mm].
    colour
        ``#rrggbb``.
    every
        Distance of the heads [mm].
    radius
        Size of a head [mm].

    Returns
    -------
    str
        SVG; at least one head, at the middle, where a line is long enough to see.
    """
    heads: list[tuple[float, float, float, float]] = []
    for line in lines:
        steps = np.hypot(*np.diff(line, axis=0).T)
        run = np.concatenate([[0.0], np.cumsum(steps)])
        length = float(run[-1])
        if length < 2 * radius:
            continue
        n = max(1, int(length // every))
        for at in (np.arange(n) + 0.5) * length / n:
            i = min(int(np.searchsorted(run, at, side="right")) - 1, len(steps) - 1)
            dx, dy = (line[i + 1] - line[i]) / (steps[i] or 1.0)
            x, y = line[i] + (line[i + 1] - line[i]) * ((at - run[i]) / (steps[i] or 1.0))
            if all(
                math.hypot(x - a, y - b) > every / 3 or dx * c + dy * d < _SAME_WAY
                for a, b, c, d in heads
            ):
                heads.append((float(x), float(y), float(dx), float(dy)))
    if not heads:
        return ""
    shape = np.array([[1.0, 0.0], [-0.8, 0.75], [-0.4, 0.0], [-0.8, -0.75]]) * radius
    rings = np.concatenate([[x, y] + shape @ np.array([[c, s], [-s, c]]) for x, y, c, s in heads])
    path = path_of(rings, np.arange(0, len(rings), 4), closed=True)
    return drawn(path, fill=colour, edge="#ffffff", width=0.2)


_SAME_WAY: Final = 0.8
"""Cosine from which two heads point the same way."""


def graticule(frame: Frame, *, named: bool, size: float = 2.0) -> str:
    """Draw the ticks of the metric grid along the frame, and their crosses on the map.

    Parameters
    ----------
    frame
        The frame.
    named
        Whether the ticks tell their easting and northing [km]; the public edition does not.
    size
        Height of the numbers [mm].

    Returns
    -------
    str
        SVG; the numbers stand inside the frame's white rim.
    """
    step = round_step(60 * frame.metres)
    west, south, east, north = frame.bounds
    xs = np.arange(math.ceil(west / step), math.floor(east / step) + 1) * step
    ys = np.arange(math.ceil(south / step), math.floor(north / step) + 1) * step
    ticks: list[str] = []
    said: list[str] = []
    digits = max(0, -math.floor(math.log10(step / 1000) + 1e-9))
    for x in xs:
        at = (x - west) / frame.metres
        ticks.append(f"M{at:.2f} 0v1.6M{at:.2f} {frame.high:g}v-1.6")
        if named:
            for y, shift in ((0.0, -0.8), (frame.high, 0.8 + size * 0.75)):
                said.append(f'<text x="{at:.2f}" y="{y + shift:.2f}">{x / 1000:.{digits}f}</text>')
    for y in ys:
        at = (north - y) / frame.metres
        ticks.append(f"M0 {at:.2f}h1.6M{frame.wide:g} {at:.2f}h-1.6")
        if named:
            for x, turn in ((-0.8, -90), (frame.wide + 0.8 + size * 0.75, -90)):
                said.append(
                    f'<text transform="translate({x:.2f} {at:.2f}) rotate({turn})">'
                    f"{y / 1000:.{digits}f}</text>"
                )
    cross = "".join(
        f"M{(x - west) / frame.metres - 1:.2f} {(north - y) / frame.metres:.2f}h2"
        f"M{(x - west) / frame.metres:.2f} {(north - y) / frame.metres - 1:.2f}v2"
        for x in xs
        for y in ys
    )
    return (
        f'<path d="{cross}" stroke="#3c4148" stroke-width=".1" fill="none"/>'
        f'<path d="{"".join(ticks)}" stroke="#1a2530" stroke-width=".2" fill="none"/>'
        f'<g font-size="{size:g}" fill="#3c4148" text-anchor="middle">{"".join(said)}</g>'
    )


def scale_bar(scale: float, *, most: float = 60.0) -> tuple[str, float]:
    """Draw a bar of a round length in four parts.

    Parameters
    ----------
    scale
        1 to this many.
    most
        Longest bar [mm].

    Returns
    -------
    tuple of str and float
        SVG, and its length [mm].
    """
    whole = round_step(most * scale / 1000)
    long = whole / scale * 1000
    unit, over = ("km", 1000.0) if whole >= 2000 else ("m", 1.0)
    parts = []
    for i in range(4):
        fill = "#1a2530" if i % 2 == 0 else "#ffffff"
        parts.append(
            f'<rect x="{4 + i * long / 4:.2f}" y="4" width="{long / 4:.2f}" height="1.4" '
            f'fill="{fill}" stroke="#1a2530" stroke-width=".15"/>'
        )
    for i in (0, 2, 4):
        said = f"{whole * i / 4 / over:g}" + (f" {unit}" if i == 4 else "")
        x = 4 + i * long / 4
        parts.append(f'<text x="{x:.2f}" y="3" font-size="2.3" text-anchor="middle">{said}</text>')
    return picture(parts, wide=long + 16, high=6), long
