"""The four-colour level of each row, by the rules that a role's file holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from riskmap.i18n import Label, Text, text
from riskmap.vocabulary.columns import codes, unit_label

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from riskmap.vocabulary.presets import Presets
    from riskmap.vocabulary.roles import Field, Role


LEVEL_NAMES: Final[Mapping[int, Label]] = {
    0: Label("unknown", zh="未定级"),
    1: Label("low", zh="低"),
    2: Label("general", zh="一般"),
    3: Label("larger", zh="较大"),
    4: Label("major", zh="重大"),
}
"""Levels as shown: 4 major (red), 3 larger (orange), 2 general (yellow), 1 low (blue)."""
_TRUE: Final = frozenset(("true", "1", "1.0", "yes", "是", "有"))


def grade(
    role: Role, table: pd.DataFrame, presets: Presets
) -> tuple[pd.Series[Any], pd.Series[Any]]:
    r"""Grade every row by the worst of the role's rules; the office's own level counts if higher.

    .. math:: L = \max_r L_r, \qquad L_r(x) = l_k \text{ where } k = \#\{j : x \ge t_j\}

    Parameters
    ----------
    role
        The role; its ``grade`` names the rules and the presets that hold the thresholds.
    table
        Rows with the role's fields, in the fields' units.
    presets
        The run's presets; those read are remembered as used.

    Returns
    -------
    levels : Series of Int8
        1 low to 4 major; 0 where the fields that decide are blank.
    reasons : Series of Text
        Why, per row.

    Examples
    --------
    >>> import pandas as pd
    >>> from riskmap.i18n import language
    >>> from riskmap.vocabulary.presets import load_presets
    >>> from riskmap.vocabulary.roles import load_roles
    >>> table = pd.DataFrame({"depth_m": [0.1, 0.5, None], "underpass": [False, False, True]})
    >>> levels, reasons = grade(load_roles()["flood_point"], table, load_presets())
    >>> levels.tolist()
    [1, 4, 4]
    >>> with language("en"):
    ...     str(reasons[1])
    'Ponding depth 0.5 m, at or above 0.5 m'
    """
    found = grades(role, table, presets)
    return found["level"], found["reason"]


def grades(role: Role, table: pd.DataFrame, presets: Presets) -> pd.DataFrame:
    """Grade every row, and keep what the rules and the ledger say apart.

    Parameters
    ----------
    role
        The role.
    table
        Rows with the role's fields.
    presets
        The run's presets; ``grading.declared`` says which level counts where the two differ.

    Returns
    -------
    DataFrame
        ``level``, ``level_rule``, ``level_ledger`` (Int8, 0 unknown), ``reason`` (Text) and
        ``conflict`` (the ledger names another level than the rules give).
    """
    import numpy as np
    import pandas as pd

    rules: list[Mapping[str, Any]] = list((role.grade or {}).get("rules", ()))
    best, why = _worst(role, rules, table, presets)
    own = np.zeros(len(table), dtype=np.int8)
    declared = str((role.grade or {}).get("declared", ""))
    if declared in table.columns:
        told = codes(table[declared])
        own = np.asarray(told.where(told.isin(["1", "2", "3", "4"]), "0"), dtype=np.int8)
    level, reason = _declare(own, best, why, presets)
    blank = level == 0
    reason[blank] = [_blank(role, [str(rule["field"]) for rule in rules])] * int(blank.sum())
    return pd.DataFrame(
        {
            "level": pd.Series(level, index=table.index, dtype="Int8"),
            "level_rule": pd.Series(best, index=table.index, dtype="Int8"),
            "level_ledger": pd.Series(own, index=table.index, dtype="Int8"),
            "reason": pd.Series(reason, index=table.index, dtype=object),
            "conflict": (own > 0) & (best > 0) & (own != best),
        }
    )


def _worst(
    role: Role, rules: list[Mapping[str, Any]], table: pd.DataFrame, presets: Presets
) -> tuple[NDArray[np.int8], NDArray[np.object_]]:
    """Apply every rule and keep the worst level of each row with its reason."""
    import numpy as np

    best = np.zeros(len(table), dtype=np.int8)
    why = np.full(len(table), None, dtype=object)
    for rule in rules:
        field = role.field(str(rule["field"]))
        if field is None or field.name not in table.columns or table[field.name].isna().all():
            continue
        levels = _RULES[str(rule["kind"])](rule, table, presets)
        better = levels > best
        best[better] = levels[better]
        why[better] = _reasons(rule, field, table.loc[better, field.name], presets)
    return best, why


def _blank(role: Role, decisive: list[str]) -> Text:
    labels = [role.field(name) for name in decisive]
    if not decisive:
        return text("no rule grades this kind of item")
    zh = "、".join(field.zh for field in labels if field)
    en = ", ".join(field.en for field in labels if field)
    return text("not graded: {fields} left blank", fields=Label(en, zh=zh))


def _numbers(table: pd.DataFrame, name: str) -> NDArray[np.float64]:
    import numpy as np
    import pandas as pd

    return np.asarray(pd.to_numeric(table[name], errors="coerce"), dtype=np.float64)


def _steps(rule: Mapping[str, Any], table: pd.DataFrame, presets: Presets) -> NDArray[np.int8]:
    """Level by how many thresholds a number reaches."""
    import numpy as np

    values = _numbers(table, rule["field"])
    limits = np.asarray(presets[rule["preset"]], dtype=np.float64)
    named = presets[rule["preset_levels"]] if "preset_levels" in rule else rule["levels"]
    levels = np.asarray(named, dtype=np.int8)
    known = np.isfinite(values)
    if (other := rule.get("only_without")) in table.columns:
        known &= np.asarray(codes(table[other]) == "")
    reached = np.searchsorted(limits, np.where(known, values, -np.inf), side="right")
    return np.where(known, levels[reached], np.int8(0)).astype(np.int8)


def _flag(rule: Mapping[str, Any], table: pd.DataFrame, presets: Presets) -> NDArray[np.int8]:
    """One level where a yes-or-no field says yes."""
    import numpy as np

    yes = np.asarray(codes(table[rule["field"]]).isin(_TRUE))
    return np.where(yes, np.int8(presets[rule["preset"]]), np.int8(0)).astype(np.int8)


def _choice(rule: Mapping[str, Any], table: pd.DataFrame, presets: Presets) -> NDArray[np.int8]:
    """Level by the value of a choice."""
    import numpy as np

    level_of = {str(value).lower(): int(level) for value, level in presets[rule["preset"]].items()}
    found = codes(table[rule["field"]]).map(level_of).fillna(0)
    return np.asarray(found, dtype=np.int8)


_RULES: Final = {"steps": _steps, "flag": _flag, "choice": _choice}


def _reasons(
    rule: Mapping[str, Any],
    field: Field,
    values: pd.Series[Any],
    presets: Presets,
) -> list[Text]:
    import numpy as np

    if rule["kind"] == "flag":
        return [text("{field}: yes", field=field.label, sensitivity=field.sensitivity)] * len(
            values
        )
    if rule["kind"] == "choice":
        shown = {choice.value.lower(): choice.label for choice in field.choices}
        told = {
            code: text(
                "{field}: {value}",
                field=field.label,
                value=shown.get(code, code),
                sensitivity=field.sensitivity,
            )
            for code in codes(values).unique()
        }
        return codes(values).map(told).tolist()
    limits = tuple(float(limit) for limit in presets[rule["preset"]])
    numbers = np.asarray(values.astype(float), dtype=np.float64)
    reached = np.searchsorted(np.asarray(limits), numbers, side="right")
    return [
        _step_reason(field, number, limits[max(place - 1, 0)], above=place > 0)
        for number, place in zip(numbers.tolist(), reached.tolist(), strict=True)
    ]


def _step_reason(field: Field, number: float, limit: float, *, above: bool) -> Text:
    words = {
        "field": field.label,
        "value": f"{number:.10g}",
        "limit": f"{limit:.10g}",
        "unit": unit_label(field.unit),
        "sensitivity": field.sensitivity,
    }
    if above:
        return text("{field} {value} {unit}, at or above {limit} {unit}", **words)
    return text("{field} {value} {unit}, below {limit} {unit}", **words)


def _declare(
    own: NDArray[np.int8], best: NDArray[np.int8], why: NDArray[np.object_], presets: Presets
) -> tuple[NDArray[np.int8], NDArray[np.object_]]:
    """Join what the office wrote down with what the rules give, and say so where they differ."""
    import numpy as np

    result, reasons = best.copy(), why.copy()
    given = np.flatnonzero(own)
    higher = not len(given) or str(presets["grading.declared"]) != "ledger"
    for row in given.tolist():
        level, computed = LEVEL_NAMES[int(own[row])], LEVEL_NAMES[int(best[row])]
        if own[row] > best[row] or not higher:
            result[row] = own[row]
        if best[row] == own[row]:
            continue  # what the rules say is the fuller reason
        if best[row] == 0:
            reasons[row] = text("declared {level} in the ledger", level=level)
        elif result[row] == own[row]:
            reasons[row] = text(
                "declared {level} in the ledger; the rules give {computed} ({reason})",
                level=level,
                computed=computed,
                reason=why[row],
            )
        else:
            reasons[row] = text(
                "{reason}; the ledger says only {level}, the higher level counts",
                level=level,
                reason=why[row],
            )
    return result, reasons


def severity(
    role: Role, table: pd.DataFrame, presets: Presets, *, people: Any = None
) -> NDArray[np.float64]:
    r"""Say how bad each row is in itself: more people, deeper water, a larger store, never less.

    .. math:: S = 1 - \prod_f \left(1 - w_f \, s_f(x_f)\right)

    Parameters
    ----------
    role
        The role; its ``severity`` names fields and the presets that hold their scales.
    table
        Its rows.
    presets
        Scales and ``severity.weight``.
    people
        People affected where the ledger names none, shape (n,), or None.

    Returns
    -------
    ndarray
        0..1, shape (n,); a blank adds nothing.

    Examples
    --------
    >>> import pandas as pd
    >>> from riskmap.vocabulary.presets import load_presets
    >>> from riskmap.vocabulary.roles import load_roles
    >>> rows = pd.DataFrame({"depth_m": [0.12, 1.33], "people": [0, 0]})
    >>> severity(load_roles()["flood_point"], rows, load_presets()).round(3).tolist()
    [0.16, 0.85]
    """
    import numpy as np

    left = np.ones(len(table))
    for name, key in (role.severity or {}).items():
        if name not in table.columns and (name != "people" or people is None):
            continue
        scale = presets[key]
        if isinstance(scale, Mapping):
            share = codes(table[name]).map({str(k): float(v) for k, v in scale.items()})
            value = np.asarray(share.fillna(0.0), dtype=np.float64)
        else:
            x = _numbers(table, name) if name in table.columns else np.full(len(table), np.nan)
            if name == "people" and people is not None:
                x = np.where(np.isfinite(x), x, np.asarray(people, dtype=np.float64))
            steps = np.asarray(scale, dtype=np.float64)
            value = np.nan_to_num(np.interp(x, steps[:, 0], steps[:, 1]))
        left *= 1 - float(presets["severity.weight"].get(name, 1.0)) * value
    return np.asarray(1 - left, dtype=np.float64)


def gb18218(table: pd.DataFrame, people: Any, presets: Presets) -> pd.DataFrame:
    r"""Estimate R of sources that state neither level nor R from substance, quantity and people.

    .. math:: R = \alpha \sum_i \beta_i \frac{q_i}{Q_i}

    One quantity for several substances counts as the worst of them. Below the threshold quantity
    the source is no major hazard.

    Parameters
    ----------
    table
        Rows of hazard_source: ``substances``, ``quantity_t``, ``alpha_people``.
    people
        People within the radius of alpha where the ledger names none, shape (n,); NaN = unknown,
        which takes the largest alpha.
    presets
        ``hazard_source.*``.

    Returns
    -------
    DataFrame
        ``r_value`` and ``gb18218_level``, blank where nothing could be estimated.

    References
    ----------
    GB 18218-2018.

    Examples
    --------
    >>> import pandas as pd
    >>> from riskmap.vocabulary.presets import load_presets
    >>> rows = pd.DataFrame({"substances": ["液氯"], "quantity_t": [500.0], "alpha_people": [99]})
    >>> gb18218(rows, None, load_presets()).round(6).to_numpy().tolist()
    [[600.0, '1']]
    """
    import numpy as np
    import pandas as pd

    lost = pd.Series(np.nan, index=table.index)
    names = table.get("substances", pd.Series("", index=table.index)).fillna("").astype(str)
    tons = pd.to_numeric(table.get("quantity_t", lost), errors="coerce")
    heads = pd.to_numeric(table.get("alpha_people", lost), errors="coerce")
    if people is not None:
        heads = heads.fillna(pd.Series(np.asarray(people, np.float64), index=table.index))
    blank = pd.Series(data=True, index=table.index)
    for name in ("gb18218_level", "r_value"):
        if name in table.columns:
            blank &= codes(table[name]) == ""
    r, level = lost.astype(float), pd.Series(None, index=table.index, dtype=object)
    asked = table.index[blank & (names != "") & (tons > 0)]
    if not len(asked):
        return pd.DataFrame({"r_value": r, "gb18218_level": level})
    limit, beta = presets["hazard_source.threshold_t"], presets["hazard_source.beta"]
    also = presets["hazard_source.substance_names"]
    alphas = presets["hazard_source.alpha"]
    bounds = np.asarray(presets["hazard_source.alpha_people"], dtype=np.float64)
    steps = np.asarray(presets["hazard_source.gb18218_r"], dtype=np.float64)
    for row in asked:
        parts = [part.strip() for part in re.split(r"[、,，;；/\s]+", names[row]) if part.strip()]
        known = [also.get(part, part) for part in parts]
        rates = [(float(beta[one]) / float(limit[one]), float(limit[one]))
                 for one in known if one in limit and one in beta]  # fmt: skip
        if not rates:
            continue
        rate, threshold = max(rates)
        near = heads[row]
        place = len(bounds) if np.isnan(near) else int(np.searchsorted(bounds, near, side="right"))
        r[row] = round(float(alphas[place]) * rate * float(tons[row]), 9)  # 10 is 10
        grade_no = 4 - int(np.searchsorted(steps, r[row], side="right"))
        level[row] = str(grade_no) if float(tons[row]) >= threshold else "0"
    return pd.DataFrame({"r_value": r, "gb18218_level": level})
