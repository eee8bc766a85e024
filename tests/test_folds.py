"""Cross-validation: every row held out once, nothing related in two folds, scores as by hand."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import matthews_corrcoef, roc_auc_score
from tests.command import motiflens
from tests.test_on_workers import in_process

import motiflens as ml
from motiflens.datasets import Loci, divide_by_groups, homology_groups
from motiflens.errors import InputError
from motiflens.evaluation.folds import fold_jobs
from motiflens.metrics import assess_threshold, choose_threshold, fit_platt
from motiflens.report.translate import Texts, translate
from motiflens.results import Results
from motiflens.scoring.models import open_models
from motiflens.stages.compare import compare
from motiflens.stages.data import plan_run
from motiflens.stages.folds import cut_folds, score_baselines
from motiflens.training import Job, Recipe, load_model, train_all
from motiflens.training.data import take_splits

LENGTH, SEEDS, FOLDS = 40, 2, 3
BRIEF = {"n_filters": 8, "kernel_size": 9, "recipe": {"epochs": 6, "learning_rate": 0.03}}
SETTINGS = ml.Settings(
    models=("cnn",),
    seeds=SEEDS,
    folds=FOLDS,
    strands="forward",
    threads=1,
    hyperparameters={"cnn": BRIEF},
)
HYPERPARAMETERS = """
[cnn]
n_filters = 8
kernel_size = 9
[cnn.recipe]
epochs = 6
learning_rate = 0.03
"""


def planted(n: int, seed: int = 0) -> ml.SequenceDataset:
    letters = np.random.default_rng(seed).choice(list("ACGT"), (n, LENGTH))
    texts = ["".join(row) for row in letters]
    texts = [f"{t[:9]}TGACTCA{t[16:]}" if i % 3 == 0 else t for i, t in enumerate(texts)]
    return ml.SequenceDataset.from_sequences(texts, [i % 3 == 0 for i in range(n)])


def table_of(data: ml.SequenceDataset, split: list[str] | None = None) -> str:
    columns = {"name": data.names, "sequence": data.sequences(), "label": data.labels.astype(int)}
    return pd.DataFrame(columns | ({} if split is None else {"split": split})).to_csv(index=False)


def command(folder: Path, *options: str) -> None:
    (folder / "small.toml").write_text(HYPERPARAMETERS)
    words = ["data.csv", "-o", "run", "--seeds", str(SEEDS), "--folds", str(FOLDS)]
    words += ["--hyperparameters", "small.toml", "--threads", "1", "--strands", "forward"]
    told = motiflens("train", *words, "--model", "cnn", *options, cwd=folder)
    assert told.returncode == 0, told.stderr
    assert f"{FOLDS} folds of" in told.stderr
    assert f"mean of {FOLDS} folds MCC" in told.stdout


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the command, all of whose sequences are in folds."""
    folder = tmp_path_factory.mktemp("folds")
    (folder / "data.csv").write_text(table_of(planted(150)))
    command(folder)
    return folder / "run"


def by_hand(run: Path, data: ml.SequenceDataset, folds: np.ndarray) -> np.ndarray:
    """Return the mean logits of the models in the folder that say they were held out of a fold."""
    logits = np.full((SEEDS, len(data)), np.nan)
    for folder in sorted((run / "models").iterdir()):
        fold = tomllib.loads((folder / "model.toml").read_text())["fold"]
        rows = np.flatnonzero(folds == fold)
        place = int(np.isfinite(logits[:, rows[0]]).sum())
        logits[place, rows] = load_model(folder).predict(data.subset(rows))
    return np.asarray(logits.mean(axis=0))


def test_out_of_fold_scores_are_those_of_the_models_that_have_not_seen_a_row(whole: Path) -> None:
    data = planted(150)
    table = pd.read_csv(whole / "out_of_fold.tsv", sep="\t")
    assert table["name"].tolist() == data.names.tolist()
    assert sorted(table["fold"].unique()) == [1, 2, 3]
    folds = table["fold"].to_numpy()
    logits = by_hand(whole, data, folds)
    assert table["cnn"].to_numpy() == pytest.approx(logits, abs=2e-6)
    scores = Results(whole).metrics.models["cnn"]
    crossed = scores.cross_validation
    assert crossed
    assert crossed.is_test
    assert crossed.pooled == scores.test
    assert scores.test.auroc.value == pytest.approx(roc_auc_score(data.labels, logits))
    assert scores.threshold == pytest.approx(choose_threshold(data.labels, logits), abs=1e-4)
    assert scores.calibration
    assert scores.calibration.slope == pytest.approx(fit_platt(data.labels, logits)[0], abs=1e-4)
    assert scores.calibration.n_positives == 50
    calls = np.zeros(150, dtype=bool)
    for fold in (1, 2, 3):
        others = folds != fold
        calls[~others] = logits[~others] > choose_threshold(data.labels[others], logits[others])
        own = crossed.folds[fold - 1]
        assert (own.fold, own.n_positives) == (fold, int(data.labels[~others].sum()))
        expected = roc_auc_score(data.labels[~others], logits[~others])
        assert own.test.auroc.value == pytest.approx(expected)
    assert scores.test.mcc.value == pytest.approx(matthews_corrcoef(data.labels > 0, calls))
    assert crossed.mean.auroc.mean == pytest.approx(
        np.mean([fold.test.auroc.value for fold in crossed.folds])
    )


def test_every_model_of_every_fold_is_in_the_ensemble(whole: Path) -> None:
    results = Results(whole)
    assert results.models == {"cnn": tuple(range(SEEDS * FOLDS))}
    assert open_models(whole).n_seeds == SEEDS * FOLDS
    texts = planted(5, seed=9).sequences()
    members = [
        load_model(whole / "models" / f"cnn-seed{seed}").predict(texts)
        for seed in range(SEEDS * FOLDS)
    ]
    assert ml.predict(whole, texts)["logit"].to_numpy() == pytest.approx(np.mean(members, axis=0))
    rows = results.comparison.models["cnn"].seeds
    assert [(row.seed, row.fold) for row in rows] == [(i, 1 + i // SEEDS) for i in range(6)]


def test_what_is_explained_was_not_seen_by_its_models(whole: Path) -> None:
    run = ml.load_run(whole)
    folds = pd.read_csv(whole / "out_of_fold.tsv", sep="\t")["fold"].to_numpy()
    assert (np.asarray(run.dataset.split == "test") == (folds == 1)).all()
    for seed in run.results.explained["cnn"]:
        assert load_model(whole / "models" / f"cnn-seed{seed}").details["fold"] == 1
    assert len(run.results.explained["cnn"]) == SEEDS


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_and_what_was_killed_is_resumed(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    settings = replace(SETTINGS, hyperparameters=Results(whole).settings.hyperparameters)
    with monkeypatch.context() as patch:
        patch.setattr("motiflens.stages.compare.evaluate_ensembles", killed)
        with pytest.raises(KeyboardInterrupt):
            compare(planted(150), tmp_path / "run", settings)
    again = compare(planted(150), tmp_path / "run", settings)
    names = ["metrics.json", "comparison.json", "out_of_fold.tsv", "audit.json"]
    names += [f"models/cnn-seed{seed}/weights.safetensors" for seed in range(SEEDS * FOLDS)]
    for name in names:
        assert (again.path / name).read_bytes() == (whole / name).read_bytes(), name


def test_a_test_split_of_the_data_is_in_no_fold(tmp_path: Path) -> None:
    data = planted(180)
    split = ["test" if i < 60 else "valid" if i < 75 else "train" for i in range(180)]
    (tmp_path / "data.csv").write_text(table_of(data, split))
    command(tmp_path)
    run = tmp_path / "run"
    table = pd.read_csv(run / "out_of_fold.tsv", sep="\t")
    assert table["name"].tolist() == data.names[60:].tolist()
    others = data.subset(np.arange(60, 180))
    logits = by_hand(run, others, table["fold"].to_numpy())
    scores = Results(run).metrics.models["cnn"]
    assert scores.cross_validation
    assert not scores.cross_validation.is_test
    pooled = scores.cross_validation.pooled.auroc.value
    assert pooled == pytest.approx(roc_auc_score(others.labels, logits))
    test = data.subset(np.arange(60))
    found = ml.predict(run, test.sequences())["logit"]
    assert scores.test.auroc.value == pytest.approx(roc_auc_score(test.labels, found))
    # All rows outside the test split choose the threshold, not one validation part.
    assert scores.threshold == pytest.approx(choose_threshold(others.labels, logits), abs=1e-4)
    assert scores.choice
    assert scores.choice.n_positives + scores.choice.n_negatives == 120


def test_groups_stay_whole_and_classes_even() -> None:
    data = planted(211)
    generator = np.random.default_rng(3)
    groups = generator.integers(0, 60, len(data))
    folds = divide_by_groups(data, groups, folds=4, seed=5)
    assert set(folds) == {1, 2, 3, 4}
    assert all(len(set(folds[groups == group])) == 1 for group in np.unique(groups))
    alone = divide_by_groups(data, np.arange(len(data)), folds=4, seed=5)
    for label in (0, 1):
        counts = np.bincount(alone[data.labels == label])[1:]
        assert np.ptp(counts) <= 1
    assert (alone == divide_by_groups(data, np.arange(len(data)), folds=4, seed=5)).all()
    assert (alone != divide_by_groups(data, np.arange(len(data)), folds=4, seed=6)).any()


def windows(n: int) -> ml.SequenceDataset:
    """Return pairs of overlapping windows on seven chromosomes."""
    letters = np.random.default_rng(4).choice(list("ACGT"), (n // 2, LENGTH + 5))
    pairs = ["".join(row) for row in letters]
    texts = [text for pair in pairs for text in (pair[:LENGTH], pair[5:])]
    start = np.repeat(np.arange(n // 2) * 1000, 2) + np.tile([0, 5], n // 2)
    chrom = np.repeat([f"chr{1 + i % 7}" for i in range(n // 2)], 2)
    places = Loci(chrom, start, start + LENGTH, np.full(n, "+"))
    labels = np.repeat(np.arange(n // 2) // 7 % 2, 2)
    return ml.SequenceDataset.from_sequences(texts, labels, coordinates=places)


@pytest.mark.parametrize("rule", ["auto", "chromosome"])
def test_nothing_related_is_in_two_folds(rule: str) -> None:
    data = windows(140)
    made, cut_by = cut_folds(data, replace(SETTINGS, split=rule))
    folds, related = made.folds, homology_groups(data)
    assert folds is not None
    assert data.coordinates is not None
    units = data.coordinates.chrom if rule == "chromosome" else related
    assert cut_by == ("chromosome" if rule == "chromosome" else "homology")
    assert all(len(set(folds[units == unit])) == 1 for unit in np.unique(units))
    seen = []
    for fold in (1, 2, 3):
        rows = take_splits(made, validation_fraction=0.2, n_train=None, seed=0, fold=fold)
        assert (folds[rows.test] == fold).all()
        parts = [rows.train, rows.valid, rows.test]
        assert sorted(np.concatenate(parts)) == list(range(140))
        # Validation too keeps related sequences together.
        assert not set(related[rows.train]) & set(related[rows.valid])
        seen += rows.test.tolist()
    assert sorted(seen) == list(range(140))


def test_chromosomes_may_be_held_out_beside_the_folds() -> None:
    settings = replace(SETTINGS, split="chromosome", test_chromosomes=("chr3",))
    made, _ = cut_folds(windows(140), settings)
    assert made.folds is not None
    assert made.coordinates is not None
    is_test = made.coordinates.chrom == "chr3"
    assert (np.asarray(made.split == "test") == is_test).all()
    assert ((made.folds == 0) == is_test).all()


def test_workers_train_folds_to_the_same_bits(tmp_path: Path) -> None:
    made, _ = cut_folds(planted(60), SETTINGS)
    jobs = fold_jobs([Job("cnn", (4, 5), Recipe(epochs=1), hyperparameters={"n_filters": 4})], 2)
    assert [(job.seeds, job.fold) for job in jobs] == [((4, 5), 1), ((6, 7), 2)]
    here = train_all(made, jobs, threads=1)
    away = train_all(made, jobs, threads=1, checkpoint=tmp_path / "checkpoint", engine=in_process)
    for pair in zip(here, away, strict=True):
        for first, second in zip(*pair, strict=True):
            weights = zip(first.model.parameters(), second.model.parameters(), strict=True)
            assert all((a == b).all() for a, b in weights)


def test_baselines_are_scored_out_of_fold_too() -> None:
    made, _ = cut_folds(planted(150), SETTINGS)
    found = score_baselines(made, "forward")
    assert set(found) == {"composition", "kmer", "best-motif"}
    # Labels that follow from nothing are not predicted: no row trains its own score.
    mixed = np.random.default_rng(0).permutation(made.labels)
    chance = score_baselines(replace(made, labels=mixed), "forward")["kmer"]
    assert found["best-motif"].auroc > 0.8 > 0.65 > chance.auroc


def test_a_threshold_is_less_sure_where_sequences_are_related() -> None:
    generator = np.random.default_rng(1)
    labels = np.repeat(np.arange(60) % 2, 5)
    logits = np.repeat(generator.normal(size=60) + (np.arange(60) % 2), 5)
    copies = np.repeat(np.arange(60), 5)
    alone = assess_threshold(labels, logits, np.random.default_rng(0))
    grouped = assess_threshold(labels, logits, np.random.default_rng(0), copies)
    assert alone.low is not None
    assert alone.high is not None
    assert grouped.mcc == alone.mcc
    assert grouped.mcc_high - grouped.mcc_low > 1.5 * (alone.mcc_high - alone.mcc_low)
    widths = [
        (np.inf if one.high is None else one.high) - (-np.inf if one.low is None else one.low)
        for one in (grouped, alone)
    ]
    assert widths[0] > 1.5 * widths[1]


def test_what_needs_one_test_split_is_refused() -> None:
    for change, said in (
        ({"folds": 1}, "folds=1 is less than 2"),
        ({"sizes": (50,)}, "sizes=50 needs one test split"),
        ({"target": 0.9}, "target=0.9 needs one test split"),
        ({"test_fraction": 0.4}, "test_fraction=0.4 needs one test split"),
        ({"folds": 600}, "more than 1000 models"),
    ):
        with pytest.raises(InputError, match=said):
            replace(SETTINGS, **change)
    with pytest.raises(InputError, match="do not fill 30 folds"):
        cut_folds(planted(60), replace(SETTINGS, folds=30))
    with pytest.raises(InputError, match="split='given' takes the test split from"):
        cut_folds(planted(60), replace(SETTINGS, split="given"))
    other = {"shuffle": planted(60)}
    with pytest.raises(InputError, match="beside several negative sets"):
        plan_run(planted(60), SETTINGS, ml.results.provenance.Origin(data=""), other)


@pytest.mark.slow
def test_a_whole_run_explains_the_first_fold_and_shows_all(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(table_of(planted(150)))
    (tmp_path / "small.toml").write_text(HYPERPARAMETERS.replace("epochs = 6", "epochs = 30"))
    words = ["data.csv", "-o", "run", "--seeds", "1", "--folds", "3", "--models", "cnn", "--json"]
    told = motiflens(
        "run", *words, "--hyperparameters", "small.toml", "--strands", "forward", cwd=tmp_path
    )
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)["models"]["cnn"]["cross_validation"]
    assert len(found["folds"]) == 3
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "mean of the folds" in page
    told_of = [text for text in Texts(page).found if re.search("(?<![-.])folds?\\b", text)]
    assert len(told_of) > 5
    assert [text for text in told_of if not re.search("[一-鿿]", translate(text))] == []
    explained = np.load(tmp_path / "run" / "attributions" / "cnn" / "ism.npz")["names"]
    table = pd.read_csv(tmp_path / "run" / "out_of_fold.tsv", sep="\t")
    assert set(table[table["name"].isin(explained)]["fold"]) == {1}
