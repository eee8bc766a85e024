"""Progress on stderr: bars in a terminal, lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from motiflens.cli.mistakes import as_options
from motiflens.io.options import ReadOptions
from motiflens.progress import Advance, Count, Progress, Silent
from motiflens.settings import Settings

#: What a note may name.
ARGUMENTS = tuple(field.name for type_ in (Settings, ReadOptions) for field in fields(type_))
#: Seconds between two lines of a stage, where there is no terminal.
BETWEEN_LINES = 15.0


class _Notes:
    """Notes as lines of their own, to be copied and searched as they are."""

    def note(self, text: str) -> None:
        """Print a note, with the options of the command line in place of Python's arguments."""
        print(as_options(text, ARGUMENTS), file=sys.stderr, flush=True)


class TerminalProgress(_Notes):
    """A bar for each stage."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def stage(self, description: str, total: int, unit: str = "") -> Iterator[Advance]:
        """Show a bar until the stage ends."""
        count = Count(total, unit)
        columns = (
            # Not as markup, in which the number of a stage would be a style.
            TextColumn("{task.description:<24}", markup=False),
            BarColumn(bar_width=20),
            TimeElapsedColumn(),
            TextColumn("{task.fields[count]}", markup=False),
        )
        with Bars(*columns, console=self.console) as bars:
            task = bars.add_task(description, total=total, count=str(count))

            def advance(steps: int) -> None:
                count.add(steps)
                bars.update(task, completed=count.done, count=str(count))

            yield advance


class LineProgress(_Notes):
    """A line when a stage begins, one now and then, and one when it ends, for logs."""

    @contextmanager
    def stage(self, description: str, total: int, unit: str = "") -> Iterator[Advance]:
        """Print the lines."""
        count = Count(total, unit)
        told = count.started

        def advance(steps: int) -> None:
            nonlocal told
            count.add(steps)
            if time.perf_counter() - told >= BETWEEN_LINES and count.done < total:
                told = time.perf_counter()
                self.note(f"{description}: {count}")

        self.note(f"{description}: {total:,} {unit and f'{unit} '}to do")
        yield advance
        seconds = time.perf_counter() - count.started
        self.note(f"{description}: done in {seconds:.1f} s")


def on_stderr() -> Progress:
    """Give the progress display that suits stderr."""
    if not is_first_process():
        return Silent()
    console = Console(stderr=True)
    return TerminalProgress(console) if console.is_terminal else LineProgress()


def is_first_process() -> bool:
    """Tell whether this process speaks: under ``torchrun`` the first one does so for all."""
    return int(os.environ.get("WORLD_SIZE", "1")) == 1 or os.environ.get("RANK", "0") == "0"
