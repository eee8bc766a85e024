"""Motifs discovered from explanations and from sequences alone."""

from __future__ import annotations

import numpy as np
import pytest

from motiflens.attribution import Attributions
from motiflens.discovery import DiscoveredMotif, MotifSite, discover_motifs, find_seqlets
from motiflens.errors import InputError
from motiflens.motifs import Motif, recover
from motiflens.sequences import PAD, encode, one_hot, reverse_complement_codes

LONG = "ACGTTGACCTGAATCGGATTCCAGTAC"  # 27 bp


def explained(
    motifs: dict[str, float],
    *,
    n: int = 120,
    length: int = 61,
    strands: str = "both",
    noise: float = 0.1,
    seed: int = 3,
) -> Attributions:
    """Random sequences with one motif each, in turn; every base of it contributes its value."""
    generator = np.random.default_rng(seed)
    codes = generator.integers(0, 4, (n, length)).astype(np.uint8)
    track = generator.normal(0.0, noise, (n, length))
    for row in range(n):
        text = list(motifs)[row % len(motifs)]
        word, _ = encode([text])
        if strands == "both" and generator.random() < 0.5:
            word = reverse_complement_codes(word, np.array([len(text)]))
        start = int(generator.integers(0, length - len(text) + 1))
        codes[row, start : start + len(text)] = word[0]
        track[row, start : start + len(text)] += motifs[text]
    bases = one_hot(codes)
    contributions = (bases * track[:, None]).astype(np.float32)
    return Attributions("planted", bases, contributions, contributions + 0.5)


def turned(attributions: Attributions, rows: np.ndarray) -> Attributions:
    """The same explanation with some sequences as their reverse complement."""

    def turn(values: np.ndarray) -> np.ndarray:
        return np.where(rows[:, None, None], values[:, ::-1, ::-1], values)

    assert attributions.hypothetical is not None
    return Attributions(
        attributions.method,
        turn(attributions.one_hot),
        turn(attributions.contributions),
        turn(attributions.hypothetical),
    )


def reordered(attributions: Attributions, order: np.ndarray) -> Attributions:
    assert attributions.hypothetical is not None
    return Attributions(
        attributions.method,
        attributions.one_hot[order],
        attributions.contributions[order],
        attributions.hypothetical[order],
    )


def matrices(motifs: list[DiscoveredMotif]) -> list[tuple[bytes, ...]]:
    return [
        (m.ppm.tobytes(), m.cwm.tobytes(), m.hypothetical_cwm.tobytes(), m.direction.encode())
        for m in motifs
    ]


def sites(motif: DiscoveredMotif) -> list[tuple[int, int, int, str]]:
    return [(s.sequence, s.start, s.end, s.strand) for s in motif.sites]


def test_a_motif_says_what_it_is():
    ppm = np.array([[0.9, 0.0, 0.1], [0.1, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.9]])
    lying = (MotifSite(0, 4, 7, "+", 2.5), MotifSite(1, 0, 3, "-", 1.5))
    motif = DiscoveredMotif("motif-1", ppm, n_sites=2, cwm=ppm * 2, sites=lying)
    assert (motif.width, motif.consensus, motif.direction) == (3, "AGT", "positive")
    other = motif.reverse_complement()
    assert (other.consensus, other.n_sites) == ("ACT", 2)
    assert [site.strand for site in other.sites] == ["-", "+"]
    np.testing.assert_array_equal(other.cwm, ppm[::-1, ::-1] * 2)
    assert motif.hypothetical_cwm is None


def test_seqlets_are_where_the_contributions_are():
    track = np.zeros((40, 60))
    track[:, 20:32] = 1.0
    track[7] = -track[7, ::-1]  # at 28 to 40, against the target
    bases = one_hot(np.random.default_rng(0).integers(0, 4, track.shape).astype(np.uint8))
    found = find_seqlets(Attributions("planted", bases, bases * track[:, None].astype(np.float32)))
    assert found["sequence"].tolist() == list(range(40))
    first = found[:7]
    assert (first["start"] <= 20).all()
    assert (first["end"] >= 32).all()
    assert (first["end"] - first["start"] <= 22).all()
    assert found["start"][7] <= 28
    assert found["end"][7] >= 40
    assert found["attribution"][6:9].tolist() == [12.0, -12.0, 12.0]
    assert found["p_value"].between(0, 1e-3, inclusive="neither").all()


def test_noise_has_as_few_seqlets_as_the_rate_says():
    noise = explained({LONG: 0.0}, n=200, length=83, noise=1.0)
    assert len(find_seqlets(noise, fdr=0.05)) <= 10
    planted = explained({"CGACCGAACTCC": 2.0}, n=200, length=83, noise=1.0)
    counts = [len(find_seqlets(planted, fdr=fdr)) for fdr in (0.01, 0.2)]
    assert 150 < counts[0] < counts[1]
    seqlets = find_seqlets(planted)
    strongest = seqlets["attribution"].abs().idxmax()
    assert seqlets["p_value"][strongest] == seqlets["p_value"].min()
    assert seqlets["p_value"].max() < 0.05


@pytest.mark.parametrize("fdr", [0.0, 1.0, -1.0, float("nan")])
def test_a_false_discovery_rate_is_a_fraction(fdr):
    with pytest.raises(InputError, match="fdr="):
        find_seqlets(explained({LONG: 1.0}, n=5), fdr=fdr)


def test_contributions_are_finite():
    attributions = explained({LONG: 1.0}, n=5)
    attributions.contributions[2] *= np.nan
    with pytest.raises(InputError, match="NaN"):
        discover_motifs(attributions)


def test_sites_and_matrices_of_a_planted_motif():
    planted = explained({"CGACCGAACTCC": 1.0}, noise=0.0, strands="forward")
    (motif,) = discover_motifs(planted, strands="forward")
    assert (motif.name, motif.consensus, motif.direction) == (
        "motif-1",
        "CGACCGAACTCC",
        "positive",
    )
    assert motif.n_sites == 120
    truth = (planted.track == 1.0).argmax(axis=1)
    assert sites(motif) == [(row, s, s + 12, "+") for row, s in enumerate(truth.tolist())]
    assert {s.score for s in motif.sites} == {12.0}
    assert motif.cwm is not None
    assert motif.hypothetical_cwm is not None
    np.testing.assert_array_equal(motif.cwm, motif.ppm)
    np.testing.assert_array_equal(motif.hypothetical_cwm, motif.ppm + 0.5)


def test_the_strand_is_that_of_the_site():
    planted = explained({"CGACCGAACTCC": 1.0}, noise=0.0)
    (motif,) = discover_motifs(planted)
    assert motif.consensus == "CGACCGAACTCC"
    strands = [s.strand for s in motif.sites]
    assert 40 < strands.count("-") < 80
    for seqlet in motif.sites:
        bases = planted.one_hot[seqlet.sequence, :, seqlet.start : seqlet.end]
        read = bases[::-1, ::-1] if seqlet.strand == "-" else bases
        np.testing.assert_array_equal(read, motif.ppm)


def test_neither_order_nor_strand_of_the_input_counts():
    planted = explained({"CGACCGAACTCC": 1.0, LONG: 0.7, "TTGCGCAA": -1.2}, n=180)
    found = discover_motifs(planted)
    assert len(found) == 3
    backwards = np.arange(180)[::-1]
    shuffled = discover_motifs(reordered(planted, backwards))
    assert matrices(shuffled) == matrices(found)
    for one, other in zip(found, shuffled, strict=True):
        assert sites(one) == sorted((179 - row, *rest) for row, *rest in sites(other))
    some = np.random.default_rng(1).random(180) < 0.6
    other_strand = discover_motifs(turned(planted, some))
    assert matrices(other_strand) == matrices(found)
    flip = {"+": "-", "-": "+"}
    for one, other in zip(found, other_strand, strict=True):
        back = [
            (row, 61 - end, 61 - start, flip[s]) if some[row] else (row, start, end, s)
            for row, start, end, s in sites(other)
        ]
        assert sites(one) == sorted(back)


def test_the_order_does_not_count_on_one_strand_either():
    planted = explained({"CGACCGAACTCC": 1.0, LONG: 0.7}, strands="forward")
    found = discover_motifs(planted, strands="forward")
    assert [m.consensus for m in found] == [LONG, "CGACCGAACTCC"]
    assert matrices(
        discover_motifs(reordered(planted, np.arange(120)[::-1]), strands="forward")
    ) == (matrices(found))


def test_long_motifs_are_not_cut():
    (motif,) = discover_motifs(explained({LONG: 1.0}))
    assert recover(motif.ppm, [Motif.from_string(LONG)]).exact


def test_a_motif_whose_centre_alone_contributes_shows_its_flanks():
    planted = explained({LONG: 0.0}, noise=0.0)
    core, _ = encode([LONG[10:17]])
    windows = np.lib.stride_tricks.sliding_window_view(planted.one_hot.argmax(axis=1), 7, axis=1)
    for word in (core, reverse_complement_codes(core, np.array([7]))):
        for row, start in np.argwhere((windows == word).all(axis=2)):
            piece = slice(start, start + 7)
            planted.contributions[row, :, piece] = planted.one_hot[row, :, piece]
    (motif,) = discover_motifs(planted)
    assert recover(motif.ppm, [Motif.from_string(LONG)]).exact


def test_several_motifs_are_told_apart():
    texts = ["CGACCGAACTCC", "TGACTCAGGT", "GGGATTTCCA", "CACGTGACAA", "AACCGGTTAACG"]
    found = discover_motifs(explained(dict.fromkeys(texts, 1.0), n=200))
    recovered = [recover(m.ppm, [Motif.from_string(t) for t in texts]) for m in found]
    assert sorted(r.truth for r in recovered) == sorted(texts)
    assert min(r.similarity for r in recovered) > 0.95


def test_motifs_against_the_target_say_so():
    found = discover_motifs(explained({"CGACCGAACTCC": 1.0, "TTGCGCAATG": -2.0}))
    assert [(m.direction, m.consensus) for m in found] == [
        ("negative", "CATTGCGCAA"),
        ("positive", "CGACCGAACTCC"),
    ]
    assert all(s.score < 0 for s in found[0].sites)


def test_short_sequences_with_padding_and_n():
    planted = explained({"TTGCGCAATG": 1.0}, n=90, length=35)
    codes = planted.one_hot.argmax(axis=1).astype(np.uint8)
    wide = np.full((90, 48), PAD, dtype=np.uint8)
    wide[:, 5:40] = codes
    wide[::4, 5:8] = PAD
    contributions = np.zeros((90, 4, 48), dtype=np.float32)
    contributions[:, :, 5:40] = planted.contributions
    bases = one_hot(wide)
    (motif,) = discover_motifs(Attributions("planted", bases, contributions * bases))
    assert motif.consensus == "CATTGCGCAA"
    assert motif.hypothetical_cwm is None
    assert all(5 <= s.start < s.end <= 40 for s in motif.sites)
    (alone,) = discover_motifs(planted)
    assert np.abs(alone.ppm - motif.ppm).max() < 0.1


def test_contributions_on_random_words_make_no_motif():
    for seed in range(2):
        generator = np.random.default_rng(seed)
        planted = explained({"N" * 9: 0.0}, n=150, noise=0.1, seed=seed)
        for row, start in enumerate(generator.integers(0, 50, 150)):
            planted.contributions[row, :, start : start + 9] += planted.one_hot[
                row, :, start : start + 9
            ]
        assert len(find_seqlets(planted)) > 100
        assert discover_motifs(planted) == []


@pytest.mark.parametrize("n", [0, 1, 4])
def test_too_few_sequences_have_no_motif(n):
    assert discover_motifs(explained({LONG: 1.0}, n=n)) == []


def test_sequences_shorter_than_a_window_have_no_seqlet():
    bases = one_hot(np.zeros((30, 5), dtype=np.uint8))
    assert find_seqlets(Attributions("planted", bases, bases)).empty
    assert discover_motifs(Attributions("planted", bases, bases)) == []
