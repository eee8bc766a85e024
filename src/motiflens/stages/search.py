"""Hyper-parameters searched by what models score on validation sequences; none is tested.

Optuna proposes values (the tree-structured Parzen estimator, Bergstra et al. 2011) and says which
trials to give up. What was tried lies in a file of our own, from which each batch of trials is
proposed: a search that was killed goes on to the same trials as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import msgspec
import numpy as np
import optuna
import tomli_w
import torch
from optuna.distributions import BaseDistribution

from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.files import make_folder, write_whole
from motiflens.metrics import rank_auroc
from motiflens.models.calling import choose_device
from motiflens.progress import Advance, Progress, listener
from motiflens.results.loader import read_json, write_json
from motiflens.results.study import Study, Trial, Value
from motiflens.settings import Settings
from motiflens.stages.data import prepare, require_lengths
from motiflens.stages.hyperparameters import built, job_of, validation_fraction
from motiflens.stages.search_space import as_table, space_of, values_of, with_values
from motiflens.training import Job, Trained, n_cores, single_intra_op_thread
from motiflens.training.checkpoint import slots_in
from motiflens.training.data import EncodedData
from motiflens.training.fit import Fit
from motiflens.training.group import Group, train_group

TRIALS, BEST = "trials.json", "best.toml"
#: Trials of each model where neither their number nor a time is given.
N_TRIALS = 30
#: Trials that are proposed together, whatever the number of threads, so that this decides nothing.
AT_ONCE = 4
#: Trials whose values are random, the first, of the defaults, among them; trials after which one
#: may be given up; and the fraction of its epochs that it has for itself before.
RANDOM, UNPRUNED, WARM_UP = 8, 4, 0.2


class _OutOfTime(Exception):
    """The time is over, and the trial has not ended."""


class _Folder:
    """The folder of a study: its trials, written as they end, and the best of each model."""

    def __init__(self, path: Path, study: Study, jobs: Mapping[str, Job]) -> None:
        self.path, self.study, self.jobs, self.lock = path, study, jobs, Lock()

    def keep(self, trial: Trial) -> str:
        """Write a trial down; return it in words."""
        with self.lock:
            trials = sorted((*self.study.trials, trial), key=lambda one: (one.model, one.number))
            self.study = msgspec.structs.replace(self.study, trials=tuple(trials))
            write_json(self.path / TRIALS, self.study)
            write_whole(self.path / BEST, best_values(self.study, self.jobs).encode())
            return _in_words(trial, self.study.best(trial.model))


@dataclass(frozen=True)
class _Model:
    """What all trials of a model share."""

    job: Job
    dataset: SequenceDataset
    data: EncodedData
    space: dict[str, BaseDistribution]
    threads: int
    deadline: float

    def group(self, values: Mapping[str, Value]) -> Group:
        """Build the seeds of a trial."""
        job = with_values(self.job, values)
        built(job, length=self.dataset.codes.shape[1])
        return Group.of(self.dataset, job, job.seeds)

    @property
    def n_epochs(self) -> int:
        """Epochs of a trial at most."""
        return self.job.settings.n_epochs(int(np.count_nonzero(self.dataset.split == "train")))


def search(
    dataset: SequenceDataset,
    output: Path | str,
    settings: Settings,
    *,
    trials: int | None = None,
    seconds: float | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Study:
    """Try values of hyper-parameters, the defaults first, and keep what validates best.

    The test split is cut off first of all, as a run with the same settings cuts it, and not looked
    at. The same call resumes a search that was stopped; with more trials it goes on.

    Parameters
    ----------
    dataset
        A split of its own is kept; without one, it is split as the settings say.
    output
        The folder of the study: ``trials.json`` and ``best.toml``.
    settings
        Of models, seeds (1 where they are not set), seed, strands, split, threads and device.
    trials
        Of each model, with those that the folder holds; None for 30, or as many as there is time.
    seconds
        That this call may take, divided equally among the models; trials that are not done then are
        dropped, but those of the defaults are not.
    overwrite
        Begin anew in the folder of another study.
    progress
        Told of every trial.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        For settings, data or a folder that break a rule.
    """
    shown, folder = listener(progress), Path(output)
    _require_validated(settings)
    before = _earlier(folder, overwrite=overwrite)
    dataset, settings = prepare(dataset, settings, shown.note, validation_fraction(settings))
    if dataset.is_regression:
        problem = "the labels are numbers, and a search compares models of two classes"
        raise InputError(problem, remedy="make them 0 and 1")
    dataset = dataset.subset(np.asarray(dataset.split) != "test")
    settings = replace(settings, seeds=settings.seeds or 1)
    study = Study(
        data=dataset.fingerprint(),
        seed=settings.seed,
        seeds=len(settings.seed_list),
        strands=settings.strands,
        hyperparameters={name: dict(table) for name, table in settings.hyperparameters.items()},
    )
    jobs = {name: job_of(name, settings, settings.seed_list) for name in settings.models}
    jobs = {name: replace(job, watch_test=False) for name, job in jobs.items()}
    require_lengths({"": dataset}, list(jobs.values()))
    kept = _Folder(folder, _resumed(before, study, set(jobs), folder), jobs)
    make_folder(folder)
    device = choose_device(settings.device)
    data = EncodedData.of(dataset, device, torch.float32)
    threads = settings.threads or n_cores() if device == "cpu" else 1
    for name, job in jobs.items():
        fixed = settings.hyperparameters.get(name, {})
        space = space_of(job, fixed, int(dataset.lengths.min()))
        own = float("inf") if seconds is None else seconds / len(jobs)
        model = _Model(job, dataset, data, space, threads, time.monotonic() + own)
        _search_model(model, kept, trials or (N_TRIALS if seconds is None else None), shown)
    return kept.study


def _search_model(model: _Model, kept: _Folder, n_trials: int | None, shown: Progress) -> None:
    """Try batches of values until there are enough trials, or no time is left."""
    name, start = model.job.architecture, 0
    counting: AbstractContextManager[Advance] = nullcontext(lambda trials: None)
    if n_trials is not None:  # and no time decides how many there are
        counting = shown.stage(f"searching {name}", n_trials, "trials")
    with counting as advance:
        while n_trials is None or start < n_trials:
            before = [one for one in kept.study.of(name) if one.number < start]
            if start > len(before) or (start and time.monotonic() > model.deadline):
                return
            asked = _ask(model, before)
            known = {one.number for one in kept.study.of(name)}
            numbers = range(start, min(start + AT_ONCE, n_trials or start + AT_ONCE))
            advance(len(known.intersection(numbers)))
            # Built here: initial weights go through PyTorch's global state.
            groups = {
                n: (asked[n - start], model.group(_values(asked[n - start])))
                for n in numbers
                if n not in known
            }

            def work(n: int, groups: dict[int, tuple[optuna.Trial, Group]] = groups) -> None:
                done = _try(model, *groups[n], n)
                if done is not None:
                    shown.note(kept.keep(done))
                    advance(1)

            with single_intra_op_thread(), ThreadPoolExecutor(model.threads) as pool:
                list(pool.map(work, groups))
            start = numbers.stop


def _ask(model: _Model, before: Sequence[Trial]) -> list[optuna.Trial]:
    """Propose the values of a batch, from the trials before it alone."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # Trials of a batch that has no values yet count as bad ones, so that others are proposed.
    sampler = optuna.samplers.TPESampler(
        n_startup_trials=RANDOM, seed=model.job.seeds[0] + len(before), constant_liar=True
    )
    pruner = optuna.pruners.MedianPruner(UNPRUNED, math.ceil(WARM_UP * model.n_epochs))
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
    if not before:
        own = values_of(model.job)
        study.enqueue_trial({name: own[name] for name in model.space})
    for one in before:
        study.add_trial(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState[one.state.upper()],
                params=dict(one.values),
                distributions=model.space,
                value=one.auroc,
                intermediate_values=dict(enumerate(one.epochs)),
            )
        )
    return [study.ask(model.space) for _ in range(AT_ONCE)]


def _values(trial: optuna.Trial) -> dict[str, Value]:
    """Return the values of a trial; a step of 0.05 gives 0.15, and not 0.15000000000000002."""
    return {
        name: float(f"{value:.6g}") if isinstance(value, float) else value
        for name, value in trial.params.items()
    }


def _try(model: _Model, trial: optuna.Trial, group: Group, number: int) -> Trial | None:
    """Train the seeds of a trial; None where the time was over before they had ended."""
    epochs: list[float] = []
    losses: list[float] = []

    def watch(fit: Fit) -> None:
        bests = [max(one.valid_auroc or 0.0 for one in own) for own in fit.histories]
        epochs.append(float(np.mean(bests)))
        losses.append(float(np.mean([own[-1].valid_loss or 0.0 for own in fit.histories])))
        if number > 0 and time.monotonic() > model.deadline:
            raise _OutOfTime
        trial.report(epochs[-1], len(epochs) - 1)
        if trial.should_prune():
            raise optuna.TrialPruned

    try:
        trained = train_group(model.data, group, *slots_in(None, 0), lambda epochs: None, watch)
        state, (auroc, loss) = "complete", _validated(trained)
    except optuna.TrialPruned:
        state, auroc, loss = "pruned", epochs[-1], min(losses)
    except _OutOfTime:
        return None
    return Trial(
        model=model.job.architecture,
        number=number,
        state=state,
        values=_values(trial),
        auroc=auroc,
        loss=loss,
        epochs=tuple(epochs),
    )


def _validated(trained: Sequence[Trained]) -> tuple[float, float]:
    """Return AUROC and loss on the validation rows, by the weights that each seed keeps."""
    aurocs, losses = [], []
    for one in trained:
        assert one.valid is not None
        labels, logits = one.valid.labels, one.valid.logits
        aurocs.append(float(rank_auroc(labels[None], logits[None])[0]))
        losses.append(float(np.mean(np.logaddexp(0.0, logits) - labels * logits)))
    return float(np.mean(aurocs)), float(np.mean(losses))


def best_values(study: Study, jobs: Mapping[str, Job]) -> str:
    """Return the best values of each model as the file that ``--hyperparameters`` takes."""
    tables, lines = {}, ["# The best of a search by validation AUROC; no test sequence was seen.\n"]
    for name, job in jobs.items():
        if (best := study.best(name)) is not None:
            fixed = study.hyperparameters.get(name, {})
            tables[name] = as_table(job, fixed, best.values)
            lines.append(f"# {name}, trial {best.number}: AUROC {best.auroc:.4f}, ")
            lines.append(f"loss {best.loss:.4f}; {len(study.of(name))} trials\n")
    return "".join(lines) + tomli_w.dumps(tables)


def _in_words(trial: Trial, best: Trial | None) -> str:
    state = "" if trial.state == "complete" else f", given up after {len(trial.epochs)} epochs"
    values = ", ".join(f"{name} {value}" for name, value in trial.values.items())
    so_far = f", the best so far {best.auroc:.4f}" if best else ""
    head = f"{trial.model}, trial {trial.number}: AUROC {trial.auroc:.4f}{state}{so_far}"
    return f"{head}; {'the defaults' if trial.number == 0 else values}"


def _require_validated(settings: Settings) -> None:
    """Refuse folds, and a model whose recipe chooses nothing on validation sequences."""
    if settings.folds is not None:
        raise InputError(
            f"folds={settings.folds} are held out for tests, and a search makes none",
            remedy="give them to the run afterwards",
            argument="folds",
        )
    for name in settings.models:
        if job_of(name, settings).is_distilled:
            raise InputError(
                f"models={name} learns from others, which are to be found first",
                remedy="name those",
                argument="models",
            )
        if job_of(name, settings).settings.validation_fraction == 0:
            raise InputError(
                f"models={name} is trained without validation sequences, as the tutorial is",
                remedy="name another, such as cnn",
                argument="models",
            )


def _earlier(folder: Path, *, overwrite: bool) -> Study | None:
    """Read the study in a folder; refuse a folder of other things."""
    path = folder / TRIALS
    if path.is_file():
        return None if overwrite else read_json(path, Study, "motiflens search")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        problem = f"{folder} is a file" if folder.is_file() else f"{folder} holds other files"
        raise InputError(f"{problem}, and no study", remedy="use another folder")
    return None


def _resumed(before: Study | None, study: Study, models: set[str], folder: Path) -> Study:
    """Return the study that goes on: the earlier one, if it is of the same data and settings."""
    if before is None:
        return study
    names = ("data", "seed", "seeds", "strands", "hyperparameters")
    other = [name for name in names if getattr(before, name) != getattr(study, name)]
    other += ["models"] if {one.model for one in before.trials} - models else []
    if other:
        raise InputError(
            f"{folder} holds a study with other {', '.join(other)}",
            remedy="repeat those, use another folder, or overwrite=True",
            argument="overwrite",
        )
    return msgspec.structs.replace(study, trials=before.trials)
