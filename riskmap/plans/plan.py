"""The one shape of a plan, and how the plans of all states of the world become one."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pandas as pd

from riskmap.result import SCENARIO, Plan, Proof, of_state, states_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["SCENARIO", "Plan", "Proof", "in_state", "joined", "of_state", "states_of"]

T = TypeVar("T", bound=pd.DataFrame)


def in_state(table: T, scenario: str) -> T:
    """Say in the first column which state of the world the rows belong to.

    Parameters
    ----------
    table
        Rows.
    scenario
        Name of the scenario; empty for none.

    Returns
    -------
    DataFrame
        The rows with the column ``scenario`` first.
    """
    rest = table.drop(columns=SCENARIO, errors="ignore")
    named = pd.Series([scenario] * len(rest), index=rest.index, dtype=object)
    rest.insert(0, SCENARIO, named)
    return rest


def joined(
    plans: Mapping[str, Plan],
    *,
    fold: Callable[[Mapping[str, pd.DataFrame]], Mapping[str, pd.DataFrame]] = dict,
) -> Plan:
    """Make one plan of the plans of every state of the world: one table a subject.

    Parameters
    ----------
    plans
        Name of the scenario (empty for none) to its plan.
    fold
        What to make of the tables of one state before they are put under each other.

    Returns
    -------
    Plan
        Tables and layers with the column ``scenario``; empty ones are left out.
    """
    found = {name: fold(plan.tables) for name, plan in plans.items()}
    layers = {name: plan.layers for name, plan in plans.items()}
    return Plan(
        tables=_under_each_other(found),
        layers=_under_each_other(layers),
        titles={key: title for plan in plans.values() for key, title in plan.titles.items()},
        notes=tuple(dict.fromkeys(note for plan in plans.values() for note in plan.notes)),
        proof=tuple(one for plan in plans.values() for one in plan.proof),
        headlines=tuple(line for plan in plans.values() for line in plan.headlines),
    )


def _under_each_other(found: Mapping[str, Mapping[str, T]]) -> dict[str, T]:
    """Put the tables of one name under each other."""
    names = list(dict.fromkeys(name for tables in found.values() for name in tables))
    out: dict[str, T] = {}
    for name in names:
        parts = [
            in_state(tables[name], scenario)
            for scenario, tables in found.items()
            if name in tables and len(tables[name])
        ]
        if parts:
            out[name] = _stacked(parts)
    return out


def _stacked(parts: Sequence[T]) -> T:
    if len(parts) == 1:
        return parts[0].reset_index(drop=True)
    return pd.concat(parts, ignore_index=True)
