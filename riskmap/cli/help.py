"""Help and usage errors in the language of the run."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

from riskmap.i18n import Text, current_language, text

WIDTH: Final = 96
"""Columns of a line of help; a Chinese letter takes two."""
_LEFT: Final = 30
_TYPES: Final = {
    "path": text("path"),
    "file": text("file"),
    "str": text("text"),
    "text": text("text"),
    "int": text("whole number"),
    "integer": text("whole number"),
    "float": text("number"),
    "float range": text("number"),
    "int range": text("whole number"),
    "integer range": text("whole number"),
    "bool": text("yes or no"),
}
_EXTRAS: Final = {
    "required": text("required"),
    "default": text("default"),
    "env var": text("environment variable"),
}
_ERRORS: Final[tuple[tuple[str, Text, tuple[str, ...]], ...]] = (
    (
        r"Missing (?:argument|parameter):? '?\{?([^'}]*)\}?'?\.?.*",
        text("{name} is missing"),
        ("name",),
    ),
    (r"Missing option '([^']*)'.*", text("the option {name} is missing"), ("name",)),
    (r"Missing command\.?", text("name a command"), ()),
    (
        r"No such option: (\S+) \(Possible options: (.*)\)",
        text("there is no option {name}; near it: {near}"),
        ("name", "near"),
    ),
    (
        r"No such option: (\S+).*Did you mean (.*)\?",
        text("there is no option {name}; near it: {near}"),
        ("name", "near"),
    ),
    (r"No such option: (\S+)", text("there is no option {name}"), ("name",)),
    (
        r"No such command '([^']*)'\.? Did you mean (.*)\?",
        text("there is no command {name}; near it: {near}"),
        ("name", "near"),
    ),
    (r"No such command '([^']*)'\.?", text("there is no command {name}"), ("name",)),
    (r"Option '([^']*)' requires .*", text("the option {name} needs a value"), ("name",)),
    (
        r"Option '([^']*)' does not take a value\.?",
        text("the option {name} takes no value"),
        ("name",),
    ),
    (
        r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)",
        text("too many words: {words}"),
        ("words",),
    ),
    (
        r"Argument '?([^' ]*)'? takes (\d+) values.*",
        text("{name} takes {n} values"),
        ("name", "n"),
    ),
    (
        r"Invalid value for (?:'([^']*)'|(\S+)): .*(?:integer).*",
        text("{name}: give a whole number"),
        ("name",),
    ),
    (
        r"Invalid value for (?:'([^']*)'|(\S+)): .*(?:number|float).*",
        text("{name}: give a number"),
        ("name",),
    ),
    (
        r"Invalid value for (?:'([^']*)'|(\S+)): .*greater than or equal to (\S+)",
        text("{name}: must be {least} or more"),
        ("name", "least"),
    ),
    (
        r"Invalid value for (?:'([^']*)'|(\S+)): .*greater than (\S+)",
        text("{name}: must be more than {least}"),
        ("name", "least"),
    ),
    (
        r"Invalid value for (?:'([^']*)'|(\S+)): .*less than(?: or equal to)? (\S+)",
        text("{name}: must be {most} or less"),
        ("name", "most"),
    ),
    (
        r"Invalid value for (?:'([^']*)'|(\S+)): (.*)",
        text("{name}: unfit value ({why})"),
        ("name", "why"),
    ),
    (r"Invalid value: (.*)", text("unfit value: {why}"), ("why",)),
    (r"Could not open file '([^']*)': .*", text("{file}: cannot be opened"), ("file",)),
)


def speak(command: Any) -> None:
    """Let a command and those below it give their help in the current language.

    Parameters
    ----------
    command
        What typer made of the application.
    """
    command.get_help = lambda context: help_text(command, context)
    for below in getattr(command, "commands", {}).values():
        speak(below)


def help_text(command: Any, context: Any) -> str:
    """Write the help of a command.

    Parameters
    ----------
    command
        The command.
    context
        Its context, which knows its path.

    Returns
    -------
    str
        Usage, what it does, arguments, options, commands.
    """
    pieces = " ".join(_word(piece) for piece in command.collect_usage_pieces(context))
    usage = text("Usage: {words}", words=f"{context.command_path} {pieces}")
    lines = [str(usage), "", *_wrapped(_said(command.help), indent=2)]
    arguments: list[tuple[str, str]] = []
    options: list[tuple[str, str]] = []
    for param in command.get_params(context):
        record = param.get_help_record(context)
        if record is None:
            continue
        kind = arguments if param.param_type_name == "argument" else options
        kind.append((_left(record[0]), _right(param, record[1])))
    below = [
        (name, _first(_said(one.help)))
        for name in command.list_commands(context)
        if not (one := command.commands[name]).hidden
    ] if hasattr(command, "commands") else []  # fmt: skip
    for title, rows in (
        (text("Arguments:"), arguments),
        (text("Options:"), options),
        (text("Commands:"), below),
    ):
        if rows:
            lines += ["", str(title), *_table(rows)]
    return "\n".join(lines)


def _said(help_of: str | None) -> str:
    """Give a help text in the current language; its English where nobody has put it into words."""
    return str(Text(" ".join(help_of.split()))) if help_of else ""


def _first(said: str) -> str:
    """Cut the help of a command down to its first clause."""
    return re.split(r"[;；:：。]|\. |\.$", said, maxsplit=1)[0]


def _word(piece: str) -> str:
    words = {
        "[OPTIONS]": text("[OPTIONS]"),
        "COMMAND": text("COMMAND"),
        "[ARGS]...": text("[ARGS]..."),
    }
    return " ".join(str(words.get(part, part)) for part in piece.split(" "))


def _left(said: str) -> str:
    """Put the kind of value into words: ``<path>``."""
    return re.sub(
        r"<([a-z_ ]+)>", lambda found: f"<{_TYPES.get(found.group(1), found.group(1))}>", said
    )


def _right(param: Any, record: str) -> str:
    """Put the help of a parameter, and what stands in brackets behind it, into words."""
    own = " ".join((getattr(param, "help", None) or "").split())
    said = _said(own) if own else str(Text(record.split("  [", maxsplit=1)[0].strip()))
    extra = re.search(r"\[([^\[\]]*)\]\s*$", record)
    if extra is None or own.endswith(extra.group(0)):
        return said
    parts = []
    for part in extra.group(1).split("; "):
        name, mark, value = part.partition(": ")
        word = _EXTRAS.get(name)
        parts.append(part if word is None else f"{word}{'：' if mark and _zh() else mark}{value}")
    return f"{said} [{'；'.join(parts) if _zh() else '; '.join(parts)}]"


def _zh() -> bool:
    return current_language() == "zh"


def _table(rows: list[tuple[str, str]]) -> list[str]:
    wide = min(max(_columns(left) for left, _ in rows), _LEFT)
    lines = []
    for left, right in rows:
        body = _wrapped(right, indent=wide + 4) or [""]
        if _columns(left) <= wide:
            lines.append("  " + left + " " * (wide - _columns(left) + 2) + body[0].lstrip())
            lines += body[1:]
        else:
            lines += ["  " + left, *body]
    return [line.rstrip() for line in lines]


def _columns(said: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in said)


def _wrapped(said: str, *, indent: int) -> list[str]:
    """Break a text into lines; between Chinese letters a line may break anywhere."""
    lines, line = [], ""
    for word in re.findall(r"[\u2e80-\uffef]|[^\s\u2e80-\uffef]+\s*|\s+", said):
        if line and indent + _columns(line + word.rstrip()) > WIDTH and word not in "，。；：、）”":
            lines.append(line.rstrip())
            line = ""
        line += word if line else word.lstrip()
    return [" " * indent + one for one in ([*lines, line.rstrip()] if line.strip() else lines)]


def usage_error(error: Any) -> str:
    """Say what is wrong with a command line, and how to see its help.

    Parameters
    ----------
    error
        What the parser raised.

    Returns
    -------
    str
        Lines in the current language.
    """
    said = " ".join(str(error.format_message()).split())
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError" and context is not None:
        return str(context.get_help())
    lines = [str(text("Error: {why}", why=parser_words(said)))]
    if context is not None:
        lines.append(str(text("Help: {command} --help", command=context.command_path)))
    return "\n".join(lines)


def parser_words(said: str) -> Text | str:
    """Put a complaint of the command line's parser into our words.

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
    >>> str(parser_words("No such option: --nope"))
    '没有选项 --nope'
    >>> str(parser_words("Invalid value for '--p': Input should be a valid integer"))
    '--p：请填整数'
    """
    for pattern, ours, names in _ERRORS:
        found = re.fullmatch(pattern, said)
        if found is None:
            continue
        values = [value for value in found.groups() if value is not None]
        return Text(ours.msgid, tuple(zip(names, values, strict=False)))
    return said
