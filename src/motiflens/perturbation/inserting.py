"""Words put into sequences at given places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from motiflens.errors import InputError
from motiflens.perturbation.backgrounds import Floats, as_codes
from motiflens.sequences import PAD, Codes, Lengths, encode, one_hot

#: What ``strands`` may be → the strands whose effects are averaged.
STRANDS = {"forward": "+", "reverse": "-", "both": "+-"}

Places = NDArray[np.int64]


class Insert(NamedTuple):
    """A word (W,), as it is to be read in the sequence, and its first base in each of N (N,)."""

    word: Codes
    start: Places


def substitute(
    sequences: Floats | Tensor, motif: str, start: ArrayLike, *, strand: str = "+"
) -> Floats:
    """Put a motif in place of the bases of every sequence.

    Parameters
    ----------
    sequences
        One-hot (N, 4, L).
    motif
        A word over A, C, G, T.
    start
        First base, 0-based: one number, or one for each sequence (N,).
    strand
        ``"-"`` puts the reverse complement.

    Returns
    -------
    one_hot
        (N, 4, L), a copy.

    Raises
    ------
    InputError
        For input that is not one-hot, a motif with other letters, or a place that is not on the
        sequence.
    """
    codes, lengths = as_codes(sequences)
    word = oriented(word_of(motif, lengths), strand)
    return one_hot(placed(codes, lengths, [Insert(word, places_of(start, len(codes)))]))


def word_of(motif: str, lengths: Lengths) -> Codes:
    """Give a motif's codes (W,), after a look at its letters and at the room for it.

    Raises
    ------
    InputError
        For no word over A, C, G and T, and for one longer than the shortest sequence.
    """
    codes, _ = encode([motif])
    word: Codes = codes[0]
    if word.size == 0 or (word == PAD).any():
        raise InputError(
            "a motif to insert is a word over A, C, G and T",
            got=repr(motif),
            remedy="write its most frequent bases",
        )
    require_room(len(word), f"a motif of {len(word)}", lengths)
    return word


def require_room(width: int, what: str, lengths: Lengths) -> None:
    """Refuse what is wider than the shortest sequence."""
    if not len(lengths):
        raise InputError(
            "there is a background to insert a motif into",
            got="no sequence",
            remedy="give one sequence or more",
        )
    shortest = int(lengths.min())
    if width > shortest:
        raise InputError(
            f"what is inserted fits into the shortest background of {shortest} bases",
            got=what,
            remedy="give a shorter motif, fewer copies, smaller gaps or longer sequences",
        )


def strands_of(strands: str) -> str:
    """Give the strands, of "+-", that a user asks for.

    Raises
    ------
    InputError
        For any other word than ``forward``, ``reverse`` and ``both``.
    """
    if strands not in STRANDS:
        raise InputError(
            f"strands is one of {', '.join(STRANDS)}", got=repr(strands), remedy="choose one"
        )
    return STRANDS[strands]


def oriented(word: Codes, strand: str) -> Codes:
    """Give a word of codes 0 to 3 as it reads on the forward strand when it lies on ``strand``."""
    if strand not in ("+", "-"):
        raise InputError("a strand is + or -", got=repr(strand), remedy="choose one of them")
    return word if strand == "+" else 3 - word[::-1]


def middle(width: int, lengths: Lengths) -> Places:
    """Give the start of what is ``width`` wide and lies in the middle of each sequence (N,)."""
    return (lengths.astype(np.int64) - width) // 2


def placed(codes: Codes, lengths: Lengths, inserts: Sequence[Insert]) -> Codes:
    """Copy codes (N, L) with the inserts in place of their bases; later ones lie on top.

    Raises
    ------
    InputError
        For an insert that reaches over the end of its sequence.
    """
    filled = codes.copy()
    for word, start in inserts:
        outside = (start < 0) | (start + len(word) > lengths)
        if outside.any():
            row = int(np.argmax(outside))
            raise InputError(
                "an insert lies within its sequence",
                got=f"{len(word)} bases at {int(start[row])} in the {int(lengths[row])} bases of "
                f"sequence {row + 1}",
                remedy="choose a start from 0 to the length of the sequence less the motif's",
            )
        columns = start[:, None] + np.arange(len(word))
        filled[np.arange(len(codes))[:, None], columns] = word
    return filled


def places_of(start: ArrayLike, n: int) -> Places:
    """Give the starts (N,) that a user names, by one number for all or by one for each.

    Raises
    ------
    InputError
        If they are no whole numbers, or of another shape.
    """
    found = np.asarray(start)
    if found.shape not in ((), (n,)) or not np.issubdtype(found.dtype, np.integer):
        raise InputError(
            f"a start is one whole number, or one for each of the {n} sequences",
            got=f"{found.dtype} of shape {found.shape}",
            remedy="count bases from 0",
        )
    return np.broadcast_to(found, (n,)).astype(np.int64)
