"""Values as JSON, always the same bytes for the same value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

EPOCH: Final = "1970-01-01"
"""Stands where a date must stand and no data date was declared."""


def plain(value: Any) -> Any:
    """Turn a value into what JSON can hold; not-a-number becomes None.

    Parameters
    ----------
    value
        A number, text, array, table, mapping or sequence.

    Returns
    -------
    object
        Numbers, texts, lists and dicts with text keys.

    Examples
    --------
    >>> plain({"a": np.array([1.0, np.nan]), "b": np.int64(3)})
    {'a': [1.0, None], 'b': 3}
    """
    if isinstance(value, pd.DataFrame):
        return {str(key): plain(value[key]) for key in value.columns}
    if isinstance(value, pd.Series):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray | pd.Index):
        return [plain(entry) for entry in value.tolist()]
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(entry) for entry in value)
    if isinstance(value, np.generic):
        return plain(value.item())
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, bool | int | str):
        return value
    return str(value)


def as_json(value: object) -> str:
    """Write a value as JSON, always the same bytes for the same value.

    Parameters
    ----------
    value
        Anything that `plain` takes.

    Returns
    -------
    str
        Indented JSON with sorted keys and a newline at the end.

    Examples
    --------
    >>> as_json({"b": 1, "a": "低"}).splitlines()[1]
    '  "a": "低",'
    """
    return json.dumps(plain(value), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def as_line(value: object) -> str:
    """Write a value as JSON on one line.

    Parameters
    ----------
    value
        Anything that `plain` takes.

    Returns
    -------
    str
        JSON with sorted keys.

    Examples
    --------
    >>> as_line({"b": 1, "a": None})
    '{"a": null, "b": 1}'
    """
    return json.dumps(plain(value), ensure_ascii=False, sort_keys=True)
