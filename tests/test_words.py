"""An office's own words for headings and choices: kept once, read so from then on."""

import pytest
import yaml

from riskmap.cli.commands import check_project
from riskmap.errors import ProjectError
from riskmap.i18n import language
from riskmap.project.words import Words, keep_words, read_words, with_words, words_file
from riskmap.vocabulary.roles import load_roles, match_choice, match_header
from tests import town

CSV = "名称,经度,纬度,站点等级说明,级别,最深处(cm)\n县站,{lon},{lat},x,{level},45\n"


def make(folder, level="二级消防站"):
    path = town.write(folder)
    point = town.at(10, 10)
    (folder / "s.csv").write_text(
        CSV.format(lon=point.x, lat=point.y, level=level), encoding="utf-8"
    )
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    raw["layers"]["rescue_station"] = {"path": "s.csv", "crs": town.CRS}
    path.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    return path


def checked(path, *, keep=False):
    with language("zh"):
        return check_project(path, out=None, lang=None, allow_outside=False, keep=keep)


def test_what_was_read_by_likeness_is_kept_and_known_from_then_on(tmp_path):
    path = make(tmp_path)
    first = checked(path)
    assert any("二级消防站" in line for line in first["notes"])
    assert not words_file(path).exists()
    kept = checked(path, keep=True)
    assert kept["kept"] == 1
    words = read_words(words_file(path), load_roles())
    assert [*words.choices["rescue_station"].values()] == [{"二级消防站": "second"}]
    again = checked(path)
    assert not any("二级消防站" in line for line in again["notes"])
    assert checked(path, keep=True)["kept"] == 0
    assert "站点等级说明" in words_file(path).read_text(encoding="utf-8")


def test_words_go_before_every_other_meaning():
    roles = load_roles()
    words = Words(
        {"flood_point": {"最深处": "depth_m", "位置": "name"}},
        {"refuge": {"tier": {"大点": "county", "乡镇": "village"}}},
    )
    told = with_words(roles, words)
    assert match_header(told["flood_point"], "最深处（cm）")[0].name == "depth_m"
    assert match_header(told["flood_point"], "位置")[0].name == "name"
    assert match_choice(told["refuge"].field("tier"), "大点") == "county"
    assert match_choice(told["refuge"].field("tier"), "乡镇") == "village"
    assert match_choice(roles["refuge"].field("tier"), "乡镇") == "town"


@pytest.mark.parametrize(
    "content",
    [
        "headers: {no_role: {a: name}}",
        "headers: {refuge: {a: no_field}}",
        "choices: {refuge: {tier: {a: no_choice}}}",
        "choices: {refuge: {no_field: {a: b}}}",
        "headers: [1, 2]",
        "a: b: c",
        "headers: 7",
    ],
)
def test_a_wrong_list_is_refused_by_name_and_the_layers_are_checked(tmp_path, content):
    path = make(tmp_path)
    words_file(path).write_text(content, encoding="utf-8")
    with pytest.raises(ProjectError):
        read_words(words_file(path), load_roles())
    found = checked(path)
    assert any("words.yaml" in line for line in found["unusable"])
    assert found["layers"]["flood_point"]["rows_used"] == 3


def test_a_missing_or_blank_list_holds_no_words(tmp_path):
    assert read_words(tmp_path / "no.words.yaml", load_roles()) == Words()
    (tmp_path / "p.words.yaml").write_text("", encoding="utf-8")
    assert read_words(tmp_path / "p.words.yaml", load_roles()) == Words()
    assert keep_words(tmp_path / "q.words.yaml", [], load_roles()) == 0
    assert not (tmp_path / "q.words.yaml").exists()
