"""Write docs/commands.md from the commands' own help."""

import os
import subprocess
import sys
from pathlib import Path

COMMANDS = (
    "run", "check", "new", "template", "explain", "verify", "papers", "postgis", "index",
    "locate", "allocate", "route", "coords",
    "control export", "control import", "control status", "control history", "control bulletin",
    "control show",
    "diff",
)  # fmt: skip
HEAD = """# Commands

Results go to stdout (`--json`: one JSON document and nothing else), progress and messages to
stderr. Exit codes: 0 done, 1 the input has errors, 2 wrong usage, 3 no feasible answer. This page
is made by `python docs/make_commands.py`.
"""


HEADS = {
    "en": HEAD,
    "zh": """# 命令

结果写到标准输出（`--json` 时只有一份 JSON 文档），进度和提示写到标准错误。
退出码：0 完成，1 输入有错，2 用法不对，3 没有可行解。
提示语言用 `--lang zh|en` 或环境变量 `RISKMAP_LANG` 选定，默认中文。
本页由 `python docs/make_commands.py` 生成。
""",
}


def help_of(*words: str, lang: str = "en") -> str:
    """Give the help of a command."""
    shown = subprocess.run(
        [sys.executable, "-m", "riskmap", *words, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "96", "TERM": "dumb", "RISKMAP_LANG": lang},
    ).stdout
    lines = shown.replace("python -m riskmap", "riskmap").splitlines()
    return "\n".join(line.rstrip() for line in lines)


def page(lang: str = "en") -> str:
    """Give the page's text."""
    parts = [HEADS[lang], f"\n```\n{help_of(lang=lang).strip()}\n```\n"]
    parts += [
        f"\n## riskmap {c}\n\n```\n{help_of(*c.split(), lang=lang).strip()}\n```\n"
        for c in COMMANDS
    ]
    return "".join(parts)


if __name__ == "__main__":
    for lang, name in (("en", "commands.md"), ("zh", "commands.zh.md")):
        path = Path(__file__).with_name(name)
        path.write_text(page(lang), encoding="utf-8", newline="\n")
