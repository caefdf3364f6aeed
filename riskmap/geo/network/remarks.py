"""What must be known about a road layer beside the graph made of it, its units among it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from riskmap.errors import LayerError
from riskmap.i18n import Text, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from riskmap.geo.network.graph import RoadGraph


def left_out(dropped: Mapping[str, int], profile: str) -> tuple[Text, ...]:
    """Say how many lines the profile may not use, and why.

    Parameters
    ----------
    dropped
        Count of lines by reason.
    profile
        The profile.

    Returns
    -------
    tuple of Text
        Empty when there are none.
    """
    notes = []
    rest = sum(dropped.get(why, 0) for why in ("class", "access", "tags", "ferry", "direction"))
    if rest:
        said = text(
            "{n} lines were left out: their class or access is not for the profile {profile}",
            n=rest,
            profile=profile,
        )
        notes.append(said)
    small = sum(dropped.get(why, 0) for why in ("height", "width", "weight"))
    if small:
        notes.append(
            text(
                "{n} lines were left out: too low, too narrow or too weak for the vehicle", n=small
            )
        )
    return tuple(notes)


def rule_notes(told: Mapping[str, Any], strange: Sequence[str], how: str) -> tuple[Text, ...]:
    """Say what the tags of an extract did to the network.

    Parameters
    ----------
    told
        Counts, as in a road graph.
    strange
        Access values that nobody knows.
    how
        What tells where lines meet, see `Topology`.

    Returns
    -------
    tuple of Text
        What must be known.
    """
    notes = []
    if told["barriers"]["closed"]:
        notes.append(
            text(
                "{n} of {all} barriers close the road on which they stand",
                n=told["barriers"]["closed"],
                all=told["barriers"]["nodes"],
            )
        )
    if told["not_through"]:
        notes.append(
            text("{n} roads are not for through traffic: ways only begin or end there",
                 n=told["not_through"])
        )  # fmt: skip
    if told["ferries"]["used"]:
        notes.append(text("{n} ferries are used", n=told["ferries"]["used"]))
    if told.get("fords"):
        notes.append(
            text("{n} roads lead through water (ford) and count as dry: close them in a scenario",
                 n=told["fords"])
        )  # fmt: skip
    if told.get("cut"):
        notes.append(text("{n} ways were cut where the extract lacks their nodes", n=told["cut"]))
    if told["conditional"]:
        notes.append(
            text(
                "{n} roads have tags that hold at certain times only; what else is said holds",
                n=told["conditional"],
            )
        )
    if strange:
        notes.append(
            text(
                "access values nobody knows ({values}) were not looked at",
                values=", ".join(strange[:5]) + (" ..." if len(strange) > 5 else ""),
            )
        )
    if how == "ends":
        notes.append(text("the roads meet where the columns of their end nodes say so"))
    return (*notes, *_speed_notes(told["speeds"]))


def _speed_notes(told: Mapping[str, int]) -> tuple[Text, ...]:
    """Say how many roads have times or speeds of their own, by what gives their speed."""
    notes = []
    measured = told.get("seconds", 0) + told.get("measured_kmh", 0)
    if measured:
        notes.append(
            text(
                "{n} of {all} roads go by the measured time or speed that the layer gives",
                n=measured,
                all=sum(told.values()),
            )
        )
    if odd := told.get("seconds_unfit", 0):
        notes.append(
            text("{n} times in the column seconds are no times of their roads and were not used",
                 n=odd)
        )  # fmt: skip
    return tuple(notes)


def hour_notes(graph: RoadGraph) -> tuple[Text, ...]:
    """Say whose traffic the times are for.

    Parameters
    ----------
    graph
        The roads.

    Returns
    -------
    tuple of Text
        Empty in free flow.
    """
    if graph.hour is None:
        return ()
    return (
        text(
            "times are those of the traffic at {hour}:00, by the table of congestion "
            "(road.congestion), not free flow",
            hour=graph.hour,
        ),
    )


def turn_notes(told: Mapping[str, int]) -> tuple[Text, ...]:
    """Say how many turn restrictions hold, and how many do not.

    Parameters
    ----------
    told
        Count by what became of them.

    Returns
    -------
    tuple of Text
        Empty when there are none.
    """
    if not told:
        return ()
    return (
        text(
            "turn restrictions: {n} hold; {exempt} are not for this vehicle, {idle} touch no road "
            "of it, {conditional} hold at certain times and were not looked at, {unusable} cannot "
            "be read",
            n=told.get("applied", 0),
            exempt=told.get("exempt", 0),
            idle=told.get("idle", 0),
            conditional=told.get("conditional", 0),
            unusable=told.get("unusable", 0) + told.get("incomplete", 0),
        ),
    )


def notes_on(
    geometry: NDArray[np.object_], odd: tuple[str, ...], *, named: bool, classes: pd.Series
) -> tuple[Text, ...]:
    """Say what was left out or assumed.

    Parameters
    ----------
    geometry
        All lines.
    odd
        One-way values that nobody knows.
    named
        Whether the layer has a class column.
    classes
        OSM classes of the used lines.

    Returns
    -------
    tuple of Text
        What must be known.
    """
    notes: list[Text] = []
    empty = int((~(shapely.length(geometry) > 0)).sum())
    if empty:
        notes.append(text("{n} road lines without length were left out", n=empty))
    if odd:
        notes.append(
            text(
                "one-way values nobody knows ({values}) were taken as two-way",
                values=", ".join(odd),
            )
        )
    if not named:
        notes.append(text("the roads have no class; all get the speed of an unknown class"))
    elif count := int((classes == "").sum()):
        notes.append(
            text(
                "{n} roads have no class and get the speed of an unknown one",
                n=count,
            )
        )
    return tuple(notes)


def parts_notes(nodes: NDArray[np.int64], island: NDArray[np.bool_]) -> tuple[Text, ...]:
    """Say when the network falls into pieces.

    Parameters
    ----------
    nodes
        Number of nodes of each part.
    island
        True for each node on a tiny part.

    Returns
    -------
    tuple of Text
        Empty when there is one part.
    """
    if len(nodes) < 2:
        return ()
    share = f"{100 * nodes.max() / nodes.sum():.0f}"
    if nodes.max() * 2 < nodes.sum():
        return (
            text(
                "the roads hardly touch: {n} separate parts, the largest with {share} percent of "
                "the nodes; lines meet only where they share a vertex: join their ends in a GIS, "
                "or give a joining distance (preset network.join_ends_m, route --join-ends)",
                n=len(nodes),
                share=share,
            ),
        )
    return (
        text(
            "the network has {n} separate parts, the largest with {share} percent of the nodes; "
            "{m} nodes lie on tiny islands, from which no way leads elsewhere",
            n=len(nodes),
            share=share,
            m=int(island.sum()),
        ),
    )


def moved_notes(
    moved: tuple[set[int], set[int]], names: tuple[list[str], list[str]]
) -> tuple[Text, ...]:
    """Say which points were put on the main network, since no way leads to their nearest road.

    Parameters
    ----------
    moved
        Origins and destinations, by position.
    names
        Their ids.

    Returns
    -------
    tuple of Text
        Empty when there are none.
    """
    ids = [names[side][i] for side in (0, 1) for i in sorted(moved[side])]
    if not ids:
        return ()
    shown = ", ".join(dict.fromkeys(ids[:20])) + (" ..." if len(ids) > 20 else "")
    return (
        text(
            "{n} points lie nearest to a piece of road cut off from the rest and were put on the "
            "nearest road of the main network: {ids}",
            n=len(ids),
            ids=shown,
        ),
    )


_LONG: Final = 40
_SHORT: Final = 0.1
"""No road layer has lines this short on the middle [m]."""


def check_units(lines: gpd.GeoDataFrame) -> None:
    """Stop when coordinates and coordinate system of a road layer contradict each other.

    Parameters
    ----------
    lines
        The road lines.

    Raises
    ------
    LayerError
        If there is no CRS, degrees are called metres, or metres are called degrees.
    """
    if lines.crs is None:
        raise LayerError(
            text(
                "the road layer has no coordinate system; give it one (a .prj file beside a "
                "shapefile, or ogr2ogr -a_srs EPSG:4326)"
            )
        )
    west, south, east, north = lines.total_bounds
    as_degrees = max(abs(west), abs(east)) <= 180 and max(abs(south), abs(north)) <= 90
    name = lines.crs.to_string()
    if lines.crs.is_geographic and not as_degrees and np.isfinite([west, south]).all():
        raise LayerError(
            text(
                "coordinates up to {x}, {y} are no degrees, but the road layer says {crs}; give "
                "it its metric coordinate system",
                x=f"{max(abs(west), abs(east)):.0f}",
                y=f"{max(abs(south), abs(north)):.0f}",
                crs=name if len(name) < _LONG else lines.crs.name,
            )
        )
    if not lines.crs.is_geographic and as_degrees and lines.length.median() < _SHORT:
        raise LayerError(
            text(
                "coordinates around {x}, {y} look like degrees, but the road layer says {crs}, "
                "which is in metres; set its coordinate system to EPSG:4326",
                x=f"{(west + east) / 2:.4f}",
                y=f"{(south + north) / 2:.4f}",
                crs=name if len(name) < _LONG else lines.crs.name,
            )
        )
