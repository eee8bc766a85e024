"""Sites of discovered motifs in the sequences that they were tested on, as a BED file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from motiflens.datasets import SequenceDataset
from motiflens.files import whole_file
from motiflens.hits.bed import COLUMNS, compress_blocks
from motiflens.pipeline.discovering import Finding

ORDER = ["chrom", "start", "end", "motif_id", "strand"]


def write_sites(findings: Sequence[Finding], dataset: SequenceDataset, path: Path) -> None:
    """Write the sites that the evidence of motifs counts, as bgzip's BED.

    The columns are those of :func:`motiflens.write_hits`, and ``label``, that of the sequence, 1
    or 0. A site lies on the genome where the place of its sequence is known, and otherwise on the
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
    table = pd.concat([_rows(finding, dataset) for finding in findings])
    # Two sequences may have one name: only on the genome is the same place the same site.
    table = table.sort_values(ORDER, kind="stable")
    table = table.drop_duplicates([*ORDER, "sequence", "label"])
    text = table.drop(columns="sequence").to_csv(
        sep="\t", index=False, lineterminator="\n", quoting=csv.QUOTE_NONE
    )
    with whole_file(path) as file:
        file.writelines(compress_blocks([b"#", text.encode()]))


def _rows(finding: Finding, dataset: SequenceDataset) -> pd.DataFrame:
    """Give the columns of the file, after the row of the sequence, -1 for those on the genome."""
    sites, motif = finding.enrichment.sites, finding.motif.name
    rows = sites["sequence"].to_numpy()
    score = -10 * np.log10(np.maximum(sites["p_value"].to_numpy(), 1e-100))
    chrom, start, end, strand = _places(sites, dataset)
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


def _places(sites: pd.DataFrame, dataset: SequenceDataset) -> list[np.ndarray]:
    """Give chromosome, start, end and strand of sites, on the genome where that is known."""
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
    """Tell of each sequence whether its place is known, (N,)."""
    whole = dataset.coordinates
    if whole is None:
        return np.zeros(len(dataset), dtype=bool)
    known: NDArray[np.bool_] = (whole.chrom != "") & (whole.end - whole.start == dataset.lengths)
    return known
