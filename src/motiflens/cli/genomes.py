"""Sub-commands that apply a trained model to genomes: merge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from motiflens.cli.options import Json
from motiflens.cli.progress import on_stderr
from motiflens.scoring.carry_out import merge as join


def merge(
    output: Path,
    *,
    as_json: Annotated[
        Json, Parameter(help="Print the name of the file as one JSON object.")
    ] = False,
) -> None:
    """Join what the shards of a command have computed into its output.

    Model, input and genome have to be those of the shards; tiles that are missing are counted.

    Parameters
    ----------
    output
        The file that was given to -o of the shards.
    """
    path = join(output, progress=on_stderr())
    print(json.dumps({"file": str(path)}) if as_json else f"{path}: joined")
