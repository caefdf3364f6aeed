"""What several rooms' tests share: the shipped projects, each run once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def run_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Run a shipped project the first time it is asked for; give its results folder."""
    made: dict[str, Path] = {}

    def results(name: str) -> Path:
        if name not in made:
            out = tmp_path_factory.mktemp(name) / "out"
            done = subprocess.run(
                [sys.executable, "-m", "riskmap", "run", f"configs/{name}.yaml", "--out", str(out)],
                check=False, capture_output=True, text=True, encoding="utf-8", cwd=ROOT,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            made[name] = out
        return made[name]

    return results
