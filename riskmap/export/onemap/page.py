"""The one map: one HTML file that opens by double click with no network.

`folium.Map` is the carrier. Its own addresses are replaced by Leaflet's files from the installed
package; any address without a file stops the build.
"""

from __future__ import annotations

import base64
import gettext
import html
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
from branca.element import CssLink, Element, Figure, JavascriptLink, Link

from riskmap.errors import ExportError
from riskmap.export.onemap.backdrop import backdrop_parts, relief_part
from riskmap.export.onemap.collect import cell_parts, grid_part, index_part, unit_part
from riskmap.export.onemap.features import initials, label, layer_parts, neighbour_part, why_part
from riskmap.export.onemap.pack import CORE, Packer
from riskmap.export.onemap.scenes import (
    earlier_part,
    live_layers,
    marks_part,
    plan_parts,
    scenario_layers,
    scenario_parts,
)
from riskmap.i18n import LOCALE_DIR, Text, both, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import folium

    from riskmap.result import Result

__all__ = ["leaflet_css", "leaflet_js", "message_ids", "messages", "render", "script", "style"]

_SOURCES: Final = Path(__file__).parent / "src"
_IMPORT: Final = re.compile(
    r'^import\s*(\{[^}]*\})\s*from "\.[a-z./]*/([a-z_]+)\.js";$', re.MULTILINE
)
_EXPORT: Final = re.compile(
    r"^export (?=(?:async )?(?:function|const|class)\*? ([A-Za-z_]\w*))", re.MULTILINE
)
CONTEXT: Final = "page"
"""Context of the page's texts in the catalogue, so that they meet no text of another room."""
_MESSAGE: Final = re.compile(r'\bt\(\s*"((?:[^"\\]|\\.)*)"')
_COMMENT: Final = re.compile(
    r"^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*\n|^[ \t]*//[^\n]*\n|/\*\* @\w(?:(?!\*/)[^\n])*\*/ ?|^[ \t]+",
    re.MULTILINE | re.DOTALL,
)
"""Comments on lines of their own, types within a line, and indentation."""
_CODED: Final = re.compile(r"<script>(?P<code>.*?)</script>|<style>.*?</style>", re.DOTALL)
_FOREIGN: Final = re.compile(r"[^\x00-\x7f]")
_END: Final = "riskmap-end"
"""What stands last in the page; a file without it was cut off."""
_IMAGE: Final = re.compile(r"url\(\s*['\"]?(?!data:)([^)'\"]+)['\"]?\s*\)")


def _modules() -> dict[str, str]:
    """Read the page's modules by file name."""
    return {path.name: path.read_text("utf-8") for path in sorted(_SOURCES.rglob("*.js"))}


def _ordered(modules: dict[str, str]) -> list[str]:
    """Put every module after those it imports; ``main.js`` stands last."""
    done: list[str] = []
    busy: set[str] = set()

    def visit(name: str) -> None:
        if name in done:
            return
        if name in busy:
            raise ExportError(text("the page's module {name} imports itself", name=name))
        if name not in modules:
            raise ExportError(text("the page's module {name} is missing", name=name))
        busy.add(name)
        for _, other in _IMPORT.findall(modules[name]):
            visit(f"{other}.js")
        done.append(name)

    for name in [*(n for n in modules if n != "main.js"), "main.js"]:
        visit(name)
    return done


@cache
def script() -> str:
    """Join the page's modules into one script, each in a scope of its own.

    Returns
    -------
    str
        JavaScript without imports, in the order of dependence.
    """
    modules = _modules()
    parts = [_scoped(name, modules[name]) for name in _ordered(modules)]
    return '(function () {\n"use strict";\n' + "\n".join(parts) + "\n})();"


def _scoped(name: str, source: str) -> str:
    """Turn a module into a function that returns what it exports, without its comments."""
    given = ", ".join(_EXPORT.findall(source))
    taken = _IMPORT.sub(lambda m: f"const {m[1]} = module_{m[2]};", source)
    body = _COMMENT.sub("", _EXPORT.sub("", taken))
    stem = name.removesuffix(".js")
    return f"const module_{stem} = (function () {{\n{body}\nreturn {{ {given} }};\n}})();"


@cache
def style() -> str:
    """Join the page's style sheets.

    Returns
    -------
    str
        CSS.
    """
    sheets = "\n".join(path.read_text("utf-8") for path in sorted(_SOURCES.rglob("*.css")))
    return _COMMENT.sub("", sheets)


def messages() -> dict[str, dict[str, str]]:
    """Collect the texts that the scripts show, with their Chinese.

    Returns
    -------
    dict
        Language code to (English text to shown text); the English is its own key.

    Examples
    --------
    >>> messages()["zh"]["Layers"]
    '图层'
    """
    with (LOCALE_DIR / "zh" / "LC_MESSAGES" / "onemap.mo").open("rb") as stream:
        catalogue = gettext.GNUTranslations(stream)
    return {"zh": {m: catalogue.pgettext(CONTEXT, m) for m in message_ids()}}


def message_ids() -> list[str]:
    """List the English texts of the scripts.

    Returns
    -------
    list of str
        Sorted.

    Examples
    --------
    >>> "Layers" in message_ids()
    True
    """
    found = {raw for source in _modules().values() for raw in _MESSAGE.findall(source)}
    return sorted(raw.replace('\\"', '"').replace("\\n", "\n") for raw in found)


def _leaflet(name: str) -> Path:
    """Find a file of Leaflet in the installed package."""
    from xstatic.pkg import leaflet

    path = Path(leaflet.BASE_DIR) / name
    if not path.is_file():
        raise ExportError(
            text("Leaflet's file {name} is missing; install xstatic-leaflet", name=name)
        )
    return path


@cache
def leaflet_js() -> str:
    """Read Leaflet's script.

    Returns
    -------
    str
        JavaScript without the note of its source map.
    """
    return re.sub(r"//# sourceMappingURL=.*", "", _leaflet("leaflet.js").read_text("utf-8"))


@cache
def leaflet_css() -> str:
    """Read Leaflet's style sheet with its pictures inside.

    Returns
    -------
    str
        CSS without addresses.
    """

    def inline(found: re.Match[str]) -> str:
        name = found[1]
        if name.startswith("#"):
            return found[0]
        picture = base64.b64encode(_leaflet(name).read_bytes()).decode("ascii")
        return f'url("data:image/png;base64,{picture}")'

    return _IMAGE.sub(inline, _leaflet("leaflet.css").read_text("utf-8"))


_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:{hosts}; base-uri 'none'; form-action 'none'"
)
_TIANDITU: Final = " https://*.tianditu.gov.cn"
_CODE: Final = re.compile(r"(<script\b[^>]*>).*?</script>", re.DOTALL | re.IGNORECASE)
_ADDRESS: Final = re.compile(
    r"<(?:script|link|img|iframe|object|embed)\b[^>]*?\b(?:src|href|data)\s*+=\s*+[\"']?+\s*+(?!data:)\S"
    r"|@import|url\(\s*+[\"']?+\s*+(?!data:|#)\S",
    re.IGNORECASE,
)
_INLINE: Final = {"leaflet": leaflet_js, "leaflet_css": leaflet_css}


class _Raw(Element):
    """Markup that no template engine looks into."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self._markup = markup

    def render(self, **_: Any) -> str:
        return self._markup


class _OfflineFigure(Figure):
    """A figure whose links are replaced by the files themselves."""

    def __init__(self, *, lang: str) -> None:
        super().__init__(width="100%", height="100%")
        self._lang = lang

    def render(self, **kwargs: Any) -> str:
        for child in list(self._children.values()):
            child.render(**kwargs)
        parts = self.header._children.items()  # noqa: SLF001
        ours = [child for _, child in parts if isinstance(child, _Raw)]
        links = [_inlined(name, child) for name, child in parts if isinstance(child, Link)]
        head = _rendered([*ours, *links, _Raw(f"<style>\n{style()}\n</style>\n")])
        body = _rendered(self.html._children.values())  # noqa: SLF001
        scripts = self.script._children.values()  # noqa: SLF001
        tail = _rendered(sorted(scripts, key=lambda child: isinstance(child, _Raw)))
        page = (
            f'<!DOCTYPE html>\n<html lang="{html.escape(self._lang)}">\n<head>\n{head}\n</head>\n'
            f"<body>\n{body}\n<script>\n{_guarded(tail)}\n</script>\n</body>\n</html>\n"
        )
        if _ADDRESS.search(_CODE.sub(r"\1", page)):
            raise ExportError(text("the page would load something from the network"))
        return page


def _rendered(elements: Iterable[Any]) -> str:
    """Join elements as markup."""
    return "".join(element.render() for element in elements)


def _inlined(name: str, link: Any) -> _Raw:
    """Give the file behind a link as markup."""
    if name not in _INLINE:
        raise ExportError(text("no file is shipped for the address {url}", url=link.url))
    if isinstance(link, JavascriptLink):
        return _Raw(f"<script>\n{_guarded(_INLINE[name]())}\n</script>\n")
    if isinstance(link, CssLink):
        return _Raw(f"<style>\n{_INLINE[name]()}\n</style>\n")
    raise ExportError(text("no file is shipped for the address {url}", url=link.url))


def _guarded(code: str) -> str:
    """Keep a script from ending early."""
    return code.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _carrier(figure: Figure) -> folium.Map:
    """Make the folium map that carries the page, with Leaflet alone."""
    import folium

    carrier = folium.Map(
        location=[0, 0], zoom_start=3, tiles=None, zoom_control=False, max_zoom=19,
        attribution_control=False, zoom_snap=0.02, prefer_canvas=True, keyboard=True,
    )  # fmt: skip
    carrier.default_js = [pair for pair in carrier.default_js if pair[0] == "leaflet"]
    carrier.default_css = [pair for pair in carrier.default_css if pair[0] == "leaflet_css"]
    carrier.add_to(figure)
    return carrier


def _document(result: Result, packer: Packer) -> dict[str, Any]:
    """Describe the whole result as the JSON header of the page's data."""
    facts = result.facts
    indices: dict[str, Any] = {}
    for key, index in result.index.items():
        kind = key.split("@")[0]
        if kind not in ("unit", "cell"):
            continue
        like = (result.index[kind], indices[kind]) if kind != key and kind in indices else None
        part = cell_parts(index, packer, kind=kind, like=like)
        indices[key] = part | {"tree": index_part(index)}
    units = unit_part(result.units, packer)
    layers = layer_parts(result, packer)
    names = [result.facts.name, *units["names"]["words"]]
    for layer in layers:
        names += layer.get("names", {}).get("words", [])
    returned = sum(p.count for p in result.problems if p.severity == "returned")
    return {
        "format": "riskmap-page/1",
        "facts": {
            "name": facts.name, "place": facts.place_name, "code": facts.place_code,
            "crs": facts.crs, "date": facts.data_date, "lang": facts.lang,
            "profile": facts.profile, "review": facts.review_number, "issuer": facts.issued_by,
            "size_m": facts.grid_size_m, "version": facts.version, "demo": facts.demo,
            "sketch": facts.sketch, "hour": facts.hour,
        },
        "texts": messages(),
        "notes": [both(note) for note in _notes(result)],
        "returned": returned,
        "unusable": [
            label(result.roles[role]) if role in result.roles else {"zh": role, "en": role}
            for role in sorted({p.role for p in result.problems if p.severity == "unusable"})
        ],
        "presets": [
            {"key": p.key, "value": _plain(p.value), "unit": p.unit or "", "status": p.status,
             "source": p.source or "", "clause": p.clause or "", "zh": p.zh, "en": p.en}
            for p in result.presets
        ],
        "index": indices,
        "units": units,
        "grid": grid_part(result, packer) if "cell" in result.index else None,
        "layers": layers,
        "plans": [
            *plan_parts(result.plans, packer),
            *scenario_layers(result, packer),
            *live_layers(result, packer),
        ],
        "earlier": earlier_part(result, packer),
        "scenarios": scenario_parts(result, packer),
        "marks": marks_part(),
        "initials": initials(names),
        "relief": relief_part(result, packer),
        "neighbours": neighbour_part(result, packer),
        "why": why_part(result, packer),
        "scorecard": _scorecard(result),
    }  # fmt: skip


def _scorecard(result: Result) -> list[dict[str, Any]]:
    """Give the measures; the public edition has none."""
    if result.scorecard is None:
        return []
    return [
        {
            **(both(said) if isinstance(said := row["measure"], Text) else {"zh": said}),
            "of": row["unit_name"], "unit": row["unit"], "dark": row["unknown"],
            "top": row["numerator"], "below": _known(row["denominator"]),
            "value": _known(row["value"]), "target": _known(row["target"]),
            "met": None if pd.isna(row["met"]) else bool(row["met"]),
        }
        for row in result.scorecard.to_dict(orient="records")
    ]  # fmt: skip


def _known(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _notes(result: Result) -> list[Text]:
    """Collect what must be said beside the numbers: of the run, the indicators and the index."""
    index = result.index.get("unit")
    said = [*result.notes, *getattr(result.indicators, "notes", ())]
    return list(dict.fromkeys([*said, *getattr(index, "notes", ())]))


def _plain(value: Any) -> Any:
    """Give a preset's value as JSON knows it."""
    return json.loads(json.dumps(value, default=str))


def _head(result: Result, *, tianditu: bool) -> list[str]:
    """Write the page's own head."""
    policy = html.escape(_POLICY.format(hosts=_TIANDITU if tianditu else ""))
    return [
        '<meta charset="utf-8">\n',
        # 360 and QQ open a file in an old engine unless it asks for the new one
        '<meta name="renderer" content="webkit">\n',
        '<meta name="force-rendering" content="webkit">\n',
        '<meta http-equiv="X-UA-Compatible" content="IE=edge,chrome=1">\n',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n',
        '<meta name="viewport" content="width=device-width,initial-scale=1,viewport-fit=cover">\n',
        f'<meta name="generator" content="riskmap {html.escape(result.facts.version)}">\n',
        f"<title>{html.escape(result.facts.name)}</title>\n",
    ]


def _plain_text(lang: str) -> tuple[str, str]:
    """Say what to do where the page cannot run: for the head, and for the body.

    The script in the head is one that any browser understands, and the first of all, so that it
    stands in what is left of a file that was cut off: a page with parts missing is not to be used.
    """
    messages = (
        text("This page needs JavaScript; allow it for this file, or use another browser."),
        text(
            "This browser is too old for the map. Open the file in Chrome or Edge, or in 360 or QQ "
            "Browser in its fast mode (engine 86 or newer), or in Firefox 102 or newer. The same "
            "results stand in the workbooks beside this file."
        ),
        text(
            "This file is not whole: its end is missing, as after a copy or a download that broke "
            "off. Copy it again from where it was made; do not use what this copy shows."
        ),
    )
    order = (lang, *(code for code in ("zh", "en") if code != lang))
    without, old, cut = (
        "<br>".join(html.escape(both(message)[code]) for code in order) for message in messages
    )
    look = "font:16px/1.8 sans-serif;"
    watch = f"""<script>window.onload = function () {{
var whole = document.getElementById("{_END}");
if (whole && window.riskmapCarrier) return;
var said = document.createElement("p");
said.id = whole ? "too-old" : "cut-off";
said.innerHTML = whole ? {json.dumps(old)} : {json.dumps(cut)};
said.style.cssText = "{look}position:fixed;top:0;left:0;right:0;bottom:0;z-index:99999;" +
  "margin:0;padding:3em;background:#fff";
document.body.appendChild(said);
}};</script>
"""
    around = f"{look}max-width:40em;margin:3em auto;padding:0 1em"
    return watch, f'<noscript><p style="{around}">{without}</p></noscript>\n'


def render(
    result: Result, *, tianditu: bool = False, tiles: Sequence[Mapping[str, Any]] = ()
) -> str:
    """Draw the one map of a result as one HTML file.

    Parameters
    ----------
    result
        The run's result; for the public edition the redacted one.
    tianditu
        True to allow the page to load Tianditu's tiles after somebody types a token in.
    tiles
        Pictures under the map, each ``{data, south, west, north, east}`` with a ``data:`` address
        and WGS-84 bounds [degrees].

    Returns
    -------
    str
        HTML that needs no other file and no network.

    Raises
    ------
    ExportError
        Something has no file to be inlined, or grid and index do not fit.
    """
    packer = Packer()
    pictures = {"tianditu": tianditu, "tiles": backdrop_parts(tiles, packer)}
    document = _document(result, packer) | pictures
    blocks = packer.encode(document)
    figure = _OfflineFigure(lang="zh-CN" if result.facts.lang == "zh" else "en")
    carrier = _carrier(figure)
    head = figure.header._children  # noqa: SLF001
    head.clear()
    watch, plain = _plain_text(result.facts.lang)
    for place, markup in enumerate([*_head(result, tianditu=tianditu), watch]):
        head[f"riskmap_{place}"] = _Raw(markup)
    body = figure.html._children  # noqa: SLF001
    body["plain"] = _Raw(plain)
    data = [
        f'<script type="application/octet-stream" data-size="{len(block)}" '
        f'id="riskmap-data-{i}">{block}</script>\n'
        for i, block in enumerate(blocks)
    ]
    first = {CORE, *_blocks_in([document["relief"], document["scenarios"]])}
    body["data"] = _Raw("".join(part for i, part in enumerate(data) if i in first))
    later = "".join(part for i, part in enumerate(data) if i not in first)
    scripts = figure.script._children  # noqa: SLF001
    name = carrier.get_name()
    scripts["page"] = _Raw(f"window.riskmapCarrier = {name};\n{script()}\n")
    whole = re.sub(rf"\b{re.escape(name)}\b", "map_riskmap", figure.render())
    # the first picture is drawn before the browser has read the rest
    start, end, tail = _plain_bytes(whole).rpartition("</body>")
    return f'{start}{later}<p id="{_END}" hidden></p>\n{end}{tail}'


def _plain_bytes(page: str) -> str:
    """Write a page in ASCII alone: read in half the time, and right whatever charset is assumed."""

    def coded(part: re.Match[str]) -> str:
        if part["code"] is None:
            return _FOREIGN.sub(lambda c: f"\\{ord(c[0]):x} ", part[0])
        return _FOREIGN.sub(lambda c: json.dumps(c[0])[1:-1], part[0])

    return _CODED.sub(coded, page).encode("ascii", "xmlcharrefreplace").decode("ascii")


def _blocks_in(part: Any) -> set[int]:
    """List the blocks that a part of the header points to."""
    if isinstance(part, dict):
        own = {part["b"]} if isinstance(part.get("b"), int) and "o" in part else set()
        return own.union(*(_blocks_in(value) for value in part.values()))
    if isinstance(part, list | tuple):
        return set().union(*(_blocks_in(value) for value in part))
    return set()
