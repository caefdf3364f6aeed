"""How the map layers of plans look in QGIS, as on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from riskmap.export.geopackage import styles
from riskmap.i18n import text
from riskmap.vocabulary.codes import words_of
from riskmap.vocabulary.marks import bands, colour_of, marks

if TYPE_CHECKING:
    import geopandas as gpd

_MM: Final = 0.25
"""Width of a screen's pixel in print [mm]."""
_SYMBOLS: Final = {"no": "octagon"}
"""Symbols of the page that QGIS lacks, and those that it draws instead."""


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
    return styles.by_value(geometry, "band", entries, size=size, opacity=opacity)


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
        shape = _SYMBOLS.get(mark.symbol, mark.symbol or "circle")
        return styles.single("point", colour, shape=shape, size=5.0, outline="#ffffff")
    if geometry == "polygon":
        return styles.single(geometry, colour, size=0.6, opacity=mark.fill or 0.3, outline=colour)
    return styles.single(
        geometry, colour, size=round(mark.width * _MM, 2), opacity=0.9, dash=mark.dash
    )


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
        shape = _SYMBOLS.get(mark.symbol, mark.symbol or "circle")
        entries.append((kind, str(words.get(kind, kind)), mark.colour, shape))
    return styles.by_kind(geometry, "kind", entries, size=5.0 if geometry == "point" else 0.6)
