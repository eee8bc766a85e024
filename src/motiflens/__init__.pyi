"""The public names, and where each lives: read by `lazy_loader`, type checkers and editors."""

from .attribution import Attributions, attribute, save_for_modisco
from .attribution.export import write_bed, write_big_wig
from .auditing import audit
from .datasets import SequenceDataset, split_at_random
from .discovery import discover, discover_in_sequences, find_motifs, find_seqlets
from .errors import InputError
from .evidence import Trust, true_bases, trust_checks
from .hits import scan, write_hits
from .io.read import read
from .io.tables import write_table
from .models import build_model
from .motifs import (
    Motif,
    MotifArrays,
    motif_from_string,
    name_motifs,
    read_meme,
    read_motif_arrays,
    read_motif_file,
    recover,
    write_meme,
    write_motif_arrays,
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
    audit_parts,
    compare,
    cross_negatives,
    discover_motifs,
    discover_without_model,
    explain,
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
    "Grammar",
    "InputError",
    "Job",
    "Motif",
    "MotifArrays",
    "Origin",
    "Recipe",
    "Run",
    "SequenceDataset",
    "Settings",
    "Trust",
    "__version__",
    "attribute",
    "audit",
    "audit_parts",
    "build_model",
    "check_output",
    "compare",
    "cross_negatives",
    "discover",
    "discover_in_sequences",
    "discover_motifs",
    "discover_without_model",
    "explain",
    "find_motifs",
    "find_seqlets",
    "load",
    "marginal_effect",
    "mismatch_profile",
    "motif_from_string",
    "name_motifs",
    "random_background",
    "read",
    "read_crossed",
    "read_grammar",
    "read_meme",
    "read_motif_arrays",
    "read_motif_file",
    "read_motifs",
    "recover",
    "run",
    "run_experiments",
    "save_for_modisco",
    "scan",
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
    "write_motif_arrays",
    "write_report",
    "write_table",
]
