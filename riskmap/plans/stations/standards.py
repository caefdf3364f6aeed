"""Standards of the office's own: enough crews, from enough stations, in time, by kind of place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmap.errors import ProjectError
from riskmap.i18n import Text, text
from riskmap.plans.options import Rule, Target
from riskmap.plans.stations.coverage import Demand, Reach
from riskmap.result import of_state
from riskmap.vocabulary.columns import words_of

if TYPE_CHECKING:
    import geopandas as gpd

    from riskmap.plans.options import Standard

Pairs = Mapping[str, tuple[Demand, Reach]]
Floats = NDArray[np.float64]
_MOST: Final = 200
"""Places that are listed for each standard at most."""


def with_standards(rule: Rule, standards: Sequence[Standard]) -> Rule:
    """Let ways be sought far enough for every standard.

    Parameters
    ----------
    rule
        Response rules.
    standards
        The standards.

    Returns
    -------
    Rule
        The same targets.

    Raises
    ------
    ProjectError
        If a standard leaves nothing for driving.
    """
    far = [0.0]
    for one in standards:
        wait = rule.response_s if one.response_s is None else one.response_s
        if one.arrival_s <= wait:
            raise ProjectError(
                text(
                    "{key}: {part} of {seconds} s leaves nothing for driving after {wait} s of "
                    "call handling and turn-out; give a longer target",
                    key="stations.standards", part="arrival_s", seconds=f"{one.arrival_s:g}",
                    wait=f"{wait:g}",
                )
            )  # fmt: skip
        far.append(one.arrival_s + max(rule.response_s - wait, 0.0))
    return replace(rule, further_s=max(far))


def enough_s(
    reach: Reach, target: Target, crews: NDArray[np.int64], *, least: int, stations: int
) -> Floats:
    """Give the time at which enough crews from enough stations stand at every place.

    Parameters
    ----------
    reach
        Pairs of stations and places.
    target
        Whose clock counts.
    crews
        What each station sends, shape (stations,).
    least, stations
        How many crews, and from how many stations at least.

    Returns
    -------
    numpy.ndarray
        Infinite where too few come, shape (d,) [s].
    """
    seconds = reach.arrival_s(target)
    order = np.lexsort((reach.station, seconds, reach.place))
    place, sent = reach.place[order], crews[reach.station[order]]
    first = np.searchsorted(place, place, side="left")
    total = np.cumsum(sent)
    here = total - (total - sent)[first]
    turn = np.arange(len(place)) - first + 1
    enough = (here >= least) & (turn >= stations)
    found = np.full(len(reach.on), np.inf)
    np.minimum.at(found, place[enough], seconds[order][enough])
    return found


@dataclass(frozen=True, eq=False)
class Held:
    """The standards of a plan, and what they are held against."""

    standards: Sequence[Standard]
    rule: Rule
    stations: gpd.GeoDataFrame
    points: Mapping[str, gpd.GeoDataFrame]
    towns: Mapping[str, str]

    def tables(
        self, pairs: Mapping[str, Pairs], names: NDArray[np.object_]
    ) -> dict[str, pd.DataFrame]:
        """Hold the coverage against every standard.

        Parameters
        ----------
        pairs
            Scenario (empty: dry roads) to places and how they are reached.
        names
            Names of the stations.

        Returns
        -------
        dict
            ``standards``, a row for each scenario, standard and kind of place, and ``unmet``, the
            places that fall short, most people first; empty without standards.

        Raises
        ------
        ProjectError
            If a standard names places or a field that the project does not have.
        """
        rows, parts = [], []
        for scenario, there in pairs.items():
            for one in self.standards:
                for what in one.places:
                    demand, reach = self._places(there, what)
                    row, late = self._one(one, demand, reach, names)
                    rows.append({"scenario": scenario, **row})
                    late.insert(0, "scenario", scenario)
                    parts.append(late)
        found = [part for part in parts if len(part)]
        return {
            "standards": pd.DataFrame(rows),
            "unmet": pd.concat(found, ignore_index=True) if found else pd.DataFrame(),
        }

    def _places(self, there: Pairs, what: str) -> tuple[Demand, Reach]:
        if what not in there:
            raise ProjectError(
                text(
                    "stations.standards: the project has no places {what}; use one of {known}",
                    what=repr(what),
                    known=", ".join(sorted(there)),
                )
            )
        return there[what]

    def _counts(self, one: Standard, demand: Demand) -> NDArray[np.bool_]:
        """Tell which places of a demand a standard is for."""
        use = demand.weight > 0
        for field, values in one.where.items():
            table = self.points.get(demand.what)
            if table is None or field not in table.columns:
                raise ProjectError(
                    text(
                        "stations.standards: places {what} have no field {field}",
                        what=repr(demand.what),
                        field=repr(field),
                    )
                )
            said = table[field].astype(object).where(table[field].notna(), "").map(_plain)
            use &= said.isin([_plain(value) for value in values]).to_numpy(dtype=bool)
        return use

    def _one(
        self, one: Standard, demand: Demand, reach: Reach, names: NDArray[np.object_]
    ) -> tuple[dict[str, object], pd.DataFrame]:
        """Hold one kind of place against one standard."""
        wait = self.rule.response_s if one.response_s is None else one.response_s
        target = Target("arrival_s", one.arrival_s, text("arrival"), "", wait)
        crews = crews_of(self.stations)
        when = enough_s(reach, target, crews, least=one.crews, stations=one.stations)
        use = self._counts(one, demand)
        met = use & (when <= one.arrival_s)
        total, covered = float(demand.weight[use].sum()), float(demand.weight[met].sum())
        share = covered / total if total else np.nan
        row: dict[str, object] = {
            "standard": _title(one, demand.what), "what": demand.what, "target_s": one.arrival_s,
            "response_s": wait, "crews": one.crews, "from_stations": one.stations, "total": total,
            "covered": covered, "share": share, "share_wanted": one.share,
            "kept": bool(share >= one.share - 1e-12) if total else None,
        }  # fmt: skip
        late = np.flatnonzero(use & ~met)  # the missing and those who come too late
        order = np.lexsort((demand.ids[late].astype(str), -when[late], -demand.weight[late]))
        late = late[order][:_MOST]
        seconds = np.where(np.isfinite(when[late]), when[late], np.nan)
        return row, pd.DataFrame(
            {
                "standard": pd.Series([_title(one, demand.what)] * len(late), dtype=object),
                "what": demand.what,
                "id": demand.ids[late],
                "name": demand.names[late],
                "town": [self.towns.get(str(code), str(code)) for code in demand.town[late]],
                "weight": demand.weight[late],
                "seconds": seconds,
                "late_s": seconds - one.arrival_s,
                "station": np.append(names, "")[reach.nearest[late]],
            }
        )


def standard_notes(table: pd.DataFrame) -> tuple[Text, ...]:
    """Say which standards are kept on dry roads.

    Parameters
    ----------
    table
        ``standards``, as of `Held.tables`.

    Returns
    -------
    tuple of Text
        One for each standard and kind of place; empty without standards.
    """
    if not len(table):
        return ()
    said = []
    for row in of_state(table).to_dict("records"):
        parts = {
            "standard": row["standard"],
            "share": f"{row['share']:.1%}",
            "wanted": f"{row['share_wanted']:.0%}",
        }
        if row["kept"] is None:
            said.append(text("{standard}: there is no such place", standard=row["standard"]))
        elif row["kept"]:
            said.append(text("{standard}: kept, {share} of {wanted} wanted", **parts))
        else:
            said.append(text("{standard}: not kept, {share} of {wanted} wanted", **parts))
    return tuple(said)


def crews_of(stations: pd.DataFrame) -> NDArray[np.int64]:
    """Give how many crews each station sends: its vehicles, one where it gives none.

    Parameters
    ----------
    stations
        Stations; ``vehicles`` is used.

    Returns
    -------
    numpy.ndarray
        Shape (stations,).
    """
    if "vehicles" not in stations.columns:
        return np.ones(len(stations), np.int64)
    own = pd.to_numeric(stations["vehicles"], errors="coerce").to_numpy(dtype=np.float64)
    return np.where(np.isfinite(own), np.maximum(own, 0), 1).astype(np.int64)


def _plain(value: object) -> str:
    """Write a value so that 1, 1.0 and "1" are the same."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _title(one: Standard, what: str) -> Text | str:
    """Name a standard: as the office does, else by the places and the time."""
    if one.name:
        return one.name
    places = words_of("counted").get(what, what)
    minutes = f"{one.arrival_s / 60:g}"
    if one.stations > 1:
        return text(
            "{places}: {crews} crews from {stations} stations within {min} min",
            places=places, crews=one.crews, stations=one.stations, min=minutes,
        )  # fmt: skip
    return text("{places}: {crews} crews within {min} min", places=places, crews=one.crews,
                min=minutes)  # fmt: skip
