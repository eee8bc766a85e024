"""Data sets larger than memory: a folder of NumPy arrays that are mapped, not read.

``NAME.motiflens/`` holds ``codes.npy`` uint8 (N, L), ``lengths.npy`` int32, ``labels.npy`` float32,
``names.npy`` and, where known, ``split.npy``, each (N,); ``dataset.json`` holds the sha256 of each.
Any row is found at once, so training can take its rows in random order, and only the pages that
were touched are in memory, where the system can let go of them again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets.dataset import SequenceDataset
from motiflens.errors import InputError

#: Of more rows, what holds sequences as text (audit, baselines) looks at ``SAMPLE_SIZE``.
MAX_WHOLE, SAMPLE_SIZE = 200_000, 50_000


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
        self._check_shapes()

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
        return self.subset(draw(self.classes, np.arange(len(self)), SAMPLE_SIZE, generator))

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


def open_mapped(folder: Path | str) -> MappedDataset:
    """Open what :func:`motiflens.io.mapped.convert_streaming` wrote; each file is checked.

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
            f"{folder} is no mapped data set as motiflens wrote it: {error}",
            remedy="convert the data again",
        ) from None


def draw(
    labels: NDArray[np.float32], rows: NDArray[np.int64], n: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Draw n rows without replacement, each class in its fraction and at least once; sorted."""
    chosen = []
    positives = round(n * float(labels[rows].mean()))
    positives = min(max(positives, 1), n - 1)
    for label, count in ((1, positives), (0, n - positives)):
        of_class = rows[labels[rows] == label]
        chosen.append(generator.permutation(of_class)[:count])
    return np.sort(np.concatenate(chosen))
