import base64
import gzip
import io
import re
import sqlite3
import zipfile
import zlib
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmap.errors import ExportError
from riskmap.export import public
from riskmap.export.public import scrub
from riskmap.i18n import text
from tests.sample import (
    CANARIES,
    CANARY_LANDLINE,
    CANARY_PATH,
    CANARY_PERSON,
    CANARY_PHONE,
    CANARY_QUANTITY,
    sample_result,
)


@pytest.fixture(scope="module")
def redacted():
    return public.redact(sample_result(profile="public"))


def unpacked(folder):
    """Give every byte of a folder's files, as written and as unpacked."""
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes()
        yield path.name, content
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    yield f"{path.name}/{name}", archive.read(name)
        if path.suffix == ".gpkg":
            with sqlite3.connect(path) as base:
                rows = base.execute("SELECT content FROM qgis_projects").fetchall()
            base.close()
            for (digits,) in rows:
                with zipfile.ZipFile(io.BytesIO(bytes.fromhex(digits))) as archive:
                    for name in archive.namelist():
                        yield f"{path.name}/{name}", archive.read(name)
        for match in re.finditer(rb"[A-Za-z0-9+/]{64,}={0,2}", content):
            try:
                decoded = base64.b64decode(match.group())
            except ValueError:
                continue
            for unpack in (gzip.decompress, zlib.decompress, lambda raw: zlib.decompress(raw, -15)):
                try:
                    yield f"{path.name}@{match.start()}", unpack(decoded)
                except (OSError, EOFError, zlib.error):
                    continue
            yield f"{path.name}@{match.start()} raw", decoded


def spellings(canary):
    """Give the bytes in which a canary may hide."""
    escaped = canary.encode("ascii", "backslashreplace")
    entities = "".join(f"&#{ord(letter)};" for letter in canary).encode()
    percent = "".join(f"%{byte:02X}" for byte in canary.encode()).encode()
    return {
        canary.encode(),
        canary.encode("utf-16-le"),
        canary.encode("gbk"),
        escaped,
        entities,
        percent,
    }


def test_no_canary_in_any_byte_of_the_public_folder(written):
    searched = 0
    for name, content in unpacked(written("public")):
        searched += 1
        for canary in CANARIES:
            for form in spellings(canary):
                assert form not in content, (canary, name)
    assert searched > 30


@pytest.mark.parametrize("number", [123.4567, CANARY_QUANTITY])
def test_no_private_number_in_the_public_package(written, number):
    import struct

    package = (written("public") / "riskmap.gpkg").read_bytes()
    assert struct.pack(">d", number) not in package
    assert struct.pack(">d", number) in (written("internal") / "riskmap.gpkg").read_bytes()


def test_every_canary_is_in_the_internal_folder(written):
    """Without this the search above could pass for want of canaries."""
    everything = b"".join(content for _, content in unpacked(written("internal")))
    for canary in CANARIES:
        if canary.isdigit() and len(canary) < 11:
            continue  # a number: the package holds it in binary, see above
        assert any(form in everything for form in spellings(canary)), canary


def test_redacting_twice_changes_nothing(redacted):
    again = public.redact(redacted)
    for role, layer in redacted.layers.items():
        if layer.table is not None:
            assert layer.table.equals(again.layers[role].table), role
    assert again.items.astype(str).equals(redacted.items.astype(str))
    assert again.control.astype(str).equals(redacted.control.astype(str))
    assert replace(again.facts) == redacted.facts


def test_roles_that_are_not_public_have_no_rows(redacted):
    assert redacted.layers["stock"].table is None
    assert redacted.layers["stock"].rows_in == 1
    assert redacted.layers["hazard_source"].table is not None


def test_only_public_fields_are_left(redacted):
    assert set(redacted.layers["flood_point"].table.columns) == {
        "name", "class", "depth_m", "people", "risk_level", "measure", "geometry",
    }  # fmt: skip
    columns = set(redacted.layers["hazard_source"].table.columns)
    assert columns.isdisjoint({"r_value", "substances", "quantity_t", "person", "phone", "_file"})
    assert {"person", "phone", "missing", "reviewer"}.isdisjoint(redacted.control.columns)
    assert {"measure", "deadline", "status"} <= set(redacted.control.columns)


def test_sensitive_places_stand_far_from_where_they_are(redacted):
    exact = sample_result().layers
    for role in ("hazard_source", "supply_depot"):
        table = redacted.layers[role].table
        moved = table.geometry
        for values in (moved.x, moved.y):
            np.testing.assert_array_equal(values.to_numpy() % 2000, 1000)
        own = public.coarsen(exact[role].table.geometry)  # row by row
        assert (own.distance(exact[role].table.geometry) >= 500).all()
        assert sorted(own.to_wkt()) == sorted(moved.to_wkt())
        assert not set(table.index) & set(exact[role].table.index)
        assert table["number"].isna().all() if "number" in table else True
        assert not set(table["name"]) & set(exact[role].table["name"])
    points = redacted.layers["flood_point"].table.geometry
    assert points.geom_equals(exact["flood_point"].table.geometry).all()


def test_a_result_from_exact_places_is_refused():
    with pytest.raises(ExportError, match="--profile public"):
        public.redact(sample_result())


@given(st.lists(st.one_of(st.none(), st.integers(0, 10_000_000)), min_size=1))
def test_rough_counts_keep_every_threshold_of_one_figure(counts):
    exact = pd.Series(counts, dtype="Int64")
    told = public.roughly(exact)
    assert public.roughly(told).equals(told)
    for limit in (1, 10, 50, 100, 500, 1000, 10_000):
        assert (told >= limit).equals(exact >= limit)
    large = told.dropna()[exact.dropna() >= 10].astype(str)
    assert (large.str.rstrip("0").str.len() == 1).all()
    assert set(told.dropna()[exact.dropna() < 10]) <= {0, 5}


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_nothing_is_moved_by_less_than_500_m_or_more_than_3_km(x, y):
    from shapely.geometry import Point

    spot = Point(x, y)
    (moved,) = public.coarsen(gpd.GeoSeries([spot]))
    assert 500 <= moved.distance(spot) <= 3000


def test_coordinates_of_the_list_follow_the_coarse_places(redacted):
    row = redacted.items.loc["WX-公1"]
    place = redacted.layers["hazard_source"].table.geometry.loc[["WX-公1"]].to_crs(4326).iloc[0]
    assert (row["lon"], row["lat"]) == (round(place.x, 6), round(place.y, 6))


def test_same_items_in_list_table_and_map(redacted):
    assert set(redacted.items.index) == set(redacted.control.index)
    shown = set().union(
        *(layer.table.index for layer in redacted.layers.values() if layer.table is not None)
    )
    assert set(redacted.items.index) <= shown


def test_free_texts_are_scrubbed(redacted):
    measures = redacted.layers["flood_point"].table["measure"].dropna()
    assert set(measures) == {"值守电话 ***，***带队"}
    assert CANARY_PERSON not in str(redacted.items["measure"].map(str).tolist())


def test_problems_are_counted_only(redacted):
    severities = [problem.severity for problem in redacted.problems]
    assert severities == ["returned", "note", "unusable"]
    assert all(problem.file == problem.value == "" for problem in redacted.problems)


def test_files_have_plain_names(redacted):
    assert [file.shown for file in redacted.inputs] == ["flood_point-1.xlsx"]
    sources = [source for layer in redacted.layers.values() for source in layer.sources]
    assert CANARY_PATH not in repr(sources)


def test_a_sensitive_polygon_becomes_a_point():
    from shapely.geometry import box

    moved = public.coarsen(gpd.GeoSeries([box(0, 0, 1200, 90), None], crs=4548))
    assert moved.iloc[0].wkt == "POINT (1000 1000)"
    assert moved.iloc[1] is None


@pytest.mark.parametrize(
    "number",
    [
        CANARY_PHONE, CANARY_LANDLINE, "139 0000 1234", "139-0000-1234", "+86 13900001234",
        "8613900001234", "(0531)81234567", "（0531）8123-4567", "010-81234567", "0531 8123 4567",
        "0531-81234567-802", "0531-81234567转802", "400-810-1234", "4008101234",
        "37010219800101123X", "a.b@example.org", "139.1234.5678", "１３９１２３４５６７８",
        "1 3 9 1 2 3 4 5 6 7 8", "139\u200b1234\u200b5678", "一三九零零零零一二三四", "８１２３４５６７",
        "wxid_abc123", "微信号：zhang_san9", "VX:lisi2020",
    ],
)  # fmt: skip
def test_numbers_are_blotted_out(number):
    frames = ("电话{}。", "{}", "call {} now", "\n{}\t", *(("A{}B",) if number[0] in "1(+" else ()))
    for frame in frames:
        assert scrub(frame.format(number)) == frame.format("***")


@pytest.mark.parametrize(
    "harmless",
    [
        "积水深度 0.35 m",
        "370102101200",
        "2026-04-15",
        "500米范围 12345 人",
        "拨打119或12345",
        "117.123456, 36.123456",
    ],
)
def test_harmless_numbers_stay(harmless):
    assert scrub(harmless) == harmless


def test_private_words_go_longest_first_and_numbers_whole():
    assert (
        scrub("张三丰和张三，储量5吨、50吨", ["张三", "张三丰", "50"]) == "***和***，储量5吨、***吨"
    )


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_mobile_number_never_survives(before, after):
    assert "13900001234" not in scrub(f"{before} 13900001234 {after}")


def test_notes_are_scrubbed_in_both_languages():
    from riskmap.i18n import both

    note = public.scrub_note(text("call {who}", who="13900001234"))
    assert both(note) == {"zh": "call ***", "en": "call ***"}


def test_nothing_is_said_of_what_lies_around_a_mark_that_was_moved():
    """No refuge, people or village of the mark: it stands for another place."""
    own, unit = text("depth {d} m", d=1), text("{unit} as a whole", unit="甲村")
    ledger, within = text("from the ledger"), text("residents within {radius} m", radius=500)
    rows = pd.DataFrame(
        {"people": [10, 20, 30], "people_basis": [within, ledger, within], "refuge_m": 5.0,
         "reason": [[own, unit], [own], [own, unit]]},
    )  # fmt: skip
    shown = public._without_mark(rows, pd.Series([True, True, False]))
    assert shown["people"].fillna(-1).tolist() == [-1, 20, 30]
    assert shown["people_basis"].tolist() == [None, ledger, within]
    assert shown["refuge_m"].isna().tolist() == [True, True, False]
    assert shown["reason"].tolist() == [[own], [own], [own, unit]]
    assert rows["people"].tolist() == [10, 20, 30]
