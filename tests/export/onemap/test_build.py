"""Building the page: self-contained, repeatable, translated, guarded."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import folium
import pytest
from babel.messages.pofile import read_po
from branca.element import CssLink, JavascriptLink

import riskmap
from riskmap.errors import ExportError
from riskmap.export.onemap import page
from riskmap.export.public import redact
from tests.sample import CANARIES, sample_result

if TYPE_CHECKING:
    from collections.abc import Callable

CATALOGUE = Path(riskmap.__file__).parent / "locale" / "zh" / "LC_MESSAGES" / "onemap.po"


def test_two_builds_are_the_same_bytes(sample: Any) -> None:
    assert page.render(sample) == page.render(sample)


def test_nothing_is_loaded_from_elsewhere(sample: Any) -> None:
    markup = re.sub(r"(<script\b[^>]*>).*?</script>", r"\1", page.render(sample), flags=re.DOTALL)
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=", markup)
    assert "user-scalable" not in markup
    policy = html.unescape(re.findall(r'Content-Security-Policy" content="([^"]*)"', markup)[0])
    assert policy.startswith("default-src 'none'")
    assert "connect-src" not in policy
    assert "tianditu" not in policy


def test_what_the_first_picture_needs_stands_before_the_scripts(sample: Any) -> None:
    shown = page.render(sample)
    script = shown.index("window.riskmapCarrier = ")
    places = {int(m[1]): m.start() for m in re.finditer(r'id="riskmap-data-(\d+)">', shown)}
    assert sorted(places) == list(range(len(places)))
    before = {block for block, at in places.items() if at < script}
    assert 0 in before
    raw = gzip.decompress(base64.b64decode(re.findall(r'id="riskmap-data-0">([^<]*)<', shown)[0]))
    header = json.loads(raw[4 : 4 + int.from_bytes(raw[:4], "little")])
    assert header["relief"] is None or header["relief"]["bytes"]["b"] in before
    water = [one["water"]["classes"]["b"] for one in header["scenarios"] if one.get("water")]
    assert water
    assert set(water) < before
    assert header["why"]["b"] not in before
    assert {layer["lon"]["b"] for layer in header["layers"] if "lon" in layer} == {1}
    assert header["grid"]["unit"]["b"] == header["index"]["cell"]["score"]["b"] == 1
    assert places[1] == min(at for at in places.values() if at > script)
    assert shown.isascii()


def test_tianditu_must_be_asked_for(sample: Any) -> None:
    assert "https://*.tianditu.gov.cn" in page.render(sample, tianditu=True)


@pytest.mark.parametrize("link", [JavascriptLink, CssLink])
def test_an_address_without_a_file_stops_the_build(link: Any) -> None:
    figure = page._OfflineFigure(lang="zh-CN")
    figure.header.add_child(link("https://cdn.example.org/x"), name="unknown")
    with pytest.raises(ExportError, match=r"cdn\.example\.org"):
        figure.render()


def test_the_carrier_keeps_leaflet_alone() -> None:
    figure = page._OfflineFigure(lang="zh-CN")
    carrier = page._carrier(figure)
    assert isinstance(carrier, folium.Map)
    assert [name for name, _ in carrier.default_js] == ["leaflet"]
    assert [name for name, _ in carrier.default_css] == ["leaflet_css"]


def test_a_name_cannot_end_the_script(sample: Any) -> None:
    shown = page.render(sample)
    assert "</script><img" not in shown
    assert "<script>alert" not in shown


def test_every_text_of_the_page_is_translated() -> None:
    with CATALOGUE.open("rb") as stream:
        catalogue = read_po(stream, locale="zh")
    for msgid in page.message_ids():
        message = catalogue.get(msgid, context=page.CONTEXT)
        assert message is not None, msgid
        assert message.string, msgid
        assert set(re.findall(r"\{\w+\}", msgid)) == set(re.findall(r"\{\w+\}", message.string))


def test_scripts_are_modules_of_one_subject() -> None:
    paths = sorted((Path(page.__file__).parent / "src").rglob("*.js"))
    assert len({path.name for path in paths}) == len(paths) > 1
    for path in paths:
        lines = path.read_text("utf-8").splitlines()
        assert len(lines) <= 600, path.name
        assert lines[0] == "// @ts-check", path.name
        assert "innerHTML" not in path.read_text("utf-8"), path.name


def test_the_public_page_holds_no_canary() -> None:
    import base64
    import gzip

    shown = page.render(redact(sample_result(profile="public")))
    blocks = re.findall(r'id="riskmap-data-\d+">([^<]*)<', shown)
    text = shown + "".join(
        gzip.decompress(base64.b64decode(block)).decode("utf-8", "ignore") for block in blocks
    )
    assert blocks
    for canary in CANARIES:
        assert canary not in text


def test_browsers_that_cannot_are_told_so_in_words(browser: Any, sample_page: Path) -> None:
    page = sample_page.read_text(encoding="utf-8")
    assert '<meta name="renderer" content="webkit">' in page
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(sample_page.as_uri())
    assert "JavaScript" in plain.locator("noscript p").inner_text()
    context.close()
    old = sample_page.with_name("old.html")  # as a browser reads it that does not know the syntax
    old.write_text(page.replace("window.riskmapCarrier =", "@@ window.riskmapCarrier ="), "utf-8")
    context = browser.new_context()
    shown = context.new_page()
    shown.goto(old.as_uri())
    shown.wait_for_selector("#too-old", state="visible")
    assert "版本过旧" in shown.inner_text("#too-old")
    assert "too old" in shown.inner_text("#too-old")
    context.close()


def test_a_browser_that_can_shows_no_such_words(
    open_page: Callable[..., Any], sample_page: Path
) -> None:
    with open_page(sample_page) as opened:
        assert opened.page.locator("#too-old, #cut-off").count() == 0


@pytest.mark.parametrize(
    "end", ["</style>", ">H4sI", "window.riskmapCarrier =", 'id="riskmap-data-2">', "</body>"]
)
def test_a_file_that_was_cut_off_says_so_and_shows_nothing_else(
    browser: Any, sample_page: Path, end: str
) -> None:
    page = sample_page.read_text(encoding="utf-8")
    cut = sample_page.with_name("cut.html")
    cut.write_text(page[: page.index(end) - 100], "utf-8")
    shown = browser.new_page()
    shown.goto(cut.as_uri())
    shown.wait_for_selector("#cut-off", state="visible")
    assert "不完整" in shown.inner_text("#cut-off")
    assert "not whole" in shown.inner_text("#cut-off")
    on_top = "([x, y]) => document.elementFromPoint(x, y).id"
    size = shown.viewport_size
    for place in ((2, 2), (size["width"] - 2, size["height"] - 2), (size["width"] // 2, 300)):
        assert shown.evaluate(on_top, place) == "cut-off"
    shown.close()


def test_a_block_that_is_still_coming_is_waited_for(browser: Any, sample_page: Path) -> None:
    page = sample_page.read_bytes()
    middle = page.index(b'id="riskmap-data-1">') + 2000
    go_on = threading.Event()

    class Slow(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page[:middle])
            self.wfile.flush()
            go_on.wait(60)
            self.wfile.write(page[middle:])

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        shown = browser.new_page()
        errors: list[str] = []
        shown.on("pageerror", lambda error: errors.append(str(error)))
        # what the page itself puts at its end then stands behind the block, though half of it is to come
        shown.add_init_script("""
          const unpacked = Response.prototype.arrayBuffer;
          Response.prototype.arrayBuffer = async function () {
            Response.prototype.arrayBuffer = unpacked;
            while (!document.getElementById("riskmap-data-1")) await new Promise((r) => setTimeout(r, 0));
            return unpacked.call(this);
          };
        """)
        shown.goto(f"http://127.0.0.1:{server.server_port}/", wait_until="commit")
        shown.wait_for_function("() => document.getElementById('riskmap-data-1')?.nextSibling")
        shown.wait_for_selector("canvas")
        go_on.set()
        shown.wait_for_selector("html[data-settled]", state="attached")
        shown.close()
        server.shutdown()
    assert errors == []
