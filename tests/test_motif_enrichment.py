"""What held-out sequences say about a motif."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import fisher_exact

from motiflens.datasets import SequenceDataset
from motiflens.discovery import DiscoveredMotif
from motiflens.discovery.counted import count_once
from motiflens.discovery.enrichment import P_THRESHOLDS, fisher_log_p, measure_enrichment
from motiflens.errors import InputError
from motiflens.motifs import motif_from_string
from motiflens.sequences import encode, reverse_complement_string

WORD = "GGCGTACGTTCA"  # its reverse complement is TGAACGTACGCC
LENGTH = 61


def discovered(word: str = WORD, direction: str = "positive") -> DiscoveredMotif:
    ppm = 0.97 * motif_from_string(word).ppm + 0.03 * 0.25
    return DiscoveredMotif("motif-1", ppm, direction=direction)


def sequences(
    n: int, n_with: int, seed: int, *, word: str = WORD, start: int | None = None
) -> list[str]:
    """Random sequences of A and T; the first `n_with` hold the word, at `start` or anywhere."""
    generator = np.random.default_rng(seed)
    rows = ["".join(generator.choice(list("AT"), LENGTH)) for _ in range(n)]
    for row in range(n_with):
        at = int(generator.integers(LENGTH - len(word) + 1)) if start is None else start
        oriented = reverse_complement_string(word) if row % 2 else word
        rows[row] = rows[row][:at] + oriented + rows[row][at + len(word) :]
    return rows


def dataset(positives: list[str], negatives: list[str]) -> SequenceDataset:
    codes, lengths = encode([*positives, *negatives])
    labels = np.array([1] * len(positives) + [0] * len(negatives))
    names = np.array([f"s{number}" for number in range(len(labels))])
    return SequenceDataset(codes, lengths, labels, names)


def test_counts_and_p_values_are_those_of_fisher():
    found_in = dataset(sequences(40, 30, 1), sequences(50, 2, 2))
    held_out = dataset(sequences(30, 21, 3), sequences(70, 7, 4))
    (enrichment,) = measure_enrichment([discovered()], found_in, held_out)
    assert enrichment.n_sites == 28
    assert enrichment.positives_with_site == 21 / 30
    assert enrichment.negatives_with_site == 7 / 70
    expected = fisher_exact([[21, 9], [7, 63]], alternative="greater").pvalue
    assert enrichment.p_value == pytest.approx(expected, rel=1e-9)
    assert enrichment.log_p_value == pytest.approx(np.log(expected), rel=1e-9)
    assert enrichment.q_value == enrichment.p_value
    assert enrichment.fold == pytest.approx((22 / 32) / (8 / 72))
    assert sum(enrichment.profile) == 21
    assert enrichment.p_threshold in P_THRESHOLDS


def test_q_values_are_over_the_motifs():
    found_in = dataset(sequences(40, 30, 1), sequences(50, 2, 2))
    held_out = dataset(sequences(30, 21, 3), sequences(70, 7, 4))
    absent = discovered("CCGGCCGGCC")
    good, none = measure_enrichment([discovered(), absent], found_in, held_out)
    assert good.q_value == pytest.approx(2 * good.p_value)
    assert (none.n_sites, none.p_value, none.q_value, none.central) == (0, 1.0, 1.0, None)
    assert none.profile == (0,) * 20


def test_a_motif_against_the_target_is_tested_among_the_negatives():
    found_in = dataset(sequences(40, 2, 1), sequences(50, 30, 2))
    held_out = dataset(sequences(30, 3, 3), sequences(70, 49, 4))
    for_target, against = measure_enrichment(
        [discovered(), discovered(direction="negative")], found_in, held_out
    )
    expected = fisher_exact([[49, 21], [3, 27]], alternative="greater").pvalue
    assert against.p_value == pytest.approx(expected, rel=1e-9)
    assert for_target.p_value > 0.99
    assert against.fold == pytest.approx((4 / 32) / (50 / 72))


def test_sites_lie_where_they_were_put_and_overlaps_count_once():
    palindrome = "CGTACGTACG"  # is a site of both strands, and of itself 4 bases on
    rows = sequences(20, 20, 1, word=palindrome, start=30)
    found_in = dataset(rows, sequences(20, 0, 2))
    (enrichment,) = measure_enrichment([discovered(palindrome)], found_in, found_in)
    # Sites are of all sequences; none of these counts, as all are those of discovery.
    assert (enrichment.positives_with_site, enrichment.p_value, enrichment.fold) == (0.0, 1.0, 1.0)
    assert enrichment.n_sites == 20
    assert enrichment.sites["start"].tolist() == [30] * 20
    assert enrichment.sites["end"].tolist() == [40] * 20
    assert enrichment.sites["sequence"].tolist() == list(range(20))


def test_forward_sites_only():
    found_in = dataset(sequences(40, 40, 1), sequences(40, 0, 2))
    held_out = dataset(sequences(30, 30, 3), sequences(30, 0, 4))
    (both,) = measure_enrichment([discovered()], found_in, held_out)
    (forward,) = measure_enrichment([discovered()], found_in, held_out, strands="forward")
    assert (both.positives_with_site, forward.positives_with_site) == (1.0, 0.5)
    assert set(forward.sites["strand"]) == {"+"}


def test_sites_at_the_centre_are_told_from_sites_anywhere():
    found_in = dataset(sequences(40, 40, 5), sequences(40, 0, 2))
    negatives = sequences(40, 0, 4)
    central = dataset(sequences(60, 60, 1, start=25), negatives)
    anywhere = dataset(sequences(60, 60, 3), negatives)
    (near,) = measure_enrichment([discovered()], found_in, central)
    (far,) = measure_enrichment([discovered()], found_in, anywhere)
    # Of 50 places, 22 to 27 lie within the innermost tenth, 22.5 to 27.5 by their middles.
    assert near.central.p_value == pytest.approx(9 * (6 / 50) ** 60)
    assert near.central.region == pytest.approx(6 / 50)
    assert near.central.sites_inside == 1.0
    assert near.profile == tuple(60 if bin == 10 else 0 for bin in range(20))
    assert far.central.p_value > 0.01


def test_the_threshold_comes_from_the_sequences_of_discovery_alone():
    found_in = dataset(sequences(40, 30, 1), sequences(50, 2, 2))
    held_out = dataset(sequences(30, 21, 3), sequences(70, 7, 4))
    flipped = replace(held_out, labels=1 - held_out.labels)
    (one,), (other,) = (
        measure_enrichment([discovered()], found_in, part) for part in (held_out, flipped)
    )
    assert one.p_threshold == other.p_threshold


def test_fisher_stays_finite_far_out():
    log_p = fisher_log_p(np.array([5000]), 5000, np.array([0]), 5000)
    assert -7000 < log_p[0] < -6000


def test_both_classes_are_asked_for():
    good = dataset(sequences(10, 5, 1), sequences(10, 0, 2))
    one_class = dataset(sequences(10, 5, 1), [])
    for found_in, held_out in ((good, one_class), (one_class, good)):
        with pytest.raises(InputError, match="positives and negatives"):
            measure_enrichment([discovered()], found_in, held_out)
    assert measure_enrichment([], one_class, one_class) == []


def test_a_group_of_overlapping_windows_counts_once_in_each_class():
    found_in = dataset(sequences(40, 30, 1), sequences(50, 2, 2))
    positives, negatives = sequences(30, 21, 3), sequences(70, 7, 4)
    (alone,) = measure_enrichment([discovered()], found_in, dataset(positives, negatives))
    # The second window of each locus lacks a base of its end, the third is read on strand -.
    copies = [row[:-1] for row in positives[:25]] + [
        reverse_complement_string(row) for row in positives
    ]
    held_out = dataset(positives + copies, negatives)
    (enrichment,) = measure_enrichment([discovered()], found_in, held_out)
    for field in ("positives_with_site", "negatives_with_site", "p_value", "q_value", "fold"):
        assert getattr(enrichment, field) == getattr(alone, field)
    assert (enrichment.profile, enrichment.central) == (alone.profile, alone.central)
    assert enrichment.n_sites > 2.5 * 21  # the sites of all windows are still told


def test_held_out_sequences_that_overlap_those_of_discovery_are_left_out():
    positives, negatives = sequences(40, 30, 1), sequences(50, 2, 2)
    others, beside = sequences(30, 21, 3), sequences(70, 7, 4)
    held_out = dataset(others + [row[5:] for row in positives[:9]], beside + negatives[:3])
    counted = count_once(dataset(positives, negatives), held_out)
    assert (counted.left_out, counted.overlapping, counted.n_groups) == (12, 0, 100)
    assert np.flatnonzero(~counted.held_out).tolist() == [*range(30, 39), 109, 110, 111]
    (enrichment,) = measure_enrichment([discovered()], dataset(positives, negatives), held_out)
    assert (enrichment.positives_with_site, enrichment.negatives_with_site) == (21 / 30, 7 / 70)


def test_the_threshold_counts_a_group_once():
    weak = "GGCGTACAATAA"  # a site at the loosest thresholds alone
    strong = sequences(20, 12, 1)
    locus = sequences(1, 1, 5, word=weak)[0]
    found_in = dataset(strong, sequences(40, 0, 2) + sequences(12, 12, 6, word=weak))
    held_out = dataset(sequences(30, 21, 3), sequences(70, 7, 4))
    crowded = dataset([*strong, *[locus] * 200], found_in.subset(found_in.labels == 0).sequences())
    (one,), (other,) = (
        measure_enrichment([discovered()], f, held_out) for f in (found_in, crowded)
    )
    assert one.p_threshold == other.p_threshold == 1e-5


def test_each_of_both_classes_of_a_group_counts():
    rows = sequences(3, 3, 1)
    both = dataset([rows[0], rows[0], rows[1]], [rows[0], rows[2], rows[2]])
    counted = count_once(dataset(sequences(2, 1, 5), sequences(2, 0, 6)), both)
    assert counted.held_out.tolist() == [True, False, True, True, True, False]
    assert (counted.n_groups, counted.overlapping, counted.left_out) == (3, 2, 0)


def random_motif(generator: np.random.Generator) -> DiscoveredMotif:
    width = int(generator.integers(6, 12))
    ppm = np.full((4, width), 0.05)
    ppm[generator.integers(0, 4, width), np.arange(width)] = 0.85
    return DiscoveredMotif("random", ppm)


@pytest.mark.slow
def test_copies_of_positives_confirm_no_random_motif():
    generator = np.random.default_rng(0)
    false = 0
    for _ in range(30):
        rows = ["".join(generator.choice(list("ACGT"), 100)) for _ in range(488)]
        found_in = dataset(rows[:150], rows[150:300])
        held_out = dataset((rows[300:338] * 4)[:150], rows[338:])
        motifs = [random_motif(generator) for _ in range(10)]
        measured = measure_enrichment(motifs, found_in, held_out)
        false += min(one.q_value for one in measured) < 0.05
    assert false <= 3  # six when copies count
