"""What discovery leaves behind: entries of the results, matrices, seqlets, and sites as BED."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from msgspec import convert
from numpy.typing import NDArray

from motiflens.datasets import SequenceDataset
from motiflens.discovery.held_out import Discovery, Finding
from motiflens.files import whole_file, write_whole
from motiflens.hits.bed import COLUMNS, compress_blocks
from motiflens.motifs import Motif, recover, write_motifs
from motiflens.results.base import ClassCounts, Matrix
from motiflens.results.experiments import Ablation
from motiflens.results.motifs import (
    Central,
    ConfirmedMotif,
    DismissedMotif,
    NamedMatch,
    SequencesTested,
    SiteAblation,
)

JASPAR = "JASPAR 2026 CORE vertebrates"

#: Artefacts that discovery makes.
FILES = ("discovery", "discovery_arrays", "seqlets", "sites")

ORDER = ["chrom", "start", "end", "motif_id", "strand"]


def database_name(database: Path | str | None) -> str:
    """Return what a database of known motifs is called."""
    return JASPAR if database is None else Path(database).name


def count_classes(dataset: SequenceDataset) -> ClassCounts:
    """Count positives and negatives."""
    n_positives = int((dataset.labels > 0).sum())
    return ClassCounts(positives=n_positives, negatives=len(dataset) - n_positives)


def count_tested(discovery: Discovery) -> SequencesTested:
    """Count the held-out sequences that motifs were tested on, and the others."""
    counted = discovery.counted
    classes = count_classes(discovery.held_out.subset(counted.held_out))
    return SequencesTested(
        positives=classes.positives,
        negatives=classes.negatives,
        groups=counted.n_groups,
        overlapping=counted.overlapping,
        left_out=counted.left_out,
    )


def note_on_groups(discovery: Discovery) -> str:
    """Say which held-out sequences do not count; nothing where all do."""
    n, counted = len(discovery.held_out), discovery.counted
    texts = []
    if counted.left_out:
        texts.append(
            f"{counted.left_out:,} of the {n:,} sequences of the test split share 31 bases, "
            "directly or by a chain, with those that motifs were found in, and are left out."
        )
    if counted.overlapping:
        texts.append(
            f"{counted.overlapping:,} of {n:,} overlap another of the test split, and a group of "
            "overlapping windows counts once in each class."
        )
    classes = count_classes(discovery.held_out.subset(counted.held_out))
    if not (classes.positives and classes.negatives):
        texts.append(
            "None is left of one class, so no motif can be confirmed: split by homology, and cut "
            "off what all sequences share, such as a primer."
        )
    return " ".join(texts)


def describe(finding: Finding, truths: Sequence[Motif] = ()) -> ConfirmedMotif:
    """Return what is kept of a motif that held-out sequences confirm."""
    motif, enrichment, match = finding.motif, finding.enrichment, finding.match
    named = None if match is None else {**vars(match), "ppm": as_rows(match.ppm)}
    central = enrichment.central
    return ConfirmedMotif(
        name=motif.name,
        consensus=motif.consensus,
        direction=motif.direction,
        ppm=as_rows(motif.ppm),
        cwm=None if motif.cwm is None else as_rows(motif.cwm),
        n_seqlets=motif.n_sites,
        n_sites=enrichment.n_sites,
        p_threshold=enrichment.p_threshold,
        positives_with_site=enrichment.positives_with_site,
        negatives_with_site=enrichment.negatives_with_site,
        p_value=enrichment.p_value,
        log_p_value=enrichment.log_p_value,
        q_value=enrichment.q_value,
        fold=enrichment.fold,
        profile=tuple(enrichment.profile),
        central=None if central is None else convert(central, Central, from_attributes=True),
        mean_contribution=_mean_contribution(finding),
        ablation=_ablation(finding.ablations, finding.n_agreeing),
        match=None if named is None else NamedMatch(**named),
        recovery=recover(motif.ppm, truths) if truths else None,
    )


def describe_dismissed(finding: Finding) -> DismissedMotif:
    """Return what is kept of a motif that held-out sequences do not confirm."""
    return DismissedMotif(
        consensus=finding.motif.consensus,
        direction=finding.motif.direction,
        n_seqlets=finding.motif.n_sites,
        q_value=finding.enrichment.q_value,
    )


def write_discovery(discovery: Discovery, path_of: Callable[[str], Path]) -> None:
    """Write the motifs as MEME text and arrays, their seqlets and sites; remove those of before.

    Parameters
    ----------
    discovery
        Motifs and their evidence.
    path_of
        From the name of an artefact to its path.
    """
    for name in FILES:
        path_of(name).unlink(missing_ok=True)
    if not discovery.found:
        return
    motifs = [
        replace(f.motif, alt_name="" if f.match is None else f.match.name) for f in discovery.found
    ]
    for name in FILES[:2]:
        write_motifs(motifs, path_of(name))
    names = discovery.explained.names
    lines = ["sequence\tstart\tend\tstrand\tmotif\tcontribution"]
    lines += [
        f"{names[s.sequence]}\t{s.start}\t{s.end}\t{s.strand}\t{finding.motif.name}\t{s.score:.6g}"
        for finding in discovery.found
        for s in finding.motif.sites
    ]
    write_whole(path_of("seqlets"), ("\n".join(lines) + "\n").encode())
    write_sites(discovery.found, discovery.held_out, path_of("sites"))


def _mean_contribution(finding: Finding) -> float | None:
    if finding.motif.cwm is None:
        return None
    return float(np.mean([seqlet.score for seqlet in finding.motif.sites]))


def _ablation(ablations: Sequence[Ablation], n_agreeing: int) -> SiteAblation | None:
    """Average the change of the logit over the models."""
    if not ablations:
        return None
    controls = [one.control.mean for one in ablations if one.control is not None]
    by_seed = tuple(one.effect.mean for one in ablations)
    return SiteAblation(
        logit_change=float(np.mean(by_seed)),
        control=float(np.mean(controls)) if controls else None,
        by_seed=by_seed,
        n_seeds=len(ablations),
        n_agreeing=n_agreeing,
    )


def as_rows(matrix: NDArray[np.floating]) -> Matrix:
    """Return a matrix (4, W) as it is kept, rounded to six digits."""
    return tuple(tuple(round(float(value), 6) for value in row) for row in matrix)


def write_sites(findings: Sequence[Finding], dataset: SequenceDataset, path: Path) -> None:
    """Write the sites that the evidence of motifs counts, as bgzip's BED.

    The columns are those of :func:`motiflens.write_hits`, and ``label``, that of the sequence, 1
    or 0. A site lies on the genome where the locus of its sequence is known, and otherwise on the
    sequence, whose name stands for the chromosome. Rows are in the order of chromosome and start,
    as ``tabix`` wants them; where sequences overlap, a site is one row, and one for each label
    where a positive and a negative window hold it.

    Parameters
    ----------
    findings
        Motifs and their evidence.
    dataset
        The sequences of that evidence.
    path
        File to write, ``.bed.gz``.
    """
    table = pd.concat([_site_rows(finding, dataset) for finding in findings])
    # Two sequences may have one name: only on the genome is the same locus the same site.
    table = table.sort_values(ORDER, kind="stable")
    table = table.drop_duplicates([*ORDER, "sequence", "label"])
    text = table.drop(columns="sequence").to_csv(
        sep="\t", index=False, lineterminator="\n", quoting=csv.QUOTE_NONE
    )
    with whole_file(path) as file:
        file.writelines(compress_blocks([b"#", text.encode()]))


def _site_rows(finding: Finding, dataset: SequenceDataset) -> pd.DataFrame:
    """Return the columns of the file, after the row of the sequence, -1 for those on the genome."""
    sites, motif = finding.enrichment.sites, finding.motif.name
    rows = sites["sequence"].to_numpy()
    score = -10 * np.log10(np.maximum(sites["p_value"].to_numpy(), 1e-100))
    chrom, start, end, strand = _loci(sites, dataset)
    columns = (
        np.where(_on_genome(dataset)[rows], -1, rows),
        *(chrom, start, end),
        motif if finding.match is None else finding.match.name,
        np.rint(score).astype(int),
        *(strand, motif),
        sites["score"].map("{:.4f}".format).to_numpy(),
        *(sites[key].map("{:.4g}".format).to_numpy() for key in ("p_value", "q_value")),
        dataset.labels[rows].astype(int),
    )
    return pd.DataFrame(dict(zip(("sequence", *COLUMNS, "label"), columns, strict=True)))


def _loci(sites: pd.DataFrame, dataset: SequenceDataset) -> list[np.ndarray]:
    """Return chromosome, start, end and strand of sites, on the genome where that is known."""
    rows, start, end, strand = (sites[k].to_numpy() for k in ("sequence", "start", "end", "strand"))
    names = np.array(["_".join(name.split()) for name in dataset.names[rows].tolist()], dtype="U")
    whole = dataset.coordinates
    if whole is None:
        return [names, start, end, strand]
    turned = whole.strand[rows] == "-"
    on_genome = [
        whole.chrom[rows],
        np.where(turned, whole.end[rows] - end, whole.start[rows] + start),
        np.where(turned, whole.end[rows] - start, whole.start[rows] + end),
        np.where(turned, np.where(strand == "+", "-", "+"), strand),
    ]
    pairs = zip(on_genome, [names, start, end, strand], strict=True)
    known = _on_genome(dataset)[rows]
    return [np.where(known, there, here) for there, here in pairs]


def _on_genome(dataset: SequenceDataset) -> NDArray[np.bool_]:
    """Return of each sequence whether its locus is known, (N,)."""
    whole = dataset.coordinates
    if whole is None:
        return np.zeros(len(dataset), dtype=bool)
    known: NDArray[np.bool_] = (whole.chrom != "") & (whole.end - whole.start == dataset.lengths)
    return known
