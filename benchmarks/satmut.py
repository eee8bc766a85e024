"""Saturation mutagenesis of promoters and enhancers, measured and predicted.

The measured effects are those of Kircher et al., Nature Communications 10:3583 (2019), in the
folder ``mpra_satmut`` of the shared data. A model of one factor can tell what that factor does and
nothing else, so most of the table is expected to be near zero.

    python -m benchmarks.satmut RUN [RUN ...]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

import motiflens as ml
from benchmarks.peers import ROOT

FOLDER = ROOT.parent / "shared" / "data" / "mpra_satmut"
VCF = FOLDER / "elements_GRCh38_snv_local.vcf.gz"
GENOME = FOLDER / "elements_GRCh38_reference.fa"
#: rs12740374, where the assayed construct seems to carry T.
SORT1, POSITION, NEAR = "SORT1", 317, 10


def measured() -> pd.DataFrame:
    """Return the variants with COEF of INFO, the measured effect."""
    table = pd.read_csv(
        VCF, sep="\t", comment="#", names=["chrom", "pos", "id", "ref", "alt", "q", "f", "info"]
    )
    table["coef"] = table["info"].str.extract(r"COEF=([^;]+)")[0].astype(float)
    return table[["chrom", "pos", "ref", "alt", "coef"]]


def carrying_t(table: pd.DataFrame, folder: Path) -> tuple[Path, pd.DataFrame]:
    """Return SORT1 with T at the position, and its variants as they are then: of T, one to G."""
    lines = GENOME.read_text("ascii").split(">")
    record = next(text for text in lines if text.split()[:1] == [SORT1])
    name, *rest = record.split("\n")
    letters = "".join(rest)
    path = folder / "sort1.fa"
    path.write_text(f">{name}\n{letters[: POSITION - 1]}T{letters[POSITION:]}\n", "ascii")
    own = table[table["chrom"] == SORT1].copy()
    there = own["pos"] == POSITION
    own.loc[there & (own["alt"] == "T"), "alt"] = "G"
    own.loc[there, "ref"] = "T"
    return path, own


def spearman(scored: pd.DataFrame, table: pd.DataFrame) -> pd.Series:
    """Return the rank correlation of difference and effect, by element."""
    both = scored.merge(table, on=["chrom", "pos", "ref", "alt"]).dropna(subset=["difference"])
    return pd.Series(
        {
            element: own["difference"].corr(own["coef"], method="spearman")
            for element, own in both.groupby("chrom")
        }
    )


def main(runs: list[Path], folder: Path) -> None:
    """Print the table factor by element, and what becomes of SORT1's base 317."""
    table, columns = measured(), {}
    for run in runs:
        started = time.perf_counter(), time.process_time()
        scored = ml.score_variants(run, table, GENOME)
        wall, process = time.perf_counter() - started[0], time.process_time() - started[1]
        columns[run.name] = spearman(scored, table)
        print(f"{run.name}: {len(scored)} variants in {wall:.1f} s, {process:.1f} s of processor")
        at = scored[(scored["chrom"] == SORT1) & (scored["pos"] == POSITION)]
        print(at[["ref", "alt", "reference", "difference", "percentile"]].to_string(index=False))
        genome, own = carrying_t(table, folder)
        other = ml.score_variants(run, own, genome)
        for what, near in (("all of it", 10_000), (f"within {NEAR} bases", NEAR)):
            rho = [
                spearman(one[(one["pos"] - POSITION).abs() <= near], of).get(SORT1)
                for one, of in ((scored, table), (other, own))
            ]
            print(f"SORT1, {what}: G at 317 {rho[0]:+.2f}, T there {rho[1]:+.2f}")
    print(pd.DataFrame(columns).to_string(float_format="%+.2f"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main([Path(name) for name in sys.argv[1:]], Path(made))
