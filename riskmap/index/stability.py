"""How firmly a score, rank or class stands when the weights are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numba
import numpy as np
from numpy.typing import NDArray

from riskmap.i18n import text
from riskmap.index.aggregate import METHODS
from riskmap.index.tree import Array, Params, Tree, error, failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from riskmap.index.steps import Index


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


RANK_CELLS: Final = 50_000_000
"""Rows x draws up to which ranks are counted in every draw."""


def draw_weights(
    tree: Tree,
    weights: Mapping[str, float],
    draws: int,
    *,
    seed: int = 0,
    share: float | None = 0.25,
    concentration: float | None = None,
) -> dict[str, Single]:
    r"""Draw weights within every group.

    Either each weight moves evenly within :math:`\pm` ``share`` of itself, or the shares of a
    group follow a Dirichlet distribution with mean at the given shares:
    :math:`w \sim Dir(c\, m\, \bar w)`, m the number of parts.

    Parameters
    ----------
    tree
        The index tree.
    weights
        Weight of every code but the root.
    draws
        Number of draws.
    seed
        Seed of the generator.
    share
        Half width as a share of the weight [0..1].
    concentration
        c above; when given, Dirichlet is used.

    Returns
    -------
    dict
        Code to its share of its group in every draw, float32, shape (draws,).
    """
    generator = np.random.default_rng(seed)
    found: dict[str, Single] = {}
    for group in tree.groups:
        children = tree.children[group]
        nominal = np.array([weights[c] for c in children], dtype=float)
        nominal = nominal / nominal.sum()
        if concentration is not None:
            alpha = concentration * len(children) * nominal
            drawn = generator.standard_gamma(np.maximum(alpha, 1e-12), (draws, len(children)))
            drawn[:, nominal == 0] = 0.0
        else:
            width = 0.0 if share is None else share
            noise = generator.uniform(1 - width, 1 + width, (draws, len(children)))
            drawn = nominal * noise
        drawn /= drawn.sum(axis=1, keepdims=True)
        for place, child in enumerate(children):
            found[child] = drawn[:, place].astype(np.float32)
    return found


def _join(parts: Sequence[Any], weights: Sequence[Single], spec: Params) -> Any:
    """Join children of shape (rows, 1) or (rows, draws) under weights of shape (draws,)."""
    method = spec["method"]
    if method in ("arithmetic", "geometric"):
        total: Any = np.float32(0)
        used: Any = np.float32(0)
        zero = None
        for part, weight in zip(parts, weights, strict=True):
            missing = np.isnan(part)
            value = part
            if method == "geometric":
                none = (part == 0) & (weight > 0)
                zero = none if zero is None else zero | none
                value = np.log(np.where(part > 0, part, np.float32(1)))
            if missing.any():
                total = total + np.where(missing, np.float32(0), value) * weight
                used = used + np.where(missing, np.float32(0), weight)
            else:
                total, used = total + value * weight, used + weight
        mean = np.where(used > 0, total / np.where(used > 0, used, 1), np.nan).astype(np.float32)
        if "dat_thresh" in spec:
            share = sum(~np.isnan(part) for part in parts) / len(parts)
            mean = np.where(share < spec["dat_thresh"], np.float32(np.nan), mean)
        return mean if zero is None else np.where(zero, np.float32(0), np.exp(mean))
    return _slowly(parts, weights, spec)


def _slowly(parts: Sequence[Any], weights: Sequence[Single], spec: Params) -> Single:
    """Join draw by draw, for methods without a vectorised form."""
    draws = len(weights[0])
    rows = parts[0].shape[0]
    result = np.empty((rows, draws), dtype=np.float32)
    scale = sum(spec["weights"].values()) if spec["method"] == "product" else 1.0
    children = list(spec["weights"])
    options = dict(spec)
    for key in ("complement", "inverse"):
        options[key] = [children.index(c) for c in spec.get(key, ())]
    for draw in range(draws):
        x = np.column_stack([p[:, draw if p.shape[1] > 1 else 0] for p in parts]).astype(float)
        w = np.array([weight[draw] for weight in weights], dtype=float) * scale
        score = METHODS[spec["method"]](x, w, options)
        if "dat_thresh" in spec:
            known = 1.0 - np.isnan(x).mean(axis=1)
            score = np.where(known < spec["dat_thresh"], np.nan, score)
        result[:, draw] = score
    return result


def is_additive(tree: Tree, specs: Params, complete: bool) -> bool:  # noqa: FBT001
    """Say whether the root is one weighted sum of the indicators.

    Parameters
    ----------
    tree
        The index tree.
    specs
        The fitted ``groups`` of the aggregation.
    complete
        Whether every value is known.

    Returns
    -------
    bool
        True when every group is a plain arithmetic mean of complete columns.
    """
    plain = all(specs[g]["method"] == "arithmetic" for g in tree.groups)
    return complete and plain


def effective_draws(tree: Tree, weights: Mapping[str, Single], codes: Sequence[str]) -> Single:
    r"""Multiply the drawn shares down from the root: :math:`\prod_{c \in lineage} w_c`.

    Parameters
    ----------
    tree
        The index tree.
    weights
        Code to its drawn shares of its group, shape (draws,).
    codes
        Indicators to give a column each.

    Returns
    -------
    ndarray
        Weight of each indicator in the root, float32, shape (draws, codes).
    """
    columns = []
    for code in codes:
        product: Any = np.float32(1)
        for step in tree.lineage(code)[:-1]:
            product = product * weights[step]
        columns.append(product)
    return np.column_stack(columns).astype(np.float32)


def evaluate(
    tree: Tree, specs: Params, columns: Mapping[str, Array], weights: Mapping[str, Single]
) -> Single:
    """Score the root of every row in every draw.

    Parameters
    ----------
    tree
        The index tree.
    specs
        The fitted ``groups`` of the aggregation.
    columns
        Code of each indicator to its normalised values, shape (rows,).
    weights
        Code to its drawn shares, shape (draws,).

    Returns
    -------
    ndarray
        float32, shape (rows, draws).
    """
    complete = not any(np.isnan(columns[c]).any() for c in tree.indicators)
    if is_additive(tree, specs, complete):
        x = np.column_stack([columns[c] for c in tree.indicators]).astype(np.float32)
        shares = np.ascontiguousarray(effective_draws(tree, weights, tree.indicators).T)
        found: Single = np.empty((len(x), shares.shape[1]), dtype=np.float32)
        weigh(x, shares, found)
        return found
    pool: dict[str, Any] = {c: columns[c].astype(np.float32)[:, None] for c in tree.indicators}
    for group in tree.groups:
        children = tree.children[group]
        parts = [pool[c] for c in children]
        pool[group] = _join(parts, [weights[c] for c in children], specs[group])
    draws = len(next(iter(weights.values())))
    return np.broadcast_to(pool[tree.root], (len(pool[tree.root]), draws)).astype(np.float32)


def rank_draws(scores: Single) -> Single:
    """Rank the rows within every draw, 1 = highest; ties share the least rank.

    Parameters
    ----------
    scores
        Shape (rows, draws).

    Returns
    -------
    ndarray
        float32, same shape; NaN where the score is.
    """
    from scipy import stats

    ranks = np.full_like(scores, np.nan)
    unknown = np.isnan(scores)
    known = ~unknown.all(axis=1)
    # a row is mostly known in all draws or in none; SciPy leaves values out one draw after another
    policy: Literal["omit", "propagate"] = "omit" if unknown[known].any() else "propagate"
    step = max(1, CHUNK_CELLS // max(len(scores), 1))
    for start in range(0, scores.shape[1], step):
        block = -scores[known, start : start + step]
        ranks[known, start : start + step] = stats.rankdata(block, "min", axis=0, nan_policy=policy)
    return ranks


def groups_of(index: Index) -> Params:
    """Return the fitted aggregation of an index.

    Parameters
    ----------
    index
        A computed index.

    Returns
    -------
    dict
        Group to its method, weights and options.

    Raises
    ------
    IndicatorError
        The index was never aggregated.
    """
    for step in index.params["steps"]:
        if step["step"] == "aggregate":
            found: Params = step["fitted"]["groups"]
            return found
    message = text("the steps do not aggregate")
    raise failure([error("order", message, text("add a step: aggregate"))])


def columns_of(index: Index) -> dict[str, Array]:
    """Return the normalised indicators and the groups' scores by code.

    Parameters
    ----------
    index
        A computed index.

    Returns
    -------
    dict
        Code to values, shape (rows,).
    """
    frames = (index.stages["normalised"], index.scores)
    return {str(c): f[c].to_numpy(dtype=float) for f in frames for c in f.columns}
