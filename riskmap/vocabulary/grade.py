"""The four-colour level of each row, by the rules that a role's file holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from riskmap.i18n import Text, text
from riskmap.vocabulary.roles import Field, Label, Role, unit_label

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from riskmap.vocabulary.presets import Presets


LEVEL_NAMES: Final[Mapping[int, Label]] = {
    0: Label("unknown", zh="未定级"),
    1: Label("low", zh="低"),
    2: Label("general", zh="一般"),
    3: Label("larger", zh="较大"),
    4: Label("major", zh="重大"),
}
"""Levels as shown: 4 major (red), 3 larger (orange), 2 general (yellow), 1 low (blue)."""
_TRUE: Final = frozenset(("true", "1", "1.0", "yes", "是", "有"))


def codes(series: pd.Series[Any]) -> pd.Series[str]:
    """Bring coded values into one form: text, lower case, ``1.0`` as ``1``, blank as ``""``.

    Parameters
    ----------
    series
        Values of a choice or boolean field, however they are stored.

    Returns
    -------
    Series
        The values as text.

    Examples
    --------
    >>> import pandas as pd
    >>> codes(pd.Series([1.0, "1", True, None])).tolist()
    ['1', '1', 'true', '']
    """
    filled = series.astype(object).where(series.notna(), "")
    return filled.astype(str).str.strip().str.lower().str.replace(r"\.0$", "", regex=True)


def active(role: Role, table: pd.DataFrame) -> pd.Series[bool]:
    """Tell which rows are in use: not retired, and sources only where something is stored.

    A blank never takes a row out.

    Parameters
    ----------
    role
        The role, whose file names the values that take a row out of use.
    table
        Its rows.

    Returns
    -------
    Series of bool
        True where the row counts.

    Examples
    --------
    >>> import pandas as pd
    >>> from riskmap.vocabulary.roles import load_roles
    >>> role = load_roles()["hazard_source"]
    >>> active(role, pd.DataFrame({"has_storage": [True, False, None]})).tolist()
    [True, False, True]
    """
    import pandas as pd

    keep = pd.Series(data=True, index=table.index, dtype=bool)
    for name, out in (role.active or {}).items():
        if name in table.columns:
            keep &= ~codes(table[name]).isin([value.lower() for value in out])
    return keep


def grade(
    role: Role, table: pd.DataFrame, presets: Presets
) -> tuple[pd.Series[Any], pd.Series[Any]]:
    r"""Grade every row by the worst of the role's rules; the office's own level wins.

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
    import pandas as pd

    rules: list[Mapping[str, Any]] = list((role.grade or {}).get("rules", ()))
    best, why = _worst(role, rules, table, presets)
    declared = str((role.grade or {}).get("declared", ""))
    if declared in table.columns:
        best, why = _declare(codes(table[declared]), best, why)
    blank = best == 0
    why[blank] = [_blank(role, [str(rule["field"]) for rule in rules])] * int(blank.sum())
    return (
        pd.Series(best, index=table.index, dtype="Int8"),
        pd.Series(why, index=table.index, dtype=object),
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
    declared: pd.Series[str], best: NDArray[np.int8], why: NDArray[np.object_]
) -> tuple[NDArray[np.int8], NDArray[np.object_]]:
    """Let the level that the office wrote down stand, and say so where the rules differ."""
    import numpy as np

    own = np.asarray(declared.where(declared.isin(["1", "2", "3", "4"]), "0"), dtype=np.int8)
    given = np.flatnonzero(own)
    result, reasons = best.copy(), why.copy()
    result[given] = own[given]
    for row in given.tolist():
        level, computed = LEVEL_NAMES[int(own[row])], LEVEL_NAMES[int(best[row])]
        if best[row] in (0, own[row]):
            reasons[row] = text("declared {level} in the ledger", level=level)
        else:
            reasons[row] = text(
                "declared {level} in the ledger; the rules give {computed} ({reason})",
                level=level,
                computed=computed,
                reason=why[row],
            )
    return result, reasons
