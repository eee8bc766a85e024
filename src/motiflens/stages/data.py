"""The first stage: a data set made ready for training, and all decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from motiflens.auditing import audit
from motiflens.datasets import (
    SPLITS,
    SequenceDataset,
    require_at_least,
    require_two_classes,
)
from motiflens.datasets.strands import BOTH_FROM, strand_share
from motiflens.errors import InputError
from motiflens.evaluation.folds import fold_jobs
from motiflens.evaluation.models import curve_jobs
from motiflens.models import FIXED_LENGTH
from motiflens.models.calling import choose_device
from motiflens.motifs import information, motif_from_string
from motiflens.results.audit import Audit
from motiflens.results.provenance import Origin
from motiflens.settings import DISTILLED, Settings
from motiflens.stages.defaults import (
    Note,
    note_on_few,
    require_enough,
    unheard,
    with_defaults,
)
from motiflens.stages.folds import cut_folds
from motiflens.stages.hyperparameters import built, changes_notes, job_of, validation_fraction
from motiflens.stages.splitting import cut, on_genome
from motiflens.training import Job

#: How far the share of positives of the test split may lie from the one that it is said to have.
OTHER_SHARE = 0.02


@dataclass(frozen=True, eq=False)
class Plan:
    """What a run does: nothing is left open.

    Parameters
    ----------
    dataset
        With its splits, and its true sites where they are known.
    settings
        All decided.
    origin
        With the notes on all that was chosen.
    jobs
        One a model, or a model and fold.
    negative_sets
        Further ones, by name, with the same positives and splits.
    """

    dataset: SequenceDataset
    settings: Settings
    origin: Origin
    jobs: list[Job]
    negative_sets: Mapping[str, SequenceDataset] = field(default_factory=dict)

    @property
    def teachers(self) -> list[Job]:
        """The jobs of all models but the distilled one."""
        return [job for job in self.jobs if not job.is_distilled]

    @property
    def curves(self) -> list[Job]:
        """The jobs of the learning curves."""
        return curve_jobs(self.teachers, self.settings.sizes or (), self.settings.size_seeds)

    @property
    def all_sets(self) -> dict[str, SequenceDataset]:
        """All negative sets by name, the run's own first."""
        return {self.origin.negatives: self.dataset, **self.negative_sets}


def plan_run(
    dataset: SequenceDataset,
    settings: Settings,
    origin: Origin,
    negative_sets: Mapping[str, SequenceDataset] | None = None,
    *,
    explains: bool = False,
) -> Plan:
    """Decide all that the settings leave open, and look whether the run can be made.

    Parameters
    ----------
    dataset, settings, origin, negative_sets
        As of :class:`Plan`, before anything is decided.
    explains
        Whether the models are explained after training: the notes say what of that is left out.

    Raises
    ------
    InputError
        If the data, the settings or the hyperparameters break a rule.
    """
    # First of all, so that a mistake in the hyperparameters is told at once.
    held_out = validation_fraction(settings)
    if settings.folds and negative_sets:
        problem = f"folds={settings.folds} is beside several negative sets"
        raise InputError(problem, remedy="leave out one of the two", argument="folds")
    notes = [*origin.notes, *sample_notes(dataset)]
    if dataset.is_regression:
        check_regression(dataset, settings, notes.append)
        _require_one_set(negative_sets)
    dataset, settings = prepare(dataset, settings, notes.append, held_out)
    note_on_motif(dataset, settings, notes.append)
    if not dataset.is_regression:
        _note_on_prevalence(dataset, settings, notes.append)
    settings = _with_device(settings, notes.append)
    n_train = int(np.count_nonzero(dataset.split == "train"))
    truth = dataset.sites is not None or settings.motif is not None
    length = dataset.codes.shape[1]
    settings = with_defaults(
        settings,
        n_train,
        length,
        notes.append,
        truth=truth,
        explains=explains,
        regression=dataset.is_regression,
    )
    notes += changes_notes(settings)
    note_on_few(dataset, notes.append)
    if dataset.is_regression and DISTILLED in settings.models:
        problem = "the labels are numbers, and distill=True learns of two classes"
        raise InputError(problem, remedy="leave it out", argument="distill")
    jobs = [
        job_of(name, settings, settings.seeds_of(name), regression=dataset.is_regression)
        for name in settings.models
    ]
    if settings.folds is not None:
        jobs = fold_jobs(jobs, settings.folds)
    origin = msgspec.structs.replace(origin, notes=tuple(notes))
    plan = Plan(dataset, settings, origin, jobs, negative_sets or {})
    require_lengths(plan.all_sets, jobs)
    return plan


def _with_device(settings: Settings, note: Note) -> Settings:
    """Choose the device where it is ``auto``, and say so where that is a GPU."""
    device = choose_device(settings.device)
    if device != settings.device and device != "cpu":
        note(f"models are trained on {device}, as there is a GPU; device=cpu takes none")
    return replace(settings, device=device)


def prepare(
    dataset: SequenceDataset,
    settings: Settings,
    note: Note = unheard,
    valid_fraction: float = 0.0,
) -> tuple[SequenceDataset, Settings]:
    """Make a data set ready for training: both classes, true sites where known, a test split.

    Parameters
    ----------
    dataset
        A split of its own is kept; where it has no test split, one is cut out of its training
        split.
    settings
        How to split; ``split`` and ``strands`` of ``auto`` are decided here.
    note
        Told the reasons for what was chosen.
    valid_fraction
        Of the training split, for validation, where the data have no such split
        (see :func:`motiflens.stages.splitting.cut`).

    Raises
    ------
    InputError
        If a class is missing, a sequence is shorter than the motif, or a split is empty.
    """
    require_two_classes(dataset)
    require_enough(dataset)
    if settings.motif is not None:
        if not information(motif_from_string(settings.motif).ppm).any():
            problem = f"motif={settings.motif!r} has no letter other than N"
            raise InputError(problem, remedy="leave it out where it is not known", argument="motif")
        require_at_least(dataset, len(settings.motif), "the motif")
    if settings.folds is not None:
        dataset, rule = cut_folds(dataset, settings, note)
    else:
        dataset, rule = cut(replace(dataset, folds=None), settings, valid_fraction, note)
    for name in ("train", "test"):
        if not np.any(dataset.split == name):
            remedy = "correct the column 'split', or drop it for a random split"
            raise InputError(f"no sequence is in the split {name}", remedy=remedy)
        require_two_classes(dataset, name)
    strands = _strands(dataset, settings, note)
    settings = replace(settings, split=rule, strands=strands)
    if settings.motif is not None:
        dataset = dataset.with_known_sites(settings.motif, settings.strands)
    return dataset, settings


def _strands(dataset: SequenceDataset, settings: Settings, note: Note) -> str:
    """Choose the strands where they are ``auto``, and say why."""
    if settings.strands != "auto":
        return settings.strands
    if on_genome(dataset):
        note("both strands are read, as the sequences are windows on a genome")
        return "both"
    fraction = strand_share(dataset.sample(settings.seed).part("train"))
    words = f"reverse complements are {max(fraction, 0):.0%} as enriched as k-mers of the positives"
    if fraction >= BOTH_FROM:
        note(f"both strands are read, as {words}")
        return "both"
    note(f"the forward strand is read, as {words}; strands=both reads both")
    return "forward"


def _note_on_prevalence(dataset: SequenceDataset, settings: Settings, note: Note) -> None:
    """Say where the test split has another share of positives than it is said to have."""
    share = float(dataset.labels[dataset.split == "test"].mean())
    if settings.prevalence is not None and abs(settings.prevalence - share) > OTHER_SHARE:
        note(
            f"{100 * share:.0f}% of the test split are positive, and prevalence="
            f"{settings.prevalence:g}: calls at that prevalence are scored on another mixture than "
            "they are made for"
        )


def _require_one_set(negative_sets: Mapping[str, SequenceDataset] | None) -> None:
    if negative_sets:
        raise InputError(
            f"there are negative sets {', '.join(negative_sets)}, and the labels are numbers",
            remedy="leave them out",
            argument="negative_sets",
        )


def check_regression(dataset: SequenceDataset, settings: Settings, note: Note) -> None:
    """Refuse settings of two classes where labels are numbers; say what is done with those."""
    for name in ("target", "prevalence", "folds"):
        value = getattr(settings, name)
        if value is not None:
            raise InputError(
                f"{name}={value:g} is for two classes, and the labels are numbers",
                remedy="leave it out",
                argument=name,
            )
    low, high = float(dataset.labels.min()), float(dataset.labels.max())
    note(
        f"labels are numbers, from {low:g} to {high:g}, which models predict (regression); "
        "explanations, motifs and experiments call the highest tenth of labels in each split "
        "positives, all others negatives, and the predicted label logit"
    )


def note_on_motif(dataset: SequenceDataset, settings: Settings, note: Note) -> None:
    """Say where ``motif`` names no true site of the prepared data.

    Of a mapped data set nothing is said: its sites are looked for later.
    """
    if settings.motif is None or dataset.sites is None:
        return
    motif = settings.motif.upper()
    named = {site.name for row in dataset.sites for site in row}
    if not named:
        note(
            f"no positive holds motif={motif}: the motifs that are found are held against it, "
            "but it has no true sites; check its letters, and strands"
        )
    elif named != {motif}:
        note(
            f"motif={motif} is not used: the data name true sites of their own, of "
            f"{', '.join(sorted(named))}"
        )


def require_lengths(sets: Mapping[str, SequenceDataset], jobs: Sequence[Job]) -> None:
    """Refuse sequences that are too short for a model, or of other lengths than it is cut to."""
    lengths = {name: dataset.codes.shape[1] for name, dataset in sets.items()}
    for job in jobs:
        # Only the last layers of the tutorial's models depend on the length.
        least = built(job, length=1000).min_length
        for dataset in sets.values():
            require_at_least(dataset, least, f"the first layer of {job.architecture}")
    fixed = [job.architecture for job in jobs if job.architecture in FIXED_LENGTH]
    if fixed and len(set(lengths.values())) > 1:
        told = ", ".join(f"{length} bp with {name}" for name, length in lengths.items())
        raise InputError(
            f"{fixed[0]} reads sequences of one length, and the longest are {told}",
            remedy="leave the model out, or give negatives as long as the positives",
        )


def audit_splits(dataset: SequenceDataset, seed: int = 0, strands: str | None = None) -> Audit:
    """Audit the splits of a data set, or all of it where it has none.

    Of a large mapped data set a sample is audited, which the last warning then says.

    Parameters
    ----------
    dataset
        With a split or without.
    seed
        Of the sample.
    strands
        Those that baselines read, ``forward`` or ``both``; None for both of windows on a genome,
        and what the training split says of other data.
    """
    looked_at = dataset.sample(seed)
    if strands is None and on_genome(looked_at):
        strands = "both"
    if looked_at.split is None:
        content = audit(looked_at, strands=strands)
    else:
        splits = {name: looked_at.part(name) for name in SPLITS}
        content = audit(**splits, strands=strands)
    content["warnings"] += sample_notes(dataset)
    return msgspec.convert(content, Audit)


def sample_notes(dataset: SequenceDataset) -> tuple[str, ...]:
    """Say that a sample is looked at, where it is."""
    if dataset.sample_size == len(dataset):
        return ()
    return (
        f"audit, baselines and the choice of strands look at {dataset.sample_size:,} of "
        f"{len(dataset):,} sequences, drawn at random",
    )
