"""Hits of a file of sequences, as a BED file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motiflens.datasets import check_strands
from motiflens.errors import InputError
from motiflens.files import whole_file
from motiflens.hits import bgzf
from motiflens.hits.backgrounds import Background, resolve_background
from motiflens.hits.blocks import Block, pack
from motiflens.hits.scores import STEPS_PER_BIT, ScoredMotif, score_motif
from motiflens.hits.sequence_files import SequenceFile, open_sequences
from motiflens.hits.tally import Hits, Significance, Tally
from motiflens.motifs import Motif
from motiflens.progress import Advance, Progress, Silent

COLUMNS = (
    *("chrom", "start", "end", "name", "score", "strand"),
    *("motif_id", "log_odds", "p_value", "q_value"),
)
#: Names that say what the file is, before ``.gz``.
ENDINGS = (".bed", ".tsv", ".txt")

_ROW = np.dtype(
    [("sequence", "<i8"), ("start", "<i8"), ("motif", "<i4"), ("score", "<i4"), ("reverse", "?")]
)
_AT_ONCE = 1 << 13
_NAMED = 5


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
        Probabilities of A C G T that scores and p-values are reckoned against.
    notes
        Sentences for a log.
    """

    n_sequences: int
    n_hits: tuple[int, ...]
    n_windows: tuple[int, ...]
    background: Background
    notes: tuple[str, ...]


def write_hits(
    motifs: Sequence[Motif],
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
        What is searched for.
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
    _check_name(output)
    check_strands(strands)
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
        for piece in bgzf.compress(lines) if Path(output).suffix.lower() == ".gz" else lines:
            file.write(piece)
    windows = tuple(tally.n_tests(motif.width) for motif in motifs)
    notes = (*source.notes, *_out_of_reach(scored, p))
    return ScanSummary(len(names), tuple(tally.n_hits.tolist()), windows, base, notes)


def _check_name(output: Path | str) -> None:
    name = Path(output).name.lower().removesuffix(".gz")
    if not name.endswith(ENDINGS):
        raise InputError(
            f"{output} is not the name of a BED file",
            remedy="hits are BED; name them such as hits.bed or hits.bed.gz",
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
    parts: Iterable[Hits], motifs: Sequence[Motif], names: Sequence[str], values: Significance
) -> Iterator[bytes]:
    """Give the text of the file, many lines at a time."""
    yield ("#" + "\t".join(COLUMNS) + "\n").encode()
    words = ["_".join(name.split()) for name in names]
    called = [motif.alt_name or motif.name for motif in motifs]
    widths = [motif.width for motif in motifs]
    for hits in parts:
        p_values, q_values = values.of(hits)
        score = np.minimum(np.rint(-10 * np.log10(np.maximum(p_values, 1e-300))), 1000) + 0.0
        columns = (*hits, score.astype(int), p_values, q_values)
        yield "".join(
            f"{words[row]}\t{start}\t{start + widths[index]}\t{called[index]}\t{score}\t"
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
