"""Progress on stderr: bars in a terminal, one line a stage elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from motiflens.cli.mistakes import as_options
from motiflens.io.options import ReadOptions
from motiflens.progress import Advance, Progress, Silent
from motiflens.settings import Settings

#: What a note may name.
ARGUMENTS = tuple(field.name for type_ in (Settings, ReadOptions) for field in fields(type_))


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
    def stage(self, description: str, total: int) -> Iterator[Advance]:
        """Show a bar until the stage ends."""
        columns = (
            TextColumn("{task.description:<16}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Bars(*columns, console=self.console) as bars:
            task = bars.add_task(description, total=total)
            yield lambda steps: bars.advance(task, steps)


class LineProgress(_Notes):
    """One line when a stage begins and one when it ends, for logs."""

    @contextmanager
    def stage(self, description: str, total: int) -> Iterator[Advance]:
        """Print the two lines."""
        print(f"{description}: {total} to do", file=sys.stderr, flush=True)
        started = time.perf_counter()
        yield lambda steps: None
        seconds = time.perf_counter() - started
        print(f"{description}: done in {seconds:.1f} s", file=sys.stderr, flush=True)


def on_stderr() -> Progress:
    """Give the progress display that suits stderr."""
    if not is_first_process():
        return Silent()
    console = Console(stderr=True)
    return TerminalProgress(console) if console.is_terminal else LineProgress()


def is_first_process() -> bool:
    """Tell whether this process speaks: under ``torchrun`` the first one does so for all."""
    return int(os.environ.get("WORLD_SIZE", "1")) == 1 or os.environ.get("RANK", "0") == "0"
