"""Where to open or build next: candidates clear of every danger, chosen by a location model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from riskmap.geo.grid import cell_centres, cell_names, row_xy, thin, unit_of_points
from riskmap.i18n import Text, text
from riskmap.plans.options import phases
from riskmap.plans.refuges.dangers import Dangers, Spots, place_checks
from riskmap.plans.refuges.ways import Net, ways
from riskmap.result import Proof
from riskmap.siting.allocation import allocate_split
from riskmap.siting.location import needless, solve
from riskmap.siting.problem import (
    CANDIDATE,
    EXISTING,
    Instance,
    Solution,
    among,
    make_instance,
)
from riskmap.vocabulary.columns import WGS84

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from riskmap.plans.options import RefugeOptions

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]
    from riskmap.vocabulary.presets import Presets

    Floats = NDArray[np.float64]
    import geopandas as gpd

    from riskmap.plans.refuges.assign import Case
    from riskmap.plans.refuges.dangers import World


SPREAD: Final = 0.2
"""Standard deviation of the noise on people, as a share."""
COST_SPREAD: Final = 0.1
"""Standard deviation of the noise on seconds, as a share."""
RADIAL: Final = ("c-mclp", "mclp", "lscp")
REDUCED: Final = ("c-mclp", "mclp")
"""Models of cover with a number of sites: a site that reaches less than others is never needed."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """New sites of all phases."""

    site: Ints
    """Facilities that were opened."""
    phase: Ints
    people: NDArray[np.float64]
    """People that each serves in the last phase."""
    groups: Ints
    proof: pd.DataFrame
    idle: Ints
    """Facilities that were opened and add nothing."""


def choose(instance: Instance, options: RefugeOptions, *, limit_s: float) -> Chosen | Text:
    """Choose the sites of each phase, those of earlier phases being fixed.

    A capacitated cover opens no site that would stand empty. ``lscp`` takes as many sites as it
    needs, in one phase.

    Parameters
    ----------
    instance
        Groups; refuges in use (existing) and candidates.
    options
        Model, phases, seconds.
    limit_s
        Longest walk [s].

    Returns
    -------
    Chosen or Text
        The sites, or why the model has no answer.
    """
    now, model = instance, options.site_model
    parts: list[tuple[Ints, int]] = []
    proof = []
    found: Solution | None = None
    steps = phases(options)[:1] if model == "lscp" else phases(options)
    for number, k in enumerate(steps, start=1):
        free = int((now.status == CANDIDATE).sum())
        if not free:
            break
        found = _solved(now, min(k, free), options, limit_s)
        if found.objective is None:
            why = found.reason or found.status
            return text("New sites: {model} has no answer: {why}", model=model, why=why)
        fresh = found.open[now.status[found.open] == CANDIDATE]
        parts.append((fresh, number))
        proof.append(_proof(now, found, number, limit_s))
        state = now.status.copy()
        state[fresh] = EXISTING
        now = replace(now, status=state)
    if found is None:
        return text("New sites: {model} has no answer: {why}", model=model, why="0")
    m = instance.n_facilities
    got = np.bincount(found.facility_of, weights=found.amount, minlength=m)
    groups = np.bincount(found.facility_of, minlength=m)
    site = np.concatenate([part for part, _ in parts])
    return Chosen(
        site=site,
        phase=np.concatenate([np.full(part.size, number) for part, number in parts]),
        people=got[site].astype(np.float64),
        groups=groups[site],
        proof=pd.DataFrame(proof),
        idle=needless(instance, found, radius=limit_s),
    )


def _solved(instance: Instance, k: int, options: RefugeOptions, limit_s: float) -> Solution:
    """Solve with k new sites; a capacitated cover with fewer as long as some stand empty."""
    model = options.site_model
    fixed = int((instance.status == EXISTING).sum())
    few = covering(instance, fixed + k) if model in REDUCED else None
    while True:
        found = solve(
            model,
            instance if few is None else _among_sites(instance, few),
            p=None if model == "lscp" else fixed + k,
            radius=limit_s if model in RADIAL else None,
            max_nodes=options.max_nodes,
        )
        if few is not None and found.objective is not None:
            found = replace(found, open=few[found.open], facility_of=few[found.facility_of])
        if model != "c-mclp" or found.objective is None:
            return found
        got = np.bincount(found.facility_of, weights=found.amount, minlength=instance.n_facilities)
        needed = int(((got > 0) & (instance.status == CANDIDATE)).sum())
        if not 0 < needed < k:
            return nearer(instance, found)
        k = needed


def covering(instance: Instance, k: int) -> Ints:
    """Leave out the candidates that reach no more than k others of at least their size do.

    Parameters
    ----------
    instance
        Groups; refuges in use (existing) and candidates, cut to the longest walk.
    k
        Number of sites.

    Returns
    -------
    ndarray
        Facilities among which there is a best choice, ascending.
    """
    m = instance.n_facilities
    free = np.flatnonzero(instance.status == CANDIDATE)
    sets: list[set[int]] = [set() for _ in range(m)]
    for group, site in zip(instance.demand_of.tolist(), instance.facility_of.tolist(), strict=True):
        sets[site].add(group)
    weight = np.bincount(
        instance.facility_of, weights=instance.weight[instance.demand_of], minlength=m
    )
    size = instance.capacity
    order = free[np.lexsort((free, -weight[free], -size[free]))]
    kept: list[int] = []
    for site in order.tolist():
        mine = sets[site]
        better = 0
        for other in kept:
            if size[other] >= size[site] and mine <= sets[other]:
                better += 1
                if better >= k:
                    break
        if better < k and mine:
            kept.append(site)
    return np.sort(np.r_[np.flatnonzero(instance.status != CANDIDATE), np.array(kept, np.int64)])


def nearer(instance: Instance, found: Solution) -> Solution:
    """Exchange new sites for nearer ones as long as as many people are served and walk less.

    Parameters
    ----------
    instance
        Groups; refuges in use and candidates, cut to the longest walk.
    found
        Sites that serve the most people.

    Returns
    -------
    Solution
        With as many sites and as many served; of one new site the best of all.
    """
    n, m = instance.n_demands, instance.n_facilities
    if n * m > MOST_CELLS:
        return found
    cost = np.full((n, m), np.inf)
    cost[instance.demand_of, instance.facility_of] = instance.cost
    opened = found.open.tolist()
    new = [j for j in opened if instance.status[j] == CANDIDATE]
    best = _flow(instance, opened)
    if best is None:
        return found
    moved = True
    while moved:
        moved = False
        for old in list(new):
            rest = [j for j in opened if j != old]
            base = cost[:, rest].min(axis=1, initial=np.inf)
            then = np.minimum(base[:, None], cost)
            far = np.isinf(then)
            lost = np.round(instance.weight @ far, 6)  # a tie is one with every BLAS
            spent = np.round(instance.weight @ np.where(far, 0.0, then), 6)
            order = np.lexsort((spent, lost))
            free = (instance.status[order] == CANDIDATE) & ~np.isin(order, rest)
            for site in order[free][:TRIED].tolist():
                now = _flow(instance, [*rest, site])
                if now is not None and now[0] >= best[0] - 1e-6 and now[1] < best[1] - 1e-3:
                    best, moved = now, True
                    opened = [*rest, site]
                    new[new.index(old)] = site
                    break
    flow = best[2]
    return replace(
        found,
        open=np.sort(np.array(opened, np.int64)),
        demand_of=flow.demand_of,
        facility_of=flow.facility_of,
        amount=flow.amount,
        uncovered=flow.uncovered,
    )


MOST_CELLS: Final = 20_000_000
"""Groups times sites up to which nearer sites are sought."""
TRIED: Final = 12
"""Exchanges that are looked at in full, the nearest ones first."""


def _flow(instance: Instance, opened: list[int]) -> tuple[float, float, Solution] | None:
    """Fill some sites by the cheapest flow: people served, person-seconds, who goes where."""
    use = np.zeros(instance.n_facilities, bool)
    use[opened] = True
    flow = allocate_split(among(instance, use[instance.facility_of]))
    if flow.objective is None:
        return None
    return float(flow.amount.sum()), float(flow.objective), flow


def _proof(instance: Instance, found: Solution, phase: int, limit_s: float) -> dict[str, object]:
    """Set the solver's value beside one that is counted from sites and pairs alone."""
    return {
        "phase": phase,
        "model": found.model,
        "objective": found.objective,
        "counted": recount(instance, found, limit_s),
        "bound": found.bound,
        "gap": found.gap,
        "status": found.status,
        "mean_min": _mean_minutes(instance, found),
    }


def _mean_minutes(instance: Instance, found: Solution) -> float:
    """Give the mean way of those who are served by the sites [min]."""
    table = pd.Series(
        instance.cost, index=pd.MultiIndex.from_arrays([instance.demand_of, instance.facility_of])
    )
    keys = list(zip(found.demand_of.tolist(), found.facility_of.tolist(), strict=True))
    seconds = table.reindex(keys).to_numpy(np.float64)
    total = float(found.amount.sum())
    return float((seconds * found.amount).sum() / total / 60) if total > 0 else float("nan")


def recount(instance: Instance, found: Solution, limit_s: float) -> float:
    """Count a solution's value from its sites and rows, without the solver.

    Parameters
    ----------
    instance
        The instance.
    found
        The solution.
    limit_s
        Longest walk [s].

    Returns
    -------
    float
        People served (covers), person-seconds (medians), seconds (center) or sites (lscp).
    """
    opened = np.zeros(instance.n_facilities, bool)
    opened[found.open] = True
    if found.model == "lscp":
        return float(opened.sum())
    if found.model == "c-mclp":
        load = np.bincount(found.facility_of, weights=found.amount, minlength=instance.n_facilities)
        fits = (load <= instance.capacity + 1e-6).all() and opened[found.facility_of].all()
        return float(found.amount.sum()) if fits else float("nan")
    if found.model == "c-p-median":
        table = pd.Series(
            instance.cost,
            index=pd.MultiIndex.from_arrays([instance.demand_of, instance.facility_of]),
        )
        seconds = table.loc[list(zip(found.demand_of, found.facility_of, strict=True))].to_numpy()
        return float((instance.weight[found.demand_of] * seconds).sum())
    use = opened[instance.facility_of]
    nearest = np.full(instance.n_demands, np.inf)
    np.minimum.at(nearest, instance.demand_of[use], instance.cost[use])
    if found.model == "mclp":
        return float(instance.weight[nearest <= limit_s].sum())
    if found.model == "p-center":
        return float(nearest.max(initial=0.0))
    return float((instance.weight * nearest).sum())


def stability(
    instance: Instance,
    options: RefugeOptions,
    *,
    limit_s: float,
    seed: int,
    near: Bools,
) -> tuple[Ints, Ints]:
    """Count how often each site, or one near it, is chosen when people and seconds are noisy.

    Parameters
    ----------
    instance
        Groups, refuges in use and candidates.
    options
        Model, phases, draws.
    limit_s
        Longest walk [s].
    seed
        Seed of the draws.
    near
        Which facilities stand near each other, every one near itself, shape (m, m).

    Returns
    -------
    tuple of ndarray
        Number of draws in which each facility is a new site, and in which one near it is; (m,).
    """
    rng = np.random.default_rng(seed)
    times = np.zeros(instance.n_facilities, np.int64)
    around = times.copy()
    total = replace_phases(options)
    for _ in range(options.draws):
        people = np.exp(rng.normal(0.0, SPREAD, instance.n_demands))
        seconds = np.exp(rng.normal(0.0, COST_SPREAD, instance.cost.size))
        drawn = make_instance(
            demand_of=instance.demand_of,
            facility_of=instance.facility_of,
            cost=instance.cost * seconds,
            demands=instance.demands,
            facilities=instance.facilities,
            weight=instance.weight * people,
            capacity=instance.capacity,
            status=instance.status,
        )
        found = choose(drawn, total, limit_s=limit_s)
        if isinstance(found, Chosen):
            times[found.site] += 1
            around += near[:, found.site].any(axis=1)
    return times, around


def replace_phases(options: RefugeOptions) -> RefugeOptions:
    """Take the sites of all phases in one: stability asks whether a site belongs, not when.

    Parameters
    ----------
    options
        The plan's options.

    Returns
    -------
    RefugeOptions
        With one phase.
    """
    return options.model_copy(update={"new_sites": [sum(phases(options))]})


MOST_CANDIDATES = 400
"""Sites compared by the models that weigh every distance, and in the draws of stability."""
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
    near = net.snap(candidates).walk_m <= float(presets["station.snap_limit_m"])
    tried = np.flatnonzero(free & near)
    if options.site_model in BOUNDLESS:
        net = replace(net, limit_s=np.inf)
    size = float(presets["refuge.new_site_persons"])
    keep, reach = _reaching(wanted.origins[rows], people[rows], candidates[tried], net)
    notes, reaching = list[Text](), keep.size
    if not reaching:
        return None
    if options.site_model not in RADIAL and keep.size > MOST_CANDIDATES:
        notes.append(_thinned(keep.size))
        keep = keep[thin(candidates[tried[keep]], reach[keep], MOST_CANDIDATES)]
    at = tried[keep]
    instance, left = _instance(wanted, rows, people, candidates[at], size, net, fixed=not short)
    first = instance.n_facilities - at.size
    found = choose(instance, options, limit_s=net.limit_s)
    if isinstance(found, Text):
        table = pd.DataFrame()
        return Proposed(table=table, proof=table, xy=np.zeros((0, 2)), notes=(*notes, found))
    notes += _enough(found, [names[at[j - first]] for j in found.idle], options, most=at.size)
    if keep.size < reaching:
        notes += _better(wanted, rows, (candidates[tried], keep), net, options, instance, found)
    opened = found.site - first
    few = np.union1d(opened, thin(candidates[at], reach[keep], MOST_CANDIDATES))
    near = _near(candidates[at[few]], first, float(presets["refuge.radius_m"]["urgent"]))
    some = np.r_[np.arange(first), first + few]
    times = stability(
        _among_sites(instance, some), options, limit_s=net.limit_s, seed=seed, near=near
    )
    counted = tuple(np.zeros(instance.n_facilities, np.int64) for _ in times)
    for whole, part in zip(counted, times, strict=True):
        whole[some] = part
    return Proposed(
        table=_table(
            found, candidates[at], [names[i] for i in at], first, (counted[0], counted[1]),
            options.draws,
        ),
        proof=found.proof.assign(candidates=tried.size, compared=at.size, left_out=left),
        xy=candidates[at][opened],
        notes=tuple(notes),
    )  # fmt: skip


def _enough(found: Chosen, idle: list[str], options: RefugeOptions, *, most: int) -> list[Text]:
    """Say how many new sites are enough where more are asked for."""
    count = found.site.size
    asked = sum(phases(options)) if options.site_model != "lscp" else count
    enough = count - len(idle)
    if enough >= min(asked, most):
        return []
    said = text("New sites: {enough} of the {n} asked for are enough; more add nothing",
                enough=enough, n=asked)  # fmt: skip
    return [text("{said} ({names})", said=said, names="、".join(idle)) if idle else said]


def _thinned(n: int) -> Text:
    return text(
        "New sites: of {n} possible sites {most} at most are compared, spread evenly; "
        "the proof holds among these",
        n=n,
        most=MOST_CANDIDATES,
    )


def _better(
    wanted: Wanted,
    rows: Ints,
    places: tuple[Floats, Ints],
    net: Net,
    options: RefugeOptions,
    instance: Instance,
    found: Chosen,
) -> list[Text]:
    """Say how much better any sites of all could be.

    Each site that is left out counts for the nearest one that is compared, which is as near to
    everybody as the best of those it stands for; without capacities that bounds the choice.
    """
    every, compared = places[0], places[0][places[1]]
    first = instance.n_facilities - len(compared)
    part = np.asarray(cKDTree(compared).query(every)[1], np.int64)
    pairs = ways((net,), wanted.origins[rows], every)
    number = {name: k for k, name in enumerate(instance.demands)}
    table = pd.DataFrame(
        {
            "demand": [
                number.get(str(row), -1) for row in rows[pairs["demand"].to_numpy(np.int64)]
            ],
            "facility": first + part[pairs["refuge"].to_numpy(np.int64)],
            "cost": pairs["seconds"].to_numpy(np.float64),
        }
    )
    table = table[table["demand"] >= 0].groupby(["demand", "facility"])["cost"].min().reset_index()
    old = instance.facility_of < first
    relaxed = make_instance(
        demand_of=np.r_[instance.demand_of[old], table["demand"].to_numpy(np.int64)],
        facility_of=np.r_[instance.facility_of[old], table["facility"].to_numpy(np.int64)],
        cost=np.r_[instance.cost[old], table["cost"].to_numpy(np.float64)],
        demands=instance.demands, facilities=instance.facilities, weight=instance.weight,
        status=instance.status,
    )  # fmt: skip
    model = "p-center" if options.site_model == "p-center" else "p-median"
    limits = {"max_nodes": options.max_nodes} if model == "p-median" else {}
    bound = solve(model, relaxed, p=first + found.site.size, **limits).bound
    value = float(found.proof["objective"].iloc[-1])
    if bound is None:
        return []
    share = max(value - bound, 0.0) / max(abs(value), 1e-9)
    return [
        text(
            "not all sites are compared: any {k} of all {n} would have an objective of {bound} at "
            "best, {share} better",
            k=found.site.size, n=len(every), bound=f"{bound:.0f}", share=f"{share:.1%}",
        )
    ]  # fmt: skip


def _among_sites(instance: Instance, kept: NDArray[np.int64]) -> Instance:
    """Keep some of the facilities, in their order."""
    number = np.full(instance.n_facilities, -1)
    number[kept] = np.arange(kept.size)
    pair = number[instance.facility_of] >= 0
    return replace(
        instance,
        facilities=tuple(instance.facilities[j] for j in kept),
        demand_of=instance.demand_of[pair],
        facility_of=number[instance.facility_of[pair]],
        cost=instance.cost[pair],
        capacity=instance.capacity[kept],
        status=instance.status[kept],
    )


def _near(sites: Floats, first: int, radius_m: float) -> NDArray[np.bool_]:
    """Tell which candidates stand within a radius of each other; refuges in use of none."""
    apart = np.hypot(*(sites[:, None, :] - sites[None, :, :]).transpose(2, 0, 1))
    near = np.zeros((first + len(sites),) * 2, bool)
    near[first:, first:] = apart <= radius_m
    return near


def _reaching(
    origins: Floats, people: Floats, candidates: Floats, net: Net
) -> tuple[NDArray[np.int64], Floats]:
    """Keep candidates that reach somebody, and count the people whom each reaches."""
    pairs = ways((net,), origins, candidates)
    if not len(pairs):
        return np.zeros(0, np.int64), np.zeros(len(candidates))
    place = pairs["refuge"].to_numpy(np.int64)
    near = 1.0 / (1.0 + pairs["seconds"].to_numpy(np.float64)) if np.isinf(net.limit_s) else 1.0
    reach = np.bincount(
        place,
        weights=people[pairs["demand"].to_numpy(np.int64)] * near,
        minlength=len(candidates),
    )
    return np.flatnonzero(reach > 0), reach.astype(np.float64)


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


def equity(case: Case, net: Net, sites: Floats, units: gpd.GeoDataFrame) -> pd.DataFrame:
    """Compare the walk to the nearest refuge before and after the new sites.

    Parameters
    ----------
    case
        The assignment; its groups are weighed by their people.
    net
        Roads on foot; the longest walk counts for who is in reach only.
    sites
        New sites, shape (k, 2) [m].
    units
        Units, for names.

    Returns
    -------
    DataFrame
        when, people, in_reach_share, no_way (people), mean_min, p90_min, worst_village, worst_min.
    """
    in_use = case.refuges[case.places > 0]
    people = case.counts
    rows = []
    for when, places in (
        (text("refuges in use"), in_use),
        (text("with the new sites"), np.concatenate([in_use, sites])),
    ):
        seconds = _nearest(net, case.people.xy, places)
        rows.append({"when": when} | _figures(case, seconds, people, net.limit_s, units))
    return pd.DataFrame(rows)


def _nearest(net: Net, origins: Floats, places: Floats) -> Floats:
    found = ways((replace(net, limit_s=np.inf),), origins, places)
    nearest = np.full(len(origins), np.inf)
    if len(found):
        np.minimum.at(nearest, found["demand"].to_numpy(np.int64), found["seconds"].to_numpy())
    return nearest


def _figures(
    case: Case, seconds: Floats, people: Floats, limit_s: float, units: gpd.GeoDataFrame
) -> dict[str, object]:
    way = np.isfinite(seconds)
    minutes = np.where(way, seconds, 0.0) / 60
    table = pd.DataFrame(
        {
            "unit_id": case.people.table["unit_id"].to_numpy(),
            "people": np.where(way, people, 0.0),
            "spent": minutes * people,
        }
    )
    summed = table.groupby("unit_id", sort=True).sum()
    summed = summed[summed["people"] > 0]
    mean = summed["spent"] / summed["people"]
    worst = str(mean.idxmax()) if len(mean) else ""
    return {
        "people": float(people.sum()),
        "in_reach_share": float(people[seconds <= limit_s].sum() / max(people.sum(), 1.0)),
        "no_way": float(people[~way].sum()),
        "mean_min": float(table["spent"].sum() / max(table["people"].sum(), 1.0)),
        "p90_min": weighted_quantile(minutes[way], people[way], 0.9),
        "worst_village": str(units["name"].get(worst, "")),
        "worst_min": float(mean.max()) if len(mean) else np.nan,
    }


def weighted_quantile(values: Floats, weight: Floats, share: float) -> float:
    """Give the least value that a share of the weight does not exceed.

    Parameters
    ----------
    values, weight
        Values and their weights, shape (n,).
    share
        Share of the weight.

    Returns
    -------
    float
        NaN without values.

    Examples
    --------
    >>> weighted_quantile(np.array([1.0, 5.0, 3.0]), np.array([8.0, 1.0, 1.0]), 0.9)
    3.0
    """
    if not len(values):
        return float("nan")
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weight[order])
    at = int(np.searchsorted(total, share * total[-1] - 1e-9))
    return float(values[order][min(at, len(values) - 1)])


def proposals(
    world: World,
    case: Case,
    dangers: Dangers,
    roads: tuple[Net, ...],
    options: RefugeOptions,
) -> Proposed | None:
    """Propose sites among the given candidates, or among the cells with people.

    Parameters
    ----------
    world
        Candidates, population, presets.
    case
        The assignment.
    dangers
        What sites must keep clear of.
    roads
        Roads by mode; sites are chosen on foot.
    options
        The plan's options.

    Returns
    -------
    Proposed or None
        Sites with their village and coordinates; None when there is nothing to propose.
    """
    if not roads or roads[0].mode != "foot":
        return None
    if world.candidates is not None:
        xy = row_xy(world.candidates)
        names = [str(key) for key in world.candidates.index]
    else:
        flat = np.zeros(0) if world.population is None else np.nan_to_num(world.population).ravel()
        cells = np.flatnonzero(flat > 0)
        xy = np.column_stack(cell_centres(world.grid, cells))
        names = [str(key) for key in cell_names(world.grid, cells)]
    wanted = Wanted(
        origins=case.people.xy,
        people=case.counts,
        shortfall=case.done.shortfall,
        refuges=case.refuges,
        room=case.places,
    )
    found = propose(
        wanted, candidates=xy, names=names, dangers=dangers, net=roads[0],
        presets=world.presets, options=options, seed=world.seed,
    )  # fmt: skip
    return found if found is None or not len(found.xy) else _where(found, world)


def _where(sites: Proposed, world: World) -> Proposed:
    """Add the village of every proposed site, and its place in EPSG:4326."""
    import geopandas as gpd
    import shapely

    units = world.units
    points = shapely.points(sites.table[["x", "y"]].to_numpy())
    home = unit_of_points(points, units[units["finest"]])
    lonlat = gpd.GeoSeries(points, crs=world.grid.crs).to_crs(WGS84)
    table = sites.table.drop(columns=["x", "y"])
    table.insert(3, "village", [str(units["name"].get(code, "")) for code in home])
    table.insert(4, "town", [str(units["town"].get(code, "")) for code in home])
    table["lon"], table["lat"] = lonlat.x.round(6), lonlat.y.round(6)
    table = _built(table, world.data_date, world.presets)
    return replace(sites, table=table, xy=sites.table[["x", "y"]].to_numpy(np.float64))


def _built(table: pd.DataFrame, data_date: str, presets: Presets) -> pd.DataFrame:
    """Say in which year each site opens, what it costs, and what that is for a place gained."""
    found = table.copy()
    if data_date[:4].isdecimal():
        a_year = max(float(presets["refuge.sites_a_year"]), 1e-9)
        found["year"] = (int(data_date[:4]) + np.ceil(found["order"] / a_year)).astype(np.int64)
    each = float(presets["refuge.place_cost_yuan"]) / 1e4
    cost = float(presets["refuge.site_cost_10k"]) + found["places"] * each
    found["cost_10k"] = cost.round(1)
    found["cost_per_person"] = (cost * 1e4 / found["places"].where(found["places"] > 0)).round(0)
    return found


def site_tables(
    world: World, case: Case, roads: tuple[Net, ...], sites: Proposed | None
) -> dict[str, pd.DataFrame]:
    """Give the tables about proposed sites.

    Parameters
    ----------
    world
        Units.
    case
        The assignment.
    roads
        Roads by mode.
    sites
        The sites, or None.

    Returns
    -------
    dict
        sites, siting (proof) and equity; empty without sites.
    """
    if sites is None or not len(sites.xy):
        return {}
    fair = equity(case, roads[0], sites.xy, world.units)
    return {"sites": sites.table, "siting": sites.proof, "equity": fair}


def site_proofs(scenario: str, tables: Mapping[str, pd.DataFrame]) -> tuple[Proof, ...]:
    """Give the proof of the proposed sites, phase by phase.

    Parameters
    ----------
    scenario
        Name of the scenario; empty for none.
    tables
        Tables of `site_tables`.

    Returns
    -------
    tuple of Proof
        Empty without sites.
    """
    if "siting" not in tables:
        return ()
    return tuple(
        Proof(
            question=text("New refuges, phase {n}", n=int(row["phase"])),
            scenario=scenario,
            model=str(row["model"]),
            status=str(row["status"]),
            objective=row["objective"],
            bound=row["bound"],
            gap=row["gap"],
            recount={key: float(row[key]) for key in ("counted", "candidates", "left_out")},
        )
        for row in tables["siting"].to_dict("records")
    )
