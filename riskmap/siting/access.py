"""Floating catchments: supply per head that people can reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from riskmap.siting.problem import Floats, Ints


def two_step(
    demand_of: Ints, facility_of: Ints, weight: ArrayLike, *, demand: Floats, supply: Floats
) -> Floats:
    r"""Compute two-step floating catchment accessibility.

    .. math:: R_j = \frac{S_j}{\sum_i w_{ij} P_i}, \qquad A_i = \sum_j w_{ij} R_j

    With weights of 0 and 1 this is 2SFCA; with weights that fall with distance, E2SFCA.
    The supply of a facility that somebody reaches is kept: ``sum(A * P) = sum(S)``.

    Parameters
    ----------
    demand_of, facility_of
        The pairs; (n pairs,).
    weight
        Weight of each pair; (n pairs,).
    demand, supply
        People of each demand and supply of each facility.

    Returns
    -------
    ndarray
        Supply per head of each demand.

    References
    ----------
    Luo & Wang 2003, doi:10.1068/b29120; Luo & Qi 2009, doi:10.1016/j.healthplace.2009.06.002.

    Examples
    --------
    >>> pair = np.array([0, 1])
    >>> two_step(pair, np.array([0, 0]), [1, 1], demand=np.array([30.0, 10.0]),
    ...          supply=np.array([20.0])).tolist()
    [0.5, 0.5]
    """
    rows, cols = np.asarray(demand_of), np.asarray(facility_of)
    w = np.asarray(weight, np.float64)
    asked = np.bincount(cols, weights=w * demand[rows], minlength=supply.size)
    ratio = np.divide(supply, asked, out=np.zeros(supply.size), where=asked > 0)
    return np.bincount(rows, weights=w * ratio[cols], minlength=demand.size).astype(np.float64)


def three_step(
    demand_of: Ints,
    facility_of: Ints,
    weight: ArrayLike,
    *,
    demand: Floats,
    supply: Floats,
    catchment: ArrayLike | None = None,
) -> Floats:
    r"""Compute three-step floating catchment accessibility, where facilities compete.

    .. math:: G_{ij} = \frac{w_{ij}}{\sum_k w_{ik}}, \qquad
              A_i = \sum_{j \in C_i} G_{ij} w_{ij}
              \frac{S_j}{\sum_{i: j \in C_i} G_{ij} w_{ij} P_i}

    Parameters
    ----------
    demand_of, facility_of, weight, demand, supply
        As for `two_step`.
    catchment
        True for the pairs inside the catchment; (n pairs,). Pairs outside it count only in the
        sum below ``G``. By default all are inside.

    Returns
    -------
    ndarray
        Supply per head of each demand.

    References
    ----------
    Wan, Zou & Sternberg 2012, doi:10.1080/13658816.2011.624987.

    Examples
    --------
    >>> three_step(np.array([0, 0]), np.array([0, 1]), [1, 1], demand=np.array([4.0]),
    ...            supply=np.array([1.0, 3.0])).tolist()
    [1.0]
    """
    rows = np.asarray(demand_of)
    w = np.asarray(weight, np.float64)
    total = np.bincount(rows, weights=w, minlength=demand.size)
    share = np.divide(w, total[rows], out=np.zeros(w.size), where=total[rows] > 0)
    inside = 1.0 if catchment is None else np.asarray(catchment, np.float64)
    return two_step(demand_of, facility_of, share * w * inside, demand=demand, supply=supply)
