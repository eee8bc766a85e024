"""What a file is: told by its name, and where that says nothing, by its first bytes."""

from __future__ import annotations

import re
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
SEPARATORS = ("\t", ",", ";")

_NAMES = (
    (TABLE, re.compile(r"\.(parquet|xlsx?|(tsv|csv)(\.gz)?)$", re.IGNORECASE)),
    (BED, re.compile(r"\.(bed|narrowpeak|broadpeak)(\.gz)?$", re.IGNORECASE)),
    (FASTA, re.compile(r"\.(fa|fasta|fna)(\.gz)?$", re.IGNORECASE)),
)
_DEEPBIND_NAME = re.compile(r"\.seq(\.gz)?$", re.IGNORECASE)
_VCF_NAME = re.compile(r"\.([bv]cf)(\.b?gz)?$", re.IGNORECASE)
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
        When the file is missing or no text, and for variants.
    """
    name = Path(path).name
    if name.endswith(MAPPED_NAME):
        return MAPPED
    if _VCF_NAME.search(name):
        raise _variants(path)
    kind = next((kind for kind, pattern in _NAMES if pattern.search(name)), None)
    if with_signal and kind != TABLE:
        return MICROARRAY
    return kind or _kind_of_content(path, with_genome)


def _kind_of_content(path: Path | str, with_genome: bool) -> str:
    with open_content(path) as (_, content):
        if is_two_bit(content.read(4)):
            return TWO_BIT
    line = next(stream_text(path), "")
    if line.startswith("##fileformat=VCF"):
        raise _variants(path)
    if line.startswith(">"):
        return FASTA
    if _DEEPBIND_NAME.search(Path(path).name):
        return DEEPBIND
    if any(is_header(line.rstrip("\n").split(separator)) for separator in SEPARATORS):
        return TABLE
    return BED if with_genome else LINES


def is_header(fields: list[str]) -> bool:
    """Return whether the first line of a table names two columns, of sequences or labels one."""
    names = {field.strip(" \"'").lower() for field in fields}
    return len(fields) > 1 and not names.isdisjoint(("sequence", "label"))


def _variants(path: Path | str) -> InputError:
    return InputError(
        f"{path} holds variants (VCF), not sequences",
        remedy="give a table, FASTA, or a BED file and its genome",
    )
