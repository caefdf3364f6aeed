"""What the covering models share: the matrix, the limits, the recount."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from riskmap.errors import UsageError
from riskmap.i18n import text
from riskmap.siting.problem import (
    EXCLUDED,
    EXISTING,
    Instance,
    Solution,
    nearest_open,
)

if TYPE_CHECKING:
    from riskmap.siting.problem import Floats, Ints


def coverage(instance: Instance) -> Any:
    """Make the 0/1 matrix of demands and the facilities that reach them.

    Parameters
    ----------
    instance
        The instance, cut to the radius.

    Returns
    -------
    csr_matrix
        Shape (n demands, n facilities).
    """
    ones = np.ones(instance.cost.size)
    shape = (instance.n_demands, instance.n_facilities)
    return sparse.csr_matrix((ones, (instance.demand_of, instance.facility_of)), shape=shape)


def limits(instance: Instance) -> tuple[Floats, Floats]:
    """Give the lower and upper limit of each facility's open/closed variable.

    Parameters
    ----------
    instance
        The instance.

    Returns
    -------
    tuple
        Shape (n facilities,) each.
    """
    lower = (instance.status == EXISTING).astype(np.float64)
    upper = (instance.status != EXCLUDED).astype(np.float64)
    return lower, upper


def check_p(instance: Instance, p: int | None) -> int:
    """Check the number of sites against what can be opened.

    Parameters
    ----------
    instance
        The instance.
    p
        Number of open sites, existing ones included.

    Returns
    -------
    int
        The number.

    Raises
    ------
    UsageError
        When it is missing, below 1, more than can be opened or fewer than must stay open.
    """
    if p is None or p < 1:
        raise UsageError(text("this model needs --p, a number of sites of at least 1"))
    usable = int((instance.status != EXCLUDED).sum())
    fixed = int((instance.status == EXISTING).sum())
    if p > usable:
        raise UsageError(
            text("--p {p} is more than the {n} facilities that may be opened", p=p, n=usable)
        )
    if p < fixed:
        raise UsageError(
            text("--p {p} is fewer than the {n} existing facilities that stay open", p=p, n=fixed)
        )
    return p


def assign_nearest(instance: Instance, opened: Ints) -> tuple[Ints, Ints, Floats, Ints]:
    """Assign every demand to its nearest open facility.

    Parameters
    ----------
    instance
        The instance.
    opened
        Open facilities.

    Returns
    -------
    tuple
        Demand, facility and weight of each assignment, and the demands that reach none.
    """
    facility, _ = nearest_open(instance, opened)
    served = np.flatnonzero(facility >= 0)
    return served, facility[served], instance.weight[served], np.flatnonzero(facility < 0)


def solution_of(
    instance: Instance,
    opened: Ints,
    *,
    model: str,
    objective: float,
    bound: float,
    optimal: bool,
    extra: dict[str, object] | None = None,
) -> Solution:
    """Count a choice of sites anew from the pairs and put it into a `Solution`.

    Parameters
    ----------
    instance
        The instance, cut to the radius.
    opened
        Open facilities.
    model
        Name of the model.
    objective, bound
        Value and proven bound.
    optimal
        Whether the bound proves the value.
    extra
        Further published figures.

    Returns
    -------
    Solution
        With each demand assigned to its nearest open facility.
    """
    demand, facility, amount, uncovered = assign_nearest(instance, opened)
    return Solution(
        model=model,
        status="optimal" if optimal else "feasible",
        objective=objective,
        bound=objective if optimal else bound,
        open=np.sort(opened),
        demand_of=demand,
        facility_of=facility,
        amount=amount,
        uncovered=uncovered,
        extra=dict(extra or {}),
    )
