"""Good answers to the capacitated p-median: assignments to chosen sites, medians, swaps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from riskmap.siting.problem import EXCLUDED, EXISTING, Instance

if TYPE_CHECKING:
    from riskmap.siting.problem import Floats, Ints

MOST_TRIES = 25
"""Choices of sites for which the best assignment is sought."""
TOP_SWAPS = 10
"""Swaps of one round whose best assignment is sought."""


def _greedy_costs(near: Instance, cost: Floats, sets: Ints) -> Floats:
    """Cost of a greedy assignment to each set of sites, large demands first; (sets,)."""
    left = np.minimum(near.capacity, near.size.sum())[sets]
    total = np.zeros(len(sets))
    every = np.arange(len(sets))
    far = float(cost[np.isfinite(cost)].max(initial=0.0)) * 2 + 1
    for i in np.argsort(-near.size, kind="stable"):
        price = np.where(left >= near.size[i], cost[i, sets], np.inf)
        pick = np.argmin(price, axis=1)
        least = price[every, pick]
        placed = np.isfinite(least)
        total += np.where(placed, least, far)
        left[every[placed], pick[placed]] -= near.size[i]
    return total


class BestAnswer:
    """The best answer so far; tries sites, then better medians of the groups that result.

    Parameters
    ----------
    near
        The instance.
    p
        Number of sites.
    seconds
        Time limit of one assignment [s].
    """

    def __init__(self, near: Instance, p: int, seconds: float) -> None:
        self.near, self.p, self.limit = near, p, seconds
        self.value = np.inf
        self.open = np.zeros(0, np.int64)
        self.facility = np.full(near.n_demands, -1, np.int64)
        self.tried: set[bytes] = set()

    def attempt(self, chosen: Ints) -> None:
        """Assign to the chosen sites, move each to the middle of its group, and again.

        Parameters
        ----------
        chosen
            Sites, shape (p,).
        """
        for _ in range(6):
            key = np.sort(chosen).tobytes()
            if key in self.tried or len(self.tried) >= MOST_TRIES:
                return
            self.tried.add(key)
            facility = self._assign(chosen)
            if facility is None:
                return
            chosen = self._middles(chosen, facility)

    def search(self, cost: Floats) -> None:
        """Swap sites while that helps; a greedy assignment tells which swaps deserve a try.

        Parameters
        ----------
        cost
            Cost of every demand at every site, shape (n, m).
        """
        near = self.near
        if not np.isfinite(self.value):
            return
        while True:
            before = self.value
            leave = self.open[near.status[self.open] != EXISTING]
            enter = np.flatnonzero(near.status != EXCLUDED)
            enter = enter[~np.isin(enter, self.open)]
            if not leave.size or not enter.size:
                return
            out, into = (part.ravel() for part in np.meshgrid(leave, enter))
            sets = np.repeat(self.open[None, :], out.size, axis=0)
            sets = np.sort(np.where(sets == out[:, None], into[:, None], sets), axis=1)
            likely = np.argsort(_greedy_costs(near, cost, sets), kind="stable")
            tries = 0
            for row in likely:
                key = sets[row].tobytes()
                if key in self.tried or cost[:, sets[row]].min(axis=1).sum() >= self.value:
                    continue
                self.tried.add(key)
                self._assign(sets[row])
                tries += 1
                if tries >= TOP_SWAPS or self.value < before - 1e-9:
                    break
            if not self.value < before - 1e-9:
                return

    def _assign(self, chosen: Ints) -> Ints | None:
        shut = np.full(self.near.n_facilities, EXCLUDED)
        shut[chosen] = self.near.status[chosen]
        open_pair = shut[self.near.facility_of] != EXCLUDED
        part = replace(
            self.near,
            demand_of=self.near.demand_of[open_pair],
            facility_of=self.near.facility_of[open_pair],
            cost=self.near.cost[open_pair],
            status=shut,
        )
        weighted = self._least(part)
        if weighted is None:
            return None
        facility, value = weighted
        if value < self.value - 1e-9:
            self.value, self.open, self.facility = value, np.sort(chosen), facility
        return facility

    def _least(self, part: Instance) -> tuple[Ints, float] | None:
        from scipy import sparse

        from riskmap.siting.solver import minimise

        n, m, k = part.n_demands, part.n_facilities, part.cost.size
        pairs = np.arange(k)
        cost = part.weight[part.demand_of] * part.cost
        size = part.size[part.demand_of]
        serve = sparse.csr_matrix((np.ones(k), (part.demand_of, pairs)), shape=(n, k))
        load = sparse.csr_matrix((size, (part.facility_of, pairs)), shape=(m, k))
        answer = minimise(
            cost,
            sparse.vstack([serve, load], format="csr"),
            np.r_[np.ones(n), np.full(m, -np.inf)],
            np.r_[np.ones(n), part.capacity],
            upper=np.ones(k),
            integer=np.ones(k, bool),
            gap=0.002,
            max_nodes=300,
            time_limit=self.limit / 5,
        )
        if answer.x is None:
            return None
        used = np.flatnonzero(answer.x > 0.5)
        facility = np.full(n, -1, np.int64)
        facility[part.demand_of[used]] = part.facility_of[used]
        return facility, float(cost[used].sum())

    def _middles(self, chosen: Ints, facility: Ints) -> Ints:
        """Move every site that may move to the place with the least cost for its group."""
        near = self.near
        group = facility[near.demand_of]
        position = np.full(near.n_facilities, -1)
        position[chosen] = np.arange(chosen.size)
        g = position[group]
        pair_cost = near.weight[near.demand_of] * near.cost
        total = np.full((chosen.size, near.n_facilities), np.inf)
        count = np.zeros(total.shape)
        spent = np.zeros(total.shape)
        np.add.at(count, (g, near.facility_of), 1)
        np.add.at(spent, (g, near.facility_of), pair_cost)
        members = np.bincount(position[facility], minlength=chosen.size)
        load = np.bincount(position[facility], weights=near.size, minlength=chosen.size)
        fine = (count == members[:, None]) & (load[:, None] <= near.capacity[None, :])
        fine[:, near.status == EXCLUDED] = False
        total[fine] = spent[fine]
        new = chosen.copy()
        for k in range(chosen.size):
            if near.status[chosen[k]] == EXISTING or members[k] == 0:
                continue
            total[k, np.delete(new, k)] = np.inf
            if np.isfinite(total[k]).any():
                new[k] = int(np.argmin(total[k]))
        return np.sort(new)
