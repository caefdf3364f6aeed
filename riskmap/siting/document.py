"""A solution as the JSON document of the command line, counted anew from the pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from riskmap.siting.allocation import mend

if TYPE_CHECKING:
    from riskmap.siting.problem import Instance, Solution


def located(instance: Instance, solution: Solution, *, seconds: float) -> dict[str, Any]:
    """Show a location model's answer.

    Parameters
    ----------
    instance
        The instance.
    solution
        The answer.
    seconds
        Time taken [s].

    Returns
    -------
    dict
        The document of ``riskmap locate --json``.
    """
    served = np.zeros(instance.n_demands, bool)
    served[solution.demand_of] = True
    served[solution.uncovered] = False
    total = float(instance.weight.sum())
    covered = float(instance.weight[served].sum())
    if solution.model == "c-mclp" and solution.objective is not None:
        covered = solution.objective
    document = {
        **_head(instance, solution),
        "covered_weight": _plain(covered),
        "total_weight": _plain(total),
        "covered_share": covered / total if total > 0 else 0.0,
        "covered_count_share": float(served.mean()) if served.size else 0.0,
        "uncovered": [instance.demands[i] for i in solution.uncovered],
        "reason": solution.reason,
        "seconds": round(seconds, 4),
    }
    extra = solution.extra or {}
    return document | {key: value for key, value in extra.items() if key != "shortfall"}


def allocated(instance: Instance, solution: Solution, *, seconds: float) -> dict[str, Any]:
    """Show an assignment.

    Parameters
    ----------
    instance
        The instance.
    solution
        The answer.
    seconds
        Time taken [s].

    Returns
    -------
    dict
        The document of ``riskmap allocate --json``.
    """
    extra = solution.extra or {}
    served, total = float(extra.get("served", 0.0)), float(instance.size.sum())
    short = np.asarray(extra.get("shortfall", np.zeros(instance.n_demands)))
    return {
        **located(instance, solution, seconds=seconds),
        "covered_weight": _plain(served),
        "total_weight": _plain(total),
        "covered_share": served / total if total > 0 else 1.0,
        "served": _plain(served),
        "shortfall": [
            {"demand": instance.demands[i], "amount": _plain(float(short[i]))}
            for i in np.flatnonzero(short > 0)
        ],
        "mend": mend(instance, solution),
    }


def _head(instance: Instance, solution: Solution) -> dict[str, Any]:
    return {
        "model": solution.model,
        "status": solution.status,
        "objective": None if solution.objective is None else _plain(solution.objective),
        "bound": None if solution.bound is None else _plain(solution.bound),
        "gap": solution.gap,
        "facilities": [instance.facilities[j] for j in solution.open],
        "assignment": [
            {
                "demand": instance.demands[i],
                "facility": instance.facilities[j],
                "amount": _plain(float(amount)),
            }
            for i, j, amount in zip(
                solution.demand_of, solution.facility_of, solution.amount, strict=True
            )
        ],
    }


def _plain(value: float) -> float | int:
    """Show a whole number without a fraction."""
    return int(value) if float(value).is_integer() and abs(value) < 2**53 else float(value)
