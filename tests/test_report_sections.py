"""What each section of the page says is what the files of the run hold."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import synthetic_run
from motiflens.report import write_report
from motiflens.report.explained import read_explained, worked_sequence
from motiflens.report.findings import coordinate_error, order_is_learnt
from motiflens.report.headline import headline_motif
from motiflens.report.parts import Table
from motiflens.results import Results
from motiflens.results.tracks import Tracks, read_filters
from motiflens.sequences import Site
from pages import Page, all_figures, change, page_of, row_of, section_of
from synthetic_run import KERNEL, LENGTH, MODELS, N_FILTERS, TRUTH, N, write_run


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return write_run(tmp_path_factory.mktemp("whole") / "run")


@pytest.fixture(scope="module")
def html(whole) -> str:
    return write_report(whole).read_text(encoding="utf-8")


@pytest.fixture
def run_dir(whole, tmp_path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


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


def test_the_audit_stands_in_words_and_by_split(html):
    page = Page(html)
    assert "Copies of another sequence of train: 5 of 1,600." in page.text
    assert row_of(page, "train", "790")[2:] == [
        "810", "5", "–", "–", "0.520; 0.480", "0.62", "50.0; 50.0", "0.50", "12 of 810"
    ]  # fmt: skip
    assert row_of(page, "test", "197")[3:6] == ["0", "train: 3", "train: 11 + 2"]
    assert row_of(page, "composition")[1:] == ["0.700", "0.7712", "0.7600", "0.410"]
    assert "Data Small leak 11 of 197 test positives" in page.text


def test_data_without_a_fault_have_no_warning(run_dir):
    def edit(content):
        content["warnings"], content["baselines"] = [], {}
        content["shared_31mers"], content["overlap"] = {}, {}
        content["composition"]["train"]["gc"]["auroc"] = None

    change(run_dir / "audit.json", edit)
    page = page_of(run_dir)
    assert "Data No problems found Copies, leaks and biases were looked for." in page.text
    assert "No problems found." in page.text
    assert row_of(page, "train", "790")[7] == "–"


def ensemble_rows(run_dir: Path, name: str) -> list[list[list[str]]]:
    """Return the rows of a model in the tables of all scores of the ensembles."""
    tables = [b for b in section_of(run_dir, "ensembles").blocks if isinstance(b, Table)]
    rows = [row for table in tables for row in table.rows if row[0] == name]
    return [[cell.replace("\N{NO-BREAK SPACE}", " ") for cell in row] for row in rows]


def test_scores_of_ensembles_stand_with_intervals_threshold_and_seeds(html, whole):
    assert "Negatives: as given with the data." in Page(html).text
    value = "0.940 (0.910 to 0.950)"
    calls, known, ranking, calibrated = ensemble_rows(whole, "cnn")
    assert calibrated[1] == "98 and 102"
    assert ranking[1:] == [value, value, value, "0.920 to 0.940 (n = 3)"]
    sure = ["−0.750 (−1.125 to –)", "0.900 (0.800 to 0.950)"]
    assert calls[1:] == [value, value, *sure, value, value]
    assert known[1:] == ["0.5", value, value, "−0.375"]
    calls, ranking = ensemble_rows(whole, "baseline: kmer")
    assert ranking[1:] == ["1.000", "1.000", "–", "–"]
    assert calls[1:] == ["0.980", "0.990", "–", "–", "–", "–"]


def test_models_stand_beside_baselines_in_one_table(html):
    page = Page(html)
    value, of_100 = "0.940 (0.910 to 0.950)", "94.0 (91.0 to 95.0)"
    assert row_of(page, "cnn", value)[2:5] == [value, value, of_100]
    assert row_of(page, "cnn", value)[5:] == ["3.3 (2.6 to 4.0)", "3 of 3 seeds"]
    assert row_of(page, "baseline: k-mers alone")[1:5] == ["0.980", "1.000", "1.000", "99.0"]


def test_chance_has_the_fraction_of_positives_as_its_precision(whole):
    (line,) = re.findall(
        '<line [^>]*stroke-dasharray="4 4"[^>]*>', all_figures(whole)["Precision and recall"]
    )
    heights = [float(y) for y in re.findall(r'y[12]="([^"]*)"', line)]
    assert heights[0] == heights[1]


def test_the_reliability_of_every_bin_can_be_read(whole):
    svg = all_figures(whole)["Reliability"]
    assert "cnn: 0.474576, 0.2252<" in svg


def test_calibrated_probabilities_stand_beside_the_raw_ones(whole, html):
    svg = all_figures(whole)["Reliability, calibrated"]
    assert "cnn: 0.0169492, 0.008475<" in svg
    page = Page(html)
    row = row_of(page, "cnn", "98 and 102")
    assert row == ["cnn", "98 and 102", "0.710", "−0.250", "0.940, 0.087", "0.940, 0.021"]
    assert f"No calibrated probabilities of {MODELS[0]}: the validation data hold" in page.text


def test_runs_of_before_calibration_have_no_word_of_it(run_dir):
    def edit(content):
        for model in content["models"].values():
            for name in ("calibration", "calibrated", "choice"):
                del model[name]
            model.pop("at_prevalence", None)

    change(run_dir / "metrics.json", edit)
    assert "alibrated" not in page_of(run_dir).text


def test_scores_of_one_seed_without_baselines(run_dir):
    def edit(content):
        content["baselines"] = {}
        for model in content["models"].values():
            model["seeds"] = model["seeds"][:1]

    change(run_dir / "metrics.json", edit)
    assert ensemble_rows(run_dir, "cnn")[2][-1] == "0.940 (n = 1)"


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


def test_stretched_and_exact_attention_have_the_units_between_them(whole, run_dir):
    svg = all_figures(whole)["Stretched and exact attention: attention"]
    assert re.findall(r"<title>(unit \d: [\d.]+)</title>", svg) == [
        f"unit {i + 1}: {0.0625 if i else 0.5}" for i in range(9)
    ]
    # Units see 13 bases, 5 apart, from two before the first; they lie within the sequence.
    ends = [tuple(map(float, e)) for e in re.findall(r'd="M([\d.]+) [\d.]+V[\d.]+H([\d.]+)V', svg)]
    assert ends[0] == (70 + 2, 70 + 16 * 11 - 2)
    assert ends[1] == (70 + 16 * 3 + 2, 70 + 16 * 16 - 2)
    assert ends[8] == (70 + 16 * 38 + 2, 70 + 16 * 50 - 2)
    with np.load(whole / "attributions" / "attention" / "attention.npz") as arrays:
        exact = arrays["contributions"].sum(axis=1)[2]
    tips = re.findall(r"<title>[ACGT]\d+: ([^<]*)</title>", svg)
    assert tips[:2] == ["0.25", "0.01"]
    assert tips[LENGTH:] == [f"{value:.4g}" for value in exact]

    def forget(content):
        for model in content["models"].values():
            del model["example"]

    change(run_dir / "attention.json", forget)
    assert not any("Stretched and" in name for name in all_figures(run_dir))


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


def test_discovered_motifs_stand_with_names_fractions_and_what_was_dismissed(html, run_dir):
    section = html[html.index('<section id="motifs"') :].split("</section>")[0]
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


def test_positions_of_motifs_count_from_1_and_both_charts_have_one_scale_with_0(whole):
    figures = all_figures(whole)
    dose, position = (figures[f"{TRUTH}: {kind}"] for kind in ("dose", "position"))
    # The files hold starts 0, 9, 19 and 38, of a first effect of 6.
    assert re.findall(r"<title>tutorial-cnn: ([\d.]+), ", position) == ["1", "10", "20", "39"]
    axes = [re.findall(r'text-anchor="end"[^>]*>(-?[\d.]+)<', svg) for svg in (dose, position)]
    assert axes[0] == axes[1]
    assert "0" in axes[0]


def test_the_first_screen_tells_data_models_scores_and_motif(html):
    summary = Page(html[html.index('<section id="summary">') : html.index('<section id="motifs">')])
    for words in ("2,000 sequences of 50 bp, 987 of them positive", "AUROC 0.900 (0.870", TRUTH):
        assert words in summary.text.replace("\N{NO-BREAK SPACE}", " ")
    assert summary.tags.count("svg") == 2
    assert [t for t in ("Data", "Score", "Explanation") if f" {t} " in summary.text] == [
        "Data", "Score", "Explanation"
    ]  # fmt: skip


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
    assert "The true motif is not known" in page.text
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


def test_the_worked_sequence_is_that_of_the_median_contribution_of_the_motif(whole):
    results = Results(whole)
    explained = read_explained(results)
    motif = headline_motif(results.motifs.discovery).name
    n = explained.n_positives
    sites = [(Site(motif, 3 + row % 4, 9 + row % 4, "+"),) for row in range(n)]
    # Of the three that begin with a site of it; one begins with another's.
    heights = {4: 0.5, 1: 9.0, 3: -1.0}
    found = [sites[row] if row in heights else () for row in range(n)]
    found[2] = (Site("other", 0, 4, "+"), *sites[2])
    tracks = {model: dict(methods) for model, methods in explained.tracks.items()}
    for methods in tracks.values():
        for method, known in methods.items():
            values = np.full_like(known.values, 7.0)
            for row, height in heights.items():
                values[row, sites[row][0].start : sites[row][0].end] = height
            methods[method] = Tracks(known.names, known.one_hot, values)
    shown = worked_sequence(results, replace(explained, found=found, tracks=tracks))
    assert f"One sequence, {explained.names[4]}:" in shown.svg
