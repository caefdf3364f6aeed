"""A folder of outputs put in its place, whole or not at all; YAML, JSON and plain tables read."""

from __future__ import annotations

import ctypes
import errno
import glob
import hashlib
import json
import os
import re
import secrets
import shutil
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from riskmap.errors import ExportError, LayerError, Problem
from riskmap.i18n import Text, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pandas as pd


MANIFEST: Final = "manifest.json"
"""The file by which riskmap knows a folder as its own."""
SIGNATURE: Final = "manifest.sig"
"""The signature of the manifest, which the manifest cannot list."""
PAGE: Final = "onemap.html"
GEOPACKAGE: Final = "riskmap.gpkg"
LIST: Final = "研判一张单.xlsx"
CONTROL: Final = "管控一张表.xlsx"
GAPS: Final = "data_gaps.xlsx"
PARAMS: Final = "params.json"
REPORT: Final = "report.json"
"""The papers of every results folder, beside the manifest that lists them."""
MARK: Final = "riskmap"
"""The key by which a manifest is riskmap's: the version that wrote it."""
_EXCHANGE: Final = 2
_HERE: Final = -100
_STALE_S: Final = 86_400
_LEAST_FREE: Final = 1 << 20
_PATIENCE: Final = 9
SHARING: Final = (5, 32, 33)
"""What Windows says while another program, a virus scanner or an index holds a file."""
WAITS: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Pauses between tries of a rename that another program may block for a moment [s]."""
_LITTER: Final = re.compile(
    r"~\$.*|\.~lock\..*#|\.~.*\.(?:xlsx?|et|docx?)|Thumbs\.db|desktop\.ini|\.DS_Store|\._.*",
    re.IGNORECASE,
)
_OWNERS: Final = ("~${name}", ".~lock.{name}#", ".~{name}")
"""Files that Excel, WPS and LibreOffice put beside a document that is open in them."""


class PlacedElsewhereError(ExportError):
    """The finished files stand in another folder, for their place is held by another program.

    Parameters
    ----------
    message
        What went wrong, and where the files stand.
    folder
        The folder where they stand.
    """

    def __init__(self, message: Text | str, folder: Path) -> None:
        super().__init__(message)
        self.folder = folder


def is_litter(name: str) -> bool:
    """Tell whether a file is what desktops and office programs leave beside others.

    Parameters
    ----------
    name
        Name of the file, without its folder.

    Returns
    -------
    bool
        True for ``Thumbs.db``, ``desktop.ini``, ``.DS_Store``, ``~$*`` and the like.

    Examples
    --------
    >>> is_litter("~$研判一张单.xlsx"), is_litter("研判一张单.xlsx")
    (True, False)
    """
    return _LITTER.fullmatch(name) is not None


_ERRNO: Final = {
    errno.EACCES: text("no permission"),
    errno.EPERM: text("no permission"),
    errno.EROFS: text("the disk is read-only"),
    errno.ENOENT: text("no such file"),
    errno.ENOTDIR: text("a part of the path is a file, not a folder"),
    errno.EISDIR: text("this is a folder, not a file"),
    errno.EEXIST: text("a file of this name is there already"),
    errno.ENAMETOOLONG: text("the path is too long"),
    errno.EBUSY: text("another program is using it"),
    errno.ETXTBSY: text("another program is using it"),
    errno.ENOSPC: text("no room on the disk"),
    errno.EDQUOT: text("no room left to this user"),
    errno.EFBIG: text("the file is too large for this disk"),
    errno.EIO: text("the disk or the share cannot be read or written"),
    errno.ELOOP: text("links that lead in a circle"),
    errno.EMFILE: text("too many files are open"),
    errno.EINVAL: text("a name that this system does not allow"),
    errno.EXDEV: text("two disks"),
    errno.ENOTEMPTY: text("the folder is not empty"),
}
_WINERROR: Final = {
    5: text("no permission, or open in another program"),
    32: text("another program is using it"),
    33: text("another program is using it"),
    53: text("the share cannot be reached"),
    59: text("the share cannot be reached"),
    64: text("the share cannot be reached"),
    67: text("the share cannot be reached"),
    112: text("no room on the disk"),
    123: text("a name that this system does not allow"),
    206: text("the path is too long"),
    21: text("the disk or the share cannot be read or written"),
    121: text("the share cannot be reached"),
    225: text("the virus scanner blocks it"),
    1117: text("the disk or the share cannot be read or written"),
    1231: text("the share cannot be reached"),
    1260: text("the rules of this computer do not allow it"),
    1392: text("the disk or the share cannot be read or written"),
    **dict.fromkeys(
        (362, 386, 388, 389, 395, 404),
        text("the file lies only in the cloud; fetch it to this computer first"),
    ),
    391: text("another program is using it"),
}


def system_words(error: BaseException) -> Text | str:
    """Say in the run's language why the system refused.

    Parameters
    ----------
    error
        What the system or a library raised.

    Returns
    -------
    Text or str
        Our words for it; the system's own where the refusal is a rare one.

    Examples
    --------
    >>> str(system_words(PermissionError(13, "Permission denied")))
    '没有权限'
    """
    if not isinstance(error, OSError):
        return str(error)
    ours = _WINERROR.get(getattr(error, "winerror", None) or 0) or _ERRNO.get(error.errno or 0)
    return ours or error.strerror or str(error)


def sha256(path: Path) -> str:
    """Hash a file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def hashed_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Hash every file of a folder but its manifest, which cannot hash itself.

    Parameters
    ----------
    folder
        The folder.

    Returns
    -------
    dict
        Path inside the folder to ``sha256`` and ``size`` [bytes], in order of the paths.
    """
    return {
        path.relative_to(folder).as_posix(): {"sha256": sha256(path), "size": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (MANIFEST, SIGNATURE) and not is_litter(path.name)
    }


def is_own(folder: Path) -> bool:
    """Tell whether a folder was written by riskmap, by the mark inside its manifest.

    Parameters
    ----------
    folder
        The folder.

    Returns
    -------
    bool
        False for a manifest of something else, such as a web page's.
    """
    return _outputs(folder) is not None


def _outputs(folder: Path) -> dict[str, Any] | None:
    """Read what the manifest of ours lists; None when there is none of ours."""
    try:
        manifest = parse_json((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(manifest, dict) or not isinstance(manifest.get(MARK), str):
        return None
    listed = manifest.get("outputs")
    hashed = isinstance(listed, dict) and all(
        isinstance(entry, dict) and isinstance(entry.get("sha256"), str)
        for entry in listed.values()
    )
    return listed if hashed else None


def claim_folder(folder: Path) -> tuple[str, ...]:
    """Make sure, before anything is computed, that a folder of outputs can be put here.

    Parameters
    ----------
    folder
        Where the outputs are to stand.

    Returns
    -------
    tuple of str
        Files there that another program holds open now; while it does, they cannot be replaced.

    Raises
    ------
    ExportError
        When the place is not a folder, holds files of somebody else, or cannot be written.
    """
    with _temporary(folder.resolve()):
        return held_files(folder.resolve())


def held_files(folder: Path) -> tuple[str, ...]:
    """Find the files of a folder that another program holds open.

    A file that is open in Excel or WPS on Windows cannot be renamed, not even to its own name.
    Elsewhere it can, and the owner's file that office programs put beside an open document tells.

    Parameters
    ----------
    folder
        The folder.

    Returns
    -------
    tuple of str
        Names inside the folder.
    """
    held = []
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if is_litter(path.name) or not path.is_file():
            continue
        owned = any(path.with_name(o.format(name=path.name)).exists() for o in _OWNERS)
        if (owned and os.name != "nt") or _is_held(path):
            held.append(path.relative_to(folder).as_posix())
    return tuple(held)


def _is_held(path: Path) -> bool:
    try:
        path.rename(path)
    except OSError as error:
        return _blocked(error)
    return False


def _blocked(error: OSError) -> bool:
    """Tell whether a refusal may pass when another program lets go."""
    return getattr(error, "winerror", None) in SHARING or error.errno in (
        errno.EBUSY, errno.ETXTBSY,
    )  # fmt: skip


def beside(folder: Path) -> Path:
    """Choose a new folder beside one that cannot be replaced now.

    Parameters
    ----------
    folder
        The folder that is held.

    Returns
    -------
    Path
        ``FOLDER (2)``, or the next number that is free.
    """
    n = 2
    while (there := folder.with_name(f"{folder.name} ({n})")).exists():
        n += 1
    return there


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a fresh folder that takes the place of another one when the block ends well.

    The block writes into a temporary sibling. When it ends, the sibling is swapped with the old
    folder in one step (on Linux; elsewhere by two renames) and the old one removed; a killed or
    failed block leaves the old folder as it was. The block writes a manifest whose ``outputs`` are
    `hashed_files`; what somebody put into the old folder or changed there since is moved to
    ``FOLDER.kept`` instead of being removed. What a killed run left is cleared away by the next.

    Parameters
    ----------
    folder
        Where the outputs are to stand.

    Yields
    ------
    Path
        The temporary folder to write into.

    Raises
    ------
    PlacedElsewhereError
        When the old files are open in another program: the new ones stand in a folder beside them.
    ExportError
        When the place is not a folder or cannot be written.
    """
    folder = folder.resolve()
    with _temporary(folder) as fresh:
        try:
            yield fresh
        except OSError as error:
            if error.filename is None or str(fresh) in str(error.filename):
                raise _refused(folder, error) from error
            raise
        except Exception as error:
            if _is_full(fresh, error):
                raise _refused(folder, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))) from error
            raise
        try:
            _open_up(fresh, folder)
            _flush(fresh)
        except OSError as error:
            raise _refused(folder, error) from error
        try:
            _put(fresh, folder)
        except OSError as error:
            raise _elsewhere(fresh, folder, error) from error


def _elsewhere(fresh: Path, folder: Path, error: OSError) -> ExportError:
    """Give finished files that cannot take their place a folder of their own."""
    if not fresh.is_dir():
        return _refused(folder, error)
    there = beside(folder)
    try:
        _rename(fresh, there)
    except OSError:
        there = fresh  # not even that: they stay where they were made, and are not swept
        _lock_of(fresh).unlink(missing_ok=True)
    message = text(
        "{path} cannot be replaced ({error}: {files}); the new results stand in {there}; close "
        "the files and run again",
        path=folder.name,
        error=system_words(error),
        files=", ".join(held_files(folder)) or "?",
        there=there.name,
    )
    return PlacedElsewhereError(message, there)


@contextmanager
def _temporary(folder: Path) -> Iterator[Path]:
    """Give a locked empty sibling of a folder that may be replaced; clear it away at the end."""
    parked = folder.with_name(f"{folder.name}.old")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if is_own(parked) and not folder.exists():
            _rename(parked, folder)  # an earlier run was killed between two renames
        if folder.exists() and not folder.is_dir():
            raise ExportError(text("{path} is a file; give a folder", path=folder.name))
        foreign = folder.is_dir() and any(not is_litter(path.name) for path in folder.iterdir())
        if foreign and not is_own(folder):
            message = text(
                "{path} holds files that riskmap did not write; give another folder or empty it",
                path=folder.name,
            )
            raise ExportError(message)
        _sweep(folder)
    except OSError as error:
        raise _refused(folder, error) from error
    fresh = folder.with_name(f"{_stem(folder)}{secrets.token_hex(3)}.part")
    held: list[BinaryIO] = []
    try:
        try:
            held += _locked(_lock_of(fresh))
            fresh.mkdir()  # no mode: on Windows 0o700 shuts colleagues out for good
        except OSError as error:
            raise _refused(folder, error) from error
        yield fresh
    finally:
        _to_the_end(lambda: _clear(fresh, folder, held))


def _stem(folder: Path) -> str:
    """Begin the names of a folder's temporary siblings; short, as Windows allows 259 characters."""
    return f".{hashlib.sha256(folder.name.encode('utf-8', 'replace')).hexdigest()[:4]}"


def _clear(fresh: Path, folder: Path, held: list[BinaryIO]) -> None:
    """Clear the temporary folder and its lock away; may be done twice."""
    if _lock_of(fresh).exists():  # else the finished files had to stay there
        _retire(fresh, folder)
    for stream in held:
        stream.close()
    with suppress(OSError):
        _lock_of(fresh).unlink(missing_ok=True)


def _to_the_end(work: Callable[[], None]) -> None:
    """Do a work that may be done twice; who interrupts it is heard when it is done."""
    stopped: BaseException | None = None
    for _ in range(_PATIENCE):
        try:
            work()
            break
        except KeyboardInterrupt as error:
            stopped = error
    if stopped is not None:
        raise stopped


def _lock_of(part: Path) -> Path:
    return (
        part.with_suffix(".lock")
        if part.name.count(".") == 2
        else part.with_name(f"{part.name}.lock")
    )


def _locked(path: Path) -> list[BinaryIO]:
    """Lock a file for as long as this process lives; empty when another one holds it."""
    stream = path.open("ab")
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stream.close()
        return []
    return [stream]


def _sweep(folder: Path) -> None:
    """Clear away what killed runs left beside the folder; what persons put there is kept."""
    parked = folder.with_name(f"{folder.name}.old")
    if folder.is_dir() and is_own(parked):
        _retire(parked, folder)
    old = f".{glob.escape(folder.name)}.*.part"  # names of earlier versions
    for rest in folder.parent.glob(old):
        if not _lock_of(rest).exists() and time.time() - rest.stat().st_mtime > _STALE_S:
            _retire(rest, folder)  # of a version without locks
    guards = [(guard, guard.with_suffix("")) for guard in folder.parent.glob(f"{old}.lock")]
    guards += [
        (guard, guard.with_suffix(".part"))
        for guard in folder.parent.glob(f"{_stem(folder)}??????.lock")
    ]
    for guard, rest in guards:
        with suppress(OSError):
            if held := _locked(guard):
                _clear(rest, folder, held)


def _retire(old: Path, folder: Path) -> None:
    """Remove a folder that riskmap wrote; what is not riskmap's goes to ``FOLDER.kept``."""
    with suppress(OSError):
        known = _outputs(old)
        if known is not None:
            _keep_foreign(old, folder)
            for path in list(old.rglob("*")):
                if path.is_file() and path.relative_to(old).as_posix() in known:
                    with suppress(OSError):
                        path.unlink()
            _keep_foreign(old, folder)  # what somebody was just writing when the folders changed
        shutil.rmtree(old, ignore_errors=True)


def _is_full(fresh: Path, error: BaseException) -> bool:
    """Tell whether an error of a library comes from a full disk."""
    seen: BaseException | None = error
    while seen is not None:
        said = str(seen).lower()
        if getattr(seen, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return True
        if "no space left" in said or "disk is full" in said or "disk quota" in said:
            return True
        seen = seen.__cause__ or seen.__context__
    try:
        return shutil.disk_usage(fresh).free < _LEAST_FREE
    except OSError:
        return False


def _refused(folder: Path, error: OSError) -> ExportError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        message = text(
            "the disk is full ({error}); make room and run again; {path} is as it was",
            path=folder.name,
            error=system_words(error),
        )
        return ExportError(message)
    message = text(
        "{path} cannot be written ({error}); close its files in other programs, "
        "and look whether there is room and permission",
        path=folder.name,
        error=system_words(error),
    )
    return ExportError(message)


def _open_up(fresh: Path, folder: Path) -> None:
    """Give the folder the rights of the old one, else its parent's, so that colleagues can read.

    On Windows a new folder inherits them by itself. Nobody but owner and group may ever write.
    """
    if os.name == "nt":
        return
    model = folder if folder.is_dir() else folder.parent
    rights = model.stat().st_mode & 0o2775
    for path in (fresh, *fresh.rglob("*")):
        if path.is_dir():
            path.chmod(rights | 0o700)
        else:
            path.chmod(rights & 0o664 | 0o600)


def _flush(fresh: Path) -> None:
    """Bring every file to the disk, so that a power cut after the swap finds them whole."""
    for path in fresh.rglob("*"):
        if path.is_file():
            with path.open("rb+") as stream:
                os.fsync(stream.fileno())


def _put(fresh: Path, folder: Path) -> None:
    """Let the fresh folder stand where the old one stood; when that fails, the old one stands."""
    if folder.exists() and not is_own(folder):  # it was empty when the run began
        _keep_foreign(folder, folder)
        for empty in sorted(folder.rglob("*"), reverse=True):
            empty.rmdir()
        folder.rmdir()
    if not folder.exists():
        _rename(fresh, folder)
        return
    if _exchange(fresh, folder):
        return  # the old one stands where the fresh one stood, and is retired with it
    parked = folder.with_name(f"{folder.name}.old")
    _retire(parked, folder)
    _rename(folder, parked)
    try:
        _rename(fresh, folder)
    except OSError:
        _rename(parked, folder)
        raise
    _retire(parked, folder)


def _rename(one: Path, other: Path) -> None:
    """Rename, with patience for programs that hold a file for a moment."""
    for pause in WAITS:
        try:
            one.rename(other)
        except OSError as error:
            if not _blocked(error):
                raise
            time.sleep(pause)
        else:
            return
    one.rename(other)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step, where the system can."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        swap = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    done: int = swap(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE)
    return done == 0


def _keep_foreign(old: Path, folder: Path) -> None:
    """Move what riskmap did not write, or somebody changed since, to ``FOLDER.kept``."""
    known = _outputs(old) or {}
    own = is_own(old)
    for path in sorted(old.rglob("*")):
        name = path.relative_to(old).as_posix()
        if (path.is_dir() and not path.is_symlink()) or (own and name in (MANIFEST, SIGNATURE)):
            continue
        if name in known and path.is_file() and known[name]["sha256"] == sha256(path):
            continue
        if is_litter(path.name):
            path.unlink(missing_ok=True)
            continue
        target = folder.with_name(f"{folder.name}.kept") / name
        n = 2
        while target.exists():
            target = target.with_name(f"{path.stem} ({n}){path.suffix}")
            n += 1
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)


MOST_DEPTH: Final = 60
"""Lists and mappings inside each other that a file of ours may have."""
MOST_NODES: Final = 1_000_000
"""Values that a YAML file may have once its aliases are written out."""
MOST_DIGITS: Final = 400
_LONE: Final = re.compile("[\ud800-\udfff]")


def parse_yaml(content: str, *, loader: Any = None) -> Any:
    """Read YAML of a bearable depth and size.

    Parameters
    ----------
    content
        The text.
    loader
        A safe loader of PyYAML; None takes the plain one.

    Returns
    -------
    object
        Plain values.

    Raises
    ------
    yaml.YAMLError
        When it is no YAML, nested too deeply, grows beyond measure by its aliases, or holds a
        value that is none, such as a date in month 13.

    Examples
    --------
    >>> parse_yaml("a: [1, 2]")
    {'a': [1, 2]}
    """
    import yaml

    chosen = loader or yaml.SafeLoader
    try:
        _measure(content)
        return yaml.load(content, Loader=chosen)  # noqa: S506  a safe loader
    except (ValueError, RecursionError, OverflowError) as error:
        mark = _where_it_fails(content, chosen)
        raise yaml.constructor.ConstructorError(None, None, str(error), mark) from error


def _where_it_fails(content: str, loader: Any) -> Any:
    """Find the place of the first plain value that is none, such as a date in month 13."""
    import yaml

    with suppress(RecursionError):
        for event in yaml.parse(content, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.ScalarEvent) and not event.style:
                try:
                    yaml.load(event.value, Loader=loader)  # noqa: S506  a safe loader
                except (ValueError, OverflowError):
                    return event.start_mark
                except yaml.YAMLError:
                    continue
    return None


def _measure(content: str) -> None:
    """Refuse YAML that is too deep, too large with its aliases, or holds what is no value."""
    import yaml

    size, depth = 0, 0
    started: list[tuple[str | None, int]] = []
    sizes: dict[str, int] = {}
    for event in yaml.parse(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        name = getattr(event, "anchor", None)
        mark: Any = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            if name not in sizes:
                problem = str(text("an alias (*) without its anchor (&)"))
                raise yaml.composer.ComposerError(None, None, problem, mark)
            size += sizes[name]
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            started.append((name, size))
            size += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
            opened, before = started.pop()
            if opened:
                sizes[opened] = size - before
        elif isinstance(event, yaml.ScalarEvent):
            size += 1
            if name:
                sizes[name] = 1
            _check_scalar(event)
        if depth > MOST_DEPTH or size > MOST_NODES:
            problem = str(text("nested too deeply, or too many values"))
            raise yaml.composer.ComposerError(None, None, problem, mark)


def _check_scalar(event: Any) -> None:
    import yaml

    value = event.value
    if len(value) > MOST_DIGITS and not event.style and re.fullmatch(r"[-+0-9_.eE]+", value):
        problem = str(text("a number with too many digits"))
        raise yaml.constructor.ConstructorError(None, None, problem, event.start_mark)
    if _LONE.search(value):
        problem = str(text("half a character (a lone surrogate)"))
        raise yaml.constructor.ConstructorError(None, None, problem, event.start_mark)


def parse_json(content: str) -> Any:
    """Read JSON of a bearable depth.

    Parameters
    ----------
    content
        The text.

    Returns
    -------
    object
        Plain values.

    Raises
    ------
    ValueError
        When it is no JSON, nested too deeply, or holds a number or a character that is none.

    Examples
    --------
    >>> parse_json('{"a": [1, 2]}')
    {'a': [1, 2]}
    """
    depth = most = 0
    for found in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', content):
        step = found.group()
        depth += (step in "[{") - (step in "]}")
        most = max(most, depth)
        if most > MOST_DEPTH:
            raise ValueError(str(text("nested too deeply, or too many values")))
    try:
        loaded = json.loads(content)
    except RecursionError as error:
        raise ValueError(str(text("nested too deeply, or too many values"))) from error
    if "\\ud" in content.lower() and _LONE.search(json.dumps(loaded, ensure_ascii=False)):
        raise ValueError(str(text("half a character (a lone surrogate)")))
    return loaded


ENCODINGS: Final = ("utf-8-sig", "gb18030")
"""Those of text editors and of Chinese Excel."""


def read_texts(path: Path) -> pd.DataFrame:
    r"""Read a CSV file with a header as a table of texts.

    Parameters
    ----------
    path
        The file, in UTF-8 or GB 18030.

    Returns
    -------
    DataFrame
        Texts without outer blanks, empty where nothing stands; the row ``i`` stands in line
        ``i + 2`` of a file whose cells hold no line breaks.

    Raises
    ------
    LayerError
        When there is no such file, or it is no table; with the one problem.

    Notes
    -----
    Blank rows at the end, as spreadsheets leave them, are none.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.csv"
    ...     _ = file.write_text("id, name\n007,济南\n", encoding="gb18030")
    ...     read_texts(file).to_dict("list")
    {'id': ['007'], 'name': ['济南']}
    """
    import pandas as pd

    for encoding in ENCODINGS:
        try:
            table = pd.read_csv(path, dtype=str, encoding=encoding, keep_default_na=False)
            break
        except UnicodeDecodeError:
            continue
        except FileNotFoundError:
            raise _unusable(path, "file", text("no such file"), text("check the path")) from None
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            why = text("not a CSV table: {why}", why=str(error).strip())
            mend = text("save it as CSV with a header")
            raise _unusable(path, "csv", why, mend) from None
    else:
        mend = text("save it as CSV in UTF-8")
        raise _unusable(path, "encoding", text("no text in a known encoding"), mend)
    if not isinstance(table.index, pd.RangeIndex):
        message = text("rows have more values than the header")
        mend = text("one value a column; quote values with commas")
        raise _unusable(path, "csv", message, mend)
    table.columns = table.columns.astype(str).str.strip()
    table = pd.DataFrame(table.fillna("").apply(lambda column: column.str.strip()))
    told = table.index[(table != "").any(axis=1)]
    if not len(told):
        raise _unusable(path, "empty", text("no rows"), text("give at least one row"))
    return table.iloc[: told[-1] + 1]


def read_plain(path: Path) -> dict[str, list[str]] | None:
    r"""Read a small CSV file without anything peculiar, as `read_texts` would, but at once.

    Parameters
    ----------
    path
        The file, in UTF-8 or GB 18030.

    Returns
    -------
    dict or None
        Texts of each column; None when only `read_texts` can tell what the file is.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.csv"
    ...     _ = file.write_text("id, name\n007,济南\n", encoding="gb18030")
    ...     plain = read_plain(file)
    ...     _ = file.write_text('id,name\n007,"济,南"\n', encoding="utf-8")
    ...     plain, read_plain(file)
    ({'id': ['007'], 'name': ['济南']}, None)
    """
    raw = path.read_bytes() if path.is_file() and path.stat().st_size <= _SMALL else b""
    for encoding in ENCODINGS:
        with suppress(UnicodeDecodeError):
            written = raw.decode(encoding).replace("\r\n", "\n")
            break
    else:
        return None
    rows = [line.split(",") for line in written.split("\n") if line]
    head = [name.strip() for name in rows[0]] if rows else []
    odd = any(mark in written for mark in '"\r\0')
    if odd or len(rows) < 2 or len(set(head)) < len(head) or not all(head):
        return None
    if any(len(row) != len(head) or not any(map(str.strip, row)) for row in rows):
        return None
    columns = zip(*rows[1:], strict=True)
    return {
        name: [cell.strip() for cell in cells] for name, cells in zip(head, columns, strict=True)
    }


_SMALL: Final = 1_000_000
"""Larger files are read by pandas [bytes]."""


def _unusable(path: Path, rule: str, message: Text, mend: Text) -> LayerError:
    problem = Problem(
        severity="unusable", role="", rule=rule, message=message, mend=mend, file=path.name
    )
    return LayerError(text("{n} problem(s) in the tables", n=1), (problem,))
