"""The draft of a sheet: layout, frame, map, values; nothing is typeset yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from riskmap.errors import UsageError
from riskmap.export.papers import drawing
from riskmap.export.papers.drawing import Frame, choose_frame, wrap
from riskmap.export.papers.panels import (
    PREFIX,
    Parts,
    beside,
    card_tables,
    gather,
    mark,
    poster_tables,
    routes_of,
    said,
    unit_tables,
)
from riskmap.export.papers.scene import HELPS, RIM, RISKS, Book, Map, Marked, Scene, draw
from riskmap.i18n import Text, text
from riskmap.vocabulary import columns as c
from riskmap.vocabulary.grade import LEVEL_NAMES
from riskmap.vocabulary.marks import level_colours, marks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

MARGIN: Final = 8.0
_AROUND: Final = 2.0
"""Scale may shrink by this much to show a route to its end."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where things stand on a page [mm]."""

    paper: str
    page: tuple[float, float]
    map: tuple[float, float]
    side: str
    """Where the tables stand: ``right``, ``below`` or ``back``."""
    columns: int = 2
    """Columns of tables, where they do not stand on the right."""
    title: float = 16.0
    strip: float = 37.0
    foot: float = 7.0
    overview: tuple[float, float] = (44.0, 31.0)
    zoom: float = 1.0
    """Times that everything is enlarged on the page."""


LAYOUTS: Final[Mapping[str, tuple[Layout, ...]]] = {
    "a3": (
        Layout(paper="a3", page=(420, 297), map=(265, 212), side="right"),
        Layout(paper="a3", page=(297, 420), map=(158, 314), side="right", strip=56),
    ),
    "a4": (
        Layout(
            paper="a4", page=(297, 210), map=(273, 131), side="back", title=13, strip=32, foot=6,
            overview=(38, 26),
        ),
        Layout(
            paper="a4", page=(210, 297), map=(186, 218), side="back", title=13, strip=32, foot=6,
            overview=(38, 26),
        ),
    ),
    "a0": (
        Layout(paper="a3", page=(743.125, 525.625), map=(590, 440), side="right", zoom=1.6),
        Layout(paper="a3", page=(525.625, 743.125), map=(375, 657), side="right", zoom=1.6),
    ),
}  # fmt: skip
"""Landscape and portrait of each paper; the one on which a place comes out larger is taken."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How the office wants its sheets."""

    paper: str = "a3"
    template: Path | None = None
    """A template of the office's own."""
    fonts: Path | None = None
    """Folder of further fonts."""
    hotline: str = ""
    """Number of the flood office; by default the one that the folder tells."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A sheet before it is typeset."""

    kind: str
    code: str
    name: str
    title: str
    said: Mapping[str, Any]
    """What the template shows."""
    assets: Mapping[str, str]
    map: Map
    missing: tuple[str, ...] = ()
    """Elements that a sheet should have and that nobody gave."""


def _layout(bounds: Sequence[float], more: Sequence[float], paper: str) -> tuple[Layout, Frame]:
    """Choose layout and frame on which a place comes out largest, with routes that fit."""
    best: tuple[Layout, Frame] | None = None
    for layout in LAYOUTS[paper]:
        wide, high = layout.map
        frame = choose_frame(bounds, wide=wide, high=high)
        whole = choose_frame(more, wide=wide, high=high)
        frame = whole if whole.scale <= _AROUND * frame.scale else frame
        if best is None or frame.scale < best[1].scale:
            best = layout, frame
    if best is None:
        raise UsageError(text("paper: a3 or a4"))
    return best


def unit_draft(book: Book, code: str, options: Options) -> Draft:
    """Draft the sheet of a village or town.

    Parameters
    ----------
    book
        The book.
    code
        Code of the unit.
    options
        How the office wants it.

    Returns
    -------
    Draft
        Values and pictures, and what nobody gave.
    """
    unit = book.units.loc[code]
    public = book.opened.facts.get("profile") == "public"
    town = code not in book.finest.index
    parts = gather(book, code)
    shapes = [unit.geometry, *parts.routes, *(one.shape for one in parts.refuges)]
    more = shapely.total_bounds(np.array(shapes, dtype=object))
    layout, frame = _layout(unit.geometry.bounds, more, options.paper)
    scene = Scene(
        frame=frame, unit=code, areas=parts.areas, routes=parts.routes, refuges=parts.refuges,
        helps=parts.helps, points=parts.points, public=public, shaded=town,
    )  # fmt: skip
    drawn = draw(book, scene)
    tables, staffed = unit_tables(
        book, code, parts, hotline=options.hotline, public=public, town=town
    )
    name = str(unit["name"])
    belongs = _belongs(book, code)
    title = str(text("{place} flood situation map", place=f"{belongs.split(' ')[-1]}{name}"))
    values = {
        **_common(book, layout, frame, drawn, unit=code),
        "title": title, "code": code, "belongs": belongs, "tables": tables,
    }  # fmt: skip
    return Draft(
        kind="town" if town else "village", code=code, name=name, title=title, said=values,
        assets=_assets(book, frame, layout, drawn, unit=code), map=drawn,
        missing=_missing(
            book, parts, options, staffed=staffed or public, sketch=bool(unit.get("sketch"))
        ),
    )  # fmt: skip


def _belongs(book: Book, code: str) -> str:
    """Name the units above, coarse to fine."""
    names: list[str] = []
    here = book.units["parent_id"].get(code)
    while here in book.units.index and len(names) < len(c.UNIT_LEVELS):
        names.insert(0, str(book.units["name"][here]))
        here = book.units["parent_id"].get(here)
    return " ".join(names) or str(book.opened.facts.get("place_name", ""))


def _missing(
    book: Book, parts: Parts, options: Options, *, staffed: bool, sketch: bool
) -> tuple[str, ...]:
    """List the elements that nobody gave."""
    triggers = [one for one in parts.areas if said(one.row.get("trigger"))]
    triggers += [one for one in parts.stations if said(one.row.get("warn_value"))]
    lacks = (
        (not parts.areas, text("danger areas")),
        (not parts.routes, text("routes")),
        (not parts.refuges, text("refuges")),
        (not parts.depots, text("stores")),
        (not triggers, text("warning triggers")),
        (not staffed, text("persons A and B")),
        (not options.hotline, text("hotline")),
        (not len(book.layer("road")), text("roads")),
        (sketch, text("surveyed boundary")),
    )
    return tuple(str(name) for lack, name in lacks if lack)


def _common(book: Book, layout: Layout, frame: Frame, drawn: Map, *, unit: str) -> dict[str, Any]:
    facts = book.opened.facts
    public = facts.get("profile") == "public"
    _, long = drawing.scale_bar(frame.scale)
    about = [str(text("Coordinates: {crs}; grid in km", crs=facts.get("crs", "")))]
    if book.scenario:
        about.append(str(text("Routes under: {name}", name=book.scenario)))
    if facts.get("demo"):
        about.append(str(text("Contains made-up demo data; not for use.")))
    if unit and bool(book.units.loc[unit].get("sketch")):
        about.append(str(text("The boundary is a sketch.")))
    return {
        "paper": layout.paper, "page_mm": list(layout.page), "margin_mm": MARGIN,
        "map_mm": list(layout.map), "rim_mm": RIM, "side": layout.side, "title_mm": layout.title,
        "strip_mm": layout.strip, "foot_mm": layout.foot, "overview_mm": list(layout.overview),
        "zoom": layout.zoom, "bar_mm": long + 16, "columns": layout.columns,
        "scale_mm": 76, "public": public,
        "legend_mm": _legend_room(layout),
        "edition": str(text("Public edition") if public else text("Internal, do not post")),
        "date": str(facts.get("data_date", "")), "about": about,
        "scale": f"{round(frame.scale / layout.zoom)}",
        "producer": str(text("Made by: {name}", name=facts.get("issued_by") or "________")),
        "review": _review(facts), "note": str(facts.get("name", "")),
        "legend": legend(book, drawn), "words": _words(),
    }  # fmt: skip


def _legend_room(layout: Layout) -> float:
    """Tell how wide the legend is [mm]: what overview and scale leave of the strip."""
    whole = layout.page[0] - 2 * MARGIN
    if layout.side == "right":
        whole = layout.map[0] + 2 * RIM
    return whole - layout.overview[0] - 76 - 12


def _review(facts: Mapping[str, Any]) -> str:
    number = str(facts.get("review_number") or "")
    if number:
        return str(text("Map review number: {number}", number=number))
    return str(text("Not reviewed; not to be published"))


def _words() -> dict[str, str]:
    return {
        "code": str(text("Code")), "version": str(text("Version")), "legend": str(text("Legend")),
        "scale": str(text("Scale")), "back": str(text(" (tables)")),
        "rows": str(text("{a} to {b} of {n}", a="{a}", b="{b}", n="{n}")),
    }  # fmt: skip


def legend(book: Book, drawn: Map) -> list[dict[str, str]]:
    """Explain what a map shows, and nothing else.

    Parameters
    ----------
    book
        The book.
    drawn
        The map.

    Returns
    -------
    list of dict
        ``svg`` and ``name`` of each sign.
    """
    found = [
        *_area_signs(drawn), *_line_signs(drawn, ("route",)), *_point_signs(book, drawn),
        *_line_signs(drawn, ("own", "border", "road", "waterway", "building", "relief")),
        *_class_signs(drawn),
    ]  # fmt: skip
    return [
        {"svg": drawing.picture([art], wide=8, high=4), "name": str(name)} for art, name in found
    ]


_WORST_FIRST: Final = (4, 3, 2, 1, 0)
_COLOURS: Final = dict(zip(c.CLASSES, level_colours(), strict=True))
_BOX: Final = "M8 8h144v64h-144Z"
_BAR: Final = "M4 40h152"


def _area_signs(drawn: Map) -> Iterator[tuple[str, Text]]:
    for level in _WORST_FIRST:
        if f"area{level}" in drawn.shown:
            art = drawing.drawn(
                _BOX, fill=_COLOURS.get(level, "#c8501e"), opacity=0.42, edge="#8c1d12",
                width=0.45, dash=(1.6, 0.8),
            )  # fmt: skip
            yield art, text("Danger area, {level}", level=LEVEL_NAMES[level])


def _point_signs(book: Book, drawn: Map) -> Iterator[tuple[str, Text | str]]:
    spot = np.array([[4.0, 2.0]])
    for role in reversed(HELPS):
        if role in drawn.shown:
            known = book.roles[role]
            colour = known.colour or "#1f5fa8"
            yield drawing.symbols(spot, known.symbol, colour, radius=1.7), known.label
        if f"{role}-" in drawn.shown:
            known = book.roles[role]
            sign = drawing.symbols(spot, known.symbol, "#b8bec6", radius=1.7)
            yield sign, text("{kind}, not usable", kind=known.label)
    for role in RISKS:
        for level in _WORST_FIRST:
            if f"{role}{level}" in drawn.shown:
                known = book.roles[role]
                colour = _COLOURS.get(level, "#b8bec6")
                name = f"{known.label} {LEVEL_NAMES[level]}"
                yield drawing.symbols(spot, known.symbol, colour, radius=1.6), name


def _line_signs(drawn: Map, keys: Sequence[str]) -> Iterator[tuple[str, Text]]:
    colour = marks()["route"].colour
    head = drawing.arrows([np.array([[0.2, 2.0], [7.8, 2.0]])], colour, radius=1.6)
    line = drawing.drawn
    signs = {
        "route": (line(_BAR, edge=colour, width=1.0) + head, text("Evacuation route")),
        "own": (
            line(_BAR, edge="#e9b8e0", width=2.0)
            + line(_BAR, edge="#8e2a7c", width=0.5, dash=(4.0, 1.2, 0.6, 1.2)),
            text("Boundary of this sheet"),
        ),
        "border": (
            line(_BAR, edge="#6b7380", width=0.25, dash=(2.0, 0.8, 0.3, 0.8)),
            text("Other boundaries"),
        ),
        "road": (
            line(_BAR, edge="#9a9183", width=1.2) + line(_BAR, edge="#f6cf88", width=0.85),
            text("Road"),
        ),
        "waterway": (line(_BAR, edge="#7db8de", width=1.4), text("Water")),
        "building": (line(_BOX, fill="#ded7cf", edge="#b8aca0", width=0.12), text("Building")),
        "relief": (line(_BOX, fill="#c9c6bf"), text("Relief, lit from the north-west")),
    }
    for key in keys:
        if key in drawn.shown:
            yield signs[key]


def _class_signs(drawn: Map) -> Iterator[tuple[str, Text]]:
    if "classes" in drawn.shown:
        for level in _WORST_FIRST[:-1]:
            art = drawing.drawn(_BOX, fill=_COLOURS[level], opacity=0.28)
            yield art, text("Risk class {level}", level=LEVEL_NAMES[level])


def _assets(book: Book, frame: Frame, layout: Layout, drawn: Map, *, unit: str) -> dict[str, str]:
    bar, _ = drawing.scale_bar(frame.scale)
    wide, high = layout.overview
    small = overview(book, frame, unit=unit, wide=wide, high=high)
    return {"map": drawn.svg, "bar": bar, "north": NORTH, "overview": small}


NORTH: Final = drawing.picture(
    (
        '<path d="M5 3.2L7.6 12.6 5 10.8Z" fill="#1a2530"/>',
        '<path d="M5 3.2L2.4 12.6 5 10.8Z" fill="#fff" stroke="#1a2530" stroke-width=".25"/>',
        '<text x="5" y="2.6" font-size="3.2" text-anchor="middle">N</text>',
    ),
    wide=10, high=13,
)  # fmt: skip
"""Arrow to the north of the grid."""


def overview(book: Book, frame: Frame, *, unit: str, wide: float, high: float) -> str:
    """Draw where a sheet lies in the place.

    Parameters
    ----------
    book
        The book.
    frame
        Frame of the sheet.
    unit
        Code of its unit; empty for none.
    wide, high
        Size [mm].

    Returns
    -------
    str
        SVG.
    """
    units = book.units
    coarse = [level for level in c.UNIT_LEVELS if (units["level"] == level).any()]
    whole = choose_frame(units.total_bounds, wide=wide, high=high, room=0.03)
    fine = units[units["level"] == coarse[min(1, len(coarse) - 1)]]
    out = [f'<rect width="{wide:g}" height="{high:g}" fill="#f4f6f8"/>']
    path = drawing.shape_path(fine.geometry.to_numpy(), whole, fine=0.15)
    out.append(drawing.drawn(path, fill="#ffffff", edge="#9aa3ae", width=0.15))
    if unit:
        path = drawing.shape_path([units.geometry[unit]], whole, fine=0.1)
        out.append(drawing.drawn(path, fill="#8e2a7c", opacity=0.55, edge="#8e2a7c", width=0.2))
    west, south, east, north = frame.bounds
    (x0, y0), (x1, y1) = whole.paper(np.array([[west, north], [east, south]]))
    out.append(
        f'<rect x="{x0:.2f}" y="{y0:.2f}" width="{max(x1 - x0, 0.8):.2f}" '
        f'height="{max(y1 - y0, 0.8):.2f}" fill="none" stroke="#a30f1a" stroke-width=".35"/>'
    )
    return drawing.picture(out, wide=wide, high=high)


CARD: Final = Layout(
    paper="a4", page=(210, 297), map=(186, 118), side="below", columns=1, title=13, strip=32,
    foot=6, overview=(38, 26),
)  # fmt: skip
"""Layout of a point's sheet."""
_ROOM: Final = 420.0
"""Ground around a point [m]."""
_REACH: Final = 1_500.0
"""A refuge within this distance is on the map [m]."""


def point_draft(book: Book, code: str) -> Draft:
    """Draft the sheet of an item of the list: map, depth, duty, route, what to do.

    Parameters
    ----------
    book
        The book.
    code
        Number of the item.

    Returns
    -------
    Draft
        Values and pictures.
    """
    items = book.table("items")
    item = items[items["item_id"].astype(str) == code].iloc[0]
    role = str(item["role"])
    layer = book.layer(role)
    own = layer[layer["item_id"].astype(str) == code] if len(layer) else layer
    row = own.iloc[0] if len(own) else item
    shape = row.geometry
    public = book.opened.facts.get("profile") == "public"
    refuges, ways = book.layer("refuge"), book.ways.get(code)
    if len(refuges):
        nearest = [str(item.get("refuge_name"))]
        wanted = nearest if ways is None else list(ways["refuge"]) if len(ways) else []
        near = refuges[refuges["name"].astype(str).isin(wanted)]
        refuges = near[shapely.distance(near.geometry.to_numpy(), shape) <= _REACH]
    marked = mark(book, "refuge", refuges, str(PREFIX["refuge"]), own=np.ones(len(refuges), bool))
    spot = shapely.point_on_surface(shape)
    bounds = shapely.total_bounds(
        np.array([spot.buffer(_ROOM), shape, *(one.shape for one in marked)], dtype=object)
    )
    frame = choose_frame(bounds, wide=CARD.map[0], high=CARD.map[1], room=0.05, least=2_000)
    one = Marked(number="", role=role, row=row, shape=shape, lines=beside(book, role, "", row))
    scene = Scene(
        frame=frame, unit="", refuges=marked, public=public,
        routes=() if ways is None else routes_of(book, ways),
        areas=(one,) if role == "danger_area" else (),
        points=() if role == "danger_area" else (one,),
    )  # fmt: skip
    drawn = draw(book, scene)
    name = said(item.get("name")) or code
    tables = card_tables(book, item, row, role, public=public)
    title = str(text("{place} card", place=name))
    values = {
        **_common(book, CARD, frame, drawn, unit=""),
        "title": title, "code": code, "tables": tables,
        "belongs": " ".join(part for key in ("town", "village") if (part := said(item.get(key)))),
    }  # fmt: skip
    unit = said(item.get("unit_id"))
    assets = _assets(book, frame, CARD, drawn, unit=unit if unit in book.units.index else "")
    return Draft(
        kind="point", code=code, name=name, title=title, said=values, assets=assets, map=drawn
    )


def point_maps(book: Book, numbers: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Draw the map of every item that has a place, as on its sheet.

    Parameters
    ----------
    book
        The book.
    numbers
        Ids of items.

    Returns
    -------
    dict
        Id to SVG and scale.
    """
    items = book.table("items")
    roles = dict(zip(items["item_id"].astype(str), items["role"].astype(str), strict=True))
    placed = {
        role: set(book.layer(role)["item_id"].astype(str)) if len(book.layer(role)) else set()
        for role in set(roles.values())
    }
    drawn = {}
    for number in numbers:
        if number in placed.get(roles.get(number, ""), ()):
            draft = point_draft(book, number)
            drawn[number] = draft.map.svg, int(draft.said["scale"])
    return drawn


def poster_draft(book: Book, paper: str, options: Options) -> Draft:
    """Draft the one map of the whole place for a wall.

    Parameters
    ----------
    book
        The book.
    paper
        ``a3`` or ``a0``.
    options
        How the office wants it.

    Returns
    -------
    Draft
        Values and pictures.
    """
    facts, units = book.opened.facts, book.units
    public = facts.get("profile") == "public"
    layout, frame = _wall(units.total_bounds, paper)
    top = [code for code in units.index if units["parent_id"].get(code) not in units.index]
    unit = str(top[0]) if len(top) == 1 else ""
    marked = {
        role: mark(book, role, rows, "", own=np.ones(len(rows), bool))
        for role in ("danger_area", "refuge", *HELPS[:-1], *RISKS)
        if len(rows := book.layer(role))
    }  # fmt: skip
    bare = {role: tuple(_bare(book, one) for one in some) for role, some in marked.items()}
    none: tuple[Marked, ...] = ()
    scene = Scene(
        frame=frame, unit=unit, public=public, shaded=True, wall=True,
        areas=bare.get("danger_area", none),
        helps=tuple(one for role in HELPS for one in bare.get(role, none)),
        points=tuple(one for role in RISKS for one in bare.get(role, none)),
    )  # fmt: skip
    drawn = draw(book, scene)
    name = str(facts.get("place_name") or facts.get("name", ""))
    title = str(facts.get("name", ""))
    said = {
        **_common(book, layout, frame, drawn, unit=""),
        "title": title, "code": str(facts.get("place_code", "")), "belongs": name,
        "tables": poster_tables(book, marked, hotline=options.hotline),
    }  # fmt: skip
    return Draft(
        kind="poster", code=paper.upper(), name=name, title=title, said=said, map=drawn,
        assets=_assets(book, frame, layout, drawn, unit=""),
    )  # fmt: skip


def _bare(book: Book, one: Marked) -> Marked:
    """Leave the number out: no table of the wall map speaks of it."""
    lines = beside(book, one.role, "", one.row) if one.role == "danger_area" else ()
    return Marked(
        number="", role=one.role, row=one.row, shape=one.shape, usable=one.usable,
        lines=lines or wrap(said(one.row.get("name")), 9)[:2],
    )  # fmt: skip


def _wall(bounds: Sequence[float], paper: str) -> tuple[Layout, Frame]:
    """Choose layout and frame of a wall map; its scale is round on the wall."""
    best: tuple[Layout, Frame] | None = None
    for layout in LAYOUTS[paper]:
        wide, high = layout.map
        real = choose_frame(bounds, wide=wide * layout.zoom, high=high * layout.zoom)
        frame = Frame(
            west=real.west, north=real.north, scale=real.scale * layout.zoom, wide=wide, high=high
        )
        if best is None or frame.scale < best[1].scale:
            best = layout, frame
    if best is None:
        raise UsageError(text("paper: a3 or a4"))
    return best
