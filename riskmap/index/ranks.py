"""Scales by place: rank, percentile rank and Borda points of one indicator."""

from __future__ import annotations

import numpy as np

from riskmap.index.table import Array, Options, Params


def distinct(x: Array, _direction: int, _options: Options) -> Params:
    """Learn the distinct known values of a column and how often each stands in it.

    Parameters
    ----------
    x
        Values of one indicator, shape (n,).
    _direction
        Not used; the direction is applied with the ranks.
    _options
        Not used; ranks have no options.

    Returns
    -------
    dict
        ``values``, ascending, and their ``counts``.

    Examples
    --------
    >>> distinct(np.array([7.0, np.nan, 5.0, 7.0]), 1, {})
    {'values': [5.0, 7.0], 'counts': [1, 2]}
    """
    values, counts = np.unique(x[~np.isnan(x)], return_counts=True)
    return {"values": values.tolist(), "counts": counts.tolist()}


def rank(x: Array, direction: int, params: Params) -> Array:
    """Give the rank among the fitted values, 1 for the worst, ties sharing the least rank.

    Parameters
    ----------
    x
        Values of one indicator, shape (n,).
    direction
        1 or -1.
    params
        ``values`` (distinct, ascending) and their ``counts``.

    Returns
    -------
    ndarray
        Shape (n,), 1..n.

    Examples
    --------
    >>> x = np.array([5.0, 7.0, 7.0, 9.0])
    >>> rank(x, 1, distinct(x, 1, {})).tolist()
    [1.0, 2.0, 2.0, 4.0]
    """
    values = np.asarray(params["values"], dtype=float)
    below = np.concatenate([[0], np.cumsum(params["counts"])])
    if direction == 1:
        place = below[np.searchsorted(values, x, side="left")]
    else:
        place = below[-1] - below[np.searchsorted(values, x, side="right")]
    return np.where(np.isnan(x), np.nan, place + 1.0)


def percentile_rank(x: Array, direction: int, params: Params) -> Array:
    r"""Give the rank as a share of the others, brought to low..high.

    .. math:: y = l + (h - l) \frac{r - 1}{n - 1}

    with r the rank as in `rank` and n the number of fitted values; values worse than all fitted
    ones count as the last of them.

    Parameters
    ----------
    x
        Values of one indicator, shape (n,).
    direction
        1 or -1.
    params
        ``values`` (distinct, ascending) and their ``counts``; ``low`` and ``high``, 0 and 1 by
        default.

    Returns
    -------
    ndarray
        Shape (n,), within low..high.

    Examples
    --------
    >>> x = np.array([5.0, 7.0, 7.0, 9.0, 9.5])
    >>> percentile_rank(x, 1, distinct(x, 1, {})).tolist()
    [0.0, 0.25, 0.25, 0.75, 1.0]
    """
    others = sum(params["counts"]) - 1
    share = np.minimum((rank(x, direction, params) - 1.0) / max(others, 1), 1.0)
    low, high = params.get("low", 0.0), params.get("high", 1.0)
    return np.asarray(share * (high - low) + low)


def borda(x: Array, direction: int, params: Params) -> Array:
    """Give Borda points: the number of fitted values that are better, ``rank - 1``.

    Parameters
    ----------
    x
        Values of one indicator, shape (n,).
    direction
        1 or -1.
    params
        As for `rank`.

    Returns
    -------
    ndarray
        Shape (n,), 0..n - 1.

    Examples
    --------
    >>> x = np.array([5.0, 7.0, 7.0, 9.0])
    >>> borda(x, -1, distinct(x, -1, {})).tolist()
    [3.0, 1.0, 1.0, 0.0]
    """
    return rank(x, direction, params) - 1.0
