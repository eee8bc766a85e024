"""bigWig files: values along a genome, for browsers and for other programs."""

from __future__ import annotations

import errno
import itertools
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pybigtools

from motiflens.errors import InputError

#: Contig, start and end (0-based, half-open), value.
Value = tuple[str, int, int, float]


def write_values(path: Path | str, sizes: Mapping[str, int], values: Iterable[Value]) -> None:
    """Write values as bigWig; the file appears whole or not at all, and equal values equal bytes.

    Parameters
    ----------
    path
        File to write.
    sizes
        Of the contigs in bases. The file names those that have a value.
    values
        Contig after contig, in order of their starts, without overlaps.

    Raises
    ------
    InputError
        If there is no value, which the format cannot hold, or the folder cannot be written to.
    """
    path, failed = Path(path), None

    def noted() -> Iterator[Value]:
        # The library prints an error of the iterator, and ends the file there.
        nonlocal failed
        try:
            yield from itertools.chain(first, remaining)
        except BaseException as error:
            failed = error

    with _folder_beside(path) as folder:
        # The library prints a line of its own about none.
        remaining = iter(values)
        first = list(itertools.islice(remaining, 1))
        if not first:
            raise InputError(
                f"there is no value to write into {path}", remedy="check what it is made of"
            )
        # The library writes to a path alone.
        aside = Path(folder) / "track.bw"
        try:
            pybigtools.open(str(aside), "w").write(dict(sizes), noted())
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise
            # So it ends where the disk is full.
            raise OSError(errno.EIO, "the bigWig cannot be written whole", str(path)) from None
        if failed is not None:
            raise failed
        os.replace(aside, path)


def _folder_beside(path: Path) -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}",
            remedy="make its folder, or choose another path",
        ) from None
