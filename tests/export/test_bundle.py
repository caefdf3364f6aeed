import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace

import pyogrio
import pytest
from python_calamine import CalamineWorkbook

from riskmap import files as place
from riskmap.errors import ExportError
from riskmap.export import bundle
from riskmap.export.geopackage.write import write_geopackage
from riskmap.export.verify import verify
from riskmap.export.workbook.books import write_list
from riskmap.files import sha256
from tests.sample import sample_result

FILES = {
    "onemap.html", "riskmap.gpkg", "研判一张单.xlsx", "管控一张表.xlsx", "data_gaps.xlsx",
    "params.json", "report.json", "manifest.json", "proof.json",
}  # fmt: skip


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("profile", ["internal", "public"])
def test_every_file_is_there_and_verifies(written, profile):
    folder = written(profile)
    assert {path.name for path in folder.iterdir()} == FILES
    assert verify(folder) == []


def test_two_runs_are_byte_identical(written, tmp_path):
    again = bundle.write(sample_result(), tmp_path / "again")
    first, second = bytes_of(written()), bytes_of(again)
    assert [name for name in FILES if first[name] != second[name]] == []


def test_papers_without_data_date_are_byte_identical_too(tmp_path):
    result = sample_result(n_side=4)
    undated = replace(result, facts=replace(result.facts, data_date=""))
    for name in "ab":
        write_geopackage(undated, tmp_path / f"{name}.gpkg")
        write_list(undated, tmp_path / f"{name}.xlsx")
    for kind in ("gpkg", "xlsx"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


def test_map_list_table_and_package_have_the_same_items(written):
    folder = written()
    items = pyogrio.read_dataframe(folder / "riskmap.gpkg", layer="items", read_geometry=False)
    control = pyogrio.read_dataframe(folder / "riskmap.gpkg", layer="control", read_geometry=False)
    report = json.loads((folder / "report.json").read_text())
    assert report["items"]["rows"] == len(items) == len(control) == 15
    for name in ("研判一张单.xlsx", "管控一张表.xlsx"):
        sheet = name.removesuffix(".xlsx")
        rows = CalamineWorkbook.from_path(folder / name).get_sheet_by_name(sheet).to_python()
        place_of_id = rows[2].index("项目编号")
        assert {row[place_of_id] for row in rows[3:]} == set(items["item_id"])


def test_report_counts_rows_of_every_role(written):
    report = json.loads((written() / "report.json").read_text())
    for role, rows in report["layers"].items():
        assert rows["rows_in"] == rows["rows_used"] + rows["rows_returned"], role
    assert report["layers"]["flood_point"] == {"rows_in": 13, "rows_used": 12, "rows_returned": 1}
    assert [unit["score"] for unit in report["worst_units"]] == sorted(
        (unit["score"] for unit in report["worst_units"]), reverse=True
    )
    assert sum(report["classes"]["cell"].values()) == 255
    assert sum(report["classes"]["unit"].values()) == 8


def test_manifest_hashes_every_other_file(written):
    folder = written()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert set(manifest["outputs"]) == FILES - {"manifest.json"}
    assert manifest["inputs"][0]["rows"] == 13
    assert manifest["versions"]["numpy"]


def test_no_time_of_day_stands_in_the_outputs(written):
    year = time.strftime("%Y-%m-%dT").encode()
    for name, content in bytes_of(written()).items():
        assert year not in content, name


def tiny_run(folder, mark):
    """Write a folder as a run does, with one small file."""
    with place.whole_folder(folder) as fresh:
        (fresh / "管控一张表.xlsx").write_text(mark)
        digest = sha256(fresh / "管控一张表.xlsx")
        listed = {"riskmap": "1", "outputs": {"管控一张表.xlsx": {"sha256": digest}}}
        (fresh / "manifest.json").write_text(json.dumps(listed))


def test_a_failed_write_leaves_the_old_folder(tmp_path, monkeypatch):
    tiny_run(tmp_path / "out", "old")
    before = bytes_of(tmp_path / "out")

    def broken(result, path):
        path.write_text("half")
        raise ValueError("disk on fire")

    monkeypatch.setattr("riskmap.export.bundle.write_geopackage", broken)
    with pytest.raises(ValueError, match="fire"):
        bundle.write(sample_result(seed=8), tmp_path / "out")
    assert bytes_of(tmp_path / "out") == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_full_disk_is_said_and_leaves_the_old_folder(tmp_path):
    tiny_run(tmp_path / "out", "old")
    full = OSError(28, "No space left on device")
    with pytest.raises(ExportError, match="磁盘已满"), place.whole_folder(tmp_path / "out"):
        raise full
    assert (tmp_path / "out" / "管控一张表.xlsx").read_text() == "old"


@pytest.mark.posix
def test_a_killed_write_leaves_the_old_folder(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "manifest.json").write_text('{"riskmap": "1", "outputs": {}}')
    code = f"""
        from pathlib import Path
        from riskmap.files import whole_folder
        with whole_folder(Path({str(folder)!r})) as fresh:
            (fresh / "riskmap.gpkg").write_text("half")
            print("writing", flush=True)
            input()
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout.readline().strip() == "writing"
        os.kill(child.pid, signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    assert [path.name for path in folder.iterdir()] == ["manifest.json"]
    with place.whole_folder(folder) as fresh:  # and the next run works
        (fresh / "manifest.json").write_text('{"riskmap": "2", "outputs": {}}')
    assert (folder / "manifest.json").read_text() == '{"riskmap": "2", "outputs": {}}'
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("swaps", [True, False])
def test_old_files_go_and_changed_or_foreign_ones_are_kept(tmp_path, monkeypatch, swaps):
    if not swaps:
        monkeypatch.setattr(place, "_exchange", lambda *_: False)
    folder = tmp_path / "out"
    tiny_run(folder, "first")
    tiny_run(folder, "second")
    assert {path.name for path in tmp_path.iterdir()} == {"out"}
    (folder / "管控一张表.xlsx").write_text("second, edited")
    (folder / "notes.txt").write_text("mine")
    tiny_run(folder, "third")
    assert {path.name for path in folder.iterdir()} == {"管控一张表.xlsx", "manifest.json"}
    assert (folder / "管控一张表.xlsx").read_text() == "third"
    kept = tmp_path / "out.kept"
    assert {path.name for path in kept.iterdir()} == {"管控一张表.xlsx", "notes.txt"}
    assert (kept / "管控一张表.xlsx").read_text() == "second, edited"
    (folder / "notes.txt").write_text("mine again")
    tiny_run(folder, "fourth")
    assert (kept / "notes (2).txt").read_text() == "mine again"
    assert {path.name for path in tmp_path.iterdir()} == {"out", "out.kept"}


def test_rests_of_old_killed_runs_are_swept(tmp_path):
    for name, age in ((".out.a.part", 100_000), (".out.b.part", 10), (".other.c.part", 100_000)):
        (tmp_path / name).mkdir()
        moment = time.time() - age
        os.utime(tmp_path / name, (moment, moment))
    tiny_run(tmp_path / "out", "new")
    assert {path.name for path in tmp_path.iterdir()} == {"out", ".out.b.part", ".other.c.part"}


def test_a_run_killed_between_two_renames_is_taken_up(tmp_path):
    parked = tmp_path / "out.old"
    parked.mkdir()
    (parked / "manifest.json").write_text('{"riskmap": "1", "outputs": {}}')
    with pytest.raises(RuntimeError), place.whole_folder(tmp_path / "out"):
        raise RuntimeError
    assert (tmp_path / "out" / "manifest.json").is_file()


def test_a_folder_of_somebody_else_is_not_touched(tmp_path):
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "thesis.docx").write_text("years of work")
    with pytest.raises(ExportError, match="documents"):
        bundle.write(sample_result(), folder)
    assert [path.name for path in folder.iterdir()] == ["thesis.docx"]
    with pytest.raises(ExportError):
        bundle.write(sample_result(), folder / "thesis.docx")


def test_verify_names_what_was_changed(written, tmp_path):
    import shutil
    import sqlite3

    folder = tmp_path / "copy"
    shutil.copytree(written(), folder)
    with sqlite3.connect(folder / "riskmap.gpkg") as base:
        base.execute(
            "UPDATE unit_indicators SET H_FLOOD = H_FLOOD + 1 WHERE unit_id = '370102101200'"
        )
    base.close()
    (folder / "extra.txt").write_text("x")
    (folder / "params.json").unlink()
    faults = "\n".join(verify(folder))
    for word in ("riskmap.gpkg", "extra.txt", "params.json", "370102101200"):
        assert word in faults
    assert verify(tmp_path) != []


def test_english_outputs_carry_english_words(written):
    folder = written("internal", "en")
    rows = CalamineWorkbook.from_path(folder / "研判一张单.xlsx").get_sheet_by_index(1).to_python()
    assert {"Name", "Level", "Duty unit"} <= set(rows[2])
    assert "major" in {row[rows[2].index("Level")] for row in rows[3:]}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("manifest.json", "{"),
        ("manifest.json", "[]"),
        ("manifest.json", '{"outputs": 3}'),
        ("manifest.json", '{"outputs": {"riskmap.gpkg": 1}}'),
        ("riskmap.gpkg", "no database"),
        ("研判一张单.xlsx", "no workbook"),
        ("report.json", '{"items": 1}'),
    ],
)
def test_damaged_files_are_faults(written, tmp_path, name, content):
    shutil.copytree(written(), tmp_path / "out")
    (tmp_path / "out" / name).write_text(content, encoding="utf-8")
    assert verify(tmp_path / "out")
