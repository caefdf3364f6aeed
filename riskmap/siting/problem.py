"""An instance (demands, facilities, sparse costs) and its model straight into HiGHS."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


CANDIDATE, EXISTING, EXCLUDED = 0, 1, 2
STATUS_CODES = {"candidate": CANDIDATE, "existing": EXISTING, "excluded": EXCLUDED}
Status = Literal["optimal", "feasible", "infeasible", "unknown"]
"""``unknown``: the limit ended the search with neither an answer nor a proof that none is."""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """Demands, facilities and the pairs that can reach each other.

    ``demand_of[k]``, ``facility_of[k]``, ``cost[k]`` is pair ``k``; pairs are sorted by demand,
    then cost, then facility, and no pair stands twice. A missing pair is unreachable.
    """

    demands: tuple[str, ...]
    facilities: tuple[str, ...]
    demand_of: Ints
    facility_of: Ints
    cost: Floats
    weight: Floats
    """Multiplies cost; (n demands,)."""
    size: Floats
    """Uses capacity; (n demands,)."""
    capacity: Floats
    """Capacity of each facility, infinite when not given; (n facilities,)."""
    status: Ints
    """0 candidate, 1 existing (must stay open), 2 excluded; (n facilities,)."""

    @property
    def n_demands(self) -> int:
        """Number of demands."""
        return len(self.demands)

    @property
    def n_facilities(self) -> int:
        """Number of facilities."""
        return len(self.facilities)


@dataclass(frozen=True, kw_only=True)
class Solution:
    """What a model chose, with the proof of how good it is."""

    model: str
    status: Status
    objective: float | None
    bound: float | None
    """A proven bound on the optimum: never worse than it."""
    open: Ints
    """Indices of the open facilities, sorted."""
    demand_of: Ints
    facility_of: Ints
    amount: Floats
    """Assignment: demand, facility, amount (sizes when there are capacities, else weights)."""
    uncovered: Ints
    reason: str = ""
    extra: dict[str, Any] | None = None

    @property
    def gap(self) -> float | None:
        """Proven gap, |objective - bound| / max(|objective|, 1e-9)."""
        if self.objective is None or self.bound is None:
            return None
        return abs(self.objective - self.bound) / max(abs(self.objective), 1e-9)


def make_instance(
    *,
    demand_of: Any,
    facility_of: Any,
    cost: Any,
    demands: tuple[str, ...],
    facilities: tuple[str, ...],
    weight: Any = None,
    size: Any = None,
    capacity: Any = None,
    status: Any = None,
) -> Instance:
    """Put an instance into its canonical order.

    Parameters
    ----------
    demand_of, facility_of, cost
        The pairs; indices into ``demands`` and ``facilities``, and the cost of each.
    demands, facilities
        Names.
    weight
        Weight of each demand; 1 by default.
    size
        Size of each demand; its weight by default.
    capacity
        Capacity of each facility; infinite by default.
    status
        0 candidate, 1 existing, 2 excluded; candidate by default.

    Returns
    -------
    Instance
        With pairs of excluded facilities left out and pairs sorted.

    Examples
    --------
    >>> make_instance(demand_of=[0, 0], facility_of=[0, 1], cost=[5, 3],
    ...               demands=("a",), facilities=("x", "y")).cost
    array([3., 5.])
    """
    n, m = len(demands), len(facilities)
    state = np.zeros(m, np.int64) if status is None else np.asarray(status, np.int64)
    rows = np.asarray(demand_of, np.int64)
    cols = np.asarray(facility_of, np.int64)
    costs = np.asarray(cost, np.float64)
    kept = np.isfinite(costs) & (state[cols] != EXCLUDED)
    rows, cols, costs = rows[kept], cols[kept], costs[kept]
    order = np.lexsort((cols, costs, rows))
    w = np.ones(n) if weight is None else np.asarray(weight, np.float64)
    return Instance(
        demands=demands,
        facilities=facilities,
        demand_of=rows[order],
        facility_of=cols[order],
        cost=costs[order],
        weight=w,
        size=w if size is None else np.asarray(size, np.float64),
        capacity=np.full(m, np.inf) if capacity is None else np.asarray(capacity, np.float64),
        status=state,
    )


def within(instance: Instance, radius: float | None) -> Instance:
    """Keep the pairs within a radius, inclusive.

    Parameters
    ----------
    instance
        The instance.
    radius
        Largest cost; None keeps all.

    Returns
    -------
    Instance
        With fewer pairs.
    """
    if radius is None:
        return instance
    return among(instance, instance.cost <= radius)


def among(instance: Instance, kept: NDArray[np.bool_]) -> Instance:
    """Keep some of the pairs.

    Parameters
    ----------
    instance
        The instance.
    kept
        True for each pair that stays, shape (pairs,).

    Returns
    -------
    Instance
        With all demands and facilities.
    """
    return replace(
        instance,
        demand_of=instance.demand_of[kept],
        facility_of=instance.facility_of[kept],
        cost=instance.cost[kept],
    )


def nearest_open(instance: Instance, opened: Ints) -> tuple[Ints, Floats]:
    """Find the nearest open facility of every demand, by counting anew from the pairs.

    Parameters
    ----------
    instance
        The instance.
    opened
        Indices of open facilities.

    Returns
    -------
    tuple
        Facility index (-1 when none can be reached) and cost (infinite then) of each demand.
    """
    is_open = np.zeros(instance.n_facilities, bool)
    is_open[opened] = True
    usable = np.flatnonzero(is_open[instance.facility_of])
    rows = instance.demand_of[usable]
    first = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]]) if rows.size else rows
    facility = np.full(instance.n_demands, -1, np.int64)
    cost = np.full(instance.n_demands, np.inf)
    facility[rows[first]] = instance.facility_of[usable[first]]
    cost[rows[first]] = instance.cost[usable[first]]
    return facility, cost


def times_covered(instance: Instance, opened: Ints) -> Ints:
    """Count the open facilities that each demand can reach.

    Parameters
    ----------
    instance
        The instance, already cut to the radius.
    opened
        Indices of open facilities.

    Returns
    -------
    ndarray
        Number of open facilities in reach; (n demands,).
    """
    is_open = np.zeros(instance.n_facilities)
    is_open[opened] = 1
    counts = np.bincount(
        instance.demand_of, weights=is_open[instance.facility_of], minlength=instance.n_demands
    )
    return counts.astype(np.int64)


def filled(instance: Instance, opened: Ints, p: int) -> Ints:
    """Open further usable facilities until there are ``p``.

    Parameters
    ----------
    instance
        The instance.
    opened
        Open facilities, at most ``p``.
    p
        Number of sites.

    Returns
    -------
    ndarray
        Open facilities; (p,).
    """
    is_open = np.zeros(instance.n_facilities, bool)
    is_open[opened] = True
    spare = np.flatnonzero(~is_open & (instance.status != EXCLUDED))
    return np.sort(np.r_[opened, spare[: p - opened.size]])


@dataclass(frozen=True)
class Answer:
    """What HiGHS found: ``x`` is None when nothing feasible was found."""

    x: Floats | None
    objective: float
    bound: float
    optimal: bool
    infeasible: bool
    row_dual: Floats | None = None


def stack(blocks: list[list[Any]]) -> Any:
    """Join blocks of a constraint matrix; None is an empty block.

    Parameters
    ----------
    blocks
        Rows of blocks.

    Returns
    -------
    csr_matrix
        The matrix.
    """
    return sparse.csr_matrix(sparse.bmat(blocks))


def minimise(
    cost: Floats,
    matrix: Any,
    row_lower: Floats,
    row_upper: Floats,
    *,
    upper: Floats,
    lower: Floats | None = None,
    integer: NDArray[np.bool_] | None = None,
    time_limit: float | None = None,
    gap: float = 0.0,
    max_nodes: int | None = None,
    start: Floats | None = None,
    target: float | None = None,
) -> Answer:
    """Minimise ``cost @ x`` subject to ``row_lower <= matrix @ x <= row_upper``.

    Parameters
    ----------
    cost
        Objective coefficients; (n,).
    matrix
        Constraint matrix; (m, n).
    row_lower, row_upper
        Limits of the rows; (m,).
    upper, lower
        Limits of the variables; (n,); lower is 0 by default.
    integer
        True where a variable must be whole; (n,).
    time_limit
        Seconds; None for no limit.
    gap
        Relative gap at which to stop.
    max_nodes
        Nodes of the search tree after which to stop (repeatable, unlike a clock).
    start
        A feasible solution to begin with.
    target
        Stop as soon as a solution is at most this, or none can be.

    Returns
    -------
    Answer
        The solution with a proven bound.
    """
    import highspy

    highs = loaded(cost, matrix, row_lower, row_upper, upper=upper, lower=lower, integer=integer)
    whole = integer is not None and bool(np.any(integer))
    highs.setOptionValue("mip_rel_gap", max(gap, 0.0))
    highs.setOptionValue("mip_abs_gap", 1e-9)
    if time_limit is not None:
        highs.setOptionValue("time_limit", float(max(time_limit, 0.01)))
    if max_nodes is not None:
        highs.setOptionValue("mip_max_nodes", int(max_nodes))
    if target is not None:
        highs.setOptionValue("objective_target", float(target))
    if start is not None and whole:
        solution = highspy.HighsSolution()
        solution.col_value = list(start)
        highs.setSolution(solution)
    with _unprinted():
        highs.run()
    return _answer(highs, highspy, whole=whole)


@contextmanager
def _unprinted() -> Iterator[None]:
    """Keep what HiGHS prints, silent or not, out of standard output, which may be one JSON."""
    try:
        sys.stdout.flush()
        kept = os.dup(1)
    except (AttributeError, OSError, ValueError):  # no standard output
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def loaded(
    cost: Floats,
    matrix: Any,
    row_lower: Floats,
    row_upper: Floats,
    *,
    upper: Floats,
    lower: Floats | None = None,
    integer: NDArray[np.bool_] | None = None,
) -> Any:
    """Hand a model to HiGHS, up to the point where it may start.

    Parameters
    ----------
    cost, matrix, row_lower, row_upper, upper, lower, integer
        As for `minimise`.

    Returns
    -------
    highspy.Highs
        With the model, silent, on one thread.
    """
    import highspy

    n = cost.size
    model = highspy.HighsLp()
    columns = matrix.tocsc()
    model.num_col_, model.num_row_ = n, matrix.shape[0]
    model.col_cost_ = cost
    model.col_lower_ = np.zeros(n) if lower is None else lower
    model.col_upper_ = upper
    model.row_lower_, model.row_upper_ = row_lower, row_upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = columns.indptr
    model.a_matrix_.index_ = columns.indices
    model.a_matrix_.value_ = columns.data.astype(np.float64)
    if integer is not None and bool(np.any(integer)):
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        model.integrality_ = [kinds[int(flag)] for flag in integer]
    highs = highspy.Highs()
    highs.silent()
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("random_seed", 0)
    highs.passModel(model)
    return highs


def _answer(highs, highspy, *, whole: bool) -> Answer:  # type: ignore[no-untyped-def]  # noqa: ANN001
    state = highs.getModelStatus()
    info = highs.getInfo()
    infeasible = state in (
        highspy.HighsModelStatus.kInfeasible,
        highspy.HighsModelStatus.kUnboundedOrInfeasible,
    )
    optimal = state == highspy.HighsModelStatus.kOptimal
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    solution = highs.getSolution()
    objective = float(info.objective_function_value)
    bound = float(info.mip_dual_bound) if whole else (objective if optimal else -np.inf)
    return Answer(
        x=np.asarray(solution.col_value) if found else None,
        objective=objective if found else np.inf,
        bound=bound,
        optimal=optimal,
        infeasible=infeasible,
        row_dual=None if whole or not optimal else np.asarray(solution.row_dual),
    )
