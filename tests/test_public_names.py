"""The public names of the package are what they say, whatever has been imported before."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import motiflens

MODULES = [
    found.name
    for found in pkgutil.walk_packages(motiflens.__path__, "motiflens.")
    if not found.name.endswith("__main__")
]
NAMES = sorted(set(motiflens.__all__) - {"InputError", "__version__"})


@pytest.fixture(scope="module", autouse=True)
def _everything_imported() -> None:
    for name in MODULES:
        importlib.import_module(name)


def test_every_public_name_has_a_home() -> None:
    assert dir(motiflens) == motiflens.__all__
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_no_module_stands_where_a_public_name_is_promised(name: str) -> None:
    assert not isinstance(getattr(motiflens, name), ModuleType)


@pytest.mark.parametrize("package", [name for name in MODULES if name.count(".") == 1])
def test_neither_in_a_package(package: str) -> None:
    module = importlib.import_module(package)
    public = {name: getattr(module, name) for name in getattr(module, "__all__", ())}
    assert not [name for name, found in public.items() if isinstance(found, ModuleType)]


#: Those of before 0.3, less the ones that are there still.
FORMER = [
    "DataFiles",
    "Job",
    "MotifArrays",
    "Origin",
    "Reading",
    "Source",
    "Trust",
    "ablation",
    "audit_parts",
    "check_output",
    "compare",
    "cross_negatives",
    "discover",
    "discover_in_sequences",
    "discover_without_model",
    "dose",
    "explain",
    "find_motifs",
    "lay_on_bases",
    "load",
    "load_files",
    "marginal_effect",
    "mismatch_profile",
    "motif_from_string",
    "name_motifs",
    "position",
    "random_background",
    "read_crossed",
    "read_dataset",
    "read_grammar",
    "read_meme",
    "read_motif_arrays",
    "read_motif_file",
    "run_experiments",
    "save_for_modisco",
    "scan",
    "shuffled_background",
    "spacing",
    "split_at_random",
    "substitute",
    "true_bases",
    "trust",
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

PUBLIC = [
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


def test_the_public_names_are_these() -> None:
    assert sorted(motiflens.__all__) == PUBLIC
    assert len(PUBLIC) <= 48


@pytest.mark.parametrize("name", FORMER)
def test_a_former_name_says_where_it_went(name: str) -> None:
    with pytest.raises(AttributeError, match=rf"motiflens\.{name} is now motiflens\.\w+") as caught:
        getattr(motiflens, name)
    found = motiflens
    for part in re.findall(r"is now motiflens\.([\w.]*\w)", str(caught.value))[0].split("."):
        inside = f"{getattr(found, '__name__', '')}.{part}"
        found = importlib.import_module(inside) if inside in MODULES else getattr(found, part)
    assert callable(found)


def test_a_name_that_never_was_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="never"):
        getattr(motiflens, "never")  # noqa: B009


USER = """
import numpy as np
import torch
import motiflens as ml

dataset: ml.SequenceDataset = ml.split(ml.simulate(n=200), test=0.2)
models: list[ml.TrainedModel] = ml.train(dataset, "cnn", seeds=2)
logits: np.ndarray = models[0].predict(["ACGT"]) + ml.predict(torch.nn.Flatten(), dataset)
explained: ml.Attributions = ml.attribute(models[0], dataset, "ism", target=0, progress=True)
other: str = ml.reverse_complement("ACGT")
others: list[str] = ml.reverse_complement(["ACGT"])
array: np.ndarray = ml.reverse_complement(ml.one_hot("ACGT"))
mutants: np.ndarray = ml.saturation_mutagenesis(models[0], "ACGT", 0, 2)
effect: float = ml.marginalize(models[0], "ACGT").effect
motifs: list[ml.Motif] = ml.read_motifs("known.meme")
ml.write_motifs(list(ml.discover_motifs(explained)), "found.meme")
p: float = ml.find_hits(motifs, dataset)["p_value"].min()
run: ml.Run = ml.load_run("out")
verdict: str = run.results.trust.models["cnn"].verdict
ml.predict(run.models["cnn"], ["ACGT"])
seed: ml.TrainedModel = run.models["cnn"].seeds[0]
ml.plot_track(explained).set_title("one sequence")
"""


@pytest.mark.slow
def test_a_users_script_is_typed(tmp_path: Path) -> None:
    (tmp_path / "user.py").write_text(USER)
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "user.py"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
