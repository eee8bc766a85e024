"""Commands that work in tiles, carried out as their options say: all, a shard, or only foretold."""

from __future__ import annotations

import json
import sys
import time

from motiflens.cli.options import Chosen, InTiles
from motiflens.cli.progress import on_stderr
from motiflens.cli.summary import counted
from motiflens.cluster import engine_of
from motiflens.progress import in_words
from motiflens.scoring.carry_out import carry_out as compute_and_join
from motiflens.scoring.work import Shard, Work
from motiflens.settings import n_cores


def carry_out(work: Work, chosen: Chosen, tiled: InTiles) -> bool:
    """Carry out a work, and return whether its output is written.

    Where it is not, what was done, or would be done, is printed.
    """
    from motiflens.training.machine import single_intra_op_thread

    shard, threads, progress = Shard.parse(tiled.shard), chosen.threads or n_cores(), on_stderr()
    with engine_of(tiled.scheduler) as engine, single_intra_op_thread():
        for note in work.notes:
            progress.note(note)
        if tiled.dry_run:
            _foretell(work, shard, threads, as_json=tiled.as_json)
            return False
        done = compute_and_join(
            work,
            shard=shard,
            engine=engine,
            threads=threads,
            overwrite=tiled.overwrite,
            progress=progress,
        )
    if not done:
        _tell_shard(work, tiled)
    return done


def _foretell(work: Work, shard: Shard, threads: int, *, as_json: bool) -> None:
    """Print what would be done, and about how long it takes, as the largest tile was measured."""
    own = {tile: size for tile, size in enumerate(work.sizes) if shard.takes(tile)}
    n, seconds = sum(own.values()), 0.0
    if n:
        largest = max(own, key=own.__getitem__)
        started = time.perf_counter()
        work.compute(largest)
        seconds = (time.perf_counter() - started) * n / own[largest] / min(threads, len(own))
    if as_json:
        found = {"tiles": len(own), work.unit: n, **work.plan, "seconds": round(seconds, 1)}
        print(json.dumps(found))
        return
    words = {name.replace("_", " "): value for name, value in work.plan.items()}
    plan = "; ".join(f"{name}: {value}" for name, value in words.items())
    amount = f"{counted(n, work.unit.removesuffix('s'))} in {counted(len(own), 'tile')}"
    print(f"{amount} ({plan}): {in_words(seconds)}; nothing is written")


def _tell_shard(work: Work, tiled: InTiles) -> None:
    """Say that one part is done, and how all are joined."""
    output = work.output
    if tiled.as_json:
        print(json.dumps({"file": str(output), "shard": tiled.shard}))
    told = f"shard {tiled.shard} of {output} is done"
    print(f"{told}; `motiflens merge {output}` joins all of them", file=sys.stderr)
