"""Files larger than memory, converted into a folder of arrays that are mapped, not read.

What the folder holds is said in :mod:`motiflens.datasets.mapped`.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import shutil
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import MappedDataset, SequenceDataset, open_mapped
from motiflens.errors import InputError
from motiflens.io.fasta import stream_fasta
from motiflens.io.sniff import TABLE, kind_of
from motiflens.io.tables import open_table
from motiflens.io.values import at, explain_labels, parse_label, parse_sequence, parse_split
from motiflens.sequences import PAD

#: Sequences that are in memory at a time.
CHUNK = 20_000

ARRAYS = ("codes", "lengths", "labels", "names")


class Entry(NamedTuple):
    """A sequence, its label, and where they are known its name and the split it is in."""

    sequence: str
    label: float
    name: str = ""
    split: str = ""


def stream_entries(path: Path | str, positive: str | None = None) -> Iterator[Entry]:
    """Read the sequences and labels of a table, or of FASTA with labels as headers, one by one.

    Parameters
    ----------
    path
        The file.
    positive
        The word that is the positive label of a table, where labels are words.

    Raises
    ------
    InputError
        When the file is missing, damaged or not text, for letters outside ACGTN and labels other
        than 0 and 1 (with file and line; in Parquet the row), and for a header without a sequence.
    """
    if kind_of(path) != TABLE:
        for record in stream_fasta(path):
            try:
                yield Entry(record.sequence, parse_label(record.name))
            except InputError as error:
                raise at(error, f"in line {record.line} of {path}") from None
        return
    names, rows = open_table(path)
    for row, where in rows:
        values = dict(zip(names, row, strict=True))
        try:
            yield Entry(
                parse_sequence(values["sequence"]),
                parse_label(values["label"], positive),
                values.get("name", ""),
                parse_split(values["split"]) if "split" in values else "",
            )
        except InputError as error:
            index = names.index("label")
            explain_labels((row[index] for row, _ in open_table(path)[1]), path, positive)
            raise at(error, where) from None


def require_both_classes(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Pass entries on, and raise an InputError at their end if they were all of one class."""
    labels = set()
    for entry in entries:
        labels.add(entry.label)
        yield entry
    if len(labels) == 1:
        raise InputError(
            f"all sequences have label {labels.pop():g}",
            remedy="add sequences of the other class",
        )


def dropped_columns(path: Path | str) -> list[str]:
    """Return the columns of a table that a stream of it leaves out: sites and coordinates.

    Raises
    ------
    InputError
        As `stream_entries`.
    """
    names = open_table(path)[0] if kind_of(path) == TABLE else []
    return [name for name in names if name not in Entry._fields]


def convert_streaming(
    source: Path | str | Iterable[Entry], folder: Path | str, *, overwrite: bool = False
) -> MappedDataset:
    """Write labelled sequences into a folder from which they can be mapped, whole or not at all.

    Parameters
    ----------
    source
        A table or a FASTA file (see :func:`stream_entries`), or
        entries from anywhere. It is gone through once, and never held as a whole.
    folder
        Made here; the name should end in ``.motiflens``.
    overwrite
        Replace a mapped data set that is there, once the new one is whole.

    Returns
    -------
    MappedDataset

    Raises
    ------
    InputError
        When the source breaks a rule of its kind, is empty, or names the splits of some sequences
        only; when the folder exists or cannot be made.
    """
    folder = Path(folder)
    replaces = overwrite and (folder / "dataset.json").is_file()
    if folder.exists() and not replaces:
        raise InputError(
            f"{folder} already exists" + (" and is no mapped data set" if overwrite else ""),
            remedy="use another name" + ("" if overwrite else ", or overwrite=True"),
            argument="overwrite",
        )
    entries = stream_entries(source) if isinstance(source, Path | str) else source
    begun = f".{folder.name}.{platform.node()}."
    aside = folder.with_name(f"{begun}{os.getpid()}")
    try:
        _remove_left_behind(folder.parent, begun)
        aside.mkdir()
        try:
            _write(iter(entries), aside)
            if replaces:
                shutil.rmtree(folder)
            aside.rename(folder)
        except BaseException:
            shutil.rmtree(aside)
            raise
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written: {error.strerror}",
            remedy="make the folder that it lies in, or choose another path",
        ) from None
    return open_mapped(folder)


def _remove_left_behind(parent: Path, begun: str) -> None:
    """Remove what a conversion to the same name has left that was killed on this machine."""
    for path in parent.iterdir():
        number = path.name.removeprefix(begun)
        if path.name != number and number.isdecimal() and not _is_running(int(number)):
            shutil.rmtree(path)


def _is_running(process: int) -> bool:
    """Return whether a process may be there; only POSIX has a signal that asks and does nothing."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


class _Spool:
    """What is known after one pass: bases and names in files, the rest in memory."""

    def __init__(self, bases: BinaryIO, names: BinaryIO) -> None:
        self.bases, self.names = bases, names
        self.lengths: list[NDArray[np.int32]] = []
        self.labels: list[NDArray[np.float32]] = []
        self.splits: list[NDArray[np.bytes_]] = []
        self.longest_name = 1
        self.n = 0

    def add(self, chunk: list[Entry]) -> None:
        """Check and keep some entries."""
        named = any(entry.split for entry in chunk)
        try:
            part = SequenceDataset.from_sequences(
                [entry.sequence for entry in chunk],
                [entry.label for entry in chunk],
                names=[entry.name for entry in chunk],
                split=[entry.split for entry in chunk] if named else None,
            )
        except InputError as error:
            raise at(error, f"in sequences {self.n + 1} to {self.n + len(chunk)}") from None
        if bool(self.splits) != named and self.n:
            raise InputError(
                f"of the first {self.n + len(chunk)} sequences some name their split, some do not",
                remedy="name the split of every sequence",
            )
        self.bases.write(part.codes[_inside(part.lengths, part.codes.shape[1])].tobytes())
        self.names.write("".join(f"{entry.name}\n" for entry in chunk).encode())
        self.lengths.append(part.lengths)
        self.labels.append(part.labels)
        if part.split is not None:
            self.splits.append(part.split.astype("S5"))
        self.longest_name = max(self.longest_name, *(len(entry.name) for entry in chunk))
        self.n += len(chunk)


def _inside(lengths: NDArray[np.int32], width: int) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = np.arange(width) < lengths[:, None]
    return inside


def _write(entries: Iterator[Entry], folder: Path) -> None:
    spooled = folder / "bases", folder / "names"
    with spooled[0].open("w+b") as bases, spooled[1].open("w+b") as names:
        spool = _Spool(bases, names)
        while chunk := list(islice(entries, CHUNK)):
            spool.add(chunk)
        if spool.n == 0:
            raise InputError("there are no sequences", remedy="check the source")
        bases.seek(0)
        names.seek(0)
        sha256 = {name: _write_array(folder, name, spool) for name in _names_of_arrays(spool)}
    for path in spooled:
        path.unlink()
    facts = {"schema_version": 1, "sha256": sha256}
    (folder / "dataset.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")


def _names_of_arrays(spool: _Spool) -> tuple[str, ...]:
    return (*ARRAYS, "split") if spool.splits else ARRAYS


def _write_array(folder: Path, name: str, spool: _Spool) -> str:
    """Write one array chunk by chunk as a ``.npy`` file; return its sha256."""
    makers: dict[str, Callable[[], Iterator[NDArray[Any]]]] = {
        "codes": lambda: _padded(spool),
        "lengths": lambda: iter(spool.lengths),
        "labels": lambda: iter(spool.labels),
        "names": lambda: _named(spool),
        "split": lambda: (part.astype("U5") for part in spool.splits),
    }
    digest = hashlib.sha256()
    with (folder / f"{name}.npy").open("wb") as file:
        for number, chunk in enumerate(makers[name]()):
            content = chunk.tobytes()
            if number == 0:
                content = _header((spool.n, *chunk.shape[1:]), chunk.dtype) + content
            digest.update(content)
            file.write(content)
    return digest.hexdigest()


def _header(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bytes:
    header = io.BytesIO()
    described = {"descr": dtype.str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, described)
    return header.getvalue()


def _padded(spool: _Spool) -> Iterator[NDArray[np.uint8]]:
    """Yield the codes with padding, now that the greatest length is known."""
    width = max(int(lengths.max()) for lengths in spool.lengths)
    for lengths in spool.lengths:
        codes = np.full((len(lengths), width), PAD, dtype=np.uint8)
        content = spool.bases.read(int(lengths.sum()))
        codes[_inside(lengths, width)] = np.frombuffer(content, dtype=np.uint8)
        yield codes


def _named(spool: _Spool) -> Iterator[NDArray[np.str_]]:
    """Yield the names; a sequence without one is called by its number."""
    digits = max(4, len(str(spool.n)))
    width = max(spool.longest_name, len("seq") + digits)
    number = 0
    for lengths in spool.lengths:
        names = [spool.names.readline().decode().removesuffix("\n") for _ in lengths]
        filled = [name or f"seq{number + i:0{digits}d}" for i, name in enumerate(names, start=1)]
        number += len(lengths)
        yield np.array(filled, dtype=f"U{width}")
