"""Putting a folder of outputs in its place, whole or not at all."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from riskmap.errors import ExportError, LayerError, Problem
from riskmap.i18n import Text, text

if TYPE_CHECKING:
    import pandas as pd


MANIFEST: Final = "manifest.json"
"""The file by which riskmap knows a folder as its own."""
SIGNATURE: Final = "manifest.sig"
"""The signature of the manifest, which the manifest cannot list."""
MARK: Final = "riskmap"
"""The key by which a manifest is riskmap's: the version that wrote it."""
_EXCHANGE: Final = 2
_HERE: Final = -100
_STALE_S: Final = 86_400
_LEAST_FREE: Final = 1 << 20
_PATIENCE: Final = 9


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
        if path.is_file() and path.name not in (MANIFEST, SIGNATURE)
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


def claim_folder(folder: Path) -> None:
    """Make sure, before anything is computed, that a folder of outputs can be put here.

    Parameters
    ----------
    folder
        Where the outputs are to stand.

    Raises
    ------
    ExportError
        When the place is not a folder, holds files of somebody else, or cannot be written.
    """
    with _temporary(folder.resolve()):
        pass


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
    ExportError
        When the place is not a folder, cannot be written, or a file in it is open.
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
            _open_up(fresh)
            _flush(fresh)
            _put(fresh, folder)
        except OSError as error:
            raise _refused(folder, error) from error


@contextmanager
def _temporary(folder: Path) -> Iterator[Path]:
    """Give a locked empty sibling of a folder that may be replaced; clear it away at the end."""
    parked = folder.with_name(f"{folder.name}.old")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if is_own(parked) and not folder.exists():
            parked.rename(folder)  # an earlier run was killed between two renames
        if folder.exists() and not folder.is_dir():
            raise ExportError(text("{path} is a file; give a folder", path=folder.name))
        if folder.is_dir() and any(folder.iterdir()) and not is_own(folder):
            message = text(
                "{path} holds files that riskmap did not write; give another folder or empty it",
                path=folder.name,
            )
            raise ExportError(message)
        _sweep(folder)
    except OSError as error:
        raise _refused(folder, error) from error
    fresh = folder.with_name(f".{folder.name}.{secrets.token_hex(6)}.part")
    held: list[BinaryIO] = []
    try:
        try:
            held += _locked(_lock_of(fresh))
            fresh.mkdir(mode=0o700)
        except OSError as error:
            raise _refused(folder, error) from error
        yield fresh
    finally:
        _to_the_end(lambda: _clear(fresh, folder, held))


def _clear(fresh: Path, folder: Path, held: list[BinaryIO]) -> None:
    """Clear the temporary folder and its lock away; may be done twice."""
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
    return part.with_name(f"{part.name}.lock")


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
    for rest in folder.parent.glob(f".{folder.name}.*.part"):
        if not _lock_of(rest).exists() and time.time() - rest.stat().st_mtime > _STALE_S:
            _retire(rest, folder)  # of a version without locks
    for guard in folder.parent.glob(f".{folder.name}.*.part.lock"):
        with suppress(OSError):
            if held := _locked(guard):
                _clear(guard.with_suffix(""), folder, held)


def _retire(old: Path, folder: Path) -> None:
    """Remove a folder that riskmap wrote; what is not riskmap's goes to ``FOLDER.kept``."""
    with suppress(OSError):
        if is_own(old):
            _keep_foreign(old, folder)
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
            error=error.strerror or str(error),
        )
        return ExportError(message)
    message = text(
        "{path} cannot be written ({error}); close its files in other programs, "
        "and look whether there is room and permission",
        path=folder.name,
        error=error.strerror or str(error),
    )
    return ExportError(message)


def _open_up(fresh: Path) -> None:
    """Give the folder the rights that any new folder gets, for mkdtemp makes it private."""
    mask = os.umask(0)
    os.umask(mask)
    fresh.chmod(0o777 & ~mask)


def _flush(fresh: Path) -> None:
    """Bring every file to the disk, so that a power cut after the swap finds them whole."""
    for path in fresh.rglob("*"):
        if path.is_file():
            with path.open("rb+") as stream:
                os.fsync(stream.fileno())


def _put(fresh: Path, folder: Path) -> None:
    """Let the fresh folder stand where the old one stood."""
    if folder.exists() and not is_own(folder):  # it was empty when the run began
        _keep_foreign(folder, folder)
        for empty in sorted(folder.rglob("*"), reverse=True):
            empty.rmdir()
        folder.rmdir()
    if not folder.exists():
        fresh.rename(folder)
        return
    if _exchange(fresh, folder):
        return  # the old one stands where the fresh one stood, and is retired with it
    parked = folder.with_name(f"{folder.name}.old")
    _retire(parked, folder)
    folder.rename(parked)
    fresh.rename(folder)
    _retire(parked, folder)


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
    mark = None
    try:
        _measure(content)
        return yaml.load(content, Loader=chosen)  # noqa: S506  a safe loader
    except (ValueError, RecursionError, OverflowError) as error:
        raise yaml.constructor.ConstructorError(None, None, str(error), mark) from error


def _measure(content: str) -> None:
    """Refuse YAML that is too deep, too large with its aliases, or holds what is no value."""
    import yaml

    size, depth = 0, 0
    started: list[tuple[str | None, int]] = []
    sizes: dict[str, int] = {}
    for event in yaml.parse(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        name = getattr(event, "anchor", None)
        if isinstance(event, yaml.AliasEvent):
            if name not in sizes:
                raise yaml.composer.ComposerError(None, None, "alias", None)
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
            raise yaml.composer.ComposerError(None, None, problem, None)


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
        raise _unusable(path, "encoding", text("unknown encoding"), text("save it as UTF-8"))
    if not isinstance(table.index, pd.RangeIndex):
        message = text("rows have more values than the header")
        mend = text("one value a column; quote values with commas")
        raise _unusable(path, "csv", message, mend)
    if table.empty:
        raise _unusable(path, "empty", text("no rows"), text("give at least one row"))
    table.columns = table.columns.astype(str).str.strip()
    for name in table.columns:
        table[name] = table[name].fillna("").str.strip()
    return table


def _unusable(path: Path, rule: str, message: Text, mend: Text) -> LayerError:
    problem = Problem(
        severity="unusable", role="", rule=rule, message=message, mend=mend, file=path.name
    )
    return LayerError(text("{n} problem(s) in the tables", n=1), (problem,))
