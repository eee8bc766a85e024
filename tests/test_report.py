"""The page: whole, inert, alone, and claiming only what the run's figures support."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import synthetic_run
from motiflens.errors import InputError
from motiflens.report import write_report
from motiflens.report.findings import coordinate_error, order_is_learnt
from motiflens.report.page import lay_out
from motiflens.report.parts import Figure, Table, interval, listed, percent
from motiflens.report.summary import summarise
from motiflens.results import Results
from motiflens.results.tracks import read_filters
from synthetic_run import KERNEL, LENGTH, MODELS, N_FILTERS, TRUTH, WITH_ATTENTION, N, write_run

VOID = {"meta", "link", "br", "hr", "img", "input", "base", "source"}
FIGURES = [
    "ROC",
    "Precision and recall",
    "Reliability",
    "Test Accuracy Comparison",
    "Convergence Speed, Epochs to 95 % Acc",
    "Accuracy by number of training sequences",
    "AUROC by number of training sequences",
    *(f"Saliency Map: {model}" for model in MODELS),
    *(f"Saturation mutagenesis: {model}" for model in MODELS),
    *(f"Attention Weights Distribution: {model}" for model in WITH_ATTENTION),
    *(f"Attention on one sequence: {model}" for model in WITH_ATTENTION),
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


class Page(HTMLParser):
    """Read a page: whether its elements nest, and what it holds."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.cells: list[list[str]] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag == "tr":
            self.cells.append([])
        if tag in ("td", "th"):
            self.cells[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.texts.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1][-1] += data

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return write_run(tmp_path_factory.mktemp("whole") / "run")


@pytest.fixture(scope="module")
def html(whole) -> str:
    return write_report(whole).read_text(encoding="utf-8")


@pytest.fixture
def run_dir(whole, tmp_path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


def change(path: Path, edit) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def page_of(run_dir: Path) -> Page:
    return Page(write_report(run_dir).read_text(encoding="utf-8"))


def all_figures(run_dir: Path) -> dict[str, str]:
    return {
        b.name: b.svg for s in lay_out(Results(run_dir)) for b in s.blocks if isinstance(b, Figure)
    }


def row_of(page: Page, *start: str) -> list[str]:
    rows = ([cell.replace("\N{NO-BREAK SPACE}", " ") for cell in row] for row in page.cells)
    return next(row for row in rows if tuple(row[: len(start)]) == start)


def test_every_element_is_closed_where_it_was_opened(html):
    page = Page(html)
    assert page.tags.count("html") == page.tags.count("main") == page.tags.count("h1") == 1
    assert html.startswith("<!DOCTYPE html>\n")


def test_every_figure_of_the_tutorial_is_here_by_name(html, whole):
    captions = re.findall(r"<figcaption><b>(.*?)</b>", html)
    assert set(FIGURES) <= set(captions)
    assert html.count("<svg") == len(captions)
    assert set(FIGURES) <= set(all_figures(whole))


def test_contents_lead_to_every_section(html):
    ids = re.findall(r' id="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    links = re.findall(r'<a href="#([a-z-]+)">', html)
    assert links == re.findall(r'<section id="([a-z-]+)">', html)
    assert len(links) == len(set(links)) > 12


def test_the_page_fetches_nothing_and_runs_nothing(html):
    page = Page(html)
    sources = [v for _, name, v in page.attributes if name in ("src", "href", "srcset", "data")]
    assert all(source.startswith("#") for source in sources)
    assert {name for _, name, _ in page.attributes if name.startswith("on")} == set()
    assert not {"script", "link", "iframe", "object", "img", "base"} & set(page.tags)
    assert not re.search(r"url\(|@import", html)
    spaces = html.replace("http://www.w3.org/2000/svg", "")
    assert "http:" not in spaces
    assert "https:" not in spaces


def test_the_policy_allows_the_style_sheet_and_nothing_else(html):
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "img-src data:",
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


def test_scores_stand_in_the_table_with_intervals_beside_the_baselines(html):
    page = Page(html)
    assert row_of(page, "tutorial-cnn", "6,209")[2:] == [
        "3",
        "0.980 (0.976 to 0.984)",
        "0.9800 (0.9760 to 0.9840)",
        "0.9800 (0.9760 to 0.9840)",
        "0.980 (0.976 to 0.984)",
        "5.3 (4.6 to 6.0)",
    ]
    assert row_of(page, "baseline: composition", "–", "–")[3:] == [
        "0.700",
        "0.7712",
        "0.7600",
        "0.410",
        "–",
    ]
    assert row_of(page, "attention − cnn")[1] == "+0.0040 (+0.0030 to +0.0050)"
    assert row_of(page, "attention", "6,212")[-1] == "2.5 (1.8 to 3.2); 2 of 3 seeds"


def test_the_audit_stands_in_words_and_by_part(html):
    page = Page(html)
    assert "Copies of another sequence of train: 5 of 1,600." in page.text
    assert row_of(page, "train", "790")[2:] == [
        "810", "5", "–", "–", "0.520; 0.480", "0.62", "50.0; 50.0", "0.50", "12 of 810"
    ]  # fmt: skip
    assert row_of(page, "test", "197")[3:6] == ["0", "train: 3", "train: 11 + 2"]
    assert row_of(page, "composition")[1:] == ["0.700", "0.7712", "0.7600", "0.410"]
    assert "Audit of the data 2 warnings" in page.text


def test_data_without_a_fault_have_no_warning(run_dir):
    def edit(content):
        content["warnings"], content["baselines"] = [], {}
        content["composition"]["train"]["gc"]["auroc"] = None

    change(run_dir / "audit.json", edit)
    page = page_of(run_dir)
    assert "Audit of the data no warnings" in page.text
    assert "No problems found." in page.text
    assert row_of(page, "train", "790")[7] == "–"


def test_scores_of_ensembles_stand_with_intervals_threshold_and_seeds(html):
    page = Page(html)
    assert "Negatives: as given with the data." in page.text
    value = "0.940 (0.910 to 0.950)"
    assert row_of(page, "cnn", value)[2:] == [value, value, "0.920 to 0.940 (n = 3)"]
    assert row_of(page, "cnn", "−0.750")[2:] == [value] * 4
    assert row_of(page, "baseline: kmer", "1.000")[1:] == ["1.000", "1.000", "–", "–"]
    assert row_of(page, "baseline: kmer", "–", "0.980")[3:] == ["0.990", "–", "–"]


def test_chance_has_the_share_of_positives_as_its_precision(whole):
    (line,) = re.findall(
        '<line [^>]*stroke-dasharray="4 4"[^>]*>', all_figures(whole)["Precision and recall"]
    )
    heights = [float(y) for y in re.findall(r'y[12]="([^"]*)"', line)]
    assert heights[0] == heights[1]


def test_the_reliability_of_every_bin_can_be_read(whole):
    svg = all_figures(whole)["Reliability"]
    assert "cnn: 0.474576, 0.2252<" in svg


def test_scores_of_one_seed_without_baselines(run_dir):
    def edit(content):
        content["baselines"] = {}
        for model in content["models"].values():
            model["seeds"] = model["seeds"][:1]

    change(run_dir / "metrics.json", edit)
    assert row_of(page_of(run_dir), "cnn", "0.940 (0.910 to 0.950)")[-1] == "0.940 (n = 1)"


def test_the_page_says_how_related_sequences_count(run_dir):
    counts = {"positives": 1234, "negatives": 17, "groups": 1240}
    for groups, said in (
        (counts, "count as one: 1,240 groups, 1,234 of"),
        (None, "not looked for"),
    ):
        change(run_dir / "metrics.json", lambda content, g=groups: content.update(test_groups=g))
        assert said in page_of(run_dir).text


@pytest.mark.parametrize(
    ("cover", "said"),
    [(["seeds", "test sequences"], "over seeds and test sequences"),
     (["test sequences"], "another seed would change is not known"), ([], "over seeds alone")],
)  # fmt: skip
def test_the_page_says_what_intervals_of_differences_cover(run_dir, cover, said):
    change(run_dir / "comparison.json", lambda content: content.update(differences_cover=cover))
    text = page_of(run_dir).text
    assert said in text
    assert ("nor that they are equal" in text) == bool(cover)


def test_curves_hold_the_mean_over_seeds_and_the_spread(whole):
    svg = all_figures(whole)["Test Accuracy Comparison"]
    by_seed = [100 * (1 - 0.4 / 4 ** (1 + 0.1 * seed)) for seed in (0, 1, 2)]
    wanted = f"tutorial-cnn: 4, {np.mean(by_seed):.4g} ({min(by_seed):.4g} to {max(by_seed):.4g})"
    assert wanted in svg
    assert "attention: 10, " in svg
    assert "attention: 11, " not in svg  # only one seed ran so long


def test_tracks_show_the_sums_over_bases_of_one_positive(whole):
    with np.load(whole / "attributions" / "cnn" / "ism.npz") as arrays:
        track = arrays["contributions"].sum(axis=1)[0]
        letters = ["ACGT"[code] for code in arrays["one_hot"][0].argmax(axis=0)]
    svg = all_figures(whole)["Saturation mutagenesis: cnn"]
    assert (track < 0).any()
    assert re.findall("<title>([ACGT].*?)</title>", svg) == [
        f"{base}{index + 1}: {value:.4g}"
        for index, (base, value) in enumerate(zip(letters, track, strict=True))
    ]
    assert svg.count('font-weight="bold"') == LENGTH
    assert svg.count('class="site"') == 1


def test_the_tutorials_saliency_comes_first_where_it_was_computed(run_dir):
    folder = run_dir / "attributions" / "cnn"
    shutil.copy(folder / "saliency.npz", folder / "tutorial-saliency.npz")
    shutil.copy(folder / "ism.npz", folder / "saliency.npz")
    figures = all_figures(run_dir)
    mutagenesis = figures["Saturation mutagenesis: cnn"]
    tips = re.findall("<title>([ACGT].*?)</title>", mutagenesis)
    assert all(tip in figures["Saliency Map, gradient correction: cnn"] for tip in tips)
    assert not all(tip in figures["Saliency Map: cnn"] for tip in tips)


def test_filters_are_the_first_layer_of_the_first_seed(whole):
    """The fixture adds the true motif to filter 0, so that its letters stand on top."""
    svg = all_figures(whole)["First-layer filters: cnn"]
    assert svg.count(">filter ") == N_FILTERS
    assert f"{N_FILTERS} filters of width {KERNEL}" in svg
    filters = read_filters(Results(whole))["cnn"]
    assert "".join("ACGT"[code] for code in filters[0].argmax(axis=0)) == TRUTH


def test_the_attention_map_has_every_sequence_and_site(whole):
    svg = all_figures(whole)["Attention Weights Distribution: attention"]
    assert svg.count('class="site"') == N
    assert f"{N} sequences" in svg


def test_recovery_counts_exact_seeds_and_means_their_similarity(html):
    page = Page(html)
    assert row_of(page, "attention-stretched") == [
        "attention-stretched", "–", "0 of 3, 0.413, 94 %", "–", "3 of 3, 0.996, 94 %"
    ]  # fmt: skip
    # The first seed found no motif by this route: it counts as not exact.
    assert row_of(page, "ism", "2 of 3, 0.996, 94 %")[2:] == ["2 of 3, 0.996, 94 %"] * 3


def test_the_control_shows_what_untrained_models_recover(html):
    before = html.index(">The same routes before training<")
    control = html[html.rindex("<table", 0, before) : html.index("</table>", before) + 8]
    assert row_of(Page(control), "filters")[1:] == ["0 of 1, 0.413, 94 %"] * 4
    assert row_of(Page(control), "ism", "0 of 1, no motif")[2:] == ["0 of 1, no motif"] * 3


def test_discovered_motifs_stand_with_names_shares_and_what_was_dismissed(html, run_dir):
    section = html[html.index('id="discovery"') :].split("</section>")[0]
    for text in ("97.0 %", "below 1e−300", "2e−09", "USF1 (MA0093.4)", "unknown", "2 of 2",
                 "also matches TFE3", "NWAAW (q 0.41)", "197 positives"):  # fmt: skip
        assert text in section, text
    path = run_dir / "motifs.json"
    found = json.loads(path.read_text())
    found["discovery"], found["discovered_by"]["not_significant"] = [], []
    path.write_text(json.dumps(found))
    page = write_report(run_dir).read_text()
    assert "No motif was found." in page


def test_shortcut_and_provenance_hold_the_files_figures(html):
    page = Page(html)
    assert row_of(page, "cnn", "+17.50")[2:4] == ["7.0 %", "12.0 %"]
    assert row_of(page, "cnn", "14.5")[1:] == ["14.5", "3", "30", "0.0431", "1.5, 1.7, –"]
    assert row_of(page, "sha256") == ["sha256", "ab" * 32]
    assert row_of(page, "configuration.models")[1] == ", ".join(MODELS)


def test_experiments_stand_with_their_intervals(html):
    page = Page(html)
    assert row_of(page, "cnn", TRUTH, TRUTH)[3:] == ["+9.25 ± 0.98", "−6.50 ± 0.98", "−0.25 ± 0.98"]
    assert row_of(page, "tutorial-cnn", "GATA")[2:] == ["AGATAA", "+7.25 ± 0.98", "–", "–"]
    assert "GATA: tutorial-attention" in page.text
    assert "GATA: cnn" not in page.text


def test_places_of_motifs_count_from_1_and_both_charts_have_one_scale_with_0(whole):
    figures = all_figures(whole)
    dose, position = (figures[f"{TRUTH}: {kind}"] for kind in ("dose", "position"))
    # The files hold starts 0, 9, 19 and 38, of a first effect of 6.
    assert re.findall(r"<title>tutorial-cnn: ([\d.]+), ", position) == ["1", "10", "20", "39"]
    axes = [re.findall(r'text-anchor="end"[^>]*>(-?[\d.]+)<', svg) for svg in (dose, position)]
    assert axes[0] == axes[1]
    assert "0" in axes[0]


def test_the_first_screen_tells_data_models_scores_and_motif(html):
    summary = Page(html[html.index('<section id="summary">') : html.index('<section id="audit">')])
    for words in ("2,000 sequences of 50 bp, 987 of them positive", "AUROC 0.900 (0.870", TRUTH):
        assert words in summary.text.replace("\N{NO-BREAK SPACE}", " ")
    assert summary.tags.count("svg") == 1
    assert row_of(summary, "cnn")[-1] == "3 of 3 seeds (saliency)"


def test_findings_take_the_runs_own_figures(whole):
    run = Results(whole)
    first, second = order_is_learnt(run), coordinate_error(run)
    assert (first.title, first.supported) == ("Not a shortcut", True)
    assert "tutorial-cnn: shuffles of the motif keep 7 % of its effect" in first.text
    assert "the best one-letter run 12 %" in first.text
    assert (second.title, second.supported) == ("A coordinate error", True)
    assert (
        "in 0 of 3 seeds, the same attention tied to its receptive field in 3 of 3" in second.text
    )
    assert "attention:" not in second.text.replace("tutorial-attention:", "")


@pytest.mark.parametrize(
    "changed",
    [
        {"shuffled_fraction": 0.61},
        {"homopolymer_fraction": 0.9},
        {"motif_effect": 0.0},
        {"outcome": "no effect"},
        {"verdict": "the motif has no effect: it moves the logit by 0.01 ± 0.2"},  # an older run's
    ],
)
def test_order_is_not_claimed_where_the_figures_speak_against_it(run_dir, changed):
    def edit(content):
        for test in content["shortcut"].values():
            test.update(changed)

    change(run_dir / "motifs.json", edit)
    page = page_of(run_dir)
    assert "Not a shortcut" not in page.text
    assert "does not show that order is learnt" in page.text


@pytest.mark.parametrize(("route", "exact"), [("attention", False), ("attention-stretched", True)])
def test_no_coordinate_error_where_the_figures_speak_against_it(run_dir, route, exact):
    def edit(content):
        for seed in content["models"]["tutorial-attention"]["seeds"]:
            seed["routes"][route][0]["recovery"]["exact"] = exact

    change(run_dir / "motifs.json", edit)
    page = page_of(run_dir)
    assert "A coordinate error" not in page.text
    assert "wrong bases" not in page.text
    assert "does not show that stretching hides the motif" in page.text


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


@pytest.mark.parametrize("name", ABSENT)
def test_what_is_absent_is_named_with_the_command_that_makes_it(run_dir, name):
    path = run_dir / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    command, gone = ABSENT[name]
    page = page_of(run_dir)
    assert not gone & set(all_figures(run_dir))
    said = re.findall(r"To get it: `([^`]*)`", page.text)
    assert said == [] if command is None else any(one.startswith(command) for one in said)


def test_a_run_that_has_only_begun_has_a_page(tmp_path):
    (tmp_path / "run.toml").write_text('[run]\nversion = "0.1.0"\n[configuration]\n')
    page = page_of(tmp_path)
    assert page.text.count("To get it: ") == 20
    assert "svg" not in page.tags


def test_without_a_truth_motifs_stand_alone(run_dir):
    def edit(content):
        content["truth"], content["shortcut"] = [], {}
        for model in content["models"].values():
            for seed in model["seeds"]:
                for found in seed["routes"].values():
                    for one in found:
                        one["recovery"] = None

    change(run_dir / "motifs.json", edit)
    page = page_of(run_dir)
    figures = all_figures(run_dir)
    assert "found (bits)" not in figures["cnn, saliency"]
    assert "Sequence logo" in figures["cnn, saliency"]
    assert "True motif not known" in page.text
    assert "A coordinate error" not in page.text
    assert "Not a shortcut" not in page.text


def test_one_seed_has_no_intervals(run_dir):
    def edit(content):
        for model in content["models"].values():
            model["seeds"] = model["seeds"][:1]
            for metric, found in model["summary"].items():
                model["summary"][metric] = {
                    "mean": found["mean"], "low": found["mean"], "high": found["mean"], "n": 1
                }  # fmt: skip

    change(run_dir / "comparison.json", edit)
    for path in (run_dir / "models").glob("*-seed[12]"):
        shutil.rmtree(path)
    assert row_of(page_of(run_dir), "cnn", "6,211")[2:4] == ["1", "0.988"]


def test_no_seed_reached_the_target(run_dir):
    def edit(content):
        for model in content["models"].values():
            model["summary"]["epochs_to_target"] = {"mean": None, "low": None, "high": None, "n": 0}
            for seed in model["seeds"]:
                seed["epochs_to_target"] = None

    change(run_dir / "comparison.json", edit)
    page = page_of(run_dir)
    assert row_of(page, "cnn", "6,211")[-1] == "–; 0 of 3 seeds"
    assert "No model reached the target." in page.text


def test_long_sequences_are_cut_around_the_site(tmp_path, monkeypatch):
    monkeypatch.setattr(synthetic_run, "LENGTH", 900)
    directory = write_run(tmp_path / "run")
    svg = all_figures(directory)["Saliency Map: cnn"]
    assert svg.count('font-weight="bold"') == 120
    assert svg.count('class="site"') == 1


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
    assert not {"script", "img"} & set(page.tags)
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
def test_shares_in_words_are_the_shares(share, digits):
    assert float(percent(share, digits).removesuffix(" %")) / 100 == pytest.approx(
        share, abs=0.51 * 10.0 ** -(digits + 2)
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
    summary = summarise(results)
    tables = [b for s in lay_out(results) for b in s.blocks if isinstance(b, Table)]
    assert len(tables) == 20
    assert all(len(row) == len(t.head) for t in [*tables, summary.scores] for row in t.rows)
