"""How the columns of list and table are headed, filled, and how wide they print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, Final

import pandas as pd

from riskmap.export.workbook.tables import UNIT_LEVEL_NAMES
from riskmap.i18n import Text, text
from riskmap.result import Result
from riskmap.vocabulary import columns as c
from riskmap.vocabulary.grade import LEVEL_NAMES
from riskmap.vocabulary.roles import unit_label


@dataclass(frozen=True)
class Column:
    """One printed column."""

    label: Text | str
    width: float = 12.0
    """Width in characters of the default font; a Chinese character takes two."""
    form: str = "text"
    """``text``, ``wrap``, ``middle``, ``integer``, ``number``, ``degree``, ``score``, ``class``."""
    printed: bool = True
    """False for columns that stand to the right of what is printed."""


COLUMNS: Final[Mapping[str, Column]] = {
    "rank": Column(text("No."), 5, "middle"),
    c.ITEM_ID: Column(text("Item id"), 14, "middle"),
    c.ROLE: Column(text("Kind"), 11, "wrap"),
    c.NAME: Column(text("Name"), 24, "wrap"),
    c.LEVEL: Column(text("Level"), 8, "class"),
    "score": Column(text("Score of the item"), 8, "score"),
    "town": Column(text("Town or street"), 13, "wrap"),
    "village": Column(text("Village or community"), 14, "wrap"),
    c.POPULATION: Column(text("Population"), 10, "integer"),
    "reason": Column(text("Reasons"), 46, "wrap"),
    "people": Column(text("People affected"), 9, "integer"),
    "duty_unit": Column(text("Duty unit"), 18, "wrap"),
    "person": Column(text("Responsible person"), 11, "wrap"),
    "phone": Column(text("Phone"), 13, "middle"),
    "measure": Column(text("Control measure"), 36, "wrap"),
    "deadline": Column(text("Deadline"), 11, "middle"),
    "status": Column(text("Status"), 9, "middle"),
    "missing": Column(text("Blank fields"), 18, "wrap"),
    "district": Column(text("District"), 12, printed=False),
    c.UNIT_ID: Column(text("Unit code"), 15, "middle", printed=False),
    "lon": Column(text("Longitude"), 12, "degree", printed=False),
    "lat": Column(text("Latitude"), 11, "degree", printed=False),
    "deadline_days": Column(text("Days allowed"), 9, "integer", printed=False),
    "remark": Column(text("Remark"), 20, "wrap"),
    "file": Column(text("File"), 34, "wrap"),
    "sheet": Column(text("Sheet"), 12),
    "row": Column(text("Row"), 7, "integer"),
    "field": Column(text("Field"), 14),
    "value": Column(text("Value as filled in"), 22, "wrap"),
    "rule": Column(text("Rule"), 20),
    "message": Column(text("What is wrong"), 36, "wrap"),
    "mend": Column(text("How to mend it"), 36, "wrap"),
    "severity": Column(text("Severity"), 10, "middle"),
    "rows_in": Column(text("Rows in"), 9, "integer"),
    "rows_used": Column(text("Rows used"), 9, "integer"),
    "rows_returned": Column(text("Rows returned"), 9, "integer"),
}
"""Columns that papers know; any other is headed by its own name."""

FORMS: Final[Mapping[str, tuple[float, str, bool]]] = {
    "note": (110, "wrap", True),
    "preset": (42, "wrap", True),
    "preset_value": (40, "wrap", True),
    "source": (46, "wrap", True),
    "preset_status": (10, "middle", True),
    "people_basis": (16, "wrap", False),
    "refuge_name": (16, "wrap", True),
    "refuge_m": (8, "integer", True),
    "station_name": (16, "wrap", True),
    "station_s": (8, "integer", True),
    "method": (12, "wrap", False),
    "unit_class": (8, "class", False),
    "unit_score": (8, "score", False),
    "emergency": (34, "wrap", False),
    "control_tier": (9, "middle", True),
    "patrol_days": (7, "middle", True),
    "report_hours": (7, "middle", True),
    "made_public": (7, "middle", True),
    "overdue": (7, "middle", True),
    "reported_at": (10, "middle", True),
    "spot_check": (10, "wrap", True),
    "reviewer": (9, "middle", True),
    "closed_on": (10, "middle", True),
    "listed": (8, "middle", True),
    "class_before": (10, "class", True),
    "class_after": (10, "class", True),
    "class_change": (9, "middle", True),
    "score_before": (9, "score", True),
    "score_after": (9, "score", True),
    "score_change": (9, "score", True),
    "rank_before": (9, "integer", True),
    "rank_after": (9, "integer", True),
    "cause": (16, "wrap", True),
    "depth_mean_m": (9, "score", True),
}
"""Width, form and whether it prints, of columns whose heading the table itself brings along."""

_SHARES: Final = (
    "bound_share", "gap", "covered_share", "covered_full_share", "overlap_share", "reached",
)  # fmt: skip
"""Columns of plans that hold shares of one."""
YES_NO: Final = (text("yes"), text("no"))


def column_of(
    name: str, values: pd.Series[Any], result: Result, labels: Mapping[str, Text]
) -> Column:
    """Find how a column is printed.

    Parameters
    ----------
    name
        The column's name.
    values
        The column's values, which decide the form of an unknown column.
    result
        The run's result, whose roles name their fields.
    labels
        Headings that the table brings along; they go before those that papers know.

    Returns
    -------
    Column
        Heading, width and form.
    """
    if name in COLUMNS:
        return replace(COLUMNS[name], label=labels.get(name, COLUMNS[name].label))
    if name in labels:
        width, form, printed = FORMS.get(name) or _labelled(name, values, str(labels[name]))
        return Column(labels[name], width, form, printed=printed)
    fields = [
        field for role in result.roles.values() for field in role.fields if field.name == name
    ]
    label = fields[0].label if fields else name
    if pd.api.types.is_bool_dtype(values.dtype):
        return Column(label, 9, "middle")
    if pd.api.types.is_numeric_dtype(values.dtype):
        whole = pd.api.types.is_integer_dtype(values.dtype)
        return Column(label, 11, "integer" if whole else "number")
    longest = int(values.dropna().astype(str).str.len().max() or 0) if len(values.dropna()) else 0
    return Column(label, 30, "wrap") if longest > 24 else Column(label, 16)


def _labelled(name: str, values: pd.Series[Any], label: str) -> tuple[float, str, bool]:
    """Choose width and form of a column of a plan by what stands in it; headings take two lines."""
    half = sum(2.0 if letter > "\u2e7f" else 1.1 for letter in label) / 2.0 + 2.5
    wide = min(max(10.0, half), 26.0)
    if pd.api.types.is_bool_dtype(values.dtype) or not pd.api.types.is_numeric_dtype(values.dtype):
        return (max(16.0, wide), "wrap", True)
    if name.startswith(("share", "twice_")) or name in _SHARES:
        return (wide, "percent", True)
    if name in ("lon", "lat"):
        return (11, "degree", True)
    whole = pd.api.types.is_integer_dtype(values.dtype) or bool((values.dropna() % 1 == 0).all())
    return (max(11.0, wide), "integer" if whole else "number", True)


def shown(name: str, value: Any, result: Result) -> Any:
    """Turn a stored value into what the paper says, in the current language.

    Parameters
    ----------
    name
        The column's name.
    value
        The stored value.
    result
        The run's result.

    Returns
    -------
    object
        A number, a text, or None for a blank.
    """
    if isinstance(value, list | tuple):
        return str(text("; ")).join(str(shown(name, part, result)) for part in value) or None
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return None
    if name == "unit":
        return str(unit_label(str(value)))
    if name == c.ROLE and value in result.roles:
        return str(result.roles[value].label)
    if name == c.LEVEL and isinstance(value, str):
        return str(UNIT_LEVEL_NAMES.get(value, value))
    if name in (c.LEVEL, "unit_class", "class_before", "class_after"):
        return str(LEVEL_NAMES[int(value)])
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return str(YES_NO[0] if value else YES_NO[1])
    if hasattr(value, "item"):
        value = value.item()
    return value if isinstance(value, int | float) and isfinite(value) else str(value)


SHEET_NAMES: Final = {
    "summary": text("Plan summary"),
    "eligibility": text("Usable or not"),
    "capacity": text("Capacity and hazards"),
    "assignment": text("Who goes where"),
    "shortfall": text("Shortfall by village"),
    "mend": text("What would mend it"),
    "sites": text("Proposed sites"),
    "scorecard": text("Scorecard by town"),
    "accessibility": text("Places within reach"),
    "supplies": text("Supplies"),
    "needs": text("Supplies needed"),
    "depots": text("Supplies by depot"),
    "nearest": text("Nearest depot of the refuges"),
    "handout": text("Sheet for the villages"),
    "early": text("Who must leave before the water"),
    "next_depots": text("Next depots"),
}
COLUMN_NAMES: Final = {
    "division": text("Division of goods"),
    "owner": text("Owner"),
    "per_person": text("Each person needs"),
    "days": text("For days"),
    "needed": text("Needed"),
    "in_stock": text("In stock"),
    "adequacy": text("Stock as share of the need"),
    "lack": text("Lacking"),
    "uncounted": text("Rows of unknown unit"),
    "wanted_m2": text("Wanted area (m²)"),
    "area_ok": text("Area is enough"),
    "cut_before": text("People whom none reaches before"),
    "cut_after": text("People whom none reaches after"),
    "mean_before": text("Mean minutes before"),
    "mean_after": text("Mean minutes after"),
    "worst_before": text("Most minutes before"),
    "worst_after": text("Most minutes after"),
    "code": text("Code of goods"),
    "item": text("Item"),
    "measure_unit": text("Counted in"),
    "quantity": text("Quantity"),
    "quantity_county": text("Quantity at county level"),
    "quantity_town": text("Quantity at town level"),
    "quantity_village": text("Quantity at village level"),
    "quantity_unknown": text("Quantity at unknown depots"),
    "depots": text("Number of depots"),
    "depot": text("Depot"),
    "items": text("Rows of stock"),
    "classes": text("Classes of goods"),
    "what": text("Figure"),
    "value": text("Value"),
    "unit": text("Unit of measure"),
    "item_id": text("Refuge id"),
    "name": text("Name"),
    "tier": text("Tier"),
    "type": text("Type"),
    "check": text("Check"),
    "usable": text("Usable"),
    "required": text("Must be passed"),
    "reason": text("Reason"),
    "limit": text("Limit"),
    "area_m2": text("Effective area (m²)"),
    "per_capita_m2": text("Area per person (m²)"),
    "computed": text("Computed capacity"),
    "declared": text("Declared capacity"),
    "over_declared": text("Declared more than computed"),
    "used": text("Places taken"),
    "places": text("Places"),
    "known": text("Capacity known"),
    "assumed": text("Capacity assumed"),
    "appraisal_due": text("Appraisal overdue"),
    "group": text("Group"),
    "district": text("District"),
    "town": text("Town"),
    "village": text("Village"),
    "origin": text("People from"),
    "people": text("People"),
    "refuge_id": text("Refuge id"),
    "refuge": text("Refuge"),
    "mode": text("How"),
    "metres": text("Way (m)"),
    "minutes": text("Minutes"),
    "alternative": text("Next nearest refuge (may be full)"),
    "alternative_mode": text("How to the next nearest"),
    "alternative_minutes": text("Minutes to the next nearest"),
    "unit_id": text("Unit code"),
    "served": text("With a place"),
    "shortfall": text("Without a place"),
    "refuges_in_reach": text("Usable refuges in reach"),
    "cut_off": text("Without any way"),
    "measure": text("Measure"),
    "where": text("Where"),
    "shortfall_before": text("Without a place before"),
    "shortfall_after": text("Without a place after"),
    "refuges": text("Refuges"),
    "capacity_share": text("Places per person"),
    "wanted_share": text("Wanted places per person"),
    "capacity_ok": text("Enough places"),
    "covered_share": text("Share within the radius"),
    "covered_full_share": text("Share within the radius of too small refuges"),
    "overlap_share": text("Share within the radius of two or more"),
    "town_refuges": text("Refuges of town level"),
    "town_small": text("of these below the least capacity"),
    "village_refuges": text("Refuges of village level"),
    "village_small": text("of village level below the least capacity"),
    "town_wanted": text("Wanted refuges of town level"),
    "town_ok": text("Enough of town level"),
    "village_wanted": text("Wanted refuges of village level"),
    "village_ok": text("Enough of village level"),
    "county_refuges": text("Refuges of county level"),
    "county_small": text("of county level below the least capacity"),
    "county_wanted": text("Wanted refuges of county level"),
    "county_ok": text("Enough of county level"),
    "places_2sfca": text("Places per 1000 people (2SFCA)"),
    "places_e2sfca": text("Places per 1000 people (E2SFCA)"),
    "places_3sfca": text("Places per 1000 people (3SFCA)"),
    "in_reach": text("Refuges in reach"),
    "reached": text("Share that reaches a refuge"),
    "nearest_min": text("Minutes to the nearest"),
    "order": text("Order"),
    "site": text("Site"),
    "groups": text("Groups served"),
    "chosen_of_draws": text("Times chosen in noisy draws"),
    "draws": text("Draws"),
    "lon": text("Longitude"),
    "lat": text("Latitude"),
    "target": text("Target"),
    "target_s": text("Target (s)"),
    "total": text("In all"),
    "none": text("Covered by none"),
    "once": text("Covered once"),
    "twice": text("Covered twice or more"),
    "off_network": text("Off the road network"),
    "share_none": text("Share covered by none"),
    "share_once": text("Share covered once"),
    "share_twice": text("Share covered twice or more"),
    "id": text("Id"),
    "weight": text("People or points"),
    "seconds": text("Arrival (s)"),
    "late_s": text("Late by (s)"),
    "station": text("Nearest station"),
    "x": text("East (m)"),
    "y": text("North (m)"),
    "on_network": text("On the road network"),
    "load": text("Nearest to it"),
    "load_in_time": text("Reached in time"),
    "alone": text("Reached by it alone"),
    "area_in_time_km2": text("Area reached in time (km²)"),
    "area_limit_km2": text("Area by the standard (km²)"),
    "area_over": text("Area above the standard"),
    "station_a": text("First station"),
    "station_b": text("Second station"),
    "covered_dry": text("Covered when dry"),
    "covered": text("Covered"),
    "lost": text("Lost to water"),
    "share_dry": text("Share when dry"),
    "share_in_order": text("Share when built in the order of the sites"),
    "compared": text("Possible sites compared"),
    "share_moved": text("Share with vehicles moved out of the water"),
    "share": text("Share covered"),
    "k": text("New sites"),
    "bound_share": text("Proven bound of the share"),
    "gap": text("Gap"),
    "objective": text("Objective"),
    "bound": text("Proven bound"),
    "gain": text("Gained by it"),
    "assisted": text("Need a vehicle"),
    "spare_min": text("Minutes left before the peak"),
    "in_time": text("In time"),
    "via": text("Roads"),
    "heading": text("Direction"),
    "avoided_m": text("Closed on the usual way (m)"),
    "avoided": text("Closed roads avoided"),
    "other_metres": text("Other road (m)"),
    "other_minutes": text("Other road (min)"),
    "shared_m": text("Of it as before (m)"),
    "riders": text("People by vehicle"),
    "longest_min": text("Longest ride (min)"),
    "rounds": text("Rounds of a vehicle"),
    "bus_trips": text("Trips by bus"),
    "assisted_trips": text("Trips with the assisted"),
    "buses": text("Buses"),
    "assisted_vehicles": text("Vehicles for the assisted"),
    "hazard": text("Hazard"),
    "scenario": text("Scenario"),
    "reminder": text("To be mended, not decisive"),
    "unchecked": text("Not checked (no data)"),
    "checked": text("Checked"),
    "phase": text("Phase"),
    "chosen_near": text("Times chosen within {m} m", m=500),
    "model": text("Model"),
    "counted": text("Counted anew"),
    "candidates": text("Candidates"),
    "left_out": text("People who reach none"),
    "when": text("State"),
    "in_reach_share": text("Share within the longest walk"),
    "no_way": text("People without a way"),
    "mean_min": text("Mean walk (min)"),
    "p90_min": text("Nine in ten within (min)"),
    "worst_village": text("Village that walks farthest"),
    "worst_min": text("Its walk (min)"),
    "how": text("What it takes"),
    "leave_by": text("Leave at the latest"),
    "leave_min": text("Leave at the latest (min before the peak)"),
    "arrive_min": text("Until the last has arrived (min)"),
    "through": text("Danger areas on the way"),
    "bus_rounds": text("Rounds of the buses"),
    "assisted_rounds": text("Rounds of the vehicles for the assisted"),
    "handle_min": text("Loading and unloading (min)"),
    "address": text("Address"),
    "person": text("Person in charge"),
    "phone": text("Telephone"),
    "route": text("Route"),
    "other_route": text("Other route"),
    "remark": text("Remark"),
    "short_assisted": text("of these, need a vehicle"),
    "assisted_riders": text("Riders who need a vehicle"),
}
VALUE_NAMES: Final = {
    "foot": text("on foot"),
    "ride": text("by vehicle"),
    "danger_area": text("danger area"),
    "flooded": text("flooded ground"),
    "flood": text("flood"),
    "hazard_source": text("hazard source"),
    "status": text("state"),
    "capacity": text("capacity"),
    "road": text("road"),
    "county": text("county level"),
    "town": text("town level"),
    "village": text("village level"),
    "person": text("persons"),
    "optimal": text("proven best"),
    "feasible": text("feasible, not proven"),
    "urgent": text("urgent"),
    "short": text("short-term"),
    "medium": text("medium-term"),
    "long": text("long-term"),
    "central": text("central"),
    "population": text("people"),
    "arrival_s": text("arrival"),
    "rescue_s": text("rescue begins"),
    "travel_s": text("travel"),
    "community": text("community station"),
    "first": text("first-class station"),
    "second": text("second-class station"),
    "small": text("small station"),
    "geohazard": text("geohazard"),
    "hazmat": text("fire and dangerous goods"),
    "any": text("every hazard"),
    "freeboard": text("floor above the flood level"),
    "slope": text("slope"),
    "declared": text("declared use"),
    "appraisal": text("building appraisal"),
    "ready": text("conversion time"),
}


SHEETS: Final = {
    "summary": text("Targets at a glance"),
    "towns": text("Cover by town"),
    "stations": text("Load of the stations"),
    "worst": text("Uncovered, worst first"),
    "overlap": text("Overlap of stations"),
    "curve": text("Gain by number of sites"),
    "sites": text("Proposed stations"),
    "coverage": text("Covered once, twice, never"),
    "nearest": text("First station of every point"),
}
STATION_COLUMNS: Final = {
    "rule": text("Rule"),
    "target": text("Target"),
    "target_s": text("Limit from the call (s)"),
    "response_s": text("Call handling and turn-out (s)"),
    "drive_s": text("left for driving (s)"),
    "drive_km": text("Reach by road, about (km)"),
    "what": text("Counted"),
    "name": text("Name"),
    "town": text("Town or street"),
    "total": text("In all"),
    "covered": text("Reached in the limit"),
    "share": text("Share in time"),
    "share_twice": text("Share in time of two or more"),
    "share_after": text("Share with the new sites"),
    "share_dry": text("Share when dry"),
    "share_moved": text("Share with vehicles moved out of the water"),
    "covered_dry": text("In time when dry"),
    "lost": text("No longer in time"),
    "cut_off": text("Cut off from every station"),
    "none": text("Covered by none"),
    "once": text("Covered once"),
    "twice": text("Covered twice or more"),
    "share_none": text("Share covered by none"),
    "share_once": text("Share covered once"),
    "off_network": text("Off the road network"),
    "vehicle": text("Vehicle"),
    "on_network": text("On the road network"),
    "load": text("People nearest to it"),
    "load_in_time": text("of these in time"),
    "people_in_time": text("People it reaches in time"),
    "alone": text("of these by it alone"),
    "area_km2": text("Area nearest to it (km²)"),
    "area_in_time_km2": text("of this in time (km²)"),
    "area_limit_km2": text("Largest area by the standard (km²)"),
    "area_over": text("Above the standard (blank: no standard)"),
    "flooded_in": text("Itself in water under"),
    "share_a": text("Share of the first"),
    "share_b": text("Share of the second"),
    "weight": text("People or points"),
    "station_dry": text("First station when dry"),
    "seconds_dry": text("Arrival when dry (s)"),
    "station": text("Station first there"),
    "seconds": text("Arrival (s)"),
    "later_s": text("Later by (s)"),
    "state": text("What becomes of it"),
    "order": text("Order"),
    "gain": text("People gained"),
    "recount": text("Counted anew on the roads"),
    "objective": text("Objective"),
    "bound": text("Proven bound"),
    "bound_share": text("Proven bound of the share"),
    "gap": text("Gap"),
    "k": text("New sites"),
}
WHAT: Final = {
    "population": text("people"),
    "cells": text("cells"),
    "village": text("villages and communities"),
}
"""What is counted, where it is no role."""
VALUES: Final = {
    "linzi_135": text("1-3-5 minutes"),
    "fire_5min": text("five-minute fire rule"),
    "circle_15min": text("15-minute circle"),
    "car": text("car"),
    "truck": text("lorry"),
    "high_clearance": text("high-clearance vehicle"),
    "fire_engine": text("fire engine"),
    "boat": text("boat"),
    "special": text("special-duty station"),
    "suburban": text("suburban station"),
    "in_time": text("in time"),
    "late": text("late"),
    "lost": text("late because of water"),
    "cut": text("cut off by water"),
    "no_way": text("no way even when dry"),
}
