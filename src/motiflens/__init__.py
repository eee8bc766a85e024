"""motiflens: what DNA sequence models look at, and how far to believe it.

The public names stand in ``__init__.pyi``. Each is imported when it is first used, so that
``import motiflens`` and ``motiflens --help`` do not wait for PyTorch.
"""

from __future__ import annotations

from typing import Any

import lazy_loader

_find, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

#: Public names of before 0.3 → what is in their place.
_RENAMED = {
    "DataFiles": "read, which takes valid and test",
    "Job": "training.Job",
    "MotifArrays": "Motif, which has contributions where they are known",
    "Origin": "runs.Origin",
    "Reading": "read, which returns the data set",
    "Source": "read, which takes its fields",
    "Trust": "results.trust.ModelTrust",
    "ablation": "ablate, or perturbation.ablate_sites for sites of each sequence",
    "audit_parts": "audit",
    "check_output": "runs.Output",
    "compare": "stages.compare.compare",
    "cross_negatives": "stages.negative_sets.cross_negatives",
    "discover": "discover_motifs",
    "discover_in_sequences": "discover_motifs",
    "discover_without_model": "discovery.sequences_alone.discover_without_model",
    "dose": "perturbation.copy_number_effect",
    "explain": "stages.explain.explain",
    "find_motifs": "discovery.find_motifs",
    "lay_on_bases": "models.project_to_bases",
    "load": "load_run",
    "load_files": "read, which takes valid and test",
    "marginal_effect": "marginalize",
    "mismatch_profile": "perturbation.mismatch_profile",
    "motif_from_string": "Motif.from_string",
    "name_motifs": "match_motifs",
    "position": "perturbation.position_effect",
    "random_background": "perturbation.random_background",
    "read_crossed": "stages.negative_sets.read_negative_sets",
    "read_dataset": "read",
    "read_grammar": "simulation.read_grammar; motiflens.simulate takes the file itself",
    "read_meme": "read_motifs",
    "read_motif_arrays": "read_motifs",
    "read_motif_file": "read_motifs",
    "run_experiments": "stages.experiments.experiments",
    "save_for_modisco": "attribution.save_for_modisco",
    "scan": "find_hits",
    "shuffled_background": "perturbation.shuffled_background",
    "spacing": "space",
    "split_at_random": "split",
    "substitute": "perturbation.substitute",
    "true_bases": "evidence.true_bases",
    "trust": "stages.trust.trust",
    "tutorial_grammar": "simulation.tutorial_grammar; motiflens.simulate() draws its data",
    "write_bed": "attribution.export.write_bed",
    "write_big_wig": "attribution.export.write_big_wig",
    "write_hits": "hits.write_hits",
    "write_logos": "motifs.logo_files.write_logos",
    "write_meme": "write_motifs",
    "write_motif_arrays": "write_motifs",
    "write_report": "report.write_report",
    "write_table": "io.tables.write_table",
}


def __getattr__(name: str) -> Any:
    """Import a public name, or say what has taken the place of a former one."""
    if name in _RENAMED:
        raise AttributeError(f"motiflens.{name} is now motiflens.{_RENAMED[name]}")
    return _find(name)
