"""The same sequence, or a long piece of it, more than once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import SequenceDataset
from motiflens.datasets.groups import homology_groups
from motiflens.sequences import Kmers, canonical_kmers

K = 31
# Bases read at a time: some 100 MB of k-mers.
BLOCK = 1 << 22


def count_copies(sequences: Sequence[str]) -> int:
    """Count rows that repeat a sequence: rows minus distinct ones of canonical sequences."""
    return len(sequences) - len(set(sequences))


def count_found(earlier: Sequence[str], later: Sequence[str]) -> int:
    """Count rows of the later split that are, from end to end, in the earlier; both canonical."""
    known = set(earlier)
    return sum(sequence in known for sequence in later)


def count_both_labels(labelled: Iterable[tuple[Sequence[str], NDArray[np.float32]]]) -> int:
    """Count distinct sequences that are a positive in one row and a negative in another."""
    classes: tuple[set[str], set[str]] = set(), set()
    for sequences, labels in labelled:
        for sequence, label in zip(sequences, labels.tolist(), strict=True):
            classes[int(label)].add(sequence)
    return len(classes[0] & classes[1])


def count_sharing(earlier: SequenceDataset, later: SequenceDataset) -> dict[str, int]:
    """Count sequences of the later split with a 31-mer, on either strand, that the earlier has.

    Returns
    -------
    dict
        `positives` and `negatives`; a sequence of fewer than 31 bases shares none.
    """
    blocks = [(rows, kmers) for rows, kmers in _kmer_blocks(later)]
    rows = np.concatenate([block[0] for block in blocks])
    known, index = np.unique(np.concatenate([block[1] for block in blocks]), return_inverse=True)
    shared = np.zeros(len(known), dtype=bool)
    for _, kmers in _kmer_blocks(earlier) if len(known) else ():
        nearest = np.minimum(np.searchsorted(known, kmers), len(known) - 1)
        shared[nearest[known[nearest] == kmers]] = True
    sharing = np.zeros(len(later), dtype=bool)
    sharing[rows[shared[index]]] = True
    n_positive = int((later.labels[sharing] == 1).sum())
    return {"positives": n_positive, "negatives": int(sharing.sum()) - n_positive}


def count_related(dataset: SequenceDataset) -> int:
    """Count sequences that share a 31-mer with another one, on either strand, copies included."""
    groups = homology_groups(dataset)
    return int((np.bincount(groups)[groups] > 1).sum())


def _kmer_blocks(dataset: SequenceDataset) -> Iterator[tuple[NDArray[np.intp], Kmers]]:
    """Read the 31-mers of some rows at a time, with the row of each."""
    n_rows = max(1, BLOCK // dataset.codes.shape[1])
    for first in range(0, len(dataset), n_rows):
        kmers, known = canonical_kmers(dataset.codes[first : first + n_rows], K)
        yield first + np.nonzero(known)[0], kmers[known]
