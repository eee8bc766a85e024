"""Labels that are numbers: read, learnt in their unit, scored by correlations, shown."""

from __future__ import annotations

import gzip
import json
import re

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import r2_score
from tests.command import motiflens as call

import motiflens
from motiflens.auditing.predicted_numbers import predict_numbers
from motiflens.datasets import LabelScale, SequenceDataset, are_measurements, concatenate
from motiflens.errors import InputError
from motiflens.io.binding_arrays import read_signals
from motiflens.io.read import read
from motiflens.metrics import evaluate_numbers, measure_numbers
from motiflens.models import build_model
from motiflens.settings import ARCHITECTURES
from motiflens.stages.trust import lowest
from motiflens.training.replicas import to_unit

UP, DOWN = "TGACTCAT", "GGGCGG"
SMALL = {"n_filters": 32, "kernel_size": 9, "n_hidden": 16, "dropout": 0.1}


def planted(n: int, *, noise: float = 0.3, seed: int = 0) -> SequenceDataset:
    """Sequences of 31 bases whose label is 10 + 4 with one motif, - 3 with the other."""
    generator = np.random.default_rng(seed)
    sequences, labels = [], []
    for _ in range(n):
        bases = "".join(generator.choice(list("ACGT"), 31))
        up, down = generator.random(2) < 0.5
        start = int(generator.integers(0, 8))
        if up:
            bases = bases[:start] + UP + bases[start + len(UP) :]
        if down:
            bases = bases[: 16 + start] + DOWN + bases[16 + start + len(DOWN) :]
        sequences.append(bases)
        labels.append(10 + 4 * up - 3 * down + noise * generator.normal())
    return SequenceDataset.from_sequences(sequences, labels)


def write(dataset: SequenceDataset, path) -> None:
    rows = zip(dataset.sequences(), dataset.labels.tolist(), strict=True)
    path.write_text("sequence\tlabel\n" + "".join(f"{s}\t{y:.4f}\n" for s, y in rows))


# Scores.


def test_scores_are_those_of_scipy_and_scikit_learn_with_ties():
    generator = np.random.default_rng(3)
    y = np.round(generator.normal(size=301), 1)
    x = np.round(y + generator.normal(size=301), 1)
    assert measure_numbers(y, x) == pytest.approx(
        {"pearson": pearsonr(y, x)[0], "spearman": spearmanr(y, x)[0], "r2": r2_score(y, x)}
    )


def test_equal_predictions_have_no_correlation_and_the_mean_explains_nothing():
    y = np.array([1.0, 2.0, 6.0])
    assert measure_numbers(y, np.full(3, 3.0)) == {"pearson": 0, "spearman": 0, "r2": 0}
    with pytest.raises(InputError, match="all 3 labels are 2"):
        measure_numbers(np.full(3, 2.0), y)
    with pytest.raises(InputError, match="not finite"):
        measure_numbers(y, [1, np.nan, 2])
    with pytest.raises(InputError, match=r"labels \(3,\) and predictions \(2,\)"):
        measure_numbers(y, [1, 2])


def test_ranks_know_no_unit_and_their_interval_neither():
    generator = np.random.default_rng(4)
    y = generator.normal(size=150)
    x = y + generator.normal(size=150)
    predicted = {"a": x, "b": np.exp(x)}
    scores, differences = evaluate_numbers(y, predicted, generator=np.random.default_rng(0))
    assert scores["a"]["spearman"] == pytest.approx(scores["b"]["spearman"])
    assert differences["a", "b"]["spearman"] == pytest.approx({"value": 0, "low": 0, "high": 0})
    assert scores["a"]["pearson"]["value"] > scores["b"]["pearson"]["value"]
    for score in scores["a"].values():
        assert score["low"] < score["value"] < score["high"]


def test_a_group_counts_once_however_many_examples_it_has():
    generator = np.random.default_rng(5)
    y = generator.normal(size=90)
    x = y + generator.normal(size=90)
    (once, _), (twice, _), (alone, _) = (
        evaluate_numbers(
            np.tile(y, n), {"m": np.tile(x, n)}, generator=np.random.default_rng(0), groups=groups
        )
        for n, groups in ((1, None), (2, np.tile(np.arange(90), 2)), (2, None))
    )
    for metric in ("pearson", "spearman", "r2"):
        assert once["m"][metric] == pytest.approx(twice["m"][metric])
        widths = [one["m"][metric]["high"] - one["m"][metric]["low"] for one in (once, alone)]
        assert widths[1] < 0.9 * widths[0]


def test_intervals_hold_the_true_correlation_in_most_samples():
    generator, held = np.random.default_rng(6), 0
    for _ in range(60):
        y = generator.normal(size=120)
        x = 0.6 * y + 0.8 * generator.normal(size=120)
        score = evaluate_numbers(y, {"m": x}, generator=generator)[0]["m"]["pearson"]
        held += score["low"] <= 0.6 <= score["high"]
    assert 50 <= held <= 60


def test_kmers_predict_what_is_planted_on_either_strand():
    data = planted(400)
    train, test = data.subset(np.arange(300)), data.subset(np.arange(300, 400))
    predicted = predict_numbers(train, test, both_strands=False)
    assert list(predicted) == ["composition", "kmer"]
    assert measure_numbers(test.labels, predicted["kmer"])["pearson"] > 0.7
    codes = np.where(test.codes < 4, 3 - test.codes, 4)[:, ::-1].astype(np.uint8)
    other = SequenceDataset(codes, test.lengths, test.labels, test.names, task="regression")
    both = [predict_numbers(train, part, both_strands=True)["kmer"] for part in (test, other)]
    np.testing.assert_allclose(*both, rtol=1e-6)


# Labels.


@pytest.mark.parametrize(
    ("labels", "measured"),
    [
        ([0, 1], False),
        ([0.5, 1.5], False),
        ([0, 1, 2], False),
        ([0, 1, 0.5], True),
        (range(20), False),
        (range(21), True),
        ([0, 1, np.nan, 0.5], False),
    ],
)
def test_numbers_are_told_from_classes(labels, measured):
    assert are_measurements(np.array(list(labels), dtype=float)) is measured


def test_the_highest_tenth_of_each_split_are_positives():
    labels = np.r_[np.arange(40.0), 1000 + np.arange(20.0)] + 0.5
    split = ["train"] * 40 + ["test"] * 20
    data = SequenceDataset.from_sequences(["ACGT"] * 60, labels, split=split)
    assert data.is_regression
    assert repr(data) == "SequenceDataset(60 × 4 bp, regression, split)"
    classes = data.in_classes()
    assert not classes.is_regression
    assert np.flatnonzero(classes.labels).tolist() == [36, 37, 38, 39, 58, 59]
    assert np.flatnonzero(lowest(data).labels == 0).tolist() == [0, 1, 2, 3, 40, 41]
    assert data.subset([0, 1]).task == "regression"
    binary = SequenceDataset.from_sequences(["ACGT"], [1])
    assert binary.in_classes() is binary
    assert concatenate([data.with_split(None), binary]).task == "regression"


def test_where_most_labels_are_equal_the_others_are_positives():
    for labels, positive in (([0] * 19 + [0.5, 2], [19, 20]), ([5.5] * 19 + [1, 2], range(19))):
        data = SequenceDataset.from_sequences(["ACGT"] * 21, labels, task="regression")
        assert np.flatnonzero(data.in_classes().labels).tolist() == list(positive)


def test_labels_without_a_number_and_other_tasks_are_refused():
    with pytest.raises(InputError, match="the label inf is no number that can be predicted"):
        SequenceDataset.from_sequences(["A", "C"], [np.inf, 1], task="regression")
    with pytest.raises(InputError, match=r"the label 0\.5 is not 0 or 1"):
        SequenceDataset.from_sequences(["A", "C", "G"], [0.5, 0.2, 1], task="classification")
    with pytest.raises(InputError, match="a task"):
        SequenceDataset.from_sequences(["A"], [1], task="regresion")


# Files.


def test_a_table_of_numbers_is_found_and_written_and_read_again(tmp_path):
    data = planted(30)
    motiflens.io.tables.write_table(data, tmp_path / "a.parquet")
    again = read(tmp_path / "a.parquet")
    assert again.task == "regression"
    np.testing.assert_array_equal(again.labels, data.labels)
    assert again.data_sha256() == data.data_sha256()


@pytest.mark.parametrize(
    ("labels", "options", "told"),
    [
        ("0.5 1.25 NA 3", {}, "the label 'NA' is no number, in line 4"),
        ("0.5 1.25 2 3", {"task": "classification"}, "predict them, from a table, by task=reg"),
        ("0 1 2 2", {}, "predict them as numbers by task=regression"),
        ("0.5 1.25 2 3", {"task": "regression", "positive": "2"}, "leave one of them out"),
        ("0.5 1.25 2 3", {"task": "numbers"}, "task"),
    ],
)
def test_what_is_wrong_with_numbers_is_said(tmp_path, labels, options, told):
    path = tmp_path / "a.tsv"
    path.write_text("sequence\tlabel\n" + "".join(f"ACGT\t{x}\n" for x in labels.split()))
    with pytest.raises(InputError) as error:
        read(path, **options)
    assert told in str(error.value).replace(" in line", ", in line").replace(",,", ",")


def test_whole_numbers_and_two_values_are_predicted_on_demand(tmp_path):
    path, test = tmp_path / "a.tsv", tmp_path / "b.tsv"
    path.write_text("sequence\tlabel\nACGT\t0\nACGA\t1\nACGG\t2\n")
    test.write_text("sequence\tlabel\nTTTT\t0\nTTTA\t1\n")
    data = read(path, task="regression", test=test)
    assert data.task == "regression"
    assert data.labels.tolist() == [0, 1, 2, 0, 1]
    assert read(test).task == "classification"
    assert read(test, task="regression").task == "regression"


def test_labels_of_fasta_may_be_numbers(tmp_path):
    fasta, labels = tmp_path / "a.fa", tmp_path / "labels.txt"
    fasta.write_text(">a\nACGT\n>b\nACGA\n>c\nACGG\n")
    labels.write_text("1.5\n-2\n3e-1\n")
    assert read(fasta, labels=labels).labels.tolist() == pytest.approx([1.5, -2, 0.3])
    headers = tmp_path / "b.fa"
    headers.write_text(">1.5\nACGT\n>-2\nACGA\n")
    assert read(headers, task="regression").labels.tolist() == [1.5, -2]
    with pytest.raises(InputError, match="negatives=shuffle, which is for two classes"):
        read(fasta, task="regression", negatives="shuffle")


def test_prepare_counts_no_positives_among_numbers(tmp_path):
    write(planted(12), tmp_path / "a.tsv")
    made = call("prepare", "a.tsv", "-o", "b.parquet", "--json", cwd=tmp_path)
    found = json.loads(made.stdout)
    assert "positives" not in found
    assert found["lowest"] < 9 < found["highest"]
    made = call("prepare", "a.tsv", "-o", "c.motiflens", cwd=tmp_path)
    assert made.returncode == 2
    assert "the labels are measurements" in made.stderr
    assert not (tmp_path / "c.motiflens").exists()


def test_several_columns_of_labels_are_refused_with_what_to_do(tmp_path):
    table, fasta, labels = tmp_path / "a.tsv", tmp_path / "a.fa", tmp_path / "labels.txt"
    table.write_text("sequence\tlabel_dev\tlabel_hk\nACGT\t1.5\t2\n")
    with pytest.raises(InputError, match=r"2 columns of labels, label_dev, label_hk, in .*a\.tsv"):
        read(table)
    fasta.write_text(">a\nACGT\n>b\nACGA\n")
    labels.write_text("1.5\t2\t3\n0.5\t1\t1\n")
    with pytest.raises(InputError, match=r"3 columns of labels in .*labels\.txt; one is learnt"):
        read(fasta, labels=labels)
    with pytest.raises(InputError, match=r"labels \(2, 3\) have several columns; one is learnt"):
        SequenceDataset.from_sequences(["A", "C"], np.zeros((2, 3)))


def test_signals_of_a_microarray_are_read_as_logarithms(tmp_path):
    path = tmp_path / "array.txt.gz"
    rows = [("ACGT", 256, 1), ("ACGA", 1024, 1), ("ACGG", 2, 0)]
    path.write_bytes(gzip.compress("".join(f"{s}\t{x}\t{y}\n" for s, x, y in rows).encode()))
    data, note = read_signals(path, signal_column=2)
    assert data.labels.tolist() == [8, 10, 1]
    assert note == "labels are the base-2 logarithms of the signals of 3 probes"
    data, note = read_signals(path, signal_column=3)
    assert data.labels.tolist() == [1, 1, 0]
    assert data.task == "regression"
    assert note == "labels are the signals of 3 probes"
    assert read(path, signal_column=2, task="regression").labels.tolist() == [8, 10, 1]
    assert read(path, signal_column=2, positive_sd=1).labels.tolist() == [0, 1, 0]
    with pytest.raises(InputError, match="positive_sd=2, which is for two classes"):
        read(path, signal_column=2, positive_sd=2, task="regression")


# Models.


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_scale_of_labels_goes_into_the_last_layer(architecture):
    model = build_model(architecture, length=41, seed=2)
    one_hot = torch.as_tensor(planted(7).one_hot())
    one_hot = torch.nn.functional.pad(one_hot, (0, 10))
    with torch.no_grad():
        before = model.eval()(one_hot)
        to_unit(model, LabelScale(mean=-30.0, sd=12.0))
        torch.testing.assert_close(model(one_hot), 12 * before - 30, rtol=1e-5, atol=1e-5)


@pytest.fixture(scope="module")
def trained():
    data = motiflens.split(planted(500), "random", seed=1)
    how = {"hyperparameters": SMALL, "recipe": {"epochs": 8, "learning_rate": 5e-3}}
    return data, how, motiflens.train(data, "cnn", strands="forward", **how)[0]


def test_what_is_planted_is_predicted_in_its_unit(trained, tmp_path):
    data, _, model = trained
    probes = ["A" * 31, "AC" + UP + "A" * 21, "A" * 20 + DOWN + "ACATA"]
    none, up, down = model.predict(probes)
    assert up - none == pytest.approx(4, abs=1.5)
    assert down - none == pytest.approx(-3, abs=1.5)
    test = data.part("test")
    scores = measure_numbers(test.labels, model.predict(test))
    assert scores["r2"] > 0.75
    assert model.label_scale == LabelScale.of(data.part("train").labels)
    assert model.history[0].valid_auroc is None
    losses = [epoch.valid_loss for epoch in model.history]
    assert losses[model.best_epoch - 1] < 0.3
    model.save(tmp_path / "m")
    again = motiflens.load_model(tmp_path / "m")
    np.testing.assert_array_equal(again.predict(probes), model.predict(probes))
    before = motiflens.load_model(tmp_path / "m", trained=False)
    assert before.predict(probes).mean() == pytest.approx(10, abs=4)


def test_another_unit_of_the_labels_gives_the_same_model_in_that_unit(trained):
    data, how, model = trained
    other = SequenceDataset(
        data.codes, data.lengths, 64 * data.labels - 512, data.names, data.split, task="regression"
    )
    (again,) = motiflens.train(other, "cnn", strands="forward", **how)
    np.testing.assert_allclose(
        again.predict(data), 64 * model.predict(data) - 512, rtol=1e-3, atol=1
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: 1e9 + v, "that differ by 0.* are rounded to 64; subtract the smallest label"),
        (lambda v: 1e200 * v, r"e\+20[0-9] is beyond 1e\+30; divide all labels by the largest"),
    ],
)
def test_labels_that_single_precision_would_change_are_refused(change, words):
    values = change(np.random.default_rng(0).normal(3, 1, 50))
    with pytest.raises(InputError, match=words):
        SequenceDataset.from_sequences(["ACGT"] * 50, values, task="regression")


def test_labels_that_differ_by_rounding_alone_are_taken():
    # Ten numbers that arithmetic reached in two ways: 20 in double precision, 10 in single.
    values = [0.1 * n for n in range(1, 11)] * 2 + [0.1 * n * (1 + 2e-16) for n in range(1, 11)]
    data = SequenceDataset.from_sequences(["ACGT"] * 30, values, task="regression")
    assert len(np.unique(data.labels)) == 10


def test_what_is_for_classes_is_refused_in_training():
    data = planted(60)
    for recipe in ({"metric": "auroc"}, {"class_weights": "balanced"}):
        with pytest.raises(InputError, match="which is for two classes"):
            motiflens.train(data, "cnn", recipe=recipe)
    with pytest.raises(InputError, match=r"kmer_size of \[cnn\] is 5, which is for two classes"):
        motiflens.train(data, "cnn", hyperparameters={"kmer_size": 5})


# Runs.


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("regression")
    write(planted(500), folder / "data.tsv")
    table = "[cnn]\nn_filters = 32\nkernel_size = 9\nn_hidden = 16\ndropout = 0.1\n"
    (folder / "small.toml").write_text(
        f"{table}[cnn.recipe]\nepochs = 8\nlearning_rate = 5e-3\n[attention]\nn_filters = 16\n"
        "n_heads = 2\n[attention.recipe]\nepochs = 2\n"
    )
    options = ["--seeds", "2", "--hyperparameters", "small.toml", "--strands", "forward"]
    made = call("run", "data.tsv", "-o", "out", *options, "--threads", "1", cwd=folder)
    assert made.returncode == 0, made.stderr
    return folder, made


@pytest.mark.slow
def test_a_run_of_numbers_says_and_holds_what_has_a_meaning(run):
    folder, made = run
    assert "labels are numbers, from" in made.stderr
    assert re.search(r"cnn +Spearman 0\.\d+ \(.*\)  Pearson .* R² ", made.stdout)
    assert re.search(r"best baseline +Spearman 0\.\d+, k-mers alone", made.stdout)
    assert "AUROC 0." not in made.stdout.split("best baseline")[0]
    assert UP in made.stdout
    results = motiflens.load_run(folder / "out").results
    assert not results.holds("metrics")
    assert not results.holds("comparison")
    found = results.regression
    assert found.n_test == len(found.measured) == 100
    assert found.models["cnn"].test.r2.value > 0.75
    assert found.baselines["kmer"].spearman.value > 0.6
    assert (found.differences[0].a, found.differences[0].b) == ("cnn", "attention")
    assert results.trust.models["cnn"].may_claim
    page = (folder / "out" / "report.html").read_text()
    assert "predicts the labels with Spearman correlation" in page
    assert "Predicted and measured: cnn" in page
    absent = page[page.index("Not in this run") :] if "Not in this run" in page else ""
    for classes in ("Learning curves", "Test Accuracy", "All scores of the ensembles"):
        assert classes not in absent
    assert "MCC" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)


@pytest.mark.slow
def test_predictions_of_a_run_are_values_with_their_spread(run):
    folder, _ = run
    made = call("predict", "out", "data.tsv", "-o", "p.tsv", "--model", "cnn", cwd=folder)
    assert made.returncode == 0, made.stderr
    assert "probability" not in made.stderr
    table = pd.read_csv(folder / "p.tsv", sep="\t")
    assert list(table) == ["name", "value", "sd", "unusual"]
    truth = pd.read_csv(folder / "data.tsv", sep="\t")["label"]
    assert np.corrcoef(table["value"], truth)[0, 1] > 0.85
    assert (table["sd"] > 0).all()
    frame = motiflens.predict(folder / "out", folder / "data.tsv", architecture="cnn")
    np.testing.assert_allclose(frame["value"], table["value"], rtol=1e-5)
    call("predict", "out", "data.tsv", "-o", "p.parquet", "--model", "cnn", cwd=folder)
    assert list(pd.read_parquet(folder / "p.parquet")) == list(table)


@pytest.mark.slow
def test_a_finished_run_of_numbers_is_used_like_any(run):
    folder, _ = run
    again = call("run", "data.tsv", "-o", "out", cwd=folder)
    assert again.returncode == 2
    assert "already holds a finished run" in again.stderr
    made = call("report", "out", "--json", cwd=folder)
    found = json.loads(made.stdout)
    assert list(found["models"]["cnn"]["ensemble"]) == ["spearman", "pearson", "r2"]
    assert found["best_baseline"]["spearman"] > 0.6
    made = call("export", "out", "-o", "m.pt2", "--model", "cnn", cwd=folder)
    assert made.returncode == 0, made.stderr
    card = (folder / "m.pt2.md").read_text()
    assert "predicted labels" in card
    assert "Spearman" in card
    assert "Probability" not in card
    for option, value in (("--target", "0.9"), ("--prevalence", "0.5"), ("--folds", "3")):
        made = call("train", "data.tsv", "-o", "other", option, value, cwd=folder)
        assert made.returncode == 2
        assert f"{option} {value} is for two classes" in made.stderr
        assert not (folder / "other").exists()
