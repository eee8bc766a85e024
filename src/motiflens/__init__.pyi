"""The public names, and where each lives: read by `lazy_loader`, type checkers and editors."""

from .attribution import Attributions, attribute, save_for_modisco
from .attribution.export import write_bed, write_big_wig
from .auditing import audit
from .datasets import SequenceDataset, split_at_random, write_table
from .discovery import find_motifs, find_seqlets
from .errors import InputError
from .evidence import ModelTrust, true_bases, trust_checks
from .hits import find_hits, write_hits
from .io.readers import Reading, Source, read, read_dataset
from .models import build_model
from .motifs import (
    Motif,
    match_motifs,
    motif_from_string,
    name_motifs,
    read_meme,
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
from .pipeline import (
    DataFiles,
    audit_parts,
    compare,
    cross_negatives,
    discover_motifs,
    discover_without_model,
    explain,
    load_files,
    read_crossed,
    read_motifs,
    run,
    run_experiments,
    trust,
)
from .plots import write_logos
from .report import write_report
from .runs import Origin, Run, check_output, load
from .settings import Settings
from .simulation import Grammar, read_grammar, simulate, tutorial_grammar
from .training import Job, Recipe, train
from .version import __version__

__all__ = [
    "Attributions",
    "DataFiles",
    "Grammar",
    "InputError",
    "Job",
    "ModelTrust",
    "Motif",
    "Origin",
    "Reading",
    "Recipe",
    "Run",
    "SequenceDataset",
    "Settings",
    "Source",
    "__version__",
    "attribute",
    "audit",
    "audit_parts",
    "build_model",
    "check_output",
    "compare",
    "cross_negatives",
    "discover_motifs",
    "discover_without_model",
    "explain",
    "find_hits",
    "find_motifs",
    "find_seqlets",
    "load",
    "load_files",
    "marginal_effect",
    "match_motifs",
    "mismatch_profile",
    "motif_from_string",
    "name_motifs",
    "random_background",
    "read",
    "read_crossed",
    "read_dataset",
    "read_grammar",
    "read_meme",
    "read_motifs",
    "recover",
    "resolve_motifs",
    "run",
    "run_experiments",
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
