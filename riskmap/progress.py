"""Progress and messages on stderr: a moving bar on a terminal, a line a stage with ``-v``."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress

    from riskmap.i18n import Text

T = TypeVar("T")

QUIET, NORMAL, VERBOSE = -1, 0, 1
_loudness: ContextVar[int] = ContextVar("loudness", default=NORMAL)
_bar: ContextVar[Progress | None] = ContextVar("bar", default=None)


@contextmanager
def loudness(level: int) -> Iterator[None]:
    """Say less or more inside a ``with`` block.

    Parameters
    ----------
    level
        -1: errors alone; 0: a moving bar on a terminal; 1: also one line a stage where stderr is
        no terminal.

    Yields
    ------
    None
        Nothing.
    """
    token = _loudness.set(level)
    try:
        yield
    finally:
        _loudness.reset(token)


def _moving_bar() -> Progress:
    """Make a bar that shows a stage with count, share, time so far and time left."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        SpinnerColumn("line"),  # plain characters, so that a console in GBK can show them
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True, markup=False, highlight=False)
    return Progress(*columns, console=console, transient=True)


@contextmanager
def stage(name: Text) -> Iterator[None]:
    """Say on stderr which stage runs and how long it took.

    Parameters
    ----------
    name
        The stage, as the user knows it.

    Yields
    ------
    None
        Nothing.
    """
    level = _loudness.get()
    live = sys.stderr.isatty() and level > QUIET
    started = time.perf_counter()
    if live:
        with _moving_bar() as bar:
            bar.add_task(str(name), total=None)
            token = _bar.set(bar)
            try:
                yield
            finally:
                _bar.reset(token)
    else:
        yield
    if live or level >= VERBOSE:
        say(f"{name}  {time.perf_counter() - started:.1f} s")


def counted(items: Iterable[T], what: Text | str, *, total: int | None = None) -> Iterator[T]:
    """Show how many of some items are done while they are gone through.

    Parameters
    ----------
    items
        What is worked through: files, scenarios, sheets, draws.
    what
        What they are, as the user knows it.
    total
        Their number, where the iterable does not know it.

    Yields
    ------
    object
        The items, unchanged.

    Examples
    --------
    >>> list(counted("ab", "letters"))
    ['a', 'b']
    """
    bar = _bar.get()
    if bar is None:
        yield from items
        return
    number = len(items) if isinstance(items, Sized) else total
    task = bar.add_task(f"  {what}", total=number)
    try:
        for item in items:
            yield item
            bar.advance(task)
    finally:
        bar.remove_task(task)


def say(message: Text | str) -> None:
    """Print one message on stderr.

    Parameters
    ----------
    message
        What to say.
    """
    print(message, file=sys.stderr)  # noqa: T201
