"""Folders of outputs that several tests of this room read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from riskmap.export import bundle
from tests.sample import sample_result

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write the sample once an edition and language."""
    done: dict[tuple[str, str], Path] = {}

    def write(profile: str = "internal", lang: str = "zh") -> Path:
        if (profile, lang) not in done:
            folder = tmp_path_factory.mktemp("outputs") / "sample"
            done[profile, lang] = bundle.write(sample_result(profile=profile, lang=lang), folder)
        return done[profile, lang]

    return write
