"""What every attribution gives, and its file."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motiflens.datasets import default_names
from motiflens.errors import InputError
from motiflens.files import write_whole
from motiflens.plots import logo

Floats = NDArray[np.float32]

#: Arrays that a file holds where the explanation has them.
OPTIONAL = ("hypothetical", "convergence_delta", "difference")
#: Sequences and bases that a notebook shows.
MAX_SHOWN, MAX_SHOWN_BASES = 3, 200

#: Methods that compare with shuffled references; their contributions are not
#: ``hypothetical × one_hot``.
AGAINST_REFERENCES = ("expected_gradients", "deeplift_shap")


@dataclass(frozen=True)
class Checks:
    """What an explanation was tested for; None where a test does not apply.

    Parameters
    ----------
    completeness
        The fraction of the logits' differences that the contributions miss, over all sequences.
    strands
        Of a model that scores both strands alike: the largest difference between a sample and the
        same on the other strand, as a fraction of the largest value.
    precision
        The largest difference between a sample and the same in float64, likewise.
    completeness_note
        What the completeness means, where it misses more than 1 %.
    """

    completeness: float | None
    strands: float | None
    precision: float | None
    completeness_note: str | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Attributions:
    """One explanation of N sequences; zero columns of the input (N, padding) get 0 everywhere.

    Parameters
    ----------
    method
        A key of ``motiflens.attribution.METHODS``.
    one_hot
        The explained sequences, float32 (N, 4, L).
    contributions
        The part of the explanation that belongs to the observed bases, (N, 4, L); 0 elsewhere.
        Of the methods with references (``AGAINST_REFERENCES``) they are the mean of m · (x − r)
        at the observed base, and add up to the difference of the logits.
    hypothetical
        What each of the four bases would contribute, (N, 4, L), or None where the method has
        no such thing. Of the methods with references it is m_b − Σ_c m_c r_c, less its mean over
        the bases where gradients are corrected: for motif finders.
    convergence_delta
        (N,): what the contributions add up to minus the difference of the logits that they
        explain; None where the method promises no such sum.
    difference
        (N,): that difference.
    points
        Of ``integrated_gradients``: the fractions of the path at which gradients were taken;
        a file does not keep them.
    checks
        What the explanation was tested for.
    names
        Of the sequences, where they have any.
    """

    method: str
    one_hot: Floats
    contributions: Floats
    hypothetical: Floats | None = None
    convergence_delta: Floats | None = None
    difference: Floats | None = None
    points: tuple[NDArray[np.float64], ...] | None = None
    checks: Checks | None = None
    names: tuple[str, ...] | None = None

    @property
    def track(self) -> Floats:
        """Contributions summed over the four bases, (N, L)."""
        return self.contributions.sum(axis=1)

    def for_motifs(self) -> Attributions:
        """Return the explanation as motif finders read it: contributions = hypothetical × one-hot.

        Only that of a method with references differs from itself: it gets the correction of
        gradients in its contributions too, and no longer adds up to a difference of logits.
        """
        if self.method not in AGAINST_REFERENCES or self.hypothetical is None:
            return self
        corrected = self.hypothetical * self.one_hot
        return replace(self, contributions=corrected, convergence_delta=None, difference=None)

    def __repr__(self) -> str:
        n, _, length = self.one_hot.shape
        return f"Attributions(method={self.method!r}, {n:,} × {length:,} bp)"

    def _repr_html_(self) -> str:
        """Show the first sequences in a notebook, the letters as high as their contributions."""
        names = self.names or tuple(default_names(len(self.one_hot)).tolist())
        logos = [
            f"<figure><figcaption>{escape(name)}</figcaption>"
            f"{logo(values[:, :MAX_SHOWN_BASES], kind='contribution', title=name)}</figure>"
            for name, values in zip(names[:MAX_SHOWN], self.contributions, strict=False)
        ]
        shown = f", the first {MAX_SHOWN} shown" if len(names) > MAX_SHOWN else ""
        cut = f", bases 1–{MAX_SHOWN_BASES}" if self.one_hot.shape[2] > MAX_SHOWN_BASES else ""
        head = f"<p><code>{escape(repr(self))}</code>{shown}{cut}</p>"
        return f"<div style='overflow-x:auto'>{head}{''.join(logos)}</div>"

    def save(self, path: str | Path, names: Sequence[str] | None = None) -> None:
        """Write an ``.npz`` file; it appears whole or not at all, the same bytes every time.

        Parameters
        ----------
        path
            The file.
        names
            Of the sequences, where the explanation has none of its own.

        Raises
        ------
        InputError
            If there is not one name for each sequence, or the file cannot be written.
        """
        names = names or self.names or default_names(len(self.one_hot)).tolist()
        if len(names) != len(self.one_hot):
            raise InputError(
                f"{len(names)} names were given for {len(self.one_hot)} sequences",
                remedy="pass the names of the explained sequences",
                argument="names",
            )
        if any("\0" in name for name in names):  # numpy would drop it at the end of a string
            raise InputError("a name holds a zero character", remedy="rename the sequence")
        checks = None if self.checks is None else asdict(self.checks)
        about = json.dumps({"method": self.method, "checks": checks})
        arrays: dict[str, NDArray[Any]] = {
            "about": np.array(about),
            "names": np.array(names, dtype=np.str_),
            "one_hot": self.one_hot,
            "contributions": self.contributions,
        }
        for name in OPTIONAL:
            if (array := getattr(self, name)) is not None:
                arrays[name] = array
        stream = io.BytesIO()
        np.savez_compressed(stream, allow_pickle=False, **arrays)
        write_whole(path, stream.getvalue())

    @staticmethod
    def load(path: str | Path) -> Attributions:
        """Read what :meth:`save` wrote; a file of before 0.3 is named by its method.

        Raises
        ------
        InputError
            If the file is missing or is no such file.
        """
        path = Path(path)
        try:
            # numpy leaves a file that it opened itself open where the archive is damaged.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = {key: stored[key] for key in stored.files}
            about = json.loads(arrays["about"].item()) if "about" in arrays else {}
            checks = about.get("checks")
            return Attributions(
                about.get("method", path.stem),
                arrays["one_hot"],
                arrays["contributions"],
                names=tuple(arrays["names"].tolist()),
                checks=None if checks is None else Checks(**checks),
                **{name: arrays.get(name) for name in OPTIONAL},
            )
        except (
            *(OSError, KeyError, TypeError, ValueError, AttributeError),
            *(EOFError, zipfile.BadZipFile),
        ) as error:
            raise InputError(
                f"{path.name} is no file of attributions: {error}",
                remedy="give an .npz file that Attributions.save wrote",
                argument="path",
            ) from error
