"""What a run leaves behind, as types: the one place that knows its files and their fields.

Nothing here imports torch.
"""

from motiflens.results.artifacts import (
    ARTIFACTS,
    Artifact,
    command_of,
    following_from,
    needed_by,
    of_stage,
    table_of_files,
)
from motiflens.results.folder import (
    Results,
    holds_motifs_without_model,
    is_run,
    read_motifs_without_model,
    write_motifs_without_model,
)

__all__ = [
    "ARTIFACTS",
    "Artifact",
    "Results",
    "command_of",
    "following_from",
    "holds_motifs_without_model",
    "is_run",
    "needed_by",
    "of_stage",
    "read_motifs_without_model",
    "table_of_files",
    "write_motifs_without_model",
]
