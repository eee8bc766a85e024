"""What is wrong with a data set before a model is trained on it."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from motiflens.auditing.bias import composition
from motiflens.auditing.constant import constant_stretches
from motiflens.auditing.leaks import count_both_labels, count_copies, count_found, count_sharing
from motiflens.auditing.trivial import trivial_scores
from motiflens.auditing.warnings import warnings_of
from motiflens.datasets import SequenceDataset
from motiflens.datasets.groups import canonical_sequences
from motiflens.errors import InputError

__all__ = ["audit"]


def audit(
    train: SequenceDataset,
    *,
    valid: SequenceDataset | None = None,
    test: SequenceDataset | None = None,
    strands: str | None = None,
) -> dict[str, Any]:
    """Look for copies, leaks, biases and labels that cannot be right.

    Parameters
    ----------
    train, valid, test
        The parts, as they are to be used; one that is None or empty is left out everywhere.
    strands
        Those that baselines read, ``forward`` or ``both``; None where the training part decides.

    Returns
    -------
    dict
        The content of ``audit.json``:

        - `lengths`: `min`, `max` and `mean` of the bases of all sequences;
        - `duplicates`: rows minus distinct sequences of each part, where a sequence and its
          reverse complement count as one;
        - `overlap`: for pairs as in "train-test", rows of the later part that are in the earlier,
          on either strand;
        - `shared_31mers`: for the same pairs, `positives` and `negatives` of the later part that
          have a word of 31 bases, on either strand, in common with the earlier part;
        - `constant`: of each part, see `constant.constant_stretches`;
        - `composition`: of each part, by class, see `bias.composition`;
        - `baselines`: scores of models without a neural net, see `baselines.BASELINES`, each fitted
          on all that comes before the part it is scored on; on the
          test part, or else on the validation part, or else on a quarter of train held out, which
          the last warning then says; empty where a class is missing;
        - `warnings`: what of it matters, in words.

    Raises
    ------
    InputError
        When there are no training sequences.
    """
    given = {"train": train, "valid": valid, "test": test}
    parts = {name: part for name, part in given.items() if part is not None and len(part)}
    if "train" not in parts:
        raise InputError(
            "an audit needs training sequences", got="none", remedy="give a data set with some"
        )
    sequences = {name: part.sequences() for name, part in parts.items()}
    pairs = {f"{first}-{later}": (first, later) for first, later in combinations(parts, 2)}
    either = {name: canonical_sequences(part) for name, part in parts.items()}
    lengths = np.concatenate([part.lengths for part in parts.values()])
    trivial = trivial_scores(parts, strands)
    found: dict[str, Any] = {
        "schema_version": 1,
        "lengths": {
            "min": int(lengths.min()),
            "max": int(lengths.max()),
            "mean": float(lengths.mean()),
        },
        "duplicates": {name: count_copies(either[name]) for name in parts},
        "overlap": {
            pair: count_found(either[first], either[later])
            for pair, (first, later) in pairs.items()
        },
        "shared_31mers": {
            pair: count_sharing(parts[first], parts[later])
            for pair, (first, later) in pairs.items()
        },
        "constant": {name: constant_stretches(part) for name, part in parts.items()},
        "composition": composition(parts, sequences),
        "baselines": trivial.scores,
    }
    labelled = [(either[name], part.labels) for name, part in parts.items()]
    found["warnings"] = warnings_of(found, count_both_labels(labelled), trivial)
    return found
