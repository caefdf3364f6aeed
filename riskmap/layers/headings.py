"""Which column of a file holds which field of a role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskmap.i18n import text
from riskmap.layers.datum_words import preference, split_datum
from riskmap.layers.findings import Findings, unusable
from riskmap.roles.load import match_header
from riskmap.roles.parse import coordinate_fields

if TYPE_CHECKING:
    from riskmap.layers.types import LayerSpec
    from riskmap.roles.load import Role
    from riskmap.roles.types import Field


def match_columns(
    role: Role, columns: list[str], spec: LayerSpec, findings: Findings, *, osm: bool = False
) -> dict[str, tuple[str, str | None]]:
    """Find the column, and the unit its header names, for each field.

    Parameters
    ----------
    role
        The role.
    columns
        Headers of the file.
    spec
        Holds the columns that the project file names itself.
    findings
        Takes what is to be said.
    osm
        True for OSM tags, of which most are never used and not worth a note.

    Returns
    -------
    dict
        Field name, coordinate fields included, to column and unit.

    Raises
    ------
    LayerError
        When the project file names a column that the file does not have.
    """
    found: dict[str, tuple[str, str | None]] = {}
    lower = {column.casefold().strip(): column for column in columns}
    for name, chosen in spec.fields.items():
        column = chosen.column if chosen.column in columns else lower.get(chosen.column.casefold())
        if column is None:
            raise unusable(
                "unknown_column",
                text(
                    "there is no column {column} for the field {field}",
                    column=chosen.column,
                    field=name,
                ),
                text("the columns are: {columns}", columns=", ".join(columns)),
            )
        found[name] = (column, chosen.unit)
    used = {column for column, _ in found.values()}
    ranked: dict[str, list[tuple[tuple[bool, int], str, str | None]]] = {}
    for column in columns:
        field, unit = match_heading(role, column) if column not in used else (None, None)
        if field is not None and field.name not in found and field.name not in spec.constants:
            ranked.setdefault(field.name, []).append(
                ((column.casefold() != field.name, preference(column, spec)), column, unit)
            )
    for name, entries in ranked.items():
        entries.sort(key=lambda entry: entry[0])
        found[name] = entries[0][1:]
    if not osm:
        _say_unused(columns, found, findings)
    return found


def match_heading(role: Role, column: str) -> tuple[Field | None, str | None]:
    """Find the field that a header means; the header of a coordinate may name its datum.

    Parameters
    ----------
    role
        The role.
    column
        The header.

    Returns
    -------
    tuple of (Field or None) and (str or None)
        The field, and the unit that the header names.

    Examples
    --------
    >>> from riskmap.roles.load import load_roles
    >>> match_heading(load_roles()["refuge"], "lon_gcj02")[0].name
    'lon'
    """
    field, unit = match_header(role, column)
    bare, datum = split_datum(column)
    if field is not None or datum is None:
        return field, unit
    field, unit = match_header(role, bare)
    if field is not None and field.name in {known.name for known in coordinate_fields()}:
        return field, unit
    return None, None


def _say_unused(
    columns: list[str], found: dict[str, tuple[str, str | None]], findings: Findings
) -> None:
    """Name the columns of an office's table that no field took."""
    used = {column for column, _ in found.values()}
    serial = ("序号", "no", "no.", "fid", "id")
    unused = [
        c for c in columns if c not in used and c.casefold() not in serial and not c.startswith("[")
    ]
    if unused:
        findings.note(
            "unused_columns",
            text(
                "columns that the role does not know were not used: {columns}",
                columns=", ".join(unused),
            ),
            text("name them under fields: in the project file if they are wanted"),
        )
