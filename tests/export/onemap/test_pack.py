"""Packing: what is sent comes back."""

from __future__ import annotations

import base64
import gzip
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from riskmap.export.onemap.pack import UNKNOWN, Packer, delta, quantise, shuffle


@given(arrays(np.uint16, st.integers(1, 50)))
def test_delta_is_undone_by_the_running_sum(values: np.ndarray) -> None:
    assert np.array_equal(np.cumsum(delta(values), dtype=np.uint16), values)


@given(arrays(np.int32, st.integers(1, 50)))
def test_shuffle_is_undone_by_transposing(values: np.ndarray) -> None:
    back = np.frombuffer(shuffle(values), np.uint8).reshape(4, -1).T
    assert np.array_equal(np.ascontiguousarray(back).view("<i4").ravel(), values)


@given(
    arrays(np.float64, st.integers(1, 60), elements=st.floats(-1e6, 1e6) | st.just(float("nan")))
)
def test_quantised_values_are_off_by_half_a_step_at_most(values: np.ndarray) -> None:
    steps, low, step = quantise(values)
    known = ~np.isnan(values)
    assert np.array_equal(steps == UNKNOWN, ~known)
    back = low + steps[known].astype(float) * step
    assert np.all(np.abs(back - values[known]) <= step / 2 + 1e-9 * max(1.0, abs(low)))


def test_the_same_input_gives_the_same_bytes() -> None:
    def packed() -> list[str]:
        packer = Packer()
        spec = packer.strings(["a", "b", "a", ""])
        packer.array(np.arange(9.0), block=packer.block())
        return packer.encode({"spec": spec})

    assert packed() == packed()


def test_header_leads_the_first_block() -> None:
    packer = Packer()
    spec = packer.array(np.array([7, 8], dtype=np.uint8))
    raw = gzip.decompress(base64.b64decode(packer.encode({"at": spec, "name": "中"})[0]))
    size = int.from_bytes(raw[:4], "little")
    head = json.loads(raw[4 : 4 + size])
    assert head["name"] == "中"
    start = 4 + size + head["at"]["o"]
    assert list(raw[start : start + 2]) == [7, 8]


def test_numbers_that_json_does_not_know_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        Packer().encode({"x": float("nan")})
