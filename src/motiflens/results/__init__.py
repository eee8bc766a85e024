"""What a run leaves behind, as types: the one place that knows its files and their fields.

Nothing here imports torch.
"""

from motiflens.results.artifacts import ARTIFACTS, command_of
from motiflens.results.folder import (
    Results,
    holds_motifs_without_model,
    is_run,
    read_motifs_without_model,
    table_of_files,
    write_motifs_without_model,
)

__all__ = [
    "ARTIFACTS",
    "Results",
    "command_of",
    "holds_motifs_without_model",
    "is_run",
    "read_motifs_without_model",
    "table_of_files",
    "write_motifs_without_model",
]
