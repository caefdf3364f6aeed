"""The tree of a composite index, checked from its indicator table and its file of steps."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from riskmap.errors import IndicatorError, Problem
from riskmap.files import ENCODINGS, parse_json, parse_yaml, system_words
from riskmap.i18n import Text, text
from riskmap.vocabulary.columns import COMPONENTS

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Tree:
    """Indicators and the groups above them; children always stand before their parents."""

    root: str
    indicators: tuple[str, ...]
    groups: tuple[str, ...]
    """Bottom up; the root is last."""
    children: Mapping[str, tuple[str, ...]]
    parent: Mapping[str, str]
    level: Mapping[str, int]
    """1 for indicators, one more than the highest child for groups."""

    def beneath(self, code: str) -> tuple[str, ...]:
        """Return the indicators beneath a code.

        Parameters
        ----------
        code
            Code of an indicator or group.

        Returns
        -------
        tuple of str
            Indicators in the order of the tree; the code itself when it is an indicator.
        """
        if code not in self.children:
            return (code,)
        return tuple(leaf for child in self.children[code] for leaf in self.beneath(child))

    def lineage(self, code: str) -> tuple[str, ...]:
        """Return a code and the groups above it.

        Parameters
        ----------
        code
            Code of an indicator or group.

        Returns
        -------
        tuple of str
            The code first, the root last.
        """
        line = [code]
        while line[-1] in self.parent:
            line.append(self.parent[line[-1]])
        return tuple(line)


def error(rule: str, message: Text, mend: Text, *, name: str = "", value: object = "") -> Problem:
    """Make a problem of the index room.

    Parameters
    ----------
    rule
        Short stable code of the rule.
    message
        What is wrong, with its codes and cells.
    mend
        How to mend it.
    name
        The code or column concerned.
    value
        The offending value.

    Returns
    -------
    Problem
        An unusable-input problem.
    """
    return Problem("unusable", "index", rule, message, mend, field=name, value=str(value))


def raise_problems(problems: Sequence[Problem]) -> None:
    """Raise one error that holds all problems, if there are any.

    Parameters
    ----------
    problems
        The problems found.

    Raises
    ------
    IndicatorError
        When the list is not empty.
    """
    if problems:
        raise failure(problems)


def failure(problems: Sequence[Problem]) -> IndicatorError:
    """Make one error of all problems.

    Parameters
    ----------
    problems
        The problems found.

    Returns
    -------
    IndicatorError
        To be raised.
    """
    message = text("The index cannot be computed: {n} problem(s)", n=len(problems))
    return IndicatorError(message, tuple(problems))


def did_you_mean(word: str, known: Iterable[str]) -> Text:
    """Say how to mend an unknown name.

    Parameters
    ----------
    word
        The unknown name.
    known
        Names that exist.

    Returns
    -------
    Text
        A suggestion, or the list of names.
    """
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    if close:
        return text("did you mean {name}?", name=close[0])
    return text("use one of: {names}", names=", ".join(names[:40]))


def _table_problems(meta: pd.DataFrame) -> list[Problem]:
    """Check codes, parents, directions and weights of an indicator table."""
    problems: list[Problem] = []
    mend = text("correct the indicator table")
    twice = meta.index[meta.index.duplicated()].unique()
    problems += [error("code_twice", text("code {code} stands twice", code=c), mend) for c in twice]
    meta = meta[~meta.index.duplicated()]
    parents, kinds = dict(meta["parent"]), dict(meta["kind"])
    codes = set(parents)
    roots = [str(code) for code, parent in parents.items() if not parent]
    if len(roots) != 1:
        found = ", ".join(roots) or "-"
        message = text("there must be one root (a row without parent), found: {codes}", codes=found)
        problems.append(error("root", message, mend))
    for code, parent in parents.items():
        if parent and parent not in codes:
            message = text("{code}: unknown parent {parent}", code=code, parent=parent)
            problems.append(error("unknown_parent", message, did_you_mean(parent, codes)))
        elif parent and kinds[parent] != "group":
            message = text("{code}: its parent {parent} is no group", code=code, parent=parent)
            problems.append(error("parent_kind", message, mend))
    for code in meta.index[~meta["kind"].isin(["indicator", "group"])]:
        message = text("{code}: kind must be indicator or group", code=code)
        problems.append(error("kind", message, mend, value=meta.loc[code, "kind"]))
    for code in meta.index[(meta["kind"] == "indicator") & ~meta["direction"].isin([1, -1])]:
        message = text("{code}: direction must be 1 or -1", code=code)
        problems.append(error("direction", message, mend, value=meta.loc[code, "direction"]))
    for code in meta.index[(meta["kind"] == "group") & (meta["direction"] != 1)]:
        message = text("{code}: a group has no direction of its own; it must be 1", code=code)
        turn = text(
            "turn the direction of the indicators beneath it, or name it under complement in the "
            "step aggregate"
        )
        problems.append(error("direction", message, turn, value=meta.loc[code, "direction"]))
    bad = meta["weight"].isna() | (meta["weight"] < 0) | ~np.isfinite(meta["weight"])
    for code in meta.index[bad & (meta["parent"] != "")]:
        message = text("{code}: weight must be a number of 0 or more", code=code)
        problems.append(error("weight", message, mend, value=meta.loc[code, "weight"]))
    return problems


def _cycles(parents: Mapping[str, str]) -> list[list[str]]:
    """Find the cycles of child-parent links, each once."""
    found: dict[frozenset[str], list[str]] = {}
    for start in parents:
        path = [start]
        while path[-1] in parents and parents[path[-1]] not in path:
            path.append(parents[path[-1]])
        if parents.get(path[-1]) == start:
            found.setdefault(frozenset(path), path)
    return list(found.values())


def clean_meta(meta: pd.DataFrame) -> pd.DataFrame:
    """Bring an indicator table to its plain form: text parents, numeric direction and weight.

    Parameters
    ----------
    meta
        Indexed by code, columns ``parent, kind, direction, weight`` and optional others.

    Returns
    -------
    DataFrame
        A copy in which an empty parent is ``""``, groups have direction 1 and numbers are floats.
    """
    table = meta.copy()
    table.index = table.index.astype(str)
    table["parent"] = table["parent"].astype(object).where(table["parent"].notna(), "").astype(str)
    table["kind"] = table["kind"].astype(str)
    for name, default in (("direction", 1.0), ("weight", np.nan)):
        column = table[name] if name in table else pd.Series(default, index=table.index)
        table[name] = pd.to_numeric(column, errors="coerce").astype(float)
    table.loc[(table["kind"] == "group") & table["direction"].isna(), "direction"] = 1.0
    return table


def build_tree(meta: pd.DataFrame) -> Tree:
    """Build the index tree from its table; all mistakes are reported at once.

    A group with no indicator beneath it is left out.

    Parameters
    ----------
    meta
        As returned by `clean_meta`.

    Returns
    -------
    Tree
        The tree, children before parents.

    Raises
    ------
    IndicatorError
        Unknown parent, cycle, no or several roots, wrong kind, direction or weight.

    Examples
    --------
    >>> rows = [("a", "R", "indicator", 1, 1), ("b", "R", "indicator", -1, 1)]
    >>> rows.append(("R", "", "group", 1, 1))
    >>> names = ["code", "parent", "kind", "direction", "weight"]
    >>> build_tree(clean_meta(pd.DataFrame(rows, columns=names).set_index("code"))).children["R"]
    ('a', 'b')
    """
    problems = _table_problems(meta)
    parent = {str(c): str(p) for c, p in meta["parent"].items() if p}
    for cycle in _cycles(parent):
        message = text("the codes form a cycle: {codes}", codes=" > ".join([*cycle, cycle[0]]))
        problems.append(error("cycle", message, text("correct the indicator table")))
    raise_problems(problems)
    level = {str(code): 1 for code in meta.index[meta["kind"] == "indicator"]}
    order: list[str] = []
    pending = [str(code) for code in meta.index[meta["kind"] == "group"]]
    kids = {g: tuple(c for c in meta.index if parent.get(c) == g) for g in pending}
    for _ in range(len(pending)):
        ready = [g for g in pending if all(c in level or c in order for c in kids[g])]
        for group in ready:
            kids[group] = tuple(c for c in kids[group] if c in level)
            order.append(group)
            if kids[group]:
                level[group] = 1 + max(level[c] for c in kids[group])
        pending = [g for g in pending if g not in ready]
    groups = tuple(sorted((g for g in order if kids[g]), key=lambda g: level[g]))
    root = next(str(code) for code, above in meta["parent"].items() if not above)
    if root not in groups:
        message = text("the root {code} has no indicator beneath it", code=root)
        raise_problems([error("empty", message, text("correct the indicator table"))])
    indicators = tuple(str(c) for c, kind in meta["kind"].items() if kind == "indicator")
    return Tree(
        root=root,
        indicators=indicators,
        groups=groups,
        children={g: kids[g] for g in groups},
        parent={c: p for c, p in parent.items() if c in level},
        level=level,
    )


NEAR = 1e-10
"""Values that differ by a smaller share of themselves are one value: the rest is rounding."""
FLOOR = 4e-15
"""Nor does a smaller share of the largest value of the column tell two values apart."""


def settled(x: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Make values that differ by rounding only equal: the one tolerance of the index.

    .. math:: x_{i+1} - x_i \le 10^{-10} |x_{i+1}| + 4 \cdot 10^{-15} \max |x|

    for neighbours in order. Whether a column is constant, which rows tie, where classes break and
    which side of a threshold a value stands on is decided after this.

    Parameters
    ----------
    x
        One column, shape (n,).

    Returns
    -------
    ndarray
        The same values; those that cannot be told apart take the least of them.

    Examples
    --------
    >>> settled(np.array([0.1 + 0.2, 0.3, 1.0, np.nan])).tolist()
    [0.3, 0.3, 1.0, nan]
    """
    known = np.flatnonzero(np.isfinite(x))
    order = known[np.argsort(x[known], kind="stable")]
    values = x[order]
    if len(values) < 2:
        return x
    gap = np.diff(values)
    size = np.maximum(np.abs(values[1:]), np.abs(values[:-1]))
    apart = gap > NEAR * size + FLOOR * size.max()
    if (apart | (gap == 0)).all():
        return x
    first = np.concatenate([[True], apart])
    same = x.copy()
    same[order] = values[first][np.cumsum(first) - 1]
    return same


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
    scale: tuple[float, float] | None = None
    """Ends of the scale when goalposts fix it for every indicator; None when the data do."""

    def settled(self) -> Data:
        """Take rounding out of every column and score; see `settled`.

        Returns
        -------
        Data
            The same rows.
        """
        columns = [settled(self.x[:, place]) for place in range(self.x.shape[1])]
        x = np.array(columns, dtype=np.float64).T if columns else self.x
        groups = {code: settled(np.asarray(score)) for code, score in self.groups.items()}
        return replace(self, x=x, groups=groups)

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
            Code of an indicator.

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


def unknown_steps(
    steps: Sequence[Mapping[str, Any]], known: Mapping[str, Sequence[str]]
) -> list[Problem]:
    """Find steps and options that do not exist.

    Parameters
    ----------
    steps
        The list of steps.
    known
        Names of the steps there are, each with the names of its options.

    Returns
    -------
    list of Problem
        One for each unknown step or option.
    """
    problems = []
    for place, step in enumerate(steps, start=1):
        name = str(step.get("step"))
        if name not in known:
            message = text("step {n}: unknown step {name}", n=place, name=name)
            problems.append(error("step", message, did_you_mean(name, known)))
            continue
        allowed = (*known[name], "step", "frozen")
        for key in step:
            if key not in allowed:
                message = text("step {step}: unknown option {name}", step=name, name=key)
                problems.append(error("option", message, did_you_mean(str(key), known[name])))
    return problems


def begin(
    values: pd.DataFrame, meta: pd.DataFrame, fit_rows: Mask
) -> tuple[Data | None, list[Problem]]:
    """Check the values and make the first `Data`.

    Parameters
    ----------
    values
        Rows x codes and further columns.
    meta
        As returned by `tree.clean_meta`.
    fit_rows
        Rows on which parameters will be fitted; none when they are frozen.

    Returns
    -------
    tuple
        The table (None when the tree itself is wrong), and every problem found. When there are
        problems the table holds zeros in place of what is wrong, so that the steps can be checked.
    """
    mend = text("correct the table of values")
    twice = values.index[values.index.duplicated()].unique()[:20]
    problems = [
        error("unit_twice", text("unit {unit} stands twice", unit=unit), mend) for unit in twice
    ]
    if not len(values):
        problems.append(error("no_rows", text("the table of values has no rows"), mend))
    try:
        tree = build_tree(meta)
    except IndicatorError as failure:
        return None, [*failure.problems, *problems]
    x = np.empty((len(values), len(tree.indicators)), order="F")
    for place, code in enumerate(tree.indicators):
        x[:, place], wrong = _column(values, code, fit_rows)
        problems += wrong
    if not problems and list(values.columns) == list(tree.indicators):
        same = values.to_numpy()
        x = same if same.dtype == np.float64 else x
    weights = dict(zip(meta.index, meta["weight"].to_numpy(dtype=float), strict=True))
    given = {code: float(weights[code]) for code in tree.parent}
    return Data(x, tree.indicators, values.index, values, tree, meta, fit_rows, given), problems


def _column(values: pd.DataFrame, code: str, fit_rows: Mask) -> tuple[Array, list[Problem]]:
    """Read one indicator; zeros when it is wrong."""
    zeros = np.zeros(len(values))
    if code not in values.columns:
        message = text("the values have no column {code}", code=code)
        mend = did_you_mean(code, map(str, values.columns))
        return zeros, [error("missing_column", message, mend)]
    x = values[code].to_numpy(dtype=float, na_value=np.nan)
    if np.isinf(x).any():
        units = ", ".join(str(unit) for unit in values.index[np.isinf(x)][:5])
        message = text("{code}: infinite in {units}", code=code, units=units)
        return zeros, [error("infinite", message, text("correct the table of values"), name=code)]
    if fit_rows.any() and np.isnan(x[fit_rows]).all():
        message = text("{code}: no unit has a value", code=code)
        mend = text("give values or leave the indicator out")
        return zeros, [error("all_missing", message, mend, name=code)]
    return x, []


def text_of(path: Path) -> str:
    """Read a text file in UTF-8 or a Chinese encoding.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    str
        Its text.

    Raises
    ------
    IndicatorError
        When it cannot be read, or is in no encoding that is known here.
    """
    try:
        raw = path.read_bytes()
    except OSError as cause:
        message = text("{file} cannot be read", file=path.name)
        raise failure(
            [error("file", message, text("check the path"), value=str(system_words(cause)))]
        ) from cause
    for encoding in ENCODINGS:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    message = text("{file} is neither UTF-8 nor GBK text", file=path.name)
    raise failure([error("encoding", message, text("save it as CSV UTF-8"))])


def read_steps(path: Path) -> list[dict[str, Any]]:
    """Read the list of steps; ``frozen: FILE`` takes a step's numbers from an earlier params.json.

    Parameters
    ----------
    path
        YAML: a list of ``{step: name, ...options}``.

    Returns
    -------
    list of dict
        The steps, with ``frozen`` read.

    Raises
    ------
    IndicatorError
        Not YAML, not a list of steps, or a frozen file without such a step.
    """
    mend = text("correct the steps file")
    try:
        found = parse_yaml(text_of(path))
    except yaml.YAMLError as cause:
        where = getattr(cause, "problem_mark", None)
        line = where.line + 1 if where else 0
        message = text("{file} is not YAML (line {n})", file=path.name, n=line)
        raise failure([error("yaml", message, mend)]) from cause
    steps = found.get("steps") if isinstance(found, Mapping) else found
    listed: list[Any] = steps if isinstance(steps, list) else [None]
    if not all(isinstance(step, Mapping) and isinstance(step.get("step"), str) for step in listed):
        message = text("{file} must be a list of steps, each with a key 'step'", file=path.name)
        raise failure([error("steps", message, mend)])
    return [_thaw(dict(step), path) for step in listed]


def frozen_files(path: Path) -> list[str]:
    """List the files that a file of steps names as frozen parameters.

    Parameters
    ----------
    path
        The file of steps.

    Returns
    -------
    list of str
        As written there; empty when it cannot be read, which `read_steps` says.
    """
    try:
        found = parse_yaml(text_of(path))
    except (IndicatorError, yaml.YAMLError):
        return []
    steps = found.get("steps") if isinstance(found, Mapping) else found
    listed = steps if isinstance(steps, list) else []
    named = [step.get("frozen") for step in listed if isinstance(step, Mapping)]
    return [name for name in named if isinstance(name, str)]


def _thaw(step: dict[str, Any], path: Path) -> dict[str, Any]:
    """Replace the name of a frozen file by the numbers in it."""
    if not isinstance(step.get("frozen"), str):
        return step
    try:
        params = parse_json(text_of((path.parent / step["frozen"]).resolve()))
        earlier = [s for s in params["steps"] if s["step"] == step["step"]]
        step["frozen"] = earlier[-1]["fitted"]
    except (ValueError, KeyError, IndexError, TypeError) as cause:
        message = text("{file} holds no frozen step {name}", file=step["frozen"], name=step["step"])
        mend = text("name the params.json of an earlier run")
        raise failure([error("frozen", message, mend)]) from cause
    return step
