"""How the map layers of plans look in QGIS: the page's own colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from riskmap.export.geopackage import styles
from riskmap.i18n import text

if TYPE_CHECKING:
    import geopandas as gpd


BANDS: Final = {
    1: "#0b6e4f", 2: "#3fa27c", 3: "#8cc9ad", 4: "#c9e5d8", 5: "#e6d4c1", 6: "#f4a582",
    7: "#e0604d", 8: "#c2002f", 9: "#7a0177",
}  # fmt: skip
"""Colour of a band; 5 = covered by none, 6 to 8 = lost to water, 9 = cut off."""
KINDS: Final = {
    "route": "#6a1b9a", "edge": "#0b6e4f", "assignment": "#37474f", "closure": "#c2002f",
    "site": "#6a1b9a", "unusable": "#c2002f", "shortfall": "#d95f02",
}  # fmt: skip
MARKS: Final = {"site": "star", "unusable": "octagon", "shortfall": "triangle"}


def plan_style(frame: gpd.GeoDataFrame, geometry: str) -> str:
    """Choose the style of a plan's layer by what stands in it.

    Parameters
    ----------
    frame
        Rows with ``kind``, ``label`` and perhaps ``band``.
    geometry
        ``point``, ``line`` or ``polygon``.

    Returns
    -------
    str
        A QML document.
    """
    kind = str(frame["kind"].iloc[0]) if "kind" in frame and len(frame) else ""
    if geometry != "point" and "band" in frame and "label" in frame and frame["band"].nunique() > 1:
        first = frame.drop_duplicates("band").set_index("band")["label"]
        named = kind == "coverage"
        entries = [
            (
                int(band),
                str(first[band] if named else text("band {n}", n=int(band))),
                BANDS[min(int(band), 9)],
            )
            for band in sorted(first.index)
        ]
        size, opacity = (0.3, 0.45) if geometry == "polygon" else (0.8, 1.0)
        return styles.by_value(geometry, "band", entries, size=size, opacity=opacity)
    colour = KINDS.get(kind, "#1b7f4b")
    if geometry == "point":
        shape = MARKS.get(kind, "circle")
        return styles.single("point", colour, shape=shape, size=5.0, outline="#ffffff")
    faint = 0.45 if geometry == "polygon" else 0.9
    return styles.single(geometry, colour, size=0.6, opacity=faint, outline=colour)


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
    there = sorted(set(map(str, frame["kind"])))
    entries = [
        (kind, kind, KINDS.get(kind, "#1b7f4b"), MARKS.get(kind, "circle")) for kind in there
    ]
    return styles.by_kind(geometry, "kind", entries, size=5.0 if geometry == "point" else 0.6)
