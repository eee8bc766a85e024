"""Scores of a model on held-out data, each with a 95 % interval over examples."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from motiflens.metrics.intervals import CONFIDENCE
from motiflens.metrics.ranking import (
    Floats,
    Ranked,
    brier,
    calibration_error,
    call_scores,
    called_masses,
    plain_masses,
    rank,
    rank_scores,
)
from motiflens.metrics.resampling import (
    Groups,
    Sample,
    chance_calibration_error,
    number_groups,
    resampled,
    shortest,
    unseen_fraction,
)

EVALUATED = ("auroc", "auprc", "mcc", "accuracy", "brier", "ece", "recall_at_fdr10")
QUANTILES = (0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2)


def evaluate(
    labels: ArrayLike,
    logits: ArrayLike,
    *,
    threshold: float,
    generator: np.random.Generator,
    groups: ArrayLike | None = None,
) -> dict[str, dict[str, float]]:
    """Score logits on held-out data, with 95 % intervals over examples.

    Parameters
    ----------
    labels, logits
        (N,) of 0 and 1, both present; (N,) finite.
    threshold
        Logit above which a sequence is called positive (see `choose_threshold`).
    generator
        Draws 1,000 resamples.
    groups
        (N,) integers: examples of one number are not independent, such as windows of one locus
        (see :func:`motiflens.datasets.homology_groups`). None: all are.

    Returns
    -------
    dict
        Each metric of `measure` to its `value`, `low` and `high`.

    Raises
    ------
    InputError
        See `score`; also for a threshold that is not finite, and for groups of another length.

    Notes
    -----
    A Bayesian bootstrap (Rubin, Ann Stat 9:130, 1981): in each resample every group draws one
    exponential mass, which all its examples have, and each class is scaled to its number, since the
    numbers of positives and negatives are chosen by who makes the data. A group thus counts once,
    however many examples it has. Models are not trained again: the intervals speak of other test
    sequences, not of other seeds.

    A sample without a fault does not show that there is none. So each class of a resample has an
    unseen example beside its own, of a mass drawn from Gamma(0.12), where any other lies
    example, positive or negative with an even chance (a draw of the base measure of a Dirichlet
    process: Ferguson, Ann Stat 1:209, 1973). Accuracy and Matthews' correlation follow from
    Jeffreys' posterior of recall and false-positive rate, Beta(k + 1/2, n − k + 1/2) (Brown, Cai
    and DasGupta, Stat Sci 16:101, 2001). And however well they are ranked, n examples of the
    smaller class may hide a fraction s of faults, s about 1.9 / n, the end of Jeffreys' one-sided
    95 % interval for none in n: the interval of the recall reaches to 1 − s at least, those of
    AUROC and AUPRC to 1 − s/2, for a fault ranks at random; likewise at the other end. Of groups,
    n is the effective number (Σ size)² / Σ size².

    Ends are the 2.5 % and 97.5 % quantiles of the resamples; of the recall at 10 % false
    discoveries, which jumps, the shortest interval that holds 95 % of them. The bins of the
    calibration error stay those of the whole sample. The calibration error of a finite sample lies
    above the true one, and that of a resample higher still: its quantiles are mirrored at the
    value, and the interval begins at 0 unless the value is above 97.5 % of those of labels drawn
    from the probabilities themselves (Bröcker and Smith, Weather Forecast 22:651, 2007). Every
    interval holds its value, and has a width where logits differ.
    """
    ranked = rank(labels, logits, threshold)
    numbered = number_groups(groups, len(ranked.order))
    sample = Sample(ranked, Groups(numbered.of[ranked.order], numbered.n))
    values = _measured(ranked)
    ends = _ends(values["ece"], sample, generator)
    # Masses are rounded: the sum of all may miss 1.
    least = {metric: -1.0 if metric == "mcc" else 0.0 for metric in EVALUATED}
    return {
        metric: _with_ends(values[metric], *np.clip(ends[metric], least[metric], 1.0))
        for metric in EVALUATED
    }


def _ends(
    ece: float, sample: Sample, generator: np.random.Generator
) -> dict[str, tuple[float, float]]:
    """Return the ends of every interval; `ece` is the calibration error of the sample."""
    scores = resampled(sample, generator)
    ends = {metric: _quantiles(scores[metric]) for metric in EVALUATED}
    ends["recall_at_fdr10"] = shortest(scores["recall_at_fdr10"], CONFIDENCE)
    low, high = (2 * ece - end for end in reversed(ends["ece"]))
    is_chance = ece <= chance_calibration_error(sample, QUANTILES[1], generator)
    hidden = unseen_fraction(sample)
    ends["ece"] = 0.0 if is_chance else max(0.0, low), max(high, hidden / 2)
    for metric, loss in (("auroc", hidden / 2), ("auprc", hidden / 2), ("recall_at_fdr10", hidden)):
        low, high = ends[metric]
        ends[metric] = min(low, 1 - loss), max(high, loss)
    return ends


def _quantiles(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, QUANTILES).tolist()
    return low, high


def _with_ends(value: float, low: float, high: float) -> dict[str, float]:
    return {"value": value, "low": float(min(low, value)), "high": float(max(high, value))}


def measure(labels: ArrayLike, logits: ArrayLike, *, threshold: float) -> dict[str, float]:
    """Score logits on held-out data, without intervals.

    Parameters
    ----------
    labels, logits, threshold
        See `evaluate`.

    Returns
    -------
    dict
        `auroc`; `auprc`, average precision; `mcc` and `accuracy` of the calls at the threshold;
        `brier`, the mean squared error of the probabilities; `ece`, the expected calibration error
        |mean probability − fraction of positives|, averaged over 15 bins of equal mass;
        `recall_at_fdr10`, the largest recall of a cut with at most 10 % of its calls false, 0
        where there is none.

    Raises
    ------
    InputError
        See `evaluate`.

    References
    ----------
    Brier, Mon Weather Rev 78:1 (1950). Naeini, Cooper and Hauskrecht, AAAI 2015 (the calibration
    error); bins of equal mass: Nixon et al., CVPR Workshops 2019.
    """
    return _measured(rank(labels, logits, threshold))


def _measured(ranked: Ranked) -> dict[str, float]:
    masses = plain_masses(ranked)
    called = called_masses(ranked, masses)
    rates = [above / size for above, size in zip(called, ranked.sizes, strict=True)]
    scores = {
        **rank_scores(ranked, masses),
        **call_scores(ranked, rates[0], rates[1]),
        "brier": brier(ranked, masses),
        "ece": calibration_error(ranked, masses),
    }
    return {metric: float(scores[metric][0]) for metric in EVALUATED}
