"""``distillation.json``: one small network beside the ensemble that it has learnt from."""

from __future__ import annotations

from motiflens.results.base import File
from motiflens.results.comparison import Difference
from motiflens.results.scores import EnsembleScores


class Distillation(File, frozen=True, kw_only=True):
    """``distillation.json``; the scores of the distilled network stand beside those of all models.

    Parameters
    ----------
    teachers
        Model → its seeds, all of which the ensemble consists of.
    parameters, teacher_parameters
        Weights of the distilled network, and of all teachers together.
    n_train, n_made
        Training sequences that it learnt from, and mutated copies of them.
    ensemble
        What the mean logit of all teachers scores on the test split.
    difference
        The distilled network minus the ensemble, over the same test sequences, each called with
        its own threshold.
    """

    teachers: dict[str, tuple[int, ...]]
    parameters: int
    teacher_parameters: int
    n_train: int
    n_made: int
    ensemble: EnsembleScores
    difference: Difference
