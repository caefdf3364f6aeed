"""Check large ledgers, and read the same files with a plain reader, in one run.

``python benchmarks/reading.py [--rows 1000000] [--sheet-rows 200000] [--keep FOLDER]``

Each is a fresh process. The ratio is of CPU seconds for the rows: what `riskmap check` takes
(decoding, header, every cell judged, places, units, duplicates, ledger) to what the plain reader
takes for the cells alone: `pandas.read_csv(dtype=str)` for the CSV, `python_calamine` for the
workbook. Both also load their libraries, and `riskmap` the project; what ten rows take of each is
timed, stands beside, and is taken off before the rows are compared. The last column compares whole
processes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import xlsxwriter
import yaml

ROOT = Path(__file__).resolve().parents[1]
MEASURE = """
import json, resource, sys
{what}
used = resource.getrusage(resource.RUSAGE_SELF)
told = open("/proc/self/status").read()  # the maximum of rusage is that of the parent too
peak = int(told.split("VmHWM:")[1].split()[0])
print(json.dumps({{"cpu": used.ru_utime + used.ru_stime, "mib": peak / 1024}}))
"""
INSTALLED = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
"""Modules are compiled once, as where the program is installed."""
CHECK = """
from pathlib import Path
from riskmap.cli import commands
commands.check_project(Path({path!r}), out=None, lang="zh", allow_outside=False)
"""
PANDAS = "import pandas as pd; pd.read_csv({path!r}, dtype=str)"
CALAMINE = """
from python_calamine import CalamineWorkbook
CalamineWorkbook.from_path({path!r}).get_sheet_by_index(0).to_python()
"""


def ledger(rows: int) -> pd.DataFrame:
    """Make a ledger of flood points; every hundredth row has something to say."""
    chance = np.random.default_rng(1)
    table = pd.DataFrame({
        "点位编号": [f"YL-{i:07d}" for i in range(rows)],
        "点位名称": [f"第{i}号积水点" for i in range(rows)],
        "所属街道": "甲镇",
        "经度": chance.uniform(117.0, 117.05, rows).round(6),
        "纬度": chance.uniform(36.6, 36.7, rows).round(6),
        "最大积水深度(cm)": chance.integers(5, 80, rows).astype(object),
        "积水时长(分钟)": chance.integers(10, 200, rows),
        "影响人口(人)": chance.integers(0, 500, rows),
        "责任人": "责任人A",
        "联系电话": "0531-00000000",
        "备注": "示范数据",
    })  # fmt: skip
    table.loc[table.index % 100 == 99, "最大积水深度(cm)"] = "约半米"
    return table


def case(folder: Path, name: str, rows: int) -> Path:
    """Write a project with one ledger; give the project file."""
    units = gpd.GeoDataFrame(
        {"code": ["370101001"], "name": ["甲镇"], "level": ["town"]},
        geometry=[shapely.box(117.0, 36.6, 117.05, 36.7)], crs=4326,
    )  # fmt: skip
    units.to_file(folder / "units.geojson")
    (folder / "riskmap.root").touch()
    table = ledger(rows)
    if name.endswith(".csv"):
        table.to_csv(folder / name, index=False)
    else:
        with xlsxwriter.Workbook(folder / name, {"constant_memory": True}) as book:
            sheet = book.add_worksheet("积水点")
            sheet.write_row(0, 0, list(table.columns))
            for at, row in enumerate(table.itertuples(index=False), 1):
                sheet.write_row(at, 0, [v.item() if hasattr(v, "item") else v for v in row])
    project = {
        "name": "大台账", "place": {"code": "370101", "name": "示例"}, "data_date": "2026-05-01",
        "units": {"path": "units.geojson", "level_column": "level"}, "grid": {"size_m": 500},
        "layers": {"flood_point": {"path": name}},
    }  # fmt: skip
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(project, allow_unicode=True), encoding="utf-8")
    return path


def measured(what: str) -> dict[str, float]:
    """Run some lines in a fresh process; give its CPU seconds and its peak memory."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE.format(what=what)],
        check=True, capture_output=True, text=True, cwd=ROOT, env=INSTALLED,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--sheet-rows", type=int, default=200_000)
    asked.add_argument("--keep", type=Path)
    words = asked.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = words.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print(
            "| file | rows | check CPU s | of it start | MiB | plain reader CPU s | of it start "
            "| MiB | ratio of rows | of all |"
        )
        print("|---|---|---|---|---|---|---|---|---|---|")
        for name, rows, plain in (
            ("ledger.csv", words.rows, PANDAS),
            ("ledger.xlsx", words.sheet_rows, CALAMINE),
        ):
            small = f"small{Path(name).suffix}"
            tiny, project = case(folder, small, 10), case(folder, name, rows)
            for _ in range(2):  # the first compiles the modules
                start = measured(CHECK.format(path=str(tiny)))
            begun = measured(plain.format(path=str(folder / small)))
            ours = measured(CHECK.format(path=str(project)))
            peer = measured(plain.format(path=str(folder / name)))
            ratio = (ours["cpu"] - start["cpu"]) / (peer["cpu"] - begun["cpu"])
            print(
                f"| {name} | {rows:,} | {ours['cpu']:.1f} | {start['cpu']:.1f} | {ours['mib']:.0f} "
                f"| {peer['cpu']:.1f} | {begun['cpu']:.1f} | {peer['mib']:.0f} | {ratio:.2f} "
                f"| {ours['cpu'] / peer['cpu']:.2f} |"
            )


if __name__ == "__main__":
    main()
