"""Weights from pairwise judgements (analytic hierarchy process), with their consistency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from riskmap.errors import Problem
from riskmap.i18n import text
from riskmap.index.tree import Array, error

RANDOM_INDEX: Final = (0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56)
"""Mean consistency index of random matrices, n = 1..13 (Saaty 1980; 0.58 for n = 3)."""
MAX_RATIO: Final = 0.10
RECIPROCAL: Final = 1e-2
"""Relative tolerance of a_ij * a_ji = 1, so that 0.33 may stand for 1/3."""
METHODS: Final = ("eigenvector", "geometric")


@dataclass(frozen=True)
class Judgement:
    """Weights from one pairwise matrix."""

    weights: Array
    """Shape (n,), summing to 1."""
    lambda_max: float
    index: float
    """Consistency index CI."""
    ratio: float
    """Consistency ratio CR; 0 for n < 3."""
    worst: tuple[int, int]
    """Row and column of the judgement that fits worst."""
    suggested: float
    """What that judgement would be if it fitted the weights."""


def pairwise(matrix: Array, *, method: str = "eigenvector") -> Judgement:
    r"""Turn a reciprocal matrix of judgements into weights.

    .. math:: A w = \lambda_{max} w, \quad CI = \frac{\lambda_{max} - n}{n - 1}, \quad CR = CI / RI

    ``geometric`` takes the geometric mean of each row instead and
    :math:`\lambda_{max} = \frac1n \sum_i (A w)_i / w_i`. The worst judgement is the largest
    :math:`|\ln (a_{ij} w_j / w_i)|`.

    Parameters
    ----------
    matrix
        Shape (n, n), positive; entry (i, j) says how much more i matters than j.
    method
        ``eigenvector`` or ``geometric``.

    Returns
    -------
    Judgement
        Weights and consistency.

    References
    ----------
    Saaty, The Analytic Hierarchy Process, 1980; Saaty 2008, doi:10.1504/IJSSCI.2008.017590;
    Crawford and Williams 1985, doi:10.1016/0022-2496(85)90002-1.

    Examples
    --------
    >>> found = pairwise(np.array([[1, 1 / 3, 5], [3, 1, 7], [1 / 5, 1 / 7, 1]]))
    >>> found.weights.round(4).tolist(), round(found.index, 6), round(found.ratio, 4)
    ([0.279, 0.6491, 0.0719], 0.032444, 0.0559)
    """
    n = len(matrix)
    if method == "geometric":
        weights = np.exp(np.log(matrix).mean(axis=1))
        weights /= weights.sum()
        largest = float(np.mean(matrix @ weights / weights))
    else:
        values, vectors = np.linalg.eig(matrix)
        first = int(np.argmax(values.real))
        weights = np.abs(vectors[:, first].real)
        weights /= weights.sum()
        largest = float(values[first].real)
    consistency = (largest - n) / (n - 1) if n > 1 else 0.0
    random = RANDOM_INDEX[min(n, len(RANDOM_INDEX)) - 1]
    misfit = np.triu(np.abs(np.log(matrix * weights[None, :] / weights[:, None])), 1)
    row, column = divmod(int(np.argmax(misfit)), n)
    return Judgement(
        weights=weights,
        lambda_max=largest,
        index=consistency,
        ratio=consistency / random if random else 0.0,
        worst=(row, column),
        suggested=float(weights[row] / weights[column]),
    )


def matrix_problems(group: str, codes: Sequence[str], matrix: Any) -> list[Problem]:
    """Check one pairwise matrix: square, positive, reciprocal.

    Parameters
    ----------
    group
        Code of the group whose parts are compared.
    codes
        Codes in the order of rows and columns.
    matrix
        Nested lists of numbers; a text such as ``1/3`` is read as a fraction.

    Returns
    -------
    list of Problem
        Every cell that is wrong.
    """
    mend = text("correct the pairwise matrix")
    n = len(codes)
    if len(matrix) != n or any(len(row) != n for row in matrix):
        message = text("{code}: the pairwise matrix must be {n} x {n}", code=group, n=n)
        return [error("ahp_shape", message, mend)]
    values = as_matrix(matrix)
    problems = []
    for i in range(n):
        for j in range(i, n):
            cell = f"{codes[i]}/{codes[j]}"
            pair = values[i, j] * values[j, i]
            if not (values[i, j] > 0 and values[j, i] > 0):
                message = text("{code}: judgement {cell} must be above 0", code=group, cell=cell)
            elif abs(pair - 1) > RECIPROCAL:
                message = text(
                    "{code}: judgement {cell} and its inverse do not match", code=group, cell=cell
                )
            else:
                continue
            shown = f"{values[i, j]:g}, {values[j, i]:g}"
            problems.append(error("ahp_reciprocal", message, mend, value=shown))
    return problems


def as_matrix(matrix: Any) -> Array:
    """Read nested lists of numbers or fractions.

    Parameters
    ----------
    matrix
        Nested lists; ``"1/3"`` is a third; what cannot be read is NaN.

    Returns
    -------
    ndarray
        Shape (n, n).

    Examples
    --------
    >>> as_matrix([[1, "1/4"], [4, 1]]).tolist()
    [[1.0, 0.25], [4.0, 1.0]]
    """
    return np.array([[_number(cell) for cell in row] for row in matrix], dtype=float)


def _number(cell: object) -> float:
    """Read a number or a fraction."""
    above, _, below = str(cell).partition("/")
    try:
        return float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        return float("nan")


def weigh(
    group: str, children: Sequence[str], spec: Mapping[str, Any], *, method: str, max_ratio: float
) -> tuple[dict[str, float], dict[str, Any], list[Problem]]:
    """Weigh the parts of one group by its pairwise matrix.

    Parameters
    ----------
    group
        Code of the group.
    children
        Codes of its parts.
    spec
        ``matrix`` and optionally ``codes``, the order of its rows (default: as in the table).
    method
        ``eigenvector`` or ``geometric``.
    max_ratio
        A CR of this or more is an error.

    Returns
    -------
    tuple
        Weights by code, a report (``lambda_max, CI, CR, RI``), and problems.
    """
    codes = [str(c) for c in spec.get("codes") or children]
    mend = text("correct the pairwise matrix")
    if set(codes) != set(children) or len(codes) != len(children):
        names = ", ".join(children)
        message = text("{code}: the pairwise matrix must compare {names}", code=group, names=names)
        return {}, {}, [error("ahp_codes", message, mend, value=", ".join(codes))]
    problems = matrix_problems(group, codes, spec.get("matrix") or [])
    if problems:
        return {}, {}, problems
    matrix = as_matrix(spec["matrix"])
    found = pairwise(matrix, method=method)
    if found.ratio >= max_ratio:
        i, j = found.worst
        message = text(
            "{code}: the judgements contradict each other (CR {ratio} is not below {limit}); "
            "the worst is {cell} = {value}, the others imply {suggested}",
            code=group,
            ratio=f"{found.ratio:.4f}",
            limit=f"{max_ratio:g}",
            cell=f"{codes[i]}/{codes[j]}",
            value=f"{matrix[i, j]:.4g}",
            suggested=f"{found.suggested:.2g}",
        )
        mend = text("judge that pair again")
        return {}, {}, [error("ahp_consistency", message, mend)]
    report = {
        "lambda_max": found.lambda_max,
        "CI": found.index,
        "CR": found.ratio,
        "RI": RANDOM_INDEX[min(len(codes), len(RANDOM_INDEX)) - 1],
    }
    return dict(zip(codes, found.weights.tolist(), strict=True)), report, []
