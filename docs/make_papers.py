"""Make the pictures of ``docs/papers.md`` from results folders.

Run it as ``python docs/make_papers.py JINAN RURAL [docs/img]``: results folders of the Jinan demo
and of the rural county of the tests. Needs ``pdftoppm`` (Debian: poppler-utils) and Pillow.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from riskmap.export.papers.drafts import Options
from riskmap.export.papers.folder import make_atlas

SHEETS = (
    ("papers-village", 1, "village", "上墩村", 100),
    ("papers-jinan", 0, "village", "示范梅圃社区", 100),
    ("papers-town", 1, "town", "双溪乡", 100),
    ("papers-card", 1, "point", "碶头村后山滑坡", 80),
    ("papers-poster", 0, "poster", "A0", 36),
)
"""Name of the picture, which folder, kind and name of the sheet, dots an inch."""


def main() -> None:
    folders = [Path(sys.argv[1]), Path(sys.argv[2])]
    target = Path(sys.argv[3]) if len(sys.argv) > 3 else Path(__file__).parent / "img"
    for name, which, kind, wanted, dots in SHEETS:
        with tempfile.TemporaryDirectory() as made:
            names = [] if kind == "poster" else [wanted]
            atlas = make_atlas(
                folders[which], Path(made), kinds=[kind], names=names,
                options=Options(hotline="0000-0000000"),
            )  # fmt: skip
            file = next(one.file for one in atlas.sheets if wanted in (one.name, one.code))
            out = Path(made) / "page"
            subprocess.run(
                ["pdftoppm", "-r", str(dots), "-f", "1", "-l", "1", "-png", Path(made) / file, out],
                check=True,
            )
            page = Image.open(next(Path(made).glob("page*.png"))).convert("RGB")
            page.quantize(200).save(target / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
