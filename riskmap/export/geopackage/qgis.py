"""A QGIS project inside the GeoPackage, so that QGIS opens it drawn, named and in order."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from riskmap.export.encode import EPOCH
from riskmap.export.geopackage.contents import Sheet
from riskmap.i18n import Text, text
from riskmap.result import Result

__all__ = ["NAME", "add_project", "project_xml"]

NAME: Final = "riskmap"
"""Name under which QGIS lists the project."""
FILE: Final = "riskmap.gpkg"
"""Name of the GeoPackage, beside which the project looks for its layers."""
VERSION: Final = "3.28.0"
_DOCTYPE: Final = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_GEOMETRY: Final = {"point": "Point", "line": "Line", "polygon": "Polygon"}
_WKB: Final = {"point": "Point", "line": "LineString", "polygon": "Polygon"}
_ENDING: Final = re.compile(r" \([A-Za-z0-9_]+\)$")
_NUMBERED: Final = re.compile(r"^(?:units|closures|danger_area)_(\d+)$")


def add_project(result: Result, sheets: Sequence[Sheet], path: Path) -> None:
    """Write the project into the table in which QGIS keeps projects.

    Parameters
    ----------
    result
        The run's result.
    sheets
        The tables of the GeoPackage.
    path
        The GeoPackage, closed.

    References
    ----------
    QGIS, ``QgsGeoPackageProjectStorage``: table ``qgis_projects(name, metadata, content)``, the
    content being the hexadecimal digits of a ``.qgz``.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        entry = zipfile.ZipInfo(f"{NAME}.qgs", date_time=(1980, 1, 1, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        packed.writestr(entry, project_xml(result, sheets))
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


def project_xml(result: Result, sheets: Sequence[Sheet]) -> bytes:
    """Write the project.

    Parameters
    ----------
    result
        The run's result.
    sheets
        The tables of the GeoPackage.

    Returns
    -------
    bytes
        A ``.qgs`` document.
    """
    drawn = [sheet for sheet in sheets if sheet.kind and sheet.style]
    root = ET.Element("qgis", {"version": VERSION, "projectname": result.facts.name})
    ET.SubElement(root, "title").text = result.facts.name
    ET.SubElement(root, "projectCrs").append(_srs(result.facts.crs))
    groups = list(_groups(result, drawn))
    tree = ET.SubElement(root, "layer-tree-group")
    for title, members in groups:
        group = ET.SubElement(
            tree,
            "layer-tree-group",
            {"name": str(title), "checked": "Qt::Checked", "expanded": "1"},
        )
        for sheet in members:
            ET.SubElement(group, "layer-tree-layer", _leaf(result, sheet))
    _canvas(root, result)
    layers = ET.SubElement(root, "projectlayers")
    order = ET.SubElement(root, "layerorder")
    for sheet in (sheet for _, members in groups for sheet in members):
        layers.append(_layer(result, sheet))
        ET.SubElement(order, "layer", {"id": _id(sheet)})
    written: bytes = ET.tostring(root, encoding="utf-8")
    return _DOCTYPE.encode() + written


def _id(sheet: Sheet) -> str:
    return f"riskmap_{sheet.name}"


def _label(sheet: Sheet) -> str:
    """Give the name of a table without the technical one in brackets."""
    return _ENDING.sub("", sheet.identifier)


def _source(sheet: Sheet) -> str:
    return f"./{FILE}|layername={sheet.name}"


def _leaf(result: Result, sheet: Sheet) -> dict[str, str]:
    shown = "Qt::Checked" if _shown(result, sheet) else "Qt::Unchecked"
    return {
        "id": _id(sheet), "name": _label(sheet), "checked": shown, "expanded": "0",
        "providerKey": "ogr", "source": _source(sheet),
    }  # fmt: skip


def _shown(result: Result, sheet: Sheet) -> bool:
    """Show the cells and what stands on them; plans and scenarios wait to be switched on."""
    role = result.roles.get(sheet.name)
    return sheet.name == "cells" or (role is not None and role.group == "risk")


def _groups(result: Result, sheets: Sequence[Sheet]) -> Iterator[tuple[Text | str, list[Sheet]]]:
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
    found: dict[str, list[Sheet]] = {key: [] for key in titles}
    for sheet in sheets:
        found[_group(result, sheet)].append(sheet)
    found["surface"].sort(key=lambda sheet: sheet.name != "units")
    yield from ((titles[key], members) for key, members in found.items() if members)


def _group(result: Result, sheet: Sheet) -> str:
    if sheet.name in ("units", "cells"):
        return "surface"
    if sheet.name == "items":
        return "risk"
    numbered = _NUMBERED.match(sheet.name)
    if numbered:
        return f"@{numbered[1]}"
    role = next(
        (r for name, r in result.roles.items() if sheet.name in (name, *_parts(name))), None
    )
    return "plan" if role is None else str(role.group)


def _parts(role: str) -> list[str]:
    return [f"{role}_{kind}" for kind in _GEOMETRY]


def _layer(result: Result, sheet: Sheet) -> ET.Element:
    layer = ET.Element(
        "maplayer",
        {
            "type": "vector", "geometry": _GEOMETRY[sheet.kind], "wkbType": _WKB[sheet.kind],
            "hasScaleBasedVisibilityFlag": "0", "styleCategories": "AllStyleCategories",
        },
    )  # fmt: skip
    ET.SubElement(layer, "id").text = _id(sheet)
    ET.SubElement(layer, "datasource").text = _source(sheet)
    ET.SubElement(layer, "layername").text = _label(sheet)
    ET.SubElement(layer, "srs").append(_srs(result.facts.crs))
    ET.SubElement(layer, "provider", {"encoding": "UTF-8"}).text = "ogr"
    style = ET.fromstring(sheet.style.partition("\n")[2])  # noqa: S314 - written by `styles`
    layer.extend(style)
    return layer


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
