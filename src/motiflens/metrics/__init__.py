"""Scores of predictions, and how far they can be believed."""

from motiflens.metrics.calibration import fit_platt
from motiflens.metrics.curves import curve_points, reliability_points
from motiflens.metrics.evaluation import choose_threshold, ensemble_logits, evaluate, measure
from motiflens.metrics.scores import auroc_standard_error, rank_auprc, rank_auroc, score

__all__ = [
    "auroc_standard_error",
    "choose_threshold",
    "curve_points",
    "ensemble_logits",
    "evaluate",
    "fit_platt",
    "measure",
    "rank_auprc",
    "rank_auroc",
    "reliability_points",
    "score",
]
