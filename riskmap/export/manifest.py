"""``manifest.json``: what went in, by which versions, and the hash of every file that came out."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from riskmap.export import tables
from riskmap.folder import hashed_files
from riskmap.result import Result

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
