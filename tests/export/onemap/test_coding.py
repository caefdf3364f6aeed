"""Codings: what is sent comes back, to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from riskmap.export.onemap.pack import Packer, decimals_of, narrow, numbered, smaller

KINDS = {"u8": "<u1", "u16": "<u2", "u32": "<u4", "i32": "<i4", "f32": "<f4", "f64": "<f8"}


def unpacked(packer: Packer, spec: dict[str, Any]) -> np.ndarray:
    """Read an array as docs/page-format.md says, with numpy."""
    kind = np.dtype(KINDS[spec["t"]])
    size = spec["n"] * kind.itemsize
    raw = np.frombuffer(bytes(packer.blocks[spec["b"]]), np.uint8)[spec["o"] : spec["o"] + size]
    stored = np.ascontiguousarray(raw.reshape(kind.itemsize, -1).T).view(kind).ravel()
    if "d" in spec:
        stored = np.cumsum(stored, dtype=kind)
    if "a" not in spec:
        return stored
    out = (stored.astype(np.int64) + spec["a"]) / spec.get("f", 1)
    return np.where(stored == 0, np.nan, out) if "u" in spec else out


def words_of(packer: Packer, spec: dict[str, Any]) -> list[str]:
    """Read strings as docs/page-format.md says."""
    found = [spec["words"][int(c)] for c in unpacked(packer, spec["codes"])]
    if "num" not in spec:
        return found
    number, wide = unpacked(packer, spec["num"]), unpacked(packer, spec["wide"])
    tails = [str(int(n)).zfill(int(w)) if w else "" for n, w in zip(number, wide, strict=True)]
    return [word + tail for word, tail in zip(found, tails, strict=True)]


@given(arrays(np.int64, st.integers(1, 80), elements=st.integers(-(2**31), 2**31 - 1)))
def test_integers_come_back(values: np.ndarray) -> None:
    packer = Packer()
    assert np.array_equal(unpacked(packer, packer.integers(values)), values)


@given(
    arrays(
        np.float64, st.integers(1, 60),
        elements=st.floats(-1e4, 1e4).map(lambda v: round(v, 3)) | st.just(float("nan")),
    )
)  # fmt: skip
def test_numbers_with_few_decimals_come_back_exactly(values: np.ndarray) -> None:
    packer = Packer()
    spec = packer.numbers(values)
    assert np.array_equal(unpacked(packer, spec), values, equal_nan=True)
    if np.isfinite(values).any():
        assert "f" in spec


@given(arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e9, 1e9)))
def test_other_numbers_keep_seven_figures(values: np.ndarray) -> None:
    packer = Packer()
    assert np.allclose(unpacked(packer, packer.numbers(values)), values, rtol=1e-7, atol=0)


@given(
    st.lists(
        st.text(max_size=8) | st.from_regex(r"[A-Z]{1,2}-[0-9]{1,11}", fullmatch=True), max_size=90
    )
)
def test_strings_come_back(values: list[str]) -> None:
    packer = Packer()
    assert words_of(packer, packer.strings(values)) == values


@given(st.integers(0, 10**6), st.integers(1, 7), st.integers(64, 200))
def test_numbered_strings_are_one_word_and_numbers(first: int, wide: int, n: int) -> None:
    values = [f"路口 {first + i:0{wide}d}" for i in range(n)]
    packer = Packer()
    spec = packer.strings(values)
    assert spec["words"] == ["路口 "]
    assert words_of(packer, spec) == values


def test_digits_that_are_not_ascii_stay_in_the_word() -> None:
    values = [f"站٣{i}\n" for i in range(80)] + [f"站{i}" for i in range(80)]
    packer = Packer()
    assert words_of(packer, packer.strings(values)) == values


def test_each_coding_says_when_it_does_not_fit() -> None:
    assert narrow(np.array([0, 2**40])) is None
    assert decimals_of(np.array([np.nan])) is None
    assert decimals_of(np.array([1 / 3])) is None
    assert numbered(["a1", "a2"]) is None
    assert numbered([f"街{i}号" for i in range(100)]) is None


def test_differences_are_sent_where_they_are_smaller() -> None:
    rng = np.random.default_rng(1)
    assert smaller(np.arange(5000, dtype=np.uint16))
    assert not smaller(rng.integers(0, 99, 5000).astype(np.uint8))
