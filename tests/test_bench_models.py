"""The benchmark of architectures: data whose rule is what it says, tables that count rightly."""

import numpy as np
from benchmarks.model_tables import needed
from benchmarks.model_tasks import ANY_GAP, ONE_GAP, OTHER_GAPS, PAIR, pairs, shows_rule


def test_a_pair_keeps_order_distance_and_margin() -> None:
    data = pairs(*PAIR[::-1], OTHER_GAPS[1], 40, 3)
    assert data.sites is not None
    seen = set()
    for sites in data.sites:
        left, right = sites
        assert (left.name, right.name) == ("B", "A")
        assert left.start >= 8
        assert right.end <= 56 - 8
        seen.add(right.start - left.end)
    assert seen <= set(range(16, 23))
    assert len(seen) > 3


def row(model: str, n_train: int, *values: float) -> dict[str, object]:
    return {"model": model, "n_train": n_train, "scores": [{"mcc": value} for value in values]}


def test_sequences_needed_are_the_fewest_near_the_best_of_all_models() -> None:
    rows = [
        row("cnn", 200, 0.2, 0.4),
        row("cnn", 800, 0.7, 0.8),
        row("hybrid", 200, 0.7, 0.82),
        row("hybrid", 800, 0.8, 0.8),
    ]
    assert needed(rows, "hybrid") == 200  # 0.76 is 95 % of 0.8
    assert needed(rows, "cnn") is None


def test_a_rule_is_shown_where_every_pair_that_keeps_it_weighs_more() -> None:
    gaps = np.arange(4, 23)
    inside = (gaps >= ONE_GAP[0]) & (gaps <= ONE_GAP[1])
    spaced = {"gaps": gaps.tolist(), "AB": (5.0 * inside).tolist(), "BA": np.zeros(19).tolist()}
    assert shows_rule("spacing", spaced)
    spaced["AB"][0] = 6.0
    assert not shows_rule("spacing", spaced)
    far = (gaps >= ANY_GAP[0]) & (gaps <= ANY_GAP[1])
    ordered = {"gaps": gaps.tolist(), "AB": (1.0 * far).tolist(), "BA": [0.5] * 19}
    assert shows_rule("order", ordered)
    assert not shows_rule("order", {**ordered, "BA": [1.0] * 19})
