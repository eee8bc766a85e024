"""The shortcut test on models that know order or composition alone; attention contrasts by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from motiflens.errors import InputError
from motiflens.experiments import attention_contrast, shortcut_test
from motiflens.sequences import Site, encode, one_hot

MOTIF = "CGACCGAACTCC"


class Composition(nn.Module):
    """The logit is the number of C."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, 1].sum(dim=-1)


class Order(nn.Module):
    """The logit is 10 where all the letters of the motif stand in a row, else 0; (N, 2)."""

    def forward(self, x: Tensor) -> Tensor:
        hits = nn.functional.conv1d(x, torch.from_numpy(one_hot(encode([MOTIF])[0])))
        found = 10.0 * (hits.amax(dim=(1, 2)) > 11.5)
        return torch.stack([torch.zeros_like(found), found], dim=1)


class PartOrder(nn.Module):
    """The best number of matching letters in a row, and the number of C: each is about half."""

    def forward(self, x: Tensor) -> Tensor:
        hits = nn.functional.conv1d(x, torch.from_numpy(one_hot(encode([MOTIF])[0])))
        return hits.amax(dim=(1, 2)) + 1.5 * x[:, 1].sum(dim=-1)


def test_a_model_that_counts_has_learnt_composition_only() -> None:
    found = shortcut_test(Composition(), MOTIF, length=30, n_backgrounds=400, seed=1)
    # 6 of the motif's 12 letters are C where chance has 3; a shuffle has the same 6, poly-C 12.
    assert found.motif_effect == pytest.approx(3, abs=0.25)
    assert found.shuffled_fraction == pytest.approx(1)
    fractions = found.homopolymer_fractions
    assert fractions["C"] == pytest.approx(9 / 3, abs=0.3)
    assert fractions["A"] == fractions["G"] == fractions["T"] == pytest.approx(-1, abs=0.15)
    assert found.homopolymer_fraction == fractions["C"]
    # Losing a C costs 1 of 3; one substitution in three of another letter gains a C.
    is_c = np.array([letter == "C" for letter in MOTIF])
    expected = np.where(is_c, 1, -1 / 3) / found.motif_effect
    np.testing.assert_allclose(found.mismatch_loss, expected, atol=1e-6)
    assert found.verdict.startswith("composition only: ")
    assert f"its shuffles by {found.shuffled_fraction:.0%}" in found.verdict


def test_an_exact_detector_has_learnt_order() -> None:
    found = shortcut_test(Order(), MOTIF.lower(), length=50, target=1)
    assert found.motif == MOTIF
    assert found.motif_effect == 10
    assert found.standard_error == 0
    assert found.shuffled_fraction == 0
    assert set(found.homopolymer_fractions.values()) == {0}
    assert found.mismatch_loss == (1,) * 12
    assert found.verdict == (
        "order is learnt: the motif moves the logit by 10.0, its shuffles by 0% of that, "
        "poly-A by 0%; a single mismatch costs 100% to 100%"
    )


def test_between_the_two_order_is_learnt_in_part() -> None:
    found = shortcut_test(PartOrder(), MOTIF, length=40)
    assert 1 / 3 < found.shuffled_fraction < 2 / 3
    assert found.verdict.startswith("order is learnt in part: ")


@pytest.mark.parametrize("sign", [1, -1])
def test_a_motif_that_lowers_the_logit_has_an_effect_too(sign: int) -> None:
    class Signed(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return sign * Order()(x)[:, 1]

    found = shortcut_test(Signed(), MOTIF, length=50)
    assert found.motif_effect == 10 * sign
    assert found.verdict.startswith("order is learnt: ")


def test_a_motif_without_effect_is_named_so() -> None:
    found = shortcut_test(Order(), MOTIF, length=50, target=0)
    assert found.verdict == (
        "the motif has no effect: it moves the logit by 0.00 ± 0.00 (standard error)"
    )
    assert np.isfinite(found.mismatch_loss).all()


def test_equal_seeds_give_equal_results_and_others_do_not() -> None:
    one, again, other = (
        shortcut_test(Composition(), MOTIF, length=30, n_backgrounds=7, seed=seed)
        for seed in (3, 3, 4)
    )
    assert one == again
    assert one.motif_effect != other.motif_effect


def test_the_motif_may_fill_the_sequence_and_the_model_keeps_its_mode() -> None:
    model = Order().train()
    assert shortcut_test(model, MOTIF, length=12, n_backgrounds=3, target=1).motif_effect == 10
    assert model.training


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"motif": "ACGTN"}, "a word over A, C, G and T"),
        ({"motif": ""}, "a word over A, C, G and T"),
        ({"motif": "AXG"}, "'X'"),
        ({"length": 11}, "sequences of 11 bases; got a motif of 12"),
        ({"n_backgrounds": 1}, "two backgrounds or more; got 1"),
        ({"target": 2}, "target 2"),
    ],
)
def test_a_wrong_shortcut_test_is_refused(change: dict[str, object], message: str) -> None:
    call = {"motif": MOTIF, "length": 20, "n_backgrounds": 5, "target": 1} | change
    with pytest.raises(InputError, match=message):
        shortcut_test(Order(), **call)  # type: ignore[arg-type]


def contrast(**change: object) -> dict[str, object]:
    """Three positives of 8 bases (the last of 4, without a site) and two negatives of 8."""
    weights = np.zeros((3, 8))
    weights[0, [2, 3]], weights[0, [0, 7]] = 0.4, 0.1  # motif share 0.8 on 2 of 8 bases
    weights[1, [4, 5, 6]], weights[1, 0] = 0.2, 0.4
    weights[2, :4] = 0.25
    call: dict[str, object] = {
        "weights": weights,
        "sites": [[Site("m", 2, 4, "+")], [Site("m", 4, 7, "-")], []],
        "lengths": np.array([8, 8, 4]),
        "null_weights": np.full((2, 8), 0.5),
        "null_lengths": np.array([8, 8]),
        "unit_weights": torch.tensor([[0.7, 0.3], [0.2, 0.8], [0.5, 0.5]]),
    }
    return attention_contrast(**(call | change))  # type: ignore[arg-type]


def test_attention_on_and_beside_the_sites_by_hand() -> None:
    found = contrast()
    assert found["n"] == 2
    motif = [0.8 / 2 * 8, 0.6 / 3 * 8]
    background = [0.2 / 6 * 8, 0.4 / 5 * 8]
    for key, values in (("motif", motif), ("background", background)):
        assert found[key]["mean"] == pytest.approx(np.mean(values))
        # Of two values a bootstrap mean is one, the other or their mean.
        assert found[key]["low"] == pytest.approx(min(values))
        assert found[key]["high"] == pytest.approx(max(values))
    assert found["null"] == pytest.approx({"mean": 1, "low": 1, "high": 1})


def test_padding_is_neither_motif_nor_background() -> None:
    found = contrast(sites=[[], [], [Site("m", 0, 2, "+")]])
    assert found["n"] == 1
    assert found["motif"] == pytest.approx({"mean": 1, "low": 1, "high": 1})
    assert found["background"] == pytest.approx({"mean": 1, "low": 1, "high": 1})


def test_the_tutorials_stretched_weights_are_kept_raw() -> None:
    found = contrast()["stretched_first_100"]
    # Two units at 8 bases: centres at 1.5 and 5.5, a straight line between, flat outside.
    line = np.clip((np.arange(8) - 1.5) / 4, 0, 1)
    rows = [0.7 - 0.4 * line, 0.2 + 0.6 * line]
    assert found["motif"] == pytest.approx(np.mean([*rows[0][2:4], *rows[1][4:7]]))
    beside = [*np.delete(rows[0], [2, 3]), *np.delete(rows[1], [4, 5, 6])]
    assert found["background"] == pytest.approx(np.mean(beside))


def test_the_null_lies_where_the_sites_lie() -> None:
    slope = np.tile(np.arange(8.0), (50, 1))
    found = contrast(null_weights=slope, null_lengths=np.full(50, 8))["null"]
    # Sites at 2..3 and 4..6 of a slope with mean 3.5, each on half of the negatives.
    assert found["mean"] == pytest.approx((2.5 + 5) / 2 / 3.5)
    assert found["low"] < found["mean"] < found["high"]


def test_the_scale_of_the_weights_is_of_no_consequence() -> None:
    one = contrast(null_weights=np.ones((2, 8)))
    assert one["null"]["mean"] == pytest.approx(contrast()["null"]["mean"])


def test_only_the_first_hundred_positives_are_stretched() -> None:
    sites = [[Site("m", 0, 1, "+")]] * 150
    units = torch.tensor([[1.0]] * 100 + [[0.0]] * 50)
    found = contrast(
        weights=np.ones((150, 8)), sites=sites, lengths=np.full(150, 8), unit_weights=units
    )
    assert found["n"] == 150
    assert found["stretched_first_100"] == {"motif": 1, "background": 1}


def test_without_sites_or_negatives_there_is_nothing_to_average() -> None:
    found = contrast(sites=[[], [], []])
    assert (found["n"], found["motif"], found["null"]) == (0, None, None)
    assert found["stretched_first_100"] == {"motif": None, "background": None}
    empty = contrast(null_weights=np.zeros((0, 8)), null_lengths=np.zeros(0))
    assert empty["null"] is None
    assert empty["motif"] is not None


def test_sites_for_other_sequences_are_refused() -> None:
    with pytest.raises(InputError, match="3 sequences, 1 lists of sites"):
        contrast(sites=[[]])
