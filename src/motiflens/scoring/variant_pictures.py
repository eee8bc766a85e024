"""One variant drawn: what the bases around it contribute on either allele, hits, scores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from motiflens.attribution import attribute
from motiflens.errors import InputError
from motiflens.files import write_whole
from motiflens.hits import find_hits
from motiflens.motifs.logo_files import png_of
from motiflens.plots.alleles import AlleleTrack, DrawnHit, allele_tracks
from motiflens.scoring.alleles import REASONS, Allele, Stretch, alleles_of, stretches
from motiflens.scoring.motif_changes import P_OF_HITS
from motiflens.scoring.variant_files import Record, VariantFile
from motiflens.scoring.variant_scores import AlleleScore, VariantScoring

#: Bases that are drawn on either side of a variant.
FLANK = 30
#: Letters of an allele that its name shows.
LETTERS_OF_NAME = 12


def find_record(file: VariantFile, place: str) -> Record:
    """Return the variant at a place such as ``chr1:109274968``.

    Raises
    ------
    InputError
        When the place is none, or no variant is there.
    """
    chrom, _, position = place.rpartition(":")
    if not chrom or not position.replace(",", "").isdigit():
        raise InputError(
            f"plot={place} is no place", remedy="write it as chr1:109274968", argument="plot"
        )
    start = int(position.replace(",", "")) - 1
    for row in np.flatnonzero(file.start == start).tolist():
        record = file.records(slice(row, row + 1))[0]
        if record.chrom == chrom:
            return record
    raise InputError(
        f"no variant of {file.path} is at {place}",
        remedy="write chromosome and position as they stand in the file",
        argument="plot",
    )


def check_picture_name(output: Path) -> None:
    """Refuse a file that is not named as a picture."""
    if output.suffix not in (".svg", ".png"):
        raise InputError(
            f"{output} is not named as a picture", remedy="use .svg or .png", argument="output"
        )


def draw_variant(scoring: VariantScoring, record: Record, output: Path) -> list[AlleleScore]:
    """Draw both alleles of a variant, and return the scores of its alternates.

    Letters are as high as what the base contributes: by mutagenesis, its logit less the mean of
    the four bases there, the mean over the seeds.

    Parameters
    ----------
    scoring, record
        What scores, and the variant.
    output
        A picture, ``.svg`` or ``.png``.

    Raises
    ------
    InputError
        When no alternate allele has a score, or the picture has another name or cannot be written.
    """
    check_picture_name(output)
    scores = scoring.score([record])[0]
    flank = scoring.scorer.length + FLANK
    stretch = next(iter(stretches(scoring.genome, [record], flank)))[0]
    found = alleles_of(record, stretch, scoring.mismatch)
    scored = [
        (allele, score, name)
        for allele, score, name in zip(found, scores, record.alternates, strict=True)
        if not score.skipped and isinstance(allele, Allele)
    ]
    if not scored or stretch is None:
        raise InputError(
            f"no alternate allele of {record.chrom}:{record.start + 1} has a score: "
            f"{REASONS[scores[0].skipped]}",
            remedy="choose another variant",
            argument="plot",
        )
    allele, score, alternate = max(scored, key=lambda one: abs(one[1].difference or 0.0))
    names = (
        f"reference {_short(allele.reference)}: score {_number(score.reference)}",
        f"alternate {_short(allele.alternate)}: {_in_words(score)}",
    )
    drawn, first = _within_windows(
        [
            _track(scoring, stretch, allele, letters, name)
            for letters, name in zip((allele.reference, allele.alternate), names, strict=True)
        ]
    )
    others = len(record.alternates) - 1
    svg = allele_tracks(
        drawn,
        (FLANK - first, FLANK - first + max(len(allele.reference), len(allele.alternate))),
        title=f"{record.chrom}:{record.start + 1:,} {_short(record.reference)}>"
        f"{_short(alternate)}{f' (1 of {others + 1} alternates)' if others else ''}, "
        f"{scoring.scorer.name}, mean of {scoring.scorer.n_seeds} seeds",
        start=allele.start - FLANK + first + 1,
    )
    write_whole(output, png_of(svg) if output.suffix == ".png" else svg.encode())
    return scores


def _short(letters: str) -> str:
    if len(letters) <= LETTERS_OF_NAME:
        return letters or "(none)"
    return f"{letters[:LETTERS_OF_NAME]}… ({len(letters)} bases)"


def _number(value: float | None, sign: str = "") -> str:
    """Write a score: two digits after the point, or two that say something where it is small."""
    if value is None:
        return "none"
    return f"{value:{sign}.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:{sign}.2g}"


def _in_words(score: AlleleScore) -> str:
    error = "" if score.standard_error is None else f" ± {_number(score.standard_error)}"
    percentile = "" if score.percentile is None else f", percentile {score.percentile:.1f}"
    difference = _number(score.difference, "+")
    return f"{_number(score.alternate)}, difference {difference}{error}{percentile}"


def _within_windows(tracks: list[AlleleTrack]) -> tuple[list[AlleleTrack], int]:
    """Cut off the columns beyond the window of either allele, and return how many lead."""
    first = min(len(track.letters) - len(track.letters.lstrip()) for track in tracks)
    last = max(len(track.letters.rstrip()) for track in tracks)
    cut = []
    for track in tracks:
        hits = tuple(
            replace(hit, start=hit.start - first, end=hit.end - first) for hit in track.hits
        )
        letters, values = track.letters[first:last], track.values[first:last]
        cut.append(replace(track, letters=letters, values=values, hits=hits))
    return cut, first


def _track(
    scoring: VariantScoring,
    stretch: Stretch,
    allele: Allele,
    letters: str,
    name: str,
) -> AlleleTrack:
    """Explain the window of an allele and cut out what lies around it."""
    window = stretch.window(allele, letters, scoring.scorer.length)
    at = allele.start - stretch.begin(allele, letters, scoring.scorer.length)
    explained = [attribute(one, [window], "ism") for one in scoring.scorer.members]
    values = np.mean([one.track[0] for one in explained], axis=0)
    n_columns = max(len(allele.reference), len(allele.alternate))
    end = at + len(letters)
    gap = n_columns - len(letters)
    shown = np.concatenate(
        [
            np.arange(at - FLANK, end),
            np.full(gap, -1),
            np.arange(end, end + FLANK),
        ]
    )
    known = (shown >= 0) & (shown < len(window))
    row = np.where(known, shown, 0)
    text = "".join(window[place] if ok else " " for place, ok in zip(row, known, strict=True))
    hits = _hits(scoring, window, at, end, gap)
    return AlleleTrack(name, text, np.where(known, values[row], 0.0), hits)


def _hits(
    scoring: VariantScoring, window: str, at: int, end: int, gap: int
) -> tuple[DrawnHit, ...]:
    """Return the hits of the run's motifs that lie in the picture, in its columns."""
    motifs = scoring.motifs.motifs
    if not motifs:
        return ()
    strands = "both" if scoring.scorer.both_strands else "forward"
    hits = find_hits(motifs, [window], p=P_OF_HITS, strands=strands)
    n_columns = 2 * FLANK + end - at + gap
    found = []
    columns = (hits[name].tolist() for name in ("start", "end", "motif", "strand"))
    for begin, stop, number, strand in zip(*columns, strict=True):
        first = begin - at + FLANK + (gap if begin >= end else 0)
        last = stop - at + FLANK + (gap if stop > end else 0)
        if last > 0 and first < n_columns:
            name = f"{motifs[number].alt_name or motifs[number].name} ({strand})"
            found.append(DrawnHit(max(first, 0), min(last, n_columns), name))
    return tuple(found)
