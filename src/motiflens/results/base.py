"""What all types of results stand on: frozen structures that a JSON file is read into."""

from __future__ import annotations

import msgspec

Matrix = tuple[tuple[float, ...], ...]
"""(4, W): one row a base, in the order A, C, G, T."""

SCHEMA_VERSION = 1


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a file; its fields are those of the JSON object, in their order."""


class File(Part, frozen=True, kw_only=True):
    """A JSON file.

    Parameters
    ----------
    schema_version
        Of its form.
    version
        The motiflens that wrote it; "" where the file does not say.
    """

    schema_version: int = SCHEMA_VERSION
    version: str = ""


class ClassCounts(Part, frozen=True, kw_only=True):
    """Numbers of sequences of each class."""

    positives: int
    negatives: int


class Interval(Part, frozen=True, kw_only=True):
    """A mean with the ends of its 95 % interval."""

    mean: float
    low: float
    high: float
