"""Weights from the data: entropy, CRITIC, principal components, equal influence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize

from riskmap.index.tree import Array


def _unit(x: Array) -> Array:
    """Scale every column to 0..1; a constant column becomes 0."""
    low, high = np.nanmin(x, axis=0), np.nanmax(x, axis=0)
    return np.asarray((x - low) / np.where(high > low, high - low, 1.0))


def _complete(x: Array) -> Array:
    """Return the rows without gaps, sorted so that their order cannot matter."""
    rows = x[~np.isnan(x).any(axis=1)]
    return rows[np.lexsort(rows.T[::-1])]


def entropy(x: Array) -> Array:
    r"""Weigh columns by how unevenly their values are spread.

    .. math:: p_{ij} = x_{ij} / \sum_i x_{ij}, \quad
              e_j = -\frac{1}{\ln n} \sum_i p_{ij} \ln p_{ij}, \quad
              w_j = (1 - e_j) / \sum_j (1 - e_j)

    with 0 ln 0 = 0. A constant column gets 0. The values are taken as they come: bring them to
    0..1 column by column first for the textbook form (as the ``weight`` step does).

    Parameters
    ----------
    x
        Shape (rows, columns), not negative.

    Returns
    -------
    ndarray
        Shape (columns,), summing to 1.

    References
    ----------
    Shannon 1948, doi:10.1002/j.1538-7305.1948.tb01338.x; Elsayed et al. 2017, IJETT 46(2).

    Examples
    --------
    >>> entropy(np.array([[1.0, 5.0], [3.0, 5.0]])).tolist()
    [1.0, 0.0]
    """
    rows = _complete(x)
    total = rows.sum(axis=0)
    p = rows / np.where(total > 0, total, 1.0)
    logs = np.log(np.where(p > 0, p, 1.0))
    spread = 1.0 + (p * logs).sum(axis=0) / np.log(max(len(rows), 2))
    spread = np.where((total > 0) & (rows.max(axis=0) > rows.min(axis=0)), spread, 0.0)
    return _share(spread)


def critic(x: Array) -> Array:
    r"""Weigh columns by contrast and by how little the others tell the same.

    .. math:: C_j = s_j \sum_k (1 - r_{jk}), \quad w_j = C_j / \sum C

    on columns scaled to 0..1; s is the standard deviation, r the correlation.

    Parameters
    ----------
    x
        Shape (rows, columns), pointing upwards.

    Returns
    -------
    ndarray
        Shape (columns,), summing to 1.

    References
    ----------
    Diakoulaki et al. 1995, doi:10.1016/0305-0548(94)00059-H.

    Examples
    --------
    >>> critic(np.array([[1.0, 3.0], [2.0, 1.0], [4.0, 2.0]])).round(4).tolist()
    [0.5045, 0.4955]
    """
    rows = _unit(_complete(x))
    deviation = rows.std(axis=0, ddof=1)
    return _share(deviation * (1.0 - _correlation(rows)).sum(axis=1))


def _correlation(x: Array) -> Array:
    """Correlate columns; a constant one correlates with nothing but itself."""
    centred = x - x.mean(axis=0)
    varied = np.ptp(x, axis=0) > 0
    norm = np.sqrt((centred**2).sum(axis=0))
    unit = np.where(varied, centred / np.where(varied, norm, 1.0), 0.0)
    found = unit.T @ unit
    np.fill_diagonal(found, 1.0)
    return np.asarray(found)


def pca(x: Array) -> Array:
    r"""Weigh columns by their squared loadings on the components that explain more than average.

    .. math:: w_j \propto \sum_{c: \lambda_c > 1} \lambda_c v_{jc}^2

    where λ and v are the eigenvalues and eigenvectors of the correlation matrix; the largest one
    counts even when none passes 1.

    Parameters
    ----------
    x
        Shape (rows, columns).

    Returns
    -------
    ndarray
        Shape (columns,), summing to 1.

    References
    ----------
    OECD/JRC, Handbook on Constructing Composite Indicators, 2008, section 6.1.

    Examples
    --------
    >>> pca(np.array([[1.0, 2.0], [2.0, 4.5], [3.0, 5.0]])).round(6).tolist()
    [0.5, 0.5]
    """
    rows = _complete(x)
    values, vectors = np.linalg.eigh(_correlation(rows))
    keep = values > min(1.0, values.max() * (1 - 1e-12))
    squares = np.where(np.ptp(rows, axis=0)[:, None] > 0, vectors**2, 0.0)
    return _share((squares[:, keep] * values[keep]).sum(axis=1))


def optimised(x: Array, target: Array | None = None) -> Array:
    r"""Find weights with which every column has its target influence on the weighted mean.

    The influence is the correlation of the column with the mean; the weights minimise
    :math:`\sum_j (r_j / \sum r - t_j)^2`.

    Parameters
    ----------
    x
        Shape (rows, columns).
    target
        Shares of influence, shape (columns,), summing to 1; equal when None.

    Returns
    -------
    ndarray
        Shape (columns,), not negative, summing to 1.

    References
    ----------
    Becker et al. 2017, doi:10.1016/j.ecolind.2017.03.056.
    """
    rows = _complete(x)
    n = x.shape[1]
    goal = np.full(n, 1.0 / n) if target is None else np.asarray(target) / np.sum(target)
    covariance = np.atleast_2d(np.cov(rows, rowvar=False))
    deviation = np.sqrt(np.maximum(np.diag(covariance), 1e-300))

    def loss(free: Array) -> float:
        w = np.exp(free - free.max())
        w /= w.sum()
        r = (covariance @ w) / (deviation * np.sqrt(max(float(w @ covariance @ w), 1e-300)))
        return float(((r / max(float(np.abs(r).sum()), 1e-300) - goal) ** 2).sum())

    limits: Any = {
        "xatol": 1e-10,
        "fatol": 1e-16,
        "maxiter": 4000 * n,
        "maxfev": 4000 * n,
        "adaptive": True,
    }
    found = optimize.minimize(loss, np.zeros(n), method="Nelder-Mead", options=limits)
    w = np.exp(found.x - found.x.max())
    return np.asarray(w / w.sum())


def influence(x: Array, score: Array) -> Array:
    """Correlate every column with a score.

    Parameters
    ----------
    x
        Shape (rows, columns).
    score
        Shape (rows,).

    Returns
    -------
    ndarray
        Shape (columns,), -1..1; 0 for a constant column.
    """
    rows = _complete(np.column_stack([x, score]))
    return np.asarray(_correlation(rows)[:-1, -1])


def _share(spread: Array) -> Array:
    """Divide by the sum; equal shares when all are zero."""
    total = spread.sum()
    if not total > 0:
        return np.full(len(spread), 1.0 / len(spread))
    return np.asarray(spread / total)


METHODS: dict[str, Callable[[Array], Array]] = {
    "entropy": lambda x: entropy(_unit(x)),
    "critic": critic,
    "pca": pca,
    "optimised": optimised,
}
"""Name of a method to its function ``(rows x columns, pointing upwards) -> weights``."""
