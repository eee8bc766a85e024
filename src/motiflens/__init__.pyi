"""The public names, and where each lives: read by `lazy_loader`, type checkers and editors."""

from .attribution import Attributions, attribute, save_for_modisco
from .attribution.export import write_bed, write_big_wig
from .auditing import audit
from .datasets import SequenceDataset, split_at_random
from .discovery import discover_motifs, find_motifs, find_seqlets
from .discovery.sequences_alone import discover_without_model
from .errors import InputError
from .evidence import ModelTrust, true_bases, trust_checks
from .hits import find_hits, write_hits
from .io.read import read
from .io.tables import write_table
from .models import build_model
from .motifs import (
    Motif,
    match_motifs,
    motif_from_string,
    name_motifs,
    read_meme,
    read_motifs,
    recover,
    resolve_motifs,
    write_meme,
    write_motifs,
)
from .perturbation import (
    marginal_effect,
    mismatch_profile,
    random_background,
    shortcut_test,
    shuffled_background,
    substitute,
)
from .plots import write_logos
from .report import write_report
from .runs import Origin, Run, load_run
from .settings import Settings
from .simulation import Grammar, read_grammar, simulate, tutorial_grammar
from .stages import run
from .stages.compare import compare
from .stages.data import audit_splits
from .stages.explain import explain
from .stages.negative_sets import cross_negatives
from .stages.trust import trust
from .training import Job, Recipe, train
from .version import __version__

__all__ = [
    "Attributions",
    "Grammar",
    "InputError",
    "Job",
    "ModelTrust",
    "Motif",
    "Origin",
    "Recipe",
    "Run",
    "SequenceDataset",
    "Settings",
    "__version__",
    "attribute",
    "audit",
    "audit_splits",
    "build_model",
    "compare",
    "cross_negatives",
    "discover_motifs",
    "discover_without_model",
    "explain",
    "find_hits",
    "find_motifs",
    "find_seqlets",
    "load_run",
    "marginal_effect",
    "match_motifs",
    "mismatch_profile",
    "motif_from_string",
    "name_motifs",
    "random_background",
    "read",
    "read_grammar",
    "read_meme",
    "read_motifs",
    "recover",
    "resolve_motifs",
    "run",
    "save_for_modisco",
    "shortcut_test",
    "shuffled_background",
    "simulate",
    "split_at_random",
    "substitute",
    "train",
    "true_bases",
    "trust",
    "trust_checks",
    "tutorial_grammar",
    "write_bed",
    "write_big_wig",
    "write_hits",
    "write_logos",
    "write_meme",
    "write_motifs",
    "write_report",
    "write_table",
]
