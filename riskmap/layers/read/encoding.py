"""Text of unknown encoding: the reading that looks most like writing, bad bytes counted."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from riskmap.i18n import text
from riskmap.layers.layer import Remark, row_list, unusable

CODECS: Final = ("utf-8", "gb18030", "big5hkscs")
"""Tried in this order; the earlier one wins a tie."""
BAD: Final = "\ufffd"
_SAMPLE: Final = 200_000
"""Bytes that are looked at to tell encodings apart."""
_COST: Final = 3.0
"""A byte that cannot be read weighs as much as three common characters."""
_CERTAIN: Final = 0.2
"""The least mean plausibility of a text in a Western code page [1]."""
_TELLING: Final = re.compile(rb"[\xe3-\xe9\xef][\x80-\xbf]{2}[\xe3-\xe9\xef][\x80-\xbf]{2}")


@dataclass(frozen=True)
class Decoded:
    """A text, how it was read and what of it could not be."""

    body: str
    encoding: str
    bad: int = 0
    """Number of places that hold bytes of no character."""
    bad_lines: tuple[int, ...] = ()
    mixed: tuple[int, ...] = ()
    """Lines that are written in another encoding than the rest."""

    def remarks(self) -> list[Remark]:
        """Say what a user must know of the encoding.

        Returns
        -------
        list of Remark
            Empty when all bytes were read in one encoding.
        """
        out = []
        if self.bad:
            out.append(bad_bytes(self.encoding, self.bad, self.bad_lines))
        if self.mixed:
            said = text(
                "the file is in {encoding}, but lines {rows} are in another encoding; "
                "each was read in its own",
                encoding=self.encoding.upper(),
                rows=row_list(self.mixed),
            )
            out.append(Remark("mixed_encoding", said, text("save the whole file as UTF-8")))
        return out


def bad_bytes(encoding: str, count: int, rows: tuple[int, ...] = ()) -> Remark:
    """Say that some bytes are no characters.

    Parameters
    ----------
    encoding
        How the rest was read.
    count
        Number of places.
    rows
        Lines or rows that hold them, where they are known.

    Returns
    -------
    Remark
        Of rule ``bad_bytes``.
    """
    if rows:
        said = text(
            "read as {encoding}; bytes at {n} places are no characters and show as {sign} "
            "(lines {rows})",
            encoding=encoding.upper(),
            n=count,
            sign=BAD,
            rows=row_list(rows),
        )
    else:
        said = text(
            "read as {encoding}; bytes at {n} places are no characters and show as {sign}",
            encoding=encoding.upper(),
            n=count,
            sign=BAD,
        )
    return Remark("bad_bytes", said, text("mend these cells by hand, or send the file again"))


@cache
def _weight(character: str) -> float:
    """Say how likely a character stands in an office's text."""
    code = ord(character)
    if character == BAD:
        return -_COST
    if 0x4E00 <= code <= 0x9FFF:
        for codec, low, high, weight in (
            ("gb2312", 0xB0, 0xD7, 1.0),
            ("big5", 0xA4, 0xC6, 0.9),
            ("gb2312", 0xD8, 0xF7, 0.2),
        ):
            try:
                lead = character.encode(codec)[0]
            except UnicodeEncodeError:
                continue
            if low <= lead <= high:
                return weight
        return -0.6
    if 0x3000 <= code <= 0x301F or 0xFF01 <= code <= 0xFF5E or 0x2010 <= code <= 0x203B:
        return 0.5
    if character in "°′″㎡㎥·×²³℃№①②③④⑤⑥⑦⑧⑨ⅠⅡⅢⅣⅤ①〇≥≤～－\ufeff\u200b":
        return 0.4
    return -0.5 if code < 0x3000 or code >= 0xE000 else -0.3


def plausibility(written: str) -> float:
    """Say how much a text looks like what offices write.

    Parameters
    ----------
    written
        The text.

    Returns
    -------
    float
        Mean over its characters outside ASCII: about 1 for common Chinese, below 0.2 for text
        read in the wrong encoding; 1 when all is ASCII.

    Examples
    --------
    >>> plausibility("积水点") > 0.9, plausibility("绉按鐐") < 0.5
    (True, True)
    """
    wide = [c for c in written[:_SAMPLE] if ord(c) > 0x7F]
    return sum(map(_weight, wide)) / len(wide) if wide else 1.0


def _tolerant(content: bytes, codec: str) -> str:
    return content.decode(codec, errors="replace")


def best_codec(blob: bytes, codecs_tried: tuple[str, ...] = CODECS) -> str:
    """Choose the encoding in which bytes look most like writing.

    Parameters
    ----------
    blob
        The bytes; long ones are judged by a sample.
    codecs_tried
        The encodings to choose from; an earlier one wins a tie.

    Returns
    -------
    str
        The codec.

    Examples
    --------
    >>> best_codec("一号桥".encode("gbk")), best_codec("一号桥".encode())
    ('gb18030', 'utf-8')
    """
    if blob.isascii():
        return "utf-8"
    try:
        if _TELLING.search(blob) and blob.decode("utf-8"):
            return "utf-8"
    except UnicodeDecodeError:
        pass
    sample = _sample(blob)
    scores = {
        codec: plausibility(re.sub(BAD + "+", BAD, _tolerant(sample, codec)))
        for codec in codecs_tried
    }
    return max(codecs_tried, key=lambda codec: scores[codec])


def _sample(blob: bytes) -> bytes:
    """Join the lines that hold other bytes than ASCII, as many as need be."""
    if len(blob) <= _SAMPLE:
        return blob
    out, size = [], 0
    for line in blob.splitlines():
        if not line.isascii():
            out.append(line)
            size += len(line)
            if size > _SAMPLE:
                break
    return b"\n".join(out)[: 2 * _SAMPLE]


def known_codec(name: str) -> str | None:
    """Find Python's codec for a name as files and people write it.

    Parameters
    ----------
    name
        Such as ``ANSI 936``, ``GBK`` or ``65001``.

    Returns
    -------
    str or None
        The codec; GBK and GB2312 as the GB18030 that holds them.

    Examples
    --------
    >>> known_codec("ANSI 936"), known_codec("utf8"), known_codec("?")
    ('gb18030', 'utf-8', None)
    """
    plain = name.strip().casefold().replace("ansi ", "cp").replace(" ", "")
    same = {
        **dict.fromkeys(("936", "cp936", "gbk", "gb2312", "gb", "ansi"), "gb18030"),
        **dict.fromkeys(("65001", "cp65001", "utf8", "utf-8-sig", "unicode"), "utf-8"),
        **dict.fromkeys(("950", "cp950", "big5", "big5-hkscs"), "big5hkscs"),
    }
    plain = same.get(plain, plain)
    for candidate in (plain, f"cp{plain}"):
        try:
            return codecs.lookup(candidate).name
        except LookupError:
            continue
    return None


def decode(content: bytes, encoding: str | None) -> Decoded:
    """Decode a text file of unknown encoding.

    Looked at are the byte order mark, UTF-16 without one, and which of UTF-8, GB18030 (which
    holds GBK and GB2312) and Big5 gives the text that looks most like writing. One bad byte does
    not turn a file into another encoding: it is counted and told. Lines in another encoding than
    the rest are read in their own.

    Parameters
    ----------
    content
        The bytes.
    encoding
        The declared encoding, which is then the only one tried, or None.

    Returns
    -------
    Decoded
        The text and the encoding found.

    Raises
    ------
    LayerError
        When the declared encoding does not fit, or none does.

    Examples
    --------
    >>> decode("水深".encode("gbk"), None).encoding
    'gb18030'
    >>> cut = decode("名称,甲桥".encode()[:-1], None)
    >>> cut.encoding, cut.bad, cut.body
    ('utf-8', 1, '名称,甲\ufffd')
    """
    marked = _marked(content)
    if encoding is None and marked is not None:
        return _finish(content, marked)
    named = known_codec(encoding) if encoding else None
    if encoding and named is None:
        raise _unfit(encoding)
    if named is None and (body := _of_seven_bits(content)):
        return Decoded(body, "hz")
    codec = named or best_codec(content)
    try:
        done = content.decode(codec).removeprefix("\ufeff")
    except UnicodeDecodeError:
        return _repair(content, codec, declared=named is not None)
    if named is None and codec == "gb18030" and _TELLING.search(content):
        return _by_lines(content, codec)
    if named is None and plausibility(done) < _CERTAIN and _western(content):
        return Decoded(content.decode("cp1252", errors="replace"), "cp1252")
    return Decoded(done, codec)


_HZ: Final = re.compile(rb"~\{(?:[\x21-\x77][\x21-\x7e])+~\}")


def _of_seven_bits(content: bytes) -> str:
    """Read HZ, Chinese between ``~{`` and ``~}`` in ASCII alone; blank where it is not that."""
    if not content.isascii() or not _HZ.search(content[:_SAMPLE]):
        return ""
    try:
        body = content.decode("hz")
    except UnicodeDecodeError:
        return ""
    return body if plausibility(body) > _CERTAIN else ""


def _marked(content: bytes) -> str | None:
    if content.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    head = content[:4096]
    if head[1::2].count(0) > len(head) // 8:
        return "utf-16-le"
    if head[::2].count(0) > len(head) // 8:
        return "utf-16-be"
    return None


def _finish(content: bytes, codec: str) -> Decoded:
    """Decode bytes whose encoding their own mark tells."""
    try:
        return Decoded(content.decode(codec).removeprefix("\ufeff"), codec)
    except UnicodeDecodeError:
        if codec == "utf-8-sig":
            return _repair(content[3:], "utf-8", declared=False)
        body = _tolerant(content, codec).removeprefix("\ufeff")
        bad = len(re.findall(BAD + "+", body))
        if plausibility(body) < _CERTAIN:
            raise _unfit(codec) from None
        return Decoded(body, codec, bad, _lines_of(body))


def _repair(content: bytes, codec: str, *, declared: bool) -> Decoded:
    """Decode bytes that do not fit their encoding everywhere."""
    found = Decoded(_tolerant(content, codec), codec) if declared else _by_lines(content, codec)
    lines = found.bad_lines or _lines_of(found.body)
    bad = found.bad or found.body.count(BAD)
    wide = sum(1 for character in found.body[: 4 * _SAMPLE] if ord(character) > 0x7F)
    if declared and bad > max(3, wide // 20):
        raise _unfit(codec)
    if plausibility(found.body) < _CERTAIN and bad > 3:
        if not declared and _western(content):
            return Decoded(content.decode("cp1252", errors="replace"), "cp1252")
        raise _unfit(", ".join(CODECS))
    return Decoded(found.body, codec, bad, tuple(lines), found.mixed)


def _western(content: bytes) -> bool:
    """Tell whether bytes look like Western text with some accented letters."""
    wide = sum(1 for byte in content[:_SAMPLE] if byte > 0x7F)
    letters = sum(1 for byte in content[:_SAMPLE] if chr(byte).isalpha() and byte < 0x80)
    return letters > 8 * wide


def _lines_of(body: str) -> tuple[int, ...]:
    return tuple(n for n, line in enumerate(body.split("\n"), start=1) if BAD in line)


def _by_lines(content: bytes, codec: str) -> Decoded:
    """Decode line by line; one that reads better in another encoding is read in that."""
    out: list[str] = []
    bad, wrong, mixed = 0, [], []
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.isascii():
            out.append(line.decode("ascii"))
            continue
        body = _tolerant(line, codec)
        if BAD not in body and not _TELLING.search(line):
            out.append(body)
            continue
        score = plausibility(body)
        for other in CODECS:
            if other == codec:
                continue
            try:
                tried = line.decode(other)
            except UnicodeDecodeError:
                continue
            if plausibility(tried) > max(score + 0.3, 0.5):
                body, score = tried, plausibility(tried)
                mixed.append(number)
                break
        if BAD in body:
            bad += len(re.findall(BAD + "+", body))
            wrong.append(number)
        out.append(body)
    whole = "\n".join(out).removeprefix("\ufeff")
    return Decoded(whole, codec, bad, tuple(wrong), tuple(mixed))


def _unfit(tried: str) -> Exception:
    return unusable(
        "encoding",
        text("the text is not written in {encodings}", encodings=tried),
        text("save the file as UTF-8 CSV, or declare its encoding in the project file"),
    )
