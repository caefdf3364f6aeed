"""One figure, one number: page, workbooks, GeoPackage and report of a run say the same."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely

from tests import town

if TYPE_CHECKING:
    from pathlib import Path

KINDS = {"u8": "u1", "u16": "<u2", "u32": "<u4", "i32": "<i4", "f32": "<f4", "f64": "<f8"}


class Page:
    """The data of a page, decoded as docs/page-format.md says."""

    def __init__(self, path: Path) -> None:
        found = re.findall(r'id="riskmap-data-(\d+)">([^<]*)<', path.read_text(encoding="utf-8"))
        self.blocks = {int(number): gzip.decompress(base64.b64decode(b)) for number, b in found}
        size = int.from_bytes(self.blocks[0][:4], "little")
        self.head: dict[str, Any] = json.loads(self.blocks[0][4 : 4 + size])
        self.blocks[0] = self.blocks[0][4 + size :]

    def read(self, spec: dict[str, Any]) -> np.ndarray:
        kind = np.dtype(KINDS[spec["t"]])
        n, wide = spec["n"], kind.itemsize
        raw = np.frombuffer(self.blocks[spec["b"]], np.uint8)[spec["o"] : spec["o"] + n * wide]
        values = np.ascontiguousarray(raw.reshape(wide, n).T).view(kind).ravel()
        if spec.get("d"):
            values = np.cumsum(values, dtype=kind)
        if "q" in spec:
            low, step = spec["q"]
            top = 255 if wide == 1 else 65535
            return np.where(values == top, np.nan, low + values.astype(float) * step)
        if "f" in spec or spec.get("a"):
            out = (values.astype(float) + spec.get("a", 0)) / spec.get("f", 1)
            return np.where((values == 0) & bool(spec.get("u")), np.nan, out)
        return values

    def words(self, spec: dict[str, Any]) -> list[str]:
        words = [spec["words"][int(code)] for code in self.read(spec["codes"])]
        if "num" not in spec:
            return words
        digits = zip(self.read(spec["num"]), self.read(spec["wide"]), strict=True)
        return [
            w + (f"{int(n):0{int(k)}d}" if k else "")
            for w, (n, k) in zip(words, digits, strict=True)
        ]

    def units(self) -> pd.DataFrame:
        head = self.head["units"]
        table = {"population": self.read(head["population"]), "area": self.read(head["area"])}
        table |= {name: self.read(head[name]) for name in ("far", "farShare") if name in head}
        return pd.DataFrame(table, index=self.words(head["ids"]))


def sheet(path: Path) -> pd.DataFrame:
    """Read the first sheet of a workbook of ours below its heading row."""
    book = openpyxl.load_workbook(path, read_only=True)
    sheet = next(one for one in book if one.title != "研判单")
    rows = list(sheet.values)
    book.close()
    top = next(i for i, row in enumerate(rows) if row and row[0] == "序号")
    frame = pd.DataFrame(rows[top + 1 :], columns=rows[top])
    return frame[pd.to_numeric(frame["序号"], errors="coerce").notna()]


def check_figures(out: Path) -> None:
    """Compare every figure that stands in more than one paper."""
    page, package = Page(out / "onemap.html"), out / "riskmap.gpkg"
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    there = {str(name) for name, _ in pyogrio.list_layers(package)}

    def table(name: str) -> pd.DataFrame:
        return pyogrio.read_dataframe(package, layer=name, read_geometry=False)

    units = table("units").set_index("unit_id")
    check_people(page, units, table)
    check_classes(page, units, table, report, there)
    check_items(out, table)
    check_presets(page, table, report)


def check_people(page: Page, units: pd.DataFrame, table: Any) -> None:
    shown = page.units()
    assert shown.index.tolist() == units.index.tolist()
    np.testing.assert_allclose(shown["population"], units["population"], rtol=1e-6)
    np.testing.assert_allclose(shown["area"], units["area_km2"], rtol=1e-6)
    sure = page.head["index"]["unit"].get("stability")
    if sure:  # 0.6 of the draws is not "below 0.6"
        np.testing.assert_allclose(page.read(sure), units["stability"], rtol=0, atol=1e-9)
    if "far" in shown:
        np.testing.assert_allclose(shown["far"], units["people_far"], rtol=1e-6, atol=1e-6)
    finest = units[units["finest"].astype(bool)]
    total = finest["population"].sum()
    cells = table("cells")
    assert cells["population"].sum() == pytest.approx(total, rel=1e-9)
    for above, below in units.dropna(subset=["parent_id"]).groupby("parent_id"):
        assert below["population"].sum() == pytest.approx(units.loc[above, "population"])
    density = finest["population"] / finest["area_km2"]
    values = table("unit_indicators").set_index("unit_id")
    if "E_POP" in values:
        np.testing.assert_allclose(values["E_POP"].reindex(finest.index), density, rtol=1e-9)
    for name in ("plan_stations_towns", "plan_stations_coverage"):
        found = table(name)
        found = found[found["unit_id"].isin(units.index)]
        if "what" in found:
            found = found[found["what"] == "人口"]
        assert len(found)
        lived = units["population"].reindex(found["unit_id"]).to_numpy()
        np.testing.assert_allclose(found["total"], lived, rtol=1e-6)
    for name, column in (("plan_refuges_accessibility", "people"),):
        found = table(name)
        lived = units["population"].reindex(found["unit_id"]).to_numpy()
        np.testing.assert_allclose(found[column], lived, rtol=1e-6)
    summary = table("plan_stations_summary")
    assert len(summary)
    assert set(summary["what"]) == {"人口"}
    np.testing.assert_allclose(summary["total"], total, rtol=1e-6)


def check_classes(
    page: Page, units: pd.DataFrame, table: Any, report: dict[str, Any], there: set[str]
) -> None:
    finest = units.index[units["finest"].astype(bool)]

    def same(key: str, frame: pd.DataFrame, counts: dict[str, int]) -> None:
        part = page.head["index"][key]
        score, level = page.read(part["score"]), page.read(part["class"])
        np.testing.assert_allclose(score, frame["score"], rtol=1e-9)
        assert level.tolist() == frame["class"].fillna(0).astype(int).tolist()
        found = Counter(frame.loc[finest, "class"].fillna(0).astype(int))
        assert {k: n for k, n in counts.items() if n} == {str(k): n for k, n in found.items()}

    same("unit", units, report["classes"]["unit"])
    named = units["name"]
    for worst in report["worst_units"]:
        row = units.loc[worst["unit_id"]]
        assert (worst["score"], worst["class"]) == (pytest.approx(row["score"]), row["class"])
        assert worst["name"] == named[worst["unit_id"]]
    if "unit_scenarios" not in there:
        return
    scenarios = table("unit_scenarios")
    for entry in (e for e in report["scenarios"] if e["index"]):
        rows = scenarios[scenarios["scenario"] == entry["name"]].set_index("unit_id")
        same(f"unit@{entry['name']}", rows.reindex(units.index), entry["classes"]["unit"])


def check_items(out: Path, table: Any) -> None:
    items = table("items").set_index("item_id")
    control = table("control").set_index("item_id")
    assert items["rank"].tolist() == sorted(items["rank"]) == control["rank"].tolist()
    assert items.index.tolist() == control.index.tolist()
    words = ["未定级", "低", "一般", "较大", "重大"]
    listed, ruled = sheet(out / "研判一张单.xlsx"), sheet(out / "管控一张表.xlsx")
    for paper in (listed, ruled):
        assert paper["名称"].fillna("").tolist() == items["name"].fillna("").tolist()
        assert paper["等级"].tolist() == [words[int(n)] for n in items["level"]]
        assert paper["项目编号"].tolist() == items.index.tolist()
    for column, name in (
        ("影响人口", "people"), ("至避难场所（米）", "refuge_m"),
        ("救援站到场（秒）", "station_s"), ("所在单元得分", "unit_score"),
    ):  # fmt: skip
        there = pd.to_numeric(listed[column], errors="coerce").to_numpy(float)
        np.testing.assert_allclose(there, items[name].astype(float), atol=0.51)
    units = table("units").set_index("unit_id")
    stood = units["class"].reindex(items["unit_id"])
    assert items["unit_class"].fillna(0).tolist() == stood.fillna(0).tolist()
    assert listed["所在单元等级"].tolist() == [words[int(n)] for n in stood.fillna(0)]
    layers = [set(table(role)["item_id"]) for role in items["role"].unique()]
    assert set(items.index) <= set().union(*layers)


def check_presets(page: Page, table: Any, report: dict[str, Any]) -> None:
    counts = [
        Counter(p["status"] for p in page.head["presets"]),
        Counter(table("presets")["status"]),
        Counter(p["status"] for p in report["presets"]),
    ]
    assert counts[0] == counts[1] == counts[2]
    said = [n["en"] for n in page.head["notes"] if "presets used here are not verified" in n["en"]]
    assert said
    assert said[0].startswith(f"{counts[0]['unverified']} ")


def small_town(folder: Path) -> Path:
    """The hand-drawn town with water, hazards and places, on cells that fit no village."""
    road = folder / "closed.gpkg"
    folder.mkdir(parents=True, exist_ok=True)
    gpd.GeoDataFrame(
        {"name": ["塌方"]}, geometry=[shapely.box(*_box(210, 100, 240, 200))], crs=town.CRS
    ).to_file(road)
    gpd.GeoDataFrame(
        {"number": ["W1"], "name": ["低洼片"], "people": [70]},
        geometry=[shapely.box(*_box(20, 20, 180, 120))], crs=town.CRS,
    ).to_file(folder / "danger_area.gpkg")  # fmt: skip
    gpd.GeoDataFrame(
        {"number": ["G1"], "name": ["滑坡"], "people": [30], "scale": ["小型"]},
        geometry=[town.at(330, 210)], crs=town.CRS,
    ).to_file(folder / "geohazard_point.gpkg")  # fmt: skip
    return town.write(
        folder,
        project={
            "grid": {"size_m": 70},
            "scenarios": [{"name": "断路", "closures": "closed.gpkg"}],
        },
        layers={name: {"path": f"{name}.gpkg"} for name in ("danger_area", "geohazard_point")},
    )


def _box(x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
    return town.EAST + x0, town.NORTH + y0, town.EAST + x1, town.NORTH + y1


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from riskmap import pipeline
    from riskmap.export import bundle
    from riskmap.project.schema import load_project

    folder = tmp_path_factory.mktemp("figures")
    project = load_project(small_town(folder / "town"))
    return bundle.write(pipeline.run(project), folder / "out")


def test_small_town_says_every_figure_once(out: Path) -> None:
    check_figures(out)


def test_jinan_says_every_figure_once(run_once: Any) -> None:
    check_figures(run_once("jinan"))


@pytest.mark.browser
def test_cards_of_the_page_are_the_figures_of_the_tables(out: Path, open_page: Any) -> None:
    units = pyogrio.read_dataframe(out / "riskmap.gpkg", layer="units", read_geometry=False)
    villages = units[units["finest"].astype(bool)]
    with open_page(out / "onemap.html") as opened:
        opened.page.click("#tab-overview")
        for scenario in ("", "断路"):
            opened.js("name => riskmap.setScenario(name)", scenario)
            opened.settle()
            rows = villages
            if scenario:
                told = pyogrio.read_dataframe(
                    out / "riskmap.gpkg", layer="unit_scenarios", read_geometry=False
                )
                told = told[told["scenario"] == scenario].set_index("unit_id")
                rows = villages.assign(
                    **{"class": told["class"].reindex(villages["unit_id"]).array}
                )
            card = opened.page.locator("[data-card=major] .card-value").inner_text()
            assert card.split("/")[0].strip() == str(int((rows["class"] == 4).sum()))
            people = opened.page.locator("[data-card=people] .card-value").inner_text()
            high = rows.loc[rows["class"] >= 3, "population"].sum()
            assert int(re.sub(r"\D", "", people)) == round(high)


@pytest.mark.browser
def test_badge_and_reason_of_an_item_agree_under_a_scenario(out: Path, open_page: Any) -> None:
    """The reason speaks of the class as listed; where a scenario gives another, both are shown."""
    path, words = out / "riskmap.gpkg", ["未定级", "低", "一般", "较大", "重大"]
    items = pyogrio.read_dataframe(path, layer="items", read_geometry=False)
    told = pyogrio.read_dataframe(path, layer="unit_scenarios", read_geometry=False)
    after = told.set_index("unit_id")["class"].reindex(items["unit_id"]).to_numpy()
    moved = np.flatnonzero(after != items["unit_class"].to_numpy())
    assert len(moved)
    row = items.iloc[int(moved[0])]
    rows = pyogrio.read_dataframe(path, layer=row["role"], read_geometry=False)
    at = rows["item_id"].tolist().index(row["item_id"])
    with open_page(out / "onemap.html") as opened:
        opened.js("name => riskmap.setScenario(name)", "断路")
        opened.js(
            "chosen => riskmap.select(chosen)", {"kind": "item", "layer": row["role"], "at": at}
        )
        opened.js("tab => riskmap.openTab(tab)", "detail")
        opened.settle()
        said = opened.page.locator("#panel-detail").inner_text()
    listed, now = words[int(row["unit_class"])], words[int(after[int(moved[0])])]
    line = next(line for line in said.replace("\n", "").split("村的风险") if "断路情景下" in line)
    assert line.index(listed) < line.index("断路情景下") < line.index(now, line.index("断路情景下"))
    assert f"整体为{listed}" in said or f"整体也属{listed}" in said


@pytest.mark.browser
def test_every_hazard_is_read_and_switched_by_itself(
    out: Path, open_page: Any, tmp_path: Path
) -> None:
    """Switched off on the page, a hazard counts as little as with weight 0 in a run."""
    from riskmap import pipeline
    from riskmap.project.schema import load_project

    units = pyogrio.read_dataframe(out / "riskmap.gpkg", layer="units", read_geometry=False)
    worst = units.set_index("unit_id")["GEOHAZARD"].idxmax()
    with open_page(out / "onemap.html") as opened:
        shown = opened.page.locator("#view option").all_inner_texts()
        assert [name.strip() for name in shown][1:4] == ["致灾危险性", "洪涝", "地质灾害"]
        opened.js(
            "at => riskmap.select({kind: 'unit', at})", units["unit_id"].tolist().index(worst)
        )
        opened.page.click("#tab-detail")
        opened.page.click("#panel-detail .why summary")
        row = opened.page.locator("#panel-detail tr[data-part=GEOHAZARD]").inner_text().split("\t")
        score = units.set_index("unit_id").loc[worst, "GEOHAZARD"]
        assert float(row[1]) == pytest.approx(score, abs=6e-4)
        opened.page.click("#tab-whatif")
        opened.page.uncheck("[data-switch=GEOHAZARD]")
        opened.settle()
        found = opened.js("() => ({scores: riskmap.scores(), classes: riskmap.classes()})")
        opened.page.check("[data-switch=GEOHAZARD]")
        opened.settle()
        assert opened.js("() => riskmap.state().weights") == {}
    project = load_project(small_town(tmp_path / "town"))
    index = pipeline.run(
        project.model_copy(update={"overrides": {"GEOHAZARD": 0.0}}), up_to="index"
    ).index["unit"]
    assert found["scores"] == pytest.approx(index.scores["RISK"].to_dict(), abs=1e-9)
    assert found["classes"] == index.classes.fillna(0).astype(int).to_dict()
    before = units.set_index("unit_id")["score"]
    assert found["scores"][worst] < before[worst]


def test_what_is_not_graded_has_no_limits() -> None:
    """With no class at all there are no limits to show, and moved weights make none."""
    from types import SimpleNamespace

    from riskmap.export.onemap.collect import class_breaks

    index = SimpleNamespace(
        params={"steps": []}, scores=pd.DataFrame({"RISK": [0.2, 0.2, 0.4]}),
        classes=pd.Series([0, 0, 0], dtype="Int8"),
    )  # fmt: skip
    assert class_breaks(index, "RISK") == []
