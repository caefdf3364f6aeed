"""The project file: every problem at once, with its key and how to mend it."""

import pytest
import yaml

from riskmap.errors import ProjectError
from riskmap.files import parse_yaml
from riskmap.formats import side_files
from riskmap.i18n import language
from riskmap.project.schema import (
    LayerSource,
    Project,
    ScenarioSource,
    _section_of,
    load_project,
    project_root,
)


def write(folder, content):
    path = folder / "p.yaml"
    text = content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
    return path


GOOD = {"name": "x", "units": {"path": "u.geojson"}}


def refused(folder, content):
    with pytest.raises(ProjectError) as caught, language("en"):
        load_project(write(folder, content))
    with language("en"):
        return str(caught.value)


def test_short_and_long_forms_of_sources(tmp_path):
    short = load_project(write(tmp_path, GOOD | {"layers": {"road": {"path": "a.gpkg"}}}))
    long = load_project(write(tmp_path, GOOD | {"layers": {"road": [{"path": "a.gpkg"}]}}))
    assert short.layers == long.layers
    assert short.layer_specs("road")[0].path == tmp_path / "a.gpkg"
    assert short.layer_specs("road")[0].shown == "a.gpkg"


def test_a_code_written_without_quotes_is_text(tmp_path):
    project = load_project(
        write(tmp_path, "name: x\nplace: {code: 370100}\nunits: {path: u.shp}\n")
    )
    assert project.place.code == "370100"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"grid": {"size": 100}}, ["grid.size", "did you mean 'size_m'"]),
        ({"gird": {}}, ["gird", "did you mean 'grid'"]),
        ({"grid": {"size_m": -5}}, ["grid.size_m", "-5"]),
        ({"layers": {"roads": {"path": "a"}}}, ["layers.roads", "did you mean 'road'"]),
        ({"layers": {"road": {"pth": "a"}}}, ["pth", "did you mean 'path'"]),
        ({"units": []}, ["units"]),
        ({"outputs": {"lang": "fr"}}, ["outputs.lang", "fr"]),
        ({"data_date": "soon"}, ["data_date"]),
        ({"presets": {"flood.level_depth": 1}}, ["presets.flood.level_depth", "did you mean"]),
        ({"layers": {"road": {"path": "../../etc/passwd"}}}, ["layers.road.0.path", "leaves"]),
        ({"scenarios": [{"name": "a"}, {"name": "a"}]}, ["scenarios.1.name", "twice"]),
    ],
)
def test_what_is_wrong_is_named(tmp_path, change, said):
    shown = refused(tmp_path, GOOD | change)
    for words in said:
        assert words in shown


def test_all_problems_at_once(tmp_path):
    shown = refused(tmp_path, {"units": {"path": "u"}, "grid": {"size_m": 0}, "color": 1})
    assert "3 problem(s)" in shown


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name: [", "not valid YAML"),
        ("- a\n- b\n", "holds no keys"),
        ("name: a\nname: b\nunits: {path: u}\n", "key given twice"),
    ],
)
def test_files_that_are_no_project(tmp_path, content, said):
    assert said in refused(tmp_path, content)


def test_a_file_in_gbk_is_refused_with_a_hint(tmp_path):
    (tmp_path / "p.yaml").write_bytes("name: 济南\n".encode("gbk"))
    with pytest.raises(ProjectError), language("en"):
        load_project(tmp_path / "p.yaml")


def test_missing_file(tmp_path):
    with pytest.raises(ProjectError):
        load_project(tmp_path / "none.yaml")


def test_the_tree_is_marked_and_paths_may_leave_it_only_when_asked(tmp_path):
    (tmp_path / "riskmap.root").touch()
    inner = tmp_path / "configs"
    inner.mkdir()
    path = write(inner, GOOD | {"units": {"path": "../layers/u.geojson"}})
    assert project_root(path) == tmp_path
    load_project(path)
    out = write(inner, GOOD | {"units": {"path": "../../u.geojson"}})
    with pytest.raises(ProjectError):
        load_project(out)
    load_project(out, allow_outside=True)


@pytest.mark.posix
def test_a_link_out_of_the_tree_is_refused(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "riskmap.root").touch()
    (tmp_path / "secret.geojson").write_text("{}")
    (tree / "u.geojson").symlink_to(tmp_path / "secret.geojson")
    with pytest.raises(ProjectError):
        load_project(write(tree, GOOD))


def test_every_key_is_documented():
    """The reference of keys in docs/project-file.md names each one."""
    from pathlib import Path

    from riskmap.project import schema as sections
    from riskmap.project.schema import Project

    page = (Path(__file__).parents[1] / "docs" / "project-file.md").read_text(encoding="utf-8")
    classes = [c for c in vars(sections).values() if isinstance(c, type)]
    for section in [*classes, Project]:
        for key, field in getattr(section, "model_fields", {}).items():
            if not field.exclude:
                assert f"`{key}`" in page, key


ODD = [7, -1, 1.5, float("nan"), "x" * 400, "", True, None, [], [1], {}, {"a": 1}]


INNER = {
    "place": {}, "units": {"path": "u"}, "grid": {}, "index": {}, "outputs": {},
}  # fmt: skip


def fields_and_values():
    for value in ODD:
        yield from ({key: value} for key in Project.model_fields)
        for key, base in INNER.items():
            section = _section_of(Project.model_fields[key].annotation)
            yield from ({key: base | {inner: value}} for inner in section.model_fields)
        for inner in ScenarioSource.model_fields:
            yield {"scenarios": [{"name": "a"} | {inner: value}]}
        for inner in LayerSource.model_fields:
            yield {"layers": {"road": {"path": "a"} | {inner: value}}}


def test_what_is_wrong_is_said_in_chinese_whatever_the_key(tmp_path):
    english = []
    for change in fields_and_values():
        try:
            load_project(write(tmp_path, GOOD | change))
        except ProjectError as error:
            with language("zh"):
                shown = str(error)
            english += [(change, line) for line in shown.splitlines() if "值不合" in line]
    assert english == []


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("a: 1\nb: 2026-13-01\n", 2),
        ("x: 1\n\na: " + "[" * 500 + "]" * 500, 3),
        ("a: 1\nb: *nowhere\n", 2),
        ("a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"a{i}: &a{i} [{', '.join([f'*a{i - 1}' if i else '*a'] * 10)}]\n" for i in range(9)), 6),
        ("a: 1\nb: 2\nc: " + "9" * 5000, 3),
    ],
    ids=["date", "depth", "alias", "aliases", "digits"],
)  # fmt: skip
def test_yaml_that_is_refused_names_its_line(content, line):
    with pytest.raises(yaml.MarkedYAMLError) as found:
        parse_yaml(content)
    assert found.value.problem_mark.line + 1 == line


@pytest.mark.posix
def test_the_longest_name_of_a_file_leaves_no_room_for_its_neighbours(tmp_path):
    """255 bytes are a name's limit: ``.aux.xml`` behind it is a name that cannot be."""
    path = tmp_path / ("9" * 251 + ".tif")
    path.write_bytes(b"")
    assert side_files(path) == [path]
