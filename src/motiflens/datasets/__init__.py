"""Labelled sequences: the data set, in memory or mapped, its splits and its true sites."""

from motiflens.datasets.concatenate import concatenate
from motiflens.datasets.dataset import SPLITS, SequenceDataset, default_names, mark_sites
from motiflens.datasets.groups import bound_groups, homology_groups
from motiflens.datasets.labels import (
    CLASSIFICATION,
    MAX_CLASSES,
    REGRESSION,
    TASKS,
    LabelScale,
    are_measurements,
)
from motiflens.datasets.loci import Loci
from motiflens.datasets.mapped import MappedDataset, draw, open_mapped
from motiflens.datasets.sites import check_strands, exact_matches
from motiflens.datasets.splits import (
    chromosome_groups,
    divide_by_groups,
    require_at_least,
    require_two_classes,
    split_at_random,
    split_by_chromosome,
    split_by_groups,
)

__all__ = [
    "CLASSIFICATION",
    "MAX_CLASSES",
    "REGRESSION",
    "SPLITS",
    "TASKS",
    "LabelScale",
    "Loci",
    "MappedDataset",
    "SequenceDataset",
    "are_measurements",
    "bound_groups",
    "check_strands",
    "chromosome_groups",
    "concatenate",
    "default_names",
    "divide_by_groups",
    "draw",
    "exact_matches",
    "homology_groups",
    "mark_sites",
    "open_mapped",
    "require_at_least",
    "require_two_classes",
    "split_at_random",
    "split_by_chromosome",
    "split_by_groups",
]
