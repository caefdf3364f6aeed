"""Low ground from elevations on the grid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["relative_lowness"]

FloatGrid = NDArray[np.float32]


def relative_lowness(elevation: NDArray[Any], *, size_m: float, radius_m: float) -> FloatGrid:
    """Say how far each cell lies below the mean of its surroundings.

    ``low = mean of z within the radius - z``; positive in hollows, negative on rises. The opposite
    sign of the topographic position index.

    Parameters
    ----------
    elevation
        Elevation z of cells, shape (ny, nx) [m]; NaN = unknown, left out of the mean.
    size_m
        Side of a cell [m].
    radius_m
        Radius of the surroundings between cell centres, inclusive [m].

    Returns
    -------
    ndarray
        Depth below the surroundings, shape (ny, nx) [m]; NaN where z is unknown.

    References
    ----------
    Weiss (2001), Topographic position and landforms analysis, ESRI user conference.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.array([[5.0, 2.0, 5.0]])
    >>> relative_lowness(z, size_m=100, radius_m=100).tolist()
    [[-1.5, 2.0, -1.5]]
    """
    z = np.asarray(elevation, dtype=np.float64)
    known = np.isfinite(z)
    if not known.any():
        return np.full(z.shape, np.nan, dtype=np.float32)
    base = float(z[known].mean())
    rise = np.where(known, z - base, 0.0)
    radius = radius_m / size_m * (1 + 1e-12)
    mean = _disc_sum(rise, radius) / np.maximum(_disc_sum(known.astype(np.float64), radius), 1.0)
    return np.where(known, mean - rise, np.nan).astype(np.float32)


def _disc_sum(values: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """Sum the values within a disc around each cell, by running sums along the rows."""
    ny, nx = values.shape
    reach = min(int(radius), max(ny, nx))
    running = np.zeros((ny, nx + 1 + 2 * reach))
    np.cumsum(values, axis=1, out=running[:, reach + 1 : reach + 1 + nx])
    running[:, reach + 1 + nx :] = running[:, [reach + nx]]
    total = np.zeros((ny, nx))
    for step in range(min(reach, ny - 1) + 1):
        half = min(int(np.sqrt(max(radius**2 - step**2, 0.0))), reach)
        last, first = reach + half + 1, reach - half
        strip = running[:, last : last + nx] - running[:, first : first + nx]
        total[: ny - step] += strip[step:]
        if step:
            total[step:] += strip[: ny - step]
    return total
