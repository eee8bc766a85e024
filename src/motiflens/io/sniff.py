"""What a file is: told by its name, and where that says nothing, by its first bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from motiflens.errors import InputError
from motiflens.files import open_content, stream_text

MAPPED = "a mapped data set"
TABLE = "a table"
MICROARRAY = "a microarray"
BED = "a BED file"
DEEPBIND = "a .seq file"
FASTA = "FASTA"
LINES = "a file of sequences, one a line"
TWO_BIT = "2bit"

MAPPED_NAME = ".motiflens"
SEPARATORS = ("\t", ",", ";", "|")

#: Other names of our columns that people give them; what a column is read as.
ALSO_NAMED = {"seq": "sequence", "sequences": "sequence", "序列": "sequence"}
ALSO_NAMED |= {"labels": "label", "标签": "label", "id": "name"}

_NAMES = (
    (TABLE, re.compile(r"\.(parquet|xlsx?|(tsv|csv)(\.gz)?)$", re.IGNORECASE)),
    (BED, re.compile(r"\.(bed|narrowpeak|broadpeak)(\.gz)?$", re.IGNORECASE)),
    (FASTA, re.compile(r"\.(fa|fasta|fna)(\.gz)?$", re.IGNORECASE)),
)
_DEEPBIND_NAME = re.compile(r"\.seq(\.gz)?$", re.IGNORECASE)

#: Names and beginnings of files that hold something else, what it is, and what to do.
_OTHERS = (
    (
        re.compile(r"\.([bv]cf)(\.b?gz)?$", re.IGNORECASE),
        re.compile(r"##fileformat=VCF"),
        "variants (VCF), not sequences",
        "give a table, FASTA, or a BED file and its genome",
    ),
    (
        re.compile(r"\.(fastq|fq)(\.gz)?$", re.IGNORECASE),
        re.compile(r"@(?![A-Z]{2}\t)\S"),  # the others are headers of SAM
        "reads of a sequencer (FASTQ)",
        "make FASTA of them, such as by `seqtk seq -A`, or give the peaks that they were called to",
    ),
    (
        re.compile(r"\.(gb|gbk|gbff|genbank|embl)(\.gz)?$", re.IGNORECASE),
        re.compile(r"(LOCUS|ID) {3}"),
        "an annotated record (GenBank or EMBL)",
        "save the sequences as FASTA",
    ),
)
_TWO_BIT_SIGNATURES = (b"\x43\x27\x41\x1a", b"\x1a\x41\x27\x43")


def is_two_bit(start: bytes) -> bool:
    """Return whether the first bytes of a file are those of a 2bit file."""
    return start[:4] in _TWO_BIT_SIGNATURES


def kind_of(path: Path | str, *, with_genome: bool = False, with_signal: bool = False) -> str:
    """Return what a file is, one of the names above.

    Parameters
    ----------
    path
        A file or a folder.
    with_genome
        A genome comes beside it: then it is a BED file, unless it is FASTA or a table.
    with_signal
        A column of a microarray is named: then it is one, unless it is a table.

    Raises
    ------
    InputError
        When the file is missing or no text, and for variants, reads and annotated records.
    """
    name = Path(path).name
    if name.endswith(MAPPED_NAME):
        return MAPPED
    _refuse_others(path, name, 0)
    kind = next((kind for kind, pattern in _NAMES if pattern.search(name)), None)
    if with_signal and kind != TABLE:
        return MICROARRAY
    return kind or _kind_of_content(path, with_genome)


def _kind_of_content(path: Path | str, with_genome: bool) -> str:
    with open_content(path) as (_, content):
        if is_two_bit(content.read(4)):
            return TWO_BIT
    return kind_of_line(next(stream_text(path), ""), path, with_genome=with_genome)


def kind_of_line(line: str, path: Path | str, *, with_genome: bool = False) -> str:
    """Return what a file is by its first line, one of the names above; see `kind_of`."""
    _refuse_others(path, line, 1)
    if line.startswith(">"):
        return FASTA
    if _DEEPBIND_NAME.search(Path(path).name):
        return DEEPBIND
    if any(is_header(line.rstrip("\n").split(separator)) for separator in SEPARATORS):
        return TABLE
    return BED if with_genome else LINES


def is_header(fields: list[str]) -> bool:
    """Return whether the first line of a table names two columns, of sequences or labels one."""
    names = set(column_names([field.strip(" \"'") for field in fields]))
    return len(fields) > 1 and not names.isdisjoint(("sequence", "label"))


def column_names(header: Sequence[str]) -> list[str]:
    """Return what the columns of a table are called here: in small letters, by our own names.

    A column named as ours is ours, whatever else is in the table.
    """
    names = [name.strip().lower() for name in header]
    ours = [ALSO_NAMED.get(name, name) for name in names]
    return [name if own in names else own for name, own in zip(names, ours, strict=True)]


def _refuse_others(path: Path | str, text: str, where: int) -> None:
    """Refuse a file by its name (0) or its first line (1), where these say that it is no data."""
    for *patterns, what, remedy in _OTHERS:
        if patterns[where].match(text) if where else patterns[where].search(text):
            raise InputError(f"{path} holds {what}", remedy=remedy)
