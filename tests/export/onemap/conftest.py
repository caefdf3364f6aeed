"""One browser for all tests of the page; every request is recorded and blocked."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from riskmap.export.onemap.page import render
from tests.sample import sample_result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}


class Opened:
    """An open page with what it asked of the network and what it complained about."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.fresh = True
        """Whether no test has used the page yet."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def js(self, code: str, *args: Any) -> Any:
        return self.page.evaluate(code, *args)

    def unfold(self) -> None:
        """Open every group and row of the layer panel, so that all its controls can be reached."""
        self.js("""() => {
          for (const group of document.querySelectorAll('#left details.group')) group.open = true;
          for (const row of document.querySelectorAll('#left [data-more][aria-expanded=false]')) row.click();
        }""")

    def load(self, address: str) -> None:
        """Open an address and wait until the page is whole."""
        # Without it an address that differs in its # alone would load nothing.
        self.page.goto("about:blank")
        self.page.goto(address)
        self.page.wait_for_selector("html[data-settled]", state="attached")

    def settle(self) -> None:
        """Wait for two frames, so that what was asked for is drawn."""
        self.js(
            "() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(r, 0))))"
        )


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start Debian's Chromium once, or the one that RISKMAP_CHROMIUM names."""
    from playwright.sync_api import sync_playwright

    program = os.environ.get("RISKMAP_CHROMIUM") or shutil.which("chromium")
    if program is None:
        pytest.fail("these tests need Chromium: apt-get install chromium")
    with sync_playwright() as play:
        found = play.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        yield found
        found.close()


@pytest.fixture(scope="session")
def sample() -> Any:
    """The made-up result that most tests look at."""
    return sample_result(n_side=24, n_points=200)


@pytest.fixture(scope="session")
def sample_page(sample: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its page on disk."""
    path = tmp_path_factory.mktemp("page") / "onemap.html"
    path.write_text(render(sample), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def open_page(browser: Any) -> Callable[..., Any]:
    """Open a page; on leaving, check that it was quiet.

    A new window starts a process and compiles the scripts anew, which costs twice the page itself: one
    that a test left as wide as it was, and without a fault, serves the next test.
    """
    kept: dict[str, list[Opened]] = {size: [] for size in SIZES}

    def new(size: str) -> Opened:
        wide, high = SIZES[size]
        context = browser.new_context(
            viewport={"width": wide, "height": high}, has_touch=size == "phone",
            is_mobile=size == "phone", accept_downloads=True, reduced_motion="reduce",
        )  # fmt: skip
        opened = Opened(context.new_page())
        opened.page.set_default_timeout(30_000)

        def block(route: Any) -> None:
            opened.requests.append(route.request.url)
            route.abort()

        opened.page.route(lambda url: not url.startswith(("file:", "data:", "blob:")), block)
        return opened

    @contextmanager
    def opening(
        path: Path,
        *,
        size: str = "desktop",
        address: str = "",
        before: str = "",
        unfolded: bool = True,
    ) -> Iterator[Opened]:
        opened = kept[size].pop() if kept[size] and not before else new(size)
        page = opened.page
        opened.fresh = True
        if before:
            page.add_init_script(before)
        opened.load(path.as_uri() + (f"#{address}" if address else ""))
        if unfolded and size == "desktop":
            opened.unfold()
        yield opened
        assert opened.requests == []
        assert opened.errors == []
        same = page.viewport_size == dict(zip(("width", "height"), SIZES[size], strict=True))
        if same and not before and len(page.context.pages) == 1:
            page.mouse.move(0, 0)
            kept[size].append(opened)
        else:
            page.context.close()

    return opening


@pytest.fixture(scope="module")
def desk(open_page: Any, sample_page: Path) -> Iterator[Opened]:
    """The sample page on a desktop, shared by a module's tests."""
    with open_page(sample_page) as opened:
        yield opened


@pytest.fixture(autouse=True)
def start_again(request: pytest.FixtureRequest) -> None:
    """Put the shared page back to its start before each test."""
    if "desk" in request.fixturenames:
        opened = request.getfixturevalue("desk")
        if opened.fresh:
            opened.fresh = False
            return
        opened.load(request.getfixturevalue("sample_page").as_uri())
        opened.unfold()
