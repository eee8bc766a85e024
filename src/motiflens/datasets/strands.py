"""Whether a data set reads the same on both strands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets.dataset import SequenceDataset
from motiflens.sequences import kmers, reverse_complement_kmers

K = 6
N_KMERS = 20
"""K-mers most enriched in the positives that are looked at."""

BOTH_FROM = 0.5
"""Fraction of a k-mer's enrichment in its reverse complement, from which both strands count."""


def strand_share(dataset: SequenceDataset) -> float:
    """Return the enrichment of the top k-mers' reverse complements over the k-mers' own.

    Of the k-mers of six bases, those most enriched in the positives are taken (by the z-score of
    the fraction of sequences that hold them; palindromes left out). Where a signal lies on either
    strand, their reverse complements are as enriched as they are, and the ratio is near 1; where
    it lies forward only, near 0.

    Parameters
    ----------
    dataset
        With both classes, or numbers, by `SequenceDataset.in_classes`: the training split, so that
        nothing of the test split is used.

    Returns
    -------
    float
        1 where no k-mer is enriched: then nothing speaks against both strands.
    """
    dataset = dataset.in_classes()
    held = np.stack([_fraction_with_kmer(dataset, label) for label in (0, 1)])
    sizes = np.array([(dataset.labels == label).sum() for label in (0, 1)])
    pooled = (held * sizes[:, None]).sum(axis=0) / sizes.sum()
    variance = np.maximum(pooled * (1 - pooled), 1 / sizes.sum()) * (1 / sizes).sum()
    z = (held[1] - held[0]) / np.sqrt(variance)
    numbers = np.arange(4**K)
    other = reverse_complement_kmers(numbers, K)
    top = numbers[numbers != other]
    top = top[np.argsort(-z[top], kind="stable")][:N_KMERS]
    enrichment = float(z[top].mean())
    return float(z[other[top]].mean()) / enrichment if enrichment > 0 else 1.0


def reads_both_strands(dataset: SequenceDataset) -> bool:
    """Return whether motifs are to be looked for on both strands of a data set."""
    return strand_share(dataset) >= BOTH_FROM


def _fraction_with_kmer(dataset: SequenceDataset, label: int) -> NDArray[np.float64]:
    """Return the fraction of the sequences of a class that hold each k-mer, (4 ** K,)."""
    codes = dataset.codes[dataset.labels == label]
    numbers, known = kmers(codes, K)
    row, _ = np.nonzero(known)
    distinct = np.unique(row * 4**K + numbers[known])
    return np.bincount(distinct % 4**K, minlength=4**K) / max(len(codes), 1)
