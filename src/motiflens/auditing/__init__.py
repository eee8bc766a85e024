"""What is wrong with a data set before a model is trained on it."""

from __future__ import annotations

from itertools import combinations
from os import PathLike
from typing import Any

import numpy as np

from motiflens.auditing.baselines import MAX_GROUPED, score_baselines
from motiflens.auditing.bias import composition, constant_stretches
from motiflens.auditing.leaks import (
    count_both_labels,
    count_copies,
    count_found,
    count_related,
    count_sharing,
)
from motiflens.auditing.warnings import warnings_of
from motiflens.datasets import SPLITS, SequenceDataset
from motiflens.datasets.groups import canonical_sequences
from motiflens.errors import InputError
from motiflens.io.read import read

__all__ = ["audit"]


def audit(
    train: SequenceDataset | PathLike[str] | str,
    *,
    valid: SequenceDataset | PathLike[str] | str | None = None,
    test: SequenceDataset | PathLike[str] | str | None = None,
    strands: str | None = None,
) -> dict[str, Any]:
    """Look for copies, leaks, biases and labels that cannot be right.

    Parameters
    ----------
    train, valid, test
        The splits, as they are to be used; one that is None or empty is left out everywhere.
        Each a data set or a file. Alone, ``train`` may hold a split, whose splits are then taken.
    strands
        Those that baselines read, ``forward`` or ``both``; None where the training split decides.

    Returns
    -------
    dict
        The content of ``audit.json``; of labels that are numbers the highest tenth of each split
        are the positives, and no baselines are scored:

        - `lengths`: `min`, `max` and `mean` of the bases of all sequences;
        - `duplicates`: rows minus distinct sequences of each split, where a sequence and its
          reverse complement count as one;
        - `overlap`: for pairs as in "train-test", rows of the later split that are in the earlier,
          on either strand;
        - `shared_31mers`: for the same pairs, `positives` and `negatives` of the later split that
          share 31 bases with the earlier split, on either strand;
        - `constant`: of each split, see `bias.constant_stretches`;
        - `composition`: of each split, by class, see `bias.composition`;
        - `baselines`: scores of models without a neural net, see `baselines.BASELINES`, each fitted
          on all that comes before the split it is scored on; on the
          test split, or else on the validation split, or else on a quarter of train held out, which
          the last warning then says; empty where a class is missing;
        - `warnings`: what of it matters, in words.

    Raises
    ------
    InputError
        When there are no training sequences.
    """
    given = {
        name: data if data is None or isinstance(data, SequenceDataset) else read(data)
        for name, data in (("train", train), ("valid", valid), ("test", test))
    }
    whole = given["train"]
    if valid is None and test is None and whole is not None and whole.split is not None:
        given = {name: whole.part(name) for name in SPLITS}
    splits = {name: data for name, data in given.items() if data is not None and len(data)}
    if "train" not in splits:
        raise InputError("there are no sequences to audit", argument="train")
    regression = any(data.is_regression for data in splits.values())
    baselines = None if regression else score_baselines(splits, strands)
    splits = {name: data.in_classes() for name, data in splits.items()}
    sequences = {name: data.sequences() for name, data in splits.items()}
    pairs = {f"{first}-{later}": (first, later) for first, later in combinations(splits, 2)}
    either = {name: canonical_sequences(data) for name, data in splits.items()}
    lengths = np.concatenate([data.lengths for data in splits.values()])
    content: dict[str, Any] = {
        "schema_version": 1,
        "lengths": {
            "min": int(lengths.min()),
            "max": int(lengths.max()),
            "mean": float(lengths.mean()),
        },
        "duplicates": {name: count_copies(either[name]) for name in splits},
        "overlap": {
            pair: count_found(either[first], either[later])
            for pair, (first, later) in pairs.items()
        },
        "shared_31mers": {
            pair: count_sharing(splits[first], splits[later])
            for pair, (first, later) in pairs.items()
        },
        "constant": {name: constant_stretches(data) for name, data in splits.items()},
        "composition": composition(splits, sequences),
        "baselines": {} if baselines is None else baselines.scores,
    }
    labelled = [(either[name], data.labels) for name, data in splits.items()]
    unsplit = len(splits) == 1 and len(splits["train"]) <= MAX_GROUPED
    n_related = count_related(splits["train"]) if unsplit else 0
    n_both_labels = 0 if regression else count_both_labels(labelled)
    content["warnings"] = warnings_of(content, n_both_labels, n_related, baselines)
    return content
