"""Sequences as a user of Python has them, made into what the package works on.

Strings, a file, a data set, or one-hot: every public function that calls a model on sequences takes
any of them, and makes them one-hot here. Letters that are also the name of a file are the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from os.path import exists
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard, overload

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import SequenceDataset, default_names
from motiflens.errors import InputError
from motiflens.io.read import read_unlabelled
from motiflens.io.tables import COLUMNS, open_frame
from motiflens.io.values import convert_each, parse_sequence
from motiflens.sequences import PAD, Codes, Lengths, decode, encode, reverse_complement_codes
from motiflens.sequences import codes_of as codes_of_one_hot
from motiflens.sequences import one_hot as one_hot_of_codes
from motiflens.shuffles import dinucleotide_shuffle as shuffle_codes

if TYPE_CHECKING:
    # What jaxtyping checks under pytest; for a type checker it is the array type alone.
    from typing import Annotated as Float32
    from typing import Annotated as Int32
    from typing import Annotated as UInt8

    from pandas import DataFrame
    from torch import Tensor

    Sequences = (
        str | PathLike[str] | Sequence[str] | DataFrame | SequenceDataset | NDArray[Any] | Tensor
    )
else:
    Sequences = Any

Floats = NDArray[np.float32]
LETTERS = frozenset("ACGTNUacgtnu")


def one_hot(sequences: Sequences) -> Float32[np.ndarray, "N 4 L"]:
    """Return sequences as one-hot float32 (N, 4, L), in the order A C G T.

    Parameters
    ----------
    sequences
        A string or several, of A, C, G, T and N in any case; a file of sequences (FASTA, a table,
        one a line); a pandas data frame with a column ``sequence``; a
        :class:`~motiflens.SequenceDataset`; or an array or tensor that is one-hot
        already, (N, 4, L), which is checked.

    Returns
    -------
    one_hot
        A column of N, and the padding at the right of shorter sequences, is 0.

    Raises
    ------
    InputError
        For other letters, a file that cannot be read, and arrays of another shape or with a column
        that is neither one-hot nor 0.
    """
    if _is_array(sequences):
        return check_one_hot(sequences)
    return as_dataset(sequences).one_hot()


def one_hot_and_names(sequences: Sequences) -> tuple[Floats, tuple[str, ...] | None]:
    """Return :func:`one_hot`, and the names of the sequences where they come with some."""
    if isinstance(sequences, SequenceDataset | str | PathLike) or is_frame(sequences):
        dataset = as_dataset(sequences)
        return dataset.one_hot(), tuple(dataset.names.tolist())
    return one_hot(sequences), None


def check_one_hot(one_hot: Any) -> Float32[np.ndarray, "N 4 L"]:
    """Return an array or tensor as float32 (N, 4, L) if it is one-hot, or refuse it."""
    values = np.asarray(one_hot.detach().cpu().numpy() if _is_tensor(one_hot) else one_hot)
    if values.ndim != 3 or values.shape[1] != 4 or values.shape[2] == 0:
        raise InputError(
            f"an array of shape {values.shape} is not one-hot (N, 4, L)",
            remedy="encode strings with motiflens.one_hot",
        )
    good = ((values == 0) | (values == 1)).all(axis=1) & (values.sum(axis=1) <= 1)
    if not good.all():
        sequence, position = (int(index[0]) for index in np.nonzero(~good))
        raise InputError(
            f"{values[sequence, :, position].tolist()} is not one-hot",
            f"at position {position + 1} of sequence {sequence + 1}",
            remedy="a column holds a single 1, or only 0 for N and padding; encode strings with "
            "motiflens.one_hot",
        )
    return np.ascontiguousarray(values, dtype=np.float32)


def as_dataset(sequences: Sequences) -> SequenceDataset:
    """Return sequences of any kind as a data set; those without labels get 0.

    Raises
    ------
    InputError
        As :func:`one_hot`.
    """
    if isinstance(sequences, SequenceDataset):
        return sequences
    if _is_array(sequences):
        codes, lengths = codes_of(check_one_hot(sequences))
        lengths[lengths == 0] = codes.shape[1]  # all of it N, as nothing tells where it ends
        names = default_names(len(codes))
        return SequenceDataset(codes, lengths, np.zeros(len(codes), np.float32), names)
    if isinstance(sequences, str | PathLike):
        if not is_sequence(sequences):
            return read_sequences(sequences)
        sequences = [str(sequences)]
    if is_frame(sequences):
        return _of_frame(sequences)
    if isinstance(sequences, Mapping) or not isinstance(sequences, Iterable):
        told = "a dict" if isinstance(sequences, Mapping) else repr(sequences)
        remedy = "give a list of strings; those of a dict are list(sequences.values())"
        raise InputError(f"{told} holds no sequences in order", remedy=remedy)
    texts = list(sequences)
    for text in texts or [""]:
        if not isinstance(text, str) or not text:
            told = "an array" if _is_array(text) else repr(text)
            problem = f"{told} is no sequence" if texts else "there is no sequence"
            remedy = "give strings over A, C, G, T and N, or one array of one-hot (N, 4, L)"
            raise InputError(problem, remedy=remedy)
    return SequenceDataset.from_sequences(texts, np.zeros(len(texts)))


def _of_frame(frame: DataFrame) -> SequenceDataset:
    columns, placed = open_frame(frame, COLUMNS[:1])
    rows = list(placed)
    if not rows:
        raise InputError("the data frame holds no row")
    values = dict(zip(columns, zip(*(row for row, _ in rows), strict=True), strict=True))
    texts = convert_each(values["sequence"], parse_sequence, lambda index: rows[index][1])
    return SequenceDataset.from_sequences(texts, np.zeros(len(texts)), names=values.get("name"))


def as_codes(sequences: Sequences) -> tuple[Codes, Lengths]:
    """Return the codes (N, L) and lengths (N,) of sequences of any kind; several may be none.

    Raises
    ------
    InputError
        As :func:`one_hot`.
    """
    if isinstance(sequences, list | tuple) and all(isinstance(one, str) for one in sequences):
        return encode(sequences)
    dataset = as_dataset(sequences)
    return dataset.codes, dataset.lengths


def read_sequences(path: str | PathLike[str]) -> SequenceDataset:
    """Read the sequences of a file, with labels where it has some: FASTA, a table, one a line.

    Raises
    ------
    InputError
        When the file is missing, damaged or of none of these kinds.
    """
    reading = read_unlabelled(Path(path))
    if reading.negatives:
        return reading.dataset
    return replace(reading.dataset, labels=np.zeros_like(reading.dataset.labels))


def codes_of(
    one_hot: Float32[np.ndarray, "N 4 L"],
) -> tuple[UInt8[np.ndarray, "N L"], Int32[np.ndarray, " N"]]:
    """Return codes (N, L), and lengths (N,) to the last known base, of one-hot (N, 4, L)."""
    codes = codes_of_one_hot(one_hot)
    ends = np.arange(1, codes.shape[1] + 1, dtype=np.int32)
    return codes, ((codes < PAD) * ends).max(axis=1, initial=0).astype(np.int32)


@overload
def reverse_complement(sequences: str) -> str: ...  # type: ignore[overload-overlap]
@overload
def reverse_complement(sequences: Sequence[str]) -> list[str]: ...
@overload
def reverse_complement(sequences: NDArray[Any]) -> Floats: ...
@overload
def reverse_complement(sequences: Tensor) -> Tensor: ...
def reverse_complement(sequences: Any) -> Any:
    """Return the other strand of a string, of several, or of one-hot (N, 4, L), as the same kind.

    The padding at the right of a shorter sequence stays at the right.

    Raises
    ------
    InputError
        For letters other than A, C, G, T and N, and for arrays that are not one-hot.
    """
    if isinstance(sequences, str):
        return reverse_complement([sequences])[0]
    codes, lengths = _codes(sequences)
    return _like(sequences, reverse_complement_codes(codes, lengths), lengths)


@overload
def dinucleotide_shuffle(
    sequences: Sequence[str], n: int = ..., seed: int = ...
) -> list[list[str]]: ...
@overload
def dinucleotide_shuffle(sequences: NDArray[Any], n: int = ..., seed: int = ...) -> Floats: ...
def dinucleotide_shuffle(sequences: Any, n: int = 20, seed: int = 0) -> Any:
    """Shuffle sequences n times each, so that every shuffle has the same dinucleotide counts.

    Parameters
    ----------
    sequences
        Strings, or one-hot (N, 4, L).
    n
        Shuffles of each sequence.
    seed
        Decides them.

    Returns
    -------
    shuffles
        For each string a list of n, or one-hot (N, n, 4, L). N and padding keep their positions.

    Raises
    ------
    InputError
        As :func:`one_hot`, and for an n below 1.
    """
    if n < 1:
        raise InputError(f"n={n} is no shuffle", remedy="ask for 1 or more", argument="n")
    codes, lengths = _codes([sequences] if isinstance(sequences, str) else sequences)
    repeated = np.repeat(lengths, n)
    drawn = shuffle_codes(np.repeat(codes, n, axis=0), repeated, np.random.default_rng(seed))
    if _is_array(sequences):
        return _like(sequences, drawn, repeated).reshape(len(codes), n, 4, -1)
    texts = decode(drawn, repeated)
    return [texts[start : start + n] for start in range(0, len(texts), n)]


def _codes(sequences: Any) -> tuple[Codes, Lengths]:
    if _is_array(sequences):
        return codes_of(check_one_hot(sequences))
    return encode(list(sequences))


def _like(sequences: Any, codes: Codes, lengths: Lengths) -> Any:
    """Return codes as strings where sequences are, or else as the same kind of array."""
    if not _is_array(sequences):
        return decode(codes, lengths)
    values = one_hot_of_codes(codes)
    return sequences.new_tensor(values) if _is_tensor(sequences) else values


def is_sequence(text: str | PathLike[str]) -> bool:
    """Return whether text is a sequence, and not the name of a file."""
    # os.path.exists: a sequence may be longer than any name of a file, which Path refuses.
    return isinstance(text, str) and bool(text) and set(text) <= LETTERS and not exists(text)


def is_frame(value: object) -> TypeGuard[DataFrame]:
    """Return whether a value is a pandas data frame, without the import of pandas."""
    return hasattr(value, "iloc") and hasattr(value, "columns")


def _is_array(sequences: object) -> bool:
    return (isinstance(sequences, np.ndarray) and sequences.dtype.kind not in "USO") or _is_tensor(
        sequences
    )


def _is_tensor(value: object) -> bool:
    """Return whether a value is a torch tensor, without the import of torch."""
    return hasattr(value, "detach") and hasattr(value, "cpu")
