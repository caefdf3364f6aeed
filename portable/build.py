"""Build the portable folder for an office's machine, and check every part of it, on Linux.

    python portable/build.py                  # Windows 10/11, 64 bit
    python portable/build.py --arch aarch64   # Kylin, UOS on arm64 (glibc 2.28 or newer)
    python portable/build.py --wheels-check   # has every compiled package a wheel for both?

The wheels come from the package index that pip is set up for. The interpreter is a named part
(parts.json) that somebody fetches once; without it the folder is built and checked all the same,
and says what is missing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_string
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.tags import Tag
from packaging.utils import canonicalize_name, parse_wheel_filename

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PARTS: dict[str, Any] = json.loads((HERE / "parts.json").read_text(encoding="utf-8"))
MINOR = int(PARTS["python"].partition(".")[2])
GLIBC = (2, 28)
_PIP = (sys.executable, "-m", "pip")
GLIBCXX = (3, 4, 25)
"""That of gcc 8, which systems with glibc 2.28 have."""
PLATFORMS = {
    "win_amd64": ["win_amd64"],
    "aarch64": [
        *(f"manylinux_2_{n}_aarch64" for n in range(GLIBC[1], 16, -1)), "manylinux2014_aarch64",
    ],
}  # fmt: skip
MARKERS = {
    "win_amd64": {"os_name": "nt", "sys_platform": "win32", "platform_system": "Windows",
                  "platform_machine": "AMD64"},
    "aarch64": {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux",
                "platform_machine": "aarch64"},
}  # fmt: skip
WINDOWS = re.compile(
    r"(?:api-ms-win-|ext-ms-).*|(?:advapi32|bcrypt|bcryptprimitives|combase|comctl32|comdlg32|crypt32|"
    r"d3d11|d3dcompiler_47|dbghelp|dnsapi|dwmapi|dxgi|gdi32|imm32|iphlpapi|kernel32|mpr|msvcrt|"
    r"ncrypt|netapi32|ntdll|ole32|oleaut32|powrprof|propsys|psapi|rpcrt4|secur32|setupapi|shell32|"
    r"shlwapi|ucrtbase|user32|userenv|version|webservices|winhttp|wininet|winmm|winspool\.drv|"
    r"wldap32|ws2_32|wsock32|wtsapi32)(?:\.dll)?",
    re.IGNORECASE,
)
"""Libraries that every Windows 10 has."""
LINUX = re.compile(
    r"(?:ld-linux-aarch64|libc|libm|libdl|librt|libpthread|libutil|libgcc_s|libstdc\+\+|libresolv|"
    r"libexpat|libz)\.so\.\d+"
)
"""Libraries that every Linux desktop has (as in the manylinux rules)."""
TRIM = re.compile(
    r"/(?:tests?|testing/tests|sample_data|include|isoschematron)/"
    r"|\.(?:lib|a|pdb|pyi|pxd|pyx|pxi|h|hpp|c|cc|cpp|f90)$"
    r"|/pyarrow/(?:lib)?arrow_(?:python_)?(?:flight|s3|cuda)|/pyarrow/arrow_substrait\.dll$"
    r"|/pyarrow/_(?:flight|s3fs|gcsfs|azurefs|substrait)\b"
)
"""Paths inside wheels that nothing needs at run time: tests, headers, Arrow over the network."""
LONGEST = 150
"""Letters of a path inside the folder: with those before it Windows allows 259."""
PAGE = 0x10000
"""Memory pages of Kylin's servers on arm64; a library laid out for smaller ones does not load."""
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


def environment(arch: str) -> dict[str, str]:
    """Describe the target as requirement markers see it."""
    full = f"{PARTS['python']}.0"
    return {**default_environment(), **MARKERS[arch], "python_version": PARTS["python"],
            "python_full_version": full, "implementation_version": full, "extra": ""}  # fmt: skip


def tags(arch: str) -> set[Tag]:
    """List the tags of the wheels that run on the target."""
    own = f"cp3{MINOR}"
    found = {Tag(own, own, p) for p in PLATFORMS[arch]}
    for n in range(2, MINOR + 1):
        found |= {Tag(f"cp3{n}", "abi3", p) for p in PLATFORMS[arch]}
    for python in ("py3", *(f"py3{n}" for n in range(MINOR + 1)), own):
        found |= {Tag(python, "none", p) for p in ("any", *PLATFORMS[arch])}
    return found


def metadata(wheel: Path) -> Any:
    """Read what a wheel says of itself."""
    with zipfile.ZipFile(wheel) as packed:
        name = next(n for n in packed.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", n))
        return message_from_string(packed.read(name).decode("utf-8"))


def needed(wheels: Iterable[Path], arch: str) -> dict[str, str]:
    """Name what the wheels need on the target and is not among them, with who needs it."""
    where = environment(arch)
    out = {canonicalize_name(name) for name in PARTS["left_out"]}
    there: dict[str, Any] = {}
    for wheel in wheels:
        said = metadata(wheel)
        there[canonicalize_name(said["Name"])] = said
    extras = {name: {""} for name in there}
    missing: dict[str, str] = {}
    again = True
    while again:  # an extra that is asked for brings requirements of its own
        again = False
        for name, said in there.items():
            for line in said.get_all("Requires-Dist") or ():
                wanted = Requirement(line)
                other = canonicalize_name(wanted.name)
                if wanted.marker and not any(
                    wanted.marker.evaluate({**where, "extra": extra}) for extra in extras[name]
                ):
                    continue
                if other in out:
                    continue
                if other not in there:
                    missing[str(wanted.name)] = name
                elif not wanted.extras <= extras[other]:
                    extras[other] |= wanted.extras
                    again = True
                if other in there and not wanted.specifier.contains(
                    there[other]["Version"], prereleases=True
                ):
                    missing[f"{wanted.name}{wanted.specifier}"] = name
    return missing


def wheel_faults(wheels: Iterable[Path], arch: str) -> list[str]:
    """Say which wheels are not for the target, and what they need that is not there."""
    wheels = list(wheels)
    fits = tags(arch)
    faults = [
        f"{wheel.name}: not for {arch}"
        for wheel in wheels
        if not parse_wheel_filename(wheel.name)[3] & fits
    ]
    return faults + [f"{who} needs {what}" for what, who in sorted(needed(wheels, arch).items())]


def download(arch: str, folder: Path) -> None:
    """Fetch the wheels of everything that riskmap needs on the target."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        folder,
        ROOT,
    ]
    subprocess.run(run, check=True)  # noqa: S603
    own = next(folder.glob("riskmap-*.whl"))
    where = environment(arch)
    wanted = [*PARTS[arch]["more"]]
    for line in metadata(own).get_all("Requires-Dist"):
        one = Requirement(line)
        if one.marker is None or one.marker.evaluate(where):
            extras = f"[{','.join(sorted(one.extras))}]" if one.extras else ""
            wanted.append(f"{one.name}{extras}{one.specifier}")
    while wanted:  # pip looks at this machine's markers, so what it leaves out is asked for by name
        fetch(arch, folder, wanted)
        before, wanted = wanted, sorted(needed(folder.glob("*.whl"), arch))
        if wanted == before:
            break


def fetch(arch: str, folder: Path, wanted: list[str], *more: str) -> bool:
    """Fetch wheels for the target; False when one cannot be had."""
    platforms = [word for p in PLATFORMS[arch] for word in ("--platform", p)]
    done = subprocess.run(  # noqa: S603
        [*_PIP, "download", "--quiet", "--only-binary=:all:", "--dest", folder,
         "--python-version", PARTS["python"], "--implementation", "cp", *platforms,
         "--constraint", ROOT / "constraints.txt", *more, *wanted],
        check=False, capture_output=bool(more),
    )  # fmt: skip
    if done.returncode and not more:
        sys.exit("pip could not fetch the wheels; see above")
    return done.returncode == 0


def unpack(wheels: Iterable[Path], folder: Path, arch: str) -> int:
    """Lay the wheels out as an installation has them; gives the bytes that were left out."""
    site = folder / PARTS[arch]["site"]
    left = 0
    for wheel in sorted(wheels):
        with zipfile.ZipFile(wheel) as packed:
            for entry in packed.infolist():
                name = entry.filename
                target = _place(name, site, folder / "python")
                if entry.is_dir() or target is None:
                    continue
                if TRIM.search(f"/{name}") and not name.startswith("riskmap/"):
                    left += entry.file_size
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(entry) as source, target.open("wb") as stream:
                    shutil.copyfileobj(source, stream)
                if entry.external_attr >> 16 & 0o111:
                    target.chmod(0o755)
    return left


def _place(name: str, site: Path, python: Path) -> Path | None:
    """Say where a file of a wheel belongs; None for what is not installed."""
    if ".." in Path(name).parts or name.startswith("/"):
        sys.exit(f"a wheel holds a path that leaves its folder: {name}")
    found = re.fullmatch(r"[^/]+\.data/(purelib|platlib|data|scripts|headers)/(.+)", name)
    if not found:
        return site / name
    if found[1] in ("purelib", "platlib"):
        return site / found[2]
    return python / found[2] if found[1] == "data" and not found[2].startswith("Scripts/") else None


def put_interpreter(arch: str, folder: Path, parts: Path) -> str:
    """Unpack the interpreter if it was fetched; gives what is still to do, or nothing."""
    part = PARTS[arch]["interpreter"]
    file = parts / part["file"]
    if not file.is_file():
        step = (f"STILL TO DO, once: fetch\n  {part['file']}\n  from {part['from']}\n"
                f"  sha256 {part['sha256']}\ninto {parts} and build again")  # fmt: skip
        (folder / "python").mkdir(parents=True, exist_ok=True)
        (folder / "python" / "MISSING.txt").write_text(step + "\n", encoding="utf-8")
        return step
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != part["sha256"]:
        sys.exit(f"{file.name}: sha256 is {found}, expected {part['sha256']}; not used")
    with tarfile.open(file) as packed:
        packed.extractall(folder, filter="data")
    return ""


def libraries(folder: Path) -> Iterator[Path]:
    """List the compiled files of a folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and re.search(r"\.(?:dll|pyd|exe)$|\.so(?:\.\d+)*$", path.name.lower()):
            yield path


def path_faults(folder: Path) -> list[str]:
    """Name what Windows cannot unpack: long paths, reserved names, names that differ by case."""
    faults, seen = [], set()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder.parent).as_posix()
        if len(inside) > LONGEST:
            faults.append(f"{inside}: {len(inside)} letters")
        if (
            _DEVICE.fullmatch(path.name)
            or path.name.endswith((".", " "))
            or set(path.name) & set('<>:"\\|?*')
        ):
            faults.append(f"{inside}: a name that Windows does not allow")
        if inside.casefold() in seen:
            faults.append(f"{inside}: differs from another only by case")
        seen.add(inside.casefold())
    return faults


def _reach(path: Path, folder: Path) -> set[Path]:
    """List the folders in which Windows looks for what a file imports.

    Its own, the one of python.exe, and the libraries of its package, if that package tells Python
    so. A library of another package is not found, though it is in the folder.
    """
    found = {path.parent, folder / "python"}
    site = folder / PARTS["win_amd64"]["site"]
    if site not in path.parents:
        return found
    top = path.relative_to(site).parts[0]
    package = PARTS["loaded_by"].get(top, top.removesuffix(".libs"))
    for libs in (site / f"{package}.libs", site / package / ".libs"):
        if libs.is_dir() and _told(site / package):
            found.add(libs)
    return found


def _told(package: Path) -> bool:
    """Tell whether a package adds its libraries to Python's search, or loads them itself."""
    return any(
        re.search(rb"add_dll_directory|WinDLL\(", one.read_bytes())
        for one in (*package.glob("*.py"), *package.glob("*/__init__.py"))
    )


def dll_faults(folder: Path, *, interpreter: bool) -> list[str]:
    """Name every library that a file imports and that it will not find."""
    import pefile

    files = list(libraries(folder))
    there: dict[str, set[Path]] = {}
    for path in files:
        there.setdefault(path.name.lower(), set()).add(path.parent)
    if not interpreter:
        for name in PARTS["from_interpreter"]:
            there.setdefault(name, set()).add(folder / "python")
    faults = []
    for path in files:
        head = pefile.PE(str(path), fast_load=True)
        if head.FILE_HEADER.Machine != pefile.MACHINE_TYPE["IMAGE_FILE_MACHINE_AMD64"]:
            if path.suffix == ".exe":
                continue  # starters of installers for other machines
            faults.append(f"{path.relative_to(folder)}: not for 64-bit Windows")
            continue
        head.parse_data_directories(
            directories=[pefile.DIRECTORY_ENTRY[f"IMAGE_DIRECTORY_ENTRY_{kind}"]
                         for kind in ("IMPORT", "DELAY_IMPORT")]
        )  # fmt: skip
        kinds = ("DIRECTORY_ENTRY_IMPORT", "DIRECTORY_ENTRY_DELAY_IMPORT")
        for entry in (one for kind in kinds for one in getattr(head, kind, ())):
            name = entry.dll.decode("ascii").lower()
            if WINDOWS.fullmatch(name) or _unused(path):
                continue
            if name not in there:
                faults.append(f"{path.relative_to(folder)} needs {name}")
            elif not there[name] & _reach(path, folder):
                where = sorted(str(one.relative_to(folder)) for one in there[name])
                faults.append(f"{path.relative_to(folder)} will not find {name} in {where[0]}")
        head.close()
    return faults


def so_faults(folder: Path) -> list[str]:
    """Name libraries that are missing, for another machine, a newer glibc or smaller pages."""
    from elftools.elf.elffile import ELFFile
    from elftools.elf.gnuversions import GNUVerNeedSection

    files = list(libraries(folder))
    there = {path.name for path in files}
    faults = []
    for path in files:
        with path.open("rb") as stream:
            if stream.read(4) != b"\x7fELF":
                continue
            head = ELFFile(stream)
            where = path.relative_to(folder)
            if head["e_machine"] != "EM_AARCH64":
                faults.append(f"{where}: not for arm64")
                continue
            if any(
                part["p_type"] == "PT_LOAD" and part["p_align"] < PAGE
                for part in head.iter_segments()
            ):
                faults.append(f"{where}: not for memory pages of 64 KiB")
            dynamic = head.get_section_by_name(".dynamic")
            for tag in dynamic.iter_tags() if dynamic else ():
                if tag.entry.d_tag == "DT_NEEDED":
                    name = tag.needed
                    if name not in there and not LINUX.fullmatch(name) and not _unused(path):
                        faults.append(f"{where} needs {name}")
            for section in head.iter_sections():
                if isinstance(section, GNUVerNeedSection):
                    for _, versions in section.iter_versions():
                        faults += [f"{where} needs {one.name}" for one in versions
                                   if _too_new(one.name)]  # fmt: skip
    return faults


def _too_new(version: str) -> bool:
    """Tell whether a versioned symbol is newer than what the oldest system has."""
    kind, _, number = version.partition("_")
    limit = {"GLIBC": GLIBC, "GLIBCXX": GLIBCXX}.get(kind)
    if limit is None or not number[:1].isdigit():
        return False
    return tuple(int(n) for n in number.split(".")) > limit


def _unused(path: Path) -> bool:
    return any(path.name.startswith(("lib" + name, name)) for name in PARTS["unused"])


def build(arch: str, *, parts: Path, out: Path, wheels: Path | None) -> int:
    """Build one folder, check it and pack it; gives the number of faults."""
    folder = out / f"riskmap-{arch}"
    if wheels is None:
        wheels = out / f"wheels-{arch}"
        download(arch, wheels)
    found = [
        wheel
        for wheel in sorted(wheels.glob("*.whl"))
        if canonicalize_name(wheel.name.partition("-")[0]) not in PARTS["left_out"]
    ]
    faults = wheel_faults(found, arch)
    print(f"{len(found)} wheels for {arch}: {len(faults)} fault(s)")
    shutil.rmtree(folder, ignore_errors=True)
    step = put_interpreter(arch, folder, parts)
    left = unpack(found, folder, arch)
    for name in ("riskmap.bat", "riskmap.sh"):
        if name == PARTS[arch]["start"]:
            text = (HERE / name).read_bytes().replace(b"\r\n", b"\n")
            (folder / name).write_bytes(
                text.replace(b"\n", b"\r\n") if name.endswith(".bat") else text
            )
            (folder / name).chmod(0o755)
    shutil.copy(HERE / "readme.txt", folder / "读我.txt")
    for name in ("LICENSE", "NOTICE.md"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "projects").mkdir()
    windows = arch == "win_amd64"
    more = dll_faults(folder, interpreter=not step) if windows else so_faults(folder)
    print(f"{sum(1 for _ in libraries(folder))} compiled files: {len(more)} fault(s)")
    faults += [*more, *path_faults(folder)]
    for name in PARTS[arch]["without"]:
        print(f"without {name}: there is no wheel; riskmap does without it")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    packed = pack(folder, arch)
    print(f"{folder}: {size / 1e6:.0f} MB, {left / 1e6:.0f} MB of tests and headers left out; "
          f"{packed.name}: {packed.stat().st_size / 1e6:.0f} MB")  # fmt: skip
    for fault in faults:
        print("FAULT", fault)
    print(step or "the interpreter is in it", "\ncheck:", "FAILED" if faults else "passed")
    return len(faults)


def pack(folder: Path, arch: str) -> Path:
    """Pack a folder as the system unpacks it by itself: a zip for Windows, tar.xz for Linux."""
    if not arch.startswith("win"):
        packed = folder.with_name(f"{folder.name}.tar.xz")
        with tarfile.open(packed, "w:xz", preset=6) as target:
            target.add(folder, folder.name, filter=_anybodys)
        return packed
    packed = folder.with_name(f"{folder.name}.zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for path in sorted(folder.rglob("*")):
            target.write(path, path.relative_to(folder.parent))
    return packed


def _anybodys(one: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out who built it."""
    one.uid = one.gid = 0
    one.uname = one.gname = ""
    return one


_WITHOUT = """
import sys
out = set(sys.argv.pop(1).split(","))
class Out:
    def find_spec(self, name, path=None, target=None):
        if name in out or name.partition(".")[0] in out:
            raise ModuleNotFoundError("left out: " + name, name=name)
sys.meta_path.insert(0, Out())
from riskmap.cli.app import main
sys.exit(main(sys.argv[1:]))
"""


def left_out_faults() -> list[str]:
    """Run riskmap here without the packages that the folder leaves out."""
    import tempfile

    arrow = [f"pyarrow.{name}" for name in ("_flight", "_s3fs", "_gcsfs", "_azurefs", "_substrait")]
    modules = ",".join(
        sorted({*arrow, *(one for names in PARTS["left_out"].values() for one in names[1:])})
    )
    with tempfile.TemporaryDirectory() as made:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", _WITHOUT, modules, "--quiet", "run",
             ROOT / "configs" / "district.yaml", "--papers", "--out", Path(made) / "out"],
            check=False, capture_output=True, text=True, cwd=ROOT,
        )  # fmt: skip
    return [] if done.returncode == 0 else [f"without {modules}: {done.stderr[-400:]}"]


def compiled() -> list[str]:
    """List the pinned packages that riskmap needs here and that hold compiled code."""
    from importlib.metadata import PackageNotFoundError, distribution

    found: dict[str, bool] = {}
    waiting = ["riskmap"]
    pinned = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        name, _, version = line.partition("==")
        pinned[canonicalize_name(name)] = version.strip()
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found:
            continue
        try:
            about = distribution(name)
        except PackageNotFoundError:
            continue
        pure = "Root-Is-Purelib: true" in (about.read_text("WHEEL") or "")
        found[name] = not pure
        for line in about.requires or ():
            one = Requirement(line)
            extras = {"", "binary"} if name == "psycopg" else {""}
            if one.marker is None or any(one.marker.evaluate({"extra": e}) for e in extras):
                waiting.append(one.name)
    return sorted(f"{n}=={pinned[n]}" for n, has in found.items() if has and n in pinned)


def wheels_check(out: Path) -> int:
    """List the compiled packages without wheels for a target; gives those that nobody expects."""
    names = compiled()
    worst = 0
    for arch in PLATFORMS:
        folder = out / "wheels-check"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        lacking = [one for one in names if not fetch(arch, folder, [one], "--no-deps")]
        shutil.rmtree(folder)
        known = [one for one in lacking if one.partition("==")[0] in PARTS[arch]["without"]]
        new = [one for one in lacking if one not in known]
        print(f"{arch} (Python {PARTS['python']}): {len(names) - len(lacking)} of {len(names)} "
              "compiled packages have wheels")  # fmt: skip
        for one in lacking:
            print(f"  none: {one}" + ("  (riskmap does without it)" if one in known else ""))
        worst += len(new)
    print("wheels-check:", "FAILED" if worst else "passed")
    return worst


def main() -> int:
    """Read the words of the command line and do it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arch", choices=sorted(PLATFORMS), default="win_amd64")
    parser.add_argument("--wheels-check", action="store_true")
    parser.add_argument("--parts", type=Path, default=HERE / "parts")
    parser.add_argument("--out", type=Path, default=HERE / "build")
    parser.add_argument("--wheels", type=Path, help="folder of wheels that are there already")
    given = parser.parse_args()
    if given.wheels_check:
        return min(1, wheels_check(given.out))
    faults = left_out_faults()
    print("a run without what is left out:", *(faults or ["passed"]))
    built = build(given.arch, parts=given.parts, out=given.out, wheels=given.wheels)
    return min(1, built + len(faults))


if __name__ == "__main__":
    sys.exit(main())
