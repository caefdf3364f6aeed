"""CRS: the five places of the domain's rules (pyproj computed), zone edges, refusals."""

import pytest
from pyproj import CRS

from riskmap.errors import CRSError
from riskmap.geo.grid import crs_name, metric_crs, project_points, require_metric
from riskmap.i18n import language


@pytest.mark.parametrize(
    ("lon", "lat", "code", "east", "north"),
    [
        (118.308, 36.827, 4548, 616693.387, 4078110.599),
        (121.526, 31.26, 4550, 359602.909, 3460738.237),
        (106.259, 29.29, 4544, 622336.772, 3242070.030),
        (118.859, 28.97, 4549, 388786.188, 3206480.659),
        (113.032, 28.185, 4547, 404946.296, 3119322.898),
    ],
)
def test_zone_and_coordinates_of_the_five_places(lon, lat, code, east, north):
    crs = metric_crs(lon, lat)
    assert crs.to_epsg() == code
    x, y = project_points([lon], [lat], crs=crs)
    assert x[0] == pytest.approx(east, abs=1e-3)
    assert y[0] == pytest.approx(north, abs=1e-3)


@pytest.mark.parametrize("meridian", range(75, 138, 3))
def test_every_zone_has_the_meridian_that_its_title_says(meridian):
    crs = metric_crs(min(meridian + 1.4, 135.09), 40)
    assert crs.name == f"CGCS2000 / 3-degree Gauss-Kruger CM {meridian}E"
    assert 4534 <= crs.to_epsg() <= 4554


def test_zone_edge_belongs_to_the_eastern_zone():
    assert metric_crs(121.4999, 31).to_epsg() == 4549
    assert metric_crs(121.5, 31).to_epsg() == 4550


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [
        (9.55, 47.16, 32632),
        (-51.2, -30.0, 32722),
        (180, 10, 32601),
        (-180, 10, 32601),
        (140, 36, 32654),
    ],
)
def test_outside_china_the_utm_zone_is_used(lon, lat, code):
    assert metric_crs(lon, lat).to_epsg() == code


@pytest.mark.parametrize(("lon", "lat"), [(36.8, 118.3), (float("nan"), 3), (200, 3), (10, 89)])
def test_swapped_or_impossible_coordinates_are_refused(lon, lat):
    with pytest.raises(CRSError, match=r"118|nan|200|89"):
        metric_crs(lon, lat)


@pytest.mark.parametrize(
    "crs", ["EPSG:3857", "EPSG:900913", "EPSG:4326", "EPSG:4490", "EPSG:2225", "EPSG:1", "nonsense"]
)
def test_unfit_crs_is_refused_with_a_way_out(crs):
    with language("en"), pytest.raises(CRSError) as error:
        require_metric(crs)
    assert "4548" in str(error.value)
    with language("zh"):
        assert "4548" in str(error.value)


@pytest.mark.parametrize("crs", ["EPSG:4548", "EPSG:32632", "EPSG:4509", CRS("EPSG:4527")])
def test_metric_crs_is_accepted(crs):
    assert require_metric(crs) == CRS(crs)


def test_crs_without_code_is_named_by_its_title():
    own = CRS.from_proj4("+proj=tmerc +lon_0=118.3 +k=1 +x_0=500000 +ellps=GRS80 +units=m")
    assert "EPSG" not in crs_name(own)
    assert require_metric(own) == own
