"""From an emergency office's layers to its flood-season map, list, table and plans."""

from __future__ import annotations

from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Any

from riskmap.errors import RiskmapError

if TYPE_CHECKING:
    from riskmap.pipeline import run
    from riskmap.project import Project
    from riskmap.result import Result

__all__ = ["Project", "Result", "RiskmapError", "run"]
__version__ = _version("riskmap")

_LAZY = {"Project": "riskmap.project", "Result": "riskmap.result", "run": "riskmap.pipeline"}


def __getattr__(name: str) -> Any:
    """Import the heavy names only when they are used, so that ``riskmap --help`` stays quick."""
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(name)
