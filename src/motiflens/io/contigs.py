"""What a genome of any format gives: contigs, whose letters are read on demand."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Contig(NamedTuple):
    """Its size in bases, and how to read the letters [start, end), 0 <= start <= end <= size."""

    size: int
    fetch: Callable[[int, int], str]
