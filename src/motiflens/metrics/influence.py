"""How a score of one set of predictions hangs on each of its examples."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motiflens.metrics.ranking import Ranked, rank

Floats = NDArray[np.float64]


def influences(labels: ArrayLike, logits: ArrayLike) -> dict[str, Floats]:
    """Give the influence of a positive and of a negative at the place of each example.

    Parameters
    ----------
    labels, logits
        (N,) of 0 and 1, both present; (N,) finite. Called positive at logit > 0, as in `score`.

    Returns
    -------
    dict
        Each metric of `score` to (2, N), of a negative (row 0) and of a positive (row 1): how the
        score changes, per unit, when that share of the class moves to the logit of the example.
        The mean over the members of a class is 0.

    Raises
    ------
    InputError
        See `score`.

    Notes
    -----
    The influence function (Hampel, JASA 69:383, 1974). The sum of squares of the members' influence
    over their number is the variance of the score; of AUROC it is that of DeLong, DeLong and
    Clarke-Pearson (Biometrics 44:837, 1988).
    """
    ranked = rank(labels, logits, threshold=0.0)
    found = {
        **_of_calls(ranked),
        "auroc": _of_auroc(ranked),
        "auprc": _of_auprc(ranked),
    }
    return {metric: _in_rows(ranked, values) for metric, values in found.items()}


def _in_rows(ranked: Ranked, values: Floats) -> Floats:
    """Centre influences (2, N) on their class, and put them into the order of the rows."""
    centred = np.stack(
        [
            values[0] - values[0][~ranked.truth].mean(),
            values[1] - values[1][ranked.truth].mean(),
        ]
    )
    rows = np.empty_like(centred)
    rows[:, ranked.order] = centred
    return rows


def _cut(ranked: Ranked) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Count true and false calls (G,) at every cut, and give the cut (N,) of each example."""
    true = np.cumsum(ranked.truth, dtype=np.float64)[ranked.ends]
    false = ranked.ends + 1 - true
    return true, false, np.searchsorted(ranked.ends, np.arange(len(ranked.truth)))


def _of_auroc(ranked: Ranked) -> Floats:
    true, false, cut = _cut(ranked)
    below = false[-1] - false + np.diff(false, prepend=0) / 2
    above = true - np.diff(true, prepend=0) / 2
    return np.stack([above / true[-1], below / false[-1]])[:, cut]


def _of_auprc(ranked: Ranked) -> Floats:
    """Follow the precision at the example itself, and at all positives that rank no higher."""
    true, false, cut = _cut(ranked)
    called = true + false
    gained = np.diff(true, prepend=0) / called**2
    helped = np.cumsum((gained * false)[::-1])[::-1]
    harmed = np.cumsum((gained * true)[::-1])[::-1]
    return np.stack([-harmed * false[-1] / true[-1], true / called + helped])[:, cut]


def _of_calls(ranked: Ranked) -> dict[str, Floats]:
    n_positive, n_negative = ranked.sizes
    n = n_positive + n_negative
    called = (np.arange(n) < ranked.n_called).astype(np.float64)
    p, q = n_positive / n, n_negative / n
    recall, fallout = called[ranked.truth].mean(), called[~ranked.truth].mean()
    # Where all are called the same, the correlation jumps: half an example away it does not.
    share = np.clip(p * recall + q * fallout, 0.5 / n, 1 - 0.5 / n)
    spread = share * (1 - share)
    turned = (recall - fallout) * (1 - 2 * share) / (2 * spread)
    scale = np.sqrt(p * q / spread)
    slopes = np.array([[-1 - turned * q], [1 - turned * p]])
    return {
        "accuracy": np.array([[-q], [p]]) * called,
        "mcc": scale * slopes * called,
    }
