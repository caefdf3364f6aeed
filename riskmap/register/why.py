"""Why the place of an item is at risk: its unit's level, rank and strongest components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskmap import columns as c
from riskmap.i18n import Text, text
from riskmap.roles.grade import LEVEL_NAMES
from riskmap.roles.load import Label

if TYPE_CHECKING:
    import geopandas as gpd

    from riskmap.index.steps import Index


def component_label(meta: pd.DataFrame, code: str) -> Label:
    """Return the name of an index component as shown.

    Parameters
    ----------
    meta
        The index's metadata by code, with name_zh and name_en.
    code
        The component.

    Returns
    -------
    Label
        Its two names; the code where it has none.
    """
    row = meta.loc[code] if code in meta.index else pd.Series(dtype=object)
    names = [row.get(column) for column in ("name_en", "name_zh")]
    en, zh = (str(name) if isinstance(name, str) and name.strip() else code for name in names)
    return Label(en, zh=zh)


def unit_reasons(
    codes: pd.Series[str], units: gpd.GeoDataFrame | None, index: Index | None
) -> pd.DataFrame:
    """Say, for each item, what its unit's index says.

    Parameters
    ----------
    codes
        Unit code per item; empty where no unit holds it.
    units
        Units by code, with names.
    index
        The units' index, or None.

    Returns
    -------
    DataFrame
        Columns score (float), class (Int8), reason (Text or None); the items' index.
    """
    if units is None or index is None:
        empty = {"score": np.nan, "class": 0, "reason": None}
        return pd.DataFrame(empty, index=codes.index).astype({"class": "Int8", "reason": object})
    told = {
        code: _reason(code, units, index) for code in codes.unique() if code in index.scores.index
    }
    root = _root(index)
    return pd.DataFrame(
        {
            "score": codes.map(index.scores[root].to_dict()).astype(float),
            "class": codes.map(index.classes.to_dict()).fillna(0).astype("Int8"),
            "reason": codes.map(told).astype(object).where(codes.isin(list(told)), None),
        },
        index=codes.index,
    )


def _root(index: Index) -> str:
    return c.ROOT if c.ROOT in index.scores.columns else str(index.scores.columns[0])


def _reason(code: str, units: gpd.GeoDataFrame, index: Index) -> Text | None:
    """Make one unit's reason: level, rank and the two components that give most."""
    rank = index.ranks[_root(index)].get(code)
    if rank is None or pd.isna(rank):
        return None
    if c.LEVEL in units.columns:
        peers = units.index[units[c.LEVEL] == units[c.LEVEL].get(code)]
        ranks = index.ranks[_root(index)].reindex(peers).dropna()
        n, place = len(ranks), int((ranks < rank).sum()) + 1
    else:
        n, place = int(index.ranks[_root(index)].notna().sum()), int(rank)
    words: dict[str, Any] = {
        "unit": str(units[c.NAME].get(code, code)) if c.NAME in units.columns else code,
        "level": LEVEL_NAMES[int(index.classes.get(code, 0) or 0)],
        "rank": place,
        "n": n,
    }
    shares: pd.Series[float] = pd.Series(index.contributions.loc[code]).astype(float).dropna()
    top = shares.sort_values(ascending=False, kind="stable")
    names = [component_label(index.meta, str(name)) for name in top.index[:2] if top[name] > 0]
    if len(names) == 2:
        return text(
            "{unit}: {level} risk, rank {rank} of {n}, mainly {first} and {second}",
            **words, first=names[0], second=names[1],
        )  # fmt: skip
    return text("{unit}: {level} risk, rank {rank} of {n}", **words)
