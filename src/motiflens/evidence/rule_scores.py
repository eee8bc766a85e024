"""Whether explanations show a rule, or only the places of its motifs: minimal pairs, scored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv
from torch import nn

from motiflens.attribution import METHODS, attribute
from motiflens.attribution.result import Floats
from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.evidence.case import N_PAIRS
from motiflens.evidence.deletion import eval_logits
from motiflens.evidence.levels import RULE_BY_CHANCE, RULE_FROM
from motiflens.evidence.rules import MinimalPairs, Rule, find_rule, join_names, minimal_pairs
from motiflens.progress import Progress, listener
from motiflens.results.trust import RuleScore, RuleTest
from motiflens.sequences import PAD, codes_of, one_hot

SAME_WITHIN = 0.1
"""Change, as a fraction of the larger of both values, up to which neither is the larger."""

Doubles = NDArray[np.float64]


def score_rule(
    model: nn.Module,
    data: SequenceDataset,
    methods: Iterable[str] | str | None = None,
    *,
    rule: Rule | None = None,
    n: int = N_PAIRS,
    target: int = 0,
    seed: int = 0,
    progress: Progress | bool = False,
) -> RuleTest:
    """Score explanations by whether they change as a rule says when it is broken.

    A pair is a positive and the same sequence with the rule broken
    (:func:`motiflens.evidence.minimal_pairs`). Contributions are summed, with their sign, over the
    motifs that are in both: of ``and`` those that are left when one is taken out, of ``order`` and
    ``spacing`` both, where each now lies. The rule says that they fall. A method that knows places
    alone gives them as much as before: they fall as often as they rise, 0.5.

    Parameters
    ----------
    model
        Any module from one-hot (N, 4, L) to logits; left as it was found.
    data
        Held-out sequences of both classes, with their true sites.
    methods
        Of ``motiflens.attribution.METHODS``; None for all that the model takes.
    rule
        None for the one that tells the classes of the data apart.
    n
        Pairs at most, spread evenly over the positives.
    target
        Column of the logits.
    seed
        Of what is drawn to break the rule.
    progress
        Told of each method; True for a line on stderr.

    Returns
    -------
    RuleTest
        ``methods`` without those that refuse the model, where none was asked for by name.

    Raises
    ------
    InputError
        For data without sites, or without a rule in them; see also
        :func:`motiflens.evidence.minimal_pairs`.
    """
    rule = rule or _rule_of(data)
    positives = data.subset(np.flatnonzero(data.labels > 0))
    sequences = positives.one_hot()
    pairs = minimal_pairs(sequences, positives.sites or (), rule, n=n, seed=seed)
    kept, row_of_pair = np.unique(pairs.rows, return_inverse=True)
    chosen = METHODS if methods is None else [methods] if isinstance(methods, str) else methods
    names = tuple(chosen)
    scores = {}
    with listener(progress).stage("breaking the rule", len(names)) as advance:
        for method in names:
            try:
                tracks = [
                    attribute(model, x, method, target=target, checks=False).track
                    for x in (sequences[kept], pairs.broken)
                ]
            except InputError:
                if methods is not None:
                    raise
            else:
                scores[method] = score_tracks(tracks[0][row_of_pair], tracks[1], pairs)
            advance(1)
    return rule_test(model, sequences, pairs, rule, scores, target=target, seed=seed)


def _rule_of(data: SequenceDataset) -> Rule:
    if data.sites is None:
        raise InputError("the data have no sites", remedy="give their true sites", argument="data")
    rule = find_rule(data.sites, data.labels)
    if rule is None:
        raise InputError(
            "the sites of both classes show no rule",
            remedy="name one: rule=Rule('order', ('GATA', 'TAL1'))",
            argument="rule",
        )
    return rule


def rule_test(
    module: nn.Module,
    sequences: Floats,
    pairs: MinimalPairs,
    rule: Rule,
    scores: Mapping[str, RuleScore],
    *,
    target: int = 0,
    seed: int = 0,
) -> RuleTest:
    """Put the scores of methods beside what the motifs are worth to the logit.

    That is the logit less the logit without the compared motifs: the yardstick of the model itself.

    Parameters
    ----------
    module
        What was explained.
    sequences
        One-hot (N, 4, L), those that the pairs are of.
    pairs, rule
        From :func:`motiflens.evidence.minimal_pairs`.
    scores
        By method, as :func:`score_tracks` returns them.
    target
        Column of the logits.
    seed
        Of the bases that take the place of the motifs.
    """
    kept = sequences[pairs.rows]
    generator = np.random.default_rng(seed)
    without = _without(kept, pairs, generator)
    before, after = (
        eval_logits(module, whole, target) - eval_logits(module, rest, target)
        for whole, rest in zip((kept, pairs.broken), without, strict=True)
    )
    n = len(np.unique(pairs.rows))
    return RuleTest(
        kind=rule.kind,
        motifs=rule.motifs,
        gaps=rule.gaps,
        words=str(rule),
        n_pairs=len(pairs),
        n=n,
        logit=_score(before, after, n),
        methods=dict(scores),
    )


def _without(
    kept: Floats, pairs: MinimalPairs, generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """Replace the compared motifs of both sequences of a pair by the same bases of the rest."""
    both = codes_of(kept), codes_of(pairs.broken)
    for before, after, at, now in zip(*both, pairs.kept_at, pairs.broken_at, strict=True):
        rest = before[~at & (before != PAD)]
        drawn = generator.choice(rest if len(rest) else np.arange(4), int(at.sum()))
        before[at], after[now] = drawn, drawn
    return one_hot(both[0]), one_hot(both[1])


def score_tracks(
    kept: NDArray[np.floating], broken: NDArray[np.floating], pairs: MinimalPairs
) -> RuleScore:
    """Score the tracks of minimal pairs by the contributions at their motifs.

    Parameters
    ----------
    kept, broken
        (P, L): of the sequence of each pair that keeps the rule, and of the one that breaks it.
    pairs
        Where the motifs are.
    """
    before = np.where(pairs.kept_at, kept, 0).sum(axis=1, dtype=np.float64)
    after = np.where(pairs.broken_at, broken, 0).sum(axis=1, dtype=np.float64)
    return _score(before, after, len(np.unique(pairs.rows)))


def _score(kept: Doubles, broken: Doubles, n: int) -> RuleScore:
    """Count the falls; the interval is Jeffreys', of as many trials as there are sequences."""
    larger = np.maximum(np.abs(kept), np.abs(broken))
    lost = np.divide(kept - broken, larger, out=np.zeros(len(kept)), where=larger > 0)
    falls = np.where(np.abs(lost) < SAME_WITHIN, 0.5, lost > 0)
    score = float(falls.mean())
    low, high = betaincinv(n * score + 0.5, n * (1 - score) + 0.5, (0.025, 0.975)).tolist()
    # At its ends the interval reaches them.
    return RuleScore(
        score=score,
        low=0.0 if score == 0 else low,
        high=1.0 if score == 1 else high,
        fall=float(np.median(lost)),
    )


def rule_claimed_by(test: RuleTest, trusted: Iterable[str]) -> tuple[str, ...]:
    """Return those of the trusted methods that show the rule, where the model itself knows it."""
    if test.logit.score < RULE_FROM:
        return ()
    return tuple(
        name
        for name in trusted
        if name in test.methods
        and test.methods[name].score >= RULE_FROM
        and test.methods[name].low > RULE_BY_CHANCE
    )


def judge_rule(test: RuleTest) -> str:
    """Say which methods show a rule, and which only the places of its motifs."""
    best = max(test.claimed_by or test.methods, key=lambda name: test.methods[name].score)
    figure = f"{_below(test.methods[best].score)} of {test.n_pairs} minimal pairs"
    if not test.claimed_by:
        return (
            f"places, not rules: no method may claim that {test.words} (at best {best}, {figure}, "
            f"{RULE_BY_CHANCE} by chance); what the motifs are worth to the logit falls in "
            f"{_below(test.logit.score)} of them"
        )
    claim = f"the rule that {test.words} may be claimed by {join_names(test.claimed_by)} ({figure})"
    others = [name for name, one in test.methods.items() if one.score < RULE_FROM]
    return f"{claim}; places, not rules, by {join_names(others)}" if others else claim


def _below(score: float) -> str:
    """Write two decimals that are not above the value, so that 0.899 is not 0.90."""
    return f"{np.floor(100 * score + 1e-6) / 100:.2f}"
