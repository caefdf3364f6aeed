"""What each command does, from paths to a summary."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from riskmap.errors import LayerError, ProjectError, UsageError
from riskmap.i18n import Text, language, text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from riskmap.cli.scaffold import Answers
    from riskmap.errors import Problem
    from riskmap.export.papers.document import Layout
    from riskmap.project.schema import Project
    from riskmap.result import InputFile, Result
    from riskmap.vocabulary.roles import Role


QUIET = ("row_example",)
"""Rules that stand in the ledger only: nobody has to do anything."""
SEVERITIES = ("returned", "unusable", "notes")
STAGES = ("layers", "indicators", "index", "plans", "register")


def load(project: Path, *, lang: str | None = None, allow_outside: bool = False) -> Project:
    """Load a project file.

    Parameters
    ----------
    project
        The file.
    lang
        Language of the papers; by default the project's own.
    allow_outside
        Whether input may lie outside the project's tree.

    Returns
    -------
    Project
        The checked project.
    """
    from riskmap.project.schema import load_project

    return _in_language(load_project(project, allow_outside=allow_outside), lang)


def _in_language(project: Project, lang: str | None) -> Project:
    if not lang:
        return project
    return project.model_copy(update={"outputs": project.outputs.model_copy(update={"lang": lang})})


def _pictures(project: Project) -> list[tuple[str, Path]]:
    """List the pictures under the map, once it is sure that each can be used."""
    from riskmap.export.onemap.backdrop import backdrop_problems
    from riskmap.project.schema import as_project_error

    found = [(shown, project.file(shown)) for shown in project.outputs.tiles]
    problems = backdrop_problems(found) if found else []
    if problems:
        raise as_project_error(project.path, problems)
    return found


def _layout(project: Project) -> Layout:
    """Read how papers are set, once it is sure that template and typefaces are there."""
    from riskmap.export.papers.document import layout
    from riskmap.vocabulary.presets import load_presets

    said = project.outputs
    template = project.file(said.template) if said.template else None
    if template is not None and not template.is_file():
        raise UsageError(text("{file}: no such file", file=said.template))
    sheet = project.file(said.sheet_template) if said.sheet_template else None
    if sheet is not None and not sheet.is_file():
        raise UsageError(text("{file}: no such file", file=said.sheet_template))
    folders = [] if said.fonts in ("", "system") else [project.file(said.fonts)]
    found = layout(
        load_presets(project.presets),
        template=template,
        folders=folders,
        system=said.fonts == "system",
    )
    return replace(found, sheet_template=sheet, sheet_paper=said.sheet_paper)


def default_folder(project: Project) -> Path:
    """Choose the results folder of a project.

    Parameters
    ----------
    project
        The project.

    Returns
    -------
    Path
        ``outputs.dir`` of the project file, else ``outputs/NAME`` in the project's tree.

    Raises
    ------
    ProjectError
        When the folder would lie outside the project's tree.
    """
    if project.outputs.dir:
        folder = project.file(project.outputs.dir)
        if not folder.is_relative_to(project.root) or folder == project.root:
            raise ProjectError(
                text(
                    "outputs.dir: {folder} is not a folder inside the project's tree; "
                    "choose another, or give --out",
                    folder=project.outputs.dir,
                )
            )
        return folder
    return project.root / "outputs" / project.path.stem


def read_weights(path: Path) -> dict[str, float]:
    """Read the weights that the map's what-if tab saved.

    Parameters
    ----------
    path
        YAML file with ``weights: {CODE: number}``.

    Returns
    -------
    dict
        Indicator or group code to weight.

    Raises
    ------
    UsageError
        When the file is missing or holds anything else.
    """
    import yaml

    from riskmap.files import parse_yaml

    try:
        raw = parse_yaml(path.read_text(encoding="utf-8-sig"))
        weights = {str(code): float(value) for code, value in raw["weights"].items()}
    except FileNotFoundError:
        raise UsageError(text("{file}: no such file", file=path)) from None
    except (yaml.YAMLError, TypeError, KeyError, AttributeError, ValueError, OverflowError):
        raise UsageError(
            text("{file}: expected 'weights:' with one 'CODE: number' a line", file=path)
        ) from None
    if any(not 0 <= value < float("inf") for value in weights.values()):
        raise UsageError(text("{file}: a weight is negative or not finite", file=path))
    return weights


def run_project(
    project: Path,
    *,
    out: Path | None = None,
    up_to: str | None = None,
    weights: Path | None = None,
    profile: str | None = None,
    lang: str | None = None,
    allow_outside: bool = False,
    discard_edits: bool = False,
    sign: Path | None = None,
    papers: bool = False,
    before: Path | None = None,
) -> dict[str, Any]:
    """Run a project and write its results.

    Parameters
    ----------
    project
        The project file.
    out
        Folder of the results; by default the project's own.
    up_to
        Stage after which to stop; nothing is written then.
    weights
        File with weights that replace those of the indicator table.
    profile
        ``internal`` or ``public``; by default the project's own.
    lang
        Language of the papers.
    allow_outside
        Whether input may lie outside the project's tree.
    discard_edits
        Whether edits of the control table in the folder may be lost.
    sign
        Ed25519 key (PEM) that signs the manifest, or None.
    papers
        Whether the papers to sign, post and carry are written too.
    before
        Results folder of an earlier run that the map compares this one with.

    Returns
    -------
    dict
        Summary: folder, files, rows by layer, worst units, notes.
    """
    from riskmap import pipeline
    from riskmap.cli.show import headlines
    from riskmap.export import bundle, public
    from riskmap.files import PlacedElsewhereError
    from riskmap.pipeline.register import refuse_lost_edits

    loaded = load(project, lang=lang, allow_outside=allow_outside)
    if weights:
        loaded = loaded.model_copy(update={"overrides": read_weights(weights)})
    folder = out or default_folder(loaded)
    if up_to is None and not discard_edits:
        refuse_lost_edits(loaded, folder / bundle.CONTROL)
    with language(loaded.outputs.lang):
        pictures = _pictures(loaded)
        layout = _layout(loaded) if papers and up_to is None else None
        if up_to is None:
            _claim(folder, sign, loaded.outputs.database)
        edition = profile or loaded.outputs.profile
        old = _earlier(loaded, before, edition) if up_to is None else None
        result = pipeline.run(loaded, up_to=up_to, profile=edition)
        if edition == "public" and up_to is None:
            result = public.redact(result)
        if old is not None:
            result = _compared(result, old)
        notes = [str(note) for note in result.notes]
        if up_to is None:
            try:
                bundle.write(
                    result, folder, tianditu=loaded.outputs.tianditu, pictures=pictures,
                    formats=loaded.outputs.formats, key=sign, papers=layout,
                )  # fmt: skip
            except PlacedElsewhereError as error:
                notes.append(str(error))
                folder = error.folder
            if edition == "internal":
                notes += _keep(loaded, result)
            if loaded.outputs.database:
                write_tables(folder, loaded.outputs.database, title=loaded.name)
        return {
            "project": loaded.name,
            "folder": str(folder) if up_to is None else None,
            "files": sorted(path.name for path in folder.iterdir()) if up_to is None else [],
            **_found(result),
            "notes": notes,
            "plans": headlines(result),
        }


def _found(result: Result) -> dict[str, Any]:
    """Say which layers and rows counted, and which units are worst."""
    from riskmap.cli.show import worst_units
    from riskmap.export import bundle as report

    return {
        "layers": report.layer_rows(result),
        "unusable": [str(p) for p in result.problems if p.severity == "unusable"],
        "returned": sum(p.count for p in result.problems if p.severity == "returned"),
        "worst_units": worst_units(result),
    }


class _Earlier(NamedTuple):
    """What the map needs of an earlier result."""

    name: str
    tables: dict[str, pd.DataFrame]
    params: Any
    """Fitted parameters of the units' index; None where they cannot be read."""
    files: tuple[InputFile, ...]
    """The files that were read."""


def _earlier(project: Project, given: Path | None, edition: str) -> _Earlier | Text | None:
    """Read, before the work, the earlier result that was given or that the project file names.

    Of the other edition, what the project file names is left out, and the note returned says so.
    """
    named = project.outputs.before
    folder = given or (project.file(named) if named else None)
    if folder is None:
        return None
    from riskmap.export.geopackage.read import open_results

    if given is None and open_results(folder).facts.get("profile") != edition:
        return text("The earlier result is of the other edition, so nothing is compared.")
    return _earlier_tables(folder, edition, project.place.code)


def _earlier_tables(folder: Path, edition: str, place: str) -> _Earlier:
    """Read an earlier result's name, tables and fitted parameters."""
    import json

    from riskmap.export.bundle import GEOPACKAGE, PARAMS
    from riskmap.export.geopackage.read import open_results
    from riskmap.files import sha256
    from riskmap.result import InputFile

    found = open_results(folder)
    if found.facts.get("profile") != edition:
        raise UsageError(
            text("{folder} is of the other edition and cannot be compared", folder=folder)
        )
    if found.facts.get("place_code") != place:
        raise UsageError(text("{folder} is the result of another place", folder=folder))
    names = ("units", "unit_indicators", "items", "signed_off")
    tables = {name: found.table(name) for name in names if name in found.tables}
    try:
        params = json.loads((folder / PARAMS).read_text(encoding="utf-8")).get("unit")
    except (OSError, ValueError, AttributeError):
        params = None
    shown = folder.name if edition == "internal" else "earlier"
    files = tuple(
        InputFile(f"{shown}/{path.name}", sha256(path), path.stat().st_size)
        for path in (folder / GEOPACKAGE, folder / PARAMS)
        if path.is_file()
    )
    name = str(found.facts.get("data_date") or found.facts.get("name"))
    return _Earlier(name, tables, params, files)


def _compared(result: Result, old: _Earlier | Text) -> Result:
    """Add to a result what has changed since an earlier one, or why nothing is compared."""
    if not isinstance(old, _Earlier):
        return replace(result, notes=(*result.notes, old))
    import json

    from riskmap.export.encode import as_json
    from riskmap.export.workbook.tables import scored
    from riskmap.register.diff import since

    name, tables, params, files = old
    scores = scored(result.index["unit"])[["score", "class"]]
    frames = {
        "units": result.units.join(scores).rename_axis("unit_id"),
        "unit_indicators": result.indicators.units.rename_axis("unit_id"),
        "items": result.items.rename_axis("item_id"),
    }
    if result.closed is not None and len(result.closed):
        frames["signed_off"] = result.closed.rename_axis("item_id")
    now = {key: frame.reset_index() for key, frame in frames.items()}
    note = text("The map compares this result with the earlier one of {name}.", name=name)
    same = params is not None and json.loads(as_json(result.params)).get("unit") == params
    earlier = since(tables, now, name=name, same_scale=same)
    inputs = (*result.inputs, *files)
    return replace(result, earlier=earlier, notes=(*result.notes, note), inputs=inputs)


def _claim(folder: Path, key: Path | None, database: str | None) -> None:
    """Refuse before the work what could not be written after it."""
    from riskmap.export.bundle import check_database
    from riskmap.export.witness import check_key
    from riskmap.files import beside, claim_folder
    from riskmap.progress import say

    check_key(key)
    if held := claim_folder(folder):
        said = text(
            "{files} is open in Excel, WPS or another program; close it while this runs, "
            "or the results go to the new folder {there}",
            files=", ".join(held),
            there=beside(folder).name,
        )
        say(str(said))
    if database:
        check_database(database)


def make_sheets(
    folder: Path,
    *,
    out: Path | None,
    names: Sequence[str],
    kinds: Sequence[str],
    paper: str,
    template: Path | None,
    fonts: Path | None,
    hotline: str,
) -> dict[str, Any]:
    """Make map sheets from a results folder.

    Parameters
    ----------
    folder
        The results folder.
    out
        Where the sheets go.
    names
        Codes or names of units; all when empty.
    kinds
        ``village``, ``town``, ``point``, ``poster``.
    paper
        ``a3`` or ``a4``.
    template
        Layout of the office's own.
    fonts
        Folder of further typefaces.
    hotline
        Number of the flood office on duty.

    Returns
    -------
    dict
        Folder, sheets by state, what each lacks, what could not be made.

    Raises
    ------
    UsageError
        When a folder or file does not exist.
    """
    from riskmap.export.papers.drafts import Options
    from riskmap.export.papers.folder import make_atlas

    if not (folder / "riskmap.gpkg").is_file():
        raise UsageError(text("{folder}: no results of riskmap", folder=folder))
    for path in (template, fonts):
        if path is not None and not path.exists():
            raise UsageError(text("{file}: no such file", file=path))
    whole = folder.resolve()
    target = out or whole.with_name(f"{whole.name}-sheets")
    if target.resolve() == whole or target.resolve().is_relative_to(whole):
        raise UsageError(text("--out: choose a folder outside the results folder"))
    options = Options(paper=paper, template=template, fonts=fonts, hotline=hotline)
    atlas = make_atlas(folder, target, kinds=kinds, names=names, options=options)
    return {
        "folder": str(target),
        "sheets": len([one for one in atlas.sheets if one.file]),
        "states": {name: atlas.count(name) for name in ("new", "changed", "same", "not made")},
        "not_made": [
            f"{one.code} {one.name}: {one.reason}" for one in atlas.sheets if not one.file
        ],
        "missing": {one.name: list(one.missing) for one in atlas.sheets if one.missing},
        "files": [one.file for one in atlas.sheets if one.file],
        "notes": [str(note) for note in atlas.notes],
    }


def write_tables(folder: Path, address: str, *, title: str = "") -> dict[str, int]:
    """Write the tables of a results folder into a PostGIS database.

    Parameters
    ----------
    folder
        The results folder.
    address
        ``postgresql://USER@HOST:PORT/DATABASE#SCHEMA``.
    title
        Name of the project; by default the folder's own.

    Returns
    -------
    dict
        Table to its number of rows.

    Raises
    ------
    UsageError
        When there is no such folder, or the address is none of a database.
    """
    from riskmap.export.bundle import GEOPACKAGE, write_database
    from riskmap.layers.read.database import is_database

    if not (folder / GEOPACKAGE).is_file():
        raise UsageError(text("{folder}: no results of riskmap", folder=folder))
    if not is_database(address):
        raise UsageError(
            text("{address}: expected postgresql://USER@HOST:PORT/DATABASE#SCHEMA", address=address)
        )
    return write_database(folder / GEOPACKAGE, address, title=title or folder.resolve().name)


def _keep(project: Project, result: Result) -> list[str]:
    """Keep item ids and the register for the next run; say it where that cannot be done."""
    from riskmap.files import system_words
    from riskmap.pipeline.ground import keep_ids
    from riskmap.pipeline.register import record

    try:
        keep_ids(project, result.layers, result.roles)
        record(project, result.items, result.control, result.closed)
    except (OSError, LayerError) as error:  # a locked or damaged register loses no results
        message = text(
            "the results are written, but numbers and states of items cannot be kept beside the "
            "project file ({why}); the next run will not know them",
            why=system_words(error),
        )
        return [str(message)]
    return []


def check_project(
    project: Path,
    *,
    out: Path | None,
    lang: str | None,
    allow_outside: bool,
    keep: bool = False,
) -> dict[str, Any]:
    """Try everything that a run would and say what is wrong, going on after each fault.

    Parameters
    ----------
    project
        The project file.
    out
        Where to write the data-gap ledger, if anywhere.
    lang
        Language.
    allow_outside
        Whether input may lie outside the project's tree.
    keep
        Whether what was read by likeness is kept in the list of words beside the project file.

    Returns
    -------
    dict
        Rows by layer, every problem as a line, the lines of each layer, and the layers not given.
    """
    from riskmap.export import bundle as report
    from riskmap.export.onemap.backdrop import backdrop_problems
    from riskmap.pipeline.run import check
    from riskmap.project.schema import load_for_check

    if out:
        _make_way(out)
    loaded, problems = load_for_check(project, allow_outside=allow_outside)
    loaded = _in_language(loaded, lang)
    with language(loaded.outputs.lang):
        pictures = [(shown, loaded.file(shown)) for shown in loaded.outputs.tiles]
        result = check(loaded, [*problems, *(backdrop_problems(pictures) if pictures else [])])
        if out:
            from riskmap.export.workbook.books import write_gaps

            write_gaps(result, out)
        kept: dict[str, Any] = {}
        if keep:
            from riskmap.project.words import keep_words, words_file

            words = words_file(loaded.path)
            kept = {"kept": keep_words(words, result.problems, result.roles), "words": str(words)}
        lines: dict[str, dict[str, list[str]]] = {}
        for problem in result.problems:
            if problem.rule in QUIET:
                continue
            part = lines.setdefault(problem.role, {"unusable": [], "returned": [], "notes": []})
            key = "notes" if problem.severity == "note" else problem.severity
            part[key].append(str(_labelled(problem, result.roles.get(problem.role))))
        return {
            "project": loaded.name,
            "layers": report.layer_rows(result),
            **{key: [x for part in lines.values() for x in part[key]] for key in SEVERITIES},
            "by_layer": lines,
            **kept,
            "not_given": [
                role for role in loaded.layers if role not in result.layers and role not in lines
            ],
        }


def _labelled(problem: Problem, role: Role | None) -> Problem:
    """Call a field by its heading where the problem knows it only by our own name."""
    field = role.field(problem.field) if role is not None else None
    return problem if field is None else replace(problem, field=str(field.label))


def _make_way(workbook: Path) -> None:
    """Make sure that a workbook can be written here; what stands there stays."""
    if workbook.suffix.lower() != ".xlsx":
        raise UsageError(text("{file}: a workbook; name a file that ends in .xlsx", file=workbook))
    workbook.parent.mkdir(parents=True, exist_ok=True)
    new = not workbook.exists()
    workbook.open("ab").close()
    if new:
        workbook.unlink()


def write_role_template(roles: Sequence[str], *, out: Path, lang: str) -> None:
    """Write a workbook to fill in.

    Parameters
    ----------
    roles
        Names of the roles.
    out
        The workbook.
    lang
        Language of its headers.

    Raises
    ------
    UsageError
        When a role is unknown or a raster, or the file is no workbook (for papers: no Word file).
    """
    from riskmap.layers.template import write_template
    from riskmap.vocabulary.roles import load_roles

    if out.suffix.lower() == ".docx":
        _write_paper_template(roles, out)
        return
    known = {name: role for name, role in load_roles().items() if role.kind == "vector"}
    by_label = {word: name for name, role in known.items() for word in (role.zh, role.en, name)}
    unknown = [role for role in roles if role not in by_label]
    if unknown:
        raise UsageError(
            text(
                "no layer with rows to fill in: {roles}; known: {known}",
                roles=", ".join(unknown),
                known="、".join(f"{role.label} ({name})" for name, role in known.items()),
            )
        )
    roles = [by_label[role] for role in roles]
    _make_way(out)
    with language(lang):
        write_template([known[role] for role in dict.fromkeys(roles)], out, lang=lang)


def _write_paper_template(roles: Sequence[str], out: Path) -> None:
    """Write the Word file that official papers may be written into."""
    from riskmap.export.papers.document import layout, template_file

    if list(roles) not in (["公文"], ["paper"]):
        raise UsageError(
            text("{file}: a Word file is the template of papers: 公文 or paper", file=out)
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    template_file(out, layout=layout())


def new_project(folder: Path, answers: Answers, *, lang: str, ask: bool = False) -> list[str]:
    """Make a project folder: a project file and one workbook to fill in.

    Parameters
    ----------
    folder
        Folder to make; must not exist, or be empty.
    answers
        What flags say of the place.
    lang
        Language of the workbook.
    ask
        Whether the five questions are asked.

    Returns
    -------
    list
        The files made.
    """
    import typer

    from riskmap.cli.scaffold import ask_answers, scaffold

    def put(question: Text, usual: str) -> str:
        return str(typer.prompt(str(question), default=usual, show_default=bool(usual), err=True))

    with language(lang):
        if ask:
            answers = ask_answers(answers, put, folder=folder)
        return scaffold(folder, answers, lang=lang)


def verify_folder(folder: Path, *, public_key: Path | None = None) -> list[str]:
    """Recompute the published numbers of a results folder.

    Parameters
    ----------
    folder
        The results folder.
    public_key
        Ed25519 key (PEM) whose owner must have signed, or None.

    Returns
    -------
    list
        What does not agree; empty when all is well.
    """
    from riskmap.export.verify import verify

    if not folder.is_dir():
        raise UsageError(text("{folder}: no such folder", folder=folder))
    if public_key is not None and not public_key.is_file():
        raise UsageError(text("{file}: no such file", file=public_key))
    return list(verify(folder, public_key=public_key))
