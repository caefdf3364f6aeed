"""Files as offices send them, made broken in known ways, each with its one right reading.

``cases()`` gives more than 300: a name, how to write the file, how the project file names it, and
what must come out. Run as a script with a folder to have them written there.
"""

from __future__ import annotations

import itertools
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely
import xlsxwriter

from riskmap.layers.place.datum import gcj02_to_bd09, wgs84_to_gcj02

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAMES = ("文化路下穿桥", "临淄大道积水段", "城关中学门口", "一号桥")
AT = ((118.301231, 36.821232), (118.312342, 36.822343), (118.323453, 36.823454), (118.33, 36.81))
DEPTH = (0.5, 0.2, 1.25, None)
HEADER = ("名称", "经度", "纬度", "积水深度")


@dataclass(frozen=True)
class Case:
    """One file and its right reading."""

    name: str
    file: str
    write: Callable[[Path], None]
    words: dict[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = NAMES
    at: tuple[tuple[float, float], ...] = AT
    depth: tuple[float | None, ...] = DEPTH
    rule: str = ""
    """A rule that must be told."""
    within_m: float = 1.0


def rows(scale: float = 1.0, *, at: Any = AT) -> list[list[Any]]:
    """Give the four records as cells."""
    return [
        [name, x, y, "" if depth is None else round(depth * scale, 6)]
        for name, (x, y), depth in zip(NAMES, at, DEPTH, strict=True)
    ]


def lines(table: list[list[Any]], mark: str = ",") -> str:
    """Join cells to the text of a table."""
    return "\n".join(mark.join(str(cell) for cell in row) for row in table) + "\n"


def text_file(table: list[list[Any]], *, mark: str = ",", encoding: str = "utf-8") -> Any:
    """Return a writer of a text table."""
    return lambda path: path.write_bytes(lines(table, mark).encode(encoding))


def book(sheets: dict[str, list[list[Any]]], merged: tuple[Any, ...] = ()) -> Any:
    """Return a writer of a workbook."""

    def write(path: Path) -> None:
        with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as out:
            for name, table in sheets.items():
                sheet = out.add_worksheet(name)
                for index, row in enumerate(table):
                    for column, cell in enumerate(row):
                        if cell != "":
                            sheet.write(index, column, cell)
                for area in merged:
                    first = table[area[0]][area[1]]
                    sheet.merge_range(*area, first)

    return write


def texts() -> Iterator[Case]:
    """Encodings, delimiters, damage."""
    table = [list(HEADER), *rows()]
    codes = ("utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le")
    for encoding, mark in itertools.product(codes, (",", "\t", ";", "|")):
        yield Case(f"text {encoding} {mark!r}", "a.csv", text_file(table, mark=mark,
                   encoding=encoding))  # fmt: skip
    for encoding in ("utf-8", "gbk"):
        body = lines(table).encode(encoding)
        for at in range(len(body) - 40, len(body) - 20):
            broken = body[:at] + b"\xff" + body[at:]
            yield Case(f"bad byte {encoding} {at}", "a.csv", _bytes(broken), names=(),
                       at=(), depth=(), rule="bad_bytes")  # fmt: skip
    for one, other in (("utf-8", "gbk"), ("gbk", "utf-8")):
        head = lines([list(HEADER), *rows()[:3]]).encode(one)
        tail = lines(rows()[3:]).encode(other)
        yield Case(f"mixed {one} {other}", "a.csv", _bytes(head + tail))
    cut = lines([[*HEADER[1:], "名称"], *[[*row[1:], row[0]] for row in rows()]]).encode()
    yield Case("cut tail", "a.csv", _bytes(cut[:-2]), names=NAMES[:3], at=AT, depth=DEPTH,
               rule="bad_bytes")  # fmt: skip


def _bytes(content: bytes) -> Any:
    return lambda path: path.write_bytes(content)


PAIRS = (
    ("经度", "纬度"), ("东经", "北纬"), ("经度(E)", "纬度(N)"), ("经度（E）", "纬度（N）"),
    ("X坐标（经度）", "Y坐标（纬度）"), ("坐标经度", "坐标纬度"), ("經度", "緯度"), ("lon", "lat"),
    ("LNG", "LAT"), ("longitude", "latitude"), ("POINT_X", "POINT_Y"), ("X", "Y"), ("jd", "wd"),
    ("经\u200b度", "纬度\u200b"), ("经 度", "纬 度"), ("经度\n(°)", "纬度\n(°)"), ("GPS经度", "GPS纬度"),
    ("经度（度）", "纬度（度）"), ("中心点经度", "中心点纬度"), ("＊经度", "＊纬度"), ("经度（必填）", "纬度（必填）"),
    ("大地经度", "大地纬度"), ("lon_wgs84", "lat_wgs84"), ("jingdu", "weidu"),
)  # fmt: skip


def headers() -> Iterator[Case]:
    """Names of the coordinate columns, and both in one cell."""
    for lon, lat in PAIRS:
        table = [["名称", lon, lat, "水深"], *rows()]
        yield Case(f"header {lon}", "a.xlsx", book({"表": table}))
        yield Case(f"header text {lon}", "a.csv", lambda path, t=table: _quoted(path, t))
    for label in ("location", "坐标", "经纬度", "GPS坐标", "lnglat", "coordinates", "座標"):
        for form in ("{x},{y}", "{x} {y}", "东经{x}°，北纬{y}°", "{y}N {x}E"):
            table = [["名称", label, "水深"]]
            table += [[n, form.format(x=x, y=y), d] for n, x, y, d in rows()]
            yield Case(f"pair {label} {form}", "a.xlsx", book({"表": table}))


def _quoted(path: Path, table: list[list[Any]]) -> None:
    cells = [['"' + str(cell).replace('"', '""') + '"' for cell in row] for row in table]
    path.write_text(lines(cells), encoding="utf-8")


def units() -> Iterator[Case]:
    """Units in the header, below it, above the table, in the cells."""
    for unit, scale in (
        ("cm", 100.0),
        ("厘米", 100.0),
        ("mm", 1000.0),
        ("毫米", 1000.0),
        ("米", 1.0),
    ):
        for form in (
            "积水深度({u})",
            "积水深度（{u}）",
            "积水深度/{u}",
            "积水深度[{u}]",
            "积水深度\n（单位：{u}）",
        ):
            table = [["名称", "经度", "纬度", form.format(u=unit)], *rows(scale)]
            yield Case(f"unit {form} {unit}", "a.xlsx", book({"表": table}))
        below = [list(HEADER), ["", "度", "度", unit], *rows(scale)]
        yield Case(f"unit row {unit}", "a.xlsx", book({"表": below}))
        yield Case(f"unit row text {unit}", "a.csv", text_file(below))
        above = [
            ["易涝点台账", "", "", ""],
            ["", "", "", f"单位：{unit}"],
            list(HEADER),
            *rows(scale),
        ]
        yield Case(f"unit above {unit}", "a.xlsx", book({"表": above}))
        inside = [[n, x, y, "" if d == "" else f"{d}{unit}"] for n, x, y, d in rows(scale)]
        yield Case(f"unit in cells {unit}", "a.xlsx", book({"表": [list(HEADER), *inside]}))
        yield Case(f"full width {unit}", "a.csv", text_file(
            [list(HEADER), *[[n, x, y, _wide(d)] for n, x, y, d in inside]]))  # fmt: skip
    for form in ("约{d}", "{d}左右", "≈{d}", "最深{d}", "{d}（桥下）", "达{d}", "{d}以上"):
        table = [[n, x, y, "" if d == "" else form.format(d=f"{d}米")] for n, x, y, d in rows()]
        yield Case(f"about {form}", "a.xlsx", book({"表": [list(HEADER), *table]}))


def _wide(cell: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if c.isdigit() or c == "." else c for c in cell)


def shapes() -> Iterator[Case]:
    """Titles, notes, totals, several header rows, joined cells, several tables."""
    plain = [list(HEADER), *rows()]
    title = [["某区易涝点台账", "", "", ""], ["填报单位：某局", "", "填报日期：2026年3月", ""]]
    note = [["", "", "", ""], ["注：深度为历史最大值", "", "", ""], ["审核：责任人A", "", "", ""]]
    total = [["合计", "", "", 1.95]]
    for index, parts in enumerate(itertools.product((False, True), repeat=4)):
        table = [
            *(title if parts[0] else []),
            list(HEADER),
            *([["1", "2", "3", "4"]] if parts[1] else []),
            *rows(),
            *(total if parts[2] else []),
            *(note if parts[3] else []),
        ]
        yield Case(f"frame {index}", "a.xlsx", book({"表": table}))
        yield Case(f"frame text {index}", "a.csv", text_file(table))
    two = [["名称", "坐标", "", "积水深度"], ["", "经度", "纬度", ""], *rows()]
    yield Case("two rows", "a.xlsx", book({"表": two}))
    yield Case("two rows joined", "a.xlsx", book({"表": two},
               ((0, 0, 1, 0), (0, 1, 0, 2), (0, 3, 1, 3))))  # fmt: skip
    three = [
        ["易涝点", "位置", "", "情况"],
        ["名称", "坐标", "", "积水"],
        ["", "经度", "纬度", "深度"],
        *rows(),
    ]
    yield Case("three rows", "a.xlsx", book({"表": three}))
    english = [list(HEADER), ["name", "lon", "lat", "depth"], *rows()]
    yield Case("two languages", "a.xlsx", book({"表": english}))
    beside = [[*HEADER, *HEADER], [*rows()[0], *rows()[1]], [*rows()[2], *rows()[3]]]
    yield Case("side by side", "a.xlsx", book({"表": beside}))
    yield Case("stacked", "a.xlsx", book({"表": [
        ["甲镇", "", "", ""], list(HEADER), *rows()[:2], ["", "", "", ""], ["乙镇", "", "", ""],
        list(HEADER), *rows()[2:]]}))  # fmt: skip
    turned = [["纬度", "经度", "积水深度", "名称"], *[[r[2], r[1], r[3], r[0]] for r in rows()[2:]]]
    yield Case(
        "stacked, other order", "a.xlsx", book({"表": [*plain[:3], ["", "", "", ""], *turned]})
    )
    numbered = [["编号", *HEADER]]
    sheets = {f"{town}镇": [*numbered, [1, *a], [2, *b]] for town, a, b in (
        ("甲", rows()[0], rows()[1]), ("乙", rows()[2], rows()[3]))}  # fmt: skip
    yield Case("number anew", "a.xlsx", book(sheets), rule="number_anew")
    older = [[n, x + 0.0001, y, 9.0] for n, x, y, _ in rows()]
    for old, new in (("2024年", "2025年"), ("2024", "2025"), ("2023年汛期", "2025年汛期")):
        yield Case(f"years {old}", "a.xlsx", book({old: [list(HEADER), *older], new: plain}),
                   rule="older_years")  # fmt: skip
    for first, parts in (("经度", "度分秒"), ("东经", "°′″")):
        second = {"经度": "纬度", "东经": "北纬"}[first]
        top = ["名称", first, "", "", second, "", "", "积水深度"]
        low = ["", *parts, *parts, ""]
        data = [[n, *_dms(x), *_dms(y), d] for n, x, y, d in rows()]
        joined = ((0, 1, 0, 3), (0, 4, 0, 6), (0, 0, 1, 0), (0, 7, 1, 7))
        yield Case(f"parts of angles {first}", "a.xlsx", book({"表": [top, low, *data]}, joined))
        yield Case(
            f"parts of angles, not joined {first}", "a.xlsx", book({"表": [top, low, *data]})
        )
        flat = [
            "名称",
            *[f"{first}{p}" for p in "度分秒"],
            *[f"{second}{p}" for p in "度分秒"],
            "水深",
        ]
        yield Case(f"parts of angles flat {first}", "a.xlsx", book({"表": [flat, *data]}))


def _dms(angle: float) -> tuple[int, int, float]:
    degrees = int(angle)
    minutes = int((angle - degrees) * 60)
    return degrees, minutes, round((angle - degrees - minutes / 60) * 3600, 3)


FORMS = (
    "{d}°{m}′{s}″", "{d}度{m}分{s}秒", "{d} {m} {s}", "{d}-{m}-{s}", "{d}°{m}'{s}\"", "{d}º{m}’{s}”",
    "{d}：{m}：{s}",
)  # fmt: skip


def angles() -> Iterator[Case]:
    """Degrees, minutes and seconds in one cell."""
    for form, side in itertools.product(FORMS, ("", "东经")):
        other = "北纬" if side else ""
        table = [[n, side + _formed(form, x), other + _formed(form, y), d] for n, x, y, d in rows()]
        yield Case(f"angle {side}{form}", "a.xlsx", book({"表": [list(HEADER), *table]}))
    turned = [[n, y, x, d] for n, x, y, d in rows()]
    yield Case("all swapped", "a.csv", text_file([list(HEADER), *turned]), rule="swapped")
    some = [*rows()[:2], *turned[2:]]
    yield Case("some swapped", "a.csv", text_file([list(HEADER), *some]), rule="swapped")


def _formed(form: str, angle: float) -> str:
    degrees, minutes, seconds = _dms(angle)
    return form.format(d=degrees, m=minutes, s=seconds)


def moved(datum: str) -> tuple[tuple[float, float], ...]:
    """Give the four places in another datum."""
    x, y = [a for a, _ in AT], [b for _, b in AT]
    if datum in ("gcj02", "bd09"):
        x, y = wgs84_to_gcj02(x, y)
    if datum == "bd09":
        x, y = gcj02_to_bd09(x, y)
    return tuple((float(a), float(b)) for a, b in zip(x, y, strict=True))


SAID = {
    "gcj02": (
        "注：以上坐标由高德地图量取",
        "坐标系：火星坐标（GCJ-02）",
        "备注：经纬度取自腾讯地图拾取坐标",
    ),
    "bd09": ("说明：坐标为百度地图坐标", "坐标系：BD-09", "注：经纬度从百度地图拾取"),
    "wgs84": ("注：坐标为手持GPS采集", "坐标系：WGS84", "说明：坐标已由高德坐标转换为WGS-84"),
}


def datums() -> Iterator[Case]:
    """A datum named in the header, beside the table, in the row, by another sheet."""
    for datum, notes in SAID.items():
        table = [list(HEADER), *rows(at=moved(datum))]
        for index, note in enumerate(notes):
            yield Case(f"note below {datum} {index}", "a.xlsx", book({"表": [*table, [note]]}))
            yield Case(
                f"note above {datum} {index}", "a.csv", text_file([[note, "", "", ""], *table])
            )
            yield Case(f"note on a sheet {datum} {index}", "a.xlsx",
                       book({"表": table, "填表说明": [["说明"], [note]]}))  # fmt: skip
        for word in {"gcj02": ("GCJ02", "高德"), "bd09": ("BD09", "百度"), "wgs84": ("WGS84",)}[
            datum
        ]:
            named = [["名称", f"经度（{word}）", f"纬度（{word}）", "水深"], *table[1:]]
            yield Case(f"header datum {word}", "a.xlsx", book({"表": named}))
    own = [[*row, word] for row, word in zip(
        [rows(at=moved(d))[i] for i, d in enumerate(("gcj02", "wgs84", "bd09", "gcj02"))],
        ("GCJ02", "WGS84", "百度坐标", "火星坐标"), strict=True)]  # fmt: skip
    yield Case("datum of the row", "a.csv", text_file([[*HEADER, "坐标系"], *own]),
               rule="datum_from_rows")  # fmt: skip


BAD = ("很深", "齐腰深", "待测", "3人", "-5", "1900", "？", "#REF!", "见附件", "5-")


def cells() -> Iterator[Case]:
    """A bad optional cell is unknown and never costs the row."""
    for bad in BAD:
        table = rows()
        table[1][3] = bad
        for where, write in (("text", text_file([list(HEADER), *table])),
                             ("book", book({"表": [list(HEADER), *table]}))):  # fmt: skip
            yield Case(f"bad cell {where} {bad}", "a.csv" if where == "text" else "a.xlsx", write,
                       depth=(0.5, None, 1.25, None))  # fmt: skip
    yield Case("where", "a.csv", text_file([list(HEADER), *rows()]), {"where": "积水深度 > 0.3"},
               names=(NAMES[0], NAMES[2]), at=(AT[0], AT[2]), depth=(0.5, 1.25))  # fmt: skip


def vectors() -> Iterator[Case]:
    """Shapefiles whose .cpg lies, GBK texts, archives."""
    pages = (None, "GBK", "936", "ISO-8859-1", "UTF-8", "1252", "ANSI 936")
    for encoding, page in itertools.product(("gbk", "utf-8", "gb18030"), pages):
        yield Case(f"shapefile {encoding} {page}", "a.shp",
                   lambda path, e=encoding, p=page: _shapefile(path, e, p))  # fmt: skip
    for encoding in ("utf-8", "gbk", "utf-8-sig", "gb18030"):
        yield Case(f"geojson {encoding}", "a.geojson", lambda path, e=encoding: _geojson(path, e))
    for form in ("a.gpkg", "a.fgb"):
        yield Case(form, form, lambda path: _frame().to_file(path))
    yield Case("a.parquet", "a.parquet", lambda path: _frame().to_parquet(path))
    yield Case("name with !", "积水点!.geojson", lambda path: _geojson(path, "utf-8"))


def _frame() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"名称": list(NAMES), "水深": list(DEPTH)},
        geometry=[shapely.Point(p) for p in AT],
        crs=4326,
    )


def _shapefile(path: Path, encoding: str, page: str | None) -> None:
    _frame().to_file(path, encoding=encoding)
    path.with_suffix(".cpg").unlink(missing_ok=True)
    table = bytearray(path.with_suffix(".dbf").read_bytes())
    table[29] = 0
    path.with_suffix(".dbf").write_bytes(bytes(table))
    if page:
        path.with_suffix(".cpg").write_text(page)


def _geojson(path: Path, encoding: str) -> None:
    features = [
        {"type": "Feature", "properties": {"名称": n, "水深": d, "more": {"a": [1]}},
         "geometry": {"type": "Point", "coordinates": p}}
        for n, p, d in zip(NAMES, AT, DEPTH, strict=True)
    ]  # fmt: skip
    body = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    path.write_bytes(body.encode(encoding))


def cases() -> list[Case]:
    """Give all cases, in one order."""
    kinds = (texts, headers, units, shapes, angles, datums, cells, vectors)
    return [case for kind in kinds for case in kind()]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for number, case in enumerate(cases()):
        inner = folder / f"{number:03d}"
        inner.mkdir(parents=True, exist_ok=True)
        case.write(inner / case.file)
    sys.stdout.write(f"{len(cases())} files\n")
