"""The register keeps everything: states go one way at a time, events stay, kills leave it whole."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmap.errors import LayerError, RiskmapError
from riskmap.register import events as e

PROOF = {
    "reviewer": "复核人A", "closed_on": "2026-05-02", "evidence": "照片3张", "assessment": "已评估",
}  # fmt: skip
LEGAL = {
    ("found", "reported"), ("found", "assigned"), ("found", "mending"), ("found", "review"),
    ("reported", "assigned"), ("reported", "mending"), ("reported", "review"),
    ("assigned", "mending"), ("assigned", "review"), ("mending", "review"),
    ("review", "rechecked"), ("review", "closed"), ("review", "mending"),
    ("rechecked", "closed"), ("rechecked", "mending"),
    ("closed", "found"), ("closed", "mending"),
}  # fmt: skip


def first(item="A", **more):
    return e.Event(item_id=item, kind="listed", changes={"state": "found", **more}, on="2026-04-01")


@pytest.fixture
def register(tmp_path):
    return tmp_path / "p.register.sqlite"


@pytest.mark.parametrize(("old", "new"), list(product(e.State, e.State)))
def test_every_step_is_allowed_or_refused_as_the_offices_say(old, new):
    said = e.why_not({"state": old}, {"state": new, **(PROOF if new == "closed" else {})})
    assert (said is None) == (old == new or (str(old), str(new)) in LEGAL)


@pytest.mark.parametrize("lacking", PROOF)
def test_nothing_is_signed_off_without_reviewer_date_evidence_and_assessment(lacking):
    after = {"state": "closed", **PROOF, lacking: None}
    assert e.why_not({"state": "review"}, after)[0] == lacking
    assert e.why_not({"state": "review"}, {"state": "closed", **PROOF}) is None


@pytest.mark.parametrize("lacking", [name for name in PROOF if name != "closed_on"])
@pytest.mark.parametrize("word", ["无", "暂无", "没有", "待补", "N/A", " / ", "待定"])
def test_words_for_nothing_prove_nothing(lacking, word):
    assert e.why_not({"state": "review"}, {"state": "closed", **PROOF, lacking: word})[0] == lacking


@pytest.mark.parametrize("word", ["√", "2026-05-02", "1"])
def test_a_tick_or_a_day_is_no_reviewer(word):
    after = {"state": "closed", **PROOF, "reviewer": word}
    assert e.why_not({"state": "review"}, after)[0] == "reviewer"


def test_what_is_mended_on_the_spot_is_found_and_signed_off_at_once_but_proven():
    spot = {"state": "closed", "on_the_spot": "yes", **PROOF}
    assert e.why_not({"state": "found"}, spot) is None
    assert e.why_not({"state": "found"}, {**spot, "on_the_spot": None})[0] == "state"
    assert e.why_not({"state": "found"}, {**spot, "reviewer": None})[0] == "reviewer"
    assert e.why_not({"state": "mending"}, spot)[0] == "state"


def test_a_spot_check_is_evidence_and_a_remark_an_assessment():
    after = {"state": "closed", "reviewer": "复核人A", "closed_on": "2026-05-02"}
    proven = after | {"spot_check": "已到现场", "remark": "逐项评估，风险消除"}
    assert e.why_not({"state": "review"}, proven) is None


def test_events_are_never_changed_or_deleted(register):
    with e.open_register(register, write=True) as base:
        e.append(base, [first()])
    for statement in ("update events set changes = '{}'", "delete from events"):
        with sqlite3.connect(register) as base, pytest.raises(sqlite3.IntegrityError):
            base.execute(statement)


def test_an_event_of_an_unknown_item_is_refused(register):
    with (
        pytest.raises(LayerError),
        e.open_register(register, write=True) as base,
    ):
        e.append(base, [e.Event(item_id="X", kind="edit", changes={"remark": "?"})])


def test_a_write_that_fails_leaves_nothing(register):
    with e.open_register(register, write=True) as base:
        e.append(base, [first()])
    events = (first("B" if n else "C", level=1 // n) for n in (1, 0))  # the second one fails
    with pytest.raises(ZeroDivisionError), e.open_register(register, write=True) as base:
        e.append(base, events)
    with e.open_register(register) as base:
        assert e.current(base).index.tolist() == ["A"]


CHANGE = st.dictionaries(
    st.sampled_from(["remark", "state", "reviewer", "deadline"]),
    st.sampled_from(["found", "mending", "2026-06-01"]),
    min_size=1,
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("AB"), CHANGE), max_size=12))
def test_where_an_item_stands_follows_from_its_events_alone(tmp_path_factory, changes):
    path = tmp_path_factory.mktemp("register") / "r.sqlite"
    with e.open_register(path, write=True) as base:
        assert e.append(base, [first("A"), first("B")]) == 2
        said = [e.Event(item_id=i, kind="edit", changes=c) for i, c in changes]
        assert e.append(base, said) == len(changes)
        now, again = e.current(base), e.rebuilt(base)
    for item, said in again.items():
        shown = now.loc[item].dropna().to_dict()
        assert {k: shown[k] for k in said} == said


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100, None])
def test_a_file_that_is_no_register_is_said(register, content):
    if content is None:
        with sqlite3.connect(register) as base:
            base.execute("create table mine (x)")
    else:
        register.write_bytes(content)
    if content == b"":
        with e.open_register(register, write=True) as base:
            assert e.current(base).empty
        return
    with pytest.raises(LayerError, match=r"登记库|register"), e.open_register(register):
        pass


def test_a_damaged_register_is_said(register):
    with e.open_register(register, write=True) as base:
        e.append(base, [first(f"I{i}", remark="x" * 200) for i in range(300)])
        base.execute("commit")
        base.execute("pragma wal_checkpoint(truncate)")
    body = bytearray(register.read_bytes())
    body[8192:16384] = bytes(8192)
    register.write_bytes(bytes(body))
    with pytest.raises(LayerError), e.open_register(register) as base:
        e.current(base)


def test_history_of_an_unknown_item_is_said(register):
    with e.open_register(register, write=True) as base, pytest.raises(RiskmapError):
        e.history(base, "nobody")


WRITER = """
import sys
from pathlib import Path
from riskmap.register import events as e
path, name, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
for i in range(number):
    with e.open_register(path, write=True) as base:
        e.append(base, [
            e.Event(item_id=f"{name}{i}", kind="listed", changes={"state": "found"}),
            e.Event(item_id=f"{name}{i}", kind="edit", changes={"remark": "both or none"}),
        ])
"""


def writer(path, name, number):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(number)],
        cwd=Path(__file__).parents[2], stdout=subprocess.PIPE,
    )  # fmt: skip


def test_two_writers_at_once_lose_nothing(register):
    both = [writer(register, name, 20) for name in "AB"]
    for one in both:
        one.communicate(timeout=120)
    assert [one.returncode for one in both] == [0, 0]
    with e.open_register(register) as base:
        assert len(e.current(base)) == 40
        assert base.execute("select count(*) from events").fetchone()[0] == 80


@pytest.mark.posix
def test_killed_writers_leave_whole_items(register):
    for turn in range(5):
        one = writer(register, f"T{turn}-", 10_000)
        with one.stdout as said:
            said.readline()
        deadline = time.monotonic() + 0.02 * turn
        while time.monotonic() < deadline or not register.exists():
            assert one.poll() is None  # a writer that dies by itself is not waited for
        os.kill(one.pid, signal.SIGKILL)
        one.wait()
        with e.open_register(register, write=True) as base:
            rows = base.execute("select item_id, count(*) from events group by 1").fetchall()
            assert all(number == 2 for _, number in rows)
            assert {i for i, _ in rows} == set(e.current(base).index)
            assert {i: json.dumps(v) for i, v in e.rebuilt(base).items()} == {
                i: json.dumps({"state": "found", "remark": "both or none"}) for i, _ in rows
            }
