"""Write the figures of the Jinan demo into docs/stations.md and docs/stations.zh.md.

    python docs/make_stations.py outputs/jinan/riskmap.gpkg

The figures stand between ``<!-- name -->`` and ``<!-- end -->``; a test compares them with a run.
"""

import sys
from pathlib import Path

import pandas as pd
import pyogrio

from riskmap.i18n import both
from riskmap.vocabulary.columns import words_of
from riskmap.vocabulary.roles import load_roles

PAGES = {"en": "stations.md", "zh": "stations.zh.md"}
HERE = Path(__file__).parent


def read(package: Path, name: str) -> pd.DataFrame:
    """Read one table of the station plan."""
    return pyogrio.read_dataframe(package, layer=f"plan_stations_{name}", read_geometry=False)


def words() -> dict[str, str]:
    """Give the English of the Chinese words that stand in the tables."""
    kinds = ("rule", "target", "counted", "status")
    said = [word for kind in kinds for word in words_of(kind).values()]
    found = {both(one)["zh"]: both(one)["en"] for one in said}
    found |= {role.zh: role.en.lower() for role in load_roles().values()}
    return found | {"已证明最优": "proven best"}


def count(value: float) -> str:
    """Write a number of people or points."""
    return f"{value:,.0f}".replace(",", " ")


def share(value: float) -> str:
    """Write a share."""
    return f"{value:.1%}".replace("%", " %")


def markdown(heads: list[str], rows: list[list[str]]) -> str:
    """Write a table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def summary(package: Path, *, zh: bool) -> str:
    """Targets, time for driving, people in time, with water, with the new sites."""
    whole = read(package, "summary")
    table = whole[whole["scenario"] == ""]
    names = [name for name in dict.fromkeys(whole["scenario"]) if name]
    wet = {name: whole.loc[whole["scenario"] == name, "share"].tolist() for name in names}
    heads = (
        ["规则与目标", "时限", "接警出动", "可行车", "约可行驶", "按时可达人口", "比例", *names,
         "增设 3 站后"]
        if zh
        else ["rule and target", "limit", "call, turn-out", "driving", "reach by road",
              "people in time", "share", *names, "with 3 new sites"]
    )  # fmt: skip
    known, second = words(), "秒" if zh else "s"
    rows = []
    for place, row in enumerate(table.to_dict("records")):
        what = [row["rule"], row["target"]]
        what = what if zh else [known.get(one, one) for one in what]
        rows.append(
            ["，".join(what) if zh else ", ".join(what)]
            + [f"{row[key]:.0f} {second}" for key in ("target_s", "response_s", "drive_s")]
            + [f"{row['drive_km']:.1f} km", count(row["covered"]), share(row["share"])]
            + [share(shares[place]) for shares in wet.values()]
            + [share(row["share_after"])]
        )
    return markdown(heads, rows)


def points(package: Path, *, zh: bool) -> str:
    """What one station, two or none reach within the first target, for all that is counted."""
    table = read(package, "coverage")
    dry = (table["unit_id"] == "") & (table["scenario"] == "")
    table = table[dry & (table["target_s"] == table["target_s"].min())]
    classes = {both(one)["zh"] for key, one in words_of("counted").items() if "class" in key}
    table = table[~table["what"].isin(classes)]
    heads = (
        ["统计对象", "合计", "无站覆盖", "覆盖一次", "覆盖两次以上", "不在路网上"]
        if zh
        else ["counted", "in all", "by none", "once", "twice or more", "off the network"]
    )
    known = words()
    return markdown(
        heads,
        [
            [row["what"] if zh else known.get(row["what"], row["what"])]
            + [count(row[key]) for key in ("total", "none", "once", "twice", "off_network")]
            for row in table.to_dict("records")
        ],
    )


def losses(package: Path, *, zh: bool) -> str:
    """The five towns that lose most people to the storm within the first target."""
    table = read(package, "coverage")
    first = table["target_s"] == table["target_s"].min()
    table = table[first & (table["what"] == table["what"].iloc[0]) & (table["unit_id"] != "")]
    dry = table[table["scenario"] == ""].set_index("unit_id")["covered"]
    wet = table[table["scenario"] != ""]
    wet = wet[wet["scenario"] == wet["scenario"].iloc[0]]
    table = wet.assign(covered_dry=dry.reindex(wet["unit_id"]).to_numpy())
    table = table.sort_values(["lost", "cut_off", "unit_id"], ascending=[False, False, True])
    heads = (
        ["镇街", "平时按时", "积水时按时", "减少", "无路可达"]
        if zh
        else ["town", "in time when dry", "in the storm", "lost", "cut off"]
    )
    keys = ("covered_dry", "covered", "lost", "cut_off")
    return markdown(
        heads,
        [
            [row["name"], *(count(row[key]) for key in keys)]
            for row in table.head(5).to_dict("records")
        ],
    )


def worst(package: Path, *, zh: bool) -> str:
    """The five uncovered places with most people."""
    heads = (
        ["网格", "所在社区", "镇街", "人口", "最近站", "到场"]
        if zh
        else ["cell", "community", "town", "people", "nearest station", "arrival"]
    )
    rows = read(package, "worst").head(5).to_dict("records")
    second = "秒" if zh else "s"
    return markdown(
        heads,
        [
            [row["id"], row["name"], row["town"], count(row["weight"]), row["station"],
             f"{row['seconds']:.0f} {second}"]
            for row in rows
        ],
    )  # fmt: skip


def loads(package: Path, *, zh: bool) -> str:
    """The five stations to which most people are nearest."""
    table = read(package, "stations").sort_values("load", ascending=False).head(5)
    heads = (
        ["站点", "就近人口", "其中按时到达", "就近面积", "标准上限", "本站被淹的情景"]
        if zh
        else ["station", "people nearest", "of these in time", "area nearest", "standard",
              "itself in water under"]
    )  # fmt: skip
    none = "无（社区站）" if zh else "none (community)"
    return markdown(
        heads,
        [
            [row["name"], count(row["load"]), count(row["load_in_time"]),
             f"{row['area_km2']:.1f} km²",
             none if pd.isna(row["area_limit_km2"]) else f"{row['area_limit_km2']:g} km²",
             row["flooded_in"] or ""]
            for row in table.to_dict("records")
        ],
    )  # fmt: skip


def slow(package: Path, *, zh: bool) -> str:
    """How much of the cover is left when driving is slower, and with the new sites."""
    table = read(package, "summary")
    heads = (
        ["情景", "时限", "自由流", "车速×0.7", "车速×0.5", "三站以上", "增设后"]
        if zh
        else ["scenario", "limit", "free flow", "speed x 0.7", "speed x 0.5", "three or more",
              "with the new sites"]
    )  # fmt: skip
    keys = ("share", "share_slow", "share_slowest", "share_thrice", "share_after")
    rows = [
        [row["scenario"] or ("平时" if zh else "dry"),
         f"{row['target_s']:.0f} {'秒' if zh else 's'}", *(share(row[key]) for key in keys)]
        for row in table.drop_duplicates(["scenario", "target_s"]).to_dict("records")
    ]  # fmt: skip
    return markdown(heads, rows)


def curve(package: Path, *, zh: bool) -> str:
    """People within the first target for every number of new sites."""
    heads = (
        ["新增站数", "按时可达人口", "比例", "比例上界（已证明）", "差距", "路网复核", "状态"]
        if zh
        else [
            "new sites",
            "people in time",
            "share",
            "proven bound",
            "gap",
            "counted anew",
            "status",
        ]
    )
    known = words()
    return markdown(
        heads,
        [
            [str(int(row["order"])), count(row["objective"]), share(row["share"]),
             share(row["bound_share"]), share(row["gap"]), count(row["recount"]),
             row["status"] if zh else known.get(row["status"], row["status"])]
            for row in read(package, "sites").dropna(subset="objective").to_dict("records")
        ],
    )  # fmt: skip


def sites(package: Path, *, zh: bool) -> str:
    """The proposed sites."""
    heads = (
        ["年份", "网格", "所在社区", "东经", "北纬", "新增按时可达", "每新增一人（元）",
         "车速变慢仍入选"]
        if zh
        else ["year", "cell", "community", "longitude", "latitude", "people gained",
              "CNY a person gained", "chosen again at slower speeds"]
    )  # fmt: skip
    return markdown(
        heads,
        [
            [f"{row['year']:.0f}", row["id"], row["name"], f"{row['lon']:.4f}",
             f"{row['lat']:.4f}", count(row["gain"]), count(row["cost_per_person"]),
             row["stays"] or ""]
            for row in read(package, "sites").dropna(subset="gain").to_dict("records")
        ],
    )  # fmt: skip


def notes(package: Path, *, zh: bool) -> str:
    """What the run says about stations and candidates."""
    table = pyogrio.read_dataframe(package, layer="notes", read_geometry=False)
    heads = ("现有 ", "180 秒目标", "可选位置")
    kept = table["zh"].str.startswith(heads) | table["zh"].str.contains("备选点未采用|位于积水范围")
    return "\n".join(f"* {line}" for line in table.loc[kept, "zh" if zh else "en"])


BLOCKS = (summary, slow, points, losses, worst, loads, curve, sites, notes)


def blocks(package: Path, *, zh: bool) -> dict[str, str]:
    """Give every block of figures by its name."""
    return {make.__name__: make(package, zh=zh) for make in BLOCKS}


def filled(page: str, found: dict[str, str]) -> str:
    """Put the blocks into a page."""
    for name, body in found.items():
        start, rest = page.split(f"<!-- {name} -->\n", 1)
        page = f"{start}<!-- {name} -->\n{body}\n<!-- end -->{rest.split('<!-- end -->', 1)[1]}"
    return page


if __name__ == "__main__":
    for language, file in PAGES.items():
        path = HERE / file
        text = filled(
            path.read_text(encoding="utf-8"), blocks(Path(sys.argv[1]), zh=language == "zh")
        )
        path.write_text(text, encoding="utf-8", newline="\n")
