"""One network that learns what an ensemble says, beside that ensemble."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit
from tests.toy_models import planted, weights

import motiflens as ml
from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.evaluation.distillation import evaluate_distilled
from motiflens.metrics.scores import score
from motiflens.models import build_model
from motiflens.report import write_report
from motiflens.report.translate import Texts, translate
from motiflens.results.provenance import Origin
from motiflens.results.tracks import best_validated
from motiflens.runs import Run
from motiflens.settings import DISTILLED, Settings
from motiflens.stages import compare, explain
from motiflens.stages.agreement import agreement
from motiflens.stages.data import plan_run
from motiflens.stages.hyperparameters import job_of
from motiflens.training import Job, Recipe, Trained, checkpoint, predict_trained, train_all
from motiflens.training.batches import Batch
from motiflens.training.distillation import distil, mutated_copies
from motiflens.training.fit import Fit

SMALL = {"n_filters": 16, "kernel_size": 7}
QUICK = Recipe(epochs=4, batch_size=16)
JOB = Job(DISTILLED, (3,), replace(QUICK, metric="auroc"), hyperparameters=SMALL, watch_test=False)


@pytest.fixture(scope="module")
def data() -> SequenceDataset:
    cut = planted(120, shorter=True)
    split = cut.split.copy()
    split[np.flatnonzero(split == "train")[::9]] = "valid"
    return cut.with_split(split)


@pytest.fixture(scope="module")
def teachers(data: SequenceDataset) -> list[Trained]:
    jobs = [
        Job("cnn", (0, 1), QUICK, hyperparameters=SMALL),
        Job("attention", (4,), QUICK, hyperparameters=SMALL),
    ]
    return [one for group in train_all(data, jobs, threads=1) for one in group]


def test_copies_differ_in_known_bases_alone() -> None:
    codes = np.random.default_rng(0).integers(0, 4, (500, 83)).astype(np.uint8)
    codes[:, 11] = 4
    lengths = np.full(500, 80, np.int32)
    codes[:, 80:] = 4
    data = SequenceDataset(codes, lengths, np.ones(500, np.float32), np.full(500, "a"))
    copies = mutated_copies(data, np.random.default_rng(1))
    assert copies.codes.shape == (1500, 83)
    assert (copies.codes[:, [11, 80, 81, 82]] == 4).all()
    changed = (copies.codes != np.tile(codes, (3, 1)))[:, :80].mean(axis=1)
    assert changed.min() < 0.02
    assert 0.27 < changed.max() < 0.55
    assert changed.mean() == pytest.approx(0.15 * 79 / 80, abs=0.005)
    # Each of the three other bases comes as often.
    steps = (copies.codes[:, :11].astype(int) - np.tile(codes[:, :11], (3, 1))) % 4
    counts = np.bincount(steps.ravel(), minlength=4)[1:]
    assert counts.max() < 1.1 * counts.min()


def test_it_learns_what_the_teachers_say_and_no_labels(
    data: SequenceDataset, teachers: list[Trained], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    start = Fit.__init__

    def kept(fit: Fit, *given: object) -> None:
        start(fit, *given)
        seen.append((fit.labels(fit.rows.train)[0].numpy(), fit.rows.train.shape[1]))

    monkeypatch.setattr(Fit, "__init__", kept)
    student = distil(data, teachers, JOB)
    labels, n_rows = seen[0]
    train = data.part("train")
    said = expit(np.mean([predict_trained(one, train) for one in teachers], axis=0))
    assert n_rows == 4 * student.n_train == 4 * 80
    np.testing.assert_allclose(labels[:80], said, atol=1e-6)
    assert np.ptp(labels[80:]) > 0.001
    # Other labels of what it learns from change nothing.
    flipped = np.where(data.split == "train", 1 - data.labels, data.labels)
    other = distil(replace(data, labels=flipped.astype(np.float32)), teachers, JOB)
    assert weights(other.model).equal(weights(student.model))
    assert not weights(distil(data, teachers[:1], JOB).model).equal(weights(student.model))


class Stopped(Exception):
    """Stands for the end of the process."""


def test_it_resumes_to_the_same_bits(
    data: SequenceDataset,
    teachers: list[Trained],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    whole = distil(data, teachers, JOB)
    told: list[int] = []

    def stop(epochs: int) -> None:
        told.append(epochs)
        if sum(told) == 2:
            raise Stopped

    with pytest.raises(Stopped):
        distil(data, teachers, JOB, advance=stop, checkpoint=tmp_path)
    again: list[int] = []
    resumed = distil(data, teachers, JOB, advance=again.append, checkpoint=tmp_path)
    assert again[0] >= 1
    assert weights(resumed.model).equal(weights(whole.model))
    with pytest.raises(InputError, match="other teachers"):
        distil(data, teachers[1:], JOB, checkpoint=tmp_path)


def test_the_ensemble_is_all_seeds_of_all_models(
    data: SequenceDataset, teachers: list[Trained]
) -> None:
    student = distil(data, teachers, JOB)
    test = data.part("test")
    trained = {"cnn": teachers[:2], "attention": teachers[2:], DISTILLED: [student]}
    found = evaluate_distilled(trained, test, seed=0)
    mean = np.mean([predict_trained(one, test) for one in teachers], axis=0)
    wanted = score(test.labels, mean - found.ensemble.threshold)
    assert found.ensemble.test.auroc.value == pytest.approx(wanted["auroc"])
    assert found.ensemble.test.mcc.value == pytest.approx(wanted["mcc"])
    assert found.teachers == {"cnn": (0, 1), "attention": (4,)}
    assert (found.n_train, found.n_made) == (80, 240)
    own = score(test.labels, predict_trained(student, test))["auroc"]
    assert found.difference.auroc.mean == pytest.approx(own - wanted["auroc"])


def test_agreement_is_of_a_sequences_own_bases() -> None:
    some = ml.SequenceDataset.from_sequences(["ACGT", "ACGTA", "ACG"], [1, 1, 1])
    mean = np.array([[1.0, 2, 3, 4, 9], [1, 2, 3, 4, 5], [1, 1, 1, 8, 8]])
    own = np.array([[2.0, 4, 6, 8, -99], [5, 4, 3, 2, 1], [3, 2, 1, 0, 0]])
    found = agreement(own, mean, some)
    assert (found.low, found.median, found.high) == pytest.approx((-0.5, 0.0, 0.5))
    assert (found.n, found.example) == (3, some.names[2])


@pytest.mark.parametrize("recipe", ["default", "accurate"])
def test_it_is_small(recipe: str) -> None:
    settings = Settings(models=("cnn", DISTILLED), recipe=recipe, strands="both")
    job = job_of(DISTILLED, settings)
    assert job.settings.rc_average
    model = build_model(DISTILLED, length=200, seed=0, **job.hyperparameters)
    assert sum(weights.numel() for weights in model.parameters()) < 100_000


def test_numbers_are_not_distilled(data: SequenceDataset) -> None:
    numbers = replace(data, labels=np.arange(len(data), dtype=np.float32) / 7, task="regression")
    with pytest.raises(InputError, match="distill=True learns of two classes"):
        plan_run(numbers, SETTINGS, Origin(data="numbers"))


def test_it_needs_others_to_learn_from() -> None:
    with pytest.raises(InputError, match="no other model to learn from"):
        Settings(models=(DISTILLED,))
    with pytest.raises(InputError, match="distill=True needs one test split"):
        Settings(models=("cnn", DISTILLED), folds=3)


OWN = {**SMALL, "recipe": {"epochs": 2}}
SETTINGS = Settings(
    models=("cnn", "attention", DISTILLED),
    seeds=2,
    n_explained=6,
    threads=1,
    hyperparameters=dict.fromkeys(("cnn", "attention", DISTILLED), OWN),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    path = tmp_path_factory.mktemp("distilled") / "run"
    return explain.explain(compare.compare(planted(160), path, SETTINGS))


@pytest.mark.slow
def test_a_run_stopped_in_its_training_resumes_to_the_same_files(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Fit.step

    def stopping(fit: Fit, batch: Batch) -> None:
        if fit.rows.n_epoch > 160:  # with the copies: the student
            raise Stopped
        step(fit, batch)

    with monkeypatch.context() as patched:
        patched.setattr(Fit, "step", stopping)
        with pytest.raises(Stopped):
            compare.compare(planted(160), tmp_path / "run", SETTINGS)
    trained: list[str] = []

    def counted(fit: Fit, batch: Batch) -> None:
        trained.append(type(fit.joined).__name__)
        step(fit, batch)

    monkeypatch.setattr(Fit, "step", counted)
    resumed = compare.compare(planted(160), tmp_path / "run", SETTINGS)
    assert set(trained) == {"CNN"}  # no attention: the teachers had ended
    for name in ("weights", "distillation", "metrics"):
        paths = run.results.paths_of(name)
        assert paths
        for path in paths:
            other = resumed.path / path.relative_to(run.path)
            assert other.read_bytes() == path.read_bytes()


def test_a_run_has_it_as_a_model_that_is_used_where_it_is_named(run: Run) -> None:
    assert run.results.models == {"cnn": (0, 1), "attention": (0, 1), DISTILLED: (0,)}
    assert set(run.results.metrics.models) == set(run.results.models)
    assert best_validated(run.results) != DISTILLED
    sequences = run.dataset.sequences()[:5]
    table = ml.predict(run, sequences, architecture=DISTILLED)
    logits = run.models[DISTILLED].predict(sequences)
    assert table["logit"].to_numpy() == pytest.approx(logits, abs=1e-5)


def test_its_explanations_lie_beside_the_mean_of_all_others(run: Run) -> None:
    agreed = run.results.checks[DISTILLED].agreement
    assert set(agreed) == {"deeplift_shap", "ism"}
    path = run.results.path_of("ensemble_attributions", model=DISTILLED, method="ism")
    kept = ml.Attributions.load(path)
    teachers = [run.model(name, seed) for name in ("cnn", "attention") for seed in (0, 1)]
    each = [ml.attribute(one, kept.one_hot, "ism").contributions for one in teachers]
    np.testing.assert_allclose(kept.contributions, np.mean(each, axis=0), atol=1e-5)
    own = ml.Attributions.load(run.results.path_of("attributions", model=DISTILLED, method="ism"))
    pairs = zip(own.track, kept.track, strict=True)
    wanted = np.median([np.corrcoef(a, b)[0, 1] for a, b in pairs])
    assert agreed["ism"].median == pytest.approx(wanted)


def test_the_page_sets_both_side_by_side_in_both_languages(run: Run) -> None:
    page = write_report(run.path).read_text(encoding="utf-8")
    for text in Texts(page).found:
        assert translate(text) != text or "learnt what" not in text
    assert "The distilled network" in page
    found = run.results.distillation
    assert f"what 4 networks of {found.teacher_parameters:,} say together" in page
    agreed = run.results.checks[DISTILLED].agreement
    assert f"Mutagenesis of {agreed['ism'].example}: all models and seeds" in page
