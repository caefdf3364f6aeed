"""A finished results folder of the rural county, made once."""

import pytest

from riskmap import pipeline
from riskmap.export import bundle
from riskmap.project.schema import load_project
from tests import rural


@pytest.fixture(scope="session")
def county(tmp_path_factory):
    """The rural county's results folder, internal edition."""
    project = load_project(rural.write(tmp_path_factory.mktemp("rural")))
    folder = tmp_path_factory.mktemp("county") / "out"
    return bundle.write(pipeline.run(project), folder)
