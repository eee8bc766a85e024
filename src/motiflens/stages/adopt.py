"""A run around a module of others, in place of training: what later stages need, and no more."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.evaluation.ensembles import count_groups, evaluate_ensembles
from motiflens.evaluation.models import compare_trained
from motiflens.models.calling import takes_length
from motiflens.models.foreign import Foreign
from motiflens.progress import Progress, listener
from motiflens.results.provenance import Origin
from motiflens.results.scores import Metrics
from motiflens.results.timings import StageUse, Timings
from motiflens.runs import Output, Run, begin
from motiflens.settings import Settings
from motiflens.stages.compare import score_numbers
from motiflens.stages.data import (
    audit_splits,
    check_regression,
    note_on_motif,
    prepare,
    sample_notes,
)
from motiflens.stages.defaults import note_on_few
from motiflens.stages.timing import measured
from motiflens.training import (
    Job,
    Recipe,
    Trained,
    TrainedModel,
    load_model,
    n_cores,
    predict_logits,
    single_intra_op_thread,
)
from motiflens.training.job import Validation

#: Fraction of the sequences that is the test split, where the data come without one: nothing is
#: trained, so that as many are explained and tested as motifs are discovered in.
TEST_FRACTION = 0.5


def adopt(
    module: Foreign,
    dataset: SequenceDataset,
    output: Output,
    settings: Settings,
    *,
    origin: Origin,
    progress: Progress | None = None,
) -> Run:
    """Begin a run around a module of others, audit the data and score it on the test split.

    The run holds the weights, and names the Python file that builds the module: it is run whenever
    the run is opened. All later stages, and all uses of a run, take it as any other.

    Parameters
    ----------
    module
        Called by the name of its file.
    dataset
        Labelled sequences. A split of its own is kept; else half of them are the test split.
    output
        Where to; an unfinished run of the same module and data is resumed.
    settings
        Those of the motif and the strands count.
    origin
        What ``run.toml`` says of the data and the command.
    progress
        Told how far the work has come.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If the data, the settings or the output break a rule, the module does not take the
        sequences, or the run is one of another module; nothing is written then.
    """
    progress, resumes = listener(progress), output.resumes
    name, notes = module.name, [*origin.notes, *sample_notes(dataset)]
    settings = replace(settings, models=(name,), seeds=1, sizes=(), test_fraction=TEST_FRACTION)
    dataset, settings = prepare(dataset, settings, notes.append)
    _require_length(module, dataset)
    note_on_motif(dataset, settings, notes.append)
    note_on_few(dataset, notes.append)
    if dataset.is_regression:
        check_regression(dataset, settings, notes.append)
    notes += _notes(module, dataset, _calibrating(dataset, settings))
    origin = msgspec.structs.replace(origin, notes=tuple(notes), module=module.spec)
    length = max(module.length if module.only_length else 0, dataset.codes.shape[1])
    details = {"architecture": name, "seed": settings.seed, "length": length}
    model = TrainedModel(module.module, {**details, "module": module.source})
    if resumes:
        _require_same(Run(output.path), model)
    run = begin(output, dataset, settings, origin)
    for note in notes:
        progress.note(note)
    if run.results.is_trained:
        return run
    try:
        run.write_model(model)
        _score(run, model, dataset, progress)
    except Exception:
        if not resumes:
            run.results.remove()
        raise
    return run


def _require_length(module: Foreign, dataset: SequenceDataset) -> None:
    """Refuse sequences of lengths that the module does not take."""
    longest, shortest = int(dataset.codes.shape[1]), int(dataset.lengths.min())
    other = module.only_length and longest != module.length
    if other or not takes_length(module.module, longest):
        taken = f"{module.length}" if module.only_length else f"at least {module.min_length}"
        raise InputError(
            f"{module.name} takes sequences of {taken} bases, and the longest are of {longest}",
            remedy="cut them to its length, such as by width=N for a BED file",
            argument="width",
        )
    if shortest < module.min_length and not module.only_length:
        raise InputError(
            f"a sequence has {shortest} bases, and {module.name} takes {module.min_length} or more",
            remedy="leave it out",
        )


def _notes(module: Foreign, dataset: SequenceDataset, calibrating: NDArray[np.intp]) -> list[str]:
    """Say what a reader has to know of a module that was not trained here."""
    name, longest = module.name, dataset.codes.shape[1]
    notes = [
        f"{name} was not trained by motiflens: its scores are those of held-out sequences only if "
        "its training has seen none of the test split",
    ]
    if (dataset.lengths < longest).any():
        notes.append(
            f"shorter sequences are padded with zero columns to {longest} bases, which {name} may "
            "not know"
        )
    if (
        len(calibrating)
        and not dataset.is_regression
        and not (np.asarray(dataset.split) == "valid").any()
    ):
        notes.append(f"probabilities are calibrated on the {len(calibrating):,} others")
    return notes


def _calibrating(dataset: SequenceDataset, settings: Settings) -> NDArray[np.intp]:
    """Return the rows that probabilities are calibrated on.

    Those of the validation split, or, where the data came without splits, all that is not tested; a
    training split that came with the data may be what the module was trained on.
    """
    split = np.asarray(dataset.split)
    rows = np.flatnonzero(split == "valid")
    if not len(rows) and settings.split != "given":
        rows = np.flatnonzero(split != "test")
    return rows


def _require_same(run: Run, model: TrainedModel) -> None:
    """Refuse to resume a run of another module; one without a model is begun anew."""
    names = {"model": model.architecture, "seed": model.seed}
    folder = run.results.path_of("weights", **names).parent
    if not run.results.path_of("weights", **names).is_file():
        return
    before = load_model(folder)
    own, others = model.state_dict(), before.state_dict()
    if before.details == model.details and all(own[key].equal(others[key]) for key in own):
        return
    raise InputError(
        f"the run in {run.path} was begun with another module, or other weights",
        remedy="use another directory, or overwrite=True",
        argument="overwrite",
    )


def _score(run: Run, model: TrainedModel, dataset: SequenceDataset, progress: Progress) -> None:
    """Audit the data, score the module beside the baselines and write all that is known."""
    settings, results = run.settings, run.results
    used: dict[str, StageUse] = {}
    with progress.stage("auditing", 1) as advance, measured(used, "audit"):
        results.write(audit_splits(dataset, settings.seed, settings.strands))
        advance(1)
    with (
        progress.stage("scoring", 1) as advance,
        measured(used, "score"),
        single_intra_op_thread(),
    ):
        trained = {model.architecture: [_as_trained(model, dataset, settings)]}
        if dataset.is_regression:
            numbers = score_numbers(dataset, settings, trained)
            advance(1)
            _write_timings(run, used)
            results.write(numbers)
            return
        compared = compare_trained(dataset, trained)
        test, groups = dataset.part("test"), compared.test_groups
        ensembles = evaluate_ensembles(trained, test, seed=settings.seed, groups=groups)
        advance(1)
    baselines = results.audit.baselines
    results.write(
        Metrics(
            models=ensembles,
            baselines=baselines,
            negatives=run.results.provenance.run.negatives,
            test_groups=count_groups(test, groups),
        )
    )
    _write_timings(run, used)
    # Written last, as by training.
    results.write(msgspec.structs.replace(compared.comparison, baselines=baselines))


def _write_timings(run: Run, used: dict[str, StageUse]) -> None:
    seconds = {stage: use.seconds for stage, use in used.items()}
    threads = run.settings.threads or n_cores()
    run.results.write(Timings(threads=threads, training={}, stages=seconds, used=used))


def _as_trained(model: TrainedModel, dataset: SequenceDataset, settings: Settings) -> Trained:
    """Return the module as training returns a model, with the logits that calibrate it."""
    rows, valid = _calibrating(dataset, settings), None
    if len(rows) and not dataset.is_regression:
        others = dataset.subset(rows)
        valid = Validation(np.asarray(others.labels, float), predict_logits(model, others))
    job = Job(model.architecture, (model.seed,), Recipe())
    return Trained(job, model.seed, model, (), 0, 0, len(rows), valid=valid)
