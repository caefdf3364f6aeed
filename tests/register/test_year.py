"""A year in the demo district, as docs/register.zh.md tells it: every command is run, every answer read."""

import contextlib
import io
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from openpyxl import load_workbook

from riskmap.cli.app import main
from tests.register.office import fill

ROOT = Path(__file__).parents[2]
FIRST = "riskmap run configs/district.yaml"
BLOCK = re.compile(r"^```(sh|csv|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page):
    """Give the blocks of the section on the demo year."""
    whole = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return BLOCK.findall(whole[re.search(r"^## 5\. ", whole, re.MULTILINE).start() :])


def district(folder):
    """Copy the demo district, as if the project stood there alone."""
    shutil.copytree(ROOT / "layers" / "district", folder / "layers" / "district")
    for name in ("configs", "outputs"):
        (folder / name).mkdir()
    shutil.copy(ROOT / "configs" / "district.yaml", folder / "configs")
    (folder / "riskmap.root").touch()
    return folder


def command(line):
    """Run one line as a shell would; riskmap itself in this process. Give what it says."""
    line, _, remark = line.partition("   # ")
    code = int(remark.rpartition(" ")[2]) if remark else 0
    words = shlex.split(line)
    if words[0] != "riskmap":
        subprocess.run(["sh", "-c", line], check=True)
        return ""
    out = io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(out if code else io.StringIO()),
        pytest.raises(SystemExit) as end,
    ):
        main(words[1:])
    assert (end.value.code or 0) == code, out.getvalue()
    return "" if words[1] == "run" else out.getvalue()


@pytest.fixture(scope="module")
def spring(tmp_path_factory):
    """The district after its first run, which both stories begin with."""
    folder = district(tmp_path_factory.mktemp("district"))
    with contextlib.chdir(folder):
        command(FIRST)
    return folder


@pytest.fixture
def there(spring, tmp_path, monkeypatch):
    shutil.copytree(spring, tmp_path / "d")
    monkeypatch.chdir(tmp_path / "d")
    return tmp_path


def test_a_run_elsewhere_gives_the_same_bytes(spring, tmp_path, monkeypatch):
    """Another process, another folder, sets in another order."""
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    again = district(tmp_path)
    words = [sys.executable, "-m", "riskmap", *shlex.split(FIRST)[1:]]
    subprocess.run(words, check=True, capture_output=True, cwd=again)
    made, other = (
        {path.relative_to(at): path.read_bytes() for path in at.rglob("*") if path.is_file()}
        for at in (spring / "outputs", again / "outputs")
    )
    assert len(made) > 10
    assert sorted(made) == sorted(other)
    assert [name for name in made if made[name] != other[name]] == []


CHANGING = re.compile(r"(影响人口 — → )\d+|(单元数: ).*")
"""Figures that other chapters of the documents answer for: people near, classes of units."""


def steady(said):
    return CHANGING.sub(r"\1\2…", said)


def kept(path):
    """What an officer's program must not lose: panes, filters, lists to choose from, sums, print."""
    book = load_workbook(path)
    return {
        sheet.title: (
            sheet.freeze_panes, sheet.auto_filter.ref, sheet.print_title_rows, sheet.print_area,
            sheet.page_setup.orientation, sorted(map(str, sheet.merged_cells.ranges)),
            sorted((str(v.sqref), v.type, v.formula1) for v in sheet.data_validations.dataValidation),
            sum(str(cell.value).startswith("=") for row in sheet.iter_rows() for cell in row),
        )
        for sheet in book
        if sheet.sheet_state == "visible"
    }  # fmt: skip


def play(page, home):
    """Follow the page from a district that was run once; yield what it says and what is true."""
    said, first = "", True
    for kind, body in blocks(page):
        if kind == "text":
            yield body, said
            said = ""
        elif kind == "csv":
            rows = [line.split(",", 3) for line in body.splitlines()]
            home.mkdir(exist_ok=True)
            orders = [(Path(book).resolve(), *rest) for book, *rest in rows]
            if not (home / "list.xlsx").exists():  # opened and saved once, with nothing filled in
                shutil.copy("outputs/district/研判一张单.xlsx", home / "list.xlsx")
                orders.append((home / "list.xlsx", "", "", ""))
            before = {book: kept(book) for book, *_ in orders}
            fill(orders, home)
            assert {book: kept(book) for book in before} == before
        else:
            lines = body.splitlines()
            if first:
                assert lines.pop(0) == FIRST
                first = False
            said += "".join(command(line) for line in lines)


def test_the_year_runs_as_it_is_written(there):
    for written, true in play("register.zh.md", there / "desk"):
        assert steady(true) == steady(written)


def test_both_languages_tell_the_same_year():
    done = [
        [body for kind, body in blocks(page) if kind != "text"]
        for page in ("register.zh.md", "register.md")
    ]
    assert done[0] == done[1]


ROW = re.compile(r"^\| (\w+) \| .*? \| `(.*?)` \| (.*?) \|$", re.MULTILINE)


def rows(page):
    return ROW.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))


@pytest.mark.usefixtures("there")
def test_each_row_of_the_documents_is_served_by_its_command():
    shutil.copytree("outputs/district", "outputs/2026年春")
    said = {}
    lacking = []
    for row, line, wanted in rows("duties.zh.md"):
        said[line] = said.get(line) or re.sub(" {2,}", "  ", command(line))
        lacking += [
            (row, part, said[line]) for part in wanted.split("<br>") if part not in said[line]
        ]
    assert lacking == []


def test_both_pages_name_the_same_rows():
    both = [[(row, line) for row, line, _ in rows(page)] for page in ("duties.zh.md", "duties.md")]
    assert both[0] == both[1]
    assert len(both[0]) == len({row for row, _ in both[0]}) == 66


def rewrite(folder):
    """Write the answers of the year anew, when what they show was changed on purpose."""
    import os
    import sys

    os.environ["RISKMAP_LANG"] = "zh"
    os.chdir(district(folder))
    command(FIRST)
    answers = [true for _, true in play("register.zh.md", folder / "desk")]
    for page in ("register.zh.md", "register.md"):
        path, left = ROOT / "docs" / page, iter(answers)
        whole = path.read_text(encoding="utf-8")
        start = re.search(r"^## 5\. ", whole, re.MULTILINE).start()
        told = re.sub(
            r"^```text\n.*?^```$",
            lambda _, left=left: f"```text\n{next(left)}```",
            whole[start:],
            flags=re.MULTILINE | re.DOTALL,
        )
        path.write_text(whole[:start] + told, encoding="utf-8")
    sys.exit(0)


if __name__ == "__main__":  # python -m tests.register.test_year
    import tempfile

    with tempfile.TemporaryDirectory() as new:
        rewrite(Path(new))
