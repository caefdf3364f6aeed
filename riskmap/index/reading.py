"""Files of steps, as a person writes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from riskmap.errors import IndicatorError
from riskmap.files import ENCODINGS, parse_json, parse_yaml, system_words
from riskmap.i18n import text
from riskmap.index.tree import error, failure


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
