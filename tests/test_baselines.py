from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motiflens.auditing import baselines
from motiflens.auditing.baselines import BASELINES
from motiflens.datasets import SequenceDataset, split_at_random
from motiflens.metrics import score
from motiflens.metrics.scores import METRICS
from motiflens.sequences import reverse_complement_string

PRIMER = Path(__file__).parents[2] / "shared" / "data" / "primer"
MOTIF = "GATTACA"


def random_sequences(
    generator: np.random.Generator, n: int, low: int, high: int, weights: list[float] | None = None
) -> list[str]:
    lengths = generator.integers(low, high + 1, size=n)
    return ["".join(generator.choice(list("ACGT"), size=size, p=weights)) for size in lengths]


def with_motif(generator: np.random.Generator, sequence: str, motif: str = MOTIF) -> str:
    start = generator.integers(len(sequence) - len(motif) + 1)
    return sequence[:start] + motif + sequence[start + len(motif) :]


def planted(n: int, seed: int, low: int = 40, high: int = 60) -> SequenceDataset:
    """Every second sequence holds the motif; lengths differ."""
    generator = np.random.default_rng(seed)
    sequences = random_sequences(generator, n, low, high)
    labels = np.arange(n) % 2
    rows = zip(sequences, labels, strict=True)
    return SequenceDataset.from_sequences(
        [with_motif(generator, s) if label else s for s, label in rows], labels
    )


def baseline_scores(train: SequenceDataset, test: SequenceDataset) -> dict[str, dict[str, float]]:
    return baselines.score_baselines({"train": train, "test": test}).scores


def fitted(name: str, data: SequenceDataset) -> baselines.Logits:
    return BASELINES[name](data, np.random.default_rng(0), None)


def test_a_motif_is_found_by_kmers_and_not_by_composition():
    scores = baseline_scores(planted(600, seed=0), planted(400, seed=1))
    assert list(scores) == ["composition", "kmer", "best-motif"]
    assert all(tuple(row) == METRICS for row in scores.values())
    assert scores["best-motif"]["auroc"] > 0.98
    assert scores["best-motif"]["accuracy"] > 0.96
    assert scores["kmer"]["auroc"] > 0.95
    assert scores["kmer"]["accuracy"] > 0.85
    assert scores["composition"]["auroc"] < 0.75


def test_kmers_and_the_motif_are_read_on_both_strands_where_the_data_are():
    one, other = planted(500, seed=6), planted(500, seed=7)
    turned = [
        reverse_complement_string(s) if row % 4 == 1 else s for row, s in enumerate(one.sequences())
    ]
    train = SequenceDataset.from_sequences(turned, one.labels)
    backwards = [reverse_complement_string(s) for s in other.sequences()]
    backwards = SequenceDataset.from_sequences(backwards, other.labels)
    for name in ("kmer", "best-motif"):
        logits = fitted(name, train)
        assert score(backwards.labels, logits(backwards))["auroc"] > 0.95, name
        assert np.allclose(logits(backwards), logits(other)), name
        forward = fitted(name, one)
        assert score(backwards.labels, forward(backwards))["auroc"] < 0.65, name


@pytest.mark.parametrize("told_apart_by", ["bases", "length"])
def test_composition_sees_bases_and_length(told_apart_by):
    generator = np.random.default_rng(2)
    rich, long = ([0.1, 0.5, 0.2, 0.2], 30) if told_apart_by == "bases" else (None, 60)
    sequences = random_sequences(generator, 200, 25, 30)
    sequences += random_sequences(generator, 200, long - 5, long, rich)
    data = SequenceDataset.from_sequences(sequences, np.repeat([0, 1], 200))
    train, test = data.subset(np.arange(0, 400, 2)), data.subset(np.arange(1, 400, 2))
    scores = baseline_scores(train, test)["composition"]
    assert scores["auroc"] > 0.9
    assert scores["accuracy"] > 0.8


def test_nothing_is_learnt_from_labels_that_mean_nothing():
    generator = np.random.default_rng(3)
    sequences = random_sequences(generator, 1200, 30, 30)
    data = SequenceDataset.from_sequences(sequences, generator.permutation(np.arange(1200) % 2))
    scores = baseline_scores(data.subset(np.arange(400)), data.subset(np.arange(400, 1200)))
    for name, row in scores.items():
        assert row["auroc"] == pytest.approx(0.5, abs=0.07), name


def test_kmer_counts_are_those_of_the_letters():
    sequences = ["ACGTACGTNACG", "AAAAA", "AC", "NNNNN"]
    data = SequenceDataset.from_sequences(sequences, [0, 1, 0, 1])
    counts = baselines.kmer_counts(data, 3).toarray()
    assert counts.shape == (4, 64)
    for row, sequence in zip(counts, sequences, strict=True):
        words = Counter(sequence[i : i + 3] for i in range(len(sequence) - 2))
        expected = {word: n for word, n in words.items() if "N" not in word}
        found = {
            "".join("ACGT"[w >> shift & 3] for shift in (4, 2, 0)): row[w] for w in row.nonzero()[0]
        }
        assert found == expected


def test_naive_bayes_is_the_textbooks():
    train, test = planted(30, seed=4), planted(7, seed=5)
    counts = {label: Counter() for label in (0, 1)}
    for sequence, label in zip(train.sequences(), train.labels, strict=True):
        counts[int(label)].update(sequence[i : i + 3] for i in range(len(sequence) - 2))

    def log_likelihood(word: str, label: int) -> float:
        return np.log((counts[label][word] + 1) / (counts[label].total() + 64))

    # Both classes are equally frequent, so the prior adds nothing.
    expected = [
        sum(
            log_likelihood(s[i : i + 3], 1) - log_likelihood(s[i : i + 3], 0)
            for i in range(len(s) - 2)
        )
        for s in test.sequences()
    ]
    np.testing.assert_allclose(baselines.fit_naive_bayes(train, 3)(test), expected, rtol=1e-9)


def test_window_scores_are_sums_of_the_matrix():
    matrix = np.arange(12.0).reshape(4, 3) * [1, 2, -1]
    data = SequenceDataset.from_sequences(["ACGTA", "GN"], [0, 1])
    rows = {"A": 0, "C": 1, "G": 2, "T": 3}

    def by_hand(window: str) -> float:
        worst = matrix.min(axis=0)
        return sum(matrix[rows[b], i] if b in rows else worst[i] for i, b in enumerate(window))

    windows = [["ACG", "CGT", "GTA"], ["GNN", "NNN", "NNN"]]
    expected = [[by_hand(window) for window in row] for row in windows]
    np.testing.assert_allclose(baselines.window_scores(data, matrix), expected)


def test_the_best_windows_are_those_of_the_motif():
    codes = SequenceDataset.from_sequences([MOTIF], [1]).codes[0]
    matrix = np.eye(4)[:, codes]
    data = SequenceDataset.from_sequences(["CC" + MOTIF, MOTIF + "TTTT", "GATTTTTTT"], [1, 1, 1])
    assert baselines.best_windows(data, matrix, 6.5).tolist() == [codes.tolist()] * 2
    assert baselines.best_windows(data, matrix, 99.0).tolist() == [codes.tolist()] * 2


def test_the_most_discriminating_kmer_is_the_one_planted():
    data = planted(300, seed=6)
    word = baselines.most_discriminating_kmer(data, len(MOTIF))
    assert "".join("ACGT"[code] for code in word) == MOTIF


def test_a_motif_of_the_negatives_is_not_taken_for_one_of_the_positives():
    data = planted(300, seed=6)
    turned = SequenceDataset.from_sequences(data.sequences(), 1 - data.labels)
    word = baselines.most_discriminating_kmer(turned, len(MOTIF))
    assert "".join("ACGT"[code] for code in word) != MOTIF


def test_the_threshold_is_the_best_one():
    generator = np.random.default_rng(7)
    for positive_fraction in np.linspace(0.05, 0.95, 50):
        scores = generator.integers(6, size=13).astype(float)
        labels = generator.random(13) < positive_fraction
        cut = baselines.best_threshold(scores, labels)
        best = max(np.mean((scores > c) == labels) for c in np.arange(-0.5, 6))
        assert np.mean((scores > cut) == labels) == best


@pytest.mark.parametrize("name", BASELINES)
def test_a_sequence_scores_the_same_alone_and_in_a_batch(name):
    logits = fitted(name, planted(80, seed=8))
    test = planted(9, seed=9, low=20)
    together = logits(test)
    assert together.shape == (9,)
    alone = [logits(SequenceDataset.from_sequences([s], [0]))[0] for s in test.sequences()]
    np.testing.assert_allclose(together, alone)


def test_same_seed_same_scores():
    train, test = planted(60, seed=10), planted(30, seed=11)
    assert baseline_scores(train, test) == baseline_scores(train, test)


def test_choices_are_made_on_a_quarter_of_each_class_held_out_of_the_training_split():
    train = planted(41, seed=12)
    seen = []

    def fit(data: SequenceDataset) -> baselines.Logits:
        seen.append(data)
        return lambda valid: seen.append(valid) or valid.lengths.astype(float)

    baselines.choose_fit([fit], train, np.random.default_rng(0))
    inner, valid = seen
    assert (valid.labels == 1).sum() == 5
    assert (valid.labels == 0).sum() == 5
    assert sorted([*inner.names, *valid.names]) == sorted(train.names)


def test_the_choice_is_the_better_one():
    train = planted(60, seed=13)
    ways = [lambda data, sign=sign: lambda valid: sign * (valid.labels - 0.5) for sign in (-1, 1)]
    assert baselines.choose_fit(ways, train, np.random.default_rng(0)) is ways[1]
    assert baselines.choose_fit(ways[::-1], train, np.random.default_rng(0)) is ways[1]


def test_forty_sequences_are_enough_to_run():
    scores = baseline_scores(planted(40, seed=14), planted(200, seed=15))
    assert scores["best-motif"]["auroc"] > 0.8


rows = st.tuples(st.text("ACGTN", min_size=1, max_size=14), st.integers(0, 1))


@settings(max_examples=25, deadline=None)
@given(st.lists(rows, max_size=12), st.lists(rows, max_size=5))
def test_no_sequences_are_too_few_or_too_short(train, test):
    """Parts of both classes give scores, whatever the letters and lengths."""
    both = [("A", 0), ("TN", 1)]
    parts = [
        SequenceDataset.from_sequences(*map(list, zip(*part, strict=True)))
        for part in (train + both, test + both)
    ]
    for row in baseline_scores(*parts).values():
        assert all(np.isfinite(list(row.values())))


@pytest.mark.parametrize("lacking", ["train", "test"])
def test_one_class_is_not_scored(lacking):
    data = planted(40, seed=16)
    one = data.subset(data.labels == 1)
    splits = {"train": one, "test": data} if lacking == "train" else {"train": data, "test": one}
    scores = baselines.score_baselines(splits)
    assert (scores.scores == {}) == (lacking == "train")
    assert scores.scored_on == ("" if lacking == "train" else "a held-out quarter of train")


@pytest.mark.skipif(not PRIMER.is_dir(), reason="the shared test data are not here")
def test_the_primer_data_is_as_easy_as_was_measured():
    sequences, labels = (
        (PRIMER / name).read_text().split() for name in ("sequences.txt", "labels.txt")
    )
    data = split_at_random(
        SequenceDataset.from_sequences(sequences, [float(label) for label in labels]),
        test=0.2,
        seed=0,
    )
    scores = baseline_scores(data.part("train"), data.part("test"))
    # Over split seeds 0 to 7 it was measured between 0.776 and 0.813.
    assert 0.77 <= scores["composition"]["auroc"] <= 0.82
    assert scores["kmer"]["auroc"] > 0.999
    assert scores["best-motif"]["accuracy"] > 0.99
