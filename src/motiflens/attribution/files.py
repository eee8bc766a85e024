"""Explanations read back from the files of a run."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from motiflens.attribution.base import Attributions
from motiflens.errors import InputError


def load(path: str | Path) -> tuple[Attributions, list[str]]:
    """Read what :meth:`Attributions.save` wrote; the method is the name of the file.

    Returns
    -------
    attributions, names

    Raises
    ------
    InputError
        If the file is missing or is no such file.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
        names = [str(name) for name in arrays["names"]]
        one_hot, contributions = arrays["one_hot"], arrays["contributions"]
    except (OSError, KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            "attributions are an .npz file with one_hot, contributions and names",
            got=f"{path.name}: {error}",
            remedy="give a file of the attributions/ folder of a run",
        ) from error
    optional = (arrays.get(name) for name in ("hypothetical", "convergence_delta"))
    return Attributions(path.stem, one_hot, contributions, *optional), names
