"""Weights of the parts of every group: given, equal, from judgement (AHP), from data, combined."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from riskmap.i18n import Text, text
from riskmap.index.aggregate import arithmetic
from riskmap.index.tree import (
    Array,
    Data,
    Options,
    Params,
    Tree,
    did_you_mean,
    error,
    raise_problems,
    unknown_codes,
)

if TYPE_CHECKING:
    from riskmap.errors import Problem

RANDOM_INDEX: Final = (0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56)
"""Mean consistency index of random matrices, n = 1..13 (Saaty 1980; 0.58 for n = 3)."""
MAX_RATIO: Final = 0.10
RECIPROCAL: Final = 1e-2
"""Relative tolerance of a_ij * a_ji = 1, so that 0.33 may stand for 1/3."""


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
    from scipy import optimize

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


OBJECTIVE: dict[str, Callable[[Array], Array]] = {
    "entropy": lambda x: entropy(_unit(x)),
    "critic": critic,
    "pca": pca,
    "optimised": optimised,
}
"""Name of a method to its function ``(rows x columns, pointing upwards) -> weights``."""


METHODS = ("given", "equal", "ahp", "combined", *OBJECTIVE)
PAIRED = tuple(name for name in METHODS if name != "combined")
"""Methods that ``combined`` can join."""
LEAST_ROWS = 2
"""Rows without gaps from which weights can be read."""


def effective(tree: Tree, weights: Mapping[str, float]) -> dict[str, float]:
    r"""Multiply each code's share of its parent down from the root.

    .. math:: e_c = \frac{w_c}{\sum_{s \in siblings} w_s} e_{parent}, \quad e_{root} = 1

    Parameters
    ----------
    tree
        The index tree.
    weights
        Weight of every code but the root.

    Returns
    -------
    dict
        Code to effective weight; the indicators' sum to 1.
    """
    found = {tree.root: 1.0}
    for group in reversed(tree.groups):
        total = sum(weights[c] for c in tree.children[group])
        for child in tree.children[group]:
            found[child] = found.get(group, 0.0) * weights[child] / total if total else 0.0
    return found


def _group_option(option: object, group: str, default: object) -> Any:
    """Read an option for one group; a group's entry does not hold for what is beneath."""
    if isinstance(option, Mapping):
        return option.get(group, option.get("default", default))
    return default if option is None else option


def _check(data: Data, options: Options) -> None:
    """Check methods and codes."""
    problems: list[Problem] = []
    for key in ("method", "matrices", "theta", "of", "target"):
        if key == "target" and not isinstance(options.get(key), Mapping):
            continue
        problems += unknown_codes(options.get(key), data.tree, "weight", key)
    mend = text("correct the steps file")
    for group in data.tree.groups:
        method = _group_option(options.get("method"), group, "given")
        names = [method]
        if method == "combined":
            names = [str(n) for n in _combined_of(options, group)]
        known = PAIRED if method == "combined" else METHODS
        for name in names:
            if name not in known:
                message = text("{code}: unknown method of weighting {name}", code=group, name=name)
                problems.append(error("method", message, did_you_mean(str(name), known)))
        if not 0 <= float(_group_option(options.get("theta"), group, 0.5)) <= 1:
            message = text("{code}: theta must be a share from 0 to 1", code=group)
            problems.append(error("theta", message, mend))
        if "ahp" in names and group not in options.get("matrices", {}):
            message = text(
                "{code}: method {name} needs {key}", code=group, name="ahp", key="matrices"
            )
            problems.append(error("missing_option", message, mend))
    raise_problems(problems)


def _combined_of(options: Options, group: str) -> tuple[str, str]:
    """Return the subjective and the objective method that are combined."""
    pair = options.get("of", ("given", "entropy"))
    if isinstance(pair, Mapping):
        pair = pair.get(group, pair.get("default", ("given", "entropy")))
    first, second = pair
    return str(first), str(second)


class _Weigher:
    """Weighs one group by any method, collecting reports and problems."""

    def __init__(self, data: Data, options: Options) -> None:
        self.data, self.options = data, options
        self.problems: list[Problem] = []
        self.reports: dict[str, Any] = {}

    def __call__(self, method: str, group: str, x: Array) -> Array:
        children = self.data.tree.children[group]
        if method == "given":
            return np.array([float(self.data.weights[c]) for c in children])
        if method == "equal" or len(children) == 1:
            return np.full(len(children), 1.0 / len(children))
        if method == "ahp":
            found, report, problems = weigh(
                group,
                children,
                self.options["matrices"][group],
                method=self.options.get("ahp_method", "eigenvector"),
                max_ratio=float(self.options.get("max_ratio", MAX_RATIO)),
            )
            self.problems += problems
            self.reports[group] = report
            return np.array([found.get(c, 1.0) for c in children])
        if method == "combined":
            return self.combined(group, x)
        if (~np.isnan(x).any(axis=1)).sum() < LEAST_ROWS:
            message = text(
                "{code}: method {name} needs two units or more in which all parts are known",
                code=group, name=method,
            )  # fmt: skip
            mend = text("fill the gaps first (impute), or give the weights")
            self.problems.append(error("rows", message, mend))
            return np.ones(len(children))
        if method == "optimised":
            target = self.options.get("target") or {}
            named = set(children) <= set(target)
            goal = np.array([float(target[c]) for c in children]) if named else None
            return optimised(x, goal)
        return OBJECTIVE[method](x)

    def combined(self, group: str, x: Array) -> Array:
        """Mix two sets of weights, by sum or by product."""
        first, second = (self(m, group, x) for m in _combined_of(self.options, group))
        if not (first.sum() > 0 and second.sum() > 0):
            return np.zeros(len(first))
        first, second = first / first.sum(), second / second.sum()
        if self.options.get("combine", "sum") == "product":
            joined = first * second
            return np.asarray(joined / joined.sum() if joined.sum() > 0 else first)
        theta = float(_group_option(self.options.get("theta"), group, 0.5))
        return np.asarray(theta * first + (1.0 - theta) * second)


def fit(data: Data, options: Options, notes: list[Text]) -> Params:
    r"""Weigh the parts of every group, bottom up.

    Methods from data look at the normalised columns of a group's parts; for groups of groups at
    the weighted arithmetic means of their parts. ``combined`` is
    :math:`\theta w_1 + (1 - \theta) w_2` or the normalised product.

    Parameters
    ----------
    data
        The normalised table.
    options
        ``method``: one, or ``{default: ..., GROUP: ...}``, of given, equal, ahp, entropy, critic,
        pca, optimised, combined; ``matrices``: ``{GROUP: {codes, matrix}}``; ``ahp_method``:
        eigenvector or geometric; ``max_ratio``; ``of``: the two methods combined; ``theta``;
        ``combine``: sum or product; ``target``: code to share of influence.
    notes
        Receives warnings.

    Returns
    -------
    dict
        ``weights`` of every code but the root, ``effective`` weights, ``ahp`` reports.

    Raises
    ------
    IndicatorError
        Unknown method or code, a wrong or contradictory pairwise matrix, weights summing to zero,
        too few units without gaps for weights from the data.
    """
    del notes
    _check(data, options)
    weigher = _Weigher(data, options)
    weights: dict[str, float] = {}
    methods = {g: _group_option(options.get("method"), g, "given") for g in data.tree.groups}
    looks = not set(methods.values()) <= {"given", "equal", "ahp"}
    rows = data.fit_rows if looks else np.zeros(len(data.rows), dtype=bool)
    pool: dict[str, Array] = {c: data.x[rows, i] for i, c in enumerate(data.codes)}
    for group in data.tree.groups:
        children = data.tree.children[group]
        x = np.column_stack([pool[c] for c in children])
        found = weigher(str(methods[group]), group, x)
        if not found.sum() > 0:
            message = text("{code}: the weights of its parts sum to zero", code=group)
            mend = text("give at least one part a weight above 0")
            weigher.problems.append(error("weights", message, mend))
        weights.update(zip(children, (float(w) for w in found), strict=True))
        pool[group] = arithmetic(x, found, {})
    raise_problems(weigher.problems)
    return {"weights": weights, "effective": effective(data.tree, weights), "ahp": weigher.reports}


def apply(data: Data, params: Params) -> Data:
    """Use the fitted weights from here on.

    Parameters
    ----------
    data
        The table so far.
    params
        As returned by `fit`.

    Returns
    -------
    Data
        The same table with other weights.
    """
    return replace(data, weights={c: params["weights"][c] for c in data.tree.parent})
