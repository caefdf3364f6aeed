"""The bulletin counts what the events say, unit by unit, between two days."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from riskmap.pipeline.register import _renamed
from riskmap.register.diff import as_of, bulletin, letter, reminders, sheets_of
from riskmap.register.events import Event, append, current, not_older, open_register
from riskmap.vocabulary.roles import load_roles

ROLES = load_roles()


def event(item, kind, on, *, before=None, **changes):
    return Event(item_id=item, kind=kind, on=on, changes=changes, before=before or {})


def first(item, on, town, deadline, **more):
    about = {"role": "flood_point", "name": f"点{item}", "town": town, "duty_unit": "某局"}
    return event(item, "listed", on, state="found", deadline=deadline, **about, **more)


EVENTS = [
    first("A", "2026-03-01", "甲镇", "2026-04-01"),
    first("B", "2026-03-01", "甲镇", "2026-05-10"),
    first("C", "2026-03-01", "乙镇", "2026-06-30", listed="county"),
    first("D", "2026-05-02", "乙镇", "2026-05-20"),
    event("A", "state", "2026-05-03", before={"state": "found"}, state="mending"),
    event("B", "state", "2026-05-03", before={"state": "found"}, state="review"),
    event("B", "returned", "2026-05-04", before={"state": "review"}, state="mending"),
    event("B", "edit", "2026-05-05", before={"listed": None}, listed="city"),
    event("C", "state", "2026-05-06", before={"state": "review"}, state="closed", closed_on="2026-05-06"),
    event("D", "extended", "2026-05-15", before={"deadline": "2026-05-20"}, deadline="2026-06-20"),
    event("C", "rebound", "2026-06-02", before={"state": "closed"}, state="mending", closed_on=None),
]  # fmt: skip


@pytest.fixture
def base(tmp_path):
    with open_register(tmp_path / "r.sqlite", write=True) as opened:
        append(opened, EVENTS)
        yield opened


def test_each_unit_is_counted_by_hand(base):
    found = bulletin(base, since="2026-05-01", until="2026-05-31")
    rows = {row.pop("unit"): row for row in found.units.to_dict(orient="records")}
    # 甲镇: A late since April, B late since 10 May and put under supervision; neither is signed off.
    assert rows["甲镇"] == {
        "items": 2, "found": 0, "closed": 0, "open": 2, "overdue": 2, "new_overdue": 1, "due_soon": 0,
        "newly_listed": 1, "listed_open": 1, "returned": 1, "rebound": 0, "extended": 0, "rate": 0.0,
    }  # fmt: skip
    # 乙镇: C signed off (it comes up again only in June), D found in May and extended to 20 June.
    assert rows["乙镇"] == {
        "items": 2, "found": 1, "closed": 1, "open": 1, "overdue": 0, "new_overdue": 0, "due_soon": 1,
        "newly_listed": 0, "listed_open": 0, "returned": 0, "rebound": 0, "extended": 1, "rate": 50.0,
    }  # fmt: skip
    assert found.total["items"] == 4
    assert found.total["rate"] == 25.0
    assert found.units["unit"].tolist() == ["甲镇", "乙镇"]


def test_the_day_that_is_past_stays_what_it_was(base):
    assert as_of(base, "2026-05-31").loc["C", "state"] == "closed"
    assert as_of(base, "2026-06-30").loc["C", "state"] == "mending"
    assert as_of(base, "2026-04-30").index.tolist() == ["A", "B", "C"]
    assert as_of(base, "2026-06-30").equals(current(base))
    then = bulletin(base, since="2026-05-01", until="2026-05-31").total
    append(base, [event("A", "state", "2026-07-01", before={"state": "mending"}, state="review")])
    assert bulletin(base, since="2026-05-01", until="2026-05-31").total == then
    june = bulletin(base, since="2026-06-01", until="2026-06-30").total
    assert (june["rebound"], june["closed"], june["overdue"], june["items"]) == (1, 0, 3, 4)


def test_totals_are_sums_whatever_they_are_counted_by(base):
    for by in ("town", "village", "duty_unit", "person", "role"):
        found = bulletin(base, since="2026-05-01", until="2026-05-31", by=by)
        sums = found.units.drop(columns=["unit", "rate"]).sum().to_dict()
        assert sums == {name: found.total[name] for name in sums}


def test_text_sheets_and_letters_name_the_late_ones(base):
    found = bulletin(base, since="2026-05-01", until="2026-05-31")
    said = letter(found, project="示例区", roles=ROLES)
    assert "销号1项" in said
    assert "甲镇：新增0项，销号0项，未销号2项，超期2项，新挂牌1项。" in said
    assert "A 点A（甲镇，某局），时限2026-04-01，超期60天" in said
    sheets = sheets_of(found, ROLES)
    assert [len(table) for table in sheets.values()] == [3, 2, 1, 1, 1, 7]
    letters = reminders(found, project="示例区", roles=ROLES)
    assert {unit: len(table) for unit, (_, table) in letters.items()} == {"甲镇": 2, "乙镇": 1}


def test_letters_bring_the_tasks_that_are_due_to_each_unit(base):
    tasks = pd.DataFrame(
        {
            "unit_name": ["甲镇", "丙镇", "丙镇", "丙镇"],
            "name": ["修订预案", "购置物资", "明年规划", "已办"],
            "task_kind": "预案修订", "deadline": ["2026-05-30", "2026-06-30", "2026-07-01", "2026-05-01"],
            "finished": [None, None, None, "2026-06-01"], "fault": "未完成",
        }
    )  # fmt: skip
    found = bulletin(base, since="2026-05-01", until="2026-05-31")
    letters = reminders(found, project="示例区", roles=ROLES, tasks=tasks)
    assert {unit: len(table) for unit, (_, table) in letters.items()} == {
        "甲镇": 3, "乙镇": 1, "丙镇": 1,
    }  # fmt: skip
    lines, table = letters["甲镇"]
    assert "3项" in lines[2]
    assert table.iloc[-1].tolist()[:2] == ["任务", "修订预案"]
    assert table["剩余天数"].tolist()[-1] == -1
    assert letters["丙镇"][1]["名称"].tolist() == ["购置物资"]


def test_an_empty_period_and_an_empty_register_are_told(tmp_path):
    with open_register(tmp_path / "r.sqlite", write=True) as base:
        found = bulletin(base, since="2026-05-01", until="2026-05-31")
        assert found.total["items"] == 0
        assert found.total["rate"] is None
        assert "在册0项" in letter(found, project="示例区", roles=ROLES)
        assert json.dumps(found.total)


def test_the_first_and_the_last_day_both_count(base):
    found = bulletin(base, since="2026-05-02", until="2026-05-15").total
    assert (found["found"], found["extended"], found["new_overdue"]) == (1, 1, 1)  # D, D, B
    from_the_day = bulletin(base, since="2026-05-10", until="2026-05-31").total
    assert from_the_day["new_overdue"] == 1  # B was due on that very day
    assert bulletin(base, since="2026-05-11", until="2026-05-31").total["new_overdue"] == 0
    assert as_of(base, "2026-05-15").loc["D", "deadline"] == "2026-06-20"
    assert as_of(base, "2026-05-14").loc["D", "deadline"] == "2026-05-20"
    soon = bulletin(base, since="2026-05-01", until="2026-05-21", within=30).total
    assert soon["due_soon"] == 1  # D on 20 June, the thirtieth day
    assert bulletin(base, since="2026-05-01", until="2026-05-21", within=29).total["due_soon"] == 0


def test_what_came_up_again_in_the_period_is_not_signed_off_in_it(base):
    found = bulletin(base, since="2026-05-01", until="2026-06-30").total
    assert (found["closed"], found["rebound"], found["open"]) == (0, 1, 4)


def test_an_entry_before_an_item_was_listed_lists_nothing(base):
    """The machine's clock stood wrong, or --on was mistyped."""
    append(base, [event("D", "edit", "2026-01-05", remark="早")])
    assert as_of(base, "2026-02-01").empty
    assert bulletin(base, since="2026-01-01", until="2026-02-01").total["items"] == 0


def test_a_run_on_older_data_describes_nothing_anew(base):
    late = event("A", "about", "2026-05-10", level=4)
    append(base, [replace(late, source="run")])
    old = [event("A", "about", "2026-04-10", level=2), first("E", "2026-04-10", "甲镇", "2026-06-01"),
           event("B", "about", "2026-04-10", level=2)]  # fmt: skip
    assert [one.item_id for one in not_older(base, old, on="2026-04-10")] == ["E", "B"]
    assert len(list(not_older(base, old, on="2026-05-10"))) == 3


def test_items_that_come_back_under_another_number_are_paired():
    gone = pd.DataFrame(
        {
            "role": "flood_point",
            "name": ["路口", "桥下", "井"],
            "x": [117.0, 117.1, 117.2],
            "y": 36.0,
        },
        index=["YL-P2", "YL-P3", "YL-P4"],
    )
    fresh = pd.DataFrame(
        {"role": ["flood_point", "flood_point", "reservoir"], "name": ["路口", "桥下通道", "井"],
         "lon": [117.5, 117.1000001, 117.2], "lat": 36.0},
        index=["YL-P9", "YL-P8", "SK-1"],
    )  # fmt: skip
    assert _renamed(gone, fresh) == [("YL-P2", "YL-P9"), ("YL-P3", "YL-P8")]
    assert _renamed(gone, fresh.iloc[:0]) == []
