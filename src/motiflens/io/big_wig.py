"""bigWig files: values along a genome, for browsers and for other programs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
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
    path, seen = Path(path), False

    def noted() -> Iterable[Value]:
        nonlocal seen
        for value in values:
            seen = True
            yield value

    try:
        # The library writes to a path alone.
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            aside = Path(folder) / "track.bw"
            pybigtools.open(str(aside), "w").write(dict(sizes), noted())
            if not seen:
                raise InputError(
                    f"there is no value to write into {path}", remedy="check what it is made of"
                )
            os.replace(aside, path)
    except PermissionError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}", remedy="choose another path"
        ) from None
