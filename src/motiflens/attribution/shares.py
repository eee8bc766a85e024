"""Which of the sequences a method explains here: all of them, or the share of a worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Share:
    """A part of the sequences that a method explains, whose values are those of the whole.

    Parameters
    ----------
    number, count
        Which of how many parts, from 0.
    rows
        Of the sequences, once the method has cut them; None of one that explains all at once.
    """

    number: int
    count: int
    rows: slice | None = None


#: What is explained of the sequences here.
_SHARE: ContextVar[Share | None] = ContextVar("share", default=None)


@contextmanager
def sharing(share: Share) -> Iterator[None]:
    """Let a method explain its share of the sequences alone; what it gives of others is no value.

    The blocks are those of the whole, so that no sum is rounded otherwise.
    """
    token = _SHARE.set(share)
    try:
        yield
    finally:
        _SHARE.reset(token)


def cut(n: int, size: int = 1) -> list[slice]:
    """Cut n sequences into blocks, and return those of the :func:`sharing`, if there is any."""
    blocks = [slice(first, min(first + size, n)) for first in range(0, n, size)]
    share = _SHARE.get()
    if share is None:
        return blocks
    begin, end = (
        len(blocks) * number // share.count for number in (share.number, share.number + 1)
    )
    own = blocks[begin:end]
    share.rows = slice(own[0].start, own[-1].stop) if own else slice(0, 0)
    return own
