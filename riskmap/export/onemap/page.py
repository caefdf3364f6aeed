"""The one map: one HTML file that opens by double click with no network.

`folium.Map` is the carrier. Its own addresses are replaced by Leaflet's files from the installed
package; any address without a file stops the build.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import folium
from branca.element import CssLink, Element, Figure, JavascriptLink, Link

from riskmap.errors import ExportError
from riskmap.export.onemap.assets import leaflet_css, leaflet_js, messages, script, style
from riskmap.export.onemap.backdrop import backdrop_parts
from riskmap.export.onemap.collect import cell_parts, grid_part, index_part
from riskmap.export.onemap.features import layer_parts
from riskmap.export.onemap.names import initials
from riskmap.export.onemap.pack import Packer
from riskmap.export.onemap.places import unit_part
from riskmap.export.onemap.planlayers import plan_parts
from riskmap.export.onemap.scenes import scenario_layers, scenario_parts
from riskmap.i18n import both, text
from riskmap.result import Result

__all__ = ["render"]

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
    returned = sum(1 for problem in result.problems if problem.severity == "returned")
    return {
        "format": "riskmap-page/1",
        "facts": {
            "name": facts.name, "place": facts.place_name, "code": facts.place_code,
            "crs": facts.crs, "date": facts.data_date, "lang": facts.lang,
            "profile": facts.profile, "review": facts.review_number, "issuer": facts.issued_by,
            "size_m": facts.grid_size_m, "version": facts.version, "demo": facts.demo,
        },
        "texts": messages(),
        "notes": [both(note) for note in (*result.notes, *getattr(result.indicators, "notes", ()))],
        "returned": returned,
        "unusable": sorted({p.role for p in result.problems if p.severity == "unusable"}),
        "presets": [
            {"key": p.key, "value": _plain(p.value), "unit": p.unit or "", "status": p.status,
             "source": p.source or "", "clause": p.clause or "", "zh": p.zh, "en": p.en}
            for p in result.presets
        ],
        "index": indices,
        "units": units,
        "grid": grid_part(result, packer) if "cell" in result.index else None,
        "layers": layers,
        "plans": [*plan_parts(result.plans, packer), *scenario_layers(result, packer)],
        "scenarios": scenario_parts(result, packer),
        "initials": initials(names),
    }  # fmt: skip


def _plain(value: Any) -> Any:
    """Give a preset's value as JSON knows it."""
    return json.loads(json.dumps(value, default=str))


def _head(result: Result, *, tianditu: bool) -> list[str]:
    """Write the page's own head."""
    policy = html.escape(_POLICY.format(hosts=_TIANDITU if tianditu else ""))
    return [
        '<meta charset="utf-8">\n',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n',
        '<meta name="viewport" content="width=device-width,initial-scale=1,viewport-fit=cover">\n',
        f'<meta name="generator" content="riskmap {html.escape(result.facts.version)}">\n',
        f"<title>{html.escape(result.facts.name)}</title>\n",
    ]


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
    for place, markup in enumerate(_head(result, tianditu=tianditu)):
        head[f"riskmap_{place}"] = _Raw(markup)
    body = figure.html._children  # noqa: SLF001
    body["data"] = _Raw(
        "".join(
            f'<script type="application/octet-stream" id="riskmap-data-{i}">{block}</script>\n'
            for i, block in enumerate(blocks)
        )
    )
    scripts = figure.script._children  # noqa: SLF001
    name = carrier.get_name()
    scripts["page"] = _Raw(f"window.riskmapCarrier = {name};\n{script()}\n")
    return re.sub(rf"\b{re.escape(name)}\b", "map_riskmap", figure.render())
