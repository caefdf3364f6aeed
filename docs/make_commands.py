"""Write docs/commands.md from the commands' own help."""

import os
import subprocess
import sys
from pathlib import Path

COMMANDS = (
    "run", "check", "new", "template", "verify", "index", "locate", "allocate", "route", "coords",
    "control export", "control import", "control status", "control history",
)  # fmt: skip
HEAD = """# Commands

Results go to stdout (`--json`: one JSON document and nothing else), progress and messages to
stderr. Exit codes: 0 done, 1 the input has errors, 2 wrong usage, 3 no feasible answer. This page
is made by `python docs/make_commands.py`.
"""


def help_of(*words: str) -> str:
    """Give the help of a command, eighty columns wide."""
    shown = subprocess.run(
        [sys.executable, "-m", "riskmap", *words, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "96", "TERM": "dumb"},
    ).stdout
    lines = shown.replace("python -m riskmap", "riskmap").splitlines()
    return "\n".join(line.rstrip() for line in lines)


def page() -> str:
    """Give the page's text."""
    parts = [HEAD, f"\n```\n{help_of().strip()}\n```\n"]
    parts += [f"\n## riskmap {c}\n\n```\n{help_of(*c.split()).strip()}\n```\n" for c in COMMANDS]
    return "".join(parts)


if __name__ == "__main__":
    Path(__file__).with_name("commands.md").write_text(page(), encoding="utf-8", newline="\n")
