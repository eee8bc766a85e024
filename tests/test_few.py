"""Few sequences: what a run needs is said before it trains, and what few mean."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import motiflens
from motiflens.errors import InputError
from motiflens.metrics import rank_auroc
from motiflens.progress import Silent
from motiflens.stages.data import prepare
from motiflens.stages.defaults import by_chance, enough, note_on_few

QUICK = motiflens.Settings(models=("cnn",), seeds=1, sizes=())


def data(positives: int, negatives: int, length: int = 41) -> motiflens.SequenceDataset:
    generator = np.random.default_rng(positives)
    n = positives + negatives
    letters = ["".join(row) for row in generator.choice(list("ACGT"), (n, length))]
    return motiflens.SequenceDataset.from_sequences(letters, [1] * positives + [0] * negatives)


class Told(Silent):
    """Keep what is noted, and whether a stage had begun."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.stages = 0

    def stage(self, description, total, unit=""):
        self.stages += 1
        return super().stage(description, total)

    def note(self, text: str) -> None:
        assert self.stages == 0
        self.notes.append(text)


@pytest.mark.parametrize(("positives", "negatives"), [(1, 9), (2, 3), (3, 2)])
def test_too_few_of_a_class_are_refused_with_how_many_it_takes(
    tmp_path: Path, positives: int, negatives: int
) -> None:
    with pytest.raises(
        InputError, match=rf"{positives} positives and {negatives} neg.* least 3 of each"
    ):
        motiflens.run(data(positives, negatives), tmp_path / "run", QUICK)
    assert not (tmp_path / "run").exists()


def test_a_test_part_of_ones_own_leaves_fewer_to_ask_for() -> None:
    dataset = data(3, 4)
    own = np.array(["train", "train", "test", "train", "train", "test", "test"])
    assert (prepare(dataset.with_split(own), QUICK)[0].split == own).all()
    own[0] = "test"
    with pytest.raises(InputError, match=r"^1 positives and 2 neg.*outside.* least 2 of each"):
        prepare(dataset.with_split(own), QUICK)


@pytest.mark.parametrize("n_each", [3, 6])
def test_the_smallest_run_ends_in_a_page_and_says_before_training_that_it_guesses(
    tmp_path: Path, n_each: int
) -> None:
    """One positive in the test part: its interval has no ends, and JSON no infinity."""
    told = Told()
    run = motiflens.run(data(n_each, n_each), tmp_path / "run", QUICK, progress=told)
    (note,) = [one for one in told.notes if "to test on" in one]
    assert f"{2 * n_each} sequences, of which 1 positive and" in note
    assert "every score is a guess" in note
    assert note in run.results.provenance.run.notes
    trust = json.loads((run.path / "trust.json").read_text())
    found = trust["models"]["cnn"]
    assert found["n"] == 1
    for one in (found["random_order"], *(m["deletion_curve"] for m in found["methods"].values())):
        assert one is None or (one["gain_low"], one["gain_high"]) == (None, None)


def test_many_sequences_are_passed_over_in_silence_and_some_are_called_rough() -> None:
    # A test fraction of 0.2 leaves 70 and 20 of each class to test on.
    notes = []
    note_on_few(prepare(data(350, 350), QUICK)[0], notes.append)
    assert not notes
    note_on_few(prepare(data(100, 100), QUICK)[0], notes.append)
    (note,) = notes
    assert "scores are rough" in note


def test_chance_reaches_as_far_as_is_said() -> None:
    """Draw scores without any signal: 1 of 20 AUROCs lies farther off than is said."""
    positives, negatives = 23, 31
    scores = np.random.default_rng(0).normal(size=(20_000, positives + negatives))
    labels = np.broadcast_to(np.arange(positives + negatives) < positives, scores.shape)
    away = np.abs(rank_auroc(labels.astype(float), scores) - 0.5)
    assert np.mean(away > by_chance(positives, negatives)) == pytest.approx(0.05, abs=0.006)
    assert by_chance(enough(), enough()) <= 0.1 < by_chance(enough() - 11, enough() - 11)
