"""The next sites: a location model over candidates, with proof and an independent recount."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from riskmap.errors import InfeasibleError
from riskmap.geo.grid import Grid, cell_of, inside_cells, row_xy, thin
from riskmap.geo.network.flooded import sample, slopes
from riskmap.geo.network.snap import snap_points
from riskmap.i18n import Text, text
from riskmap.layers.layer import depth_tiles
from riskmap.plans.stations.reach import Fleet, Setting, first_there, pairs, with_stations
from riskmap.siting.cover import cover_bound, least_regret, mclp
from riskmap.siting.location import solve
from riskmap.siting.problem import CANDIDATE, EXISTING, among, make_instance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

    from riskmap.geo.network.graph import RoadGraph, Snapped
    from riskmap.layers.layer import Raster
    from riskmap.plans.stations.coverage import Demand
    from riskmap.siting.problem import Instance
    from riskmap.vocabulary.presets import Presets


HAZARD_KEY: Final = "station.hazmat_distance_m"
_SHOWN: Final = 10
"""So many of the left-out candidates are named."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Candidates:
    """Places that may be chosen, on the network."""

    ids: NDArray[np.object_]
    names: NDArray[np.object_]
    xy: Floats
    on_road: Snapped
    notes: tuple[Text, ...]
    whole: Snapped | None = None
    """All that may be chosen, where only some of them are compared."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Zones:
    """Where no station may stand."""

    forbidden: gpd.GeoDataFrame | None = None
    """Polygons, such as danger areas."""
    hazards: gpd.GeoDataFrame | None = None
    """Hazard sources; the least distance is the preset ``station.hazmat_distance_m``."""
    depths: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Scenario to depth of water on the cells, shape (ny, nx) [m]."""
    rasters: Mapping[str, tuple[Raster, ...]] = field(default_factory=dict)
    """Scenario to depth at its own resolution, which counts before that of the cells."""
    dem: tuple[Raster, ...] = ()
    """Height of the ground [m]."""


def choose_candidates(
    graph: RoadGraph,
    *,
    xy: Floats,
    ids: NDArray[np.object_],
    weight: Floats,
    most: int | None,
    snap_limit_m: float,
    names: NDArray[np.object_] | None = None,
    listed: bool = False,
    place: shapely.Geometry | None = None,
    forbidden: gpd.GeoDataFrame | None = None,
    wet: NDArray[np.bool_] | None = None,
    steep: NDArray[np.bool_] | None = None,
    hazards: gpd.GeoDataFrame | None = None,
    hazard_m: float = 0.0,
) -> Candidates:
    """Leave out the places where no station may stand, and thin the rest.

    Parameters
    ----------
    graph
        The road graph.
    xy, ids, weight
        Places, their names and weights.
    most
        Largest number of candidates; None keeps all.
    snap_limit_m
        Longest way to a road [m].
    names
        What the places are called; their ids otherwise.
    listed
        Whether the places were given one by one, so that those left out are named.
    place
        Candidates outside it are left out.
    forbidden
        Polygons in which no station may stand.
    wet
        True where a place is under water.
    steep
        True where the ground is too steep.
    hazards
        Hazard sources.
    hazard_m
        Least distance to a hazard source [m].

    Returns
    -------
    Candidates
        With a note for each reason and the number left out by it.

    Raises
    ------
    InfeasibleError
        If none is left.
    """
    points = shapely.points(xy)
    on_road = snap_points(graph, xy, limit_m=snap_limit_m)
    reasons: list[tuple[Text, NDArray[np.bool_]]] = [
        (text("farther than {m} m from a road", m=f"{snap_limit_m:g}"), ~on_road.on)
    ]
    if place is not None:
        shapely.prepare(place)
        reasons.append((text("outside the place"), ~shapely.intersects(place, points)))
    if wet is not None:
        reasons.append((text("under water in a scenario"), wet))
    if steep is not None:
        reasons.append((text("on a steep slope"), steep))
    if forbidden is not None and len(forbidden):
        reasons.append((text("in a forbidden zone"), _hit(points, forbidden, 0.0)))
    if hazards is not None and len(hazards) and hazard_m > 0:
        reason = text("less than {m} m from a hazard source", m=f"{hazard_m:g}")
        reasons.append((reason, _hit(points, hazards, hazard_m)))
    free, notes = _sift(ids, reasons, listed=listed)
    if not free.any():
        said = str(text("; ")).join(map(str, notes)) or str(text("none is given"))
        raise InfeasibleError(text("no candidate site is left ({why})", why=said))
    rows = np.flatnonzero(free)
    whole = None
    if most is not None and len(rows) > most:
        whole = on_road.take(rows)
        notes.append(
            text(
                "of {n} possible sites {most} at most are compared, spread evenly; a finer search "
                "may find a slightly better place",
                n=len(rows), most=most,
            )
        )  # fmt: skip
        rows = rows[thin(xy[rows], weight[rows], most)]
    return Candidates(
        ids=ids[rows],
        names=(ids if names is None else names)[rows],
        xy=xy[rows],
        on_road=on_road.take(rows),
        notes=tuple(notes),
        whole=whole,
    )


def _sift(
    ids: NDArray[np.object_],
    reasons: Sequence[tuple[Text, NDArray[np.bool_]]],
    *,
    listed: bool,
) -> tuple[NDArray[np.bool_], list[Text]]:
    """Leave out what a reason forbids; each is counted once, by its first reason."""
    free = np.ones(len(ids), dtype=bool)
    notes = []
    for reason, hit in reasons:
        lost = ids[free & hit]
        free &= ~hit
        if len(lost) and listed:
            shown = "、".join(map(str, lost[:_SHOWN])) + ("…" if len(lost) > _SHOWN else "")
            said = text("{n} candidate sites left out: {reason}", n=len(lost), reason=reason)
            notes.append(text("{said} ({names})", said=said, names=shown))
        elif len(lost):
            notes.append(text("{n} candidate sites left out: {reason}", n=len(lost), reason=reason))
    return free, notes


def _hit(
    points: NDArray[np.object_], zones: gpd.GeoDataFrame, distance_m: float
) -> NDArray[np.bool_]:
    """Tell which points lie in zones or within a distance of them, the limit itself being free."""
    shapes = np.asarray(zones.geometry.array, dtype=object)
    shapes = shapes[~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)]
    hit = np.zeros(len(points), dtype=bool)
    if not len(shapes):
        return hit
    if distance_m <= 0:
        hit[shapely.STRtree(shapes).query(points, predicate="intersects")[0]] = True
        return hit
    tree = shapely.STRtree(shapes)
    found, gap = tree.query_nearest(
        points, max_distance=distance_m, return_distance=True, all_matches=False
    )
    hit[found[0][gap < distance_m]] = True
    return hit


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NODES: Final = 2000
"""The search stops after this many nodes, not by the clock, so that runs repeat."""
GAP: Final = 1e-3
SEARCHED: Final = ("mclp", "p-median", "mexclp")
"""Models whose search takes a limit of nodes."""
MOST_CANDIDATES: Final[Mapping[str, int]] = {"p-median": 300, "p-center": 300, "mexclp": 1000}
"""Cells or nodes compared where the project does not say, by models that cannot take all."""
ALL_CANDIDATES: Final = 20_000
FAR: Final = ("p-median", "p-center")
"""Models that ask for times rather than for a target."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Siting:
    """What a location model answered, step by step."""

    model: str
    curve: pd.DataFrame
    """``k``, ``covered``, ``share``, ``bound_share``, ``objective``, ``bound``, ``gap``,
    ``recount``, ``status``; for mclp ``share_in_order``, of the first k of the chosen sites."""
    sites: pd.DataFrame
    """Chosen candidates: ``id``, ``name``, ``x``, ``y``, ``gain`` (people that only it adds),
    best first."""
    places: Snapped
    """The chosen sites on the roads, in the same order."""
    objective: float | None
    bound: float | None
    gap: float | None
    status: str
    reason: str
    notes: tuple[Text, ...] = field(default=())


@dataclass(frozen=True, eq=False, kw_only=True)
class Ground:
    """What the models need to know: existing stations, candidates, demand, limit."""

    setting: Setting
    """The existing stations on dry roads."""
    candidates: Candidates
    vehicle: str
    edge_cost: Floats
    """What a new station drives, and how fast along each edge."""
    demand: Demand
    on_road: Snapped
    """The places of the demand on the network."""
    limit: float
    """Seconds from the call within which a place counts as covered."""
    states: Mapping[str, tuple[Setting, Floats]] = field(default_factory=dict)
    """Scenario to the stations on its roads, and what new ones drive there."""
    busy: float = 0.0
    """Share of the time in which a vehicle is busy, for ``mexclp``."""
    slower: Mapping[str, float] = field(default_factory=dict)
    """Name to slower speeds, as a share of free flow, under which the sites are sought again."""
    same_m: float = 0.0
    """Sites this near each other are the same place [m]."""


def plan_sites(ground: Ground, *, model: str, most: int, robust: bool = False) -> Siting:
    """Choose the next sites for growing numbers of them.

    Parameters
    ----------
    ground
        Stations, candidates and demand.
    model
        ``mclp``, ``p-median``, ``p-center``, ``lscp`` or ``lscp-b``; the last two find their own
        number of sites.
    most
        Number of new sites; the curve holds every smaller one.
    robust
        Whether the last row of an ``mclp`` takes the sites whose largest loss against the best of
        dry roads and of each scenario is least.

    Returns
    -------
    Siting
        The curve, and the sites of its last row.
    """
    instance, table, kept = _instance(ground, model)
    count, there = len(ground.setting.on), len(ground.candidates.ids)
    notes = _said(ground, model, kept, asked=most)
    own = model.startswith("lscp")
    first = 0 if count or model == "mclp" else 1
    numbers: Sequence[int | None] = [None] if own else list(range(first, min(most, there) + 1))
    rows: list[dict[str, Any]] = []
    chosen = np.zeros(0, np.int64)
    last: tuple[float | None, float | None, str, str] = (None, None, "optimal", "")
    for k in numbers:
        chosen, objective, bound, status, reason = _solve(ground, instance, model, k)
        gap = None
        if objective is not None and bound is not None:
            gap = abs(objective - bound) / max(abs(objective), 1e-9)
        rows.append(_row(ground, model, chosen, kept, objective, bound, gap, status))
        last = (objective, bound, status, reason)
    if model == "mclp" and len(chosen):
        if robust and ground.states:
            chosen, said = _least_regret(ground, len(chosen))
            notes = (*notes, said)
            row = _row(ground, model, chosen, kept, last[0], last[1], None, last[2])
            rows[-1] |= {name: row[name] for name in ("covered", "share", "recount")}
        if ground.candidates.whole is not None:
            notes = (*notes, _loss_bound(ground, len(chosen), rows[-1]["covered"]))
    elif ground.candidates.whole is not None and len(chosen) and last[0] is not None:
        notes = (*notes, *_better(ground, model, (instance, kept), len(chosen), last[0]))
    sites, order = _sites(ground, chosen, table)
    notes = (*notes, *idle_sites(sites["name"][sites["gain"] <= 0].tolist(), len(sites), model))
    if model == "mclp":
        sites["stays"] = _stays(ground, chosen, order)
    curve = pd.DataFrame(rows)
    if len(curve) and model == "mclp":
        # What the sites of the last row give when they are built in their order, one after another.
        whole = max(float(ground.demand.weight.sum()), 1e-12)
        built = curve["covered"].iloc[0] + np.r_[0.0, sites["gain"].cumsum()]
        curve["share_in_order"] = [
            float(built[k]) / whole if k < len(built) else np.nan for k in curve["k"]
        ]
    return Siting(
        model=model,
        curve=curve,
        sites=sites,
        places=ground.candidates.on_road.take(order),
        objective=last[0],
        bound=last[1],
        gap=rows[-1]["gap"] if rows else None,
        status=last[2],
        reason=last[3],
        notes=notes,
    )


def idle_sites(names: Sequence[str], count: int, model: str) -> tuple[Text, ...]:
    """Say which of the new sites add nobody, where the model asks who is served in time.

    Parameters
    ----------
    names
        The sites that add nobody after the others.
    count
        All new sites.
    model
        Name of the model.

    Returns
    -------
    tuple of Text
        Nothing where each adds somebody, or where another question was asked.
    """
    if not names or model not in ("mclp", "c-mclp"):
        return ()
    return (
        text(
            "of {n} new sites {enough} are enough; those beyond add nobody: {names}",
            n=count, enough=count - len(names), names="、".join(map(str, names)),
        ),
    )  # fmt: skip


def _said(ground: Ground, model: str, kept: NDArray[np.bool_], *, asked: int) -> tuple[Text, ...]:
    """Say what the models leave aside."""
    notes = []
    there = len(ground.candidates.ids)
    if asked > there and not model.startswith("lscp"):
        notes.append(
            text("{asked} new sites are asked for, but there are only {n} candidates; all are "
                 "taken", asked=asked, n=there)
        )  # fmt: skip
    aside = float(ground.demand.weight[~kept].sum())
    if aside > 0:
        whole = max(float(ground.demand.weight.sum()), 1e-12)
        share = f"{aside / whole:.1%}"
        if model in FAR:
            notes.append(text("{share} of the demand cannot be reached by road from any station or "
                              "candidate; the model leaves it aside", share=share))  # fmt: skip
        elif model != "mclp":
            notes.append(text("{share} of the demand is out of reach within the target from every "
                              "station and candidate; no site can mend that, and the model leaves "
                              "it aside", share=share))  # fmt: skip
    return tuple(notes)


def _solve(
    ground: Ground, instance: Any, model: str, k: int | None
) -> tuple[Ints, float | None, float | None, str, str]:
    """Ask the model; none and one new site under MCLP are found by looking at every candidate."""
    count = len(ground.setting.on)
    if model == "mclp" and k is not None and k <= 1:
        chosen, value = _best_single(instance, count, k)
        return chosen, value, value, "optimal", ""
    limits: dict[str, Any] = {"gap": GAP, "max_nodes": NODES} if model in SEARCHED else {}
    limits |= {"busy": ground.busy} if model == "mexclp" else {}
    radius = None if model in FAR else ground.limit
    answer = solve(model, instance, p=None if k is None else count + k, radius=radius, **limits)
    chosen = np.asarray(answer.open[answer.open >= count] - count, dtype=np.int64)
    return chosen, answer.objective, answer.bound, str(answer.status), str(answer.reason)


def _best_single(instance: Any, count: int, k: int) -> tuple[Ints, float]:
    """Find the one candidate that adds most to the existing stations, by trying all."""
    covered = np.zeros(instance.n_demands, dtype=bool)
    covered[instance.demand_of[instance.facility_of < count]] = True
    value = float(instance.weight[covered].sum())
    if k == 0:
        return np.zeros(0, np.int64), value
    new = (instance.facility_of >= count) & ~covered[instance.demand_of]
    gain = np.bincount(
        instance.facility_of[new] - count,
        weights=instance.weight[instance.demand_of[new]],
        minlength=instance.n_facilities - count,
    )
    best = int(np.argmax(gain))
    return np.array([best]), value + float(gain[best])


def _row(
    ground: Ground,
    model: str,
    chosen: Ints,
    kept: NDArray[np.bool_],
    objective: float | None,
    bound: float | None,
    gap: float | None,
    status: str,
) -> dict[str, Any]:
    """Write one row of the curve; people and objective are counted anew on the roads."""
    whole = max(float(ground.demand.weight.sum()), 1e-12)
    fresh = with_stations(
        ground.setting,
        ground.candidates.on_road.take(chosen),
        vehicle=ground.vehicle,
        edge_cost=ground.edge_cost,
    )
    _, seconds = first_there(fresh, ground.on_road)
    covered = float(ground.demand.weight[seconds <= ground.limit].sum())
    if model == "mclp":
        recount = covered
    elif model == "mexclp":
        place = pairs(fresh, ground.on_road, limit=ground.limit)[1]
        times = np.bincount(place, minlength=len(kept))
        recount = float((ground.demand.weight * (1 - ground.busy**times)).sum())
    elif model == "p-median":
        recount = float((ground.demand.weight[kept] * seconds[kept]).sum())
    elif model == "p-center":
        recount = float(seconds[kept].max(initial=0.0))
    else:
        recount = float(len(ground.setting.on) + len(chosen))
    return {
        "k": len(chosen),
        "covered": covered,
        "share": covered / whole,
        "bound_share": bound / whole if model == "mclp" and bound is not None else np.nan,
        "objective": np.nan if objective is None else objective,
        "bound": np.nan if bound is None else bound,
        "gap": np.nan if gap is None else gap,
        "recount": recount,
        "status": status,
    }


def _instance(ground: Ground, model: str) -> tuple[Any, pd.DataFrame, NDArray[np.bool_]]:
    """Make the sparse instance: existing stations first, then candidates."""
    limit = np.inf if model in FAR else ground.limit
    count = len(ground.setting.on)
    setting, places = ground.setting, ground.candidates.on_road
    station, place, seconds = _all_pairs(ground, setting, ground.edge_cost, places, limit)
    kept = np.zeros(len(ground.demand.weight), dtype=bool)
    kept[place] = True
    kept &= ground.demand.weight > 0
    rows = np.flatnonzero(kept)
    number = np.full(len(kept), -1)
    number[rows] = np.arange(len(rows))
    use = number[place] >= 0
    instance = make_instance(
        demand_of=number[place[use]],
        facility_of=station[use],
        cost=seconds[use],
        demands=tuple(ground.demand.ids[rows].astype(str)),
        facilities=(*(f"existing {i}" for i in range(count)), *ground.candidates.ids.astype(str)),
        weight=ground.demand.weight[rows],
        status=np.r_[np.full(count, EXISTING), np.full(len(places), CANDIDATE)],
    )
    table = pd.DataFrame({"facility": station, "place": place, "seconds": seconds})
    return instance, table, kept


def _all_pairs(
    ground: Ground, setting: Setting, edge_cost: Floats, places: Snapped, limit: float
) -> tuple[Ints, Ints, Floats]:
    """List stations, then candidates, with what each reaches within a limit on some roads."""
    count, there = len(setting.on), ground.on_road
    if setting.roads is not None:
        places, there = setting.roads.moved(places), setting.roads.moved(there)
    old, new = (
        pairs(one, there, limit=limit)
        for one in (setting, _alone(ground, setting, edge_cost, places))
    )
    return np.r_[old[0], new[0] + count], np.r_[old[1], new[1]], np.r_[old[2], new[2]]


def _alone(ground: Ground, setting: Setting, edge_cost: Floats, places: Snapped) -> Setting:
    """Put new stations on some roads without those there are."""
    start = np.full(len(places), setting.rule.response_s)
    fleet = Fleet(
        vehicle=ground.vehicle, rows=np.arange(len(places)), places=places, start=start,
        edge_cost=edge_cost,
    )  # fmt: skip
    return Setting(
        graph=setting.graph, fleets=(fleet,), xy=places.xy, on=places.on, start=start,
        own=np.zeros(len(places), dtype=bool), rule=setting.rule, access_ms=setting.access_ms,
        near_m=setting.near_m, cell_m=setting.cell_m,
    )  # fmt: skip


def _cover_instance(
    ground: Ground, places: Snapped, setting: Setting, edge_cost: Floats, factor: float = 1.0
) -> Any:
    """Make the instance of who covers what within the limit, at some speed and on some roads."""
    station, place, seconds = _all_pairs(ground, setting, edge_cost, places, ground.limit)
    count = len(setting.on)
    if factor != 1.0:
        wait = np.r_[setting.start, np.full(len(places), setting.rule.response_s)][station]
        near = wait + (seconds - wait) / factor <= ground.limit
        station, place, seconds = station[near], place[near], seconds[near]
    return make_instance(
        demand_of=place,
        facility_of=station,
        cost=seconds,
        demands=tuple(map(str, range(len(ground.demand.weight)))),
        facilities=tuple(map(str, range(count + len(places)))),
        weight=ground.demand.weight,
        status=np.r_[np.full(count, EXISTING), np.full(len(places), CANDIDATE)],
    )


def _least_regret(ground: Ground, k: int) -> tuple[Ints, Text]:
    """Choose the sites whose largest loss against the best of every state is least."""
    places, count = ground.candidates.on_road, len(ground.setting.on)
    roads = {"": (ground.setting, ground.edge_cost), **ground.states}
    states = [_cover_instance(ground, places, *one) for one in roads.values()]
    # A candidate that is needed in no state is left out of all.
    useful = np.zeros(count + len(places), bool)
    useful[:count] = True
    best = []
    for one in states:
        answer = mclp(one, radius=ground.limit, p=count + k, gap=GAP, max_nodes=NODES)
        best.append(float(answer.bound or 0.0))
        useful[answer.open] = True
        gain = np.bincount(one.facility_of, one.weight[one.demand_of], len(useful))
        useful[np.argsort(-gain, kind="stable")[:ROBUST_MOST]] = True
    few = [among(one, useful[one.facility_of]) for one in states]
    opened, regret, bound = least_regret(few, p=count + k, best=best, gap=GAP, max_nodes=NODES)
    said = text(
        "the sites lose at most {n} people in time against the best {k} sites of dry roads and of "
        "each scenario; no choice among the {few} compared of {all} candidates loses less than "
        "{bound}",
        n=f"{regret:.0f}", k=k, bound=f"{bound:.0f}", few=int(useful[count:].sum()),
        all=len(places),
    )  # fmt: skip
    return np.asarray(opened[opened >= count] - count, np.int64), said


ROBUST_MOST: Final = 600
"""Candidates of each state, those that reach most, among which the least regret is sought."""


def _loss_bound(ground: Ground, k: int, covered: float) -> Text:
    """Say how much more any sites of all that may be chosen could cover."""
    whole = ground.candidates.whole
    assert whole is not None  # noqa: S101
    near = _cover_instance(ground, whole, ground.setting, ground.edge_cost)
    most = max(cover_bound(near, len(ground.setting.on) + k) - covered, 0.0)
    total = max(float(ground.demand.weight.sum()), 1e-12)
    return text(
        "not all sites are compared: any {k} of all {n} would reach at most {more} more in time "
        "({share})",
        k=k, n=len(whole), more=f"{most:.0f}", share=f"{most / total:.1%}",
    )  # fmt: skip


def _better(
    ground: Ground,
    model: str,
    asked: tuple[Instance, NDArray[np.bool_]],
    k: int,
    objective: float,
) -> tuple[Text, ...]:
    """Say how much better any sites of all that may be chosen could be.

    Each site that is left out counts for the nearest one that is compared, which is as near to
    everybody as the best of those it stands for: a relaxation of the choice among all.
    """
    whole, count = ground.candidates.whole, len(ground.setting.on)
    assert whole is not None  # noqa: S101
    bound: float | None = None
    if model == "mexclp":
        bound = _busy_bound(ground, whole, k)
    elif model in FAR:
        bound = _near_bound(ground, model, asked, whole, count + k)
    if bound is None:
        return ()
    share = abs(objective - bound) / max(abs(objective), 1e-9)
    return (
        text(
            "not all sites are compared: any {k} of all {n} would have an objective of {bound} at "
            "best, {share} better",
            k=k, n=len(whole), bound=f"{bound:.0f}", share=f"{share:.1%}",
        ),
    )  # fmt: skip


def _near_bound(
    ground: Ground,
    model: str,
    asked: tuple[Instance, NDArray[np.bool_]],
    whole: Snapped,
    p: int,
) -> float | None:
    """Bound the medians or the centre from below, a site for each part of the place."""
    count = len(ground.setting.on)
    instance, kept = asked
    part = cKDTree(ground.candidates.on_road.xy).query(whole.xy)[1]
    old = instance.facility_of < count
    demand = [instance.demand_of[old]]
    facility, cost = [instance.facility_of[old]], [instance.cost[old]]
    there = ground.on_road.take(kept)
    for number in np.unique(part):
        places = whole.take(part == number)
        alone = _alone(ground, ground.setting, ground.edge_cost, places)
        _, seconds = first_there(alone, there)
        near = np.flatnonzero(np.isfinite(seconds))
        demand.append(near)
        facility.append(np.full(near.size, count + number))
        cost.append(seconds[near])
    m = count + len(ground.candidates.ids)
    relaxed = make_instance(
        demand_of=np.concatenate(demand), facility_of=np.concatenate(facility),
        cost=np.concatenate(cost), demands=instance.demands,
        facilities=tuple(map(str, range(m))), weight=instance.weight, status=instance.status,
    )  # fmt: skip
    limits: dict[str, Any] = {"gap": GAP, "max_nodes": NODES} if model in SEARCHED else {}
    return solve(model, relaxed, p=p, **limits).bound


def _busy_bound(ground: Ground, whole: Snapped, k: int) -> float:
    """Bound what busy vehicles cover: each further site adds at most what it adds alone."""
    near = _cover_instance(ground, whole, ground.setting, ground.edge_cost)
    count = len(ground.setting.on)
    old = near.facility_of < count
    times = np.bincount(near.demand_of[old], minlength=near.n_demands)
    left = near.weight * ground.busy**times
    gain = np.bincount(
        near.facility_of[~old] - count, weights=left[near.demand_of[~old]], minlength=len(whole)
    )
    most = float(np.sort(gain)[::-1][:k].sum()) * (1 - ground.busy)
    return float(near.weight.sum() - left.sum()) + most


def _stays(ground: Ground, chosen: Ints, order: Ints) -> list[str]:
    """Tell at which slower speeds each site, or one beside it, is chosen again."""
    xy, count = ground.candidates.xy, len(ground.setting.on)
    said: list[list[str]] = [[] for _ in order]
    for factor in sorted(set(ground.slower.values()), reverse=True):
        slow = _cover_instance(
            ground, ground.candidates.on_road, ground.setting, ground.edge_cost, factor
        )
        answer = mclp(slow, radius=ground.limit, p=count + len(chosen), gap=GAP, max_nodes=NODES)
        again = xy[answer.open[answer.open >= count] - count]
        for row, site in enumerate(order.tolist()):
            if len(again) and (np.hypot(*(again - xy[site]).T) <= ground.same_m).any():
                said[row].append(f"×{factor:g}")
    return ["、".join(part) for part in said]


def _sites(ground: Ground, chosen: Ints, table: pd.DataFrame) -> tuple[pd.DataFrame, Ints]:
    """List the chosen sites, each with the people that it adds after those before it."""
    count = len(ground.setting.on)
    near = table[table["seconds"] <= ground.limit]
    covered = np.zeros(len(ground.demand.weight), dtype=bool)
    covered[near.loc[near["facility"] < count, "place"].to_numpy()] = True
    reach = {
        int(site): near.loc[near["facility"] == site + count, "place"].to_numpy() for site in chosen
    }
    rows, order = [], []
    found = ground.candidates
    while reach:
        gains = {
            site: float(ground.demand.weight[places[~covered[places]]].sum())
            for site, places in reach.items()
        }
        best = min(gains, key=lambda site: (-gains[site], str(found.ids[site])))
        covered[reach.pop(best)] = True
        order.append(best)
        x, y = found.xy[best]
        rows.append(
            {"id": str(found.ids[best]), "name": str(found.names[best]), "x": x, "y": y,
             "gain": gains[best]}
        )  # fmt: skip
    columns = ["id", "name", "x", "y", "gain"]
    return pd.DataFrame(rows, columns=columns), np.array(order, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class _Spots:
    """Places that might be candidates."""

    ids: NDArray[np.object_]
    names: NDArray[np.object_]
    xy: Floats
    weight: Floats


def find_candidates(
    graph: RoadGraph,
    grid: Grid,
    cells: Demand,
    *,
    kind: str,
    given: gpd.GeoDataFrame | None,
    zones: Zones,
    presets: Presets,
    limit_m: float,
    most: int,
) -> Candidates:
    """Choose the candidates and leave out those that may not be built on.

    Parameters
    ----------
    graph
        The road graph.
    grid
        The grid.
    cells
        The cells as a demand, weighted by people where they are known.
    kind
        ``cells``: cells with people; ``nodes``: nodes of the road graph; otherwise ``given``.
    given
        Rows of a layer, all of which are candidates.
    zones
        Where no station may stand.
    presets
        The run's presets.
    limit_m
        Longest way to a road [m].
    most
        Largest number of cells or nodes; more are thinned evenly.

    Returns
    -------
    Candidates
        Places on the network.
    """
    if given is not None:
        spots = _rows(given)
    else:
        spots = _nodes(graph, grid, cells) if kind == "nodes" else _cells(cells)
    found = choose_candidates(
        graph,
        xy=spots.xy,
        ids=spots.ids,
        names=spots.names,
        weight=spots.weight,
        most=most if given is None else None,
        snap_limit_m=limit_m,
        listed=given is not None,
        place=grid.place,
        forbidden=zones.forbidden,
        wet=in_water(grid, spots.xy, zones, presets),
        steep=_steep(grid, spots.xy, zones, presets),
        hazards=zones.hazards,
        hazard_m=float(presets[HAZARD_KEY]),
    )
    if given is not None or kind == "nodes":
        return found
    # A cell is no plot: what is built in it stands beside the road.
    more = max(grid.size_m / 2 - float(presets["network.half_width_m"]), 0.0)
    whole = None if found.whole is None else found.whole.nearer(more)
    return replace(found, on_road=found.on_road.nearer(more), whole=whole)


def in_water(grid: Grid, xy: Floats, zones: Zones, presets: Presets) -> NDArray[np.bool_]:
    """Tell which places stand in the water of any scenario, as deep as for refuges.

    Parameters
    ----------
    grid
        The grid.
    xy
        Places, shape (n, 2) [m].
    zones
        Depths of the scenarios.
    presets
        ``flood.criterion_depth_m``, which is inclusive.

    Returns
    -------
    numpy.ndarray
        Shape (n,).
    """
    wet = np.zeros(len(xy), dtype=bool)
    if not zones.depths:
        return wet
    limit = float(presets["flood.criterion_depth_m"])
    for name, depth in zones.depths.items():
        tiles = depth_tiles(grid, depth, zones.rasters.get(name, ()))
        wet |= np.nan_to_num(sample(tiles, xy, str(grid.crs))) >= limit
    return wet


def _steep(grid: Grid, xy: Floats, zones: Zones, presets: Presets) -> NDArray[np.bool_] | None:
    """Tell which places are steeper than a house may stand on; None without heights."""
    if not zones.dem:
        return None
    return slopes(zones.dem, xy, str(grid.crs)) > float(presets["refuge.slope"]["flag"])


def _cells(cells: Demand) -> _Spots:
    """Take the cells with people."""
    used = cells.weight > 0
    return _Spots(cells.ids[used], cells.names[used], cells.xy[used], cells.weight[used])


def _nodes(graph: RoadGraph, grid: Grid, cells: Demand) -> _Spots:
    """Take the nodes of the largest part of the roads, weighted by the people of their cell."""
    xy = graph.node_xy[graph.component == 0]
    cell = cell_of(grid, xy[:, 0], xy[:, 1])
    row = np.full(grid.n_cells, -1)
    row[inside_cells(grid)] = np.arange(len(cells.ids))
    inside = (cell >= 0) & (row[np.maximum(cell, 0)] >= 0)
    xy, at = xy[inside], row[cell[inside]]
    _, one = np.unique(np.round(xy), axis=0, return_index=True)
    xy, at = xy[one], at[one]
    ids = np.array([f"N{x:.0f}-{y:.0f}" for x, y in np.round(xy)], dtype=object)
    return _Spots(ids, cells.names[at], xy, cells.weight[at])


def _rows(given: gpd.GeoDataFrame) -> _Spots:
    """Take the rows of a layer."""
    xy = row_xy(given)
    ids = np.asarray(given.index.astype(str), dtype=object)
    names = ids
    if "name" in given.columns:
        own = given["name"].astype(object).to_numpy(dtype=object)
        names = np.array(
            [n if isinstance(n, str) and n else i for n, i in zip(own, ids, strict=True)],
            dtype=object,
        )
    return _Spots(ids, names, xy, np.ones(len(xy)))
