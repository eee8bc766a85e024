"""How long work reports how far it has come, without knowing who listens."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
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
