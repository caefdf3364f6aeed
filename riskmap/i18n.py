"""Texts in Chinese and English, by gettext catalogues, one per room."""

from __future__ import annotations

import gettext
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

LANGUAGES: Final = ("zh", "en")
LOCALE_DIR: Final = Path(__file__).parent / "locale"
_language: ContextVar[str] = ContextVar("language", default="zh")


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    """Join the catalogues of all rooms in one language."""
    joined = gettext.NullTranslations()
    for file in sorted((LOCALE_DIR / language / "LC_MESSAGES").glob("*.mo")):
        with file.open("rb") as stream:
            room = gettext.GNUTranslations(stream)
        room.add_fallback(joined)
        joined = room
    return joined


@cache
def _translated(language: str, msgid: str) -> str:
    """Look a text up once; a run shows the same ones many thousand times."""
    return _catalogue(language).gettext(msgid) if msgid else ""


def current_language() -> str:
    """Return the language in which texts are shown now, ``zh`` or ``en``.

    Returns
    -------
    str
        The language code.

    Examples
    --------
    >>> with language("en"):
    ...     current_language()
    'en'
    """
    return _language.get()


@contextmanager
def language(code: str) -> Iterator[None]:
    """Show texts in another language inside a ``with`` block.

    Parameters
    ----------
    code
        ``zh`` or ``en``.

    Yields
    ------
    None
        Nothing.
    """
    token = _language.set(code)
    try:
        yield
    finally:
        _language.reset(token)


@dataclass(frozen=True)
class Text:
    """A text whose language is chosen only when it is shown with ``str()``."""

    msgid: str
    params: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        message = _translated(_language.get(), self.msgid)
        return message.format(**dict(self.params)) if self.params else message


@dataclass(frozen=True)
class Label(Text):
    """A text whose two languages stand in a role or preset file; ``msgid`` is the English."""

    zh: str = ""

    def __str__(self) -> str:
        return self.zh if self.zh and current_language() == "zh" else self.msgid


def text(msgid: str, **params: object) -> Text:
    """Make a text that can be shown in both languages.

    Parameters
    ----------
    msgid
        The English text, with ``{name}`` where a value stands. It is the key of the catalogues.
    **params
        The values; a value may itself be a `Text`.

    Returns
    -------
    Text
        Shown in the current language by ``str()``.

    Examples
    --------
    >>> with language("en"):
    ...     str(text("{n} rows returned", n=3))
    '3 rows returned'
    """
    return Text(msgid, tuple(params.items()))


def both(message: Text) -> dict[str, str]:
    """Show one text in every language.

    Parameters
    ----------
    message
        The text.

    Returns
    -------
    dict
        Language code to shown text.
    """
    shown = {}
    for code in LANGUAGES:
        with language(code):
            shown[code] = str(message)
    return shown
