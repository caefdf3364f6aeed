"""The sections of a project file."""

from __future__ import annotations

import copy
import os
import re
from dataclasses import replace
from datetime import date
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from riskmap.errors import Problem, ProjectError
from riskmap.files import parse_yaml
from riskmap.formats import side_files
from riskmap.i18n import Text, text
from riskmap.indicators import shipped_tables
from riskmap.layers.layer import FieldMap, LayerSpec, UnitSpec
from riskmap.layers.read.database import is_database, is_local, kept_file, shown_database
from riskmap.plans.options import RefugeOptions, StationOptions, response_rule
from riskmap.vocabulary.columns import (
    Code,
    Section,
    Unfit,
    as_date_text,
    is_number,
    one_or_list,
)
from riskmap.vocabulary.presets import load_presets
from riskmap.vocabulary.roles import load_roles

if TYPE_CHECKING:
    from collections.abc import Mapping


class Place(Section):
    """The place that the papers are about."""

    code: Code = ""
    """Administrative code, GB/T 2260."""
    name: str = ""
    """Name as it is printed."""


class UnitSource(Section):
    """One file of administrative units."""

    path: str = Field(min_length=1)
    """File, relative to the project file; or ``postgresql://USER@HOST:PORT/DATABASE``."""
    layer: str | None = None
    """Layer inside the file, or table of the database."""
    sheet: str | None = None
    """Sheet of a workbook; villages with a point and no outline get areas of the nearest land."""
    where: str | None = None
    """SQL condition on the rows."""
    level: str | None = None
    """Level of all rows: district, town, village, grid_duty_area or custom."""
    level_column: str | None = None
    """Column that holds the level of each row."""
    code: str = "code"
    """Column of the unit code."""
    name: str = "name"
    """Column of the name."""
    parent: str | None = None
    """Column of the parent's code or name; without it the parent is the unit around it."""
    population: str | None = None
    """Column of the number of people."""
    elderly: str | None = None
    """Column of the number of elderly people."""
    datum: Literal["auto", "wgs84", "cgcs2000", "gcj02", "bd09"] = "auto"
    """Datum of the coordinates."""
    crs: str | None = None
    """CRS, when the file does not say."""
    encoding: str | None = None
    """Text encoding, when it is known."""
    demo: bool = False
    """True when the rows are made-up demo data."""


class Grid(Section):
    """The analysis grid."""

    shape: Literal["square"] = "square"
    """Form of the cells."""
    size_m: float = Field(default=250, gt=0, le=20_000)
    """Side of a cell [m]."""


class Column(Section):
    """Where a field stands in a file whose header does not say."""

    column: str
    """Header of the column."""
    unit: str | None = None
    """Unit of the values, such as cm."""


class LayerSource(Section):
    """One file that feeds a role."""

    path: str = Field(min_length=1)
    """File, relative to the project file; or ``postgresql://USER@HOST:PORT/DATABASE``."""
    layer: str | None = None
    """Layer inside the file, or table of the database."""
    sheet: str | None = None
    """Sheet of a workbook."""
    where: str | None = None
    """SQL condition on a vector source."""
    datum: Literal["auto", "wgs84", "cgcs2000", "gcj02", "bd09"] = "auto"
    """Datum of the coordinates."""
    crs: str | None = None
    """CRS, when the file does not say."""
    encoding: str | None = None
    """Text encoding, when it is known."""
    as_point: bool = False
    """Take a point inside each polygon."""
    fields: dict[str, Column] = Field(default_factory=dict)
    """Field of the role to column of the file."""
    constants: dict[str, Any] = Field(default_factory=dict)
    """Field of the role to the value of every row."""
    direction: Literal["two_way", "digitised", "oneway_field"] | None = None
    """How road lines may be driven."""
    demo: bool = False
    """True when the rows are made-up demo data."""


class Classes(Section):
    """How scores become classes."""

    method: Literal["natural_breaks", "quantile", "equal_interval", "std_dev", "fixed"] = (
        "natural_breaks"
    )
    """Classification method."""
    k: Literal[4] = 4
    """Number of classes: the four colours."""
    breaks: list[float] | None = None
    """Upper limits of the lower classes, for ``fixed``."""


class IndexOptions(Section):
    """How indicators become the risk index."""

    normalise: str = "minmax"
    """Normalisation method."""
    aggregate: dict[str, str] = Field(default_factory=lambda: {"risk": "geometric"})
    """Aggregation by group; ``default`` is arithmetic."""
    weights: str = "given"
    """Weighting method."""
    classes: Classes = Field(default_factory=Classes)
    """Classification."""
    steps: str | None = None
    """File with a list of steps, instead of the short form."""
    frozen: str | None = None
    """A ``params.json`` of an earlier run, whose goalposts and breaks are kept."""


class ScenarioSource(Section):
    """One named scenario."""

    name: str = Field(min_length=1, max_length=60)
    """Name, shown on the map."""
    rain_mm: float | None = Field(default=None, ge=0)
    """Rain [mm]."""
    hours: float | None = Field(default=None, gt=0)
    """Duration of the rain [h]."""
    depth: str | None = None
    """Raster of water depth."""
    depth_unit: Literal["m", "cm", "mm"] = "m"
    """Unit of the raster."""
    closures: str | None = None
    """Layer of closed roads."""
    danger_area: str | None = None
    """Layer of danger areas."""


class TrafficOptions(Section):
    """The traffic in which vehicles drive."""

    hour: int | None = Field(default=None, ge=0, le=23)
    """Hour of the day, whose speeds follow preset ``road.congestion``; nothing: free flow."""


class Outputs(Section):
    """Where and how results are written."""

    dir: str | None = None
    """Folder; by default ``outputs/NAME`` in the project's tree."""
    lang: Literal["zh", "en"] = "zh"
    """Language of the papers."""
    profile: Literal["internal", "public"] = "internal"
    """Edition."""
    tianditu: bool = False
    """Let the page ask for Tianditu's map once somebody types a token in."""
    tiles: Annotated[list[str], one_or_list(str)] = Field(default=[])
    """Pictures under the map, put into the page: GeoTIFF or MBTiles, one or a list."""
    template: str = ""
    """Word file (.docx) that official papers are written into; empty for GB/T 9704-2012."""
    sheet_template: str = ""
    """Layout of map sheets (.typ) of the office's own; empty for the shipped one."""
    sheet_paper: Literal["a3", "a4"] = "a3"
    """Paper of map sheets."""
    fonts: str = ""
    """Folder of the office's typefaces for PDF papers, or ``system`` for the machine's own."""
    formats: Annotated[list[Literal["geoparquet", "flatgeobuf"]], one_or_list(str)] = Field(
        default=[]
    )
    """Further forms of every layer, in the folder ``layers``: geoparquet, flatgeobuf."""
    database: str | None = None
    """Where the tables are written too: ``postgresql://USER@HOST:PORT/DATABASE#SCHEMA``."""
    before: str | None = None
    """Results folder of an earlier run that the map compares with, as ``run --before``."""


class Project(Section):
    """A project file, checked."""

    name: str = Field(min_length=1, max_length=120)
    """Title of the papers."""
    place: Place = Field(default_factory=Place)
    """The place."""
    crs: str = "auto"
    """One metric CRS for the run; ``auto`` takes the zone of the centroid."""
    units: Annotated[list[UnitSource], one_or_list(dict)] = Field(min_length=1)
    """Administrative units; one source or a list, coarse to fine."""
    grid: Grid = Field(default_factory=Grid)
    """The grid."""
    layers: dict[str, Annotated[list[LayerSource], one_or_list(dict)]] = Field(default_factory=dict)
    """Role to source or list of sources."""
    indicators: str = "flood_season"
    """A shipped indicator table, or the path of a CSV file."""
    index: IndexOptions = Field(default_factory=IndexOptions)
    """The index."""
    scenarios: list[ScenarioSource] = Field(default_factory=list)
    """Scenarios."""
    plans: bool = True
    """Whether the station, refuge and supply plans are made."""
    stations: StationOptions = Field(default_factory=StationOptions)
    """Options of the station plan."""
    refuges: RefugeOptions = Field(default_factory=RefugeOptions)
    """Options of the refuge plan."""
    traffic: TrafficOptions = Field(default_factory=TrafficOptions)
    """Traffic on the roads."""
    outputs: Outputs = Field(default_factory=Outputs)
    """Outputs."""
    data_date: Annotated[str, BeforeValidator(as_date_text)] = ""
    """Date of the data (YYYY-MM-DD); the only date in the outputs."""
    seed: int = Field(default=0, ge=0)
    """Seed of every random draw."""
    cache: bool = True
    """Keep road graphs in ``.riskmap/cache`` beside this file; the results are the same."""
    presets: dict[str, Any] = Field(default_factory=dict)
    """Preset key to the project's own value."""
    beyond: dict[str, Annotated[bool | float, Field(ge=0)]] = Field(default_factory=dict)
    """Role to whether its objects outside the place count (mutual aid), or how far outside [m]."""
    roles: str | None = None
    """Folder with role files of the project's own."""
    issued_by: str = ""
    """Office that issues the papers."""
    hotline: str = ""
    """Number of the flood office on duty, printed on every sheet."""
    review_number: str = ""
    """审图号 of the public edition."""

    path: Path = Field(default=Path(), exclude=True)
    root: Path = Field(default=Path(), exclude=True)
    overrides: dict[str, float] = Field(default_factory=dict, exclude=True)

    @field_validator("data_date")
    @classmethod
    def _iso_date(cls, value: str) -> str:
        if value:
            try:
                date.fromisoformat(value)
            except ValueError:
                raise PydanticCustomError("iso_date", "not a date") from None
        return value

    @field_validator("name")
    @classmethod
    def _one_line(cls, value: str) -> str:
        line = Unfit.sub(" ", value).strip()
        if not line:
            raise PydanticCustomError("string_too_short", "empty")
        return line

    @classmethod
    def load(cls, path: Path | str, *, allow_outside: bool = False) -> Project:
        """Read and check a project file.

        Parameters
        ----------
        path
            The YAML file.
        allow_outside
            Whether input may lie outside the project's tree.

        Returns
        -------
        Project
            The project; relative paths in it are relative to the file.

        Raises
        ------
        ProjectError
            With every problem of the file at once.
        """
        return load_project(Path(path), allow_outside=allow_outside)

    def file(self, written: str) -> Path:
        """Find a path of the project file on the disk.

        Parameters
        ----------
        written
            The path as the project file has it.

        Returns
        -------
        Path
            Absolute path.
        """
        return (self.path.parent / written).resolve()

    def layer_specs(self, role: str) -> tuple[LayerSpec, ...]:
        """List the sources of a role for the reading room.

        Parameters
        ----------
        role
            Name of the role.

        Returns
        -------
        tuple
            One specification a source.
        """
        return tuple(
            LayerSpec(
                **self._place(source),
                fields={k: FieldMap(v.column, v.unit) for k, v in source.fields.items()},
                **source.model_dump(exclude={"path", "fields"}),
            )
            for source in self.layers.get(role, [])
        )

    def file_spec(self, written: str) -> LayerSpec:
        """Give the source that a path alone names, such as the closures of a scenario.

        Parameters
        ----------
        written
            The path as the project file has it.

        Returns
        -------
        LayerSpec
            For the reading room.
        """
        return LayerSpec(**self._place(LayerSource(path=written)))

    def _place(self, source: LayerSource | UnitSource) -> dict[str, Any]:
        """Say where a source stands and how it is shown."""
        if not is_database(source.path):
            return {"path": self.file(source.path), "shown": source.path}
        kept = kept_file(self.path.parent, source.path, source.layer, source.where)
        shown = shown_database(source.path, source.layer)
        return {"path": kept, "shown": shown, "database": source.path}

    def databases(self) -> list[tuple[str, str, dict[str, Any]]]:
        """List the databases that are read.

        Returns
        -------
        list
            Dotted key, address as written, and what `LayerSpec` says of the place.
        """
        found: list[tuple[str, LayerSource | UnitSource]] = [
            (f"units.{i}.path", one) for i, one in enumerate(self.units)
        ]
        found += [
            (f"layers.{role}.{i}.path", one)
            for role, sources in self.layers.items()
            for i, one in enumerate(sources)
        ]
        found += [
            (f"scenarios.{i}.{key}", LayerSource(path=written))
            for i, scenario in enumerate(self.scenarios)
            for key in ("closures", "danger_area")
            if (written := getattr(scenario, key))
        ]
        return [(key, one.path, self._place(one)) for key, one in found if is_database(one.path)]

    def unit_specs(self) -> tuple[UnitSpec, ...]:
        """List the sources of the units for the reading room.

        Returns
        -------
        tuple
            One specification a source.
        """
        return tuple(
            UnitSpec(
                **self._place(source),
                level=source.level_column or source.level or "district",
                **source.model_dump(exclude={"path", "level", "level_column"}),
            )
            for source in self.units
        )

    def written_paths(self) -> list[tuple[str, str]]:
        """List the path of every input file with the key that names it; databases are none.

        Returns
        -------
        list
            Pairs of dotted key and path as written.
        """
        found = [(f"units.{i}.path", source.path) for i, source in enumerate(self.units)]
        for role, sources in self.layers.items():
            found += [(f"layers.{role}.{i}.path", s.path) for i, s in enumerate(sources)]
        for i, scenario in enumerate(self.scenarios):
            for key in ("depth", "closures", "danger_area"):
                written = getattr(scenario, key)
                if written:
                    found.append((f"scenarios.{i}.{key}", written))
        found += [(f"outputs.tiles.{i}", path) for i, path in enumerate(self.outputs.tiles)]
        optional = {
            "roles": self.roles,
            "index.steps": self.index.steps,
            "index.frozen": self.index.frozen,
            "indicators": None if self.indicators in shipped_tables() else self.indicators,
        }
        level = self.refuges.flood_level
        if level and not is_number(level):
            optional["refuges.flood_level"] = level
        found += [(key, written) for key, written in optional.items() if written]
        return [entry for entry in found if not is_database(entry[1])]

    def read_paths(self) -> list[tuple[str, str, Path]]:
        """List every file that is read with the paths of the project file.

        Returns
        -------
        list
            Dotted key, name as shown, and path, not resolved: the files themselves, what stands
            beside them and is read with them, the files of a folder of roles, and the frozen
            parameters that a file of steps names.
        """
        found = []
        for key, shown in self.written_paths():
            path = self.path.parent / shown
            for file in side_files(path):
                inside = file.relative_to(path.parent).as_posix()
                found.append((key, (Path(shown).parent / inside).as_posix(), file))
        if self.index.steps:
            from riskmap.index.tree import frozen_files  # pandas; the file itself loads at once

            steps = self.path.parent / self.index.steps
            for named in frozen_files(steps):
                shown = (Path(self.index.steps).parent / named).as_posix()
                found.append(("index.steps", shown, steps.parent / named))
        return found + [(key, one["shown"], one["path"]) for key, _, one in self.databases()]


NAME_BYTES, PATH_BYTES = 255, 4000


def _problem(path: Path, key: str, message: Text, mend: Text, value: object = "") -> Problem:
    shown = "" if value in ("", None) else str(value)[:80]
    return Problem(
        severity="unusable",
        role="",
        rule="project",
        message=message,
        mend=mend,
        file=path.name,
        field=key,
        value=shown,
    )


def as_project_error(path: Path, problems: list[Problem]) -> ProjectError:
    """Make one error of all problems of a project file.

    Parameters
    ----------
    path
        The project file.
    problems
        What is wrong.

    Returns
    -------
    ProjectError
        With every problem.
    """
    return ProjectError(text("{file}: {n} problem(s)", file=path, n=len(problems)), tuple(problems))


def _known_keys(location: tuple[Any, ...]) -> list[str]:
    """List the keys that the section at a location knows."""
    section: Any = Project
    for part in location[:-1]:
        if not isinstance(part, str) or section is None:
            continue
        fields = getattr(section, "model_fields", {})
        if part not in fields:
            continue
        section = _section_of(fields[part].annotation)
    fields = getattr(section, "model_fields", {})
    return [key for key, field in fields.items() if not field.exclude]


def _section_of(annotation: Any) -> Any:
    """Find the section class inside a type such as ``dict[str, list[Section]]``."""
    if hasattr(annotation, "model_fields"):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _section_of(inner)
        if found is not None:
            return found
    return None


def shape_problems(path: Path, error: ValidationError) -> list[Problem]:
    """Say what is wrong with the keys and kinds of values.

    Parameters
    ----------
    path
        The project file.
    error
        What the model refused.

    Returns
    -------
    list
        One problem a key, with the nearest known key where one is misspelt.
    """
    problems = []
    for item in error.errors(include_url=False):
        location = item["loc"]
        key = ".".join(map(str, location))
        kind = item["type"]
        if kind == "extra_forbidden":
            near = get_close_matches(str(location[-1]), _known_keys(location), n=1)
            mend = (
                text("did you mean '{near}'?", near=near[0])
                if near
                else text("remove it; known keys: {keys}", keys=", ".join(_known_keys(location)))
            )
            problems.append(_problem(path, key, text("unknown key"), mend))
        elif kind == "missing":
            problems.append(
                _problem(path, key, text("required key is missing"), text("add '{key}'", key=key))
            )
        else:
            problems.append(
                _problem(
                    path,
                    key,
                    _why(item),
                    text("give a value of the right kind"),
                    item.get("input") if not isinstance(item.get("input"), dict | list) else "",
                )
            )
    return problems


def _why(item: Any) -> Text:
    """Say in both languages what pydantic found; its own words where it is something rare."""
    limits = {key: f"{value}" for key, value in item.get("ctx", {}).items() if key != "error"}
    known = {
        "greater_than": "must be greater than {gt}",
        "greater_than_equal": "must be {ge} or more",
        "less_than": "must be less than {lt}",
        "less_than_equal": "must be {le} or less",
        "iso_date": "must be a date, YYYY-MM-DD",
        "finite_number": "must be a finite number",
        "literal_error": "must be one of {expected}",
        "string_type": "must be text",
        "string_too_short": "must not be empty",
        "string_too_long": "must have {max_length} characters or fewer",
        "too_short": "must not be empty",
        "list_type": "must be a list",
        "dict_type": "must be a mapping",
        "model_type": "must be a mapping",
        "model_attributes_type": "must be a mapping",
        "float_parsing": "must be a number",
        "float_type": "must be a number",
        "int_type": "must be a whole number",
        "int_from_float": "must be a whole number",
        "int_parsing": "must be a whole number",
        "bool_type": "must be true or false",
        "bool_parsing": "must be true or false",
    }
    message = known.get(item["type"])
    if message is None:
        return text("unfit value: {why}", why=item["msg"])
    return Text(message, tuple((k, v) for k, v in limits.items() if f"{{{k}}}" in message))


def content_problems(
    path: Path, project: Project, *, allow_outside: bool, roles: Mapping[str, object] | None
) -> list[Problem]:
    """Say what is wrong in a file whose keys and kinds are right.

    Parameters
    ----------
    path
        The project file.
    project
        What it says.
    allow_outside
        Whether input may lie outside the project's tree.
    roles
        Known roles; by default the shipped ones and the project's own.

    Returns
    -------
    list
        Unknown roles and presets, names used twice, paths that lead nowhere or outside.
    """
    unfit = _check_file_names(path, project)
    if unfit:
        return unfit
    outside = [] if allow_outside else _check_inside(path, project)
    if outside:
        return outside
    presets = _check_presets(path, project)
    stations = [] if presets else _check_stations(path, project)
    candidates = _check_candidates(path, project)
    return [*_check_roles(path, project, roles), *presets, *stations, *candidates]


def _check_file_names(path: Path, project: Project) -> list[Problem]:
    mend = text("give the path of the file")
    return [
        _problem(path, key, text("no file can have this name"), mend, written)
        for key, written in project.written_paths()
        if "\0" in written
        or len(written.encode()) > PATH_BYTES
        or any(len(part.encode()) > NAME_BYTES for part in re.split(r"[/\\\\]", written))
    ]


def _check_roles(path: Path, project: Project, roles: Mapping[str, object] | None) -> list[Problem]:
    extra = project.file(project.roles) if project.roles else None
    problems = []
    if extra is not None and not extra.is_dir():
        said = text("there is no such folder")
        mend = text("name a folder that holds role files")
        problems.append(_problem(path, "roles", said, mend, project.roles))
    known = roles if roles is not None else load_roles(extra)
    for role in project.layers:
        if role in known:
            continue
        labels = {str(getattr(one, "zh", "")): name for name, one in known.items()}
        near = [labels[role]] if role in labels else get_close_matches(role, list(known), n=1)
        mend = (
            text("did you mean '{near}'?", near=near[0])
            if near
            else text("known roles: {keys}", keys=_named_roles(known))
        )
        problems.append(_problem(path, f"layers.{role}", text("unknown role"), mend))
    for role in project.beyond:
        if role not in known:
            mend = text("known roles: {keys}", keys=_named_roles(known))
            problems.append(_problem(path, f"beyond.{role}", text("unknown role"), mend))
    classes = project.index.classes
    if classes.method == "fixed" and not _rising(classes.breaks or [], classes.k - 1):
        said = text("must be {n} rising numbers", n=classes.k - 1)
        mend = text("give a value of the right kind")
        problems.append(_problem(path, "index.classes.breaks", said, mend, classes.breaks))
    names = [scenario.name for scenario in project.scenarios]
    problems += [
        _problem(
            path,
            f"scenarios.{i}.name",
            text("scenario name used twice"),
            text("give every scenario a name of its own"),
            name,
        )
        for i, name in enumerate(names)
        if name in names[:i]
    ]
    return problems


def _named_roles(roles: Mapping[str, object]) -> str:
    """List roles by key and name; a name alone tells an officer what is meant."""
    return "、".join(
        f"{name} ({getattr(role, 'label', '') or name})" for name, role in roles.items()
    )


def _rising(values: list[float], n: int) -> bool:
    return len(values) == n and all(one < other for one, other in pairwise(values))


def _check_presets(path: Path, project: Project) -> list[Problem]:
    try:
        load_presets(project.presets)
    except ProjectError as error:
        return [replace(problem, file=path.name) for problem in error.problems]
    return []


def _check_stations(path: Path, project: Project) -> list[Problem]:
    """Find response rules that are none."""
    try:
        response_rule(load_presets(project.presets), project.stations.preset)
    except ProjectError as error:
        said = error.message if isinstance(error.message, Text) else text("unknown preset")
        mend = text("see the presets station.* in the documentation")
        return [_problem(path, "stations.preset", said, mend)]
    return []


def _check_candidates(path: Path, project: Project) -> list[Problem]:
    """Find candidates for new sites that are no layer."""
    layers = sorted(project.layers)
    asked = {
        "stations.candidates": (project.stations.candidates, ["cells", "nodes", *layers]),
        "refuges.candidates": (project.refuges.candidates, layers),
    }
    said = text("the project has no such layer")
    return [
        _problem(path, key, said, text("use one of {known}", known=", ".join(known)), written)
        for key, (written, known) in asked.items()
        if written is not None and written not in known
    ]


def _check_inside(path: Path, project: Project) -> list[Problem]:
    mend = text(
        "move the file below {root}, or give --allow-outside if you trust it",
        root=project.root.name,
    )
    own = project.path.parent / ".riskmap"
    read = [(key, shown, project.file(shown)) for key, shown in project.written_paths()]
    read += [("cache", own.name, own), *project.read_paths()]
    if (before := project.outputs.before) is not None:
        read.append(("outputs.before", before, project.file(before)))
    left = {
        (key, shown): file for key, shown, file in read
        if not file.resolve().is_relative_to(project.root)
    }  # fmt: skip
    said = text("the path leaves the project's tree")
    asked = [(key, written) for key, written, _ in project.databases()]
    if project.outputs.database:
        asked.append(("outputs.database", project.outputs.database))
    away = [
        _problem(
            path, key, text("the database stands on another machine"),
            text("give --allow-outside if you trust it"), shown_database(written),
        )
        for key, written in asked
        if not is_local(written)
    ]  # fmt: skip
    return [_problem(path, key, said, mend, shown) for key, shown in left] + away


ROOT_MARKS = ("riskmap.root", ".git")


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses a key given twice."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if isinstance(key, list | dict | set):
            problem = str(text("a list or a mapping is no key"))
            raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
        if key in seen:
            problem = str(text("key given twice: {key}", key=key))
            raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def project_root(path: Path) -> Path:
    """Find the folder that a project's paths may not leave.

    Parameters
    ----------
    path
        The project file.

    Returns
    -------
    Path
        The nearest parent that holds ``riskmap.root`` or ``.git``, else the file's own folder.
    """
    for parent in path.resolve().parents:
        if any((parent / mark).exists() for mark in ROOT_MARKS):
            return parent
    return path.resolve().parent


def load_project(
    path: Path | str,
    *,
    allow_outside: bool = False,
    roles: Mapping[str, object] | None = None,
) -> Project:
    """Read and check a project file.

    Parameters
    ----------
    path
        The YAML file.
    allow_outside
        Whether input may lie outside the project's tree.
    roles
        Known roles, to check the keys of ``layers``; by default the shipped ones.

    Returns
    -------
    Project
        The frozen project.

    Raises
    ------
    ProjectError
        With all problems of the file: dotted key, what is wrong, how to mend it.
    """
    path = Path(path)
    raw = _parse(path)
    try:
        project = Project.model_validate(raw | {"path": path.resolve(), "root": project_root(path)})
    except ValidationError as error:
        raise as_project_error(path, shape_problems(path, error)) from None
    problems = content_problems(path, project, allow_outside=allow_outside, roles=roles)
    if problems:
        raise as_project_error(path, problems)
    return project


NOWHERE = "?"
"""Path of units that a project file does not name."""
_ROUNDS = 40


def load_for_check(
    path: Path | str, *, allow_outside: bool = False
) -> tuple[Project, list[Problem]]:
    """Read a project file as far as it can be used, so that a check goes on after each fault.

    Parameters
    ----------
    path
        The YAML file.
    allow_outside
        Whether input may lie outside the project's tree.

    Returns
    -------
    tuple of Project and list of Problem
        The project without the keys that are wrong, and what is wrong with them.

    Raises
    ------
    ProjectError
        When the file is missing, no YAML, or holds no keys.
    """
    path = Path(path)
    raw = copy.deepcopy(_parse(path))
    problems: list[Problem] = []
    for _ in range(_ROUNDS):
        found, wrong = _try_once(path, raw, allow_outside=allow_outside)
        problems += [problem for problem in found if problem not in problems]
        if isinstance(wrong, Project):
            return wrong, problems
        for location, missing in sorted(wrong, key=lambda item: str(item[0]), reverse=True):
            _take_out(raw, location, missing=missing, stem=path.stem)
    raise as_project_error(path, problems)


_Wrong = list[tuple[tuple[Any, ...], bool]]


def _try_once(
    path: Path, raw: dict[str, Any], *, allow_outside: bool
) -> tuple[list[Problem], Project | _Wrong]:
    """Validate once; give the problems, and the project or where they stand."""
    try:
        project = Project.model_validate(raw | {"path": path.resolve(), "root": project_root(path)})
    except ValidationError as error:
        places = [
            (item["loc"], item["type"] == "missing") for item in error.errors(include_url=False)
        ]
        return shape_problems(path, error), places
    problems = content_problems(path, project, allow_outside=allow_outside, roles=None)
    if not problems:
        return [], project
    return problems, [(_location(problem.field), False) for problem in problems]


def _location(key: str) -> tuple[Any, ...]:
    return tuple(int(part) if part.isdigit() else part for part in key.split("."))


def _take_out(raw: dict[str, Any], location: tuple[Any, ...], *, missing: bool, stem: str) -> None:
    """Take a key that is wrong out of the raw project; give what must be there a stand-in."""
    if len(location) > 1 and (missing or location[-1] == "path"):
        location = location[:-1]
    node: Any = raw
    for part in location[:-1]:
        if isinstance(part, int) and isinstance(node, dict):
            continue  # one mapping stands for a list of one
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            node = None
            break
    last = location[-1]
    if isinstance(last, int) and isinstance(node, dict):
        raw.pop(location[0], None)
    elif last in (node if isinstance(node, dict) else range(len(node or ()))):
        del node[last]
    else:
        raw.pop(location[0] if location[0] in raw else "presets", None)
    if not raw.get("units"):
        raw["units"] = [{"path": NOWHERE}]
    raw.setdefault("name", stem)


_YAML: tuple[tuple[str, Text], ...] = (
    (
        "mapping values are not allowed",
        text("a colon stands where none may, or an indent is wrong"),
    ),
    ("could not find expected ':'", text("a colon is missing after a key")),
    ("expected ',' or '}'", text("a comma or a closing curly bracket is missing")),
    ("expected ',' or ']'", text("a comma or a closing square bracket is missing")),
    ("expected <block end>", text("the indents do not agree")),
    ("found character '\\t'", text("a tab stands where blanks are needed")),
    ("found unexpected end of stream", text("a quote is not closed")),
    ("found a tab character", text("a tab stands where blanks are needed")),
    ("found character", text("a text begins with a sign that needs quotes around the text")),
    ("alias", text("a text that begins with * needs quotes")),
    ("found duplicate anchor", text("a text that begins with & needs quotes")),
    ("could not determine a constructor", text("a text that begins with ! needs quotes")),
    ("found unknown escape character", text(r"a \ inside double quotes; use single quotes or /")),
    ("special characters are not allowed", text("a control character stands in the file")),
    ("expected alphabetic or numeric", text("a text that begins with & or * needs quotes")),
    ("expected a single document", text("the file holds more than one document (---)")),
    ("did not find expected", text("a bracket, a quote or an indent is not closed")),
    ("while scanning a simple key", text("a colon is missing after a key")),
)


def yaml_problem(error: yaml.YAMLError) -> Text | str:
    """Say in the run's language what a YAML reader complains of.

    Parameters
    ----------
    error
        The complaint.

    Returns
    -------
    Text or str
        Our words for it; its own where it is something rare or already ours.

    Examples
    --------
    >>> try:
    ...     yaml.safe_load("a: b: c")
    ... except yaml.YAMLError as error:
    ...     str(yaml_problem(error))
    '此处不应有冒号，或缩进不对'
    """
    said = str(getattr(error, "problem", None) or error)
    return next((ours for theirs, ours in _YAML if theirs in said), said)


_QUOTED_PATH = re.compile(
    r'"(?:[A-Za-z]:\\(?!\\)|\\\\(?!\\))[^"\n]*"|"[^"\n:]*[^"\n:\\]\\(?![\\"])[^"\n]*\.\w{2,8}"'
)
"""A path of Windows in double quotes, in which YAML takes the backslash for something else."""
_WINDOWS_PATH = re.compile(r"[A-Za-z]:\\.*|\\\\[^\\].*|[^\n]*\\[^\n]*\.\w{2,8}")
_WORDS = ("where", "name", "sheet", "layer", "encoding", "issued_by", "hotline", "review_number")
"""Keys whose texts are no paths."""


def _refuse_escaped_paths(path: Path, content: str) -> None:
    for number, line in enumerate(content.splitlines(), 1):
        found = None if line.lstrip().startswith("#") else _QUOTED_PATH.search(line)
        if found and not line[: found.start()].rstrip().endswith(tuple(f"{w}:" for w in _WORDS)):
            raise ProjectError(
                text(
                    "{file}: line {line}: {written}: in double quotes a backslash means something "
                    "else; write {better}",
                    file=path,
                    line=number,
                    written=found.group(),
                    better=f"'{found.group()[1:-1]}'",
                )
            )


def _slashed(value: Any, folder: Path, *, key: str = "") -> Any:
    """Write the paths of Windows with slashes, which every system understands."""
    if isinstance(value, dict):
        return {k: _slashed(v, folder, key=str(k)) for k, v in value.items()}
    if isinstance(value, list):
        return [_slashed(v, folder, key=key) for v in value]
    if not isinstance(value, str) or key in _WORDS or not _WINDOWS_PATH.fullmatch(value):
        return value
    if os.sep == "/" and (folder / value).exists():
        return value  # a name that holds a backslash
    return value.replace("\\", "/")


def _parse(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ProjectError(
            text("{file}: no such project file; check the name, or run: riskmap new DIR", file=path)
        )
    try:
        content = path.read_text(encoding="utf-8-sig")
        _refuse_escaped_paths(path, content)
        raw = _slashed(parse_yaml(content, loader=_Loader), path.parent)
    except UnicodeDecodeError:
        raise ProjectError(
            text("{file}: the project file is not UTF-8; save it as UTF-8", file=path)
        ) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ProjectError(
            text(
                "{file}: line {line}: not valid YAML ({problem}); check indents, colons and quotes",
                file=path,
                line=mark.line + 1 if mark else "?",
                problem=yaml_problem(error),
            )
        ) from None
    if not isinstance(raw, dict):
        raise ProjectError(text("{file}: the project file holds no keys", file=path))
    return {str(key): value for key, value in raw.items() if key not in {"path", "root"}}
