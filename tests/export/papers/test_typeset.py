"""Typesetting: names are text whatever signs they have, bytes repeat, what lacks is named."""

from io import BytesIO

import pytest
from pypdf import PdfReader

from riskmap.errors import ExportError
from riskmap.export.papers.typeset import escape, find_fonts, lacking, lacking_note, typeset

ODD = ["#set page(width: 1cm)", "$x^2$", "<村>", "{{name}}", "*粗* _斜_", 'a\\b "c" \'d\'', "@x [y] // z",
       "碶头村", "鄮县", "㙟"]  # fmt: skip
LIST = "#for name in json(bytes(sys.inputs.data)).names [#name\\ ]"


def words(pdf):
    lines = PdfReader(BytesIO(pdf)).pages[0].extract_text().splitlines()
    return [line.strip() for line in lines if line.strip()]


def fonts_of(pdf):
    """Name of each font and whether its glyphs are embedded."""
    fonts = PdfReader(BytesIO(pdf)).pages[0]["/Resources"]["/Font"]
    for font in fonts.values():
        (kind,) = font.get_object()["/DescendantFonts"]
        described = kind.get_object()["/FontDescriptor"]
        yield str(described["/FontName"]), any(key.startswith("/FontFile") for key in described)


def test_values_never_act_as_markup():
    assert words(typeset(LIST, values={"names": ODD})) == ODD


def test_escaped_markup_shows_as_it_stands():
    source = "#set smartquote(enabled: false)\n" + " \\\n".join(escape(name) for name in ODD)
    assert words(typeset(source)) == ODD


def test_same_values_same_bytes_and_fonts_are_subsets():
    pdf = typeset(LIST, values={"names": ["直门骨，。；："]}, date="2026-04-15")
    assert pdf == typeset(LIST, values={"names": ["直门骨，。；："]}, date="2026-04-15")
    ((name, embedded),) = fonts_of(pdf)
    assert "NotoSansCJKsc" in name
    assert name.lstrip("/")[6] == "+"  # the mark of a subset
    assert embedded
    assert b"pdfaid" in pdf
    assert len(pdf) < 20_000


def test_what_no_font_has_is_named_and_printed_as_a_mark():
    found = lacking({"a": ["好", "𪚥村"], "b": {"c": "𪚥"}}, find_fonts())
    assert found == {"𪚥": "𪚥村"}
    assert "U+2A6A5" in str(lacking_note(found))
    assert words(typeset(LIST, values={"names": ["𪚥村\x07\u200b"]})) == ["〓村"]


def test_a_broken_template_is_told_with_its_fault():
    with pytest.raises(ExportError, match="unclosed"):
        typeset("#let x = (")
