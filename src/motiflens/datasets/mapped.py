"""Data sets larger than memory: a folder of NumPy arrays that are mapped, not read.

``NAME.motiflens/`` holds ``codes.npy`` uint8 (N, L), ``lengths.npy`` int32, ``labels.npy`` float32,
``names.npy`` and, where known, ``split.npy``, each (N,); ``dataset.json`` holds the sha256 of each.
Any row is found at once, so training can take its rows in random order, and only the pages that
were touched are in memory, where the system can let go of them again.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets.dataset import SequenceDataset, check_shapes, draw
from motiflens.datasets.located import at
from motiflens.datasets.streaming import Entry, stream_entries
from motiflens.errors import InputError
from motiflens.sequences import PAD

#: Sequences that are in memory at a time.
CHUNK = 20_000

#: Of more rows, what holds sequences as text (audit, baselines) looks at ``SAMPLE_SIZE``.
MAX_WHOLE, SAMPLE_SIZE = 200_000, 50_000

ARRAYS = ("codes", "lengths", "labels", "names")


@dataclass(frozen=True, eq=False)
class MappedDataset(SequenceDataset):
    """A data set whose arrays lie in files; :func:`open_mapped` makes it.

    The values were checked when the files were written, so only shapes are checked again.

    Parameters
    ----------
    sha256
        Of all the files.
    folder
        Where they are.
    """

    sha256: str = ""
    folder: Path = Path()

    is_mapped: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_shapes(self)

    def with_known_sites(self, motif: str, strands: str) -> SequenceDataset:
        """Return the data as they are."""
        return self

    @property
    def sample_size(self) -> int:
        """How many rows `sample` returns."""
        return len(self) if len(self) <= MAX_WHOLE else SAMPLE_SIZE

    def sample(self, seed: int) -> SequenceDataset:
        """Return all data, or rows drawn at random, each class in its fraction."""
        if self.sample_size == len(self):
            return self
        # With the seed alone these would be the very rows that the split holds out.
        generator = np.random.default_rng((seed, SAMPLE_SIZE))
        return self.subset(draw(self.labels, np.arange(len(self)), SAMPLE_SIZE, generator))

    def data_sha256(self) -> str:
        """Return a fingerprint of the files and the split."""
        return self.fingerprint()

    def fingerprint(self) -> str:
        """Return a fingerprint of the files and the split."""
        # Known, so that the files are not mapped into memory as a whole.
        return self._digest(known=self.sha256)

    def provenance(self) -> dict[str, dict[str, str]]:
        """Return the folder and its sha256."""
        return {"mapped": {"folder": str(self.folder.resolve()), "sha256": self.sha256}}


def convert_streaming(
    source: Path | str | Iterable[Entry], folder: Path | str, *, overwrite: bool = False
) -> MappedDataset:
    """Write labelled sequences into a folder from which they can be mapped, whole or not at all.

    Parameters
    ----------
    source
        A table or a FASTA file (see :func:`motiflens.datasets.streaming.stream_entries`), or
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
        When the source breaks a rule of its kind, is empty, or names the parts of some sequences
        only; when the folder exists or cannot be made.
    """
    folder = Path(folder)
    replaces = overwrite and (folder / "dataset.json").is_file()
    if folder.exists() and not replaces:
        raise InputError(
            "the folder to write is a new one, or with --overwrite a mapped data set",
            got=str(folder),
            remedy="choose another name",
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
            "the output goes to an existing folder that can be written to",
            got=f"{folder}: {error.strerror}",
            remedy="make the folder or choose another path",
        ) from None
    return open_mapped(folder)


def _remove_left_behind(parent: Path, begun: str) -> None:
    """Remove what a conversion to the same name has left that was killed on this machine."""
    for path in parent.iterdir():
        number = path.name.removeprefix(begun)
        if path.name != number and number.isdecimal() and not _is_running(int(number)):
            shutil.rmtree(path)


def _is_running(process: int) -> bool:
    """Tell whether a process may be there; only POSIX has a signal that asks and does nothing."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def open_mapped(folder: Path | str) -> MappedDataset:
    """Open what :func:`convert_streaming` has written; every file is checked by its sha256.

    Raises
    ------
    InputError
        When there is no such folder, or a file in it is missing or changed.
    """
    folder = Path(folder)
    try:
        facts = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
        sha256 = dict[str, str](facts["sha256"])
        for name, expected in sha256.items():
            with (folder / f"{name}.npy").open("rb") as file:
                # Read, not mapped: pages read once would count as memory of this process.
                if hashlib.file_digest(file, "sha256").hexdigest() != expected:
                    raise ValueError(f"{name}.npy has changed")
        # Copy on write: PyTorch takes no read-only arrays, and nothing is ever written.
        arrays: dict[str, Any] = {
            name: np.load(folder / f"{name}.npy", mmap_mode="c") for name in sha256
        }
        return MappedDataset(**arrays, sha256="".join(sha256.values()), folder=folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            "a mapped data set is a folder as motiflens wrote it",
            got=f"{folder}: {error}",
            remedy="convert the data again",
        ) from None


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
            raise at(error, f"sequences {self.n + 1} to {self.n + len(chunk)}") from None
        if bool(self.splits) != named and self.n:
            raise InputError(
                "either all sequences or none name their part",
                got=f"both among the first {self.n + len(chunk)}",
                remedy="name the part of every sequence",
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
            raise InputError(
                "the data hold at least one sequence", got="none", remedy="check the source"
            )
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
    """Write one array chunk by chunk as a ``.npy`` file; give its sha256."""
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
    """Give the codes with padding, now that the greatest length is known."""
    width = max(int(lengths.max()) for lengths in spool.lengths)
    for lengths in spool.lengths:
        codes = np.full((len(lengths), width), PAD, dtype=np.uint8)
        content = spool.bases.read(int(lengths.sum()))
        codes[_inside(lengths, width)] = np.frombuffer(content, dtype=np.uint8)
        yield codes


def _named(spool: _Spool) -> Iterator[NDArray[np.str_]]:
    """Give the names; a sequence without one is called by its number."""
    digits = max(4, len(str(spool.n)))
    width = max(spool.longest_name, len("seq") + digits)
    number = 0
    for lengths in spool.lengths:
        names = [spool.names.readline().decode().removesuffix("\n") for _ in lengths]
        filled = [name or f"seq{number + i:0{digits}d}" for i, name in enumerate(names, start=1)]
        number += len(lengths)
        yield np.array(filled, dtype=f"U{width}")
