"""Contributions of the distilled network beside the mean of those of all others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from motiflens.attribution import Attributions, attribute
from motiflens.attribution.result import Floats
from motiflens.datasets import SequenceDataset
from motiflens.results.explanations import Agreement
from motiflens.runs import Run
from motiflens.sequences import evenly
from motiflens.settings import DISTILLED

#: Methods whose contributions to a mean of logits are the mean of those to each.
COMPARED = ("deeplift_shap", "ism")
#: Positives that every teacher is explained on, at most.
MAX_COMPARED = 50


def agreement_with_ensemble(
    run: Run, positives: SequenceDataset, methods: Iterable[str]
) -> dict[str, Agreement]:
    """Explain the ensemble on some positives, keep that, and correlate the student's with it.

    Parameters
    ----------
    run
        With the distilled network's attributions.
    positives
        That they explain.
    methods
        By which they do; of these, the ones that are compared.
    """
    rows = evenly(len(positives), MAX_COMPARED)
    some = positives.subset(rows)
    found: dict[str, Agreement] = {}
    compared = [one for one in COMPARED if one in methods]
    for method, mean in _explained_ensemble(run, some, compared).items():
        path = run.results.path_of("attributions", model=DISTILLED, method=method)
        own = Attributions.load(path).track[rows]
        place = run.results.path_of("ensemble_attributions", model=DISTILLED, method=method)
        place.parent.mkdir(exist_ok=True)
        mean.save(place, some.names.tolist())
        found |= {method: agreement(own, mean.track, some)} if len(some) else {}
    return found


def _explained_ensemble(
    run: Run, some: SequenceDataset, methods: Sequence[str]
) -> dict[str, Attributions]:
    """Return the mean contributions of every seed of all models that the student learnt from."""
    teachers: Mapping[str, tuple[int, ...]] = run.results.distillation.teachers
    one_hot = some.one_hot()
    found: dict[str, list[Floats]] = {method: [] for method in methods}
    for name, seed in ((name, seed) for name, seeds in teachers.items() for seed in seeds):
        model = run.model(name, seed)
        for method, of_method in found.items():
            of_method.append(attribute(model, one_hot, method, checks=False).contributions)
    return {m: Attributions(m, one_hot, np.mean(each, axis=0)) for m, each in found.items()}


def agreement(own: Floats, mean: Floats, some: SequenceDataset) -> Agreement:
    """Correlate tracks (N, L) sequence by sequence over their own bases."""
    pairs = zip(own, mean, some.lengths, strict=True)
    each = np.array([_correlation(a[:n], b[:n]) for a, b, n in pairs])
    low, median, high = np.quantile(each, (0.25, 0.5, 0.75))
    example = int(np.abs(each - median).argmin())
    return Agreement(
        median=float(median),
        low=float(low),
        high=float(high),
        n=len(each),
        example=str(some.names[example]),
    )


def _correlation(a: Floats, b: Floats) -> float:
    """Return Pearson's correlation; 0 where one of the two says the same of all bases."""
    a, b = a - a.mean(), b - b.mean()
    length = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / length if length > 0 else 0.0
