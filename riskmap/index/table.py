"""The table that the steps of an index pass on, and options spread over its codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmap.columns import COMPONENTS
from riskmap.errors import Problem
from riskmap.i18n import text
from riskmap.index.tree import Tree, did_you_mean, error

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Options = Mapping[str, Any]
Params = dict[str, Any]


@dataclass(frozen=True)
class Data:
    """What one step gives to the next: rows x indicators, and what stands beside them."""

    x: Array
    codes: tuple[str, ...]
    rows: pd.Index[Any]
    others: pd.DataFrame
    """Every column that came in, denominators and group columns among them."""
    tree: Tree
    meta: pd.DataFrame
    fit_rows: Mask
    weights: Mapping[str, float]
    """Weight of every code but the root within its parent, as given (not normalised)."""
    groups: Mapping[str, Array] = field(default_factory=dict)
    """Scores of the groups, once aggregated."""
    classes: Mapping[str, NDArray[np.int8]] = field(default_factory=dict)

    def frame(self) -> pd.DataFrame:
        """Return the indicators as a DataFrame that shares the memory.

        Returns
        -------
        DataFrame
            Rows x indicators.
        """
        return pd.DataFrame(self.x, index=self.rows, columns=list(self.codes), copy=False)

    def columns(self, codes: Sequence[str]) -> Array:
        """Return some indicators or groups side by side, each column contiguous.

        Parameters
        ----------
        codes
            Codes of indicators or aggregated groups.

        Returns
        -------
        ndarray
            Shape (rows, codes).
        """
        return np.array([self.column(code) for code in codes]).T

    def direction(self, code: str) -> int:
        """Tell which way an indicator counts.

        Parameters
        ----------
        code
            Code of an indicator or group.

        Returns
        -------
        int
            1 when more means a higher score, -1 when less does.
        """
        return -1 if self.meta["direction"].loc[code] == -1 else 1

    def column(self, code: str) -> Array:
        """Return one indicator's or group's values.

        Parameters
        ----------
        code
            Code of an indicator or aggregated group.

        Returns
        -------
        ndarray
            Shape (rows,).
        """
        if code in self.groups:
            return self.groups[code]
        return self.x[:, self.codes.index(code)]

    def take(self, keep: Mask) -> Data:
        """Keep some rows.

        Parameters
        ----------
        keep
            Which rows stay, shape (rows,).

        Returns
        -------
        Data
            A copy with those rows; tree, weights and indicators are as before.
        """
        return replace(
            self,
            x=self.x[keep],
            rows=self.rows[keep],
            others=self.others.loc[keep],
            fit_rows=self.fit_rows[keep],
            groups={code: values[keep] for code, values in self.groups.items()},
            classes={code: values[keep] for code, values in self.classes.items()},
        )


def per_code(option: object, tree: Tree, default: object) -> dict[str, Any]:
    """Spread an option over all codes: one value, or ``{default: ..., CODE: ...}``.

    The nearest entry up the tree wins, so a group's entry holds for all that is beneath it.

    Parameters
    ----------
    option
        A plain value, or a mapping by code.
    tree
        The index tree.
    default
        Used when the option is None or its mapping has no ``default``.

    Returns
    -------
    dict
        Code to value, for every indicator and group.
    """
    every = [*tree.indicators, *tree.groups]
    if option is None:
        return dict.fromkeys(every, default)
    if not isinstance(option, Mapping):
        return dict.fromkeys(every, option)
    fallback = option.get("default", default)
    return {
        code: next((option[c] for c in tree.lineage(code) if c in option), fallback)
        for code in every
    }


def places_of(labels: NDArray[np.object_]) -> dict[str, NDArray[np.int64]]:
    """Find the rows of each label in one pass.

    Parameters
    ----------
    labels
        A text for every row, or None for none.

    Returns
    -------
    dict
        Label to its rows, in the order of the labels.

    Examples
    --------
    >>> {k: v.tolist() for k, v in places_of(np.array(["b", "a", None, "b"], object)).items()}
    {'a': [1], 'b': [0, 3]}
    """
    found = pd.Series(labels, dtype=object).groupby(labels).indices
    return {str(label): np.asarray(found[label], np.int64) for label in sorted(found, key=str)}


def unknown_codes(option: object, tree: Tree, step: str, key: str) -> list[Problem]:
    """Find codes in a step's mapping that do not exist.

    The four components of a run may be named although their layers, and so they, are missing.

    Parameters
    ----------
    option
        The option's value.
    tree
        The index tree.
    step
        Name of the step.
    key
        Name of the option.

    Returns
    -------
    list of Problem
        One for each unknown code.
    """
    if not isinstance(option, Mapping):
        return []
    known = {*tree.indicators, *tree.groups, *COMPONENTS}
    return [
        error(
            "unknown_code",
            text("step {step}, {key}: unknown code {code}", step=step, key=key, code=code),
            did_you_mean(str(code), known),
        )
        for code in option
        if code != "default" and code not in known
    ]
