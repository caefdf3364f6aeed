"""What a console, a disk or a signal does never makes a true result look false, or the reverse."""

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

try:
    import resource
except ImportError:  # Windows; the tests that need it are left out there
    resource = None

from riskmap import files
from riskmap.cli import app
from riskmap.cli.app import _lacks_memory
from riskmap.errors import ExportError
from riskmap.files import claim_folder, hashed_files, whole_folder
from tests import town

RARE = "㙍𠮷镇"
COMMAND = "from riskmap.cli.app import main; main()"


def command(*words, code=COMMAND, **more):
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], check=False, capture_output=True, **more
    )


@pytest.mark.parametrize("encoding", ["gbk", "ascii", "latin-1"])
def test_a_console_without_a_character_shows_it_escaped(tmp_path, encoding):
    path = town.write(tmp_path, project={"name": RARE, "layers": {}})
    env = os.environ | {"PYTHONIOENCODING": f"{encoding}:strict", "PYTHONUTF8": "0"}
    done = command("check", path, "--json", env=env)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.decode("utf-8"))["project"] == RARE


def test_a_locale_without_chinese_still_works(tmp_path):
    path = town.write(tmp_path / "济南", project={"name": RARE})
    env = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = command("check", path, env=env)
    assert done.returncode == 0, done.stderr
    assert "易涝积水点" in done.stdout.decode("utf-8")


@pytest.mark.posix
def test_a_full_stdout_is_said(tmp_path):
    path = town.write(tmp_path / "in")
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); "
    with (tmp_path / "said").open("wb") as stdout:  # not a byte more fits into any file
        done = subprocess.run(
            [sys.executable, "-c", full + COMMAND, "check", str(path)],
            check=False, stdout=stdout, stderr=subprocess.PIPE,
        )  # fmt: skip
    assert done.returncode == 1
    assert "结果无法显示" in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


@pytest.mark.posix
def test_closed_streams_are_no_fault(tmp_path):
    path = town.write(tmp_path)
    line = f'exec "$0" -c "{COMMAND}" check "$1" >&- 2>&-'
    done = subprocess.run(["sh", "-c", line, sys.executable, str(path)], check=False)
    assert done.returncode == 0


def test_a_target_that_cannot_be_written_is_refused_before_the_computation(
    tmp_path, monkeypatch, capsys
):
    from riskmap import pipeline
    from riskmap.cli.app import main

    path = town.write(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "manifest.json").write_text('{"name": "web app", "icons": []}')
    monkeypatch.setattr(pipeline, "run", lambda *_, **__: pytest.fail("computed"))
    for target in (tmp_path / "town.yaml" / "out", tmp_path / "docs"):
        with pytest.raises(SystemExit) as left:
            main(["run", str(path), "--out", str(target)])
        assert left.value.code == 1
    assert "docs" in capsys.readouterr().err


def test_numbers_that_cannot_be_kept_are_said_and_the_results_stand(tmp_path, monkeypatch):
    from riskmap.cli import commands

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(commands, "keep_ids", refuse)
    summary = commands.run_project(town.write(tmp_path / "in"), out=tmp_path / "out")
    assert (tmp_path / "out" / "manifest.json").is_file()
    assert "没有权限" in summary["notes"][-1]


@pytest.mark.parametrize(
    "error",
    [OSError(28, "No space left on device"), RuntimeError("database or disk is full")],
)
def test_a_full_disk_says_so_whoever_noticed(tmp_path, error):
    with pytest.raises(ExportError, match="磁盘已满"), whole_folder(tmp_path / "out"):
        raise error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.posix
def test_a_small_file_limit_says_disk_full(tmp_path):
    code = """
        import resource, signal, sys
        from pathlib import Path
        from riskmap.cli.app import _guarded
        from riskmap.files import whole_folder
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        def work():
            with whole_folder(Path(sys.argv[1])) as fresh:
                (fresh / "a").write_bytes(bytes(1000))
        sys.exit(_guarded(work))
    """
    done = command(tmp_path / "out", code=textwrap.dedent(code))
    assert done.returncode == 1
    assert "磁盘已满" in done.stderr.decode()


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
        ImportError("x.so: failed to map segment from shared object"),
        RuntimeError("can't start new thread"),
    ],
)
def test_want_of_memory_is_known_by_whoever_says_it(error):
    assert _lacks_memory(error)


@pytest.mark.posix
@pytest.mark.parametrize("megabytes", [150, 400, 600])
def test_little_memory_is_said_without_a_traceback(tmp_path, megabytes):
    path = town.write(tmp_path)
    size = megabytes << 20
    done = command(
        "check", path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size)),
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert b"Traceback" not in done.stderr or b"riskmap" not in done.stderr, done.stderr
    assert b"\xe8\x87\xaa\xe8\xba\xab\xe6\x95\x85\xe9\x9a\x9c" not in done.stderr
    if megabytes == 600:  # libraries load, and one of them waits for memory for ever
        assert done.returncode == 1
        assert "内存不足" in done.stderr.decode("utf-8")


WRITER = """
    import signal, sys
    from pathlib import Path
    from riskmap.cli.app import _guarded, _terminate
    from riskmap.files import MANIFEST, hashed_files, whole_folder
    import json
    signal.signal(signal.SIGTERM, _terminate)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    def work():
        turn = 0
        print("started", flush=True)
        while True:
            turn += 1
            with whole_folder(Path(sys.argv[1])) as fresh:
                for name in "abc":
                    (fresh / name).write_text(f"{name} {turn}" * 1000)
                told = {"riskmap": "1", "outputs": hashed_files(fresh)}
                (fresh / MANIFEST).write_text(json.dumps(told))
    sys.exit(_guarded(work))
"""


def is_whole(folder):
    listed = json.loads((folder / "manifest.json").read_text())["outputs"]
    mine = {n: e for n, e in hashed_files(folder).items() if not n.startswith("person")}
    return mine == listed


def attack(folder, how, times, seed):
    """Let somebody put files into the folder while its writer is killed at random times."""
    chance = random.Random(seed)
    put = []
    for turn in range(times):
        child = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), str(folder)], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        with child:
            child.stdout.readline()
            deadline = time.perf_counter() + chance.uniform(0.0, 0.08)
            number = 0
            while time.perf_counter() < deadline or not number:  # one at least under any load
                if folder.is_dir() and chance.random() < 0.3:
                    number += 1
                    name = f"person-{how}-{turn}-{number}.txt"
                    (folder / name).write_text(name)
                    put.append(name)
            child.send_signal(how)
        assert (
            child.returncode == {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}[how]
        )
        if folder.is_dir():
            assert is_whole(folder), (how, turn)
        if how != signal.SIGKILL:
            assert not list(folder.parent.glob(".*")), (how, turn)
    claim_folder(folder)
    assert not list(folder.parent.glob(".*"))
    stand = [
        p
        for place in (folder, folder.with_name(f"{folder.name}.kept"))
        for p in place.glob("person*")
    ]
    assert sorted(p.name for p in stand) == sorted(put)
    assert all(p.read_text() == p.name for p in stand)
    return len(put)


@pytest.mark.posix
@pytest.mark.parametrize("how", [getattr(signal, "SIGKILL", None), signal.SIGTERM, signal.SIGINT])
def test_killed_at_any_time_the_folder_is_whole_and_nobodys_file_is_lost(tmp_path, how):
    with whole_folder(tmp_path / "out") as fresh:
        (fresh / "a").write_text("first")
        told = {"riskmap": "1", "outputs": hashed_files(fresh)}
        (fresh / "manifest.json").write_text(json.dumps(told))
    assert attack(tmp_path / "out", how, int(os.environ.get("RISKMAP_KILLS", "4")), seed=3) > 0


def test_a_manifest_of_something_else_does_not_make_a_folder_ours(tmp_path):
    for content in (
        '{"name": "app"}',
        '{"outputs": {}}',
        '{"riskmap": 1, "outputs": {}}',
        "[]",
        "{",
    ):
        folder = tmp_path / "site"
        folder.mkdir(exist_ok=True)
        (folder / "manifest.json").write_text(content)
        (folder / "index.html").write_text("a web app")
        with pytest.raises(ExportError, match="site"), whole_folder(folder):
            pass
        assert (folder / "index.html").read_text() == "a web app"


def test_files_put_into_an_empty_folder_while_the_run_goes_on_are_kept(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    with whole_folder(folder) as fresh:
        (folder / "note.txt").write_text("mine")
        (folder / "deep").mkdir()
        (folder / "deep" / "er.txt").write_text("mine too")
        told = {"riskmap": "1", "outputs": hashed_files(fresh)}
        (fresh / "manifest.json").write_text(json.dumps(told))
    assert {p.name for p in folder.iterdir()} == {"manifest.json"}
    assert (tmp_path / "out.kept" / "note.txt").read_text() == "mine"
    assert (tmp_path / "out.kept" / "deep" / "er.txt").read_text() == "mine too"


def test_a_file_that_is_written_while_the_folders_change_places_is_kept(tmp_path, monkeypatch):
    folder, look, times = tmp_path / "out", files._keep_foreign, []

    def run():
        with whole_folder(folder) as fresh:
            (fresh / "a").write_text("ours")
            told = {"riskmap": "1", "outputs": hashed_files(fresh)}
            (fresh / "manifest.json").write_text(json.dumps(told))

    def slow(old, there):
        look(old, there)
        if not times:
            (old / "note.txt").write_text("opened before the swap, written after the look")
        times.append(old)

    run()
    monkeypatch.setattr(files, "_keep_foreign", slow)
    run()
    assert times
    assert (tmp_path / "out.kept" / "note.txt").is_file()
    assert not list(tmp_path.glob(".*"))


def test_a_run_under_way_is_not_swept_by_another(tmp_path):
    with whole_folder(tmp_path / "out") as fresh:
        (fresh / "a").write_text("half")
        claim_folder(tmp_path / "out")
        assert (fresh / "a").read_text() == "half"
        told = {"riskmap": "1", "outputs": hashed_files(fresh)}
        (fresh / "manifest.json").write_text(json.dumps(told))
    assert {p.name for p in tmp_path.iterdir()} == {"out"}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_inside_a_destructor_is_not_lost(monkeypatch, capsys, how):
    """Python prints and forgets what is raised in __del__: the run would go on to its end."""

    class Dying:
        def __del__(self):
            signal.raise_signal(how)

    def long(*_, **__):
        dying = Dying()
        del dying
        for _ in range(2000):
            threading.Event().wait(0.005)
        return 0

    monkeypatch.setattr(app, "_command", lambda: long)
    monkeypatch.setattr(sys, "unraisablehook", sys.__unraisablehook__)
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore it
    with pytest.raises(SystemExit) as end:
        app.main(["x"])
    signal.signal(signal.SIGTERM, before)
    assert end.value.code == {signal.SIGTERM: 143, signal.SIGINT: 130}[how]
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_command_says_so_and_ends_with_its_own_code(monkeypatch, capsys, how):
    """Typer takes the interrupt for itself: code 130 whatever came, and not a word."""
    monkeypatch.setattr(
        "riskmap.cli.commands.run_project", lambda *_, **__: signal.raise_signal(how)
    )
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore it
    with pytest.raises(SystemExit) as end:
        app.main(["run", "x.yaml"])
    signal.signal(signal.SIGTERM, before)
    assert end.value.code == {signal.SIGTERM: 143, signal.SIGINT: 130}[how]
    assert "已停止" in capsys.readouterr().err
