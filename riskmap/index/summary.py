"""Rows of draws summarised: moments, quantiles and class probabilities, by one sort per row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from riskmap.index.table import Array

Single = NDArray[np.float32]
QUANTILES: Final = (0.05, 0.5, 0.95)
CHUNK_CELLS: Final = 1 << 19
"""Rows x draws computed at once: 2 MB of float32."""


@dataclass(frozen=True)
class Summary:
    """What the draws say about each row."""

    mean: Array
    sd: Array
    """Sample standard deviation (n - 1)."""
    quantiles: Array
    """Shape (rows, quantiles)."""
    classes: Array
    """Probability of each class, shape (rows, classes); empty without class limits."""


def summarise(
    scores: Single, limits: Sequence[float] = (), quantiles: Sequence[float] = QUANTILES
) -> Summary:
    """Summarise rows of draws: moments, quantiles, class probabilities, by one sort per row.

    Parameters
    ----------
    scores
        Shape (rows, draws); sorted in place.
    limits
        Ascending upper limits of the classes; the last one is open.
    quantiles
        Shares 0..1; linear between neighbours, as `numpy.quantile`.

    Returns
    -------
    Summary
        NaN where any draw is unknown.
    """
    scores.sort(axis=1)
    draws = scores.shape[1]
    place = np.asarray(quantiles, dtype=float) * (draws - 1)
    low = np.floor(place).astype(int)
    high = np.minimum(low + 1, draws - 1)
    share = (place - low).astype(np.float32)
    between = scores[:, low] + (scores[:, high] - scores[:, low]) * share
    inner = np.asarray(limits[:-1], dtype=np.float32)
    mean, spread, below = _walk(scores, inner)
    chances = np.diff(below, axis=1) / draws if len(limits) else np.empty((len(scores), 0))
    chances[np.isnan(mean)] = np.nan
    return Summary(mean, spread, between.astype(float), chances)


@numba.njit(cache=True)
def weigh(block: Any, weights: Any, out: Any) -> None:
    """Multiply rows by draws on one core; the same row gives the same bits in any chunk.

    Parameters
    ----------
    block
        Normalised values, shape (rows, indicators).
    weights
        Effective weights, shape (indicators, draws).
    out
        Filled with the scores, shape (rows, draws).
    """
    for i in range(len(block)):
        for j in range(weights.shape[1]):
            out[i, j] = block[i, 0] * weights[0, j]
        for k in range(1, weights.shape[0]):
            for j in range(weights.shape[1]):
                out[i, j] += block[i, k] * weights[k, j]


@numba.njit(cache=True)
def _walk(rows: Any, limits: Any) -> Any:
    """Read sorted rows once: mean, standard deviation, and how many lie up to each limit."""
    n, draws = rows.shape
    mean, spread = np.empty(n), np.empty(n)
    below = np.zeros((n, len(limits) + 2))
    for i in range(n):
        row = rows[i]
        total = 0.0
        for j in range(draws):
            total += row[j]
        mean[i] = total / draws
        square = 0.0
        for j in range(draws):
            square += (row[j] - mean[i]) ** 2
        spread[i] = np.sqrt(square / max(draws - 1, 1))
        for q in range(len(limits)):
            below[i, q + 1] = np.searchsorted(row, limits[q], side="right")
        below[i, len(limits) + 1] = draws
    return mean, spread, below


def additive_summary(
    x: Array, weights: Array, limits: Sequence[float] = (), quantiles: Sequence[float] = QUANTILES
) -> Summary:
    """Summarise a weighted sum over many draws of weights, in chunks that stay in the cache.

    Parameters
    ----------
    x
        Normalised values, shape (rows, indicators), without gaps.
    weights
        Effective weights, shape (draws, indicators).
    limits
        Upper limits of the classes.
    quantiles
        Shares 0..1.

    Returns
    -------
    Summary
        For all rows.

    Examples
    --------
    >>> weights = np.array([[1.0, 0.0], [0.5, 0.5]])
    >>> found = additive_summary(np.array([[0.0, 1.0]]), weights, [0.2, 1])
    >>> found.mean.tolist(), found.classes.tolist()
    ([0.25], [[0.5, 0.5]])
    """
    narrow, w = x.astype(np.float32), np.ascontiguousarray(weights.T.astype(np.float32))
    step = max(1, CHUNK_CELLS // w.shape[1])
    buffer = np.empty((step, w.shape[1]), dtype=np.float32)
    found = []
    for start in range(0, len(x), step):
        block = narrow[start : start + step]
        weigh(block, w, buffer)
        found.append(summarise(buffer[: len(block)], limits, quantiles))
    return joined(found)


def joined(found: Sequence[Summary]) -> Summary:
    """Put the summaries of chunks of rows together.

    Parameters
    ----------
    found
        Summaries in the order of the rows, at least one.

    Returns
    -------
    Summary
        For all rows.
    """
    return Summary(
        np.concatenate([f.mean for f in found]),
        np.concatenate([f.sd for f in found]),
        np.concatenate([f.quantiles for f in found]),
        np.concatenate([f.classes for f in found]),
    )
