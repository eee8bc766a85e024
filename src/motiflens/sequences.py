"""The alphabet: letters, codes and one-hot; reverse complements, k-mers and sites.

A base is stored as one byte: A, C, G, T are 0 to 3 and 4 stands for N and for the padding on the
right of a short sequence. U is read as T. In the order A C G T the complement of a code is
``3 - code``, so the reverse complement of a one-hot array is a flip of both its last axes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from motiflens.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

ALPHABET = "ACGT"
PAD = 4
ONE_HOT: NDArray[np.float32] = np.eye(5, 4, dtype=np.float32)
"""Row ``code`` is the one-hot column of that code; N and padding are all zero."""

MAX_K = 31
"""The longest k-mer that is packed into a number."""

Codes = NDArray[np.uint8]
Lengths = NDArray[np.int32]
Kmers = NDArray[np.int64]
Mask = NDArray[np.bool_]

_UNKNOWN_LETTER = 255
_CODE_OF_BYTE = np.full(256, _UNKNOWN_LETTER, dtype=np.uint8)
for _code, _letter in enumerate(ALPHABET + "N"):
    _CODE_OF_BYTE[[ord(_letter), ord(_letter.lower())]] = _code
_CODE_OF_BYTE[[ord("U"), ord("u")]] = ALPHABET.index("T")
_LETTER_OF_CODE = np.frombuffer(f"{ALPHABET}N".encode(), dtype=np.uint8)
_COMPLEMENT_OF_CODE = np.array([3, 2, 1, 0, PAD], dtype=np.uint8)

IUPAC: dict[str, tuple[int, ...]] = {
    letter: tuple(code for code in range(4) if mask >> code & 1)
    for mask, letter in enumerate("ACMGRSVTWYHKDBN", start=1)
}
"""The codes that each letter of the IUPAC nucleotide code stands for."""

_IUPAC_COMPLEMENTS = str.maketrans(
    "ACGTRYSWKMBDHVNacgtryswkmbdhvn", "TGCAYRSWMKVHDBNtgcayrswmkvhdbn"
)


def evenly(n: int, most: int) -> NDArray[np.intp]:
    """Choose at most ``most`` of n rows, spread evenly over their order.

    Files are often sorted, by signal or by place: the first rows are not like the others.

    Returns
    -------
    ndarray
        Ascending rows; all n where they are no more than ``most``.
    """
    return np.linspace(0, n, min(max(most, 0), n), endpoint=False, dtype=np.intp)


def encode(sequences: Sequence[str]) -> tuple[Codes, Lengths]:
    """Turn letters into codes.

    Parameters
    ----------
    sequences
        N strings over A, C, G, T (or U) and N, in any case; they may differ in length.

    Returns
    -------
    codes, lengths
        uint8 (N, L) with L the longest length, filled up on the right with ``PAD``;
        int32 (N,).

    Raises
    ------
    InputError
        For any other letter; sequence and position are counted from 1.
    """
    lengths = np.fromiter(map(len, sequences), dtype=np.int32, count=len(sequences))
    # One letter, one byte: whatever is not ASCII becomes "?", which is refused below.
    letters = "".join(sequences).encode("ascii", errors="replace")
    flat = _CODE_OF_BYTE[np.frombuffer(letters, dtype=np.uint8)]
    if flat.size and flat.max() == _UNKNOWN_LETTER:
        _refuse_letter(sequences, lengths, int(np.argmax(flat == _UNKNOWN_LETTER)))
    width = int(lengths.max(initial=0))
    if flat.size == len(lengths) * width:
        return flat.reshape(len(lengths), width), lengths
    codes = np.full((len(lengths), width), PAD, dtype=np.uint8)
    codes[np.arange(width) < lengths[:, None]] = flat
    return codes, lengths


def _refuse_letter(sequences: Sequence[str], lengths: Lengths, flat_index: int) -> None:
    ends = np.cumsum(lengths, dtype=np.int64)
    row = int(np.searchsorted(ends, flat_index, side="right"))
    column = flat_index - int(ends[row] - lengths[row])
    raise InputError(
        f"{sequences[row][column]!r} at position {column + 1} of sequence {row + 1} is not "
        "A, C, G, T or N",
        remedy="replace the letter by N, or drop the sequence",
    )


def decode(codes: Codes, lengths: Lengths) -> list[str]:
    """Turn codes (N, L) back into N upper-case strings of the given lengths."""
    width = codes.shape[1]
    text = _LETTER_OF_CODE[codes].tobytes().decode("ascii")
    return [text[row * width : row * width + n] for row, n in enumerate(lengths.tolist())]


def one_hot(codes: Codes) -> NDArray[np.float32]:
    """Turn codes (..., L) into float32 (..., 4, L); N and padding are zero columns."""
    bases = np.arange(len(ALPHABET), dtype=np.uint8)[:, None]
    encoded: NDArray[np.float32] = (codes[..., None, :] == bases).astype(np.float32)
    return encoded


def codes_of(one_hot: NDArray[np.generic]) -> Codes:
    """Return the codes (..., L) of one-hot (..., 4, L); a zero column is N or padding."""
    known = one_hot.any(axis=-2)
    return np.where(known, one_hot.argmax(axis=-2), PAD).astype(np.uint8)


@overload
def reverse_complement(one_hot: NDArray[np.float32]) -> NDArray[np.float32]: ...
@overload
def reverse_complement(one_hot: Tensor) -> Tensor: ...
def reverse_complement(one_hot: NDArray[np.float32] | Tensor) -> NDArray[np.float32] | Tensor:
    """Flip both last axes of an array or tensor (..., 4, L); any matrix over A C G T will do."""
    if isinstance(one_hot, np.ndarray):
        # A copy, because torch refuses arrays with negative strides.
        return np.ascontiguousarray(one_hot[..., ::-1, ::-1])
    return one_hot.flip((-2, -1))


def reverse_complement_codes(codes: Codes, lengths: Lengths) -> Codes:
    """Return the other strand of every row of codes (N, L); the padding stays on the right."""
    position = np.arange(codes.shape[1])
    mirrored = np.where(position < lengths[:, None], lengths[:, None] - 1 - position, position)
    return _COMPLEMENT_OF_CODE[np.take_along_axis(codes, mirrored, axis=1)]


def kmers(codes: Codes, k: int) -> tuple[Kmers, Mask]:
    """Read every window of k bases as a number in base 4, the first base highest.

    Parameters
    ----------
    codes
        uint8 (N, L).
    k
        1 to 31.

    Returns
    -------
    numbers, known
        int64 (N, max(L - k + 1, 0)), and bool of the same shape: False where a window holds N or
        padding, and the number means nothing.

    Raises
    ------
    InputError
        For other k.
    """
    if not 1 <= k <= MAX_K:
        raise InputError(f"k is {k}", remedy=f"choose k-mers of 1 to {MAX_K} bases", argument="k")
    n_windows = max(codes.shape[1] - k + 1, 0)
    unknown = np.zeros((len(codes), codes.shape[1] + 1), dtype=np.int32)
    np.cumsum(codes >= PAD, axis=1, out=unknown[:, 1:])
    known = unknown[:, k : k + n_windows] == unknown[:, :n_windows]
    base = np.minimum(codes, PAD - 1).astype(np.int64)
    numbers = np.zeros((len(codes), n_windows), dtype=np.int64)
    for offset in range(k):
        numbers = numbers << 2 | base[:, offset : offset + n_windows]
    return numbers, known


def reverse_complement_kmers(numbers: Kmers, k: int) -> Kmers:
    """Return the numbers of the reverse complements of k-mers, of any shape."""
    flipped = np.zeros_like(numbers)
    for offset in range(k):
        flipped = flipped << 2 | 3 - (numbers >> 2 * offset & 3)
    return flipped


def canonical_kmers(codes: Codes, k: int) -> tuple[Kmers, Mask]:
    """Read every window as `kmers` does; a k-mer and its reverse complement are one number."""
    numbers, known = kmers(codes, k)
    return np.minimum(numbers, reverse_complement_kmers(numbers, k)), known


def reverse_complement_string(text: str) -> str:
    """Return the other strand of a string of IUPAC letters; the case of each letter is kept.

    Raises
    ------
    InputError
        For a letter outside the IUPAC nucleotide code.
    """
    iupac_codes(text)
    return text[::-1].translate(_IUPAC_COMPLEMENTS)


def iupac_codes(text: str) -> list[tuple[int, ...]]:
    """Return the codes that every letter of an IUPAC string, in any case, stands for.

    Raises
    ------
    InputError
        For a letter outside the IUPAC nucleotide code, and for the empty string.
    """
    letters = text.upper()
    if not (text and text.isascii() and set(letters) <= set(IUPAC)):
        raise InputError(
            f"{text!r} is no motif",
            remedy=f"write one or more of the IUPAC letters {''.join(IUPAC)}",
        )
    return [IUPAC[letter] for letter in letters]


class Site(NamedTuple):
    """A named interval on one sequence: 0-based, half-open ``[start, end)``, strand + or -."""

    name: str
    start: int
    end: int
    strand: str


_SITE = re.compile(r"([^;\x00-\x1f\x7f]+):([0-9]{1,9})-([0-9]{1,9}):([+-])")


def format_sites(sites: Iterable[Site]) -> str:
    """Write sites as ``name:start-end:strand`` joined by ``;``; no site is the empty string.

    Raises
    ------
    InputError
        For a site that :func:`parse_sites` could not read back.
    """
    parts = [f"{site.name}:{site.start}-{site.end}:{site.strand}" for site in sites]
    for part in parts:
        _parse_site(part)
    return ";".join(parts)


def parse_sites(text: str) -> list[Site]:
    """Read what :func:`format_sites` writes; a name may itself hold ``:``.

    Raises
    ------
    InputError
        For a part that is no ``name:start-end:strand`` with start < end and strand + or -.
    """
    return [_parse_site(part) for part in text.split(";")] if text else []


def _parse_site(part: str) -> Site:
    match = _SITE.fullmatch(part)
    if match is None or int(match[2]) >= int(match[3]):
        raise InputError(
            f"{part!r} is no site",
            remedy="write name:start-end:strand with 0 <= start < end and strand + or -, several "
            "joined by ';'",
        )
    return Site(match[1], int(match[2]), int(match[3]), match[4])
