"""Explanations as arrays that TF-MoDISco reads as they are."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from motiflens.attribution.base import Attributions, Floats
from motiflens.errors import InputError
from motiflens.files import write_whole

#: Columns on either side: modisco takes no seqlet near an end, and of 50 bases nearly none.
PADDING = 40


def padded_for_modisco(found: Attributions) -> tuple[Floats, Floats]:
    """Give sequences and hypothetical contributions with ``PADDING`` columns on either side.

    These columns, and those of N and padding, contribute nothing and hold a quarter of each base.
    Of columns of zeros modisco makes NaN where it looks for the most informative ones, takes them,
    and then merges motifs without end.

    Parameters
    ----------
    found
        An explanation with ``hypothetical``.

    Returns
    -------
    one_hot, hypothetical
        float32 (N, 4, L + 80).

    Raises
    ------
    InputError
        If the method has no hypothetical contributions.
    """
    if found.hypothetical is None:
        raise InputError(
            "modisco reads hypothetical contributions",
            got=f"the method {found.method}, which has none",
            remedy="explain by deeplift_shap, ism or a method of gradients",
        )
    beside = ((0, 0), (0, 0), (PADDING, PADDING))
    one_hot = np.pad(found.one_hot, beside)
    one_hot += 0.25 * ~one_hot.any(axis=1, keepdims=True)
    return one_hot, np.pad(found.hypothetical, beside)


def save_for_modisco(found: Attributions, folder: str | Path) -> tuple[Path, Path]:
    """Write the sequences and the hypothetical contributions for ``modisco motifs``.

    The command is ``modisco motifs -s FOLDER/one_hot.npz -a FOLDER/METHOD.npz -n 2000 -w WIDTH
    -o OUT.h5``, with the length of the sequences and 80 for WIDTH, or less for its middle.

    Parameters
    ----------
    found
        An explanation with ``hypothetical``.
    folder
        An existing folder.

    Returns
    -------
    one_hot, hypothetical
        The files written: float32 (N, 4, L + 80) as ``arr_0``, 40 columns without a base on either
        side.

    Raises
    ------
    InputError
        If the method has no hypothetical contributions, or a file cannot be written.
    """
    paths = (Path(folder) / "one_hot.npz", Path(folder) / f"{found.method}.npz")
    for path, array in zip(paths, padded_for_modisco(found), strict=True):
        _save(path, array)
    return paths


def _save(path: Path, array: Floats) -> None:
    stream = io.BytesIO()
    np.savez_compressed(stream, array)
    write_whole(path, stream.getvalue())
