"""Workbooks to fill in: one sheet a role, with drop-downs, allowed ranges and an example row."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from riskmap.i18n import Text, language, text
from riskmap.vocabulary.columns import unit_label
from riskmap.vocabulary.roles import coordinate_fields, unit_role

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from riskmap.vocabulary.roles import Field, Role

ROWS: Final = 2000
"""Rows that have drop-downs and checks."""
EXAMPLE_MARK: Final = "示例"
"""A row whose first cell says this is an example: the reader leaves it out and counts it."""
_LONGEST_LIST: Final = 255
_CREATED: Final = datetime(2000, 1, 1)
_YES_NO: Final = (text("Yes"), text("No"))
_TYPES: Final = {
    "text": text("text"),
    "integer": text("whole number"),
    "number": text("number"),
    "date": text("date"),
    "code": text("code, kept as text"),
    "phone": text("telephone"),
    "boolean": text("yes or no"),
    "choice": text("one of the list"),
}
_RULES: Final = (
    text("Fill in one sheet for each layer; leave a cell blank where the value is not known."),
    text("Columns marked * must be filled; a row without them is returned."),
    text("The first column is a serial number and no number of your own; put yours under Number."),
    text("A row whose first cell says 示例 is an example and is not read; delete it or leave it."),
    text("Coordinates: decimal degrees or degrees, minutes and seconds; say in the project file "
         "whether they are WGS-84, CGCS2000, GCJ-02 (Gaode, Tencent) or BD-09 (Baidu)."),
    text("The unit stands in the heading; another unit may be written there, such as (cm)."),
    text("12-digit division codes must be text, or Excel will change their last digits."),
    text("Lines and areas are drawn in a GIS; use these headings for their attributes."),
)  # fmt: skip


_UNIT_RULES: Final = (
    text("Villages: one row each, with its town, its people and one point inside it, such as the "
         "village office. Without boundaries their areas are sketches: the land nearest to each "
         "point."),
    text("Sheets that stay blank are taken as not given; nothing is wrong with them."),
    text("Towns: names as the villages' sheet writes them; the other sheets offer them as a list."),
)  # fmt: skip


def write_template(
    roles: Sequence[Role], path: Path, *, lang: str = "zh", units: bool = False
) -> None:
    """Write a workbook to fill in.

    Parameters
    ----------
    roles
        Roles, one sheet each, in this order; the last sheet explains every column.
    path
        File to write.
    lang
        Language of headings and lists, ``zh`` or ``en``; the reader understands both.
    units
        Whether sheets of villages and towns come first, for a place without boundaries.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from riskmap.vocabulary.roles import load_roles
    >>> with TemporaryDirectory() as folder:
    ...     write_template([load_roles()["flood_point"]], Path(folder) / "t.xlsx")
    ...     (Path(folder) / "t.xlsx").stat().st_size > 4000
    True
    """
    import xlsxwriter

    options = dict.fromkeys(("strings_to_formulas", "strings_to_numbers", "strings_to_urls"), False)
    with language(lang), xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": _CREATED, "title": str(text("Layers to fill in"))})
        formats = _formats(book)
        lists: list[list[str]] = []
        sheets = [role for role in roles if role.kind == "vector"]
        if units:
            sheets = [unit_role("village"), unit_role("town"), *sheets]
        towns = _town_names() if units else ""
        for role in sheets:
            _role_sheet(book, role, formats, lists, towns=towns)
        _guide_sheet(book, sheets, formats, units=units)
        if lists:
            _list_sheet(book, lists)


def _town_names() -> str:
    """Give the cells of the towns' sheet that hold their names, as a drop-down's source."""
    role = unit_role("town")
    column = _letters(1 + [field.name for field in template_fields(role)].index("name"))
    return f"='{sheet_name(role)}'!${column}$3:${column}${ROWS + 1}"


def template_fields(role: Role) -> tuple[Field, ...]:
    """Return the columns of a role's sheet: its fields, with longitude and latitude for points.

    Parameters
    ----------
    role
        The role.

    Returns
    -------
    tuple of Field
        Columns after the serial number.

    Examples
    --------
    >>> from riskmap.vocabulary.roles import load_roles
    >>> [field.name for field in template_fields(load_roles()["loudspeaker"])][:4]
    ['number', 'name', 'lon', 'lat']
    """
    fields = [field for field in role.fields if field.name != "demo"]
    if role.geometry not in ("point", "any"):
        return tuple(fields)
    place = sum(field.name in ("number", "name") for field in fields)
    degrees = [field for field in coordinate_fields() if field.name in ("lon", "lat")]
    return (*fields[:place], *degrees, *fields[place:])


def _formats(book: Any) -> dict[str, Any]:
    base = {"font_name": "Microsoft YaHei", "font_size": 10, "valign": "vcenter"}
    head = {**base, "bold": True, "border": 1, "text_wrap": True, "align": "center"}
    return {
        "head": book.add_format({**head, "bg_color": "#1f3a5f", "font_color": "#ffffff"}),
        "required": book.add_format({**head, "bg_color": "#a30f1a", "font_color": "#ffffff"}),
        "example": book.add_format({**base, "italic": True, "font_color": "#6b7280"}),
        "text": book.add_format({**base, "num_format": "@"}),
        "plain": book.add_format(base),
        "date": book.add_format({**base, "num_format": "yyyy-mm-dd"}),
        "wrap": book.add_format({**base, "text_wrap": True, "valign": "top"}),
        "title": book.add_format({**base, "bold": True, "font_size": 14}),
    }


def heading(field: Field) -> str:
    """Return a column's heading, with its unit and a star where it must be filled.

    Parameters
    ----------
    field
        The field.

    Returns
    -------
    str
        Such as ``积水深度(米)``, in the current language.

    Examples
    --------
    >>> from riskmap.vocabulary.roles import load_roles
    >>> heading(load_roles()["flood_point"].field("depth_m"))
    '积水深度(米)'
    """
    unit = "" if field.name in ("lon", "lat") else str(unit_label(field.unit))
    star = "*" if field.required else ""
    return f"{star}{field.label}" + (f"({unit})" if unit else "")


def sheet_name(role: Role) -> str:
    """Return the name of a role's sheet in the current language.

    Parameters
    ----------
    role
        The role.

    Returns
    -------
    str
        As Excel allows it.

    Examples
    --------
    >>> from riskmap.vocabulary.roles import load_roles
    >>> sheet_name(load_roles()["refuge"])
    '避难场所'
    """
    return _sheet_name(str(role.label))


def _role_sheet(
    book: Any, role: Role, formats: dict[str, Any], lists: list[list[str]], *, towns: str = ""
) -> None:
    sheet = book.add_worksheet(sheet_name(role))
    sheet.freeze_panes(1, 1)
    sheet.set_row(0, 34)
    sheet.set_column(0, 0, 7, formats["plain"])
    sheet.write_string(0, 0, str(text("Serial no.")), formats["head"])
    sheet.write_string(1, 0, EXAMPLE_MARK, formats["example"])
    for place, field in enumerate(template_fields(role), start=1):
        title = heading(field)
        wide = min(max(2 * len(title) if not title.isascii() else len(title), 10), 30)
        kind = {"date": "date", "code": "text", "phone": "text"}.get(field.type, "plain")
        sheet.set_column(place, place, wide + 2, formats[kind])
        head = formats["required" if field.required else "head"]
        sheet.write_string(0, place, title, head)
        sheet.write_comment(0, place, _hint(field), {"x_scale": 1.6})
        if shown := _example(role, field):
            sheet.write_string(1, place, shown, formats["example"])
        rule = _validation(field, lists)
        if towns and field.name == "town":
            rule = {"validate": "list", "source": towns, "show_error": False}
        if rule:
            sheet.data_validation(1, place, ROWS, place, rule)


def _sheet_name(name: str) -> str:
    return re.sub(r"[\[\]:*?/\\]", " ", name).strip("' ")[:31]


def options_of(field: Field) -> list[str]:
    """Return the entries of a field's drop-down in the current language.

    Parameters
    ----------
    field
        The field.

    Returns
    -------
    list of str
        Empty when the field is free.

    Examples
    --------
    >>> from riskmap.vocabulary.roles import load_roles
    >>> options_of(load_roles()["flood_point"].field("class"))
    ['区域', '部位', '积水点']
    """
    if field.type == "boolean":
        return [str(word) for word in _YES_NO]
    return [str(choice.label) for choice in field.choices]


def _range(field: Field) -> tuple[float, float] | None:
    if field.type not in ("integer", "number") or (field.minimum is None and field.maximum is None):
        return None
    low = -1e12 if field.minimum is None else field.minimum
    return low, 1e12 if field.maximum is None else field.maximum


def _validation(field: Field, lists: list[list[str]]) -> dict[str, Any] | None:
    """Make the check of a column: a drop-down, a range or a date."""
    wrong = {"error_title": str(field.label)[:32], "error_message": _hint(field)[:255]}
    if options := options_of(field):
        inline = len(",".join(options)) <= _LONGEST_LIST and not any("," in o for o in options)
        if inline:
            return {"validate": "list", "source": options, **wrong}
        lists.append(options)
        column = _letters(len(lists) - 1)
        source = f"='{_sheet_name(str(text('Lists')))}'!${column}$1:${column}${len(options)}"
        return {"validate": "list", "source": source, **wrong}
    if limits := _range(field):
        kind = "integer" if field.type == "integer" else "decimal"
        between = {"criteria": "between", "minimum": limits[0], "maximum": limits[1]}
        return {"validate": kind, "error_type": "warning", **between, **wrong}
    return None


def _letters(column: int) -> str:
    return chr(ord("A") + column) if column < 26 else f"A{chr(ord('A') + column - 26)}"


def _hint(field: Field) -> str:
    """Say what may stand in a column."""
    parts: list[Text | str] = [_TYPES[field.type]]
    if field.required:
        parts.append(text("must be filled"))
    if options := options_of(field):
        parts.append(text("one of: {options}", options="、".join(options)))
    if limits := _range(field):
        low, high = (f"{limit:.10g}" for limit in limits)
        unit = unit_label(field.unit)
        parts.append(text("from {low} to {high} {unit}", low=low, high=high, unit=unit))
    if field.standard:
        parts.append(field.standard)
    if field.sensitivity != "public":
        parts.append(text("not in the public edition"))
    return str(text("; ")).join(str(part) for part in parts)


def _example(role: Role, field: Field) -> str:
    if field.example:
        return field.example
    if field.name == "name":
        return EXAMPLE_MARK + str(role.label)
    if field.name == "number":
        return f"{role.id_prefix}001" if role.id_prefix else ""
    options = options_of(field)
    return options[0] if options else ""


def _guide_sheet(
    book: Any, roles: Sequence[Role], formats: dict[str, Any], *, units: bool = False
) -> None:
    sheet = book.add_worksheet(_sheet_name(str(text("How to fill in"))))
    sheet.set_column(0, 1, 22, formats["wrap"])
    sheet.set_column(2, 2, 60, formats["wrap"])
    sheet.set_column(3, 3, 60, formats["wrap"])
    sheet.write_string(0, 0, str(text("How to fill in")), formats["title"])
    row = 1
    for number, rule in enumerate((*_RULES, *(_UNIT_RULES if units else ())), start=1):
        sheet.merge_range(row, 0, row, 3, "", formats["wrap"])
        sheet.write_string(row, 0, f"{number}. {rule}", formats["wrap"])
        sheet.set_row(row, 30)
        row += 1
    row += 1
    heads = (text("Layer"), text("Column"), text("What may stand there"), text("Also understood"))
    for place, head in enumerate(heads):
        sheet.write_string(row, place, str(head), formats["head"])
    for role in roles:
        for field in template_fields(role):
            row += 1
            also = "、".join(field.aliases)
            cells = (str(role.label), heading(field), _hint(field), also)
            for place, cell in enumerate(cells):
                sheet.write_string(row, place, cell, formats["wrap"])


def _list_sheet(book: Any, lists: Sequence[Sequence[str]]) -> None:
    sheet = book.add_worksheet(_sheet_name(str(text("Lists"))))
    sheet.hide()
    for place, options in enumerate(lists):
        for row, option in enumerate(options):
            sheet.write_string(row, place, option)
