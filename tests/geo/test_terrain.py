"""Terrain: hollows and rises by hand and by brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from riskmap.geo.surface import relative_lowness

heights = st.one_of(st.integers(-50, 900).map(float), st.just(np.nan))


@settings(deadline=None)
@given(
    z=arrays(np.float64, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=heights),
    radius=st.sampled_from([0, 99, 100, 142, 250, 5000]),
)
def test_lowness_equals_the_mean_cell_by_cell(z, radius):
    row, column = np.indices(z.shape) * 100.0
    ours = relative_lowness(z, size_m=100, radius_m=radius)
    for i, j in np.ndindex(z.shape):
        near = np.hypot(row - row[i, j], column - column[i, j]) <= radius
        if np.isnan(z[i, j]):
            assert np.isnan(ours[i, j])
        else:
            assert ours[i, j] == pytest.approx(np.nanmean(z[near]) - z[i, j], abs=1e-4)


def test_a_flat_place_and_an_unknown_place():
    assert not relative_lowness(np.full((5, 5), 8848.0), size_m=30, radius_m=90).any()
    assert np.isnan(relative_lowness(np.full((5, 5), np.nan), size_m=30, radius_m=90)).all()
