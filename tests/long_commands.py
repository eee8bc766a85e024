"""The commands that work in tiles, each on a small run, genome and variants."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from tests.toy_models import planted

from motiflens.cli.app import COMMANDS
from motiflens.settings import Settings
from motiflens.stages.compare import compare

#: With files of :func:`write_inputs` in braces. The toy is always there.
CALLS = {
    "digests": "digests 200 --seconds 0.02 -o out.bin",
    "scan": "scan {run} {genome} --stride 1 -o out.bw",
    "variants": "variants {run} {vcf} --genome {genome} -o out.vcf.gz --table out.tsv.gz",
    "mutations": "mutations {run} {bed} --genome {genome} -o out",
}
NAMES = {name for commands in COMMANDS.values() for _, name, *_ in commands}
#: Those of this version.
LONG = [name for name in CALLS if name in NAMES | {"digests"}]
#: ``motiflens``, with the toy.
PROGRAM = [sys.executable, "-m", "tests.toy_command"]

CONTIGS = {"chr1": 150_000, "chr2": 20_011, "short": 11}


def write_inputs(folder: Path) -> dict[str, Path]:
    """Write a run and whatever else the commands take; return the paths by their names."""
    paths = {"run": "run", "genome": "genome.fa", "vcf": "variants.vcf", "bed": "regions.bed"}
    found = {name: folder / path for name, path in paths.items()}
    settings = Settings(models=("cnn",), seeds=2, sizes=(), threads=1)
    compare(planted(), found["run"], settings)
    generator = np.random.default_rng(7)
    contigs = {
        name: "".join(generator.choice(list("ACGT"), size)) for name, size in CONTIGS.items()
    }
    contigs["chr1"] = contigs["chr1"][:70_000] + 500 * "N" + contigs["chr1"][70_500:].lower()
    fasta = (f">{name}\n{bases}\n" for name, bases in contigs.items())
    found["genome"].write_text("".join(fasta))
    lines = ["##fileformat=VCFv4.2"]
    lines += [f"##contig=<ID={name},length={size}>" for name, size in CONTIGS.items()]
    lines += ["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]
    for position in np.sort(generator.choice(CONTIGS["chr1"], 21_000, replace=False)):
        ref = contigs["chr1"][position].upper()
        alt = "ACGT".replace(ref, "")[position % 3]
        lines.append(f"chr1\t{position + 1}\t.\t{ref}\t{alt}\t.\t.\t.")
    found["vcf"].write_text("\n".join(lines) + "\n")
    found["bed"].write_text("chr1\t0\t2000\nchr1\t69000\t72000\nchr2\t100\t20011\n")
    return found
