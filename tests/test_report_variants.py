"""Variants that a run has scored: the strongest of them on its page, and how they come there."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from command import motiflens
from motiflens.io.genome import open_genome
from motiflens.report.parts import Table
from motiflens.report.variants import variant_parts
from motiflens.results import Results
from motiflens.results.variants import ScoredAllele
from motiflens.scoring.variant_scores import AlleleScore
from motiflens.scoring.variant_summary import N_SHOWN, Strongest
from variant_runs import SITE, make_genome, make_run, write_vcf


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("variants"))


def score(difference: float | None, percentile: float | None) -> AlleleScore:
    if difference is None:
        return AlleleScore(skipped="star")
    return AlleleScore(
        reference=1.0, alternate=1.0 + difference, difference=difference, percentile=percentile
    )


def test_the_strongest_are_kept_in_order() -> None:
    kept = Strongest()
    for i in range(60):
        kept.add(f"chr1\t{i}\t.\tA\tC,G\t.", [score(i / 10, min(i, 40)), score(None, None)])
    found = [(allele.pos, allele.alt) for allele in kept.alleles]
    # From 40 on all have one percentile, and the difference decides.
    assert found == [(i, "C") for i in range(59, 59 - N_SHOWN, -1)]
    equal = Strongest()
    for i in range(N_SHOWN + 5):
        equal.add(f"chr1\t{i}\t.\tA\tC\t.", [score(-0.5, 10.0)])
    assert [allele.pos for allele in equal.alleles] == list(range(N_SHOWN))


def test_a_scored_file_is_on_the_page_of_its_run(run: Path, tmp_path: Path) -> None:
    genome = make_genome(tmp_path)
    opened = open_genome(genome)
    letters = opened.fetch("chr1", 0, opened.contigs["chr1"].size).upper()
    rows = [f"chr1 {p} . {letters[p - 1]} {'A' if letters[p - 1] != 'A' else 'C'}"
            for p in (30, SITE + 3, 300)] + ["chr9 5 . A C"]  # fmt: skip
    vcf, table = write_vcf(tmp_path / "mine.vcf", rows), tmp_path / "out.tsv"
    options = ("--genome", genome, "-o", tmp_path / "out.vcf", "--table", table, "--threads", "1")
    assert variant_parts(Results(run)) == []
    done = motiflens("variants", run, vcf, *options)
    assert done.returncode == 0, done.stderr
    told = json.loads((run / "variants.json").read_text())
    assert (told["file"], told["genome"], told["output"]) == ("mine.vcf", "genome.fa", "out.vcf")
    assert (told["n_scored"], told["n_skipped"], told["model"]) == (3, 1, "cnn")
    wanted = pd.read_csv(table, sep="\t", na_values=".").dropna(subset="difference")
    wanted["size"] = wanted["difference"].abs()
    wanted = wanted.sort_values(["percentile", "size"], ascending=False)
    assert [one["pos"] for one in told["strongest"]] == wanted["pos"].tolist()
    lost = {one["pos"]: one["lost"] for one in told["strongest"]}
    assert lost == {30: [], SITE + 3: ["AP-1"], 300: []}
    text, shown = variant_parts(Results(run))
    assert text.text.startswith("3 variants of mine.vcf were scored on genome.fa by cnn, 1 skipped")
    assert isinstance(shown, Table)
    assert [row[0].split(":")[1].split()[0] for row in shown.rows] == [
        f"{pos:,}" for pos in wanted["pos"]
    ]
    assert sorted(row[5] for row in shown.rows) == ["AP-1", "–", "–"]


def test_a_long_allele_is_cut_on_the_page(run: Path) -> None:
    names = {"chrom": "chr1", "pos": 1234, "ref": "A" * 40, "alt": "C", "lost": (), "gained": ()}
    figures = {"reference": 1.0, "alternate": -1.0, "difference": -2.0}
    allele = ScoredAllele(**names, **figures, standard_error=None, percentile=99.5)
    results = Results(run)
    found = results.variants
    results.write(type(found)(**{
        name: getattr(found, name) for name in found.__struct_fields__ if name != "strongest"
    }, strongest=(allele,)))  # fmt: skip
    (row,) = variant_parts(results)[1].rows
    assert row == [f"chr1:1,234 {'A' * 12}…>C", "1.00", "−1.00", "−2.00", "99.5", "–", "–"]


def test_a_run_that_cannot_be_written_is_not_told(run: Path, tmp_path: Path) -> None:
    (run / "variants.json").unlink()
    (run / "variants.json").mkdir()
    genome, vcf = make_genome(tmp_path), write_vcf(tmp_path / "mine.vcf", ["chr9 5 . A C"])
    done = motiflens("variants", run, vcf, "--genome", genome, "-o", tmp_path / "out.vcf")
    (run / "variants.json").rmdir()
    assert done.returncode == 0
    assert "will not show these variants" in done.stderr
