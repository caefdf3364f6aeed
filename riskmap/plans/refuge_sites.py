"""Where to open or build next, for the people without a place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskmap.plans.candidates import thin
from riskmap.plans.refuge_eligibility import Dangers, place_checks
from riskmap.plans.refuge_roads import Net, ways
from riskmap.siting.capacitated import c_mclp
from riskmap.siting.problem import Instance, Solution, make_instance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.plans.refuge_options import RefugeOptions
    from riskmap.presets.load import Presets

MOST_CANDIDATES = 400
MOST_NODES = 2000
DRAWS = 20
SPREAD = 0.2
"""Standard deviation of the noise on people, as a share."""


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """New sites, with the proof."""

    table: pd.DataFrame
    """order, site, x, y, places, people, chosen_of_draws."""
    xy: NDArray[np.float64]
    served: float
    bound: float | None
    gap: float | None
    status: str
    tried: int
    """Candidates that were left after the checks."""


def propose(
    origins: NDArray[np.float64],
    shortfall: NDArray[np.float64],
    *,
    candidates: NDArray[np.float64],
    names: list[str],
    dangers: Dangers,
    net: Net,
    presets: Presets,
    options: RefugeOptions,
    seed: int,
) -> Proposed | None:
    r"""Choose sites on foot from people without a place, outside every danger.

    Capacitated maximal covering: as many people as possible find a place within the longest walk,
    no site larger than ``refuge.new_site_persons``.

    Parameters
    ----------
    origins, shortfall
        Groups and their people without a place.
    candidates, names
        Places that might be opened.
    dangers
        What they must keep clear of.
    net
        Roads on foot.
    presets
        Size of a site.
    options
        Number of sites and seconds.
    seed
        Seed of the draws.

    Returns
    -------
    Proposed or None
        None when nobody is short, no site is wanted or no candidate is left.

    References
    ----------
    Current & Storbeck 1988, doi:10.1068/b150153.
    """
    lacking = np.flatnonzero(shortfall > 0)
    if not lacking.size or options.new_sites < 1 or not len(candidates):
        return None
    free = np.ones(len(candidates), bool)
    for verdict in place_checks(candidates, dangers, presets=presets):
        free &= verdict.passed
    rows = np.flatnonzero(free & net.snap(candidates).on)
    pairs = ways((net,), origins[lacking], candidates[rows])
    if not len(pairs):
        return None
    inside, facility = np.unique(pairs["refuge"].to_numpy(np.int64), return_inverse=True)
    weight = shortfall[lacking][pairs["demand"].to_numpy(np.int64)]
    reach = np.bincount(facility, weights=weight).astype(np.float64)
    keep = thin(candidates[rows[inside]], reach, MOST_CANDIDATES)
    place = np.full(inside.size, -1)
    place[keep] = np.arange(keep.size)
    used = place[facility] >= 0
    size = float(presets["refuge.new_site_persons"])
    instance = make_instance(
        demand_of=pairs["demand"].to_numpy(np.int64)[used],
        facility_of=place[facility][used],
        cost=pairs["seconds"].to_numpy()[used],
        demands=tuple(map(str, lacking)),
        facilities=tuple(names[i] for i in rows[inside[keep]]),
        weight=shortfall[lacking],
        capacity=np.full(keep.size, size),
    )
    k = min(options.new_sites, keep.size)
    solve = partial(c_mclp, radius=net.limit_s, time_limit=options.time_limit, max_nodes=MOST_NODES)
    found, got, k = _fewest(instance, solve, k)
    times = _stability(instance, partial(solve, p=k), seed)
    order = np.argsort(-got[found.open], kind="stable")
    chosen = found.open[order]
    xy = candidates[rows[inside[keep[chosen]]]]
    table = _table(instance, found, got, times, chosen, xy)
    return Proposed(
        table=table,
        xy=xy,
        served=float(found.objective or 0.0),
        bound=found.bound,
        gap=found.gap,
        status=found.status,
        tried=int(rows.size),
    )


def _stability(
    instance: Instance, solve: Callable[[Instance], Solution], seed: int
) -> NDArray[np.int64]:
    """Count how often each site is chosen when the numbers of people are noisy."""
    rng = np.random.default_rng(seed)
    times = np.zeros(instance.n_facilities, np.int64)
    for _ in range(DRAWS):
        noisy = instance.size * np.exp(rng.normal(0.0, SPREAD, instance.size.size))
        drawn = solve(replace(instance, weight=noisy, size=noisy))
        times[drawn.open] += 1
    return times


def _fewest(
    instance: Instance, solve: Callable[..., Solution], k: int
) -> tuple[Solution, NDArray[np.float64], int]:
    """Solve with at most k sites, and with fewer as long as some stand empty."""
    while True:
        found = solve(instance, p=k)
        got = np.bincount(
            found.facility_of, weights=found.amount, minlength=instance.n_facilities
        ).astype(np.float64)
        needed = int((got > 0).sum())
        if not 0 < needed < k:
            return found, got, k
        k = needed


def _table(
    instance: Instance,
    found: Solution,
    got: NDArray[np.float64],
    times: NDArray[np.int64],
    chosen: NDArray[np.int64],
    xy: NDArray[np.float64],
) -> pd.DataFrame:
    """Set the chosen sites beside each other, the one that serves most first."""
    groups = np.bincount(found.facility_of, minlength=instance.n_facilities)
    return pd.DataFrame(
        {
            "order": np.arange(1, chosen.size + 1),
            "site": [instance.facilities[j] for j in chosen],
            "x": xy[:, 0],
            "y": xy[:, 1],
            "places": np.ceil(got[chosen]).astype(np.int64),
            "groups": groups[chosen],
            "chosen_of_draws": times[chosen],
            "draws": DRAWS,
        }
    )
