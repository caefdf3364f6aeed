"""The page's own scripts and styles, Leaflet's files, and the texts of both languages."""

from __future__ import annotations

import base64
import gettext
import re
from functools import cache
from pathlib import Path
from typing import Final

from riskmap.errors import ExportError
from riskmap.i18n import LOCALE_DIR, text

__all__ = ["leaflet_css", "leaflet_js", "message_ids", "messages", "script", "style"]

_HERE: Final = Path(__file__).parent
_IMPORT: Final = re.compile(r'^import\s*(\{[^}]*\})\s*from "\./([a-z_]+)\.js";$', re.MULTILINE)
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
_IMAGE: Final = re.compile(r"url\(\s*['\"]?(?!data:)([^)'\"]+)['\"]?\s*\)")


def _modules() -> dict[str, str]:
    """Read the page's modules by file name."""
    return {path.name: path.read_text("utf-8") for path in sorted(_HERE.glob("*.js"))}


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
    sheets = "\n".join(path.read_text("utf-8") for path in sorted(_HERE.glob("*.css")))
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
