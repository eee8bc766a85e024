"""Motifs discovered in sequences alone, and the arithmetic that discovery rests on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2
from tests.as_pairs import read_fasta

from motiflens.discovery import DiscoveredMotif, discover_motifs
from motiflens.discovery.oriented import orient
from motiflens.discovery.refinement import column_nats, informative_span
from motiflens.discovery.search import are_same_motif, similarity
from motiflens.discovery.windows import background_bits, cut_windows, fit_markov_chain
from motiflens.errors import InputError
from motiflens.motifs import Motif, recover
from motiflens.sequences import encode, reverse_complement_string

CRP0 = Path(__file__).parents[1] / "../shared/data/meme_suite_examples/crp0.fna"
WORD = "CGACCGAACTCC"
LONG = "ACGTTGACCTGAATCGGATTCCAGTAC"


def random_sequences(n: int, length: int, seed: int = 0) -> list[str]:
    codes = np.random.default_rng(seed).integers(0, 4, (n, length))
    return ["".join("ACGT"[base] for base in row) for row in codes]


def planted(
    texts: list[str], n: int, length: int, *, share: float = 1.0, seed: int = 0
) -> list[str]:
    """Random sequences; each holds one of the texts, on either strand, or none."""
    generator = np.random.default_rng(seed + 100)
    sequences = random_sequences(n, length, seed)
    for row, sequence in enumerate(sequences):
        text = texts[row % len(texts)]
        if generator.random() < 0.5:
            text = reverse_complement_string(text)
        start = int(generator.integers(0, length - len(text) + 1))
        if generator.random() < share:
            sequences[row] = sequence[:start] + text + sequence[start + len(text) :]
    return sequences


def matrices(motifs: list[DiscoveredMotif]) -> list[bytes]:
    return [m.ppm.tobytes() for m in motifs]


def test_crp_in_eighteen_sequences():
    if not CRP0.is_file():
        pytest.skip("crp0.fna of the shared test data is not here")
    titles = [t for t in CRP0.read_text().splitlines() if t.startswith(">")]
    starts = [[int(word) for word in title.split()[1:]] for title in titles]
    (motif,) = discover_motifs([sequence for _, sequence in read_fasta(CRP0)])
    near = {
        s.sequence
        for s in motif.sites
        if min(abs((s.start + s.end) / 2 - (first - 1 + 11)) for first in starts[s.sequence]) <= 2
    }
    assert len(near) >= 15
    assert motif.cwm is None
    assert all(s.score > 0 for s in motif.sites)


def test_a_motif_in_a_handful_of_sequences():
    sequences = planted([WORD], 9, 67)
    (motif,) = discover_motifs(sequences)
    assert motif.consensus == WORD
    assert {s.sequence for s in motif.sites} == set(range(9))
    for seqlet in motif.sites:
        text = sequences[seqlet.sequence][seqlet.start : seqlet.end]
        assert (reverse_complement_string(text) if seqlet.strand == "-" else text) == WORD


def test_neither_order_nor_strand_nor_case_of_the_input_counts():
    sequences = planted([WORD, "TTGCGCAATG"], 26, 43, seed=4)
    found = discover_motifs(sequences)
    assert len(found) == 2
    turned = [reverse_complement_string(s) if k % 3 else s for k, s in enumerate(sequences)]
    for changed in (sequences[::-1], turned, [s.lower() for s in sequences]):
        assert matrices(discover_motifs(changed)) == matrices(found)
    back = discover_motifs(sequences[::-1])[0].sites
    assert sorted((25 - s.sequence, s.start, s.strand) for s in back) == [
        (s.sequence, s.start, s.strand) for s in found[0].sites
    ]


def test_a_long_motif_in_many_sequences_that_do_not_all_hold_it():
    sequences = planted([LONG, WORD], 400, 71, share=0.6)
    found = discover_motifs(sequences)
    recovered = [recover(m.ppm, [Motif.from_string(LONG), Motif.from_string(WORD)]) for m in found]
    assert [(r.truth, r.exact) for r in recovered] == [(LONG, True), (WORD, True)]


def test_what_the_negatives_hold_too_is_not_reported():
    shared = "GGTTCAACCATTGG"
    sequences = planted([WORD + "TAT" + shared], 60, 73)
    apart = planted([WORD], 60, 73, seed=2)
    positives = [a + b for a, b in zip(planted([shared], 60, 61, seed=5), apart, strict=True)]
    negatives = planted([shared], 60, 131, seed=9)
    assert len(discover_motifs(positives)) == 2
    (motif,) = discover_motifs(positives, negatives)
    assert motif.consensus == WORD
    assert discover_motifs(sequences, planted([WORD + "TAT" + shared], 60, 79, seed=8)) == []


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("strands", ["both", "forward"])
def test_random_sequences_hold_no_motif(seed, strands):
    assert discover_motifs(random_sequences(17 + 9 * seed, 71, seed), strands=strands) == []


def test_one_strand_is_one_strand():
    sequences = planted([WORD], 40, 53)
    (motif,) = discover_motifs(sequences, strands="forward")[:1]
    assert {s.strand for s in motif.sites} == {"+"}
    assert len(motif.sites) == sum(WORD in sequence for sequence in sequences)


@pytest.mark.parametrize(
    "sequences", [[], ["ACGT"], ["A", "C", "G", "T"], ["", "", "", ""], ["NNNN"] * 5, ["A" * 9] * 2]
)
def test_too_little_to_find_anything_in(sequences):
    assert discover_motifs(sequences) == []


def test_n_and_short_sequences_are_no_obstacle():
    sequences = [s[:20] + "NNN" + s[20:] for s in planted([WORD], 25, 47)]
    found = discover_motifs([*sequences, "ACGTA", "N", "NNNNNNNNNNNN", "GA"])
    assert found[0].consensus == WORD


def test_wrong_calls_are_refused():
    with pytest.raises(InputError, match="no such file"):
        discover_motifs("no-file.fa")
    with pytest.raises(InputError, match="'X'"):
        discover_motifs(["ACGX"] * 4)
    with pytest.raises(InputError, match="strands"):
        discover_motifs(["ACGT"] * 4, strands="one")  # type: ignore[arg-type]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text("ACGTNacgtn", max_size=24), max_size=8))
def test_any_sequences_have_an_answer(sequences):
    for motif in discover_motifs(sequences):
        np.testing.assert_allclose(motif.ppm.sum(axis=0), 1)
        assert all(0 <= s.start < s.end <= len(sequences[s.sequence]) for s in motif.sites)


def test_columns_are_chi_square():
    background = np.array([0.3, 0.2, 0.1, 0.4])
    counts = np.array([[40, 3], [5, 30], [2, 9], [3, 8]], dtype=float)
    expected = 0.0
    for column in counts.T:
        ratio = (column * np.log(column / 50 / background)).sum()
        ratio /= 1 + ((1 / background).sum() - 1) / (18 * 50)
        expected += -chi2.logsf(2 * ratio, 3) - 1.5
    alone = -(counts * np.log2(background)[:, None]).sum()
    assert column_nats(counts, background, np.array(alone)) == pytest.approx(expected)
    less_rare = column_nats(counts, background, np.array(alone - 10.0))
    assert less_rare == pytest.approx(expected - 10 * np.log(2))


def test_a_motif_is_trimmed_to_what_pays_for_itself():
    background = np.full(4, 0.25)
    blank, full = np.full(4, 10.0), np.array([40.0, 0, 0, 0])
    columns = [blank, full, full, blank, blank, blank, full, full, blank]
    assert informative_span(np.array(columns).T, background) == (1, 8)
    far = [full, *[blank] * 12, full, full]
    assert informative_span(np.array(far).T, background) == (13, 15)
    assert informative_span(np.array([blank] * 5).T, background) is None


def test_parts_shifts_and_strands_are_same_motif_motif():
    ppm = Motif.from_string(WORD).ppm
    noise = np.full((4, 3), 0.25)
    other = Motif.from_string("TTGCGCAATG").ppm
    for matrix in (ppm, np.hstack([noise, ppm]), np.hstack([ppm[:, 1:], noise])):
        assert are_same_motif(40 * matrix, 50 * ppm, both_strands=False)
        assert are_same_motif(500 * matrix, 40 * ppm, both_strands=False)
        assert are_same_motif(50 * matrix[::-1, ::-1], 40 * ppm, both_strands=True)
        assert not are_same_motif(50 * matrix[::-1, ::-1], 40 * ppm, both_strands=False)
        assert not are_same_motif(50 * matrix, 40 * other, both_strands=True)
    assert are_same_motif(89 * ppm[:, 3:9], 30 * ppm, both_strands=False)
    assert not are_same_motif(91 * ppm[:, 3:9], 30 * ppm, both_strands=False)
    assert similarity(ppm[:, 3:9], ppm, both_strands=False) == pytest.approx(1)
    assert similarity(ppm, ppm[:, 3:9], both_strands=False) == pytest.approx(0.5)
    assert similarity(noise, ppm, both_strands=True) == 0


def test_the_background_is_a_markov_chain():
    codes, _ = encode(["ACACACAN", "CA"])
    chain = fit_markov_chain(codes, 1, both_strands=False)
    np.testing.assert_allclose(chain[0], np.array([1, 4, 1, 1]) / 7)  # after A: three C
    np.testing.assert_allclose(chain[1], np.array([5, 1, 1, 1]) / 8)  # after C: four A
    bits = background_bits(codes, chain, 1)
    expected = [2, *-np.log2([4 / 7, 5 / 8] * 3), 0]
    np.testing.assert_allclose(bits[0], expected)
    np.testing.assert_allclose(bits[1], [2, -np.log2(5 / 8), *[0] * 6])
    both = fit_markov_chain(codes, 1, both_strands=True)
    np.testing.assert_allclose(both[3], np.array([1, 1, 5, 1]) / 8)  # G after T: as A after C


def test_every_place_lies_in_one_window():
    tracks = orient(encode(random_sequences(1, 50))[0], both_strands=False)
    pieces = cut_windows(tracks, np.array([[0, 3, 47]]), both_strands=False, max_size=10)
    assert pieces.size.tolist() == [8, 9, 9, 9, 9]
    assert pieces.start.tolist() == [3, 11, 20, 29, 38]
    whole = cut_windows(tracks, np.array([[0, 3, 47]]), both_strands=False)
    logs = np.log2(np.random.default_rng(0).dirichlet(np.ones(4), 7).T)
    scores = pieces.scores(logs[None])[:, 0, 0]
    joined = np.concatenate([s[:n] for s, n in zip(scores, pieces.size, strict=True)])
    np.testing.assert_allclose(joined, whole.scores(logs[None])[0, 0, 0], atol=1e-5)
    bases = tracks.codes[0, 10:17]
    at = 10 + 7 // 2 - 3  # the place whose centre is the centre of 10 to 17
    expected = logs[bases, np.arange(7)].sum() - np.log2(whole.background)[bases].sum()
    assert joined[at] == pytest.approx(expected, abs=1e-5)
