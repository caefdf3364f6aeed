"""QGIS styles (QML) of the GeoPackage's layers."""

from __future__ import annotations

import base64
from functools import cache
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from riskmap.i18n import text
from riskmap.vocabulary.columns import CLASSES, words_of
from riskmap.vocabulary.marks import (
    FAMILY,
    IN_DISC,
    bands,
    colour_of,
    level_colours,
    marks,
    shape_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import geopandas as gpd


UNKNOWN_COLOUR: Final = "#b8bec6"
GROUP_COLOURS: Final = {
    "risk": "#5b5f66",
    "element": "#1f5fa8",
    "plan": "#1b7f4b",
    "base": "#8a8f98",
}
LINE_COLOURS: Final = {"road": "#9aa0a8", "waterway": "#5aa7dc", "boundary": "#3c4148"}
_MARGIN: Final = 1.35
"""Half of the picture of a symbol whose radius is 1."""
_HEAVY: Final = 0.16
"""Edge of a symbol, when its radius is 1."""

_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_KINDS = {"point": "marker", "line": "line", "polygon": "fill"}
_CLASSES = {"marker": "SvgMarker", "line": "SimpleLine", "fill": "SimpleFill"}


def _rgba(colour: str, opacity: float = 1.0) -> str:
    """Write ``#rrggbb`` as QGIS does, ``r,g,b,a``."""
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return ",".join(str(part) for part in (*parts, round(255 * opacity)))


@cache
def picture_of(shape: str) -> str:
    """Write a symbol as QGIS takes pictures: the page's shape, its colours left to the layer.

    Parameters
    ----------
    shape
        Name of the symbol.

    Returns
    -------
    str
        ``base64:`` and an SVG.

    Examples
    --------
    >>> picture_of("drop").startswith("base64:"), picture_of("drop") == picture_of("square")
    (True, False)
    """
    look = (
        'fill="param(fill)" fill-opacity="param(fill-opacity)" stroke="param(outline)" '
        'stroke-opacity="param(outline-opacity)" stroke-width="param(outline-width)"'
    )
    inner = IN_DISC.get(shape)
    parts = [_outline(shape, inner or 1.0, look)]
    if inner is not None:
        disc = f'fill="#ffffff" stroke="#1a2530" stroke-width="{_HEAVY}"'
        parts.insert(0, _outline("circle", 1.15, disc))
    half = _MARGIN
    box = f"{-half:g} {-half:g} {2 * half:g} {2 * half:g}"
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{"".join(parts)}</svg>'
    return "base64:" + base64.b64encode(svg.encode()).decode("ascii")


def _outline(shape: str, radius: float, look: str) -> str:
    spots = " ".join(f"{x * radius:.3f},{y * radius:.3f}" for x, y in shape_of(shape))
    return f'<polygon points="{spots}" {look}/>'


def _properties(
    kind: str, colour: str, *, shape: str, size: float, opacity: float, outline: str | None,
    dash: Sequence[float] = (),
) -> dict[str, str]:  # fmt: skip
    edge = _rgba(outline) if outline else "0,0,0,0"
    if kind == "marker":
        return {
            "color": _rgba(colour, opacity),
            "name": picture_of(shape),
            "outline_color": _rgba(outline or "#ffffff"),
            "outline_width": "0.2",
            "outline_width_unit": "MM",
            "size": f"{size * _MARGIN:g}",
            "size_unit": "MM",
        }
    if kind == "line":
        return {
            "line_color": _rgba(colour, opacity),
            "line_style": "solid",
            "line_width": f"{size:g}",
            "line_width_unit": "MM",
            "capstyle": "round",
            "joinstyle": "round",
            **(
                {
                    "use_custom_dash": "1",
                    "customdash": ";".join(f"{part:g}" for part in dash),
                    "customdash_unit": "Pixel",
                }
                if dash
                else {}
            ),
        }
    return {
        "color": _rgba(colour, opacity),
        "style": "solid" if opacity > 0 else "no",
        "outline_color": edge,
        "outline_style": "solid" if outline else "no",
        "outline_width": f"{size:g}",
        "outline_width_unit": "MM",
    }


def _symbol(parent: ET.Element, name: str, kind: str, properties: dict[str, str]) -> None:
    symbol = ET.SubElement(
        parent,
        "symbol",
        {"type": kind, "name": name, "alpha": "1", "clip_to_extent": "1", "force_rhr": "0"},
    )
    layer = ET.SubElement(
        symbol, "layer", {"class": _CLASSES[kind], "enabled": "1", "locked": "0", "pass": "0"}
    )
    options = ET.SubElement(layer, "Option", {"type": "Map"})
    for key, value in properties.items():
        ET.SubElement(options, "Option", {"type": "QString", "name": key, "value": value})
    for key, value in properties.items():  # QGIS before 3.26 reads these
        ET.SubElement(layer, "prop", {"k": key, "v": value})


def _document(renderer: dict[str, str], geometry: str) -> tuple[ET.Element, ET.Element]:
    root = ET.Element("qgis", {"version": "3.28.0", "styleCategories": "Symbology"})
    ordinary = {"symbollevels": "0", "enableorderby": "0", "forceraster": "0"}
    drawn = ET.SubElement(root, "renderer-v2", {**renderer, **ordinary})
    ET.SubElement(root, "blendMode").text = "0"
    ET.SubElement(root, "featureBlendMode").text = "0"
    number = {"point": "0", "line": "1", "polygon": "2"}[geometry]
    ET.SubElement(root, "layerGeometryType").text = number
    return root, drawn


def _shown(root: ET.Element) -> str:
    return _DOCTYPE + ET.tostring(root, encoding="unicode")


def single(
    geometry: str, colour: str, *, shape: str = "circle", size: float = 3.0, opacity: float = 1.0,
    outline: str | None = None, dash: Sequence[float] = (),
) -> str:  # fmt: skip
    """Write the style of a layer whose objects all look alike.

    Parameters
    ----------
    geometry
        ``point``, ``line`` or ``polygon``.
    colour
        ``#rrggbb``.
    shape
        Symbol of a point, as the roles name them.
    size
        Size of a point or width of a line [mm].
    opacity
        0 to 1.
    outline
        Colour of the edge, or None.
    dash
        Drawn and blank parts of a line [px].

    Returns
    -------
    str
        A QML document.

    Examples
    --------
    >>> "SimpleLine" in single("line", "#5aa7dc", size=0.5)
    True
    """
    kind = _KINDS[geometry]
    root, renderer = _document({"type": "singleSymbol"}, geometry)
    symbols = ET.SubElement(renderer, "symbols")
    properties = _properties(
        kind, colour, shape=shape, size=size, opacity=opacity, outline=outline, dash=dash
    )  # fmt: skip
    _symbol(symbols, "0", kind, properties)
    return _shown(root)


def _four_colours() -> list[tuple[int, str]]:
    """List class and colour, highest first, unknown last."""
    pairs = list(zip(CLASSES, level_colours(), strict=True))
    return [*reversed(pairs), (0, UNKNOWN_COLOUR)]


def by_class(
    geometry: str, attribute: str, labels: Sequence[str], *, shape: str = "circle",
    size: float = 3.4, opacity: float = 1.0, outline: str | None = None,
) -> str:  # fmt: skip
    """Write the style of a layer coloured by its four classes.

    Parameters
    ----------
    geometry
        ``point``, ``line`` or ``polygon``.
    attribute
        Column that holds the class, 0 (unknown) to 4.
    labels
        Names of the classes 0 to 4, for the legend.
    shape
        Symbol of a point, as the roles name them.
    size
        Size of a point or width of a line [mm].
    opacity
        0 to 1.
    outline
        Colour of the edge, or None.

    Returns
    -------
    str
        A QML document.

    Examples
    --------
    >>> qml = by_class("polygon", "class", ["?", "low", "general", "larger", "major"])
    >>> "163,15,26,255" in qml, 'attr="class"' in qml
    (True, True)
    """
    kind = _KINDS[geometry]
    root, renderer = _document({"type": "categorizedSymbol", "attr": attribute}, geometry)
    categories = ET.SubElement(renderer, "categories")
    symbols = ET.SubElement(renderer, "symbols")
    for place, (value, colour) in enumerate(_four_colours()):
        entry = {"symbol": str(place), "value": str(value), "label": labels[value]}
        ET.SubElement(categories, "category", {**entry, "render": "true", "type": "long"})
        properties = _properties(
            kind, colour, shape=shape, size=size, opacity=opacity, outline=outline
        )  # fmt: skip
        _symbol(symbols, str(place), kind, properties)
    other = str(len(_four_colours()))  # QGIS draws nothing where two categories share a symbol
    rest = {"symbol": other, "value": "", "label": "-", "render": "true", "type": "string"}
    ET.SubElement(categories, "category", rest)  # every other value: not on the list
    properties = _properties(
        kind, UNKNOWN_COLOUR, shape=shape, size=size, opacity=opacity, outline=outline
    )  # fmt: skip
    _symbol(symbols, other, kind, properties)
    return _shown(root)


def by_value(
    geometry: str, attribute: str, entries: Sequence[tuple[int, str, str]], *, size: float,
    opacity: float,
) -> str:  # fmt: skip
    """Write the style of a layer coloured by the values of a whole number.

    Parameters
    ----------
    geometry
        ``line`` or ``polygon``.
    attribute
        Column that holds the number.
    entries
        Number, name for the legend and ``#rrggbb``.
    size
        Width of a line [mm].
    opacity
        0 to 1.

    Returns
    -------
    str
        A QML document.

    Examples
    --------
    >>> qml = by_value("polygon", "band", [(1, "3 min", "#0b6e4f")], size=0.3, opacity=0.5)
    >>> 'attr="band"' in qml, 'label="3 min"' in qml
    (True, True)
    """
    kind = _KINDS[geometry]
    root, renderer = _document({"type": "categorizedSymbol", "attr": attribute}, geometry)
    categories = ET.SubElement(renderer, "categories")
    symbols = ET.SubElement(renderer, "symbols")
    for place, (value, label, colour) in enumerate(entries):
        entry = {"symbol": str(place), "value": str(value), "label": label}
        ET.SubElement(categories, "category", {**entry, "render": "true", "type": "long"})
        properties = _properties(
            kind, colour, shape="", size=size, opacity=opacity, outline=colour
        )  # fmt: skip
        _symbol(symbols, str(place), kind, properties)
    return _shown(root)


def by_kind(
    geometry: str, attribute: str, entries: Sequence[tuple[str, str, str, str]], *, size: float
) -> str:
    """Write the style of a layer coloured by the words of a column.

    Parameters
    ----------
    geometry
        ``point``, ``line`` or ``polygon``.
    attribute
        Column that holds the word.
    entries
        Word, name for the legend, ``#rrggbb`` and, of points, the symbol.
    size
        Size of a point or width of a line [mm].

    Returns
    -------
    str
        A QML document.

    Examples
    --------
    >>> qml = by_kind("point", "kind", [("site", "new site", "#6a1b9a", "star")], size=5.0)
    >>> 'attr="kind"' in qml, 'value="site"' in qml
    (True, True)
    """
    kind = _KINDS[geometry]
    root, renderer = _document({"type": "categorizedSymbol", "attr": attribute}, geometry)
    categories = ET.SubElement(renderer, "categories")
    symbols = ET.SubElement(renderer, "symbols")
    for place, (value, label, colour, shape) in enumerate(entries):
        entry = {"symbol": str(place), "value": value, "label": label}
        ET.SubElement(categories, "category", {**entry, "render": "true", "type": "string"})
        edge = "#ffffff" if geometry == "point" else colour
        properties = _properties(kind, colour, shape=shape, size=size, opacity=0.9, outline=edge)
        _symbol(symbols, str(place), kind, properties)
    return _shown(root)


def units_by_level(levels: Iterable[str], names: Sequence[str], classes: Sequence[str]) -> str:
    """Write the style of the units: the finest level coloured by class, the others outlined.

    Parameters
    ----------
    levels
        Levels that the units have, coarse to fine.
    names
        Their names for the legend.
    classes
        Names of the classes 0 to 4.

    Returns
    -------
    str
        A QML document with a rule-based renderer.

    Examples
    --------
    >>> qml = units_by_level(["town", "village"], ["镇", "村"], ["?", "低", "一般", "较大", "重大"])
    >>> qml.count("<rule ")
    6
    """
    *coarse, finest = list(levels)
    root, renderer = _document({"type": "RuleRenderer"}, "polygon")
    rules = ET.SubElement(renderer, "rules", {"key": "{rules}"})
    symbols = ET.SubElement(renderer, "symbols")
    drawn: list[tuple[str, str, dict[str, str]]] = []
    for value, colour in _four_colours():
        condition = f'"level" = \'{finest}\' AND coalesce("class", 0) = {value}'
        properties = _properties(
            "fill", colour, shape="", size=0.15, opacity=0.75, outline="#ffffff"
        )  # fmt: skip
        drawn.append((condition, f"{names[-1]} {classes[value]}", properties))
    for place, level in enumerate(reversed(coarse)):
        properties = _properties(
            "fill", "#ffffff", shape="", size=0.4 + 0.4 * place, opacity=0.0, outline="#3c4148"
        )  # fmt: skip
        label = names[len(coarse) - 1 - place]
        drawn.append((f"\"level\" = '{level}'", label, properties))
    for place, (condition, label, properties) in enumerate(drawn):
        rule = {"key": f"{{rule-{place}}}", "symbol": str(place)}
        ET.SubElement(rules, "rule", {**rule, "filter": condition, "label": label})
        _symbol(symbols, str(place), "fill", properties)
    return _shown(root)


_MM: Final = 0.25
"""Width of a screen's pixel in print [mm]."""


def plan_style(frame: gpd.GeoDataFrame, geometry: str, plan: str = "") -> str:
    """Choose the style of a plan's layer by what stands in it.

    Parameters
    ----------
    frame
        Rows with ``kind``, ``label`` and perhaps ``band``.
    geometry
        ``point``, ``line`` or ``polygon``.
    plan
        Name of the plan.

    Returns
    -------
    str
        A QML document.
    """
    kind = str(frame["kind"].iloc[0]) if "kind" in frame and len(frame) else ""
    if geometry != "point" and "band" in frame and "label" in frame and frame["band"].nunique() > 1:
        return _banded(frame, geometry, named=kind == "coverage")
    return kind_style(kind, geometry, plan)


def _banded(frame: gpd.GeoDataFrame, geometry: str, *, named: bool) -> str:
    """Colour a layer by its bands."""
    first = frame.drop_duplicates("band").set_index("band")["label"]
    colours = bands()
    entries = [
        (
            int(band),
            str(first[band] if named else text("band {n}", n=int(band))),
            colours[min(int(band), len(colours)) - 1].fill,
        )
        for band in sorted(first.index)
    ]
    size, opacity = (0.3, 0.45) if geometry == "polygon" else (0.8, 1.0)
    return by_value(geometry, "band", entries, size=size, opacity=opacity)


def kind_style(kind: str, geometry: str, plan: str = "") -> str:
    """Give the style of objects of one kind.

    Parameters
    ----------
    kind
        Kind of the objects.
    geometry
        ``point``, ``line`` or ``polygon``.
    plan
        Name of the plan.

    Returns
    -------
    str
        A QML document.
    """
    mark = marks().get(kind) or marks()["site"]
    colour = colour_of(kind, plan)
    if geometry == "point":
        shape = mark.symbol or "circle"
        return single("point", colour, shape=shape, size=5.0, outline="#ffffff")
    if geometry == "polygon":
        return single(geometry, colour, size=0.6, opacity=mark.fill or 0.3, outline=colour)
    return single(geometry, colour, size=round(mark.width * _MM, 2), opacity=0.9, dash=mark.dash)


def whole_style(frame: gpd.GeoDataFrame, geometry: str) -> str:
    """Choose the style of a table that holds the layers of several plans.

    Parameters
    ----------
    frame
        Rows with ``kind`` and perhaps ``band``.
    geometry
        ``point``, ``line`` or ``polygon``.

    Returns
    -------
    str
        A QML document.
    """
    if geometry == "polygon":
        return plan_style(frame, geometry)
    words, known = words_of("kind"), marks()
    entries = []
    for kind in sorted(set(map(str, frame["kind"]))):
        mark = known.get(kind) or known["site"]
        shape = mark.symbol or "circle"
        entries.append((kind, str(words.get(kind, kind)), mark.colour, shape))
    return by_kind(geometry, "kind", entries, size=5.0 if geometry == "point" else 0.6)


def with_labels(
    style: str, *, size: float, colour: str = "#1a2530", least: int = 0, geometry: str = "point"
) -> str:
    """Let QGIS write the names beside the objects.

    Parameters
    ----------
    style
        A QML document.
    size
        Height of the letters [pt].
    colour
        ``#rrggbb``.
    least
        Names stand from 1 to this many; 0 at every scale.
    geometry
        ``point``, ``line`` or ``polygon``.

    Returns
    -------
    str
        The document with labels.

    Examples
    --------
    >>> qml = with_labels(single("point", "#1b7f4b"), size=8, least=25_000)
    >>> 'fieldName="name"' in qml, 'scaleMax="25000"' in qml
    (True, True)
    """
    root = ET.fromstring(style.partition("\n")[2])  # noqa: S314 - written here
    root.set("labelsEnabled", "1")
    labeling = ET.SubElement(root, "labeling", {"type": "simple"})
    settings = ET.SubElement(labeling, "settings", {"calloutType": "simple"})
    font = {
        "fieldName": "name", "isExpression": "0", "fontFamily": FAMILY, "fontSize": f"{size:g}",
        "fontSizeUnit": "Point", "textColor": _rgba(colour), "textOpacity": "1",
    }  # fmt: skip
    text_style = ET.SubElement(settings, "text-style", font)
    rim = {
        "bufferDraw": "1", "bufferSize": "0.7", "bufferSizeUnits": "MM", "bufferOpacity": "1",
        "bufferColor": "255,255,255,255", "bufferNoFill": "1",
    }  # fmt: skip
    ET.SubElement(text_style, "text-buffer", rim)
    placement = {
        "placement": {"point": "6", "line": "2", "polygon": "1"}[geometry], "priority": "5",
        "predefinedPositionOrder": "TR,TL,BR,BL,R,L,TSR,BSR", "dist": "1", "distUnits": "MM",
        "offsetType": "1", "placementFlags": "10", "quadOffset": "4",
    }  # fmt: skip
    ET.SubElement(settings, "placement", placement)
    rendering = {
        "drawLabels": "1", "obstacle": "1", "scaleVisibility": "1" if least else "0",
        "scaleMin": "0", "scaleMax": str(least),
    }  # fmt: skip
    ET.SubElement(settings, "rendering", rendering)
    return _shown(root)
