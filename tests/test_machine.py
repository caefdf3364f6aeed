"""What the office's own machine does: files held by Excel, shares, consoles, Windows names."""

import errno
import json
import os
import stat
import sys
from pathlib import Path

import pytest

from riskmap import files as place
from riskmap.files import PlacedElsewhereError, claim_folder, held_files, sha256, whole_folder
from tests import town

BOOK = "研判一张单.xlsx"


def run_into(folder, mark):
    """Write a folder as a run does, with one small workbook."""
    with whole_folder(folder) as fresh:
        (fresh / BOOK).write_text(mark)
        listed = {BOOK: {"sha256": sha256(fresh / BOOK)}}
        (fresh / "manifest.json").write_text(json.dumps({"riskmap": "1", "outputs": listed}))


def windows_error(winerror):
    error = PermissionError(errno.EACCES, "Access is denied")
    error.winerror = winerror
    return error


@pytest.fixture
def windows(monkeypatch):
    """Rename as Windows does: by renames, refused while ``refuses`` says so; pauses are counted."""
    monkeypatch.setattr(place, "_exchange", lambda *_: False)
    pauses = []
    monkeypatch.setattr(place.time, "sleep", pauses.append)
    real = Path.rename

    def refusing(refuses):
        def rename(self, target):
            if error := refuses(self, Path(target)):
                raise error
            return real(self, target)

        monkeypatch.setattr(Path, "rename", rename)
        return pauses

    return refusing


@pytest.mark.parametrize("winerror", [5, 32, 33])
def test_a_file_held_for_a_moment_costs_a_pause(tmp_path, windows, winerror):
    run_into(tmp_path / "out", "old")
    tries = []

    def twice(one, other):
        tries.append(one.name)
        return windows_error(winerror) if len(tries) in (1, 2, 4) else None

    pauses = windows(twice)
    run_into(tmp_path / "out", "new")
    assert (tmp_path / "out" / BOOK).read_text() == "new"
    assert len(pauses) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("winerror", [5, 32, 33])
def test_a_folder_that_stays_held_is_left_and_the_results_stand_beside(tmp_path, windows, winerror):
    run_into(tmp_path / "out", "old")
    windows(lambda one, _: windows_error(winerror) if one.name == "out" else None)
    with pytest.raises(PlacedElsewhereError, match=r"out \(2\)") as said:
        run_into(tmp_path / "out", "new")
    assert said.value.folder == tmp_path / "out (2)"
    assert (tmp_path / "out" / BOOK).read_text() == "old"
    assert (tmp_path / "out (2)" / BOOK).read_text() == "new"
    assert {path.name for path in tmp_path.iterdir()} == {"out", "out (2)"}


@pytest.mark.parametrize("winerror", [5, 32, 1117])
def test_half_a_swap_is_taken_back(tmp_path, windows, winerror):
    run_into(tmp_path / "out", "old")

    def second(one, other):
        fresh = one.name.endswith(".part") and other.name == "out"
        return windows_error(winerror) if fresh else None

    windows(second)
    with pytest.raises(PlacedElsewhereError):
        run_into(tmp_path / "out", "new")
    assert (tmp_path / "out" / BOOK).read_text() == "old"
    assert (tmp_path / "out (2)" / BOOK).read_text() == "new"
    assert {path.name for path in tmp_path.iterdir()} == {"out", "out (2)"}


def test_results_that_cannot_be_moved_at_all_stay_where_they_were_made(tmp_path, windows):
    run_into(tmp_path / "out", "old")
    windows(lambda *_: windows_error(32))
    with pytest.raises(PlacedElsewhereError) as said:
        run_into(tmp_path / "out", "new")
    assert (said.value.folder / BOOK).read_text() == "new"
    assert (tmp_path / "out" / BOOK).read_text() == "old"
    windows(lambda *_: None)
    run_into(tmp_path / "out", "newer")  # and the next run does not sweep them away
    assert (said.value.folder / BOOK).read_text() == "new"
    assert (tmp_path / "out" / BOOK).read_text() == "newer"


def test_an_open_workbook_is_named_before_the_run(tmp_path, windows):
    run_into(tmp_path / "out", "old")
    assert claim_folder(tmp_path / "out") == ()
    windows(lambda one, other: windows_error(32) if one == other and one.name == BOOK else None)
    assert claim_folder(tmp_path / "out") == (BOOK,)


@pytest.mark.parametrize("owner", [f"~${BOOK}", f".~lock.{BOOK}#", f".~{BOOK}"])
def test_an_owners_file_tells_of_an_open_workbook_and_is_not_kept(tmp_path, owner):
    run_into(tmp_path / "out", "old")
    (tmp_path / "out" / owner).write_text("责任人A")
    assert held_files(tmp_path / "out") == (BOOK,)
    run_into(tmp_path / "out", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_run_says_before_and_after_where_its_results_stand(tmp_path, windows, capsys):
    from riskmap.cli.commands import run_project

    project = town.write(tmp_path / "in")
    run_into(tmp_path / "out", "old")
    windows(lambda one, _: windows_error(32) if one.name in (BOOK, "out") else None)
    summary = run_project(project, out=tmp_path / "out", discard_edits=True)
    said = capsys.readouterr().err
    assert f"{BOOK} 正在 Excel/WPS" in said
    assert "out (2)" in summary["notes"][-1]
    assert summary["folder"] == str(tmp_path / "out (2)")
    assert BOOK in summary["files"]
    assert (tmp_path / "out" / BOOK).read_text() == "old"


@pytest.mark.parametrize(
    "name", ["Thumbs.db", "desktop.ini", ".DS_Store", f"~${BOOK}", f".~lock.{BOOK}#", "._a.json"]
)
def test_what_desktops_leave_behind_is_no_fault(tmp_path, name):
    run_into(tmp_path / "out", "old")
    (tmp_path / "out" / name).write_bytes(b"\0")
    assert place.is_litter(name)
    assert set(place.hashed_files(tmp_path / "out")) == {BOOK}
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / name).write_bytes(b"\0")
    run_into(tmp_path / "empty", "new")
    assert not (tmp_path / "empty" / name).exists()
    assert not (tmp_path / "empty.kept").exists()


@pytest.mark.posix
def test_colleagues_on_a_share_can_read_the_results(tmp_path):
    share = tmp_path / "share"
    share.mkdir()
    share.chmod(0o2775)
    mask = os.umask(0o077)
    try:
        run_into(share / "out", "old")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((share / "out").stat().st_mode) == 0o2775
    assert stat.S_IMODE((share / "out" / BOOK).stat().st_mode) == 0o664
    (share / "out").chmod(0o700)  # somebody shut it since; the next run leaves it shut
    run_into(share / "out", "new")
    assert stat.S_IMODE((share / "out").stat().st_mode) == 0o700
    assert stat.S_IMODE((share / "out" / BOOK).stat().st_mode) == 0o600


def test_temporary_names_are_short_and_their_folders_open(tmp_path, monkeypatch):
    made = {}
    real = Path.mkdir

    def mkdir(self, **how):
        made[self.suffix] = how
        real(self, **how)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    run_into(tmp_path / ("汛" * 80), "deep")  # 240 bytes: no name beside it may be much longer
    assert made[".part"] == {}  # a mode of 0o700 on Windows shuts colleagues out
    with whole_folder(tmp_path / "out") as fresh:
        assert len(fresh.name) <= 17
        (fresh / "manifest.json").write_text('{"riskmap": "1", "outputs": {}}')


def test_a_path_of_240_characters(tmp_path):
    room = 240 - len(str(tmp_path)) - len(BOOK) - 8
    folder = tmp_path / ("长" * (room // 2)) / ("x" * (room - room // 2)) / "out"
    run_into(folder, "deep")
    assert len(str(folder / BOOK)) >= 236
    run_into(folder, "deeper")
    assert (folder / BOOK).read_text() == "deeper"
    assert [path.name for path in folder.parent.iterdir()] == ["out"]


def test_names_with_brackets_are_swept_too(tmp_path):
    dead = tmp_path / ".out[1].abc.part"
    dead.mkdir()
    os.utime(dead, (0, 0))
    run_into(tmp_path / "out[1]", "new")
    assert not dead.exists()


@pytest.mark.parametrize(
    ("error", "zh", "en"),
    [
        (PermissionError(errno.EACCES, "拒绝访问。"), "没有权限", "no permission"),
        (windows_error(32), "正被其他程序占用", "another program is using it"),
        (
            windows_error(362),
            "文件只在云盘上，请先下载到本机",
            "the file lies only in the cloud; fetch it to this computer first",
        ),
        (windows_error(225), "被杀毒软件阻止", "the virus scanner blocks it"),
        (OSError(errno.ENAMETOOLONG, "File name too long"), "路径过长", "the path is too long"),
        (OSError(9999, "something rare"), "something rare", "something rare"),
    ],
)
def test_the_system_speaks_the_runs_language(error, zh, en):
    from riskmap.i18n import language

    with language("zh"):
        assert str(place.system_words(error)) == zh
    with language("en"):
        assert str(place.system_words(error)) == en


def test_without_exactextract_the_package_is_the_same_to_the_byte(tmp_path, monkeypatch):
    from riskmap import pipeline
    from riskmap.export.geopackage.write import write_geopackage
    from riskmap.project.schema import load_project

    project = load_project(town.write(tmp_path / "in"))
    write_geopackage(pipeline.run(project), tmp_path / "with.gpkg")
    monkeypatch.setitem(sys.modules, "exactextract", None)
    write_geopackage(pipeline.run(project), tmp_path / "without.gpkg")
    assert (tmp_path / "with.gpkg").read_bytes() == (tmp_path / "without.gpkg").read_bytes()


def test_a_damaged_file_is_refused_by_name(tmp_path):
    from riskmap.errors import LayerError
    from riskmap.layers.read.vector import read_vector

    broken = tmp_path / "积水点.geojson"
    broken.write_text('{"type": "FeatureCollection", "features": [{"type": "Feature", "geom')
    with pytest.raises(LayerError):
        read_vector(broken, geometry="point")


def refused(tmp_path, line):
    """Load a project file with one more line; give what is said."""
    from riskmap.errors import RiskmapError
    from riskmap.project.schema import load_project

    path = town.write(tmp_path)
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    try:
        load_project(path, allow_outside=True)
    except RiskmapError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("line", "better"),
    [
        (r'roles: "C:\数据\角色"', r"'C:\数据\角色'"),
        (r'roles: "D:\new\table"', r"'D:\new\table'"),
        (r'roles: "\\server\share\roles"', r"'\\server\share\roles'"),
        (r'index: {frozen: "outputs\rain\params.json"}', r"'outputs\rain\params.json'"),
    ],
)
def test_a_path_of_windows_in_double_quotes_gets_a_plain_message(tmp_path, line, better):
    said = refused(tmp_path, line)
    assert "双引号中的反斜杠" in said
    assert better in said
    assert f"第 {len(town.write(tmp_path).read_text('utf-8').splitlines()) + 1} 行" in said


@pytest.mark.parametrize(
    "line",
    [
        r'# roles: "C:\数据"', r'issued_by: "甲\\乙"', 'issued_by: "a\\nb"',
        r'index: {frozen: "outputs\\rain\\params.json"}',
    ],
)  # fmt: skip
def test_other_texts_in_double_quotes_are_left_alone(tmp_path, line):
    assert "双引号" not in refused(tmp_path, line)


def test_backslashes_become_slashes_and_stand_in_no_manifest(tmp_path):
    from riskmap.cli.commands import run_project

    path = town.write(tmp_path / "in")
    (path.parent / "layers").mkdir()
    for name in ("flood_point", "refuge"):
        (path.parent / f"{name}.gpkg").rename(path.parent / "layers" / f"{name}.gpkg")
    written = path.read_text(encoding="utf-8")
    for name in ("flood_point", "refuge"):
        written = written.replace(f"path: {name}.gpkg", rf"path: layers\{name}.gpkg")
    path.write_text(written, encoding="utf-8")
    summary = run_project(path, out=tmp_path / "out")
    assert summary["layers"]["flood_point"]["rows_used"] > 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    names = {entry["file"] for entry in manifest["inputs"]} | set(manifest["outputs"])
    assert "layers/flood_point.gpkg" in names
    assert not any("\\" in name for name in names)


def test_any_name_of_a_scenario_is_safe(tmp_path):
    from riskmap.cli.commands import run_project

    names = ["CON", "a:b", "雨?", "a/b", "..", "NUL.txt", "50年一遇 <大>|", "x."]
    scenarios = [{"name": name, "rain_mm": 80, "hours": 3} for name in names]
    path = town.write(tmp_path / "in", project={"scenarios": scenarios})
    summary = run_project(path, out=tmp_path / "out")
    for file in summary["files"]:
        assert not set(file) & set('<>:"/\\|?*')
        assert file.partition(".")[0].upper() not in ("CON", "NUL", "PRN", "AUX", "COM1", "LPT1")
    assert {entry.name for entry in tmp_path.iterdir()} == {"in", "out"}


def ledgers(folder):
    """Write an office's workbooks: villages in one, two ledgers in another, and Excel's own file."""
    import xlsxwriter

    folder.mkdir()
    sheets = {
        "村社区.xlsx": {"Sheet1": [["行政区划代码", "名称", "所属镇街", "常住人口", "经度", "纬度"],
                                ["370102101201", "东村", "甲镇", 900, 117.01, 36.61]]},
        "台账.xlsx": {
            "内涝": [["某区台账"], ["编号", "名称", "经度", "纬度", "积水深度（cm）", "积水面积（平方米）"],
                   ["JS1", "桥下", 117.011, 36.612, 30, 20]],
            "避难场所": [["名称", "经度", "纬度", "容纳人数"], ["小学", 117.012, 36.61, 300]],
            "说明": [["填表说明"], ["略"]],
        },
    }  # fmt: skip
    for name, pages in sheets.items():
        book = xlsxwriter.Workbook(folder / name)
        for title, rows in pages.items():
            page = book.add_worksheet(title)
            for at, row in enumerate(rows):
                page.write_row(at, 0, row)
        book.close()
    (folder / "~$台账.xlsx").write_bytes(b"\0")
    return folder


def test_a_folder_of_workbooks_becomes_a_project(tmp_path):
    from riskmap.cli.scaffold import project_of
    from riskmap.project.schema import load_project

    folder = ledgers(tmp_path / "某区 (1)")
    project = load_project(project_of(folder / "台账.xlsx"))
    assert project.name == "某区 (1)"
    assert [(unit.path, unit.level, unit.population) for unit in project.units] == [
        ("村社区.xlsx", "village", "常住人口")
    ]
    found = {role: [one.sheet for one in given] for role, given in project.layers.items() if given}
    assert found == {"flood_point": ["内涝"], "refuge": ["避难场所"]}
    assert project_of(folder) == folder / "project.yaml"  # and the second time it is there


def test_villages_without_codes_go_by_their_names():
    from riskmap.cli.scaffold import _meaning

    cells = [["村社区名称", "所属镇街", "经度", "纬度"], ["东村", "甲镇", 117.01, 36.61]]
    assert _meaning("村社区", cells, "a") == (
        ("units", "village"),
        {"code": "村社区名称", "name": "村社区名称", "parent": "所属镇街"},
    )
    assert _meaning("村社区", [["甲", "乙"], [1, 2]], "a") is None


def test_a_project_is_chosen_by_number_or_by_what_is_dragged_in(tmp_path):
    from riskmap.cli.scaffold import choose
    from riskmap.errors import UsageError

    one, two = (town.write(tmp_path / "projects" / name) for name in ("甲", "乙"))
    (tmp_path / "projects" / "a.yaml").write_text("weights: {}")
    shown = []
    pick = lambda reply: choose(tmp_path / "projects", lambda _: reply, shown.append)  # noqa: E731
    assert pick("2") == sorted([one, two])[1]
    assert len(shown) == 2
    assert pick(f'"{two}"') == two
    assert pick(str(one.parent)) == one
    for reply in ("", "3", str(tmp_path / "nowhere"), str(tmp_path / "projects")):
        with pytest.raises(UsageError):
            pick(reply)


def test_a_double_click_runs_the_project_and_says_where_the_map_is(tmp_path, monkeypatch, capsys):
    from riskmap.cli.app import main

    path = town.write(tmp_path / "in")
    monkeypatch.setenv("RISKMAP_NO_BROWSER", "1")
    with pytest.raises(SystemExit) as left:
        main(["start", str(path)])
    assert left.value.code in (0, None)
    assert f"{path.parent / 'out' / 'onemap.html'}" in capsys.readouterr().err
