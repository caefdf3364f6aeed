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

from riskmap.export.onemap.coding import (
    decimals_of,
    delta,
    narrow,
    numbered,
    quantise,
    shuffle,
    smaller,
)

__all__ = ["Packer"]

CORE = 0
"""The block that is decoded at once; the others are decoded when they are needed."""
_CODES = {"u1": "u8", "u2": "u16", "u4": "u32", "i4": "i32", "f4": "f32", "f8": "f64"}


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

    def integers(self, values: NDArray[Any], *, block: int = CORE) -> dict[str, Any]:
        """Add whole numbers in as few bytes as they need, as differences where that is smaller.

        Parameters
        ----------
        values
            Integers, shape (n,), that span less than 2^32.
        block
            The block it goes to.

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

    def numbers(self, values: NDArray[Any], *, block: int = CORE) -> dict[str, Any]:
        """Add the numbers of a table: with few decimals as whole numbers, else as floats.

        Parameters
        ----------
        values
            Numbers, shape (n,); NaN is kept.
        block
            The block it goes to.

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
            base64.b64encode(gzip.compress(bytes(data), 9, mtime=0)).decode("ascii")
            for data in (core, *self.blocks[1:])
        ]
