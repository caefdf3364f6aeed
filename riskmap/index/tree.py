"""The tree of a composite index, checked from its indicator table."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from riskmap.errors import IndicatorError, Problem
from riskmap.i18n import Text, text


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
