"""How the data are divided into folds for cross-validation, and why so."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from motiflens.auditing.baselines import BASELINES, SEED
from motiflens.datasets import (
    SequenceDataset,
    bound_groups,
    chromosome_groups,
    divide_by_groups,
    split_by_chromosome,
)
from motiflens.errors import InputError
from motiflens.metrics import score
from motiflens.results.scores import Scores
from motiflens.settings import Settings
from motiflens.stages.defaults import Note, unheard
from motiflens.stages.splitting import Cutting, require_not_given

#: What is kept whole in a fold, by the rule.
KEPT_WHOLE = {
    "homology": "{n:,} groups of sequences that share 31 bases kept whole",
    "chromosome": "{n:,} chromosomes kept whole",
    "random": "drawn at random",
}


@dataclass(frozen=True, eq=False)
class _Units:
    """What stays together of N sequences: in a fold, and in the validation part of training."""

    rule: str
    in_fold: NDArray[np.int64]
    in_training: NDArray[np.int64] | None


def cut_folds(
    dataset: SequenceDataset, settings: Settings, note: Note = unheard
) -> tuple[SequenceDataset, str]:
    """Divide the sequences into folds for cross-validation; the first is the test split.

    By the rule of :func:`motiflens.stages.splitting.cut`: by homology whole groups of sequences
    that share 31-mers fall into a fold, by chromosome whole chromosomes, at random what shuffles
    bind together; each class evenly. A test split that the data come with, or chromosomes that the
    settings name for it, is in no fold, and stays the test split.

    Parameters
    ----------
    dataset
        A validation split of its own falls into the folds too.
    settings
        With ``folds``.
    note
        Told the reasons, and what a fold is.

    Returns
    -------
    dataset, rule
        With ``folds``, ``train`` and ``test``; by ``random``, ``homology`` or ``chromosome``.

    Raises
    ------
    InputError
        If the rule cannot be followed, or a fold is left without a class.
    """
    if dataset.is_mapped:
        raise InputError(
            f"folds={settings.folds} is not possible for mapped data",
            remedy="use one test split: of so many sequences it is sure enough",
            argument="folds",
        )
    if settings.test_chromosomes and not _is(dataset, "test").any():
        dataset = split_by_chromosome(dataset, test=settings.test_chromosomes)
    if _is(dataset, "valid").any():
        note("validation sequences of the data are in the folds too, which hold out their own")
    is_test = _is(dataset, "test")
    if not is_test.any():
        require_not_given(settings)
    rows = np.flatnonzero(~is_test)
    learning = dataset.subset(rows).with_split(None)
    units = _units(learning, settings, note)
    assert settings.folds is not None
    folds = np.zeros(len(dataset), dtype=np.int64)
    folds[rows] = divide_by_groups(
        learning, units.in_fold, folds=settings.folds, seed=settings.seed
    )
    groups = None
    if units.in_training is not None:
        groups = np.full(len(dataset), -1, dtype=np.int64)
        groups[rows] = units.in_training
    note(_in_words(folds[rows], units, own_test=bool(is_test.any())))
    held_out = is_test if is_test.any() else folds == 1
    made = replace(dataset, folds=folds, groups=groups)
    return made.with_split(np.where(held_out, "test", "train")), units.rule


def _is(dataset: SequenceDataset, split: str) -> NDArray[np.bool_]:
    if dataset.split is None:
        return np.zeros(len(dataset), dtype=np.bool_)
    return np.asarray(dataset.split == split)


def _units(learning: SequenceDataset, settings: Settings, note: Note) -> _Units:
    """Choose the rule, and find what stays together by it."""
    assert settings.folds is not None
    cutting = Cutting.of(learning, settings, note)
    rule = "random" if settings.split == "given" else cutting.rule(1 / settings.folds, "test")
    own = learning.groups
    if rule == "random" or cutting.groups is None:
        return _Units("random", bound_groups(np.arange(len(learning)), own), own)
    bound = bound_groups(cutting.groups, own)
    return _Units(rule, bound if rule == "homology" else chromosome_groups(learning), bound)


def _in_words(folds: NDArray[np.int64], units: _Units, *, own_test: bool) -> str:
    """Say what the folds are, and which models what follows looks at."""
    sizes = np.bincount(folds)[1:]
    size = f"{sizes.min():,}" + (f" to {sizes.max():,}" if np.ptp(sizes) else "")
    kept = KEPT_WHOLE[units.rule].format(n=len(np.unique(units.in_fold)))
    words = (
        f"{len(sizes)} folds of {size} sequences, {kept}; each fold is held out once, and scored "
        "by models that have not seen it"
    )
    if own_test:
        return f"{words}; the test split of the data is in no fold"
    return (
        f"{words}; explanations, motifs and their checks are of fold 1 and of the models that have "
        "not seen it"
    )


def score_baselines(dataset: SequenceDataset, strands: str) -> dict[str, Scores]:
    """Score the trivial baselines out of fold, each fitted to the other folds.

    Parameters
    ----------
    dataset
        N sequences, each in a fold.
    strands
        Those that k-mers and motifs are read on, ``forward`` or ``both``.
    """
    folds = dataset.folds
    assert folds is not None
    logits = {name: np.zeros(len(dataset)) for name in BASELINES}
    for fold in np.unique(folds):
        held_out = folds == fold
        others, own = dataset.subset(~held_out), dataset.subset(held_out)
        for name, fit in BASELINES.items():
            logits[name][held_out] = fit(others, np.random.default_rng(SEED), strands)(own)
    return {name: Scores(**score(dataset.labels, values)) for name, values in logits.items()}
