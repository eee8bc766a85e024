"""Take the screenshots of the README and of the documentation, in Debian's Chromium.

    python -m scripts.screenshots runs/demo PEAKS

The first folder is of ``motiflens demo``, the second of ``motiflens run`` on CTCF peaks. Pages are
taken as they are; each picture is at most 150 kB.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright

from motiflens.files import write_whole

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
LANGUAGES = {"": "en-GB", ".zh": "zh-CN"}
MOTIF = "CGACCGAACTCC"
MOST_BYTES = 150_000
#: The base of a peak that the zoomed picture is about.
MIDDLE = 84
#: Of the page of a run on peaks: a picture's name, and what it shows.
PARTS = {
    "peaks-answer": "#summary",
    "peaks-motif": "#motifs .card >> nth=0",
    "peaks-sequence": "#browser",
    "peaks-scores": "#scores .scroll >> nth=0",
    "peaks-trust": "#trust .scroll >> nth=0",
}


def save(name: str, taken: Locator) -> None:
    """Write a picture in 256 colours."""
    image = Image.open(io.BytesIO(taken.screenshot())).convert("RGB")
    content = io.BytesIO()
    image.quantize(256, dither=Image.Dither.NONE).save(content, "png", optimize=True)
    if content.tell() > MOST_BYTES:
        raise SystemExit(f"{name}: {content.tell():,} bytes are too many")
    write_whole(PICTURES / f"{name}.png", content.getvalue())
    print(f"{name}.png {image.width} x {image.height}, {content.tell():,} bytes")


@contextmanager
def window(browser: Browser, address: str, width: int, locale: str = "en-GB") -> Iterator[Page]:
    """Open a page in a light window."""
    size = {"width": width, "height": 900}
    context = browser.new_context(viewport=size, locale=locale, color_scheme="light")
    page = context.new_page()
    page.goto(address)
    page.wait_for_timeout(500)
    yield page
    context.close()


@contextmanager
def served(run: Path) -> Iterator[str]:
    """Serve a run, and give the address of its bench."""
    command = [sys.executable, "-m", "motiflens", "serve", str(run), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--no-browser", "--json"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["address"]
    finally:
        process.terminate()
        process.communicate()


def take_bench(browser: Browser, run: Path) -> None:
    """Change the sixth base of the motif of the example, and take the sequence with its models."""
    with served(run) as address, window(browser, address, 1100) as page:
        page.wait_for_selector("#predictions strong")
        letters = page.eval_on_selector("#letters", "box => box.value")
        page.focus("#tracks svg")
        page.keyboard.press("Home")
        for _ in range(letters.index(MOTIF) + 5):
            page.keyboard.press("ArrowRight")
        page.keyboard.press("T")
        page.wait_for_timeout(1500)
        save("bench", page.locator("#sequence"))


def take_report(browser: Browser, run: Path) -> None:
    """Take the first screen of the demo's page."""
    with window(browser, (run / "report.html").resolve().as_uri(), 1140) as page:
        save("report", page.locator("#summary"))


def take_peaks(browser: Browser, run: Path) -> None:
    """Take the parts of the page of peaks in both languages; of the sequences the clearest one."""
    for ending, locale in LANGUAGES.items():
        with window(browser, (run / "report.html").resolve().as_uri(), 1240, locale) as page:
            page.locator("#browser select >> nth=0").select_option("strong")
            page.locator("#browser [role=option] >> nth=0").click()
            page.wait_for_timeout(300)
            page.locator("#browser canvas").focus()
            for key in ("Home", *["ArrowRight"] * MIDDLE, "+", "+"):
                page.keyboard.press(key)
            page.wait_for_timeout(300)
            for name, selector in PARTS.items():
                save(name + ending, page.locator(selector))


def main() -> None:
    """Take all of them."""
    demo, peaks = map(Path, sys.argv[1:3])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        take_report(browser, demo)
        take_bench(browser, demo)
        take_peaks(browser, peaks)
        browser.close()


if __name__ == "__main__":
    main()
