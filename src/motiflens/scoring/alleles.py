"""Alleles in a genome: what stands in the window around each, and why some have no window."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from motiflens.errors import InputError
from motiflens.io.genome import MAX_N, Genome
from motiflens.scoring.scorer import Scorer
from motiflens.scoring.variant_files import Record

RefMismatch = Literal["skip", "swap", "fail"]

#: Why an allele has no score → in words.
REASONS = {
    "no_alternate": "no alternate allele",
    "symbolic": "symbolic alleles and breakends",
    "star": "alleles * of a deletion elsewhere",
    "same": "alternates that are the reference allele",
    "unknown_bases": "N or other letters than A, C, G, T in an allele",
    "contig_missing": "on contigs that the genome lacks",
    "outside_contig": "outside their contig",
    "ref_mismatch": "with a REF that is not the genome's",
    "too_long": "longer than half a window",
    "mostly_n": "with more than half of a window N",
    "contig_too_short": "on contigs too short for the model",
}
_BASES = re.compile("[ACGT]+")
#: Records so far apart are read out of the genome apart.
FAR = 5_000


class Allele(NamedTuple):
    """An alternate allele and its reference allele, without the bases that both begin or end with.

    Parameters
    ----------
    chrom
        By its name in the genome.
    start, span
        The bases of the genome in whose place either allele is put; ``span`` may be 0.
    reference, alternate
        Their letters; one of them may have none.
    swapped
        Whether the genome has the alternate.
    """

    chrom: str
    start: int
    span: int
    reference: str
    alternate: str
    swapped: bool = False

    @property
    def is_substitution(self) -> bool:
        """Whether a single base is another one."""
        return len(self.reference) == len(self.alternate) == self.span == 1


@dataclass(frozen=True)
class Stretch:
    """Upper-case letters of a contig from ``start`` on; ``size`` is that of the whole contig."""

    chrom: str
    start: int
    letters: str
    size: int

    def begin(self, allele: Allele, letters: str, length: int) -> int:
        """Return where the window of an allele begins on the contig."""
        size = self.size - allele.span + len(letters)
        centred = allele.start + len(letters) // 2 - length // 2
        return max(min(centred, size - length), 0)

    def window(self, allele: Allele, letters: str, length: int) -> str:
        """Return the window of an allele put into the genome, its middle in the window's middle.

        As long as wanted, taking as many bases of the flanks as it needs. At the ends of a contig
        it is shifted inside; of a contig that is shorter it is all.

        Parameters
        ----------
        allele
            In whose place.
        letters
            What is put there.
        length
            In bases.
        """
        first = self.begin(allele, letters, length)
        last = min(first + length, self.size - allele.span + len(letters))
        left, end = allele.start - self.start, allele.start + len(letters)
        parts = (
            self.letters[first - self.start : left] if first < allele.start else "",
            letters[max(first - allele.start, 0) : max(last - allele.start, 0)],
            self.letters[
                left + allele.span + max(first - end, 0) : left + allele.span + max(last - end, 0)
            ],
        )
        return "".join(parts)


def stretches(
    genome: Genome, records: Sequence[Record], flank: int
) -> Iterator[tuple[Stretch | None, slice]]:
    """Yield the stretch of the genome around records that lie near each other, and which these are.

    Parameters
    ----------
    genome
        What is read.
    records
        In order of position on each contig.
    flank
        Bases on either side that are read too.

    Yields
    ------
    stretch, rows
        None for the stretch where the genome has no such contig.
    """
    begin = 0
    while begin < len(records):
        chrom, end = records[begin].chrom, begin
        reach = last = records[begin].start
        while (
            end < len(records)
            and records[end].chrom == chrom
            and records[end].start <= last + FAR
            and records[end].start >= records[begin].start
        ):
            last = records[end].start
            reach = max(reach, last + len(records[end].reference))
            for alternate in records[end].alternates:
                reach = max(reach, last + len(alternate))
            end += 1
        name = genome.name_of(chrom)
        yield _read(genome, name, records[begin].start, reach, flank), slice(begin, end)
        begin = end


def _read(genome: Genome, name: str | None, first: int, last: int, flank: int) -> Stretch | None:
    if name is None:
        return None
    size = genome.contigs[name].size
    start = min(max(first - flank, 0), size)
    letters = genome.fetch(name, start, min(max(last + flank, start), size))
    return Stretch(name, start, letters.upper(), size)


def alleles_of(
    record: Record, stretch: Stretch | None, mismatch: RefMismatch
) -> list[Allele | str]:
    """Return each alternate allele as it lies in the genome, or the reason why it does not.

    Raises
    ------
    InputError
        For a reference allele that is not the genome's, where this is to fail.
    """
    if not record.alternates:
        return ["no_alternate"]
    reference = record.reference.upper()
    reason = _misplaced(record, reference, stretch)
    if reason is not None or stretch is None:
        return [reason or "contig_missing"] * len(record.alternates)
    at = record.start - stretch.start
    span, swapped = len(reference), ""
    if stretch.letters[at : at + span] != reference:
        swapped = _matching(record, stretch) if mismatch == "swap" else ""
        if mismatch == "fail":
            raise InputError(
                f"REF {record.reference} of {record.chrom}:{record.start + 1} is not the genome's "
                f"{stretch.letters[at : at + span]}",
                remedy="take the genome of the file, or ref_mismatch=skip or swap",
                argument="ref_mismatch",
            )
        if not swapped:
            return ["ref_mismatch"] * len(record.alternates)
        span = len(swapped)
    found: list[Allele | str] = []
    for alternate in map(str.upper, record.alternates):
        reason = _unlike(alternate)
        if not reason and swapped and alternate != swapped:
            reason = "ref_mismatch"
        allele = Allele(stretch.chrom, record.start, span, reference, alternate, bool(swapped))
        found.append(reason or _trimmed(allele))
    return found


def _misplaced(record: Record, reference: str, stretch: Stretch | None) -> str | None:
    """Return why no allele of a record can be put into the genome."""
    if not _BASES.fullmatch(reference):
        return "unknown_bases"
    if stretch is not None and not 0 <= record.start <= stretch.size - len(reference):
        return "outside_contig"
    return None


def _matching(record: Record, stretch: Stretch) -> str:
    """Return the alternate that the genome has; the longest of several."""
    at = record.start - stretch.start
    uppers = (alternate.upper() for alternate in record.alternates)
    found = [u for u in uppers if _BASES.fullmatch(u) and stretch.letters[at : at + len(u)] == u]
    return max(found, key=len, default="")


def _unlike(alternate: str) -> str:
    """Return the reason why an alternate is no sequence of bases; empty where it is one."""
    if alternate == "*":
        return "star"
    if _BASES.fullmatch(alternate.upper()):
        return ""
    return "symbolic" if re.search(r"[<>\[\]]|^\.|\.$", alternate) else "unknown_bases"


def _trimmed(allele: Allele) -> Allele | str:
    """Cut off what both alleles end with, then what both begin with."""
    chrom, start, span, reference, alternate, swapped = allele
    if reference == alternate:
        return "same"
    n = _shared(reference[::-1], alternate[::-1])
    reference, alternate = reference[: len(reference) - n], alternate[: len(alternate) - n]
    first = _shared(reference, alternate)
    return Allele(
        chrom, start + first, span - n - first, reference[first:], alternate[first:], swapped
    )


def _shared(one: str, other: str) -> int:
    n = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        n += 1
    return n


def windows_of(allele: Allele, stretch: Stretch, scorer: Scorer) -> tuple[str, str] | str:
    """Return the windows of the reference and the alternate allele, or why there are none."""
    length = scorer.length
    if max(len(allele.reference), len(allele.alternate)) > length // 2:
        return "too_long"
    found = (
        stretch.window(allele, allele.reference, length),
        stretch.window(allele, allele.alternate, length),
    )
    if min(map(len, found)) < scorer.min_length:
        return "contig_too_short"
    if any(window.count("N") > MAX_N * len(window) for window in found):
        return "mostly_n"
    return found
