"""The index as the page recomputes it, tried out against the run's own scores."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["combine", "make_recipe", "recompute"]

METHODS: Final = ("arithmetic", "geometric", "product", "harmonic", "max", "union")
TOLERANCE: Final = 1e-6
_KEPT: Final = 2
"""Rows needed to find the stretch between a mean and the group's score."""


def combine(method: str, values: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    r"""Aggregate columns into one, leaving out what is unknown.

    .. math:: \bar x = \frac{\sum w x}{\sum w}, \qquad
              \bar x_g = \exp \frac{\sum w \ln x}{\sum w}

    Parameters
    ----------
    method
        ``arithmetic``, ``geometric``, ``product``, ``harmonic``, ``max`` or ``union`` (on 0..1).
    values
        Shape (rows, children) [unitless].
    weights
        Shape (children,) [unitless].

    Returns
    -------
    ndarray
        Shape (rows,); NaN where every child is unknown.

    Examples
    --------
    >>> combine("geometric", np.array([[4.0, 9.0], [0.0, 5.0]]), np.array([1.0, 1.0])).round(9)
    array([6., 0.])
    """
    known = ~np.isnan(values)
    if method == "union":
        left = np.prod(1.0 - np.where(known, values, 0.0) * weights, axis=1)
        return np.where(known.any(axis=1), 1.0 - left, np.nan)
    share = np.where(known, weights, 0.0)
    total = share.sum(axis=1)
    filled = np.where(known, values, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        if method == "arithmetic":
            out = (share * filled).sum(axis=1) / total
        elif method == "max":
            out = np.where(known & (share > 0), values, -np.inf).max(axis=1)
        elif method == "harmonic":
            out = total / (share / filled).sum(axis=1)
        else:
            logs = np.where(share > 0, share * np.log(filled), 0.0).sum(axis=1)
            out = np.exp(logs if method == "product" else logs / total)
    return np.where(total > 0, out, np.nan)


def _tree(meta: pd.DataFrame) -> list[str]:
    """Order the groups so that children come before parents."""
    groups = [code for code in meta.index if meta.loc[code, "kind"] == "group"]

    def depth(code: str) -> int:
        parent = str(meta.loc[code, "parent"] or "")
        return 0 if parent not in meta.index else 1 + depth(parent)

    return sorted(groups, key=depth, reverse=True)


def _stretch(mean: NDArray[Any], score: NDArray[Any]) -> tuple[float, float] | None:
    """Find a and b so that score = a + b * mean everywhere, or None."""
    known = np.isfinite(mean) & np.isfinite(score)
    if not known.any() or np.allclose(mean[known], score[known], rtol=0, atol=TOLERANCE):
        return 0.0, 1.0
    m, s = mean[known], score[known]
    low, high = int(m.argmin()), int(m.argmax())
    if known.sum() < _KEPT or m[high] == m[low]:
        return None
    slope = (s[high] - s[low]) / (m[high] - m[low])
    start = s[low] - slope * m[low]
    close = np.allclose(start + slope * m, s, rtol=0, atol=TOLERANCE)
    return (float(start), float(slope)) if close and slope > 0 else None


def _tried(index: Any, code: str) -> list[str]:
    """Order the methods: the one that the group was fitted with first."""
    steps = index.params.get("steps", ()) if isinstance(index.params, dict) else ()
    fitted = [s["fitted"]["groups"] for s in steps if s.get("step") == "aggregate"]
    groups: dict[str, Any] = fitted[0] if fitted else {}
    named = str(groups.get(code, {}).get("method", ""))
    return sorted(METHODS, key=lambda method: method != named)


def make_recipe(index: Any) -> dict[str, Any]:
    """Find out how each group's score follows from its children.

    Each method is tried on the run's own numbers; a group that no method reproduces makes the
    page show the scores but offer no weights to move.

    Parameters
    ----------
    index
        An ``index.steps.Index``.

    Returns
    -------
    dict
        ``groups``: bottom up, each ``{code, children, method, low, slope}``; ``exact``: True when
        every group was reproduced within 1e-6.
    """
    meta = index.meta
    pool = {code: index.stages["normalised"][code] for code in index.stages["normalised"]}
    groups: list[dict[str, Any]] = []
    exact = True
    for code in _tree(meta):
        children = [c for c in meta.index[meta["parent"] == code] if c in pool]
        if not children or code not in index.scores:
            continue
        values = np.column_stack([pool[c].to_numpy(dtype=float) for c in children])
        weights = meta.loc[children, "weight"].to_numpy(dtype=float)
        score = index.scores[code].to_numpy(dtype=float)
        group = {"code": code, "children": children, "method": "", "low": 0.0, "slope": 1.0}
        for method in _tried(index, code):
            found = _stretch(combine(method, values, weights), score)
            if found is not None:
                group |= {"method": method, "low": found[0], "slope": found[1]}
                break
        exact = exact and bool(group["method"])
        groups.append(group)
        pool[code] = index.scores[code]
    return {"groups": groups, "exact": exact and bool(groups)}


def recompute(index: Any, recipe: dict[str, Any], *, weights: dict[str, float]) -> pd.DataFrame:
    """Recompute every group with other weights, as the page does.

    Parameters
    ----------
    index
        An ``index.steps.Index``.
    recipe
        From `make_recipe`.
    weights
        Code to weight; codes that are not named keep theirs.

    Returns
    -------
    DataFrame
        Rows of the index, one column per group [unitless].
    """
    stage = index.stages["normalised"]
    pool = {code: stage[code].to_numpy(dtype=float) for code in stage}
    for group in recipe["groups"]:
        children = group["children"]
        given = [weights.get(c, float(index.meta.loc[c, "weight"])) for c in children]
        mean = combine(
            group["method"], np.column_stack([pool[c] for c in children]), np.array(given)
        )
        pool[group["code"]] = group["low"] + group["slope"] * mean
    codes = [group["code"] for group in recipe["groups"]]
    return pd.DataFrame({code: pool[code] for code in codes}, index=stage.index)
