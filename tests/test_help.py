"""Help and usage errors speak Chinese to the end, and English when asked."""

import re

import pytest
import typer

from riskmap.cli import app as application
from riskmap.cli.app import _columns, help_text, parser_words, speak
from riskmap.i18n import language
from riskmap.i18n import text as message

WORDS = re.compile(r"[A-Za-z]{4,}(?: [a-z]{2,}){2,}")
"""Three English words in a row."""


def contexts():
    command = typer.main.get_command(application.app)

    def walk(one, path, parent):
        context = typer.Context(one, info_name=path.split()[-1], parent=parent)
        yield path, one, context
        for name, below in getattr(one, "commands", {}).items():
            yield from walk(below, f"{path} {name}", context)

    return list(walk(command, "riskmap", None))


def texts():
    for path, command, context in contexts():
        yield path, command.help
        for param in command.get_params(context):
            if getattr(param, "help", None):
                yield f"{path} {param.name}", param.help


def test_every_help_has_its_chinese():
    with language("zh"):
        lacking = {
            (where, said) for where, said in texts() if said
            and str(message(" ".join(said.split()))) == " ".join(said.split())
            and not re.search("[\u4e00-\u9fff]", said)
        }  # fmt: skip
    # names of things alone need no Chinese
    assert {where for where, said in lacking if WORDS.search(said)} == set()


def test_pages_of_help_are_chinese_and_fit_the_screen():
    for path, command, context in contexts():
        with language("zh"):
            page = help_text(command, context)
        assert page.startswith(f"用法：{path}")
        for line in page.splitlines():
            assert _columns(line) <= 100, line
            assert line.startswith("用法") or not WORDS.search(line), line
        with language("en"):
            assert help_text(command, context).startswith(f"Usage: {path} [OPTIONS]")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["locate", "mclp", "--cost", "x.csv", "--p", "abc"], "整数"),
        (["locate", "mclp", "--cost", "x.csv", "--radius", "abc"], "数字"),
        (["locate", "mclp", "--cost", "x.csv", "--radius", "-1"], "--radius"),
        (["run"], "缺少 project"),
        (["run", "a", "--nope"], "没有选项 --nope"),
        (["run", "a", "--ou", "x"], "--out"),
        (["run", "a", "--out"], "要写值"),
        (["run", "a", "b"], "多写了"),
        (["runn"], "没有命令 runn"),
        (["template", "refuge"], "缺少选项 --out"),
        (["run", "a", "--json=3"], "不写值"),
        (["control", "nothing"], "没有命令 nothing"),
        (["template", "无此图层", "--out", "x.xlsx"], "避难场所"),
        (["explain"], "缺少 code"),
        (["new"], "缺少 folder"),
        (["run", "a", "--up-to", "moon"], "moon"),
    ],
)
def test_usage_errors_are_said_in_chinese(words, said, capsys):
    with pytest.raises(SystemExit) as end:
        application.main(words)
    err = capsys.readouterr().err
    assert end.value.code == 2
    assert said in err
    assert not WORDS.search(err), err


def test_english_is_spoken_when_asked(capsys, monkeypatch):
    monkeypatch.setenv("RISKMAP_LANG", "en")
    with pytest.raises(SystemExit):
        application.main(["runn"])
    assert "there is no command runn" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        application.main(["check", "--help"])
    assert "The project file" in capsys.readouterr().out


def test_rare_complaints_stay_as_they_are():
    assert parser_words("something quite new") == "something quite new"


def test_a_role_may_be_named_in_chinese(tmp_path):
    with pytest.raises(SystemExit) as end:
        application.main(["template", "避难场所", "--out", str(tmp_path / "t.xlsx")])
    assert end.value.code == 0
    assert (tmp_path / "t.xlsx").stat().st_size > 4000


def test_speaking_reaches_every_command():
    command = typer.main.get_command(application.app)
    speak(command)
    assert all("get_help" in vars(one) for one in command.commands.values())
