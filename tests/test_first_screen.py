"""The first screen: the confirmed motif, the score with what it is worth, no claim beyond it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest

import synthetic_run
from motiflens.cli.summary import summarise as print_summary
from motiflens.report import provenance
from motiflens.report.findings import best_model, order_is_learnt
from motiflens.report.headline import leak
from motiflens.report.parts import Grid, Text
from motiflens.report.scores import scores_table
from motiflens.report.summary import Summary, summarise
from motiflens.results import Results
from motiflens.results.audit import Audit
from motiflens.results.scores import Estimate
from motiflens.results.trust import ModelTrust
from motiflens.runs import Run
from motiflens.stages.trust import beside_ensemble
from pages import blocks_of, section_of
from synthetic_run import MODELS, TRUTH, write_run

BEST = MODELS[0]  # what the made-up motifs are discovered by


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run")


def change(run_dir: Path, name: str, edit: Callable[[dict[str, Any]], object]) -> None:
    path = run_dir / f"{name}.json"
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def first_screen(run_dir: Path) -> Summary:
    return summarise(Results(run_dir))


def sentences(run_dir: Path) -> str:
    return " ".join(first_screen(run_dir).headline).replace("\N{NO-BREAK SPACE}", " ")


def forget_the_truth(content: dict[str, Any]) -> None:
    content["truth"] = []
    for model in content["models"].values():
        for seed in model["seeds"]:
            for found in seed["routes"].values():
                for motif in found:
                    motif["recovery"] = None


def untold(motif: str) -> Callable[[dict[str, Any]], object]:
    """Make a route's six letters the motif of most sites, with a confirmed motif beside it."""

    def edit(content: dict[str, Any]) -> None:
        forget_the_truth(content)
        first = content["models"]["attention"]["seeds"][0]["routes"]["filters"][0]
        first.update(consensus=motif, n_sites=284)
        content["discovery"] = [content["discovery"][1] | {"direction": "positive"}]

    return edit


def test_the_headline_is_the_confirmed_motif_and_not_the_read_out_of_most_sites(run_dir) -> None:
    change(run_dir, "motifs", untold("SCTGSC"))
    found = first_screen(run_dir)
    assert found.motif is not None
    assert found.motif.name == "Confirmed motif: CACGTGAC"
    assert "USF1" in found.motif.caption
    said = sentences(run_dir)
    assert "Confirmed motif CACGTGAC, like USF1: in 97.0 % of test positives and 1.0 %" in said
    assert "SCTGSC" not in said


def test_of_confirmed_motifs_the_first_that_speaks_for_positives_is_shown(run_dir) -> None:
    def negative_first(content: dict[str, Any]) -> None:
        content["discovery"] = content["discovery"][::-1]

    change(run_dir, "motifs", negative_first)
    assert f"Confirmed motif {TRUTH}" in sentences(run_dir)
    change(run_dir, "motifs", lambda content: content["discovery"].pop())
    assert "Confirmed motif of the negatives CACGTGAC" in sentences(run_dir)


def test_where_nothing_is_confirmed_that_is_the_headline(run_dir) -> None:
    change(run_dir, "motifs", lambda content: content.update(discovery=[]))
    found = first_screen(run_dir)
    assert found.motif is None
    assert found.headline[0] == ("No motif is confirmed on held-out sequences (1 was tested).")


def test_a_run_whose_motifs_were_not_tested_says_so(run_dir) -> None:
    """A run from before motifs were discovered has those of routes alone."""

    def edit(content: dict[str, Any]) -> None:
        del content["discovery"], content["discovered_by"]

    change(run_dir, "motifs", edit)
    found = first_screen(run_dir)
    assert found.motif is None
    assert found.headline[0].startswith("No motif was tested on held-out sequences")


def test_the_score_stands_with_interval_baseline_and_leak(run_dir) -> None:
    said = sentences(run_dir)
    assert f"{BEST} separates positives from negatives with MCC 0.900 (0.870 to 0.910) and" in said
    assert "and AUROC 0.900 (0.870 to 0.910) on the test split" in said
    assert "k-mers alone, reaches no less: 1.000" in said
    assert "11 of 197 test positives and 2 of 203 test negatives share 31 bases" in said
    assert "the score is partly memory" in said
    table = scores_table(Results(run_dir))
    assert table is not None
    rows = {row[0]: row for row in table.rows}
    assert rows[BEST][1].replace("\N{NO-BREAK SPACE}", " ") == "0.900 (0.870 to 0.910)"
    assert rows["baseline: k-mers alone"][1:5] == ["0.980", "1.000", "1.000", "99.0"]


def audit(n: tuple[int, int], shared: tuple[int, int], copies: int) -> Audit:
    """An audit of a test split of so many positives and negatives, of which training has seen."""
    content = msgspec.to_builtins(synthetic_run.audit())
    sizes, seen = (dict(zip(("positives", "negatives"), two, strict=True)) for two in (n, shared))
    content["composition"]["test"]["n"] = sizes
    content["shared_31mers"], content["overlap"] = {"train-test": seen}, {"train-test": copies}
    return msgspec.convert(content, Audit)


@pytest.mark.parametrize(
    ("shared", "copies", "said"),
    [
        ((41, 0), 9, "41 of 53 test positives share 31 bases with training: the score is partly "
                     "memory"),
        ((0, 0), 3, "3 of 404 test sequences are in training too"),
        ((0, 0), 44, "44 of 404 test sequences are in training too: the score is partly memory"),
        ((0, 2), 2, "2 of 351 test negatives share 31 bases with training"),
        ((0, 0), 0, None),
    ],
)  # fmt: skip
def test_a_leak_is_counted_and_called_memory_where_it_is_one(shared, copies, said) -> None:
    assert leak(audit((53, 351), shared, copies)) == said


def test_a_confirmation_by_sequences_that_training_has_seen_says_so(run_dir) -> None:
    assert "of test negatives, some of which training has seen." in sentences(run_dir)
    # Where each group counts once, those that training has seen are left out.
    change(run_dir, "motifs", lambda c: c["discovered_by"]["tested_on"].update(groups=300))
    assert "training has seen" not in sentences(run_dir)


def near_chance(content: dict[str, Any]) -> None:
    for model in content["models"].values():
        model["test"]["auroc"] = {"value": 0.571, "low": 0.467, "high": 0.683}


def test_a_score_by_chance_is_called_so_and_nothing_is_green(run_dir) -> None:
    change(run_dir, "metrics", near_chance)
    said = sentences(run_dir)
    assert "does not separate positives from negatives beyond chance: MCC 0.900" in said
    assert "and AUROC 0.571 (0.467 to 0.683)" in said
    run = Results(run_dir)
    order = order_is_learnt(run)
    assert order is not None
    assert not order.supported
    assert {one.level for one in first_screen(run_dir).signs if one.name != "Data"} == {"bad"}
    (grid,) = (b for b in blocks_of(run_dir) if isinstance(b, Grid))
    assert {cell.level for _, cells in grid.rows for cell in cells} <= {"no", "none"}
    assert "Nothing may be claimed of tutorial-cnn" in order.text
    assert "learnt" not in order.text


@pytest.mark.parametrize("told", [{"may_claim": False}, {"auroc": 0.52}, {"auroc": 0.0}])
def test_no_order_is_claimed_of_a_model_of_which_nothing_may_be_claimed(run_dir, told) -> None:
    change(run_dir, "trust", lambda content: content["models"][BEST].update(told))
    found = order_is_learnt(Results(run_dir))
    assert found is not None
    assert not found.supported
    assert "Nothing may be claimed of tutorial-cnn" in found.text


def test_the_card_speaks_of_the_best_model_and_names_the_others_after(run_dir) -> None:
    def edit(content: dict[str, Any]) -> None:
        content["shortcut"][BEST].update(
            shuffled_fraction=-0.77, homopolymer_fraction=2.1,
            verdict="the motif has no effect: it moves the logit by 0.1 ± 0.2",
        )  # fmt: skip

    change(run_dir, "motifs", edit)
    found = order_is_learnt(Results(run_dir))
    assert found is not None
    assert (found.title, found.supported) == ("Order of the letters", False)
    best, others = found.text.split(" tutorial-attention: ")
    assert "tutorial-cnn: the motif has no effect on the logit" in best
    assert "77" not in found.text
    assert "keep 7 %" in others


def test_a_negative_share_is_no_effect(run_dir) -> None:
    change(run_dir, "motifs", lambda c: c["shortcut"][BEST].update(shuffled_fraction=-0.2))
    found = order_is_learnt(Results(run_dir))
    assert found is not None
    assert found.supported
    assert "tutorial-cnn: shuffles of the motif keep nothing of its effect" in found.text
    assert "20 %" not in found.text


def test_the_best_model_is_that_of_discovery_or_else_that_of_validation(run_dir) -> None:
    assert best_model(Results(run_dir)) == BEST
    (run_dir / "motifs.json").unlink()
    # Only the last two are validated, equally well, the last for as many epochs.
    assert best_model(Results(run_dir)) == "cnn"
    path = run_dir / "models" / "attention-seed1" / "history.csv"
    pd.read_csv(path).assign(valid_auroc=1.0).to_csv(path, index=False)
    assert best_model(Results(run_dir)) == "attention"


@pytest.mark.parametrize("audited", [True, False])
def test_lengths_are_said_as_they_are(run_dir, audited) -> None:
    """The audit's own come first; the data tell them for a run whose audit does not."""
    letters = ["A" * n for n in (50, 345, 217)]
    if audited:
        lengths = {"min": 50, "max": 345, "mean": 204.0}
        change(run_dir, "audit", lambda content: content.update(lengths=lengths))
    else:
        pd.DataFrame({"sequence": letters, "label": 1.0}).to_parquet(run_dir / "data.parquet")
    (data,) = (text for name, text in first_screen(run_dir).facts if name == "Data")
    assert data == "primer.parquet: 2,000 sequences of 50 to 345 bp, mean 204, 987 of them positive"
    (run_dir / "data.parquet").unlink()
    change(run_dir, "audit", lambda content: content.pop("lengths", None))
    assert "of up to 50 bp," in dict(first_screen(run_dir).facts)["Data"]


def test_no_site_is_called_shaded_where_none_is_known(run_dir) -> None:
    table = pd.read_parquet(run_dir / "data.parquet")
    for sites, said in ((table["sites"], f"Shaded: true site ({TRUTH} at"), ("", "No true site")):
        table.assign(sites=sites).to_parquet(run_dir / "data.parquet")
        saliency = section_of(run_dir, "saliency")
        assert said in next(b.text for b in saliency.blocks if isinstance(b, Text))


def test_split_strands_warnings_and_notes_stand_on_the_first_screen(run_dir) -> None:
    results = Results(run_dir)
    made = results.provenance
    run = msgspec.structs.replace(made.run, notes=("split by homology: 43 % share",))
    chosen = replace(made.configuration, split="homology", strands="both")
    results.write_provenance(msgspec.structs.replace(made, run=run, configuration=chosen))
    screen = first_screen(run_dir)
    assert dict(screen.facts)["Split; strands"] == "homology; both"
    (data, *_) = screen.signs
    assert (data.name, data.word, data.level) == ("Data", "Small leak", "fair")
    (notes,) = (row for row in section_of(run_dir, "settings").blocks[0].rows if row[0] == "Notes")
    assert notes[1] == "split by homology: 43 % share"


def sign(run_dir: Path, name: str) -> tuple[str, str]:
    (found,) = (one for one in first_screen(run_dir).signs if one.name == name)
    return found.word, found.level


def test_the_sign_of_the_data_tells_a_leak_from_a_warning(run_dir) -> None:
    assert sign(run_dir, "Data") == ("Small leak", "fair")
    shared = {"train-test": {"positives": 53, "negatives": 0}}
    change(run_dir, "audit", lambda content: content.update(shared_31mers=shared))
    assert sign(run_dir, "Data") == ("Leak", "bad")
    change(run_dir, "audit", lambda content: content.update(shared_31mers={}, overlap={}))
    assert sign(run_dir, "Data") == ("2 warnings", "fair")
    change(run_dir, "audit", lambda content: content.update(warnings=[]))
    assert sign(run_dir, "Data") == ("No problems found", "good")


@pytest.mark.parametrize(
    ("baseline", "low", "wanted"),
    [(0.80, 0.87, ("Better than the baseline", "good")),
     (0.88, 0.87, ("Little better than the baseline", "fair")),
     (0.95, 0.87, ("No better than the baseline", "fair")),
     (0.80, 0.45, ("No better than chance", "bad"))],
)  # fmt: skip
def test_the_sign_of_the_score_compares_it_with_baseline_and_chance(
    run_dir, baseline, low, wanted
) -> None:
    def edit(content: dict[str, Any]) -> None:
        content["models"][BEST]["test"]["auroc"]["low"] = low
        for scores in content["baselines"].values():
            scores["auroc"] = baseline

    change(run_dir, "metrics", edit)
    assert sign(run_dir, "Score") == wanted


@pytest.mark.parametrize(
    ("verdict", "claimed", "wanted"),
    [("bases may be claimed by ism", ["ism"], ("Bases may be claimed", "good")),
     ("only in their order, being as strong in the null, by saliency and ism; checked on 9", [],
      ("Order only", "fair")),
     ("no method of gradients or mutations may be claimed base by base", [],
      ("No method may be claimed", "bad")),
     ("nothing may be claimed: the model hardly tells positives from negatives", [],
      ("Nothing may be claimed", "bad"))],
)  # fmt: skip
def test_the_sign_of_explanations_is_what_the_verdict_claims(
    run_dir, verdict, claimed, wanted
) -> None:
    told = {"verdict": verdict, "bases_claimed_by": claimed, "attention": None}
    told["may_claim"] = not verdict.startswith("nothing")
    change(run_dir, "trust", lambda content: content["models"][BEST].update(told))
    assert sign(run_dir, "Explanation") == wanted


def test_a_page_says_by_which_version_verdicts_were_made(run_dir, monkeypatch) -> None:
    monkeypatch.setattr(provenance, "__version__", "0.3.7")
    found = first_screen(run_dir)
    assert found.version == "0.1.0, page by 0.3.7"
    first = found.notices[0]
    assert "Explanations, motifs, experiments, verdicts, audit and test scores" in first.text
    assert "were made by motiflens 0.1.0, this page by 0.3.7" in first.text
    assert "`motiflens trust RUN`" in first.text
    for name in ("attention", "trust", "motifs", "experiments", "audit", "metrics"):
        change(run_dir, name, lambda content: content.update(version="0.3.7"))
    assert first_screen(run_dir).notices == []


def printed(run_dir: Path, capsys: pytest.CaptureFixture[str], *, as_json: bool = False) -> str:
    print_summary(Run(run_dir), as_json=as_json)
    return capsys.readouterr().out


def test_the_terminal_tells_interval_baseline_leak_and_confirmed_motif(run_dir, capsys) -> None:
    change(run_dir, "motifs", untold("SCTGSC"))
    lines = printed(run_dir, capsys)
    assert "MCC 0.9000 (0.8700 to 0.9100)  AUROC 0.9000 (0.8700 to 0.9100)" in lines
    known = "cnn                  MCC 0.9400 (0.9100 to 0.9500) at the known prevalence 0.5"
    assert known in lines
    assert "best baseline        AUROC 0.9997, k-mers alone" in lines
    assert "leak                 11 of 197 test positives and 2 of 203" in lines
    assert "CACGTGAC             USF1, in 97.0% of positives, 1.0% of negatives" in lines
    assert TRUTH not in lines
    change(run_dir, "motifs", lambda content: content.update(discovery=[]))
    assert "No motif is confirmed on held-out sequences" in printed(run_dir, capsys)


def test_the_json_keeps_its_keys_and_has_the_new_ones(run_dir, capsys) -> None:
    found = json.loads(printed(run_dir, capsys, as_json=True))
    of_best = found["models"][BEST]
    assert of_best["auroc"] == 0.98
    assert {"accuracy", "auroc", "auprc", "mcc", "motifs", "verdict"} < set(of_best)
    assert of_best["ensemble"]["auroc"] == {"value": 0.9, "low": 0.87, "high": 0.91}
    assert of_best["ensemble"]["mcc"] == of_best["ensemble"]["auroc"]
    assert "at_prevalence" not in of_best
    assert found["models"]["cnn"]["at_prevalence"]["threshold"] == -0.375
    assert found["best_baseline"] == {"name": "k-mers alone", "auroc": 0.9997}
    assert found["leak"].startswith("11 of 197 test positives")
    for name in ("motifs", "metrics", "audit", "trust"):
        (run_dir / f"{name}.json").unlink()
    found = json.loads(printed(run_dir, capsys, as_json=True))
    assert (found["best_baseline"], found["leak"], found["motifs"]) == (None, None, [])
    assert "AUROC 0.9800" in printed(run_dir, capsys)


def scored(n: int, value: float, low: float, high: float) -> Callable[[dict[str, Any]], object]:
    """Give the best model an AUROC with its interval, of so many independent sequences."""

    def edit(content: dict[str, Any]) -> None:
        content["models"][BEST]["test"]["auroc"] = {"value": value, "low": low, "high": high}
        content["test_groups"] = {"positives": n, "negatives": n + 1, "groups": 2 * n + 1}

    return edit


def test_a_score_far_below_chance_is_called_swapped(run_dir) -> None:
    change(run_dir, "metrics", scored(80, 0.01, 0.0, 0.05))
    wanted = f"{BEST} ranks negatives above positives, so labels look swapped: MCC"
    assert wanted in sentences(run_dir)


@pytest.mark.parametrize(("n", "tells"), [(1, False), (2, False), (40, True)])
def test_a_perfect_score_on_a_handful_is_not_beyond_chance(run_dir, n: int, tells: bool) -> None:
    change(run_dir, "metrics", scored(n, 1.0, 0.55, 1.0))
    assert ("does not separate" not in sentences(run_dir)) == tells


def test_a_test_split_that_is_in_training_is_memory() -> None:
    whole = leak(audit((30, 20), (30, 20), 50))
    assert whole == "All test sequences are in training too: the score is memory"
    assert "partly memory" in str(leak(audit((30, 20), (30, 20), 49)))


def test_nothing_is_claimed_where_the_score_of_all_seeds_may_be_chance() -> None:
    found = ModelTrust(
        verdict="bases may be claimed by ism",
        auroc=0.7,
        attention=None,
        methods={},
        random_order=None,
        refused={},
        n=60,
        may_claim=True,
        stands_out_from=0.2,
    )
    assert beside_ensemble(found, Estimate(value=0.7, low=0.6, high=0.8)) is found
    gated = beside_ensemble(found, Estimate(value=0.64, low=0.39, high=0.85))
    assert not gated.may_claim
    assert gated.verdict.endswith("0.64 (0.39 to 0.85), may be chance")
