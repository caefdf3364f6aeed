"""Columns and fields as the page shows them, in both languages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from riskmap.export.onemap.pack import Packer
from riskmap.export.onemap.places import numbers
from riskmap.i18n import LANGUAGES, Text, language

__all__ = ["column", "field_parts", "label", "shown"]


def label(role: Any) -> dict[str, str]:
    """Give the name of a role or field in both languages.

    Parameters
    ----------
    role
        Anything with ``zh`` and ``en``.

    Returns
    -------
    dict
        Language code to name.
    """
    return {"zh": str(role.zh), "en": str(role.en)}


def shown(value: Any, code: str) -> str:
    """Show one value in a language; blanks are empty.

    Parameters
    ----------
    value
        A text, a number, or a list of them.
    code
        ``zh`` or ``en``.

    Returns
    -------
    str
        What the page writes.

    Examples
    --------
    >>> shown(["a", None, 2], "en")
    'a; ; 2'
    """
    if isinstance(value, Text):
        with language(code):
            return str(value)
    if isinstance(value, (list, tuple)):
        return ("；" if code == "zh" else "; ").join(shown(part, code) for part in value)
    return "" if value is None or value is pd.NA or value != value else str(value)


def column(values: pd.Series, packer: Packer, *, numeric: bool) -> dict[str, Any]:
    """Pack one column of a table.

    Parameters
    ----------
    values
        The column.
    packer
        Takes the arrays.
    numeric
        True for numbers.

    Returns
    -------
    dict
        ``{"num": ...}``, ``{"str": ...}`` or, where the languages differ, ``{"zh":, "en":}``.
    """
    if numeric and not pd.api.types.is_bool_dtype(values.dtype):
        found = numbers(values)
        if np.isfinite(found).sum() == values.notna().sum():
            return {"num": packer.numbers(found)}
    cells = values.tolist()
    if any(isinstance(v, (Text, list, tuple)) for v in cells):
        words = {code: [shown(v, code) for v in cells] for code in LANGUAGES}
        if words["zh"] != words["en"]:
            return {code: packer.strings(words[code]) for code in LANGUAGES}
        return {"str": packer.strings(words["zh"])}
    return {"str": packer.strings([shown(v, "zh") for v in cells])}


def _field(field: Any) -> dict[str, Any]:
    """Describe one field of a role."""
    return {
        "name": field.name,
        **label(field),
        "type": field.type,
        "unit": field.unit or "",
        "choices": {c.value: {"zh": c.zh, "en": c.en} for c in field.choices},
    }


def field_parts(role: Any, table: pd.DataFrame, packer: Packer) -> list[dict[str, Any]]:
    """Pack the role's fields that the table has and that are not wholly blank.

    Parameters
    ----------
    role
        The role of the layer.
    table
        Its rows.
    packer
        Takes the arrays.

    Returns
    -------
    list of dict
        Name, labels, type, unit, choices and data of each field.
    """
    out = []
    for field in role.fields:
        if (
            field.name not in table
            or field.name in ("name", "photo")
            or not table[field.name].notna().any()
        ):
            continue
        numeric = field.type in ("integer", "number")
        out.append(_field(field) | {"data": column(table[field.name], packer, numeric=numeric)})
    return out
