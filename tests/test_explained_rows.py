"""Which positives of a run are explained: as many as asked for or affordable, over all the file."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from motiflens.datasets import SequenceDataset
from motiflens.stages import stage as stages
from motiflens.stages.stage import explained_positives, motif_positives, note_on_length


def run_of(n_test: int, n_train: int, n_explained: int, length: int = 30) -> Any:
    """Positives of the test part are named t0, t1, ..., those of the training part r0, r1, ..."""
    names = [f"t{i}" for i in range(n_test)] + [f"r{i}" for i in range(n_train)]
    codes = np.random.default_rng(0).integers(4, size=(len(names), length))
    dataset = SequenceDataset.from_sequences(
        ["".join("ACGT"[code] for code in row) for row in codes], [1] * len(names), names=names
    ).with_split(["test"] * n_test + ["train"] * n_train)
    settings = SimpleNamespace(n_explained=n_explained, motif=None, strands="forward")
    return SimpleNamespace(dataset=dataset, in_classes=dataset, settings=settings)


def test_explained_positives_lie_evenly_over_the_test_part() -> None:
    run = run_of(n_test=90, n_train=7, n_explained=9)
    expected = [f"t{i}" for i in range(0, 90, 10)]
    assert explained_positives(run).names.tolist() == expected
    assert note_on_length(run) is None


def test_what_the_time_does_not_allow_is_left_out_all_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "MAX_WORK", 6 * 30**2)
    run = run_of(n_test=60, n_train=7, n_explained=12)
    assert explained_positives(run).names.tolist() == [f"t{i}" for i in range(0, 60, 10)]
    note = note_on_length(run)
    assert note is not None
    assert note.startswith("6 of 12 positives are explained")
    monkeypatch.setattr(stages, "MAX_WORK", 1)
    assert explained_positives(run).names.tolist() == ["t0"]


def test_positives_that_motifs_need_are_added_from_all_over_the_data() -> None:
    run = run_of(n_test=3, n_train=400, n_explained=103)
    names = motif_positives(run).names.tolist()
    assert names[:3] == ["t0", "t1", "t2"]
    assert names[3:] == [f"r{i}" for i in range(0, 400, 4)]
