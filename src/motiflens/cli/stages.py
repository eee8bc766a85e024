"""Sub-commands that extend a finished run, one for each stage."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import motiflens
from motiflens.cli.options import Json, Overwrite, Reads, Switch
from motiflens.cli.own_module import NewRun, OwnModule, RunOrData, end, run_of
from motiflens.cli.progress import on_stderr
from motiflens.cli.summary import counted, in_short, print_motifs, print_report, summarise
from motiflens.errors import InputError
from motiflens.io.options import AS_IT_IS
from motiflens.report import write_pair, write_report
from motiflens.results import holds_motifs_without_model, read_motifs_without_model


def explain(
    run: RunOrData,
    *,
    own: OwnModule = OwnModule(),
    new: NewRun = NewRun(),
    source: Reads = AS_IT_IS,
    thorough: Switch = False,
    threads: int | None = None,
    scheduler: str | None = None,
    as_json: Json = False,
) -> None:
    """Explain the models of a run, base by base.

    Parameters
    ----------
    thorough
        By every method, as run --thorough does, and not by those of the first report alone.
    threads
        Threads to compute with; those of the run by default.
    scheduler
        Workers of Dask that explain blocks of sequences: an address, a scheduler file, or local[N].
    """
    from motiflens.stages.explain import explain as work

    opened = run_of(run, own, new, source, "explain")
    made = work(
        opened, thorough=thorough, threads=threads, scheduler=scheduler, progress=on_stderr()
    )
    end(made, own, as_json=as_json)


def motifs(
    run: Path | None = None,
    *,
    no_model: Path | None = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    source: Reads = AS_IT_IS,
    strands: str | None = None,
    database: Path | None = None,
    thorough: Switch = False,
    threads: int | None = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Find the motifs of a run's models, confirm them on held-out sequences, name them.

    Parameters
    ----------
    run
        Run directory.
    no_model
        In place of a run: a file of any kind that `run` reads, to find motifs in without training;
        its sequences need no labels, and shuffles are the negatives where there are none.
    output
        With --no-model: folder for motifs.json, discovery.meme, hits.bed.gz and report.html.
    strands
        With --no-model: both, the default, or forward; a run has its own.
    database
        Known motifs (MEME, JASPAR or TRANSFAC) to name the found ones by; JASPAR CORE vertebrates
        by default.
    thorough
        Routes from every seed, as run --thorough takes them, and not from the first alone. Not with
        --no-model.
    threads
        Threads to compute with; those of the run by default. Not with --no-model.
    overwrite
        With --no-model: replace the motifs that the folder holds.
    """
    if run is not None and no_model is None and output is None and not source.given():
        from motiflens.stages.motifs import motifs as work

        _refuse("no_model", strands=strands, overwrite=overwrite or None)
        made = work(
            run, thorough=thorough, database=database, threads=threads, progress=on_stderr()
        )
        summarise(made, as_json=as_json)
        return
    if run is not None or no_model is None or output is None:
        raise InputError(
            "motifs takes a run folder alone, or no_model=SEQUENCES and output=OUT",
            argument=("no_model", "output"),
        )
    from motiflens.discovery.sequences_alone import discover_without_model

    _refuse("run", threads=threads, thorough=thorough or None)
    discover_without_model(
        no_model,
        output,
        strands=strands or "both",
        database=database,
        options=source,
        overwrite=overwrite,
    )
    path = write_report(output)
    found = read_motifs_without_model(output)
    entries, by = [in_short(motif) for motif in found.discovery], found.discovered_by
    if as_json:
        print(json.dumps({"output": str(output), "motifs": entries, "note": by.note}))
        return
    tested = "the other half" if by.held_out else "the same sequences, too few for halves"
    print(f"{by.note} Motifs are tested on {tested}.", file=sys.stderr)
    print_motifs(entries)
    print(f"{counted(len(entries), 'motif')} in {output}; report: {path}", file=sys.stderr)


def _refuse(kind: str, **given: object) -> None:
    """Refuse an option of ``motifs`` that is for the other kind of call."""
    for name, value in given.items():
        if value is not None:
            calls = {"run": "a run", "no_model": "no_model=SEQUENCES"}
            raise InputError(
                f"{name}={value} is for {calls[kind]} alone",
                remedy="leave it out",
                argument=(name, "no_model"),
            )


def experiments(run: Path, *, threads: int | None = None, as_json: Json = False) -> None:
    """Put motifs into sequences and take them out: copies, position, spacing, ablation.

    Parameters
    ----------
    run
        Run directory.
    threads
        Threads to compute with; those of the run by default.
    """
    from motiflens.stages.experiments import experiments as work

    summarise(work(run, threads=threads, progress=on_stderr()), as_json=as_json)


def trust(
    run: RunOrData,
    *,
    own: OwnModule = OwnModule(),
    new: NewRun = NewRun(),
    source: Reads = AS_IT_IS,
    threads: int | None = None,
    as_json: Json = False,
) -> None:
    """Check how far the explanations of a run's models can be trusted.

    Parameters
    ----------
    threads
        Threads to compute with; those of the run by default.
    """
    from motiflens.stages.trust import trust as work

    opened = run_of(run, own, new, source, "trust")
    end(work(opened, threads=threads, progress=on_stderr()), own, as_json=as_json)


def report(
    run: Path,
    other: Path | None = None,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    as_json: Json = False,
) -> None:
    """Write a run's report.html from its directory alone, or a page with two runs side by side.

    Parameters
    ----------
    run
        Run directory, or a folder of motifs found without a model.
    other
        Another run directory.
    output
        With two runs: the page to write; compared.html by default.
    """
    if other is not None:
        path = write_pair(run, other, output or Path("compared.html"))
        print(f"report: {path}", file=sys.stderr)
        if as_json:
            print(json.dumps({"output": [str(run), str(other)], "report": str(path)}))
        return
    if output is not None:
        raise InputError(
            "output is for two runs side by side; the page of one lies in its directory",
            remedy="leave it out",
            argument="output",
        )
    if holds_motifs_without_model(run):
        path = write_report(run)
        print(f"report: {path}", file=sys.stderr)
        if as_json:
            print(json.dumps({"output": str(run), "report": str(path)}))
        return
    made = motiflens.load_run(run)
    write_report(made.path)
    summarise(made, as_json=as_json)
    print_report(made)
