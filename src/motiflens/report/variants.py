"""The section on variants: the strongest of those that were scored with the run."""

from __future__ import annotations

from motiflens.report.parts import MISSING, Part, Table, Text, number, signed
from motiflens.results import Results
from motiflens.results.variants import ScoredAllele

#: Letters of an allele that are shown.
MAX_LETTERS = 12


def variant_parts(results: Results) -> list[Part]:
    """Lay out `variants.json`; nothing where no variant was scored."""
    if not results.holds("variants"):
        return []
    found = results.variants
    text = (
        f"{found.n_scored:,} variants of {found.file} were scored on {found.genome} by "
        f"{found.model}, {found.n_skipped:,} skipped; all are in {found.output}."
    )
    if not found.strongest:
        return [Text(text)]
    head = ["Variant", "Reference", "Alternate", "Difference", "Percentile", "Motifs lost",
            "Motifs gained"]  # fmt: skip
    caption = (
        "Logits of the window with either allele, the mean over seeds; ± the standard error over "
        "seeds. Percentile: of a hundred random variants of the same kind, how many change the "
        "score less."
    )
    name = f"The {len(found.strongest)} strongest"
    return [Text(text), Table(head, [_row(one) for one in found.strongest], name, caption)]


def _row(allele: ScoredAllele) -> list[str]:
    ref, alt = (f"{one[:MAX_LETTERS]}…" if len(one) > MAX_LETTERS else one
                for one in (allele.ref, allele.alt))  # fmt: skip
    error = f" ± {allele.standard_error:.2f}" if allele.standard_error is not None else ""
    return [
        f"{allele.chrom}:{allele.pos:,} {ref}>{alt}",
        number(allele.reference, 2),
        number(allele.alternate, 2),
        f"{signed(allele.difference, 2, '+')}{error}",
        number(allele.percentile, 1),
        ", ".join(allele.lost) or MISSING,
        ", ".join(allele.gained) or MISSING,
    ]
