"""The audit finds what was put wrong by hand, nothing in clean data, and the known facts."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motiflens.auditing import audit
from motiflens.auditing.baselines import score_baselines
from motiflens.datasets import SequenceDataset, concatenate
from motiflens.errors import InputError
from motiflens.io.read import read
from motiflens.sequences import decode, encode, reverse_complement_string
from motiflens.shuffles import dinucleotide_shuffle, shuffle

DATA = Path(__file__).parents[2] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared test data are not here")
MOTIF = "CACGTGACGATT"


def letters(generator: np.random.Generator, n: int, length: int = 60, gc: float = 0.5) -> list[str]:
    weights = [(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]
    return ["".join(row) for row in generator.choice(list("ACGT"), size=(n, length), p=weights)]


def labelled(sequences: list[str], labels: object) -> SequenceDataset:
    return SequenceDataset.from_sequences(sequences, labels)


def planted(seed: int, n: int = 200) -> SequenceDataset:
    """Every second sequence of 60 bases holds the motif."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    sequences = [
        s[:20] + MOTIF + s[32:] if label else s
        for s, label in zip(letters(generator, n), labels, strict=True)
    ]
    return labelled(sequences, labels)


def swapped(data: SequenceDataset) -> SequenceDataset:
    return labelled(data.sequences(), 1 - data.labels)


def said(found: dict, words: str) -> list[str]:
    return [text for text in found["warnings"] if words in text]


def test_nothing_is_said_of_clean_data():
    found = audit(planted(0), valid=planted(1), test=planted(2))
    assert found["warnings"] == []
    assert list(found) == [
        "schema_version", "lengths", "duplicates", "overlap", "shared_31mers", "constant",
        "composition", "baselines", "warnings",
    ]  # fmt: skip
    assert found["schema_version"] == 1
    assert found["duplicates"] == {"train": 0, "valid": 0, "test": 0}
    assert found["overlap"] == {"train-valid": 0, "train-test": 0, "valid-test": 0}
    # Fitted on what comes before the test part, validation included.
    assert (
        found["baselines"]
        == score_baselines(
            {"train": concatenate([planted(0), planted(1)]), "test": planted(2)}
        ).scores
    )
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_copies_are_rows_minus_distinct_sequences_and_overlap_counts_rows_of_the_later_split():
    train, valid, test = (planted(seed).sequences() for seed in (0, 1, 2))
    found = audit(
        labelled([*train, train[0].lower(), train[0], train[3]], [*[0, 1] * 100, 0, 0, 1]),
        valid=labelled([*valid, train[5], train[5]], [*[0, 1] * 100, 1, 1]),
        test=labelled([*test, train[5], valid[7], train[8], train[9]], [0, 1] * 102),
    )
    assert found["duplicates"] == {"train": 3, "valid": 1, "test": 0}
    assert found["overlap"] == {"train-valid": 2, "train-test": 3, "valid-test": 2}
    assert said(found, "Copies of another sequence of train, on either strand: 3 of 203.")
    assert said(found, "Sequences of test that are also in train, on either strand: 3 of 204;")


def test_reverse_complements_are_copies_at_any_length():
    generator = np.random.default_rng(5)
    train = letters(generator, 60, 25)
    test = [reverse_complement_string(one) for one in train[:20]]
    found = audit(
        labelled([*train, reverse_complement_string(train[7])], [*[0, 1] * 30, 1]),
        test=labelled(test, [1, 0] * 10),
    )
    assert found["duplicates"] == {"train": 1, "test": 0}
    assert found["overlap"] == {"train-test": 20}
    assert said(found, "also in train, on either strand: 20 of 20")
    assert said(found, "a positive and a negative at once, on either strand: 20.")


@pytest.mark.parametrize("side", ["start", "end"])
def test_a_primer_that_one_class_has_is_said(side):
    generator = np.random.default_rng(8)
    lengths = generator.integers(40, 52, 60)
    sequences = [letters(generator, 1, int(length))[0] for length in lengths]
    primer = "GATCGGAAGAGC"
    ends = {"start": (primer, ""), "end": ("", primer)}[side]
    tagged = [ends[0] + one + ends[1] for one in sequences[:30]]
    found = audit(labelled([*tagged, *sequences[30:]], [1] * 30 + [0] * 30))
    assert found["constant"]["train"] == [
        {"class": "positives", "end": side, "bases": primer, "first": 1, "last": 12}
    ]
    assert said(found, f"have {primer} at bases 1 to 12 from their {side}")
    both = [ends[0] + one + ends[1] for one in sequences]
    assert audit(labelled(both, [1] * 30 + [0] * 30))["constant"]["train"] == []


def test_lengths_are_those_of_all_sequences():
    found = audit(labelled(["ACGTA", "AC", "GGGGGGGG"], [1, 0, 0]), test=labelled(["A"], [1]))
    assert found["lengths"] == {"min": 1, "max": 8, "mean": 4.0}


def test_baselines_read_the_strands_of_the_run():
    generator = np.random.default_rng(6)
    train, test = letters(generator, 300, 40), letters(generator, 300, 40)
    # In training the word lies forward, in the test split on the other strand.
    word = "ACGGATTC"
    train[::2] = [one[:12] + word + one[20:] for one in train[::2]]
    test[::2] = [one[:12] + reverse_complement_string(word) + one[20:] for one in test[::2]]
    data = [labelled(part, [1, 0] * 150) for part in (train, test)]
    forward, both = (
        audit(data[0], test=data[1], strands=strands)["baselines"]["best-motif"]["auroc"]
        for strands in ("forward", "both")
    )
    assert forward < 0.7 < 0.9 < both


def test_a_shared_31mer_counts_on_both_strands_by_class_of_the_later_split():
    generator = np.random.default_rng(3)
    train, rest = letters(generator, 6, 50), letters(generator, 7, 40)
    word = reverse_complement_string(train[4][7:38])
    unknown = train[2][3:33] + "N" + train[2][34:50]
    test = [
        rest[0][:9] + word, word[:30] + "T" + rest[1], train[1][:31], train[1][:30],
        rest[2] + train[0][-31:].lower() + rest[3], unknown, rest[4],
    ]  # fmt: skip
    # The 31st base of the second is another than the word's, or it would share the word.
    assert word[30] != "T"
    found = audit(labelled(train, [0, 1] * 3), test=labelled(test, [1, 1, 0, 0, 1, 0, 0]))
    assert found["shared_31mers"] == {"train-test": {"positives": 2, "negatives": 1}}
    assert said(found, "3 of 7 (positives 2, negatives 1); a split by homology")


def test_blocks_of_kmers_add_up(monkeypatch):
    monkeypatch.setattr("motiflens.auditing.leaks.BLOCK", 200)  # three rows
    test = planted(2).sequences()
    test[3] = test[3][:5] + planted(0).sequences()[199][:40] + test[3][45:]
    found = audit(planted(0), test=labelled(test, planted(2).labels))
    assert found["shared_31mers"]["train-test"] == {"positives": 1, "negatives": 0}


def test_composition_is_that_of_the_letters():
    rows = ["GGCA", "GCNN", "AAAAAAAT", "NNNN", "ACGTACG"]
    found = audit(labelled(rows, [1, 1, 1, 0, 0]))["composition"]["train"]
    assert found["n"] == {"positives": 3, "negatives": 2}
    gc = [0.75, 1.0, 0.0]
    assert found["gc"]["positives"] == pytest.approx(np.mean(gc))
    assert found["gc"]["negatives"] == pytest.approx(4 / 7)  # of the one with a known base
    assert found["gc"]["auroc"] == pytest.approx(2 / 3)
    assert found["gc"]["standardised_difference"] == pytest.approx(
        (np.mean(gc) - 4 / 7) / np.sqrt(np.var(gc) / 2)
    )
    assert found["length"]["positives"] == pytest.approx(16 / 3)
    assert found["length"]["auroc"] == pytest.approx((0 + 0.5 + 0 + 0.5 + 1 + 1) / 6)
    assert found["n_fraction"] == {"positives": 2 / 16, "negatives": 4 / 11}


def test_composition_that_tells_classes_apart_is_said_with_figures():
    generator = np.random.default_rng(4)
    sequences = letters(generator, 150, 60, gc=0.6) + letters(generator, 150, 60, gc=0.45)
    found = audit(labelled(sequences, np.repeat([1, 0], 150)))
    (gc,) = said(found, "GC content alone")
    assert re.search(r"classes of train .* mean 0\.59\d in positives, 0\.44\d in negatives", gc)
    assert said(found, "Base composition and length alone reach AUROC 0.9")
    assert not said(found, "Length alone")


def test_lengths_that_tell_classes_apart_are_said():
    generator = np.random.default_rng(5)
    sequences = letters(generator, 40, 70) + letters(generator, 40, 55)
    found = audit(labelled(sequences, np.repeat([1, 0], 40)))
    assert said(found, "Length alone tells the classes of train apart with AUROC 1.00: mean 70.0")
    assert found["composition"]["train"]["length"]["standardised_difference"] is None


def test_a_difference_that_few_sequences_make_by_chance_is_not_said():
    found = audit(labelled(["GGGGA", "GGCA", "ACCC", "AAAT", "TTTA", "CATA"], [1, 1, 1, 0, 0, 0]))
    assert found["composition"]["train"]["gc"]["auroc"] == 1
    assert not said(found, "GC content")


def test_a_difference_beyond_chance_that_is_small_is_not_said():
    generator = np.random.default_rng(11)
    sequences = letters(generator, 1500, 60, gc=0.515) + letters(generator, 1500, 60)
    found = audit(labelled(sequences, np.repeat([1, 0], 1500)))
    assert 0.55 < found["composition"]["train"]["gc"]["auroc"] < 0.6
    assert not said(found, "GC content")


def test_n_in_one_class_is_said():
    sequences = planted(0).sequences()
    sequences[::2] = ["NNN" + s[3:] for s in sequences[::2]]
    found = audit(labelled(sequences, planted(0).labels))
    assert said(found, "N make up 0.0 % of the bases of the positives and 5.0 % of the negatives")


@pytest.mark.parametrize("turned", ["train", "test", "valid"])
def test_labels_that_are_swapped_in_one_split_are_seen(turned):
    parts = {"train": planted(0), "valid": planted(1), "test": planted(2)}
    parts[turned] = swapped(parts[turned])
    found = audit(parts["train"], valid=parts["valid"], test=parts["test"])
    suspected = {"train": ["valid", "test"]}.get(turned, [turned])
    texts = said(found, "look swapped: k-mers")
    assert [text.split(" look")[0] for text in texts] == [
        f"The labels of train or of {part}" for part in suspected
    ]


def peaks_and_shuffles(seed: int, shuffler=dinucleotide_shuffle) -> SequenceDataset:
    generator = np.random.default_rng(seed)
    peaks = [s[:9] + MOTIF + s[21:40] + MOTIF + s[52:] for s in letters(generator, 300)]
    codes, lengths = encode(peaks)
    return labelled(
        peaks + decode(shuffler(codes, lengths, generator), lengths), np.repeat([1, 0], 300)
    )


@pytest.mark.parametrize(
    ("shuffler", "kind"), [(dinucleotide_shuffle, "dinucleotide"), (shuffle, "mononucleotide")]
)
def test_negatives_that_are_shuffles_are_counted(shuffler, kind):
    found = audit(peaks_and_shuffles(6, shuffler))
    counts = found["composition"]["train"]["shuffled_negatives"]
    assert counts["mononucleotide"]["negatives"] == 300
    assert counts["dinucleotide"]["negatives"] == (300 if kind == "dinucleotide" else 0)
    assert said(found, f"exact {kind} counts of a positive: 300 of 300.")
    assert len(said(found, "counts of a positive")) == 1
    assert not said(found, "look swapped")


def test_shuffles_of_positives_in_another_split_are_counted_too():
    data = peaks_and_shuffles(6)
    train, test = data.subset(data.labels == 1), data.subset(data.labels == 0)
    found = audit(train, test=test)
    assert said(found, "Negatives of test that have the exact dinucleotide counts of a positive")
    assert said(found, "All 300 sequences of train are of one class; there are no negatives.")
    assert said(found, "No baseline was scored")
    assert found["baselines"] == {}
    assert found["composition"]["train"]["gc"]["negatives"] is None


def test_a_tenth_of_shuffles_among_the_negatives_is_enough():
    data, others = peaks_and_shuffles(6), letters(np.random.default_rng(7), 270)
    sequences = data.sequences()[:330] + others
    found = audit(labelled(sequences, np.repeat([1, 0], 300)))
    assert said(found, "exact dinucleotide counts of a positive: 30 of 300.")


def test_positives_that_are_shuffles_of_the_negatives_look_swapped():
    found = audit(swapped(peaks_and_shuffles(6)))
    (text,) = said(found, "look swapped")
    assert "its negatives repeat 6-mers" in text


def test_short_sequences_with_equal_counts_by_chance_are_not_called_shuffles():
    generator = np.random.default_rng(8)
    found = audit(labelled(letters(generator, 2000, 8), np.arange(2000) % 2))
    counts = found["composition"]["train"]["shuffled_negatives"]
    assert counts["mononucleotide"]["negatives"] > 900
    assert counts["mononucleotide"]["by_chance"] > 0.9
    assert not said(found, "counts of a positive")


def test_padding_is_no_letter():
    found = audit(labelled(["ACGTN", "ACGT", "GGGGG"], [1, 0, 0]))
    counts = found["composition"]["train"]["shuffled_negatives"]
    assert [counts[kind]["negatives"] for kind in counts] == [0, 0]


def test_labels_that_contradict_each_other_are_counted_over_all_splits():
    train, test = planted(0), planted(2)
    sequences = test.sequences()
    sequences[0] = train.sequences()[1]
    found = audit(train, test=labelled([*sequences, sequences[2]], [*test.labels, 1]))
    assert said(found, "a positive and a negative at once, on either strand: 2.")


@pytest.mark.parametrize(("n_positives", "is_said"), [(24, True), (25, False), (76, True)])
def test_classes_of_unlike_size_are_said(n_positives, is_said):
    generator = np.random.default_rng(9)
    found = audit(labelled(letters(generator, 100), np.arange(100) < n_positives))
    assert bool(said(found, "The classes of train differ in size: 24 ")) == is_said
    assert bool(said(found, "differ in size")) == is_said


def test_related_sequences_of_a_data_set_without_splits_are_counted():
    sequences, labels = planted(0).sequences(), planted(0).labels
    long = letters(np.random.default_rng(3), 1, 90)[0]
    related = [long[:60], reverse_complement_string(long[29:89]), sequences[7]]
    data = labelled(sequences + related, [*labels, 1, 0, labels[7]])
    # Two windows of one locus, a copy and the sequence it is a copy of.
    assert said(audit(data), "share 31 bases with another one, on either strand: 4 of 203;")
    assert not said(audit(data, test=planted(2)), "share 31 bases with another one")


def test_copies_of_a_few_sequences_are_too_few_for_labels_to_look_swapped():
    few = swapped(planted(1, n=8))
    copies = concatenate([few] * 10)
    assert said(audit(planted(0), test=swapped(planted(1))), "look swapped: k-mers")
    assert not said(audit(planted(0), test=copies), "look swapped: k-mers")


def test_without_a_test_split_baselines_are_scored_on_what_there_is():
    assert said(audit(planted(0), valid=planted(1)), "Baselines were scored on valid, for want")
    found = audit(planted(0))
    assert said(found, "Baselines were scored on a held-out quarter of train, for want")
    assert found["baselines"]["best-motif"]["auroc"] > 0.95


def test_an_empty_split_is_none_and_empty_train_is_refused():
    nothing = planted(0).subset([])
    assert audit(planted(0), test=nothing) == audit(planted(0))
    with pytest.raises(InputError, match="no sequences to audit"):
        audit(nothing, test=planted(0))


rows = st.lists(st.tuples(st.text("ACGTN", min_size=1, max_size=34), st.integers(0, 1)), max_size=5)


@settings(max_examples=25, deadline=None)
@given(rows.filter(bool), rows, rows)
def test_no_data_are_too_few_or_too_odd(train, valid, test):
    parts = [
        labelled(*map(list, zip(*part, strict=True))) if part else None
        for part in (train, valid, test)
    ]
    found = audit(parts[0], valid=parts[1], test=parts[2])
    json.dumps(found, allow_nan=False)
    given_parts = [part for part in (train, valid, test) if part]
    assert sum(found["duplicates"].values()) == sum(
        len(part) - len({min(one, reverse_complement_string(one)) for one, _ in part})
        for part in given_parts
    )


def gue(task: str) -> list[SequenceDataset]:
    files = ("train.csv.gz", "dev.csv", "test.csv")
    return [read(DATA / "gue" / task / file) for file in files]


@needs_data
@pytest.mark.parametrize(
    ("task", "copies", "valid", "test"),
    [
        pytest.param("tf/0", 8, 1, 0, marks=pytest.mark.slow),
        pytest.param("tf/2", 185, 19, 0, marks=pytest.mark.slow),
        pytest.param("tf/3", 20, 2, 1, marks=pytest.mark.slow),
        ("mouse/2", 0, 0, 0),
    ],
)
def test_the_copies_of_a_benchmark(task, copies, valid, test):
    parts = gue(task)
    found = audit(parts[0], valid=parts[1], test=parts[2])
    assert found["duplicates"]["train"] == copies
    assert found["overlap"]["train-valid"] == valid
    assert found["overlap"]["train-test"] == test
    if task == "mouse/2":  # nobody says so of this one
        assert said(found, "exact dinucleotide counts of a positive: 1,311 of 1,311.")


@needs_data
@pytest.mark.parametrize(
    ("factor", "positives", "negatives"),
    [
        ("CTCF", 0, 7), ("JUND", 4, 7), ("EP300", 127, 5),
        pytest.param("EP300_47848", 33, 17, marks=pytest.mark.slow),
        pytest.param("KAT2B", 94, 23, marks=pytest.mark.slow),
        pytest.param("NR2C2", 57, 26, marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_31mers_shared_and_composition_of_published_splits(factor, positives, negatives):
    train, test = (
        read(DATA / "fastsk_tfbs" / f"{factor}.{part}.fasta") for part in ("train", "test")
    )
    found = audit(train, test=test)
    shared = {"positives": positives, "negatives": negatives}
    assert found["shared_31mers"] == {"train-test": shared}
    assert said(found, "GC content alone tells the classes of train apart")
    assert said(found, "Base composition and length alone reach AUROC")


@needs_data
@pytest.mark.parametrize("name", ["ARID3A_HepG2", "GATA3_SH-SY5Y"])
def test_published_negatives_that_are_shuffles(name):
    (path,) = (DATA / "deepbind_encode").glob(f"test__{name}*.seq.gz")
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()[1:]
    fields = [line.split("\t") for line in lines]
    data = labelled([row[2] for row in fields], [float(row[3]) for row in fields])
    found = audit(data)
    assert said(found, "exact dinucleotide counts of a positive: 500 of 500.")
    assert not said(found, "look swapped")
    assert said(audit(swapped(data)), "The labels of train look swapped")
