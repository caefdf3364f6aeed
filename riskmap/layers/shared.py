"""Objects that stand apart but carry one number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskmap.i18n import text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.layers.findings import Findings
    from riskmap.roles.load import Role


def shared_numbers(table: pd.DataFrame, role: Role) -> NDArray[np.bool_]:
    """Find objects that stand apart but carry one number; they are kept, and it is said.

    Parameters
    ----------
    table
        Shape (n, columns).
    role
        The role; of risks a repeated number is a repeated row already.

    Returns
    -------
    ndarray
        True for every row whose number another row has too, shape (n,).
    """
    if role.item or role.group != "element" or role.id_field not in table.columns:
        return np.zeros(len(table), dtype=bool)
    if role.geometry == "none":
        return np.zeros(len(table), dtype=bool)
    numbers = pd.Series(table[role.id_field].to_numpy(dtype=object))
    said = numbers.notna() & (numbers.astype("str") != "")
    return (numbers.duplicated(keep=False) & said).to_numpy(dtype=bool)


def note_shared(
    table: pd.DataFrame,
    role: Role,
    findings: Sequence[Findings],
    *,
    owner: NDArray[np.int64],
    local: NDArray[np.int64],
) -> None:
    """Say of every file which of its rows share a number.

    Parameters
    ----------
    table
        Rows of all files.
    role
        The role.
    findings
        Findings of each file.
    owner, local
        File of each row, and its position there, shape (n,).
    """
    shared = shared_numbers(table, role)
    for index in np.unique(owner[shared]):
        mine = shared & (owner == index)
        hit = np.zeros(len(findings[index].row), dtype=bool)
        values = np.full(len(hit), None, dtype=object)
        hit[local[mine]] = True
        values[local[mine]] = table[role.id_field].to_numpy(dtype=object)[mine]
        findings[index].noted(
            hit,
            "shared_number",
            text("another row has the same number"),
            text("give every object a number of its own"),
            field=role.id_field,
            values=values,
        )
