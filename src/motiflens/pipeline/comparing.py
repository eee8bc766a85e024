"""The first stage: data made ready and audited, models trained and scored."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from motiflens.auditing import audit
from motiflens.datasets import SPLITS, SequenceDataset, require_at_least
from motiflens.errors import InputError
from motiflens.evaluation import models as comparison
from motiflens.evaluation.ensembles import count_groups, evaluate_ensembles
from motiflens.evaluation.negative_sets import Crossed, evaluate_crossing, train_against
from motiflens.io.read import Reading, read_files
from motiflens.models import FIXED_LENGTH
from motiflens.pipeline.defaults import with_defaults
from motiflens.pipeline.few import few_notes
from motiflens.pipeline.hyperparameters import built, changes_notes, job_of, validation_fraction
from motiflens.pipeline.loading import (
    motif_notes,
    prepare,
    sample_notes,
)
from motiflens.pipeline.splitting import on_genome
from motiflens.progress import Progress, Silent
from motiflens.runs import Origin, Run, check_output, create
from motiflens.settings import Settings
from motiflens.training import Job, Trained, distributed, n_cores, single_intra_op_thread

Data = SequenceDataset | Reading | Crossed | Path | str

#: Folder of a run in which the state of training is kept until it is finished.
CHECKPOINT = "checkpoint"

#: The file that is written last when models are trained.
FINISHED = "comparison.json"


def compare(
    data: Data,
    output: Path | str,
    settings: Settings | None = None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
    origin: Origin | None = None,
    last: str = FINISHED,
) -> Run:
    """Audit the data, train models × seeds × training sizes and score them.

    Parameters as in :func:`motiflens.pipeline.run`; ``last`` is the file that the whole of the
    work ends with. A call that was killed goes on where it was when it comes again. Under
    ``torchrun`` all processes train, and the first one does all else and writes the run.
    """
    settings, progress = settings or Settings(), progress or Silent()
    with processes(settings.device):
        return _compare(data, output, settings, overwrite, progress, origin, last)


def _compare(
    data: Data,
    output: Path | str,
    settings: Settings,
    overwrite: bool,
    progress: Progress,
    origin: Origin | None,
    last: str,
) -> Run:
    check_output(output, overwrite=overwrite, last=last)
    # Before data are read, so that a mistake in the hyperparameters is told at once.
    held_out = validation_fraction(settings)
    reading = _reading(data)
    if isinstance(data, Crossed):
        settings = replace(settings, split=data.rule)
    dataset, settings, reasons = prepare(reading.dataset, settings, held_out)
    others = data.others if isinstance(data, Crossed) else {}
    kinds = {reading.negatives: dataset, **others}
    n_train = int(np.count_nonzero(dataset.split == "train"))
    settings, left_out = with_defaults(settings, n_train, dataset.codes.shape[1])
    jobs = [job_of(name, settings, settings.seed_list) for name in settings.models]
    _require_lengths(kinds, jobs)
    if origin is None:
        origin = Origin(str(data) if isinstance(data, Path | str) else "Python")
    notes = (
        *reading.notes,
        *sample_notes(reading.dataset),
        *reasons,
        *motif_notes(dataset, settings),
        *left_out,
        *changes_notes(settings),
        *few_notes(dataset),
    )
    origin = replace(origin, negatives=reading.negatives, notes=notes)
    goes_on = not overwrite and (Path(output) / "run.toml").is_file()
    run = create(output, dataset, settings, origin, overwrite=overwrite, last=last)
    for note in notes if distributed.process() == 0 else ():
        progress.note(note)
    trained = (run.path / FINISHED).is_file()
    try:
        if distributed.from_first(b"" if trained else None) is None:
            _train(run, kinds, jobs, settings, progress)
    except InputError:
        if not goes_on and distributed.process() == 0:
            run.remove()
        raise
    if distributed.process() == 0:
        shutil.rmtree(run.path / CHECKPOINT, ignore_errors=True)
    return run


def _require_lengths(kinds: Mapping[str, SequenceDataset], jobs: Sequence[Job]) -> None:
    """Refuse sequences that are too short for a model, or of other lengths than it is cut to."""
    lengths = {kind: dataset.codes.shape[1] for kind, dataset in kinds.items()}
    for job in jobs:
        # Only the last layers of the tutorial's models depend on the length.
        least = built(job, length=1000).min_length
        for one in kinds.values():
            require_at_least(one, least, f"the first layer of {job.architecture}")
    fixed = [job.architecture for job in jobs if job.architecture in FIXED_LENGTH]
    if fixed and len(set(lengths.values())) > 1:
        raise InputError(
            f"{fixed[0]} reads sequences of one length, that of its longest training sequence",
            got=", ".join(f"{length} bp with {kind}" for kind, length in lengths.items()),
            remedy="leave the model out, or give negatives as long as the positives",
        )


def processes(device: str) -> AbstractContextManager[None]:
    """Connect the processes of ``torchrun``, on a device that is there."""
    require_device(device)
    return distributed.connected(device)


def audit_parts(
    dataset: SequenceDataset, seed: int = 0, strands: str | None = None
) -> dict[str, Any]:
    """Audit the parts of a data set, or all of it where it has none.

    Of a large mapped data set a sample is audited, which the last warning then says.

    Parameters
    ----------
    dataset
        With a split or without.
    seed
        Of the sample.
    strands
        Those that baselines read, ``forward`` or ``both``; None for both of windows on a genome,
        and what the training part says of other data.
    """
    looked_at = dataset.sample(seed)
    if strands is None and on_genome(looked_at):
        strands = "both"
    if looked_at.split is None:
        found = audit(looked_at, strands=strands)
    else:
        parts = {name: looked_at.part(name) for name in SPLITS}
        found = audit(**parts, strands=strands)
    found["warnings"] += sample_notes(dataset)
    return found


def _train(
    run: Run,
    kinds: Mapping[str, SequenceDataset],
    jobs: Sequence[Job],
    settings: Settings,
    progress: Progress,
) -> None:
    """Train on the first kind, which is the run's own data, and score; then cross all kinds."""
    dataset = next(iter(kinds.values()))
    distributed.in_first(
        lambda: run.write_json("audit.json", audit_parts(dataset, settings.seed, settings.strands))
    )
    n_seeds = len(settings.seed_list)
    n_curves = len(settings.sizes or ()) * min(settings.size_seeds, n_seeds)
    total = len(settings.models) * (n_seeds + n_curves)
    with progress.stage("training", total) as advance:
        found = comparison.compare(
            dataset,
            jobs,
            sizes=settings.sizes or (),
            size_seeds=settings.size_seeds,
            target=settings.target,
            threads=settings.threads,
            device=settings.device,
            advance=advance,
            checkpoint=run.path / CHECKPOINT,
        )
    if len(kinds) > 1:
        _cross(run, kinds, jobs, settings, found.trained, progress)
    if distributed.process() == 0:
        _score(run, dataset, settings, found, progress)


def _cross(
    run: Run,
    kinds: Mapping[str, SequenceDataset],
    jobs: Sequence[Job],
    settings: Settings,
    own: Mapping[str, list[Trained]],
    progress: Progress,
) -> None:
    """Train against the other kinds of negatives, and test against all: ``crossing.json``."""
    n_replicas = (len(kinds) - 1) * len(jobs) * len(settings.seed_list)
    with progress.stage("crossing", n_replicas) as advance, single_intra_op_thread():
        trained = train_against(
            kinds,
            jobs,
            own,
            threads=settings.threads,
            device=settings.device,
            advance=advance,
            checkpoint=run.path / CHECKPOINT,
        )
        if distributed.process() == 0:
            tests = {kind: dataset.part("test") for kind, dataset in kinds.items()}
            run.write_json("crossing.json", evaluate_crossing(trained, tests, seed=settings.seed))


def _score(
    run: Run,
    dataset: SequenceDataset,
    settings: Settings,
    found: comparison.Comparison,
    progress: Progress,
) -> None:
    """Score the trained models and write all that is known of them."""
    with progress.stage("scoring", 1) as advance, single_intra_op_thread():
        test = dataset.part("test")
        groups = found.test_groups
        ensembles = evaluate_ensembles(found.trained, test, seed=settings.seed, groups=groups)
        advance(1)
    for replicas in found.trained.values():
        for trained in replicas:
            run.write_model(trained, dataset.codes.shape[1])
    baselines = run.read_json("audit.json")["baselines"]
    negatives = run.configuration["run"]["negatives"]
    run.write_json(
        "metrics.json",
        {
            "models": ensembles,
            "baselines": baselines,
            "negatives": negatives,
            "test_groups": count_groups(test, groups),
        },
    )
    threads = settings.threads or n_cores()
    run.write_json("timings.json", {"threads": threads, **found.timings})
    # Written last: a run with it has all that training gives, and needs its checkpoint no more.
    run.write_json(FINISHED, {**found.results, "baselines": baselines})


def _reading(data: Data) -> Reading:
    if isinstance(data, Reading):
        return data
    if isinstance(data, Crossed):
        return data.first
    if isinstance(data, SequenceDataset):
        return Reading(data, "given")
    return read_files(data)


def require_device(name: str) -> None:
    """Raise :class:`InputError` if PyTorch cannot compute on a device."""
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            "--device is one that PyTorch has here: cpu, cuda or cuda:0",
            got=f"{name} ({str(error).splitlines()[0][:80]})",
            remedy="take cpu, or install PyTorch for that device",
        ) from None
