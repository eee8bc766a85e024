"""All checks of one model, for any module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from msgspec import UNSET
from msgspec.structs import replace
from numpy.typing import NDArray
from torch import nn

from motiflens.attribution import METHODS, Attributions
from motiflens.attribution.result import Floats
from motiflens.errors import InputError
from motiflens.evidence.attention import attention_test, judge_heads
from motiflens.evidence.case import Case, Controls, case_of, checked
from motiflens.evidence.deletion import RANDOM, deletion_curves, eval_logits
from motiflens.evidence.levels import Levels, auroc_by_chance, fraction_by_chance
from motiflens.evidence.rule_scores import rule_claimed_by, rule_test, score_tracks
from motiflens.evidence.tracks import (
    SUM_TO_ONE,
    base_scores,
    fraction_above,
    peaks,
    rank_correlations,
    top_overlaps,
)
from motiflens.evidence.verdict import claimed_by, judge
from motiflens.io.inputs import Sequences
from motiflens.metrics import rank_auroc
from motiflens.models.base import SequenceModel
from motiflens.models.calling import as_input, evaluating
from motiflens.progress import Advance, Progress, listener
from motiflens.results.trust import DeletionCurve, MethodTrust, ModelTrust, RuleTest, Untrained
from motiflens.sequences import evenly

N_HELD_OUT = 500
"""Sequences of each class on which the model is scored and its attention replaced, at most."""


def trust_checks(
    module: nn.Module,
    positives: Sequences,
    negatives: Sequences,
    *,
    methods: Iterable[str] | None = None,
    target: int = 0,
    controls: Controls | None = None,
    seed: int = 0,
    progress: Progress | bool = False,
) -> ModelTrust:
    """Check how far the explanations of a model can be trusted.

    At most ``N_HELD_OUT`` sequences of each class are scored, and ``MAX_POSITIVES`` positives
    explained, fewer of more than 200 bases, spread evenly over their order.

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits (N,) or (N, T); left as it was found.
    positives, negatives
        Held-out sequences, see :func:`motiflens.one_hot`: (N, 4, L) and (M, 4, L').
    methods
        Keys of ``motiflens.attribution.METHODS``; None for all that the model takes.
    target
        Column of the logits.
    controls
        What else is known.
    seed
        Of everything random.
    progress
        Told of each method that is explained, and held against its controls; True for a line on
        stderr.

    Returns
    -------
    ModelTrust

    Raises
    ------
    InputError
        For sequences that are not one-hot, none of one class, an unknown method, a target out of
        range, logits that are not finite, or a truth of another shape.
    """
    chosen = METHODS if methods is None else [methods] if isinstance(methods, str) else methods
    names = tuple(chosen)
    with listener(progress).stage("checking trust", 2 * len(names)) as advance:
        return _checked_trust(
            module, positives, negatives, names, target, controls or Controls(), seed, advance
        )


def _checked_trust(
    module: nn.Module,
    positives: Sequences,
    negatives: Sequences,
    methods: Sequence[str],
    target: int,
    controls: Controls,
    seed: int,
    advance: Advance,
) -> ModelTrust:
    held_out = [checked(positives, "positives"), checked(negatives, "negatives")]
    explained = held_out[0]
    if controls.explained is not None:
        explained = checked(controls.explained, "explained")
    case = case_of(module, explained, held_out[1], controls, target=target, seed=seed)
    scored = [of_class[evenly(len(of_class), N_HELD_OUT)] for of_class in held_out]
    auroc = _auroc(module, scored, target)
    attentive = _has_maps(module, case.positives[:1])
    shown = judge_heads(module, case.sets, case.truth) if attentive else None
    attention = attention_test(module, *scored, shown=shown, target=target, seed=seed)
    maps, refused = _explain(case, methods, len(explained), advance)
    tracks = {method: of_method.positives.track for method, of_method in maps.items()}
    curves = deletion_curves(module, case.positives, tracks, target=target, seed=seed) or {}
    evidence = {}
    for method in maps:
        evidence[method] = _evidence(case, method, maps, curves.get(method))
        advance(1)
    n, *nulls = map(len, case.sets)
    levels = Levels(n, auroc_by_chance(*map(len, scored)), fraction_by_chance(n, nulls))
    # A model of ours says itself that it has no attention; another module cannot say.
    silent = isinstance(module, SequenceModel) and not attentive
    untested = attention is None and not silent
    bases, in_order = claimed_by(auroc, attention, evidence, levels)
    rule = _rule(case, maps, (*bases, *in_order))
    return ModelTrust(
        verdict=judge(auroc, attention, evidence, levels, rule=rule, untested=untested),
        auroc=auroc,
        attention=attention,
        methods=evidence,
        random_order=curves.get(RANDOM),
        refused=refused,
        n=n,
        may_claim=auroc >= levels.tells_from,
        stands_out_from=levels.stands_out_from,
        bases_claimed_by=bases,
        rule=rule or UNSET,
    )


def _rule(case: Case, maps: Mapping[str, _Maps], trusted: Sequence[str]) -> RuleTest | None:
    """Explain the sequences whose rule is broken, and hold them against those that keep it."""
    pairs, rule = case.pairs, case.controls.rule
    if pairs is None or rule is None or not maps:
        return None
    scores = {}
    for method, of_method in maps.items():
        broken = case.explain(method, pairs.broken).track
        scores[method] = score_tracks(of_method.positives.track[pairs.rows], broken, pairs)
    test = rule_test(case.module, case.positives, pairs, rule, scores, target=case.target)
    return replace(test, claimed_by=rule_claimed_by(test, trusted))


def _auroc(module: nn.Module, classes: Sequence[Floats], target: int) -> float:
    logits = [eval_logits(module, one_hot, target) for one_hot in classes]
    labels = np.repeat([1.0, 0.0], [len(of_class) for of_class in logits])
    (auroc,) = rank_auroc(labels[None], np.concatenate(logits)[None])
    return float(auroc)


def _has_maps(module: nn.Module, one_hot: Floats) -> bool:
    if not isinstance(module, SequenceModel):
        return False
    with evaluating(module), torch.inference_mode():
        return bool(module.attention_maps(as_input(module, one_hot)))


@dataclass(frozen=True, eq=False)
class _Maps:
    """One method's explanations of positives, and of the sequences of the null."""

    positives: Attributions
    null: tuple[Attributions, Attributions]


def _explain(
    case: Case, methods: Sequence[str], n: int, advance: Advance
) -> tuple[dict[str, _Maps], dict[str, str]]:
    """Explain positives and null by every method; return also why some refuse the model."""
    maps, refused = {}, {}
    for method in methods:
        try:
            positives = _chosen(case, method, n)
            positives = positives or case.explain(method, case.positives, checks=True)
            null = (case.explain(method, case.negatives), case.explain(method, case.shuffled))
        except InputError as error:
            if method not in METHODS:
                raise
            refused[method] = str(error)
            advance(2)
        else:
            maps[method] = _Maps(positives, null)
            advance(1)
    return maps, refused


def _chosen(case: Case, method: str, n: int) -> Attributions | None:
    """Take the chosen rows of the attributions that are there, if they are of these n positives."""
    kept = case.controls.attributions.get(method)
    if kept is None or len(kept.one_hot) != n:
        return None
    one_hot = kept.one_hot[case.rows]
    if not np.array_equal(one_hot, case.positives):
        return None
    return Attributions(kept.method, one_hot, kept.contributions[case.rows])


def _evidence(
    case: Case, method: str, maps: Mapping[str, _Maps], curve: DeletionCurve | None
) -> MethodTrust:
    positives, null = maps[method].positives, maps[method].null
    track, known = positives.track, case.known
    base_auroc, base_auprc = base_scores(track, case.truth) or (None, None)
    ism = maps["ism"].positives.track if "ism" in maps else None
    return MethodTrust(
        base_auroc=base_auroc,
        base_auprc=base_auprc,
        ism_rank_correlation=None if ism is None else _mean(rank_correlations(track, ism, known)),
        ism_top_overlap=None if ism is None else _mean(top_overlaps(track, ism, known)),
        fraction_above_null=fraction_above(peaks(positives), *map(peaks, null)),
        deletion_curve=curve,
        seed_rank_correlation=_stability(case, method, positives),
        untrained=_untrained(case, method),
        deletion_auc=None if curve is None else curve.deletion_auc,
    )


def _stability(case: Case, method: str, own: Attributions) -> float | None:
    """Return the mean rank correlation over all pairs of seeds, on few positives."""
    others = case.controls.seeds
    if not others:
        return None
    few, known = case.positives[case.few], case.known[case.few]
    tracks = [own.track[case.few], *(case.explain(method, few, other).track for other in others)]
    return _mean([_mean(rank_correlations(a, b, known)) for a, b in combinations(tracks, 2)])


def _untrained(case: Case, method: str) -> Untrained | None:
    """Return the figures before training; those of the null only where one pass explains."""
    module = case.controls.untrained
    if module is None:
        return None
    few = case.explain(method, case.positives[case.few], module)
    truth = None if case.truth is None else case.truth[case.few]
    base_auroc, _ = base_scores(few.track, truth) or (None, None)
    above = None
    if method in SUM_TO_ONE:
        tracks = [case.explain(method, one_hot, module) for one_hot in case.sets]
        above = fraction_above(*map(peaks, tracks))
    return Untrained(base_auroc=base_auroc, fraction_above_null=above)


def _mean(values: Sequence[float] | NDArray[np.float64]) -> float:
    return float(np.mean(values))
