"""A small run, a genome with a planted motif, and a model of hand-set weights, to score by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from command import motiflens
from motiflens.io.tables import write_table
from motiflens.models import BothStrands
from motiflens.models.cnn import CNN
from motiflens.motifs import Motif, write_motifs
from motiflens.results.artifacts import ARTIFACTS
from motiflens.scoring.models import ModuleScorer, hash_weights
from toy_models import planted

MOTIF, SITE = "TGACTCA", 200
HYPERPARAMETERS = """
[cnn]
n_filters = 24
kernel_size = 9
[cnn.recipe]
epochs = 2
"""


def random_letters(n: int, seed: int = 0) -> str:
    """Draw n bases."""
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), n))


def make_run(folder: Path) -> Path:
    """Train two seeds of a small model, on windows of 37 bases, and name a motif of it."""
    write_table(planted(), folder / "set.parquet")
    (folder / "small.toml").write_text(HYPERPARAMETERS)
    options = ["--model", "cnn", "--seeds", "2", "--strands", "both", "--threads", "1"]
    trained = motiflens(
        *("train", "set.parquet", "-o", "run", "--hyperparameters", "small.toml", *options),
        cwd=folder,
    )
    assert trained.returncode == 0, trained.stderr
    (folder / "run" / "motifs").mkdir()
    motif = Motif.from_string(MOTIF, name="AP-1")
    write_motifs([motif], folder / "run" / ARTIFACTS["discovery"].path)
    return folder / "run"


def make_genome(folder: Path) -> Path:
    """Write contigs: with a site, of a name with ``:``, with N, and one shorter than a window."""
    letters = random_letters(420)
    contigs = {
        "chr1": letters[:SITE] + MOTIF + letters[SITE + len(MOTIF) :],
        "HLA:a-1": random_letters(150, 1),
        "gaps": random_letters(100, 2) + "N" * 60 + random_letters(100, 3).lower(),
        "short": random_letters(20, 4),
    }
    path = folder / "genome.fa"
    path.write_text("".join(f">{name}\n{text}\n" for name, text in contigs.items()))
    return path


def write_vcf(path: Path, rows: list[str], header: str = "##fileformat=VCFv4.2\n") -> Path:
    """Write rows of CHROM POS ID REF ALT, joined by blanks."""
    columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    lines = ["\t".join([*row.split(" "), ".", "PASS", "AC=1"]) + "\n" for row in rows]
    path.write_text(header + columns * bool(header) + "".join(lines))
    return path


def scorer_of(*members: torch.nn.Module, length: int, both_strands: bool = True) -> ModuleScorer:
    """Return modules as what scores windows of a length."""
    return ModuleScorer(
        name="cnn",
        sha256=hash_weights(members),
        n_seeds=len(members),
        min_length=7,
        length=length,
        both_strands=both_strands,
        members=tuple(member.eval() for member in members),
        device=torch.device("cpu"),
    )


def hand_set(length: int = 41) -> ModuleScorer:
    """Return a model on both strands whose logit is how much of the motif fits, above 4 bases."""
    model = CNN(n_filters=3, kernel_size=len(MOTIF), n_hidden=2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        for column, letter in enumerate(MOTIF):
            model.first.weight[0, "ACGT".index(letter), column] = 1.0
        model.first.bias[0] = -4.0
        model.hidden.weight[0, 0] = model.output.weight[0, 0] = 1.0
    return scorer_of(BothStrands(model), length=length)


def random_cnn(kernel_size: int, seed: int, *, both_strands: bool) -> torch.nn.Module:
    """Return a network of random weights."""
    torch.manual_seed(seed)
    model = CNN(n_filters=11, kernel_size=kernel_size, n_hidden=5)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    return BothStrands(model) if both_strands else model
