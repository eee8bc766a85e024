"""The shortcut test on models that know order or composition alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from motiflens.errors import InputError
from motiflens.perturbation import shortcut_test
from motiflens.sequences import encode, one_hot

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


def test_shuffles_that_move_the_logit_the_other_way_keep_nothing() -> None:
    class AgainstC(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return Order()(x)[:, 1] - 0.5 * x[:, 1].sum(dim=-1)

    found = shortcut_test(AgainstC(), MOTIF, length=50)
    assert found.shuffled_fraction < -0.1
    assert f"its shuffles by none ({found.shuffled_fraction:.0%}) of that" in found.verdict
    assert found.outcome == "order"
    assert found.low < found.motif_effect < found.high
    nothing = shortcut_test(Order(), MOTIF, length=50, target=0)
    assert nothing.outcome == "no effect"


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
        ({"motif": "ACGTN"}, "'ACGTN'"),
        ({"motif": ""}, "no string over"),
        ({"motif": "AXG"}, "'X'"),
        ({"length": 11}, "a motif of 12 bases"),
        ({"n_backgrounds": 1}, "n_backgrounds=1"),
        ({"target": 2}, "target=2"),
    ],
)
def test_a_wrong_shortcut_test_is_refused(change: dict[str, object], message: str) -> None:
    call = {"motif": MOTIF, "length": 20, "n_backgrounds": 5, "target": 1} | change
    with pytest.raises(InputError, match=message):
        shortcut_test(Order(), **call)  # type: ignore[arg-type]
