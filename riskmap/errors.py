"""Errors and problems: where, what, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from riskmap.i18n import Text

Severity = Literal["returned", "unusable", "note"]


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the input, said so that an officer can mend it.

    ``returned``: this row was not used. ``unusable``: the whole layer was not used.
    ``note``: used, but something was changed or should be known (a repaired geometry, an encoding).
    """

    severity: Severity
    role: str
    rule: str
    """Short stable code of the rule, such as ``required`` or ``outside_place``."""
    message: Text
    mend: Text
    file: str = ""
    sheet: str = ""
    row: int | None = None
    """Row as the office counts it: the sheet's own row number, or feature number from 1."""
    field: str = ""
    value: str = ""
    count: int = 1
    """Rows that this stands for; more than one where a file has very many of the same kind."""

    def __str__(self) -> str:
        place = " ".join(
            part
            for part in (
                self.file,
                f"[{self.sheet}]" if self.sheet else "",
                f"#{self.row}" if self.row is not None else "",
                self.field,
            )
            if part
        )
        value = f" ({self.value})" if self.value else ""
        return f"{place}: {self.message}{value}; {self.mend}"


class RiskmapError(Exception):
    """Something the user can mend; shown without a traceback.

    Parameters
    ----------
    message
        What went wrong as a whole.
    problems
        Every problem found, each with its place and how to mend it.
    """

    exit_code = 1

    def __init__(self, message: Text | str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join([str(self.message), *(f"  {problem}" for problem in self.problems)])


class ProjectError(RiskmapError):
    """The project file, or a path in it, is wrong."""


class LayerError(RiskmapError):
    """A layer cannot be read or used."""


class CRSError(RiskmapError):
    """A coordinate system is missing, unknown or unfit."""


class IndicatorError(RiskmapError):
    """An indicator table or an index step is wrong."""


class UsageError(RiskmapError):
    """The command was called wrongly."""

    exit_code = 2


class InfeasibleError(RiskmapError):
    """No answer fulfils the conditions."""

    exit_code = 3


class ExportError(RiskmapError):
    """The results cannot be written."""
