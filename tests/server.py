"""A PostGIS server of the tests' own: a new cluster in a temporary folder, on a Unix socket only."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNER = "postgres"
"""PostgreSQL does not run as root; Debian's package brings this user."""
CALM = "-c fsync=off -c full_page_writes=off -c listen_addresses= -c max_connections=20"


def _tool(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else name


def _run(*words: str, **extra: object) -> None:
    who = ["runuser", "-u", OWNER, "--"] if os.getuid() == 0 else []
    done = subprocess.run(
        [*who, *words], check=False, capture_output=True, text=True, cwd="/", **extra
    )  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def server() -> Iterator[str]:
    """Start a server; give the address of an empty database with PostGIS, its name at ``{}``."""
    folder = Path(tempfile.mkdtemp(prefix="riskmap_pg_"))
    try:
        if os.getuid() == 0:
            shutil.chown(folder, OWNER)
        data = folder / "data"
        _run(_tool("initdb"), "-D", str(data), "-U", "tester", "-A", "trust", "-N", "-E", "UTF8",
             "--locale=C")  # fmt: skip
        log = str(folder / "log")
        options = f"{CALM} -c unix_socket_directories={folder}"
        _run(_tool("pg_ctl"), "-D", str(data), "-l", log, "-w", "-o", options, "start")
        try:
            yield f"postgresql://tester@/{{}}?host={folder}"
        finally:
            _run(_tool("pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
