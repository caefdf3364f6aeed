"""Why a unit stands where it stands: one sentence of its own figures, in both languages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from riskmap.export.onemap.collect import numbers
from riskmap.i18n import LANGUAGES, Text, language, text
from riskmap.vocabulary.columns import LEVEL
from riskmap.vocabulary.roles import Label

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from riskmap.export.onemap.pack import Packer

__all__ = ["facts_of", "reasons", "why_part"]

FACTS: Final = 3
"""So many figures stand in a sentence."""
NAMED: Final = 10
"""Up to this place among its like a unit's rank is said."""
WEAK: Final = 0.25
"""A figure whose scaled value is below this is no reason."""
MOST: Final = 5_000
"""With more units than this only the worst have a sentence."""
WORST: Final = 2_000
_SAME: Final = 1e-9
_MINUTE: Final = 60.0


def facts_of(index: Any, levels: pd.Series, rows: Sequence[Any] | None = None) -> pd.DataFrame:
    """Table the figures that speak for each unit's score.

    Parameters
    ----------
    index
        An ``index.steps.Index`` of the units.
    levels
        Level of each unit.
    rows
        Units that are tabled; all without it. Places are among all units of the level.

    Returns
    -------
    DataFrame
        A row a unit and indicator: ``unit``, ``code``, ``value`` in its own unit, ``scaled`` 0..1
        (1 = worst), ``part`` = scaled value x effective weight, ``place`` among the units of the
        level (1 = worst), most telling first within a unit.
    """
    meta, scaled, raw = index.meta, index.stages["normalised"], index.stages["raw"]
    codes = [c for c in scaled if c in meta.index and meta.loc[c, "kind"] == "indicator"]
    frames = []
    kept = scaled.index.isin(list(rows)) if rows is not None else np.ones(len(scaled), dtype=bool)
    grouped = levels.reindex(scaled.index).to_numpy()
    for code in codes:
        value = pd.Series(numbers(scaled[code]), index=scaled.index)
        places = value.groupby(grouped).rank(method="min", ascending=False)
        frames.append(
            pd.DataFrame(
                {
                    "unit": scaled.index[kept],
                    "code": code,
                    "value": numbers(raw[code])[kept],
                    "scaled": value.to_numpy()[kept],
                    "part": value.to_numpy()[kept] * _effective(meta, str(code)),
                    "place": places.to_numpy()[kept],
                }
            )
        )
    if not frames:
        return pd.DataFrame(columns=["unit", "code", "value", "scaled", "part", "place"])
    table = pd.concat(frames, ignore_index=True).dropna(subset=["value", "scaled"])
    return table.sort_values(["unit", "part", "code"], ascending=[True, False, True])


def _effective(meta: pd.DataFrame, code: str) -> float:
    """Multiply the shares of the weights down from the root."""
    weights = pd.Series(numbers(meta["weight"]), index=meta.index)
    share, at = 1.0, code
    while True:
        parent = str(meta.loc[at, "parent"] or "")
        total = float(weights[meta["parent"] == meta.loc[at, "parent"]].sum())
        share *= float(weights[at]) / total if total > 0 else 0.0
        if parent not in meta.index:
            return share
        at = parent


def _figure(value: float) -> str:
    """Write a number with three figures or so.

    Examples
    --------
    >>> _figure(1234.5), _figure(18.64), _figure(0.567), _figure(2.0)
    ('1234', '18.6', '0.57', '2')
    """
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2
    shown = f"{value:.{digits}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def _length(metres: float) -> Text:
    """Write a distance."""
    if metres < 1000:
        return text("{n} m", n=_figure(round(metres) if metres >= 10 else metres))
    return text("{n} km", n=_figure(metres / 1000))


def _time(value: float, unit: str) -> Text:
    """Write a travel time in minutes."""
    return text("{n} min", n=f"{value / _MINUTE if unit == 's' else value:.1f}")


def _measure(value: float, unit: str) -> Text | str:
    """Write a figure in its own unit."""
    words: Mapping[str, Callable[[str], Text]] = {
        "1/km2": lambda n: text("{n} per km²", n=n),
        "person/km2": lambda n: text("{n} persons per km²", n=n),
        "1/100 person": lambda n: text("{n} places per 100 persons", n=n),
        "min": lambda n: text("{n} min", n=n),
        "km/km2": lambda n: text("{n} km per km²", n=n),
    }
    if unit == "m":
        return _length(value)
    if unit == "s":
        return _time(value, unit)
    if unit in words:
        return words[unit](_figure(value))
    return f"{_figure(value)} {unit}" if unit not in ("", "1") else _figure(value)


def _phrase(
    node: Mapping[str, Any], value: float, what: Text, name: Text
) -> tuple[Text, Text | None]:
    """Say one figure as an officer would: what it is, and what stands in the bracket."""
    method, unit, bad = str(node["method"]), str(node["unit"]), float(node["direction"] or 1) > 0
    if method in ("point_density", "kernel") and unit == "1/km2":
        return text("many {what}", what=what), text("{n} per km²", n=_figure(value))
    if method == "distance" and unit == "m":
        said = text("far from {what}", what=what) if bad else text("close to {what}", what=what)
        return said, _length(value)
    if method in ("population_density", "density") and unit in ("person/km2", "1/km2"):
        return text("densely peopled"), text("{n} persons per km²", n=_figure(value))
    if method == "refuge_places":
        return text("few refuge places"), text("{n} per 100 persons", n=_figure(value))
    shown = text("{n} %", n=_figure(value)) if unit == "%" else _measure(value, unit)
    return text("{name} {value}", name=name, value=shown), None


def _with_place(phrase: tuple[Text, Text | None], place: float, code: str) -> str:
    """Write a phrase with its figure and, where it is a high one, its place."""
    body, figure = phrase
    said = text("no. {n} here", n=int(place)) if place <= NAMED else None
    inside = ("，" if code == "zh" else ", ").join(str(part) for part in (figure, said) if part)
    if not inside:
        return str(body)
    return f"{body}（{inside}）" if code == "zh" else f"{body} ({inside})"


def _names(index: Any, roles: Mapping[str, Any]) -> dict[str, tuple[Text, Text]]:
    """Give each indicator's layer and name in both languages."""
    out: dict[str, tuple[Text, Text]] = {}
    for code, node in index.meta.iterrows():
        name = Label(str(node["name_en"]), zh=str(node["name_zh"]))
        role = roles.get(str(node["layer"]))
        out[str(code)] = (Label(str(role.en), zh=str(role.zh)) if role else name, name)
    return out


def reasons(
    index: Any, levels: pd.Series, roles: Mapping[str, Any], rows: Sequence[Any]
) -> dict[str, list[str]]:
    """Make the sentence of each unit.

    Parameters
    ----------
    index
        An ``index.steps.Index`` of the units.
    levels
        Level of each unit.
    roles
        Roles by name, for the names of the layers.
    rows
        Units that get a sentence, in the order of the lists returned.

    Returns
    -------
    dict
        Language code to sentences; blank where nothing is known.
    """
    table = facts_of(index, levels, rows)
    named = _names(index, roles)
    told: dict[Any, list[tuple[str, float, float]]] = {}
    wanted = set(rows)
    strong = table[table["scaled"] >= WEAK]
    columns = (strong[name].tolist() for name in ("unit", "code", "value", "place"))
    for unit, fact, value, place in zip(*columns, strict=True):
        facts = told.setdefault(unit, []) if unit in wanted else None
        if facts is not None and len(facts) < FACTS:
            facts.append((fact, value, place))
    out: dict[str, list[str]] = {}
    for code in LANGUAGES:
        comma = "，" if code == "zh" else "; "
        with language(code):
            none = str(text("no figure stands out"))
            out[code] = [
                comma.join(
                    _with_place(_phrase(index.meta.loc[fact], value, *named[fact]), place, code)
                    for fact, value, place in told.get(unit, ())
                )
                or (none if unit in index.scores.index else "")
                for unit in rows
            ]
    return out


def changes(
    now: Any, before: Any, roles: Mapping[str, Any], rows: Sequence[Any]
) -> dict[str, list[str]]:
    """Say what a scenario changes for each unit.

    Parameters
    ----------
    now, before
        The index of the units under the scenario and without it.
    roles
        Roles by name.
    rows
        Units that get a sentence.

    Returns
    -------
    dict
        Language code to sentences.
    """
    codes = [c for c in now.stages["raw"] if c in now.meta.index]
    named = _names(now, roles)
    root = _root(now)
    found: dict[Any, list[tuple[float, str, float, float]]] = {}
    for code in codes:
        new = pd.Series(numbers(now.stages["raw"][code]), index=now.stages["raw"].index)
        old = _column(before, code, new.index)
        rise = np.abs(
            numbers(now.stages["normalised"][code])
            - _column(before, code, new.index, stage="normalised").fillna(0).to_numpy()
        )
        moved = (new - old.fillna(0)).abs() > _SAME
        for place in np.flatnonzero(moved.to_numpy()).tolist():
            unit = new.index[place]
            found.setdefault(unit, []).append(
                (float(rise[place]), code, float(old.iloc[place]), float(new.iloc[place]))
            )
    classes = (_class_of(before, root), _class_of(now, root))
    return {code: _said(now.meta, named, found, classes, rows, code) for code in LANGUAGES}


def _said(
    meta: pd.DataFrame, named: Mapping[str, tuple[Text, Text]], found: Mapping[Any, Any],
    classes: tuple[pd.Series, pd.Series], rows: Sequence[Any], code: str,
) -> list[str]:  # fmt: skip
    """Write the sentences of a scenario in one language."""
    comma = "，" if code == "zh" else "; "
    out = []
    with language(code):
        words = [str(w) for w in _class_words()]
        for unit in rows:
            parts = [
                str(text("{name} {old} → {new}", name=named[fact][1],
                         old=_measure(0.0 if np.isnan(old) else old, str(meta.loc[fact, "unit"])),
                         new=_measure(new, str(meta.loc[fact, "unit"]))))
                for _, fact, old, new in sorted(found.get(unit, ()), reverse=True)[:FACTS]
            ]  # fmt: skip
            was, now = (int(part.get(unit, 0) or 0) for part in classes)
            if was and now and was != now:
                said = text("class {old} → {new}", old=words[was], new=words[now])
                parts.append(str(said))
            out.append(comma.join(parts) or str(text("the scenario changes nothing here")))
    return out


def _class_words() -> tuple[Text, ...]:
    """Name the classes."""
    return (text("unknown"), text("low"), text("general"), text("larger"), text("major"))


def _root(index: Any) -> str:
    """Find the code of the whole index."""
    groups = index.meta.index[index.meta["kind"] == "group"]
    tops = [c for c in groups if str(index.meta.loc[c, "parent"] or "") not in index.meta.index]
    return str(tops[0]) if tops else str(index.scores.columns[-1])


def _class_of(index: Any, root: str) -> pd.Series:
    """Give the class of each unit, 0 for unknown."""
    table = index.classes
    column = table if isinstance(table, pd.Series) else table[root]
    return pd.Series(np.nan_to_num(numbers(column)), index=column.index)


def _column(index: Any, code: str, rows: pd.Index, *, stage: str = "raw") -> pd.Series:
    """Take a column of a stage; unknown where there is none."""
    table = index.stages[stage]
    if code not in table:
        return pd.Series(np.nan, index=rows)
    return pd.Series(numbers(table[code]), index=table.index).reindex(rows)


def why_part(result: Any, packer: Packer) -> dict[str, Any] | None:
    """Pack the sentences in a block of their own, by scenario and language.

    Parameters
    ----------
    result
        The run's `riskmap.result.Result`.
    packer
        Takes the bytes.

    Returns
    -------
    dict or None
        Where the page finds them; None without an index of units.
    """
    base = result.index.get("unit")
    if base is None:
        return None
    ids, levels = list(result.units.index), result.units[LEVEL]
    rows = _told(base, ids)
    out = {"": _spread(reasons(base, levels, result.roles, rows), rows, ids)}
    for key, index in result.index.items():
        kind, _, name = key.partition("@")
        if kind == "unit" and name:
            out[name] = _spread(changes(index, base, result.roles, rows), rows, ids)
    raw = json.dumps(out, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return packer.array(np.frombuffer(raw, np.uint8), block=packer.block())


def _told(index: Any, ids: Sequence[Any]) -> list[Any]:
    """Choose the units that get a sentence: all, or the worst of very many."""
    if len(ids) <= MOST:
        return list(ids)
    score = pd.Series(numbers(index.scores[_root(index)]), index=index.scores.index)
    return list(score.nlargest(WORST).index)


def _spread(
    found: Mapping[str, list[str]], rows: Sequence[Any], ids: Sequence[Any]
) -> dict[str, list[str]]:
    """Put sentences beside the units of the page."""
    if len(rows) == len(ids):
        return dict(found)
    place: dict[Any, int] = {unit: i for i, unit in enumerate(ids)}
    out: dict[str, list[str]] = {}
    for code, said in found.items():
        line = [""] * len(ids)
        for unit, sentence in zip(rows, said, strict=True):
            line[place[unit]] = sentence
        out[code] = line
    return out
