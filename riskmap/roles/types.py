"""What a role is made of: labels, choices, fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from riskmap.i18n import Text, current_language

TYPES: Final = ("text", "integer", "number", "date", "code", "phone", "boolean", "choice")
SENSITIVITIES: Final = ("public", "internal", "secret")
KINDS: Final = ("vector", "raster")
GEOMETRIES: Final = ("point", "line", "polygon", "any", "none")
GROUPS: Final = ("risk", "element", "plan", "base")


@dataclass(frozen=True)
class Label(Text):
    """A text whose two languages stand in a role or preset file; ``msgid`` is the English."""

    zh: str = ""

    def __str__(self) -> str:
        return self.zh if self.zh and current_language() == "zh" else self.msgid


@dataclass(frozen=True)
class Choice:
    """One allowed value of a field."""

    value: str
    zh: str
    en: str
    aliases: tuple[str, ...] = ()

    @property
    def label(self) -> Label:
        """The value as shown."""
        return Label(self.en, zh=self.zh)


@dataclass(frozen=True)
class Field:
    """One column of a role."""

    name: str
    zh: str
    en: str
    aliases: tuple[str, ...] = ()
    type: str = "text"
    unit: str | None = None
    required: bool = False
    choices: tuple[Choice, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    sensitivity: str = "public"
    standard: str = ""
    example: str = ""
    """What the example row of a template shows."""

    @property
    def label(self) -> Label:
        """The field's name as shown, without its unit."""
        return Label(self.en, zh=self.zh)


@dataclass(frozen=True, kw_only=True)
class Role:
    """What a layer can be: its fields, its look, how it is graded and what goes on the list."""

    name: str
    zh: str
    en: str
    kind: str = "vector"
    """``vector`` or ``raster``."""
    geometry: str = "point"
    """``point``, ``line``, ``polygon``, ``any`` or ``none`` (a plain table)."""
    group: str = "element"
    """``risk``, ``element``, ``plan`` or ``base``: the branch of the layer tree."""
    id_prefix: str = ""
    id_field: str = "number"
    """The field that holds the office's own number."""
    symbol: str = "circle"
    colour: str = ""
    """Fixed colour for roles that have no level."""
    duty_unit_zh: str = ""
    duty_unit_en: str = ""
    fields: tuple[Field, ...] = ()
    grade: Mapping[str, Any] | None = None
    item: bool = False
    """True when its rows go on the list and the table."""
    sensitivity: str = "public"
    coarsen_public: bool = False
    source: str = ""
    raster_allowed: bool = False
    """True when a vector role may also come as a raster (population)."""
    active: Mapping[str, tuple[str, ...]] | None = None
    """Field to the values that take a row out of use, such as a source without storage."""
    asked: tuple[str, ...] = ()
    """Fields whose blanks are listed beside an item, since a leader would ask for them."""
    measures: Mapping[int, Label] | None = None
    emergency: Label | None = None
    absence: Label | None = None
    """What it costs when the layer is missing."""

    @property
    def label(self) -> Label:
        """The role's name as shown."""
        return Label(self.en, zh=self.zh)

    @property
    def duty_unit(self) -> Label:
        """The department on duty for this role, where a row names none."""
        return Label(self.duty_unit_en, zh=self.duty_unit_zh)

    def field(self, name: str) -> Field | None:
        """Return the field of this name, or None.

        Parameters
        ----------
        name
            The field's name.

        Returns
        -------
        Field or None
            The field.
        """
        return next((field for field in self.fields if field.name == name), None)
