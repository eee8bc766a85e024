"""Attention on and beside the motif, by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from motiflens.attribution import attention_contrast
from motiflens.errors import InputError
from motiflens.sequences import Site


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


def test_a_sequence_of_only_n_has_no_attention_to_share() -> None:
    null = np.array([[0.5] * 8, [0.0] * 8])
    assert contrast(null_weights=null)["null"] == pytest.approx({"mean": 1, "low": 1, "high": 1})


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
    with pytest.raises(InputError, match="1 lists of sites"):
        contrast(sites=[[]])
