"""The alphabet: letters, codes and one-hot; reverse complements, shuffles and sites.

A base is stored as one byte: A, C, G, T are 0 to 3 and 4 stands for N and for the padding on the
right of a short sequence. In the order A C G T the complement of a code is ``3 - code``, so the
reverse complement of a one-hot array is a flip of both its last axes.
"""

from __future__ import annotations

import itertools
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

Codes = NDArray[np.uint8]
Lengths = NDArray[np.int32]

_UNKNOWN_LETTER = 255
_CODE_OF_BYTE = np.full(256, _UNKNOWN_LETTER, dtype=np.uint8)
for _code, _letter in enumerate(ALPHABET + "N"):
    _CODE_OF_BYTE[[ord(_letter), ord(_letter.lower())]] = _code
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


def encode(sequences: Sequence[str]) -> tuple[Codes, Lengths]:
    """Turn letters into codes.

    Parameters
    ----------
    sequences
        N strings over A, C, G, T and N, in upper or lower case; they may differ in length.

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
        "a sequence holds the letters A, C, G, T and N only",
        got=f"{sequences[row][column]!r} at position {column + 1} of sequence {row + 1}",
        remedy="replace the letter by N or drop the sequence",
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
    """Give the other strand of every row of codes (N, L); the padding stays on the right."""
    place = np.arange(codes.shape[1])
    mirrored = np.where(place < lengths[:, None], lengths[:, None] - 1 - place, place)
    return _COMPLEMENT_OF_CODE[np.take_along_axis(codes, mirrored, axis=1)]


def reverse_complement_string(text: str) -> str:
    """Give the other strand of a string of IUPAC letters; the case of each letter is kept.

    Raises
    ------
    InputError
        For a letter outside the IUPAC nucleotide code.
    """
    iupac_codes(text)
    return text[::-1].translate(_IUPAC_COMPLEMENTS)


def iupac_codes(text: str) -> list[tuple[int, ...]]:
    """Give the codes that every letter of an IUPAC string, in any case, stands for.

    Raises
    ------
    InputError
        For a letter outside the IUPAC nucleotide code, and for the empty string.
    """
    letters = text.upper()
    if not (text and text.isascii() and set(letters) <= set(IUPAC)):
        raise InputError(
            f"a motif is one or more of the IUPAC letters {''.join(IUPAC)}",
            got=repr(text),
            remedy="correct the motif",
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
            "a site is name:start-end:strand with 0 <= start < end and strand + or -",
            got=repr(part),
            remedy="correct the site; several are joined by ';'",
        )
    return Site(match[1], int(match[2]), int(match[3]), match[4])


def shuffle(codes: Codes, lengths: Lengths, generator: np.random.Generator) -> Codes:
    """Permute the bases within every sequence.

    Every N and the padding keep their places; the known bases are permuted among the rest.

    Parameters
    ----------
    codes, lengths
        uint8 (N, L), int32 (N,).
    generator
        Source of randomness.

    Returns
    -------
    codes
        uint8 (N, L), each row with the base counts it had.
    """
    known = _known(codes, lengths)
    places = np.argsort(~known, axis=1, kind="stable")
    order = np.argsort(np.where(known, generator.random(codes.shape), 2.0), axis=1, kind="stable")
    shuffled = np.empty_like(codes)
    np.put_along_axis(shuffled, places, np.take_along_axis(codes, order, axis=1), axis=1)
    return shuffled


def dinucleotide_shuffle(codes: Codes, lengths: Lengths, generator: np.random.Generator) -> Codes:
    """Draw uniformly among the sequences with the same dinucleotide counts.

    Every N and the padding keep their places: each run of known bases between them is shuffled
    by itself. As a run keeps its first and its last base, the dinucleotides with an N in them
    keep their counts too.

    Parameters
    ----------
    codes, lengths
        uint8 (N, L), int32 (N,).
    generator
        Source of randomness.

    Returns
    -------
    codes
        uint8 (N, L).

    Notes
    -----
    Altschul and Erickson, Mol Biol Evol 2:526 (1985): a random Euler path through the graph
    whose edges are the dinucleotides. Where they draw the last exits of the vertices again until
    these form a tree towards the last base, the 16 possible trees are weighted here, so that
    nothing is drawn twice.
    """
    known = _known(codes, lengths)
    rows, starts, run_lengths = _runs(known)
    shuffled = codes.copy()
    if len(rows) == 0:
        return shuffled
    steps = np.arange(run_lengths.max())
    inside = steps < run_lengths[:, None]
    place = np.where(inside, starts[:, None] + steps, 0)
    runs = np.where(inside, codes[rows[:, None], place], PAD).astype(np.uint8)
    shuffled[known] = _euler_paths(runs, run_lengths, generator)[inside]
    return shuffled


def _known(codes: Codes, lengths: Lengths) -> NDArray[np.bool_]:
    return (codes < PAD) & (np.arange(codes.shape[1]) < lengths[:, None])


def _runs(known: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Row, start and length of every run of True in each row, row by row."""
    edges = np.diff(np.pad(known, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    return rows, starts, ends - starts


def _trees(root: int) -> list[tuple[int, ...]]:
    """Every way to give the three other bases a next base so that all lead to the root."""

    def leads_to_root(exits: tuple[int, ...], base: int) -> bool:
        return root in (exits[base], exits[exits[base]], exits[exits[exits[base]]])

    choices = [[root] if b == root else [e for e in range(4) if e != b] for b in range(4)]
    return [
        exits
        for exits in itertools.product(*choices)
        if all(leads_to_root(exits, base) for base in range(4))
    ]


_TREES = np.array([_trees(root) for root in range(4)])  # (root, tree, base) -> next base


def _euler_paths(
    runs: Codes, run_lengths: NDArray[np.intp], generator: np.random.Generator
) -> Codes:
    """Shuffle runs (R, L) without N, padded on the right; see `dinucleotide_shuffle`."""
    index = np.arange(len(runs))
    sources, targets = runs[:, :-1].astype(np.intp), runs[:, 1:].astype(np.intp)
    sources = np.where(targets == PAD, PAD, sources)
    last = runs[index, run_lengths - 1]
    counts = np.zeros((len(runs), 5, 5))
    np.add.at(counts, (index[:, None], sources, targets), 1)
    counts = counts[:, :4, :4]
    exits = _draw_trees(counts, last, generator)
    keys = generator.random(sources.shape)
    for base in range(4):
        # Edges with the same two ends are alike, so any of them may be the last exit.
        is_exit = (sources == base) & (targets == exits[:, base, None])
        chosen = np.argmax(is_exit, axis=1) if sources.shape[1] else index[:0]
        found = index[is_exit.any(axis=1) & (last != base)]
        keys[found, chosen[found]] = 2.0
    order = np.argsort(4 * sources + keys, axis=1, kind="stable")
    targets = np.take_along_axis(targets, order, axis=1)
    per_base = counts.sum(axis=2).astype(np.intp)
    return _walk(runs, run_lengths, targets, np.cumsum(per_base, axis=1) - per_base)


def _draw_trees(
    counts: NDArray[np.float64], last: Codes, generator: np.random.Generator
) -> NDArray[np.intp]:
    """Draw the last exit of every base (R, 4), each tree as often as it can be formed."""
    index = np.arange(len(counts))
    ways = counts.copy()
    absent = counts.sum(axis=2) == 0
    ways[index[:, None], np.arange(4), last[:, None]] += absent  # a base not left: any exit
    ways[index, last, last] = 1
    trees = _TREES[last]  # (R, 16, 4)
    weights = ways[index[:, None, None], np.arange(4), trees].prod(axis=2)
    cumulative = np.cumsum(weights, axis=1)
    drawn = generator.random(len(counts)) * cumulative[:, -1]
    chosen = (cumulative <= drawn[:, None]).sum(axis=1)
    picked: NDArray[np.intp] = trees[index, chosen]
    return picked


def _walk(
    runs: Codes,
    run_lengths: NDArray[np.intp],
    targets: NDArray[np.intp],
    next_edge: NDArray[np.intp],
) -> Codes:
    """Follow each base's edges (sorted by source, starting at ``next_edge``) in their order."""
    walked = runs.copy()
    for step in range(1, runs.shape[1]):
        index = np.nonzero(run_lengths > step)[0]
        here = walked[index, step - 1]
        walked[index, step] = targets[index, next_edge[index, here]]
        next_edge[index, here] += 1
    return walked
