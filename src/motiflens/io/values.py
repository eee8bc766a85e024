"""Values read from a file, so that the error for a wrong one tells where it is."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np

from motiflens.datasets import (
    CLASSIFICATION,
    MAX_CLASSES,
    REGRESSION,
    SPLITS,
    are_measurements,
)
from motiflens.errors import InputError

T = TypeVar("T")

MAX_WORDS = 2
"""So many different words may stand for numbers that are not known, such as NA."""

_SPLIT_NAMES = {"training": "train", "testing": "test"}
_SPLIT_NAMES |= dict.fromkeys(("validation", "val", "dev", "development"), "valid")
_LABELS = {"0": 0.0, "0.0": 0.0, "false": 0.0, "1": 1.0, "1.0": 1.0, "true": 1.0}
_NEGATIVE_WORD = re.compile("un|no|neg|nein|false|back|control|0|-")
_POSITION = re.compile(r"[0-9]{1,12}")
_SEQUENCE = re.compile(r"[ACGTUNacgtun]*")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_PROTEIN_ONLY, _DNA = set("EFILPQ"), set("ACGTUN")
MIN_PROTEIN = 10
"""Fewer letters may be anything."""


def at(error: InputError, where: str) -> InputError:
    """Return the same error with a place, such as ``"in line 3 of x.csv"``."""
    place = f"{error.where} {where}".strip()
    return InputError(error.problem, place, error.remedy, error.arguments)


def convert_each(
    texts: Iterable[str], convert: Callable[[str], T], where: Callable[[int], str]
) -> list[T]:
    """Convert texts one by one; an InputError is raised with the place of the text, by its index.

    Raises
    ------
    InputError
        That of ``convert``, with the place.
    """
    values: list[T] = []
    try:
        values.extend(convert(text) for text in texts)
    except InputError as error:
        raise at(error, where(len(values))) from None
    return values


def parse_sequence(text: str) -> str:
    """Strip blanks off a sequence of one or more letters ACGTN, in any case; U becomes T.

    Raises
    ------
    InputError
        For none, for protein and for other letters, with the position counted from 1 in the text
        as it came.
    """
    sequence = text.strip()
    match = _SEQUENCE.match(sequence)
    end = match.end() if match else 0
    if sequence and end == len(sequence):
        if "U" in sequence or "u" in sequence:
            return sequence.replace("U", "T").replace("u", "t")
        return sequence
    if not sequence:
        raise InputError("there is no sequence", remedy="fill it in, or delete the row")
    refuse_protein(sequence)
    position = text.find(sequence) + end + 1
    raise InputError(
        f"{sequence[end]!r} at position {position} is not A, C, G, T or N",
        remedy="replace the letter by N, or drop the sequence",
    )


def refuse_protein(sequence: str, where: str = "") -> None:
    """Raise an InputError for a sequence of amino acids."""
    letters = sequence.upper()
    if (
        len(letters) >= MIN_PROTEIN
        and letters.replace("*", "").isalpha()
        and not _PROTEIN_ONLY.isdisjoint(letters)
        and sum(letter not in _DNA for letter in letters) > len(letters) / 4
    ):
        raise InputError(
            f"{sequence[:20]!r} looks like protein, not DNA,",
            where,
            "give the nucleotide sequences",
        )


def parse_label(text: str, positive: str | None = None) -> float:
    """Read a label: 0 or 1, also 0.0 and 1.0, false and true; or whether it is a word.

    Raises
    ------
    InputError
        For none, and without a word for anything else.
    """
    word = text.strip()
    if positive is not None and word:
        return float(word == positive)
    label = _LABELS.get(_plain(word))
    if label is None:
        what = f"the label {text!r} is neither 0 nor 1" if word else f"the label is {text!r}"
        raise InputError(what, remedy="correct the row, or delete it")
    return label


def parse_number(text: str) -> float:
    """Read a label of a regression.

    Raises
    ------
    InputError
        For what is no number.
    """
    word = text.strip()
    number = float(word) if _NUMBER.fullmatch(word) else math.inf
    if math.isinf(number):
        what = f"the label {text!r} is no number" if word else f"the label is {text!r}"
        raise InputError(what, remedy="correct the row, or delete it")
    return number


def find_task(
    texts: Iterable[str], path: object, positive: str | None = None, task: str | None = None
) -> str:
    """Return what the labels of a file are for: ``classification`` or ``regression``.

    Parameters
    ----------
    texts, path, positive
        As of `explain_labels`.
    task
        What the user says; None where the labels decide, as in :class:`SequenceDataset`.

    Raises
    ------
    InputError
        As `explain_labels` for classes, and for a regression with a positive word.
    """
    words = Counter(text.strip() for text in texts)
    if task == REGRESSION and positive is not None:
        raise InputError(
            f"there is positive={positive} and task={REGRESSION}",
            remedy="leave one of them out",
            argument=("positive", "task"),
        )
    if task == REGRESSION or (task is None and positive is None and _measured(words)):
        return REGRESSION
    explain_labels(words.elements(), path, positive)
    return CLASSIFICATION


def _measured(words: Iterable[str]) -> bool:
    """Return whether different labels are measurements, but for one or two that are missing."""
    numbers, others = [], 0
    for word in words:
        if _NUMBER.fullmatch(word):
            numbers.append(float(word))
        else:
            others += 1
    return others <= MAX_WORDS and are_measurements(np.array(numbers))


def _plain(word: str) -> str:
    """Write a label as keyboards do elsewhere: full-width digits as digits, small letters."""
    return unicodedata.normalize("NFKC", word).lower()


def explain_labels(texts: Iterable[str], path: object, positive: str | None = None) -> None:
    """Raise an InputError that fits all labels of a file, where their kind is not 0 and 1.

    Parameters
    ----------
    texts
        All labels.
    path
        Where they are.
    positive
        The word that was named as the positive label.

    Raises
    ------
    InputError
        For two words, measurements, several classes, and a positive word that does not occur.
    """
    counts = Counter(text.strip() for text in texts)
    words = list(counts)
    told = ", ".join(f"{word!r} ({counts[word]} rows)" for word in words[:5])
    told += f" and {len(words) - 5} more" if len(words) > 5 else ""
    if positive is not None:
        if positive in counts or not words:
            return
        raise InputError(
            f"no label is {positive!r}", f"in {path}", f"its labels are {told}", "positive"
        )
    if "" in counts or all(_plain(word) in _LABELS for word in words):
        return
    is_number = [_NUMBER.fullmatch(word) is not None for word in words]
    known = any(_plain(word) in _LABELS for word in words)
    if len(words) == 2 and (all(is_number) or not known):
        # Where both words or none look negative, which is the positive one is not guessed.
        others = [word for word in words if not _NEGATIVE_WORD.match(word.lower())]
        example = f'positive="{others[0]}"' if len(others) == 1 else "positive=WORD"
        raise InputError(
            f"the labels are {told}, not 0 and 1",
            f"in {path}",
            f"name the one that is 1, such as {example}",
            "positive",
        )
    if 3 <= len(words) <= MAX_CLASSES and not any(is_number) and not known:
        raise InputError(
            f"the labels are {len(words)} words, {told},",
            f"in {path}",
            "more than two classes are not supported; set one against the rest by positive=WORD",
            "positive",
        )
    if len(words) < 3 or not all(is_number):
        return
    values = sorted(float(word) for word in words)
    if are_measurements(np.array(values)):
        raise InputError(
            f"the labels are measurements, from {values[0]:g} to {values[-1]:g},",
            f"in {path}",
            "make them 0 and 1 by a threshold, or predict them, from a table, by task=regression",
            "task",
        )
    raise InputError(
        f"the labels are {len(values)} classes, {', '.join(f'{value:g}' for value in values)},",
        f"in {path}",
        "more than two classes are not supported; keep two, set one against the rest, such as "
        f'positive="{words[-1]}", or predict them as numbers by task=regression',
        ("positive", "task"),
    )


def parse_split(text: str) -> str:
    """Read the name of a split, in any case: train, valid and test, or what these mean.

    Raises
    ------
    InputError
        For anything else; the nearest name is offered.
    """
    name = text.strip().lower()
    split = _SPLIT_NAMES.get(name, name)
    if split not in SPLITS:
        near = difflib.get_close_matches(name, [*SPLITS, *_SPLIT_NAMES], n=1)
        meant = f"did you mean {_SPLIT_NAMES.get(near[0], near[0])}?" if near else ""
        told = f"the split {text!r} is not {', '.join(SPLITS[:2])} or {SPLITS[2]}"
        raise InputError(told, remedy=meant or "correct the row, or delete it")
    return split


def parse_position(text: str) -> int:
    """Read a position in a genome: a whole number from 0, of at most 12 digits.

    Raises
    ------
    InputError
        For anything else.
    """
    if not _POSITION.fullmatch(text):
        raise InputError(
            f"the position {text!r} is not a whole number from 0", remedy="correct the line"
        )
    return int(text)
