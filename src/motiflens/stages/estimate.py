"""About how long a run will take, from a few steps of training and one explanation of each kind.

Measured on the run's own sequences and models, so that the machine and what else it does count.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from motiflens.attribution import attribute
from motiflens.attribution.result import Floats
from motiflens.datasets import SequenceDataset
from motiflens.discovery.held_out import MAX_BASES, N_REFERENCES
from motiflens.errors import InputError
from motiflens.evidence.case import MAX_POSITIVES
from motiflens.evidence.checks import N_HELD_OUT
from motiflens.progress import in_words
from motiflens.sequences import evenly
from motiflens.settings import Settings
from motiflens.stages.data import Plan
from motiflens.stages.defaults import (
    MORE_SEEDS,
    TARGET,
    THOROUGH,
    default_sizes,
    n_explained,
    n_searched,
)
from motiflens.stages.stage import ENOUGH
from motiflens.training import (
    Job,
    Trained,
    TrainedModel,
    n_cores,
    single_intra_op_thread,
    train,
)

#: Training sequences of the two epochs that are timed, and sequences that are explained.
N_TIMED, N_TIMED_EXPLAINED = 128, 3

#: References of DeepLIFT/SHAP where a method is not told otherwise, and what all methods beside
#: those of the first report take together, in times of it (measured, `cnn` and `attention`).
REFERENCES, FURTHER = 20, 2.2

#: Where an epoch is chosen early, training ends after so many times the patience (measured).
PATIENCES = 1.5

#: Forward passes of ``trust`` over its sequences, with attention and without, and of experiments.
ATTENTION_PASSES, DELETION_PASSES, EXPERIMENT_PASSES = 38, 44, 2_000

#: Explained positives that trust explains again: null, other seeds, before training.
AGAIN = 1.4

#: Seconds of one core that all routes of a model take to align their windows of a sequence, that
#: the search for motifs takes for one, and the audit (measured).
ALIGNED, SEARCHED, AUDITED = 0.003, 0.004, 0.0003

#: Seconds of a run beside all that: reading, writing, the page.
BESIDE = 2.0


@dataclass(frozen=True)
class Costs:
    """Seconds of one core that a model takes for one sequence.

    Parameters
    ----------
    epoch
        In an epoch of one replica, its part of the validation included.
    forward
        To be scored.
    methods
        To be explained, by method.
    """

    epoch: float
    forward: float
    methods: Mapping[str, float]


def measure(plan: Plan) -> dict[str, Costs]:
    """Time a few steps of training and explanations of each model of a plan."""
    with single_intra_op_thread():
        return {job.architecture: _measure(plan, job) for job in plan.jobs if job.fold in (None, 1)}


def _measure(plan: Plan, job: Job) -> Costs:
    few = _few(plan.dataset)
    # Two epochs, as the first warms up; both in a group as large as those of the run.
    at_once = min(len(job.seeds), math.ceil(_n_replicas(plan.settings) / _threads(plan.settings)))
    recipe = replace(job.settings, epochs=2, min_steps=0, patience=2, refit=False)
    seeds = job.seeds[: min(at_once, 10)]
    timed = replace(job, seeds=seeds, recipe=recipe, watch_test=False, fold=None)
    trained = train(few, timed, threads=1)
    first, second = (epoch.seconds for epoch in trained[0].history[:2])
    n = int(np.count_nonzero(few.split == "train"))
    one_hot = few.in_classes().positives("train").one_hot()[:N_TIMED_EXPLAINED]
    return Costs((second - first) / n, *_explained(trained[0], one_hot, plan.dataset))


def _few(dataset: SequenceDataset) -> SequenceDataset:
    """Take some training sequences of both classes, and as large a part of the validation ones."""
    split, labels = np.asarray(dataset.split), np.asarray(dataset.classes)
    train_rows = np.flatnonzero(split == "train")
    part = min(1.0, N_TIMED / len(train_rows))
    chosen = []
    for name in ("train", "valid"):
        for positive in (True, False):
            rows = np.flatnonzero((split == name) & ((labels > 0) == positive))
            chosen.append(rows[evenly(len(rows), max(2, round(part * len(rows))))])
    return dataset.subset(np.sort(np.concatenate(chosen)))


def _explained(
    trained: Trained, one_hot: Floats, dataset: SequenceDataset
) -> tuple[float, dict[str, float]]:
    model = TrainedModel.of(trained, dataset.codes.shape[1])

    def seconds(method: str) -> float:
        started = time.perf_counter()
        try:
            attribute(model, one_hot, method, checks=False)
        except InputError:  # a method may refuse a model, which then is not explained by it
            return 0.0
        return (time.perf_counter() - started) / len(one_hot)

    model.predict(one_hot)
    started = time.perf_counter()
    model.predict(np.tile(one_hot, (16, 1, 1)))
    forward = (time.perf_counter() - started) / (16 * len(one_hot))
    return forward, {method: seconds(method) for method in ("saliency", "ism", "deeplift_shap")}


def estimate(plan: Plan, costs: Mapping[str, Costs], *, explains: bool) -> dict[str, float]:
    """Return about how many seconds each part of a run takes on its threads.

    Parameters
    ----------
    plan
        Of the run.
    costs
        Of each model, as :func:`measure` finds them.
    explains
        Whether all stages follow on training.
    """
    dataset, threads = plan.dataset, _threads(plan.settings)
    counts = {name: int(np.count_nonzero(dataset.split == name)) for name in ("train", "test")}
    jobs = [*plan.jobs, *plan.curves]
    found = {"auditing": AUDITED * min(len(dataset), dataset.sample_size)}
    by_job = [_training(job, costs[job.architecture], counts) for job in jobs]
    found["training"] = max(
        [sum(by_job) / threads, *(t / len(j.seeds) for t, j in zip(by_job, jobs, strict=True))]
    )
    if explains:
        found |= _stages(plan, costs, threads)
    return found


def _training(job: Job, costs: Costs, counts: Mapping[str, int]) -> float:
    """Return the seconds of one core that all replicas of a job take."""
    recipe, n = job.settings, job.n_rows(min(job.n_train or counts["train"], counts["train"]))
    n_epochs = recipe.n_epochs(n)
    if recipe.validation_fraction > 0.0:
        n_epochs = min(n_epochs, round(PATIENCES * recipe.n_patience(n)))
    watched = counts["test"] * costs.forward if job.watch_test else 0.0
    return len(job.seeds) * n_epochs * (n * costs.epoch + watched)


def _stages(plan: Plan, costs: Mapping[str, Costs], threads: int) -> dict[str, float]:
    """Return the seconds of what follows on training."""
    settings, dataset = plan.settings, plan.dataset
    length = dataset.codes.shape[1]
    positive = np.asarray(dataset.classes) > 0
    n_test = int((positive & (np.asarray(dataset.split) == "test")).sum())
    n = min(n_explained(settings), n_test)
    n_aligned = min(max(n, min(ENOUGH, n_explained(settings))), int(positive.sum()))
    truth = dataset.sites is not None or settings.motif is not None
    n_read = len(settings.seed_list) if truth or settings.thorough else 1
    n_untrained = min(3, len(settings.seed_list)) if truth else 0
    searched = 2 * min(n_searched(settings), MAX_BASES // (2 * length), len(dataset) // 2)
    shapley = max(one.methods["deeplift_shap"] for one in costs.values())
    explaining = trust = reading = experimenting = 0.0
    for one in costs.values():
        every = sum(one.methods.values())
        every += FURTHER * one.methods["deeplift_shap"] if settings.thorough else 0.0
        explaining += n * every
        again = (n_read - 1 + n_untrained) * (one.methods["ism"] + one.methods["saliency"])
        reading += n_aligned * (again + ALIGNED * (n_read + n_untrained))
        passes = ATTENTION_PASSES * min(n_test, N_HELD_OUT)
        passes += DELETION_PASSES * 5 * min(n, MAX_POSITIVES)
        trust += AGAIN * min(n, MAX_POSITIVES) * every + passes * one.forward
        experimenting += EXPERIMENT_PASSES * one.forward
    search = searched * (shapley * N_REFERENCES / REFERENCES / threads + SEARCHED)
    return {
        "explaining": explaining / threads,
        "reading motifs": reading / threads,
        "discovering": search,
        "experimenting": experimenting / threads,
        "checking trust": trust / threads,
        "writing the page": BESIDE,
    }


def _n_replicas(settings: Settings) -> int:
    return len(settings.models) * len(settings.seed_list)


def _threads(settings: Settings) -> int:
    return settings.threads or n_cores()


def as_thorough(plan: Plan) -> Plan:
    """Return the plan of the same run, were it thorough."""
    n_train = int(np.count_nonzero(plan.dataset.split == "train"))
    # Neither folds nor numbers have a target, or look at the test split in training.
    folded = plan.settings.folds is not None
    untargeted = folded or plan.dataset.is_regression
    settings = replace(
        plan.settings,
        thorough=True,
        seeds=max(MORE_SEEDS, len(plan.settings.seed_list)),
        sizes=() if folded else plan.settings.sizes or default_sizes(n_train),
        target=None if untargeted else plan.settings.target or TARGET,
    )
    jobs = [
        replace(job, seeds=settings.seeds_of(job.architecture), watch_test=not untargeted)
        for job in plan.jobs
    ]
    return replace(plan, settings=settings, jobs=jobs)


@dataclass(frozen=True)
class Forecast:
    """About how many seconds a run takes: of each part, and of a thorough one, unless it is one."""

    parts: Mapping[str, float]
    thorough: float | None

    @staticmethod
    def of(plan: Plan, *, explains: bool) -> Forecast:
        """Measure what the models of a plan take."""
        costs, thorough = measure(plan), None
        if not plan.settings.thorough:
            thorough = sum(estimate(as_thorough(plan), costs, explains=explains).values())
        return Forecast(estimate(plan, costs, explains=explains), thorough)

    @property
    def all(self) -> float:
        """Seconds of all parts."""
        return sum(self.parts.values())


def in_short(plan: Plan) -> str:
    """Say in a sentence how long a whole run takes, and what a thorough one would."""
    found = Forecast.of(plan, explains=True)
    text = f"this takes {in_words(found.all)} on {_on(plan.settings)}"
    if found.thorough is not None:
        text += f", and {THOROUGH} {in_words(found.thorough)}"
    return text


def as_text(plan: Plan, *, explains: bool) -> str:
    """Say what a run will do and about how long each part of it takes."""
    settings, dataset = plan.settings, plan.dataset
    counts = ", ".join(f"{n:,} {split}" for split, n in _counts(dataset).items())
    found = Forecast.of(plan, explains=explains)
    lines = [
        *plan.origin.notes,
        f"sequences: {len(dataset):,} of up to {dataset.codes.shape[1]:,} bases: {counts}",
        f"models: {', '.join(settings.models)}, {len(settings.seed_list)} seeds of each"
        f"{f' for each of {settings.folds} folds' if settings.folds else ''}, "
        f"strands: {settings.strands}",
        *(f"{part}: {in_words(seconds)}" for part, seconds in found.parts.items()),
        f"all: {in_words(found.all)} on {_on(settings)}",
    ]
    if found.thorough is not None:
        lines.append(f"{THOROUGH}: {in_words(found.thorough)}")
    return "\n".join([*lines, "nothing was written"])


def as_json(plan: Plan, *, explains: bool) -> dict[str, object]:
    """Return the same as one object, times in seconds."""
    found = Forecast.of(plan, explains=explains)
    return {
        "notes": list(plan.origin.notes),
        "sequences": _counts(plan.dataset),
        "models": list(plan.settings.models),
        "seeds": len(plan.settings.seed_list),
        "folds": plan.settings.folds,
        "strands": plan.settings.strands,
        "threads": _threads(plan.settings),
        "seconds": {part: round(seconds, 1) for part, seconds in found.parts.items()},
        "seconds_of_all": round(found.all, 1),
        "seconds_of_a_thorough_run": None if found.thorough is None else round(found.thorough, 1),
    }


def _counts(dataset: SequenceDataset) -> dict[str, int]:
    return {
        split: int(np.count_nonzero(dataset.split == split)) for split in ("train", "valid", "test")
    }


def _on(settings: Settings) -> str:
    threads = _threads(settings)
    return f"{threads} thread{'s' * (threads > 1)}"
