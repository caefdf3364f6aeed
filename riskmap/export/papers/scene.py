"""What a sheet's map shows: base, borders, danger areas, routes, points and their names."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely

from riskmap.export.geopackage.read import Opened, open_results
from riskmap.export.papers import drawing
from riskmap.export.papers.drawing import (
    Frame,
    Placed,
    Wish,
    along,
    around,
    corners,
    place,
    width,
    wrap,
)
from riskmap.files import GEOPACKAGE
from riskmap.result import of_state, states_of, ways_of_areas
from riskmap.vocabulary import columns as c
from riskmap.vocabulary.marks import level_colours, marks
from riskmap.vocabulary.roles import Role, load_roles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

RISKS: Final = (
    "flood_point", "geohazard_point", "hazard_source", "reservoir", "hidden_danger", "accident",
)  # fmt: skip
"""Roles drawn as risk points, coloured by level."""
HELPS: Final = (
    "warning_station", "loudspeaker", "health_care", "rescue_team", "rescue_station",
    "sensitive_place", "supply_depot", "refuge",
)  # fmt: skip
"""Roles drawn as places of help, the important ones last."""
ROADS: Final[Mapping[str, tuple[float, float, str, int]]] = {
    "motorway": (1.5, 1.1, "#e5985b", 0), "trunk": (1.4, 1.0, "#f0b56b", 1),
    "primary": (1.2, 0.85, "#f6cf88", 2), "secondary": (1.0, 0.7, "#fae6ad", 3),
    "tertiary": (0.8, 0.52, "#ffffff", 4),
}  # fmt: skip
"""Class of a road to width of its edge and inside [mm], colour and order."""
_DENSE: Final = 1_500
"""Roads in view from which the small ones are single lines."""
_PLAINLY: Final = ("", "tertiary")
_SMALL: Final = (0.5, 0.3, "#ffffff", 5)
_CHINESE: Final[Mapping[str, str]] = {
    "高速公路": "motorway", "快速路": "trunk", "国道": "trunk", "主干路": "primary",
    "省道": "primary", "次干路": "secondary", "县道": "secondary", "支路": "tertiary",
    "乡道": "tertiary",
}  # fmt: skip
MANY: Final = 40
"""Points of a kind from which they get no names on the map."""
_LEVELS: Final = dict(zip(c.CLASSES, level_colours(), strict=True))
_UNKNOWN: Final = "#b8bec6"
LOOKS: Final = {
    "area": ("#8c1d12", "#ffffff", "bold"),
    "refuge": ("#0b5d35", "#ffffff", "bold"),
    "help": ("#3d2a63", "#ffffff", ""),
    "point": ("#1a2530", "#ffffff", ""),
    "road": ("#5c4a2a", "#ffffff", ""),
    "water": ("#1f6fb2", "#ffffff", ""),
    "unit": ("#4b535e", "#ffffff", ""),
    "outside": ("#6b7380", "#ffffff", ""),
}
"""Style of labels: colour, rim, weight."""


@dataclass(frozen=True, eq=False)
class Book:
    """The tables of a results folder that sheets are made from, read when they are asked for."""

    opened: Opened
    roles: Mapping[str, Role]
    _read: dict[str, Any] = field(default_factory=dict, repr=False)

    def has(self, name: str) -> bool:
        """Tell whether there is such a table.

        Parameters
        ----------
        name
            A table.

        Returns
        -------
        bool
            Whether the folder has it.
        """
        return name in self.opened.tables

    def table(self, name: str) -> Any:
        """Read a table once.

        Parameters
        ----------
        name
            A table.

        Returns
        -------
        DataFrame or GeoDataFrame
            Empty when there is none.
        """
        if name not in self._read:
            self._read[name] = self.opened.table(name) if self.has(name) else pd.DataFrame()
        return self._read[name]

    def layer(self, role: str, kind: str = "") -> Any:
        """Read a role's objects that have a place, of one kind of geometry or of all.

        Parameters
        ----------
        role
            Name of the role.
        kind
            ``point``, ``line``, ``polygon``, or empty for all.

        Returns
        -------
        GeoDataFrame
            Numbered from 0; empty when the folder has none.
        """
        key = f"@{role}/{kind}"
        if key not in self._read:
            names = [role, *(f"{role}_{k}" for k in ("point", "line", "polygon"))]
            parts = [part for name in names if "geometry" in (part := self.table(name))]
            parts = self._of_scenario(role, parts)
            parts = [part[~(part.geometry.isna() | part.geometry.is_empty)] for part in parts]
            whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
            if kind and len(whole):
                wanted = {"point": (0, 4), "line": (1, 5), "polygon": (3, 6)}[kind]
                ids = shapely.get_type_id(whole.geometry.to_numpy())
                whole = whole[np.isin(ids, wanted)].reset_index(drop=True)
            self._read[key] = whole
        return self._read[key]

    def _of_scenario(self, role: str, parts: list[Any]) -> list[Any]:
        """Take danger areas of the state whose routes are drawn, where it has its own."""
        if role != "danger_area" or not self.scenario:
            return parts
        names = [f"{role}_scenarios", *(f"{role}_scenarios_{k}" for k in ("point", "polygon"))]
        found = [part for name in names if "geometry" in (part := self.table(name))]
        own = [part[part["scenario"].astype(str) == self.scenario] for part in found]
        return own if any(len(part) for part in own) else parts

    def near(self, role: str, bounds: Sequence[float], kind: str = "") -> Any:
        """Take a role's objects whose bounds meet a box.

        Parameters
        ----------
        role
            Name of the role.
        bounds
            West, south, east, north.
        kind
            Kind of geometry, or empty.

        Returns
        -------
        GeoDataFrame
            In their order.
        """
        layer = self.layer(role, kind)
        if not len(layer):
            return layer
        return layer.iloc[np.sort(layer.sindex.query(shapely.box(*bounds)))]

    @cached_property
    def units(self) -> gpd.GeoDataFrame:
        """Units of all levels by code."""
        return self.opened.units

    @cached_property
    def finest(self) -> gpd.GeoDataFrame:
        """Units of the finest level."""
        levels = [level for level in c.UNIT_LEVELS if (self.units["level"] == level).any()]
        return self.units[self.units["level"] == levels[-1]]

    @cached_property
    def relief(self) -> tuple[NDArray[np.uint8], tuple[float, ...]] | None:
        """The shaded relief and the six numbers of its affine transform, or None."""
        import rasterio
        from rasterio.errors import RasterioIOError

        path = self.opened.folder / GEOPACKAGE
        try:
            with rasterio.open(f"GPKG:{path}:relief") as source:
                return source.read(1), tuple(source.transform)[:6]
        except RasterioIOError:
            return None

    @cached_property
    def scenario(self) -> str:
        """State of the world whose routes are drawn: the baseline, else the first with any."""
        moves = self.table("plan_refuges_assignment")
        if not len(moves):
            return ""
        there = states_of(moves)
        return "" if "" in there else there[0]

    def moves(self) -> pd.DataFrame:
        """Give who goes where, in the state that is drawn.

        Returns
        -------
        DataFrame
            Rows of the refuge plan.
        """
        moves: pd.DataFrame = self.table("plan_refuges_assignment")
        if not len(moves):
            return moves
        return of_state(moves, self.scenario)

    @cached_property
    def ways(self) -> Mapping[str, pd.DataFrame]:
        """Where the plan sends the people of each danger area, see `riskmap.result`."""
        names = ("handout", "shortfall")
        tables = {name: self.table(f"plan_refuges_{name}") for name in names}
        items = self.table("items")
        return ways_of_areas(items.set_index("item_id"), tables) if len(items) else {}

    def choice(self, role: str, column: str, value: Any) -> str:
        """Say a code of a role in words.

        Parameters
        ----------
        role
            Name of the role.
        column
            Its field.
        value
            The code.

        Returns
        -------
        str
            The word; the code where it has none.
        """
        if value is None or pd.isna(value):
            return ""
        entry = self.roles[role].field(column) if role in self.roles else None
        lang = str(self.opened.facts.get("lang", "zh"))
        for known in entry.choices if entry else ():
            if known.value == value:
                return known.zh if lang == "zh" else known.en
        return str(value)


def open_book(folder: Path) -> Book:
    """Open a results folder for sheets.

    Parameters
    ----------
    folder
        As ``riskmap run`` wrote it.

    Returns
    -------
    Book
        Nothing is read yet.
    """
    return Book(open_results(folder), load_roles())


def inside(book: Book, unit: str, layer: Any) -> NDArray[np.bool_]:
    """Tell which objects belong to a unit: those with their inner point in it.

    Parameters
    ----------
    book
        The book.
    unit
        Code of the unit.
    layer
        Objects.

    Returns
    -------
    ndarray
        True for its own.
    """
    if not len(layer):
        return np.zeros(0, dtype=bool)
    shape = book.units.geometry[unit]
    spots = shapely.point_on_surface(layer.geometry.to_numpy())
    return np.asarray(shapely.covers(shape, spots))


@dataclass(frozen=True, kw_only=True)
class Marked:
    """An object with a number that map and tables share."""

    number: str
    role: str
    row: Any
    """The object's columns."""
    shape: Any
    own: bool = True
    """Whether it belongs to the unit of the sheet."""
    lines: tuple[str, ...] = ()
    """What stands beside it on the map."""
    usable: bool = True
    """False for a refuge that the plan may not use."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What one map shows."""

    frame: Frame
    unit: str
    """Code of the unit whose ground is bright; empty for none."""
    areas: tuple[Marked, ...] = ()
    routes: tuple[Any, ...] = ()
    refuges: tuple[Marked, ...] = ()
    helps: tuple[Marked, ...] = ()
    points: tuple[Marked, ...] = ()
    public: bool = False
    shaded: bool = False
    """Whether units are coloured by class."""
    wall: bool = False
    """Whether it is the whole place: what is worst and where is named first."""


@dataclass(frozen=True, kw_only=True)
class Map:
    """A drawn map."""

    svg: str
    labels: tuple[Placed, ...]
    left_out: tuple[Wish, ...]
    """Labels for which there was no room."""
    shown: frozenset[str]
    """What the legend has to explain."""
    features: int
    """Objects in view."""


def draw(book: Book, scene: Scene) -> Map:
    """Draw a map.

    Parameters
    ----------
    book
        Where base and units come from.
    scene
        What to draw.

    Returns
    -------
    Map
        A picture in millimetres with a rim for the numbers of the grid.
    """
    frame = scene.frame
    shown: set[str] = set()
    wishes: list[Wish] = []
    below, n = _base(book, frame, shown, wishes)
    land = _units(book, scene, shown, wishes)
    roads, m = _roads(book, frame, shown, wishes)
    over = _areas(scene, shown, wishes) + _routes(scene, shown)
    boxes: list[NDArray[np.float64]] = []
    spots = _points(book, scene, shown, wishes, boxes)
    labels, left = place(wishes, size=(frame.wide, frame.high), obstacles=boxes)
    inner = "".join((below, land[0], roads, land[1], over, spots, drawing.words(labels, LOOKS)))
    rim = RIM
    size = f'width="{frame.wide:g}" height="{frame.high:g}"'
    parts = (
        f'<defs><clipPath id="f"><rect {size}/></clipPath></defs>',
        f'<g transform="translate({rim:g} {rim:g})"><rect {size} fill="#fbf9f3"/>',
        f'<g clip-path="url(#f)">{inner}</g>',
        drawing.graticule(frame, named=not scene.public),
        f'<rect {size} fill="none" stroke="#1a2530" stroke-width=".35"/></g>',
    )
    svg = drawing.picture(parts, wide=frame.wide + 2 * rim, high=frame.high + 2 * rim)
    drawn = len(scene.areas) + len(scene.routes) + len(scene.points) + len(scene.helps)
    return Map(
        svg=svg, labels=tuple(labels), left_out=tuple(left), shown=frozenset(shown),
        features=n + m + drawn + len(scene.refuges),
    )  # fmt: skip


RIM: Final = 3.6
"""Rim around the frame for the numbers of the grid [mm]."""


def _base(book: Book, frame: Frame, shown: set[str], wishes: list[Wish]) -> tuple[str, int]:
    """Draw relief, buildings and water."""
    out = [relief(book, frame)]
    n = 0
    if out[0]:
        shown.add("relief")
    for role, fill, edge in (
        ("building", "#ded7cf", "#b8aca0"),
        ("waterway", "#b9dcf2", "#7db8de"),
    ):
        found = book.near(role, frame.bounds, "polygon")
        if len(found):
            coarse = 2 if len(found) > _DENSE / 2 else 1
            path = drawing.drawn_densely(
                found.geometry.to_numpy(), frame, fill=fill, edge=edge, width=0.12, coarse=coarse
            )
            out.append(path)
            n += len(found)
            if path:
                shown.add(role)
    rivers = book.near("waterway", frame.bounds, "line")
    if len(rivers):
        n += len(rivers)
        wide = _numbers(rivers, "width_m").fillna(8.0).to_numpy() / frame.metres
        for low, high, size in ((0, 0.6, 0.5), (0.6, 1.4, 0.9), (1.4, 3.0, 1.8), (3.0, 1e9, 3.2)):
            some = rivers[(wide >= low) & (wide < high)]
            path = drawing.shape_path(some.geometry.to_numpy(), frame)
            out.append(drawing.drawn(path, edge="#7db8de", width=size))
            if path:
                shown.add("waterway")
        _name_lines(rivers, frame, wishes, look="water", size=2.8, rank=50)
    return "".join(out), n


def _numbers(frame: Any, column: str) -> pd.Series[Any]:
    if column not in frame:
        return pd.Series(np.nan, index=frame.index)
    found: pd.Series[Any] = pd.to_numeric(frame[column], errors="coerce")
    return found


def _name_lines(
    lines: Any, frame: Frame, wishes: list[Wish], *, look: str, size: float, rank: float
) -> None:
    """Wish for names along lines, one or two a name."""
    if "name" not in lines:
        return
    named = lines[lines["name"].notna() & (lines["name"].astype(str).str.strip() != "")]
    for place_, (name, rows) in enumerate(named.groupby("name", sort=True)):
        cut = drawing.cut_to(rows.geometry.to_numpy(), frame)
        parts = shapely.get_parts(cut)
        parts = parts[shapely.get_type_id(parts) == 1]
        if not len(parts):
            continue
        merged = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(list(parts))))
        lengths = shapely.length(merged)
        wide = width(str(name)) * size
        spots: list[Any] = []
        for i in np.argsort(-lengths, kind="stable")[:3]:
            spots += along(frame.paper(shapely.get_coordinates(merged[i])), wide)
        if spots:
            total = float(lengths.sum()) / frame.metres
            wishes.append(
                Wish(
                    lines=(str(name),), size=size, spots=tuple(spots), look=look,
                    rank=rank - min(total, 500) / 1000 + place_ * 1e-6,
                )
            )  # fmt: skip


def _roads(book: Book, frame: Frame, shown: set[str], wishes: list[Wish]) -> tuple[str, int]:
    """Draw roads with an edge, the small ones below, and name them."""
    roads = book.near("road", frame.bounds, "line")
    if not len(roads):
        return "", 0
    kinds = roads["class"].astype(str) if "class" in roads else pd.Series("", index=roads.index)
    plain = kinds.str.removesuffix("_link").map(lambda kind: _CHINESE.get(kind, kind))
    grow = 1.0 if frame.scale <= 10_000 else 0.8 if frame.scale <= 30_000 else 0.6
    edges: list[str] = []
    insides: list[str] = []
    dense = len(roads) > _DENSE
    for kind in ("", *reversed(tuple(ROADS))):
        some = roads[plain == kind] if kind else roads[~plain.isin(list(ROADS))]
        edge, wide, colour, _ = ROADS.get(kind, _SMALL)
        if dense and kind in _PLAINLY:  # two lines each would fill the file
            path = drawing.drawn_densely(
                some.geometry.to_numpy(), frame, edge="#b5ac9d", width=wide * grow, fine=0.3,
                coarse=2,
            )  # fmt: skip
            edges.append(path)
        else:
            path = drawing.shape_path(some.geometry.to_numpy(), frame)
            edges.append(drawing.drawn(path, edge="#9a9183", width=edge * grow))
            insides.append(drawing.drawn(path, edge=colour, width=wide * grow))
        if path:
            shown.add("road")
    order = plain.map(lambda kind: ROADS.get(kind, _SMALL)[3])
    for rank, some in roads.groupby(order):
        _name_lines(some, frame, wishes, look="road", size=2.2, rank=60 + float(rank))
    return "".join([*edges, *insides]), len(roads)


def _units(book: Book, scene: Scene, shown: set[str], wishes: list[Wish]) -> tuple[str, str]:
    """Draw borders; ground outside the unit is pale, neighbours have their names."""
    frame = scene.frame
    finest = book.finest
    view = shapely.box(*frame.bounds)
    near = finest.iloc[np.sort(finest.sindex.query(view, predicate="intersects"))]
    below = []
    if scene.shaded and "class" in near:
        for level, colour in _LEVELS.items():
            some = near[pd.to_numeric(near["class"], errors="coerce") == level]
            path = drawing.shape_path(some.geometry.to_numpy(), frame)
            below.append(drawing.drawn(path, fill=colour, opacity=0.28))
        shown.add("classes")
    above = []
    own = book.units.geometry.get(scene.unit) if scene.unit else None
    if own is not None:
        veil = drawing.shape_path([shapely.difference(view.buffer(3 * frame.metres), own)], frame)
        above.append(drawing.drawn(veil, fill="#ffffff", opacity=0.5))
    path = drawing.shape_path(near.geometry.to_numpy(), frame)
    above.append(drawing.drawn(path, edge="#6b7380", width=0.25, dash=(2.0, 0.8, 0.3, 0.8)))
    shown.add("border")
    if own is not None:
        path = drawing.shape_path([own], frame)
        above.append(drawing.drawn(path, edge="#e9b8e0", width=2.0))
        above.append(drawing.drawn(path, edge="#8e2a7c", width=0.5, dash=(4.0, 1.2, 0.6, 1.2)))
        shown.add("own")
    level = book.units["level"].get(scene.unit, "")
    for code, row in near.iterrows():
        seen = shapely.intersection(row.geometry, view)
        if code == scene.unit or seen.is_empty:
            continue
        own_village = own is not None and level != row["level"]
        spot = shapely.point_on_surface(seen)
        x, y = frame.paper(np.array([[spot.x, spot.y]]))[0]
        lines = wrap(str(row["name"]), 10)
        size = 3.2 if own_village else 2.8
        spots = tuple(
            (x + dx, y + dy, 0.0) for dx in (0, -9, 9, -18, 18) for dy in (0, -6, 6, 12, -12)
        )
        wishes.append(
            Wish(
                lines=lines, size=size, spots=spots, look="unit" if own_village else "outside",
                rank=30 if own_village or scene.wall else 80,
            )
        )  # fmt: skip
    return "".join(below), "".join(above)


def _areas(scene: Scene, shown: set[str], wishes: list[Wish]) -> str:
    """Draw danger areas by level, hatched by nothing but colour and edge, and their numbers."""
    frame = scene.frame
    out = []
    for area in scene.areas:
        level = _level(area.row)
        colour = _LEVELS.get(level, "#c8501e")
        path = drawing.shape_path([area.shape], frame, fine=0.04)
        out.append(
            drawing.drawn(
                path, fill=colour, opacity=0.42, edge="#8c1d12", width=0.45, dash=(1.6, 0.8)
            )
        )
        shown.add(f"area{level}")
        _wish_area(area, frame, wishes)
    return "".join(out)


def _level(row: Any) -> int:
    value = row.get("level") if hasattr(row, "get") else None
    return 0 if value is None or pd.isna(value) else int(value)


def _wish_area(area: Marked, frame: Frame, wishes: list[Wish]) -> None:
    spot = shapely.point_on_surface(shapely.clip_by_rect(area.shape, *frame.bounds))
    if spot is None or spot.is_empty:
        return
    x, y = frame.paper(np.array([[spot.x, spot.y]]))[0]
    box = shapely.bounds(area.shape)
    half = (box[2] - box[0]) / 2 / frame.metres, (box[3] - box[1]) / 2 / frame.metres
    size = 3.0
    wide = max(width(line) for line in area.lines) * size
    high = (len(area.lines) - 1) * 1.18 * size + size
    spots = (
        (x, y, 0.0), *around(x, y, wide, high, radius=0.6, rings=1),
        *around(x, y, wide, high, radius=min(max(half), 12.0), rings=4),
    )  # fmt: skip
    wishes.append(
        Wish(
            lines=area.lines,
            size=size,
            spots=spots,
            look="area",
            rank=1.0,
            anchor=(x, y),
            short=area.number,
        )
    )


def _routes(scene: Scene, shown: set[str]) -> str:
    """Draw the routes with heads in their direction."""
    frame = scene.frame
    mark = marks()["route"]
    if not scene.routes:
        return ""
    shown.add("route")
    path = drawing.shape_path(scene.routes, frame, fine=0.04)
    out = [
        drawing.drawn(path, edge="#ffffff", width=1.7),
        drawing.drawn(path, edge=mark.colour, width=1.0),
    ]
    parts = shapely.get_parts(drawing.cut_to(scene.routes, frame, fine=0.04))
    parts = parts[shapely.get_type_id(parts) == 1]
    lines = [frame.paper(shapely.get_coordinates(part)) for part in parts]
    out.append(drawing.arrows(lines, mark.colour))
    return "".join(out)


def _points(
    book: Book, scene: Scene, shown: set[str], wishes: list[Wish],
    boxes: list[NDArray[np.float64]],
) -> str:  # fmt: skip
    """Draw symbols, and wish for their names."""
    frame = scene.frame
    out = []
    groups: tuple[tuple[tuple[Marked, ...], str, float, float], ...] = (
        (scene.points, "point", 1.5, 10.0), (scene.helps, "help", 1.7, 8.0),
        (scene.refuges, "refuge", 2.3, 2.0),
    )  # fmt: skip
    if scene.wall:
        groups = ((scene.points, "point", 1.4, 10.0), (scene.helps, "help", 1.4, 90.0))
    for marked, look, radius, rank in groups:
        small = radius if len(marked) <= 4 * MANY else radius * 0.55
        by_look: dict[tuple[str, str], list[NDArray[np.float64]]] = {}
        for one in marked:
            role = book.roles[one.role]
            level = _level(one.row) if look == "point" else 0
            colour = _LEVELS.get(level, _UNKNOWN) if look == "point" else role.colour or "#1f5fa8"
            colour = colour if one.usable else _UNKNOWN
            spot = shapely.point_on_surface(one.shape)
            paper = frame.paper(np.array([[spot.x, spot.y]]))[0]
            if not (0 <= paper[0] <= frame.wide and 0 <= paper[1] <= frame.high):
                continue
            kind = one.role if one.usable else f"{one.role}-"
            shown.add(f"{one.role}{level}" if look == "point" else kind)
            by_look.setdefault((role.symbol, colour), []).append(paper)
            if len(marked) <= 10 * MANY:
                boxes.append(corners((paper[0], paper[1], 0), 2 * small, 2.2 * small))
            if len(marked) <= 3 * MANY or look == "refuge":
                _wish_point(one, paper, small, look, rank, wishes)
        for (shape, colour), spots in by_look.items():
            out.append(drawing.symbols(np.array(spots), shape, colour, radius=small))
    return "".join(out)


def _wish_point(
    one: Marked, paper: NDArray[np.float64], radius: float, look: str, rank: float,
    wishes: list[Wish],
) -> None:  # fmt: skip
    size = 2.8 if look == "refuge" else 2.3
    x, y = float(paper[0]), float(paper[1])
    rank = rank - 0.1 * _level(one.row)
    wide = max(width(line) for line in one.lines) * size
    high = (len(one.lines) - 1) * 1.18 * size + size
    spots = around(x, y, wide, high, radius=radius, rings=3 if look == "refuge" else 2)
    wishes.append(
        Wish(
            lines=one.lines,
            size=size,
            spots=spots,
            look=look,
            rank=rank,
            anchor=(x, y),
            short=one.number,
            radius=radius,
        )
    )


_DOTS: Final = 1.8
"""Dots of the relief a millimetre."""
_TINT: Final = (251, 249, 243)
"""Paper in full light."""


def relief(book: Book, frame: Frame) -> str:
    """Cut the shaded relief to the frame.

    Parameters
    ----------
    book
        The book, whose GeoPackage may hold a picture of the relief.
    frame
        The frame.

    Returns
    -------
    str
        SVG; empty without relief.
    """
    import base64

    from scipy.ndimage import map_coordinates

    found = book.relief
    if found is None:
        return ""
    grey, transform = found
    wide, high = round(frame.wide * _DOTS), round(frame.high * _DOTS)
    x = frame.west + (np.arange(wide) + 0.5) / _DOTS * frame.metres
    y = frame.north - (np.arange(high) + 0.5) / _DOTS * frame.metres
    columns = (x - transform[2]) / transform[0] - 0.5
    rows = (y - transform[5]) / transform[4] - 0.5
    grid = np.meshgrid(rows, columns, indexing="ij")
    light = map_coordinates(grey, grid, order=1, mode="constant", cval=255, output=np.float32)
    if float(light.min()) >= 254:
        return ""
    tinted = np.rint(np.array(_TINT)[:, None, None] * light[None] / 255).astype(np.uint8)
    raw = base64.b64encode(jpeg(tinted)).decode("ascii")
    return (
        f'<image width="{frame.wide:g}" height="{frame.high:g}" preserveAspectRatio="none" '
        f'xlink:href="data:image/jpeg;base64,{raw}"/>'
    )


def jpeg(colours: NDArray[np.uint8], *, quality: int = 62) -> bytes:
    """Write a picture as JPEG.

    Parameters
    ----------
    colours
        Red, green and blue, shape (3, rows, columns).
    quality
        As JPEG counts it.

    Returns
    -------
    bytes
        A file.
    """
    import warnings

    from rasterio.io import MemoryFile

    bands, high, wide = colours.shape
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Dataset has no geotransform")
        with MemoryFile() as memory:
            with memory.open(
                driver="JPEG", width=wide, height=high, count=bands, dtype="uint8",
                quality=quality,
            ) as target:  # fmt: skip
                target.write(colours)
            return bytes(memory.read())
