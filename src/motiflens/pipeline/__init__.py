"""From data to a run directory, one function a stage.

The stages: compare → explain → motifs → experiments → trust.
"""

from __future__ import annotations

from pathlib import Path

from motiflens.pipeline.comparing import Data, audit_parts, compare, processes
from motiflens.pipeline.crossing import cross_negatives, read_crossed
from motiflens.pipeline.discovering import discover_motifs
from motiflens.pipeline.experimenting import run_experiments
from motiflens.pipeline.explaining import explain
from motiflens.pipeline.plain import discover_without_model
from motiflens.pipeline.reading import read_motifs
from motiflens.pipeline.trusting import trust
from motiflens.progress import Progress
from motiflens.runs import Origin, Run
from motiflens.settings import Settings
from motiflens.training import distributed

__all__ = [
    "audit_parts",
    "compare",
    "cross_negatives",
    "discover_motifs",
    "discover_without_model",
    "explain",
    "read_crossed",
    "read_motifs",
    "run",
    "run_experiments",
    "trust",
]


def run(
    data: Data,
    output: Path | str,
    settings: Settings | None = None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
    origin: Origin | None = None,
    last: str = "trust.json",
) -> Run:
    """Compare models, explain them, read and try their motifs, check how far to trust all that.

    The report is written separately.

    A call that was killed goes on where it was when it comes again.

    Parameters
    ----------
    data
        A data set, or a file that :func:`motiflens.read` reads.
    output
        Run directory to make.
    settings
        None for the defaults.
    overwrite
        Replace an earlier run in ``output``.
    progress
        Told how far the work has come.
    origin
        What is written into ``run.toml`` about data and command.
    last
        The file that the whole of the work ends with: a run that has it is finished.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If the data, the settings or the output break a rule; nothing is written then.
    """
    with processes((settings or Settings()).device):
        made = compare(
            data,
            output,
            settings,
            overwrite=overwrite,
            progress=progress,
            origin=origin,
            last=last,
        )
        first = distributed.process() == 0
    # Each stage writes its file last.
    if first and not (made.path / "attention.json").is_file():
        explain(made, progress=progress)
    if first and not (made.path / "motifs.json").is_file():
        read_motifs(made, progress=progress)
    if first and not (made.path / "experiments.json").is_file():
        run_experiments(made, progress=progress)
    if first and not (made.path / "trust.json").is_file():
        trust(made, progress=progress)
    return made
