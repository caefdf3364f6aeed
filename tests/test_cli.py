"""The command line: exit codes, no traceback, help in time, hostile and broken input."""

import contextlib
import csv
import hashlib
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
import yaml

from riskmap.cli import commands
from riskmap.cli.app import main
from riskmap.errors import UsageError
from tests import town
from tests.sample import sample_result

ROOT = Path(__file__).parents[1]


def process(*words):
    """Run the command as a shell does, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "riskmap", *map(str, words)],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
    )


def riskmap(*words):
    """Run the command in this process, from its words to its exit code; imports are paid once."""
    said = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(said[0]),
        contextlib.redirect_stderr(said[1]),
        pytest.raises(SystemExit) as end,
    ):
        main(list(map(str, words)))
    stdout, stderr = (one.getvalue() for one in said)
    return subprocess.CompletedProcess(words, end.value.code or 0, stdout, stderr)


def fails(done, code):
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert "自身出错" not in done.stderr
    assert done.stderr.strip()


COMMANDS = (
    "run",
    "check",
    "new",
    "template",
    "verify",
    "postgis",
    "index",
    "locate",
    "allocate",
    "route",
    "coords",
)


def test_every_command_has_help_and_stands_in_the_documentation():
    shown = process("--help").stdout
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert command in shown
        help_text = riskmap(command, "--help")
        assert help_text.returncode == 0
        assert f"riskmap {command}" in page


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["run"], 2),
        (["run", "no.yaml"], 1),
        (["run", "no.yaml", "--profile", "secret"], 2),
        (["run", "no.yaml", "--lang", "fr"], 2),
        (["run", "no.yaml", "--up-to", "moon"], 2),
        (["nonsense"], 2),
        (["verify", "no_folder"], 2),
        (["template", "no_role", "--out", "x.xlsx"], 2),
        (["locate", "no-model", "--cost", "c.csv"], 2),
        (["locate", "mclp", "--cost", "no.csv", "--p", "1", "--radius", "1"], 1),
    ],
)
def test_wrong_calls(words, code):
    fails(riskmap(*words), code)


@pytest.mark.parametrize(("words", "code"), [(["run", "no.yaml"], 1), (["nonsense"], 2)])
def test_a_process_ends_with_the_same_code(words, code):
    fails(process(*words), code)


def test_messages_speak_chinese_and_english():
    assert "没有" in process("run", "no.yaml").stderr
    assert "no such project file" in process("run", "no.yaml", "--lang", "en").stderr


def test_new_project_is_checked_with_clear_messages(tmp_path):
    made = riskmap("new", tmp_path / "区", "--place", "370102")
    assert made.returncode == 0, made.stderr
    fails(riskmap("new", tmp_path / "区"), 2)
    fails(riskmap("new", tmp_path / "b", "--place", "37x"), 2)
    blank = riskmap("check", tmp_path / "区" / "project.yaml")
    assert blank.returncode == 1
    assert "还没有填写任何村社区" in blank.stdout
    fails(riskmap("run", tmp_path / "区" / "project.yaml"), 1)


def test_template_is_written(tmp_path):
    done = riskmap("template", "flood_point", "refuge", "--out", tmp_path / "t.xlsx")
    assert done.returncode == 0
    assert (tmp_path / "t.xlsx").stat().st_size > 4000


@pytest.mark.parametrize("words", [("dem", "--out", "t.xlsx"), ("refuge", "--out", "t.csv")])
def test_templates_that_cannot_be_filled_in_are_refused(tmp_path, words):
    fails(riskmap("template", *words[:2], tmp_path / words[2]), 2)
    assert not (tmp_path / words[2]).exists()


def test_a_role_named_twice_has_one_sheet(tmp_path):
    assert riskmap("template", "refuge", "refuge", "--out", tmp_path / "t.xlsx").returncode == 0
    names = openpyxl.load_workbook(tmp_path / "t.xlsx").sheetnames
    assert names.count("避难场所") == 1


def test_check_writes_its_ledger_into_a_new_folder_and_says_where_it_cannot(tmp_path):
    path = town.write(tmp_path)
    assert riskmap("check", path, "--out", tmp_path / "new" / "gaps.xlsx").returncode == 0
    assert openpyxl.load_workbook(tmp_path / "new" / "gaps.xlsx").sheetnames
    (tmp_path / "taken.xlsx").mkdir()
    fails(riskmap("check", path, "--out", tmp_path / "taken.xlsx"), 1)
    fails(riskmap("check", path, "--out", tmp_path / "gaps.csv"), 2)


def test_up_to_writes_nothing(tmp_path):
    path = town.write(tmp_path)
    done = riskmap("run", path, "--up-to", "index", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["worst_units"]
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The town's results, with one layer that cannot be used."""
    folder = tmp_path_factory.mktemp("ran")
    path = town.write(folder, layers={"waterway": {"path": "nowhere.gpkg"}})
    return path, riskmap("run", path)


def test_a_layer_that_cannot_be_used_exits_with_1_and_the_rest_is_written(ran):
    path, done = ran
    assert done.returncode == 1
    assert "nowhere.gpkg" in done.stdout + done.stderr
    assert (path.parent / "out" / "onemap.html").is_file()


def test_an_earlier_result_of_the_same_edition_is_read_and_hashed(ran, tmp_path):
    path, _ = ran
    old = path.parent / "out"
    project = yaml.safe_load(path.read_text("utf-8"))
    project["outputs"] = project.get("outputs", {}) | {"before": "out"}
    later = path.with_name("later.yaml")
    later.write_text(yaml.safe_dump(project, allow_unicode=True), encoding="utf-8")
    loaded = commands.load(later)
    found = commands._earlier(loaded, None, "internal")
    assert [file.shown for file in found.files] == ["out/riskmap.gpkg", "out/params.json"]
    for file in found.files:
        content = (path.parent / file.shown).read_bytes()
        assert (file.sha256, file.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert len(found.tables["units"]) == 15
    note = commands._earlier(loaded, None, "public")
    assert "未作对比" in str(note)
    with pytest.raises(UsageError):
        commands._earlier(loaded, old, "public")
    result = replace(sample_result(n_side=4), earlier=None)
    assert commands._compared(result, note).notes[-1] == note
    compared = commands._compared(result, found)
    assert compared.inputs[-2:] == found.files
    assert compared.earlier.name == found.name
    project["outputs"]["before"] = "../elsewhere"
    later.write_text(yaml.safe_dump(project, allow_unicode=True), encoding="utf-8")
    fails(riskmap("run", later), 1)


def test_saved_weights_change_the_scores_and_bad_ones_are_refused(tmp_path):
    path = town.write(tmp_path)

    def scores(*words):
        done = riskmap("run", path, "--up-to", "index", "--json", *words)
        assert done.returncode == 0, done.stderr
        return [unit["score"] for unit in json.loads(done.stdout)["worst_units"]]

    (tmp_path / "weights.yaml").write_text("weights: {HAZARD: 1, EXPOSURE: 0}\n")
    assert scores() != scores("--weights", tmp_path / "weights.yaml")
    for content in ("weights: {HAZARD: -1}", "weights: [1]", "HAZARD: 1", "weights: {HAZARD: x}"):
        (tmp_path / "weights.yaml").write_text(content)
        fails(riskmap("run", path, "--weights", tmp_path / "weights.yaml"), 2)
    fails(riskmap("run", path, "--weights", tmp_path / "none.yaml"), 2)


def test_locate_reads_all_problems_at_once(tmp_path):
    (tmp_path / "c.csv").write_text("demand,facility,cost\na,x,-1\na,x,2\nb,q,oops\n")
    (tmp_path / "f.csv").write_text("facility,status\nx,maybe\n")
    done = riskmap(
        "locate", "p-median", "--cost", tmp_path / "c.csv", "--facilities", tmp_path / "f.csv",
        "--p", "1",
    )  # fmt: skip
    fails(done, 1)
    for words in ("#2", "#3", "#4", "oops", "maybe", "q"):
        assert words in done.stderr


def test_infeasible_prints_its_document_and_exits_with_3(tmp_path):
    (tmp_path / "c.csv").write_text("demand,facility,cost\na,x,9\n")
    done = riskmap("locate", "lscp", "--cost", tmp_path / "c.csv", "--radius", "5", "--json")
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert document["status"] == "infeasible"
    assert document["reason"]
    assert document["objective"] is None


def test_coords_reach_the_published_vector(tmp_path):
    (tmp_path / "a.csv").write_text("name,lon,lat\nA,116.404,39.915\n")
    for to, lon, lat in (
        ("gcj02", 116.41024449916938, 39.91640428150164),
        ("bd09", 116.41662724378733, 39.922699552216216),
    ):
        done = riskmap(
            "coords", tmp_path / "a.csv", tmp_path / "b.csv", "--from", "wgs84", "--to", to
        )
        assert done.returncode == 0, done.stderr
        row = (tmp_path / "b.csv").read_text(encoding="utf-8-sig").splitlines()[1].split(",")
        assert float(row[1]) == pytest.approx(lon, abs=1e-9)
        assert float(row[2]) == pytest.approx(lat, abs=1e-9)


def test_coords_change_nothing_but_the_coordinates(tmp_path):
    """Tian'anmen as gcoord publishes it; what cannot be read stays, is said, and exits with 1."""
    (tmp_path / "a.csv").write_text(
        "code,lon,lat,note\n"
        "007,116.404,39.915,NA\n"
        "370102000000,东经116°24′14.4″,39°54′54″,\n"
        ",somewhere,39.9,b\n"
        "4,39.915,116.404,swapped\n"
        "5,39.915,80,far\n"
    )
    done = riskmap(
        "coords", tmp_path / "a.csv", tmp_path / "b.csv", "--from", "wgs84", "--to", "gcj02"
    )
    fails(done, 1)
    for words in ("#4 lon", "somewhere", "#5 lat", "3 个位置中有 1 个"):
        assert words in done.stderr
    with (tmp_path / "b.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["code"] for row in rows] == ["007", "370102000000", "", "4", "5"]
    assert [row["note"] for row in rows] == ["NA", "", "b", "swapped", "far"]
    for row in rows[:2]:
        assert float(row["lon"]) == pytest.approx(116.41024449916938, abs=1e-9)
        assert float(row["lat"]) == pytest.approx(39.91640428150164, abs=1e-9)
    assert [(row["lon"], row["lat"]) for row in rows[2:4]] == [
        ("somewhere", "39.9"),
        ("39.915", "116.404"),
    ]
    assert {row["coord_method"] for row in rows[2:4]} == {"not converted"}
    fails(riskmap("coords", tmp_path / "a.csv", tmp_path, "--from", "wgs84"), 2)


@pytest.mark.posix
def test_a_killed_run_leaves_the_previous_results_whole(tmp_path):
    """The process is killed as soon as the fresh folder stands beside the old one."""
    import os
    import signal

    path = town.write(tmp_path)
    assert riskmap("run", path).returncode == 0
    out = tmp_path / "out"
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    process = subprocess.Popen(
        [sys.executable, "-m", "riskmap", "run", str(path)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT,
    )  # fmt: skip
    while process.poll() is None:
        if any(p.is_dir() and p != out and p.name != ".riskmap" for p in tmp_path.iterdir()):
            os.kill(process.pid, signal.SIGKILL)
            break
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.01)  # leaves the core to others
    process.wait()
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before
    assert riskmap("run", path).returncode == 0


def test_a_fault_of_our_own_shows_no_traceback(monkeypatch, capsys):
    def broken(*_, **__):
        raise ZeroDivisionError("boom")

    monkeypatch.setattr("riskmap.cli.commands.verify_folder", broken)
    with pytest.raises(SystemExit) as stopped:
        main(["verify", "x"])
    said = capsys.readouterr().err
    assert stopped.value.code == 1
    assert "boom" in said
    assert "Traceback" not in said
    monkeypatch.setenv("RISKMAP_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main(["verify", "x"])


def test_version_is_the_packages():
    from importlib.metadata import version

    done = process("--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"riskmap {version('riskmap')}")


@pytest.mark.parametrize(("words", "lines"), [(("-v",), 1), ((), 0), (("-q",), 0)])
def test_stages_are_said_where_there_is_no_terminal_only_when_asked(tmp_path, words, lines):
    path = town.write(tmp_path)
    done = riskmap(*words, "run", path, "--up-to", "layers", "--lang", "en")
    assert done.returncode == 0
    assert done.stderr.count("layers") == lines
    assert "layers" not in done.stdout
