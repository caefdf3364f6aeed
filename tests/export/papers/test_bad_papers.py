"""Papers of places that lack what papers usually show, and of names that break typesetters."""

import time
from dataclasses import replace

import docx
import geopandas as gpd
import pandas as pd
import pytest
import yaml

from riskmap import pipeline
from riskmap.export import bundle
from riskmap.export.papers import assessment, leaves
from riskmap.export.papers.document import layout, write_docx
from riskmap.export.papers.typeset import write_pdf
from riskmap.export.verify import verify
from riskmap.project.schema import load_project
from tests import town
from tests.sample import sample_result

RARE = "碶头鄮县㙟村"
LONG = "很" * 38 + "长村"
MARKUP = "#set page $x$ <b>{{题名}}"


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Run a town without roads and refuges, with names nobody types and photos nobody has."""
    folder = tmp_path_factory.mktemp("bare")
    path = town.write(folder)
    units = gpd.read_file(folder / "units.gpkg")
    names = {"V00": RARE, "V10": LONG, "V30": MARKUP}
    units["name"] = [
        names.get(code, name) for code, name in zip(units["code"], units["name"], strict=True)
    ]
    units.to_file(folder / "units.gpkg")
    points = gpd.read_file(folder / "flood_point.gpkg")
    lost = points.assign(照片=["没有.jpg", r"C:\照片\1.jpg", "../../etc/passwd"])
    lost.to_file(folder / "flood_point.gpkg")
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    for role in ("road", "refuge"):
        del content["layers"][role]
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    result = pipeline.run(load_project(path))
    return result, bundle.write(result, folder / "out", papers=layout())


def test_a_place_without_roads_and_refuges_has_its_papers(bare):
    result, folder = bare
    assert verify(folder) == []
    assert len(result.items) == 3  # a photo that is not there takes no row away
    paper = docx.Document(str(folder / "一张单" / "研判单.docx"))
    shown = "\n".join(cell.text for t in paper.tables for row in t.rows for cell in row.cells)
    for unit in ("V00", "V10", "V30"):
        for item in result.items[result.items["unit_id"] == unit]["name"]:
            assert item in shown
    assert (folder / "一个指南" / "工作手册.pdf").is_file()
    assert not (folder / "一个指南" / "转移安置明白纸.pdf").exists()  # nobody can be sent anywhere


def test_long_rare_and_marked_names_stand_in_the_papers_as_they_are(bare):
    result, folder = bare
    names = {str(village) for village in result.items["village"]}
    assert MARKUP in names
    paper = docx.Document(str(folder / "一张单" / "研判单.docx"))
    shown = "\n".join(cell.text for t in paper.tables for row in t.rows for cell in row.cells)
    assert MARKUP in shown
    pages, _ = leaves.handbook_points(result)
    assert any(MARKUP in page["belongs"] for page in pages)


def test_three_thousand_items_in_one_village_are_all_on_the_paper(tmp_path, monkeypatch):
    monkeypatch.setattr(leaves, "qr_code", str)  # 15 s for 3000; test_guides.py reads the codes
    result = sample_result()
    many = pd.concat([result.items] * 200)
    many.index = pd.Index([f"X{n:05d}" for n in range(len(many))], name="item_id")
    many["rank"] = range(1, len(many) + 1)
    control = pd.concat([result.control] * 200)
    control.index = many.index
    crowd = replace(result, items=many, control=control)
    paper = assessment.assessment(crowd, layout())
    start = time.process_time()
    write_docx(paper, tmp_path / "a.docx", layout=layout())
    assert time.process_time() - start < 60
    assert len(paper.parts[-1].blocks[-1].rows) == len(many) == 3000
    assert len(leaves.cards(crowd)) == 3000
    assert sum(int(row[-1]) for row in _counts(paper)[:-1]) == 3000


def _counts(paper):
    found = [
        b for p in paper.parts for b in p.blocks if getattr(b, "caption", "") == "按镇街统计（项）"
    ]
    return found[0].rows


def test_nothing_listed_is_still_a_paper_to_sign(tmp_path):
    result = sample_result()
    empty = replace(result, items=result.items.iloc[:0], control=result.control.iloc[:0])
    for paper in (assessment.assessment(empty, layout()), assessment.control_paper(empty)):
        write_docx(paper, tmp_path / "a.docx", layout=layout())
        write_pdf(paper, tmp_path / "a.pdf", layout=layout())
    assert leaves.cards_pdf(empty, layout()) is None
    assert "风险事项共0项" in assessment.sentences(empty)[0]
