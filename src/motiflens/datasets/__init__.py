"""Labelled sequences: the data set, its table form, its parts and its true sites."""

from motiflens.datasets.coordinates import Coordinates
from motiflens.datasets.dataset import (
    SPLITS,
    STRANDS,
    SequenceDataset,
    check_strands,
    concatenate,
    default_names,
    draw,
    exact_matches,
    mark_sites,
    require_at_least,
    require_two_classes,
)
from motiflens.datasets.groups import bound_groups, homology_groups
from motiflens.datasets.mapped import MappedDataset, convert_streaming, open_mapped
from motiflens.datasets.splits import (
    split_at_random,
    split_by_chromosome,
    split_by_groups,
    split_by_homology,
)
from motiflens.datasets.streaming import Entry, dropped_columns, of_two_classes, stream_entries
from motiflens.datasets.tables import read_table, table_kind, write_table

__all__ = [
    "SPLITS",
    "STRANDS",
    "Coordinates",
    "Entry",
    "MappedDataset",
    "SequenceDataset",
    "bound_groups",
    "check_strands",
    "concatenate",
    "convert_streaming",
    "default_names",
    "draw",
    "dropped_columns",
    "exact_matches",
    "homology_groups",
    "mark_sites",
    "of_two_classes",
    "open_mapped",
    "read_table",
    "require_at_least",
    "require_two_classes",
    "split_at_random",
    "split_by_chromosome",
    "split_by_groups",
    "split_by_homology",
    "stream_entries",
    "table_kind",
    "write_table",
]
