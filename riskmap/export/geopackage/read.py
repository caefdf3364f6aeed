"""A result read back from its folder: every table of the GeoPackage, for analysis in Python."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from riskmap.errors import LayerError
from riskmap.files import GEOPACKAGE, MANIFEST
from riskmap.formats import check_database
from riskmap.geo.grid import as_dataset
from riskmap.i18n import text
from riskmap.layers.layer import naming

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import pandas as pd
    import xarray as xr

_PLAN: Final = "plan_"
CHECKS: Final = "checks"
"""Table of what is checked beside the control table; its column ``check`` says by what."""
CHECK_COLUMNS: Final = "checks.columns"
"""Key of the table ``facts``: the columns of each check, in order."""
FITTED: Final = "params."
"""Begins the keys of the fitted parameters in the table ``facts``."""


@dataclass(frozen=True)
class Opened:
    """The folder of a run, read table by table when it is asked for."""

    folder: Path
    facts: Mapping[str, Any]
    """What the papers say about themselves: name, place, CRS, date of the data, edition."""
    tables: tuple[str, ...]
    """Names of the tables, in the order in which the GeoPackage lists them."""

    def table(self, name: str) -> pd.DataFrame | gpd.GeoDataFrame:
        """Read one table.

        Parameters
        ----------
        name
            One of `tables`.

        Returns
        -------
        DataFrame or GeoDataFrame
            With geometries where the table has them.

        Raises
        ------
        LayerError
            When there is no such table.
        """
        import pyogrio

        if name not in self.tables:
            raise LayerError(
                text("no table '{name}'; there are: {all}", name=name, all=", ".join(self.tables))
            )
        return pyogrio.read_dataframe(self.folder / GEOPACKAGE, layer=name)

    @property
    def units(self) -> gpd.GeoDataFrame:
        """Units of all levels with score, rank and class; index ``unit_id``."""
        return self.table("units").set_index("unit_id")

    @property
    def indicators(self) -> pd.DataFrame:
        """Indicators of the units; index ``unit_id``."""
        return self.table("unit_indicators").set_index("unit_id")

    @property
    def items(self) -> gpd.GeoDataFrame:
        """The ranked list, best rank first; index ``item_id``."""
        return self.table("items").set_index("item_id")

    @property
    def control(self) -> pd.DataFrame:
        """The control table; index ``item_id``."""
        return self.table("control").set_index("item_id")

    @property
    def cells(self) -> xr.Dataset:
        """The grid: every number of the cells on its place, NaN outside; dimensions y, x [m]."""
        table = self.table("cells")
        return as_dataset(
            table.select_dtypes("number"), table.geometry.representative_point(), table.crs
        )

    @property
    def plans(self) -> Mapping[str, Mapping[str, pd.DataFrame]]:
        """Tables of each plan by subject; the column ``scenario`` is empty for the baseline."""
        found: dict[str, dict[str, pd.DataFrame]] = {}
        for plan in self.table("plans")["plan"].unique() if "plans" in self.tables else ():
            start = f"{_PLAN}{plan}_"
            found[plan] = {
                name.removeprefix(start): self.table(name)
                for name in self.tables
                if name.startswith(start)
            }
        return found

    @property
    def checks(self) -> Mapping[str, pd.DataFrame]:
        """What is checked beside the control table, check by check, each with its own columns."""
        if CHECKS not in self.tables:
            return {}
        whole, facts = self.table(CHECKS), self.table("facts").set_index("key")["value"]
        columns = json.loads(facts[CHECK_COLUMNS])
        return {
            name: whole.loc[whole["check"] == name, own].convert_dtypes()
            for name, own in columns.items()
        }

    @property
    def manifest(self) -> Mapping[str, Any]:
        """Inputs, outputs and their hashes."""
        found: Mapping[str, Any] = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
        return found


def open_results(folder: Path | str) -> Opened:
    """Open the folder of a run.

    Parameters
    ----------
    folder
        The results folder, as ``riskmap run`` wrote it.

    Returns
    -------
    Opened
        Nothing is read yet but the names of its tables.

    Raises
    ------
    LayerError
        When the folder holds no GeoPackage of a run.
    """
    folder = Path(folder)
    path = folder / GEOPACKAGE
    if path.is_file():
        with naming(path.name):
            check_database(path)
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
            names = base.execute(
                "select table_name from gpkg_contents where table_name <> 'layer_styles' "
                "and data_type <> 'tiles' "
                "order by rowid"
            ).fetchall()
            facts = base.execute("select key, value from facts").fetchall()
    except sqlite3.Error as error:
        raise LayerError(text("{folder} holds no results of riskmap", folder=folder)) from error
    said = {key: json.loads(value) for key, value in facts if "." not in key}
    return Opened(folder, said, tuple(name for (name,) in names))
