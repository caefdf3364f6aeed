"""The rows of a layer that a stage works with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from riskmap.roles.grade import active

if TYPE_CHECKING:
    import geopandas as gpd

    from riskmap.layers.types import Layer
    from riskmap.roles.load import Role


def placed_rows(layers: Mapping[str, Layer], role: str) -> gpd.GeoDataFrame | None:
    """Give the rows of a role that lie somewhere.

    Parameters
    ----------
    layers
        The layers.
    role
        The role.

    Returns
    -------
    GeoDataFrame or None
        None when there are none.
    """
    layer = layers.get(role)
    if layer is None or layer.table is None:
        return None
    placed = layer.table[layer.table.geometry.notna() & ~layer.table.geometry.is_empty]
    return None if placed.empty else placed


def rows_in_use(
    layers: Mapping[str, Layer], role: str, roles: Mapping[str, Role] | None
) -> gpd.GeoDataFrame | None:
    """Give the rows of a role that lie somewhere and are not out of use.

    Parameters
    ----------
    layers
        The layers.
    role
        The role.
    roles
        The roles, which say what is out of use; None takes every row.

    Returns
    -------
    GeoDataFrame or None
        None when there are none.
    """
    rows = placed_rows(layers, role)
    if rows is None or roles is None:
        return rows
    used = rows[active(roles[role], rows).to_numpy(dtype=bool)]
    return None if used.empty else used
