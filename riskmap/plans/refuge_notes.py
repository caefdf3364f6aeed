"""What a refuge plan says of itself: its numbers counted anew, and remarks beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from riskmap.i18n import Text, text
from riskmap.plans.refuge_assign import Assigned
from riskmap.plans.refuge_roads import Net

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from riskmap.plans.refuge_options import RefugeOptions


def recounted(
    done: Assigned,
    people: NDArray[np.float64],
    places: NDArray[np.float64],
    assisted: NDArray[np.bool_],
) -> dict[str, float]:
    """Count from the rows alone: served, short, and whether a refuge holds too many.

    Parameters
    ----------
    done
        The assignment.
    people
        People to move of every group, shape (groups,).
    places
        Places of every refuge that may be used, shape (refuges,).
    assisted
        Who needs a vehicle, shape (groups,).

    Returns
    -------
    dict
        people, served, walk, ride, shortfall, assisted, assisted_short, places, overload,
        served_twice [persons].
    """
    rows = done.pairs
    load = np.bincount(
        rows["refuge"].to_numpy(np.int64), weights=rows["people"], minlength=places.size
    )
    served = np.bincount(
        rows["demand"].to_numpy(np.int64), weights=rows["people"], minlength=people.size
    )
    return {
        "people": float(people.sum()),
        "served": float(served.sum()),
        "walk": float(rows.loc[rows["mode"] == "foot", "people"].sum()),
        "ride": float(rows.loc[rows["mode"] == "ride", "people"].sum()),
        "shortfall": float(np.maximum(people - served, 0).sum()),
        "assisted": float(people[assisted].sum()),
        "assisted_short": float(np.maximum(people - served, 0)[assisted].sum()),
        "places": float(places.sum()),
        "overload": float(np.maximum(load - places, 0).max(initial=0.0)),
        "served_twice": float(np.maximum(served - people, 0).sum()),
    }


def plan_notes(
    name: str,
    recount: Mapping[str, float],
    done: Assigned,
    fit: pd.DataFrame,
    held: pd.DataFrame,
    roads: tuple[Net, ...],
    options: RefugeOptions,
    *,
    late: float,
    warning_h: float,
) -> tuple[Text, ...]:
    """Say what must be known beside the numbers.

    Parameters
    ----------
    name
        Name of the scenario; empty without flood.
    recount
        As of `recounted`.
    done
        The assignment.
    fit
        The table of eligibility.
    held
        The table of capacities.
    roads
        Roads by mode.
    options
        The plan's options.
    late
        People who arrive after the peak.
    warning_h
        Time from the warning to the peak [h].

    Returns
    -------
    tuple of Text
        Remarks for the run's log and page.
    """
    where = name or text("without flood")
    notes = [
        text(
            "Refuge plan ({where}): {people} to move, {served} have a place ({walk} on foot, "
            "{ride} by vehicle), {short} have none.",
            where=where,
            people=f"{recount['people']:.0f}",
            served=f"{recount['served']:.0f}",
            walk=f"{recount['walk']:.0f}",
            ride=f"{recount['ride']:.0f}",
            short=f"{recount['shortfall']:.0f}",
        )
    ]
    if not roads:
        notes.append(text("Refuge plan: no road network, so nobody can be sent anywhere."))
    failed = fit[~fit["usable"] & fit["required"]]
    if len(failed):
        notes.append(
            text(
                "Refuge plan ({where}): {n} refuges are not used; the table says why.",
                where=where,
                n=failed["item_id"].nunique(),
            )
        )
    notes += _warnings(where, fit, late=late, warning_h=warning_h)
    if held["assumed"].any():
        notes.append(
            text(
                "Refuge plan: {n} refuges give no capacity and are taken to hold {q} each "
                "(assumed in the project file).",
                n=int(held["assumed"].sum()),
                q=options.assumed_capacity,
            )
        )
    if done.solution.status == "feasible":
        notes.append(
            text("Refuge plan ({where}): the assignment is good, not proven best.", where=where)
        )
    return tuple(notes)


def _warnings(where: Text | str, fit: pd.DataFrame, *, late: float, warning_h: float) -> list[Text]:
    """Say what is used although something is to be mended, and who comes too late."""
    notes = []
    due = fit[(fit["check"] == "appraisal") & ~fit["usable"] & ~fit["required"]]
    if len(due):
        notes.append(
            text(
                "Refuge plan ({where}): {n} refuges have a building appraisal older than the "
                "cycle; have them checked before they are opened.",
                where=where,
                n=due["item_id"].nunique(),
            )
        )
    if late > 0:
        notes.append(
            text(
                "Refuge plan ({where}): {n} people cannot arrive before the peak after a warning "
                "{hours} h ahead.",
                where=where,
                n=f"{late:.0f}",
                hours=f"{warning_h:g}",
            )
        )
    return notes
