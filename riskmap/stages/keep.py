"""What persists between runs, and what a run was made from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from riskmap.folder import sha256
from riskmap.result import InputFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from riskmap.layers.types import Layer
    from riskmap.project import Project
    from riskmap.roles.load import Role


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
    from riskmap.register.ids import read_known

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
    from riskmap.register.ids import known_of, read_known, write_known

    store = id_store(project)
    before = read_known(store) if store.is_file() else None
    listed = {role: layer for role, layer in layers.items() if roles[role].item}
    store.parent.mkdir(exist_ok=True)
    write_known(store, known_of(listed, before))


def input_files(project: Project) -> tuple[InputFile, ...]:
    """Hash every file that the run read.

    Parameters
    ----------
    project
        The project.

    Returns
    -------
    tuple
        The project file first, then the others by name.
    """
    written = {project.path.name: project.path}
    for _, shown in project.written_paths():
        path = project.file(shown)
        if path.is_dir():
            written |= {f"{shown}/{f.name}": f for f in sorted(path.glob("*")) if f.is_file()}
        else:
            written[shown] = path
            for side in (".shx", ".dbf", ".prj", ".cpg") if path.suffix.lower() == ".shp" else ():
                written[str(Path(shown).with_suffix(side))] = path.with_suffix(side)
    return tuple(
        InputFile(shown, sha256(path), path.stat().st_size)
        for shown, path in written.items()
        if path.is_file()
    )
