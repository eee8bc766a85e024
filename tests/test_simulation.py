"""Simulated data: every option of a grammar shows in what is drawn, and the sites are true."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, chisquare

from motiflens.datasets import SequenceDataset, exact_matches
from motiflens.errors import InputError
from motiflens.io.tables import write_table
from motiflens.motifs import Motif, write_meme
from motiflens.sequences import reverse_complement_string
from motiflens.simulation import (
    Grammar,
    MotifUse,
    Spacing,
    grammar_files,
    read_grammar,
    simulate,
    tutorial_grammar,
)

TUTORIAL = "CGACCGAACTCC"


def use(text: str, **options) -> MotifUse:
    return MotifUse(Motif.from_string(text), **options)


def sites_of(data: SequenceDataset, name: str) -> list[tuple[int, int, str]]:
    """Row, start and strand of every recorded site of that name."""
    return [
        (row, site.start, site.strand)
        for row, sites in enumerate(data.sites)
        for site in sites
        if site.name == name
    ]


def texts_of(data: SequenceDataset, name: str) -> list[str]:
    """The letters of every recorded site, read along its own strand."""
    sequences = data.sequences()
    texts = []
    for row, sites in enumerate(data.sites):
        for site in sites:
            text = sequences[row][site.start : site.end]
            if site.name == name:
                texts.append(text if site.strand == "+" else reverse_complement_string(text))
    return texts


def likely(successes: int, n: int, p: float) -> bool:
    return binomtest(successes, n, p).pvalue > 0.001


def test_the_tutorial_set():
    data = simulate(tutorial_grammar(), seed=0)
    assert data.codes.shape == (2000, 50)
    assert data.labels.sum() == 1000
    assert data.names[0] == "seq0001"
    assert data.split is None
    assert texts_of(data, TUTORIAL) == [TUTORIAL] * 1000
    assert [len(sites) for sites in data.sites] == data.labels.tolist()
    assert (exact_matches(data.codes, TUTORIAL).sum(axis=1) == data.labels).all()
    assert 400 < data.labels[:1000].sum() < 600  # positives and negatives are mixed


def test_starts_are_uniform_and_include_both_ends():
    data = simulate(tutorial_grammar(n=7800), seed=1)
    starts = Counter(start for _, start, _ in sites_of(data, TUTORIAL))
    assert set(starts) == set(range(39))
    assert chisquare(list(starts.values())).pvalue > 0.001
    assert {strand for _, _, strand in sites_of(data, TUTORIAL)} == {"+"}


def test_start_range_is_kept_and_used_to_both_ends():
    grammar = Grammar((use("CAGGTG", start_min=5, start_max=8),), n=800, length=30)
    starts = Counter(start for _, start, _ in sites_of(simulate(grammar, 2), "CAGGTG"))
    assert set(starts) == {5, 6, 7, 8}
    assert chisquare(list(starts.values())).pvalue > 0.001


def test_both_strands_are_used_alike_and_recorded():
    data = simulate(tutorial_grammar(n=1000, strands="both"), seed=3)
    strands = Counter(strand for _, _, strand in sites_of(data, TUTORIAL))
    assert likely(strands["-"], 500, 0.5)
    assert texts_of(data, TUTORIAL) == [TUTORIAL] * 500
    reverse = exact_matches(data.codes, reverse_complement_string(TUTORIAL))
    assert reverse.sum() == strands["-"]


def test_mutations_have_their_rate_and_their_three_targets():
    data = simulate(tutorial_grammar(n=4000, mutation_rate=0.15), seed=4)
    changed = Counter(
        (old, new)
        for text in texts_of(data, TUTORIAL)
        for old, new in zip(TUTORIAL, text, strict=True)
    )
    n_changed = sum(n for (old, new), n in changed.items() if old != new)
    assert likely(n_changed, 2000 * 12, 0.15)
    from_c = [changed["C", base] for base in "AGT"]
    assert chisquare(from_c).pvalue > 0.001


def test_a_matrix_and_iupac_letters_are_drawn_by_column():
    ppm = np.array([[0.1, 1.0, 0.0], [0.2, 0.0, 0.5], [0.3, 0.0, 0.0], [0.4, 0.0, 0.5]])
    data = simulate(Grammar((MotifUse(Motif("m", ppm)),), n=4000, length=9), seed=5)
    texts = texts_of(data, "m")
    first = Counter(text[0] for text in texts)
    expected = [200, 400, 600, 800]
    assert chisquare([first[base] for base in "ACGT"], expected).pvalue > 0.001
    assert {text[1:] for text in texts} == {"AC", "AT"}


def test_copies_never_overlap_and_fill_the_room_evenly():
    grammar = Grammar((use("CAGGTG", copies=3),), n=3000, length=20, positive_fraction=1)
    data = simulate(grammar, seed=6)
    arrangements = Counter(tuple(site.start for site in sites) for sites in data.sites)
    possible = [
        starts
        for starts in itertools.combinations(range(15), 3)
        if starts[1] - starts[0] >= 6 and starts[2] - starts[1] >= 6
    ]
    assert set(arrangements) == set(possible)
    assert chisquare(list(arrangements.values())).pvalue > 0.001
    assert texts_of(data, "CAGGTG") == ["CAGGTG"] * 9000


def test_sites_find_narrow_places_in_a_long_sequence():
    uses = (
        use("CAGGTG", start_min=900, start_max=900),
        use("TTGCGC", start_min=906, start_max=907),
    )
    data = simulate(Grammar(uses, n=20, length=2000), seed=0)
    assert {start for _, start, _ in sites_of(data, "CAGGTG")} == {900}
    assert {start for _, start, _ in sites_of(data, "TTGCGC")} == {906, 907}


def test_sites_find_room_in_a_crowd():
    grammar = Grammar((use("CAGGTG", copies=8),), n=20, length=50, positive_fraction=1)
    assert texts_of(simulate(grammar, 0), "CAGGTG") == ["CAGGTG"] * 160


def test_probability_is_that_of_each_copy():
    grammar = Grammar((use("CAGGTG", copies=2, probability=0.3),), n=2000, positive_fraction=1)
    counts = Counter(len(sites) for sites in simulate(grammar, 7).sites)
    expected = [2000 * p for p in (0.49, 0.42, 0.09)]
    assert chisquare([counts[k] for k in range(3)], expected).pvalue > 0.001
    none = Grammar((use("CAGGTG", probability=0.0),), n=50)
    assert not any(simulate(none, 0).sites)


PAIR = (use("CAGGTG", strands="both"), use("TTGCGCAT", strands="both"))


@pytest.mark.parametrize("orientation", ["any", "same", "opposite"])
def test_spacing_and_orientation_are_kept(orientation):
    spacing = (Spacing("TTGCGCAT", "CAGGTG", 2, 4, orientation),)
    data = simulate(Grammar(PAIR, n=1200, length=60, spacing=spacing), seed=8)
    gaps, same = Counter(), 0
    for sites in data.sites:
        if sites:
            first, second = sites
            assert (first.name, second.name) == ("TTGCGCAT", "CAGGTG")
            gaps[second.start - first.end] += 1
            same += first.strand == second.strand
    assert set(gaps) == {2, 3, 4}
    assert chisquare(list(gaps.values())).pvalue > 0.001
    assert likely(same, 600, 0.5) if orientation == "any" else same == 600 * (orientation == "same")


def test_a_start_range_holds_for_both_motifs_of_a_spacing():
    pair = (use("CAGGTG", start_max=10), use("TTGCGCAT", start_min=20))
    data = simulate(Grammar(pair, n=400, spacing=(Spacing("CAGGTG", "TTGCGCAT", 0, 9),)), seed=9)
    starts = [[site.start for site in sites] for sites in data.sites if sites]
    assert {first for first, _ in starts} == set(range(5, 11))
    assert min(second for _, second in starts) == 20
    assert all(0 <= second - first - 6 <= 9 for first, second in starts)


def test_without_spacing_the_order_is_free():
    data = simulate(Grammar(PAIR, n=400), seed=10)
    first = sum(sites[0].name == "CAGGTG" for sites in data.sites if sites)
    assert likely(first, 200, 0.5)


def test_background_composition():
    background = (0.4, 0.1, 0.0, 0.5)
    grammar = Grammar((use("CAGGTG"),), n=300, length=40, background=background)
    data = simulate(grammar, seed=11)
    counts = np.bincount(data.codes[data.labels == 0].ravel(), minlength=4)
    assert counts[2] == 0
    expected = 150 * 40 * np.array([0.4, 0.1, 0.5])
    assert chisquare(counts[[0, 1, 3]], expected).pvalue > 0.001


def test_lengths_are_uniform_over_their_range():
    grammar = Grammar((use("CAGGTG"),), n=1200, length=(12, 17))
    data = simulate(grammar, seed=12)
    counts = Counter(data.lengths.tolist())
    assert set(counts) == set(range(12, 18))
    assert chisquare(list(counts.values())).pvalue > 0.001
    ends = {data.lengths[row] - start - 6 for row, start, _ in sites_of(data, "CAGGTG")}
    assert min(ends) == 0


@pytest.mark.parametrize(("fraction", "n_positive"), [(0.0, 0), (0.3, 30), (1.0, 100)])
def test_share_of_positives(fraction, n_positive):
    data = simulate(Grammar((use("CAGGTG"),), n=100, positive_fraction=fraction), seed=0)
    assert data.labels.sum() == n_positive
    assert len(sites_of(data, "CAGGTG")) == n_positive


def test_flipped_labels_keep_their_sites():
    clean = tutorial_grammar(n=400)
    data = simulate(replace(clean, label_noise=0.2), seed=13)
    has_site = np.array([len(sites) for sites in data.sites])
    assert has_site.sum() == 200
    flipped = has_site != data.labels
    assert flipped.sum() == 80
    assert 20 < flipped[has_site == 1].sum() < 60


def test_shuffled_negatives_hold_the_bases_of_the_motif_but_not_the_motif():
    # Nothing but A and T around the motif, so that its bases can be counted.
    site = use("CGCGCC", strands="both")
    grammar = Grammar((site,), n=600, background=(0.5, 0.0, 0.0, 0.5), negatives="shuffled")
    data = simulate(grammar, seed=14)
    negatives = data.subset(data.labels == 0)
    bases = Counter()
    for text in negatives.sequences():
        (core,) = re.findall("[CG]+", text)
        assert sorted(core) in (sorted("CGCGCC"), sorted("GCGCGG"))
        assert core not in ("CGCGCC", "GGCGCG")
        bases[core] += 1
    assert len(bases) > 20
    assert not any(negatives.sites)


def test_a_subset_negative_holds_some_motifs_but_never_all():
    words = ("GATTACAGATTACA", "CCGGTTCCGGTTAC", "TTGACGTCAATTGC")
    decoy = "ACACTGTGACACTG"
    dataset = simulate(
        Grammar(
            tuple(use(word, strands="both") for word in words),
            n=2000,
            length=90,
            negatives="subset",
            decoys=(use(decoy),),
            decoys_in_positives=True,
        ),
        5,
    )
    assert all(exact_matches(dataset.codes, decoy).any(axis=1))
    held = [frozenset(site.name for site in row) for row in dataset.sites]
    assert {one for one, label in zip(held, dataset.labels, strict=True) if label} == {
        frozenset(words)
    }
    # Seven strict subsets of three, each as often as the next among 1,000 negatives.
    counts = Counter(one for one, label in zip(held, dataset.labels, strict=True) if not label)
    assert len(counts) == 7
    assert frozenset(words) not in counts
    assert min(counts.values()) > 100
    assert max(counts.values()) < 190
    # The recorded sites of negatives are real ones, and no motif is there beside them.
    for word in words:
        there = exact_matches(dataset.codes, word).sum(axis=1) + exact_matches(
            dataset.codes, reverse_complement_string(word)
        ).sum(axis=1)
        np.testing.assert_array_equal(there, [word in one for one in held])


@pytest.mark.parametrize("negatives", ["swapped", "moved"])
def test_negatives_that_break_a_spacing_hold_its_motifs_otherwise(negatives):
    uses = (use("GATTACAG", strands="both"), use("TTGACGTCA", strands="both"), use("CACGTG"))
    pair = Spacing("GATTACAG", "TTGACGTCA", 4, 6, "same")
    dataset = simulate(
        Grammar(uses, n=600, length=60, negatives=negatives, spacing=(pair,)), seed=16
    )
    gaps = {0: [], 1: []}
    for row, label in zip(dataset.sites, dataset.labels, strict=True):
        held = {site.name: site for site in row}
        assert len(held) == len(row) == 3
        first, second = held["GATTACAG"], held["TTGACGTCA"]
        assert first.strand == second.strand
        swapped = second.start < first.start
        left, right = (second, first) if swapped else (first, second)
        gaps[int(label)].append((swapped, right.start - left.end))
    assert set(gaps[1]) == {(False, gap) for gap in (4, 5, 6)}
    if negatives == "swapped":
        assert set(gaps[0]) == {(True, gap) for gap in (4, 5, 6)}
    else:
        # 60 bases less the three motifs leave 37.
        assert set(gaps[0]) == {(False, gap) for gap in range(38) if not 4 <= gap <= 6}


def test_a_subset_of_one_motif_is_none_and_needs_no_decoys():
    dataset = simulate(Grammar((use(TUTORIAL),), n=200, negatives="subset"), 1)
    held = [len(row) for row in dataset.sites]
    np.testing.assert_array_equal(held, dataset.labels)


def test_decoys_are_in_negatives_and_on_request_in_positives():
    decoy = use("TTGCGCAATT", mutation_rate=0.0)
    for in_positives in (False, True):
        grammar = Grammar(
            (use(TUTORIAL),),
            n=200,
            negatives="decoys",
            decoys=(decoy,),
            decoys_in_positives=in_positives,
        )
        data = simulate(grammar, seed=15)
        held = exact_matches(data.codes, "TTGCGCAATT").any(axis=1)
        assert (held == (in_positives | (data.labels == 0))).all()
        assert {site.name for sites in data.sites for site in sites} == {TUTORIAL}
    only = Grammar((use(TUTORIAL),), n=200, decoys=(decoy,), decoys_in_positives=True)
    data = simulate(only, seed=16)
    assert (exact_matches(data.codes, "TTGCGCAATT").any(axis=1) == data.labels).all()


def test_a_motif_of_sixteen_bits_is_nowhere_by_chance():
    # In a background of C alone but for a little A, chance matches would be in every second row.
    grammar = Grammar((use("CCCCCCAC"),), n=300, length=60, background=(0.02, 0.98, 0.0, 0.0))
    data = simulate(grammar, seed=17)
    assert (exact_matches(data.codes, "CCCCCCAC").sum(axis=1) == data.labels).all()
    reverse = replace(grammar, motifs=(use("GTGGGGGG", strands="both"),))
    data = simulate(reverse, seed=17)
    assert not exact_matches(data.codes, "CCCCCCAC")[data.labels == 0].any()
    shorter = simulate(replace(grammar, motifs=(use("CCCCCAC"),)), seed=17)
    assert exact_matches(shorter.codes, "CCCCCAC")[shorter.labels == 0].any()


def test_equal_seeds_give_equal_bytes(tmp_path):
    grammar = tutorial_grammar(n=60, strands="both", mutation_rate=0.1)
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        write_table(simulate(grammar, seed), tmp_path / f"{name}.parquet")
    one, same, other = ((tmp_path / f"{name}.parquet").read_bytes() for name in "abc")
    assert one == same
    assert one != other
    assert simulate(replace(grammar, seed=5)).data_sha256() == simulate(grammar, 5).data_sha256()


REFUSED = [
    (lambda: tutorial_grammar(length=11), "a site of CGACCGAACTCC, 12 bases"),
    (lambda: tutorial_grammar(motif="ACX"), "'ACX' is no motif"),
    (lambda: tutorial_grammar(n=0), "n, the number of sequences"),
    (lambda: tutorial_grammar(mutation_rate=1.1), "the mutation rate of"),
    (lambda: tutorial_grammar(strands="reverse"), "is unknown; choose forward or both"),
    (lambda: use("ACG", copies=0), "copies of ACG is "),
    (lambda: use("ACG", copies=1.5), "copies of ACG"),
    (lambda: use("ACG", probability=-0.1), "the probability of ACG is "),
    (lambda: use("ACG", start_min=-1), "start_min of ACG"),
    (lambda: use("ACG", start_min=4, start_max=3), "start_max of ACG"),
    (lambda: Grammar(()), "the grammar has no motif"),
    (lambda: Grammar((use("ACG"), use("acg"))), "'ACG' names two motifs or decoys"),
    (lambda: Grammar((use("ACG"),), length=(9, 8)), "the longest length"),
    (lambda: Grammar((use("ACG"),), length=0), "length is "),
    (lambda: Grammar((use("ACG"),), length="50"), "length is "),
    (lambda: Grammar((use("ACGT"),), length=(3, 50)), "does not fit into sequences of"),
    (lambda: Grammar((use("ACG", start_max=8),), length=10), "does not fit into sequences of"),
    (
        lambda: Grammar((use("ACG", copies=4),), length=11),
        "take 12 bases, and the",
    ),
    (lambda: Grammar((use("ACG"),), positive_fraction=2), "positive_fraction"),
    (lambda: Grammar((use("ACG"),), label_noise=float("nan")), "label_noise"),
    (lambda: Grammar((use("ACG"),), seed=-1), "seed is "),
    (lambda: Grammar((use("ACG"),), background=(0.5, 0.5, 0.5, -0.5)), "of the background"),
    (lambda: Grammar((use("ACG"),), background=(0.5, 0.5)), "is not four probabilities"),
    (lambda: Grammar((use("ACG"),), background=(0.5, 0.5, 0.5, 0.5)), "is not four probabilities"),
    (
        lambda: Grammar((use("ACG"),), negatives="shuffle"),
        "negatives is 'shuffle'",
    ),
    (lambda: Grammar((use("ACG"),), negatives="decoys"), "decoys, and negatives is"),
    (lambda: Grammar((use("ACG"),), decoys=(use("TTT"),)), "decoys, and negatives is"),
    (
        lambda: Grammar((use("ACG"),), negatives="subset", decoys_in_positives=True),
        "decoys, and negatives is",
    ),
    (lambda: Spacing("a", "a", 1, 2), "between two motifs"),
    (lambda: Spacing("a", "b", 3, 2), "max_gap of"),
    (lambda: Spacing("a", "b", -1, 2), "min_gap of"),
    (lambda: Spacing("a", "b", 1, 2, "both"), "the orientation of"),
    (lambda: spaced(use("AAC"), "x"), "'x', which is none of the motifs"),
    (lambda: spaced(use("AAC", copies=2), "AAC"), "AAC with 2 copies"),
    (lambda: spaced(use("AAC"), "AAC", orientation="same"), "with AAC on one strand"),
    (
        lambda: Grammar((use("AAC"),), negatives="swapped"),
        "negatives is 'swapped', and the grammar has no spacing",
    ),
    (
        lambda: replace(spaced(use("AAC"), "AAC", min_gap=0), negatives="moved"),
        "takes every gap that 50 bases have room for",
    ),
    (
        lambda: spaced(use("AAC"), "AAC", min_gap=45),
        "take 51 bases, and the",
    ),
]


def spaced(motif: MotifUse, name: str, min_gap: int = 1, orientation: str = "any") -> Grammar:
    pair = Spacing(name, "GGT", min_gap, 60, orientation)
    return Grammar((motif, use("GGT", strands="both")), spacing=(pair,))


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(InputError, match=re.escape(message)):
        make()


def test_a_motif_in_two_spacings_is_refused():
    motifs = (use("AAC"), use("GGT"), use("TTC"))
    pairs = (Spacing("AAC", "GGT", 1, 2), Spacing("GGT", "TTC", 1, 2))
    with pytest.raises(InputError, match="GGT in two spacings"):
        Grammar(motifs, spacing=pairs)


@pytest.mark.parametrize(
    ("grammar", "message"),
    [
        (
            Grammar(tuple(use(t, start_min=3, start_max=5) for t in ("ACGT", "GGTT")), n=4),
            "ACGT, GGTT did not fit into 50 bases",
        ),
        (Grammar((use("AAAA"),), n=4, negatives="shuffled"), "1000 shuffles of AAAA"),
        (Grammar((use("C" * 8),), n=4, background=(0, 1, 0, 0)), "matched by chance"),
    ],
)
def test_what_turns_out_impossible_is_refused(grammar, message):
    with pytest.raises(InputError, match=message):
        simulate(grammar, 0)


def documented() -> str:
    (example,) = re.findall(r"::\n\n((?:    .*\n|\n)+)\n", grammar_files.__doc__)
    return textwrap.dedent(example)


def test_the_documented_grammar_is_read_as_it_stands(tmp_path):
    (tmp_path / "g.toml").write_text(documented())
    grammar = read_grammar(tmp_path / "g.toml")
    assert (grammar.n, grammar.length, grammar.seed) == (1000, (80, 120), 3)
    assert (grammar.positive_fraction, grammar.label_noise) == (0.5, 0.05)
    assert grammar.background == (0.3, 0.2, 0.2, 0.3)
    assert (grammar.negatives, grammar.decoys_in_positives) == ("decoys", True)
    gata, second = grammar.motifs
    assert (gata.name, gata.motif.consensus, gata.strands) == ("GATA", "WGATAR", "both")
    assert (gata.copies, gata.probability, gata.mutation_rate) == (1, 0.9, 0.02)
    assert (gata.start_min, gata.start_max) == (10, 40)
    assert (second.name, second.start_max) == ("CAGCTG", None)
    assert grammar.spacing == (Spacing("GATA", "CAGCTG", 3, 8, "same"),)
    assert [(decoy.name, decoy.mutation_rate) for decoy in grammar.decoys] == [("TTGCGCAA", 0.1)]
    assert len(simulate(grammar)) == 1000


def test_the_shortest_grammar_is_one_motif(tmp_path):
    (tmp_path / "g.toml").write_text(f'[[motifs]]\nmotif = "{TUTORIAL}"\n')
    read = read_grammar(tmp_path / "g.toml")
    assert simulate(read, 1).data_sha256() == simulate(tutorial_grammar(), 1).data_sha256()


def test_motifs_come_from_a_meme_file_beside_the_grammar(tmp_path):
    motifs = [
        Motif.from_string("ACGGT", "MA01.1"),
        replace(Motif.from_string("TTRCA", "MA02.1"), alt_name="X"),
    ]
    write_meme(motifs, tmp_path / "m.meme.gz")
    meme = '[[motifs]]\nmeme = "m.meme.gz"\n'
    text = f'{meme}id = "X"\n{meme}id = "MA01.1"\nname = "own"\n'
    (tmp_path / "g.toml").write_text(text)
    grammar = read_grammar(tmp_path / "g.toml")
    assert [(u.name, u.motif.consensus) for u in grammar.motifs] == [
        ("MA02.1", "TTRCA"),
        ("own", "ACGGT"),
    ]
    for wanted, message in (
        ('id = "MA01.2"', "did you mean 'MA01.1'"),
        ("", "no id says which of the 2 motifs"),
    ):
        (tmp_path / "g.toml").write_text(meme + wanted)
        with pytest.raises(InputError, match=message):
            read_grammar(tmp_path / "g.toml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("label_noise", "lable_noise", "did you mean label_noise?"),
        ("probability", "probabilty", "did you mean probability?"),
        ("min_gap", "mingap", "did you mean min_gap?"),
        ("max_gap = 8\n", "", "is without max_gap"),
        ("n = 1000", "n = many", "is no TOML"),
        ("n = 1000", 'n = "many"', "is 'many'"),
        ("n = 1000", "n = true", "is True"),
        ("[80, 120]", "[80, 120, 130]", "length is "),
        ("[0.3, 0.2, 0.2, 0.3]", "0.3", "is not four probabilities"),
        ("decoys_in_positives = true", 'decoys_in_positives = "no"', "is 'no'"),
        ('"WGATAR"', "7", "a motif is given by"),
        ('"WGATAR"', '"WGATAZ"', "'WGATAZ' is no motif"),
        ('name = "GATA"', 'meme = "x"', "a motif is given by"),
        ('first = "GATA"', 'first = ["GATA"]', "does not name motifs"),
        ("[[spacing]]", "[spacing]", "write it as [[spacing]]"),
        ('strands = "both"', "strands = 2", "strands=2 is unknown"),
    ],
)
def test_a_mistake_in_a_grammar_names_the_file_and_what_to_do(tmp_path, old, new, message):
    assert old in documented()
    path = tmp_path / "g.toml"
    path.write_text(documented().replace(old, new, 1))
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read_grammar(path)
    assert str(path) in str(caught.value)


KEYS = ["n", "length", "background", "negatives", "decoys", "spacing", "motifs", "motif", "meme"]
KEYS += ["id", "first", "second", "min_gap", "max_gap", "strands", "copies", "name", "start_max"]
VALUES = st.recursive(
    st.integers(-2, 60)
    | st.floats(-1, 2)
    | st.booleans()
    | st.sampled_from(["ACG", "both", "x", ""]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5), st.booleans())
@settings(max_examples=200)
def test_any_toml_is_a_grammar_or_refused(tmp_path_factory, table, with_motif):
    path: Path = tmp_path_factory.mktemp("fuzz") / "g.toml"
    path.write_text(
        tomli_w.dumps({**table, **({"motifs": [{"motif": "ACG"}]} if with_motif else {})})
    )
    try:
        grammar = read_grammar(path)
    except InputError:
        return
    # What was not refused is whole: it has a motif to implant, and room for it.
    assert len(grammar.motifs) > 0
    assert all(0 < use.motif.width <= grammar.length for use in grammar.motifs)
    assert grammar.n > 0
