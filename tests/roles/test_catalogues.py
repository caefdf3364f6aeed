from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import riskmap
from riskmap.i18n import LOCALE_DIR

ROOT = Path(riskmap.__file__).parent
ROOMS = {
    "roles": sorted((ROOT / "roles").glob("*.py")),
    "presets": sorted((ROOT / "presets").glob("*.py")),
    "register": sorted((ROOT / "register").glob("*.py")),
    "gaps": [ROOT / "layers" / "gaps.py", ROOT / "layers" / "template.py"],
}
FOLDER = LOCALE_DIR / "zh" / "LC_MESSAGES"


@pytest.mark.parametrize("room", ROOMS)
def test_every_text_of_the_room_has_chinese_and_the_mo_is_fresh(room):
    said = {
        message
        for file in ROOMS[room]
        for _, message, _, _ in extract_from_file("python", file, keywords={"text": None})
    }
    with (FOLDER / f"{room}.po").open("rb") as stream:
        written = {m.id: m.string for m in read_po(stream) if m.id}
    with (FOLDER / f"{room}.mo").open("rb") as stream:
        compiled = {m.id: m.string for m in read_mo(stream) if m.id}
    assert said
    assert said == set(written)
    assert all(written.values())
    assert compiled == written
