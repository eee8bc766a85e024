"""The run directory: what a run leaves behind, and how to get it back."""

from motiflens.runs.creation import Origin, check_output, create
from motiflens.runs.run import Run, load

__all__ = ["Origin", "Run", "check_output", "create", "load"]
