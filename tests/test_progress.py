"""The moving bar: on a terminal it counts and leaves what it counts alone."""

import io

import pytest

from riskmap import progress
from riskmap.i18n import language, text


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_sees_the_stage_with_its_time(monkeypatch):
    shown = Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    with language("en"), progress.stage(text("layers")):
        assert list(progress.counted([1, 2, 3], text("files"))) == [1, 2, 3]
    last = shown.getvalue().splitlines()[-1]
    assert "layers" in last
    assert last.endswith(" s")


def test_quiet_says_nothing_even_on_a_terminal(monkeypatch):
    shown = Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    with progress.loudness(progress.QUIET), progress.stage(text("layers")):
        assert list(progress.counted(iter("ab"), "letters", total=2)) == ["a", "b"]
    assert shown.getvalue() == ""


def test_a_stage_that_fails_passes_its_error_on(monkeypatch):
    monkeypatch.setattr("sys.stderr", Terminal())
    with pytest.raises(ZeroDivisionError), progress.stage(text("layers")):
        max(1 / n for n in progress.counted([0], "x"))
    assert progress._bar.get() is None
