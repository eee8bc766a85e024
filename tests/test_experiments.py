"""Experiments on models whose weights are set by hand: every number is worked out on paper."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from motiflens.errors import InputError
from motiflens.perturbation import (
    ablate_sites,
    copy_number_effect,
    marginal_effect,
    mismatch_profile,
    position_effect,
    random_background,
    shuffled_background,
    spacing_effect,
    substitute,
)
from motiflens.perturbation.ablate import shuffle_out
from motiflens.results.experiments import Effect
from motiflens.sequences import Site, decode, encode, one_hot, reverse_complement

N, LENGTH = 5, 21


def sequences(*texts: str) -> np.ndarray:
    return one_hot(encode(texts)[0])


def letters(x: np.ndarray) -> list[str]:
    codes = np.where(x.any(axis=1), x.argmax(axis=1), 4).astype(np.uint8)
    return decode(codes, np.full(len(codes), codes.shape[1], dtype=np.int32))


def matches(x: Tensor, word: str) -> Tensor:
    """Where a word stands, (N, places); a '.' is any base."""
    kernel = torch.from_numpy(sequences(word.replace(".", "N")))
    found = nn.functional.conv1d(x, kernel)[:, 0]
    return (found > len(word.replace(".", "")) - 0.5).float()


class Words(nn.Module):
    """0, and 2 for each ACG, 3 for each TTC, 5 more for both with two bases between: (N, 2)."""

    def forward(self, x: Tensor) -> Tensor:
        counts = [matches(x, word).sum(1) for word in ("ACG", "TTC", "ACG..TTC")]
        found = 2 * counts[0] + 3 * counts[1] + 5 * counts[2]
        return torch.stack([torch.zeros_like(found), found], dim=1)


class Place(nn.Module):
    """The sum of the starts of all ACG."""

    def forward(self, x: Tensor) -> Tensor:
        found = matches(x, "ACG")
        return found @ torch.arange(found.shape[1], dtype=x.dtype)


class Gated(nn.Module):
    """2 for each ACG in a sequence that begins with T."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * matches(x, "ACG").sum(1) * x[:, 3, 0]


BACKGROUND = sequences(*["G" * LENGTH] * N)


def test_substitute_puts_the_word_there_and_nothing_else():
    x = sequences("AAAAAAA", "CCCCCCN")
    assert letters(substitute(x, "ACT", 2)) == ["AAACTAA", "CCACTCN"]
    assert letters(substitute(x, "act", np.array([4, 0]), strand="-")) == ["AAAAAGT", "AGTCCCN"]
    assert letters(x) == ["AAAAAAA", "CCCCCCN"]


def test_the_marginal_effect_is_the_mean_over_backgrounds_with_its_error():
    background = sequences("T" * 9, *["A" * 9] * 3)
    assert marginal_effect(Gated(), "ACG", background) == Effect(
        mean=0.5, standard_error=0.5, n=4
    )  # of 2, 0, 0, 0
    assert marginal_effect(Gated(), "ACG", background[:1]) == Effect(mean=2, standard_error=0, n=1)


@pytest.mark.parametrize(("strands", "expected"), [("forward", 2), ("reverse", 0), ("both", 1)])
def test_strands_are_averaged_where_asked(strands: str, expected: float):
    call = {"strands": strands, "target": 1}
    found = marginal_effect(Words(), "ACG", BACKGROUND, **call)
    assert found == Effect(mean=expected, standard_error=0, n=N)
    assert copy_number_effect(Words(), "ACG", BACKGROUND, max_copies=2, **call).effects == (
        Effect(mean=expected, standard_error=0, n=N),
        Effect(mean=2 * expected, standard_error=0, n=N),
    )
    at = position_effect(Words(), "ACG", BACKGROUND, starts=[4], **call)
    assert at.effects == (Effect(mean=expected, standard_error=0, n=N),)
    assert mismatch_profile(Words(), "ACG", BACKGROUND, **call).intact == Effect(
        mean=expected, standard_error=0, n=N
    )


def test_the_motif_lies_in_the_middle_of_what_is_known_of_each_sequence():
    background = sequences("T" * 9, "T" * 5)  # the second is padded with four columns
    found = marginal_effect(Place(), "ACG", background)
    assert found.mean == (3 + 1) / 2
    assert marginal_effect(Place(), "ACG", background, start=2).mean == 2


def test_every_copy_counts_and_copies_do_not_overlap():
    found = copy_number_effect(
        Words(), "ACG", BACKGROUND, target=1, max_copies=7
    )  # 7 x 3 fill all 21 bases
    assert found.copies == (1, 2, 3, 4, 5, 6, 7)
    assert [effect.mean for effect in found.effects] == [2, 4, 6, 8, 10, 12, 14]
    assert {effect.standard_error for effect in found.effects} == {0}


def test_copies_keep_their_places_when_one_joins_and_a_seed_gives_them_again():
    background = random_background(60, n=30, seed=1)
    one, again = (copy_number_effect(Place(), "ACG", background, seed=2) for _ in range(2))
    assert one == again
    assert one != copy_number_effect(Place(), "ACG", background, seed=3)
    single = copy_number_effect(Place(), "ACG", background, seed=2, max_copies=1).effects[0].mean
    assert 15 < single < 45  # anywhere along the sequence, not at its front


def test_position_gives_each_start_its_effect():
    found = position_effect(Place(), "ACG", BACKGROUND)
    assert found.starts == tuple(range(LENGTH - 2))
    assert [effect.mean for effect in found.effects] == list(range(LENGTH - 2))
    wide = position_effect(Place(), "ACG", sequences("G" * 200))
    assert (wide.starts[0], wide.starts[-1], len(wide.starts)) == (0, 197, 25)


def test_a_pair_does_more_at_its_gap_and_in_its_orientation():
    found = spacing_effect(Words(), ("ACG", "ttc"), BACKGROUND, gaps=(0, 2, 4), target=1)
    assert found.second == "TTC"
    means = {key: [effect.mean for effect in effects] for key, effects in found.together.items()}
    # TTC on the other strand is GAA, ACG is CGT: neither moves the logit.
    assert means == {"++": [5, 10, 5], "+-": [2, 2, 2], "-+": [3, 3, 3], "--": [0, 0, 0]}
    more = {key: [effect.mean for effect in effects] for key, effects in found.interaction.items()}
    assert more == {"++": [0, 5, 0], "+-": [0, 0, 0], "-+": [0, 0, 0], "--": [0, 0, 0]}
    both = spacing_effect(
        Words(),
        ("ACG", "TTC"),
        BACKGROUND,
        gaps=(2,),
        orientations=("++",),
        strands="both",
        target=1,
    )
    # The other strand of the pair is GAA..CGT, which the model does not know.
    assert both.together["++"][0].mean == 5
    assert both.interaction["++"][0].mean == 2.5


def test_the_other_strand_of_a_pair_is_its_reverse_complement():
    class OtherStrand(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return Words()(x.flip((1, 2)))

    call = {"gaps": (1, 2), "target": 1}
    background = random_background(16, n=40, seed=3)  # 16 - 6 - gap is even for gap 2 alone
    one = spacing_effect(Words(), ("ACG", "TTC"), background, **call)
    other = spacing_effect(
        OtherStrand(), ("ACG", "TTC"), reverse_complement(background), strands="reverse", **call
    )
    for orientation in ("++", "+-", "-+", "--"):
        assert one.together[orientation][1] == other.together[orientation][1]
        assert one.interaction[orientation][1] == other.interaction[orientation][1]


def test_the_mismatch_profile_knows_each_base():
    class Weighted(nn.Module):
        def forward(self, x: Tensor) -> Tensor:  # A, C, G at 9, 10, 11 count 1, 2, 3
            return x[:, 0, 9] + 2 * x[:, 1, 10] + 3 * x[:, 2, 11]

    found = mismatch_profile(Weighted(), "ACG", sequences("T" * LENGTH, "T" * LENGTH))
    assert found.intact == Effect(mean=6, standard_error=0, n=2)
    means = [[effect.mean for effect in row] for row in found.substitutions]
    assert means == [[6, 5, 5, 5], [4, 6, 4, 4], [3, 3, 6, 3]]
    np.testing.assert_allclose(found.loss, [1 / 6, 2 / 6, 3 / 6])
    assert mismatch_profile(Words(), "ACG", BACKGROUND).loss == (0, 0, 0)  # target 0 is constant


class CountC(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[:, 1].sum(-1)


class FirstHalf(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[:, 1, :20].sum(-1)


def test_sites_are_replaced_and_the_rest_is_left():
    text = "TTTTACCGCACGTTTTNCNGG"
    x = sequences(text, "A" * LENGTH)
    sites = [[Site("m", 4, 12, "+"), Site("n", 16, 19, "-")], []]
    for replacement in ("shuffled", "random"):
        first, second = letters(shuffle_out(x, sites, replacement=replacement, seed=1))
        assert (first[:4], first[12:16], first[19:]) == ("TTTT", "TTTT", "GG")
        assert (first[16], first[18], second) == ("N", "N", "A" * LENGTH)
        assert first[4:12] != text[4:12]
    pairs = sorted(itertools.pairwise(text[4:12]))
    shuffled = letters(shuffle_out(x, sites, seed=1))[0][4:12]
    assert sorted(itertools.pairwise(shuffled)) == pairs


def test_ablation_beside_its_control():
    x = sequences(*["A" * 20 + "CCCC" + "A" * 20] * 300, "A" * 44)
    sites = [[Site("m", 20, 24, "+")]] * 300 + [[]]
    found = ablate_sites(CountC(), x, sites, replacement="random", seed=4)
    assert (found.n_sites, found.effect.n) == (300, 300)
    assert found.effect.mean == pytest.approx(-3, abs=0.1)  # one of four is C again
    assert found.control.mean == pytest.approx(1, abs=0.1)
    assert 0 < found.effect.standard_error < 0.05
    # What is spared, here all bases on the left, is no place for the control either.
    spared = [[Site("n", 0, 20, "+")]] * 301
    on_the_right = ablate_sites(
        FirstHalf(), x, sites, exclude_sites=spared, replacement="random", seed=4
    )
    assert on_the_right.control.mean == 0
    # A shuffle keeps the count.
    kept = ablate_sites(CountC(), x, sites)
    assert (kept.effect.mean, kept.control.mean) == (0, 0)


def test_without_room_there_is_no_control():
    found = ablate_sites(
        CountC(), sequences("CCCCAA"), [[Site("m", 0, 4, "+")]], replacement="random"
    )
    assert found.control is None
    assert found.effect.standard_error == 0


def test_shuffled_backgrounds_keep_dinucleotides_and_take_sequences_in_turn():
    x = sequences("ACGTTGCAAGGTCA", "GGGGGGGGGGGGGG")
    found = letters(shuffled_background(x, n=5, seed=2))
    assert [text == "G" * 14 for text in found] == [False, True, False, True, False]
    assert len({found[0], found[2], found[4]}) > 1
    pairs = sorted(itertools.pairwise("ACGTTGCAAGGTCA"))
    for text in found[::2]:
        assert sorted(itertools.pairwise(text)) == pairs
    assert random_background(17, n=3, seed=1).shape == (3, 4, 17)
    assert (random_background(17, n=3, seed=1).sum(axis=1) == 1).all()


@given(word=st.text("ACGT", min_size=1, max_size=7), seed=st.integers(0, 50))
def test_either_strand_of_a_motif_is_the_other_on_the_other_strand(word: str, seed: int):
    background = random_background(20 + len(word) % 2, n=3, seed=seed)

    class Flipped(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return Words()(x.flip((1, 2)))

    one = marginal_effect(Words(), word, background, target=1)
    other = marginal_effect(
        Flipped(), word, reverse_complement(background), strands="reverse", target=1
    )
    assert one == other


def test_the_module_keeps_its_mode():
    module = Words().train()
    marginal_effect(module, "ACG", BACKGROUND)
    assert module.training


SITE = [[Site("m", 3, 6, "+")]] * N


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: marginal_effect(Words(), "ACN", BACKGROUND), "ACN|''"),
        (lambda: marginal_effect(Words(), "", BACKGROUND), "ACN|''"),
        (lambda: marginal_effect(Words(), "A" * 22, BACKGROUND), "a motif of 22 bases"),
        (lambda: marginal_effect(Words(), "ACG", BACKGROUND, start=19), "3 bases at 19"),
        (lambda: marginal_effect(Words(), "ACG", BACKGROUND, start=-1), "3 bases at -1"),
        (lambda: marginal_effect(Words(), "ACG", BACKGROUND, target=2), "target=2"),
        (lambda: marginal_effect(Words(), "ACG", BACKGROUND, strands="+"), "'\\+' is not"),
        (lambda: marginal_effect(Words(), "ACG", BACKGROUND[:0]), "no sequence"),
        (lambda: marginal_effect(Words(), "ACG", BACKGROUND[0]), r"shape \(4, 21\)"),
        (lambda: substitute(BACKGROUND, "ACG", 2, strand="x"), "'x'"),
        (lambda: substitute(BACKGROUND, "ACG", [1, 2]), "int64 of shape"),
        (lambda: substitute(BACKGROUND, "ACG", 1.5), "float64"),
        (lambda: copy_number_effect(Words(), "ACG", BACKGROUND, max_copies=8), "8 copies"),
        (
            lambda: copy_number_effect(Words(), "ACG", BACKGROUND, max_copies=0),
            "max_copies=0",
        ),
        (lambda: position_effect(Words(), "ACG", BACKGROUND, starts=[]), "no start"),
        (
            lambda: spacing_effect(Words(), ("ACG", "TT"), BACKGROUND, gaps=[17]),
            "17 bases apart, 22",
        ),
        (lambda: spacing_effect(Words(), ("ACG", "TT"), BACKGROUND, gaps=[-1]), "\\[-1\\]"),
        (lambda: spacing_effect(Words(), ("ACG", "TT"), BACKGROUND, gaps=[]), "\\[\\]"),
        (
            lambda: spacing_effect(Words(), ("ACG", "TT"), BACKGROUND, orientations=["same"]),
            "'same'",
        ),
        (lambda: ablate_sites(Words(), BACKGROUND, [[]] * N), "0 sequences with sites"),
        (lambda: ablate_sites(Words(), BACKGROUND, SITE, n_draws=0), "0 draws"),
        (lambda: ablate_sites(Words(), BACKGROUND, SITE[1:]), "5 sequences have 4 lists"),
        (
            lambda: ablate_sites(Words(), BACKGROUND, SITE, exclude_sites=SITE[1:]),
            "5 sequences have 4 lists",
        ),
        (lambda: shuffle_out(BACKGROUND, [[Site("m", 19, 22, "+")]] * N), "19-22"),
        (lambda: shuffle_out(BACKGROUND, SITE, replacement="deleted"), "'deleted'"),
        (lambda: random_background(0), "100 backgrounds of 0"),
        (lambda: random_background(5, n=0), "0 backgrounds of 5"),
        (lambda: shuffled_background(BACKGROUND[:0]), "0 backgrounds"),
    ],
)
def test_wrong_calls_are_refused(call, message: str):
    with pytest.raises(InputError, match=message):
        call()
