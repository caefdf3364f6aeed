"""A proven bound for the p-median by Lagrangian relaxation, and good sites by interchange."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from riskmap.siting.interchange import Pairs, improved
from riskmap.siting.problem import CANDIDATE, EXCLUDED, EXISTING, Instance

if TYPE_CHECKING:
    from riskmap.siting.problem import Floats, Ints


@dataclass(frozen=True, kw_only=True)
class Node:
    """A part of the search: what is decided, and what its relaxation proves."""

    bound: float
    state: Ints
    """0 undecided, 1 open, 2 closed; (n facilities,)."""
    multipliers: Floats
    relaxed: float
    """Lagrangian value at the multipliers; less than the bound when a part above proves more."""
    often: Floats
    """Running share of turns in which each facility was picked."""


def root(instance: Instance, pairs: Pairs) -> Node:
    """Begin with nothing decided but the status of the facilities.

    Parameters
    ----------
    instance
        The instance.
    pairs
        Its pairs.

    Returns
    -------
    Node
        Multipliers halfway between each demand's two nearest facilities.
    """
    state = np.full(instance.n_facilities, CANDIDATE, np.int64)
    state[instance.status == EXISTING] = EXISTING
    state[instance.status == EXCLUDED] = EXCLUDED
    first, last = pairs.start[:-1], pairs.start[1:] - 1
    second = np.minimum(first + 1, last)
    return Node(
        bound=-np.inf,
        state=state,
        multipliers=(pairs.cost[first] + pairs.cost[second]) / 2,
        relaxed=-np.inf,
        often=np.zeros(instance.n_facilities),
    )


def decided(state: Ints, reduced: Floats, p: int, room: float) -> Ints:
    """Decide facilities that reduced costs prove closed, or open, in every better answer.

    Parameters
    ----------
    state
        State of each facility.
    reduced
        Reduced cost of opening each facility.
    p
        Number of sites.
    room
        How far the bound may rise without excluding a better answer.

    Returns
    -------
    ndarray
        The new state.
    """
    new = state.copy()
    free = np.flatnonzero(state == CANDIDATE)
    count = p - int((state == EXISTING).sum())
    order = free[np.argsort(reduced[free], kind="stable")]
    inside, outside = order[:count], order[count:]
    if inside.size and outside.size:
        new[outside[reduced[outside] - reduced[inside].max() > room]] = EXCLUDED
        new[inside[reduced[outside].min() - reduced[inside] > room]] = EXISTING
    if (new == EXISTING).sum() == p:
        new[new == CANDIDATE] = EXCLUDED
    elif (new != EXCLUDED).sum() == p:
        new[new == CANDIDATE] = EXISTING
    return new


@dataclass
class Best:
    """The best sites so far, and the bound from which on a part need not be searched."""

    value: float
    sites: Ints
    whole: bool
    """Whether every cost is a whole number, so that a better answer is better by 1."""

    @property
    def limit(self) -> float:
        """A part whose bound exceeds this has no better answer.

        Returns
        -------
        float
            In units of the cost.
        """
        if not np.isfinite(self.value):
            return np.inf
        return self.value - 1 + 1e-6 if self.whole else self.value - 1e-9 * abs(self.value)

    def take(self, value: float, sites: Ints) -> None:
        """Keep an answer if it is better.

        Parameters
        ----------
        value
            Its cost.
        sites
            Its sites.
        """
        if value < self.value - 1e-12 * abs(value):
            self.value, self.sites = float(value), sites

    def proven(self, bound: float) -> float:
        """Turn a relaxation's bound into the bound on the optimum that it proves.

        Parameters
        ----------
        bound
            Lagrangian bound.

        Returns
        -------
        float
            Rounded up for whole costs, at most the value.
        """
        return min(float(np.ceil(bound - 1e-6)) if self.whole else bound, self.value)


def lifted(
    pairs: Pairs,
    node: Node,
    p: int,
    best: Best,
    *,
    turns: int,
    step: float,
    patience: int,
    most: int = 200,
) -> tuple[Node, float]:
    r"""Raise the bound of a part, decide what its reduced costs prove, note better answers.

    .. math:: L(u) = \sum_i u_i + \min_{|S| = p} \sum_{j \in S} \sum_i \min(0, w_i c_{ij} - u_i)

    Parameters
    ----------
    pairs
        The pairs still in question.
    node
        The part.
    p
        Number of sites.
    best
        The best answer so far; changed when a better one is met.
    turns, step, patience
        Of the subgradient method.
    most
        Limit of the swaps that better the rounded answer.

    Returns
    -------
    tuple
        The part with its new bound, and the length of the last step.

    References
    ----------
    Cornuejols, Fisher & Nemhauser 1977, doi:10.1287/mnsc.23.8.789; Beasley 1985,
    doi:10.1016/0377-2217(85)90040-2.
    """
    from riskmap.siting.ascent import ascend

    often = node.often.copy()
    bound, u, reduced, value, picked, bettered, last = ascend(
        pairs.start,
        pairs.facility,
        pairs.cost,
        node.state,
        p,
        node.multipliers,
        often,
        best.value,
        best.limit,
        turns,
        step,
        patience,
    )
    if bettered:
        best.take(value, np.flatnonzero(picked))
    if best.value - bound > 1e-9 * abs(best.value):
        sites, cost = improved(pairs, node.state, rounded(node.state, often, p), max_swaps=most)
        best.take(cost, sites)
    bound = float(bound)
    after = replace(
        node,
        bound=max(node.bound, bound),
        state=decided(node.state, reduced, p, best.limit - bound),
        multipliers=u,
        relaxed=bound,
        often=often,
    )
    return after, float(last)


def rounded(state: Ints, often: Floats, p: int) -> Ints:
    """Open the facilities that the relaxation picked most often.

    Parameters
    ----------
    state
        State of each facility.
    often
        Running share of turns in which each was picked.
    p
        Number of sites.

    Returns
    -------
    ndarray
        Sites; (p,).
    """
    key = np.where(state == EXISTING, np.inf, np.where(state == EXCLUDED, -np.inf, often))
    return np.sort(np.argsort(-key, kind="stable")[:p])
