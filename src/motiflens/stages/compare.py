"""The second stage: the data audited, models trained and scored."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from motiflens.auditing.predicted_numbers import predict_numbers
from motiflens.cluster import Engine, engine_of
from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.evaluation import models as evaluation
from motiflens.evaluation.distillation import evaluate_distilled
from motiflens.evaluation.ensembles import (
    count_groups,
    evaluate_ensembles,
    independent_groups,
)
from motiflens.evaluation.folds import as_table
from motiflens.evaluation.negative_sets import evaluate_negative_sets, train_against
from motiflens.evaluation.regression import evaluate_regression
from motiflens.files import write_whole
from motiflens.models.calling import choose_device, require_device
from motiflens.progress import Progress, listener
from motiflens.results import ARTIFACTS
from motiflens.results.provenance import Origin
from motiflens.results.regression import Regression
from motiflens.results.scores import Metrics
from motiflens.results.timings import StageUse, Timings, TrainingTime
from motiflens.runs import Output, Run, begin
from motiflens.settings import DISTILLED, Settings
from motiflens.stages.data import Plan, audit_splits, plan_run
from motiflens.stages.folds import score_baselines
from motiflens.stages.timing import measured
from motiflens.training import (
    Trained,
    TrainedModel,
    count_epochs,
    distributed,
    n_cores,
    single_intra_op_thread,
)


def compare(
    dataset: SequenceDataset,
    output: Path | str,
    settings: Settings | None = None,
    *,
    negative_sets: Mapping[str, SequenceDataset] | None = None,
    overwrite: bool = False,
    origin: Origin | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> Run:
    """Audit the data, train models × seeds × training sizes and score them.

    A call that was killed is resumed when it comes again. Under ``torchrun`` all processes train,
    and the first one does all else and writes the run.

    Parameters
    ----------
    dataset
        A split of its own is kept; without one, it is split as the settings say.
    output
        Run directory to make.
    settings
        None for the defaults.
    negative_sets
        Further ones, by name, with the same positives and splits: models are trained against each
        and tested against all.
    overwrite
        Replace an earlier run in ``output``.
    origin
        What ``run.toml`` says of the data and the command.
    scheduler
        Workers that train the models, see :func:`motiflens.cluster.engine_of`; None for threads
        here. It changes no bit of the run.
    progress
        Told how far the work has come.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If the data, the settings or the output break a rule; nothing is written then.
    """
    settings = settings or Settings()
    with processes(settings.device), engine_of(scheduler) as engine:
        place = Output(Path(output), overwrite)
        place.check()
        plan = plan_run(dataset, settings, origin or Origin(data="Python"), negative_sets)
        return train_planned(plan, place, listener(progress), engine)


def processes(device: str) -> AbstractContextManager[None]:
    """Connect the processes of ``torchrun``, on a device that is there."""
    require_device(device)
    return distributed.connected(choose_device(device))


def train_planned(
    plan: Plan, output: Output, progress: Progress, engine: Engine | None = None
) -> Run:
    """Begin or resume a run, and train its models, here or on workers, unless that is done."""
    resumes = output.resumes
    run = begin(output, plan.dataset, plan.settings, plan.origin)
    is_first = distributed.process() == 0
    if is_first:
        if resumes:
            progress.note(_where_resumed(run))
        for note in plan.origin.notes:
            progress.note(note)
    trained = run.results.is_trained
    try:
        if distributed.from_first(b"" if trained else None) is None:
            _train(run, plan, progress, engine)
    except InputError:
        if not resumes and is_first:
            run.results.remove()
        raise
    if is_first:
        shutil.rmtree(run.results.path_of("checkpoint"), ignore_errors=True)
    return run


def _where_resumed(run: Run) -> str:
    """Say which work of a run that was stopped is kept."""
    stages = dict.fromkeys(artifact.stage for artifact in ARTIFACTS.values())
    done = [stage for stage in stages if run.results.is_finished(stage)]
    where = f"after {done[-1]}" if done else "before training"
    if not done and run.results.holds("checkpoint"):
        where = "in training"
    return f"resuming the run in {run.path} {where}"


def _train(run: Run, plan: Plan, progress: Progress, engine: Engine | None) -> None:
    """Train on the run's own data and score; then against all other negative sets."""
    settings, results = plan.settings, run.results
    used: dict[str, StageUse] = {}
    with progress.stage("auditing", 1) as advance, measured(used, "audit"):
        distributed.in_first(
            lambda: results.write(audit_splits(plan.dataset, settings.seed, settings.strands))
        )
        advance(1)
    total = count_epochs(plan.dataset, [*plan.jobs, *plan.curves])
    with progress.stage("training", total, "epochs") as advance, measured(used, "train"):
        how: dict[str, Any] = {
            "threads": settings.threads,
            "device": settings.device,
            "advance": advance,
            "checkpoint": results.path_of("checkpoint"),
            "engine": engine,
        }
        if plan.dataset.is_regression:
            numbers = evaluation.train_models(plan.dataset, plan.jobs, plan.curves, **how)
        else:
            compared = evaluation.compare(
                plan.dataset,
                plan.jobs,
                sizes=settings.sizes or (),
                size_seeds=settings.size_seeds,
                target=settings.target,
                **how,
            )
    if plan.dataset.is_regression:
        if distributed.process() == 0:
            _score_regression(run, plan, numbers, used, progress)
        return
    if plan.negative_sets:
        with measured(used, "crossing"):
            _train_against_others(run, plan, compared.trained, progress, engine)
    if distributed.process() == 0:
        _score(run, plan, compared, used, progress)


def _train_against_others(
    run: Run,
    plan: Plan,
    own: Mapping[str, list[Trained]],
    progress: Progress,
    engine: Engine | None,
) -> None:
    """Train against the other negative sets, and test against all."""
    settings, sets, jobs = plan.settings, plan.all_sets, plan.teachers
    total = sum(count_epochs(sets[name], jobs) for name in list(sets)[1:])
    with progress.stage("crossing", total, "epochs") as advance, single_intra_op_thread():
        trained = train_against(
            sets,
            jobs,
            {job.architecture: own[job.architecture] for job in jobs},
            threads=settings.threads,
            device=settings.device,
            advance=advance,
            checkpoint=run.results.path_of("checkpoint"),
            engine=engine,
        )
        if distributed.process() == 0:
            tests = {name: dataset.part("test") for name, dataset in sets.items()}
            run.results.write(evaluate_negative_sets(trained, tests, seed=settings.seed))


def _score_regression(
    run: Run,
    plan: Plan,
    trained: tuple[dict[str, list[Trained]], list[evaluation.Sized]],
    used: dict[str, StageUse],
    progress: Progress,
) -> None:
    """Score models that predict numbers beside the baselines, and write all that is known."""
    settings, dataset, (models, points) = plan.settings, plan.dataset, trained
    with (
        progress.stage("scoring", 1) as advance,
        measured(used, "score"),
        single_intra_op_thread(),
    ):
        scores = score_numbers(dataset, settings, models, points)
        advance(1)
    for replicas in models.values():
        for one in replicas:
            run.write_model(TrainedModel.of(one, dataset.codes.shape[1]))
    training = {name: evaluation.timing_of(replicas) for name, replicas in models.items()}
    _write_timings(run, settings, training, used)
    # Written last, as `comparison.json` is.
    run.results.write(scores)


def score_numbers(
    dataset: SequenceDataset,
    settings: Settings,
    models: Mapping[str, Sequence[Trained]],
    points: Sequence[evaluation.Sized] = (),
) -> Regression:
    """Score models that predict numbers, and the points of their learning curves, on a test split.

    Beside them are baselines, on the strands that the settings name, fitted on all other sequences.
    """
    test = dataset.part("test")
    known = dataset.subset(np.asarray(dataset.split) != "test")
    baselines = predict_numbers(known, test, both_strands=settings.strands == "both")
    return evaluate_regression(
        models,
        dataset,
        seed=settings.seed,
        baselines=baselines,
        groups=independent_groups(test),
        at_sizes=points,
    )


def _write_timings(
    run: Run,
    settings: Settings,
    training: dict[str, TrainingTime],
    used: dict[str, StageUse],
) -> None:
    run.results.write(
        Timings(
            threads=settings.threads or n_cores(),
            training=training,
            stages={stage: use.seconds for stage, use in used.items()},
            used=used,
        )
    )


def _score(
    run: Run,
    plan: Plan,
    compared: evaluation.Compared,
    used: dict[str, StageUse],
    progress: Progress,
) -> None:
    """Score the trained models and write all that is known of them."""
    settings, results = plan.settings, run.results
    with (
        progress.stage("scoring", 1) as advance,
        measured(used, "score"),
        single_intra_op_thread(),
    ):
        held_out, groups = compared.out_of_fold, compared.test_groups
        test, baselines = plan.dataset.part("test"), dict(results.audit.baselines)
        if any(one.is_all for one in held_out.values()):
            test = plan.dataset
            baselines = baselines and score_baselines(test, settings.strands)
        ensembles = evaluate_ensembles(
            compared.trained,
            test,
            seed=settings.seed,
            groups=groups,
            prevalence=settings.prevalence,
            out_of_fold=held_out,
        )
        advance(1)
    for replicas in compared.trained.values():
        for trained in replicas:
            run.write_model(TrainedModel.of(trained, plan.dataset.codes.shape[1]))
    if DISTILLED in compared.trained:
        results.write(evaluate_distilled(compared.trained, test, seed=settings.seed, groups=groups))
    if held_out:
        write_whole(results.path_of("out_of_fold"), as_table(held_out).encode())
    results.write(
        Metrics(
            models=ensembles,
            baselines=baselines,
            negatives=plan.origin.negatives,
            test_groups=count_groups(test, groups),
        )
    )
    _write_timings(run, settings, compared.training, used)
    # Written last: a run with it has all that training gives, and needs its checkpoint no more.
    results.write(msgspec.structs.replace(compared.comparison, baselines=baselines))
