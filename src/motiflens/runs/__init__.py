"""The run directory: what a run leaves behind, and how to get it back."""

from motiflens.results.provenance import Origin
from motiflens.runs.begin import Output, begin
from motiflens.runs.run import Run, load_run

__all__ = ["Origin", "Output", "Run", "begin", "load_run"]
