"""``manifest.json``: what went in, by which versions, and the hash of every file that came out."""

from __future__ import annotations

import platform
from collections import Counter
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import pandas as pd

from riskmap.export.workbook import tables
from riskmap.export.workbook.tables import change_counts, flooded
from riskmap.files import hashed_files
from riskmap.i18n import both
from riskmap.result import Result
from riskmap.vocabulary import columns as c

FORMAT: Final = 1
LIBRARIES: Final = (
    "exactextract", "fiona", "folium", "geopandas", "highspy", "numba", "numpy",
    "odc-geo", "ortools", "pandas", "pyogrio", "pyproj", "rasterio", "scipy", "shapely",
    "xlsxwriter", "xstatic-leaflet",
)  # fmt: skip
"""Libraries whose version may change a number or a byte of the outputs."""


def versions() -> dict[str, str]:
    """Give the versions of the libraries that may change a number or a byte.

    Returns
    -------
    dict
        Library to version; GDAL, GEOS, PROJ and Python among them.
    """
    import pyogrio
    import pyproj
    import shapely

    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    found["gdal"] = ".".join(map(str, pyogrio.__gdal_version__))
    found["geos"] = shapely.geos_version_string
    found["proj"] = pyproj.proj_version_str
    return found


def build_manifest(result: Result, folder: Path) -> dict[str, Any]:
    """Describe inputs, configuration, versions and outputs; the manifest does not hash itself.

    Parameters
    ----------
    result
        The run's result.
    folder
        Folder that holds every other output.

    Returns
    -------
    dict
        What ``manifest.json`` holds.
    """
    sources = tables.source_table(result)
    rows = sources.groupby("file")["rows_in"].sum()
    return {
        "format": FORMAT,
        "riskmap": result.facts.version,
        "versions": versions(),
        "facts": vars(result.facts),
        "inputs": [
            {
                "file": file.shown,
                "sha256": file.sha256,
                "size": file.size,
                "rows": int(rows[file.shown]) if file.shown in rows.index else None,
            }
            for file in sorted(result.inputs, key=lambda file: file.shown)
        ],
        "sources": sources.to_dict("records"),
        "presets": tables.preset_table(result).to_dict("records"),
        "params": result.params,
        "outputs": hashed_files(folder),
    }


def build_report(result: Result) -> dict[str, Any]:
    """Count what went in, what came out and what was left out.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    dict
        Facts, rows by role, notes, problems, indicators, classes, the five worst units, presets.
    """
    return {
        "facts": vars(result.facts),
        "layers": layer_rows(result),
        "problems": _problems(result),
        "notes": [both(note) for note in tables.notes_of(result)],
        "indicators": _indicators(result),
        "units": {str(level): int(n) for level, n in result.units[c.LEVEL].value_counts().items()},
        "classes": {name: class_counts(result, name) for name in ("unit", "cell")},
        "items": _items(result),
        "worst_units": worst_units(result),
        "presets": tables.preset_table(result).to_dict("records"),
        "scenarios": scenario_rows(result),
        "plans": sorted(result.plans),
    }


def scenario_rows(result: Result) -> list[dict[str, Any]]:
    """Describe every scenario, and what it changes where it has an index of its own.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    list of dict
        Layers of the scenario; ``index`` whether it has an index; then ``classes``, ``changes``
        (units of the finest level and cells that rise or fall) and the five ``worst_units``.
    """
    wet = {scenario.number: scenario for scenario in flooded(result)}
    rows: list[dict[str, Any]] = []
    finest = result.units.index[result.units[c.LEVEL] == tables.finest_level(result.units)]
    for row in tables.scenario_table(result).to_dict("records"):
        entry = {str(key): value for key, value in row.items()}
        found = wet.get(int(row["number"]))
        entry["index"] = found is not None
        if found is not None:
            unit, cell = f"unit@{found.name}", f"cell@{found.name}"
            entry["classes"] = {
                "unit": class_counts(result, unit),
                "cell": class_counts(result, cell),
            }
            entry["changes"] = {
                "unit": change_counts(result.index["unit"], found.unit, finest),
                "cell": change_counts(result.index["cell"], found.cell),
            }
            entry["worst_units"] = worst_units(result, name=unit)
        rows.append(entry)
    return rows


def class_counts(result: Result, name: str) -> dict[str, int]:
    """Count the rows of each class.

    Parameters
    ----------
    result
        The run's result.
    name
        ``unit`` (the finest level only) or ``cell``, or one of a scenario such as ``unit@NAME``.

    Returns
    -------
    dict
        Class ``"0"`` (unknown) to ``"4"`` to number of rows.
    """
    classes = result.index[name].classes
    if name.partition("@")[0] == "unit":
        finest = tables.finest_level(result.units)
        classes = classes.loc[result.units.index[result.units[c.LEVEL] == finest]]
    counts = Counter(int(value) for value in classes.fillna(0))
    return {str(value): counts.get(value, 0) for value in (0, *c.CLASSES)}


def worst_units(result: Result, *, n: int = 5, name: str = "unit") -> list[dict[str, Any]]:
    """List the units of the finest level with the highest scores.

    Parameters
    ----------
    result
        The run's result.
    n
        How many.
    name
        ``unit``, or ``unit@NAME`` for a scenario.

    Returns
    -------
    list of dict
        Code, name, town, score, class and the share of each component, worst first.
    """
    index = result.index[name]
    units = result.units[result.units[c.LEVEL] == tables.finest_level(result.units)]
    scores = index.scores[c.ROOT].reindex(units.index).dropna()
    order = pd.DataFrame({"score": -scores, "code": scores.index.astype(str)}, index=scores.index)
    worst = order.sort_values(["score", "code"]).index[:n]
    return [
        {
            "unit_id": str(unit),
            "name": units.loc[unit, c.NAME],
            "town": units.loc[unit, "town"] if "town" in units else "",
            "score": float(scores[unit]),
            "class": index.classes.loc[unit],
            "contributions": index.contributions.loc[unit],
        }
        for unit in worst
    ]


def layer_rows(result: Result) -> dict[str, dict[str, int]]:
    """Count the rows of the units and of every role: in, used, returned.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    dict
        Role to its three counts.
    """
    found = {role: layer.sources for role, layer in result.layers.items()}
    parts = {"unit": result.unit_sources, **found} if result.unit_sources else found
    return {
        role: {
            "rows_in": sum(source.rows_in for source in sources),
            "rows_used": sum(source.rows_used for source in sources),
            "rows_returned": sum(source.rows_returned for source in sources),
        }
        for role, sources in parts.items()
    }


def _problems(result: Result) -> dict[str, Any]:
    by_severity: Counter[str] = Counter()
    by_rule: Counter[str] = Counter()
    for problem in result.problems:
        by_severity[problem.severity] += problem.count
        by_rule[f"{problem.role}.{problem.rule}"] += problem.count
    return {
        **{name: by_severity.get(name, 0) for name in ("returned", "unusable", "note")},
        "by_rule": dict(sorted(by_rule.items())),
    }


def _indicators(result: Result) -> dict[str, Any]:
    meta: pd.DataFrame = result.indicators.meta
    kind = meta["kind"]
    return {
        "used": {
            str(code): {
                "parent": row["parent"],
                "weight": row["weight"],
                "unit": row.get("unit", ""),
            }
            for code, row in meta[kind == "indicator"].iterrows()
        },
        "groups": {
            str(code): {"parent": row["parent"], "weight": row["weight"]}
            for code, row in meta[kind == "group"].iterrows()
        },
        "notes": [both(note) for note in result.indicators.notes],
    }


def _items(result: Result) -> dict[str, Any]:
    items = result.items
    out: dict[str, Any] = {"rows": len(items), "control_rows": len(result.control)}
    if c.LEVEL in items:
        levels = Counter(int(level) for level in items[c.LEVEL].fillna(0))
        out["by_level"] = {str(value): levels.get(value, 0) for value in (0, *c.CLASSES)}
    if c.ROLE in items:
        out["by_role"] = {
            str(role): int(n) for role, n in sorted(items[c.ROLE].value_counts().items())
        }
    return out
