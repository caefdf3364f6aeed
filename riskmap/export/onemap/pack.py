"""Pack arrays for the page: quantised, delta coded, byte shuffled, zipped, base64.

The format is written down in ``docs/page-format.md``; ``data.js`` is its reader.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Packer", "delta", "quantise", "shuffle"]

CORE = 0
"""The block that is decoded at once; the others are decoded when they are needed."""
UNKNOWN = 65535
"""The quantised value that stands for NaN."""
_CODES = {"u1": "u8", "u2": "u16", "u4": "u32", "i4": "i32", "f4": "f32", "f8": "f64"}


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


@dataclass
class Packer:
    """Collects arrays into blocks; each block is zipped by itself."""

    blocks: list[bytearray] = field(default_factory=lambda: [bytearray()])

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
        self, values: NDArray[Any], *, block: int = CORE, coded: bool = False
    ) -> dict[str, Any]:
        """Add an array as it is.

        Parameters
        ----------
        values
            Numbers, shape (n,).
        block
            The block it goes to.
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
        place = self.blocks[block]
        spec = {"b": block, "o": len(place), "n": len(values), "t": _CODES[kind]}
        place += shuffle(delta(values) if coded else values)
        return spec | ({"d": 1} if coded else {})

    def quantised(self, values: NDArray[Any], *, block: int = CORE) -> dict[str, Any]:
        """Add an array rounded to 65 535 steps.

        Parameters
        ----------
        values
            Numbers, shape (n,); NaN is kept.
        block
            The block it goes to.

        Returns
        -------
        dict
            As `array`, with the least value and the step under ``q``.
        """
        steps, low, step = quantise(values)
        return self.array(steps, block=block, coded=True) | {"q": [low, step]}

    def places(self, degrees: NDArray[Any], *, digits: int) -> dict[str, Any]:
        """Add longitudes or latitudes, rounded and sent as differences.

        Parameters
        ----------
        degrees
            Coordinates, shape (n,) [degrees].
        digits
            Decimal places kept.

        Returns
        -------
        dict
            As `array`, with the divisor under ``f``.
        """
        scaled = np.rint(np.asarray(degrees, dtype=np.float64) * 10**digits).astype(np.int32)
        return self.array(scaled, coded=True) | {"f": 10**digits}

    def strings(self, values: Sequence[str]) -> dict[str, Any]:
        """Add strings, each different one once.

        Parameters
        ----------
        values
            Strings; the empty string is a blank.

        Returns
        -------
        dict
            The different strings and the array of their numbers.
        """
        codes, words = pd.factorize(np.asarray(values, dtype=object))
        kind = np.uint16 if len(words) <= UNKNOWN else np.uint32
        return {"words": [str(word) for word in words], "codes": self.array(codes.astype(kind))}

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
            base64.b64encode(gzip.compress(bytes(data), 9, mtime=0)).decode("ascii")
            for data in (core, *self.blocks[1:])
        ]
