"""What predicts labels that are numbers without a neural net: composition, and counts of k-mers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from scipy.sparse import csr_array
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from motiflens.auditing.baselines import (
    HELD_OUT,
    KMER_SIZES,
    SEED,
    Floats,
    composition_of,
    kmer_counts,
    on_both_strands,
)
from motiflens.datasets import SequenceDataset
from motiflens.metrics import measure_numbers

#: Penalties of ridge regression on counts of k-mers.
PENALTIES = (1.0, 10.0, 100.0, 1000.0)

Predict = Callable[[SequenceDataset], Floats]
Fit = Callable[[SequenceDataset], Predict]


def predict_numbers(
    train: SequenceDataset, test: SequenceDataset, *, both_strands: bool
) -> dict[str, Floats]:
    """Predict the labels of a test split by two baselines, fitted on training sequences alone.

    Parameters
    ----------
    train, test
        With labels that are numbers.
    both_strands
        Count a k-mer with its reverse complement.

    Returns
    -------
    dict
        ``composition`` (fractions of A, C, G and T, and the length) and ``kmer`` (counts of k-mers,
        k from 3 to 6 and the penalty as a quarter of the training sequences says), each by ridge
        regression (Hoerl and Kennard, Technometrics 12:55, 1970), to its predictions (N,).
    """
    if both_strands:
        train, test = on_both_strands(train), on_both_strands(test)
    return {
        "composition": _fit_composition(train)(test),
        "kmer": best_ridge(train, KMER_SIZES)(train)(test),
    }


def _fit_composition(train: SequenceDataset) -> Predict:
    model = make_pipeline(StandardScaler(), Ridge())
    model.fit(composition_of(train), train.labels.astype(np.float64))
    return lambda data: np.asarray(model.predict(composition_of(data)))


def best_ridge(train: SequenceDataset, sizes: Sequence[int]) -> Fit:
    """Return the ridge regression on counts of k-mers that predicts best.

    Parameters
    ----------
    train
        A quarter of it, drawn at random, chooses k and the penalty by the explained variance.
    sizes
        K to choose from.
    """
    order = np.random.default_rng(SEED).permutation(len(train))
    n = max(2, round(HELD_OUT * len(train)))
    inner, valid = train.subset(np.sort(order[n:])), train.subset(np.sort(order[:n]))
    if len(inner) < 2 or np.ptp(valid.labels) == 0:
        return partial(_fit_ridge, k=sizes[0], penalty=PENALTIES[0])
    quality = {}
    for k in sizes:
        known, asked = kmer_counts(inner, k), kmer_counts(valid, k)
        for penalty in PENALTIES:
            said = _ridge(penalty, known, inner).predict(asked)
            quality[k, penalty] = measure_numbers(valid.labels, said)["r2"]
    k, penalty = max(quality, key=lambda pair: quality[pair])
    return partial(_fit_ridge, k=k, penalty=penalty)


def _fit_ridge(train: SequenceDataset, k: int, penalty: float) -> Predict:
    model = _ridge(penalty, kmer_counts(train, k), train)
    return lambda data: np.asarray(model.predict(kmer_counts(data, k)))


def _ridge(penalty: float, counts: csr_array, train: SequenceDataset) -> Ridge:
    return Ridge(penalty, solver="sparse_cg").fit(counts, train.labels.astype(np.float64))
