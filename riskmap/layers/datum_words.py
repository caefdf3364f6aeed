"""The datum that a column's header names, such as 经度（GCJ-02）."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from riskmap.i18n import text
from riskmap.layers.coords import DATUMS
from riskmap.layers.findings import Findings, unusable

if TYPE_CHECKING:
    from riskmap.layers.types import LayerSpec

_WORDS: Final = {
    "wgs84": r"wgs[-_ ]?(?:19)?84",
    "cgcs2000": r"cgcs[-_ ]?2000|(?:国家|大地)2000|2000国家大地坐标系?",
    "gcj02": r"gcj[-_ ]?02|火星坐标系?|火星|高德(?:地图)?|腾讯(?:地图)?",
    "bd09": r"bd[-_ ]?09(?:ll)?|百度(?:地图|坐标)?",
}
_HEADER: Final = re.compile(
    r"[\s_\-(\[【]*(?:"
    + "|".join(f"(?P<{d}>{words})" for d, words in _WORDS.items())
    + r")[\s_\-)\]】]*",
    re.IGNORECASE,
)


def split_datum(header: str) -> tuple[str, str | None]:
    """Take the name of a datum out of a header.

    Parameters
    ----------
    header
        The header as the file has it.

    Returns
    -------
    tuple of str and (str or None)
        The header without it, and the datum or None.

    Examples
    --------
    >>> split_datum("经度（GCJ-02）"), split_datum("lon_wgs84"), split_datum("百度经度")
    (('经度', 'gcj02'), ('lon', 'wgs84'), ('经度', 'bd09'))
    >>> split_datum("经度")
    ('经度', None)
    """
    plain = unicodedata.normalize("NFKC", header)
    match = _HEADER.search(plain)
    if match is None:
        return header, None
    bare = plain[: match.start()] + plain[match.end() :]
    return (bare.strip(), match.lastgroup) if bare.strip() else (header, None)


def preference(header: str, spec: LayerSpec) -> int:
    """Rank columns of one field, so that longitude and latitude come from one pair.

    Parameters
    ----------
    header
        The header.
    spec
        Its ``datum`` as declared.

    Returns
    -------
    int
        The declared datum first, then no datum, WGS-84, CGCS2000, GCJ-02, BD-09.
    """
    datum = split_datum(header)[1]
    if datum is None:
        return 0
    return -1 if datum == spec.datum else 1 + DATUMS.index(datum)


def datum_of_columns(columns: tuple[str, str], declared: str, findings: Findings) -> str:
    """Settle the datum of two coordinate columns.

    Parameters
    ----------
    columns
        Their headers.
    declared
        What the project file says; ``auto`` follows the headers.
    findings
        Takes a note where headers decided, or say otherwise.

    Returns
    -------
    str
        ``auto`` or a datum.

    Raises
    ------
    LayerError
        When the two headers name different datums.
    """
    one, two = (split_datum(column)[1] for column in columns)
    shown = "、".join(dict.fromkeys(columns))
    if one != two and one is not None and two is not None:
        raise unusable(
            "datum_mixed",
            text("the columns {columns} name different datums", columns=shown),
            text("name the two columns of one datum under fields: in the project file"),
        )
    named = one or two
    if named is None or named == declared:
        return declared
    if declared == "auto":
        findings.note(
            "datum_from_header",
            text("taken as {datum}, as the header says", datum=named),
            text("if it is another, give datum: in the project file"),
            field=shown,
        )
        return named
    findings.note(
        "datum_contradicts",
        text(
            "the header says {named}, the project file {declared}; the project file was followed",
            named=named,
            declared=declared,
        ),
        text("check which is right; points may be off by 100 to 1000 m"),
        field=shown,
    )
    return declared
