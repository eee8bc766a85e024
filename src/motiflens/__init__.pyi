"""The public names, and where each lives: read by `lazy_loader`, type checkers and editors."""

# Sequences.
# Explanations.
from .attribution import Attributions, attribute, saturation_mutagenesis

# Whole runs.
from .auditing import audit
from .datasets import SequenceDataset

# Motifs.
from .discovery import discover_motifs, find_seqlets
from .errors import InputError
from .evidence import trust_checks
from .hits import find_hits
from .io.inputs import dinucleotide_shuffle, one_hot, read, reverse_complement

# Models.
from .models import build_model
from .motifs import Motif, match_motifs, read_motifs, recover, write_motifs
from .perturbation import ablate, marginalize, shortcut_test, space

# Pictures.
from .plots.notebook import plot_attention, plot_comparison, plot_logo, plot_track
from .runs import Run, load_run
from .settings import Settings
from .simulation import Grammar, simulate
from .stages import run
from .stages.learn import split, train
from .training import Recipe, TrainedModel, load_model, predict
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
    "attribute",
    "audit",
    "build_model",
    "dinucleotide_shuffle",
    "discover_motifs",
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
    "shortcut_test",
    "simulate",
    "space",
    "split",
    "train",
    "trust_checks",
    "write_motifs",
]
