"""What the public edition gives away, when somebody tries to find out."""

import json
import sqlite3
from contextlib import closing

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.optimize import least_squares
from shapely import wkb
from shapely.geometry import Point, box

from riskmap.cli.commands import run_project
from riskmap.export.public import redact
from riskmap.pipeline import run
from riskmap.project.schema import load_project
from riskmap.register.events import Event, append, beside, open_register
from tests import town
from tests.export.test_public import spellings, unpacked

CRS = "EPSG:4548"
EAST, NORTH, SIDE = 500_000, 4_000_000, 12_000
SECRETS = {
    "hazard_source": [(1234, 2345), (4999, 5003), (9100, 8000), (7000, 1000), (3000, 10_990)],
    "sensitive_place": [(2111, 3222), (6000, 6000), (11_000, 4000), (999, 9001)],
    "supply_depot": [(5000, 2000), (8800, 10_100)],
}
R_VALUES = [61.37, 12.5, 103.9, 55.5, 7.25]
PEOPLE = ["赵金丝雀", "钱金丝雀", "孙金丝雀", "李金丝雀", "周金丝雀"]
NUMBERS = [
    "13911112222", "139.1111.2223", "1 3 9 1 1 1 1 2 2 2 4", "１３９１１１１２２２５", "0531-86781111",
    "86782222", "微信canary_wx1", "wxid_canary2", "37010219800101123X", "canary3@example.org",
]  # fmt: skip


def write_city(folder):
    folder.mkdir(parents=True)
    (folder / "riskmap.root").touch()
    step = SIDE // 4
    rows = [
        (f"V{i}{j}", f"村{i}{j}", 1000, box(
            EAST + i * step, NORTH + j * step, EAST + (i + 1) * step, NORTH + (j + 1) * step))
        for i in range(4) for j in range(4)
    ]  # fmt: skip
    units = gpd.GeoDataFrame(rows, columns=["code", "name", "people", "geometry"], crs=CRS)
    units.to_file(folder / "units.gpkg")
    layers = {}
    for role, places in SECRETS.items():
        frame = gpd.GeoDataFrame(
            {
                "name": [f"民爆库金丝雀{role}{i}" for i in range(len(places))],
                "person": [PEOPLE[i % 5] for i in range(len(places))],
                "phone": [NUMBERS[0]] * len(places),
                "address": [f"金丝雀路{i}号" for i in range(len(places))],
                "village": [f"村金丝雀{i}" for i in range(len(places))],
                "number": [f"{role[:2].upper()}-金丝雀{i}" for i in range(len(places))],
                "duty_unit": "金丝雀街道办", "measure": "关闭金丝雀阀门", "licence_until": "2027-03-07",
                "r_value": R_VALUES[: len(places)], "people": 47,
            },
            geometry=[Point(EAST + x, NORTH + y) for x, y in places], crs=CRS,
        )  # fmt: skip
        frame.to_file(folder / f"{role}.gpkg")
        layers[role] = {"path": f"{role}.gpkg"}
    said = [f"由{PEOPLE[(i + 1) % 5]}带队，{number}" for i, number in enumerate(NUMBERS)]
    flood = gpd.GeoDataFrame(
        {
            "name": [f"积水点{i} {n}" for i, n in enumerate(NUMBERS)],
            "depth_m": np.linspace(0.1, 0.9, 10), "measure": said,
            "person": [PEOPLE[i % 5] for i in range(10)],
        },
        geometry=[Point(EAST + 900 + 1000 * i, NORTH + 6500) for i in range(10)], crs=CRS,
    )  # fmt: skip
    flood.to_file(folder / f"{PEOPLE[0]}{NUMBERS[0]}.gpkg")
    layers["flood_point"] = {"path": f"{PEOPLE[0]}{NUMBERS[0]}.gpkg"}
    elderly = gpd.GeoDataFrame(
        {"elderly": np.arange(16) * 37 + 5, "people": 1000},
        geometry=units.geometry.centroid,
        crs=CRS,
    )
    elderly.to_file(folder / "sensitive.gpkg")
    layers["sensitive"] = {"path": "sensitive.gpkg"}
    pd.DataFrame({"姓名": PEOPLE, "手机": NUMBERS[0]}).to_csv(folder / "person.csv", index=False)
    layers["person"] = {"path": "person.csv"}
    content = {
        "name": f"示例市 {NUMBERS[0]} {PEOPLE[0]}", "crs": CRS,
        "issued_by": f"示例局 电话{NUMBERS[5]} {PEOPLE[1]}", "data_date": "2026-03-01",
        "units": {"path": "units.gpkg", "level": "village", "population": "people"},
        "grid": {"size_m": 250}, "layers": layers,
        "scenarios": [{"name": f"大暴雨 {NUMBERS[1]} {PEOPLE[2]}", "rain_mm": 100}],
        "outputs": {"dir": "out", "profile": "public"},
    }  # fmt: skip
    path = folder / "city.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    path = write_city(tmp_path_factory.mktemp("public") / "city")
    run_project(path)
    return path.parent / "out"


def table(folder, name, columns="*"):
    with closing(sqlite3.connect(folder / "riskmap.gpkg")) as base:
        return pd.read_sql(f'SELECT {columns} FROM "{name}"', base)


def centre(blob):
    body = blob[8 + {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}[(blob[3] >> 1) & 7] :]
    shape = wkb.loads(body)
    return shape.centroid.x, shape.centroid.y


def truth(role):
    return np.add(SECRETS[role], (EAST, NORTH))


def gap(found, role):
    return np.hypot(*(truth(role)[:, None] - np.asarray(found)[None]).transpose(2, 0, 1)).min()


def test_least_squares_over_the_cells_stay_500_m_off(published):
    """The attack that found five of five to the centimetre: fit the published decay."""
    cells = table(published, "cells")
    xy = np.array([centre(blob) for blob in cells["geom"]])
    given = cells["H_SOURCE"].to_numpy()
    started = table(published, "hazard_source")
    guess = np.array([centre(blob) for blob in started["geom"]])

    def field(at, strength, radius):
        far = np.hypot(*(xy[:, None] - at.reshape(-1, 2)[None]).transpose(2, 0, 1))
        return 1 - np.prod(1 - strength * np.clip(1 - far / radius, 0, None), axis=1)

    best = np.inf
    for strength, radius in ((0.25, 500), (0.5, 800), (0.75, 1200), (1, 1600)):
        for shift in (0, 150):
            at = (guess + shift).ravel()
            fit = least_squares(lambda p, s=strength, r=radius: field(p, s, r) - given, at)
            best = min(best, gap(fit.x.reshape(-1, 2), "hazard_source"))
    assert best >= 500
    top = xy[given >= np.quantile(given[given > 0], 0.97)]
    peaks = [top[np.hypot(*(top - one).T) < 1000].mean(axis=0) for one in top]
    assert gap(peaks, "hazard_source") >= 500


@pytest.mark.parametrize("role", sorted(SECRETS))
def test_no_published_place_is_near_a_sensitive_one(published, role):
    rows = table(published, role)
    assert len(rows) == len(SECRETS[role])
    assert gap([centre(blob) for blob in rows["geom"]], role) >= 500
    items = table(published, "items")
    here = items[items["role"] == role]
    if len(here):
        spots = gpd.GeoSeries(gpd.points_from_xy(here["lon"], here["lat"]), crs=4326).to_crs(CRS)
        assert gap(np.column_stack([spots.x, spots.y]), role) >= 500
        assert not here[[c for c in ("village", "town") if c in here]].fillna("").any().any()


def test_roles_that_are_not_public_have_no_surface(published):
    assert "V_ELDERLY" not in table(published, "cells").columns
    assert "V_ELDERLY" not in table(published, "unit_indicators").columns
    with closing(sqlite3.connect(published / "riskmap.gpkg")) as base:
        names = {row[0] for row in base.execute("SELECT name FROM sqlite_master")}
    assert not {"sensitive", "person", "stock"} & names
    report = json.loads((published / "report.json").read_text())
    assert report["layers"]["sensitive"]["rows_in"] == 16


def test_a_number_made_from_name_and_place_is_not_published(published):
    """Ids of rows without an office's number are digests of name and place: 40 bits to try out."""
    from riskmap.layers.check import assign_ids
    from riskmap.vocabulary.roles import load_roles

    roles = load_roles()
    for role, places in SECRETS.items():
        names = [f"民爆库金丝雀{role}{i}" for i in range(len(places))]
        spots = [Point(EAST + x, NORTH + y) for x, y in places]
        frame = gpd.GeoDataFrame({"name": names}, geometry=spots, crs=CRS)
        made = {*assign_ids(roles[role], frame), *(f"{roles[role].id_prefix}-{n}" for n in names)}
        assert not made & set(table(published, role)["item_id"])
    whole = b"".join(content for _, content in unpacked(published))
    assert "HA-金丝雀".encode() not in whole


def test_no_severity_gives_a_private_figure_back(published):
    """The scale of the severity is public: with R in it, R and so the store can be solved."""
    from riskmap.vocabulary.presets import load_presets

    presets = load_presets()
    items = table(published, "items")
    mine = items[items["role"] == "hazard_source"]
    assert set(mine["level"]) == {2, 3, 4}  # graded by R, which is not shown
    people = np.interp(40, *np.transpose(presets["severity.people"]))
    left = (1 - mine["severity"]) / (1 - people)
    scale = np.transpose(presets["severity.r_value"])
    solved = np.interp(1 - left, scale[1], scale[0])
    assert np.abs(solved[:, None] - R_VALUES).min() > 1


def test_people_at_a_place_are_counted_roughly_everywhere(published):
    """47 at every place: tables, list and reasons say 40, and nothing is computed from 47."""
    for role in ("hazard_source", "sensitive_place"):
        assert set(table(published, role)["people"]) == {40}
    items = table(published, "items")
    mine = items[items["role"] == "hazard_source"]
    assert set(mine["people"]) == {40}
    assert not mine["reason"].str.contains("47").any()
    notes = table(published, "notes")["zh"]
    assert notes.str.contains("只保留首位数字").sum() == 1


def test_no_digest_of_a_private_file_is_published(published):
    manifest = json.loads((published / "manifest.json").read_text(encoding="utf-8"))
    assert len(manifest["inputs"]) > 5
    assert {(one["sha256"], one["size"]) for one in manifest["inputs"]} == {(None, None)}


def test_forty_canaries_are_nowhere(published):
    canaries = [*PEOPLE, *NUMBERS, "金丝雀路", "村金丝雀", "民爆库", "金丝雀"]
    canaries += ["canary_wx1", "canary2", "canary3", "13911112223", "13911112224", "13911112225"]
    canaries += [f"赵金丝雀{NUMBERS[0]}", *(f"民爆库金丝雀{role}" for role in SECRETS)]
    canaries += [f"由{name}带队" for name in PEOPLE] + ["053186781111", "大暴雨 139", "示例市 139"]
    canaries += ["0531 86781111", "zhang86782222"[5:], "37010219800101123", "例局 电话8678"]
    assert len(set(canaries)) >= 40
    seen = 0
    for name, content in unpacked(published):
        seen += 1
        for canary in canaries:
            for form in spellings(canary):
                assert form not in content, (canary, name)
    assert seen > 20


def test_the_public_edition_is_of_use(published):
    units = table(published, "units")
    assert units["score"].notna().all()
    assert units["score"].nunique() > 4
    assert len(table(published, "flood_point")) == 10
    assert (table(published, "cells")["H_SOURCE"] > 0).any()
    notes = json.dumps(json.loads((published / "report.json").read_text()), ensure_ascii=False)
    assert "公开" in notes


def edition(folder, *, kept, plant, day, store):
    """Give as text what the public edition of a small town is written from: one private story."""
    roles = ("reservoir", "hazard_source", "hidden_danger", "drill")
    path = town.write(folder, layers={role: {"path": f"{role}.csv"} for role in roles})
    ledgers = {
        "reservoir": "编号,名称,病险,总库容,责任人,经度,纬度\n"
        f"7,{plant[:2]}水库,是,{kept},{plant[:2]}某,117.000555,36.131194\n",
        "hazard_source": "编号,单位名称,重大危险源级别,R值,最大储量,许可证有效期至,承诺公告日期,排查日期,"
        "经度,纬度\n"
        f"{kept},{plant},三级,{kept},{store},{day},{day},2026-02-28,117.001333,36.130744\n"
        f"9,{plant[:2]}油库旁,三级,{kept},{store},{day},{day},2026-02-28,117.012,36.1307\n",
        "hidden_danger": f"编号,隐患内容,隐患等级,经度,纬度\n{kept},{plant}隐患,重大,117.002777,36.132276\n",
        "drill": "编号,演练名称,演练日期,演练对象编号\n"
        f"1,{plant}泄漏演练,2026-02-01,{kept}\n2,{plant[:5]}消防演练,2026-02-02,WX-{kept}\n"
        f"3,{plant[:2]}油库旁演练,2026-02-02,{kept}\n",
    }  # fmt: skip
    for role, content in ledgers.items():
        (folder / f"{role}.csv").write_text(content, encoding="utf-8")
    project = load_project(path)
    said = {"role": "hidden_danger", "name": plant, "state": "found"}
    with open_register(beside(path), write=True) as base:
        append(base, [Event(item_id=f"YH-{kept}", kind="listed", changes=said, on="2026-03-01")])
    found = redact(run(project, profile="public"))
    tables = [layer.table for layer in found.layers.values() if layer.table is not None]
    reasons = ["；".join(map(str, parts)) for parts in found.items["reason"]]
    items = found.items.assign(reason=reasons)
    told = [frame.to_csv() for frame in (*tables, items, found.control)]
    return [*told, *map(str, found.notes), str(found.problems)]


def test_private_values_change_nothing_that_is_published(tmp_path):
    """Whatever an office keeps to itself may be anything: the public edition is the same.

    A number blotted out of a sentence that riskmap wrote would tell that it is private: of twelve
    villages, of a day. So would a name in another ledger's text, and the register's numbers of
    what no public ledger lists.
    """
    one = edition(
        tmp_path / "a", kept="12", plant="金丝雀化工有限公司", day="2026-02-28", store="119"
    )
    two = edition(
        tmp_path / "b", kept="13", plant="甲甲某化工有限公司", day="2027-05-01", store="500"
    )
    assert one == two
    whole = "\n".join(one)
    assert whole.count("共12个") >= 2
    assert "***泄漏演练" in whole
