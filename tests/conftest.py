"""What several rooms' tests share: the shipped projects, each run once."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
collect_ignore = ["qgis_opens.py"]
"""Runs under the Python that QGIS brings, not under ours."""
LONGEST = ("test_projects.py", "test_cli.py", "test_year.py", "test_refuge_run.py")
"""Files of whole runs; they start first, so that no worker waits for one at the end."""

settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ours")  # how long an example takes tells of the machine's load, not of us
for name in ("RISKMAP_LANG", "RISKMAP_DEBUG"):  # what the tester's shell asks of the product
    os.environ.pop(name, None)
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each process would compile all modules again

gc.set_threshold(20_000, 10, 100)  # as the command line does

POSIX = os.name == "posix" and shutil.which("sh") is not None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest files first; leave out what needs sh and signals where there are none."""
    if not POSIX:
        left = [item for item in items if item.get_closest_marker("posix")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(LONGEST)))


def pytest_collection_finish() -> None:
    """Spare what collecting made, some million objects, from every later search for waste."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def run_once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[[str], Path]:
    """Run a shipped project the first time any worker asks for it; give its results folder."""
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent

    def results(name: str) -> Path:
        out = shared / "projects" / name / "out"
        out.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(out.parent / "lock"):
            if not out.exists():
                done = subprocess.run(
                    [sys.executable, "-m", "riskmap", "run", f"configs/{name}.yaml", "--out", out],
                    check=False, capture_output=True, text=True, encoding="utf-8", cwd=ROOT,
                )  # fmt: skip
                assert done.returncode == 0, done.stderr
        return out

    return results


@pytest.fixture
def run_town() -> Callable[..., Path]:
    """Run the hand-drawn town in a folder; give its results folder."""
    from riskmap import pipeline
    from riskmap.export import bundle
    from riskmap.project.schema import load_project
    from tests import town

    def results(folder: Path, **changes: object) -> Path:
        project = load_project(town.write(folder, **changes))  # type: ignore[arg-type]
        return bundle.write(pipeline.run(project), folder / "out")

    return results


@pytest.fixture(scope="session")
def postgis() -> Iterator[str]:
    """Start a PostGIS server of our own; the name of a database is to stand at ``{}``."""
    from tests.server import server

    with server() as address:
        yield address
