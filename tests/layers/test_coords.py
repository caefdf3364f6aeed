import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from riskmap.layers.place import datum as coords
from riskmap.layers.read import values

DATA = Path(__file__).parents[1] / "data" / "gcj02_bd09"
EXPECTED = json.loads((DATA / "expected_points.json").read_text("utf-8"))
LON, LAT = st.floats(74, 134), st.floats(4, 53)


@pytest.fixture(scope="module")
def cities():
    with (DATA / "cities.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return {key: np.array([float(row[key]) for row in rows]) for key in rows[0] if "_l" in key}


@pytest.mark.parametrize(
    ("change", "source", "target", "tolerance"),
    [
        (coords.wgs84_to_gcj02, "wgs84", "gcj02", 8e-6),
        (coords.gcj02_to_wgs84, "gcj02", "wgs84", 8e-6),
        (coords.gcj02_to_bd09, "gcj02", "bd09", 1e-7),
        (coords.bd09_to_gcj02, "bd09", "gcj02", 2e-6),
    ],
)
def test_664_cities(cities, change, source, target, tolerance):
    lon, lat = change(cities[f"{source}_lon"], cities[f"{source}_lat"])
    assert len(lon) == 664
    np.testing.assert_allclose(lon, cities[f"{target}_lon"], atol=tolerance, rtol=0)
    np.testing.assert_allclose(lat, cities[f"{target}_lat"], atol=tolerance, rtol=0)


@pytest.mark.parametrize("point", EXPECTED["wgs84_to_gcj02"], ids=lambda p: p["name"])
def test_eviltransform_points(point):
    lon, lat = coords.wgs84_to_gcj02(point["wgs84_lon"], point["wgs84_lat"])
    assert (lon, lat) == pytest.approx((point["gcj02_lon"], point["gcj02_lat"]), abs=1e-6)
    back = coords.gcj02_to_wgs84(point["gcj02_lon"], point["gcj02_lat"])
    assert back == pytest.approx((point["wgs84_lon"], point["wgs84_lat"]), abs=5e-6)


@pytest.mark.parametrize(
    ("datum", "expected"),
    [
        ("wgs84_to_gcj02", (116.41024449916938, 39.91640428150164)),
        ("gcj02_to_bd09", (116.41036949371029, 39.92133699351021)),
        ("bd09_to_gcj02", (116.39762729119315, 39.90865673957631)),
        ("gcj02_to_wgs84", (116.39775575457485, 39.913596235609404)),
    ],
)
def test_published_vectors(datum, expected):
    got = getattr(coords, datum)(116.404, 39.915)
    assert got == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("point", EXPECTED["outside_china_must_be_unchanged"])
def test_outside_china_nothing_moves(point):
    assert coords.wgs84_to_gcj02(*point) == pytest.approx(tuple(point), abs=0)
    assert coords.gcj02_to_wgs84(*point) == pytest.approx(tuple(point), abs=0)


@given(LON, LAT)
def test_gcj_round_trip_is_exact(lon, lat):
    assume(abs(lon - 105.0) > 1e-6)  # the formula holds the root of |lon - 105|
    there = coords.wgs84_to_gcj02(lon, lat)
    back = coords.gcj02_to_wgs84(*there)
    assert np.hypot(back[0] - lon, back[1] - lat) * 111_320 < 1e-7


@given(LON, LAT)
def test_bd_round_trip(lon, lat):
    back = coords.bd09_to_gcj02(*coords.gcj02_to_bd09(lon, lat))
    assert np.hypot(back[0] - lon, back[1] - lat) * 111_320 < 0.5


def test_unknown_datum():
    with pytest.raises(ValueError, match="beijing54"):
        coords.to_wgs84(1, 1, datum="beijing54")


@pytest.mark.parametrize(
    "written",
    [
        "118°18′28.8″",
        "118°18'28.8\"E",
        "118°18′28.8''",
        "118 18 28.8",
        "118-18-28.8",
        "118d18m28.8s",
        "118d18'28.8\"E",
        "118deg18min28.8secE",
        "'118.308",
        "118:18:28.8",
        "东经118度18分28.8秒",
        "E118.308",
        "118.308E",
        "118.308°",
        "118°18.48′",
        "１１８．３０８",
        "１１８°１８′２８．８″",
        "118,308",
        " 118.308 ",
        118.308,
    ],
)
def test_one_angle_in_many_hands(written):
    read = values.parse_angle([written], axis="lon")
    assert read.reason.tolist() == [""]
    assert read.degrees[0] == pytest.approx(118.308, abs=1e-9)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("118°60′00″", "minutes"),
        ("118°18′60″", "seconds"),
        ("N36.8", "hemisphere"),
        ("待核实", "unreadable"),
        ("118°18.5′20″", "unreadable"),
        ("181.5", "range"),
        ("", "empty"),
        (None, "empty"),
        (float("nan"), "empty"),
    ],
)
def test_bad_angles_say_why(written, reason):
    read = values.parse_angle([written], axis="lon")
    assert read.reason.tolist() == [reason]


@pytest.mark.parametrize(
    "written",
    [
        "118.308,36.827",
        "118.308，36.827",
        "118.308 36.827",
        "(118.308, 36.827)",
        "36.827, 118.308",
        "36.827N 118.308E",
        "北纬36°49′37.2″ 东经118°18′28.8″",
        "东经118度18分28.8秒北纬36度49分37.2秒",
        "118°18′28.8″E, 36°49′37.2″N",
        "118 18 28.8 36 49 37.2",
        "经度：118.308 纬度：36.827",
        "POINT (118.308 36.827)",
        "118.308/36.827",
    ],
)
def test_both_in_one_cell(written):
    lon, lat = values.parse_pairs([written])
    assert lon.reason.tolist() == lat.reason.tolist() == [""]
    assert lon.degrees[0] == pytest.approx(118.308, abs=1e-9)
    assert lat.degrees[0] == pytest.approx(36.827, abs=1e-9)


@given(st.integers(0, 179), st.integers(0, 59), st.integers(0, 5999), st.sampled_from("°- "))
def test_dms_round_trip(degrees, minutes, hundredths, mark):
    seconds = hundredths / 100
    marks = ("°", "′", "″") if mark == "°" else (mark, mark, "")
    written = f"{degrees}{marks[0]}{minutes}{marks[1]}{seconds:.2f}{marks[2]}"
    expected = degrees + minutes / 60 + seconds / 3600
    assert values.parse_angle([written]).degrees[0] == pytest.approx(expected, abs=1e-9)
