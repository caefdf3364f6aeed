"""Assignment with capacities where every demand stays together."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from riskmap.siting.allocation import allocate_split, served_solution
from riskmap.siting.problem import Instance, Solution, among
from riskmap.siting.solver import minimise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.siting.problem import Floats

MOST_CELLS = 20_000_000
"""Demands times facilities up to which answers are sought by shifts and exchanges."""
MOST_REPLACED = 100_000
"""Demands times facilities up to which the sites around demands are emptied and filled anew."""
ROUNDS, AROUND = 2000, 6
"""How often, and how many sites at once: 2 to 7 in turn."""
MOST_MODELLED = 4000
"""Pairs handed to HiGHS; those of higher reduced cost limit the bound that it proves."""
FEW_PAIRS = 6000
"""Pairs up to which the most served is sought by HiGHS when the quick search leaves a doubt."""


def solve_whole(
    near: Instance, *, time_limit: float | None, gap: float, max_nodes: int | None
) -> Solution:
    r"""Serve the most people, then with the least person-cost, every demand at one place.

    Split assignment, which is the linear relaxation, bounds both aims. Its unsplit part is
    completed by shifts and exchanges; pairs whose reduced cost excludes them from every better
    answer are dropped, and HiGHS decides the rest.

    .. math:: \text{LP} + c_{ij} s_i - u_i - s_i v_j - s_i t > \text{value}
              \;\Rightarrow\; x_{ij} = 0

    Parameters
    ----------
    near
        The pairs that may be used.
    time_limit
        Seconds; None for no limit.
    gap
        Relative gap at which to stop.
    max_nodes
        Nodes of the search tree after which to stop.

    Returns
    -------
    Solution
        Amounts are sizes.
    """
    deadline = time.perf_counter() + (np.inf if time_limit is None else time_limit)
    size = near.size[near.demand_of]
    near = among(near, (size > 0) & (size <= near.capacity[near.facility_of] + 1e-9))
    if near.cost.size == 0:
        return _shown(near, np.zeros(0, bool), proven=True, bound=None, most=0.0)
    size = near.size[near.demand_of]
    split = allocate_split(near)
    most = float((split.extra or {}).get("served", size.sum()))
    chosen = _completed(near, split, deadline)
    if size[chosen].sum() < most - 1e-6 and near.cost.size <= FEW_PAIRS:
        chosen, most = _most_served(near, chosen, most, deadline, max_nodes)
    served = float(size[chosen].sum())
    model = _model(near)
    floor, dual = _relaxed(near, model, served, deadline)
    value = float((near.cost * size)[chosen].sum())
    sure = served >= most - 1e-6
    if value - floor > max(gap, 1e-9) * max(value, 1e-9) and time.perf_counter() < deadline:
        chosen, floor = _cheapest(
            near, model, chosen, (floor, dual), deadline=deadline, gap=gap, max_nodes=max_nodes
        )
        value = float((near.cost * size)[chosen].sum())
    closed = value - floor <= 1e-9 * max(value, 1e-9)
    return _shown(near, chosen, proven=sure and closed, bound=min(floor, value), most=most)


def _shown(
    near: Instance, chosen: NDArray[np.bool_], *, proven: bool, bound: float | None, most: float
) -> Solution:
    amount = np.where(chosen, near.size[near.demand_of], 0.0)
    found = served_solution(near, amount, optimal=proven, bound=bound)
    return replace(found, extra={**(found.extra or {}), "served_bound": most})


def _completed(near: Instance, split: Solution, deadline: float) -> NDArray[np.bool_]:
    """Keep what the split assignment leaves together, place the rest, better it by exchanges."""
    n, m = near.n_demands, near.n_facilities
    chosen = np.zeros(near.cost.size, bool)
    whole_sizes = bool(np.all(near.size == np.round(near.size)))
    if n * (m + 1) > MOST_CELLS or not whole_sizes:
        return chosen
    from riskmap.siting.packing import complete, replaced

    size = near.size.astype(np.int64)
    total = int(size.sum())
    far = (float(near.cost.max()) + 1.0) * max(total, 1)
    cost = np.full((n, m + 1), np.inf)
    cost[near.demand_of, near.facility_of] = near.cost * near.size[near.demand_of]
    cost[:, m] = far * near.size
    room = np.r_[np.floor(np.minimum(near.capacity, total)).astype(np.int64), total]
    place = np.full(n, -1, np.int64)
    together = split.amount >= near.size[split.demand_of] - 1e-6
    place[split.demand_of[together]] = split.facility_of[together]
    every = np.arange(m + 1)
    complete(cost, size, room, every, place, 1)
    if n * m <= MOST_REPLACED and not bool(together.all()):
        until = time.perf_counter() + 0.5 * (deadline - time.perf_counter())
        centres = np.random.default_rng(0).integers(0, n, ROUNDS)
        for some in np.array_split(centres, ROUNDS // 100):
            replaced(cost, size, room, every, place, some, AROUND)
            if time.perf_counter() > until:
                break
    return np.asarray(place[near.demand_of] == near.facility_of)


def _model(near: Instance) -> tuple[Any, Floats]:
    """Rows: each demand once, each facility within its places, enough served; and their limits."""
    n, m, k = near.n_demands, near.n_facilities, near.cost.size
    size, pairs = near.size[near.demand_of], np.arange(k)
    rows = sparse.vstack(
        [
            sparse.csr_matrix((np.ones(k), (near.demand_of, pairs)), shape=(n, k)),
            sparse.csr_matrix((size, (near.facility_of, pairs)), shape=(m, k)),
            sparse.csr_matrix(size),
        ],
        format="csc",
    )
    return rows, np.r_[np.ones(n), near.capacity, np.inf]


def _left(deadline: float) -> float | None:
    return None if np.isinf(deadline) else max(deadline - time.perf_counter(), 0.01)


def _most_served(
    near: Instance,
    chosen: NDArray[np.bool_],
    most: float,
    deadline: float,
    max_nodes: int | None,
) -> tuple[NDArray[np.bool_], float]:
    """Seek the most people served, whatever the cost: the pairs and the proven most."""
    rows, upper = _model(near)
    size = near.size[near.demand_of]
    answer = minimise(
        -size,
        rows,
        np.full(upper.size, -np.inf),
        upper,
        upper=np.ones(size.size),
        integer=np.ones(size.size, bool),
        time_limit=_left(deadline),
        max_nodes=max_nodes,
        start=chosen.astype(np.float64),
    )
    if answer.x is not None and size[answer.x > 0.5].sum() > size[chosen].sum():
        chosen = answer.x > 0.5
    return chosen, min(most, -answer.bound if np.isfinite(answer.bound) else most)


def _relaxed(
    near: Instance, model: tuple[Any, Floats], served: float, deadline: float
) -> tuple[float, Floats | None]:
    """Solve the linear relaxation that serves as many: its value and duals."""
    rows, upper = model
    lower = np.r_[np.full(upper.size - 1, -np.inf), served - 1e-6]
    answer = minimise(
        near.size[near.demand_of] * near.cost,
        rows,
        lower,
        upper,
        upper=np.ones(near.cost.size),
        time_limit=_left(deadline),
    )
    return (answer.objective, answer.row_dual) if answer.optimal else (0.0, None)


def _cheapest(
    near: Instance,
    model: tuple[Any, Floats],
    chosen: NDArray[np.bool_],
    relaxed: tuple[float, Floats | None],
    *,
    deadline: float,
    gap: float,
    max_nodes: int | None,
) -> tuple[NDArray[np.bool_], float]:
    """Lower the cost among the pairs still in question: the pairs and the proven bound."""
    rows, upper = model
    floor, dual = relaxed
    spent = near.size[near.demand_of] * near.cost
    value = float(spent[chosen].sum())
    kept, room = np.ones(spent.size, bool), np.inf
    if dual is not None:
        reduced = spent - rows.T @ dual
        room = value - floor + 1e-6 * max(abs(value), 1.0)
        if (reduced <= room).sum() > MOST_MODELLED:
            room = float(np.partition(reduced, MOST_MODELLED)[MOST_MODELLED])
        kept = (reduced <= room) | chosen
    served = float(near.size[near.demand_of][chosen].sum())
    answer = minimise(
        spent[kept],
        rows[:, np.flatnonzero(kept)],
        np.r_[np.full(upper.size - 1, -np.inf), served - 1e-6],
        upper,
        upper=np.ones(int(kept.sum())),
        integer=np.ones(int(kept.sum()), bool),
        time_limit=_left(deadline),
        gap=gap,
        max_nodes=max_nodes,
        start=chosen[kept].astype(np.float64),
    )
    if answer.x is not None and answer.objective <= value:
        chosen = np.zeros(spent.size, bool)
        chosen[np.flatnonzero(kept)[answer.x > 0.5]] = True
    bound = answer.bound if np.isfinite(answer.bound) else floor
    # An answer with a pair that was left out costs more than the relaxation and its reduced cost.
    return chosen, max(floor, min(bound, floor + room))
