"""One straight road of 3 km with three villages and refuges on it: distances are whole numbers."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import LineString, Point, box

from riskmap.geo.grid import make_grid
from riskmap.geo.network import build_graph
from riskmap.plans.options import RefugeOptions
from riskmap.plans.refuges.plan import State, World, refuge_plan
from riskmap.vocabulary.presets import load_presets

CRS, E, N = "EPSG:4548", 500_000, 4_000_000
LIMITS = {"foot": 1800.0}
PRESETS = {"refuge.vehicle_share": 0.0}


def at(x, y=50):
    return Point(E + x, N + y)


def rect(x0, x1, y0=0, y1=100):
    return box(E + x0, N + y0, E + x1, N + y1)


def areas(*rows):
    """Danger areas: name, people, from x, to x."""
    return gpd.GeoDataFrame(
        {"name": [r[0] for r in rows], "people": [r[1] for r in rows]},
        geometry=[rect(r[2], r[3]) for r in rows],
        crs=CRS,
    )


def world(refuges, standing=None, **over):
    """A road of 3 km with villages of 1 km, refuges as (x, capacity, extra)."""
    presets = load_presets(PRESETS | (over.pop("settings", None) or {}))
    units = gpd.GeoDataFrame(
        {
            "level": "village",
            "name": ["甲村", "乙村", "丙村"],
            "finest": True,
            "village": ["甲村", "乙村", "丙村"],
            "town": "某镇",
            "district": "某县",
        },
        index=["A", "B", "C"],
        geometry=[rect(1000 * k, 1000 * k + 1000) for k in range(3)],
        crs=CRS,
    )
    grid = make_grid(rect(0, 3000), crs=CRS, size_m=100)
    lines = gpd.GeoDataFrame(
        geometry=[LineString([at(1000 * k), at(1000 * k + 1000)]) for k in range(3)], crs=CRS
    )
    table = pd.DataFrame([r[2] if len(r) > 2 else {} for r in refuges])
    table["capacity"] = [float(r[1]) for r in refuges]
    table["name"] = [f"场所{k}" for k in range(len(refuges))]
    table["tier"] = table.get("tier", "village")
    places = gpd.GeoDataFrame(table, geometry=[at(r[0]) for r in refuges], crs=CRS)
    places.index = [f"R{k}" for k in range(len(refuges))]
    given = {
        "grid": grid,
        "graphs": {"foot": build_graph(lines, profile="foot", presets=presets)}
        | (
            {"emergency": build_graph(lines, profile="emergency", presets=presets)}
            if over.pop("ride", False)
            else {}
        ),
        "units": units,
        "refuges": places,
        "population": np.full(grid.shape, 10.0, np.float32),
        "standing": standing,
        "sources": None,
        "candidates": None,
        "presets": presets,
        "data_date": "2026-03-01",
        "seed": 1,
    }
    return World(**{**given, **over})


def plan(there, options=None, limits=None, **scenario):
    """Plan the refuges of a world in one state of it."""
    return refuge_plan(
        there,
        options=options or RefugeOptions(draws=5),
        limits_s=limits or LIMITS,
        state=State(**scenario),
    )
