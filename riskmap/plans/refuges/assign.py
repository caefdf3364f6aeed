"""Who goes to which refuge, who is left without a place, and what would mend that."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from riskmap.i18n import Text, text
from riskmap.plans.refuges.ways import Net, group_ways
from riskmap.siting.allocation import allocate_ordered, allocate_whole, mend
from riskmap.siting.problem import Instance, Solution, among, make_instance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.plans.options import RefugeOptions
    from riskmap.plans.refuges.demand import People
    from riskmap.plans.refuges.sites import Proposed
    from riskmap.vocabulary.presets import Presets

    Floats = NDArray[np.float64]


TIERS = {"village": 0, "town": 1, "county": 2}
"""Order in which tiers are filled."""


@dataclass(frozen=True, kw_only=True)
class Assigned:
    """One solved assignment."""

    instance: Instance
    """Costs are ranks: mode, then tier where they are filled in order, then seconds."""
    solution: Solution
    pairs: pd.DataFrame
    """demand, refuge, mode, people, seconds, metres; positions."""
    shortfall: NDArray[np.float64]
    """People without a place by group."""
    family: NDArray[np.int64]
    """Demand of the instance that each group is part of, shape (n,)."""
    people: NDArray[np.float64]
    """People of each group, shape (n,)."""
    aims: tuple[NDArray[np.int64], ...]
    """Whole costs of the instance's pairs, one array an aim in order; the last one is time."""
    first: NDArray[np.bool_]
    """Demands of the instance that need a vehicle."""
    least_seconds: float | None = None
    """Least person-seconds of these aims where villages may be scattered; None: not looked at."""

    @property
    def person_seconds(self) -> float:
        """Sum of people times seconds."""
        return float((self.pairs["people"] * self.pairs["seconds"]).sum())


@dataclass(frozen=True, kw_only=True)
class Gather:
    """How much walking it is worth to keep villages together."""

    village: NDArray[np.int64]
    """Village of each group, shape (n,)."""
    cost_s: float
    """Person-seconds that a further refuge of a village, or a further part of a group, costs."""
    most: int
    """Refuges that a village should be sent to at most."""
    group_rank: NDArray[np.int64]
    """Place of each group in an order that does not depend on that of the rows, shape (n,)."""
    refuge_rank: NDArray[np.int64]
    """The same of each refuge, shape (m,)."""
    least: float = 0.0
    """Smaller parts of a group are left out where that costs no more than `CRUMB` parts."""


def assign(
    ways: pd.DataFrame,
    people: NDArray[np.float64],
    places: NDArray[np.float64],
    tiers: list[str],
    options: RefugeOptions,
    *,
    assisted: NDArray[np.bool_] | None = None,
    family: NDArray[np.int64] | None = None,
    gather: Gather | None = None,
) -> Assigned:
    r"""Serve the most people, the vulnerable first, the fewest by vehicle, in the least time.

    .. math:: \text{lex max} \Big( \sum_{ij} f_{ij}, \; \sum_{i \in V, j} f_{ij}, \;
              -\sum_{ij \in \text{ride}} f_{ij}, \; -\sum_{ij} \tau_j f_{ij}, \;
              -\sum_{ij} t_{ij} f_{ij} \Big)

    V are those who need a vehicle; serving them first costs nobody else a place in all. Nobody
    rides who can walk to a place. The fourth aim holds only where the preset fills village refuges
    before town and county ones. No aim gives anything back to a later one. Whole groups go to one
    refuge, those of them who need a vehicle by vehicle.

    Parameters
    ----------
    ways
        Table of `riskmap.plans.refuges.ways.ways`.
    people
        People of each group, shape (n,).
    places
        Places of each refuge that may be used, 0 elsewhere, shape (m,).
    tiers
        Tier of each refuge.
    options
        Whole or split, preset, time limit.
    assisted
        Who needs a vehicle, shape (n,); nobody by default.
    family
        Groups that stay together when groups stay whole, shape (n,); each by itself by default.
    gather
        What keeping villages together is worth; None counts nothing but the aims.

    Returns
    -------
    Assigned
        Exact when split; with a proven bound when whole.
    """
    n, m = len(people), len(places)
    weak = np.zeros(n, bool) if assisted is None else assisted
    own = np.arange(n) if family is None or not options.whole else family
    usable = ways[places[ways["refuge"].to_numpy(np.int64)] > 0] if len(ways) else ways
    order = np.asarray([TIERS.get(tier, 1) for tier in tiers], np.float64)
    level = order[usable["refuge"].to_numpy(np.int64)] if options.preset else np.zeros(len(usable))
    demand = usable["demand"].to_numpy(np.int64)
    ride = (usable["rank"].to_numpy(np.int64) > 0) & ~weak[demand]
    seconds = usable["seconds"].to_numpy(np.float64)
    table = pd.DataFrame(
        {
            "family": own[demand],
            "refuge": usable["refuge"].to_numpy(np.int64),
            "people": people[demand],
            "ride": ride * people[demand],
            "level": level * people[demand],
            "time": np.round(seconds / TICK_S) * people[demand],
        }
    )
    count = int(own.max(initial=-1)) + 1
    size = np.bincount(own, weights=people, minlength=count).astype(np.float64)
    table = table.groupby(["family", "refuge"], sort=True).sum().reset_index()
    # Whole groups go where all of them can go.
    table = table[table["people"] >= size[table["family"]] - 1e-6]
    each = np.maximum(size[table["family"]], 1.0)
    aims = [np.round(table[name].to_numpy() / each) for name in ("ride", "level", "time")]
    step = float(aims[2].max(initial=0.0)) + 1.0
    instance = make_instance(
        demand_of=table["family"].to_numpy(np.int64),
        facility_of=table["refuge"].to_numpy(np.int64),
        cost=_one_cost(table, each, size.sum(), step, whole=options.whole),
        demands=tuple(map(str, range(count))),
        facilities=tuple(map(str, range(m))),
        weight=size,
        capacity=places,
    )
    back = pd.MultiIndex.from_frame(table[["family", "refuge"]]).get_indexer(
        pd.MultiIndex.from_arrays([instance.demand_of, instance.facility_of])
    )
    kept = [aim[back].astype(np.int64) for aim in aims]
    first = np.zeros(count, bool)
    first[own[weak]] = True
    blank = Assigned(
        instance=instance, solution=_NONE, pairs=usable, shortfall=people, family=own,
        people=people, aims=tuple(kept if options.preset else (kept[0], kept[2])), first=first,
    )  # fmt: skip
    done = solved(blank, options)
    done = done if gather is None or options.whole else gathered(done, gather)
    return replace(done, pairs=_pairs(done, usable))


ROUNDS = 6
"""Times that the slopes are drawn anew."""


def gathered(done: Assigned, gather: Gather) -> Assigned:
    r"""Send villages to fewer refuges, as far as no earlier aim loses anything.

    .. math:: \min \sum_{ij} t_{ij} f_{ij} + F \big( |\{(v, j): f_{vj} > 0\}| +
              |\{(i, j): f_{ij} > 0\}| \big)

    Fixed costs as slopes: a part of x people bears F / x a head, so that small parts die out; the
    flow is solved again a few times, and the best of all is kept.

    Parameters
    ----------
    done
        Solved; the last of its aims is time.
    gather
        Villages, what a further refuge costs, and how many there should be.

    Returns
    -------
    Assigned
        As many served, the same earlier aims; ``least_seconds`` is what the flow without fixed
        costs takes, a bound of any such plan.

    References
    ----------
    Kim & Pardalos 1999, A solution approach to the fixed charge network flow problem,
    doi:10.1016/S0167-6377(99)00004-8.
    """
    group = _first_of(done.family, done.instance.n_demands)
    done, back = _ordered(done, np.argsort(gather.group_rank[group]), gather)
    whole = done.instance
    village = gather.village[group][back[0]]
    pair = pd.MultiIndex.from_arrays([whole.demand_of, whole.facility_of])
    time = done.aims[-1].astype(np.float64)
    fixed = gather.cost_s / TICK_S
    link = np.unique(
        np.column_stack([village[whole.demand_of], whole.facility_of]), axis=0, return_inverse=True
    )[1].ravel()
    links = int(link.max(initial=-1)) + 1
    of_link = np.zeros(links, np.int64)
    of_link[link] = village[whole.demand_of]
    size = np.bincount(village, weights=whole.size)
    room = np.zeros(links)
    room[link] = np.minimum(whole.capacity[whole.facility_of], size[village[whole.demand_of]])
    slope = fixed / np.maximum(room, 1.0)
    each = fixed / np.maximum(np.minimum(whole.size, 1e9)[whole.demand_of], 1.0)
    again = allocate_ordered(whole, done.aims, first=done.first)
    if again.objective is None:
        return _as_it_was(done, back)
    now = replace(done, solution=again)
    best, least = now, None
    score: tuple[float, float] | None = None
    for turn in range(ROUNDS + 1):
        flow = _flow(now.solution, pair)
        load = np.bincount(link, weights=flow, minlength=links).astype(np.float64)
        used = np.bincount(of_link[load > 0], minlength=len(size))
        spent = float((time * flow).sum())
        least = spent if least is None else least
        value = spent + fixed * (float((load > 0).sum()) + float((flow > 0).sum()))
        over = float(np.maximum(used - gather.most, 0).sum())
        if score is None or (over, value) < score:
            best, score = now, (over, value)
        if turn == ROUNDS or (turn == 0 and (used <= 1).all() and _unparted(whole, flow)):
            break
        slope = np.where(load > 0, fixed / np.maximum(load, 1.0), slope)
        each = np.where(flow > 0, fixed / np.maximum(flow, 1.0), each)
        far = np.where(_ranked(of_link, load) >= gather.most, float(time.max(initial=0.0)), 0.0)
        aim = np.round(time + (slope + far * (used[of_link] > gather.most))[link] + each)
        solution = allocate_ordered(
            whole, (*done.aims[:-1], aim.astype(np.int64)), first=done.first
        )
        if solution.objective is None:
            break
        now = replace(done, solution=solution)
    best = _tidied(best, gather, (link, of_link))
    return replace(_as_it_was(best, back), least_seconds=None if least is None else least * TICK_S)


def _flow(solution: Solution, pair: pd.MultiIndex) -> NDArray[np.float64]:
    """Give the amount that goes along every pair."""
    flow = np.zeros(len(pair))
    at = pair.get_indexer(pd.MultiIndex.from_arrays([solution.demand_of, solution.facility_of]))
    flow[at] = solution.amount
    return flow


TRIES: Final = 24
"""Flows solved to leave out small parts and further refuges."""
CRUMB: Final = 4.0
"""A small part is left out where that costs at most as much as so many parts are worth."""


def _tidied(
    done: Assigned, gather: Gather, links: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> Assigned:
    """Leave out small parts and refuges beyond the most of a village, while no aim loses anything.

    All at once, else by halves; a further refuge of a village goes at any price, a small part at a
    price.
    """
    link, of_link = links
    whole = done.instance
    pair = pd.MultiIndex.from_arrays([whole.demand_of, whole.facility_of])
    barred = np.zeros(len(pair), bool)
    kept, tries = set[tuple[int, ...]](), 0

    def aims_of(flow: NDArray[np.float64]) -> list[float]:
        first = float(flow[done.first[whole.demand_of]].sum())
        return [float(flow.sum()), first, *(float((aim * flow).sum()) for aim in done.aims[:-1])]

    flow = _flow(done.solution, pair)
    want, best = aims_of(flow), done
    time = done.aims[-1].astype(np.float64)
    queue = _needless(whole, flow, link, of_link, gather)
    faults = _faults(queue)
    while queue and tries < TRIES:
        some = queue.pop(0)
        key = tuple(pair for pairs, _ in some for pair in pairs.tolist())
        if key in kept:
            continue
        kept.add(key)
        tries += 1
        trial = barred.copy()
        trial[list(key)] = True
        solution = allocate_ordered(
            among(whole, ~trial), [aim[~trial] for aim in done.aims], first=done.first
        )
        after = _flow(solution, pair) if solution.objective is not None else flow
        free = all(any_price for _, any_price in some)
        price = CRUMB * len(some) * gather.cost_s / TICK_S
        dear = float((time * after).sum() - (time * flow).sum()) > price
        fine = solution.objective is not None and np.allclose(
            aims_of(after), want, rtol=1e-12, atol=1e-6
        )
        rest = _needless(whole, after, link, of_link, gather)
        if fine and (free or not dear) and _faults(rest) < faults:
            best, flow, barred = replace(done, solution=solution), after, trial
            queue, faults = rest, _faults(rest)
        elif len(some) > 1:
            queue[:0] = [some[: len(some) // 2], some[len(some) // 2 :]]
    return best


Unit = tuple["NDArray[np.int64]", bool]


def _needless(
    whole: Instance,
    flow: NDArray[np.float64],
    link: NDArray[np.int64],
    of_link: NDArray[np.int64],
    gather: Gather,
) -> list[list[Unit]]:
    """List what should go: refuges beyond the most at any price; small parts, or what they left."""
    load = np.bincount(link, weights=flow, minlength=len(of_link)).astype(np.float64)
    used = np.bincount(of_link[load > 0], minlength=int(of_link.max(initial=-1)) + 1)
    late = (load > 0) & (_ranked(of_link, load) >= gather.most) & (used[of_link] > gather.most)
    order = np.flatnonzero(late)[np.argsort(load[late], kind="stable")]
    beyond: list[Unit] = [(np.flatnonzero(link == k), True) for k in order]
    small = (flow > 0) & (flow < np.minimum(gather.least, whole.size[whole.demand_of]) - 1e-6)
    small &= ~late[link]
    order = np.flatnonzero(small)[np.argsort(flow[small], kind="stable")]
    crumbs: list[Unit] = [(np.array([k]), False) for k in order]
    # The rest of the group may follow its small part instead.
    rests = [np.flatnonzero((whole.demand_of == whole.demand_of[k]) & (flow > 0)) for k in order]
    joined: list[Unit] = [(r[r != k], False) for r, k in zip(rests, order, strict=True)]
    return [part for part in (beyond, crumbs, joined) if part]


def _faults(units: list[list[Unit]]) -> tuple[int, int]:
    """Count refuges beyond the most of their villages, and small parts."""
    marks = [any_price for part in units for _, any_price in part]
    return sum(marks), len(marks) - sum(marks)


Order = tuple["NDArray[np.int64]", "NDArray[np.int64]", Assigned]


def _ordered(done: Assigned, demands: NDArray[np.int64], gather: Gather) -> tuple[Assigned, Order]:
    """Give demands and refuges numbers by which ties fall alike in every order of the rows."""
    whole, facilities = done.instance, np.argsort(gather.refuge_rank)
    new_demand, new_facility = np.argsort(demands), np.argsort(facilities)
    table = pd.DataFrame({"d": new_demand[whole.demand_of], "f": new_facility[whole.facility_of]})
    at = np.lexsort((table["f"], table["d"]))
    instance = make_instance(
        demand_of=table["d"].to_numpy(np.int64)[at],
        facility_of=table["f"].to_numpy(np.int64)[at],
        cost=whole.cost[at],
        demands=tuple(whole.demands[k] for k in demands),
        facilities=tuple(whole.facilities[k] for k in facilities),
        weight=whole.size[demands],
        capacity=whole.capacity[facilities],
    )
    kept = pd.MultiIndex.from_arrays([table["d"], table["f"]]).get_indexer(
        pd.MultiIndex.from_arrays([instance.demand_of, instance.facility_of])
    )
    aims = tuple(aim[kept] for aim in done.aims)
    changed = replace(done, instance=instance, aims=aims, first=done.first[demands])
    return changed, (demands, facilities, done)


def _as_it_was(done: Assigned, back: Order) -> Assigned:
    """Give the demands and refuges of an answer their first numbers again."""
    demands, facilities, before = back
    found = done.solution
    if found is before.solution:
        return before
    short = np.zeros(len(demands))
    short[demands] = np.asarray((found.extra or {}).get("shortfall", np.zeros(len(demands))))
    solution = replace(
        found, demand_of=demands[found.demand_of], facility_of=facilities[found.facility_of],
        open=np.sort(facilities[found.open]), uncovered=np.sort(demands[found.uncovered]),
        extra={**(found.extra or {}), "shortfall": short},
    )  # fmt: skip
    size = before.instance.size
    share = np.divide(short, size, out=np.zeros(len(size)), where=size > 0)
    return replace(before, solution=solution, shortfall=share[before.family] * before.people)


def _first_of(family: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Give one group of every demand."""
    found = np.zeros(count, np.int64)
    found[family[::-1]] = np.arange(len(family))[::-1]
    return found


def _unparted(instance: Instance, flow: NDArray[np.float64]) -> bool:
    """Tell whether every group goes to one refuge."""
    return bool((np.bincount(instance.demand_of[flow > 0], minlength=1) <= 1).all())


def _ranked(group: NDArray[np.int64], load: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give the place of every row within its group, the largest load first."""
    order = np.lexsort((np.arange(len(load)), -load, group))
    start = np.searchsorted(group[order], group[order], side="left")
    found = np.zeros(len(load), np.int64)
    found[order] = np.arange(len(load)) - start
    return found


_NONE = Solution(
    model="allocate", status="unknown", objective=None, bound=None, open=np.zeros(0, np.int64),
    demand_of=np.zeros(0, np.int64), facility_of=np.zeros(0, np.int64), amount=np.zeros(0),
    uncovered=np.zeros(0, np.int64),
)  # fmt: skip
TICK_S = 0.1
"""Times are counted in steps of so many seconds."""
EXACT = 1e13
"""Sums of costs up to which one number a pair keeps the aims of whole groups in order."""


def _one_cost(
    table: pd.DataFrame, size: NDArray[np.float64], total: float, step: float, *, whole: bool
) -> NDArray[np.float64]:
    """Rank the pairs by one number: riders, then tier, then time.

    Whole groups are solved by it, so a rider outweighs all tiers and a tier all time together,
    where numbers are large enough for that; else each outweighs those of one group.
    """
    more = step * max(total, 1.0) if whole else step
    most = 3.0 * more * max(total, 1.0) if whole else 3.0 * step
    if whole and most * max(total, 1.0) > EXACT:
        more, most = step, 3.0 * step
    ranks = [table[name].to_numpy(np.float64) / size for name in ("ride", "level", "time")]
    return np.asarray(ranks[0] * most + ranks[1] * more + ranks[2], np.float64)


def _pairs(done: Assigned, usable: pd.DataFrame) -> pd.DataFrame:
    """List the groups that were sent somewhere, members of a whole group each by its own mode."""
    found = done.solution
    served = pd.DataFrame(
        {"family": found.demand_of, "refuge": found.facility_of, "amount": found.amount}
    )
    members = pd.DataFrame({"family": done.family, "demand": np.arange(len(done.family))})
    rows = served.merge(members, on="family", how="inner")
    size = done.instance.size[rows["family"].to_numpy(np.int64)]
    rows["people"] = rows["amount"] * done.people[rows["demand"].to_numpy(np.int64)] / size
    rows = rows[rows["people"] > 0][["demand", "refuge", "people"]]
    return rows.merge(usable, on=["demand", "refuge"], how="left", validate="1:1")


def mended(assigned: Assigned, options: RefugeOptions) -> tuple[pd.DataFrame, Assigned]:
    """Find what would remove the shortfall of groups that reach a refuge, and solve it again.

    Parameters
    ----------
    assigned
        The assignment.
    options
        Whole or split.

    Returns
    -------
    tuple
        refuge (position) and places to add; and the assignment with them.
    """
    steps = mend(assigned.instance, assigned.solution, most=None)
    rows = [
        (int(str(s["facility"])), float(str(s["add_capacity"]))) for s in steps if "facility" in s
    ]
    table = pd.DataFrame(rows, columns=["refuge", "add"]).astype({"refuge": int, "add": float})
    capacity = assigned.instance.capacity.copy()
    capacity[table["refuge"].to_numpy(np.int64)] += table["add"].to_numpy()
    more = replace(assigned.instance, capacity=capacity)
    return table, solved(replace(assigned, instance=more), options)


def solved(assigned: Assigned, options: RefugeOptions) -> Assigned:
    """Solve the instance of an assignment again.

    Parameters
    ----------
    assigned
        With the instance to be solved; its pairs are not renewed.
    options
        Whole or split.

    Returns
    -------
    Assigned
        With the new solution and shortfall.
    """
    if options.whole:
        solution = allocate_whole(assigned.instance, max_nodes=options.max_nodes)
    else:
        solution = allocate_ordered(assigned.instance, assigned.aims, first=assigned.first)
    size = assigned.instance.size
    short = np.asarray((solution.extra or {}).get("shortfall", size), np.float64)
    share = np.divide(short, size, out=np.zeros(len(size)), where=size > 0)
    return replace(assigned, solution=solution, shortfall=share[assigned.family] * assigned.people)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One assignment that is to be mended."""

    people: People
    possible: pd.DataFrame
    """All ways."""
    done: Assigned
    refuges: Floats
    """Places of the refuges [m]."""
    places: Floats
    tiers: list[str]
    names: list[str]
    held: pd.DataFrame
    """Table of capacities, in the order of the refuges."""
    options: RefugeOptions
    presets: Presets | None = None
    """What keeping villages together is worth; None keeps nothing together."""

    def gather(self) -> Gather | None:
        """Give what keeping villages together is worth.

        Returns
        -------
        Gather or None
            None without presets.
        """
        if self.presets is None:
            return None
        codes, _ = pd.factorize(self.people.table["unit_id"].astype(str))
        return Gather(
            village=np.asarray(codes, np.int64),
            cost_s=60.0 * float(self.presets["refuge.part_person_min"]),
            most=int(self.presets["refuge.village_refuges"]),
            least=float(self.presets["refuge.least_part"]),
            group_rank=_ranks(self.people.xy, self.assisted, self.counts),
            refuge_rank=_ranks(self.refuges, self.places, np.array(list(map(hash_of, self.names)))),
        )

    @property
    def counts(self) -> Floats:
        """People of each group.

        Returns
        -------
        Floats
            Shape (n,).
        """
        return self.people.table["people"].to_numpy(np.float64)

    @property
    def assisted(self) -> NDArray[np.bool_]:
        """Who needs a vehicle.

        Returns
        -------
        NDArray[np.bool_]
            Shape (n,).
        """
        return self.people.table["assisted"].to_numpy(bool)

    def solve(
        self, possible: pd.DataFrame, places: Floats, tiers: list[str], *, together: bool = False
    ) -> Assigned:
        """Solve with other ways and places.

        Parameters
        ----------
        possible
            Ways.
        places, tiers
            Places and tier of each refuge.
        together
            Whether villages are kept together where that costs little.

        Returns
        -------
        Assigned
            The assignment.
        """
        return assign(
            possible, self.counts, places, tiers, self.options, assisted=self.assisted,
            family=self.people.table["family"].to_numpy(np.int64),
            gather=self.gather() if together else None,
        )  # fmt: skip


def scattered(case: Case) -> dict[str, Text]:
    """Say why a village is sent to more refuges than it should be.

    Those on foot need refuges within their walk; the largest ones show how many are needed at
    least. Where that is not the reason, others need the places too, or an earlier aim does.

    Parameters
    ----------
    case
        The assignment.

    Returns
    -------
    dict
        Code of the village to the reason; only of villages that are sent to too many.
    """
    gather, pairs = case.gather(), case.done.pairs
    if gather is None or not len(pairs):
        return {}
    codes = case.people.table["unit_id"].astype(str).to_numpy(dtype=object)
    sent = pairs.assign(unit=codes[pairs["demand"].to_numpy(np.int64)])
    reach = case.possible.assign(unit=codes[case.possible["demand"].to_numpy(np.int64)])
    many = sent.groupby("unit")["refuge"].nunique()
    said: dict[str, Text] = {}
    for unit, count in many[many > gather.most].items():
        near = reach[reach["unit"] == unit]
        mine = sent[sent["unit"] == unit]
        found = text(
            "sent to {n} refuges, because other villages need the same places or more would ride",
            n=int(count),
        )
        for mode in ("", "foot"):
            there = near if not mode else near[near["mode"] == mode]
            people = mine["people"] if not mode else mine.loc[mine["mode"] == mode, "people"]
            held = np.sort(case.places[there["refuge"].unique()])[::-1]
            wanted = float(people.sum())
            if held[: gather.most].sum() >= wanted:
                continue
            least = int(np.searchsorted(np.cumsum(held), wanted - 1e-6)) + 1
            what = {"n": int(count), "most": gather.most, "people": f"{wanted:.0f}",
                    "held": f"{held[: gather.most].sum():.0f}", "least": least}  # fmt: skip
            found = (
                text(
                    "sent to {n} refuges: the {most} largest within walking distance hold {held} "
                    "of the {people} on foot, so at least {least} are needed",
                    **what,
                )
                if mode
                else text(
                    "sent to {n} refuges: the {most} largest within reach hold {held} of {people}, "
                    "so at least {least} are needed",
                    **what,
                )
            )
        said[str(unit)] = found
    return said


def hash_of(name: str) -> int:
    """Give a number of a name that is the same in every run.

    Parameters
    ----------
    name
        A name.

    Returns
    -------
    int
        Its CRC.
    """
    return zlib.crc32(name.encode())


def _ranks(xy: Floats, *more: NDArray[np.float64] | NDArray[np.bool_]) -> NDArray[np.int64]:
    """Give the place of every row in the order of its coordinates, then of its values."""
    order = np.lexsort((*reversed(more), np.round(xy[:, 1], 3), np.round(xy[:, 0], 3)))
    return np.asarray(np.argsort(order, kind="stable"), np.int64)


def mend_table(
    case: Case, *, roads: tuple[Net, ...], dry: tuple[Net, ...], sites: Proposed | None
) -> pd.DataFrame:
    """List the measures against a shortfall and what is left with each, solved anew.

    Places added to refuges; leaving before the roads are cut, with the places that are lacking
    then; new sites; new sites and added places together. Measures of one block are meant together;
    blocks marked "or" stand for themselves.

    Parameters
    ----------
    case
        The assignment.
    roads, dry
        Roads by mode, as they are and without water and closures.
    sites
        Proposed sites, or None.

    Returns
    -------
    DataFrame
        measure, where, places, shortfall_before, shortfall_after, how (what binds and must grow, so
        that the places are there).
    """
    before = float(case.done.shortfall.sum())
    rows: list[dict[str, object]] = []
    if before <= 0:
        return _table(rows, before)
    more, after = mended(case.done, case.options)
    rows += _added(case, text("add places"), more, after)
    rest = np.flatnonzero(after.shortfall > 0)
    rows += [
        _row(case, text("refuge or vehicles needed near"), int(i), after.shortfall[i], after)
        for i in rest
    ]
    early = _early(case, dry) if dry is not roads else None
    if early is not None:
        rows += [
            _row(
                case,
                text("or: move before the roads are flooded"),
                int(i),
                case.done.shortfall[i],
                early,
            )
            for i in rest
        ]
        if early.shortfall.sum() > 0:
            rows += _added(case, text("and then add places"), *mended(early, case.options))
    if sites is not None and len(sites.xy):
        with_sites, both = _sites(case, roads, sites, more)
        named = "、".join((sites.table["village"] + " " + sites.table["site"]).str.strip())
        size = float(sites.table["places"].sum())
        rows.append(_line(text("or: open new sites"), named, size, with_sites))
        if len(more) and with_sites.shortfall.sum() > 0:
            extra = size + float(more["add"].sum())
            rows.append(_line(text("or: new sites and added places"), named, extra, both))
    return _table(rows, before)


def _table(rows: list[dict[str, object]], before: float) -> pd.DataFrame:
    columns = ["measure", "where", "places", "shortfall_before", "shortfall_after", "how"]
    joined: dict[tuple[str, object], dict[str, object]] = {}
    for row in rows:  # the walkers and the assisted of one group are one row
        key = (repr(row["measure"]), row["where"])
        seen = joined.setdefault(key, row | {"places": 0.0, "shortfall_before": before})
        seen["places"] = float(str(seen["places"])) + float(str(row["places"]))
    return pd.DataFrame(list(joined.values()), columns=columns)


def _line(
    measure: Text, where: str, places: float, after: Assigned, how: Text | str = ""
) -> dict[str, object]:
    left = float(after.shortfall.sum())
    return {
        "measure": measure, "where": where, "places": places, "how": how, "shortfall_after": left
    }  # fmt: skip


def growth(held: pd.DataFrame, row: int, add: float) -> Text:
    """Say what must grow so that a refuge holds more people: its area, what is declared, or both.

    Parameters
    ----------
    held
        Table of capacities.
    row
        Position of the refuge.
    add
        Places to add.

    Returns
    -------
    Text
        To be carried out in the ledger as it is said.
    """
    one = held.iloc[row]
    wanted = float(one["places"]) + float(one["used"]) + add
    declared, area = float(one["declared"]), float(one["area_m2"])
    each = float(one["per_capita_m2"])
    more = max(np.ceil(wanted * each - area - 1e-6), 0.0) if np.isfinite(area) else 0.0
    short = not declared >= wanted if np.isfinite(declared) or not np.isfinite(area) else False
    if more and short:
        return text(
            "effective area {m2} m2 more ({each} m2 a person) and declared capacity {n}",
            m2=f"{more:.0f}", each=f"{each:g}", n=f"{wanted:.0f}",
        )  # fmt: skip
    if more:
        return text(
            "effective area {m2} m2 more ({each} m2 a person); the declared capacity is enough",
            m2=f"{more:.0f}", each=f"{each:g}",
        )  # fmt: skip
    return text("declared capacity {n}", n=f"{wanted:.0f}")


def _row(
    case: Case, measure: Text, group: int, places: float, after: Assigned
) -> dict[str, object]:
    return _line(measure, str(case.people.table["name"].iloc[group]), float(places), after)


def _added(
    case: Case, measure: Text, more: pd.DataFrame, after: Assigned
) -> list[dict[str, object]]:
    return [
        _line(measure, case.names[int(j)], float(add), after, growth(case.held, int(j), float(add)))
        for j, add in zip(more["refuge"], more["add"], strict=True)
    ]


def _early(case: Case, dry: tuple[Net, ...]) -> Assigned | None:
    """Solve again with dry roads for the groups that are cut off; None when none is."""
    found = early_ways(case, dry)
    if found is None:
        return None
    reach = case.possible[case.places[case.possible["refuge"].to_numpy(np.int64)] > 0]
    together = pd.concat([reach, found], ignore_index=True)
    return case.solve(together, case.places, case.tiers)


def early_ways(case: Case, dry: tuple[Net, ...]) -> pd.DataFrame | None:
    """List the ways on dry roads of the groups that are cut off by water or closures.

    Parameters
    ----------
    case
        The assignment.
    dry
        Roads by mode without water and closures.

    Returns
    -------
    DataFrame or None
        As of `group_ways`; None when nobody is cut off, or has a way then.
    """
    reach = case.possible[case.places[case.possible["refuge"].to_numpy(np.int64)] > 0]
    count = np.bincount(reach["demand"].to_numpy(np.int64), minlength=len(case.counts))
    cut = np.flatnonzero((count == 0) & (case.done.shortfall > 0))
    if not cut.size:
        return None
    found = group_ways(dry, case.people.xy[cut], case.refuges, case.assisted[cut])
    if not len(found):
        return None
    found["demand"] = cut[found["demand"].to_numpy(np.int64)]
    return found


def early_case(case: Case, dry: tuple[Net, ...]) -> Case | None:
    """Send who is cut off to the places that are left, on dry roads, before the water comes.

    Parameters
    ----------
    case
        The assignment.
    dry
        Roads by mode without water and closures.

    Returns
    -------
    Case or None
        Of those who are cut off alone; None when nobody can be sent so.
    """
    found = early_ways(case, dry)
    if found is None:
        return None
    cut = np.zeros(len(case.counts), bool)
    cut[found["demand"].to_numpy(np.int64)] = True
    load = np.bincount(
        case.done.pairs["refuge"].to_numpy(np.int64),
        weights=case.done.pairs["people"],
        minlength=len(case.places),
    )
    left = np.maximum(case.places - load, 0.0)
    table = case.people.table.assign(people=np.where(cut, case.done.shortfall, 0.0))
    then = replace(case, people=replace(case.people, table=table), possible=found, places=left)
    return replace(then, done=then.solve(found, left, case.tiers, together=True))


def _sites(
    case: Case, roads: tuple[Net, ...], sites: Proposed, more: pd.DataFrame
) -> tuple[Assigned, Assigned]:
    """Solve with the new sites as village refuges, without and with the added places."""
    found = group_ways(roads, case.people.xy, sites.xy, case.assisted)
    found["refuge"] += len(case.places)
    possible = pd.concat([case.possible, found], ignore_index=True).sort_values(
        ["demand", "rank", "seconds", "refuge"], kind="stable"
    )
    size = sites.table["places"].to_numpy(np.float64)
    tiers = [*case.tiers, *["village"] * len(size)]
    added = case.places.copy()
    added[more["refuge"].to_numpy(np.int64)] += more["add"].to_numpy()
    return (
        case.solve(possible, np.concatenate([case.places, size]), tiers),
        case.solve(possible, np.concatenate([added, size]), tiers),
    )
