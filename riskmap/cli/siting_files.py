"""``riskmap locate`` and ``allocate``: tables read, every problem at once, and solved."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from riskmap.cli.common import choice
from riskmap.errors import LayerError, Problem, UsageError
from riskmap.files import read_texts
from riskmap.i18n import Text, text
from riskmap.siting.allocation import allocate_split, allocate_whole, mend
from riskmap.siting.location import MODELS, needless, solve
from riskmap.siting.problem import STATUS_CODES, Instance, make_instance, within
from riskmap.vocabulary.roles import load_roles, match_header

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from riskmap.siting.problem import Floats, Solution


LARGEST: Final = 1e15
"""Numbers beyond cannot be added up exactly."""
MOST: Final = 20
"""Problems listed for one rule before the rest is counted."""


def read_instance(
    cost: Path, demand: Path | None = None, facilities: Path | None = None
) -> Instance:
    """Read costs, demands and facilities.

    Parameters
    ----------
    cost
        ``demand,facility,cost``, long; a missing pair is unreachable.
    demand
        ``demand,weight[,size]``; size is the weight by default. Without the table every demand of
        the costs weighs 1.
    facilities
        ``facility[,capacity][,fixed_cost][,status]``; status existing, candidate or excluded.

    Returns
    -------
    Instance
        Demands and facilities in the order of their tables.

    Raises
    ------
    LayerError
        With every problem: file, row, field, value.
    """
    problems: list[Problem] = []
    pairs = _read(cost, ("demand", "facility", "cost"), (), problems)
    wanted = None if demand is None else _read(demand, ("demand", "weight"), ("size",), problems)
    more = ("capacity", "fixed_cost", "status")
    offered = None if facilities is None else _read(facilities, ("facility",), more, problems)
    _stop(problems)
    if wanted is None:
        wanted = pd.DataFrame({"demand": pd.unique(pairs["demand"]), "weight": "1"})
    if offered is None:
        offered = pd.DataFrame({"facility": pd.unique(pairs["facility"])})
    d_file = cost.name if demand is None else demand.name
    f_file = cost.name if facilities is None else facilities.name
    costs = _numbers(pairs, "cost", cost.name, problems)
    weight = _numbers(wanted, "weight", d_file, problems)
    size = _numbers(wanted, "size", d_file, problems) if "size" in wanted else weight
    capacity = _capacity(offered, f_file, problems)
    state = _states(offered, f_file, problems)
    _twice(wanted, ["demand"], d_file, problems)
    _twice(offered, ["facility"], f_file, problems)
    _twice(pairs, ["demand", "facility"], cost.name, problems)
    demands, places = tuple(wanted["demand"]), tuple(offered["facility"])
    rows = _known(pairs, "demand", demands, cost.name, problems)
    cols = _known(pairs, "facility", places, cost.name, problems)
    _stop(problems)
    if "fixed_cost" in offered and offered["fixed_cost"].str.strip("0. ").any():
        _say(text("fixed_cost is not used by these models"))
    return make_instance(
        demand_of=rows,
        facility_of=cols,
        cost=costs,
        demands=demands,
        facilities=places,
        weight=weight,
        size=size,
        capacity=capacity,
        status=state,
    )


def _say(note: Text) -> None:
    sys.stderr.write(f"{note}\n")


def _say_capacity(instance: Instance, model: str) -> None:
    """Say where capacities are given and not used, or used and not given."""
    free = int(np.isinf(instance.capacity).sum())
    if model not in ("allocate", "c-p-median", "c-mclp"):
        if free < instance.n_facilities:
            _say(text("capacity is not used by {model}; c-p-median and c-mclp use it", model=model))
    elif free:
        every = instance.n_facilities
        _say(
            text("{n} of {all} facilities have no capacity and hold any number", n=free, all=every)
        )


def _stop(problems: list[Problem]) -> None:
    if problems:
        raise LayerError(text("{n} problem(s) in the tables", n=len(problems)), tuple(problems))


def _add(
    problems: list[Problem], file: str, rule: str, message: Text, mend: Text, **where: object
) -> None:
    problems.append(
        Problem(
            severity="unusable",
            role="",
            rule=rule,
            message=message,
            mend=mend,
            file=file,
            **where,  # type: ignore[arg-type]
        )
    )


def _read(
    path: Path, needed: tuple[str, ...], more: tuple[str, ...], problems: list[Problem]
) -> pd.DataFrame:
    """Read a table, its headers in small letters; note columns that it lacks, say those unused."""
    try:
        table = read_texts(path)
    except LayerError as error:
        problems.extend(error.problems)
        return pd.DataFrame(columns=list(needed))
    table.columns = table.columns.str.lower()
    if "capacity" in more and "capacity" not in table:
        table = table.rename(columns=dict(_capacity_heads(table.columns)[:1]))
    names = ", ".join(table.columns)
    for name in needed:
        if name not in table:
            missing = text("column '{name}' is missing", name=name)
            found = text("columns found: {names}", names=names)
            _add(problems, path.name, "column", missing, found, field=name)
    if idle := [name for name in table.columns if name not in (*needed, *more)]:
        names = ", ".join(idle)
        _say(text("{file}: columns not used: {names}", file=path.name, names=names))
    for name in table.columns[table.columns.duplicated()]:
        twice, mend = text("{what} stands twice", what=name), text("give each column its own name")
        _add(problems, path.name, "column", twice, mend, field=name)
    return table


def _capacity_heads(names: Iterable[str]) -> list[tuple[str, str]]:
    """Find headings by which ledgers of refuges mean the people that a place holds."""
    role = load_roles()["refuge"]
    found = ((name, *match_header(role, name)) for name in names)
    return [
        (name, "capacity")
        for name, field, unit in found
        if field is not None and field.name == "capacity" and unit in (None, "person")
    ]


def _flag(
    bad: pd.Series[bool],
    table: pd.DataFrame,
    field: str,
    file: str,
    rule: str,
    message: Text,
    mend: Text,
    problems: list[Problem],
) -> None:
    """Add a problem for every flagged row, and one for the rest of a long list."""
    rows = np.flatnonzero(bad.to_numpy())
    for row in rows[:MOST]:
        value = str(table[field].iloc[row])
        _add(problems, file, rule, message, mend, row=int(row) + 2, field=field, value=value)
    if rows.size > MOST:
        _add(problems, file, rule, text("and {n} more rows", n=int(rows.size - MOST)), mend)


def _numbers(table: pd.DataFrame, field: str, file: str, problems: list[Problem]) -> Floats:
    values = pd.to_numeric(table[field], errors="coerce")
    unread = ~np.isfinite(values)
    _flag(
        unread, table, field, file, "number", text("not a number"), text("give a number"), problems
    )
    _flag(
        values < 0,
        table,
        field,
        file,
        "negative",
        text("negative"),
        text("give 0 or more"),
        problems,
    )
    _flag(
        np.isfinite(values) & (values > LARGEST),
        table,
        field,
        file,
        "large",
        text("larger than {most}", most=f"{LARGEST:g}"),
        text("give it in another unit"),
        problems,
    )
    return values.to_numpy(np.float64)


def _capacity(table: pd.DataFrame, file: str, problems: list[Problem]) -> Floats | None:
    """Capacities; a blank one is not limited."""
    if "capacity" not in table:
        return None
    blank = table["capacity"] == ""
    filled = table.assign(capacity=table["capacity"].where(~blank, "0"))
    held = _numbers(filled, "capacity", file, problems)
    return np.where(blank.to_numpy(), np.inf, held).astype(np.float64)


def _states(table: pd.DataFrame, file: str, problems: list[Problem]) -> Floats | None:
    if "status" not in table:
        return None
    words = table["status"].str.lower().replace("", "candidate")
    _flag(
        ~words.isin(list(STATUS_CODES)),
        table,
        "status",
        file,
        "status",
        text("unknown status"),
        text("use existing, candidate or excluded"),
        problems,
    )
    return np.asarray(words.map(STATUS_CODES).fillna(0), np.float64)


def _twice(table: pd.DataFrame, keys: list[str], file: str, problems: list[Problem]) -> None:
    _flag(
        table.duplicated(keys),
        table,
        keys[-1],
        file,
        "twice",
        text("{what} stands twice", what=" + ".join(keys)),
        text("keep one row"),
        problems,
    )


def _known(
    table: pd.DataFrame, field: str, names: tuple[str, ...], file: str, problems: list[Problem]
) -> Floats:
    codes = (
        pd.Index(names).get_indexer(pd.Index(table[field]))
        if len(set(names)) == len(names)
        else None
    )
    if codes is None:
        return np.zeros(len(table))
    _flag(
        pd.Series(codes < 0),
        table,
        field,
        file,
        "unknown",
        text("not in the table of {what}", what=field),
        text("add it there, or drop the row"),
        problems,
    )
    return np.asarray(codes, np.float64)


def located(
    instance: Instance, solution: Solution, *, seconds: float, radius: float | None = None
) -> dict[str, Any]:
    """Show a location model's answer.

    Parameters
    ----------
    instance
        The instance.
    solution
        The answer.
    seconds
        Time taken [s].
    radius
        Service radius of the covers.

    Returns
    -------
    dict
        The document of ``riskmap locate --json``.
    """
    served = np.zeros(instance.n_demands, bool)
    served[solution.demand_of] = True
    served[solution.uncovered] = False
    total = float(instance.weight.sum())
    covered = float(instance.weight[served].sum())
    if solution.model == "c-mclp" and solution.objective is not None:
        covered = solution.objective
    document = {
        **_head(instance, solution),
        "covered_weight": _plain(covered),
        "total_weight": _plain(total),
        "covered_share": covered / total if total > 0 else 0.0,
        "covered_count_share": float(served.mean()) if served.size else 0.0,
        "uncovered": [instance.demands[i] for i in solution.uncovered],
        "adds_nothing": [
            instance.facilities[j] for j in needless(instance, solution, radius=radius)
        ],
        "reason": solution.reason,
        "seconds": round(seconds, 4),
    }
    extra = solution.extra or {}
    return document | {key: value for key, value in extra.items() if key != "shortfall"}


def allocated(instance: Instance, solution: Solution, *, seconds: float) -> dict[str, Any]:
    """Show an assignment.

    Parameters
    ----------
    instance
        The instance.
    solution
        The answer.
    seconds
        Time taken [s].

    Returns
    -------
    dict
        The document of ``riskmap allocate --json``.
    """
    extra = solution.extra or {}
    served = float(extra.get("served", 0.0))
    short = np.asarray(extra.get("shortfall", np.zeros(instance.n_demands)))
    part = np.divide(
        instance.size - short, instance.size, out=np.ones(len(short)), where=instance.size > 0
    )
    covered, total = float(instance.weight @ part), float(instance.weight.sum())
    if np.array_equal(instance.weight, instance.size):
        covered = served
    shown = located(instance, solution, seconds=seconds)
    shown.pop("adds_nothing")  # every facility stays open
    return {
        **shown,
        "covered_weight": _plain(covered),
        "total_weight": _plain(total),
        "covered_share": covered / total if total > 0 else 1.0,
        "served": _plain(served),
        "shortfall": [
            {"demand": instance.demands[i], "amount": _plain(float(short[i]))}
            for i in np.flatnonzero(short > 0)
        ],
        "mend": mend(instance, solution),
    }


def _head(instance: Instance, solution: Solution) -> dict[str, Any]:
    return {
        "model": solution.model,
        "status": solution.status,
        "objective": None if solution.objective is None else _plain(solution.objective),
        "bound": None if solution.bound is None else _plain(solution.bound),
        "gap": solution.gap,
        "facilities": [instance.facilities[j] for j in solution.open],
        "assignment": [
            {
                "demand": instance.demands[i],
                "facility": instance.facilities[j],
                "amount": _plain(float(amount)),
            }
            for i, j, amount in zip(
                solution.demand_of, solution.facility_of, solution.amount, strict=True
            )
        ],
    }


def _plain(value: float) -> float | int:
    """Show a whole number without a fraction."""
    return int(value) if float(value).is_integer() and abs(value) < 2**53 else float(value)


def locate(
    model: str,
    *,
    cost: Path,
    demand: Path | None,
    facilities: Path | None,
    p: int | None,
    radius: float | None,
    time_limit: float | None,
    gap: float,
    busy: float | None = None,
) -> dict[str, Any]:
    """Solve a location model over tables.

    Parameters
    ----------
    model
        Name of the model.
    cost, demand, facilities
        The tables.
    p
        Number of open sites.
    radius
        Service radius, inclusive.
    time_limit
        Seconds.
    gap
        Relative gap at which to stop.
    busy
        Share of the time in which a site cannot answer, for ``mexclp``.

    Returns
    -------
    dict
        The document.
    """
    choice("MODEL", model, MODELS)
    for name, given, users in (
        ("--p", p, set(MODELS) - {"lscp", "lscp-b"}),
        ("--busy", busy, {"mexclp"}),
    ):
        if given is not None and model not in users:
            raise UsageError(text("{model} does not use {option}", model=model, option=name))
    instance = read_instance(cost, demand, facilities)
    _say_capacity(instance, model)
    started = time.perf_counter()
    solution = solve(model, instance, p=p, radius=radius, time_limit=time_limit, gap=gap, busy=busy)
    return located(instance, solution, seconds=time.perf_counter() - started, radius=radius)


def allocate(
    *,
    cost: Path,
    demand: Path,
    facilities: Path,
    whole: bool,
    radius: float | None,
    time_limit: float | None,
    gap: float,
) -> dict[str, Any]:
    """Assign demands to facilities over tables.

    Parameters
    ----------
    cost, demand, facilities
        The tables.
    whole
        Whether each demand goes to one facility.
    radius
        Largest cost, inclusive.
    time_limit
        Seconds.
    gap
        Relative gap at which to stop.

    Returns
    -------
    dict
        The document.
    """
    instance = within(read_instance(cost, demand, facilities), radius)
    _say_capacity(instance, "allocate")
    started = time.perf_counter()
    if whole:
        solution = allocate_whole(instance, time_limit=time_limit, gap=gap)
    else:
        solution = allocate_split(instance)
    return allocated(instance, solution, seconds=time.perf_counter() - started)
