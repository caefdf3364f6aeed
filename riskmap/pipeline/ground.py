"""Units, CRS, place and checked layers: what every later stage stands on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from riskmap import progress
from riskmap.errors import CRSError, LayerError, Problem
from riskmap.files import sha256
from riskmap.i18n import text
from riskmap.result import InputFile
from riskmap.vocabulary.columns import AREA_KM2, LEVEL, NAME, PARENT_ID, UNIT_LEVELS, WGS84

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import pandas as pd

    from riskmap.layers.layer import Layer, Source
    from riskmap.project.schema import Project
    from riskmap.vocabulary.presets import Presets
    from riskmap.vocabulary.roles import Role


WORLD = "EPSG:6933"
"""Metres for a place that is not known yet: the world's equal-area cylinder."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What every stage stands on."""

    roles: Mapping[str, Role]
    presets: Presets
    crs: str
    units: gpd.GeoDataFrame
    place: Any
    layers: Mapping[str, Layer]
    problems: tuple[Problem, ...]
    unit_sources: tuple[Source, ...] = ()
    """Files of the units, with rows in, used and returned."""
    veiled: bool = False
    """True when layers and texts are those from which the public edition is computed."""
    words: re.Pattern[str] | None = None
    """Names of persons that no text of a veiled run may hold."""


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
    from riskmap.layers.read.layer import read_layer
    from riskmap.layers.unit_shapes import close_holes, outline_doubts
    from riskmap.layers.units import read_units
    from riskmap.vocabulary.presets import load_presets

    roles = roles_of(project)
    presets = load_presets(project.presets)
    units, problems = read_units(
        project.unit_specs(), outline=lambda: _outline(project, roles["boundary"])
    )
    if units.empty:
        raise LayerError(
            text("units: no unit can be used"), tuple(problems) or (_no_units(project),)
        )
    sources = tuple(units.attrs.pop("sources", ()))
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
    from riskmap.project.words import read_words, with_words, words_file
    from riskmap.vocabulary.roles import load_roles

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
    from riskmap.layers.read.layer import read_layer

    if not project.layers.get("boundary"):
        return None
    found, _ = read_layer(role, project.layer_specs("boundary"), crs=WORLD, place=None)
    if found.table is None or found.table.empty:
        return None
    return found.table.to_crs(WGS84).geometry.make_valid().union_all()


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
    from riskmap.geo.crs import metric_crs, require_metric

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


def read_layers(project: Project, ground: Ground) -> Ground:
    """Read and check every layer of the project.

    Parameters
    ----------
    project
        The project.
    ground
        Units, CRS and place.

    Returns
    -------
    Ground
        With all layers and their problems.
    """
    from riskmap.layers.read.layer import read_layer

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
    from riskmap.layers.read.layer import NOT_GIVEN

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


def road_cache(project: Project) -> Path | None:
    """Find the folder in which road graphs are kept between runs.

    Parameters
    ----------
    project
        The project.

    Returns
    -------
    Path or None
        ``.riskmap/cache`` beside the project file; None when the project keeps none.
    """
    return project.path.parent / ".riskmap" / "cache" if project.cache else None


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
    from riskmap.layers.check.ids import read_known

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
    from riskmap.layers.check.ids import known_of, read_known, write_known

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
    from riskmap.export.onemap.backdrop import photo_files

    read = {project.path.name: project.path}
    read |= {shown: path for _, shown, path in project.read_paths()}
    for layer in layers.values():
        read |= photo_files(layer)
    return tuple(
        InputFile(shown, sha256(path), path.stat().st_size)
        for shown, path in read.items()
        if path.is_file()
    )
