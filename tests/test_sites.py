"""Sites of discovered motifs, on the genome where it is known and on the sequences where not."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from motiflens.datasets import Loci, SequenceDataset
from motiflens.discovery import DiscoveredMotif, measure_enrichment
from motiflens.discovery.held_out import Finding
from motiflens.discovery.written import write_sites
from motiflens.io.negatives import bind, make_negatives
from motiflens.motifs import motif_from_string
from motiflens.sequences import reverse_complement_string

WORD = "GGCGTACGTTCA"
PLANTED = ((30, "+"), (75, "-"), (140, "+"))
# Chromosome, start, end, strand; the first two overlap on the site at 75, the last has no place.
WINDOWS = (
    ("chr2", 20, 93, "+"),
    ("chr2", 70, 110, "-"),
    ("chr10", 130, 181, "-"),
    ("chr10", 10, 61, "."),
    ("", 20, 60, "."),
)


def genome() -> str:
    """Make letters A and T, with the word at known places of known strands."""
    letters = "".join(np.random.default_rng(0).choice(list("AT"), 200))
    for start, strand in PLANTED:
        word = WORD if strand == "+" else reverse_complement_string(WORD)
        letters = letters[:start] + word + letters[start + len(word) :]
    return letters


def located() -> SequenceDataset:
    letters = genome()
    plus = [letters[start:end] for _, start, end, _ in WINDOWS]
    pairs = zip(plus, WINDOWS, strict=True)
    read = [reverse_complement_string(s) if w[3] == "-" else s for s, w in pairs]
    names = ["a", "b", "c", "d", "a name"]
    dataset = SequenceDataset.from_sequences([*read, "A" * 40], [1] * 5 + [0], names=[*names, "n"])
    known = [window if window[0] else ("", 0, 0, ".") for window in (*WINDOWS, ("", 0, 0, "."))]
    columns = [np.array(column) for column in zip(*known, strict=True)]
    return replace(dataset, coordinates=Loci(*columns))


def written(dataset: SequenceDataset, path: Path) -> pd.DataFrame:
    ppm = 0.97 * motif_from_string(WORD).ppm + 0.03 * 0.25
    motif = DiscoveredMotif("motif-1", ppm)
    (enrichment,) = measure_enrichment([motif], dataset, dataset)
    write_sites([Finding(motif, enrichment)], dataset, path)
    return pd.read_csv(path, sep="\t", dtype={"score": int})


def test_sites_lie_on_the_genome_and_those_of_overlapping_windows_are_one(tmp_path: Path) -> None:
    found = written(located(), tmp_path / "hits.bed.gz")
    places = found[["#chrom", "start", "end", "strand", "motif_id", "label"]]
    assert places.to_numpy().tolist() == [
        ["a_name", 10, 22, "+", "motif-1", 1],
        ["chr10", 30, 42, "+", "motif-1", 1],
        ["chr10", 140, 152, "+", "motif-1", 1],
        ["chr2", 30, 42, "+", "motif-1", 1],
        ["chr2", 75, 87, "-", "motif-1", 1],
    ]
    assert (found["p_value"] <= 1e-5).all()
    assert (np.rint(-10 * np.log10(found["p_value"])) == found["score"]).all()
    packed = (tmp_path / "hits.bed.gz").read_bytes()
    assert gzip.decompress(packed).startswith(b"#chrom\tstart\tend\tname\tscore\tstrand\tmotif_id")
    written(located(), tmp_path / "again.bed.gz")
    assert (tmp_path / "again.bed.gz").read_bytes() == packed


def test_a_site_in_a_positive_and_a_negative_window_is_two_rows(tmp_path: Path) -> None:
    dataset = located()
    # The second window, which overlaps the first on a site, is now a negative.
    labels = np.array([1, 0, 1, 1, 1, 0], dtype=np.float32)
    found = written(replace(dataset, labels=labels), tmp_path / "hits.bed.gz")
    at_75 = found[(found["#chrom"] == "chr2") & (found["start"] == 75)]
    assert sorted(at_75["label"]) == [0, 1]


def test_a_shuffle_has_no_site_on_the_genome(tmp_path: Path) -> None:
    positives = located().subset(np.arange(4))
    shuffles = make_negatives("shuffle", positives, seed=0)
    # Given the word again, since a shuffle has lost it.
    codes = shuffles.codes.copy()
    codes[0, 5:17] = ["ACGT".index(letter) for letter in WORD]
    whole = bind(positives, replace(shuffles, codes=codes))
    found = written(whole, tmp_path / "hits.bed.gz")
    of_shuffles = found[found["label"] == 0]
    assert of_shuffles["#chrom"].tolist() == ["a_shuffled"]
    assert of_shuffles["start"].tolist() == [5]
    assert set(found["#chrom"][found["label"] == 1]) == {"chr2", "chr10"}


def test_without_coordinates_sites_lie_on_the_sequences(tmp_path: Path) -> None:
    dataset = replace(located(), coordinates=None)
    found = written(dataset, tmp_path / "hits.bed.gz")
    sequences = dict(zip(["a", "b", "c", "d", "a_name"], dataset.sequences(), strict=False))
    assert len(found) == 6  # that of the overlap twice
    for row in found.itertuples():
        bases = sequences[row[1]][row.start : row.end]
        assert (bases if row.strand == "+" else reverse_complement_string(bases)) == WORD
