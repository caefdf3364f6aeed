"""Item ids that stay: the office's number, else a known item nearby, else a hash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely

from riskmap.errors import LayerError, Problem
from riskmap.i18n import text
from riskmap.layers.check.rules import normal_names
from riskmap.layers.layer import filled
from riskmap.vocabulary import columns as c
from riskmap.vocabulary.columns import ITEM_ID, NAME, ROLE, WGS84

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.layers.layer import Layer
    from riskmap.vocabulary.roles import Role


NAMED_WITHIN_M: Final = 200.0
"""An item of the same name counts as the same within this distance [m]."""
UNNAMED_WITHIN_M: Final = 50.0
"""An item of another name counts as renamed within this distance [m]."""
_LETTERS: Final = np.array(list("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
_LENGTH: Final = 8
_HASH_KEY: Final = "riskmap-item-ids"


def assign_ids(role: Role, table: gpd.GeoDataFrame, known: pd.DataFrame | None = None) -> pd.Series:
    """Give every row an id that stays when rows are reordered, renamed or moved a little.

    In this order: the office's own number where it is the row's alone; a known item of the same
    name within 200 m, else the nearest known item within 50 m, one to one; else a hash of role,
    name and place.

    Parameters
    ----------
    role
        The role; its ``id_field`` holds the own number, its ``id_prefix`` stands before the ids.
    table
        Shape (n, columns): rows in the run's metric CRS.
    known
        Items of earlier runs: role, item_id, name, x, y [m, in the run's CRS]; or None.

    Returns
    -------
    Series
        Shape (n,): text ids, unique, on the table's index.
    """
    prefix = role.id_prefix or role.name.upper()
    ids = np.full(len(table), "", dtype=object)
    if role.id_field in table.columns:
        own = table[role.id_field].astype("str").str.strip()
        alone = (
            own.notna().to_numpy() & ~own.duplicated(keep=False).to_numpy() & (own != "").to_numpy()
        )
        ids[alone] = [_numbered(prefix, number) for number in own[alone]]
    before = known[known[ROLE] == role.name] if known is not None and len(known) else None
    taken = set(ids[ids != ""])
    if before is not None:
        taken |= set(before[ITEM_ID].astype("str"))
        _match_known(table, before[~before[ITEM_ID].isin(ids)], ids)
    rest = ids == ""
    if rest.any():
        ids[rest] = _derive(prefix, role.name, table[rest], taken)
    return pd.Series(ids, index=table.index, dtype="str", name=ITEM_ID)


def _numbered(prefix: str, number: str) -> str:
    return number if number.upper().startswith(prefix.upper()) else f"{prefix}-{number}"


def _centres(table: gpd.GeoDataFrame) -> NDArray[np.float64]:
    points = shapely.centroid(table.geometry.to_numpy())
    return np.column_stack([shapely.get_x(points), shapely.get_y(points)])


def _names(table: pd.DataFrame) -> NDArray[np.object_]:
    if NAME not in table.columns:
        return np.full(len(table), "", dtype=object)
    return normal_names(table[NAME]).to_numpy(dtype=object)


def _match_known(table: gpd.GeoDataFrame, known: pd.DataFrame, ids: NDArray[np.object_]) -> None:
    """Give ids of known items to the rows that are the same; ``ids`` is filled in place."""
    from scipy.spatial import cKDTree

    known = known[np.isfinite(known[["x", "y"]].to_numpy(dtype=np.float64)).all(axis=1)]
    if not len(known):
        return
    known = known.sort_values(ITEM_ID, kind="stable")
    labels = known[ITEM_ID].to_numpy(dtype=object)
    old_names = normal_names(known[NAME]).to_numpy(dtype=object)
    tree = cKDTree(known[["x", "y"]].to_numpy(dtype=np.float64))
    new_names, centres = _names(table), _centres(table)
    free = np.ones(len(known), dtype=bool)
    for within, same_name in ((NAMED_WITHIN_M, True), (UNNAMED_WITHIN_M, False)):
        rows = np.flatnonzero((ids == "") & np.isfinite(centres).all(axis=1))
        near: Any = tree.query_ball_point(centres[rows], within)
        pairs = pd.DataFrame(
            [(row, other) for row, others in zip(rows, near, strict=True) for other in others],
            columns=["row", "known"],
            dtype=np.int64,
        )
        pairs = pairs[free[pairs["known"]]]
        alike = new_names[pairs["row"]] == old_names[pairs["known"]]
        if same_name:
            pairs = pairs[alike & (new_names[pairs["row"]] != "")]
        apart = centres[pairs["row"]] - tree.data[pairs["known"]]
        pairs = pairs.assign(
            metres=np.round(np.hypot(apart[:, 0], apart[:, 1]), 3),
            name=new_names[pairs["row"]],
            x=centres[pairs["row"], 0],
            y=centres[pairs["row"], 1],
        ).sort_values(["metres", "known", "name", "x", "y"], kind="stable")
        for row, other in zip(pairs["row"], pairs["known"], strict=True):
            if ids[row] == "" and free[other]:
                ids[row] = labels[other]
                free[other] = False


def _derive(
    prefix: str, role: str, table: gpd.GeoDataFrame, taken: set[str]
) -> NDArray[np.object_]:
    """Hash role, name and place; equal hashes are told apart by the rest of the row."""
    shapes = table.geometry.to_crs(WGS84).to_numpy()
    box = np.round(np.nan_to_num(shapely.bounds(shapes)) * 1e5).astype(np.int64)
    keys = pd.Series(_names(table)).astype("str") + f"|{role}"
    for column in box.T:
        keys = keys + "|" + pd.Series(column).astype("str")
    numbers = pd.util.hash_array(
        keys.to_numpy(dtype=object), hash_key=_HASH_KEY[:16], categorize=False
    )
    base = np.char.add(f"{prefix}-", _base32(numbers)).astype(object)
    out = base.copy()
    rest = pd.DataFrame(table.drop(columns=table.geometry.name)).drop(
        columns=["_row", "_file", "_sheet"], errors="ignore"
    )
    repeated = pd.Series(base).duplicated(keep=False).to_numpy() | np.isin(base, list(taken))
    if repeated.any():
        body = pd.Series("", index=rest.index[repeated], dtype=object)
        for column in sorted(rest.columns):
            body = body + "|" + rest.loc[repeated, column].astype("str").fillna("").astype(object)
        order = pd.DataFrame(
            {
                "base": base[repeated],
                "shape": shapely.to_wkb(shapely.set_precision(shapes[repeated], 1e-7), hex=True),
                "body": body.to_numpy(),
            }
        )
        order["at"] = np.flatnonzero(repeated)
        order = order.sort_values(["base", "shape", "body"], kind="stable")
        used = taken | set(base[~repeated])
        for label, at in zip(order["base"], order["at"], strict=True):
            candidate, turn = label, 1
            while candidate in used:
                turn += 1
                candidate = f"{label}-{turn}"
            used.add(candidate)
            out[at] = candidate
    return out


def _base32(numbers: NDArray[np.uint64]) -> NDArray[np.str_]:
    shifts = np.arange(_LENGTH, dtype=np.uint64) * np.uint64(5)
    digits = (numbers[:, None] >> shifts[None, :]) & np.uint64(31)
    letters = np.ascontiguousarray(_LETTERS[digits.astype(np.int64)])
    return letters.view(f"<U{_LENGTH}").ravel()


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
