"""Labelled sequences, their split into parts, and their true sites."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motiflens.datasets.checks import check_codes, check_names, check_sites, check_values
from motiflens.datasets.labels import (
    CLASSIFICATION,
    REGRESSION,
    check_labels,
    in_single_precision,
    two_classes,
)
from motiflens.datasets.loci import Loci
from motiflens.datasets.sites import sites_of_motif
from motiflens.errors import InputError, one_of
from motiflens.sequences import (
    Codes,
    Lengths,
    Site,
    decode,
    encode,
    format_sites,
    one_hot,
)

SPLITS = ("train", "valid", "test")
#: Sequences and bases that a notebook shows.
MAX_SHOWN, MAX_SHOWN_BASES = 5, 200


@dataclass(frozen=True, eq=False, repr=False)
class SequenceDataset:
    """N sequences of at most L bases with their labels.

    Parameters
    ----------
    codes
        uint8 (N, L): A C G T are 0 to 3; 4 is N, and the padding on the right.
    lengths
        int32 (N,), each from 1 to L.
    labels
        float32 (N,), 0 or 1; or, of a regression, numbers of any unit.
    names
        (N,) strings without control characters; they need not differ.
    split
        (N,) of train, valid, test; None before the data are split.
    sites
        The true sites of each sequence; None when the truth is unknown.
    coordinates
        Where the sequences lie in a genome; None when that is unknown.
    groups
        int64 (N,): rows of one number belong together in every split, as a shuffle and the
        sequence that it is made of, and after a split by homology all related sequences; -1 for
        a row that stands alone. None where all do.
    task
        ``"classification"`` by labels 0 and 1, or ``"regression"``; None where the labels decide:
        it is a regression if there are three of them or more, not all whole or more than 20.
    folds
        int64 (N,): the fold of each row in cross-validation, from 1; 0 for a row in none.

    Raises
    ------
    InputError
        When one of these does not hold.
    """

    codes: Codes
    lengths: Lengths
    labels: NDArray[np.float32]
    names: NDArray[np.str_]
    split: NDArray[np.str_] | None = None
    sites: tuple[tuple[Site, ...], ...] | None = None
    coordinates: Loci | None = None
    groups: NDArray[np.int64] | None = None
    task: str | None = None
    folds: NDArray[np.int64] | None = None

    #: Whether the arrays lie in files of their own, so that a run keeps no copy of them.
    is_mapped: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self._check_shapes()
        check_codes(self.codes, self.lengths)
        object.__setattr__(self, "task", check_labels(self.labels, self.task))
        if self.split is not None:
            check_values("split", self.split, SPLITS)
        check_names(self.names)
        check_sites(self.sites or (), self.names, self.lengths)

    def _check_shapes(self) -> None:
        """Raise an InputError unless every part has an entry for every sequence."""
        if np.ndim(self.labels) > 1:
            problem = f"labels {np.shape(self.labels)} have several columns"
            raise InputError(problem, remedy="one is learnt at a time: give labels (N,)")
        n = len(self.codes)
        sizes = {
            "lengths": np.shape(self.lengths),
            "labels": np.shape(self.labels),
            "names": np.shape(self.names),
            "split": (n,) if self.split is None else np.shape(self.split),
            "sites": (n,) if self.sites is None else (len(self.sites),),
            "coordinates": (n,) if self.coordinates is None else (len(self.coordinates),),
            "groups": (n,) if self.groups is None else np.shape(self.groups),
            "folds": (n,) if self.folds is None else np.shape(self.folds),
        }
        wrong = [f"{what} {size}" for what, size in sizes.items() if size != (n,)]
        if self.codes.ndim != 2 or self.codes.dtype != np.uint8 or wrong:
            raise InputError(
                f"codes {self.codes.dtype} {self.codes.shape} do not go with {', '.join(wrong)}",
                remedy="give uint8 codes (N, L), and as many entries of all else as sequences",
            )

    @classmethod
    def from_sequences(
        cls,
        sequences: Sequence[str],
        labels: ArrayLike,
        *,
        names: Sequence[str] | None = None,
        split: Sequence[str] | None = None,
        sites: Iterable[Iterable[Site]] | None = None,
        coordinates: Loci | None = None,
        task: str | None = None,
    ) -> SequenceDataset:
        """Make a data set of strings; without names they are called ``seq0001`` and so on."""
        codes, lengths = encode(sequences)
        return cls(
            codes,
            lengths,
            in_single_precision(labels),
            default_names(len(sequences)) if names is None else np.array(names, dtype=np.str_),
            None if split is None else np.array(split, dtype=np.str_),
            None if sites is None else tuple(tuple(row) for row in sites),
            coordinates,
            task=task,
        )

    def __len__(self) -> int:
        return len(self.codes)

    def __repr__(self) -> str:
        labels = "regression"
        if not self.is_regression:
            labels = f"{int((self.labels == 1).sum()):,} positives"
        split = "" if self.split is None else ", split"
        size = f"{len(self):,} × {self.codes.shape[1]:,} bp"
        return f"{type(self).__name__}({size}, {labels}{split})"

    @property
    def is_regression(self) -> bool:
        """Whether labels are numbers to predict, and not two classes."""
        return self.task == REGRESSION

    @property
    def classes(self) -> NDArray[np.float32]:
        """1 for positives and 0 for negatives (N,), as :meth:`in_classes` has them."""
        return two_classes(self.labels, self.split) if self.is_regression else self.labels

    def in_classes(self) -> SequenceDataset:
        """Return the data in two classes: as they are, or of a regression by `two_classes`."""
        if not self.is_regression:
            return self
        return replace(self, labels=self.classes, task=CLASSIFICATION)

    def _repr_html_(self) -> str:
        """Show counts and the first sequences in a notebook, true sites marked."""
        rows = [
            "<tr>"
            + "".join(f"<td>{escape(str(value))}</td>" for value in (self.names[row], label))
            + f"<td><code>{self._marked(row)}</code></td></tr>"
            for row, label in enumerate(self.written_labels()[:MAX_SHOWN])
        ]
        head = "<tr><th>name</th><th>label</th><th>sequence</th></tr>"
        counts = (
            [f"{name} {(self.split == name).sum():,}" for name in SPLITS]
            if self.split is not None
            else []
        )
        return (
            f"<p><code>{escape(repr(self))}</code> {', '.join(counts)}</p>"
            f"<div style='overflow-x:auto'><table>{head}{''.join(rows)}</table></div>"
        )

    def written_labels(self) -> list[int] | list[float]:
        """Return labels as files have them: whole numbers of classes."""
        return (self.labels if self.is_regression else self.labels.astype(int)).tolist()

    def _marked(self, row: int) -> str:
        """Write the letters of a row, those of its true sites in colour."""
        (text,) = decode(self.codes[row : row + 1], self.lengths[row : row + 1])
        letters = list(text[:MAX_SHOWN_BASES])
        for site in self.sites[row] if self.sites is not None else ():
            for index in range(site.start, min(site.end, len(letters))):
                letters[index] = f"<mark>{text[index]}</mark>"
        return "".join(letters) + ("…" if len(text) > MAX_SHOWN_BASES else "")

    def sequences(self) -> list[str]:
        """Give the sequences as upper-case strings."""
        return decode(self.codes, self.lengths)

    def one_hot(self, index: ArrayLike | None = None) -> NDArray[np.float32]:
        """Give float32 (N, 4, L), or (len(index), 4, L) of the rows asked for."""
        return one_hot(self.codes if index is None else self.codes[np.asarray(index)])

    def subset(self, index: ArrayLike) -> SequenceDataset:
        """Give the rows of an index array or of a mask (N,), in that order."""
        chosen = np.asarray(index)
        # An empty list would come as floats.
        rows = np.arange(len(self))[chosen if chosen.size else chosen.astype(np.intp)]
        return SequenceDataset(
            self.codes[rows],
            self.lengths[rows],
            self.labels[rows],
            self.names[rows],
            None if self.split is None else self.split[rows],
            None if self.sites is None else tuple(self.sites[row] for row in rows),
            None if self.coordinates is None else self.coordinates.subset(rows),
            None if self.groups is None else self.groups[rows],
            self.task,
            None if self.folds is None else self.folds[rows],
        )

    def part(self, split_name: str) -> SequenceDataset:
        """Give the rows of one part, which may be none.

        Raises
        ------
        InputError
            When the data are not split, or there is no part of that name.
        """
        if self.split is None or split_name not in SPLITS:
            if self.split is None:
                raise InputError("the data are without a split", remedy="split them first")
            one_of("a split", split_name, SPLITS)
        return self.subset(self.split == split_name)

    def positives(self, split_name: str | None = None) -> SequenceDataset:
        """Return the rows of label 1, of one split or of all data."""
        return self._of_label(1, split_name)

    def negatives(self, split_name: str | None = None) -> SequenceDataset:
        """Return the rows of label 0, of one split or of all data."""
        return self._of_label(0, split_name)

    def _of_label(self, label: int, split_name: str | None) -> SequenceDataset:
        chosen = self if split_name is None else self.part(split_name)
        return chosen.subset(np.asarray(chosen.labels) == label)

    def with_split(self, split: ArrayLike | None) -> SequenceDataset:
        """Return the same data with another split (N,)."""
        return replace(self, split=None if split is None else np.array(split, dtype=np.str_))

    def split_numbers(self) -> NDArray[np.uint8]:
        """Return the split of each row as its index in `SPLITS`, (N,)."""
        assert self.split is not None
        numbers = np.zeros(len(self), dtype=np.uint8)
        for number, name in enumerate(SPLITS):
            numbers[self.split == name] = number
        return numbers

    def with_sites(self, sites: Iterable[Iterable[Site]] | None) -> SequenceDataset:
        """Return the same data with other true sites, one collection a sequence."""
        return replace(self, sites=None if sites is None else tuple(tuple(row) for row in sites))

    def with_known_sites(self, motif: str, strands: str) -> SequenceDataset:
        """Return the data with the matches of a motif as true sites, unless it has sites.

        A mapped data set comes as it is: the sites of what is explained are marked later.
        """
        return self if self.sites is not None else mark_sites(self, motif, strands)

    @property
    def sample_size(self) -> int:
        """How many rows `sample` returns."""
        return len(self)

    def sample(self, seed: int) -> SequenceDataset:
        """Return what fits into memory as text: all data; a sample of a large mapped data set."""
        return self

    def data_sha256(self) -> str:
        """Return a fingerprint of sequences, labels, split and sites; of no names or coordinates.

        That of a mapped data set is made of its files and its split.
        """
        rows: list[list[Any]] = [self.sequences(), self.written_labels()]
        header = ["sequence", "label"]
        if self.split is not None:
            header.append("split")
            rows.append(self.split.tolist())
        if self.sites is not None:
            header.append("sites")
            rows.append([format_sites(row) for row in self.sites])
        text = io.StringIO()
        writer = csv.writer(text, delimiter="\t", lineterminator="\n")
        writer.writerow(header)
        writer.writerows(zip(*rows, strict=True))
        return hashlib.sha256(text.getvalue().encode()).hexdigest()

    def fingerprint(self) -> str:
        """Return the sha256 of all that training looks at."""
        return self._digest(self.codes, self.lengths, self.labels)

    def _digest(self, *arrays: NDArray[Any], known: str = "") -> str:
        digest = hashlib.sha256(str(self.codes.shape).encode())
        digest.update(known.encode())
        for values in (*arrays, self.split, self.folds):
            if values is not None:
                digest.update(np.ascontiguousarray(values).view(np.uint8).data)
        return digest.hexdigest()

    def provenance(self) -> dict[str, dict[str, str]]:
        """Return where a run finds the data again that keeps no copy of them."""
        return {}


def default_names(n: int, prefix: str = "seq") -> NDArray[np.str_]:
    """Name n sequences ``seq0001``, ``seq0002``, … with as many digits as the last one needs."""
    digits = max(4, len(str(n)))
    return np.array([f"{prefix}{number:0{digits}d}" for number in range(1, n + 1)], dtype=np.str_)


def mark_sites(dataset: SequenceDataset, motif: str, strands: str = "forward") -> SequenceDataset:
    """Return data whose true sites are the matches of a motif in positives; see `sites_of_motif`.

    Of a regression, in all sequences. Sites that were there before are replaced.
    """
    searched = np.ones_like(dataset.labels) if dataset.is_regression else dataset.labels
    return dataset.with_sites(sites_of_motif(dataset.codes, searched, motif, strands))
