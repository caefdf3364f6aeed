"""Where to open or build next: candidates clear of every danger, chosen by a location model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskmap.i18n import Text
from riskmap.plans.candidates import thin
from riskmap.plans.refuge_dangers import Dangers, Spots, place_checks
from riskmap.plans.refuge_options import phases
from riskmap.plans.refuge_phases import Chosen, choose, stability
from riskmap.plans.refuge_roads import Net, ways
from riskmap.siting.problem import CANDIDATE, EXISTING, Instance, make_instance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.plans.refuge_options import RefugeOptions
    from riskmap.presets.load import Presets

    Floats = NDArray[np.float64]

MOST_CANDIDATES = 400
BOUNDLESS = ("p-median", "p-center", "c-p-median")
"""Models that weigh every distance; the others count who is within the longest walk."""


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """New sites, with the proof."""

    table: pd.DataFrame
    """order, phase, site, village, town, x, y, places, groups, chosen_of_draws, chosen_near,
    draws."""
    proof: pd.DataFrame
    """One row a phase: model, objective, counted, bound, gap, status, candidates, left_out."""
    xy: Floats
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Who needs a place, and who has one."""

    origins: Floats
    people: Floats
    """People of each group."""
    shortfall: Floats
    """Of these without a place."""
    refuges: Floats
    """Places of the refuges in use [m]."""
    room: Floats
    """Their places for people."""


def propose(
    wanted: Wanted,
    *,
    candidates: Floats,
    names: list[str],
    dangers: Dangers,
    net: Net,
    presets: Presets,
    options: RefugeOptions,
    seed: int,
) -> Proposed | None:
    r"""Choose new sites, outside every danger, by the model that the project names.

    ``c-mclp`` finds places for as many people without one as it can within the longest walk. The
    other models weigh all who move and keep the refuges in use. No new site is larger than
    ``refuge.new_site_persons``.

    Parameters
    ----------
    wanted
        Groups and refuges in use.
    candidates, names
        Places that might be opened.
    dangers
        What they must keep clear of.
    net
        Roads on foot.
    presets
        Size of a site.
    options
        Model, number of sites by phase, draws and seconds.
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
    short = options.site_model == "c-mclp"
    people = wanted.shortfall if short else wanted.people
    rows = np.flatnonzero(people > 0)
    if not rows.size or not phases(options) or not len(candidates):
        return None
    free = np.ones(len(candidates), bool)
    for each in place_checks(Spots.bare(candidates), dangers, presets=presets):
        free &= each.passed
    tried = np.flatnonzero(free & net.snap(candidates).on)
    if options.site_model in BOUNDLESS:
        net = replace(net, limit_s=np.inf)
    size = float(presets["refuge.new_site_persons"])
    keep = _best(wanted.origins[rows], people[rows], candidates[tried], net)
    if not keep.size:
        return None
    at = tried[keep]
    instance, left = _instance(wanted, rows, people, candidates[at], size, net, fixed=not short)
    first = instance.n_facilities - at.size
    found = choose(instance, options, limit_s=net.limit_s)
    if isinstance(found, Text):
        table = pd.DataFrame()
        return Proposed(table=table, proof=table, xy=np.zeros((0, 2)), notes=(found,))
    near = _near(candidates[at], first, float(presets["refuge.radius_m"]["urgent"]))
    times = stability(instance, options, limit_s=net.limit_s, seed=seed, near=near)
    opened = found.site - first
    return Proposed(
        table=_table(found, candidates[at], [names[i] for i in at], first, times, options.draws),
        proof=found.proof.assign(candidates=tried.size, left_out=left),
        xy=candidates[at][opened],
    )


def _near(sites: Floats, first: int, radius_m: float) -> NDArray[np.bool_]:
    """Tell which candidates stand within a radius of each other; refuges in use of none."""
    apart = np.hypot(*(sites[:, None, :] - sites[None, :, :]).transpose(2, 0, 1))
    near = np.zeros((first + len(sites),) * 2, bool)
    near[first:, first:] = apart <= radius_m
    return near


def _best(origins: Floats, people: Floats, candidates: Floats, net: Net) -> NDArray[np.int64]:
    """Keep candidates that reach somebody, at most `MOST_CANDIDATES`, spread over the place."""
    pairs = ways((net,), origins, candidates)
    if not len(pairs):
        return np.zeros(0, np.int64)
    place = pairs["refuge"].to_numpy(np.int64)
    near = 1.0 / (1.0 + pairs["seconds"].to_numpy(np.float64)) if np.isinf(net.limit_s) else 1.0
    reach = np.bincount(
        place,
        weights=people[pairs["demand"].to_numpy(np.int64)] * near,
        minlength=len(candidates),
    )
    inside = np.flatnonzero(reach > 0)
    return inside[thin(candidates[inside], reach[inside].astype(np.float64), MOST_CANDIDATES)]


def _instance(
    wanted: Wanted,
    rows: NDArray[np.int64],
    people: Floats,
    sites: Floats,
    size: float,
    net: Net,
    *,
    fixed: bool,
) -> tuple[Instance, float]:
    """Put refuges in use (when they are fixed) and candidates into one instance.

    Groups that reach nothing are left out; their people are given back.
    """
    in_use = np.flatnonzero(wanted.room > 0) if fixed else np.zeros(0, np.int64)
    places = np.concatenate([wanted.refuges[in_use], sites])
    pairs = ways((net,), wanted.origins[rows], places)
    reached, demand = np.unique(pairs["demand"].to_numpy(np.int64), return_inverse=True)
    kept = rows[reached]
    instance = make_instance(
        demand_of=demand,
        facility_of=pairs["refuge"].to_numpy(np.int64),
        cost=pairs["seconds"].to_numpy(np.float64),
        demands=tuple(map(str, kept)),
        facilities=tuple(map(str, range(len(places)))),
        weight=people[kept],
        capacity=np.concatenate([wanted.room[in_use], np.full(len(sites), size)]),
        status=np.repeat([EXISTING, CANDIDATE], [in_use.size, len(sites)]),
    )
    return instance, float(people[rows].sum() - people[kept].sum())


def _table(
    found: Chosen,
    xy: Floats,
    names: list[str],
    first: int,
    times: tuple[NDArray[np.int64], NDArray[np.int64]],
    draws: int,
) -> pd.DataFrame:
    """Set the chosen sites beside each other: by phase, the one that serves most first."""
    at = found.site - first
    table = pd.DataFrame(
        {
            "phase": found.phase,
            "site": [names[j] for j in at],
            "x": xy[at, 0],
            "y": xy[at, 1],
            "places": np.ceil(found.people).astype(np.int64),
            "groups": found.groups,
            "chosen_of_draws": times[0][found.site],
            "chosen_near": times[1][found.site],
            "draws": draws,
        }
    )
    table = table.sort_values(["phase", "places", "site"], ascending=[True, False, True])
    table.insert(0, "order", np.arange(1, len(table) + 1))
    return table.reset_index(drop=True)
