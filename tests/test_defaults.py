"""What a run does where the user has not said, and what it tells about it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.as_json import as_json

import motiflens
from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.evaluation import models as comparison
from motiflens.progress import Advance
from motiflens.report import write_report
from motiflens.settings import Settings
from motiflens.stages import stage as stages
from motiflens.stages.compare import compare
from motiflens.stages.data import note_on_motif, prepare
from motiflens.stages.defaults import default_sizes, n_explained, n_searched, with_defaults
from motiflens.stages.explain import explain
from motiflens.stages.motifs import motifs
from motiflens.stages.stage import true_motifs
from motiflens.training import Job, Recipe, train
from motiflens.training.data import take_splits

ONE = Settings(models=("cnn",), seeds=1, sizes=(), threads=1, strands="forward")


class Listening:
    """Keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    @contextmanager
    def stage(self, description: str, total: int, unit: str = "") -> Iterator[Advance]:
        """Pass a stage by."""
        yield lambda steps: None

    def note(self, text: str) -> None:
        """Keep a note."""
        self.notes.append(text)


def data(n: int = 60, length: int = 23, motif: str = "GATTACA") -> SequenceDataset:
    """Make sequences, the first half of them positives with the motif at base 3."""
    bases = np.random.default_rng(3).choice(list("CCGT"), (n, length))
    for row in bases[: n // 2]:
        row[3 : 3 + len(motif)] = list(motif)
    labels = np.arange(n) < n // 2
    return SequenceDataset.from_sequences(["".join(row) for row in bases], labels.astype(float))


def test_by_default_there_are_three_seeds_and_what_the_first_report_needs() -> None:
    notes = []
    settings = with_defaults(Settings(), 1600, 50, notes.append)
    assert (settings.seeds, settings.sizes, settings.target) == (3, (), None)
    (note,) = notes
    assert note == (
        "left out: 2 more seeds of each model; learning curves (30 more models to train); "
        "the test accuracy of every epoch; a thorough run (thorough=True) does all that"
    )


def test_what_is_left_out_of_the_explanations_is_told_where_there_are_some() -> None:
    notes = []
    with_defaults(Settings(), 60, 50, notes.append, explains=True)
    with_defaults(Settings(n_explained=7), 60, 50, notes.append, truth=True, explains=True)
    assert "expected_gradients, and of more than 200 positives; the motif routes of" in notes[0]
    assert notes[1] == (
        "left out: explanations by input_x_gradient, integrated_gradients, expected_gradients; "
        "a thorough run (thorough=True) does all that"
    )


def test_where_the_true_motif_is_known_a_small_data_set_gets_five_seeds() -> None:
    notes = []
    assert with_defaults(Settings(), 1600, 50, truth=True).seeds == 5
    settings = with_defaults(Settings(models=("cnn",)), 27_294, 101, notes.append, truth=True)
    assert (settings.seeds, settings.sizes) == (3, ())
    assert "2 more seeds of each model; learning curves (15 more models to train)" in notes[0]


def test_a_thorough_run_leaves_nothing_out() -> None:
    notes = []
    settings = with_defaults(Settings(thorough=True), 27_294, 101, notes.append, explains=True)
    assert (settings.seeds, settings.sizes, settings.target) == (5, (50, 200, 800), 0.95)
    assert (n_explained(settings), n_searched(settings)) == (1000, 1000)
    assert notes == []


def test_where_the_true_motif_is_known_every_epoch_looks_at_the_test_split() -> None:
    notes = []
    settings = with_defaults(Settings(), 60, 50, notes.append, truth=True)
    assert (settings.seeds, settings.sizes, settings.target, notes) == (5, (), 0.95, [])


def test_motifs_are_searched_in_more_sequences_than_are_explained() -> None:
    assert (n_explained(Settings()), n_searched(Settings())) == (200, 1000)
    assert (n_explained(Settings(n_explained=9)), n_searched(Settings(n_explained=9))) == (9, 9)


def test_what_is_set_always_wins() -> None:
    own = Settings(seeds=7, sizes=(60, 5000), target=0.8)
    notes = []
    assert with_defaults(own, 27_294, 101, notes.append) == own
    assert with_defaults(replace(own, thorough=True), 27_294, 101) == replace(own, thorough=True)
    with_defaults(replace(own, sizes=()), 27_294, 101, notes.append)
    assert notes == []
    with pytest.raises(InputError, match="5000 is more than the 4999"):
        with_defaults(own, 4999, 101)


def test_sizes_stay_below_three_quarters() -> None:
    assert default_sizes(1067) == (50, 200, 800)
    assert default_sizes(1066) == (50, 200)
    assert default_sizes(60) == ()


def test_without_a_target_no_epoch_looks_at_the_test_split(tmp_path: Path) -> None:
    settings = replace(ONE, hyperparameters={"cnn": {"recipe": {"epochs": 2}}})
    run = compare(data(), tmp_path / "run", settings)
    assert run.results.settings.target is None
    assert run.results.comparison.target is None
    model = run.results.comparison.models["cnn"]
    assert (model.seeds[0].epochs_to_target, model.summary.epochs_to_target.n) == (None, 0)
    assert all(epoch.test_accuracy is None for epoch in run.models["cnn"].seeds[0].history)
    page = write_report(run.path).read_text()
    assert "Epochs to" not in page
    assert "The test split was scored once, at the end" in page
    watched = compare(data(), tmp_path / "watched", replace(settings, target=0.5)).results
    assert watched.comparison.target == 0.5
    assert watched.comparison.models["cnn"].seeds[0].test == model.seeds[0].test
    assert "Epochs to 50 %" in write_report(watched.path).read_text()


def test_a_learning_curve_does_not_watch_the_test_part() -> None:
    dataset, _ = prepare(data(), ONE)
    recipe = Recipe(epochs=2)
    watched, unwatched = (
        train(dataset, Job("cnn", (0,), recipe, watch_test=watch), threads=1)[0]
        for watch in (True, False)
    )
    assert all(epoch.test_accuracy is not None for epoch in watched.history)
    assert all(epoch.test_accuracy is None for epoch in unwatched.history)
    state, other = watched.model.state_dict(), unwatched.model.state_dict()
    assert all(bool((state[name] == other[name]).all()) for name in state)


def test_a_small_training_size_chooses_by_a_small_validation_part() -> None:
    labels = np.arange(500) % 2
    split = np.array(["train"] * 300 + ["valid"] * 140 + ["test"] * 60)
    dataset = SequenceDataset.from_sequences(["ACGTTGCA"] * 500, labels, split=split.tolist())
    parts = take_splits(dataset, validation_fraction=0.1, n_train=50, seed=4)
    assert (len(parts.train), len(parts.valid), len(parts.test)) == (50, 5, 60)
    assert set(parts.valid) <= set(range(300, 440))
    assert len(take_splits(dataset, validation_fraction=0.1, n_train=None, seed=4).valid) == 140


def test_a_motif_that_no_positive_holds_is_told() -> None:
    settings = replace(ONE, motif="AAAAAAAA")
    dataset, settings = prepare(data(), settings)
    notes = []
    note_on_motif(dataset, settings, notes.append)
    (note,) = notes
    assert "no positive holds motif=AAAAAAAA" in note
    note_on_motif(*prepare(data(), replace(ONE, motif="gattaca")), notes.append)
    assert len(notes) == 1


def test_a_motif_beside_sites_of_another_name_is_told() -> None:
    dataset, settings = prepare(data(), replace(ONE, motif="GATTACA"))
    notes = []
    note_on_motif(dataset, settings, notes.append)
    assert notes == []
    note_on_motif(dataset, replace(settings, motif="GATT"), notes.append)
    (note,) = notes
    assert note == "motif=GATT is not used: the data name true sites of their own, of GATTACA"


def test_notes_are_told_and_kept(tmp_path: Path) -> None:
    listening = Listening()
    settings = replace(ONE, motif="AAAAAAAA")
    run = compare(data(), tmp_path / "run", settings, progress=listening)
    assert run.results.provenance.run.notes == tuple(listening.notes)
    assert listening.notes[0].startswith("test split drawn at random")
    assert "no positive holds" in listening.notes[1]


def test_one_seed_has_no_interval_over_seeds(tmp_path: Path) -> None:
    run = compare(data(), tmp_path / "run", replace(ONE, models=("cnn", "attention")))
    summary = as_json(run.results.comparison)["models"]["cnn"]["summary"]["auroc"]
    assert (summary["low"], summary["high"], summary["n"]) == (None, None, 1)
    difference = as_json(run.results.comparison)["differences"][0]["auroc"]
    assert difference["low"] < difference["mean"] < difference["high"]
    assert as_json(run.results.comparison)["differences_cover"] == ["test sequences"]
    test = as_json(run.results.metrics)["models"]["cnn"]["test"]["auroc"]
    assert test["low"] <= test["value"] <= test["high"]
    page = write_report(run.path).read_text()
    assert f"{summary['mean']:.4f} (–)" in page
    assert "how much another seed would change is not known" in page


def test_long_positives_are_explained_as_far_as_the_work_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = compare(data(), tmp_path / "run", ONE)
    assert len(stages.explained_positives(run)) == 6
    assert len(stages.motif_positives(run)) == 30
    assert stages.note_on_length(run) is None
    # Each sequence takes 23 bases times 23; the work allows four of them, and not five.
    monkeypatch.setattr(stages, "MAX_WORK", 5 * 23**2 - 1)
    listening = Listening()
    explain(run, progress=listening)
    explained = motiflens.Attributions.load(run.path / "attributions" / "cnn" / "ism.npz")
    assert len(explained.one_hot) == 4
    assert listening.notes[0].startswith("4 of 6 positives are explained")
    assert len(stages.motif_positives(run)) == 4
    monkeypatch.setattr(stages, "MAX_WORK", 1)
    assert len(stages.explained_positives(run)) == 1


def test_the_letters_that_a_motif_leaves_open_are_those_of_its_sites(tmp_path: Path) -> None:
    settings = replace(ONE, motif="GATNACA")
    run = compare(data(), tmp_path / "run", settings)
    motifs(run)
    assert as_json(run.results.motifs)["truth"][0]["consensus"] == "GATNACA"
    assert as_json(run.results.motifs)["shortcut"]["cnn"]["motif"] == "GATTACA"


def test_a_motif_without_sites_is_still_the_truth() -> None:
    dataset, settings = prepare(data(), replace(ONE, motif="AAAAAAAA"))
    assert [motif.consensus for motif in true_motifs(dataset, settings.motif)] == ["AAAAAAAA"]


def test_the_points_of_a_learning_curve_have_scores_and_no_epochs() -> None:
    dataset, _ = prepare(data(), ONE)
    found = comparison.compare(dataset, [Job("cnn", (0, 1))], sizes=[20], size_seeds=1, threads=1)
    point, whole = as_json(found.comparison)["models"]["cnn"]["sizes"]
    assert (point["n_train"], len(point["seeds"]), whole["n_train"]) == (20, 1, 48)
    assert 0 <= point["summary"]["auroc"]["mean"] <= 1
    assert point["seeds"][0]["epochs_to_target"] is None
    assert whole["summary"]["epochs_to_target"]["n"] == 2


@pytest.mark.slow
def test_models_of_self_attention_go_the_whole_way_on_both_strands(tmp_path: Path) -> None:
    models = ("hybrid", "transformer")
    settings = replace(ONE, models=models, strands="both", motif="GATTACA", n_explained=3)
    run = motiflens.run(data(), tmp_path / "run", settings)
    for name in models:
        table = tomllib.loads((run.path / "models" / f"{name}-seed0" / "model.toml").read_text())
        assert (table["recipe"]["rc_augment"], table["recipe"]["rc_average"]) == (True, True)
        assert isinstance(run.model(name), motiflens.models.BothStrands)
    assert (
        set(as_json(run.results.motifs)["models"])
        == set(as_json(run.results.attention)["models"])
        == set(models)
    )
    page = write_report(run.path).read_text()
    assert all(name in page for name in models)
