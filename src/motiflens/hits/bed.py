"""Hits of a file of sequences, as a BED file; plain, or in the gzip blocks that tabix indexes.

BGZF: Heng Li, Bioinformatics 27:718 (2011); the format is in the SAM specification, section 4.1.
"""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motiflens.datasets import check_strands
from motiflens.errors import InputError
from motiflens.files import whole_file
from motiflens.hits.blocks import Block, pack
from motiflens.hits.find import Hits, Significance, Tally
from motiflens.hits.scores import (
    STEPS_PER_BIT,
    Background,
    ScoredMotif,
    resolve_background,
    score_motif,
)
from motiflens.hits.sequence_files import SequenceFile, open_sequences
from motiflens.motifs import Motif, Motifs, resolve_motifs
from motiflens.progress import Advance, Progress, Silent

COLUMNS = (
    *("chrom", "start", "end", "name", "score", "strand"),
    *("motif_id", "log_odds", "p_value", "q_value"),
)
#: Names that say what the file is, before ``.gz``.
ENDINGS = (".bed", ".tsv")

_ROW = np.dtype(
    [("sequence", "<i8"), ("start", "<i8"), ("motif", "<i4"), ("score", "<i4"), ("reverse", "?")]
)
_AT_ONCE = 1 << 13
_NAMED = 5

_CONTENT = 0xFF00  # bytes of content in a block, so that the block stays below 64 KiB
_HEADER = bytes.fromhex("1f8b08040000000000ff0600424302 00")
_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


@dataclass(frozen=True)
class ScanSummary:
    """What a search found.

    Parameters
    ----------
    n_sequences
        Sequences, or contigs of a genome.
    n_hits
        Hits of each motif, in the order of the motifs.
    n_windows
        Windows that were scored for each motif, on all strands.
    background
        Probabilities of A C G T that scores and p-values are computed under.
    notes
        Sentences for a log.
    """

    n_sequences: int
    n_hits: tuple[int, ...]
    n_windows: tuple[int, ...]
    background: Background
    notes: tuple[str, ...]


def write_hits(
    motifs: Motifs,
    sequences: Path | str,
    output: Path | str,
    *,
    genome: Path | str | None = None,
    p: float = 1e-4,
    background: str | Path | Sequence[float] = "fimo",
    strands: str = "both",
    progress: Progress | None = None,
) -> ScanSummary:
    """Find the sites of motifs in a file of sequences, however large, and write them as BED.

    The columns are those of BED6, then ``motif_id``, ``log_odds`` in bits, ``p_value`` and
    ``q_value``, under a heading that begins with ``#chrom``. ``name`` is the motif's second name
    where it has one; ``score`` is ``-10 log10 p``, up to 1,000. Rows are in the order of the
    sequences, then of start, motif and strand. A file named ``.gz`` is bgzip's, which ``tabix``
    can index; equal input gives equal bytes.

    Memory holds a block of sequence at a time; hits wait in an unnamed temporary file for the
    q-values, which are known at the end.

    Parameters
    ----------
    motifs
        As in :func:`motiflens.find_hits`.
    sequences
        See :func:`motiflens.hits.open_sequences`.
    output
        The BED file, with ``.gz`` if wanted.
    genome
        FASTA or 2bit, where ``sequences`` is a BED file; positions are then of the genome.
    p, background, strands
        As in :func:`motiflens.find_hits`.
    progress
        Shows how far it is.

    Raises
    ------
    InputError
        As :func:`motiflens.find_hits` and :func:`motiflens.hits.open_sequences`, and when the
        output cannot be written or is named as what it is not.
    """
    check_bed_name(output)
    check_strands(strands)
    motifs = resolve_motifs(motifs)
    both = strands == "both"
    source = open_sequences(sequences, genome)
    base = resolve_background(background, _blocks(source, 1), both_strands=both)
    scored = [score_motif(motif, base, p=p) for motif in motifs]
    tally = Tally(scored, both_strands=both)
    names: list[str] = []
    with tempfile.TemporaryFile() as aside, whole_file(output) as file:
        with (progress or Silent()).stage("scan", source.total) as advance:
            for hits in tally.search(_blocks(source, tally.widest, advance, names)):
                aside.write(_rows_of(hits).tobytes())
        aside.seek(0)
        stored = iter(lambda: aside.read(_AT_ONCE * _ROW.itemsize), b"")
        lines = _lines(map(_hits_of, stored), motifs, names, tally.significance())
        for piece in compress_blocks(lines) if Path(output).suffix.lower() == ".gz" else lines:
            file.write(piece)
    windows = tuple(tally.n_tests(motif.width) for motif in motifs)
    notes = (*source.notes, *_out_of_reach(scored, p))
    return ScanSummary(len(names), tuple(tally.n_hits.tolist()), windows, base, notes)


def check_bed_name(output: Path | str) -> None:
    """Refuse a file that is not named as a BED file."""
    name = Path(output).name.lower().removesuffix(".gz")
    if not name.endswith(ENDINGS):
        raise InputError(
            f"{output} is not named as a BED file, which the hits are",
            remedy="name it such as hits.bed or hits.bed.gz",
            argument="output",
        )


def _blocks(
    source: SequenceFile,
    widest: int,
    advance: Advance = lambda steps: None,
    names: list[str] | None = None,
) -> Iterator[Block]:
    return pack(source.read(widest, advance, [] if names is None else names))


def _rows_of(hits: Hits) -> np.ndarray:
    rows = np.empty(len(hits.start), dtype=_ROW)
    for name in Hits._fields:
        rows[name] = getattr(hits, name)
    return rows


def _hits_of(stored: bytes) -> Hits:
    rows = np.frombuffer(stored, dtype=_ROW)
    return Hits(
        *(rows[name].astype(bool if name == "reverse" else np.int64) for name in Hits._fields)
    )


def _lines(
    blocks: Iterable[Hits], motifs: Sequence[Motif], names: Sequence[str], values: Significance
) -> Iterator[bytes]:
    """Yield the text of the file, many lines at a time."""
    yield ("#" + "\t".join(COLUMNS) + "\n").encode()
    labels = ["_".join(name.split()) for name in names]
    called = [motif.alt_name or motif.name for motif in motifs]
    widths = [motif.width for motif in motifs]
    for hits in blocks:
        p_values, q_values = values.of(hits)
        score = np.minimum(np.rint(-10 * np.log10(np.maximum(p_values, 1e-300))), 1000) + 0.0
        columns = (*hits, score.astype(int), p_values, q_values)
        yield "".join(
            f"{labels[row]}\t{start}\t{start + widths[index]}\t{called[index]}\t{score}\t"
            f"{'-' if reverse else '+'}\t{motifs[index].name}\t{steps / STEPS_PER_BIT:.4f}\t"
            f"{p:.4g}\t{q:.4g}\n"
            for row, start, index, reverse, steps, score, p, q in zip(
                *(column.tolist() for column in columns), strict=True
            )
        ).encode()


def _out_of_reach(scored: Sequence[ScoredMotif], p: float) -> list[str]:
    """Name the motifs that can have no hit, in one sentence."""
    silent = [f"{s.motif.name} (best p {s.best_p:.2g})" for s in scored if not len(s.p_values)]
    if not silent:
        return []
    more = f" and {len(silent) - _NAMED} more" if len(silent) > _NAMED else ""
    return [
        f"{len(silent)} of {len(scored)} motifs can have no hits, as not even their best site "
        f"reaches p {p:g}: {', '.join(silent[:_NAMED])}{more}"
    ]


def compress_blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Compress bytes as they come; without a time stamp, equal content gives equal bytes."""
    waiting = b""
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= _CONTENT:
            yield _block(waiting[:_CONTENT])
            waiting = waiting[_CONTENT:]
    if waiting:
        yield _block(waiting)
    yield _END


def _block(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(content) + packer.flush()
    size = len(_HEADER) + 2 + len(packed) + 8
    tail = struct.pack("<II", zlib.crc32(content), len(content))
    return _HEADER + struct.pack("<H", size - 1) + packed + tail
