"""Values read from a file, so that the error for a wrong one tells its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from motiflens.errors import InputError

T = TypeVar("T")

_LABELS = {"0": 0.0, "0.0": 0.0, "false": 0.0, "1": 1.0, "1.0": 1.0, "true": 1.0}
_POSITION = re.compile(r"[0-9]{1,12}")
_SEQUENCE = re.compile(r"[ACGTNacgtn]*")


def at(error: InputError, place: str) -> InputError:
    """Give the same error with a place added to what came."""
    return InputError(error.rule, got=f"{error.got} in {place}", remedy=error.remedy)


def convert_each(
    texts: Iterable[str], convert: Callable[[str], T], place: Callable[[int], str]
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
        raise at(error, place(len(values))) from None
    return values


def parse_sequence(text: str) -> str:
    """Strip blanks off a sequence of one or more letters ACGTN, in any case.

    Raises
    ------
    InputError
        For none and for other letters, with the position counted from 1 in the text as it came.
    """
    sequence = text.strip()
    match = _SEQUENCE.match(sequence)
    end = match.end() if match else 0
    if sequence and end == len(sequence):
        return sequence
    position = text.find(sequence) + end + 1
    raise InputError(
        "a sequence is one or more of the letters A, C, G, T and N",
        got=f"{sequence[end]!r} at position {position}" if sequence else "an empty sequence",
        remedy="replace the letter by N or drop the sequence",
    )


def parse_label(text: str) -> float:
    """Read a label: 0 or 1, also 0.0 and 1.0, false and true.

    Raises
    ------
    InputError
        For anything else.
    """
    label = _LABELS.get(text.strip().lower())
    if label is None:
        raise InputError("labels are 0 or 1", got=repr(text), remedy="correct or drop the row")
    return label


def parse_position(text: str) -> int:
    """Read a position in a genome: a whole number from 0, of at most 12 digits.

    Raises
    ------
    InputError
        For anything else.
    """
    if not _POSITION.fullmatch(text):
        raise InputError(
            "a position is a whole number, counted from 0",
            got=repr(text),
            remedy="correct the line",
        )
    return int(text)
