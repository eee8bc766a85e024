"""Scores of predictions, and how far they can be believed."""

from motiflens.metrics.calibration import fit_platt, prior_shift
from motiflens.metrics.curves import curve_points, reliability_points
from motiflens.metrics.evaluation import evaluate, measure
from motiflens.metrics.regression import evaluate_numbers, measure_numbers
from motiflens.metrics.scores import auroc_standard_error, rank_auprc, rank_auroc, score
from motiflens.metrics.thresholds import assess_threshold, choose_threshold, threshold_of_share

__all__ = [
    "assess_threshold",
    "auroc_standard_error",
    "choose_threshold",
    "curve_points",
    "evaluate",
    "evaluate_numbers",
    "fit_platt",
    "measure",
    "measure_numbers",
    "prior_shift",
    "rank_auprc",
    "rank_auroc",
    "reliability_points",
    "score",
    "threshold_of_share",
]
