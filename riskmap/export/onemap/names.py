"""First letters of the pinyin of the characters that names use, for the page's search."""

from __future__ import annotations

from collections.abc import Iterable

from pypinyin import Style, pinyin

__all__ = ["initials"]


def initials(names: Iterable[str]) -> dict[str, str]:
    """Give the possible first letters of each Chinese character.

    Parameters
    ----------
    names
        Any texts.

    Returns
    -------
    dict
        Character to letters, the usual reading first.

    Examples
    --------
    >>> initials(["重庆A1"])
    {'庆': 'q', '重': 'zct'}
    """
    characters = sorted({c for name in names for c in name if "\u3400" <= c <= "\u9fff"})
    if not characters:
        return {}
    out = {}
    for character in characters:
        readings = pinyin(character, style=Style.FIRST_LETTER, heteronym=True)[0]
        letters = "".join(dict.fromkeys(r[0] for r in readings if r and "a" <= r[0] <= "z"))
        if letters:
            out[character] = letters
    return out
