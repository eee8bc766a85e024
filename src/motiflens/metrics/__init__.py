"""Scores of predictions, and how far they can be believed."""

from motiflens.metrics.curves import (
    curve_points,
    precision_recall_points,
    reliability_points,
    roc_curve_points,
)
from motiflens.metrics.evaluation import (
    EVALUATED,
    choose_threshold,
    ensemble_logits,
    evaluate,
    measure,
)
from motiflens.metrics.intervals import (
    CONFIDENCE,
    Interval,
    SeedScores,
    mean_interval,
    paired_difference,
    seed_scores,
)
from motiflens.metrics.scores import (
    METRICS,
    auroc_standard_error,
    epochs_to_target,
    rank_auprc,
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
    "choose_threshold",
    "curve_points",
    "ensemble_logits",
    "epochs_to_target",
    "evaluate",
    "mean_interval",
    "measure",
    "paired_difference",
    "precision_recall_points",
    "rank_auprc",
    "rank_auroc",
    "reliability_points",
    "roc_curve_points",
    "score",
    "seed_scores",
]
