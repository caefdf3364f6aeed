"""A QGIS project inside the GeoPackage: drawn, named, in order, with a village layout."""

from __future__ import annotations

import base64
import io
import json
import re
import sqlite3
import uuid
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from riskmap.export.geopackage.contents import Sheet, field_words, with_fields
from riskmap.export.geopackage.styles import single, with_labels
from riskmap.export.witness import EPOCH
from riskmap.files import GEOPACKAGE
from riskmap.i18n import Text, text
from riskmap.vocabulary.columns import UNIT_LEVELS
from riskmap.vocabulary.marks import FAMILY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from riskmap.result import Result

PAGE: Final = (420.0, 297.0)
MAP: Final = (10.0, 24.0, 300.0, 258.0)
"""Left, top, width and height [mm]."""
_NAMES: Final = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
_PAGE, _MAP, _PICTURE, _LABEL, _LEGEND, _BAR = "65638", "65639", "65640", "65641", "65642", "65646"
_ARROW: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 13"><path d="M5 3.2L7.6 12.6 5 10.8Z" '
    'fill="#1a2530"/><path d="M5 3.2L2.4 12.6 5 10.8Z" fill="#fff" stroke="#1a2530" '
    'stroke-width=".25"/><path d="M4 2.6V.4L6 2.6V.4" fill="none" stroke="#1a2530" '
    'stroke-width=".35"/></svg>'
)


def village_layout(result: Result, layers: Sequence[tuple[str, str, str]]) -> ET.Element:
    """Write the layout, one page a unit of the finest level.

    Parameters
    ----------
    result
        The run's result.
    layers
        Id, title and source of the layers on the map, what is drawn above standing first.

    Returns
    -------
    Element
        ``Layouts``, as a QGIS project holds it.
    """
    levels = result.units["level"]
    finest = [level for level in UNIT_LEVELS if (levels == level).any()][-1]
    top = ET.Element("Layouts")
    name = str(text("Village sheets"))
    layout = ET.SubElement(
        top, "Layout", {"name": name, "units": "mm", "printResolution": "200", "worldFileMap": ""}
    )
    pages = ET.SubElement(layout, "PageCollection")
    page = _item(pages, _PAGE, "page", (0.0, 0.0, *PAGE))
    _white(page)
    facts = result.facts
    title = str(text("{place} flood situation map", place='[% "name" %]'))
    about = "\n".join(
        part
        for part in (
            facts.name, str(text("Made by: {name}", name=facts.issued_by or "________")),
            facts.data_date,
            str(text("Map review number: {number}", number=facts.review_number))
            if facts.review_number
            else str(text("Not reviewed; not to be published")),
        )
        if part
    )  # fmt: skip
    _map(layout, result, layers)
    _label(layout, "title", title, (10.0, 7.0, 400.0, 14.0), size=22, middle=True)
    _label(layout, "about", about, (315.0, 255.0, 95.0, 27.0), size=9)
    _legend(layout)
    _bar(layout)
    arrow = "base64:" + base64.b64encode(_ARROW.encode()).decode("ascii")
    more = {"file": arrow, "resizeMode": "0", "anchorPoint": "0", "northMode": "0", "mode": "0"}
    _item(layout, _PICTURE, "north", (392.0, 26.0, 16.0, 20.0), more)
    ET.SubElement(
        layout, "Atlas",
        {
            "enabled": "1", "coverageLayer": "riskmap_units", "hideCoverage": "0",
            "filterFeatures": "1", "featureFilter": f"\"level\" = '{finest}'",
            "sortFeatures": "1", "sortKey": '"unit_id"', "sortAscending": "1",
            "pageNameExpression": '"name"', "filenamePattern": "\"unit_id\" || '_' || \"name\"",
        },
    )  # fmt: skip
    return top


def _item(
    parent: ET.Element, kind: str, name: str, place: tuple[float, float, float, float],
    more: dict[str, str] | None = None,
) -> ET.Element:  # fmt: skip
    """Add a thing to the page; its number follows from its name, so that bytes repeat."""
    left, top, wide, high = place
    number = "{" + str(uuid.uuid5(_NAMES, f"riskmap/{name}")) + "}"
    spot = f"{left:g},{top:g},mm"
    given: dict[str, Any] = {
        "type": kind, "id": name, "uuid": number, "templateUuid": number, "position": spot,
        "positionOnPage": spot, "size": f"{wide:g},{high:g},mm", "visibility": "1",
        "opacity": "1", "blendMode": "0", "referencePoint": "0", "itemRotation": "0",
        "background": "false", "frame": "false", "zValue": str(len(parent)), "groupUuid": "",
        **(more or {}),
    }  # fmt: skip
    return ET.SubElement(parent, "LayoutItem", given)


def _number(name: str) -> str:
    return "{" + str(uuid.uuid5(_NAMES, f"riskmap/{name}")) + "}"


def _white(page: ET.Element) -> None:
    symbol = ET.SubElement(page, "symbol", {"type": "fill", "name": "", "alpha": "1"})
    layer = ET.SubElement(symbol, "layer", {"class": "SimpleFill", "enabled": "1", "pass": "0"})
    for key, value in (("color", "255,255,255,255"), ("outline_style", "no"), ("style", "solid")):
        ET.SubElement(layer, "prop", {"k": key, "v": value})


def _map(layout: ET.Element, result: Result, layers: Sequence[tuple[str, str, str]]) -> None:
    more = {
        "frame": "true", "background": "true", "followPreset": "false", "keepLayerSet": "true",
        "drawCanvasItems": "true", "mapRotation": "0", "mapFlags": "0",
    }  # fmt: skip
    item = _item(layout, _MAP, "map", MAP, more)
    west, south, east, north = np.asarray(result.units.total_bounds, np.float64)
    _, _, wide, high = MAP
    metres = max((east - west) / wide, (north - south) / high) / 2
    x, y = (west + east) / 2, (south + north) / 2
    extent = {
        "xmin": x - metres * wide, "xmax": x + metres * wide, "ymin": y - metres * high,
        "ymax": y + metres * high,
    }  # fmt: skip
    ET.SubElement(item, "Extent", {key: f"{value:.3f}" for key, value in extent.items()})
    held = ET.SubElement(item, "LayerSet")
    for number, title, source in layers:
        entry = {"name": title, "source": source, "provider": "ogr"}
        ET.SubElement(held, "Layer", entry).text = number
    ET.SubElement(item, "AtlasMap", {"atlasDriven": "1", "scalingMode": "2", "margin": "0.12"})


def _font(parent: ET.Element, size: float) -> None:
    given = {
        "fontFamily": FAMILY, "fontSize": f"{size:g}", "fontSizeUnit": "Point",
        "textColor": "26,37,48,255", "textOpacity": "1",
    }  # fmt: skip
    ET.SubElement(parent, "text-style", given)


def _label(
    layout: ET.Element, name: str, said: str, place: tuple[float, float, float, float], *,
    size: float, middle: bool = False,
) -> None:  # fmt: skip
    more = {
        "labelText": said, "htmlState": "0", "halign": "4" if middle else "1", "valign": "128",
        "marginX": "0", "marginY": "0",
    }  # fmt: skip
    item = _item(layout, _LABEL, name, place, more)
    font = f"{FAMILY},{size:g},-1,5,50,0,0,0,0,0"
    ET.SubElement(item, "LabelFont", {"description": font, "style": ""})
    _font(item, size)


def _legend(layout: ET.Element) -> None:
    more = {
        "title": str(text("Legend")), "map_uuid": _number("map"), "legendFilterByMap": "1",
        "resizeToContents": "1", "columnCount": "2", "splitLayer": "1", "symbolWidth": "6",
        "symbolHeight": "3.5", "boxSpace": "1", "columnSpace": "2", "fontColor": "#1a2530",
    }  # fmt: skip
    item = _item(layout, _LEGEND, "legend", (315.0, 46.0, 95.0, 190.0), more)
    styles = ET.SubElement(item, "styles")
    for name, size in (
        ("title", 12),
        ("group", 9),
        ("subgroup", 8),
        ("symbol", 7),
        ("symbolLabel", 7),
    ):
        style = ET.SubElement(styles, "style", {"name": name, "marginTop": "1", "alignment": "1"})
        font = f"{FAMILY},{size},-1,5,50,0,0,0,0,0"
        ET.SubElement(style, "styleFont", {"description": font, "style": ""})
        _font(style, size)


def _bar(layout: ET.Element) -> None:
    more = {
        "mapUuid": _number("map"), "style": "Single Box", "unitType": "meters", "unitLabel": "m",
        "numSegments": "2", "numSegmentsLeft": "0", "height": "2", "segmentSizeMode": "1",
        "minBarWidth": "30", "maxBarWidth": "70", "numMapUnitsPerScaleBarUnit": "1",
        "numUnitsPerSegment": "500", "segmentMillimeters": "20", "outlineWidth": "0.3",
        "labelBarSpace": "1", "boxContentSpace": "0",
    }  # fmt: skip
    item = _item(layout, _BAR, "bar", (315.0, 240.0, 90.0, 12.0), more)
    _font(item, 8)


NAME: Final = "riskmap"
"""Name under which QGIS lists the project."""
VERSION: Final = "3.22.0"
_DOCTYPE: Final = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_GEOMETRY: Final = {"point": "Point", "line": "Line", "polygon": "Polygon"}
_WKB: Final = {"point": "Point", "line": "LineString", "polygon": "Polygon"}
_ENDING: Final = re.compile(r" \([A-Za-z0-9_]+\)$")


def add_project(
    result: Result, sheets: Sequence[Sheet], path: Path, *, relief: bool = False
) -> None:
    """Write the project into the table in which QGIS keeps projects.

    Parameters
    ----------
    result
        The run's result.
    sheets
        The tables of the GeoPackage.
    path
        The GeoPackage, closed.
    relief
        Whether it holds the shaded relief.

    References
    ----------
    QGIS, ``QgsGeoPackageProjectStorage``: table ``qgis_projects(name, metadata, content)``, the
    content being the hexadecimal digits of a ``.qgz``.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        entry = zipfile.ZipInfo(f"{NAME}.qgs", date_time=(1980, 1, 1, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        packed.writestr(entry, project_xml(result, sheets, relief=relief))
    moment = f"{result.facts.data_date or EPOCH}T00:00:00"
    about = {"last_modified_time": moment, "last_modified_user": result.facts.issued_by}
    row = (NAME, json.dumps(about, ensure_ascii=False), archive.getvalue().hex())
    base = sqlite3.connect(path)
    try:
        base.execute(
            "CREATE TABLE qgis_projects(name TEXT PRIMARY KEY, metadata BLOB, content BLOB)"
        )
        base.execute("INSERT INTO qgis_projects VALUES (?, ?, ?)", row)
        base.commit()
    finally:
        base.close()


def project_xml(result: Result, sheets: Sequence[Sheet], *, relief: bool = False) -> bytes:
    """Write the project.

    Parameters
    ----------
    result
        The run's result.
    sheets
        The tables of the GeoPackage.
    relief
        Whether the GeoPackage holds the shaded relief.

    Returns
    -------
    bytes
        A ``.qgs`` document.
    """
    root = ET.Element("qgis", {"version": VERSION, "projectname": result.facts.name})
    ET.SubElement(root, "title").text = result.facts.name
    ET.SubElement(root, "projectCrs").append(_srs(result.facts.crs))
    drawn = [one for sheet in sheets for one in _drawn(result, sheet)]
    drawn += [_borders(result, sheet) for sheet in sheets if sheet.name == "units"]
    groups = list(_groups(result, drawn))
    tree = ET.SubElement(root, "layer-tree-group")
    for title, members in groups:
        group = ET.SubElement(
            tree,
            "layer-tree-group",
            {"name": str(title), "checked": "Qt::Checked", "expanded": "1"},
        )
        for one in members:
            ET.SubElement(group, "layer-tree-layer", _leaf(one))
    if relief:
        leaf = {
            "id": f"riskmap_{RELIEF}", "name": str(text("Relief")), "checked": "Qt::Checked",
            "expanded": "0", "providerKey": "gdal", "source": f"GPKG:./{GEOPACKAGE}:{RELIEF}",
        }  # fmt: skip
        ET.SubElement(tree, "layer-tree-layer", leaf)
    _canvas(root, result)
    layers = ET.SubElement(root, "projectlayers")
    order = ET.SubElement(root, "layerorder")
    for one in (one for _, members in groups for one in members):
        layers.append(_layer(result, one))
        ET.SubElement(order, "layer", {"id": one.id})
    if relief:
        layers.append(_relief(result))
        ET.SubElement(order, "layer", {"id": f"riskmap_{RELIEF}"})
    _properties(root)
    root.append(village_layout(result, _on_sheets(groups)))
    written: bytes = ET.tostring(root, encoding="utf-8")
    return _DOCTYPE.encode() + written


@dataclass(frozen=True)
class _Drawn:
    """A layer of the project: a table, or some rows of one."""

    id: str
    title: str
    source: str
    kind: str
    style: str
    group: str
    shown: bool


def _drawn(result: Result, sheet: Sheet) -> Iterator[_Drawn]:
    """Give a table's layers: its views where it has any."""
    if not sheet.kind or not sheet.style:
        return
    source = f"./{GEOPACKAGE}|layername={sheet.name}"
    if not sheet.views:
        yield _Drawn(
            f"riskmap_{sheet.name}", _ENDING.sub("", sheet.identifier), source, sheet.kind,
            sheet.style, _group(result, sheet), _shown(result, sheet),
        )  # fmt: skip
        return
    names = list(result.scenarios)
    for view in sheet.views:
        number = names.index(view.scenario) + 1 if view.scenario in names else 0
        yield _Drawn(
            f"riskmap_{view.name}" + (f"_{number}" if number else ""), view.title,
            f"{source}|subset={view.where}", sheet.kind, view.style,
            f"@{number}" if number else "plan", shown=False,
        )  # fmt: skip


def _leaf(one: _Drawn) -> dict[str, str]:
    return {
        "id": one.id, "name": one.title, "checked": "Qt::Checked" if one.shown else "Qt::Unchecked",
        "expanded": "0", "providerKey": "ogr", "source": one.source,
    }  # fmt: skip


def _shown(result: Result, sheet: Sheet) -> bool:
    """Show the cells and what stands on them; plans and scenarios wait to be switched on."""
    role = result.roles.get(sheet.name)
    return sheet.name == "cells" or (role is not None and role.group == "risk")


def _groups(result: Result, drawn: Sequence[_Drawn]) -> Iterator[tuple[Text | str, list[_Drawn]]]:
    """Order the layers as the one map does, what is drawn above standing first."""
    names = list(result.scenarios)
    titles: dict[str, Text | str] = {
        "risk": text("Risk points"),
        "element": text("Emergency resources"),
        "plan": text("Plans"),
        **{f"@{n}": text("Scenario {name}", name=name) for n, name in enumerate(names, start=1)},
        "base": text("Base map"),
        "surface": text("Risk surface"),
    }
    found: dict[str, list[_Drawn]] = {key: [] for key in titles}
    for one in drawn:
        found[one.group].append(one)
    found["surface"].sort(key=lambda one: one.id != "riskmap_units")
    yield from ((titles[key], members) for key, members in found.items() if members)


def _group(result: Result, sheet: Sheet) -> str:
    if sheet.name in ("units", "cells"):
        return "surface"
    if sheet.name == "items":
        return "risk"
    role = next(
        (r for name, r in result.roles.items() if sheet.name in (name, *_parts(name))), None
    )
    return "plan" if role is None else str(role.group)


def _parts(role: str) -> list[str]:
    return [f"{role}_{kind}" for kind in _GEOMETRY]


def _layer(result: Result, one: _Drawn) -> ET.Element:
    layer = ET.Element(
        "maplayer",
        {
            "type": "vector", "geometry": _GEOMETRY[one.kind], "wkbType": _WKB[one.kind],
            "hasScaleBasedVisibilityFlag": "0", "styleCategories": "AllStyleCategories",
        },
    )  # fmt: skip
    ET.SubElement(layer, "id").text = one.id
    ET.SubElement(layer, "datasource").text = one.source
    ET.SubElement(layer, "layername").text = one.title
    ET.SubElement(layer, "srs").append(_srs(result.facts.crs))
    ET.SubElement(layer, "provider", {"encoding": "UTF-8"}).text = "ogr"
    style = ET.fromstring(one.style.partition("\n")[2])  # noqa: S314 - written by `styles`
    layer.set("labelsEnabled", style.get("labelsEnabled", "0"))
    layer.extend(style)
    return layer


RELIEF: Final = "relief"
"""Table of tiles that holds the shaded relief."""


def _on_sheets(groups: Sequence[tuple[Any, list[_Drawn]]]) -> list[tuple[str, str, str]]:
    """Choose what a village's sheet shows: no cells, no scenarios, no list beside its points."""
    routes = f"riskmap_{_ROUTES}"
    found = [
        (one.id, one.title, one.source)
        for _, members in groups
        for one in members
        if one.id not in ("riskmap_items", "riskmap_population", "riskmap_sensitive")
        and (one.group in ("risk", "element", "base") or one.id == routes)
    ]
    return [*found, (f"riskmap_{RELIEF}", str(text("Relief")), f"GPKG:./{GEOPACKAGE}:{RELIEF}")]


_ROUTES: Final = "refuges_routes"


def _borders(result: Result, units: Sheet) -> _Drawn:
    """Draw the borders of all units without their classes, with their names."""
    style = with_labels(
        single("polygon", "#ffffff", size=0.5, opacity=0.0, outline="#8e2a7c"), size=10,
        colour="#4b2a45", geometry="polygon",
    )  # fmt: skip
    style = with_fields(style, field_words(result, units.name, [str(n) for n in units.frame]))
    finest = [level for level in UNIT_LEVELS if (result.units["level"] == level).any()][-1]
    where = f"\"level\" = '{finest}'"
    return _Drawn(
        "riskmap_borders", str(text("Borders of units")),
        f"./{GEOPACKAGE}|layername={units.name}|subset={where}", "polygon", style, "base",
        shown=True,
    )  # fmt: skip


def _relief(result: Result) -> ET.Element:
    """Draw the relief below everything, in grey."""
    layer = ET.Element("maplayer", {"type": "raster", "hasScaleBasedVisibilityFlag": "0"})
    ET.SubElement(layer, "id").text = f"riskmap_{RELIEF}"
    ET.SubElement(layer, "datasource").text = f"GPKG:./{GEOPACKAGE}:{RELIEF}"
    ET.SubElement(layer, "layername").text = str(text("Relief"))
    ET.SubElement(layer, "srs").append(_srs(result.facts.crs))
    ET.SubElement(layer, "provider").text = "gdal"
    pipe = ET.SubElement(layer, "pipe")
    look = {
        "type": "singlebandgray", "grayBand": "1", "gradient": "BlackToWhite", "opacity": "1",
        "alphaBand": "2",
    }  # fmt: skip
    drawn = ET.SubElement(pipe, "rasterrenderer", look)
    stretch = ET.SubElement(drawn, "contrastEnhancement")
    for key, value in (("minValue", "0"), ("maxValue", "255"), ("algorithm", "NoEnhancement")):
        ET.SubElement(stretch, key).text = value
    return layer


def _properties(root: ET.Element) -> None:
    """Tell QGIS that the project has a CRS, and that paths are relative."""
    properties = ET.SubElement(root, "properties")
    for section, key, kind, value in (
        ("SpatialRefSys", "ProjectionsEnabled", "int", "1"),
        ("Paths", "Absolute", "bool", "false"),
        ("PositionPrecision", "Automatic", "bool", "true"),
    ):
        part = ET.SubElement(properties, section)
        ET.SubElement(part, key, {"type": kind}).text = value


def _canvas(root: ET.Element, result: Result) -> None:
    """Open at the whole place."""
    canvas = ET.SubElement(root, "mapcanvas", {"name": "theMapCanvas", "annotationsVisible": "1"})
    ET.SubElement(canvas, "units").text = "meters"
    extent = ET.SubElement(canvas, "extent")
    bounds = np.asarray(result.units.total_bounds, np.float64)
    for name, value in zip(("xmin", "ymin", "xmax", "ymax"), bounds, strict=True):
        ET.SubElement(extent, name).text = f"{value:.3f}"
    ET.SubElement(canvas, "rotation").text = "0"
    ET.SubElement(canvas, "destinationsrs").append(_srs(result.facts.crs))


def _srs(crs: str) -> ET.Element:
    """Describe a CRS in full, so that QGIS need not ask."""
    import warnings

    from pyproj import CRS

    known = CRS(crs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        proj = known.to_proj4()
    code = known.to_epsg()
    system = ET.Element("spatialrefsys", {"nativeFormat": "Wkt"})
    entries: dict[str, Any] = {
        "wkt": known.to_wkt("WKT2_2019"),
        "proj4": proj,
        "srid": code or 0,
        "authid": crs,
        "description": known.name,
        "projectionacronym": _acronym(proj),
        "ellipsoidacronym": "" if known.ellipsoid is None else known.ellipsoid.name,
        "geographicflag": str(known.is_geographic).lower(),
    }
    for key, value in entries.items():
        ET.SubElement(system, key).text = str(value)
    return system


def _acronym(proj: str) -> str:
    found = re.search(r"\+proj=(\w+)", proj)
    return found[1] if found else ""
