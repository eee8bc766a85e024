"""Three baselines without a neural net, which a model has to beat before it is worth explaining.

Each is fitted on the training part alone, its own choices (k, the estimator, the width) made on a
quarter of that part held out. K-mers and motifs are read on the strands that a run reads; where
none are named, on both where the training part reads the same on both (see
`motiflens.datasets.strands`), and forward only elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, normalize

from motiflens.datasets import SequenceDataset, require_two_classes
from motiflens.datasets.strands import reads_both_strands
from motiflens.metrics import score
from motiflens.motifs import ppm_from_codes, pwm
from motiflens.sequences import PAD, Codes

KMER_SIZES = (3, 4, 5, 6)
MOTIF_WIDTHS = (6, 8, 10, 12)
HELD_OUT = 0.25
N_REFINEMENTS = 2

Floats = NDArray[np.float64]
Logits = Callable[[SequenceDataset], Floats]
"""A fitted baseline: N sequences to (N,) logits, above 0 where it calls a sequence positive."""
Fit = Callable[[SequenceDataset], Logits]


def score_baselines(
    train: SequenceDataset, test: SequenceDataset, seed: int = 0, strands: str | None = None
) -> dict[str, dict[str, float]]:
    """Fit every baseline on `train` and score it on `test`.

    Parameters
    ----------
    train, test
        Both hold both classes; sequences may differ in length and hold N.
    seed
        Draws the quarter of `train` that choices are made on.
    strands
        ``forward`` or ``both``; None where `train` decides.

    Returns
    -------
    dict
        Name of the baseline (see `BASELINES`) to its scores (see `metrics.score`).

    Raises
    ------
    InputError
        When a part lacks a class.
    """
    require_two_classes(train)
    require_two_classes(test)
    return {
        name: score(test.labels, fit(train, np.random.default_rng(seed), strands)(test))
        for name, fit in BASELINES.items()
    }


def fit_composition(
    train: SequenceDataset, generator: np.random.Generator, strands: str | None = None
) -> Logits:
    """Logistic regression on the fractions of A, C, G and T and on the length."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=10_000))
    model.fit(_composition(train), train.labels)
    return lambda data: np.asarray(model.decision_function(_composition(data)))


def fit_kmer(
    train: SequenceDataset, generator: np.random.Generator, strands: str | None = None
) -> Logits:
    """K-mer counts under naive Bayes or L2 logistic regression, k from 3 to 6, as validation says.

    References
    ----------
    Multinomial naive Bayes: Manning, Raghavan and Schütze 2008, *Introduction to Information
    Retrieval*, section 13.2.
    """
    fits = [partial(fit, k=k) for fit in (_fit_naive_bayes, _fit_logistic) for k in KMER_SIZES]
    return _on_strands(train, strands, lambda data: _choose(fits, data, generator)(data))


def fit_best_motif(
    train: SequenceDataset, generator: np.random.Generator, strands: str | None = None
) -> Logits:
    """Best single gapless motif: a sequence's score is the largest log-odds of its windows."""
    fits = [partial(_fit_motif, width=width) for width in MOTIF_WIDTHS]
    return _on_strands(train, strands, lambda data: _choose(fits, data, generator)(data))


BASELINES: dict[str, Callable[[SequenceDataset, np.random.Generator, str | None], Logits]] = {
    "composition": fit_composition,
    "kmer": fit_kmer,
    "best-motif": fit_best_motif,
}


def _on_strands(train: SequenceDataset, strands: str | None, fit: Fit) -> Logits:
    """Fit on sequences, or on both strands of each."""
    if not (reads_both_strands(train) if strands is None else strands == "both"):
        return fit(train)
    logits = fit(_both_strands(train))
    return lambda data: logits(_both_strands(data))


def _both_strands(data: SequenceDataset) -> SequenceDataset:
    """Write the reverse complement of each sequence behind it: a word counts with its complement.

    As many N as the widest motif has columns keep the two apart, so that no window holds bases of
    both, and lie at the ends, so that a sequence and its reverse complement score the same.
    """
    codes = np.asarray(data.codes)
    other = np.where(codes < PAD, 3 - codes, PAD)[:, ::-1].astype(np.uint8)
    apart = np.full((len(codes), max(MOTIF_WIDTHS)), PAD, dtype=np.uint8)
    joined = np.concatenate([apart, codes, apart, other, apart], axis=1)
    lengths = np.full(len(codes), joined.shape[1], dtype=np.int32)
    return SequenceDataset(joined, lengths, data.labels, data.names)


def _choose(fits: Sequence[Fit], train: SequenceDataset, generator: np.random.Generator) -> Fit:
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


def _composition(data: SequenceDataset) -> Floats:
    counts = np.stack([(data.codes == base).sum(axis=1) for base in range(PAD)], axis=1)
    fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return np.column_stack([fractions, data.lengths])


def _words(data: SequenceDataset, k: int) -> NDArray[np.int64]:
    """Read each window of k bases as a number in base 4: (N, L − k + 1), −1 where it holds N."""
    n_windows = max(data.codes.shape[1] - k + 1, 0)
    words = np.zeros((len(data), n_windows), dtype=np.int64)
    known = np.ones(words.shape, dtype=bool)
    for offset in range(k):
        column = data.codes[:, offset : offset + n_windows]
        words = 4 * words + column
        known &= column < PAD
    return np.where(known, words, -1)


def _kmer_counts(data: SequenceDataset, k: int) -> csr_array:
    words = _words(data, k)
    rows, columns = np.nonzero(words >= 0)
    ones = np.ones(len(rows))
    # Coordinates that come twice are summed.
    return csr_array((ones, (rows, words[rows, columns])), shape=(len(data), 4**k))


def _fit_naive_bayes(train: SequenceDataset, k: int) -> Logits:
    model = MultinomialNB().fit(_kmer_counts(train, k), train.labels)

    def logits(data: SequenceDataset) -> Floats:
        negative, positive = model.predict_joint_log_proba(_kmer_counts(data, k)).T
        return np.asarray(positive - negative)

    return logits


def _fit_logistic(train: SequenceDataset, k: int) -> Logits:
    # Rows of unit length: a long sequence has no larger say, and the solver needs few steps.
    model = LogisticRegression(C=10.0, max_iter=10_000)
    model.fit(normalize(_kmer_counts(train, k)), train.labels)
    return lambda data: np.asarray(model.decision_function(normalize(_kmer_counts(data, k))))


def _fit_motif(train: SequenceDataset, width: int) -> Logits:
    """Start at the most discriminating word; rebuild its PWM from the positives it picks out."""
    is_positive = train.labels == 1
    positives = train.subset(is_positive)
    background = (np.bincount(train.codes.ravel(), minlength=PAD + 1)[:PAD] + 1).astype(float)
    background /= background.sum()

    def log_odds(windows: Codes) -> Floats:
        return pwm(ppm_from_codes(windows, pseudocount=1.0), tuple(background))

    matrix = log_odds(_most_discriminating_word(train, width)[None])
    for _ in range(N_REFINEMENTS):
        threshold = _best_threshold(_window_scores(train, matrix).max(axis=1), is_positive)
        matrix = log_odds(_best_windows(positives, matrix, threshold))
    threshold = _best_threshold(_window_scores(train, matrix).max(axis=1), is_positive)
    return lambda data: _window_scores(data, matrix).max(axis=1) - threshold


def _most_discriminating_word(train: SequenceDataset, width: int) -> Codes:
    """Return the word whose presence differs most, by the two-proportion z, towards positives."""
    words = _words(train, width)
    rows, columns = np.nonzero(words >= 0)
    if not len(rows):
        return np.full(width, PAD, dtype=np.uint8)
    is_positive = train.labels == 1
    # Sorted pairs of word and sequence, each once: a word counts once in a sequence.
    pairs = np.sort(words[rows, columns] * len(train) + rows)
    word, row = np.divmod(pairs[np.append(True, np.diff(pairs) > 0)], len(train))
    starts = np.flatnonzero(np.append(True, np.diff(word) > 0))
    fraction = np.diff(np.append(starts, len(word))) / len(train)
    n_positive = np.add.reduceat(is_positive[row].astype(np.int64), starts)
    excess = n_positive / is_positive.sum() - fraction
    z = excess / np.sqrt(np.maximum(fraction * (1 - fraction), 1 / len(train) ** 2))
    digits = word[starts[np.argmax(z)]] >> 2 * np.arange(width)[::-1] & 3
    return np.asarray(digits, dtype=np.uint8)


def _window_scores(data: SequenceDataset, matrix: Floats) -> Floats:
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


def _best_windows(data: SequenceDataset, matrix: Floats, threshold: float) -> Codes:
    """Cut the best window out of each sequence that reaches the threshold, or of the best one."""
    scores = _window_scores(data, matrix)
    best = scores.max(axis=1)
    kept = np.flatnonzero(best >= min(threshold, best.max()))
    windows = sliding_window_view(_at_least(data.codes, matrix.shape[1]), matrix.shape[1], axis=1)
    return np.asarray(windows[kept, scores[kept].argmax(axis=1)])


def _best_threshold(scores: Floats, is_positive: NDArray[np.bool_]) -> float:
    """Return the cut of highest training accuracy: half-way between two scores, or beyond all."""
    order = np.argsort(-scores)
    ranked = scores[order]
    # The cut after rank r calls r sequences positive: it gains the right ones, loses the wrong.
    gain = np.append(0, np.cumsum(np.where(is_positive[order], 1, -1)))
    cuts = np.concatenate([ranked[:1], (ranked[:-1] + ranked[1:]) / 2, ranked[-1:] - 1])
    parts_no_tie = np.concatenate([[True], np.diff(ranked) != 0, [True]])
    return float(cuts[parts_no_tie][np.argmax(gain[parts_no_tie])])
