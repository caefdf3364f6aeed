"""The same polygons and points on the maps that others make: folium's GeoJson, Leaflet's canvas."""

# ruff: noqa: E501

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import folium
import numpy as np
import pandas as pd

from riskmap.export.onemap.page import leaflet_css, leaflet_js
from riskmap.vocabulary.columns import WGS84

if TYPE_CHECKING:
    from pathlib import Path

COLOURS = ["#3f8fe8", "#fff06a", "#f2820c", "#a30f1a"]
READY = """<script>
window.riskmap = {map: MAP};
requestAnimationFrame(() => setTimeout(() =>
  document.documentElement.setAttribute('data-ready', Math.round(performance.now())), 0));
</script>"""
# What an officer's slider must do: a new weighted mean, new classes, a new colour for each polygon.
RECOLOUR = """
<script>
window.recolour = (weight) => {
  const colours = COLOURS, codes = CODES;
  LAYER.eachLayer((l) => {
    const p = l.feature.properties;
    let sum = weight * p[codes[0]];
    for (let i = 1; i < codes.length; i++) sum += p[codes[i]];
    const c = Math.min(3, Math.max(0, Math.floor(4 * sum / (weight + codes.length - 1))));
    if (p.c !== c) { p.c = c; l.setStyle({fillColor: colours[c]}); }
  });
};
</script>"""
CANVAS = """
<script>
const style = (f) => ({fillColor: COLOURS[f.properties.c], fillOpacity: 0.78, weight: 0.3, color: '#444'});
const map = L.map('map', {preferCanvas: true, zoomSnap: 0.1});
const layer = L.geoJSON(SHAPES, {style}).addTo(map);
map.fitBounds(layer.getBounds(), {animate: false});
for (const [lat, lon, name, level] of POINTS)
  L.circleMarker([lat, lon], {radius: 3, weight: 0.5, color: '#222', fillColor: COLOURS[level - 1], fillOpacity: 1}).bindTooltip(name).addTo(map);
</script>"""


EMPTY = "<script>const map = L.map('map', {preferCanvas: true}).setView([36.6, 117], 11);</script>"
POINTS = """
<script>
const map = L.map('map', {preferCanvas: true});
const points = POINTS;
map.fitBounds(points.map(p => [p[0], p[1]]), {animate: false});
for (const [lat, lon, name, level] of points)
  L.circleMarker([lat, lon], {radius: 3, weight: 0.5, color: '#222', fillColor: COLOURS[level - 1], fillOpacity: 1}).bindTooltip(name).addTo(map);
</script>"""


def peer_data(result: Any) -> tuple[dict[str, Any], list[str], list[list[Any]]]:
    """Take the polygons with class and indicators as GeoJSON, and the points, out of a result."""
    points = point_rows(result)
    finest = result.units[result.units["level"] == "village"]
    index = result.index["unit"]
    scaled = index.stages["normalised"].loc[finest.index].round(4)
    codes = list(scaled)
    classes = pd.Series(np.asarray(index.classes), index=result.units.index)
    frame = finest[["name", "geometry"]].join(scaled).to_crs(WGS84)
    frame["c"] = classes.loc[finest.index].astype(int).to_numpy() - 1
    frame["geometry"] = frame.geometry.set_precision(1e-6)
    return json.loads(frame.to_json(drop_id=True)), codes, points


def point_rows(result: Any) -> list[list[Any]]:
    """Take latitude, longitude, name and level of each point out of a result."""
    table = result.layers["flood_point"].table.to_crs(WGS84)
    return [
        [round(y, 6), round(x, 6), name, int(level)]
        for x, y, name, level in zip(
            table.geometry.x, table.geometry.y, table["name"], table["level"], strict=True
        )
    ]


def empty_page(path: Path, _: Any) -> None:
    """Write a Leaflet map with nothing on it: what no page on Leaflet can undercut."""
    path.write_text(_page("", "<div id=map></div>" + EMPTY + READY.replace("MAP", "map")), "utf-8")


def canvas_points_page(path: Path, result: Any) -> None:
    """Write the points alone with Leaflet's own canvas renderer."""
    rows = json.dumps(point_rows(result), ensure_ascii=False, separators=(",", ":"))
    code = POINTS.replace("COLOURS", json.dumps(COLOURS)).replace("POINTS", rows)
    path.write_text(_page("", "<div id=map></div>" + code + READY.replace("MAP", "map")), "utf-8")


def folium_points_page(path: Path, result: Any) -> None:
    """Write the points alone on folium's canvas, in one colour (a style for each takes minutes)."""
    carrier = folium.Map(tiles=None, max_zoom=18, prefer_canvas=True)
    _add_points(carrier, point_rows(result), style_function=None)
    _write_folium(path, carrier, "")


def _level_style(feature: dict[str, Any]) -> dict[str, str]:
    return {"fillColor": COLOURS[feature["properties"]["level"] - 1]}


def _add_points(
    carrier: folium.Map, rows: list[list[Any]], *, style_function: Any = _level_style
) -> None:
    places = {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"name": name, "level": level},
         "geometry": {"type": "Point", "coordinates": [lon, lat]}} for lat, lon, name, level in rows
    ]}  # fmt: skip
    folium.GeoJson(
        places,
        marker=folium.CircleMarker(radius=3, weight=0.5, fill_opacity=1),
        style_function=style_function,
    ).add_to(carrier)
    at = np.array([row[:2] for row in rows], dtype=float)
    carrier.fit_bounds([at.min(axis=0).tolist(), at.max(axis=0).tolist()])


def _write_folium(path: Path, carrier: folium.Map, more: str) -> None:
    figure = carrier.get_root()
    figure.render()
    parts = [
        figure.html.render(),
        f"<script>{figure.script.render()}</script>",
        READY.replace("MAP", carrier.get_name()),
        more,
    ]
    path.write_text(_page("", "".join(parts)), encoding="utf-8")


def _page(head: str, body: str) -> str:
    return (
        f"<!DOCTYPE html><html><head><meta charset=utf-8><style>{leaflet_css()}"
        "html,body,#map,.folium-map{height:100%;width:100%;margin:0}</style>"
        f"<script>{leaflet_js()}</script>{head}</head><body>{body}</body></html>"
    )


def _recolour(layer: str, codes: list[str]) -> str:
    return (
        RECOLOUR.replace("COLOURS", json.dumps(COLOURS))
        .replace("CODES", json.dumps(codes))
        .replace("LAYER", layer)
    )


def canvas_page(path: Path, result: Any) -> None:
    """Write the map with Leaflet's own canvas renderer."""
    shapes, codes, points = peer_data(result)
    code = (
        CANVAS.replace("COLOURS", json.dumps(COLOURS))
        .replace("SHAPES", json.dumps(shapes, ensure_ascii=False, separators=(",", ":")))
        .replace("POINTS", json.dumps(points, ensure_ascii=False, separators=(",", ":")))
    )
    parts = [code, READY.replace("MAP", "map"), _recolour("layer", codes)]
    path.write_text(_page("", "<div id=map></div>" + "".join(parts)), encoding="utf-8")


def folium_page(path: Path, result: Any) -> None:
    """Write the map the way folium's tutorial does: GeoJson with a style function."""
    shapes, codes, points = peer_data(result)
    carrier = folium.Map(tiles=None, max_zoom=18)
    layer = folium.GeoJson(
        shapes,
        style_function=lambda f: {"fillColor": COLOURS[f["properties"]["c"]], "weight": 0.3},
    ).add_to(carrier)
    _add_points(carrier, points)
    _write_folium(path, carrier, _recolour(layer.get_name(), codes))
