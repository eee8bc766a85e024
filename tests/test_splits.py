"""Parts of a data set: at random, by chromosome, by shared stretches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motiflens.datasets import (
    Loci,
    SequenceDataset,
    homology_groups,
    split_at_random,
    split_by_chromosome,
)
from motiflens.datasets.splits import split_by_homology
from motiflens.errors import InputError
from motiflens.io.read import read
from motiflens.sequences import reverse_complement_string

DATA = Path(__file__).parents[2] / "shared" / "data"


def labelled(sequences: list[str], labels: list[int] | None = None) -> SequenceDataset:
    return SequenceDataset.from_sequences(sequences, labels or [1] * len(sequences))


def on(chrom: list[str]) -> SequenceDataset:
    n = len(chrom)
    place = Loci(np.array(chrom), np.arange(n), np.arange(n) + 3, np.full(n, "."))
    return SequenceDataset.from_sequences(["ACG"] * n, [1] * n, coordinates=place)


def random_sequences(n: int, length: int, seed: int) -> list[str]:
    letters = np.random.default_rng(seed).integers(0, 4, (n, length))
    return ["".join(row) for row in np.array(list("ACGT"))[letters].tolist()]


def test_a_random_split_is_stratified_and_follows_the_seed():
    labels = np.array([1] * 30 + [0] * 70)
    data = SequenceDataset.from_sequences(["ACGT"] * 100, labels)
    split = split_at_random(data, test=0.2, seed=3).split
    assert [np.sum((split == "test") & (labels == label)) for label in (1, 0)] == [6, 14]
    assert set(split) == {"train", "test"}
    np.testing.assert_array_equal(split, split_at_random(data, test=0.2, seed=3).split)
    assert (split != split_at_random(data, test=0.2, seed=4).split).any()
    assert (split[:6] != "test").any()  # not simply the first rows


@pytest.mark.parametrize("test", [0.0, 1.0, -0.2, 1.5, 0.1, 0.95, float("nan")])
def test_a_split_leaves_each_class_on_both_sides(test):
    data = SequenceDataset.from_sequences(["ACGT"] * 6, [1, 1, 1, 0, 0, 0])
    with pytest.raises(InputError, match="a test fraction of"):
        split_at_random(data, test=test, seed=0)


def test_chromosomes_stay_whole_whatever_their_prefix():
    data = split_by_chromosome(
        on(["chr1", "2", "chr2", "chr10", "chr3", "3"]), test=["chr2", "10"], valid=["3"]
    )
    assert data.split.tolist() == ["train", "test", "test", "test", "valid", "valid"]
    assert set(split_by_chromosome(data, valid=["1"]).split) == {"train", "valid"}


@pytest.mark.parametrize(
    ("test", "valid", "message"),
    [
        (["chrX"], [], "'chrX' has no sequences; the data lie on 7, chr1, chr2"),
        (["1"], ["chr1"], "'chr1' is named twice"),
        (["1", "2"], ["7"], "beside 1, 2, 7"),
    ],
)
def test_chromosomes_to_hold_out_are_there_and_leave_some(test, valid, message):
    with pytest.raises(InputError) as caught:
        split_by_chromosome(on(["chr1", "chr2", "7"]), test=test, valid=valid)
    assert message in str(caught.value)


def test_a_split_by_chromosome_needs_all_chromosomes():
    with pytest.raises(InputError, match="known for seq0002"):
        split_by_chromosome(on(["chr1", "", "chr2"]), test=["1"])
    with pytest.raises(InputError, match="known for seq0001"):
        split_by_chromosome(labelled(["ACG"]), test=["1"])


def test_groups_are_chained_by_words_of_either_strand():
    a, b, c, d = random_sequences(4, 40, seed=1)
    word, other = "ACGTTGCATTT", "GGATCCTTGAC"
    sequences = [
        a + word,  # joined to the next by a word on the other strand
        b + reverse_complement_string(word) + other,
        other + c,  # and that one to this
        word[:-1] + d,  # one base short of a shared word
        a[:20] + "N" + a[21:22],
        "ACCA",  # shorter than a word: the same as the next
        "TGGT",
        "ACCAA",
    ]
    assert homology_groups(labelled(sequences), k=11).tolist() == [0, 0, 0, 1, 0, 2, 2, 3]
    assert len(set(homology_groups(labelled(sequences), k=31).tolist())) == 7
    with pytest.raises(InputError, match="k is 32"):
        homology_groups(labelled(sequences), k=32)


def test_a_word_over_an_unknown_base_joins_nothing():
    assert homology_groups(labelled(["ACGNACG", "TTGNACG"]), k=4).tolist() == [0, 1]
    assert homology_groups(labelled(["ACGAACG", "TTGAACG"]), k=4).tolist() == [0, 0]


def words(sequence: str, k: int) -> set[str]:
    strands = (sequence, reverse_complement_string(sequence))
    found = {s[i : i + k] for s in strands for i in range(len(s) - k + 1)}
    return {word for word in found if "N" not in word}


@given(
    st.lists(st.text("ACGTN", min_size=1, max_size=9), min_size=8, max_size=20),
    st.integers(2, 6),
    st.integers(0, 9),
)
@settings(max_examples=80)
def test_no_word_is_on_both_sides(sequences, k, seed):
    data = labelled(sequences, [index % 2 for index in range(len(sequences))])
    try:
        split = split_by_homology(data, test=0.3, seed=seed, k=k).split
    except InputError:
        return
    parts = [data.subset(split == part) for part in ("train", "test")]
    both = [{w for s in part.sequences() for w in words(s, k)} for part in parts]
    assert not both[0] & both[1]
    assert not set(parts[0].sequences()) & set(parts[1].sequences())
    for label in (0, 1):
        assert 0 < (parts[1].labels == label).sum() <= round(0.3 * (data.labels == label).sum())


def test_a_split_by_homology_takes_the_fraction_of_each_class():
    sequences = random_sequences(60, 33, seed=2)
    sequences += [text[1:] + "A" for text in sequences[:20]] + [sequences[30]] * 15
    labels = [1] * 30 + [0] * 30 + [1] * 20 + [0] * 15
    data = labelled(sequences, labels)
    split = split_by_homology(data, test=0.2, seed=5).split
    np.testing.assert_array_equal(split, split_by_homology(data, test=0.2, seed=5).split)
    assert (split != split_by_homology(data, test=0.2, seed=6).split).any()
    assert [np.sum((split == "test") & (data.labels == label)) for label in (1, 0)] == [10, 9]
    assert set(split[[30, *range(80, 95)]]) == {"train"}  # 16 sequences do not fit in 9 places
    np.testing.assert_array_equal(split[:20], split[60:80])


def test_one_group_cannot_be_split():
    data = labelled(["ACGTACGTTT"] * 9, [1, 0, 1, 0, 1, 0, 1, 0, 1])
    with pytest.raises(InputError, match="1 groups of related sequences, the largest of 9"):
        split_by_homology(data, test=0.4, seed=0, k=5)


def test_shared_words_of_a_set_of_others_do_not_cross():
    path = DATA / "gue" / "tf" / "2" / "train.csv.gz"
    if not path.exists():
        pytest.skip("gue/tf/2 of the shared test data is not here")
    data = split_by_homology(read(path), test=0.2, seed=0)
    train, test = (data.part(part).sequences() for part in ("train", "test"))
    assert len(data) - len({*data.sequences()}) == 185
    assert not {*train} & {*test}
    assert len(test) == pytest.approx(0.2 * len(data), rel=0.01)
