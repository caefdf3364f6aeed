"""Made-up points of interest, set where such things lie."""

from __future__ import annotations

import numpy as np
import pandas as pd

from demo.scene import SEED, Scene, blank, moved, person, phone, pick


def flood_points(scene: Scene) -> pd.DataFrame:
    """98 points in three classes: areas, sites (underpasses), ponding points; on low ground."""
    chance = np.random.default_rng(SEED + 1)
    t = scene.table
    weight = (
        np.exp(-t["height"] / 18)
        * (1 + 4 * np.exp(-t["water"] / 350))
        * np.sqrt(t["density"] + 200)
    )
    p = pick(scene, weight.to_numpy(), 98, apart_m=420, seed=1)
    kind = np.array(["重要区域"] * 20 + ["重点部位"] * 30 + ["积水点"] * 48)[chance.permutation(98)]
    typical = {"重要区域": 38, "重点部位": 52, "积水点": 20}
    depth = np.clip(chance.gamma(4, [typical[k] / 4 for k in kind]), 5, 160).round()
    under = (kind == "重点部位") & (chance.random(98) < 0.55)
    what = {"重要区域": "片区", "重点部位": "路段", "积水点": "路口"}
    p["编号"] = [f"JN-YL-{i + 1:03d}" for i in range(98)]
    p["名称"] = [
        f"{v}{'下穿通道' if u else what[k]}"
        for v, k, u in zip(p["village"], kind, under, strict=True)
    ]
    p["名称"] += np.where(
        p["名称"].duplicated(keep=False), (p.groupby("名称").cumcount() + 1).astype(str) + "号", ""
    )
    p["类别"] = kind
    p["深度"] = depth.astype(int)
    p["历时"] = np.clip((depth * chance.uniform(0.8, 3.0, 98)).round(-1), 10, 360).astype(int)
    p["面积"] = np.where(
        kind == "重要区域", chance.integers(8, 60, 98) * 1000, chance.integers(2, 40, 98) * 50
    )
    p["下穿"] = np.where(under, "是", "否")
    p["雨强"] = np.select([depth > 50, depth > 22], ["暴雨", "大暴雨"], "特大暴雨")
    p["人数"] = (np.sqrt(p["density"]) * chance.uniform(0.5, 3.0, 98)).round(-1).astype(int)
    p["原因"] = chance.choice(
        ["地势低洼", "排水管网能力不足", "河道顶托", "雨水篦子堵塞", "上游客水汇入"], 98
    )
    p["责任单位"] = blank(
        [f"{town}办事处" if "街道" in town else f"{town}政府" for town in p["town"]], 33, 7
    )
    p["责任人"] = blank(person("A", 98), 33, 7)
    p["电话"] = blank(phone(1_000_001, 98), 25, 11)
    p["措施"] = chance.choice(
        ["增设移动泵站", "管网改造", "汛前清淤", "设置警示和挡水设施", "专人值守"], 98
    )
    return p


def hazard_sources(scene: Scene) -> pd.DataFrame:
    """29 sources with storage (edge of town, away from people) and 273 traders without."""
    chance = np.random.default_rng(SEED + 2)
    t = scene.table
    edge = pick(
        scene, np.exp(-t["density"] / 1800).to_numpy() * (t["edges"] > 2), 29, apart_m=900, seed=2
    )
    shop = pick(scene, np.sqrt(t["density"]).to_numpy(), 273, apart_m=120, seed=3)
    level = np.array(["一级"] * 2 + ["二级"] * 4 + ["三级"] * 7 + ["四级"] * 10 + ["不构成"] * 6)
    r = np.array(
        [148, 112, 86, 71, 63, 54, 44, 37, 29, 24, 19, 14, 11, 9, 8, 7, 6, 5, 4, 3, 2, 2, 1]
        + [0] * 6
    )
    goods = [
        "汽油、柴油",
        "液化石油气",
        "液氨",
        "液氯",
        "甲醇",
        "苯",
        "乙醇",
        "压缩天然气",
        "环氧乙烷",
    ]
    p = pd.concat([edge, shop], ignore_index=True)
    n = len(p)
    p["编号"] = [f"JN-WX-{i + 1:03d}" for i in range(n)]
    p["名称"] = [f"示范{'储运' if i < 29 else '经营'}企业{i + 1:03d}号" for i in range(n)]
    p["储存"] = ["是"] * 29 + ["否"] * 273
    p["物质"] = [goods[i % 9] for i in range(29)] + list(
        chance.choice(["溶剂", "涂料", "农药", "工业气体", "汽油（无储存）"], 273)
    )
    p["储量"] = [f"{q}" for q in chance.integers(12, 900, 29)] + [""] * 273
    p["级别"] = list(level) + ["不构成"] * 273
    p["R值"] = [str(v) if v else "" for v in r] + [""] * 273
    p["有效期"] = [
        f"{y}-{m:02d}-28"
        for y, m in zip(chance.integers(2026, 2029, n), chance.integers(1, 13, n), strict=True)
    ]
    p["责任单位"] = blank([f"{d}应急管理部门（示范）" for d in p["district"]], 40, 13)
    p["责任人"] = blank(person("B", n), 40, 13)
    p["电话"] = phone(2_000_001, n)
    return p


def refuges(scene: Scene) -> pd.DataFrame:
    """240 refuges in three tiers: 10 county (>= 200), 40 town (>= 100), 190 village (>= 50)."""
    chance = np.random.default_rng(SEED + 4)
    busiest = scene.table.sort_values(["edges", "x"], ascending=False)
    village = scene.villages.sort_values("population", ascending=False)
    with_junction = village[village["code"].isin(busiest["code"])]
    town_place = busiest[busiest["water"] > 150].drop_duplicates("town").head(40)
    rest = busiest.drop(town_place.index)
    county = pick(
        scene,
        scene.table["density"].to_numpy() * (scene.table["water"] > 400),
        10,
        apart_m=3500,
        seed=4,
    )
    low = rest[rest["code"].isin(with_junction["code"])].drop_duplicates("code")
    order = low.set_index("code").loc[[c for c in with_junction["code"] if c in set(low["code"])]]
    p = pd.concat([county, town_place, order.reset_index().head(190)], ignore_index=True)
    p = moved(scene, p, chance, 40)
    p["级别"] = ["县级"] * 10 + ["乡镇级"] * 40 + ["村级"] * 190
    p["容量"] = np.concatenate(
        [
            chance.integers(60, 160, 10) * 10,
            chance.integers(12, 60, 40) * 10,
            chance.integers(5, 31, 190) * 10,
        ]
    )
    p["面积"] = (p["容量"] * chance.uniform(2.0, 3.4, 240)).round().astype(int)
    use = ["体育馆", "学校", "文化礼堂", "村（居）委会", "老年活动中心", "敬老院", "会展场馆"]
    p["用途"] = np.concatenate(
        [
            chance.choice([use[0], use[6]], 10),
            chance.choice(use[:3], 40),
            chance.choice(use[1:6], 190),
        ]
    )
    p["编号"] = [f"JN-BN-{i + 1:03d}" for i in range(240)]
    where = np.select(
        [p["级别"] == "县级", p["级别"] == "乡镇级"],
        [p["district"] + p["town"], p["town"]],
        p["village"],
    )
    p["名称"] = [f"{w}{u}避灾安置场所" for w, u in zip(where, p["用途"], strict=True)]
    p["鉴定"] = [
        f"{y}-{m:02d}-15"
        for y, m in zip(chance.integers(2021, 2026, 240), chance.integers(1, 13, 240), strict=True)
    ]
    p["责任单位"] = [f"{town}办事处" if "街道" in town else f"{town}政府" for town in p["town"]]
    p["责任人"] = person("C", 240)
    p["电话"] = phone(3_000_001, 240)
    return p


def stations(scene: Scene) -> pd.DataFrame:
    """14 community rescue stations, spread by people."""
    chance = np.random.default_rng(SEED + 5)
    p = pick(scene, scene.table["density"].to_numpy() ** 0.7, 14, apart_m=3000, seed=5)
    p["编号"] = [f"JN-JY-{i + 1:02d}" for i in range(14)]
    p["名称"] = [f"{v}应急救援站" for v in p["village"]]
    p["人员"] = chance.integers(6, 14, 14)
    p["车辆"] = chance.integers(1, 4, 14)
    p["责任单位"] = [f"{town}办事处" for town in p["town"]]
    p["责任人"] = person("D", 14)
    p["电话"] = phone(4_000_001, 14)
    return p


def teams(scene: Scene) -> pd.DataFrame:
    """8 social rescue teams and 1 new one."""
    chance = np.random.default_rng(SEED + 6)
    p = pick(scene, scene.table["density"].to_numpy(), 9, apart_m=2500, seed=6)
    skill = [
        "水域救援",
        "山地搜救",
        "城市排涝",
        "医疗救护",
        "无人机侦察",
        "应急通信",
        "工程抢险",
        "后勤保障",
        "水域救援",
    ]
    p["编号"] = [f"JN-DW-{i + 1:02d}" for i in range(9)]
    p["名称"] = [f"示范{s}队{'（新增）' if i == 8 else ''}" for i, s in enumerate(skill)]
    p["专长"] = skill
    p["人数"] = chance.integers(18, 60, 9)
    p["类型"] = ["社会力量"] * 9
    p["集结"] = chance.integers(3, 9, 9) * 10
    p["责任人"] = person("E", 9)
    p["电话"] = phone(5_000_001, 9)
    return p


def depots(scene: Scene) -> pd.DataFrame:
    """14 depots: 2 district, 6 town, 6 community stores."""
    p = pick(scene, scene.table["density"].to_numpy() ** 0.5, 14, apart_m=2500, seed=7)
    tier = ["区级储备库"] * 2 + ["镇街储备点"] * 6 + ["社区储备室"] * 6
    p["编号"] = [f"JN-CK-{i + 1:02d}" for i in range(14)]
    where = [*(p["district"][:2] + "示范"), *p["town"][2:8], *p["village"][8:]]
    p["名称"] = [w + k for w, k in zip(where, tier, strict=True)]
    p["级别"] = ["区级"] * 2 + ["镇级"] * 6 + ["村级"] * 6
    p["面积"] = [1200, 900, 180, 150, 120, 160, 140, 100, 30, 25, 20, 30, 20, 25]
    p["责任人"] = person("F", 14)
    p["电话"] = phone(6_000_001, 14)
    return p


def geohazards(scene: Scene) -> pd.DataFrame:
    """26 geohazard points on the southern hills."""
    chance = np.random.default_rng(SEED + 8)
    steep = scene.table["height"].to_numpy() > 75
    p = pick(scene, steep * 1.0, 26, apart_m=600, seed=8)
    people = np.sort(np.clip(chance.lognormal(3.2, 1.1, 26), 3, 640).astype(int))[::-1]
    p["编号"] = [f"JN-DZ-{i + 1:03d}" for i in range(26)]
    kind = chance.choice(
        ["崩塌", "滑坡", "不稳定斜坡", "泥石流", "地面塌陷"], 26, p=[0.35, 0.25, 0.2, 0.12, 0.08]
    )
    p["名称"] = [
        f"{v}{k}隐患点{i + 1:02d}" for i, (v, k) in enumerate(zip(p["village"], kind, strict=True))
    ]
    p["类型"] = kind
    p["人数"] = people
    p["户数"] = np.maximum((people / 3.1).round().astype(int), 1)
    p["财产"] = (people * chance.uniform(4, 14, 26)).round().astype(int)
    p["监测"] = chance.choice(["群测群防", "专业监测"], 26, p=[0.8, 0.2])
    p["责任人"] = blank(person("G", 26), 13, 4)
    p["电话"] = phone(7_000_001, 26)
    return p


def reservoirs(scene: Scene) -> pd.DataFrame:
    """6 small reservoirs on southern streams."""
    t = scene.table
    weight = (t["height"] > 60) * np.exp(-t["water"] / 300) + 1e-9
    p = pick(scene, weight.to_numpy(), 6, apart_m=1500, seed=9)
    p["编号"] = [f"JN-SK-{i + 1:02d}" for i in range(6)]
    p["名称"] = [f"示范{n}水库" for n in ("南山", "龙泉", "卧虎", "映月", "青石", "白云")]
    p["规模"] = ["小（一）型", "小（一）型", "小（二）型", "小（二）型", "小（二）型", "山塘"]
    p["安全"] = ["二类坝", "一类坝", "三类坝", "二类坝", "一类坝", "一类坝"]
    p["库容"] = [320.5, 186.0, 62.3, 41.8, 25.6, 8.2]
    p["人数"] = [1800, 1200, 950, 420, 260, 90]
    p["责任人"] = person("H", 6)
    p["电话"] = phone(8_000_001, 6)
    return p
