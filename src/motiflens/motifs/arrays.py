"""Motifs with contributions, as arrays in one ``.npz`` file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motiflens.errors import InputError
from motiflens.files import read_bytes, write_whole
from motiflens.motifs.motif import Matrix, Motif

_OPTIONAL = ("cwm", "hypothetical_cwm")


@dataclass(frozen=True, eq=False)
class MotifArrays:
    """A motif and what its bases contribute.

    Parameters
    ----------
    motif
        Its name and its PPM (4, W).
    cwm
        Mean contributions of the observed bases, (4, W); None where there are none.
    hypothetical_cwm
        Mean hypothetical contributions, (4, W); None where there are none.

    Raises
    ------
    InputError
        When the matrices differ in shape or hold what is not finite.
    """

    motif: Motif
    cwm: Matrix | None = None
    hypothetical_cwm: Matrix | None = None

    def __post_init__(self) -> None:
        for key in _OPTIONAL:
            matrix = getattr(self, key)
            if matrix is None:
                continue
            matrix = np.asarray(matrix, dtype=np.float64)
            if matrix.shape != self.motif.ppm.shape or not np.isfinite(matrix).all():
                raise InputError(
                    f"a {key} holds finite numbers and has the shape of the PPM, "
                    f"{self.motif.ppm.shape}",
                    got=f"shape {matrix.shape} for {self.motif.name}",
                    remedy="correct the matrix",
                )
            object.__setattr__(self, key, matrix)


def write_motif_arrays(motifs: Sequence[MotifArrays], path: Path | str) -> None:
    """Write motifs as ``.npz``: exact, whole or not at all, equal motifs as equal bytes.

    The arrays are ``names``, ``alt_names`` and ``n_sites``, one entry a motif, and for motif i
    ``i/ppm`` and, where it has them, ``i/cwm`` and ``i/hypothetical_cwm``, float64 (4, W).

    Raises
    ------
    InputError
        When the file cannot be written.
    """
    arrays = {
        "names": np.array([one.motif.name for one in motifs], dtype=np.str_),
        "alt_names": np.array([one.motif.alt_name for one in motifs], dtype=np.str_),
        "n_sites": np.array([one.motif.n_sites for one in motifs], dtype=np.int64),
    }
    for index, one in enumerate(motifs):
        matrices = {"ppm": one.motif.ppm, **{key: getattr(one, key) for key in _OPTIONAL}}
        arrays |= {f"{index}/{key}": m for key, m in matrices.items() if m is not None}
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    write_whole(path, stream.getvalue())


def is_arrays(path: Path | str) -> bool:
    """Tell by its name whether a file holds motifs as arrays."""
    return Path(path).suffix.lower() == ".npz"


def read_motif_arrays(path: Path | str) -> list[MotifArrays]:
    """Read what `write_motif_arrays` wrote.

    Raises
    ------
    InputError
        When the file is missing, damaged or holds something else.
    """
    try:
        with np.load(io.BytesIO(read_bytes(path)), allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
        columns = (arrays[key].tolist() for key in ("names", "alt_names", "n_sites"))
        return [
            MotifArrays(
                Motif(str(name), arrays[f"{index}/ppm"], int(n_sites), str(alt_name)),
                *(arrays.get(f"{index}/{key}") for key in _OPTIONAL),
            )
            for index, (name, alt_name, n_sites) in enumerate(zip(*columns, strict=True))
        ]
    except InputError:
        raise
    except Exception as error:  # a damaged archive may fail anywhere in the decoder
        raise InputError(
            "motif arrays are an .npz file with names, alt_names, n_sites and matrices",
            got=f"{path}: {error}",
            remedy="give a file that motiflens wrote",
        ) from None
