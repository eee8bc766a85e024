"""The public names by what they are for, and where each lives.

Read by `lazy_loader`, type checkers and editors.
"""

# isort: skip_file

# Sequences and data.
from .datasets import SequenceDataset
from .io.inputs import dinucleotide_shuffle, one_hot, reverse_complement
from .io.read import read
from .simulation import Grammar, simulate
from .auditing import audit

# Models.
from .models import build_model
from .stages.learn import split, train
from .training import Recipe, TrainedModel, load_model

# A trained model in use.
from .scoring.predict import predict
from .scoring.export import export_model

# A trained model in use.
from .scoring.genome_scans import scan_genome

# A trained model in use.
from .scoring.annotate import annotate

# Explanations.
from .attribution import Attributions, attribute, saturation_mutagenesis
from .evidence import score_rule, trust_checks
from .perturbation import ablate, marginalize, shortcut_test, space

# Motifs.
from .discovery import discover_motifs, find_seqlets
from .hits import find_hits
from .motifs import Motif, match_motifs, read_motifs, recover, write_motifs

# Whole runs.
from .runs import Run, load_run
from .settings import Settings
from .stages import run

# A trained model in use.
from .scoring.mutations import score_mutations
from .scoring.variants import score_variants

# Pictures in notebooks.
from .plots.notebook import plot_attention, plot_comparison, plot_logo, plot_track

from .errors import InputError
from .version import __version__

__all__ = [
    "Attributions",
    "Grammar",
    "InputError",
    "Motif",
    "Recipe",
    "Run",
    "SequenceDataset",
    "Settings",
    "TrainedModel",
    "__version__",
    "ablate",
    "annotate",
    "attribute",
    "audit",
    "build_model",
    "dinucleotide_shuffle",
    "discover_motifs",
    "export_model",
    "find_hits",
    "find_seqlets",
    "load_model",
    "load_run",
    "marginalize",
    "match_motifs",
    "one_hot",
    "plot_attention",
    "plot_comparison",
    "plot_logo",
    "plot_track",
    "predict",
    "read",
    "read_motifs",
    "recover",
    "reverse_complement",
    "run",
    "saturation_mutagenesis",
    "scan_genome",
    "score_mutations",
    "score_rule",
    "score_variants",
    "shortcut_test",
    "simulate",
    "space",
    "split",
    "train",
    "trust_checks",
    "write_motifs",
]
