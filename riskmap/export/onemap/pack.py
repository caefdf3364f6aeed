"""Pack arrays for the page: quantised, delta coded, byte shuffled, zipped, base64.

The format is written down in ``docs/page-format.md``; ``src/data/read.js`` is its reader.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = [
    "UNKNOWN",
    "Packer",
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


def quantise(values: NDArray[Any], *, coarse: bool = False) -> tuple[NDArray[Any], float, float]:
    """Round values to 65 535 steps, or 255, between their least and greatest.

    Parameters
    ----------
    values
        Numbers, shape (n,); NaN is kept as unknown.
    coarse
        True for one byte a value instead of two.

    Returns
    -------
    tuple
        Steps (65 535, or 255 = unknown), the least value and the step.

    Examples
    --------
    >>> steps, low, step = quantise(np.array([0.0, 1.0, np.nan]))
    >>> steps.tolist(), low, step * 65534
    ([0, 65534, 65535], 0.0, 1.0)
    """
    wide = np.asarray(values, dtype=np.float64)
    known = np.isfinite(wide)
    kind, unknown = (np.uint8, 255) if coarse else (np.uint16, UNKNOWN)
    if not known.any():
        return np.full(wide.shape, unknown, dtype=kind), 0.0, 0.0
    low = float(wide[known].min())
    step = (float(wide[known].max()) - low) / (unknown - 1)
    scaled = np.zeros(wide.shape) if step == 0 else (np.where(known, wide, low) - low) / step
    return np.where(known, np.rint(scaled), unknown).astype(kind), low, step


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


LEVEL = 6
"""Of gzip: seven times as fast as 9 for 0.9 % more."""
CORE = 0
"""The block that is decoded at once: what the first picture shows."""
SOON = 1
"""The block that is decoded right after the first picture; the others when they are needed."""
_CODES = {"u1": "u8", "u2": "u16", "u4": "u32", "i4": "i32", "f4": "f32", "f8": "f64"}


@dataclass
class Packer:
    """Collects arrays into blocks; each block is zipped by itself."""

    blocks: list[bytearray] = field(default_factory=lambda: [bytearray(), bytearray()])
    usual: int = CORE
    """The block of arrays for which none is named."""

    def soon(self) -> Packer:
        """Give the same packer, putting arrays into the block that the first picture needs not.

        Returns
        -------
        Packer
            It shares the blocks.
        """
        return replace(self, usual=SOON)

    def block(self) -> int:
        """Open a new block that the page decodes only when it is needed.

        Returns
        -------
        int
            The number of the block.
        """
        self.blocks.append(bytearray())
        return len(self.blocks) - 1

    def array(
        self, values: NDArray[Any], *, block: int | None = None, coded: bool = False
    ) -> dict[str, Any]:
        """Add an array as it is.

        Parameters
        ----------
        values
            Numbers, shape (n,).
        block
            The block it goes to, the usual one where none is named.
        coded
            True for integers that are sent as differences.

        Returns
        -------
        dict
            Where the page finds it: block, offset, count, type, coding.
        """
        kind = values.dtype.str[1:]
        if kind not in _CODES:
            raise TypeError(f"arrays of {values.dtype} cannot be sent to the page")
        block = self.usual if block is None else block
        place = self.blocks[block]
        spec = {"b": block, "o": len(place), "n": len(values), "t": _CODES[kind]}
        place += shuffle(delta(values) if coded else values)
        return spec | ({"d": 1} if coded else {})

    def integers(self, values: NDArray[Any], *, block: int | None = None) -> dict[str, Any]:
        """Add whole numbers in as few bytes as they need, as differences where that is smaller.

        Parameters
        ----------
        values
            Integers, shape (n,), that span less than 2^32.
        block
            The block it goes to, the usual one where none is named.

        Returns
        -------
        dict
            As `array`, with the least value under ``a``.
        """
        found = narrow(values)
        if found is None:
            raise TypeError("integers that span more than 32 bits cannot be sent to the page")
        small, low = found
        return self.array(small, block=block, coded=smaller(small)) | {"a": low}

    def numbers(self, values: NDArray[Any], *, block: int | None = None) -> dict[str, Any]:
        """Add the numbers of a table: with few decimals as whole numbers, else as floats.

        Parameters
        ----------
        values
            Numbers, shape (n,); NaN is kept.
        block
            The block it goes to, the usual one where none is named.

        Returns
        -------
        dict
            As `integers` with the divisor under ``f`` and, where there are blanks, ``u`` (the
            least value means unknown); or as `array`.
        """
        wide = np.asarray(values, dtype=np.float64)
        found = decimals_of(wide)
        if found is None:
            small = wide.astype(np.float32)
            exact = np.allclose(wide, small.astype(np.float64), rtol=1e-7, atol=0, equal_nan=True)
            return self.array(small if exact else wide, block=block)
        whole, factor = found
        blank = {} if np.isfinite(wide).all() else {"u": 1}
        return self.integers(whole, block=block) | {"f": factor} | blank

    def quantised(
        self, values: NDArray[Any], *, block: int | None = None, coarse: bool = False
    ) -> dict[str, Any]:
        """Add an array rounded to 65 535 steps, or to 255.

        Parameters
        ----------
        values
            Numbers, shape (n,); NaN is kept.
        block
            The block it goes to, the usual one where none is named.
        coarse
            True for one byte a value instead of two.

        Returns
        -------
        dict
            As `array`, with the least value and the step under ``q``.
        """
        steps, low, step = quantise(values, coarse=coarse)
        return self.array(steps, block=block, coded=smaller(steps)) | {"q": [low, step]}

    def places(self, degrees: NDArray[Any], *, digits: int) -> dict[str, Any]:
        """Add longitudes or latitudes, rounded.

        Parameters
        ----------
        degrees
            Coordinates, shape (n,) [degrees].
        digits
            Decimal places kept.

        Returns
        -------
        dict
            As `integers`, with the divisor under ``f``.
        """
        scaled = np.rint(np.asarray(degrees, dtype=np.float64) * 10**digits).astype(np.int64)
        return self.integers(scaled) | {"f": 10**digits}

    def strings(self, values: Sequence[str]) -> dict[str, Any]:
        """Add strings, each different one once; word and number apart where they are numbered.

        Parameters
        ----------
        values
            Strings; the empty string is a blank.

        Returns
        -------
        dict
            The different words, the array of their numbers and, for P000123 and the like, the
            arrays of the numbers behind the words and of their digits.
        """
        parts = numbered(values)
        codes, words = pd.factorize(np.asarray(values if parts is None else parts[0], dtype=object))
        out = {"words": [str(word) for word in words], "codes": self.integers(codes)}
        if parts is None:
            return out
        return out | {"num": self.integers(parts[1]), "wide": self.integers(parts[2])}

    def encode(self, header: Mapping[str, Any]) -> list[str]:
        """Zip the blocks; the header leads the first one.

        Parameters
        ----------
        header
            What can be written as JSON.

        Returns
        -------
        list of str
            The blocks as base64, in order.
        """
        text = json.dumps(header, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        first = text.encode("utf-8")
        core = len(first).to_bytes(4, "little") + first + bytes(self.blocks[CORE])
        return [
            base64.b64encode(gzip.compress(bytes(data), LEVEL, mtime=0)).decode("ascii")
            for data in (core, *self.blocks[1:])
        ]
