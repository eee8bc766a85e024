"""Alignment of windows: planted motifs come back whole, chance gives none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from motiflens.discovery import DiscoveredMotif, align_windows
from motiflens.discovery.discover import MIN_WINDOWS
from motiflens.discovery.windows import MAX_WIDTH
from motiflens.sequences import ALPHABET, PAD, encode, reverse_complement_string

MOTIF = "CGACCGAACTCC"
Windows = NDArray[np.int64]


def certain(word: str) -> np.ndarray:
    """PPM (4, W) of a word."""
    return np.eye(4)[encode([word])[0][0]].T


class Planted:
    """Random sequences that hold a site each, and noisy windows on the sites."""

    def __init__(self, seed: int, n: int, length: int = 50, **kind: bool) -> None:
        self.generator = np.random.default_rng(seed)
        self.codes = self.generator.integers(0, 4, (n, length)).astype(np.uint8)
        self.lengths = np.full(n, length, dtype=np.int32)
        self.both = kind.get("both", False)

    def plant(self, ppm: np.ndarray, first: int = 0, last: int | None = None) -> Windows:
        """Put a site into every sequence, its start in [first, last]; gives start, end, minus."""
        width = ppm.shape[1]
        last = self.codes.shape[1] - width if last is None else last
        rows = []
        for row in self.codes:
            start = self.generator.integers(first, last + 1)
            site = np.array([self.generator.choice(4, p=column) for column in ppm.T])
            minus = self.both and self.generator.random() < 0.5
            row[start : start + width] = 3 - site[::-1] if minus else site
            rows.append((start, start + width, minus))
        return np.array(rows)

    def windows(self, sites: Windows, width: int, *, off: float, jitter: int = 6) -> Windows:
        """Windows on the sites, shifted by up to ``jitter``, and a share of them anywhere."""
        n, length = self.codes.shape
        centre = sites[:, :2].sum(axis=1) // 2 + self.generator.integers(-jitter, jitter + 1, n)
        lost = self.generator.random(n) < off
        centre = np.where(lost, self.generator.integers(0, length, n), centre)
        start = np.clip(centre - width // 2, 0, length - width)
        return np.stack([np.arange(n), start, start + width], axis=1)

    def align(self, windows: Windows) -> list[DiscoveredMotif]:
        strands = "both" if self.both else "forward"
        return align_windows(self.codes, windows, strands=strands)


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize(
    ("n", "width", "off"),
    [(100, 15, 0.1), (100, 12, 0.3), (200, 20, 0.2), (300, 25, 0.3), (1000, 15, 0.3)],
)
def test_the_planted_word_comes_back_whole(n: int, width: int, off: float, both: bool) -> None:
    for seed in range(3):
        planted = Planted(seed, n, both=both)
        sites = planted.plant(certain(MOTIF))
        (found,) = planted.align(planted.windows(sites, width, off=off))
        assert found.name == "motif-1"
        words = {MOTIF, reverse_complement_string(MOTIF)} if both else {MOTIF}
        assert found.consensus in words
        flipped = found.consensus != MOTIF
        right = []
        for sequence, *interval, _ in found.sites:
            start, end, minus = sites[sequence]
            right.append(interval == [start, end, "+" if minus == flipped else "-"])
        assert np.mean(right) > 0.98
        assert len(right) > (1 - off) * n * 0.85


def test_a_constant_shift_of_the_windows_cuts_nothing() -> None:
    planted = Planted(0, 150)
    sites = planted.plant(certain(MOTIF), first=8, last=30)
    for shift in (-5, 5):
        rows = np.arange(150)
        windows = np.stack([rows, sites[:, 0] + shift, sites[:, 1] + shift], axis=1)
        assert planted.align(windows)[0].consensus == MOTIF


def test_motifs_at_the_ends_of_the_sequences_are_whole() -> None:
    for place in (0, 38):
        planted = Planted(1, 120)
        sites = planted.plant(certain(MOTIF), first=place, last=place)
        (found,) = planted.align(planted.windows(sites, 15, off=0.1, jitter=3))
        assert found.consensus == MOTIF


def degenerate() -> np.ndarray:
    """A homeodomain-like motif: a strong core between weak columns, and an empty one."""
    strength = [0.6, 0.8, 0.97, 0.9, 0.25, 0.95, 0.85, 0.9, 0.6]
    ppm = np.empty((4, len(strength)))
    for column, (share, base) in enumerate(zip(strength, "GTAATTGCA", strict=True)):
        ppm[:, column] = (1 - share) / 3
        ppm[ALPHABET.index(base), column] = share
    return ppm


@pytest.mark.parametrize("both", [False, True])
def test_a_degenerate_motif_comes_back_with_its_frequencies(both: bool) -> None:
    planted = Planted(3, 400, 80, both=both)
    sites = planted.plant(degenerate())
    found = planted.align(planted.windows(sites, 18, off=0.2))[0]
    truth = degenerate()
    assert found.ppm.shape == truth.shape
    orientations = (found.ppm, found.ppm[::-1, ::-1]) if both else (found.ppm,)
    assert min(np.abs(ppm - truth).max() for ppm in orientations) < 0.12


def test_two_motifs_in_one_set_come_back_apart() -> None:
    planted = Planted(4, 200, 80)
    second = "TTGATAAGGT"
    left = planted.plant(certain(MOTIF), first=2, last=20)
    right = planted.plant(certain(second), first=45, last=65)
    windows = np.concatenate(
        [planted.windows(left, 16, off=0.1), planted.windows(right, 16, off=0.1)]
    )
    found = planted.align(windows)
    assert [motif.consensus for motif in found] == [MOTIF, second]
    assert [motif.name for motif in found] == ["motif-1", "motif-2"]


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("n", [100, 600])
def test_windows_on_random_sequences_give_no_motif(n: int, both: bool) -> None:
    for seed in range(6):
        planted = Planted(seed, n, both=both)
        anywhere = np.zeros((n, 2), dtype=np.int64)
        assert planted.align(planted.windows(anywhere, 20, off=1.0)) == []


@pytest.mark.parametrize("both", [False, True])
def test_windows_anywhere_do_not_show_a_motif_that_every_sequence_holds(both: bool) -> None:
    for seed in range(6):
        planted = Planted(seed, 300, both=both)
        sites = planted.plant(certain(MOTIF))
        assert planted.align(planted.windows(sites, 15, off=1.0)) == []


def test_skewed_composition_is_no_motif() -> None:
    generator = np.random.default_rng(5)
    codes = generator.choice(4, p=[0.45, 0.05, 0.05, 0.45], size=(300, 60)).astype(np.uint8)
    start = generator.integers(0, 40, 300)
    windows = np.stack([np.arange(300), start, start + 20], axis=1)
    assert align_windows(codes, windows) == []


def test_skewed_composition_is_no_motif_even_without_a_rest_to_compare_with() -> None:
    generator = np.random.default_rng(5)
    codes = generator.choice(4, p=[0.45, 0.05, 0.05, 0.45], size=(300, 60)).astype(np.uint8)
    whole = np.stack([np.arange(300), np.zeros(300), np.full(300, 60)], axis=1)
    assert align_windows(codes, whole) == []


def test_a_motif_cut_by_the_end_of_a_sequence_is_no_site() -> None:
    planted = Planted(11, 200)
    sites = planted.plant(certain(MOTIF), first=5, last=33)
    word = encode([MOTIF])[0][0]
    planted.codes[:30, :9], planted.codes[30:60, -9:] = word[3:], word[:9]
    rows = np.arange(200)
    sites[:30, :2], sites[30:60, :2] = (0, 9), (41, 50)
    windows = np.stack([rows, sites[:, 0], sites[:, 1]], axis=1)
    found = planted.align(windows)[0]
    assert found.consensus == MOTIF
    assert all(site.start >= 0 and site.end <= 50 for site in found.sites)


def same(one: list[DiscoveredMotif], other: list[DiscoveredMotif]) -> bool:
    return len(one) == len(other) and all(
        a.name == b.name and a.sites == b.sites and np.array_equal(a.ppm, b.ppm)
        for a, b in zip(one, other, strict=True)
    )


def test_the_order_of_windows_and_their_overlap_are_of_no_consequence() -> None:
    planted = Planted(6, 150, both=True)
    windows = planted.windows(planted.plant(certain(MOTIF)), 18, off=0.2)
    found = planted.align(windows)
    shuffled = planted.generator.permutation(windows)
    assert found
    assert same(planted.align(shuffled), found)
    halves = np.concatenate([np.add(windows, [0, 0, -6]), np.add(windows, [0, 6, 0]), windows])
    assert same(planted.align(halves), found)


def test_repeated_windows_are_no_evidence() -> None:
    planted = Planted(7, 12)
    windows = planted.windows(np.zeros((12, 2), dtype=np.int64), 15, off=1.0)
    assert planted.align(np.tile(windows, (40, 1))) == []


def test_the_ppm_is_that_of_the_sites() -> None:
    planted = Planted(8, 200, both=True)
    (found,) = planted.align(planted.windows(planted.plant(degenerate()), 18, off=0.1))[:1]
    oriented = []
    for sequence, start, end, strand, _ in found.sites:
        word = planted.codes[sequence, start:end].astype(int)
        oriented.append(word if strand == "+" else 3 - word[::-1])
    counts = (np.array(oriented) == np.arange(4)[:, None, None]).sum(axis=1)
    np.testing.assert_allclose(found.ppm, counts / found.n_sites)
    assert found.n_sites == len(found.sites)


@settings(max_examples=30, deadline=None)
@given(
    text=st.lists(st.text("ACGTN", min_size=1, max_size=30), min_size=1, max_size=9),
    strands=st.sampled_from(["forward", "both"]),
    data=st.data(),
)
def test_any_windows_are_accepted_and_sites_lie_on_their_sequences(
    text: list[str], strands: str, data: st.DataObject
) -> None:
    codes, lengths = encode(text * 4)
    rows = []
    for index in range(len(lengths)):
        start = data.draw(st.integers(0, int(lengths[index]) - 1))
        rows.append((index, start, data.draw(st.integers(start + 1, int(lengths[index])))))
    for motif in align_windows(codes, np.array(rows), strands=strands):  # type: ignore[arg-type]
        np.testing.assert_allclose(motif.ppm.sum(axis=0), 1)
        assert motif.ppm.shape[1] <= MAX_WIDTH
        assert motif.n_sites >= MIN_WINDOWS
        for sequence, start, end, *_ in motif.sites:
            assert 0 <= start < end <= lengths[sequence]
            assert end - start == motif.ppm.shape[1]


def test_sequences_of_unequal_length_on_both_strands() -> None:
    planted = Planted(9, 160, 60, both=True)
    sites = planted.plant(certain(MOTIF), last=25)
    planted.lengths = planted.generator.integers(40, 61, 160).astype(np.int32)
    planted.codes[np.arange(60) >= planted.lengths[:, None]] = PAD
    windows = planted.windows(sites, 15, off=0.0)
    (found,) = planted.align(windows)
    assert found.consensus in {MOTIF, reverse_complement_string(MOTIF)}
    assert all(site[1:3] == tuple(sites[site.sequence, :2]) for site in found.sites)


def test_no_windows_no_motif() -> None:
    codes, _ = encode(["ACGTACGT"])
    assert align_windows(codes, np.zeros((0, 3), dtype=np.int64)) == []
