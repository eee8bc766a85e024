"""The report in a real browser: one language and theme by default, all of them with PAGES=all."""

from __future__ import annotations

import os
import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from chromium import LANGUAGES, SIZES, axe_of, opened
from motiflens.report import page as page_module
from motiflens.report import write_report
from motiflens.report.browser import LOSS
from motiflens.report.translate import Texts, said_by
from motiflens.results import Results
from motiflens.results.tracks import read_tracks
from synthetic_run import LENGTH, MODELS, N_NEGATIVES, N, write_negatives, write_run

pytestmark = pytest.mark.slow

EVERY = list(product(LANGUAGES, ("light", "dark"), SIZES))
LOOKS = EVERY if os.environ.get("PAGES") == "all" else [("en", "light", 1366), ("zh", "light", 390)]

# Pictures that are drawn in nothing but their background, or that have no size.
EMPTY = """() => [...document.querySelectorAll('svg, canvas, img')].filter(one => {
  if (one.closest('[hidden]')) return false;
  const box = one.getBoundingClientRect();
  if (!box.width || !box.height) return true;
  if (one.tagName === 'IMG') return false;
  if (one.tagName === 'svg') return one.querySelectorAll('*').length < 4;
  const bytes = one.getContext('2d').getImageData(0, 0, one.width, one.height).data;
  return new Set(new Uint32Array(bytes.buffer)).size < 3;
}).map(one => one.outerHTML.slice(0, 120))"""

# Headers that do not lie over their columns, and tables wider than the sheet.
ASKEW = """() => [...document.querySelectorAll('table')].filter(table => {
  const edges = row => [...row.cells].map(cell => Math.round(cell.getBoundingClientRect().left));
  const head = table.tHead.rows[0], box = table.getBoundingClientRect();
  return !box.width || box.right > innerWidth + 1
    || [...table.tBodies[0].rows].some(row => String(edges(row)) !== String(edges(head)));
}).map(table => table.innerText.slice(0, 120))"""

# What is read and not marked as translated.
UNMARKED = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), left = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    if (!node.parentElement.closest('script, style, pre, code, a[download], #switches, .product')
      && /[a-z]{3,} [a-z]{2,}/.test(node.data) && !node.data.includes('⟦')) left.push(node.data);
  for (const one of document.querySelectorAll('[aria-label]'))
    if (/[a-z]{3,} [a-z]{2,}/.test(one.ariaLabel) && !one.ariaLabel.includes('⟦'))
      left.push(one.ariaLabel);
  return left;
}"""


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_negatives(write_run(tmp_path_factory.mktemp("pages") / "run"))


@pytest.fixture(scope="module")
def report(run_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report, alone in a folder."""
    path = tmp_path_factory.mktemp("alone") / "report.html"
    path.write_bytes(write_report(run_dir).read_bytes())
    return path


@pytest.mark.parametrize(("language", "theme", "width"), LOOKS)
def test_a_page_is_whole_quiet_and_accessible(chromium, report, language, theme, width) -> None:
    with opened(chromium, report, language, theme, width, bypass_csp=True) as found:
        page = found.page
        assert page.evaluate("document.documentElement.lang")[:2] == language
        found.unfold()
        page.wait_for_timeout(200)
        assert page.evaluate(EMPTY) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert axe_of(page) == []
        assert found.said == []


def test_the_answer_and_the_browser_are_soon_reached(chromium, report) -> None:
    """The first screen holds the answer; under its own policy; few stops lead to the browser."""
    with opened(chromium, report) as found:
        page = found.page
        assert page.locator(".answer").bounding_box()["y"] < 768
        assert page.locator(".headline").first.is_visible()
        stops = 0
        while not page.evaluate("!!document.activeElement.closest('#browser')"):
            page.keyboard.press("Tab")
            stops += 1
            assert stops <= 26
        assert page.locator("#pictures").is_hidden()
        assert found.said == []


def test_without_a_script_the_page_holds_its_pictures(chromium, report) -> None:
    with opened(chromium, report, java_script_enabled=False) as found:
        assert found.page.locator("#pictures svg").count() == 3
        assert found.page.locator("#browser").is_hidden()


def test_on_paper_headers_lie_over_their_columns(chromium, report) -> None:
    with opened(chromium, report, width=688) as found:
        found.page.emulate_media(media="print")
        found.unfold()
        assert found.page.evaluate(ASKEW) == []


@pytest.mark.parametrize("width", [1366, 390])
def test_nothing_is_said_outside_the_list_of_words(
    chromium, run_dir, tmp_path, monkeypatch, width
) -> None:
    """Every text is put into brackets, as a language of its own; none is without."""
    monkeypatch.setattr(page_module, "dictionary", lambda html, script: {
        text: f"⟦{text}⟧" for text in [*Texts(html).found, *said_by(script)]
    })  # fmt: skip
    path = tmp_path / "pseudo.html"
    path.write_bytes(write_report(run_dir).read_bytes())
    with opened(chromium, path, "zh", width=width) as found:
        found.unfold()
        assert "⟦" in found.page.locator("h2").first.inner_text()
        assert found.page.evaluate(UNMARKED) == []


def values_of(run_dir: Path, model: str, method: str) -> np.ndarray:
    return read_tracks(Results(run_dir))[model][method].values


def number(text: str) -> float:
    return float(text.replace("−", "-"))


@pytest.mark.parametrize("ratio", [1, 1.5, 3])
def test_values_that_are_read_are_the_runs_own(chromium, run_dir, report, ratio) -> None:
    wanted = values_of(run_dir, MODELS[0], "ism")
    generator = np.random.default_rng(0)
    with opened(chromium, report, device_scale_factor=ratio) as found:
        page = found.page
        for row, presses in product((1, 4), range(3)):
            page.evaluate(f"location.hash = 'seq={row + 1}'")
            page.wait_for_timeout(100)
            if row == 1 and presses:
                page.locator("button[aria-label='Zoom in']").click()
            canvas = page.locator("canvas")
            for base in generator.integers(LENGTH, size=4).tolist():
                canvas.focus()
                page.keyboard.press("Home")
                for _ in range(base):
                    page.keyboard.press("ArrowRight")
                read = page.locator(".readout").inner_text()
                said = re.match(r"Base (\d+), ([ACGT]): (\S+) by mutagenesis", read)
                assert said is not None
                assert int(said[1]) == base + 1
                most = np.abs(wanted[row]).max()
                # Three digits are shown.
                assert abs(number(said[3]) - wanted[row, base]) <= 1.01 * LOSS * most + 0.006 * most


def test_saved_numbers_are_the_runs_own(chromium, run_dir, report, tmp_path) -> None:
    wanted, row = values_of(run_dir, MODELS[0], "ism"), 3
    with opened(chromium, report, accept_downloads=True) as found:
        page = found.page
        page.evaluate(f"location.hash = 'seq={row + 1}'")
        page.wait_for_timeout(100)
        saved = {}
        for kind in ("Table (TSV)", "SVG", "PNG"):
            with page.expect_download() as download:
                page.locator("#browser button", has_text=kind).click()
            path = tmp_path / download.value.suggested_filename
            download.value.save_as(path)
            saved[kind] = path
        assert found.said == []
    head, *lines = [line.split("\t") for line in saved["Table (TSV)"].read_text().splitlines()]
    column = head.index(f"{MODELS[0]} ism")
    table = {int(line[0]): (line[1], float(line[column])) for line in lines}
    assert len(table) == LENGTH
    loss = 1.01 * LOSS * np.abs(wanted[row]).max()
    assert all(abs(table[i + 1][1] - wanted[row, i]) <= loss for i in range(LENGTH))
    drawn = re.findall(
        r"<path[^>]*><title>([ACGT])(\d+): ([-\d.e]+)</title>", saved["SVG"].read_text()
    )
    assert len(drawn) > LENGTH / 2
    assert all(table[int(at)] == (base, float(value)) for base, at, value in drawn)
    assert saved["PNG"].read_bytes().startswith(b"\x89PNG")


def test_errors_are_found_by_filter(chromium, report) -> None:
    """The best model's threshold is −0.25, its logits are 0 to 6 and 2.5, 0.25, −4."""
    with opened(chromium, report) as found:
        page = found.page
        kind = page.locator("label", has_text="Show").locator("select")
        counts = {}
        for name in kind.locator("option").all_inner_texts():
            kind.select_option(label=name)
            counts[name] = page.locator("[role=option]").count()
        assert counts == {"all": N + N_NEGATIVES, "positives": N, "negatives": N_NEGATIVES,
                          "false negatives": 0, "false positives": 2}  # fmt: skip
        kind.select_option(label="all")
        rows = page.locator("[role=option]").all_inner_texts()
        assert [row.split()[0] for row in rows[:3]] == ["background0", "background1", "seq0"]
        assert "negative 2.5" in " ".join(rows[0].split())


@pytest.mark.parametrize("name", ["</script><img src=x onerror=alert(1)>", "<!--", "\u2028x"])
def test_names_stay_names(chromium, tmp_path, name) -> None:
    run_dir = write_run(tmp_path / "run", names=[f"{name}{i}" for i in range(N)])
    with opened(chromium, write_report(run_dir)) as found:
        assert found.page.locator("[role=option]").count() == N
        assert found.page.locator("img").count() == 0
        assert found.said == []


MANY, BASES = 10_000, 200


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of 10,000 explained sequences of 200 bases, by one method and attention."""
    run_dir, generator = (
        write_run(tmp_path_factory.mktemp("many") / "run"),
        np.random.default_rng(0),
    )
    results = Results(run_dir)
    for path in [*results.paths_of("attributions"), *results.paths_of("checks")]:
        path.unlink()
    codes = generator.integers(4, size=(MANY, BASES))
    one_hot = np.eye(4, dtype=np.float32)[codes].transpose(0, 2, 1)
    for method in ("ism", "attention"):
        track = generator.normal(0, 0.05, (MANY, BASES)).astype(np.float32)
        starts = generator.integers(BASES - 12, size=MANY)
        track[np.arange(MANY)[:, None], starts[:, None] + np.arange(12)] += 1
        path = results.path_of("attributions", model="attention", method=method)
        names = np.array([f"peak{i}" for i in range(MANY)])
        with path.open("wb") as file:
            np.savez(file, one_hot=one_hot, contributions=one_hot * track[:, None], names=names)
    path = write_report(run_dir)
    assert path.stat().st_size <= 8_000_000
    return path


def test_ten_thousand_sequences_are_looked_through_at_once(chromium, many) -> None:
    with opened(chromium, many) as found:
        page = found.page
        opening = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
        assert opening < 3000
        assert page.locator("[role=option]").count() > 5
        assert page.locator("#browser *").count() <= 3000
        assert page.locator("*").count() <= 12_000
        heading = page.locator(".tracks h3")
        jump = page.evaluate("""async () => {
          const heading = document.querySelector('.tracks h3'), before = heading.textContent;
          const list = document.querySelector('.list'), start = performance.now();
          list.dispatchEvent(new KeyboardEvent('keydown', {key: 'End', bubbles: true}));
          while (heading.textContent === before) await new Promise(requestAnimationFrame);
          return performance.now() - start;
        }""")
        assert jump < 200
        drawn = heading.inner_text()
        assert drawn.startswith("peak")
        page.locator("input[type=search]").fill("peak9876")
        assert page.locator("[role=option]").count() == 1
        assert page.evaluate("performance.memory.usedJSHeapSize") < 300e6
