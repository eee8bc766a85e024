"""Motifs compared with known ones, and named or left unknown."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motiflens.errors import InputError
from motiflens.motifs import Motif, information, motif_from_string, resolve_motifs
from motiflens.motifs.database import jaspar_core
from motiflens.motifs.naming import _nearer_than_shuffled, match_motifs, name_motifs
from motiflens.motifs.tomtom import Targets

KNOWN = {motif.name: motif for motif in jaspar_core()}
ORDER = list(KNOWN)


@pytest.fixture(scope="module")
def targets() -> Targets:
    return Targets(jaspar_core())


def blurred(motif: Motif, share: float = 0.2) -> Motif:
    return Motif("found", (1 - share) * motif.ppm + share / 4)


def drawn(rng: np.random.Generator, columns: np.ndarray, width: int) -> Motif:
    return Motif("drawn", columns[:, rng.integers(0, columns.shape[1], width)])


# p-values of memelite 0.5.0 for `blurred` motifs against all of JASPAR, without its hashing of
# columns; measured once, since memelite brings 208 MB and compiles for a minute.
MEMELITE = [
    ("MA0002.3", "MA0002.3", 2.05e-11, "+"),
    ("MA0002.3", "MA1989.2", 3.62e-7, "-"),
    ("MA0002.3", "MA0511.2", 6.13e-5, "-"),
    ("MA0002.3", "MA0684.3", 3.36e-4, "-"),
    ("MA0163.1", "MA0163.1", 2.17e-15, "+"),
    ("MA0163.1", "MA2510.1", 2.32e-6, "+"),
    ("MA0163.1", "MA0810.2", 4.47e-5, "-"),
    ("MA0763.2", "MA1949.2", 6.4e-9, "+"),
]


@pytest.mark.parametrize(("found", "target", "p_value", "strand"), MEMELITE)
def test_p_values_are_those_of_memelite(targets, found, target, p_value, strand):
    compared = targets.compare(blurred(KNOWN[found]))
    index = ORDER.index(target)
    assert np.log10(compared.p_values[index]) == pytest.approx(np.log10(p_value), rel=0.025)
    assert compared.strands[index] == strand


@pytest.mark.slow
def test_p_values_of_all_of_jaspar_are_those_of_memelite(targets):
    memelite = pytest.importorskip("memelite")
    queries = [blurred(motif) for motif in jaspar_core()[::100]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = memelite.tomtom(
            [np.array(q.ppm) for q in queries],
            [np.array(m.ppm) for m in jaspar_core()],
            n_target_bins=None,
        )[0]
    ours = np.stack([targets.compare(query).p_values for query in queries])
    difference = np.abs(np.log10(ours) - np.log10(theirs))
    assert np.quantile(difference, 0.99) < 0.1
    assert difference.max() < 0.6


def test_p_values_are_uniform_for_motifs_made_of_chance_columns(targets):
    rng = np.random.default_rng(0)
    motifs = [drawn(rng, targets.chance, width) for width in (5, 8, 11, 16) for _ in range(10)]
    p_values = np.concatenate([targets.compare(motif).p_values[::7] for motif in motifs])
    for level in (0.01, 0.1, 0.5):
        assert np.mean(p_values < level) == pytest.approx(level, rel=0.35)


@pytest.mark.parametrize("strand", "+-")
def test_offset_and_strand_lay_the_motif_on_the_target(targets, strand):
    target = KNOWN["MA0139.2"]  # 15 columns
    part = Motif("part", target.ppm[:, 3:14])
    found = part if strand == "+" else part.reverse_complement()
    compared = targets.compare(found)
    index = ORDER.index("MA0139.2")
    assert compared.p_values[index] < 1e-9
    assert (compared.offsets[index], compared.strands[index]) == (3, strand)
    wider = Motif("wider", np.pad(target.ppm, ((0, 0), (2, 5)), constant_values=0.25))
    wider = wider if strand == "+" else wider.reverse_complement()
    compared = targets.compare(wider)
    assert (compared.offsets[index], compared.strands[index]) == (-2, strand)


@settings(deadline=None, max_examples=15)
@given(width=st.sampled_from([1, 2, 7, 13, 40, 61]), seed=st.integers(0, 99))
def test_both_strands_of_a_motif_are_as_like_to_a_target(targets, width, seed):
    ppm = np.random.default_rng(seed).dirichlet([0.5] * 4, size=width).T
    motif = Motif("any", ppm)
    one, other = targets.compare(motif), targets.compare(motif.reverse_complement())
    assert ((one.p_values >= 0) & (one.p_values <= 1)).all()
    np.testing.assert_allclose(one.p_values, other.p_values, rtol=1e-6)


def test_a_known_motif_gets_its_name_and_others_alike():
    found = [blurred(KNOWN["MA0139.2"], 0.1), blurred(KNOWN["MA0732.2"]).reverse_complement()]
    ctcf, egr = name_motifs(found)
    assert (ctcf.name, ctcf.strand) == ("CTCF", "+")
    assert ctcf.q_value < 1e-8
    assert ctcf.p_value < ctcf.q_value
    assert (egr.name[:3], egr.strand) == ("EGR", "-")
    assert {"EGR1", "EGR3", "EGR4"} & set(egr.others)
    assert egr.name not in egr.others


@pytest.mark.parametrize("text", ["CGACCGAACTCC", "A", "NNNNNNN", "ATATATAT"])
def test_a_motif_that_is_like_none_is_unknown(text):
    assert name_motifs([motif_from_string(text)]) == [None]


def test_motifs_that_tell_little_in_every_column_have_no_name_and_those_of_jaspar_have_one():
    generator = np.random.default_rng(0)
    vague = [
        Motif("vague", generator.dirichlet(8 * np.array(bases), size=width).T)
        for width in range(8, 16)
        for bases in ([0.25, 0.25, 0.25, 0.25], [0.45, 0.1, 0.15, 0.3])
    ]
    assert name_motifs(vague) == [None] * len(vague)
    least = sorted(KNOWN.values(), key=lambda motif: information(motif.ppm).sum())[:5]
    assert all(match is not None for match in name_motifs(least))


def random_word(rng: np.random.Generator, width: int) -> Motif:
    ppm = np.full((4, width), 0.01)
    ppm[rng.integers(0, 4, width), np.arange(width)] = 0.97
    return Motif("word", ppm)


@pytest.mark.slow
def test_random_words_are_rarely_named_and_motifs_of_100_sites_keep_their_names():
    rng = np.random.default_rng(0)
    words = [random_word(rng, width) for width in (6, 12) for _ in range(100)]
    named = [match for match in name_motifs(words) if match is not None]
    assert len(named) <= 16  # of 200; 21 where other orders are not asked
    known = jaspar_core()[::25]
    drawn = [np.array([rng.multinomial(100, c / c.sum()) for c in m.ppm.T]).T / 100 for m in known]
    matches = name_motifs([Motif("drawn", ppm) for ppm in drawn])
    kept = [m is not None and m.id == k.name for m, k in zip(matches, known, strict=True)]
    assert np.mean(kept) >= 0.9


def test_either_strand_of_a_motif_is_compared_with_the_same_other_orders(targets):
    rng = np.random.default_rng(0)
    motif = Motif("any", rng.dirichlet([0.3] * 4, size=9).T)
    orders = np.stack([rng.permutation(9) for _ in range(3)])
    found = list(targets.nearest_of_others(motif, orders))
    expected = [
        targets.compare(Motif("other", motif.ppm[:, order])).p_values.min() for order in orders
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    asked: list[np.ndarray] = []

    class Spy:
        def nearest_of_others(self, one, others):
            asked.append(one.ppm[:, others])
            return iter([0.2, 0.1, 0.3, 0.1, 0.1])

    for one in (motif, motif.reverse_complement()):
        assert _nearer_than_shuffled(one, Spy(), 0.09)
        assert not _nearer_than_shuffled(one, Spy(), 0.1)
    np.testing.assert_allclose(asked[0], asked[2], rtol=1e-12)
    assert asked[0].shape == (4, 39, 9)


def test_few_known_motifs_do_not_make_a_stranger_known():
    database = [motif_from_string("CACGTG", "ebox"), motif_from_string("TATAAA", "tata")]
    ebox, stranger = name_motifs(
        [motif_from_string("GTCACGTGAC"), motif_from_string("GGCAGTCC")], database
    )
    assert (ebox.id, ebox.name, ebox.offset) == ("ebox", "ebox", -2)
    assert stranger is None


def test_an_empty_database_is_a_mistake():
    with pytest.raises(InputError, match="no motif"):
        name_motifs([motif_from_string("CACGTG")], [])
    assert name_motifs([]) == []


def test_matches_are_a_table_of_the_nearest_first():
    ebox, other = motif_from_string("GTCACGTGAC", "ebox"), motif_from_string("CACGTG", "core")
    unknown = motif_from_string("GGCAGTCC", "unknown")
    database = [ebox, other, *(m for m in jaspar_core() if not {"E", "G"} & set(m.alt_name))]
    table = match_motifs([ebox, unknown], database)
    columns = ["motif", "target", "name", "family", "p_value", "q_value", "offset", "strand"]
    assert table.columns.tolist() == columns
    assert set(table["motif"]) == {"ebox"}
    assert table["target"].tolist()[:2] == ["ebox", "core"]
    assert table["offset"].tolist()[:2] == [0, -2]
    assert table["p_value"].is_monotonic_increasing
    assert (table["q_value"] < 0.05).all()
    by_name = match_motifs("MA0139.2")
    assert by_name["target"][0] == "MA0139.2"
    assert by_name["family"][0] == name_motifs(resolve_motifs("MA0139.2"))[0].family
