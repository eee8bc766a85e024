"""A distilled network beside the ensemble that it has learnt from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from motiflens.datasets import SequenceDataset
from motiflens.evaluation.ensembles import Ints, evaluate_ensembles
from motiflens.metrics import intervals
from motiflens.results.comparison import Difference
from motiflens.results.distillation import Distillation
from motiflens.results.scores import MeanOfSeeds
from motiflens.settings import DISTILLED
from motiflens.training import Trained
from motiflens.training.distillation import mean_logits
from motiflens.training.job import MADE_OF_EACH

#: What the ensemble of all teachers is called where its difference from the student is told.
ENSEMBLE = "ensemble"


def evaluate_distilled(
    trained: Mapping[str, Sequence[Trained]],
    test: SequenceDataset,
    *,
    seed: int,
    groups: Ints | None = None,
) -> Distillation:
    """Score the ensemble of all teachers on the test split, and the student's difference from it.

    Parameters
    ----------
    trained
        Model → its replicas; ``distilled`` has learnt from all others.
    test, seed, groups
        As in :func:`motiflens.evaluation.ensembles.evaluate_ensembles`.
    """
    (student,) = trained[DISTILLED]
    by_model = {name: group for name, group in trained.items() if name != DISTILLED}
    teachers = [one for group in by_model.values() for one in group]
    both = {DISTILLED: [student], ENSEMBLE: teachers}
    scores = evaluate_ensembles(both, test, seed=seed, groups=groups)
    # As they are called: MCC and accuracy are then those of the scores.
    called = {n: mean_logits(own, test) - scores[n].threshold for n, own in both.items()}
    first, second = (intervals.seed_scores(test.labels, [called[name]]) for name in both)
    found = intervals.paired_difference(test.labels, first, second, groups)
    return Distillation(
        teachers={name: tuple(one.seed for one in group) for name, group in by_model.items()},
        parameters=student.n_parameters,
        teacher_parameters=sum(one.n_parameters for one in teachers),
        n_train=student.n_train,
        n_made=MADE_OF_EACH * student.n_train,
        ensemble=scores[ENSEMBLE],
        difference=Difference(
            a=DISTILLED,
            b=ENSEMBLE,
            **{metric: MeanOfSeeds(**one._asdict()) for metric, one in found.items()},
        ),
    )
