"""Commands as processes that are killed at random moments, and started again until they end."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


def files(folder: Path) -> dict[str, bytes]:
    """Give all files of a folder, hidden ones too, by their names in it."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@dataclass
class Killed:
    """A command that is killed at random moments, in folders of its own.

    Parameters
    ----------
    command
        Its outputs are relative to the folder that it is run in, its inputs absolute.
    folder
        An empty one.
    """

    command: Sequence[str | Path]
    folder: Path
    whole: dict[str, bytes] = field(init=False)
    #: Seconds after which an undisturbed process writes its first file, and after which it ends.
    first: float = field(init=False)
    last: float = field(init=False)

    def __post_init__(self) -> None:
        home = self.folder / "whole"
        home.mkdir()
        begun = time.monotonic()
        process = self._start(home)
        while process.poll() is None and not os.listdir(home):
            time.sleep(0.005)
        self.first = time.monotonic() - begun
        _, told = process.communicate(timeout=600)
        self.last = time.monotonic() - begun
        assert process.returncode == 0, told
        self.whole = files(home)
        assert self.whole
        assert not [name for name in self.whole if name.startswith(".") or ".tiles/" in name]

    def _start(self, home: Path) -> subprocess.Popen[str]:
        """Start it; it and the processes that it starts are one group."""
        return subprocess.Popen(
            [str(word) for word in self.command],
            cwd=home,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def left_after(self, kills: int, seed: int = 0) -> list[dict[str, bytes]]:
        """Kill it so often at moments of its work; each time the next start has to go on.

        Return what it leaves in each folder in which it has ended; it then begins in a new one.
        """
        moments = random.Random(seed)
        left: list[dict[str, bytes]] = []
        n_killed, ended = 0, True
        while n_killed < kills or not ended:
            if ended:
                home = self.folder / f"cut{len(left)}"
                home.mkdir()
            last = n_killed == kills
            ended = self._ends(home, None if last else moments.uniform(self.first, self.last))
            n_killed += not ended
            if ended:
                left.append(files(home))
        return left

    def _ends(self, home: Path, seconds: float | None) -> bool:
        """Start it, kill it after a time if it is still at work, and tell whether it has ended."""
        process = self._start(home)
        try:
            _, told = process.communicate(timeout=seconds or 600)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            _, told = process.communicate()
        # Killed after its last file had come under its name, it has nothing left to do.
        done = process.returncode == 2 and all((home / name).exists() for name in self.whole)
        assert process.returncode in (0, -signal.SIGKILL) or done, told
        return process.returncode == 0 or done
