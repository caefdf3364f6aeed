"""A small SVG writer: bars, lines and texts on a white sheet."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from riskmap.columns import CLASS_COLOURS

FONT: Final = "'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','PingFang SC',sans-serif"
INK: Final = "#22303c"
FAINT: Final = "#d8dee4"
ROW: Final = 20.0
SERIES: Final = (
    "#2f6db5",
    "#e08a1e",
    "#3a9d6e",
    "#a8497b",
    "#7d6bc4",
    "#8a8f99",
    "#c9b037",
    "#4fb0c6",
)


@dataclass
class Sheet:
    """Shapes collected on one sheet; lengths in pixels."""

    width: float
    height: float
    title: str
    shapes: list[str] = field(default_factory=list)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = 12,
        anchor: str = "start",
        fill: str = INK,
    ) -> None:
        """Write words.

        Parameters
        ----------
        x, y
            Where the baseline begins, ends or has its middle, by ``anchor`` [px].
        words
            What to write; escaped here.
        size
            Height of the font [px].
        anchor
            ``start``, ``middle`` or ``end``.
        fill
            Colour.
        """
        self.shapes.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}" '
            f'fill="{fill}">{escape(words)}</text>'
        )

    def box(
        self, x: float, y: float, width: float, height: float, fill: str, hint: str = ""
    ) -> None:
        """Draw a filled rectangle.

        Parameters
        ----------
        x, y
            Upper left corner [px].
        width, height
            Size [px]; a negative width is drawn as 0.
        fill
            Colour.
        hint
            Words shown on pointing; none when empty.
        """
        inner = f"<title>{escape(hint)}</title>" if hint else ""
        self.shapes.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}" '
            f'fill="{fill}">{inner}</rect>'
        )

    def line(
        self, x1: float, y1: float, x2: float, y2: float, stroke: str = FAINT, width: float = 1
    ) -> None:
        """Draw a straight line.

        Parameters
        ----------
        x1, y1
            Where it begins [px].
        x2, y2
            Where it ends [px].
        stroke
            Colour.
        width
            Thickness [px].
        """
        self.shapes.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{stroke}" stroke-width="{width:g}"/>'
        )

    def dot(self, x: float, y: float, radius: float, fill: str) -> None:
        """Draw a filled circle.

        Parameters
        ----------
        x, y
            Middle [px].
        radius
            Radius [px].
        fill
            Colour.
        """
        self.shapes.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}"/>')

    def render(self) -> str:
        """Give the sheet as one SVG document.

        Returns
        -------
        str
            The document, its title among the shapes and as the label for readers of the screen.
        """
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:.0f}" '
            f'height="{self.height:.0f}" viewBox="0 0 {self.width:.0f} {self.height:.0f}" '
            f'font-family="{escape(FONT, {chr(34): "&quot;"})}" role="img" '
            f"aria-label={quoteattr(self.title)}>"
        )
        white = f'<rect width="{self.width:.0f}" height="{self.height:.0f}" fill="#fff"/>'
        title = (
            f'<text x="12" y="24" font-size="15" font-weight="600" fill="{INK}">'
            f"{escape(self.title)}</text>"
        )
        return "\n".join([head, white, title, *self.shapes, "</svg>", ""])


def words_width(words: Sequence[str], size: float = 12) -> float:
    """Estimate the width of the widest text; a Chinese character is as wide as it is high.

    Parameters
    ----------
    words
        Texts.
    size
        Font size [px].

    Returns
    -------
    float
        Pixels.

    Examples
    --------
    >>> words_width(["ab", "风险"], 10)
    20.0
    """
    wide = ("W", "F")
    widths = [
        sum(1.0 if unicodedata.east_asian_width(letter) in wide else 0.6 for letter in word)
        for word in words
    ]
    return max(widths, default=0.0) * size


def shorten(word: str, letters: int = 18) -> str:
    """Cut a long name, saying so.

    Parameters
    ----------
    word
        A name.
    letters
        Longest length.

    Returns
    -------
    str
        The name, or its start and an ellipsis.
    """
    return word if len(word) <= letters else f"{word[: letters - 1]}…"


def ramp(share: float) -> str:
    """Colour a value of -1..1 from blue over white to red.

    Parameters
    ----------
    share
        The value.

    Returns
    -------
    str
        A colour; grey when unknown.

    Examples
    --------
    >>> ramp(0.0), ramp(1.0), ramp(float("nan"))
    ('#ffffff', '#b2182b', '#eeeeee')
    """
    if share != share:
        return "#eeeeee"
    end = (178, 24, 43) if share >= 0 else (33, 102, 172)
    part = min(abs(share), 1.0)
    return "#" + "".join(f"{round(255 + (c - 255) * part):02x}" for c in end)


def class_colours(k: int) -> tuple[str, ...]:
    """Spread the four class colours over k classes.

    Parameters
    ----------
    k
        Number of classes.

    Returns
    -------
    tuple of str
        From low to high.

    Examples
    --------
    >>> class_colours(4) == CLASS_COLOURS, len(class_colours(5))
    (True, 5)
    """
    known = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in CLASS_COLOURS])
    at = np.linspace(0, len(known) - 1, max(k, 1))
    mixed = np.array([np.interp(at, range(len(known)), known[:, i]) for i in range(3)]).T
    return tuple("#" + "".join(f"{round(v):02x}" for v in row) for row in mixed)
