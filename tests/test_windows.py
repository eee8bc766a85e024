"""What becomes of windows that are taken out of a genome."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from tests.as_pairs import read_fasta

from motiflens.datasets import Loci
from motiflens.errors import InputError
from motiflens.io.bed import read_loci
from motiflens.io.genome import Genome, extract, open_genome

DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def genome(tmp_path) -> Genome:
    path = tmp_path / "g.fa"
    path.write_text(">chr1\nACGTnNacgtACCA\n>22:5-9\nGGNTT\n>MT\nCCCCCCCCCCTG\n")
    return open_genome(path)


def shared(file: str) -> Path:
    path = DATA / file
    if not path.exists():
        pytest.skip(f"{file} of the shared test data is not here")
    return path


def loci(*rows: tuple[str, int, int, str]) -> Loci:
    chrom, start, end, strand = map(np.array, zip(*rows, strict=True))
    names = np.array(["x", "x", *[""] * len(rows)])[: len(rows)]
    return Loci(chrom, start, end, strand, names, np.full(len(rows), -1))


def test_what_becomes_of_each_window(genome):
    windows = extract(
        genome,
        loci(
            ("chr1", 6, 12, "+"),
            ("1", 7, 13, "-"),  # by its other name, and reverse-complemented
            ("chr9", 0, 3, "+"),  # missing
            ("chr1", -1, 4, "+"),  # over the ends
            ("22:5-9", 3, 6, "+"),
            ("chr1", 3, 7, "+"),  # half N: kept
            ("chr1", 3, 6, "+"),  # more than half: dropped
            ("MT", 0, 4, "."),
            ("MT", 3, 7, "-"),
            ("chrM", 4, 8, "."),  # equal to a former
        ),
    )
    assert windows.sequences == ["ACGTAC", "GGTACG", "TNNA", "CCCC", "GGGG", "CCCC"]
    assert windows.counts == {
        "rows": 10,
        "missing_contig": 1,
        "over_end": 2,
        "mostly_n": 1,
        "kept": 6,
        "renamed_contig": 2,
        "with_n": 1,
        "duplicates": 1,
    }
    np.testing.assert_allclose(windows.repeat, [4 / 6, 3 / 6, 2 / 4, 0, 0, 0], rtol=1e-6)
    where = windows.loci
    assert where.chrom.tolist() == ["chr1", "chr1", "chr1", "MT", "MT", "MT"]
    assert where.start.tolist() == [6, 7, 3, 0, 3, 4]
    assert where.end.tolist() == [12, 13, 7, 4, 7, 8]
    assert "".join(where.strand) == "+-+.-."
    assert windows.loci.names() == ["x", "x", "chr1:3-7", "MT:0-4", "MT:3-7", "MT:4-8"]


def test_when_no_window_is_left_it_is_said_why(genome):
    with pytest.raises(InputError) as caught:
        extract(genome, loci(("chr9", 0, 3, "+"), ("MT", 9, 13, "+"), ("chr1", 3, 6, "+")))
    assert (
        "of 3, 1 on chromosomes that it lacks, 1 beyond the end of a chromosome, 1 mostly N, "
        f"such as MT:9-13, where MT of {genome.path} has 12 bases" in str(caught.value)
    )


def test_regions_of_others_equal_what_they_extracted():
    genome = open_genome(shared("gimmemotifs/scan_test.genome_chr1_3Mb.fa.gz"))
    windows = extract(genome, read_loci(shared("gimmemotifs/scan_test_regions.bed")))
    expected = read_fasta(shared("gimmemotifs/scan_test_regions.fa"))
    assert len(expected) == 58
    assert windows.sequences == [sequence.upper() for _, sequence in expected]
    assert windows.loci.names() == [name for name, _ in expected]
    masked = [np.mean([letter.islower() for letter in sequence]) for _, sequence in expected]
    np.testing.assert_allclose(windows.repeat, masked, rtol=1e-6)


def test_sites_of_a_bacterium_are_where_the_genome_has_them():
    path = shared("ecoli_regulondb/MG1655-K12.fasta.gz")
    loci = read_loci(shared("ecoli_regulondb/sites.bed"))
    windows = extract(open_genome(path), loci)
    assert windows.counts["kept"] == len(loci) == 2271
    whole = "".join(gzip.decompress(path.read_bytes()).decode().split("\n")[1:])
    other = whole.translate(str.maketrans("ACGT", "TGCA"))
    for row, sequence in enumerate(windows.sequences):
        start, end = loci.start[row], loci.end[row]
        strand = loci.strand[row]
        assert sequence == (other[start:end][::-1] if strand == "-" else whole[start:end])
    # CpxR binds GTAAA twice, in one direction: on the wrong strand that would be TTTAC.
    cpxr = [s for s, name in zip(windows.sequences, loci.name, strict=True) if name == "CpxR"]
    assert sum("GTAA" in site for site in cpxr) > 1.5 * sum("TTAC" in site for site in cpxr)


def test_peaks_on_a_contig_with_a_colon_in_its_name():
    genome = open_genome(shared("human_chr22_20_21M/22_20-21M.fa.gz"))
    loci = read_loci(
        shared("human_chr22_20_21M/encode_dream_hg19_local.narrowPeak"), name_pattern="CTCF_*"
    )
    windows = extract(genome, loci.windows(101))
    assert windows.counts["kept"] == windows.counts["rows"] == 266
    assert {len(sequence) for sequence in windows.sequences} == {101}
    assert genome.fetch("22:20000001-21000000", 0, 1_000_000).count("N") == 100_000
