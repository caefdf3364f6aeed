"""What must be known beside the numbers of the station plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmap.i18n import Text, text
from riskmap.plans.station_tables import mean_speed_kmh

if TYPE_CHECKING:
    from riskmap.plans.setting import Setting


OFF_ROADS: Final = text(
    "stations off the road network (in water, or too far from a road) serve nobody; "
    "check their places: {names}"
).msgid
IN_WATER: Final = text(
    "{scenario}: stations standing in water, move vehicles out beforehand: {names}"
).msgid
NO_SITE: Final = text("No new site is proposed: {why}").msgid
FEWER: Final = text(
    "{asked} new sites are asked for, but there are only {n} candidates; all are taken"
).msgid


def station_notes(
    setting: Setting,
    names: NDArray[np.object_],
    tables: Mapping[str, pd.DataFrame],
    *,
    known: bool,
    flooded: Mapping[str, NDArray[np.bool_]],
    most: float,
) -> tuple[Text, ...]:
    """Say what must be known beside the numbers, the result first.

    Parameters
    ----------
    setting
        Stations on dry roads.
    names
        Names of the stations.
    tables
        Tables of the plan.
    known
        Whether the number of people is known.
    flooded
        Scenario to whether each station stands in its water.
    most
        Share from which free flow is stressed.

    Returns
    -------
    tuple
        Notes.
    """
    summary = tables["summary"].drop_duplicates(["target_s", "response_s"]).sort_values("target_s")
    notes = [_reached(summary, len(names), known=known), _why(setting, mean_speed_kmh(setting))]
    notes.append(
        text("Arrival times are free flow (自由流), without traffic and turn restrictions.")
    )
    if not known:
        notes.append(text("no population: every cell counts the same"))
    off = names[~setting.on]
    if len(off):
        notes.append(
            text(
                "stations off the road network (in water, or too far from a road) serve nobody; "
                "check their places: {names}",
                names="、".join(map(str, off)),
            )
        )
    for scenario, wet in flooded.items():
        if wet.any():
            notes.append(
                text(
                    "{scenario}: stations standing in water, move vehicles out beforehand: {names}",
                    scenario=scenario,
                    names="、".join(map(str, names[wet])),
                )
            )
    share = float(summary["share"].iloc[0]) if len(summary) else 0.0
    if share > most:
        notes.append(
            text(
                "{share} within the target is a free-flow figure; measured times are longer",
                share=f"{share:.1%}",
            )
        )
    return tuple(notes)


def _reached(summary: pd.DataFrame, count: int, *, known: bool) -> Text:
    """Say every target's share in one line."""
    each = [
        text("{min} min {share}", min=f"{seconds / 60:g}", share=f"{share:.1%}")
        for seconds, share in zip(summary["target_s"], summary["share"], strict=True)
    ]
    parts = each[0]
    for more in each[1:]:
        parts = text("{parts}, {more}", parts=parts, more=more)
    if known:
        return text("{n} stations, share of the people reached: {parts}", n=count, parts=parts)
    return text("{n} stations, share of the cells reached: {parts}", n=count, parts=parts)


def _why(setting: Setting, speed_kmh: float) -> Text:
    """Say how much of the first target is left for driving, and how far that goes."""
    target = setting.rule.targets[0]
    wait = float(np.median(setting.start)) if len(setting.start) else target.response_s
    drive = max(target.seconds - wait, 0.0)
    return text(
        "Of {total} s, {wait} s are call handling and turn-out: {drive} s are left for driving, "
        "about {km} km of road at the mean {speed} km/h",
        total=f"{target.seconds:g}",
        wait=f"{wait:g}",
        drive=f"{drive:g}",
        km=f"{drive * speed_kmh / 3600:.1f}",
        speed=f"{speed_kmh:.0f}",
    )


def headlines(notes: tuple[Text, ...]) -> tuple[Text, ...]:
    """Choose what the person at the keyboard must see.

    Parameters
    ----------
    notes
        Notes of the plan; the result stands first.

    Returns
    -------
    tuple
        The result, stations that serve nobody, and why a site is lacking.
    """
    seen = (OFF_ROADS, IN_WATER, NO_SITE, FEWER)
    return (*notes[:1], *(note for note in notes[1:] if note.msgid in seen))
