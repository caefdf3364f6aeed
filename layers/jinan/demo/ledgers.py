"""The ledgers in the shapes of offices, with a few rows that are wrong on purpose."""
# ruff: noqa: E501  wide tables

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from demo.files import write_csv, write_geojson, write_shapefile, write_workbook
from demo.scene import NOTE
from riskmap.layers.place.datum import wgs84_to_gcj02

if TYPE_CHECKING:
    from pathlib import Path

WRONG = "示范数据，故意错误："


def dms(value: float, style: int) -> str:
    """Write an angle in one of the ways that people do."""
    tenths = round(value * 36000)
    d, rest = divmod(tenths, 36000)
    m, s = divmod(rest, 600)
    seconds = f"{s // 10:02d}.{s % 10}"
    return (
        f"{d}°{m:02d}′{seconds}″",
        f"{d}°{m:02d}'{seconds}\"",
        f"{d}度{m:02d}分{seconds}秒",
        f"{d} {m:02d} {seconds}",
    )[style]


def flood_ledger(p: pd.DataFrame, folder: Path) -> None:
    """积水点台账.xlsx: merged title, note row, headers with units, GCJ-02."""
    lon, lat = wgs84_to_gcj02(p["lon"].to_numpy(), p["lat"].to_numpy())
    table = pd.DataFrame(
        {
            "序号": range(1, len(p) + 1), "点位编号": p["编号"], "点位名称": p["名称"], "类别": p["类别"],
            "所属区县": p["district"], "所属街道": p["town"], "所属社区": p["village"],
            "经度": lon.round(6), "纬度": lat.round(6), "最大积水深度(cm)": p["深度"], "积水历时(分钟)": p["历时"],
            "积水面积(㎡)": p["面积"], "是否下穿": p["下穿"], "致涝降雨": p["雨强"], "影响人口(人)": p["人数"],
            "积水原因": p["原因"], "治理措施": p["措施"], "责任单位": p["责任单位"], "责任人": p["责任人"],
            "联系电话": p["电话"], "数据性质": NOTE, "备注": NOTE,
        }
    ).astype(object)  # fmt: skip

    def wrong(row: int, number: str, name: str, why: str, **changes: object) -> dict[str, object]:
        return (
            table.iloc[row].to_dict()
            | {"点位编号": number, "点位名称": name, "备注": WRONG + why}
            | changes
        )

    bad = [
        wrong(1, "JN-YL-901", "示范错误点一", "坐标为零", 经度=0, 纬度=0),
        wrong(5, "JN-YL-902", "示范错误点二", "小数点错位", 经度=11.69, 纬度=366.5),
        wrong(2, "JN-YL-903", "示范错误点三", "点位在研究区之外", 经度=118.31, 纬度=36.82),
        wrong(7, "JN-YL-904", "", "缺点位名称"),
        wrong(
            9,
            "JN-YL-905",
            "示范错误点五",
            "坐标为零，水深填成文字",
            经度=0,
            纬度=0,
            **{"最大积水深度(cm)": "约半米"},
        ),
        wrong(11, "JN-YL-001", "示范错误点六", "编号与第一行重复"),
        wrong(13, "JN-YL-907", "", "缺点位名称，水深为负", **{"最大积水深度(cm)": -20}),
        wrong(15, "JN-YL-908", "示范错误点八", "坐标未填数字", 经度="待核实", 纬度="待核实"),
    ]
    table = pd.concat([table, pd.DataFrame(bad)], ignore_index=True)
    table["序号"] = range(1, len(table) + 1)
    write_workbook(
        folder / "积水点台账.xlsx",
        sheet="积水点",
        title="济南市2026年防汛重要区域、重点部位及积水点台账（示范数据）",
        note="填报单位：示范单位    填报日期：2026年3月1日    坐标系：火星坐标（GCJ-02）    水深单位：厘米",
        table=table,
    )


def hazard_ledger(p: pd.DataFrame, folder: Path) -> None:
    """危险源台账.csv: GBK, coordinates in degrees, minutes and seconds."""
    table = pd.DataFrame(
        {
            "企业编号": p["编号"], "企业名称": p["名称"], "所在区县": p["district"], "所属街道": p["town"],
            "经度": [dms(v, i % 4) for i, v in enumerate(p["lon"])], "纬度": [dms(v, i % 4) for i, v in enumerate(p["lat"])],
            "是否带有储存设施": p["储存"], "主要危险化学品": p["物质"], "最大储存量(吨)": p["储量"], "重大危险源级别": p["级别"],
            "R值": p["R值"], "许可证有效期至": p["有效期"], "监管单位": p["责任单位"], "负责人": p["责任人"], "联系电话": p["电话"],
            "数据性质": NOTE, "备注": NOTE,
        }
    ).astype(object)  # fmt: skip
    bad = [
        {
            "企业编号": "JN-WX-901",
            "企业名称": "示范错误企业一",
            "经度": "117°75′12.0″",
            "备注": WRONG + "经度的分大于等于60",
        },
        {
            "企业编号": "JN-WX-902",
            "企业名称": "示范错误企业二",
            "纬度": "",
            "备注": WRONG + "缺纬度",
        },
        {
            "企业编号": "JN-WX-903",
            "企业名称": "示范错误企业三",
            "经度": "见附图",
            "重大危险源级别": "特级",
            "备注": WRONG + "经度不是度数，级别不在分级之内",
        },
        {"企业编号": "JN-WX-005", "企业名称": "示范错误企业四", "备注": WRONG + "编号与前面重复"},
    ]
    rows = [table.iloc[i].to_dict() | change for i, change in enumerate(bad)]
    write_csv(pd.concat([table, pd.DataFrame(rows)]), folder / "危险源台账.csv", encoding="gbk")


def station_shapefile(p: pd.DataFrame, folder: Path) -> None:
    """应急救援站.shp: GBK without .cpg, field names of at most five characters."""
    table = gpd.GeoDataFrame(
        {
            "站点编号": p["编号"], "站点名称": p["名称"], "站点类型": "社区应急救援站", "所属街道": p["town"],
            "人员数量": p["人员"], "车辆数": p["车辆"], "响应时间": 60, "责任单位": p["责任单位"], "联系人": p["责任人"],
            "联系电话": p["电话"], "数据性质": NOTE, "备注": NOTE,
        },
        geometry=gpd.points_from_xy(p["lon"], p["lat"]), crs=4490,
    )  # fmt: skip
    bad = table.iloc[[0, 1]].copy()
    bad["站点编号"] = ["JN-JY-91", "JN-JY-92"]
    bad["站点名称"] = ["示范错误站一", "示范错误站二"]
    bad["响应时间"] = [60, -60]
    bad["备注"] = [WRONG + "在研究区之外", WRONG + "坐标为零，响应时间为负"]
    bad = bad.set_geometry(gpd.points_from_xy([118.31, 0], [36.82, 0], crs=4490))
    whole = gpd.GeoDataFrame(pd.concat([table, bad], ignore_index=True), crs=4490)
    write_shapefile(whole, folder / "应急救援站.shp")


def refuge_ledger(p: pd.DataFrame, folder: Path) -> None:
    """避灾安置场所台账.xlsx: three tiers, decimal degrees in WGS-84."""
    table = pd.DataFrame(
        {
            "序号": range(1, 241), "场所编号": p["编号"], "场所名称": p["名称"], "级别": p["级别"], "所属区县": p["district"],
            "所属街道": p["town"], "所属社区": p["village"], "经度": p["lon"], "纬度": p["lat"], "室内/室外": "室内",
            "核定容量(人)": p["容量"], "有效面积(㎡)": p["面积"], "平时用途": p["用途"], "鉴定日期": p["鉴定"],
            "管理单位": p["责任单位"], "管理员": p["责任人"], "联系电话": p["电话"], "数据性质": NOTE, "备注": NOTE,
        }
    ).astype(object)  # fmt: skip
    bad = [
        {
            "场所编号": "JN-BN-901",
            "场所名称": "示范错误场所一",
            "经度": "待测",
            "核定容量(人)": "若干",
            "备注": WRONG + "经度未填数字，容量填成文字",
        },
        {
            "场所编号": "JN-BN-902",
            "场所名称": "示范错误场所二",
            "级别": "国家级",
            "经度": 118.31,
            "纬度": 36.82,
            "备注": WRONG + "点位在研究区之外，级别不在三级之内",
        },
        {
            "场所编号": "JN-BN-903",
            "场所名称": "示范错误场所三",
            "经度": 0,
            "纬度": 0,
            "备注": WRONG + "坐标为零",
        },
        {
            "场所编号": "JN-BN-904",
            "场所名称": "示范错误场所四",
            "纬度": "",
            "核定容量(人)": -50,
            "备注": WRONG + "缺纬度，容量为负",
        },
    ]
    rows = [table.iloc[60 + i].to_dict() | change for i, change in enumerate(bad)]
    table = pd.concat([table, pd.DataFrame(rows)], ignore_index=True)
    table["序号"] = range(1, len(table) + 1)
    write_workbook(
        folder / "避灾安置场所台账.xlsx",
        sheet="避灾安置场所",
        title="济南市避灾安置场所台账（示范数据）",
        note="填报单位：示范单位    坐标系：WGS-84    级别下限：县级200人、乡镇级100人、村级50人",
        table=table,
    )


def force_ledgers(
    team: pd.DataFrame, depot: pd.DataFrame, stock: pd.DataFrame, folder: Path
) -> None:
    """救援队伍.xlsx, 物资仓库.xlsx and 物资台账.csv (UTF-8 with BOM)."""
    write_workbook(
        folder / "救援队伍.xlsx", sheet="救援队伍", title="社会救援队伍档案（示范数据）", note="坐标系：WGS-84",
        table=pd.DataFrame({
            "队伍编号": team["编号"], "队伍名称": team["名称"], "队伍类型": team["类型"], "专长": team["专长"],
            "经度": team["lon"], "纬度": team["lat"], "人数(人)": team["人数"], "集结时间(分钟)": team["集结"],
            "负责人": team["责任人"], "24小时电话": team["电话"], "数据性质": NOTE, "备注": NOTE,
        }),
    )  # fmt: skip
    write_workbook(
        folder / "物资仓库.xlsx", sheet="物资仓库", title="应急物资储备库点台账（示范数据）", note="坐标系：WGS-84",
        table=pd.DataFrame({
            "仓库编号": depot["编号"], "仓库名称": depot["名称"], "级别": depot["级别"], "所属区县": depot["district"],
            "所属街道": depot["town"], "经度": depot["lon"], "纬度": depot["lat"], "面积(㎡)": depot["面积"],
            "负责人": depot["责任人"], "联系电话": depot["电话"], "数据性质": NOTE, "备注": NOTE,
        }),
    )  # fmt: skip
    write_csv(stock.assign(数据性质=NOTE, 备注=NOTE), folder / "物资台账.csv", encoding="utf-8-sig")


def hill_ledgers(slope: pd.DataFrame, dam: pd.DataFrame, folder: Path) -> None:
    """地质灾害隐患点.csv (GBK) and 水库.geojson."""
    write_csv(
        pd.DataFrame({
            "隐患点编号": slope["编号"], "隐患点名称": slope["名称"], "灾害类型": slope["类型"], "所属区县": slope["district"],
            "所属街道": slope["town"], "经度": slope["lon"], "纬度": slope["lat"], "威胁人数(人)": slope["人数"],
            "威胁户数": slope["户数"], "威胁财产(万元)": slope["财产"], "监测方式": slope["监测"],
            "责任人": slope["责任人"], "联系电话": slope["电话"], "数据性质": NOTE, "备注": NOTE,
        }),
        folder / "地质灾害隐患点.csv", encoding="gbk",
    )  # fmt: skip
    write_geojson(
        gpd.GeoDataFrame({
            "编号": dam["编号"], "水库名称": dam["名称"], "工程规模": dam["规模"], "大坝安全类别": dam["安全"],
            "总库容(万立方米)": dam["库容"], "下游影响人口": dam["人数"], "责任人": dam["责任人"], "联系电话": dam["电话"],
            "数据性质": NOTE, "备注": NOTE,
        }, geometry=gpd.points_from_xy(dam["lon"], dam["lat"]), crs=4326),
        folder / "水库.geojson",
    )  # fmt: skip
