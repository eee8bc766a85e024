"""A work whose tiles take as long as a test wants; `tests/toy_command.py` is its command."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from motiflens.errors import InputError
from motiflens.files import whole_file
from motiflens.progress import Progress
from motiflens.scoring.work import WORKS, Work


class Digests(Work):
    """Writes a digest of every number below n, seven a tile.

    A tile takes ``seconds``. Of ``dies`` the worker process that computes it first is killed; of
    ``fails`` there is no result, and ``model`` is a file that decides the settings.
    """

    name, unit = "digests", "numbers"

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**{"n": 100, "seconds": 0.0, "dies": None, "fails": None} | arguments)

    @property
    def settings(self) -> Mapping[str, Any]:
        model = self.arguments.get("model")
        if model is None:
            return {"n": self.arguments["n"]}
        if not Path(model).is_file():
            raise InputError(f"no such file: {model}", remedy="check the path")
        # On another host there may be another file; here a worker process is that host.
        own = os.environ.get("TOY_HOST", "") + Path(model).read_text()
        return {"n": self.arguments["n"], "model": own}

    @property
    def sizes(self) -> Sequence[int]:
        n = self.arguments["n"]
        return [min(7, n - start) for start in range(0, n, 7)]

    def compute(self, tile: int) -> bytes:
        time.sleep(self.arguments["seconds"])
        if tile == self.arguments["fails"]:
            raise InputError("tile 3 has a contig that is not in the genome")
        if tile == self.arguments["dies"]:
            self.die_once()
        numbers = range(7 * tile, 7 * tile + self.sizes[tile])
        return b"".join(hashlib.sha256(b"%d" % n).digest() for n in numbers)

    def die_once(self) -> None:
        """Kill the process that computes, unless one has been killed before."""
        mark = Path(f"{self.output}.killed")
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    def join(self, tiles: Iterator[bytes], progress: Progress) -> None:
        with whole_file(self.output) as file:
            for content in tiles:
                file.write(content)
                time.sleep(self.arguments["seconds"] / 10)


WORKS[Digests.name] = "tests.toy_works:Digests"


def expected(n: int) -> bytes:
    """Give what the command writes."""
    return b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(n))
