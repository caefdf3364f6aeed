"""What would remove the shortfall, every measure solved again with the whole model."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskmap.i18n import Text, text
from riskmap.plans.refuges.assign import Assigned, Gather, assign, mended
from riskmap.plans.refuges.ways import Net, group_ways

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.plans.refuges.demand import People
    from riskmap.plans.refuges.options import RefugeOptions
    from riskmap.plans.refuges.sites import Proposed
    from riskmap.vocabulary.presets import Presets

    Floats = NDArray[np.float64]


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
