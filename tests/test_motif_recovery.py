"""The recovery score against cases worked out by hand, and its laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motiflens.discovery import DiscoveredMotif, MotifSite
from motiflens.errors import InputError
from motiflens.motifs import Motif, information, recover

WORD = "CGACCGAACTCC"
TRUTH = Motif.from_string(WORD, "truth")
DECOY = Motif.from_string("TTGATAAG", "decoy")


def with_flank(ppm: np.ndarray, column: list[float]) -> np.ndarray:
    """Append a column."""
    return np.column_stack([ppm, column])


def random_ppm(seed: int, width: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet([0.4] * 4, width).T


def test_the_truth_recovers_itself() -> None:
    found = recover(TRUTH.ppm, [DECOY, TRUTH])
    assert (found.truth, found.offset, found.strand, found.exact) == ("truth", 0, "+", True)
    assert found.similarity == pytest.approx(1)


def test_a_found_motif_may_be_passed_itself() -> None:
    motif = DiscoveredMotif("ism-1", TRUTH.ppm, sites=(MotifSite(0, 3, 15, "+"),))
    assert recover(motif, [TRUTH]) == recover(TRUTH.ppm, [TRUTH])


@pytest.mark.parametrize(("cut", "offset"), [(slice(1, None), 1), (slice(None, -1), 0)])
def test_a_motif_cut_by_a_column_is_not_exact(cut: slice, offset: int) -> None:
    found = recover(TRUTH.ppm[:, cut], [TRUTH])
    assert (found.offset, found.strand, found.exact) == (offset, "+", False)
    assert found.similarity == pytest.approx(11 / 12)


def test_a_shifted_motif_keeps_its_similarity_but_not_its_exactness() -> None:
    shifted = np.column_stack([TRUTH.ppm[:, 2:], np.full((4, 2), 0.25)])
    found = recover(shifted, [TRUTH])
    assert (found.offset, found.exact) == (2, False)
    assert found.similarity == pytest.approx(10 / 12)


def test_the_other_strand_counts() -> None:
    longer = with_flank(TRUTH.ppm, [0.25] * 4)
    found = recover(longer[::-1, ::-1], [TRUTH])
    assert (found.strand, found.offset, found.exact) == ("-", 0, True)


@pytest.mark.parametrize(
    ("column", "exact"),
    [([1, 0, 0, 0], False), ([0.8, 0.1, 0.05, 0.05], True), ([0.9, 0.1, 0, 0], False)],
)
def test_a_column_outside_the_truth_may_hold_one_bit(column: list[float], exact: bool) -> None:
    longer = with_flank(TRUTH.ppm, column)
    found = recover(longer, [TRUTH])
    assert found.exact == exact
    assert found.similarity == pytest.approx(1)


def test_one_wrong_letter_is_not_exact() -> None:
    wrong = TRUTH.ppm.copy()
    wrong[:, 5] = [0.7, 0.1, 0.1, 0.1]
    assert not recover(wrong, [TRUTH]).exact
    hazy = TRUTH.ppm.copy()
    hazy[:, 5] = [0.2, 0.2, 0.4, 0.2]  # G leads, but the consensus says N
    assert not recover(hazy, [TRUTH]).exact


def test_columns_weigh_by_their_information() -> None:
    truth = Motif("mixed", np.array([[1, 0, 0, 0], [0, 0.5, 0.5, 0], [0.25] * 4]).T)
    first, second = truth.ppm.copy(), truth.ppm.copy()
    first[:, 0], second[:, 1] = 0.25, 0.25
    bits = information(truth.ppm)
    np.testing.assert_allclose(bits, [2, 1, 0])
    assert recover(first, [truth]).similarity == pytest.approx(1 / 3)
    assert recover(second, [truth]).similarity == pytest.approx(2 / 3)


def test_an_n_of_the_truth_may_be_any_letter_without_information() -> None:
    truth = Motif.from_string("GATNNTCC")
    hazy, sharp = truth.ppm.copy(), truth.ppm.copy()
    hazy[:, 3], sharp[:, 3] = [0.7, 0.1, 0.1, 0.1], [1, 0, 0, 0]
    assert recover(hazy, [truth]).exact
    assert not recover(sharp, [truth]).exact


def test_chance_scores_low() -> None:
    similarities = [recover(random_ppm(seed, 12), [TRUTH]).similarity for seed in range(30)]
    assert np.mean(similarities) < 0.5
    assert max(similarities) < 0.7
    flat = recover(np.full((4, 7), 0.25), [TRUTH])
    assert (flat.similarity, flat.exact) == (0, False)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 14), st.integers(1, 11))
def test_reversing_both_changes_no_similarity(seed: int, width: int, truth_width: int) -> None:
    found, truth = random_ppm(seed, width), Motif("t", random_ppm(seed + 1, truth_width))
    one = recover(found, [truth])
    other = recover(found[::-1, ::-1], [truth.reverse_complement()])
    assert one.similarity == pytest.approx(other.similarity, abs=1e-6)
    assert -1 <= one.similarity <= 1
    assert recover(truth.ppm, [truth]).similarity == pytest.approx(1)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 7))
def test_the_best_alignment_is_a_plain_loops(seed: int, width: int, truth_width: int) -> None:
    found, truth = random_ppm(seed, width), random_ppm(seed + 1, truth_width)
    bits = information(truth)
    best = -np.inf
    for ppm in (found, found[::-1, ::-1]):
        for offset in range(1 - width, truth_width):
            total = 0.0
            for j in range(truth_width):
                if 0 <= j - offset < width:
                    total += bits[j] * np.corrcoef(ppm[:, j - offset], truth[:, j])[0, 1]
            best = max(best, total / bits.sum())
    assert recover(found, [Motif("t", truth)]).similarity == pytest.approx(best, abs=1e-6)


def test_a_wrong_call_is_refused() -> None:
    with pytest.raises(InputError, match="no true motif"):
        recover(TRUTH.ppm, [])
    with pytest.raises(InputError, match=r"shape \(12, 4\)"):
        recover(TRUTH.ppm.T, [TRUTH])
    with pytest.raises(InputError, match="no information"):
        recover(TRUTH.ppm, [Motif.from_string("NNN")])
