"""From an emergency office's layers to its flood-season map, list, table and plans."""

from __future__ import annotations

from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Any

from riskmap.errors import RiskmapError

if TYPE_CHECKING:
    from riskmap.export.bundle import write
    from riskmap.export.geopackage.read import open_results as open  # noqa: A004
    from riskmap.export.verify import verify
    from riskmap.pipeline.run import run
    from riskmap.project import Project
    from riskmap.result import Result

__all__ = ["Project", "Result", "RiskmapError", "open", "run", "verify", "write"]
__version__ = _version("riskmap")

_LAZY = {
    "Project": ("riskmap.project", "Project"),
    "Result": ("riskmap.result", "Result"),
    "open": ("riskmap.export.geopackage.read", "open_results"),
    "run": ("riskmap.pipeline", "run"),
    "verify": ("riskmap.export.verify", "verify"),
    "write": ("riskmap.export.bundle", "write"),
}
"""The public doors; beside them `riskmap.index`, `riskmap.siting` and `riskmap.geo.network`."""


def __getattr__(name: str) -> Any:
    """Import the heavy names only when they are used, so that ``riskmap --help`` stays quick."""
    if name in _LAZY:
        from importlib import import_module

        module, known = _LAZY[name]
        return getattr(import_module(module), known)
    raise AttributeError(name)
