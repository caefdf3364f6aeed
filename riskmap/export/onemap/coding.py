"""How arrays and strings are made small before they are zipped."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = [
    "UNKNOWN",
    "decimals_of",
    "delta",
    "narrow",
    "numbered",
    "quantise",
    "shuffle",
    "smaller",
]

UNKNOWN: Final = 65535
"""The quantised value that stands for NaN."""
_KINDS: Final = (np.uint8, np.uint16, np.uint32)
_TRIED: Final = 1 << 17
"""Values by which two codings are compared."""
_MOST_DECIMALS: Final = 6
_MOST_WHOLE: Final = 2**30
_FEW: Final = 64
_REPEATED: Final = 4
_NUMBERED: Final = re.compile(r"\A(.*?)([0-9]{0,9})\Z", re.DOTALL)


def delta(values: NDArray[Any]) -> NDArray[Any]:
    """Replace integers by their differences, wrapping around.

    Parameters
    ----------
    values
        Integers, shape (n,).

    Returns
    -------
    ndarray
        Same type; the cumulative sum gives the values back.

    Examples
    --------
    >>> delta(np.array([5, 7, 6], dtype="uint16")).tolist()
    [5, 2, 65535]
    """
    out = values.copy()
    out[1:] = values[1:] - values[:-1]
    return out


def shuffle(values: NDArray[Any]) -> bytes:
    r"""Write the first bytes of all values, then the second bytes, and so on.

    Parameters
    ----------
    values
        Numbers, shape (n,).

    Returns
    -------
    bytes
        Little endian bytes by place, which zip smaller.

    Examples
    --------
    >>> shuffle(np.array([1, 2], dtype="<u2"))
    b'\x01\x02\x00\x00'
    """
    width = values.dtype.itemsize
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    return np.ascontiguousarray(little.view(np.uint8).reshape(-1, width).T).tobytes()


def quantise(values: NDArray[Any]) -> tuple[NDArray[np.uint16], float, float]:
    """Round values to 65 535 steps between their least and greatest.

    Parameters
    ----------
    values
        Numbers, shape (n,); NaN is kept as unknown.

    Returns
    -------
    tuple
        Steps (65 535 = unknown), the least value and the step.

    Examples
    --------
    >>> steps, low, step = quantise(np.array([0.0, 1.0, np.nan]))
    >>> steps.tolist(), low, step * 65534
    ([0, 65534, 65535], 0.0, 1.0)
    """
    wide = np.asarray(values, dtype=np.float64)
    known = np.isfinite(wide)
    if not known.any():
        return np.full(wide.shape, UNKNOWN, dtype=np.uint16), 0.0, 0.0
    low = float(wide[known].min())
    step = (float(wide[known].max()) - low) / (UNKNOWN - 1)
    scaled = np.zeros(wide.shape) if step == 0 else (np.where(known, wide, low) - low) / step
    return np.where(known, np.rint(scaled), UNKNOWN).astype(np.uint16), low, step


def narrow(values: NDArray[Any]) -> tuple[NDArray[Any], int] | None:
    """Take the least value away and use the fewest bytes.

    Parameters
    ----------
    values
        Integers, shape (n,).

    Returns
    -------
    tuple or None
        Unsigned integers and the least value; None where four bytes do not hold them.

    Examples
    --------
    >>> narrow(np.array([-1, 4, 200]))
    (array([  0,   5, 201], dtype=uint8), -1)
    """
    wide = np.asarray(values, dtype=np.int64)
    low = int(wide.min()) if len(wide) else 0
    span = int(wide.max()) - low if len(wide) else 0
    kind = next((k for k in _KINDS if span <= np.iinfo(k).max), None)
    return None if kind is None else ((wide - low).astype(kind), low)


def smaller(values: NDArray[Any]) -> bool:
    """Say whether integers zip smaller as differences.

    Parameters
    ----------
    values
        Unsigned integers, shape (n,).

    Returns
    -------
    bool
        True when the differences are worth it.

    Examples
    --------
    >>> smaller(np.arange(1000, dtype="uint16"))
    True
    """
    part = values[:_TRIED]
    plain, coded = (len(zlib.compress(shuffle(a), 1)) for a in (part, delta(part)))
    return coded < plain


def decimals_of(values: NDArray[np.float64]) -> tuple[NDArray[np.int64], int] | None:
    """Write numbers with few decimals as whole numbers.

    Parameters
    ----------
    values
        Numbers, shape (n,); NaN is unknown.

    Returns
    -------
    tuple or None
        Whole numbers (one less than the least of them = unknown) and the power of ten that they
        are divided by; None where six decimals do not give the very same numbers back.

    Examples
    --------
    >>> decimals_of(np.array([0.25, np.nan, 1.5]))
    (array([ 25,  24, 150]), 100)
    """
    known = np.isfinite(values)
    if not known.any():
        return None
    found = values[known]
    for digits in range(_MOST_DECIMALS + 1):
        factor = 10**digits
        whole = np.rint(found * factor)
        if np.abs(whole).max() >= _MOST_WHOLE:
            return None
        if np.array_equal(whole / factor, found):
            out = np.full(len(values), int(whole.min()) - 1, dtype=np.int64)
            out[known] = whole.astype(np.int64)
            return out, factor
    return None


def numbered(
    values: Sequence[str],
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.uint8]] | None:
    """Part strings such as P000123 into a word and a number.

    Parameters
    ----------
    values
        Strings.

    Returns
    -------
    tuple or None
        Words, numbers and count of digits (0 = none) of each; None where it would not pay.

    Examples
    --------
    >>> words, number, wide = numbered([f"P{i:03d}" for i in range(100)])
    >>> str(words[7]), int(number[7]), int(wide[7])
    ('P', 7, 3)
    """
    if len(values) < _FEW:
        return None
    whole = pd.Series(list(values), dtype=object)
    parts = whole.str.extract(_NUMBERED)
    if parts[0].nunique() * _REPEATED > whole.nunique():
        return None
    digits = parts[1]
    number: NDArray[np.int64] = np.asarray(digits.where(digits != "", "0"), dtype=np.int64)
    wide: NDArray[np.uint8] = np.asarray(digits.str.len(), dtype=np.uint8)
    return parts[0].to_numpy(dtype=object), number, wide
