"""Charts of an index for the report, as SVG; no display is needed."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import pandas as pd

from riskmap.i18n import current_language, text
from riskmap.vocabulary.marks import level_colours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskmap.index.steps import Index

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
    >>> class_colours(4) == level_colours(), len(class_colours(5))
    (True, 5)
    """
    known = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in level_colours()])
    at = np.linspace(0, len(known) - 1, max(k, 1))
    mixed = np.array([np.interp(at, range(len(known)), known[:, i]) for i in range(3)]).T
    return tuple("#" + "".join(f"{round(v):02x}" for v in row) for row in mixed)


TOP: Final = 54.0
PLOT: Final = 520.0
MOST: Final = 60
"""Units shown at most: the worst ones."""


def label(meta: pd.DataFrame, code: str) -> str:
    """Return the name of a code in the current language.

    Parameters
    ----------
    meta
        The indicator table.
    code
        The code.

    Returns
    -------
    str
        Its name, or the code itself.
    """
    column = f"name_{current_language()}"
    name = meta[column].get(code) if column in meta else None
    return str(name) if isinstance(name, str) and name else code


def _rows(names: list[str], title: object, *, extra: float = 0.0) -> tuple[Sheet, float]:
    """Start a sheet with one named row per entry; return it and the left edge of the plot."""
    shown = [shorten(name) for name in names]
    left = 24 + words_width(shown)
    sheet = Sheet(left + PLOT + 40 + extra, TOP + ROW * len(names) + 34, str(title))
    for place, name in enumerate(shown):
        sheet.text(left - 8, TOP + ROW * place + 14, name, anchor="end")
    return sheet, left


def _axis(sheet: Sheet, left: float, low: float, high: float, ticks: int = 5) -> None:
    """Draw faint upright lines with their values."""
    bottom = sheet.height - 30
    for step in range(ticks + 1):
        x = left + PLOT * step / ticks
        sheet.line(x, TOP - 4, x, bottom)
        value = low + (high - low) * step / ticks
        sheet.text(x, bottom + 15, f"{value:.3g}", size=10, anchor="middle")


def ranking(table: pd.DataFrame) -> str:
    """Draw the rank of the worst units with its interval from 5 to 95 %.

    Parameters
    ----------
    table
        As returned by `stress.uncertainty`.

    Returns
    -------
    str
        SVG.
    """
    shown = table.sort_values(["rank", "score"], kind="stable").head(MOST)
    sheet, left = _rows(
        [str(u) for u in shown.index], text("Ranks and where 90 of 100 draws put them")
    )
    high = float(max(shown["rank_q95"].max(), shown["rank"].max(), 2))
    _axis(sheet, left, 1, high)
    scale = PLOT / max(high - 1, 1)
    wanted = ["rank", "rank_q05", "rank_q95"]
    ranks = shown[wanted].astype(float).to_numpy(dtype=float)
    for place, (rank, lowest, highest) in enumerate(ranks):
        y = TOP + ROW * place + 10
        if np.isnan(rank):
            continue
        ends = (left + (lowest - 1) * scale, left + (highest - 1) * scale)
        sheet.line(ends[0], y, ends[1], y, SERIES[0], 3)
        sheet.dot(left + (rank - 1) * scale, y, 4, INK)
    return sheet.render()


def contribution_bars(index: Index) -> str:
    """Draw where the scores of the worst units come from.

    Parameters
    ----------
    index
        A computed index.

    Returns
    -------
    str
        SVG.
    """
    root = index.scores.columns[0]
    order = index.scores[root].sort_values(ascending=False, kind="stable").dropna().head(MOST).index
    shown = index.contributions.loc[order]
    sheet, left = _rows([str(u) for u in order], text("Where the scores come from"))
    highest = float(shown.clip(lower=0).sum(axis=1).max()) if len(shown) else 1.0
    _axis(sheet, left, 0, highest or 1.0)
    x = left
    for place, code in enumerate(shown.columns):
        name = label(index.meta, str(code))
        sheet.box(x, 34, 10, 10, SERIES[place % len(SERIES)])
        sheet.text(x + 14, 43, name, size=11)
        x += 26 + words_width([name], 11)
    sheet.width = max(sheet.width, x + 12)
    for place, (_, row) in enumerate(shown.iterrows()):
        x = left
        for number, code in enumerate(shown.columns):
            part = max(float(row[code]), 0.0) / (highest or 1.0) * PLOT
            hint = f"{label(index.meta, str(code))} {row[code]:.4g}"
            sheet.box(x, TOP + ROW * place + 3, part, 14, SERIES[number % len(SERIES)], hint)
            x += part
    return sheet.render()


def class_stability(table: pd.DataFrame) -> str:
    """Draw the probability of each class of the worst units.

    Parameters
    ----------
    table
        As returned by `stress.uncertainty`, with classes.

    Returns
    -------
    str
        SVG.
    """
    shown = table.sort_values(["rank", "score"], kind="stable").head(MOST)
    names = [column for column in table if str(column).startswith("p_class_")]
    sheet, left = _rows([str(u) for u in shown.index], text("Probability of each class"), extra=30)
    _axis(sheet, left, 0, 100)
    colours = class_colours(len(names))
    for place, row in enumerate(shown[names].to_numpy(dtype=float)):
        x = left
        for number, chance in enumerate(row):
            if not chance > 0:
                continue
            sheet.box(
                x,
                TOP + ROW * place + 3,
                chance * PLOT,
                14,
                colours[number % len(colours)],
                f"{chance:.0%}",
            )
            x += chance * PLOT
        if shown["borderline"].iloc[place]:
            sheet.text(left + PLOT + 8, TOP + ROW * place + 14, str(text("borderline")), size=11)
    return sheet.render()


def correlation_map(index: Index) -> str:
    """Draw the correlations among indicators and groups.

    Parameters
    ----------
    index
        A computed index.

    Returns
    -------
    str
        SVG.
    """
    frame = pd.concat([index.stages["normalised"], index.scores], axis=1)
    codes = [c for c in index.meta.index if c in frame]
    every = frame[codes].to_numpy(dtype=float)
    ordered = every[~np.isnan(every).any(axis=1)]
    constant = np.ptp(ordered, axis=0) == 0 if len(ordered) else np.ones(len(codes), dtype=bool)
    found = np.full((len(codes), len(codes)), np.nan)
    varied = np.flatnonzero(~constant)
    if len(varied) and len(ordered) > 1:
        found[np.ix_(varied, varied)] = np.atleast_2d(np.corrcoef(ordered[:, varied], rowvar=False))
    size = 26.0
    names = [shorten(label(index.meta, str(code))) for code in codes]
    left = 40 + words_width(names)
    side = left + size * len(codes) + 20
    sheet = Sheet(max(side, 320), TOP + size * len(codes) + 40, str(text("Correlations")))
    bottom = TOP + size * len(codes) + 16
    for i, name in enumerate(names):
        sheet.text(left - 8, TOP + size * i + 17, f"{i + 1}. {name}", anchor="end")
        sheet.text(left + size * i + 13, bottom, str(i + 1), size=10, anchor="middle")
        for j, value in enumerate(found[i]):
            hint = f"{name} / {names[j]}: {value:.2f}"
            sheet.box(left + size * j, TOP + size * i, size - 1, size - 1, ramp(float(value)), hint)
            if value == value:
                fill = "#fff" if abs(value) > 0.6 else INK
                x, y, shown = left + size * j + 12.5, TOP + size * i + 16, round(value, 1) + 0.0
                sheet.text(x, y, f"{shown:.1f}", size=9, anchor="middle", fill=fill)
    return sheet.render()


def sobol_bars(table: pd.DataFrame, meta: pd.DataFrame) -> str:
    """Draw the first and total Sobol indices of each factor.

    Parameters
    ----------
    table
        As returned by `stress.sensitivity`.
    meta
        The indicator table, for the names of groups.

    Returns
    -------
    str
        SVG.
    """
    names = [factor_label(str(name), meta) for name in table.index]
    sheet, left = _rows(names, text("Which choice moves the ranks (Sobol indices)"))
    _axis(sheet, left, 0, 1)
    for place, (first, total) in enumerate(table[["first", "total"]].to_numpy(dtype=float)):
        y = TOP + ROW * place
        sheet.box(left, y + 2, min(max(total, 0), 1) * PLOT, 16, FAINT, f"{total:.3f}")
        sheet.box(left, y + 5, min(max(first, 0), 1) * PLOT, 10, SERIES[0], f"{first:.3f}")
    legend = f"■ {text('alone')}   □ {text('with interactions')}"
    sheet.text(left, 43, legend, size=11)
    return sheet.render()


def factor_label(name: str, meta: pd.DataFrame) -> str:
    """Name a factor of the stress test in the current language.

    Parameters
    ----------
    name
        ``normalise``, ``treat``, ``impute``, ``aggregate`` or ``weights:GROUP``.
    meta
        The indicator table.

    Returns
    -------
    str
        Its name.
    """
    kind, _, group = name.partition(":")
    if kind == "weights":
        return str(text("weights in {group}", group=label(meta, group)))
    names = {
        "normalise": text("normalisation"),
        "treat": text("treatment of outliers"),
        "impute": text("imputation"),
        "aggregate": text("aggregation"),
    }
    return str(names.get(kind, kind))


def all_charts(index: Index, table: pd.DataFrame, sobol: pd.DataFrame | None) -> dict[str, str]:
    """Draw every chart that the results allow.

    Parameters
    ----------
    index
        A computed index.
    table
        As returned by `stress.uncertainty`.
    sobol
        As returned by `stress.sensitivity`, or None.

    Returns
    -------
    dict
        File name to SVG.
    """
    found = {
        "contributions.svg": contribution_bars(index),
        "correlations.svg": correlation_map(index),
    }
    if "rank_q05" in table:
        found["ranking.svg"] = ranking(table)
    if "borderline" in table:
        found["classes.svg"] = class_stability(table)
    if sobol is not None and len(sobol):
        found["sobol.svg"] = sobol_bars(sobol, index.meta)
    return found
