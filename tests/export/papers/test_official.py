"""Papers to sign: their figures are those of the tables, their form is that of the standard."""

import re
import zipfile
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree as ET

import docx
import numpy as np
import pandas as pd
import pytest
import yaml
from docx.enum.text import WD_ALIGN_PARAGRAPH
from pypdf import PdfReader

from riskmap.errors import ExportError, UsageError
from riskmap.export import bundle
from riskmap.export.papers import assessment, document
from riskmap.export.papers.document import (
    Break,
    Heading,
    Paper,
    Para,
    Part,
    Table,
    layout,
    template_file,
    write_docx,
)
from riskmap.export.papers.typeset import write_pdf
from riskmap.export.verify import verify
from riskmap.vocabulary.presets import load_presets
from tests.sample import CANARIES, sample_result

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Write the sample with papers, both editions."""
    base = tmp_path_factory.mktemp("papers")
    return {
        profile: bundle.write(sample_result(profile=profile), base / profile, papers=layout())
        for profile in ("internal", "public")
    }


def words_of(path):
    with zipfile.ZipFile(path) as file:
        return "".join(
            re.sub(r"<[^>]+>", "", file.read(name).decode("utf-8", "replace"))
            for name in file.namelist()
            if name.endswith(".xml")
        )


def test_the_sentences_count_the_rows_of_the_list():
    result = sample_result()
    levels = Counter(int(level) for level in result.items["level"].fillna(0))
    first, second, third = assessment.sentences(result)
    numbers = [int(n) for n in re.findall(r"\d+(?=项)", first)]
    counted = [levels[level] for level in (4, 3, 2, 1, 0)]
    assert numbers == [len(result.items), *(counted if counted[-1] else counted[:-1])]
    ungraded = replace(result, items=result.items.assign(level=0))
    told = assessment.sentences(ungraded)[0]
    assert f"另有{len(result.items)}项因关键信息缺失未能定级" in told
    classes = result.index["unit"].classes
    finest = result.units.index[result.units["level"] == "village"]
    assert f"重大的{int((classes[finest] == 4).sum())}个" in second
    assert "影响人口均未知" in third  # the sample says it of no item, and unknown is not none
    people = [12.0, None, 30.0] + [None] * (len(result.items) - 3)
    some = assessment.sentences(replace(result, items=result.items.assign(people=people)))[2]
    assert "累计42人次" in some
    assert f"另有{len(result.items) - 2}项人口未知" in some


@pytest.mark.parametrize("by", ["town", "role"])
def test_counts_by_town_and_kind_sum_to_the_list(by):
    items = sample_result().items
    table = assessment.cross(items, by)
    for name, row in table.iterrows():
        mine = items[items[by].fillna("").astype(str) == name]
        assert row["all"] == len(mine) == sum(row[level] for level in assessment.LEVELS)
        assert row[4] == int((mine["level"].fillna(0) == 4).sum())
    assert table["all"].sum() == len(items)
    assert list(table[4]) == sorted(table[4], reverse=True)  # most major items first


def test_the_list_of_the_paper_has_every_item_with_nine_point_type(folders):
    paper = docx.Document(str(folders["internal"] / "一张单" / "研判单.docx"))
    rows = paper.tables[-1].rows
    assert len(rows) == 1 + len(sample_result().items)
    style = next(s for s in paper.styles if s.name == "公文清单")
    assert style.font.size.pt >= 9
    assert rows[0].cells[0].text == "序号"
    assert [row.cells[0].text for row in rows[1:]] == [str(n + 1) for n in range(len(rows) - 1)]


def test_the_control_paper_has_every_row_and_room_to_check_and_sign_off(folders):
    paper = docx.Document(str(folders["internal"] / "一张表" / "管控表.docx"))
    rows = paper.tables[0].rows
    heads = [cell.text for cell in rows[0].cells]
    assert {"核查（抽查、复核）", "销号日期", "责任单位", "完成时限"} <= set(heads)
    assert len(rows) - 1 == len(sample_result().control)
    deadlines = [row.cells[heads.index("完成时限")].text for row in rows[1:]]
    assert deadlines == [str(day or "") for day in sample_result().control["deadline"]]


def test_the_form_is_that_of_gbt_9704(folders):
    paper = docx.Document(str(folders["internal"] / "一张单" / "研判单.docx"))
    section = paper.sections[0]
    sides = (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
    assert [round(side.mm) for side in sides] == [37, 35, 28, 26]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    pitch = int(section._sectPr.find(f"{W}docGrid").get(f"{W}linePitch"))
    assert (297 - 37 - 35) / 25.4 * 1440 // pitch == 22
    styles = {style.name: style for style in paper.styles}
    assert styles["公文正文"].font.size.pt == 16
    assert styles["公文标题"].font.size.pt == 22
    faces = [
        styles[f"公文{name}"].element.rPr.rFonts.get(f"{W}eastAsia")
        for name in ("标题", "一级标题", "二级标题", "正文")
    ]
    assert faces == ["方正小标宋简体", "黑体", "楷体_GB2312", "仿宋_GB2312"]
    body = styles["公文正文"].element
    closer = int(body.rPr.find(f"{W}spacing").get(f"{W}val")) / 20
    assert (210 - 28 - 26) / 25.4 * 72 // (16 + closer) == 28
    assert paper.settings.odd_and_even_pages_header_footer
    odd, even = section.footer.paragraphs[0], section.even_page_footer.paragraphs[0]
    assert odd.text.replace("1", "n").strip() == even.text.replace("1", "n").strip() == "— n —"
    assert [p._p.pPr.find(f"{W}jc").get(f"{W}val") for p in (odd, even)] == ["right", "left"]
    lying = paper.sections[1]
    assert lying.page_width > lying.page_height
    font_table = next(
        r.target_part.blob for r in paper.part.rels.values() if r.reltype.endswith("/fontTable")
    ).decode()
    assert "Noto Serif CJK SC" in font_table


def test_a_city_sets_its_own_margins_and_page_numbers(tmp_path):
    city = load_presets({"paper.margins_mm": {"top": 40}, "paper.page_number": "centre"})
    write_docx(
        Paper(title="题", parts=[Part([Para("文")])]), tmp_path / "a.docx", layout=layout(city)
    )
    paper = docx.Document(str(tmp_path / "a.docx"))
    assert round(paper.sections[0].top_margin.mm) == 40
    assert not paper.settings.odd_and_even_pages_header_footer


def number_edges(folder, layout):
    """Where the page numbers of three pages stand: share of the width left of their middle."""
    parts = [Part([Para(f"第{n}面"), Break()]) for n in range(3)]
    write_pdf(Paper(title="题", parts=parts), folder / "a.pdf", layout=layout)
    found = []
    for page in PdfReader(folder / "a.pdf").pages:
        at = []

        def see(said, outer, inner, *_, at=at):
            if said.strip():  # typst's pages hang from the top: inside the outer matrix
                x, y = (
                    outer[k] * inner[4] + outer[k + 2] * inner[5] + outer[k + 4] for k in (0, 1)
                )
                at.append((y, x))

        page.extract_text(visitor_text=see)
        found.append(min(at)[1] / float(page.mediabox.width))
    return found


@pytest.mark.parametrize(
    ("said", "wanted"), [("outer", "rlr"), ("centre", "ccc"), ("right_side", "rrr")]
)
def test_page_numbers_stand_where_the_office_has_them(tmp_path, said, wanted):
    # 20 lines of 25 characters, numbers on the right: a county's own rules for its papers
    own = layout(
        load_presets({"paper.page_number": said, "paper.grid": {"lines": 20, "characters": 25}})
    )
    edges = {"l": (0, 0.35), "c": (0.4, 0.55), "r": (0.65, 1)}
    for x, side in zip(number_edges(tmp_path, own), wanted, strict=True):
        assert edges[side][0] < x < edges[side][1]
    write_docx(Paper(title="题", parts=[Part([Para("文")])]), tmp_path / "a.docx", layout=own)
    paper = docx.Document(str(tmp_path / "a.docx"))
    odd = paper.sections[0].footer.paragraphs[0].alignment
    assert {"r": WD_ALIGN_PARAGRAPH.RIGHT, "c": WD_ALIGN_PARAGRAPH.CENTER}[wanted[0]] == odd
    assert paper.settings.odd_and_even_pages_header_footer == (said == "outer")


def test_a_row_higher_than_a_page_and_a_word_wider_than_its_column_are_whole(tmp_path):
    rows = [["甲", "起" + "理由很长，" * 1600 + "终了句"], ["W" * 90, "乙"]]
    table = Table(["事项", "理由"], rows, (1, 2), "ll", "表", size="list")
    write_pdf(Paper(title="题", parts=[Part([table])]), tmp_path / "a.pdf", layout=layout())
    pages = PdfReader(tmp_path / "a.pdf").pages
    said = re.sub(r"\s|—\d+—|\u200b", "", "".join(page.extract_text() for page in pages))
    assert len(pages) > 4  # what hangs below a page is in the file too, but on no paper
    assert said.count("理由很长，") >= 1600 - len(pages)  # a page may part one
    assert "终了句" in said
    assert said.count("W") == 90
    lines = pages[-1].extract_text().replace("\u200b", "").splitlines()
    assert sum("W" in line for line in lines) > 1  # it goes on below, not over its neighbour


def test_a_place_where_no_page_number_can_stand_is_refused():
    with pytest.raises(UsageError, match="right_side"):
        layout(load_presets({"paper.page_number": "left"}))


HOSTILE = [
    "#set text(red)", "$x^2$", "<w:t>", "{{题名}}", "{{ 7*7 }}", "{% for %}", "*_`@", "a\x00b\x0bc",
    "碶头鄮㙟", "𠮷野家", "&amp;", "很长的村名" * 8, "\u202eabc", '"]}\\', "=1+1",
]  # fmt: skip


def test_signs_of_typesetters_stand_as_they_are_and_break_nothing(tmp_path):
    blocks = [
        *(Para(name) for name in HOSTILE),
        Heading("{{正文}}"),
        Table(HOSTILE[:3], [HOSTILE[3:6]], caption="#"),
    ]
    paper = Paper(title="#题 {{单位}}", parts=[Part(blocks)], issued_by="<单位>")
    write_docx(paper, tmp_path / "a.docx", layout=layout())
    write_pdf(paper, tmp_path / "a.pdf", layout=layout())
    shown = [p.text for p in docx.Document(str(tmp_path / "a.docx")).paragraphs]
    assert "#题 {{单位}}" in shown
    for name in ("#set text(red)", "{{ 7*7 }}", "<w:t>", "碶头鄮㙟", "𠮷野家", "a b c", "=1+1"):
        assert name in shown
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")


def test_the_template_of_an_office_keeps_its_head_and_takes_the_paper(tmp_path):
    own = tmp_path / "own.docx"
    template_file(own, layout=layout())
    office = docx.Document(str(own))
    office.paragraphs[0].insert_paragraph_before("某某市防汛指挥部文件（{{单位}} {{日期}}）")
    office.styles["公文正文"].font.name = "KaiTi"
    office.save(str(own))
    paper = Paper(
        title="通知", parts=[Part([Heading("一事"), Para("正文一。")])], issued_by="防办",
        date="2026-03-01",
    )  # fmt: skip
    write_docx(paper, tmp_path / "a.docx", layout=layout(template=own))
    made = docx.Document(str(tmp_path / "a.docx"))
    shown = [p.text for p in made.paragraphs if p.text]
    assert shown[0] == "某某市防汛指挥部文件（防办 2026年3月1日）"
    assert shown[-2:] == ["一、一事", "正文一。"]
    assert not any("{{" in said for said in shown)
    assert made.styles["公文正文"].font.name == "KaiTi"
    (tmp_path / "bad.docx").write_text("no zip")
    with pytest.raises(ExportError, match="bad"):
        write_docx(paper, tmp_path / "b.docx", layout=layout(template=tmp_path / "bad.docx"))


def test_the_same_paper_has_the_same_bytes(tmp_path):
    paper = assessment.assessment(sample_result(), layout())
    for name in "ab":
        write_docx(paper, tmp_path / f"{name}.docx", layout=layout())
        write_pdf(paper, tmp_path / f"{name}.pdf", layout=layout())
    for kind in ("docx", "pdf"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


def test_papers_of_both_editions_verify_and_the_public_one_names_nobody(folders):
    for folder in folders.values():
        assert verify(folder) == []
    papers = [p for p in folders["public"].rglob("*") if p.suffix in (".docx", ".txt", ".html")]
    assert len(papers) > 5
    for path in papers:
        said = words_of(path) if path.suffix == ".docx" else path.read_text("utf-8", "replace")
        assert [canary for canary in CANARIES if canary in said] == [], path.name
    inside = words_of(folders["internal"] / "一张表" / "管控表.docx")
    assert CANARIES[0] in inside  # the internal edition does name who is on duty


def test_the_platform_leads_to_every_file_without_network(folders):
    from urllib.parse import unquote

    folder = folders["internal"]
    page = (folder / "index.html").read_text(encoding="utf-8")
    targets = {unquote(target) for target in re.findall(r'href="([^"]+)"', page)}
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    late = {"index.html", "manifest.json", "proof.json"}
    assert targets == there - late
    assert "http" not in page
    assert [
        name
        for name in ("一张图", "一张单", "一张表", "一个库", "一个指南", "一平台")
        if name not in page
    ] == []


def test_reminders_hold_what_is_due_in_each_quarter():
    result = sample_result()
    control = result.control.copy()
    days = ["2026-01-01", "2026-03-31", "2026-04-01", "2026-12-31", "2027-01-01"]
    control["deadline"] = [days[n % 5] for n in range(len(control))]
    dated = replace(result, control=control)
    found = dict(assessment.reminders(dated))
    months = Counter(str(day)[:7] for day in control["deadline"] if str(day) < "2027")
    quarters = Counter((int(month[5:]) + 2) // 3 for month in months.elements())
    for number, paper in enumerate(found.values(), start=1):
        first = paper.parts[0].blocks[0].text
        assert (f"到期的管控事项{quarters[number]}项" in first) == bool(quarters[number])


def test_notices_name_no_person_and_count_the_town():
    result = sample_result()
    found = assessment.notices(result)
    for district, town, name in assessment.towns_of(result):
        n = len(assessment.of_town(result.items, district, town))
        assert (f"风险事项{n}项" in found[name]) == (n > 0)
        assert not any(canary in found[name] for canary in CANARIES)


def test_wording_has_both_languages_with_the_same_words_in_braces():
    file = document.Path(document.__file__).with_name("wording.yaml")
    entries = yaml.safe_load(file.read_text(encoding="utf-8"))
    for section, names in entries.items():
        for name, entry in names.items():
            assert isinstance(name, str), (section, name)
            assert set(entry) == {"zh", "en"}, (section, name)
            braces = [sorted(re.findall(r"{(\w+)}", entry[code])) for code in ("zh", "en")]
            assert set(braces[0]) == set(braces[1]), (section, name)


def test_a_second_run_gives_every_file_of_the_folder_byte_by_byte(folders, tmp_path):
    again = bundle.write(sample_result(profile="public"), tmp_path / "again", papers=layout())
    bundle.write(sample_result(profile="public"), again, papers=layout())  # over an earlier one
    first = {p.relative_to(folders["public"]): p for p in folders["public"].rglob("*.*")}
    assert len(first) > 30
    assert [n for n, p in first.items() if p.read_bytes() != (again / n).read_bytes()] == []


def test_a_round_visits_every_place_of_the_town_once_the_nearest_next():
    result = sample_result()
    for name, paper in assessment.rounds(result):
        district, town = next((d, t) for d, t, n in assessment.towns_of(result) if n == name)
        items = assessment.of_town(result.items, district, town)
        rows = paper.parts[0].blocks[1].rows
        spots = sorted(
            f"{document.figure(lon, 5)}, {document.figure(lat, 5)}"
            for lon, lat in zip(items["lon"], items["lat"], strict=True)
        )
        assert sorted(row[4] for row in rows) == spots
        assert [row[0] for row in rows] == [str(n + 1) for n in range(len(items))]
    order, metres = assessment.visit_order(
        pd.Series([0.0, 0.3, 0.1, np.nan]), pd.Series([0.0, 0.0, 0.0, 0.0])
    )
    assert order == [0, 2, 1, 3]
    assert [round(m / 111_195, 3) for m in metres] == [0, 0.1, 0.2, 0]


ORDER = {
    "pPr": "pStyle keepNext keepLines pageBreakBefore framePr widowControl numPr "
    "suppressLineNumbers pBdr shd tabs suppressAutoHyphens kinsoku wordWrap "
    "overflowPunct topLinePunct autoSpaceDE autoSpaceDN bidi adjustRightInd "
    "snapToGrid spacing ind contextualSpacing mirrorIndents suppressOverlap jc "
    "textDirection textAlignment textboxTightWrap outlineLvl divId cnfStyle rPr "
    "sectPr pPrChange",
    "rPr": "rStyle rFonts b bCs i iCs caps smallCaps strike dstrike outline shadow emboss "
    "imprint noProof snapToGrid vanish webHidden color spacing w kern position sz "
    "szCs highlight u effect bdr shd fitText vertAlign rtl cs em lang eastAsianLayout "
    "specVanish oMath",
    "tblPr": "tblStyle tblpPr tblOverlap bidiVisual tblStyleRowBandSize tblStyleColBandSize "
    "tblW jc tblCellSpacing tblInd tblBorders shd tblLayout tblCellMar tblLook "
    "tblCaption tblDescription",
    "trPr": "cnfStyle divId gridBefore gridAfter wBefore wAfter cantSplit trHeight tblHeader "
    "tblCellSpacing jc hidden",
    "tcPr": "cnfStyle tcW gridSpan hMerge vMerge tcBorders shd noWrap tcMar textDirection "
    "tcFitText vAlign hideMark headers",
    "sectPr": "headerReference footerReference footnotePr endnotePr type pgSz pgMar paperSrc "
    "pgBorders lnNumType pgNumType cols formProt vAlign noEndnote titlePg "
    "textDirection bidi rtlGutter docGrid printerSettings",
    "style": "name aliases basedOn next link autoRedefine hidden uiPriority semiHidden "
    "unhideWhenUsed qFormat locked personal personalCompose personalReply rsid pPr "
    "rPr tblPr trPr tcPr tblStylePr",
}
"""Children of each element in the order of the schema of ECMA-376."""


@pytest.mark.parametrize(
    "name", ["一张单/研判单.docx", "一张表/管控表.docx", "一个库/数据目录.docx"]
)
def test_word_files_keep_the_order_of_the_schema(folders, name):
    seen = 0
    with zipfile.ZipFile(folders["internal"] / name) as file:
        for part in file.namelist():
            if not re.fullmatch(r"word/(document|styles|footer\d+)\.xml", part):
                continue
            for element in ET.fromstring(file.read(part)).iter():
                wanted = ORDER.get(element.tag.removeprefix(W), "").split()
                if not wanted:
                    continue
                places = [wanted.index(child.tag.removeprefix(W)) for child in element]
                assert places == sorted(places), (part, element.tag, [c.tag for c in element])
                seen += 1
    assert seen > 100
    with zipfile.ZipFile(folders["internal"] / name) as file:
        zoom = ET.fromstring(file.read("word/settings.xml")).find(f"{W}zoom")
        assert zoom.get(f"{W}percent") == "100"
        assert not [part for part in file.namelist() if "header" in part]
