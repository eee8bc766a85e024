"""How the scores of variants stand in a VCF and in a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from motiflens.errors import InputError
from motiflens.scoring.alleles import REASONS
from motiflens.scoring.scorer import Scorer
from motiflens.scoring.variant_files import OURS
from motiflens.scoring.variant_scores import AlleleScore
from motiflens.version import __version__

#: Columns of the table, one row an alternate allele.
COLUMNS = (
    *("chrom", "pos", "id", "ref", "alt", "reference", "alternate", "difference"),
    *("standard_error", "percentile", "lost", "gained", "swapped", "skipped"),
)
#: Fields of INFO with a number → what it is.
NUMBERS = {
    "REF": "reference",
    "ALT": "alternate",
    "DIFF": "difference",
    "SE": "standard_error",
    "PCT": "percentile",
}


def check_vcf_name(output: Path) -> None:
    """Refuse a file that is not named as a VCF."""
    if not output.name.endswith((".vcf", ".vcf.gz")):
        raise InputError(
            f"{output} is not named as a VCF", remedy="use .vcf.gz or .vcf", argument="output"
        )


def check_table_name(table: str | None) -> None:
    """Refuse a table, if one is wanted, that is not named as one."""
    if table is not None and not table.lower().endswith((".tsv", ".tsv.gz")):
        raise InputError(
            f"table={table} is not named as a table", remedy="use .tsv or .tsv.gz", argument="table"
        )


def header_lines(scorer: Scorer, settings: Mapping[str, Any]) -> list[str]:
    """Return the lines of a VCF header that say what the fields are."""
    score = f"mean logit of {scorer.n_seeds} seed(s) of {scorer.name}"
    per_allele = [
        ("REF", "Float", f"{score} for the window with the reference allele"),
        ("ALT", "Float", f"{score} for the window with the alternate allele"),
        ("DIFF", "Float", "ML_ALT - ML_REF"),
        ("SE", "Float", "Standard error of ML_DIFF over seeds"),
        (
            "PCT",
            "Float",
            "Percentage of random variants of the same kind in this genome that change the score "
            "less, whatever the sign",
        ),
        ("LOST", "String", "Motifs of the run with a hit on the reference allele alone, by &"),
        ("GAINED", "String", "Motifs of the run with a hit on the alternate allele alone, by &"),
        ("SKIPPED", "String", "Why an alternate allele has no score: " + ", ".join(REASONS)),
    ]
    about = {
        "Version": __version__,
        "Model": scorer.name,
        "ModelSHA256": scorer.sha256,
        "GenomeSHA256": settings["genome"],
        "WindowBases": scorer.length,
        "RefMismatch": settings["ref_mismatch"],
    }
    return [
        f"##motiflensVariants=<{','.join(f'{name}={value}' for name, value in about.items())}>",
        *(
            f"##INFO=<ID={OURS}{name},Number={'.' if name == 'SKIPPED' else 'A'},Type={kind},"
            f'Description="{text}">'
            for name, kind, text in per_allele
        ),
        f'##INFO=<ID={OURS}SWAPPED,Number=0,Type=Flag,Description="The genome has the alternate '
        'allele; ML_DIFF is ALT - REF as they stand here">',
    ]


def info_of(scores: list[AlleleScore]) -> str:
    """Write the scores of a record as fields of INFO; fields that say nothing are left out."""
    fields = []
    if any(not score.skipped for score in scores):
        for name, of in NUMBERS.items():
            values = [getattr(score, of) for score in scores]
            if values != [None] * len(values):
                fields.append(f"{OURS}{name}={','.join(map(_number, values))}")
        for name, motifs in (
            ("LOST", [s.lost for s in scores]),
            ("GAINED", [s.gained for s in scores]),
        ):
            if any(motifs):
                texts = ("&".join(names) or "." for names in motifs)
                fields.append(f"{OURS}{name}={','.join(texts)}")
    if any(score.skipped for score in scores):
        fields.append(f"{OURS}SKIPPED={','.join(score.skipped or '.' for score in scores)}")
    if any(score.swapped for score in scores):
        fields.append(f"{OURS}SWAPPED")
    return ";".join(fields)


def _number(value: float | None) -> str:
    return "." if value is None else f"{value:.6g}"


def table_rows(line: str, scores: list[AlleleScore]) -> str:
    """Return the rows of a record in the table."""
    chrom, position, name, reference, alternates, _ = line.split("\t", 5)
    return "".join(
        "\t".join((chrom, position, name, reference, alternate, *_cells(score))) + "\n"
        for alternate, score in zip(alternates.split(","), scores, strict=True)
    )


def _cells(score: AlleleScore) -> list[str]:
    numbers = (_number(getattr(score, name)) for name in NUMBERS.values())
    names = ("&".join(score.lost) or ".", "&".join(score.gained) or ".")
    return [*numbers, *names, str(int(score.swapped)), score.skipped or "."]
