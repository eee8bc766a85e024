"""A FASTA file as names and sequences."""

from __future__ import annotations

from pathlib import Path

from motiflens.io.fasta import stream_fasta


def read_fasta(path: Path) -> list[tuple[str, str]]:
    """Read the first word of each header, and its sequence."""
    return [(record.name, record.sequence) for record in stream_fasta(path)]
