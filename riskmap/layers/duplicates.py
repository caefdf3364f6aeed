"""Rows that tell of one thing twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.roles.load import Role

SAME_PLACE_M: Final = 1.0
"""Two rows of one name nearer than this are one thing told twice."""


def _where(table: pd.DataFrame, index: int) -> str:
    sheet = f" [{table['_sheet'].iloc[index]}]" if table["_sheet"].iloc[index] else ""
    return f"{table['_file'].iloc[index]}{sheet} #{table['_row'].iloc[index]}"


def find_duplicates(
    table: gpd.GeoDataFrame, role: Role
) -> list[tuple[NDArray[np.bool_], str, str, list[str]]]:
    """Find rows that repeat an earlier one: the same own number, or name and place.

    Parameters
    ----------
    table
        Shape (n, columns): in a metric CRS, in the order of the files.
    role
        The role.

    Returns
    -------
    list of tuple
        Mask of the later rows, rule, field, and where the first row of each stands.
    """
    out = []
    bad = np.zeros(len(table), dtype=bool)
    key = role.id_field
    if key in table.columns and role.item:
        numbers = table[key].to_numpy(dtype=object)
        mask, firsts = _repeats(pd.Series(numbers), table)
        out.append((mask, "duplicate_number", key, firsts))
        bad |= mask
    if "name" in table.columns and role.group != "base":
        names = normal_names(table["name"])
        centre = shapely.centroid(table.geometry.to_numpy())
        x = np.round(shapely.get_x(centre) / SAME_PLACE_M)
        y = np.round(shapely.get_y(centre) / SAME_PLACE_M)
        joined = (
            names
            + "|"
            + pd.Series(x, index=names.index).astype("str")
            + "|"
            + pd.Series(y, index=names.index).astype("str")
        )
        joined = joined.where((names != "").to_numpy() & np.isfinite(x) & ~bad)
        mask, firsts = _repeats(joined.reset_index(drop=True), table)
        out.append((mask, "duplicate", "name", firsts))
    return out


def _repeats(keys: pd.Series, table: pd.DataFrame) -> tuple[NDArray[np.bool_], list[str]]:
    known = keys.notna().to_numpy() & (keys.astype("str") != "").to_numpy()
    mask: NDArray[np.bool_] = keys.duplicated(keep="first").to_numpy() & known
    first = keys[known].drop_duplicates(keep="first")
    place = dict(zip(first.to_numpy(), first.index, strict=True))
    return mask, [_where(table, int(place[keys.iloc[index]])) for index in np.flatnonzero(mask)]


def normal_names(names: pd.Series) -> pd.Series:
    """Bring names into the form in which they are compared.

    Parameters
    ----------
    names
        Shape (n,).

    Returns
    -------
    Series
        Without blanks, brackets, punctuation, case and width; an empty text where missing.

    Examples
    --------
    >>> normal_names(pd.Series(["文化路（北）", "文化路(北) ", None])).tolist()
    ['文化路北', '文化路北', '']
    """
    plain = names.astype("str").fillna("").str.normalize("NFKC").str.casefold()
    return plain.str.replace(r"[\W_]+", "", regex=True)
