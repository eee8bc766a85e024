"""Whether a data set reads the same on both strands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets.dataset import SequenceDataset
from motiflens.sequences import PAD

WORD = 6
N_WORDS = 20
"""Words most enriched in the positives that are looked at."""

BOTH_FROM = 0.5
"""Share of a word's enrichment that its reverse complement has, from which both strands count."""


def strand_share(dataset: SequenceDataset) -> float:
    """Give the enrichment of the top words' reverse complements as a share of the words' own.

    Of the words of six bases, those most enriched in the positives are taken (by the z-score of
    the share of sequences that hold them; palindromes left out). Where a signal lies on either
    strand, their reverse complements are as enriched as they are, and the share is near 1; where
    it lies forward only, near 0.

    Parameters
    ----------
    dataset
        With both classes: the training part, so that nothing of the test part is used.

    Returns
    -------
    float
        1 where no word is enriched: then nothing speaks against both strands.
    """
    held = np.stack([_share_with_word(dataset, label) for label in (0, 1)])
    sizes = np.array([(dataset.labels == label).sum() for label in (0, 1)])
    pooled = (held * sizes[:, None]).sum(axis=0) / sizes.sum()
    variance = np.maximum(pooled * (1 - pooled), 1 / sizes.sum()) * (1 / sizes).sum()
    z = (held[1] - held[0]) / np.sqrt(variance)
    words = np.arange(4**WORD)
    other = _reverse_complements(words)
    top = words[words != other]
    top = top[np.argsort(-z[top], kind="stable")][:N_WORDS]
    enrichment = float(z[top].mean())
    return float(z[other[top]].mean()) / enrichment if enrichment > 0 else 1.0


def reads_both_strands(dataset: SequenceDataset) -> bool:
    """Tell whether motifs are to be looked for on both strands of a data set."""
    return strand_share(dataset) >= BOTH_FROM


def _share_with_word(dataset: SequenceDataset, label: int) -> NDArray[np.float64]:
    """Give the share of the sequences of a class that hold each word, (4 ** WORD,)."""
    codes = dataset.codes[dataset.labels == label]
    n_places = codes.shape[1] - WORD + 1
    if n_places < 1:
        return np.zeros(4**WORD)
    words = np.zeros((len(codes), n_places), dtype=np.int64)
    known = np.ones(words.shape, dtype=np.bool_)
    for place in range(WORD):
        bases = codes[:, place : place + n_places]
        words = words * 4 + np.minimum(bases, 3)
        known &= bases < PAD
    row, _ = np.nonzero(known)
    distinct = np.unique(row * 4**WORD + words[known])
    return np.bincount(distinct % 4**WORD, minlength=4**WORD) / max(len(codes), 1)


def _reverse_complements(words: NDArray[np.int64]) -> NDArray[np.int64]:
    flipped = np.zeros_like(words)
    for place in range(WORD):
        flipped = flipped * 4 + (3 - words // 4**place % 4)
    return flipped
