"""The page: whole, inert, alone, and claiming only what the run's figures support."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from motiflens.errors import InputError
from motiflens.report import write_report
from motiflens.report.page import HERE, lay_out
from motiflens.report.parts import Grid, Table, interval, listed, percent, walk
from motiflens.results import Results
from pages import Page, all_figures, blocks_of, change, page_of
from synthetic_run import MODELS, TRUTH, WITH_ATTENTION, N, write_run

FIGURES = [
    "ROC",
    "Precision and recall",
    "Reliability",
    "Reliability, calibrated",
    "Test Accuracy Comparison",
    "Convergence Speed, Epochs to 95 % Acc",
    "Accuracy by number of training sequences",
    "AUROC by number of training sequences",
    *(f"Saliency Map: {model}" for model in MODELS),
    *(f"Saturation mutagenesis: {model}" for model in MODELS),
    *(f"Attention Weights Distribution: {model}" for model in WITH_ATTENTION),
    *(f"Attention on one sequence: {model}" for model in WITH_ATTENTION),
    *(f"Stretched and exact attention: {model}" for model in WITH_ATTENTION),
    "Attention Weights at Motif Positions",
    "Attention Weights at Motif Positions, stretched, first 100 positives",
    *(f"First-layer filters: {model}" for model in MODELS),
    *(f"Deletion curves: {model}" for model in MODELS),
    *(
        f"Reconstructed Motif PWM from Attention Maxima: {model}, {route}"
        for model in WITH_ATTENTION
        for route in ("attention-stretched", "attention")
    ),
    *(f"{model}, {route}" for model in MODELS for route in ("filters", "saliency")),
    *(f"{m}, attention-saliency" for m in WITH_ATTENTION),
    *(f"Loss by single mismatch: {model}" for model in MODELS),
]
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return write_run(tmp_path_factory.mktemp("whole") / "run")


@pytest.fixture(scope="module")
def html(whole) -> str:
    return write_report(whole).read_text(encoding="utf-8")


@pytest.fixture
def run_dir(whole, tmp_path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


def test_every_element_is_closed_where_it_was_opened(html):
    page = Page(html)
    assert page.tags.count("html") == page.tags.count("main") == page.tags.count("h1") == 1
    assert html.startswith("<!DOCTYPE html>\n")


def test_every_figure_of_the_tutorial_is_here_by_name(html, whole):
    captions = re.findall(r"<figcaption><b>(.*?)</b>", html)
    assert set(FIGURES) <= set(captions)
    assert html.count("<svg") == len(captions)
    assert len(captions) == len(set(captions))
    assert set(FIGURES) <= set(all_figures(whole))


def test_contents_lead_to_every_section(html):
    ids = re.findall(r' id="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    links = re.findall(r'<li><a href="#([a-z-]+)">', html)
    assert ["summary", *links] == re.findall(r'<section id="([a-z-]+)">', html)
    assert links == ["motifs", "sequences", "scores", "trust", "experiments", "tutorial", "made"]
    assert set(re.findall(r'<a [^>]*href="#([a-z-]+)"', html)) <= set(ids)


def test_headings_go_down_one_level_at_a_time(html):
    levels = [int(tag[1]) for tag in Page(html).tags if tag in ("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_page_fetches_nothing_and_runs_its_own_script_alone(html):
    page = Page(html)
    sources = [v for _, name, v in page.attributes if name in ("src", "href", "srcset", "data")]
    assert all(source.startswith(("#", "data:text/plain;base64,")) for source in sources)
    downloads = [v for tag, name, v in page.attributes if (tag, name) == ("a", "download")]
    assert sum(source.startswith("data:") for source in sources) == len(downloads)
    assert {name for _, name, _ in page.attributes if name.startswith("on")} == set()
    assert not {"link", "iframe", "object", "img", "base"} & set(page.tags)
    assert scripts_of(html) == ["application/json", "application/json", None]
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|(?<!model.)eval\(|innerHTML", html)
    spaces = html.replace("http://www.w3.org/2000/svg", "")
    assert "http:" not in spaces
    assert "https:" not in spaces


def scripts_of(html: str) -> list[str | None]:
    """Return the type of every script element; None of one that runs."""
    return [found[1] for found in re.finditer(r'<script(?: type="([^"]*)")?[ >]', html)]


def digest_of(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_policy_allows_one_style_sheet_and_one_script(html):
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]
    script = re.search(r"<script>(.*?)</script>", html, re.DOTALL)[1]
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]
    assert policy.split("; ") == [
        "default-src 'none'",
        f"script-src 'sha256-{digest_of(script)}'",
        f"style-src 'sha256-{digest_of(style)}'",
        "img-src data: blob:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert "style=" not in html.replace(style, "")
    assert html.index("Content-Security-Policy") < html.index("<style>")


def test_equal_runs_give_equal_bytes(whole, html, tmp_path):
    again = write_run(tmp_path / "elsewhere" / "run")
    assert write_report(again).read_text(encoding="utf-8") == html
    assert str(whole.parent) not in html


def test_the_page_is_small_and_laid_out_without_torch(whole):
    code = f"import sys; from motiflens.report import write_report; write_report({str(whole)!r})"
    ended = subprocess.run(
        [sys.executable, "-c", f"{code}; print('torch' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ended.stdout == "False\n"
    assert (whole / "report.html").stat().st_size < 1_000_000


ABSENT = {
    "audit.json": ("motiflens run", set()),
    "metrics.json": ("motiflens run", {"ROC", "Precision and recall", "Reliability"}),
    "comparison.json": ("motiflens compare", {"Convergence Speed, Epochs to 95 % Acc"}),
    "models": ("motiflens compare", {"Test Accuracy Comparison", "First-layer filters: cnn"}),
    "attributions": ("motiflens explain", {"Saliency Map: cnn", "Attention on one sequence: cnn"}),
    "attention.json": ("motiflens explain", {"Attention Weights at Motif Positions"}),
    "motifs.json": ("motiflens motifs", {"cnn, filters", "Loss by single mismatch: cnn"}),
    "experiments.json": ("motiflens experiments", {f"{TRUTH}: dose", "GATA: position"}),
    "timings.json": ("motiflens run", set()),
    "data.parquet": (None, set()),
}


def commands_of(run_dir: Path) -> list[str]:
    """Return the commands that make what a run does not hold."""
    named = (b for b in blocks_of(run_dir) if isinstance(b, Table) and b.head[0] == "Not there")
    return [row[-1] for table in named for row in table.rows]


@pytest.mark.parametrize("name", ABSENT)
def test_what_is_absent_is_named_with_the_command_that_makes_it(run_dir, name):
    path = run_dir / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    command, gone = ABSENT[name]
    page = page_of(run_dir)
    assert not gone & set(all_figures(run_dir))
    said = commands_of(run_dir)
    assert said == [] if command is None else any(one.startswith(command) for one in said)
    assert all(one in page.text for one in said)


def test_a_run_that_has_only_begun_has_a_page(tmp_path):
    (tmp_path / "run.toml").write_text('[run]\nversion = "0.1.0"\n[configuration]\n')
    page = page_of(tmp_path)
    assert len(commands_of(tmp_path)) == 20
    assert "svg" not in page.tags


@pytest.mark.parametrize("text", [HOSTILE, "a;b:c & d", "\u202eevil\x07", "长序列 é"])
def test_hostile_names_are_inert(tmp_path, text, monkeypatch):
    """Put a text wherever a file may hold one; the elements of the page stay what they were."""
    directory = write_run(tmp_path / "run", names=[f"{text}{index}" for index in range(N)])
    for name in ("metrics", "comparison", "timings", "attention", "motifs"):
        content = (directory / f"{name}.json").read_text()
        quoted = json.dumps(f"cnn{text}")
        (directory / f"{name}.json").write_text(content.replace('"cnn"', quoted))
    change(directory / "motifs.json", lambda content: content["truth"][0].update(name=text))
    change(directory / "metrics.json", lambda content: content.update(negatives=text))
    change(directory / "audit.json", lambda content: content.update(warnings=[text]))
    toml = (directory / "run.toml").read_text()
    (directory / "run.toml").write_text(
        toml.replace('"primer.parquet"', json.dumps(text).replace("\\u0007", "\\u0007"))
    )
    page = page_of(directory)
    html = (directory / "report.html").read_text(encoding="utf-8")
    assert scripts_of(html) == ["application/json", "application/json", None]
    assert "img" not in page.tags
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert text.replace("\x07", "\ufffd") in "".join(page.texts) or text in "".join(page.texts)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("audit.json", b'{"schema_version": 1, "duplicates": 3}'),
        ("metrics.json", b'{"schema_version": 1, "models": {"cnn": {}}}'),
        ("comparison.json", b"{"),
        ("comparison.json", b"[1, 2]"),
        ("motifs.json", b'{"schema_version": 2}'),
        ("comparison.json", b'{"schema_version": 1, "models": {"cnn": {"seeds": 3}}}'),
        ("attention.json", b'{"schema_version": 1, "models": [1]}'),
        ("motifs.json", b'{"schema_version": 1, "models": {"cnn": {"seeds": [{}]}}}'),
        ("timings.json", b'{"schema_version": 1, "training": {"cnn": {}}}'),
        ("run.toml", b"[run\n"),
        ("run.toml", b"\xff\xfe"),
        ("data.parquet", b"sequence,label\n"),
        ("attributions/cnn/ism.npz", b"PK"),
        ("attributions/cnn/ism.npz", b""),
        ("models/cnn-seed0/weights.safetensors", b"\x01"),
        ("models/cnn-seed0/history.csv", b""),
        ("models/cnn-seed0/history.csv", b"epoch\n1\n"),
    ],
)
def test_a_damaged_file_is_refused_and_leaves_the_old_page(run_dir, name, content):
    (run_dir / "report.html").write_text("before")
    (run_dir / name).write_bytes(content)
    with pytest.raises(InputError) as raised:
        write_report(run_dir)
    assert "\n" not in str(raised.value)
    assert str(run_dir) in str(raised.value)
    assert (run_dir / "report.html").read_text() == "before"
    assert not list(run_dir.glob(".report*"))


@pytest.mark.parametrize(
    "name", ["audit.json", "metrics.json", "comparison.json", "run.toml", "data.parquet",
             "attributions/cnn/ism.npz", "models/cnn-seed0/weights.safetensors",
             "models/cnn-seed0/history.csv"]
)  # fmt: skip
@given(data=st.data())
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_damage_ends_in_a_page_or_in_one_line(whole, name, data):
    """Cut a file short or write noise into it: no other error may come out."""
    path = whole / name
    content = path.read_bytes()
    cut = data.draw(st.integers(0, len(content)))
    noise = data.draw(st.binary(max_size=8))
    tail = data.draw(st.sampled_from([b"", content[cut + len(noise) :]]))
    try:
        path.write_bytes(content[:cut] + noise + tail)
        ended = ending_of(whole)
    finally:
        path.write_bytes(content)
    assert ended in ("page", "one line")


def ending_of(run_dir: Path) -> str:
    try:
        page_of(run_dir)
    except InputError as error:
        return "one line" if "\n" not in str(error) else str(error)
    return "page"


def test_a_site_that_is_none_is_refused_with_its_place(run_dir):
    path = run_dir / "data.parquet"
    table = pd.read_parquet(path)
    table.loc[3, "sites"] = "TATA:9-3:+"
    table.to_parquet(path)
    with pytest.raises(InputError, match=r"'TATA:9-3:\+' of sequence 'seq3' of .*data\.parquet"):
        write_report(run_dir)


def test_arrays_that_do_not_belong_together_are_refused(run_dir):
    path = run_dir / "attributions" / "cnn" / "ism.npz"
    with np.load(path) as arrays:
        kept = dict(arrays)
    np.savez(path, **{**kept, "names": kept["names"][:3]})
    with pytest.raises(InputError, match="3 names"):
        write_report(run_dir)


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_a_directory_without_a_run_is_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"does not exist|holds no run\.toml"):
        write_report(tmp_path / name)


@given(st.lists(st.text("abc", min_size=1), min_size=1))
def test_lists_in_words_hold_every_word_in_order(words):
    text = listed(words)
    assert re.split(", | and ", text) == words
    assert text.count(" and ") == (len(words) > 1)


@given(st.floats(0, 1), st.integers(0, 4))
@settings(max_examples=50)
def test_fractions_in_words_are_the_fractions(fraction, digits):
    assert float(percent(fraction, digits).removesuffix(" %")) / 100 == pytest.approx(
        fraction, abs=0.51 * 10.0 ** -(digits + 2)
    )
    assert percent(float("nan")) == percent(None) == "–"


def test_intervals_in_words():
    assert interval(0.5, 0.25, 0.75, 2).split() == ["0.50", "(0.25", "to", "0.75)"]
    assert interval(0.5, 0.5, 0.5, 2) == "0.50"
    below = interval(-0.5, -1.0, 0.0, 1, plus="+")
    assert below.split() == ["−0.5", "(−1.0", "to", "+0.0)"]
    assert interval(0.5, None, None) == "0.500 (–)"
    assert interval(None, None, None) == "–"


def test_tables_have_as_many_cells_as_their_head(whole):
    results = Results(whole)
    tables = [b for b in walk(lay_out(results)) if isinstance(b, Table)]
    assert len(tables) > 20
    assert all(len(row) == len(t.head) for t in tables for row in t.rows)
    grids = [b for b in walk(lay_out(results)) if isinstance(b, Grid)]
    assert [len(cells) + 1 for grid in grids for _, cells in grid.rows] == [1 + len(MODELS)] * 3


def test_the_pages_own_files_are_light() -> None:
    files = ("shared.js", "page.js", "page.html", "style.css", "chinese.txt")
    assert sum((HERE / name).stat().st_size for name in files) <= 250_000
