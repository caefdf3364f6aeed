"""A print layout for QGIS that goes through the villages: map, legend, bar, arrow, title."""

from __future__ import annotations

import base64
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from riskmap.i18n import text
from riskmap.result import Result
from riskmap.vocabulary.columns import UNIT_LEVELS

PAGE: Final = (420.0, 297.0)
MAP: Final = (10.0, 24.0, 300.0, 258.0)
"""Left, top, width and height [mm]."""
_FAMILY: Final = "Noto Sans CJK SC"
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
        "fontFamily": _FAMILY, "fontSize": f"{size:g}", "fontSizeUnit": "Point",
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
    font = f"{_FAMILY},{size:g},-1,5,50,0,0,0,0,0"
    ET.SubElement(item, "LabelFont", {"description": font, "style": ""})
    _font(item, size)


_SIZES: Final = (
    ("title", 12), ("group", 9), ("subgroup", 8), ("symbol", 7), ("symbolLabel", 7),
)  # fmt: skip
"""Parts of the legend and the height of their letters [pt]."""


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
        font = f"{_FAMILY},{size},-1,5,50,0,0,0,0,0"
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
