"""Pages in a real browser: Debian's Chromium, driven by playwright, with no way to any network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
LANGUAGES = {"en": "en-GB", "zh": "zh-CN"}
#: Rules of WCAG 2.2, A and AA.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
#: Of a wide screen and of a phone.
SIZES = {1366: 768, 390: 844}


@dataclass
class Opened:
    """A page, and what it has said and asked for since it was opened."""

    page: Page
    said: list[str] = field(default_factory=list)

    def unfold(self) -> None:
        """Open every fold."""
        self.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Start a browser; where none can be, skip, but fail in CI, which has to install it."""
    if CHROMIUM is None and "CI" in os.environ:
        pytest.fail("there is no Chromium: install Debian's package chromium")
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    arguments = ["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info"]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


def axe_of(page: Page) -> list[tuple[str, str]]:
    """Return what axe-core finds against an open page: rule, and the first element."""
    spec = find_spec("axe_playwright_python")
    if spec is None or spec.origin is None:
        pytest.skip("needs axe-playwright-python")
    (axe,) = Path(spec.origin).parent.rglob("axe.min.js")
    page.evaluate(axe.read_text(encoding="utf-8"))
    result = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES
    )
    return [(one["id"], one["nodes"][0]["html"]) for one in result["violations"]]


def violations(chromium: Any, path: Path, **options: Any) -> list[tuple[str, str]]:
    """Open a file, and return what axe-core finds against it."""
    with opened(chromium, path, bypass_csp=True, **options) as found:
        return axe_of(found.page)


@contextmanager
def opened(
    chromium: Any,
    path: Path,
    language: str = "en",
    theme: str = "light",
    width: int = 1366,
    **options: Any,
) -> Iterator[Opened]:
    """Open a file in a window of its own, noting messages, errors, dialogs and requests."""
    size = {"width": width, "height": SIZES.get(width, 900)}
    context = chromium.new_context(
        viewport=size, color_scheme=theme, locale=LANGUAGES[language], **options
    )
    context.set_offline(True)
    found = Opened(context.new_page())
    page = found.page
    page.on("console", lambda message: found.said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: found.said.append(f"error: {error}"))
    page.on(
        "dialog", lambda dialog: (found.said.append(f"dialog: {dialog.message}"), dialog.accept())
    )
    page.on("request", lambda request: _note(found, request.url))
    page.goto(path.as_uri())
    page.wait_for_timeout(300)
    yield found
    context.close()


def _note(found: Opened, url: str) -> None:
    if not url.startswith(("file:", "data:", "blob:")):
        found.said.append(f"request: {url}")
