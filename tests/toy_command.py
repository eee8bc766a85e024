"""``python -m tests.toy_command`` is ``motiflens`` with one command more, ``digests``."""

from __future__ import annotations

from tests.toy_works import Digests

from motiflens.cli import main
from motiflens.cli.app import app
from motiflens.cli.options import InTiles, Output
from motiflens.cluster import engine_of
from motiflens.scoring.carry_out import carry_out
from motiflens.scoring.work import Shard


@app.command
def digests(
    n: int, *, output: Output, seconds: float = 0.0, threads: int = 1, tiled: InTiles = InTiles()
) -> None:
    """Write digests of numbers."""
    with engine_of(tiled.scheduler) as engine:
        carry_out(
            Digests(output=output, n=n, seconds=seconds),
            shard=Shard.parse(tiled.shard),
            engine=engine,
            threads=threads,
            overwrite=tiled.overwrite,
        )


if __name__ == "__main__":
    main()
