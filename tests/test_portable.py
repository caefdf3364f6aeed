"""The checks of the portable folder, on small wheels made here."""

import importlib.util
import json
import shutil
import struct
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PORTABLE = ROOT / "portable"
spec = importlib.util.spec_from_file_location("portable_build", PORTABLE / "build.py")
build = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build)


def wheel(folder, name, *, version="1.0", tag="py3-none-any", needs=(), files=None):
    """Make a wheel that says what it needs."""
    path = folder / f"{name}-{version}-{tag}.whl"
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    lines += [f"Requires-Dist: {one}" for one in needs]
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(f"{name}-{version}.dist-info/METADATA", "\n".join(lines) + "\n\n")
        for inside, content in (files or {f"{name}/__init__.py": b""}).items():
            packed.writestr(inside, content)
    return path


def dll(*imports, machine=0x8664):
    """Write the least 64-bit Windows library that imports from others."""
    names = b"".join(name.encode() + b"\0" for name in imports)
    thunks = 0x1000 + 20 * (len(imports) + 1)
    at, table = thunks + 16, b""
    for name in imports:
        table += struct.pack("<5I", thunks, 0, 0, at, thunks)
        at += len(name) + 1
    body = table + bytes(20) + struct.pack("<2Q", 1 << 63 | 1, 0) + names  # the first by number
    directories = bytearray(16 * 8)
    struct.pack_into("<2I", directories, 8, 0x1000, len(table) + 20)
    optional = struct.pack(
        "<HBBIIIIIQIIHHHHHHIIIIHHQQQQII",
        0x20B, 14, 0, 0x200, 0, 0, 0, 0x1000, 0x180000000, 0x1000, 0x200,
        6, 0, 0, 0, 6, 0, 0, 0x2000, 0x200, 0, 2, 0, 1 << 20, 1 << 12, 1 << 20, 1 << 12, 0, 16,
    ) + bytes(directories)  # fmt: skip
    head = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0"
    head += struct.pack("<HHIIIHH", machine, 1, 0, 0, 0, len(optional), 0x2022) + optional
    head += b".rdata\0\0" + struct.pack(
        "<IIIIIIHHI", len(body), 0x1000, 0x200, 0x200, 0, 0, 0, 0, 0x40000040
    )
    return head.ljust(0x200, b"\0") + body.ljust(0x200, b"\0")


def test_wheels_of_the_target_pass_and_others_are_named(tmp_path):
    good = [
        wheel(tmp_path, "a", tag="cp313-cp313-win_amd64"),
        wheel(tmp_path, "b", tag="cp38-abi3-win_amd64"),
        wheel(tmp_path, "c"),
        wheel(tmp_path, "d", tag="py2.py3-none-any"),
    ]
    assert build.wheel_faults(good, "win_amd64") == []
    bad = [
        wheel(tmp_path, "e", tag="cp312-cp312-win_amd64"),
        wheel(tmp_path, "f", tag="cp313-cp313-win32"),
        wheel(tmp_path, "g", tag="cp313-cp313-manylinux_2_17_x86_64"),
    ]
    assert len(build.wheel_faults(bad, "win_amd64")) == 3


def test_a_wheel_for_a_newer_glibc_is_not_taken(tmp_path):
    fits = [
        wheel(tmp_path, "a", tag="cp313-cp313-manylinux_2_28_aarch64"),
        wheel(tmp_path, "b", tag="cp313-cp313-manylinux2014_aarch64.manylinux_2_17_aarch64"),
    ]
    assert build.wheel_faults(fits, "aarch64") == []
    late = wheel(tmp_path, "c", tag="cp313-cp313-manylinux_2_34_aarch64")
    assert build.wheel_faults([late], "aarch64") == [f"{late.name}: not for aarch64"]


def test_what_only_the_target_needs_is_missed_by_its_own_markers(tmp_path):
    wheels = [
        wheel(tmp_path, "click", needs=['colorama; platform_system == "Windows"']),
        wheel(tmp_path, "old", needs=['tomli; python_version < "3.12"']),
        wheel(tmp_path, "psy", needs=['psy-bin; extra == "binary"']),
    ]
    assert build.needed(wheels, "win_amd64") == {"colorama": "click"}
    assert build.needed(wheels, "aarch64") == {}
    wheels.append(wheel(tmp_path, "top", needs=["psy[binary]", "click>=2"]))
    assert build.needed(wheels, "aarch64") == {"psy-bin": "psy", "click>=2": "top"}


def test_a_dll_that_nothing_brings_is_named(tmp_path):
    place = tmp_path / "python" / "Lib"
    place.mkdir(parents=True)
    (place / "fast.pyd").write_bytes(dll("KERNEL32.dll", "python313.dll", "MSVCP140.dll"))
    assert build.dll_faults(tmp_path, interpreter=False) == [
        f"{Path('python/Lib/fast.pyd')} needs msvcp140.dll"
    ]
    assert len(build.dll_faults(tmp_path, interpreter=True)) == 2  # python313.dll is not there
    (tmp_path / "python" / "msvcp140.dll").write_bytes(dll("api-ms-win-crt-heap-l1-1-0.dll"))
    assert build.dll_faults(tmp_path, interpreter=False) == []
    (place / "small.dll").write_bytes(dll("KERNEL32.dll", machine=0x14C))
    assert build.dll_faults(tmp_path, interpreter=False) == [
        f"{Path('python/Lib/small.dll')}: not for 64-bit Windows"
    ]


@pytest.mark.parametrize(
    ("symbol", "late"),
    [("GLIBC_2.17", False), ("GLIBC_2.28", False), ("GLIBC_2.29", True), ("GLIBC_2.34", True),
     ("GLIBCXX_3.4.25", False), ("GLIBCXX_3.4.29", True), ("CXXABI_1.3", False),
     ("GLIBC_PRIVATE", False)],
)  # fmt: skip
def test_symbols_newer_than_the_oldest_system_are_known(symbol, late):
    assert build._too_new(symbol) is late


def elf(*, machine=0xB7, align=0x10000):
    """Write the head of a shared library with one part that is loaded."""
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    return head + struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 120, 120, align)


def test_a_library_for_another_processor_or_smaller_pages_is_named(tmp_path):
    (tmp_path / "good.so").write_bytes(elf())
    (tmp_path / "pc.so").write_bytes(elf(machine=0x3E))
    (tmp_path / "small.so.1").write_bytes(elf(align=0x1000))
    assert build.so_faults(tmp_path) == [
        "pc.so: not for arm64", "small.so.1: not for memory pages of 64 KiB",
    ]  # fmt: skip


def test_a_library_that_only_another_package_can_load_is_named(tmp_path):
    site = tmp_path / "python" / "Lib" / "site-packages"
    for name in ("a", "a.libs", "b", "c", "c.libs"):
        (site / name).mkdir(parents=True)
    (site / "a.libs" / "msvcp140-1.dll").write_bytes(dll("KERNEL32.dll"))
    (site / "c.libs" / "gdal.dll").write_bytes(dll("KERNEL32.dll"))
    (site / "a" / "__init__.py").write_text("import os; os.add_dll_directory('../a.libs')")
    (site / "a" / "a.pyd").write_bytes(dll("msvcp140-1.dll"))
    (site / "b" / "b.pyd").write_bytes(dll("msvcp140-1.dll"))  # in the folder, not in its reach
    (site / "c" / "c.pyd").write_bytes(dll("gdal.dll"))  # nobody tells Python of c.libs
    where = Path("python/Lib/site-packages")
    assert build.dll_faults(tmp_path, interpreter=False) == [
        f"{where / 'b' / 'b.pyd'} will not find msvcp140-1.dll in {where / 'a.libs'}",
        f"{where / 'c' / 'c.pyd'} will not find gdal.dll in {where / 'c.libs'}",
    ]


def test_what_windows_cannot_unpack_is_named(tmp_path):
    folder = tmp_path / "riskmap"
    for name in ("aux.py", "good.py", "l" * 150):
        (folder / "python").mkdir(parents=True, exist_ok=True)
        (folder / "python" / name).write_text("")
    assert build.path_faults(folder) == [
        "riskmap/python/aux.py: a name that Windows does not allow",
        f"riskmap/python/{'l' * 150}: 165 letters",
    ]


def test_packages_that_are_left_out_are_not_missed(tmp_path):
    wheels = [wheel(tmp_path, "salib", needs=["matplotlib>=3", "absent"])]
    assert build.needed(wheels, "win_amd64") == {"absent": "salib"}
    assert build.TRIM.search("/pyarrow/arrow_flight.dll")
    assert build.TRIM.search("/pyarrow/_s3fs.cp313-win_amd64.pyd")
    assert build.TRIM.search("/scipy/linalg/tests/test_a.py")
    for kept in ("/pyarrow/arrow.dll", "/pyarrow/parquet.dll", "/pyarrow/_fs.cp313-win_amd64.pyd",
                 "/pyarrow/libarrow.so.2600", "/pyarrow/libarrow_substrait.so.2600", "/typst/_typst.pyd"):  # fmt: skip
        assert not build.TRIM.search(kept)


def test_wheels_are_laid_out_as_installed(tmp_path):
    wheels = [
        wheel(
            tmp_path, "a",
            files={
                "a/__init__.py": b"", "a/tests/test_a.py": b"x" * 10, "a/a.lib": b"",
                "a-1.0.data/data/msvcp140.dll": b"dll", "a-1.0.data/data/Scripts/x.dll": b"",
                "a-1.0.data/purelib/b.py": b"b", "a-1.0.data/scripts/a.exe": b"",
            },
        ),
        wheel(tmp_path, "riskmap", files={"riskmap/tests/keep.py": b""}),
    ]  # fmt: skip
    left = build.unpack(wheels, tmp_path / "out", "win_amd64")
    found = {
        p.relative_to(tmp_path / "out").as_posix()
        for p in (tmp_path / "out").rglob("*")
        if p.is_file()
    }
    site = "python/Lib/site-packages"
    assert left == 10
    assert found == {
        f"{site}/a/__init__.py", f"{site}/b.py", f"{site}/a-1.0.dist-info/METADATA",
        f"{site}/riskmap/tests/keep.py", f"{site}/riskmap-1.0.dist-info/METADATA",
        "python/msvcp140.dll",
    }  # fmt: skip
    with pytest.raises(SystemExit, match="leaves its folder"):
        build.unpack([wheel(tmp_path, "z", files={"../z": b""})], tmp_path / "out", "win_amd64")


def test_the_interpreter_is_a_named_and_checked_step(tmp_path, monkeypatch):
    part = build.PARTS["win_amd64"]["interpreter"]
    step = build.put_interpreter("win_amd64", tmp_path / "out", tmp_path / "parts")
    assert part["file"] in step
    assert part["sha256"] in step
    assert part["sha256"] in (tmp_path / "out" / "python" / "MISSING.txt").read_text()
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / part["file"]).write_bytes(b"something else")
    with pytest.raises(SystemExit, match="not used"):
        build.put_interpreter("win_amd64", tmp_path / "out", tmp_path / "parts")


def test_a_whole_folder_is_built_from_wheels_that_are_there(tmp_path, capsys):
    (tmp_path / "wheels").mkdir()
    wheel(tmp_path / "wheels", "riskmap", files={"riskmap/x.pyd": dll("nowhere.dll")})
    how = {"parts": tmp_path, "out": tmp_path / "out", "wheels": tmp_path / "wheels"}
    assert build.build("win_amd64", **how) == 1
    said = capsys.readouterr().out
    assert "needs nowhere.dll" in said
    assert "check: FAILED" in said
    wheel(tmp_path / "wheels", "riskmap", files={"riskmap/x.pyd": dll("kernel32.dll")})
    assert build.build("win_amd64", **how) == 0
    said = capsys.readouterr().out
    assert "STILL TO DO" in said
    assert "check: passed" in said
    with zipfile.ZipFile(tmp_path / "out" / "riskmap-win_amd64.zip") as packed:
        names = set(packed.namelist())
        starter = packed.read("riskmap-win_amd64/riskmap.bat")
    assert {"riskmap-win_amd64/读我.txt", "riskmap-win_amd64/python/MISSING.txt"} <= names
    assert starter.count(b"\r\n") == starter.count(b"\n") == starter.count(b"\r") > 10
    assert b"PYTHONUTF8=1" in starter


@pytest.mark.posix
def test_a_folder_for_linux_keeps_its_rights_and_names_nobody(tmp_path):
    folder = tmp_path / "riskmap-aarch64"
    folder.mkdir()
    (folder / "读我.txt").write_text("x")
    (folder / "riskmap.sh").write_text("#!/bin/sh")
    (folder / "riskmap.sh").chmod(0o755)
    with tarfile.open(build.pack(folder, "aarch64")) as packed:
        found = {one.name: one for one in packed}
    assert {"riskmap-aarch64/读我.txt", "riskmap-aarch64/riskmap.sh"} <= set(found)
    assert found["riskmap-aarch64/riskmap.sh"].mode & 0o111
    assert {(one.uid, one.gid, one.uname, one.gname) for one in found.values()} == {(0, 0, "", "")}


@pytest.mark.posix
def test_the_starter_says_what_is_missing(tmp_path):
    shutil.copy(PORTABLE / "riskmap.sh", tmp_path)
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "MISSING.txt").write_text("fetch it")
    done = subprocess.run(
        ["sh", str(tmp_path / "riskmap.sh")], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (1, "fetch it")


def test_the_parts_are_written_whole():
    parts = json.loads((PORTABLE / "parts.json").read_text(encoding="utf-8"))
    for arch in build.PLATFORMS:
        assert len(bytes.fromhex(parts[arch]["interpreter"]["sha256"])) == 32
        assert f"cpython-{parts['python']}." in parts[arch]["interpreter"]["file"]


def test_the_starter_of_windows_gives_the_programs_code_and_the_consoles_page_back():
    lines = (PORTABLE / "riskmap.bat").read_text(encoding="ascii").splitlines()
    said = [line for line in lines if not line.startswith("rem ")]
    assert not [line for line in said if line.rstrip().endswith("(")]  # read before they are run
    runs = [n for n, line in enumerate(said) if line.startswith('"%HERE%python')]
    assert len(runs) == 3
    assert all(said[n + 1] == 'set "CODE=%ERRORLEVEL%"' for n in runs)
    wanted = {line.partition("goto ")[2] for line in said if "goto " in line}
    assert wanted == {line[1:] for line in said if line.startswith(":")}
    assert said[-2:] == ["if defined PAGE chcp %PAGE% >nul 2>&1", "exit /b %CODE%"]
