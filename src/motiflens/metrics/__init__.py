"""Scores of predictions, and how far they can be believed."""

from motiflens.metrics.intervals import (
    CONFIDENCE,
    Interval,
    bootstrap_interval,
    mean_interval,
    paired_difference,
)
from motiflens.metrics.scores import METRICS, epochs_to_target, rank_auroc, score

__all__ = [
    "CONFIDENCE",
    "METRICS",
    "Interval",
    "bootstrap_interval",
    "epochs_to_target",
    "mean_interval",
    "paired_difference",
    "rank_auroc",
    "score",
]
