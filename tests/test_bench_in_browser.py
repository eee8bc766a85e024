"""The bench in a real browser: what is typed, pasted, clicked and put in, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest

from chromium import LANGUAGES, SIZES
from served_run import make_served_run
from test_serve_process import serving
from toy_models import planted

pytestmark = pytest.mark.slow

FIRST, SECOND = planted().sequences()[:2]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("bench")
    run_dir = make_served_run(folder / "run", models=("cnn", "tutorial-attention"), seeds=1)
    with serving(run_dir) as (_, port, token):
        yield f"http://127.0.0.1:{port}/?token={token}"


def window(browser: Any, address: str, language: str = "en", width: int = 1366) -> Any:
    context = browser.new_context(
        viewport={"width": width, "height": SIZES[width]}, locale=LANGUAGES[language]
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("#predictions strong")
    return page


@pytest.fixture
def page(chromium: Any, address: str) -> Iterator[Any]:
    opened = window(chromium, address)
    yield opened
    opened.context.close()


def type_in(page: Any, text: str) -> None:
    page.fill("#letters", text)
    page.wait_for_timeout(400)


def shown(page: Any) -> str:
    return page.eval_on_selector("#letters", "box => box.value")


def test_the_first_click_after_typing_chooses_a_base(page) -> None:
    type_in(page, FIRST)
    box = page.locator("#tracks svg").bounding_box()
    assert box is not None
    left, right = 54, box["width"] - 8  # where the first base begins, and the last one ends
    middle = left + (right - left) * 20.5 / len(FIRST)
    page.locator("#tracks svg").click(position={"x": middle, "y": 28})
    assert page.inner_text("#readout").startswith(f"Base 21, {FIRST[20]}")
    other = "A" if FIRST[20] != "A" else "C"
    buttons = page.eval_on_selector_all("#palette button", "all => all.map(e => e.textContent)")
    (said,) = (text for text in buttons if text[0] == other)
    before = float(page.inner_text("#predictions strong").replace("−", "-"))
    page.keyboard.press(other)
    assert shown(page) == FIRST[:20] + other + FIRST[21:]
    page.wait_for_timeout(400)
    after = float(page.inner_text("#predictions strong >> nth=0").replace("−", "-"))
    assert float(said[2:].replace("−", "-")) == pytest.approx(after - before, abs=2e-3)


@pytest.mark.parametrize("focus", ["#letters", "#tracks svg", "#turn"])
def test_undo_goes_back_from_everywhere(page, focus: str) -> None:
    page.click("#letters")
    type_in(page, FIRST)
    page.select_option("#examples", "1")
    page.locator("h1").click()
    example = shown(page)
    page.focus(focus)
    page.keyboard.press("Control+z")
    page.wait_for_timeout(400)
    assert shown(page) == FIRST
    page.keyboard.press("Control+y")
    page.wait_for_timeout(400)
    assert shown(page) == example


def test_what_a_server_did_not_say_is_asked_for_again(page) -> None:
    page.context.set_offline(True)
    type_in(page, FIRST[:-1])
    assert "does not answer" in page.inner_text("#status")
    page.context.set_offline(False)
    type_in(page, FIRST[:-2])
    page.click("#undo")
    page.wait_for_timeout(400)
    assert page.inner_text("#status") == ""
    assert "…" not in page.inner_text("#predictions")


def test_records_that_are_pasted_can_be_chosen(page) -> None:
    type_in(page, f">one\n{FIRST.lower()}\n>two\n{SECOND.replace('T', 'u')}\n")
    assert page.inner_text("#examples").splitlines()[-2:] == ["one", "two"]
    assert page.eval_on_selector("#examples", "list => list.value") == "r0"
    page.select_option("#examples", "r1")
    page.locator("h1").click()
    assert shown(page) == SECOND
    type_in(page, f">one\n{FIRST}\n>two\nACGTX\n")
    assert page.inner_text("#status") == "two: X at position 5 is not A, C, G, T or N"


def test_the_example_can_be_chosen_again_after_typing(page) -> None:
    before = shown(page)
    type_in(page, SECOND[:-1])
    assert page.eval_on_selector("#examples", "list => list.selectedIndex") == -1
    page.select_option("#examples", "0")
    page.locator("h1").click()
    assert shown(page) == before


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file holds no sequence"),
        (b"@read\nACGT\n+\nIIII\n", "The file is no FASTA; unpack it"),
        (b"\x1f\x8b\x08\x00", "The file is no FASTA; unpack it"),
        (b">one\nACGX\n", "X at position 4 is not A, C, G, T or N"),
    ],
)
def test_files_that_hold_no_sequences_are_told(page, content: bytes, words: str) -> None:
    file = {"name": "own.fa", "mimeType": "text/plain", "buffer": content}
    page.set_input_files("#upload", files=[file])
    page.wait_for_timeout(200)
    assert page.inner_text("#status").startswith(words)


def test_a_sequence_that_a_model_cannot_take_leaves_its_row_empty(page) -> None:
    type_in(page, FIRST * 3)
    page.wait_for_timeout(500)
    assert "tutorial-attention: it takes" in page.inner_text("#status")
    texts = page.eval_on_selector_all("#predictions strong", "all => all.map(e => e.textContent)")
    assert "–" in texts
    assert "…" not in texts


@pytest.mark.parametrize(
    ("letters", "start", "words"),
    [
        ("GATTACCA", "31", "The motif fits with its first base at 1 to 30"),
        ("GATTACCA", "", "The motif fits with its first base at 1 to 30"),
        ("GATTXCCA", "3", "X at position 5 is not A, C, G, T or N"),
        ("A" * 38, "1", "The motif is longer than the sequence"),
        ("", "1", "Type the letters of a motif"),
    ],
)
def test_a_motif_that_does_not_fit_is_told_as_the_page_counts(page, letters, start, words) -> None:
    page.fill("#motif-letters", letters)
    page.fill("#start", start)
    page.click("#put")
    assert page.inner_text("#swept-words") == words


def test_a_motif_is_put_at_the_last_base_where_it_fits(page) -> None:
    page.fill("#motif-letters", "gattacca")
    page.fill("#start", "30")
    page.click("#put")
    page.wait_for_timeout(500)
    assert shown(page).endswith("GATTACCA")


def test_a_sweep_goes_with_its_sequence_and_comes_back(page) -> None:
    page.fill("#motif-letters", "GATTACCA")
    page.click("#sweep")
    page.wait_for_selector("#swept svg")
    said = page.inner_text("#swept-words")
    assert "with GATTACCA at base" in said
    type_in(page, SECOND)
    assert page.locator("#swept svg").count() == 0
    assert page.inner_text("#swept-words") == ""
    assert page.is_hidden("#save-sweep")
    page.click("#undo")
    assert page.inner_text("#swept-words") == said
    assert page.locator("#swept svg path").count() > 4


def test_a_saved_picture_has_a_name(page) -> None:
    with page.expect_download() as download:
        page.click("#save-svg")
    saved = ElementTree.parse(download.value.path()).getroot()
    assert saved[0].tag.endswith("title")
    assert saved[0].text.endswith("cnn, mutagenesis; tutorial-attention, mutagenesis")
    assert saved.get("role") == "img"
    assert saved.get("aria-label") is None


def test_the_page_of_the_api_has_both_languages(page) -> None:
    page.goto(page.url + "api")
    assert page.inner_text("h2 >> nth=0") == "GET /api/models"
    page.click("#switches button >> nth=0")
    assert "列出模型" in page.inner_text("main")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", SIZES)
def test_the_bench_fits_the_screen(chromium, address, language, width) -> None:
    page = window(chromium, address, language, width)
    page.evaluate(
        """document.querySelector("#motifs").append(new Option("a long name ".repeat(9)))"""
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ends = (
        "[...document.querySelectorAll('#tracks text')].map(e => e.getBoundingClientRect().right)"
    )
    assert max(page.evaluate(ends)) <= width
    page.context.close()
