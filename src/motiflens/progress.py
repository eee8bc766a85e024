"""How long work reports how far it has come, without knowing who listens."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol, runtime_checkable

Advance = Callable[[int], None]


@runtime_checkable
class Progress(Protocol):
    """Shows stages of work."""

    def stage(
        self, description: str, total: int, unit: str = ""
    ) -> AbstractContextManager[Advance]:
        """Open a stage of ``total`` steps, such as epochs; what it gives counts finished steps."""
        ...

    def note(self, text: str) -> None:
        """Tell what was counted, assumed or left out."""
        ...


class Silent:
    """Shows nothing: the default of the Python functions."""

    def stage(
        self, description: str, total: int, unit: str = ""
    ) -> AbstractContextManager[Advance]:
        """Open a stage that nobody sees."""
        return nullcontext(lambda steps: None)

    def note(self, text: str) -> None:
        """Tell nobody."""


class Lines:
    """Counts steps in one line of stderr a stage: what ``progress=True`` shows."""

    @contextmanager
    def stage(self, description: str, total: int, unit: str = "") -> Iterator[Advance]:
        """Open a stage; its line ends with it."""
        count, longest = Count(total, unit), 0

        def advance(steps: int) -> None:
            nonlocal longest
            count.add(steps)
            text = f"{description}: {count}"
            longest = max(longest, len(text))
            sys.stderr.write(f"\r{text:<{longest}}")
            sys.stderr.flush()

        advance(0)
        try:
            yield advance
        finally:
            sys.stderr.write("\n")

    def note(self, text: str) -> None:
        """Write a sentence to stderr."""
        print(text, file=sys.stderr)


class Count:
    """Steps that are done of a stage, as text with the time that is left.

    Parameters
    ----------
    total
        Number of steps.
    unit
        What a step is, in the plural.
    """

    def __init__(self, total: int, unit: str = "") -> None:
        self.total, self.unit = total, unit
        self.done, self.started = 0, time.perf_counter()

    def add(self, steps: int) -> None:
        """Count steps; more than there are do not count."""
        self.done = min(self.done + steps, self.total)

    def __str__(self) -> str:
        text = f"{self.done:,} of {self.total:,}{self.unit and f' {self.unit}'}"
        seconds = time.perf_counter() - self.started
        if 0 < self.done < self.total and seconds > 1:
            text += f", {in_words(seconds * (self.total - self.done) / self.done)} left"
        return text


def in_words(seconds: float) -> str:
    """Write a time that is only roughly known: "about 20 s", "about 3 min", "about 2 h"."""
    n, unit = seconds, "s"
    for size, larger in ((60, "min"), (60, "h")):
        if n >= 1.5 * size:
            n, unit = n / size, larger
    return f"about {max(1, round(n)) if n < 10 else 5 * round(n / 5)} {unit}"


class Numbered:
    """Says before each of several stages which it is, and of how many: "[2/7] training".

    Parameters
    ----------
    progress
        Who listens.
    descriptions
        Of the stages, in order; another one goes without a number.
    """

    def __init__(self, progress: Progress, descriptions: Sequence[str]) -> None:
        self.progress, self.descriptions = progress, list(descriptions)

    def stage(
        self, description: str, total: int, unit: str = ""
    ) -> AbstractContextManager[Advance]:
        """Open a stage under its number."""
        if description in self.descriptions:
            number = self.descriptions.index(description) + 1
            description = f"[{number}/{len(self.descriptions)}] {description}"
        return self.progress.stage(description, total, unit)

    def note(self, text: str) -> None:
        """Pass a note on."""
        self.progress.note(text)


class Within:
    """Counts the steps of whatever stages are opened as steps of one that is open already."""

    def __init__(self, advance: Advance) -> None:
        self.advance = advance

    @contextmanager
    def stage(self, description: str, total: int, unit: str = "") -> Iterator[Advance]:
        """Open a stage; when it ends, all of its steps are counted."""
        count = Count(total)

        def advance(steps: int) -> None:
            before = count.done
            count.add(steps)
            self.advance(count.done - before)

        yield advance
        advance(total)

    def note(self, text: str) -> None:
        """Tell nobody: who opened the stage does."""


def listens(progress: Progress | bool | None) -> bool:
    """Return whether anybody is told."""
    return not isinstance(listener(progress), Silent)


def listener(progress: Progress | bool | None) -> Progress:
    """Return who listens: nobody for False and None, stderr for True."""
    if isinstance(progress, bool) or progress is None:
        return Lines() if progress else Silent()
    return progress
