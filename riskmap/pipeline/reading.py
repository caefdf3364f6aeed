"""Reading what the office handed in: units, CRS, place, checked layers, scenarios' water."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from riskmap import progress
from riskmap.errors import CRSError, LayerError, Problem, RiskmapError
from riskmap.export.onemap.backdrop import photo_files
from riskmap.export.public import veil_layers
from riskmap.files import sha256
from riskmap.geo.areas import raster_to_cells
from riskmap.geo.grid import metric_crs, require_metric
from riskmap.i18n import text
from riskmap.layers.check import known_of, read_known, write_known
from riskmap.layers.read.layer import NOT_GIVEN, read_layer
from riskmap.layers.unit_shapes import close_holes, outline_doubts
from riskmap.layers.units import empty_units, read_units
from riskmap.pipeline.ground import Ground
from riskmap.project.words import read_words, with_words, words_file
from riskmap.result import InputFile, Scenario
from riskmap.vocabulary.columns import AREA_KM2, LEVEL, NAME, PARENT_ID, UNIT_LEVELS, WGS84
from riskmap.vocabulary.presets import load_presets
from riskmap.vocabulary.roles import load_roles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

    from riskmap.geo.grid import Grid
    from riskmap.layers.layer import Layer, Raster
    from riskmap.project.schema import Project, ScenarioSource
    from riskmap.vocabulary.presets import Presets
    from riskmap.vocabulary.roles import Role


WORLD = "EPSG:6933"
"""Metres for a place that is not known yet: the world's equal-area cylinder."""


def read_ground(project: Project) -> Ground:
    """Read roles, presets, units and boundary, and choose the run's CRS.

    Parameters
    ----------
    project
        The project.

    Returns
    -------
    Ground
        Without layers, but for the boundary.

    Raises
    ------
    LayerError
        When no unit can be used.
    CRSError
        When the CRS is no metric one.
    """
    roles = roles_of(project)
    presets = load_presets(project.presets)
    units, sources, problems = read_units(
        project.unit_specs(), outline=lambda: _outline(project, roles["boundary"])
    )
    if units.empty:
        raise LayerError(
            text("units: no unit can be used"), tuple(problems) or (_no_units(project),)
        )
    crs = choose_crs(project.crs, units)
    units = describe_units(units.to_crs(crs))
    layers: dict[str, Layer] = {}
    if project.layers.get("boundary"):
        layers["boundary"], said = read_layer(
            roles["boundary"], project.layer_specs("boundary"), crs=crs, place=None
        )
        problems += said
    outline = layers["boundary"].table if "boundary" in layers else None
    place = units if outline is None or outline.empty else outline
    if place is outline and outline is not None and _says_no_datum(project):
        problems += outline_doubts(units, outline, gain=presets["reading.outline_misfit"])
    limit = presets["reading.outline_hole_m2"]
    whole, n, area = close_holes(place.geometry.union_all(), below_m2=limit)
    if n:
        problems.append(_closed(project, n, area, limit))
    return Ground(
        roles=roles,
        presets=presets,
        crs=crs,
        units=units,
        place=whole,
        layers=layers,
        problems=tuple(problems),
        unit_sources=sources,
    )


def _says_no_datum(project: Project) -> bool:
    """Tell whether neither units nor boundary are declared to be in a datum."""
    specs: list[Any] = [*project.unit_specs(), *project.layer_specs("boundary")]
    return all(spec.datum == "auto" and spec.crs is None for spec in specs)


def _closed(project: Project, n: int, area: float, limit: float) -> Problem:
    """Tell of the holes that were filled when the outlines were merged."""
    return Problem(
        "note", "unit", "holes_closed",
        text(
            "{n} gaps and holes smaller than {limit} m2 between the outlines were closed, {area} "
            "m2 together",
            n=n, limit=f"{limit:g}", area=f"{area:.0f}",
        ),
        text("nothing to do; presets: reading.outline_hole_m2 changes the limit"),
        file=project.unit_specs()[0].shown,
    )  # fmt: skip


def roles_of(project: Project) -> dict[str, Role]:
    """Give the roles as the project knows them: shipped, its own, with the office's words.

    Parameters
    ----------
    project
        The project.

    Returns
    -------
    dict
        Role by name.
    """
    roles = load_roles(project.file(project.roles) if project.roles else None)
    return with_words(roles, read_words(words_file(project.path), roles))


def _no_units(project: Project) -> Problem:
    """Say that the sheets of the units are not filled in."""
    spec = project.unit_specs()[0]
    return Problem(
        severity="unusable",
        role="unit",
        rule="no_units",
        message=text("no unit is filled in"),
        mend=text("write the villages into this sheet: name, town, people and a point each"),
        file=spec.shown,
        sheet=spec.sheet or "",
    )


def _outline(project: Project, role: Role) -> Any:
    """Read the boundary alone, for units that have no outline of their own."""
    if not project.layers.get("boundary"):
        return None
    found, _ = read_layer(role, project.layer_specs("boundary"), crs=WORLD, place=None)
    if found.table is None or found.table.empty:
        return None
    return found.table.to_crs(WGS84).geometry.make_valid().union_all()


def no_ground(project: Project) -> Ground:
    """Stand in for a place that cannot be read: layers are checked without it.

    Parameters
    ----------
    project
        The project.

    Returns
    -------
    Ground
        Without units and place.
    """
    try:
        roles = roles_of(project)
    except RiskmapError:  # said already
        roles = load_roles()
    return Ground(
        roles=roles,
        presets=load_presets(project.presets),
        crs=WORLD,
        units=empty_units(),
        place=None,
        layers={},
        problems=(),
    )


def choose_crs(wanted: str, units: gpd.GeoDataFrame) -> str:
    """Choose the one metric CRS of the run.

    Parameters
    ----------
    wanted
        ``auto`` or the project's own.
    units
        Units in EPSG:4326.

    Returns
    -------
    str
        Such as ``EPSG:4548``.
    """
    if wanted != "auto":
        crs = require_metric(wanted)
    else:
        west, south, east, north = units.total_bounds
        crs = metric_crs((west + east) / 2, (south + north) / 2)
    authority = crs.to_authority()
    if authority is None:
        raise CRSError(text("crs: {crs} has no EPSG code; use one that has", crs=wanted))
    return ":".join(authority)


def describe_units(units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Add area, the names of the levels above, and which units are the finest.

    Parameters
    ----------
    units
        In the run's CRS, indexed by unit id, with parent_id, level and name.

    Returns
    -------
    GeoDataFrame
        With ``area_km2``, ``finest`` and one name column for each of village, town, district.
    """
    described = units.copy()
    described[AREA_KM2] = described.geometry.area / 1e6
    parents = described[PARENT_ID].where(described[PARENT_ID].isin(described.index))
    described[PARENT_ID] = parents
    described["finest"] = ~described.index.isin(parents.dropna())
    for level in ("village", "town", "district"):
        described[level] = ""
    here = described.index.to_series()
    for _ in UNIT_LEVELS:
        known = here.notna()
        if not known.any():
            break
        ids = here[known]
        for level in ("village", "town", "district"):
            at = described.loc[ids, LEVEL].to_numpy() == level
            rows = ids.index[at]
            described.loc[rows, level] = described.loc[ids[at], NAME].to_numpy()
        here = here.where(known).map(parents)
    own = described["finest"] & (described["village"] == "") & (described["town"] == "")
    own &= described[LEVEL] != "district"
    described.loc[own, "village"] = described.loc[own, NAME]
    return described


def read_layers(project: Project, ground: Ground, *, shapes: bool = True) -> Ground:
    """Read and check every layer of the project.

    Parameters
    ----------
    project
        The project.
    ground
        Units, CRS and place.
    shapes
        False where nobody looks at the places and ids of points.

    Returns
    -------
    Ground
        With all layers and their problems.
    """
    known = read_ids(project, crs=ground.crs)
    reach = reach_of(project, ground.presets)
    layers, problems = dict(ground.layers), list(ground.problems)
    wanted = [role for role in ground.roles if role not in layers and project.layers.get(role)]
    wanted.sort(key=lambda role: role not in LINES)  # they tell the datum of the others
    for role in progress.counted(wanted, text("layers")):
        layer, said = read_layer(
            ground.roles[role],
            project.layer_specs(role),
            crs=ground.crs,
            place=ground.place,
            known=known,
            units=ground.units,
            lines=_lines(layers),
            presets=ground.presets,
            reach_m=reach.get(role, 0.0),
            shapes=shapes,
        )
        if _not_given(layer, said):
            continue
        layers[role] = layer
        problems += said
    in_order = {role: layers[role] for role in (*ground.layers, *ground.roles) if role in layers}
    return replace(ground, layers=in_order, problems=tuple(problems))


LINES: Final = ("road", "waterway")
"""Roles by which the datum of places is told."""


def _lines(layers: Mapping[str, Layer]) -> gpd.GeoSeries | None:
    """Put roads and water together, as far as they are read."""
    import pandas as pd

    tables = [layers[role].table for role in LINES if role in layers]
    parts = [table.geometry for table in tables if table is not None and len(table)]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def reach_of(project: Project, presets: Presets) -> dict[str, float]:
    """Give by role how far beyond the border rows still count.

    Parameters
    ----------
    project
        Its section ``beyond`` switches a role off, or gives it another reach.
    presets
        ``beyond.reach_m``.

    Returns
    -------
    dict
        Role to metres; 0 where nothing outside counts.
    """
    found = {str(role): float(metres) for role, metres in presets["beyond.reach_m"].items()}
    for role, wish in project.beyond.items():
        found[role] = float(wish) if not isinstance(wish, bool) else found.get(role, 0.0) * wish
    return found


def _not_given(layer: Layer, said: list[Problem]) -> bool:
    """Tell a layer whose sheets are blank, as in a template that is not filled in."""
    blank = layer.rows_in == 0 and not layer.rasters
    return (
        blank and {p.severity for p in said} == {"note"} and any(p.rule == NOT_GIVEN for p in said)
    )


def id_store(project: Project) -> Path:
    """Find the file that keeps a project's item ids.

    Parameters
    ----------
    project
        The project.

    Returns
    -------
    Path
        ``.riskmap/PROJECT.ids.csv`` beside the project file.
    """
    return project.path.parent / ".riskmap" / f"{project.path.stem}.ids.csv"


def read_ids(project: Project, *, crs: str) -> pd.DataFrame | None:
    """Read the item ids that earlier runs kept.

    Parameters
    ----------
    project
        The project.
    crs
        The run's CRS, into which positions are brought.

    Returns
    -------
    DataFrame or None
        Columns role, item_id, name, x, y [m]; None before the first run.
    """
    store = id_store(project)
    return read_known(store, crs=crs) if store.is_file() else None


def keep_ids(project: Project, layers: Mapping[str, Layer], roles: Mapping[str, Role]) -> None:
    """Keep the item ids of a run for the next time a ledger is sent.

    Parameters
    ----------
    project
        The project.
    layers
        The run's layers.
    roles
        The roles.
    """
    store = id_store(project)
    before = read_known(store) if store.is_file() else None
    listed = {role: layer for role, layer in layers.items() if roles[role].item}
    store.parent.mkdir(exist_ok=True)
    write_known(store, known_of(listed, before))


def input_files(project: Project, layers: Mapping[str, Layer]) -> tuple[InputFile, ...]:
    """Hash every file that the run read.

    Parameters
    ----------
    project
        The project.
    layers
        Its layers, whose rows may name photos.

    Returns
    -------
    tuple
        The project file first, then the others by name.
    """
    read = {project.path.name: project.path}
    read |= {shown: path for _, shown, path in project.read_paths()}
    for layer in layers.values():
        read |= photo_files(layer)
    return tuple(
        InputFile(shown, sha256(path), path.stat().st_size)
        for shown, path in read.items()
        if path.is_file()
    )


METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001}


def read_scenarios(
    project: Project, ground: Ground, grid: Grid
) -> tuple[dict[str, Scenario], tuple[Problem, ...]]:
    """Read the layers of every scenario.

    Parameters
    ----------
    project
        The project.
    ground
        Roles, CRS and place.
    grid
        The grid.

    Returns
    -------
    tuple
        Scenario by name, and the problems found.
    """
    found: dict[str, Scenario] = {}
    depths: tuple[Raster, ...]
    problems: list[Problem] = []
    for source in project.scenarios:
        depth, depths = None, ()
        if source.depth:
            depths, said = _depth(project, ground, source)
            depth = raster_to_cells(grid, depths) if depths else None
            _ = ground.presets["flood.map_depth_m"]  # its colours on the map
            problems += said
        closures, said = _vector(project, ground, "closure", source.closures)
        danger, more = _vector(project, ground, "danger_area", source.danger_area)
        problems += [*said, *more]
        found[source.name] = Scenario(
            name=source.name,
            depth_m=depth,
            closures=closures,
            danger_area=danger,
            rain_mm=source.rain_mm,
            hours=source.hours,
            depths=depths,
        )
    return found, tuple(problems)


def _depth(
    project: Project, ground: Ground, source: ScenarioSource
) -> tuple[tuple[Raster, ...], list[Problem]]:
    layer, said = read_layer(
        ground.roles["depth"],
        (project.file_spec(source.depth or ""),),
        crs=ground.crs,
        place=ground.place,
    )
    scale = METRES[source.depth_unit]
    tiles = tuple(
        replace(tile, values=tile.values * scale)  # noqa: PD011  (a raster's)
        for tile in layer.rasters
    )
    return tiles, [*said, *_strange_depths(tiles, source)]


_DEEP_M = 10.0
"""Depths that no street has; a table of flood points stops here too [m]."""


def _strange_depths(tiles: Sequence[Raster], source: ScenarioSource) -> list[Problem]:
    """Say when depths are so large or negative that their unit, or the raster, must be wrong."""
    low = min((float(np.nanmin(tile.values)) for tile in tiles), default=0.0)
    high = max((float(np.nanpercentile(tile.values, 99.0)) for tile in tiles), default=0.0)
    out = []
    if high > _DEEP_M:
        out.append(
            Problem(
                "note",
                "depth",
                "depth_range",
                text(
                    "scenario {name}: water up to {depth} m deep; the raster may be in another "
                    "unit than {unit}",
                    name=source.name,
                    depth=f"{high:.3g}",
                    unit=source.depth_unit,
                ),
                text("give depth_unit: cm or mm for the scenario if that is so"),
                file=source.depth or "",
            )
        )
    if low < 0.0:
        out.append(
            Problem(
                "note",
                "depth",
                "depth_negative",
                text("scenario {name}: some depths are below 0", name=source.name),
                text("check the raster; nothing deeper than 0 counts as water"),
                file=source.depth or "",
            )
        )
    return out


def _vector(
    project: Project, ground: Ground, role: str, written: str | None
) -> tuple[gpd.GeoDataFrame | None, list[Problem]]:
    """Read a scenario's closures or danger areas, for the public edition as it may use them."""
    if not written:
        return None, []
    layer, said = read_layer(
        ground.roles[role],
        (project.file_spec(written),),
        crs=ground.crs,
        place=ground.place,
    )
    if ground.veiled:
        layer = veil_layers({role: layer}, ground.roles, place=ground.place)[role]
    return layer.table, said
