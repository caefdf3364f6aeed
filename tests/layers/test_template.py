import openpyxl
import pytest

from riskmap.i18n import language
from riskmap.layers.layer import LayerSpec
from riskmap.layers.read.layer import read_layer
from riskmap.layers.template import ROWS, template_fields, write_template
from riskmap.vocabulary.roles import load_roles, match_choice, match_header

ROLES = load_roles()
VECTOR = [role for role in ROLES.values() if role.kind == "vector"]


@pytest.fixture(scope="module", params=["zh", "en"])
def book(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "all.xlsx"
    write_template(list(ROLES.values()), path, lang=request.param)
    with language(request.param):
        yield openpyxl.load_workbook(path)


def sheet_of(book, role):
    return book[str(role.label)]


def test_one_sheet_a_role_and_the_guide_last(book):
    visible = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
    assert visible[:-1] == [str(role.label) for role in VECTOR]
    guide = book[visible[-1]]
    text = "\n".join(str(cell.value) for row in guide.iter_rows() for cell in row if cell.value)
    assert all(str(role.label) in text for role in VECTOR)


@pytest.mark.parametrize("role", VECTOR, ids=lambda role: role.name)
def test_every_heading_is_understood_by_the_reader(book, role):
    sheet = sheet_of(book, role)
    headings = [cell.value for cell in sheet[1]]
    fields = template_fields(role)
    assert match_header(role, headings[0])[0] is None
    for heading, field in zip(headings[1:], fields, strict=True):
        found, unit = match_header(role, heading)
        assert found is not None, heading
        assert found.name == field.name
        assert unit in (field.unit, None)
        assert heading.startswith("*") == field.required


@pytest.mark.parametrize("role", VECTOR, ids=lambda role: role.name)
def test_every_drop_down_holds_the_choices_and_they_are_understood(book, role):
    sheet = sheet_of(book, role)
    lists = {
        str(area): rule.formula1
        for rule in sheet.data_validations.dataValidation
        if rule.type == "list"
        for area in rule.sqref.ranges
    }
    for column, field in enumerate(template_fields(role), start=2):
        letter = openpyxl.utils.get_column_letter(column)
        formula = lists.get(f"{letter}2:{letter}{ROWS + 1}")
        assert (formula is not None) == bool(field.choices or field.type == "boolean")
        if field.choices and formula.startswith('"'):
            shown = formula.strip('"').split(",")
            assert [match_choice(field, entry) for entry in shown] == [
                choice.value for choice in field.choices
            ]


def test_ranges_are_checked_and_said(book):
    sheet = sheet_of(book, ROLES["flood_point"])
    rules = {
        rule.type: rule for rule in sheet.data_validations.dataValidation if rule.type != "list"
    }
    assert set(rules) == {"decimal", "whole"}
    place = [field.name for field in template_fields(ROLES["flood_point"])].index("depth_m") + 2
    comment = sheet.cell(1, place).comment.text
    assert "0" in comment
    assert "10" in comment


@pytest.mark.parametrize("role", VECTOR, ids=lambda role: role.name)
def test_the_example_row_is_marked_and_fits_the_rules(book, role):
    sheet = sheet_of(book, role)
    assert sheet["A2"].value == "示例"
    assert sheet.max_row == 2
    for cell, field in zip(sheet[2][1:], template_fields(role), strict=True):
        if cell.value is None:
            continue
        assert cell.data_type == "s"
        if field.choices:
            assert match_choice(field, cell.value) is not None
        if field.type in ("integer", "number"):
            number = float(cell.value)
            assert field.minimum is None or field.minimum <= number <= field.maximum


def test_codes_and_phones_are_text(book):
    sheet = sheet_of(book, ROLES["sensitive"])
    place = [field.name for field in template_fields(ROLES["sensitive"])].index("number") + 2
    letter = openpyxl.utils.get_column_letter(place)
    assert sheet.column_dimensions[letter].number_format == "@"


def test_hostile_own_role_makes_no_formula_and_long_lists_go_to_their_own_sheet(tmp_path):
    many = "\n".join(f'      c{i}: ["=选项,{i}", "=option {i}"]' for i in range(60))
    (tmp_path / "bad.yaml").write_text(
        "name: bad\nzh: 'a/b:[c]*?'\nen: Bad\n"
        f"fields:\n  kind:\n    zh: '=1+1'\n    en: Kind\n    choices:\n{many}\n",
        encoding="utf-8",
    )
    role = load_roles(tmp_path)["bad"]
    write_template([role], tmp_path / "t.xlsx")
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    cells = [
        cell
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    ]
    assert {cell.data_type for cell in cells} == {"s"}
    hidden = [sheet for sheet in book if sheet.sheet_state == "hidden"]
    assert [cell.value for cell in hidden[0]["A"]] == [
        choice.zh for choice in role.fields[0].choices
    ]


def test_same_bytes_twice(tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        write_template([ROLES["refuge"], ROLES["flood_point"]], tmp_path / name)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_a_filled_template_is_read_back_without_its_examples(tmp_path):
    path = tmp_path / "t.xlsx"
    write_template([ROLES["refuge"], ROLES["flood_point"]], path)
    book = openpyxl.load_workbook(path)
    sheet = book[ROLES["flood_point"].zh]
    column = {
        field.name: place for place, field in enumerate(template_fields(ROLES["flood_point"]), 2)
    }
    told = {"name": "甲路口", "lon": 118.3083, "lat": 36.8271, "class": "积水点", "depth_m": 0.4}
    for name, value in {**told, "underpass": "是"}.items():
        sheet.cell(3, column[name], value)
    book.save(path)
    layer, problems = read_layer(
        ROLES["flood_point"],
        [LayerSpec(path=path, shown="t.xlsx")],
        crs="EPSG:4548",
        place=None,
    )
    assert (layer.rows_in, layer.rows_used, layer.rows_returned) == (1, 1, 0)
    row = layer.table.iloc[0]
    assert (row["name"], row["class"], row["depth_m"], bool(row["underpass"])) == (
        "甲路口",
        "ponding",
        0.4,
        True,
    )
    assert any("example" in problem.rule for problem in problems)
