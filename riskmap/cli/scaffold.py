"""A new project folder: a project file and workbooks to fill in."""

from __future__ import annotations

import json
from pathlib import Path

from riskmap.errors import UsageError
from riskmap.i18n import text

ROLES = (
    "flood_point",
    "hazard_source",
    "geohazard_point",
    "refuge",
    "rescue_station",
    "rescue_team",
    "supply_depot",
)
"""Roles of the workbook that a new project starts with."""


def scaffold(folder: Path, *, place: str, lang: str) -> list[str]:
    """Make a project folder.

    Parameters
    ----------
    folder
        Folder to make; it must not exist, or be empty.
    place
        Administrative code, may be empty.
    lang
        Language of the workbook.

    Returns
    -------
    list
        The files made.

    Raises
    ------
    UsageError
        When the folder holds something, or the code is not 6 to 12 digits.
    """
    from riskmap.layers.template import write_template
    from riskmap.vocabulary.roles import load_roles

    if place and not (place.isdigit() and len(place) in {6, 9, 12}):
        raise UsageError(text("--place {code}: give 6, 9 or 12 digits", code=place))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(text("{folder} is not empty; name a new folder", folder=folder))
    (folder / "layers").mkdir(parents=True)
    known = load_roles()
    book = folder / "layers" / str(text("ledgers.xlsx"))
    write_template([known[role] for role in ROLES], book, lang=lang)
    project = folder / "project.yaml"
    project.write_text(
        _project_text(folder.resolve().name, place, book.name), encoding="utf-8", newline="\n"
    )
    (folder / "riskmap.root").write_text("", encoding="utf-8")
    return [str(project), str(book), str(folder / "riskmap.root")]


def _project_text(name: str, place: str, book: str) -> str:
    """Write the project file with the workbook's sheets in place and the rest to be named."""
    from riskmap.vocabulary.roles import load_roles

    known = load_roles()
    quoted = json.dumps(name, ensure_ascii=False)
    sheets = "\n".join(
        f"  {role}: {{path: layers/{book}, sheet: {known[role].label}}}" for role in ROLES
    )
    lines = {
        "name": text("Title of the papers"),
        "units": text("Outlines of units: GeoJSON, GeoPackage or shapefile; name its columns"),
        "grid": text("Side of a grid cell in metres: 100 to 500 for a district"),
        "layers": text("Fill in the workbook; layers that you do not have may stay away"),
        "more": text("Further layers, when there are any"),
        "date": text("Date of the data; the only date that is printed"),
    }
    return f"""# {lines["name"]}
name: {quoted}
place: {{code: "{place}", name: {quoted}}}
# {lines["date"]}
data_date: ""
# {lines["units"]}
units: {{path: layers/units.geojson, code: code, name: name, parent: parent, level: village}}
# {lines["grid"]}
grid: {{shape: square, size_m: 250}}
# {lines["layers"]}
layers:
{sheets}
# {lines["more"]}
#  road: {{path: layers/roads.gpkg}}
#  waterway: {{path: layers/waterways.gpkg}}
#  dem: {{path: layers/dem.tif}}
#  population: {{path: layers/population.xlsx}}
indicators: flood_season
outputs: {{dir: outputs, lang: zh, profile: internal}}
"""
