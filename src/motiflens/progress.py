"""How long work reports how far it has come, without knowing who listens."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

Advance = Callable[[int], None]


class Progress(Protocol):
    """Shows stages of work."""

    def stage(self, description: str, total: int) -> AbstractContextManager[Advance]:
        """Open a stage of ``total`` steps; the function it gives counts finished steps."""
        ...

    def note(self, text: str) -> None:
        """Tell what was counted, assumed or left out."""
        ...


class Silent:
    """Shows nothing: the default of the Python functions."""

    def stage(self, description: str, total: int) -> AbstractContextManager[Advance]:
        """Open a stage that nobody sees."""
        return nullcontext(lambda steps: None)

    def note(self, text: str) -> None:
        """Tell nobody."""


class Lines:
    """Counts steps in one line of stderr a stage: what ``progress=True`` shows."""

    @contextmanager
    def stage(self, description: str, total: int) -> Iterator[Advance]:
        """Open a stage; its line ends with it."""
        done = 0

        def advance(steps: int) -> None:
            nonlocal done
            done += steps
            sys.stderr.write(f"\r{description}: {min(done, total):,} of {total:,}")
            sys.stderr.flush()

        advance(0)
        try:
            yield advance
        finally:
            sys.stderr.write("\n")

    def note(self, text: str) -> None:
        """Write a sentence to stderr."""
        print(text, file=sys.stderr)


def listener(progress: Progress | bool | None) -> Progress:
    """Return who listens: nobody for False and None, stderr for True."""
    if isinstance(progress, bool) or progress is None:
        return Lines() if progress else Silent()
    return progress
