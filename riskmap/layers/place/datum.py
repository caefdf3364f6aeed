"""Datums: what notes, headers and links tell of them; GCJ-02 and BD-09 to WGS-84 and back.

The formulas were reverse-engineered by others and are known to the public since 2010; results are
good to a metre and meant for display. Outside China GCJ-02 is WGS-84. CGCS2000 and WGS-84 differ
by less than a decimetre and are taken as equal.

References
----------
.. [1] https://github.com/googollee/eviltransform (test points)
.. [2] https://github.com/hujiulong/gcoord (664 places in three systems)
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import numpy as np

from riskmap.i18n import text
from riskmap.layers.layer import Findings, unusable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray
    from pyproj import CRS

    from riskmap.layers.layer import LayerSpec

    Pair = tuple[NDArray[np.float64], NDArray[np.float64]]


DATUMS: Final = ("wgs84", "cgcs2000", "gcj02", "bd09")
_A: Final = 6378245.0
"""Semi-major axis of the Krasovsky 1940 ellipsoid [m]."""
_EE: Final = 0.00669342162296594323
"""Its squared eccentricity."""
_BD_PI: Final = np.pi * 3000.0 / 180.0
_CHINA: Final = (72.004, 0.8293, 137.8347, 55.8271)
"""The rectangle in which the offset is applied [deg]: west, south, east, north."""
_ROUNDS: Final = 12
"""Fixed-point rounds of the inverse; each gains about three digits."""


def _offset(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Pair:
    """Return the GCJ-02 offset [deg] at WGS-84 positions, zero outside China."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    wave = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave
    north += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave
    east += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    phi = np.radians(lat)
    magic = 1.0 - _EE * np.sin(phi) ** 2
    d_lat = north * 180.0 / (_A * (1.0 - _EE) / (magic * np.sqrt(magic)) * np.pi)
    with np.errstate(divide="ignore", invalid="ignore"):
        d_lon = east * 180.0 / (_A / np.sqrt(magic) * np.cos(phi) * np.pi)
    inside = in_china(lon, lat)
    return np.where(inside, d_lon, 0.0), np.where(inside, d_lat, 0.0)


def _arrays(lon: ArrayLike, lat: ArrayLike) -> Pair:
    return np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)


def in_china(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
    """Tell which positions lie in the rectangle in which GCJ-02 differs from WGS-84.

    Parameters
    ----------
    lon, lat
        Shape (n,): WGS-84 [deg].

    Returns
    -------
    ndarray
        Shape (n,).

    Examples
    --------
    >>> in_china([116.4, 9.5], [39.9, 47.1]).tolist()
    [True, False]
    """
    x, y = _arrays(lon, lat)
    west, south, east, north = _CHINA
    inside: NDArray[np.bool_] = (x >= west) & (x <= east) & (y >= south) & (y <= north)
    return inside


def wgs84_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Move WGS-84 positions to GCJ-02; outside China nothing changes.

    Parameters
    ----------
    lon, lat
        Shape (n,): WGS-84 [deg].

    Returns
    -------
    tuple of ndarray
        Longitude and latitude in GCJ-02, shape (n,) [deg].

    Examples
    --------
    >>> lon, lat = wgs84_to_gcj02([116.404], [39.915])
    >>> round(float(lon[0]), 6), round(float(lat[0]), 6)
    (116.410244, 39.916404)
    """
    x, y = _arrays(lon, lat)
    d_lon, d_lat = _offset(x, y)
    return x + d_lon, y + d_lat


def gcj02_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> Pair:
    r"""Move GCJ-02 positions to WGS-84 by fixed-point iteration.

    .. math:: p_{k+1} = q - \Delta(p_k), \quad p_0 = q

    Parameters
    ----------
    lon, lat
        Shape (n,): GCJ-02 [deg].

    Returns
    -------
    tuple of ndarray
        Longitude and latitude in WGS-84, shape (n,) [deg]; going there and back is off by less
        than 1e-7 m.

    Examples
    --------
    >>> lon, lat = gcj02_to_wgs84([116.404], [39.915])
    >>> round(float(lon[0]), 8), round(float(lat[0]), 8)
    (116.39775575, 39.91359624)
    """
    x, y = _arrays(lon, lat)
    west, north = x, y
    for _ in range(_ROUNDS):
        d_lon, d_lat = _offset(west, north)
        west, north = x - d_lon, y - d_lat
    return west, north


def gcj02_to_bd09(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Move GCJ-02 positions to BD-09.

    Parameters
    ----------
    lon, lat
        Shape (n,): GCJ-02 [deg].

    Returns
    -------
    tuple of ndarray
        Longitude and latitude in BD-09, shape (n,) [deg].

    Examples
    --------
    >>> lon, lat = gcj02_to_bd09([116.404], [39.915])
    >>> round(float(lon[0]), 6), round(float(lat[0]), 6)
    (116.410369, 39.921337)
    """
    x, y = _arrays(lon, lat)
    radius = np.hypot(x, y) + 0.00002 * np.sin(y * _BD_PI)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * _BD_PI)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def bd09_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Move BD-09 positions to GCJ-02 by the published one-step formula.

    Parameters
    ----------
    lon, lat
        Shape (n,): BD-09 [deg].

    Returns
    -------
    tuple of ndarray
        Longitude and latitude in GCJ-02, shape (n,) [deg]; going there and back is off by at
        most some 8 cm.

    Examples
    --------
    >>> lon, lat = bd09_to_gcj02([116.404], [39.915])
    >>> round(float(lon[0]), 6), round(float(lat[0]), 6)
    (116.397627, 39.908657)
    """
    x, y = _arrays(lon, lat)
    x, y = x - 0.0065, y - 0.006
    radius = np.hypot(x, y) - 0.00002 * np.sin(y * _BD_PI)
    angle = np.arctan2(y, x) - 0.000003 * np.cos(x * _BD_PI)
    return radius * np.cos(angle), radius * np.sin(angle)


def to_wgs84(lon: ArrayLike, lat: ArrayLike, *, datum: str) -> Pair:
    """Move positions of a declared datum to WGS-84.

    Parameters
    ----------
    lon, lat
        Shape (n,): in the datum [deg].
    datum
        ``wgs84``, ``cgcs2000``, ``gcj02`` or ``bd09``.

    Returns
    -------
    tuple of ndarray
        Longitude and latitude in WGS-84, shape (n,) [deg].

    Raises
    ------
    ValueError
        When the datum is not one of the four.

    Examples
    --------
    >>> lon, lat = to_wgs84([116.404], [39.915], datum="cgcs2000")
    >>> float(lon[0])
    116.404
    """
    if datum in ("wgs84", "cgcs2000"):
        return _arrays(lon, lat)
    if datum == "gcj02":
        return gcj02_to_wgs84(lon, lat)
    if datum == "bd09":
        return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))
    raise ValueError(f"datum {datum!r}, not one of {', '.join(DATUMS)}")


def crs_name(crs: CRS) -> str:
    """Return the shortest name of a CRS.

    Parameters
    ----------
    crs
        The CRS.

    Returns
    -------
    str
        Such as ``EPSG:4548``, or its own name.

    Examples
    --------
    >>> from pyproj import CRS
    >>> crs_name(CRS.from_epsg(4548))
    'EPSG:4548'
    """
    authority = crs.to_authority(min_confidence=70)
    return ":".join(authority) if authority else str(crs.name)


_WORDS: Final = {
    "wgs84": r"wgs[-_ ]?(?:19)?84",
    "cgcs2000": r"cgcs[-_ ]?2000|(?:国家|大地)2000|2000国家大地坐标系?",
    "gcj02": r"gcj[-_ ]?02|火星坐标系?|火星|高德(?:地图)?|腾讯(?:地图)?",
    "bd09": r"bd[-_ ]?09(?:ll)?|百度(?:地图|坐标)?",
}
_TOLD: Final = {
    "wgs84": _WORDS["wgs84"]
    + r"|GPS(?:实测|测量|定位|手持|采集|坐标)|手持机|谷歌地球|google ?earth",
    "cgcs2000": _WORDS["cgcs2000"] + r"|2000坐标系?|国家大地坐标系?|天地图",
    "gcj02": _WORDS["gcj02"] + r"|amap",
    "bd09": _WORDS["bd09"] + r"|baidu",
}
_ABOUT_PLACE: Final = re.compile(
    r"坐标|经纬度|量取|取点|拾取|定位|datum|coordinates?|gcj|bd-?09|wgs|cgcs", re.IGNORECASE
)
_NOT: Final = re.compile(
    r"(?:不得|不要|不能|不是|不用|请勿|勿|禁止|严禁|避免|而非|并非|非)\S{0,6}$"
)
_TURNED: Final = re.compile(r"(?:转换?|换算|转为|转成|纠偏|统一)(?:为|成|到|至)\S{0,4}$")
_HEADER: Final = re.compile(
    r"[\s_\-(\[【]*(?:"
    + "|".join(f"(?P<{d}>{words})" for d, words in _WORDS.items())
    + r")[\s_\-)\]】]*",
    re.IGNORECASE,
)


def told_datum(note: str) -> str | None:
    """Find the datum that a note says its coordinates are in.

    Parameters
    ----------
    note
        What stands above or below a table, or on another sheet.

    Returns
    -------
    str or None
        The datum; None when none is named, more than one is, or it is named to be avoided.

    Examples
    --------
    >>> told_datum("以上坐标由高德地图量取"), told_datum("坐标系：火星坐标（GCJ-02）")
    ('gcj02', 'gcj02')
    >>> told_datum("坐标请勿使用高德地图坐标"), told_datum("地址：高德大厦")
    (None, None)
    """
    plain = unicodedata.normalize("NFKC", note)
    if not _ABOUT_PLACE.search(plain):
        return None
    named: set[str] = set()
    turned: set[str] = set()
    for datum, words in _TOLD.items():
        for match in re.finditer(words, plain, re.IGNORECASE):
            before = plain[: match.start()]
            if _NOT.search(before):
                continue
            (turned if _TURNED.search(before) else named).add(datum)
    found = turned or named
    return found.pop() if len(found) == 1 else None


def datum_of_notes(notes: Sequence[str]) -> tuple[str | None, str]:
    """Find the datum that the notes around a table agree on.

    Parameters
    ----------
    notes
        What stands above and below a table, and on the sheets without one.

    Returns
    -------
    tuple of (str or None) and str
        The datum, None when the notes name none or several, and the first note that names one.
    """
    told = [(found, note) for note in notes if (found := told_datum(note)) is not None]
    if len({found for found, _ in told}) != 1:
        return None, told[0][1] if told else ""
    return told[0]


_CELL: Final = re.compile(r"^(?:经纬度|大地坐标|地理坐标|地理坐标系|经纬度坐标|默认)?$")


def datum_of_cell(entry: str) -> str | None:
    """Read the datum that a row gives for its own coordinates.

    Parameters
    ----------
    entry
        Such as ``GCJ02``, ``高德``, ``2000``.

    Returns
    -------
    str or None
        A datum, ``auto`` where the entry says nothing, None where it is not understood.

    Examples
    --------
    >>> [datum_of_cell(entry) for entry in ("GCJ02", "百度", "2000", "", "城建坐标")]
    ['gcj02', 'bd09', 'cgcs2000', 'auto', None]
    """
    plain = unicodedata.normalize("NFKC", entry).strip()
    if _CELL.match(plain):
        return "auto"
    found = [datum for datum, words in _TOLD.items() if re.search(words, plain, re.IGNORECASE)]
    if not found and re.fullmatch(r"2000|国家2000.*|2000.*系", plain):
        return "cgcs2000"
    if not found and re.fullmatch(r"84|GPS|WGS", plain, re.IGNORECASE):
        return "wgs84"
    return found[0] if len(found) == 1 else None


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
        The declared datum first, or WGS-84 where none is, which needs no conversion; then no
        datum, which beside a column of WGS-84 is likely another; then the others.
    """
    datum = split_datum(header)[1]
    if datum is None:
        return 0
    if datum == spec.datum or (spec.datum == "auto" and datum in ("wgs84", "cgcs2000")):
        return -1
    return 1 + DATUMS.index(datum)


_MERIDIAN: Final = re.compile(
    r"中央(?:子午线|经线|子午经线)\s*(?:为|是|[:：=])?\s*(?:东经|E)?\s*(\d{2,3})(?:\s*[°度º]\s*(?:(\d{1,2})\s*['′分])?)?"
    r"|(?:L0|central[ _]meridian)\s*[=:]?\s*(\d{2,3})",
    re.IGNORECASE,
)
_EPOCHS: Final = (
    (r"2000|cgcs", 4534, 4513),
    (r"80\s*坐标|西安\s*(?:19)?80|xi'?an", 2370, 2349),
    (r"54\s*坐标|北京\s*(?:19)?54|beijing", 2422, 2401),
)
"""Words of a datum, and the EPSG codes of its 3-degree zones: central meridian 75°, zone 25."""


def told_projection(said: Sequence[str], *, zone: int) -> tuple[str, bool, str] | None:
    """Take the projected CRS that notes beside a table tell by its central meridian.

    Parameters
    ----------
    said
        The notes.
    zone
        The zone number before the eastings; 0 when they have none.

    Returns
    -------
    tuple of str, bool and str, or None
        CRS, whether the datum is named too, and the note.

    Examples
    --------
    >>> told_projection(["2000国家大地坐标系，中央子午线117°"], zone=0)
    ('EPSG:4548', True, '2000国家大地坐标系，中央子午线117°')
    >>> told_projection(["西安80坐标系 中央经线：117度"], zone=39)[0]
    'EPSG:2363'
    """
    for note in said:
        plain = unicodedata.normalize("NFKC", str(note))
        if (found := _MERIDIAN.search(plain)) is None:
            continue
        degrees = int(found[1] or found[3]) + int(found[2] or 0) / 60.0
        if not 73.0 <= degrees <= 136.0:
            continue
        words = plain + " ".join(map(str, said))
        named = [codes for pattern, *codes in _EPOCHS if re.search(pattern, words, re.IGNORECASE)]
        if len(named) > 1:
            return None
        by_meridian, by_zone = named[0] if named else (4534, 4513)
        if degrees % 3.0 == 0.0 and 75.0 <= degrees <= 135.0:
            number = round(degrees / 3.0)
            if zone == 0:
                return f"EPSG:{by_meridian + number - 25}", bool(named), str(note)
            return (
                (f"EPSG:{by_zone + number - 25}", bool(named), str(note))
                if zone == number
                else None
            )
        if zone or by_meridian != 4534:
            return None
        local = f"+proj=tmerc +lat_0=0 +lon_0={degrees} +k=1 +x_0=500000 +ellps=GRS80 +units=m"
        return local, bool(named), str(note)
    return None


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


_BY_LINK: Final = (
    (r"(?:amap|gaode|autonavi)\.com", "gcj02", (
        (r"(?:position|lnglat|dest|from|to|location)=(-?\d+\.\d+),(-?\d+\.\d+)", "xy"),
        (r"[?&](?:p)=[^,&]*,(-?\d+\.\d+),(-?\d+\.\d+)", "yx"),
        (r"[?&](?:q)=(-?\d+\.\d+),(-?\d+\.\d+)", "yx"),
        (r"[?&](?:lng|lon)=(-?\d+\.\d+).*?[?&]lat=(-?\d+\.\d+)", "xy"),
        (r"[?&]lat=(-?\d+\.\d+).*?[?&](?:lng|lon)=(-?\d+\.\d+)", "yx"),
    )),
    (r"map\.baidu\.com|baidumap", "bd09", (
        (r"(?:location|latlng|center|destination|origin)=(?:latlng:)?(-?\d+\.\d+),(-?\d+\.\d+)",
         "yx"),
    )),
    (r"map\.qq\.com|qqmap", "gcj02", (
        (r"coord:(-?\d+\.\d+),(-?\d+\.\d+)", "yx"),
        (r"(?:center|tocoord|fromcoord|location)=(-?\d+\.\d+),(-?\d+\.\d+)", "yx"),
        (r"pointx=(-?\d+\.\d+).*?pointy=(-?\d+\.\d+)", "xy"),
    )),
    (r"tianditu", "wgs84", ((r"(?:center|location|lnglat)=(-?\d+\.\d+),(-?\d+\.\d+)", "xy"),)),
    (r"google\.|goo\.gl/maps|openstreetmap|^geo:", "auto", (
        (r"!3d(-?\d+\.\d+)!4d(-?\d+\.\d+)", "yx"),
        (r"@(-?\d+\.\d+),(-?\d+\.\d+)", "yx"),
        (r"(?:[?&](?:q|ll|query|center)=|^geo:)(-?\d+\.\d+),(-?\d+\.\d+)", "yx"),
        (r"mlat=(-?\d+\.\d+)&mlon=(-?\d+\.\d+)", "yx"),
        (r"#map=[\d.]+/(-?\d+\.\d+)/(-?\d+\.\d+)", "yx"),
    )),
)  # fmt: skip
"""Map services, the datum of their links, and where the links have the place."""
_OWN_DATUM: Final = {"wgs84": "wgs84", "wgs84ll": "wgs84", "gcj02": "gcj02", "gcj02ll": "gcj02",
                     "gaode": "gcj02", "bd09ll": "bd09", "bd09": "bd09"}  # fmt: skip
_LINK: Final = re.compile(
    r"https?://\S+|(?:amap|baidumap|qqmap|geo|androidamap|iosamap):\S+", re.IGNORECASE
)


def is_link(cell: object) -> bool:
    """Tell whether a cell holds a link, as map programs share places.

    Parameters
    ----------
    cell
        What stands in the cell.

    Returns
    -------
    bool
        True for an address of the web, or of a map program.
    """
    return isinstance(cell, str) and _LINK.search(cell) is not None


def read_link(cell: object) -> tuple[float, float, str] | None:
    """Read the place out of a link that a map program shares.

    Parameters
    ----------
    cell
        What stands in the cell.

    Returns
    -------
    tuple of float, float and str, or None
        Longitude, latitude and datum (``auto`` where the service does not tell); None where the
        link holds no place, as a short one does.

    Examples
    --------
    >>> read_link("https://uri.amap.com/marker?position=117.0261,36.6505&name=x")
    (117.0261, 36.6505, 'gcj02')
    >>> read_link("http://api.map.baidu.com/marker?location=36.65,117.04&coord_type=gcj02")
    (117.04, 36.65, 'gcj02')
    >>> read_link("https://j.map.baidu.com/3f/abc") is None
    True
    """
    if not isinstance(cell, str) or (found := _LINK.search(cell)) is None:
        return None
    link = unquote(found[0])
    for service, datum, ways in _BY_LINK:
        if not re.search(service, link, re.IGNORECASE):
            continue
        said = re.search(r"(?:coord_type|coordinate|coordtype)=(\w+)", link, re.IGNORECASE)
        own = _OWN_DATUM.get(said[1].lower(), datum) if said else datum
        for pattern, order in ways:
            if match := re.search(pattern, link, re.IGNORECASE):
                one, two = float(match[1]), float(match[2])
                lon, lat = (one, two) if order == "xy" else (two, one)
                if abs(lat) <= 90.0 and abs(lon) <= 180.0:
                    return lon, lat, own
    return None
