"""Damaged and made-up input: a reader gives rows, or says in words what is wrong.

``make fuzz`` tries ten minutes (``RISKMAP_FUZZ_S``); the ordinary suite takes a few seconds.
"""

import json
import os
import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import rasterio
import yaml
from shapely import Point

from riskmap.errors import RiskmapError
from riskmap.export.public import scrub
from riskmap.files import parse_json, parse_yaml
from riskmap.layers.layer import LayerSpec
from riskmap.layers.read.layer import read_layer
from riskmap.project.schema import load_project
from riskmap.vocabulary.roles import load_roles
from tests import town

SECONDS = float(os.environ.get("RISKMAP_FUZZ_S", "1"))
SEED = int(os.environ.get("RISKMAP_FUZZ_SEED", "1"))
WORDS = [
    b'"', b"'", b",", b"\n", b"\r", b"\x00", b"\xff\xfe", b"<", b">", b"&", b"{", b"}", b"[", b"]", b":",
    b"- ", b"&a", b"*a", b"<!ENTITY", b"NaN", b"1e999", b"-1", b"9" * 400, "经度".encode("gbk"),
    "\U0002000b".encode(), b"\xed\xa0\x80", b"=cmd|' /C calc'!A0", b"../../etc/passwd", b"/vsicurl/",
]  # fmt: skip


def harmed(content: bytes, chance: random.Random) -> bytes:
    """Flip, cut, repeat, insert or overwrite some bytes."""
    out = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(out) + 1)
        how = chance.randrange(5)
        if how == 0 and out:
            out[at % len(out)] ^= 1 << chance.randrange(8)
        elif how == 1:
            del out[at : at + chance.randint(1, 200)]
        elif how == 2:
            out[at:at] = out[at : at + chance.randint(1, 200)]
        elif how == 3:
            out[at:at] = chance.choice(WORDS)
        else:
            word = chance.choice(WORDS)
            out[at : at + len(word)] = word
    return bytes(out)


def until(tries: Callable[[random.Random, int], None]) -> int:
    """Try for some seconds, each try from a seed of its own; give the number of tries."""
    deadline, turn = time.perf_counter() + SECONDS, 0
    while time.perf_counter() < deadline:
        turn += 1
        try:
            tries(random.Random(SEED * 1_000_003 + turn), turn)
        except Exception as error:
            error.add_note(f"RISKMAP_FUZZ_SEED={SEED}, try {turn}")
            raise
    return turn


def files(folder: Path) -> dict[str, Path]:
    frame = gpd.GeoDataFrame(
        {"名称": ["甲", "乙", "丙"], "积水深度": [0.3, 0.4, None]},
        geometry=[Point(117.0 + i / 100, 36.1) for i in range(3)], crs=4326,
    )  # fmt: skip
    found = {}
    for name, driver in (("a.geojson", "GeoJSON"), ("a.gpkg", "GPKG"), ("a.kml", "LIBKML"),
                         ("a.fgb", "FlatGeobuf"), ("a.shp", "ESRI Shapefile")):  # fmt: skip
        frame.to_file(folder / name, driver=driver, encoding="utf-8")
        found[name] = folder / name
    book = openpyxl.Workbook()
    book.active.append(["名称", "经度", "纬度", "积水深度"])
    for i in range(5):
        book.active.append([f"点{i}", 117.0 + i / 100, 36.1, 0.3])
    book.save(folder / "a.xlsx")
    found["a.xlsx"] = folder / "a.xlsx"
    rows = "\n".join(f"点{i},{117 + i / 100},36.1,0.3" for i in range(9))
    (folder / "a.csv").write_text(f"名称,经度,纬度,积水深度\n{rows}\n", encoding="utf-8")
    found["a.csv"] = folder / "a.csv"
    with rasterio.open(
        folder / "a.tif", "w", driver="GTiff", width=8, height=8, count=1, dtype="float32",
        crs="EPSG:4548", transform=rasterio.Affine(10, 0, 500_000, 0, -10, 4_000_080),
    ) as target:  # fmt: skip
        target.write(np.ones((1, 8, 8), "float32"))
    found["a.tif"] = folder / "a.tif"
    return found


@pytest.mark.filterwarnings("ignore")
def test_layers(tmp_path):
    sources = files(tmp_path)
    whole = {name: path.read_bytes() for name, path in sources.items()}
    roles = load_roles()

    def one(chance: random.Random, _: int) -> None:
        name = chance.choice(sorted(sources))
        sources[name].write_bytes(harmed(whole[name], chance))
        role = roles["dem" if name.endswith(".tif") else "flood_point"]
        spec = LayerSpec(path=sources[name], shown=name)
        layer, problems = read_layer(role, [spec], crs="EPSG:4548", place=None)
        assert all(str(problem) for problem in problems)
        for source in layer.sources:
            assert source.rows_in == source.rows_used + source.rows_returned
        sources[name].write_bytes(whole[name])

    assert until(one) > 0


def test_project_files(tmp_path):
    path = town.write(tmp_path)
    whole = path.read_bytes()

    def one(chance: random.Random, _: int) -> None:
        path.write_bytes(harmed(whole, chance))
        with suppress(RiskmapError):
            load_project(path)

    assert until(one) > 0


def test_documents():
    whole = json.dumps({"a": [1, {"b": "济南"}], "c": {"d": None}}).encode()

    def one(chance: random.Random, _: int) -> None:
        content = harmed(whole, chance).decode("utf-8", "replace")
        for parse, refused in ((parse_json, ValueError), (parse_yaml, yaml.YAMLError)):
            try:
                parse(content)
            except refused:
                continue

    assert until(one) > 0


def test_no_number_survives_in_any_spelling():
    marks = ["", " ", "-", ".", "·", "  ", "\u200b", "—", " - "]

    def one(chance: random.Random, _: int) -> None:
        digits = "1" + chance.choice("3456789") + "".join(chance.choices("0123456789", k=9))
        wide = chance.random() < 0.5
        shown = [chr(ord(d) + 0xFEE0) if wide else d for d in digits]
        said = shown[0] + "".join(chance.choice(marks) + d for d in shown[1:])
        before = "".join(chance.choices("值班电话甲乙 ，。()", k=chance.randint(0, 9)))
        assert shown[-1] not in scrub(f"{before}{said}。").replace("*", "")

    assert until(one) > 0
