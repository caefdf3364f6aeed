"""What GEOS and GDAL complain of, in the run's language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import numpy as np

from riskmap.i18n import Text, text

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SAID: Final[tuple[tuple[str, Text], ...]] = (
    ("Ring Self-intersection", text("an outline touches itself")),
    ("Self-intersection", text("an outline crosses itself")),
    ("Hole lies outside shell", text("a hole lies outside its area")),
    ("Holes are nested", text("holes lie in one another")),
    ("Nested shells", text("areas lie in one another")),
    ("Nested holes", text("holes lie in one another")),
    ("Interior is disconnected", text("a hole cuts the area in two")),
    ("Too few points", text("too few points for a line or an area")),
    ("Duplicate Rings", text("an outline is there twice")),
    ("Invalid Coordinate", text("a coordinate is no number")),
    ("Ring is not closed", text("an outline is not closed")),
    ("not recognized as being in a supported file format", text("the kind of file is not known")),
    ("not recognized as a supported", text("the kind of file is not known")),
    ("No such file", text("the file is not there")),
    ("does not exist", text("the file or the layer is not there")),
    ("Permission denied", text("the file may not be read")),
    ("database disk image is malformed", text("the GeoPackage is damaged")),
    ("file is not a database", text("this is no GeoPackage")),
    ("file is encrypted or is not a database", text("this is no GeoPackage")),
    ("database is locked", text("the file is open in another program")),
    ("Unable to open", text("the file cannot be opened")),
    ("Could not open", text("the file cannot be opened")),
    ("Failed to read", text("the file is damaged or cut off")),
    ("Unexpected EOF", text("the file is cut off")),
    ("unexpected end", text("the file is cut off")),
    ("IReadBlock failed", text("a part of the raster is damaged")),
    ("Read error", text("a part of the raster is damaged")),
    ("GeoJSON parsing error", text("the GeoJSON is damaged")),
    ("JSON parsing error", text("the GeoJSON is damaged")),
    ("SQL Expression Parsing Error", text("the condition is written wrongly")),
    ("no such column", text("the condition names a column that is not there")),
    ("not recognised as an available field", text("the condition names a field that is not there")),
    ("XML", text("the XML is damaged")),
    ("Zip", text("the archive is damaged")),
    ("zip", text("the archive is damaged")),
)


def library_words(said: str) -> Text | str:
    """Put a complaint of a library into our words; its place in brackets stays.

    Parameters
    ----------
    said
        What it says, in English.

    Returns
    -------
    Text or str
        Our words; its own where it is something rare.

    Examples
    --------
    >>> str(library_words("Self-intersection[117.1 36.2]"))
    '边界自相交 [117.1 36.2]'
    """
    ours = next((words for theirs, words in _SAID if theirs in said), None)
    if ours is None:
        return said
    at = re.search(r"\[[-\d. eE]+\]\s*$", said)
    return text("{words} {place}", words=ours, place=at.group(0)) if at else ours


def in_words(said: Iterable[str]) -> NDArray[np.object_]:
    """Put many complaints into our words.

    Parameters
    ----------
    said
        What a library says of each row.

    Returns
    -------
    ndarray
        Texts of the current language, of the same length.
    """
    return np.array([str(library_words(str(one))) for one in said], dtype=object)
