"""Aggregations that compare units with each other: Copeland and TOPSIS."""

from __future__ import annotations

import numpy as np

from riskmap.index.table import Array, Options


def copeland(x: Array, weights: Array, _options: Options) -> Array:
    r"""Count against how many others a unit wins, each win as the weight of indicators that win it.

    The outranking matrix holds the weight share of indicators on which unit i beats unit j, ties
    counting half; the score is its row sum.

    Parameters
    ----------
    x
        Shape (rows, children); an indicator unknown in either unit counts for neither.
    weights
        Shape (children,).
    _options
        Not used; the method has no options.

    Returns
    -------
    ndarray
        Shape (rows,), 0..rows - 1; NaN where nothing is known.

    References
    ----------
    Munda and Nardo, doi:10.1080/00036840601019364.

    Examples
    --------
    >>> copeland(np.array([[3.0, 1.0], [2.0, 2.0], [1.0, 1.0]]), np.array([1.0, 1.0]), {}).tolist()
    [1.25, 1.5, 0.25]
    """
    score = np.zeros(len(x))
    for place, weight in enumerate(weights / weights.sum()):
        column = x[:, place]
        known = np.sort(column[~np.isnan(column)])
        below = np.searchsorted(known, column, side="left")
        ties = np.searchsorted(known, column, side="right") - below - 1
        score += np.where(np.isnan(column), 0.0, weight * (below + ties / 2.0))
    return np.where(np.isnan(x).all(axis=1), np.nan, score)


def topsis(x: Array, weights: Array, _options: Options) -> Array:
    r"""Give the relative closeness to the best values: :math:`d^- / (d^+ + d^-)`.

    Columns are divided by their Euclidean norm and multiplied by their weight; the ideal is the
    best of every column, the anti-ideal the worst. All columns point upwards already.

    Parameters
    ----------
    x
        Shape (rows, children); a row with an unknown value is unknown.
    weights
        Shape (children,).
    _options
        Not used; the method has no options.

    Returns
    -------
    ndarray
        Shape (rows,), 0..1.

    References
    ----------
    Hwang and Yoon, doi:10.1007/978-3-642-48318-9.

    Examples
    --------
    >>> x = np.array([[5.0, 8, 4], [7, 6, 8], [8, 8, 6], [7, 4, 6]])
    >>> topsis(x, np.array([0.3, 0.4, 0.3]), {}).round(4).tolist()
    [0.5037, 0.6581, 0.7482, 0.334]
    """
    norm = np.sqrt(np.nansum(np.sort(x, axis=0) ** 2, axis=0))
    v = x / np.where(norm > 0, norm, 1.0) * (weights / weights.sum())
    best, worst = np.nanmax(v, axis=0), np.nanmin(v, axis=0)
    far = np.sqrt(((v - worst) ** 2).sum(axis=1))
    both = far + np.sqrt(((v - best) ** 2).sum(axis=1))
    return np.where(
        both > 0, far / np.where(both > 0, both, 1.0), np.where(np.isnan(both), np.nan, 0.0)
    )
