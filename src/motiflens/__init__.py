"""motiflens: what DNA sequence models look at, and how far to believe it.

The public names below are imported when they are first used, so that ``import motiflens`` and
``motiflens --help`` do not wait for PyTorch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from motiflens.errors import InputError
from motiflens.version import __version__

if TYPE_CHECKING:
    from motiflens.attribution import Attributions, attribute, save_for_modisco
    from motiflens.auditing import audit
    from motiflens.browser import write_bed, write_big_wig
    from motiflens.datasets import SequenceDataset, split_at_random, write_table
    from motiflens.evidence import Trust, true_bases, trust_checks
    from motiflens.experiments import (
        ablate,
        ablation,
        dose,
        marginal_effect,
        mismatch_profile,
        position,
        random_background,
        shortcut_test,
        shuffled_background,
        spacing,
        substitute,
    )
    from motiflens.matrices import (
        Motif,
        MotifArrays,
        motif_from_string,
        read_meme,
        read_motif_arrays,
        read_motif_file,
        write_meme,
        write_motif_arrays,
    )
    from motiflens.models import build_model, lay_on_bases
    from motiflens.motifs import (
        discover,
        discover_in_sequences,
        find_motifs,
        find_seqlets,
        name_motifs,
        recover,
    )
    from motiflens.pipeline import (
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
    from motiflens.plots import write_logos
    from motiflens.readers import Reading, Source, read, read_dataset
    from motiflens.report import write_report
    from motiflens.runs import Origin, Run, check_output, load
    from motiflens.scanning import scan, write_hits
    from motiflens.settings import Settings
    from motiflens.simulation import Grammar, read_grammar, simulate, tutorial_grammar
    from motiflens.training import Job, Recipe, train

#: Public name → the module that holds it.
_HOME = {
    "read": "readers",
    "Source": "readers",
    "Reading": "readers",
    "load_files": "pipeline",
    "DataFiles": "pipeline",
    "audit": "auditing",
    "audit_parts": "pipeline",
    "Attributions": "attribution",
    "Grammar": "simulation",
    "Job": "training",
    "Motif": "matrices",
    "MotifArrays": "matrices",
    "Origin": "runs",
    "Recipe": "training",
    "Run": "runs",
    "SequenceDataset": "datasets",
    "Settings": "settings",
    "attribute": "attribution",
    "save_for_modisco": "attribution",
    "write_bed": "browser",
    "write_big_wig": "browser",
    "build_model": "models",
    "check_output": "runs",
    "compare": "pipeline",
    "cross_negatives": "pipeline",
    "read_crossed": "pipeline",
    "discover_motifs": "pipeline",
    "discover_without_model": "pipeline",
    "explain": "pipeline",
    "discover": "motifs",
    "discover_in_sequences": "motifs",
    "find_motifs": "motifs",
    "find_seqlets": "motifs",
    "lay_on_bases": "models",
    "load": "runs",
    "motif_from_string": "matrices",
    "name_motifs": "motifs",
    "read_dataset": "readers",
    "read_grammar": "simulation",
    "read_meme": "matrices",
    "read_motif_arrays": "matrices",
    "read_motif_file": "matrices",
    "read_motifs": "pipeline",
    "recover": "motifs",
    "run": "pipeline",
    "run_experiments": "pipeline",
    "scan": "scanning",
    "shortcut_test": "experiments",
    "ablate": "experiments",
    "ablation": "experiments",
    "dose": "experiments",
    "marginal_effect": "experiments",
    "mismatch_profile": "experiments",
    "position": "experiments",
    "random_background": "experiments",
    "shuffled_background": "experiments",
    "spacing": "experiments",
    "substitute": "experiments",
    "simulate": "simulation",
    "split_at_random": "datasets",
    "train": "training",
    "Trust": "evidence",
    "true_bases": "evidence",
    "trust": "pipeline",
    "trust_checks": "evidence",
    "tutorial_grammar": "simulation",
    "write_hits": "scanning",
    "write_logos": "plots",
    "write_meme": "matrices",
    "write_motif_arrays": "matrices",
    "write_report": "report",
    "write_table": "datasets",
}

__all__ = [
    "Attributions",
    "DataFiles",
    "Grammar",
    "InputError",
    "Job",
    "Motif",
    "MotifArrays",
    "Origin",
    "Reading",
    "Recipe",
    "Run",
    "SequenceDataset",
    "Settings",
    "Source",
    "Trust",
    "__version__",
    "ablate",
    "ablation",
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
    "dose",
    "explain",
    "find_motifs",
    "find_seqlets",
    "lay_on_bases",
    "load",
    "load_files",
    "marginal_effect",
    "mismatch_profile",
    "motif_from_string",
    "name_motifs",
    "position",
    "random_background",
    "read",
    "read_crossed",
    "read_dataset",
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
    "spacing",
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


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOME:
        raise AttributeError(f"module 'motiflens' has no attribute {name!r}")
    return getattr(importlib.import_module(f"motiflens.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
