"""The figures in the walk-through of the refuge plan are those of a run."""

from io import BytesIO
from pathlib import Path

import openpyxl
import pytest

DOCS = Path(__file__).parents[2] / "docs"
STATES = ("平时", "大暴雨（示范）", "道路封闭（示范）")
FIGURES = (
    "其中可用", "可用容量", "需转移", "其中步行", "其中乘车", "未落实去处", "其中上水前转移可落实",
    "需车辆协助转移", "同时需大客车", "上水前转移同时需大客车", "峰值后才能到达",
)  # fmt: skip


def tables(name):
    """Rows of numbers of the tables in a document, table by table."""
    found, rows = [], []
    for line in (DOCS / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("| "):
            rows.append([cell.strip().replace(" ", "") for cell in line.strip("|").split("|")])
        elif rows and not line.startswith("|"):
            found.append(rows[1:])
            rows = []
    return found


def sheet(book, name):
    return list(book[name].iter_rows(min_row=4, values_only=True))


@pytest.mark.parametrize("name", ["refuges.md", "refuges.zh.md"])
def test_the_walk_through_is_what_a_run_gives(name, run_once):
    book = openpyxl.load_workbook(
        BytesIO((run_once("jinan") / "避难方案.xlsx").read_bytes()), read_only=True
    )
    summary, mends = tables(name)
    lines = sheet(book, "方案摘要")
    runs = [{r[1]: r[2] for r in lines if r[0] == s} for s in STATES]
    for key, row in zip(FIGURES, summary, strict=True):
        assert row[1:] == [str(int(run.get(key, 0))) for run in runs], (name, key)
    rows = [r[1:] for r in sheet(book, "补缺措施") if r[0] == STATES[1]]
    rows = [r for r in rows if isinstance(r[4], int | float) and isinstance(r[0], str)]
    for measure, said in zip(dict.fromkeys(r[0] for r in rows), mends, strict=True):
        mine = [r for r in rows if r[0] == measure]
        assert said[1:] == [
            str(len(mine)), str(round(sum(r[2] for r in mine))), str(round(mine[0][4])),
        ], (name, measure)  # fmt: skip
