"""Three baselines without a neural net, which a model has to beat before it is worth explaining.

Each is fitted on the training split alone, its own choices (k, the estimator, the width) made on a
quarter of that split held out. K-mers and motifs are read on the strands that a run reads; where
none are named, on both where the training split reads the same on both (see
`motiflens.datasets.strands`), and forward only elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, normalize

from motiflens.datasets import SequenceDataset, concatenate, split_at_random
from motiflens.datasets.groups import homology_groups
from motiflens.datasets.strands import reads_both_strands
from motiflens.metrics import evaluate, score
from motiflens.metrics.resampling import number_groups
from motiflens.motifs import ppm_from_codes, pwm
from motiflens.sequences import PAD, Codes

KMER_SIZES = (3, 4, 5, 6)
MOTIF_WIDTHS = (6, 8, 10, 12)
HELD_OUT = 0.25
# Of one class, a quarter and the rest hold a sequence each.
MIN_PER_CLASS = 3
SEED = 0
# Sequences of a split up to which related ones are looked for.
MAX_GROUPED = 200_000
N_REFINEMENTS = 2

Floats = NDArray[np.float64]
Logits = Callable[[SequenceDataset], Floats]
"""A fitted baseline: N sequences to (N,) logits, above 0 where it calls a sequence positive."""
Fit = Callable[[SequenceDataset], Logits]


def fit_composition(
    train: SequenceDataset, generator: np.random.Generator, strands: str | None = None
) -> Logits:
    """Logistic regression on the fractions of A, C, G and T and on the length."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=10_000))
    model.fit(composition_of(train), train.labels)
    return lambda data: np.asarray(model.decision_function(composition_of(data)))


def fit_kmer(
    train: SequenceDataset, generator: np.random.Generator, strands: str | None = None
) -> Logits:
    """K-mer counts under naive Bayes or L2 logistic regression, k from 3 to 6, as validation says.

    References
    ----------
    Multinomial naive Bayes: Manning, Raghavan and Schütze 2008, *Introduction to Information
    Retrieval*, section 13.2.
    """
    fits = [partial(fit, k=k) for fit in (fit_naive_bayes, _fit_logistic) for k in KMER_SIZES]
    return _on_strands(train, strands, lambda data: choose_fit(fits, data, generator)(data))


def fit_best_motif(
    train: SequenceDataset, generator: np.random.Generator, strands: str | None = None
) -> Logits:
    """Best single gapless motif: a sequence's score is the largest log-odds of its windows."""
    fits = [partial(_fit_motif, width=width) for width in MOTIF_WIDTHS]
    return _on_strands(train, strands, lambda data: choose_fit(fits, data, generator)(data))


BASELINES: dict[str, Callable[[SequenceDataset, np.random.Generator, str | None], Logits]] = {
    "composition": fit_composition,
    "kmer": fit_kmer,
    "best-motif": fit_best_motif,
}


def _on_strands(train: SequenceDataset, strands: str | None, fit: Fit) -> Logits:
    """Fit on sequences, or on both strands of each."""
    if not (reads_both_strands(train) if strands is None else strands == "both"):
        return fit(train)
    logits = fit(on_both_strands(train))
    return lambda data: logits(on_both_strands(data))


def on_both_strands(data: SequenceDataset) -> SequenceDataset:
    """Write the reverse complement of each sequence behind it: a kmer counts with its complement.

    As many N as the widest motif has columns keep the two apart, so that no window holds bases of
    both, and lie at the ends, so that a sequence and its reverse complement score the same.
    """
    codes = np.asarray(data.codes)
    other = np.where(codes < PAD, 3 - codes, PAD)[:, ::-1].astype(np.uint8)
    apart = np.full((len(codes), max(MOTIF_WIDTHS)), PAD, dtype=np.uint8)
    joined = np.concatenate([apart, codes, apart, other, apart], axis=1)
    lengths = np.full(len(codes), joined.shape[1], dtype=np.int32)
    return SequenceDataset(joined, lengths, data.labels, data.names, task=data.task)


def choose_fit(fits: Sequence[Fit], train: SequenceDataset, generator: np.random.Generator) -> Fit:
    """Return the fit of the highest AUROC, then accuracy, on a quarter of each class held out."""
    held_out = np.zeros(len(train), dtype=bool)
    for label in (0, 1):
        members = generator.permutation(np.flatnonzero(train.labels == label))
        if len(members) < 2:
            return fits[0]
        held_out[members[: max(1, round(HELD_OUT * len(members)))]] = True
    inner, valid = train.subset(~held_out), train.subset(held_out)

    def quality(fit: Fit) -> tuple[float, float]:
        scores = score(valid.labels, fit(inner)(valid))
        return scores["auroc"], scores["accuracy"]

    return max(fits, key=quality)


def composition_of(data: SequenceDataset) -> Floats:
    """Return the fractions of A, C, G and T, and the length, (N, 5)."""
    counts = np.stack([(data.codes == base).sum(axis=1) for base in range(PAD)], axis=1)
    fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return np.column_stack([fractions, data.lengths])


def _kmers(data: SequenceDataset, k: int) -> NDArray[np.int64]:
    """Read each window of k bases as a number in base 4: (N, L − k + 1), −1 where it holds N."""
    n_windows = max(data.codes.shape[1] - k + 1, 0)
    kmers = np.zeros((len(data), n_windows), dtype=np.int64)
    known = np.ones(kmers.shape, dtype=bool)
    for offset in range(k):
        column = data.codes[:, offset : offset + n_windows]
        kmers = 4 * kmers + column
        known &= column < PAD
    return np.where(known, kmers, -1)


def kmer_counts(data: SequenceDataset, k: int) -> csr_array:
    """Count the k-mers of each sequence, (N, 4**k)."""
    kmers = _kmers(data, k)
    rows, columns = np.nonzero(kmers >= 0)
    ones = np.ones(len(rows))
    # Coordinates that come twice are summed.
    return csr_array((ones, (rows, kmers[rows, columns])), shape=(len(data), 4**k))


def fit_naive_bayes(train: SequenceDataset, k: int) -> Logits:
    """Fit multinomial naive Bayes to k-mer counts."""
    model = MultinomialNB().fit(kmer_counts(train, k), train.labels)

    def logits(data: SequenceDataset) -> Floats:
        negative, positive = model.predict_joint_log_proba(kmer_counts(data, k)).T
        return np.asarray(positive - negative)

    return logits


def _fit_logistic(train: SequenceDataset, k: int) -> Logits:
    # Rows of unit length: a long sequence has no larger say, and the solver needs few steps.
    model = LogisticRegression(C=10.0, max_iter=10_000)
    model.fit(normalize(kmer_counts(train, k)), train.labels)
    return lambda data: np.asarray(model.decision_function(normalize(kmer_counts(data, k))))


def _fit_motif(train: SequenceDataset, width: int) -> Logits:
    """Start at the most discriminating kmer; rebuild its PWM from the positives it picks out."""
    is_positive = train.labels == 1
    positives = train.subset(is_positive)
    background = (np.bincount(train.codes.ravel(), minlength=PAD + 1)[:PAD] + 1).astype(float)
    background /= background.sum()

    def log_odds(windows: Codes) -> Floats:
        return pwm(ppm_from_codes(windows, pseudocount=1.0), tuple(background))

    matrix = log_odds(most_discriminating_kmer(train, width)[None])
    for _ in range(N_REFINEMENTS):
        threshold = best_threshold(window_scores(train, matrix).max(axis=1), is_positive)
        matrix = log_odds(best_windows(positives, matrix, threshold))
    threshold = best_threshold(window_scores(train, matrix).max(axis=1), is_positive)
    return lambda data: window_scores(data, matrix).max(axis=1) - threshold


def most_discriminating_kmer(train: SequenceDataset, width: int) -> Codes:
    """Return the kmer whose presence differs most, by the two-proportion z, towards positives."""
    kmers = _kmers(train, width)
    rows, columns = np.nonzero(kmers >= 0)
    if not len(rows):
        return np.full(width, PAD, dtype=np.uint8)
    is_positive = train.labels == 1
    # Sorted pairs of kmer and sequence, each once: a kmer counts once in a sequence.
    pairs = np.sort(kmers[rows, columns] * len(train) + rows)
    kmer, row = np.divmod(pairs[np.append(True, np.diff(pairs) > 0)], len(train))
    starts = np.flatnonzero(np.append(True, np.diff(kmer) > 0))
    fraction = np.diff(np.append(starts, len(kmer))) / len(train)
    n_positive = np.add.reduceat(is_positive[row].astype(np.int64), starts)
    excess = n_positive / is_positive.sum() - fraction
    z = excess / np.sqrt(np.maximum(fraction * (1 - fraction), 1 / len(train) ** 2))
    digits = kmer[starts[np.argmax(z)]] >> 2 * np.arange(width)[::-1] & 3
    return np.asarray(digits, dtype=np.uint8)


def window_scores(data: SequenceDataset, matrix: Floats) -> Floats:
    """Score every window: (N, max(L − W, 0) + 1); N and padding count as a column's worst base."""
    width = matrix.shape[1]
    table = np.vstack([matrix, matrix.min(axis=0)])
    codes = _at_least(data.codes, width)
    n_windows = codes.shape[1] - width + 1
    scores = np.zeros((len(data), n_windows))
    for column in range(width):
        scores += table[codes[:, column : column + n_windows], column]
    return scores


def _at_least(codes: Codes, width: int) -> Codes:
    missing = max(width - codes.shape[1], 0)
    return np.pad(codes, ((0, 0), (0, missing)), constant_values=PAD)


def best_windows(data: SequenceDataset, matrix: Floats, threshold: float) -> Codes:
    """Cut the best window out of each sequence that reaches the threshold, or of the best one."""
    scores = window_scores(data, matrix)
    best = scores.max(axis=1)
    kept = np.flatnonzero(best >= min(threshold, best.max()))
    windows = sliding_window_view(_at_least(data.codes, matrix.shape[1]), matrix.shape[1], axis=1)
    return np.asarray(windows[kept, scores[kept].argmax(axis=1)])


def best_threshold(scores: Floats, is_positive: NDArray[np.bool_]) -> float:
    """Return the cut of highest training accuracy: half-way between two scores, or beyond all."""
    order = np.argsort(-scores)
    ranked = scores[order]
    # The cut after rank r calls r sequences positive: it gains the right ones, loses the wrong.
    gain = np.append(0, np.cumsum(np.where(is_positive[order], 1, -1)))
    cuts = np.concatenate([ranked[:1], (ranked[:-1] + ranked[1:]) / 2, ranked[-1:] - 1])
    splits_no_tie = np.concatenate([[True], np.diff(ranked) != 0, [True]])
    return float(cuts[splits_no_tie][np.argmax(gain[splits_no_tie])])


class KmerCheck(NamedTuple):
    """AUROC of the k-mer baseline, and how much of it may be chance.

    Attributes
    ----------
    auroc
        Of one split.
    n_positives, n_negatives
        Below 0.5 of how many independent sequences it is: related ones count once.
    low, high
        Its 95 % interval, where it is below 0.5.
    """

    auroc: float
    n_positives: float
    n_negatives: float
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class BaselineScores:
    """Scores of the baselines.

    Attributes
    ----------
    scores
        Baseline → metric → value, on `scored_on`; empty where a class is missing.
    scored_on
        "test", "valid" or "a held-out quarter of train".
    kmer
        The k-mer baseline, fitted on train alone, on every held-out split.
    """

    scores: dict[str, dict[str, float]]
    scored_on: str
    kmer: dict[str, KmerCheck]


def score_baselines(
    splits: Mapping[str, SequenceDataset], strands: str | None = None
) -> BaselineScores:
    """Fit the baselines on train and score them on what is held out (see `audit`).

    Parameters
    ----------
    splits
        ``train`` and, in their order, others.
    strands
        ``forward`` or ``both``; None where the training split decides.
    """
    train = splits["train"]
    held_out = {name: data for name, data in splits.items() if name != "train" and _counts(data)[0]}
    if not _counts(train)[0]:
        return BaselineScores({}, "", {})
    if not held_out and min(_counts(train)) >= MIN_PER_CLASS:
        halves = split_at_random(train, test=HELD_OUT, seed=SEED)
        train, held_out = halves.part("train"), {"a held-out quarter of train": halves.part("test")}
    if not held_out:
        return BaselineScores({}, "", {})
    # As a model is trained again on its validation split before it is tested, so is a baseline.
    *earlier, last = held_out
    before = concatenate([train, *(held_out[name] for name in earlier)])
    scores = {
        name: score(held_out[last].labels, _fitted(name, before, strands)(held_out[last]))
        for name in BASELINES
    }
    # Labels that are swapped in train show best to what has seen no others.
    kmer = _fitted("kmer", train, strands)
    checks = {name: _kmer_check(data, kmer(data)) for name, data in held_out.items()}
    return BaselineScores(scores, last, checks)


def _kmer_check(data: SequenceDataset, logits: Floats) -> KmerCheck:
    """Score the k-mers; where they rank the wrong way round, related sequences count once."""
    auroc, counts = score(data.labels, logits)["auroc"], _counts(data)
    if auroc >= 0.5 or len(data) > MAX_GROUPED:
        return KmerCheck(auroc, *counts)
    groups = homology_groups(data)
    numbered = number_groups(groups, len(data))
    positive = data.labels == 1
    sizes = numbered.effective_size(positive), numbered.effective_size(~positive)
    generator = np.random.default_rng(SEED)
    interval = evaluate(data.labels, logits, threshold=0.0, generator=generator, groups=groups)
    return KmerCheck(auroc, *sizes, interval["auroc"]["low"], interval["auroc"]["high"])


def _fitted(name: str, data: SequenceDataset, strands: str | None) -> Logits:
    return BASELINES[name](data, np.random.default_rng(SEED), strands)


def _counts(data: SequenceDataset) -> tuple[int, int]:
    """Count positives and negatives; (0, 0) where a class is missing."""
    n = int((data.labels == 1).sum())
    return (n, len(data) - n) if 0 < n < len(data) else (0, 0)
