"""The house rules that a machine can check."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests import town

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "riskmap").rglob("*.py"))
GEOMETRY = {"geopandas", "shapely", "rasterio", "pyproj", "pyogrio", "odc", "folium"}
BANNED_NAMES = {"utils", "util", "helpers", "helper", "misc"}


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def code_lines(function):
    """Lines of a function without its docstring."""
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= first.end_lineno - first.lineno + 1
    return lines


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_functions_are_short_and_modules_named_for_what_they_hold(module):
    source = module.read_text(encoding="utf-8")
    assert module.stem not in BANNED_NAMES
    long = [
        f"{node.name}: {code_lines(node)} lines"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and code_lines(node) > 60
    ]
    assert not long


@pytest.mark.parametrize("room", ["index", "siting"])
def test_index_and_siting_know_no_geometry(room):
    for module in sorted((ROOT / "riskmap" / room).rglob("*.py")):
        names = {name.split(".")[0] for name in imported(ast.parse(module.read_text("utf-8")))}
        assert not names & GEOMETRY, module


def test_help_loads_nothing_heavy_and_ways_neither_tables_nor_the_compiler():
    code = (
        "import sys, riskmap.cli\n"
        "heavy = {'numpy', 'pandas', 'geopandas', 'rasterio', 'numba', 'scipy', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        "import riskmap.cli.route_files\n"
        "heavy = {'pandas', 'geopandas', 'rasterio', 'numba', 'odc', 'affine'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert shown.split() == ["[]", "[]"]


def test_a_check_of_tables_loads_neither_the_compiler_nor_the_solvers(tmp_path):
    """A check starts as quickly as the tables' own libraries let it."""
    path = town.write(tmp_path)
    code = (
        "import sys; from pathlib import Path\n"
        "from riskmap.cli.commands import check_project\n"
        f"check_project(Path({str(path)!r}), out=None, lang='zh', allow_outside=False)\n"
        "heavy = {'numba', 'branca', 'highspy', 'odc', 'typst', 'docx', 'xlsxwriter'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert shown.split() == ["[]"]


def test_whatever_a_run_imports_is_installed_with_it():
    """What only tests ask for is not there on an office's machine."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    plain = lambda name: re.split(r"[^\w.-]", name)[0].lower().replace("_", "-")  # noqa: E731
    asked = {plain(line) for line in project["dependencies"]}
    holders = packages_distributions()
    unasked = {
        f"{module.relative_to(ROOT)}: {name}"
        for module in MODULES
        for name in imported(ast.parse(module.read_text(encoding="utf-8")))
        if (top := name.split(".")[0]) not in {*sys.stdlib_module_names, "riskmap"}
        and not asked & {plain(holder) for holder in holders.get(top, [top])}
    }
    assert not unasked
