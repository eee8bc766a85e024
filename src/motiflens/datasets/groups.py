"""Sequences that are related: copies, overlapping windows, and shuffles of one another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from motiflens.datasets.dataset import SequenceDataset
from motiflens.sequences import MAX_K, Kmers, Mask, canonical_kmers, reverse_complement_string

#: Sequences whose k-mers are made at a time, and k-mers that are sorted at a time: some 2 GB.
BLOCK_ROWS, MOST_SORTED = 20_000, 1 << 26

Groups = NDArray[np.int64]


def homology_groups(dataset: SequenceDataset, k: int = MAX_K) -> Groups:
    """Find the groups of sequences that are joined by shared k-mers.

    Two sequences are in one group when they share an exact k-mer of known bases on either strand,
    when they are equal on either strand (which matters below k bases), or when a chain of such
    pairs joins them.

    Parameters
    ----------
    dataset
        N sequences.
    k
        1 to 31.

    Returns
    -------
    groups
        int64 (N,), from 0 without gaps.

    Raises
    ------
    InputError
        For other k.
    """
    return _components(_homology_links(dataset, k), len(dataset))


def bound_groups(groups: Groups, others: Groups | None) -> Groups:
    """Join groups (N,) of which other groups hold members, as `SequenceDataset.groups` has them.

    A shuffle then is in the group of the sequence that it is made of.
    """
    if others is None:
        return groups
    rows = np.flatnonzero(others >= 0)
    links = [_links(groups, np.arange(len(groups))), _links(others[rows], rows)]
    return _components(np.concatenate(links, axis=1), len(groups))


def leaders(dataset: SequenceDataset) -> NDArray[np.intp]:
    """Return for each row the first row that ``dataset.groups`` binds it to; (N,).

    It is the row itself where it is bound to none.
    """
    own = np.arange(len(dataset))
    if dataset.groups is None:
        return own
    _, first, index = np.unique(dataset.groups, return_index=True, return_inverse=True)
    return np.where(dataset.groups >= 0, first[index], own)


def canonical_sequences(dataset: SequenceDataset) -> list[str]:
    """Return each sequence, or its reverse complement where that comes first: one text for both."""
    return [min(text, reverse_complement_string(text)) for text in dataset.sequences()]


def _homology_links(dataset: SequenceDataset, k: int) -> NDArray[np.intp]:
    blocks = [
        canonical_kmers(dataset.codes[first : first + BLOCK_ROWS], k)
        for first in range(0, max(len(dataset), 1), BLOCK_ROWS)
    ]
    n_kmers = sum(int(known.sum()) for _, known in blocks)
    n_sorts = 1 + n_kmers // MOST_SORTED
    links = [_links_of(blocks, number, n_sorts) for number in range(n_sorts)]
    # Equal sequences share a k-mer, unless they have none.
    short = np.flatnonzero(~np.concatenate([known.any(axis=1) for _, known in blocks]))
    texts = canonical_sequences(dataset.subset(short))
    links.append(_links(np.unique(texts, return_inverse=True)[1], short))
    return np.concatenate(links, axis=1)


def _links_of(blocks: list[tuple[Kmers, Mask]], number: int, n_sorts: int) -> NDArray[np.intp]:
    """Link the rows that share a k-mer, of those k-mers that fall to one of several sorts."""
    keys, rows = [], []
    for block, (kmers, known) in enumerate(blocks):
        chosen = known if n_sorts == 1 else known & (kmers % n_sorts == number)
        keys.append(kmers[chosen])
        rows.append(block * BLOCK_ROWS + np.nonzero(chosen)[0])
    return _links(np.concatenate(keys), np.concatenate(rows))


def _links(keys: NDArray[np.generic], rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return pairs of rows (2, P) that chain all rows of one key together."""
    order = np.argsort(keys)
    keys, rows = keys[order], rows[order]
    same = (keys[1:] == keys[:-1]) & (rows[1:] != rows[:-1])
    return np.stack([rows[:-1][same], rows[1:][same]])


def _components(links: NDArray[np.intp], n: int) -> Groups:
    edges = coo_array((np.ones(links.shape[1], dtype=np.bool_), (links[0], links[1])), shape=(n, n))
    groups: Groups = connected_components(edges, directed=False)[1].astype(np.int64)
    return groups
