"""A run and sequences, opened to call hits tile by tile."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from motiflens.attribution import METHODS, attribute
from motiflens.datasets import SequenceDataset
from motiflens.discovery.held_out import METHOD
from motiflens.errors import InputError, one_of
from motiflens.io.inputs import Sequences
from motiflens.motifs import Motif, read_motifs
from motiflens.runs import Run, load_run
from motiflens.scoring.contribution_hits import (
    Calls,
    ContributionCaller,
    join_calls,
    prepare_caller,
    shuffled,
)
from motiflens.scoring.models import open_models
from motiflens.scoring.significance import NULL_ROW, ROW, TileCalls
from motiflens.scoring.stored import store_sequences
from motiflens.sequences import PAD, Codes, evenly, one_hot

#: Bases of a tile, of the pieces that a longer sequence is cut into, and explained at once.
TILE, PIECE, BATCH = 1 << 16, 1 << 14, 1 << 15
#: Bases of shuffled sequences that hits are compared with, at least, and that evidence is measured
#: on, at most.
NULL_BASES, EVIDENCE_BASES = 200_000, 100_000
#: Seed of the shuffles that hits are compared with.
NULL_SEED = 2


class Piece(NamedTuple):
    """Bases of a sequence that are searched together; its windows begin in ``[first, last)``."""

    sequence: int
    start: int
    end: int
    first: int
    last: int


class Annotator:
    """What calls hits in sequences; several threads may compute its tiles at once.

    Parameters
    ----------
    run, sequences, genome, model, method, device
        As in :func:`motiflens.annotate`.

    Attributes
    ----------
    motifs
        Of the run, with their CWMs.
    stored
        The sequences.
    n_shuffles
        Of each of them, that hits are compared with.
    notes
        Sentences for a log.
    """

    def __init__(
        self,
        run: Run | Path | str,
        sequences: Sequences,
        *,
        genome: Path | str | None = None,
        model: str | None = None,
        method: str | None = None,
        device: str | None = None,
    ) -> None:
        self._run = run if isinstance(run, Run) else load_run(run)
        self.motifs = motifs_of(self._run)
        if method is not None:
            one_of("an attribution method", method, METHODS, argument="method")
        self._scorer = open_models(self._run, model, device=device or "cpu")
        for member in self._scorer.members:
            # Asked for no gradients, so that several threads can explain one module.
            member.requires_grad_(False)
        self.stored = store_sequences(sequences, genome)
        self.method = method or self._usual_method()
        self._tiles = self._cut()
        n_bases = sum(piece.last - piece.first for tile in self._tiles for piece in tile)
        self.n_shuffles = -(-NULL_BASES // max(n_bases, 1))
        self._lock = threading.Lock()

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, and chosen."""
        short = int((self.stored.lengths < self._scorer.min_length).sum())
        n, least = len(self.stored), self._scorer.min_length
        told = f"{short} of {n} sequences are shorter than the {least} bases that the model takes"
        chosen = f"contributions of {self._scorer.name} by {self.method}"
        compared = f"compared with {self.n_shuffles} dinucleotide shuffles of each sequence"
        return (*self.stored.notes, *(told,) * bool(short), f"{chosen}, {compared}")

    @property
    def settings(self) -> Mapping[str, Any]:
        """All that decides the calls."""
        digest = hashlib.sha256()
        for motif in self.motifs:
            assert motif.cwm is not None
            digest.update(f"{motif.name}\t{motif.alt_name}\t{motif.n_sites}\n".encode())
            digest.update(motif.ppm.tobytes() + motif.cwm.tobytes())
        return {
            "model": self._scorer.sha256,
            "motifs": digest.hexdigest(),
            "sequences": self.stored.sha256,
            "method": self.method,
        }

    @property
    def sizes(self) -> list[int]:
        """Bases of each tile."""
        return [sum(piece.last - piece.first for piece in tile) for tile in self._tiles]

    @cached_property
    def _prepared(self) -> ContributionCaller:
        """The caller, with its null from shuffles of the sequences that the run was made of."""
        dataset, length = self._run.dataset, self._scorer.length
        background = base_frequencies(dataset)
        caller = ContributionCaller(
            self._scorer.members,
            self.motifs,
            self.method,
            length,
            background,
            both_strands=self._run.settings.strands == "both",
            only_length=self._scorer.only_length,
        )
        rows = np.flatnonzero(dataset.lengths >= self._scorer.min_length)
        most = max(EVIDENCE_BASES // length, 1)
        return prepare_caller(caller, by_length(dataset, rows[evenly(len(rows), most)]))

    @property
    def caller(self) -> ContributionCaller:
        """What calls hits in codes, made once."""
        with self._lock:
            return self._prepared

    def compute(self, tile: int) -> TileCalls:
        """Call the hits of a tile, and those of its shuffles."""
        pieces = self._tiles[tile]
        caller = self.caller
        found, null = list[Calls](), list[Calls]()
        n_windows = np.zeros(len(self.motifs), dtype=np.int64)
        for own in _batches(pieces):
            codes = np.stack([self.stored.fetch(p.sequence, p.start, p.end) for p in own])
            found.append(self._placed(_inside(caller.call(codes), own), own))
            for piece, row in zip(own, codes, strict=True):
                n_windows += caller.n_windows(row[None, piece.first - piece.start :])
                n_windows -= caller.n_windows(row[None, piece.last - piece.start :])
            null += self._null(caller, codes, own)
        calls = join_calls(found)
        order = np.lexsort((calls.reverse, calls.motif, calls.start, calls.sequence))
        rows = np.empty(len(order), dtype=ROW)
        for name in ROW.names or ():
            rows[name] = getattr(calls, name)[order]
        nulls = join_calls(null)
        drawn = np.empty(len(nulls.motif), dtype=NULL_ROW)
        drawn["motif"], drawn["evidence"] = nulls.motif, nulls.evidence
        return TileCalls(rows, drawn, n_windows)

    def _null(
        self, caller: ContributionCaller, codes: Codes, pieces: Sequence[Piece]
    ) -> Iterator[Calls]:
        """Call hits in the shuffles of pieces (N, L)."""
        length = codes.shape[1]
        at_once = max(1, BATCH // length)
        for first in range(0, self.n_shuffles * len(codes), at_once):
            numbers = np.arange(first, min(first + at_once, self.n_shuffles * len(codes)))
            rows = np.unique(numbers // self.n_shuffles)
            drawn = shuffled(codes[rows], self.n_shuffles, NULL_SEED)
            chosen = drawn.reshape(-1, length)[numbers - rows[0] * self.n_shuffles]
            own = [pieces[number // self.n_shuffles] for number in numbers.tolist()]
            yield _inside(caller.call(chosen), own)

    def _placed(self, calls: Calls, pieces: Sequence[Piece]) -> Calls:
        """Return the calls of pieces in the coordinates of the input."""
        of = np.array(pieces, dtype=np.int64).reshape(-1, len(Piece._fields))[calls.sequence]
        sequence, start = of[:, 0], of[:, 1] + calls.start
        places = [self.stored.places[row] for row in sequence.tolist()]
        minus = np.array([place.strand == "-" for place in places], dtype=bool)
        width = np.array([motif.width for motif in self.motifs], dtype=np.int64)[calls.motif]
        turned = self.stored.lengths[sequence] - start - width
        start = np.where(minus, turned, start)
        start += np.array([place.start for place in places], dtype=np.int64)
        return calls._replace(sequence=sequence, start=start, reverse=calls.reverse ^ minus)

    def _usual_method(self) -> str:
        """Return the method of discovery, or mutagenesis where the model does not take that."""
        member = self._scorer.members[0]
        try:
            attribute(member, one_hot(np.zeros((1, self._scorer.length), np.uint8)), METHOD)
        except InputError:
            return "ism"
        return METHOD

    def _cut(self) -> list[list[Piece]]:
        """Cut sequences into pieces, and put these together into tiles."""
        tiles, size = [list[Piece]()], 0
        for piece in self._pieces():
            if size >= TILE:
                tiles.append([])
                size = 0
            tiles[-1].append(piece)
            size += piece.last - piece.first
        return tiles if tiles[0] else []

    def _pieces(self) -> Iterator[Piece]:
        margin = self._scorer.length
        for row, length in enumerate(self.stored.lengths.tolist()):
            if length < self._scorer.min_length:
                continue
            firsts = list(range(0, length, PIECE)) if length > PIECE + margin else [0]
            pieces = [
                Piece(row, max(first - margin, 0), min(last + margin, length), first, last)
                for first, last in zip(firsts, [*firsts[1:], length], strict=True)
            ]
            yield from pieces[::-1] if self.stored.places[row].strand == "-" else pieces


def motifs_of(run: Run) -> tuple[Motif, ...]:
    """Return the motifs that discovery has confirmed in a run, with their contributions.

    Raises
    ------
    InputError
        If there are none, with the command that looks for them.
    """
    path = run.results.path_of("discovery_arrays")
    if path.is_file():
        return tuple(motif for motif in read_motifs(path) if motif.cwm is not None)
    looked = run.results.holds("motifs")
    raise InputError(
        f"{run.path} holds no motif that was confirmed"
        if looked
        else f"the motifs of {run.path} are not known yet",
        remedy="train on more sequences, or search known motifs by `motiflens hits`"
        if looked
        else f"find them by `motiflens motifs {run.path}`",
        argument="run",
    )


def base_frequencies(dataset: SequenceDataset) -> tuple[float, float, float, float]:
    """Return the frequencies of A C G T in a data set, both strands averaged; none is 0."""
    counts = np.bincount(np.asarray(dataset.codes).ravel(), minlength=PAD)[:PAD] + 1.0
    a, c, g, t = ((counts + counts[::-1]) / (2 * counts.sum())).tolist()
    return a, c, g, t


def by_length(dataset: SequenceDataset, rows: np.ndarray) -> Iterator[Codes]:
    """Yield the codes of rows of a data set by their length, without padding."""
    lengths = dataset.lengths[rows]
    for length in np.unique(lengths).tolist():
        yield np.asarray(dataset.codes[rows[lengths == length]])[:, :length]


def _batches(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Put the pieces of one length together, as many as are explained at once."""
    of_length: dict[int, list[Piece]] = {}
    for piece in pieces:
        of_length.setdefault(piece.end - piece.start, []).append(piece)
    for length, own in of_length.items():
        at_once = max(1, BATCH // length)
        yield from (own[first : first + at_once] for first in range(0, len(own), at_once))


def _inside(calls: Calls, pieces: Sequence[Piece]) -> Calls:
    """Return the calls that begin where the windows of their piece do."""
    of = np.array(pieces, dtype=np.int64).reshape(-1, len(Piece._fields))[calls.sequence]
    start = of[:, 1] + calls.start
    return calls.take((start >= of[:, 3]) & (start < of[:, 4]))
