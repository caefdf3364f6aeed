"""The small store of item ids: a CSV of role, id, name and place in WGS 84."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from riskmap import columns as c
from riskmap.errors import LayerError, Problem
from riskmap.i18n import text
from riskmap.register.duty import filled

if TYPE_CHECKING:
    from riskmap.layers.types import Layer

COLUMNS: Final = (c.ROLE, c.ITEM_ID, c.NAME, "x", "y")
_GUARDED: Final = ("=", "+", "-", "@", "\t", "\r", "'")


def read_known(path: Path, *, crs: str | None = None) -> pd.DataFrame:
    """Read the store of known items; a missing file is an empty store.

    Parameters
    ----------
    path
        The CSV.
    crs
        CRS to turn the coordinates into, such as the run's; WGS 84 when not given.

    Returns
    -------
    DataFrame
        Columns role, item_id, name, x, y.

    Raises
    ------
    LayerError
        When the file is no such store.

    Examples
    --------
    >>> read_known(Path("no such file.csv")).columns.tolist()
    ['role', 'item_id', 'name', 'x', 'y']
    """
    if not path.exists():
        return _typed(pd.DataFrame(columns=list(COLUMNS)))
    try:
        known = pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False)
        known = known[list(COLUMNS)]
        known[c.NAME] = known[c.NAME].str.replace(r"^'", "", regex=True)
        known = _typed(known)
    except (ValueError, KeyError) as error:
        problem = Problem(
            severity="unusable",
            role="",
            rule="id_store",
            message=text("the store of item ids cannot be read"),
            mend=text("put the last good copy back, or delete it to start anew"),
            file=path.name,
            value=str(error),
        )
        raise LayerError(problem.message, (problem,)) from error
    return known if crs is None else to_crs(known, crs)


def to_crs(known: pd.DataFrame, crs: str) -> pd.DataFrame:
    """Turn the places of known items from WGS 84 into another CRS.

    Parameters
    ----------
    known
        Items with x, y in WGS 84.
    crs
        The CRS wanted.

    Returns
    -------
    DataFrame
        The same items with x, y in that CRS.
    """
    from pyproj import Transformer

    change = Transformer.from_crs(c.WGS84, crs, always_xy=True)
    x, y = change.transform(known["x"].to_numpy(), known["y"].to_numpy())
    return known.assign(x=np.asarray(x, dtype=float), y=np.asarray(y, dtype=float))


def known_of(layers: Mapping[str, Layer], before: pd.DataFrame | None = None) -> pd.DataFrame:
    """Join the items of a run with those known before; the run's names and places win.

    Parameters
    ----------
    layers
        Checked layers by role.
    before
        Items known before, in WGS 84; those not seen this time are kept.

    Returns
    -------
    DataFrame
        Columns role, item_id, name, x [deg], y [deg]; sorted, whatever the order of the layers.
    """
    parts = [] if before is None else [_typed(before[list(COLUMNS)])]
    for role, layer in layers.items():
        if layer.table is None or not len(layer.table):
            continue
        at = layer.table.geometry.representative_point().to_crs(c.WGS84)
        name = filled(layer.table, c.NAME).fillna("").astype(str)
        columns = [role, layer.table.index.astype(str), name.to_numpy(), at.x, at.y]
        part = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
        parts.append(_typed(part[np.isfinite(part["x"]) & np.isfinite(part["y"])]))
    parts = [part for part in parts if len(part)]
    if not parts:
        return _typed(pd.DataFrame(columns=list(COLUMNS)))
    joined = pd.concat(parts, ignore_index=True)
    joined = joined.drop_duplicates([c.ROLE, c.ITEM_ID], keep="last")
    return joined.sort_values([c.ROLE, c.ITEM_ID], kind="stable", ignore_index=True)


def write_known(path: Path, known: pd.DataFrame) -> None:
    """Write the store, whole or not at all, in one order.

    Parameters
    ----------
    path
        The CSV; written beside and renamed into place.
    known
        Columns role, item_id, name, x [deg], y [deg].
    """
    table = known[list(COLUMNS)].sort_values([c.ROLE, c.ITEM_ID], kind="stable")
    names = table[c.NAME].astype(str)
    table = table.assign(
        name=names.where(~names.str.startswith(_GUARDED), "'" + names),
        x=table["x"].map("{:.7f}".format),
        y=table["y"].map("{:.7f}".format),
    )
    fresh = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh.write_bytes(table.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig"))
    fresh.replace(path)


def _typed(known: pd.DataFrame) -> pd.DataFrame:
    texts = {name: known[name].astype(object) for name in (c.ROLE, c.ITEM_ID, c.NAME)}
    return known.assign(**texts, x=known["x"].astype(float), y=known["y"].astype(float))
