"""Scores of predictions, and how far they can be believed."""

from motiflens.metrics.calibration import reliability_points
from motiflens.metrics.curves import curve_points, precision_recall_points, roc_curve_points
from motiflens.metrics.differences import SeedScores, paired_difference, seed_scores
from motiflens.metrics.evaluation import (
    EVALUATED,
    choose_threshold,
    ensemble_logits,
    evaluate,
    measure,
)
from motiflens.metrics.intervals import CONFIDENCE, Interval, bootstrap_interval, mean_interval
from motiflens.metrics.scores import (
    METRICS,
    auroc_standard_error,
    epochs_to_target,
    rank_auroc,
    score,
)

__all__ = [
    "CONFIDENCE",
    "EVALUATED",
    "METRICS",
    "Interval",
    "SeedScores",
    "auroc_standard_error",
    "bootstrap_interval",
    "choose_threshold",
    "curve_points",
    "ensemble_logits",
    "epochs_to_target",
    "evaluate",
    "mean_interval",
    "measure",
    "paired_difference",
    "precision_recall_points",
    "rank_auroc",
    "reliability_points",
    "roc_curve_points",
    "score",
    "seed_scores",
]
