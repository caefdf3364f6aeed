"""The one value that every output is written from, and the one shape of a plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from riskmap.geo.grid import as_dataset, cell_centres
from riskmap.vocabulary import columns as c

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import geopandas as gpd
    import xarray as xr

    from riskmap.errors import Problem
    from riskmap.geo.grid import Grid
    from riskmap.geo.people import Pieces
    from riskmap.i18n import Text
    from riskmap.index.steps import Index
    from riskmap.indicators.table import Indicators
    from riskmap.layers.layer import Layer, Raster, Source
    from riskmap.vocabulary.presets import Preset
    from riskmap.vocabulary.roles import Role


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the papers say about themselves."""

    name: str
    place_code: str
    place_name: str
    crs: str
    """The run's metric CRS, such as ``EPSG:4548``."""
    data_date: str
    """The declared date of the data, ISO; the only date in any output; may be empty."""
    lang: str
    profile: str
    """``internal`` or ``public``."""
    review_number: str = ""
    """审图号; empty means: not reviewed, not to be published."""
    issued_by: str = ""
    hotline: str = ""
    """Number of the flood office on duty."""
    grid_size_m: float
    seed: int
    version: str
    demo: bool = False
    """True when any layer holds made-up demo data."""
    sketch: bool = False
    """True when the areas of units are sketches around points and no boundaries."""
    hour: int | None = None
    """Hour of the day whose traffic vehicles meet; None: free flow."""


@dataclass(frozen=True)
class InputFile:
    """A file that the run read."""

    shown: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One named state of the world: water on the ground, closed roads, danger areas."""

    name: str
    depth_m: Any = None
    """Depth on the grid cells [m], float32 with NaN = unknown, or None."""
    closures: gpd.GeoDataFrame | None = None
    danger_area: gpd.GeoDataFrame | None = None
    rain_mm: float | None = None
    hours: float | None = None
    depths: tuple[Raster, ...] = ()
    """Depth rasters in their own resolution [m]."""


Frame = TypeVar("Frame", bound="pd.DataFrame")


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What a model answered to one question of a plan, and what its rows say when counted anew."""

    question: Text | str
    """What was asked, such as who goes where, or two new sites."""
    scenario: str = ""
    model: str = ""
    status: str = ""
    objective: float | None = None
    bound: float | None = None
    gap: float | None = None
    recount: Mapping[str, float] = field(default_factory=dict)
    """Name to a figure counted from the plan's own rows."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan:
    """A plan under every scenario; frozen, and the only input of its papers."""

    tables: Mapping[str, pd.DataFrame]
    """Subject to its one table; the column ``scenario`` tells the states apart."""
    layers: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    """Name to what is drawn: ``kind``, ``label``, ``scenario`` and perhaps ``band``, ``when``."""
    titles: Mapping[str, Text] = field(default_factory=dict)
    """Name of a layer to its title."""
    notes: tuple[Text, ...] = ()
    proof: tuple[Proof, ...] = ()
    headlines: tuple[Text, ...] = ()
    """Those of the notes that the person at the keyboard must see."""

    @property
    def recount(self) -> Mapping[str, float]:
        """Figures of the first question, counted anew.

        Returns
        -------
        Mapping[str, float]
            Name to figure; empty without a proof.
        """
        return self.proof[0].recount if self.proof else {}


def states_of(frame: pd.DataFrame) -> list[str]:
    """List the states of the world that a table or layer holds, in their order.

    Parameters
    ----------
    frame
        Rows, perhaps with a column ``scenario``.

    Returns
    -------
    list of str
        Names of scenarios; empty text for none.

    Examples
    --------
    >>> import pandas as pd
    >>> states_of(pd.DataFrame({"scenario": ["", "storm", ""]})), states_of(pd.DataFrame())
    (['', 'storm'], [''])
    """
    if c.SCENARIO not in frame:
        return [""]
    return list(dict.fromkeys(frame[c.SCENARIO].fillna("").astype(str)))


def of_state(frame: Frame, scenario: str = "") -> Frame:
    """Take the rows of one state of the world.

    Parameters
    ----------
    frame
        Rows, perhaps with a column ``scenario``.
    scenario
        Name of the scenario; empty for none.

    Returns
    -------
    DataFrame
        Its rows, numbered anew.

    Examples
    --------
    >>> import pandas as pd
    >>> of_state(pd.DataFrame({"scenario": ["", "storm"], "n": [1, 2]}), "storm")["n"].tolist()
    [2]
    """
    if c.SCENARIO not in frame:
        return frame if not scenario else frame.iloc[:0]
    return frame[frame[c.SCENARIO].fillna("") == scenario].reset_index(drop=True)


def ways_of_areas(
    items: pd.DataFrame, tables: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Tell where the refuge plan sends the people of each danger area, in one state of the world.

    The state is the one without flood, else the first in which anybody is sent.

    Parameters
    ----------
    items
        The list, index ``item_id``.
    tables
        Tables of the refuge plan: ``handout`` and ``shortfall``, as far as there are.

    Returns
    -------
    dict
        Id of the area to its rows of ``handout``: at the peak before ``early``, most people first;
        no rows where the plan has no place for people of its village. An area of which the plan
        says nothing is left out.

    Examples
    --------
    >>> import pandas as pd
    >>> items = pd.DataFrame({"role": "danger_area", "name": ["A", "B"], "village": ["V", "W"]})
    >>> sent = pd.DataFrame({"name": ["A"], "village": "V", "early": False, "people": 9.0})
    >>> short = pd.DataFrame({"village": ["W"], "shortfall": 5.0})
    >>> found = ways_of_areas(items, {"handout": sent, "shortfall": short})
    >>> {number: rows["people"].tolist() for number, rows in found.items()}
    {'0': [9.0], '1': []}
    """
    sent, short = (tables.get(name, pd.DataFrame()) for name in ("handout", "shortfall"))
    short = short[short["shortfall"] >= 1] if len(short) else short
    peak = sent[~sent["early"].astype(bool)] if len(sent) else sent
    states = next((states_of(part) for part in (peak, sent, short) if len(part)), None)
    if states is None or c.ROLE not in items:
        return {}
    state = "" if "" in states else states[0]
    sent, short = (of_state(part, state) if len(part) else part for part in (sent, short))
    if len(sent):
        sent = sent.sort_values(["early", "people"], ascending=[True, False], kind="stable")
    areas = items[items[c.ROLE] == "danger_area"]
    names = _words(areas, c.NAME)
    twins = names.duplicated(keep=False)
    homes = zip(_words(areas, "town"), _words(areas, "village"), strict=True)
    of_name = dict(iter(sent.groupby(_words(sent, c.NAME), sort=False))) if len(sent) else {}
    found = {}
    for number, name, twin, home in zip(areas.index, names, twins, homes, strict=True):
        rows = of_name.get(name, sent.iloc[:0])
        rows = rows[_at_home(rows, *home)] if twin else rows
        if len(rows) or _at_home(short, *home).any():
            found[str(number)] = rows
    return found


def _words(frame: pd.DataFrame, name: str) -> pd.Series[str]:
    """Give a column of names; nothing where it is blank or missing."""
    values = frame[name] if name in frame else pd.Series("", index=frame.index, dtype=object)
    return values.astype(object).where(values.notna(), "").astype(str).str.strip()


def _at_home(rows: pd.DataFrame, town: str, village: str) -> pd.Series[bool]:
    """Tell which rows are of a village; where a town is blank the village's name decides."""
    of_town = _words(rows, "town")
    here = (of_town == town) | (of_town == "") | (town == "")
    return here & (_words(rows, "village") == village)


@dataclass(frozen=True, eq=False, kw_only=True)
class Earlier:
    """An earlier result of the same place, and what has changed since."""

    name: str
    """Date of its data, or its title."""
    same_scale: bool
    """Whether both have the same goalposts, weights and class limits."""
    units: pd.DataFrame
    """score and class as they were; index ``unit_id``."""
    changed: pd.DataFrame
    """Units whose class is another now, as `riskmap.register.diff.compare_units` lists them."""
    items: pd.DataFrame
    """Changes of items, as `riskmap.register.diff.compare_items` lists them, and lon, lat [deg]."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """Everything one run found out; frozen, and the only input of every export."""

    facts: Facts
    roles: Mapping[str, Role]
    layers: Mapping[str, Layer]
    problems: tuple[Problem, ...]
    notes: tuple[Text, ...]
    """What must be said beside the numbers: left-out indicators, proxies, screening estimates."""
    units: gpd.GeoDataFrame
    """All levels by ``unit_id``: parent_id, level, name, population, area_km2, names of levels."""
    unit_sources: tuple[Source, ...] = ()
    """Files of the units, with rows in, used and returned."""
    grid: Grid
    population: Any
    """People per grid cell, float32 (ny, nx), or None when no population layer exists."""
    pieces: Pieces | None = None
    """People by unit and cell; every count of people is a sum of these."""
    indicators: Indicators
    index: Mapping[str, Index]
    """``unit`` and ``cell``; ``unit@NAME`` and ``cell@NAME`` under the scenario of that name, with
    the goalposts, weights and class limits of the first two."""
    items: pd.DataFrame
    """研判一张单: one row an item, index ``item_id``, best rank first."""
    control: pd.DataFrame
    """管控一张表: one row an item, index ``item_id``."""
    control_choices: Mapping[str, Sequence[Text]] = field(default_factory=dict)
    """Column of that table to the words that it is filled in with."""
    closed: pd.DataFrame | None = None
    """Items that are signed off, as the control table has them; they stand in no list."""
    steps: pd.DataFrame | None = None
    """The register's way of items that have moved on: item_id, name, x, y, on, state, word."""
    earlier: Earlier | None = None
    """What this result is compared with."""
    scorecard: pd.DataFrame | None = None
    """A row a measure and reporting unit: numerator, denominator, value, target, met."""
    duty: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    """Gaps of duty by subject: ground in no grid, items without a person, and so on."""
    scenarios: Mapping[str, Scenario] = field(default_factory=dict)
    plans: Mapping[str, Plan] = field(default_factory=dict)
    """``stations``, ``refuges``, ``supplies``, each under every scenario."""
    presets: tuple[Preset, ...] = ()
    """The presets that this run used."""
    inputs: tuple[InputFile, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    """Frozen fitted parameters, as written to ``params.json``."""
    effects: Mapping[str, Text] = field(default_factory=dict)
    """Role to what would change if its returned rows were mended, or the layer were given."""
    root: Path | None = None

    @property
    def cells(self) -> xr.Dataset:
        """The grid: people, scores, class and indicators of each cell; dimensions y, x [m]."""
        import geopandas as gpd
        import pandas as pd

        measured = self.indicators.cells
        index = self.index.get("cell")
        parts = [measured]
        if index is not None:
            parts = [index.scores, index.classes.to_frame("class"), measured]
        table = pd.concat(parts, axis=1)
        if self.population is not None:
            table.insert(0, "population", self.population.ravel()[table.index])
        x, y = cell_centres(self.grid, table.index.to_numpy())
        return as_dataset(table, gpd.GeoSeries.from_xy(x, y), self.grid.crs)


__all__ = ["Plan", "Proof", "in_state", "joined", "of_state", "states_of"]


def in_state(table: Frame, scenario: str) -> Frame:
    """Say in the first column which state of the world the rows belong to.

    Parameters
    ----------
    table
        Rows.
    scenario
        Name of the scenario; empty for none.

    Returns
    -------
    DataFrame
        The rows with the column ``scenario`` first.
    """
    rest = table.drop(columns=c.SCENARIO, errors="ignore")
    named = pd.Series([scenario] * len(rest), index=rest.index, dtype=object)
    rest.insert(0, c.SCENARIO, named)
    return rest


def joined(
    plans: Mapping[str, Plan],
    *,
    fold: Callable[[Mapping[str, pd.DataFrame]], Mapping[str, pd.DataFrame]] = dict,
) -> Plan:
    """Make one plan of the plans of every state of the world: one table a subject.

    Parameters
    ----------
    plans
        Name of the scenario (empty for none) to its plan.
    fold
        What to make of the tables of one state before they are put under each other.

    Returns
    -------
    Plan
        Tables and layers with the column ``scenario``; empty ones are left out.
    """
    found = {name: fold(plan.tables) for name, plan in plans.items()}
    layers = {name: plan.layers for name, plan in plans.items()}
    return Plan(
        tables=_under_each_other(found),
        layers=_under_each_other(layers),
        titles={key: title for plan in plans.values() for key, title in plan.titles.items()},
        notes=tuple(dict.fromkeys(note for plan in plans.values() for note in plan.notes)),
        proof=tuple(one for plan in plans.values() for one in plan.proof),
        headlines=tuple(line for plan in plans.values() for line in plan.headlines),
    )


def _under_each_other(found: Mapping[str, Mapping[str, Frame]]) -> dict[str, Frame]:
    """Put the tables of one name under each other."""
    names = list(dict.fromkeys(name for tables in found.values() for name in tables))
    out: dict[str, Frame] = {}
    for name in names:
        parts = [
            in_state(tables[name], scenario)
            for scenario, tables in found.items()
            if name in tables and len(tables[name])
        ]
        if parts:
            out[name] = _stacked(parts)
    return out


def _stacked(parts: Sequence[Frame]) -> Frame:
    if len(parts) == 1:
        return parts[0].reset_index(drop=True)
    return pd.concat(parts, ignore_index=True)


def layer_rows(result: Result) -> dict[str, dict[str, int]]:
    """Count the rows of the units and of every role: in, used, returned.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    dict
        Role to its three counts.
    """
    found = {role: layer.sources for role, layer in result.layers.items()}
    parts = {"unit": result.unit_sources, **found} if result.unit_sources else found
    return {
        role: {
            "rows_in": sum(source.rows_in for source in sources),
            "rows_used": sum(source.rows_used for source in sources),
            "rows_returned": sum(source.rows_returned for source in sources),
        }
        for role, sources in parts.items()
    }
