"""The folder of outputs: every paper of one run, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from riskmap import progress
from riskmap.export.encode import as_json
from riskmap.export.manifest import build_manifest, build_report
from riskmap.files import MANIFEST, whole_folder
from riskmap.i18n import language, text
from riskmap.result import Result

if TYPE_CHECKING:
    from riskmap.export.papers.document import Layout

PAGE: Final = "onemap.html"
GEOPACKAGE: Final = "riskmap.gpkg"
LIST: Final = "研判一张单.xlsx"
CONTROL: Final = "管控一张表.xlsx"
GAPS: Final = "data_gaps.xlsx"
PARAMS: Final = "params.json"
REPORT: Final = "report.json"


def write(
    result: Result,
    folder: Path,
    *,
    tianditu: bool = False,
    pictures: Sequence[tuple[str, Path]] = (),
    formats: Sequence[str] = (),
    key: Path | None = None,
    papers: Layout | None = None,
) -> Path:
    """Write every paper of a run into a folder, whole or not at all.

    A public edition is written from a redacted result, whatever the caller did before. The same
    result gives the same bytes.

    Parameters
    ----------
    result
        The run's result.
    folder
        Where the outputs are to stand; an earlier output there is replaced in one step.
    tianditu
        Whether the page may ask for Tianditu's map once somebody types a token in.
    pictures
        Pictures under the page's map: each file as the project file writes it, and its path.
    formats
        Further forms of the layers: ``geoparquet``, ``flatgeobuf``.
    key
        Ed25519 key (PEM) that signs the manifest, or None.
    papers
        How official papers are set, or None to write none of them.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ExportError
        When the folder holds files of somebody else, or cannot be written.
    """
    from riskmap.export.copies import FOLDER, write_copies
    from riskmap.export.geopackage.write import write_geopackage
    from riskmap.export.onemap.backdrop import read_backdrops
    from riskmap.export.onemap.page import render
    from riskmap.export.papers.front import front_sheet
    from riskmap.export.public import redact
    from riskmap.export.witness import PROOF, build_proof, sign
    from riskmap.export.workbook.books import write_control, write_gaps, write_list
    from riskmap.export.workbook.plans import write_plans

    if result.facts.profile == "public":
        result = redact(result)
    with language(result.facts.lang), whole_folder(folder) as fresh:
        tiles = read_backdrops(pictures, result.units) if pictures else ()
        steps: tuple[Callable[[], object], ...] = (
            lambda: write_geopackage(result, fresh / GEOPACKAGE),
            *(
                [lambda: write_copies(fresh / GEOPACKAGE, fresh / FOLDER, formats)]
                if formats
                else []
            ),
            lambda: _write_text(fresh / PAGE, render(result, tianditu=tianditu, tiles=tiles)),
            lambda: write_list(result, fresh / LIST, front=front_sheet(result)),
            lambda: write_control(result, fresh / CONTROL),
            lambda: write_gaps(result, fresh / GAPS),
            lambda: write_plans(result, fresh),
            *([lambda: _write_papers(result, fresh, papers, folder)] if papers else []),
            lambda: _write_text(fresh / PARAMS, as_json(result.params)),
            lambda: _write_text(fresh / REPORT, as_json(build_report(result))),
            *([lambda: _write_index(result, fresh)] if papers else []),
            lambda: _write_text(
                fresh / PROOF, build_proof(fresh, as_json(build_manifest(result, fresh)))
            ),
            lambda: _write_text(fresh / MANIFEST, as_json(build_manifest(result, fresh))),
            *([lambda: sign(fresh, key)] if key else []),
        )
        with progress.stage(text("papers")):
            for write_paper in progress.counted(steps, text("files")):
                write_paper()
    return folder


def _write_text(path: Path, content: str) -> None:
    path.write_bytes(content.encode("utf-8"))


def _write_papers(result: Result, fresh: Path, layout: Layout, old: Path) -> None:
    from riskmap.export.papers.folder import write_papers

    write_papers(result, fresh, layout=layout, previous=old)


def _write_index(result: Result, fresh: Path) -> None:
    from riskmap.export.papers.folder import INDEX, index_page

    _write_text(fresh / INDEX, index_page(result, fresh))
