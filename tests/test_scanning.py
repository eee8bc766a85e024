"""Where motifs occur: against every window scored one by one, and against FIMO's own output."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from motiflens import find_hits
from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.hits.blocks import Stretch, pack
from motiflens.hits.scores import (
    FIMO_BACKGROUND,
    STEPS_PER_BIT,
    read_background,
    score_motif,
    tail_of_scores,
)
from motiflens.hits.search import Searcher
from motiflens.io.fasta import read_records
from motiflens.motifs import Motif, motif_from_string, pwm
from motiflens.motifs.meme import read_meme
from motiflens.sequences import encode, reverse_complement_string

DATA = Path(__file__).parents[2] / "shared" / "data" / "meme_suite_examples"
SKEWED = (0.1, 0.2, 0.3, 0.4)


def random_motif(seed: int, width: int, n_sites: int = 20) -> Motif:
    ppm = np.random.default_rng(seed).dirichlet([0.4] * 4, size=width).T
    return Motif(f"m{seed}", ppm, n_sites)


def random_sequence(seed: int, length: int, letters: str = "ACGTacgtN") -> str:
    return "".join(np.random.default_rng(seed).choice(list(letters), size=length))


def rows(hits: pd.DataFrame) -> list[tuple[int, int, str, int]]:
    return [tuple(row) for row in hits[["sequence", "start", "strand", "motif"]].to_numpy()]


def one_by_one(motifs, sequences, p, base, strands) -> dict[tuple[int, int, str, int], float]:
    """Score every window on its own, on the letters of its strand."""
    found = {}
    for number, motif in enumerate(motifs):
        steps = np.rint(pwm(motif.ppm, base, 0.1 / motif.n_sites) * STEPS_PER_BIT).astype(int)
        words = itertools.product(range(4), repeat=motif.width)
        weights = {}
        for word in words:
            total = sum(steps[base_, at] for at, base_ in enumerate(word))
            weights[total] = weights.get(total, 0) + np.prod([base[b] for b in word])
        for row, sequence in enumerate(sequences):
            for start in range(len(sequence) - motif.width + 1):
                window = sequence[start : start + motif.width].upper()
                for strand in strands:
                    text = window if strand == "+" else reverse_complement_string(window)
                    if "N" in text:
                        continue
                    score = sum(steps["ACGT".index(letter), at] for at, letter in enumerate(text))
                    chance = sum(weight for s, weight in weights.items() if s >= score)
                    if chance <= p:
                        found[row, start, strand, number] = chance
    return found


@pytest.mark.parametrize("strands", ["both", "forward"])
def test_hits_are_those_of_every_window_scored_one_by_one(strands):
    motifs = [random_motif(seed, width) for seed, width in enumerate((1, 3, 4, 5, 6))]
    sequences = [random_sequence(9, 61), "AC", random_sequence(8, 40, "acgt"), "N" * 7, "G"]
    base = (0.35, 0.15, 0.15, 0.35)
    expected = one_by_one(motifs, sequences, 0.06, base, "+-" if strands == "both" else "+")
    hits = find_hits(motifs, sequences, p=0.06, background=base, strands=strands)
    assert rows(hits) == sorted(expected, key=lambda k: (k[0], k[1], k[3], k[2]))
    assert len({motif for *_, motif in rows(hits)}) == 4  # one base alone is too common
    chances = [expected[row] for row in rows(hits)]
    np.testing.assert_allclose(hits["p_value"], chances, rtol=1e-12)
    assert (hits["end"] - hits["start"]).tolist() == [motifs[m].width for m in hits["motif"]]


@given(
    st.integers(0, 10**6),
    st.integers(1, 21),
    st.builds(random_sequence, st.integers(0, 999), st.integers(1, 90), st.just("ACGT" * 6 + "N")),
    st.sampled_from([1.0, 0.3, 0.01]),
    st.integers(1, 70),
)
@settings(max_examples=60, deadline=None)
def test_any_width_and_any_cut_into_blocks_gives_the_plain_sums(seed, width, text, p, size):
    motif = random_motif(seed, width, n_sites=7)
    scored = score_motif(motif, SKEWED, p=p)
    codes = encode([text])[0][0]
    stretches = (
        Stretch(0, at, codes[at : at + size + width - 1], size) for at in range(0, len(text), size)
    )
    found = []
    for block in pack(stretches, size=2 * size):
        hits = Searcher([scored], both_strands=True).find(block)
        _, start = block.locate(hits.position)
        found += list(zip(start.tolist(), hits.reverse.tolist(), hits.score.tolist(), strict=True))
    expected = []
    for start in range(len(text) - width + 1):
        window = codes[start : start + width]
        if (window < 4).all():
            forward = int(scored.steps[window, np.arange(width)].sum())
            reverse = int(scored.steps[3 - window[::-1], np.arange(width)].sum())
            expected += [(start, False, forward), (start, True, reverse)]
    assert found == [row for row in expected if row[2] >= scored.threshold]


def test_the_tail_is_that_of_all_words():
    scored = score_motif(random_motif(3, 6), SKEWED, p=1.0)
    lowest, tail = tail_of_scores(scored.steps, SKEWED)
    words = np.array(list(itertools.product(range(4), repeat=6)))
    totals = scored.steps[words, np.arange(6)].sum(axis=1)
    chances = np.array(SKEWED)[words].prod(axis=1)
    assert (lowest, lowest + len(tail) - 1) == (totals.min(), totals.max())
    for score in (lowest, int(np.median(totals)), int(totals.max())):
        np.testing.assert_allclose(tail[score - lowest], chances[totals >= score].sum())
    assert scored.best_p == pytest.approx(chances[totals.argmax()])


def test_rounding_moves_a_score_by_no_more_than_is_said():
    motif = random_motif(1, 16)
    steps = score_motif(motif, FIMO_BACKGROUND, p=1e-4).steps
    exact = pwm(motif.ppm, FIMO_BACKGROUND, 0.1 / 20)
    assert np.abs(steps / STEPS_PER_BIT - exact).max() <= 0.5 / STEPS_PER_BIT


def test_the_q_values_are_those_of_all_windows():
    motif = random_motif(5, 4)
    sequences = [random_sequence(7, 150), random_sequence(6, 90)]
    every = find_hits([motif], sequences, p=1.0)
    expected = false_discovery_control(every["p_value"])
    np.testing.assert_allclose(every["q_value"], expected)
    # Without the windows above the threshold, the lowest of the rest is not known.
    few = find_hits([motif], sequences, p=0.02)
    kept = every[every["p_value"] <= 0.02]
    assert rows(few) == rows(kept)
    assert (few["q_value"].to_numpy() >= kept["q_value"].to_numpy() - 1e-12).all()
    raw = kept["p_value"] * len(every) / kept["p_value"].rank(method="max")
    assert few["q_value"].min() == pytest.approx(raw.min())


def test_a_palindrome_is_a_hit_on_both_strands():
    hits = find_hits([motif_from_string("CACGTG")], ["TTTCACGTGTTT"], p=1e-3)
    assert rows(hits) == [(0, 3, "+", 0), (0, 3, "-", 0)]
    assert hits["p_value"].nunique() == 1


def test_codes_strings_and_data_sets_give_the_same():
    sequences = [random_sequence(1, 50), random_sequence(2, 33), random_sequence(3, 41)]
    motifs = [random_motif(seed, width) for seed, width in ((0, 5), (1, 8))]
    codes, _ = encode(sequences)
    dataset = SequenceDataset.from_sequences(sequences, [1.0, 0.0, 1.0])
    hits = find_hits(motifs, sequences, p=0.05)
    assert len(hits) > 3
    pd.testing.assert_frame_equal(hits, find_hits(motifs, codes, p=0.05))
    pd.testing.assert_frame_equal(hits, find_hits(motifs, dataset, p=0.05))


@pytest.mark.parametrize("width", [1, 7, 8, 9, 60])
def test_a_site_is_found_where_it_was_put_whatever_the_width(width):
    site = random_sequence(width, width, "ACGT")
    sequences = ["T" * 5, "A" * 11 + site + "C" * 13, "G" * 4 + reverse_complement_string(site)]
    p = 0.25**width * 1.5
    hits = find_hits([motif_from_string(site)], sequences, p=max(p, 1e-9), background="uniform")
    assert {(1, 11, "+", 0), (2, 4, "-", 0)} <= set(rows(hits))


def test_nothing_to_find_gives_an_empty_table_with_the_same_columns():
    full = find_hits([motif_from_string("ACGTAA")], ["ACGTAA"], p=1e-3)
    for motifs, sequences in (
        ([motif_from_string("ACGTAA")], ["ACG", "NNNNNNNNN"]),
        ([motif_from_string("A")], ["AAAA"]),  # the best p of one base is 0.275
        ([], ["ACGTACGT"]),
        ([motif_from_string("ACGTAA")], []),
    ):
        hits = find_hits(motifs, sequences, p=1e-3)
        assert len(hits) == 0
        assert hits.dtypes.equals(full.dtypes)


def test_a_background_from_the_sequences_counts_every_base_once():
    sequences = ["AACCCGTTTN", "GGGGGGGGNA"]
    motif = motif_from_string("GG")
    base = np.array([3, 3, 9, 3]) / 18
    hits = find_hits([motif], sequences, p=1.0, background="sequences")
    assert hits["p_value"].min() == pytest.approx(((base[1] + base[2]) / 2) ** 2)
    hits = find_hits([motif], sequences, p=1.0, background="sequences", strands="forward")
    assert hits["p_value"].min() == pytest.approx(base[2] ** 2)


MODEL = """# order 0
A 2.5e-01
c 0.15
G 0.25
T 0.35 # rest
# order 1
AA 0.1
"""
MEME_HEADER = """MEME version 4

Background letter frequencies (from here):
A 0.25 C 0.15
G 0.25 T 0.35

MOTIF x
"""


@pytest.mark.parametrize("text", [MODEL, MEME_HEADER, MEME_HEADER.replace("15\nG", "15 G")])
def test_a_background_is_read_from_files_of_meme(tmp_path, text):
    (tmp_path / "bg").write_text(text)
    np.testing.assert_allclose(read_background(tmp_path / "bg"), (0.25, 0.15, 0.25, 0.35))


@pytest.mark.parametrize(
    "text", ["A 0.3\nC 0.2\nG 0.2\n", "A 1\nA 1\n", "A 0.3\nC 0.3\nG 0.3\nT 0.3\n", "A e C 1"]
)
def test_what_is_no_background_is_refused(tmp_path, text):
    (tmp_path / "bg").write_text(text)
    with pytest.raises(InputError, match="background"):
        read_background(tmp_path / "bg")


@given(st.binary(max_size=60))
@settings(max_examples=50)
def test_any_bytes_are_no_background_or_one(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "bg"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_background(path)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"p": 0.0}, "p=0.0"),
        ({"p": 1.1}, "p=1.1"),
        ({"p": float("nan")}, "p=nan"),
        ({"pseudocount": 0.0}, "pseudocount"),
        ({"background": (0.5, 0.5, 0, 0)}, "background"),
        ({"background": "unifrom"}, "'unifrom'"),
        ({"strands": "reverse"}, "strands"),
        ({"sequences": ["ACGX"]}, "'X' at position 4"),
        ({"sequences": "no.fa"}, "no such file"),
        ({"sequences": np.zeros((2, 3))}, "uint8"),
        ({"sequences": np.zeros((2, 5, 3))}, "one-hot"),
        ({"sequences": ["CCCC"], "background": "sequences"}, "0 A, 4 C, 0 G, 0 T"),
    ],
)
def test_what_is_wrong_is_said(change, problem):
    call = {"sequences": ["ACGT"], **change}
    with pytest.raises(InputError, match=problem):
        find_hits([motif_from_string("AC")], **call)


def test_it_agrees_with_fimo():
    if not DATA.exists():
        pytest.skip("the MEME Suite of the shared test data is not here")
    motifs = read_meme(DATA / "some_vertebrates.meme")
    records = read_records(DATA / "mm9_tss_500bp_sampled_1000.fna")
    found = find_hits(motifs, [record.sequence for record in records])
    places = [re.match(r"(\w+):(\d+)-", record.name) for record in records]
    found["sequence_name"] = [places[row][1] for row in found["sequence"]]
    found["start"] += [int(places[row][2]) for row in found["sequence"]]
    found["motif_id"] = [motifs[index].name for index in found["motif"]]
    keys = ["sequence_name", "start", "strand", "motif_id"]
    fimo = pd.read_csv(DATA / "expected" / "fimo__fimo.tsv", sep="\t", comment="#")
    both = fimo.merge(found.drop_duplicates(keys), on=keys, suffixes=("_fimo", ""))
    assert len(fimo) == 1494
    assert len(both) == 1494
    assert len(found.drop_duplicates(keys)) <= 1.01 * len(fimo)
    assert (np.abs(both["p_value"] / both["p-value"] - 1) < 0.05).mean() > 0.999
    assert np.abs(both["score"] - both["score_fimo"]).max() < 0.1
