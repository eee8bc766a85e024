"""All checks of one model, for any module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from motiflens.attribution import METHODS, Attributions, attribute
from motiflens.attribution.base import Floats, as_input, check_one_hot, evaluating
from motiflens.errors import InputError
from motiflens.evidence.attention import attention_test, shown_by_heads
from motiflens.evidence.deletion import RANDOM, Erasure, erasure, eval_logits
from motiflens.evidence.levels import Levels, standing_out, telling
from motiflens.evidence.results import MethodEvidence, Trust, Untrained
from motiflens.evidence.tracks import (
    LEFT_OUT,
    MOTIF,
    OUTSIDE,
    SHARES,
    base_scores,
    fraction_above,
    peaks,
    rank_correlations,
    shuffled,
    top_overlaps,
)
from motiflens.evidence.verdict import judge
from motiflens.metrics import rank_auroc
from motiflens.models.base import SequenceModel
from motiflens.sequences import evenly

MOST, LEAST = 100, 40
"""Positives that every method explains, of short and of long sequences, as far as there are some.

Half as many negatives and shuffled positives are its null, also of fewer positives, and an eighth
as many positives are explained of other seeds and before training: what each costs grows with the
square of the length.
"""

MOST_WORK = 4_000_000
"""Positives times the square of their length: ``MOST`` of 200 bases."""

N_HELD_OUT = 500
"""Sequences of each class on which the model is scored and its attention replaced, at most."""


def trust_checks(
    module: nn.Module,
    positives: Floats | Tensor,
    negatives: Floats | Tensor,
    *,
    methods: Iterable[str] | None = None,
    target: int = 0,
    truth: ArrayLike | None = None,
    seeds: Sequence[nn.Module] = (),
    untrained: nn.Module | None = None,
    attributions: Mapping[str, Attributions] | None = None,
    seed: int = 0,
) -> Trust:
    """Check how far the explanations of a model can be trusted.

    At most ``N_HELD_OUT`` sequences of each class are scored, and ``MOST`` positives explained,
    fewer of more than 200 bases, spread evenly over their order.

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits (N,) or (N, T); left as it was found.
    positives, negatives
        Held-out sequences, (N, 4, L) and (M, 4, L').
    methods
        Keys of ``motiflens.attribution.METHODS``; None for all that the model takes.
    target
        Column of the logits.
    truth
        (N, L): 1 on the bases of the true motifs, 0 elsewhere, -1 on bases that count as neither,
        as :func:`true_bases` gives it.
    seeds
        The same architecture, trained with other seeds.
    untrained
        The same architecture before training.
    attributions
        By method, of the positives in the same order, where they are there already.
    seed
        Of everything random.

    Returns
    -------
    Trust

    Raises
    ------
    InputError
        For sequences that are not one-hot, none of one class, an unknown method, a target out of
        range, logits that are not finite, or a truth of another shape.
    """
    held_out = [_some(positives, "positives"), _some(negatives, "negatives")]
    case = _case(module, held_out, truth, target, seed)
    scored = [part[evenly(len(part), N_HELD_OUT)] for part in held_out]
    auroc = _auroc(module, scored, target)
    attentive = _has_maps(module, case.positives[:1])
    shown = shown_by_heads(module, case.parts, case.truth) if attentive else None
    attention = attention_test(module, *scored, shown=shown, target=target, seed=seed)
    maps, refused = _explained(case, methods, attributions or {}, len(held_out[0]))
    tracks = {method: found.positives.track for method, found in maps.items()}
    curves = erasure(module, case.positives, tracks, target=target, seed=seed) or {}
    evidence = {
        method: _evidence(case, method, maps, curves.get(method), seeds, untrained)
        for method in maps
    }
    n, *nulls = map(len, case.parts)
    levels = Levels(n, telling(*map(len, scored)), standing_out(n, nulls))
    # A model of ours says itself that it has no attention; another module cannot say.
    silent = isinstance(module, SequenceModel) and not attentive
    untested = attention is None and not silent
    return Trust(
        judge(auroc, attention, evidence, levels, untested=untested),
        auroc,
        attention,
        evidence,
        curves.get(RANDOM),
        refused,
        n,
        auroc >= levels.tells_from,
        levels.stands_out_from,
    )


def _auroc(module: nn.Module, parts: Sequence[Floats], target: int) -> float:
    logits = [eval_logits(module, part, target) for part in parts]
    labels = np.repeat([1.0, 0.0], [len(part) for part in logits])
    (auroc,) = rank_auroc(labels[None], np.concatenate(logits)[None])
    return float(auroc)


def _has_maps(module: nn.Module, one_hot: Floats) -> bool:
    if not isinstance(module, SequenceModel):
        return False
    with evaluating(module), torch.inference_mode():
        return bool(module.attention_maps(as_input(module, one_hot)))


@dataclass(frozen=True, eq=False)
class _Case:
    """One model, and the sequences on which it is explained: ``rows`` of the positives."""

    module: nn.Module
    rows: NDArray[np.intp]
    positives: Floats
    negatives: Floats
    shuffled: Floats
    truth: NDArray[np.int8] | None
    target: int

    @property
    def parts(self) -> tuple[Floats, Floats, Floats]:
        """The positives, and the sequences of both nulls."""
        return self.positives, self.negatives, self.shuffled

    @property
    def few(self) -> NDArray[np.intp]:
        """Positives that are explained of other models too, as rows of ``positives``."""
        return evenly(len(self.positives), max(1, len(self.positives) // 8))

    @property
    def known(self) -> NDArray[np.bool_]:
        """Mark the bases that are no N and no padding, (N, L)."""
        return np.asarray(self.positives.sum(axis=1) > 0)

    def explain(
        self,
        method: str,
        one_hot: Floats,
        module: nn.Module | None = None,
        *,
        checks: bool = False,
    ) -> Attributions:
        """Explain sequences of this model, or of another one."""
        chosen = self.module if module is None else module
        return attribute(chosen, one_hot, method, target=self.target, checks=checks)


@dataclass(frozen=True, eq=False)
class _Maps:
    """One method's explanations of positives, and of the sequences of the null."""

    positives: Attributions
    null: tuple[Attributions, Attributions]


def _some(one_hot: Floats | Tensor, what: str) -> Floats:
    found = check_one_hot(one_hot)
    if len(found) == 0:
        raise InputError(
            "trust is checked on positives and on negatives",
            got=f"no {what}",
            remedy="give held-out sequences of both classes",
        )
    return found


def _case(
    module: nn.Module, parts: Sequence[Floats], truth: ArrayLike | None, target: int, seed: int
) -> _Case:
    n = int(np.clip(MOST_WORK // parts[0].shape[2] ** 2, LEAST, MOST))
    rows = evenly(len(parts[0]), n)
    marks = None if truth is None else _checked_truth(truth, parts[0])[rows]
    positives, negatives = parts[0][rows], parts[1][evenly(len(parts[1]), n // 2)]
    # Few positives are shuffled several times each: a small null is a coarse one.
    turns = np.resize(evenly(len(positives), n // 2), n // 2)
    return _Case(
        module, rows, positives, negatives, shuffled(positives[turns], seed), marks, target
    )


def _checked_truth(truth: ArrayLike, positives: Floats) -> NDArray[np.int8]:
    marks = np.asarray(truth)
    expected = (positives.shape[0], positives.shape[2])
    if marks.shape != expected or not np.isin(marks, (MOTIF, OUTSIDE, LEFT_OUT)).all():
        raise InputError(
            f"the truth marks every base of the positives, {expected}, by 1, 0 or -1",
            got=f"shape {marks.shape}" if marks.shape != expected else "other values",
            remedy="make it with motiflens.true_bases",
        )
    return marks.astype(np.int8)


def _explained(
    case: _Case, methods: Iterable[str] | None, kept: Mapping[str, Attributions], n: int
) -> tuple[dict[str, _Maps], dict[str, str]]:
    """Take every method on positives and null; give also why some refuse the model."""
    maps, refused = {}, {}
    for method in METHODS if methods is None else methods:
        try:
            positives = _chosen(kept.get(method), case, n)
            positives = positives or case.explain(method, case.positives, checks=True)
            null = (case.explain(method, case.negatives), case.explain(method, case.shuffled))
        except InputError as error:
            if method not in METHODS:
                raise
            refused[method] = str(error)
        else:
            maps[method] = _Maps(positives, null)
    return maps, refused


def _chosen(kept: Attributions | None, case: _Case, n: int) -> Attributions | None:
    """Take the chosen rows of attributions, if they are of these n positives."""
    if kept is None or len(kept.one_hot) != n:
        return None
    one_hot = kept.one_hot[case.rows]
    if not np.array_equal(one_hot, case.positives):
        return None
    return Attributions(kept.method, one_hot, kept.contributions[case.rows])


def _evidence(
    case: _Case,
    method: str,
    maps: Mapping[str, _Maps],
    curve: Erasure | None,
    seeds: Sequence[nn.Module],
    untrained: nn.Module | None,
) -> MethodEvidence:
    found = maps[method]
    track, known = found.positives.track, case.known
    scores = None if case.truth is None else base_scores(track, case.truth)
    ism = maps["ism"].positives.track if "ism" in maps else None
    return MethodEvidence(
        base_auroc=None if scores is None else scores[0],
        base_auprc=None if scores is None else scores[1],
        ism_rank_correlation=None if ism is None else _mean(rank_correlations(track, ism, known)),
        ism_top_overlap=None if ism is None else _mean(top_overlaps(track, ism, known)),
        fraction_above_null=fraction_above(peaks(found.positives), *map(peaks, found.null)),
        erasure=curve,
        seed_rank_correlation=_stability(case, method, found.positives, seeds),
        untrained=None if untrained is None else _untrained(case, method, untrained),
    )


def _stability(
    case: _Case, method: str, own: Attributions, seeds: Sequence[nn.Module]
) -> float | None:
    """Give the mean rank correlation over all pairs of seeds, on few positives."""
    if not seeds:
        return None
    few = case.positives[case.few]
    tracks = [own.track[case.few], *(case.explain(method, few, one).track for one in seeds)]
    known = case.known[case.few]
    return _mean([_mean(rank_correlations(a, b, known)) for a, b in combinations(tracks, 2)])


def _untrained(case: _Case, method: str, module: nn.Module) -> Untrained:
    """Give the figures of the model before training; its null only where one pass explains."""
    few = case.explain(method, case.positives[case.few], module)
    scores = None if case.truth is None else base_scores(few.track, case.truth[case.few])
    above = None
    if method in SHARES:
        above = fraction_above(*(peaks(case.explain(method, part, module)) for part in case.parts))
    return Untrained(None if scores is None else scores[0], above)


def _mean(values: Sequence[float] | NDArray[np.float64]) -> float:
    return float(np.mean(values))
