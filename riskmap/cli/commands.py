"""What each command does, from paths to a summary."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from riskmap.cli.common import default_folder, in_language, load, make_way
from riskmap.errors import LayerError, UsageError
from riskmap.export import public
from riskmap.export.geopackage.read import open_results
from riskmap.export.onemap.backdrop import backdrop_problems
from riskmap.export.papers.document import layout as page_layout
from riskmap.export.witness import as_json, check_key
from riskmap.export.workbook.tables import class_names, scored
from riskmap.files import (
    CONTROL,
    GEOPACKAGE,
    PARAMS,
    PlacedElsewhereError,
    beside,
    claim_folder,
    parse_yaml,
    sha256,
    system_words,
)
from riskmap.i18n import Label, Text, language, text
from riskmap.layers.read.database import is_database
from riskmap.pipeline.reading import keep_ids
from riskmap.pipeline.register import record, refuse_lost_edits
from riskmap.pipeline.run import check, run
from riskmap.progress import say
from riskmap.project.schema import as_project_error, load_for_check
from riskmap.project.words import keep_words, words_file
from riskmap.register.diff import since
from riskmap.result import InputFile, layer_rows
from riskmap.vocabulary.presets import load_presets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from riskmap.errors import Problem
    from riskmap.export.papers.document import Layout
    from riskmap.project.schema import Project
    from riskmap.result import Result
    from riskmap.vocabulary.roles import Role


QUIET = ("row_example",)
"""Rules that stand in the ledger only: nobody has to do anything."""
SEVERITIES = ("returned", "unusable", "notes")
STAGES = ("layers", "indicators", "index", "plans", "register")


def _pictures(project: Project) -> list[tuple[str, Path]]:
    """List the pictures under the map, once it is sure that each can be used."""
    found = [(shown, project.file(shown)) for shown in project.outputs.tiles]
    problems = backdrop_problems(found) if found else []
    if problems:
        raise as_project_error(project.path, problems)
    return found


def _layout(project: Project) -> Layout:
    """Read how papers are set, once it is sure that template and typefaces are there."""
    said = project.outputs
    template = project.file(said.template) if said.template else None
    if template is not None and not template.is_file():
        raise UsageError(text("{file}: no such file", file=said.template))
    sheet = project.file(said.sheet_template) if said.sheet_template else None
    if sheet is not None and not sheet.is_file():
        raise UsageError(text("{file}: no such file", file=said.sheet_template))
    folders = [] if said.fonts in ("", "system") else [project.file(said.fonts)]
    found = page_layout(
        load_presets(project.presets),
        template=template,
        folders=folders,
        system=said.fonts == "system",
    )
    return replace(found, sheet_template=sheet, sheet_paper=said.sheet_paper)


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
    from riskmap.export import bundle

    loaded = load(project, lang=lang, allow_outside=allow_outside)
    if weights:
        loaded = loaded.model_copy(update={"overrides": read_weights(weights)})
    folder = out or default_folder(loaded)
    if up_to is None and not discard_edits:
        refuse_lost_edits(loaded, folder / CONTROL)
    with language(loaded.outputs.lang):
        pictures = _pictures(loaded)
        layout = _layout(loaded) if papers and up_to is None else None
        if up_to is None:
            _claim(folder, sign, loaded.outputs.database)
        edition = profile or loaded.outputs.profile
        old = _earlier(loaded, before, edition) if up_to is None else None
        result = run(loaded, up_to=up_to, profile=edition)
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
    return {
        "layers": layer_rows(result),
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
    found = open_results(folder)
    if found.facts.get("profile") != edition:
        if given is None:
            return text("The earlier result is of the other edition, so nothing is compared.")
        raise UsageError(
            text("{folder} is of the other edition and cannot be compared", folder=folder)
        )
    if found.facts.get("place_code") != project.place.code:
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
    from riskmap.export import bundle

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
        bundle.check_database(database)


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

    if not (folder / GEOPACKAGE).is_file():
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
    from riskmap.export import bundle

    if not (folder / GEOPACKAGE).is_file():
        raise UsageError(text("{folder}: no results of riskmap", folder=folder))
    if not is_database(address):
        raise UsageError(
            text("{address}: expected postgresql://USER@HOST:PORT/DATABASE#SCHEMA", address=address)
        )
    return bundle.write_database(folder / GEOPACKAGE, address, title=title or folder.resolve().name)


def _keep(project: Project, result: Result) -> list[str]:
    """Keep item ids and the register for the next run; say it where that cannot be done."""
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
    if out:
        make_way(out)
    loaded, problems = load_for_check(project, allow_outside=allow_outside)
    loaded = in_language(loaded, lang)
    with language(loaded.outputs.lang):
        pictures = [(shown, loaded.file(shown)) for shown in loaded.outputs.tiles]
        said = [*problems, *(backdrop_problems(pictures) if pictures else [])]
        result = check(loaded, said, shapes=False)
        if out:
            from riskmap.export.workbook.books import write_gaps

            write_gaps(result, out)
        kept: dict[str, Any] = {}
        if keep:
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
            "layers": layer_rows(result),
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


def worst_units(result: Result) -> list[dict[str, Any]]:
    """Show the five units of the finest level with the highest risk.

    Parameters
    ----------
    result
        The run.

    Returns
    -------
    list
        Unit id, name, town, score, class in words, and the component that weighs most.
    """
    from riskmap.export import bundle

    if not result.index:
        return []
    classes, meta = class_names(), result.indicators.meta
    rows = []
    for unit in bundle.worst_units(result):
        shares = unit.pop("contributions").dropna()
        main = meta.loc[shares.idxmax()] if len(shares) else None
        name = "" if main is None else str(Label(str(main["name_en"]), zh=str(main["name_zh"])))
        rows.append(unit | {"class": classes[int(unit["class"])], "main": name})
    return rows


def headlines(result: Result) -> list[str]:
    """Collect what the plans must say at once, and plans that could not be made.

    Parameters
    ----------
    result
        The run.

    Returns
    -------
    list
        Lines in the current language.
    """
    lines = [line for plan in result.plans.values() for line in plan.headlines]
    lacking = ("No station plan:", "No refuge plan:")
    lines += [note for note in result.notes if note.msgid.startswith(lacking)]
    return [str(line) for line in lines]
