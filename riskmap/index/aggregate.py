"""Join indicators into groups, groups into the index and units into towns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from riskmap.i18n import Text, text
from riskmap.index.tree import (
    Array,
    Data,
    Mask,
    Options,
    Params,
    did_you_mean,
    error,
    per_code,
    places_of,
    raise_problems,
    unknown_codes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from riskmap.errors import Problem


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


def _weighted(x: Array, weights: Array) -> tuple[Array, Array]:
    """Return the weighted sum over known values of each row, and the weights that it used."""
    total = np.zeros(len(x))
    used = np.zeros(len(x))
    for place, weight in enumerate(weights):
        column = x[:, place]
        missing = np.isnan(column)
        if missing.any():
            total += np.where(missing, 0.0, column) * weight
            used += np.where(missing, 0.0, weight)
        else:
            total += column * weight
            used += weight
    return total, used


def _divide(total: Array, used: Array) -> Array:
    """Divide, giving unknown where nothing was used."""
    return np.asarray(np.divide(total, used, out=np.full(len(total), np.nan), where=used > 0))


def arithmetic(x: Array, weights: Array, _options: Options) -> Array:
    r"""Take the weighted arithmetic mean of what is known: :math:`\sum w x / \sum w`.

    Parameters
    ----------
    x
        Shape (rows, children); NaN is left out together with its weight.
    weights
        Shape (children,).
    _options
        Not used; the method has no options.

    Returns
    -------
    ndarray
        Shape (rows,); NaN where nothing is known.

    Examples
    --------
    >>> arithmetic(np.array([[1.0, 3.0], [np.nan, 3.0]]), np.array([3.0, 1.0]), {}).tolist()
    [1.5, 3.0]
    """
    return _divide(*_weighted(x, weights))


def geometric(x: Array, weights: Array, _options: Options) -> Array:
    r"""Take the weighted geometric mean of what is known: :math:`\prod x^{w / \sum w}`.

    A zero with a weight above 0 makes the mean zero.

    Parameters
    ----------
    x
        Shape (rows, children), not negative.
    weights
        Shape (children,).
    _options
        Not used; the method has no options.

    Returns
    -------
    ndarray
        Shape (rows,); NaN where nothing is known.

    Examples
    --------
    >>> geometric(np.array([[1.0, 4.0], [0.0, 4.0]]), np.array([1.0, 1.0]), {}).tolist()
    [2.0, 0.0]
    """
    zero = ((x == 0) & (weights > 0)).any(axis=1)
    logs = np.log(np.where(x > 0, x, np.where(np.isnan(x), np.nan, 1.0)))
    mean = np.exp(_divide(*_weighted(logs, weights)))
    return np.where(zero & ~np.isnan(mean), 0.0, mean)


def harmonic(x: Array, weights: Array, _options: Options) -> Array:
    r"""Take the weighted harmonic mean of what is known: :math:`\sum w / \sum (w / x)`.

    Parameters
    ----------
    x
        Shape (rows, children), not negative; a zero makes the mean zero.
    weights
        Shape (children,).
    _options
        Not used; the method has no options.

    Returns
    -------
    ndarray
        Shape (rows,); NaN where nothing is known.

    Examples
    --------
    >>> harmonic(np.array([[1.0, 3.0]]), np.array([1.0, 1.0]), {}).tolist()
    [1.5]
    """
    zero = ((x == 0) & (weights > 0)).any(axis=1)
    total, used = _weighted(1.0 / np.where(x == 0, 1.0, x), weights)
    return np.where(zero, 0.0, _divide(used, np.where(used > 0, total, 1.0) * (used > 0)))


def generalised(x: Array, weights: Array, options: Options) -> Array:
    r"""Take the weighted power mean: :math:`(\sum w x^p / \sum w)^{1/p}`; ``power`` 0 is geometric.

    Parameters
    ----------
    x
        Shape (rows, children), not negative.
    weights
        Shape (children,).
    options
        ``power``.

    Returns
    -------
    ndarray
        Shape (rows,).

    Examples
    --------
    >>> generalised(np.array([[3.0, 4.0]]), np.array([1.0, 1.0]), {"power": 2}).round(6).tolist()
    [3.535534]
    """
    power = float(options.get("power", 1.0))
    if power == 0:
        return geometric(x, weights, options)
    zero = ((x == 0) & (weights > 0)).any(axis=1) if power < 0 else np.zeros(len(x), dtype=bool)
    safe = np.where(x == 0, 1.0, x) if power < 0 else x
    mean = np.power(_divide(*_weighted(np.power(safe, power), weights)), 1.0 / power)
    return np.where(zero, 0.0, mean)


def product(x: Array, weights: Array, options: Options) -> Array:
    r"""Multiply what is known, each raised to its weight as given: :math:`\prod x^w`.

    With weights (a, b, c, d) and ``complement`` naming the last child this is the risk form
    :math:`H^a E^b V^c (1 - C)^d`.

    Parameters
    ----------
    x
        Shape (rows, children), not negative.
    weights
        Shape (children,); exponents, not normalised.
    options
        Positions of children: ``complement``, taken as 1 - x; ``inverse``, divided by (a zero
        there counts as unknown).

    Returns
    -------
    ndarray
        Shape (rows,); NaN where nothing is known.

    Examples
    --------
    >>> product(np.array([[0.5, 0.4]]), np.array([1.0, 2.0]), {}).round(6).tolist()
    [0.08]
    """
    result = np.ones(len(x))
    some = np.zeros(len(x), dtype=bool)
    for place, weight in enumerate(weights):
        column = x[:, place]
        if place in options.get("complement", ()):
            column = 1.0 - column
        power = -weight if place in options.get("inverse", ()) else weight
        known = ~np.isnan(column) & ~((column == 0) & (power < 0))
        result *= np.where(known, np.power(np.where(known, column, 1.0), power), 1.0)
        some |= known
    return np.where(some, result, np.nan)


def inverse_geometric(x: Array, weights: Array, options: Options) -> Array:
    r"""Take the geometric mean from the other end of the scale, so that one high part shows.

    .. math:: y = \frac{t}{9} \left(10 - \prod (10 - 9 x / t)^{w / \sum w}\right)

    Parameters
    ----------
    x
        Shape (rows, children), 0..t.
    weights
        Shape (children,).
    options
        ``top``: t, the upper end of the scale; 1 by default.

    Returns
    -------
    ndarray
        Shape (rows,), 0..t.

    References
    ----------
    INFORM methodology 2017, doi:10.2760/094023.

    Examples
    --------
    >>> inverse_geometric(np.array([[10.0, 0.0]]), np.ones(2), {"top": 10}).round(4).tolist()
    [7.5975]
    """
    top = float(options.get("top", 1.0))
    mean = geometric(10.0 - 9.0 * np.clip(x / top, 0.0, 1.0), weights, options)
    return np.asarray(top * (10.0 - mean) / 9.0)


def maximum(x: Array, weights: Array, _options: Options) -> Array:
    """Take the largest known value among the children whose weight is above 0.

    Parameters
    ----------
    x
        Shape (rows, children).
    weights
        Shape (children,); only whether a weight is above 0 matters.
    _options
        Not used; the method has no options.

    Returns
    -------
    ndarray
        Shape (rows,); NaN where nothing is known.

    Examples
    --------
    >>> maximum(np.array([[1.0, 9.0], [3.0, np.nan]]), np.array([1.0, 0.0]), {}).tolist()
    [1.0, 3.0]
    """
    used = x[:, weights > 0]
    result = np.fmax.reduce(used, axis=1, initial=-np.inf)
    return np.where(np.isneginf(result), np.nan, result)


def union(x: Array, weights: Array, options: Options) -> Array:
    r"""Join parts that each fill what the others leave of the scale, so that none passes its top.

    .. math:: y = l + (t - l) \left(1 - \prod \left(1 - w \frac{x - l}{t - l}\right)\right)

    A part at the bottom changes nothing; with weights 1 a part at the top gives the top.

    Parameters
    ----------
    x
        Shape (rows, children), l..t; NaN is left out.
    weights
        Shape (children,); strengths 0..1, not normalised.
    options
        ``low`` and ``top``: l and t, the ends of the scale; 0 and 1 by default.

    Returns
    -------
    ndarray
        Shape (rows,), l..t; NaN where nothing is known.

    Examples
    --------
    >>> union(np.array([[0.5, 0.4], [0.3, 0.0], [0.3, np.nan]]), np.ones(2), {}).round(6).tolist()
    [0.7, 0.3, 0.3]
    """
    low, top = float(options.get("low", 0.0)), float(options.get("top", 1.0))
    above = np.zeros(len(x))
    for place, weight in enumerate(weights):
        part = np.where(np.isnan(x[:, place]), 0.0, (x[:, place] - low) * weight)
        above = above + (1.0 - above / (top - low)) * part
    return np.where(np.isnan(x).all(axis=1), np.nan, low + above)


METHODS: dict[str, Callable[[Array, Array, Options], Array]] = {
    "arithmetic": arithmetic,
    "geometric": geometric,
    "harmonic": harmonic,
    "generalised": generalised,
    "product": product,
    "inverse_geometric": inverse_geometric,
    "max": maximum,
    "union": union,
    "copeland": copeland,
    "topsis": topsis,
}
"""Name of a method to its vector function ``(rows x children, weights, options) -> rows``."""


NOT_NEGATIVE = ("geometric", "harmonic", "generalised", "product")


def _negative(data: Data, group: str, spec: Params, x: Array) -> list[Problem]:
    """Name the cells that forbid a method: below 0, or above 1 where 1 - x is taken."""
    children = data.tree.children[group]
    turned = np.isin(children, spec.get("complement", ()))
    below, above = _cells(data, children, x < 0), _cells(data, children, (x > 1) & turned)
    found = []
    if below[0]:
        message = text(
            "{group}: {n} negative value(s) under a {name} mean: {cells}",
            group=group, n=below[0], name=spec["method"], cells=below[1],
        )  # fmt: skip
        mend = text("normalise to a range from 0 upwards, or aggregate arithmetically")
        found.append(error("negative", message, mend, name=group))
    if above[0]:
        message = text(
            "{group}: {n} value(s) above 1 cannot be taken as 1 - x: {cells}",
            group=group, n=above[0], cells=above[1],
        )  # fmt: skip
        found.append(error("negative", message, text("normalise to 0..1"), name=group))
    return found


def _cells(data: Data, children: tuple[str, ...], wrong: Mask, limit: int = 5) -> tuple[int, str]:
    """Count the marked cells, and name the first of them."""
    rows, places = np.nonzero(wrong)
    first = zip(rows[:limit], places[:limit], strict=True)
    return len(rows), ", ".join(f"{data.rows[r]}/{children[p]}" for r, p in first)


def _top_problems(group: str, top: float) -> list[Problem]:
    """Check the end of the scale of an inverse geometric mean."""
    if top > 0:
        return []
    message = text("{code}: top must be above 0", code=group)
    return [error("top", message, text("correct the steps file"))]


ZERO_DECIDES: Final = ("geometric", "product")
"""Methods in which one part of zero makes the whole zero, whatever the unknown ones are."""


def _own(option: object, data: Data, default: object) -> dict[str, Any]:
    """Spread an option over the groups; a group's own entry holds for it, not for those beneath."""
    if isinstance(option, Mapping):
        return {g: option.get(g, option.get("default", default)) for g in data.tree.groups}
    return dict.fromkeys(data.tree.groups, default if option is None else option)


def fit(data: Data, options: Options, _notes: list[Text]) -> Params:
    """Choose the method of every group.

    Parameters
    ----------
    data
        The table so far.
    options
        ``method`` and ``dat_thresh`` (least share of known children), each one value or
        ``{default: ..., CODE: ...}``; ``power``; ``complement``: codes taken as 1 - x;
        ``inverse``: codes divided by; ``top``: the end of the scale of an inverse geometric mean.
    _notes
        Not used; the step has nothing to say.

    Returns
    -------
    dict
        Code of the group to its method, weights and options, bottom up.

    Raises
    ------
    IndicatorError
        Unknown method or code, weights that sum to zero.
    """
    problems: list[Problem] = []
    for key in ("method", "dat_thresh", "power"):
        problems += unknown_codes(options.get(key), data.tree, "aggregate", key)
    methods = _own(options.get("method"), data, "arithmetic")
    thresholds = _own(options.get("dat_thresh"), data, None)
    powers = per_code(options.get("power"), data.tree, 1.0)
    turned = {key: set(options.get(key, ())) for key in ("complement", "inverse")}
    for key, codes in turned.items():
        problems += unknown_codes(dict.fromkeys(codes), data.tree, "aggregate", key)
    groups: dict[str, Any] = {}
    for group in data.tree.groups:
        children = data.tree.children[group]
        weights = {child: float(data.weights[child]) for child in children}
        if methods[group] not in METHODS:
            message = text(
                "{code}: unknown method of aggregation {name}", code=group, name=methods[group]
            )
            problems.append(error("method", message, did_you_mean(str(methods[group]), METHODS)))
        if not sum(weights.values()) > 0:
            message = text("{code}: the weights of its parts sum to zero", code=group)
            problems.append(
                error("weights", message, text("give at least one part a weight above 0"))
            )
        groups[group] = {"method": methods[group], "weights": weights}
        if thresholds[group] is not None:
            groups[group]["dat_thresh"] = float(thresholds[group])
        if methods[group] == "generalised":
            groups[group]["power"] = float(powers[group])
        for key, codes in turned.items():
            if codes & set(children):
                groups[group][key] = [c for c in children if c in codes]
        if methods[group] == "inverse_geometric":
            groups[group]["top"] = float(options.get("top", 1.0))
            problems += _top_problems(group, groups[group]["top"])
    raise_problems(problems)
    return {"groups": groups}


def combine(
    x: Array, spec: Params, children: tuple[str, ...], weights: Array | None = None
) -> Array:
    """Aggregate one group from its children's columns.

    Parameters
    ----------
    x
        Shape (rows, children).
    spec
        The group's entry in the fitted parameters.
    children
        Codes of the columns.
    weights
        Other weights than the fitted ones.

    Returns
    -------
    ndarray
        Shape (rows,).
    """
    w = np.array([spec["weights"][c] for c in children]) if weights is None else weights
    options = dict(spec)
    for key in ("complement", "inverse"):
        options[key] = [children.index(c) for c in spec.get(key, ())]
    result = METHODS[spec["method"]](x, w, options)
    if "dat_thresh" in spec:
        share = 1.0 - np.isnan(x).mean(axis=1)
        decided = (result == 0) & (spec["method"] in ZERO_DECIDES)
        result = np.where((share < spec["dat_thresh"]) & ~decided, np.nan, result)
    return result


def apply(data: Data, params: Params) -> Data:
    """Aggregate all groups, bottom up.

    Parameters
    ----------
    data
        The normalised table.
    params
        As returned by `fit`.

    Returns
    -------
    Data
        With the score of every group.

    Raises
    ------
    IndicatorError
        Negative values under a geometric, harmonic or power mean or a product, values above 1
        under a complement.
    """
    problems: list[Problem] = []
    current = replace(data, groups={})
    for group in data.tree.groups:
        spec = params["groups"][group]
        children = data.tree.children[group]
        x = current.columns(children)
        if spec["method"] in NOT_NEGATIVE:
            found = _negative(data, group, spec, x)
            problems += found
            x = np.full_like(x, np.nan) if found else x
        current = replace(current, groups={**current.groups, group: combine(x, spec, children)})
    raise_problems(problems)
    return current


RED: Final = 4


def weighted_mean(values: Array, weights: Array) -> float:
    r"""Average known values by weight: :math:`\sum w x / \sum w`.

    Parameters
    ----------
    values
        Scores of the units of one parent, shape (n,).
    weights
        Weight of each unit, shape (n,), such as people or area.

    Returns
    -------
    float
        NaN when nothing known weighs anything.

    Examples
    --------
    >>> weighted_mean(np.array([1.0, 4.0, np.nan]), np.array([2.0, 1.0, 5.0]))
    2.0
    """
    known = ~np.isnan(values) & ~np.isnan(weights)
    total = weights[known].sum()
    return float((values[known] * weights[known]).sum() / total) if total > 0 else float("nan")


def worst(values: Array, _weights: Array) -> float:
    """Take the largest known value.

    Parameters
    ----------
    values
        Scores of the units of one parent, shape (n,).
    _weights
        Not used; every unit counts alike.

    Returns
    -------
    float
        NaN when nothing is known.

    Examples
    --------
    >>> worst(np.array([1.0, 4.0, np.nan]), np.ones(3))
    4.0
    """
    known = values[~np.isnan(values)]
    return float(known.max()) if len(known) else float("nan")


def share_red(values: Array, weights: Array) -> float:
    """Give the share, by weight, of known classes that are red (class 4).

    Parameters
    ----------
    values
        Classes of the units of one parent, shape (n,); 0 is unknown.
    weights
        Weight of each unit, shape (n,), such as people or area.

    Returns
    -------
    float
        Share 0..1; NaN when nothing known weighs anything.

    Examples
    --------
    >>> share_red(np.array([4.0, 2.0, 0.0]), np.array([1.0, 3.0, 9.0]))
    0.25
    """
    known = values > 0
    total = np.nansum(weights[known])
    return float(np.nansum(weights[known & (values >= RED)]) / total) if total > 0 else float("nan")


def total(values: Array, _weights: Array) -> float:
    """Sum what is known.

    Parameters
    ----------
    values
        Amounts of the units of one parent, shape (n,).
    _weights
        Not used; every unit counts alike.

    Returns
    -------
    float
        NaN when nothing is known.

    Examples
    --------
    >>> total(np.array([1.0, 4.0, np.nan]), np.ones(3))
    5.0
    """
    known = values[~np.isnan(values)]
    return float(known.sum()) if len(known) else float("nan")


ROLL_UPS: dict[str, Callable[[Array, Array], float]] = {
    "mean": weighted_mean,
    "max": worst,
    "share_red": share_red,
    "sum": total,
}
"""Name of a method to its function ``(values, weights) -> value``."""


def roll_up(
    values: pd.Series,
    parents: pd.Series,
    *,
    method: str = "mean",
    weights: pd.Series | None = None,
) -> pd.Series:
    r"""Carry values one level up: :math:`S_p = \sum_{u \in p} w_u s_u / \sum w_u`.

    Parameters
    ----------
    values
        Scores by unit (classes for ``share_red``).
    parents
        Parent by unit; units without one are left out.
    method
        ``mean``, ``max``, ``share_red`` or ``sum``.
    weights
        Population or area by unit; 1 when None, 0 where unknown.

    Returns
    -------
    Series
        By parent, in order of the parents' names.

    Raises
    ------
    IndicatorError
        Unknown method, or a negative weight.

    Examples
    --------
    >>> scores = pd.Series([1.0, 4.0], index=["v1", "v2"])
    >>> towns = pd.Series(["t", "t"], index=["v1", "v2"])
    >>> roll_up(scores, towns, weights=pd.Series([2.0, 1.0], index=["v1", "v2"])).to_dict()
    {'t': 2.0}
    """
    problems: list[Problem] = []
    if method not in ROLL_UPS:
        message = text("unknown method of roll-up {name}", name=method)
        problems.append(error("method", message, did_you_mean(method, ROLL_UPS)))
    w = pd.Series(1.0, index=values.index) if weights is None else weights.reindex(values.index)
    w = w.astype(float).fillna(0.0)
    mend = text("correct the table of values")
    problems += [
        error("weight", text("{unit}: a negative weight", unit=unit), mend, value=w[unit])
        for unit in w.index[w < 0]
    ]
    raise_problems(problems)
    x = values.to_numpy(dtype=float, na_value=np.nan)
    above = parents.reindex(values.index)
    labels = above.astype(object).where(above.notna(), "").astype(str).to_numpy(dtype=object)
    share = np.asarray(w, dtype=np.float64)
    found = {
        name: ROLL_UPS[method](x[mine], share[mine])
        for name, mine in places_of(labels).items()
        if name
    }
    return pd.Series(found, name=values.name, dtype=float)


def roll_points(
    points: pd.DataFrame,
    *,
    score: str = "score",
    kind: str = "class",
    unit: str = "unit_id",
    kinds: Sequence[str] | None = None,
    top: int = 3,
) -> pd.DataFrame:
    r"""Bring point scores into classes of units and then into streets (point, class, area).

    The score of a class in a street is the mean of its ``top`` worst points, so that many harmless
    points do not hide a bad one: :math:`S_{k,u} = \frac{1}{m} \sum_{i \le m} s_{(i)}`, with m the
    smaller of ``top`` and the number of points; a class without points is unknown.

    Parameters
    ----------
    points
        One row per point, with the columns named below.
    score
        Column of the point's score.
    kind
        Column of the class of unit it belongs to.
    unit
        Column of the street it stands in.
    kinds
        Classes to give a column each; those that occur when None.
    top
        Number of worst points that count.

    Returns
    -------
    DataFrame
        Streets x classes, ready as indicator values of an index.

    References
    ----------
    GB/T 42768-2023, point, class and area.

    Examples
    --------
    >>> rows = [("s", "fire", 1.0), ("s", "fire", 3.0), ("s", "flood", 2.0)]
    >>> points = pd.DataFrame(rows, columns=["unit_id", "class", "score"])
    >>> roll_points(points, top=1).loc["s"].to_dict()
    {'fire': 3.0, 'flood': 2.0}
    """
    known = points.dropna(subset=[score, kind, unit])
    ordered = known.sort_values(score, ascending=False, kind="stable")
    worst = ordered.groupby([unit, kind], sort=True).head(top)
    table = worst.pivot_table(index=unit, columns=kind, values=score, aggfunc="mean")
    table.columns = table.columns.astype(str)
    if kinds is not None:
        table = table.reindex(columns=list(kinds))
    return table.rename_axis(columns=None)
