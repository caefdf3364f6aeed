"""The command line: parse, delegate, one error boundary, help in the language of the run."""

from __future__ import annotations

import codecs
import errno
import gc
import io
import os
import re
import signal
import sys
import threading
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from riskmap import __version__
from riskmap.cli.common import AsJson, choice, emit
from riskmap.cli.register import control, diff
from riskmap.cli.tables import add_commands
from riskmap.errors import RiskmapError
from riskmap.files import system_words
from riskmap.i18n import Text, current_language, language, text
from riskmap.progress import NORMAL, QUIET, VERBOSE, loudness, say

if TYPE_CHECKING:
    from collections.abc import Callable


ClickError: type[Exception] = typer.BadParameter.__mro__[2]
"""Root of the errors that parsing a command line raises, whichever click typer brings."""

app = typer.Typer(
    name="riskmap",
    help="From an emergency office's layers to its flood-season map, list, table and plans.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ProjectFile = Annotated[Path, typer.Argument(help="The project file (YAML).")]
AllowOutside = Annotated[
    bool, typer.Option("--allow-outside", help="Let input lie outside the project's tree.")
]
Lang = Annotated[str | None, typer.Option(help="Language of papers and messages: zh or en.")]


def _show_version(wanted: bool) -> None:  # noqa: FBT001  (called by typer)
    if wanted:
        typer.echo(f"riskmap {__version__}")
        raise typer.Exit


@app.callback()
def riskmap(
    context: typer.Context,
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_show_version, help="Show the version and stop."
        ),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say a line a stage, also without a terminal.")
    ] = False,
) -> None:
    """From an emergency office's layers to its flood-season map, list, table and plans."""
    del version
    context.with_resource(loudness(QUIET if quiet else VERBOSE if verbose else NORMAL))


@app.command()
def run(
    project: ProjectFile,
    *,
    out: Annotated[Path | None, typer.Option(help="Folder of the results.")] = None,
    up_to: Annotated[
        str | None,
        typer.Option(
            help="Stop after layers, indicators, index, plans or register; nothing is written."
        ),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="weights.yaml, as the map's what-if tab saves it.")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="Edition: internal or public.")] = None,
    lang: Lang = None,
    allow_outside: AllowOutside = False,
    discard_edits: Annotated[
        bool, typer.Option("--discard-edits", help="Lose edits of the control table there.")
    ] = False,
    sign: Annotated[
        Path | None, typer.Option(help="Ed25519 key (PEM) that signs the manifest.")
    ] = None,
    papers: Annotated[
        bool, typer.Option("--papers", help="Write the papers to sign, post and carry too.")
    ] = False,
    before: Annotated[
        Path | None, typer.Option(help="Results folder of an earlier run; the map compares them.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make the one map, the GeoPackage, the list and the table from a project file."""
    from riskmap.cli import commands, show

    choice("--profile", profile, ("internal", "public"))
    choice("--lang", lang, ("zh", "en"))
    choice("--up-to", up_to, commands.STAGES)
    summary = commands.run_project(
        project,
        out=out,
        up_to=up_to,
        weights=weights,
        profile=profile,
        lang=lang,
        allow_outside=allow_outside,
        discard_edits=discard_edits,
        sign=sign,
        papers=papers,
        before=before,
    )
    if as_json:
        emit(summary)
    else:
        typer.echo(show.shown_summary(summary))
    if summary["unusable"]:
        raise typer.Exit(1)


@app.command()
def check(
    project: ProjectFile,
    *,
    out: Annotated[Path | None, typer.Option(help="Write the data-gap ledger (xlsx).")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep what was read by likeness as the office's words.")
    ] = False,
    lang: Lang = None,
    allow_outside: AllowOutside = False,
    as_json: AsJson = False,
) -> None:
    """Check a project's layers; exit 1 if rows were returned or a layer is unusable."""
    from riskmap.cli import commands, show

    choice("--lang", lang, ("zh", "en"))
    ledger = commands.check_project(
        project, out=out, lang=lang, allow_outside=allow_outside, keep=keep
    )
    if as_json:
        emit(ledger)
    else:
        typer.echo(show.shown_check(ledger))
    if ledger["returned"] or ledger["unusable"]:
        raise typer.Exit(1)


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="Folder to make.")],
    *,
    name: Annotated[str, typer.Option(help="Name of the place; by default the folder's.")] = "",
    place: Annotated[str, typer.Option(help="Administrative code (GB/T 2260).")] = "",
    datum: Annotated[
        str,
        typer.Option(help="Where coordinates come from: auto, wgs84, cgcs2000, gcj02 or bd09."),
    ] = "",
    boundary: Annotated[
        Path | None, typer.Option(help="File of the villages' boundaries, or the outline alone.")
    ] = None,
    date: Annotated[str, typer.Option(help="Date of the data, YYYY-MM-DD.")] = "",
    lang: Lang = None,
) -> None:
    """Make a project folder: a project file and one workbook to fill in; no GIS is needed."""
    from riskmap.cli import scaffold

    choice("--lang", lang, ("zh", "en"))
    told = bool(name or place or datum or boundary or date)
    answers = scaffold.Answers(
        name=name, place=place, datum=datum or "auto", boundary=boundary, date=date
    )
    ask = not told and scaffold.at_terminal()
    made = scaffold.new_project(folder, answers, lang=lang or "zh", ask=ask)
    for file in made:
        typer.echo(file)
    say(text("Next: fill in {book}, then: riskmap check {project}", book=made[1], project=made[0]))


@app.command()
def start(
    path: Annotated[
        Path | None,
        typer.Argument(help="Project file, workbook or folder of workbooks; else it is asked for."),
    ] = None,
    *,
    home: Annotated[
        Path | None, typer.Option(help="Folder whose projects are offered; by default this one.")
    ] = None,
    lang: Lang = None,
) -> None:
    """Choose a project or a folder of workbooks, run it and open the map: for a double click."""
    from riskmap.cli import commands, scaffold, show

    choice("--lang", lang, ("zh", "en"))
    if path is None:
        project = scaffold.choose(
            home or Path.cwd(), lambda question: str(typer.prompt(str(question))), typer.echo
        )
    else:
        project = scaffold.project_of(path)
    say(text("project: {file}", file=project))
    summary = commands.run_project(project, lang=lang)
    typer.echo(show.shown_summary(summary))
    folder = Path(summary["folder"])
    if not scaffold.open_page(folder):
        say(text("open this file in a browser: {page}", page=folder / "onemap.html"))


@app.command()
def template(
    roles: Annotated[list[str], typer.Argument(help="Roles, such as flood_point refuge.")],
    *,
    out: Annotated[Path, typer.Option(help="Workbook to write (xlsx).")],
    lang: Lang = None,
) -> None:
    """Write a workbook to fill in, with drop-downs and limits, one sheet a role."""
    from riskmap.cli import scaffold

    choice("--lang", lang, ("zh", "en"))
    scaffold.write_role_template(roles, out=out, lang=lang or "zh")
    typer.echo(out)


@app.command()
def explain(
    code: Annotated[str, typer.Argument(help="A rule, indicator, preset or layer.")],
    *,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    """Say what a code of a paper or a message means, and how to mend it."""
    from riskmap.cli.show import explain as found_out

    choice("--lang", lang, ("zh", "en"))
    found = found_out(code)
    if as_json:
        emit(found)
        return
    typer.echo(f"{found['title']} ({found['code']}, {found['kind']})")
    for line in found["lines"]:
        typer.echo(f"  {line}")


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="A results folder.")],
    *,
    public_key: Annotated[
        Path | None, typer.Option(help="Ed25519 key (PEM) whose owner must have signed.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute the published numbers from the GeoPackage and check the hashes."""
    from riskmap.cli import commands

    faults = commands.verify_folder(folder, public_key=public_key)
    if as_json:
        emit({"folder": str(folder), "ok": not faults, "faults": faults})
    else:
        for fault in faults:
            typer.echo(fault)
        typer.echo(text("{folder}: {n} fault(s)", folder=folder, n=len(faults)))
    if faults:
        raise typer.Exit(1)


@app.command()
def papers(
    folder: Annotated[Path, typer.Argument(help="A results folder.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the sheets; by default FOLDER-sheets beside it.")
    ] = None,
    villages: Annotated[
        list[str] | None, typer.Option(help="Codes or names; all when not given.")
    ] = None,
    sheets: Annotated[
        list[str] | None, typer.Option(help="village, town, point or poster; by default village.")
    ] = None,
    paper: Annotated[str, typer.Option(help="Paper of the sheets: a3 or a4.")] = "a3",
    template: Annotated[
        Path | None, typer.Option(help="The office's own layout (.typ) instead of ours.")
    ] = None,
    fonts: Annotated[Path | None, typer.Option(help="Folder of further typefaces.")] = None,
    hotline: Annotated[str, typer.Option(help="Number of the flood office on duty.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make map sheets to sign, post and carry from a results folder; only changed ones anew."""
    from riskmap.cli import commands, show

    choice("--paper", paper, ("a3", "a4"))
    for name in sheets or ():
        choice("--sheets", name, ("village", "town", "point", "poster"))
    made = commands.make_sheets(
        folder,
        out=out,
        names=villages or (),
        kinds=sheets or ("village",),
        paper=paper,
        template=template,
        fonts=fonts,
        hotline=hotline,
    )
    if as_json:
        emit(made)
    else:
        typer.echo(show.shown_atlas(made))
    if made["not_made"]:
        raise typer.Exit(1)


@app.command()
def postgis(
    folder: Annotated[Path, typer.Argument(help="A results folder.")],
    database: Annotated[
        str, typer.Argument(help="postgresql://USER@HOST:PORT/DATABASE#SCHEMA; schema riskmap.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Write every table of a results folder into a PostGIS database, all or none."""
    from riskmap.cli import commands
    from riskmap.layers.read.database import shown_database

    written = commands.write_tables(folder, database)
    if as_json:
        emit({"database": shown_database(database), "tables": written})
    else:
        rows = sum(written.values())
        typer.echo(text("{n} tables, {rows} rows written", n=len(written), rows=rows))


add_commands(app)
app.add_typer(control)
app.command()(diff)


_NO_MEMORY: Final = (
    "cannot allocate memory", "failed to map segment", "can't start new thread", "out of memory",
    "std::bad_alloc",
)  # fmt: skip
_LEAST: Final = 1 << 30
"""Address space under which libraries of linear algebra wait for ever for memory [bytes]."""
_LITTLE: Final = 4 << 30
"""Address space under which a library that does not load is put down to want of memory [bytes]."""
_SOON_S: Final = 0.01
"""So long after a signal that went astray it is repeated [s]."""


class _Terminated(KeyboardInterrupt):
    """The system asked the process to end."""


_terminated: Final[list[int]] = []
"""Signals that asked the process to end."""


def _terminate(number: int, _: object) -> NoReturn:
    _terminated.append(number)
    raise _Terminated


_STOPPED: Final = 130
"""What Typer gives back, without a word, for a command that a signal stopped."""


def _stopped() -> int:
    say(str(text("stopped; the results folder is whole: as it was, or finished")))
    return 143 if _terminated else _STOPPED


def _once_more(ignored: sys.UnraisableHookArgs) -> None:
    """Repeat a signal that came while an object was being destroyed, where it is only printed."""
    if isinstance(ignored.exc_value, KeyboardInterrupt):
        ended = isinstance(ignored.exc_value, _Terminated)
        number = signal.SIGTERM if ended else signal.SIGINT
        again = threading.Timer(_SOON_S, signal.raise_signal, (number,))
        again.daemon = True
        again.start()
    else:
        sys.__unraisablehook__(ignored)


def _guarded(call: Callable[[], Any]) -> int:
    """Run a command; show errors that the user can mend without a traceback."""
    try:
        outcome = call()
    except RiskmapError as error:
        say(str(error))
        return error.exit_code
    except ClickError as error:
        say(usage_error(error))
        return 2
    except (typer.Abort, KeyboardInterrupt):
        return _stopped()
    except BrokenPipeError:
        return 0
    except Exception as error:  # noqa: BLE001  the one boundary
        return _fault(error)
    if outcome == _STOPPED:
        return _stopped()
    return outcome if isinstance(outcome, int) else 0


def _fault(error: Exception) -> int:
    """Say what went wrong where no command has said it; never fail itself."""
    try:
        if _lacks_memory(error):
            say(str(text("not enough memory; use larger grid cells (grid.size_m)")))
        elif isinstance(error, OSError):
            why = system_words(error)
            if error.filename is None:  # stdout; files are named
                say(str(text("the answer could not be shown ({why})", why=why)))
            else:
                say(str(text("{file}: {why}", file=error.filename, why=why)))
        elif os.environ.get("RISKMAP_DEBUG"):
            raise error
        else:
            why = f"{type(error).__name__}: {error}"[:500]
            say(str(text("a fault of riskmap itself ({why})", why=why)))
            say(
                str(
                    text("set RISKMAP_DEBUG=1, run again and send what is shown to the maintainers")
                )
            )
    except MemoryError:
        os.write(2, b"riskmap: not enough memory\n")
    return 1


def _lacks_memory(error: BaseException) -> bool:
    """Tell whether an error comes from want of memory, whoever raised it."""
    seen: BaseException | None = error
    while seen is not None:
        said = str(seen).lower()
        if (
            isinstance(seen, MemoryError)
            or getattr(seen, "errno", None) == errno.ENOMEM
            or any(words in said for words in _NO_MEMORY)
        ):
            return True
        seen = seen.__cause__ or seen.__context__
    unloaded = isinstance(error, ImportError | SystemError) or (
        isinstance(error, OSError) and error.errno is None
    )
    return unloaded and _may_use_less_than(_LITTLE)


def _may_use_less_than(size: int) -> bool:
    """Tell whether this process is kept from so much memory [bytes]."""
    try:
        import resource
    except ImportError:  # Windows
        return False
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return limit != resource.RLIM_INFINITY and limit < size


def _escaped(error: UnicodeError) -> tuple[str, int]:
    r"""Write what a console cannot show as ``\uXXXX``, as JSON does."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    codes = [units[at : at + 2].hex() for at in range(0, len(units), 2)]
    return "".join(rf"\u{code}" for code in codes), error.end


def _calm_streams() -> None:
    """Let stdout and stderr show any character, and be there."""
    codecs.register_error("riskmap", _escaped)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="riskmap")


def _finish(code: int) -> int:
    """Bring what was said out; a stream that is full or closed changes nothing written before."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        except (OSError, ValueError) as error:
            code = code or 1
            if stream is sys.stdout:
                with suppress(OSError, ValueError):
                    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
                    why = system_words(error)
                    say(str(text("the answer could not be shown ({why})", why=why)))
    return code


def _speaks_chinese() -> bool:
    """Tell whether this system's file names can hold Chinese."""
    try:
        "研判一张单".encode(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())
    except UnicodeEncodeError:
        return False
    return True


def _start_in_utf8(*, given: bool) -> None:
    """Start the process anew with Python's UTF-8 mode, where that can be done and is not on."""
    if given or os.name != "posix" or os.environ.get("PYTHONUTF8") == "1":
        return
    os.environ["PYTHONUTF8"] = "1"
    with suppress(OSError):
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


def _spoken(arguments: list[str]) -> str:
    """Find the language of messages: ``--lang``, else RISKMAP_LANG, else Chinese."""
    for i, argument in enumerate(arguments):
        if argument == "--lang" and i + 1 < len(arguments):
            return arguments[i + 1] if arguments[i + 1] in {"zh", "en"} else "zh"
        if argument.startswith("--lang=") and argument[7:] in {"zh", "en"}:
            return argument[7:]
    wanted = os.environ.get("RISKMAP_LANG", "")
    return wanted if wanted in {"zh", "en"} else "zh"


def _command() -> Any:
    """Make the command of the application, which speaks the current language."""
    command = typer.main.get_command(app)
    speak(command)
    return command


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line.

    Parameters
    ----------
    arguments
        Command-line words; by default those of the process.
    """
    words = sys.argv[1:] if arguments is None else arguments
    _calm_streams()
    _terminated.clear()
    # what a run makes stays to its end; looking for waste in it took an eighth of the time
    gc.set_threshold(20_000, 10, 100)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminate)
        if sys.unraisablehook is sys.__unraisablehook__:
            sys.unraisablehook = _once_more
    with language(_spoken(words)):
        if not _speaks_chinese():
            _start_in_utf8(given=arguments is not None)
            said = text("file names cannot hold Chinese here; set PYTHONUTF8=1 or LC_ALL=C.UTF-8")
            with language("en"):
                say(str(said))
            sys.exit(1)
        if _may_use_less_than(_LEAST):
            say(str(text("not enough memory: a limit (ulimit -v) gives this process under 1 GB")))
            sys.exit(1)
        code = _finish(
            _guarded(lambda: _command()(words, prog_name="riskmap", standalone_mode=False))
        )
    sys.exit(code)


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
