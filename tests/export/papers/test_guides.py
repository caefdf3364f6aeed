"""Plans as papers: eight and five parts, and no figure that the tables do not have."""

import re
from dataclasses import replace
from io import BytesIO

import docx
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import segno
from pypdf import PdfReader
from shapely.geometry import box

from riskmap import pipeline
from riskmap.export import bundle
from riskmap.export.papers import guides, leaves
from riskmap.export.papers.assessment import moved
from riskmap.export.papers.document import Table, layout
from riskmap.export.papers.drafts import point_draft
from riskmap.export.papers.scene import open_book
from riskmap.export.verify import verify
from riskmap.project.schema import load_project
from riskmap.result import Scenario, of_state, ways_of_areas
from tests import town
from tests.sample import sample_result


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """Run the town with two danger areas, one of them with more people than places."""
    folder = tmp_path_factory.mktemp("planned")
    frame = gpd.GeoDataFrame(
        {
            "number": ["W1", "W2"],
            "name": ["#1 <桥>{{头}}", "低洼地"],
            "type": ["山洪", "低洼易涝"],
            "people": [30, 500],
        },
        geometry=[
            box(town.EAST + 110, town.NORTH + 110, town.EAST + 190, town.NORTH + 190),
            box(town.EAST + 310, town.NORTH + 10, town.EAST + 390, town.NORTH + 90),
        ],
        crs=town.CRS,
    )
    folder.mkdir(exist_ok=True)
    frame.to_file(folder / "danger.gpkg")
    project = load_project(town.write(folder, layers={"danger_area": {"path": "danger.gpkg"}}))
    result = pipeline.run(project)
    return result, bundle.write(result, folder / "out", papers=layout())


def titles(paper, number):
    said = [b.text for part in paper.parts for b in part.blocks if getattr(b, "level", 0) == number]
    return [re.sub(r"^\S、", "", one) for one in said]


def table_of(paper, caption):
    found = [b for p in paper.parts for b in p.blocks if isinstance(b, Table)]
    return next(table for table in found if table.caption.startswith(caption))


def test_the_refuge_plan_has_the_eight_parts_of_the_guide(planned):
    assert titles(guides.refuge_paper(planned[0]), 1) == [
        "经济社会及应急管理发展现状", "应急避难场所发展现状及分析", "应急避难需求及资源分析", "规划目标与指标",
        "应急避难场所发展布局规划", "应急避难场所设计要求指引", "实施安排", "保障措施",
    ]  # fmt: skip


def test_the_station_plan_has_five_parts(planned):
    assert titles(guides.station_paper(planned[0]), 1) == [
        "站点现状", "覆盖分析", "目标与要求", "布局建议", "实施与保障",
    ]  # fmt: skip


def test_people_by_hazard_sum_to_those_who_move(planned):
    result = planned[0]
    found = guides.people_by_hazard(result, "")
    assert sum(found.values()) == pytest.approx(moved(result)[""]["move"]) == 530
    assert found == {"低洼易涝": 500.0, "山洪": 30.0}


def test_people_by_town_are_those_of_the_table_of_villages(planned):
    result = planned[0]
    table = of_state(result.plans["refuges"].tables["shortfall"])
    shown = table_of(guides.refuge_paper(result), "现状（无积水）情景各镇街")
    total = shown.rows[-1]
    assert [float(cell) for cell in total[2:]] == [
        pytest.approx(table[name].sum(), abs=0.5)
        for name in ("people", "assisted", "served", "shortfall")
    ]
    for row in shown.rows[:-1]:
        mine = table[table["district"] + table["town"] == row[0]]
        assert float(row[2]) == mine["people"].sum()


def test_shares_of_the_station_plan_are_those_of_its_summary(planned):
    result = planned[0]
    summary = result.plans["stations"].tables["summary"]
    paper = guides.station_paper(result)
    sites = result.plans["stations"].tables["sites"]
    new = sites[sites["order"] > 0]
    told = " ".join(b.text for b in paper.parts[0].blocks if hasattr(b, "text"))
    assert f"新设{len(new)}处" in told
    listed = table_of(paper, "建议新设站点").rows
    assert [row[0] for row in listed] == [str(int(n)) for n in new["order"]]
    shown = table_of(paper, "各目标时限内")
    assert [row[3] for row in shown.rows] == [f"{share * 100:.1f}%" for share in summary["share"]]


def test_the_papers_of_the_plans_stand_in_the_folder_and_verify(planned):
    _, folder = planned
    assert verify(folder) == []
    paper = docx.Document(str(folder / "一个指南" / "避难方案.docx"))
    assert any(p.text == "八、保障措施" for p in paper.paragraphs)
    shown = "".join(cell.text for t in paper.tables for row in t.rows for cell in row.cells)
    assert "http" not in shown
    assert not re.search(r"[a-z0-9]\.(com|cn|net|cc)\b", shown)
    assert (folder / "一个指南" / "救援站点方案.pdf").read_bytes().startswith(b"%PDF-")


def test_evacuation_sheets_send_everybody_of_the_village_once(planned):
    result = planned[0]
    plan = result.plans["refuges"].tables
    sent = of_state(plan["handout"])
    short = of_state(plan["shortfall"]).groupby("village")["shortfall"].sum()
    for sheet in leaves.evacuation_sheets(result):
        village = sheet["title"].removesuffix("人员转移安置明白纸")
        counted = sum(
            int(re.match(r"\d+", row[1]).group()) for t in sheet["tables"] for row in t["rows"]
        )
        assert counted == sent[sent["village"] == village]["people"].sum()
        lacking = int(re.search(r"尚有(\d+)人", "".join([*sheet["short"], "尚有0人"])).group(1))
        assert lacking == short.get(village, 0)
    assert any(sheet["short"] for sheet in leaves.evacuation_sheets(result))


def test_states_in_which_a_village_does_the_same_share_a_table(planned):
    result = planned[0]
    plan = result.plans["refuges"]
    again = plan.tables["handout"].assign(scenario="雨")
    both = replace(
        plan, tables={**plan.tables, "handout": pd.concat([plan.tables["handout"], again])}
    )
    doubled = replace(result, plans={**result.plans, "refuges": both})
    for one, two in zip(
        leaves.evacuation_sheets(result), leaves.evacuation_sheets(doubled), strict=True
    ):
        assert [t["rows"] for t in one["tables"]] == [t["rows"] for t in two["tables"]]
        for table in two["tables"]:
            assert table["caption"] == "现状（无积水）、雨"


def test_handbook_and_cards_have_a_page_and_a_card_an_item(planned):
    result = planned[0]
    pages, towns = leaves.handbook_points(result)
    assert sorted(page["number"] for page in pages) == sorted(map(str, result.items.index))
    assert sum(int(re.sub(r"\D", "", town["count"])) for town in towns) == len(result.items)
    found = leaves.cards(result)
    assert [card["code"] for card in found] == list(map(str, result.items.index))
    control = result.control
    for card in found:
        acts = dict(card["rows"])
        assert acts["平时"] == str(control.loc[card["code"], "measure"])


def test_what_no_ledger_gives_is_unknown_and_not_met(planned):
    rows = table_of(guides.refuge_paper(planned[0]), "指标表").rows
    due = next(row for row in rows if row[0].startswith("房屋安全鉴定"))
    assert due == ["房屋安全鉴定在周期内（0处有鉴定日期）", "100.0%", "未提供", ""]


def test_cards_and_handbook_send_people_where_the_plan_sends_them(planned):
    result, _ = planned
    sent = of_state(result.plans["refuges"].tables["handout"])
    pages, _ = leaves.handbook_points(result)
    cards = {one["code"]: dict(one["rows"]) for one in leaves.cards(result)}
    areas = result.items[result.items["role"] == "danger_area"]
    assert len(areas) == 2
    for number, row in areas.iterrows():
        mine = sent[sent["name"] == row["name"]]
        lack = round(row["people"] - mine["people"].sum())
        page = dict(next(one["rows"] for one in pages if one["number"] == number))
        for said in (page["转移去向和路线"], cards[number]["避难"]):
            for refuge, some in mine.groupby("refuge"):
                assert f"{refuge}（" in said
                assert all(f"{people:.0f}人" in said for people in some["people"])
            assert (f"尚有{lack}人没有去处" in said) == (lack >= 1)
        assert "避难和救援" not in page  # the nearest one may be full
        for route in mine["route"]:
            assert str(route) in page["转移去向和路线"]
    others = [one for one in pages if one["number"] not in areas.index]
    assert not any("转移去向和路线" in dict(one["rows"]) for one in others)


def changed(result, **tables):
    plan = result.plans["refuges"]
    return replace(
        result, plans={**result.plans, "refuges": replace(plan, tables={**plan.tables, **tables})}
    )


def sheet_of(folder, number, **tables):
    """Say what the sheet of a point says, where the plan's tables are others."""
    book = open_book(folder)
    for name, table in tables.items():
        book._read[f"plan_refuges_{name}"] = table
    draft = point_draft(book, number)
    rows = dict(row for table in draft.said["tables"] for row in table["rows"])
    return rows.get("转移去向（按方案）"), rows.get("就近避难场所"), draft.map.shown


def test_card_and_sheet_of_a_point_send_people_to_the_same_refuges(planned):
    result, folder = planned
    sent = of_state(result.plans["refuges"].tables["handout"])
    for number in result.items.index[result.items["role"] == "danger_area"]:
        mine = sent[sent["name"] == result.items.loc[number, "name"]]
        said, nearest, _ = sheet_of(folder, number)
        assert nearest is None
        for refuge, some in mine.groupby("refuge"):
            assert f"{refuge}：" in said
            assert all(f"{people:.0f}人" in said for people in some["people"])
        lack = round(result.items.loc[number, "people"] - mine["people"].sum())
        assert (f"尚有{lack}人" in said) == (lack >= 1)


def test_who_has_no_place_at_all_is_not_sent_to_the_nearest_refuge(planned):
    """W1 of 30 people has no row in the plan, and its village lacks 30 places."""
    result, folder = planned
    tables = result.plans["refuges"].tables
    number, row = next((n, r) for n, r in result.items.iterrows() if r["name"] == "#1 <桥>{{头}}")
    assert row["refuge_name"]
    none = {
        "handout": tables["handout"].query("name != @row['name']"),
        "shortfall": tables["shortfall"].assign(
            shortfall=np.where(tables["shortfall"]["village"] == row["village"], 30.0, 0.0)
        ),
    }
    card = next(one for one in leaves.cards(changed(result, **none)) if one["code"] == number)
    said, nearest, shown = sheet_of(folder, number, **none)
    for words in (dict(card["rows"])["避难"], said):
        assert "尚有30人没有去处" in words
        assert row["refuge_name"] not in words
    assert nearest is None
    assert not {"refuge", "route"} & set(shown)
    every = {**none, "handout": tables["handout"].iloc[:0]}  # nobody is sent anywhere
    card = next(one for one in leaves.cards(changed(result, **every)) if one["code"] == number)
    assert "尚有30人没有去处" in dict(card["rows"])["避难"]
    assert "尚有30人没有去处" in sheet_of(folder, number, **every)[0]


def test_who_must_leave_before_the_water_has_a_place(planned):
    result, folder = planned
    tables = result.plans["refuges"].tables
    number = next(n for n, r in result.items.iterrows() if r["name"] == "#1 <桥>{{头}}")
    wet = {name: table.assign(scenario="雨") for name, table in tables.items() if len(table)}
    early = wet["handout"]["name"] == "#1 <桥>{{头}}"
    sent = {"handout": wet["handout"].assign(early=early), "shortfall": wet["shortfall"]}
    card = next(one for one in leaves.cards(changed(result, **sent)) if one["code"] == number)
    said, _, _ = sheet_of(folder, number, **sent)
    assert "须在道路上水前撤离：" in dict(card["rows"])["避难"]
    assert "上水前转移：" in said
    for words in (dict(card["rows"])["避难"], said):
        assert "29人" in words
        assert "1人" in words
        assert "没有去处" not in words


def test_ways_are_those_without_flood_most_people_first():
    items = pd.DataFrame({"role": "danger_area", "name": "后山", "village": "东村"}, index=["1"])
    sent = pd.DataFrame(
        {"name": "后山", "village": "东村", "people": [5.0, 7.0, 9.0, 11.0],
         "early": [False, False, True, False], "scenario": ["雨", "", "", ""]}
    )  # fmt: skip

    def people(rows):
        return ways_of_areas(items, {"handout": rows})["1"]["people"].tolist()

    assert people(sent) == [11.0, 7.0, 9.0]  # before the water after those at the peak
    assert people(sent[:1]) == [5.0]


def test_an_area_is_known_by_its_village_where_the_plan_has_no_town():
    items = pd.DataFrame(
        {"role": "danger_area", "name": "后山", "town": ["甲镇", "甲镇", "乙镇"],
         "village": ["东村", "西村", "东村"]},
        index=["1", "2", "3"],
    )  # fmt: skip
    sent = pd.DataFrame(
        {"name": "后山", "town": [None, "甲镇", "乙镇"], "village": ["西村", "东村", "东村"],
         "people": [5.0, 7.0, 9.0], "early": False, "scenario": None}
    )  # fmt: skip
    found = ways_of_areas(items, {"handout": sent})
    assert {n: rows["people"].tolist() for n, rows in found.items()} == {
        "1": [7.0], "2": [5.0], "3": [9.0],
    }  # fmt: skip
    assert ways_of_areas(items, {}) == {}
    assert ways_of_areas(items.drop(columns="role"), {"handout": sent}) == {}


def test_namesakes_of_two_towns_have_each_their_own_papers(planned):
    """Both areas are called 后山 and both villages 和平村: 山洪 in T1, 低洼易涝 in T2."""
    result, _ = planned
    plan, layer, items = result.plans["refuges"], result.layers["danger_area"], result.items
    same = {"name": "后山", "label": "后山", "village": "和平村"}
    areas = items["role"] == "danger_area"
    items = items.assign(village="和平村", name=items["name"].mask(areas, "后山"))

    def renamed(tables):
        return {
            key: table.assign(**{k: v for k, v in same.items() if k in table})
            for key, table in tables.items()
        }

    twins = replace(
        result,
        items=items,
        layers={
            **result.layers,
            "danger_area": replace(
                layer, table=layer.table.assign(name="后山", trigger=["雨量40毫米", "水位2米"])
            ),
        },
        plans={"refuges": replace(plan, tables=renamed(plan.tables), layers=renamed(plan.layers))},
    )
    assert guides.people_by_hazard(twins, "") == {"低洼易涝": 500.0, "山洪": 30.0}
    sheets = {one["belongs"].split()[-1]: one["trigger"] for one in leaves.evacuation_sheets(twins)}
    assert sheets == {"镇T1": "转移信号：雨量40毫米", "镇T2": "转移信号：水位2米"}
    before, after = (
        {one["code"]: dict(one["rows"])["避难"] for one in leaves.cards(each)}
        for each in (result, twins)
    )
    assert all(after[number] == before[number] for number in items.index[areas])


def test_the_scenarios_of_the_plan_are_said_as_they_are(planned):
    """Standing danger areas count under every state; closed roads alone are no water."""
    result, _ = planned
    areas = result.layers["danger_area"].table
    shut = Scenario(name="封路", closures=areas.iloc[:1])
    rain = Scenario(name="雨", depth_m=np.zeros((3, 4), np.float32), danger_area=areas, rain_mm=80)
    both = replace(result, scenarios={"封路": shut, "雨": rain})
    shown = table_of(guides.refuge_paper(both), "分析的情景")
    assert shown.rows == [
        ["现状（无积水）", "无", "无", "无", "2", "0"],
        ["封路", "无", "无", "无", "2", "1"],
        ["雨", "80", "未提供", "有", "4", "0"],
    ]


def test_who_goes_apart_is_listed_by_the_village():
    table = {"rows": [["甲", "30", "学校", *[""] * 5], ["甲", "20", "礼堂", *[""] * 5]]}
    assert leaves._goes_apart([table])
    assert not leaves._goes_apart([{"rows": table["rows"][:1] * 2}, {"rows": table["rows"][1:]}])


def test_codes_to_scan_hold_what_they_say(planned):
    result, _ = planned
    page = next(one for one in leaves.handbook_points(result)[0] if one["kind"] == "易涝积水点")
    side = int(re.search(r'viewBox="0 0 (\d+)', page["qr"])[1])
    drawn = np.zeros((side, side), dtype=int)
    for x, y, wide in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+Z", page["qr"]):
        drawn[int(y), int(x) : int(x) + int(wide)] = 1
    row = result.items.loc[page["number"]]
    said = [f"{page['number']} {row['name']}", f"{row['town']} {row['village']}",
            f"坐标（CGCS2000）{row['lon']:.6f}, {row['lat']:.6f}",
            f"避难 {row['refuge_name']}，{row['refuge_m']:.0f}米"]  # fmt: skip
    code = segno.make("\n".join(said), error="m", encoding="utf-8", micro=False)
    assert np.array_equal(drawn[4:-4, 4:-4], np.array(code.matrix))
    assert not drawn[:4].any()
    assert not drawn[:, -4:].any()


def test_a_card_holds_everything_however_long_its_words_are():
    result = sample_result()
    control = result.control.assign(measure="管" * 108 + "尾甲", emergency="急" * 108 + "尾乙")
    pdf = leaves.cards_pdf(replace(result, control=control), layout())
    pages = [page.extract_text().replace("\n", "") for page in PdfReader(BytesIO(pdf)).pages]
    assert "".join(pages).count("尾甲") == "".join(pages).count("尾乙") == len(control)


@pytest.mark.parametrize(
    ("east", "north", "wanted"),
    [
        (0, 420, "向北约400米"),
        (-1100, -1100, "向西南约1.6公里"),
        (12, 9, "旁"),
        (60, 0, "向东约50米"),
    ],
)
def test_a_new_site_is_told_from_what_has_a_name(planned, east, north, wanted):
    result = planned[0]
    refuge = result.layers["refuge"].table.iloc[[0]]
    name = str(refuge["name"].iloc[0])
    alone = replace(result.layers["refuge"], table=refuge)
    layers = {"refuge": alone}  # nothing else has a name near it
    far = result.units.assign(geometry=result.units.translate(90_000, 0))
    here = refuge.geometry.translate(east, north).to_crs(4326).iloc[0]
    sites = pd.DataFrame(
        {"scenario": [""], "order": [1], "phase": [1], "site": ["E3N-4"], "village": ["甲村"],
         "town": ["乙镇"], "places": [40], "lon": [here.x], "lat": [here.y]}
    )  # fmt: skip
    mend = pd.DataFrame({"scenario": [""], "measure": ["或：新设避难场所"], "where": ["甲村 E3N-4"],
                         "places": [40.0], "shortfall_after": [0.0]})  # fmt: skip
    plan = result.plans["refuges"]
    plan = replace(plan, tables={**plan.tables, "sites": sites, "mend": mend})
    changed = replace(result, layers=layers, units=far, plans={**result.plans, "refuges": plan})
    paper = guides.refuge_paper(changed)
    told = table_of(paper, "建议新设的避难场所").rows[0][1]
    assert told == f"乙镇 甲村（{name}{wanted}）"
    said = str([b.rows for p in paper.parts for b in p.blocks if isinstance(b, Table)])
    assert "甲村 新设点1" in said
    assert not re.search(r"E\d+N", said)
    given = sites.assign(site="候选三")  # a candidate that the office named keeps its name
    plan = replace(plan, tables={**plan.tables, "sites": given})
    named = guides.refuge_paper(replace(changed, plans={**result.plans, "refuges": plan}))
    assert table_of(named, "建议新设的避难场所").rows[0][1] == "乙镇 甲村 候选三"
