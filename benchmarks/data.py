"""FastSK's CTCF, or what is simulated in its place where ``../shared`` is absent."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from benchmarks.peers import ROOT
from motiflens.datasets import SequenceDataset
from motiflens.io.read import read
from motiflens.motifs import jaspar_core
from motiflens.simulation import Grammar, MotifUse, simulate

FASTSK = ROOT.parent / "shared" / "data" / "fastsk_tfbs"
N, LENGTH = 2_000, 100


def ctcf(folder: Path) -> tuple[Path, Path, str]:
    """Return files of training and test, 2,000 × 100 bp each, and what they are.

    ``MOTIFLENS_DATA`` names another folder with ``CTCF.train.fasta`` and ``CTCF.test.fasta``.
    Where there is none, sequences with CTCF's matrix of JASPAR are written into ``folder``.
    """
    given = Path(os.environ.get("MOTIFLENS_DATA", FASTSK))
    train, test = (given / f"CTCF.{split}.fasta" for split in ("train", "test"))
    if train.is_file() and test.is_file():
        return train, test, "FastSK CTCF"
    motif = next(motif for motif in jaspar_core() if motif.alt_name == "CTCF")
    grammar = Grammar((MotifUse(motif, strands="both"),), n=2 * N, length=LENGTH)
    data = simulate(grammar, 0)
    files = folder / "CTCF.train.fasta", folder / "CTCF.test.fasta"
    for start, path in enumerate(files):
        part = data.subset(np.arange(start, 2 * N, 2))
        lines = zip(part.labels, part.sequences(), strict=True)
        path.write_text("".join(f">{label:.0f}\n{bases}\n" for label, bases in lines), "utf-8")
    return *files, "simulated, of CTCF's matrix"


def read_ctcf(folder: Path) -> tuple[SequenceDataset, str]:
    """Return training and test in one data set, and what it is."""
    train, test, what = ctcf(folder)
    return read(train, test=test), what
