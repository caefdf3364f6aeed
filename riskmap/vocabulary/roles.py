"""What a role is made of (labels, choices, fields), and the rules of reading it in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from riskmap.errors import LayerError, Problem
from riskmap.files import parse_yaml
from riskmap.i18n import Label, Text, text
from riskmap.vocabulary.columns import codes, header_key, parse_header

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

TYPES: Final = ("text", "integer", "number", "date", "code", "phone", "boolean", "choice")
SENSITIVITIES: Final = ("public", "internal", "secret")
KINDS: Final = ("vector", "raster")
GEOMETRIES: Final = ("point", "line", "polygon", "any", "none")
GROUPS: Final = ("risk", "element", "plan", "base")


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
    severity: Mapping[str, str] | None = None
    """Field to the preset whose scale says how bad a value is, 0..1; more is never better."""
    item: bool = False
    """True when its rows go on the list and the table."""
    sensitivity: str = "public"
    coarsen_public: bool = False
    unnamed_public: bool = False
    """True when the public edition takes the names of its rows out of every text there is."""
    source: str = ""
    town_enough: bool = False
    """True when a row that names its town only is kept: it counts, and feeds no map of the risk."""
    raster_allowed: bool = False
    """True when a vector role may also come as a raster (population)."""
    active: Mapping[str, tuple[str, ...]] | None = None
    """Field to the values that take a row out of use, such as a source without storage."""
    period: tuple[str, ...] = ()
    """Fields of the first and last day on which a row counts, such as work that is under way."""
    asked: tuple[str, ...] = ()
    """Fields whose blanks are listed beside an item, since a leader would ask for them."""
    measures: Mapping[int, Label] | None = None
    emergency: Label | None = None
    absence: Label | None = None
    """What it costs when the layer is missing."""
    keeper: Label | None = None
    """Who usually has the layer, where it is not the department on duty."""

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

    def in_use(self, table: pd.DataFrame) -> pd.Series[bool]:
        """Tell which rows are in use: not retired, and sources only where something is stored.

        A blank never takes a row out.

        Parameters
        ----------
        table
            Rows of the role.

        Returns
        -------
        Series of bool
            True where the row counts.

        Examples
        --------
        >>> import pandas as pd
        >>> role = load_roles()["hazard_source"]
        >>> role.in_use(pd.DataFrame({"has_storage": [True, False, None]})).tolist()
        [True, False, True]
        """
        import pandas as pd

        keep = pd.Series(data=True, index=table.index, dtype=bool)
        for name, out in (self.active or {}).items():
            if name in table.columns:
                keep &= ~codes(table[name]).isin([value.lower() for value in out])
        return keep

    def in_force(self, table: pd.DataFrame, day: str) -> pd.Series[bool]:
        """Tell which rows count on a day: those whose first and last day hold it.

        Parameters
        ----------
        table
            Rows of the role.
        day
            The day, ISO; empty takes no row out.

        Returns
        -------
        Series of bool
            True where the row counts; a blank day never takes a row out.

        Examples
        --------
        >>> import pandas as pd
        >>> work = pd.DataFrame({"starts": ["2026-05-01", None], "ends": ["2026-05-03", None]})
        >>> load_roles()["risky_work"].in_force(work, "2026-05-04").tolist()
        [False, True]
        """
        import pandas as pd

        keep = pd.Series(data=True, index=table.index, dtype=bool)
        for name, sign in zip(self.period, (1, -1), strict=False):
            if day and name in table.columns:
                said = days_of(table[name], last=sign < 0)
                gap = (pd.Timestamp(day) - said).dt.days * sign
                keep &= ~(gap < 0)
        return keep


def days_of(said: pd.Series[Any], *, last: bool = False) -> pd.Series[Any]:
    """Read dates as `riskmap.layers.read.values.parse_dates` gives them, to the day, month or year.

    Parameters
    ----------
    said
        Series of ``2026-05-31``, ``2026-05`` or ``2026``, one beside the other, or of days.
    last
        True for what holds until then: of a month or a year the last day, else the first.

    Returns
    -------
    Series
        Days; NaT where there is none, or words.

    Examples
    --------
    >>> import pandas as pd
    >>> said = pd.Series(["2026-05", "2026-05-03", "2026", "年底"])
    >>> days_of(said, last=True).dt.strftime("%Y-%m-%d").tolist()
    ['2026-05-31', '2026-05-03', '2026-12-31', nan]
    """
    import pandas as pd

    days: pd.Series[Any] = pd.to_datetime(said, errors="coerce", format="ISO8601")
    if last:
        size = said.astype("str").str.strip().str.len()
        days = days.mask(size == 7, days + pd.offsets.MonthEnd(0))
        days = days.mask(size == 4, days + pd.offsets.YearEnd(0))
    return days


def _choice(raw: Mapping[str, Any] | list[Any], value: str) -> Choice:
    if isinstance(raw, list):
        zh, en, *aliases = [str(part) for part in raw]
        return Choice(value, zh, en, tuple(aliases))
    return Choice(value, str(raw["zh"]), str(raw["en"]), tuple(map(str, raw.get("aliases", ()))))


def parse_field(name: str, raw: Mapping[str, Any]) -> Field:
    """Make a field from its mapping.

    Parameters
    ----------
    name
        The field's name.
    raw
        Its keys as the file has them.

    Returns
    -------
    Field
        The field.

    Raises
    ------
    ValueError
        When a key or the type is unknown.
    """
    choices = tuple(_choice(choice, str(value)) for value, choice in raw.get("choices", {}).items())
    kind = str(raw.get("type", "choice" if choices else "text"))
    wrong = {
        "sensitivity": raw.get("sensitivity", "public") not in SENSITIVITIES,
        kind: kind not in TYPES,
    }
    unknown = set(raw) - {*Field.__dataclass_fields__} | {
        word for word, bad in wrong.items() if bad
    }
    if unknown:
        raise ValueError(f"{name}: {sorted(unknown)}")
    return Field(
        name=name,
        zh=str(raw["zh"]),
        en=str(raw["en"]),
        aliases=tuple(str(alias) for alias in raw.get("aliases", ())),
        type=kind,
        unit=str(raw["unit"]) if raw.get("unit") is not None else None,
        required=bool(raw.get("required", False)),
        choices=choices,
        minimum=raw.get("minimum"),
        maximum=raw.get("maximum"),
        sensitivity=str(raw.get("sensitivity", "public")),
        standard=str(raw.get("standard", "")),
        example=str(raw.get("example", "")),
    )


def _label(raw: Mapping[str, Any] | None) -> Label | None:
    return None if raw is None else Label(str(raw["en"]), zh=str(raw["zh"]))


def _fields(raw: Mapping[str, Any], common: Mapping[str, Mapping[str, Any]]) -> tuple[Field, ...]:
    """Join the common fields that a role names with its own; its own words win, aliases add up."""
    own: dict[str, Mapping[str, Any]] = raw.get("fields", {})
    shared = [name for name in raw.get("common", ()) if name not in own]
    merged: dict[str, Mapping[str, Any]] = {name: common[name] for name in shared}
    for name, definition in own.items():
        base = common.get(name, {}) if name in raw.get("common", ()) else {}
        aliases = [*base.get("aliases", ()), *definition.get("aliases", ())]
        merged[name] = {**base, **definition, "aliases": list(dict.fromkeys(aliases))}
    first = [name for name in ("number", "name") if name in merged]
    order = [*first, *(n for n in own if n not in first), *(n for n in shared if n not in first)]
    return tuple(parse_field(name, merged[name]) for name in order)


def parse_role(raw: Mapping[str, Any]) -> Role:
    """Make a role from the mapping of its file.

    Parameters
    ----------
    raw
        The file's content.

    Returns
    -------
    Role
        The role.

    Raises
    ------
    ValueError
        When a key is unknown, a word is not allowed or two fields claim one header.
    """
    plain = {
        key: raw[key]
        for key in Role.__dataclass_fields__
        if key in raw
        and key
        not in ("fields", "active", "period", "asked", "measures", "emergency", "absence", "keeper")
    }
    unknown = set(raw) - set(Role.__dataclass_fields__) - {"common"}
    if unknown:
        raise ValueError(f"unknown key {sorted(unknown)}")
    out = {k: tuple(map(str, v)) for k, v in raw.get("active", {}).items()} or None
    _check_words(raw)
    measures = {int(level): _label(entry) for level, entry in raw.get("measures", {}).items()}
    role = Role(
        **plain,
        fields=_fields(raw, common()["fields"]),
        active=out,
        period=tuple(map(str, raw.get("period", ()))),
        asked=tuple(raw.get("asked", ())),
        measures={level: label for level, label in measures.items() if label is not None} or None,
        emergency=_label(raw.get("emergency")),
        absence=_label(raw.get("absence")),
        keeper=_label(raw.get("keeper")),
    )
    if clashes := header_clashes(role):
        raise ValueError(f"two fields share a header: {', '.join(clashes)}")
    return role


def _check_words(raw: Mapping[str, Any]) -> None:
    allowed = {"kind": KINDS, "geometry": GEOMETRIES, "group": GROUPS, "sensitivity": SENSITIVITIES}
    for key, words in allowed.items():
        if key in raw and raw[key] not in words:
            raise ValueError(f"{key}: {raw[key]!r} is not one of {', '.join(words)}")


def header_clashes(role: Role) -> list[str]:
    """Name the headers that two fields of a role claim.

    Parameters
    ----------
    role
        The role.

    Returns
    -------
    list of str
        Each header with the two fields; empty when all is well.
    """
    claims = [
        (key, field.name)
        for field in role.fields
        for key in {header_key(word) for word in (field.name, field.zh, field.en, *field.aliases)}
    ]
    first: dict[str, str] = {}
    for key, name in claims:
        first.setdefault(key, name)
    return [f"{key} ({first[key]}, {name})" for key, name in claims if first[key] != name]


def read_yaml(path: Path) -> Any:
    """Read a YAML file, by libyaml where it is there.

    Parameters
    ----------
    path
        The file, UTF-8.

    Returns
    -------
    object
        Its content.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506


@cache
def common() -> dict[str, Any]:
    """Return what roles share: order, coordinates, fields.

    Returns
    -------
    dict
        The content of ``_common.yaml``.
    """
    loaded: dict[str, Any] = read_yaml(_FOLDER / "_common.yaml")
    return loaded


@cache
def coordinate_fields() -> tuple[Field, ...]:
    """Return the columns that may hold coordinates: lon, lat, lonlat, easting, northing, wkt.

    Returns
    -------
    tuple of Field
        The fields; ``X`` and ``Y`` are taken as longitude and latitude when they look like
        degrees, which the reader decides, for Chinese sheets call the northing X.

    Examples
    --------
    >>> [field.name for field in coordinate_fields()][:3]
    ['lon', 'lat', 'lonlat']
    """
    return tuple(parse_field(name, raw) for name, raw in common()["coordinates"].items())


@cache
def _header_index(fields: tuple[Field, ...]) -> dict[str, Field]:
    index: dict[str, Field] = {}
    for field in fields:
        for alias in (field.name, field.zh, field.en, *field.aliases):
            index.setdefault(header_key(alias), field)
    return index


def match_header(role: Role, header: str) -> tuple[Field | None, str | None]:
    """Find the field that a column header means.

    Parameters
    ----------
    role
        The role; the coordinate columns are matched too.
    header
        The header as the file has it.

    Returns
    -------
    tuple of (Field or None) and (str or None)
        The field, and the unit that the header names.

    Examples
    --------
    >>> from riskmap.vocabulary.roles import load_roles
    >>> field, unit = match_header(load_roles()["flood_point"], "积水深度（cm）")
    >>> field.name, unit
    ('depth_m', 'cm')
    """
    index = _header_index(role.fields + coordinate_fields())
    bare, unit = parse_header(header)
    whole = index.get(header_key(header))
    if whole is not None:
        return whole, unit
    return index.get(header_key(bare)), unit


def match_choice(field: Field, value: object) -> str | None:
    """Find the allowed value that an entry means.

    Parameters
    ----------
    field
        A field with choices.
    value
        The entry as the file has it.

    Returns
    -------
    str or None
        The choice's value, or None when no choice is meant.

    Examples
    --------
    >>> from riskmap.vocabulary.roles import load_roles
    >>> field = load_roles()["refuge"].field("tier")
    >>> match_choice(field, "乡镇"), match_choice(field, " 村级 "), match_choice(field, "?")
    ('town', 'village', None)
    """
    key = header_key(str(value))
    return _choice_names(field).get(key) if key else None


@cache
def _choice_names(field: Field) -> dict[str, str]:
    """Return the names of all choices in their comparison form, with the value each means."""
    out: dict[str, str] = {}
    for choice in field.choices:
        names = [choice.zh, choice.en, *choice.aliases]
        if not choice.value.isdigit() or _counts_as(choice):
            names.insert(0, choice.value)
        for name in names:
            out.setdefault(header_key(name), choice.value)
    return out


def _counts_as(choice: Choice) -> bool:
    """Tell whether a digit means the choice to a reader too, as 1 means 一级 but not 低."""
    numeral = dict(zip("123456789", "一二三四五六七八九", strict=True)).get(choice.value, "")
    return choice.value == "0" or (numeral != "" and choice.zh.startswith((numeral, choice.value)))


_DENIED: Final = re.compile(r"(?:非|未|不|无|没有|原|拟|曾)(?:属|是|定|为)?$")
_GRADES: Final = frozenset(
    "一二三四五六七八九十大中小特重较高低上下长短内外有无是否不未红橙黄蓝0123456789"
)


def guess_choice(field: Field, value: object) -> tuple[str, str] | None:
    """Find the choice whose name an entry holds, or is spelled nearly like.

    Parameters
    ----------
    field
        A field with choices.
    value
        An entry that is no name of a choice.

    Returns
    -------
    tuple of str or None
        The choice's value and the name that was recognised; None when none or several fit.

    Examples
    --------
    >>> from riskmap.vocabulary.roles import load_roles
    >>> field = load_roles()["rescue_station"].field("type")
    >>> guess_choice(field, "二级消防站"), guess_choice(field, "非一级站")
    (('second', '二级'), None)
    """
    key = header_key(str(value))
    held: dict[str, str] = {}
    for name, found in _choice_names(field).items():
        at = key.find(name) if len(name) >= 2 and not name.isdigit() else -1
        if at < 0 or (name.isascii() and not _whole_word(key, at, len(name))):
            continue
        if _DENIED.search(key[:at]):
            return None
        if len(name) > len(held.get(found, "")):
            held[found] = name
    longest = [
        found
        for found, name in held.items()
        if not any(name != other and name in other for other in held.values())
    ]
    if len(longest) == 1:
        return longest[0], held[longest[0]]
    if held or len(key) < 4:
        return None
    near = {
        (found, name)
        for name, found in _choice_names(field).items()
        if len(name) >= 4 and _one_slip(key, name)
    }
    return near.pop() if len({found for found, _ in near}) == 1 and len(near) == 1 else None


def _whole_word(key: str, at: int, length: int) -> bool:
    before, after = key[at - 1 : at], key[at + length : at + length + 1]
    return not (before.isascii() and before.isalnum()) and not (after.isascii() and after.isalnum())


def _one_slip(one: str, two: str) -> bool:
    """Tell whether two texts differ in one character that is no grade."""
    if abs(len(one) - len(two)) > 1:
        return False
    if len(one) == len(two):
        apart = [(a, b) for a, b in zip(one, two, strict=True) if a != b]
        return len(apart) == 1 and not _GRADES & set(apart[0])
    long, short = (one, two) if len(one) > len(two) else (two, one)
    return any(
        long[:at] + long[at + 1 :] == short and long[at] not in _GRADES for at in range(len(long))
    )


_FOLDER: Final = Path(__file__).parent / "roles"


def _read_folder(folder: Path) -> tuple[dict[str, Role], list[Problem]]:
    roles: dict[str, Role] = {}
    problems: list[Problem] = []
    for file in sorted(folder.glob("*.yaml")):
        if file.name.startswith("_"):
            continue
        try:
            own = folder != _FOLDER
            role = parse_role(
                parse_yaml(file.read_text(encoding="utf-8-sig")) if own else read_yaml(file)
            )
        except (
            OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, yaml.YAMLError
        ) as error:  # fmt: skip
            problems.append(
                Problem(
                    severity="unusable",
                    role=file.stem,
                    rule="role_file",
                    message=text("the role file cannot be used: {error}", error=str(error)),
                    mend=text("write it like the shipped role files"),
                    file=file.name,
                )
            )
            continue
        roles[role.name] = role
    return roles, problems


@cache
def _shipped() -> dict[str, Role]:
    roles, problems = _read_folder(_FOLDER)
    if problems:
        raise LayerError(text("a shipped role file is broken"), tuple(problems))
    order = {name: place for place, name in enumerate(common()["order"])}
    return dict(sorted(roles.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))


@cache
def unit_role(level: str) -> Role:
    """Return the columns of a sheet of units: villages with a point each, or towns.

    Parameters
    ----------
    level
        ``village`` or ``town``.

    Returns
    -------
    Role
        Fields as in the template; it is no layer of a project.

    Examples
    --------
    >>> [field.name for field in unit_role("village").fields][:4]
    ['number', 'name', 'town', 'population']
    """
    return parse_role(read_yaml(_FOLDER / "_units.yaml")[level])


def load_roles(extra: Path | None = None) -> dict[str, Role]:
    """Read all roles, the shipped ones and the user's own.

    Parameters
    ----------
    extra
        Folder with the user's own role files; a role of a shipped name replaces it.

    Returns
    -------
    dict
        Name to role, in the order of the layer tree.

    Raises
    ------
    LayerError
        When a file of the user's is not a role; all of them are named.

    Examples
    --------
    >>> load_roles()["flood_point"].zh
    '易涝积水点'
    """
    roles = dict(_shipped())
    if extra is not None and extra.is_dir():
        own, problems = _read_folder(extra)
        if problems:
            raise LayerError(
                text("{n} role files cannot be used", n=len(problems)), tuple(problems)
            )
        roles.update(own)
    return roles


_FILE: Final = Path(__file__).parent / "rules.yaml"


@dataclass(frozen=True)
class Rule:
    """One rule: its code, its title, and what it means and how to mend it."""

    code: str
    title: Label
    why: Label


@cache
def load_rules() -> dict[str, Rule]:
    """Read the catalogue of rules.

    Returns
    -------
    dict
        Code to rule.

    Examples
    --------
    >>> str(load_rules()["swapped"].title)
    '经纬度写反'
    """
    return {
        code: Rule(code, Label(raw["en"], zh=raw["zh"]), Label(raw["why_en"], zh=raw["why_zh"]))
        for code, raw in read_yaml(_FILE).items()
    }


def rule_words(code: str) -> Text:
    """Name a rule in words.

    Parameters
    ----------
    code
        Its code.

    Returns
    -------
    Text
        Its title; ``another rule`` for a code that the catalogue does not have.

    Examples
    --------
    >>> str(rule_words("required"))
    '必填项为空'
    """
    rule = load_rules().get(code)
    return rule.title if rule is not None else text("another rule")
