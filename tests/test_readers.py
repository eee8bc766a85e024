"""FASTA, files of lines, tables: all become one data set, or one clear error."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.as_pairs import read_fasta

from motiflens.datasets import SequenceDataset, exact_matches
from motiflens.errors import InputError
from motiflens.io.bed import read_loci
from motiflens.io.options import ReadOptions
from motiflens.io.read import read, read_files
from motiflens.io.tables import write_table

DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


FASTA = ">a first\nACGT\nacg\n\n>b\nTTN\n"


def read_source(path, *, negatives=None, **options):
    negatives = None if negatives is None else str(negatives)
    return read_files(path, ReadOptions(negatives=negatives, **options))


def shared(file: str) -> Path:
    path = DATA / file
    if not path.exists():
        pytest.skip(f"{file} of the shared test data is not here")
    return path


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    content = text.encode()
    path.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
    return path


def test_positives_and_negatives(tmp_path):
    positives = written(tmp_path, "p.fa", FASTA)
    negatives = written(tmp_path, "n.fasta.gz", ">c\nGGGGG\n")
    data = read(positives, negatives=negatives)
    assert data.sequences() == ["ACGTACG", "TTN", "GGGGG"]
    assert data.labels.tolist() == [1, 1, 0]
    assert data.names.tolist() == ["a", "b", "c"]
    lines = read(positives, negatives=written(tmp_path, "n.txt", "GG\n"))
    assert lines.names.tolist() == ["a", "b", "negative0001"]


def test_labels_in_headers(tmp_path):
    data = read(written(tmp_path, "x.fa", ">0\nACG\n>1 b\nTT\n"))
    assert data.labels.tolist() == [0, 1]
    assert data.names.tolist() == ["seq0001", "seq0002"]


@pytest.mark.parametrize("last", ["", "\n", "\r\n\r\n"])
def test_sequences_and_labels_a_line_each(tmp_path, last):
    sequences = written(tmp_path, "s.txt", "ACG\r\nttn " + last)
    data = read(sequences, labels=written(tmp_path, "l.txt", "0\n1.0" + last))
    assert data.sequences() == ["ACG", "TTN"]
    assert data.labels.tolist() == [0, 1]
    fasta = read(written(tmp_path, "s.fa", FASTA), labels=tmp_path / "l.txt")
    assert fasta.names.tolist() == ["a", "b"]


def test_a_table_is_known_by_its_ending(tmp_path):
    data = SequenceDataset.from_sequences(["ACG", "T"], [1, 0], names=["x", "y"])
    for name in ("t.parquet", "t.tsv.gz"):
        write_table(data, tmp_path / name)
        assert read(tmp_path / name).names.tolist() == ["x", "y"]
    with pytest.raises(InputError, match=r"labels=l\.txt is for .* is a table"):
        read(tmp_path / "t.parquet", labels="l.txt")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.fa", ">a\nACGT\nACXT\n", "'X' at position 3 ... in line 3 of FILE"),
        ("x.fa", ">a\n  ACXT\n", "'X' at position 5 ... in line 2 of FILE"),
        ("x.fa", "\nACGT\n>a\nA\n", "'ACGT' in line 2 of FILE"),
        ("x.fa", "ACGT\n", "no header, '>name', comes before"),
        ("x.fa", ">a\nAC\n>b\n\n>c\nA\n", "no sequence follows '>b' ... in line 3 of FILE"),
        ("x.fa", ">a\nAC\n>b", "no sequence follows '>b' ... in line 3 of FILE"),
        ("x.txt", "ACGT\nAC-T\n", "'-' at position 3 ... in line 2 of FILE"),
        ("x.txt", "ACGT\n\nACGT\n", "there is no sequence ... in line 2 of FILE"),
        ("x.txt", "", "FILE is empty"),
        ("x.fa", "\ufeff\u2003\n", "FILE is empty"),
        ("x.fa.gz", "", "FILE is empty"),
    ],
)
def test_a_defect_in_sequences_is_named_with_its_place(tmp_path, name, text, message):
    path = written(tmp_path, name, text)
    labels = written(tmp_path, "l.txt", "1\n0\n")
    with pytest.raises(InputError) as caught:
        read(path, labels=labels)
    for piece in message.replace("FILE", str(path)).split(" ... "):
        assert piece in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\n2\n0\n", "3 classes, 0, 1, 2, in FILE"),
        ("1\nyes\n0\n", "'yes' ... in line 2 of FILE"),
        ("1\n\n0\n", "'' ... in line 2 of FILE"),
        ("1\n0\n", "2 labels in FILE for 3 sequences in"),
        ("1\n0\n0\n1\n", "4 labels in FILE for 3 sequences in"),
    ],
)
def test_a_defect_in_labels_is_named_with_its_place(tmp_path, text, message):
    sequences = written(tmp_path, "s.txt", "ACG\nTT\nG\n")
    labels = written(tmp_path, "l.txt", text)
    with pytest.raises(InputError) as caught:
        read(sequences, labels=labels)
    for piece in message.replace("FILE", str(labels)).split(" ... "):
        assert piece in str(caught.value)


def test_it_must_be_told_where_the_labels_are(tmp_path):
    path = written(tmp_path, "x.fa", ">1\nACGT\n>chr1:5-9\nACCT\n")
    with pytest.raises(InputError, match="no label for the sequence in line 3 of"):
        read(path)
    with pytest.raises(InputError, match="no label for the sequence in line 1 of"):
        read(written(tmp_path, "x.txt", "ACG\n"))
    with pytest.raises(InputError, match=r"there are labels=.* and negatives="):
        read(path, labels=path, negatives=path)


def test_a_missing_file_offers_the_nearest_name(tmp_path):
    written(tmp_path, "sequences.txt", "ACG\n")
    with pytest.raises(InputError) as caught:
        read(tmp_path / "sequence.txt")
    assert caught.value.problem == f"no such file: {tmp_path / 'sequence.txt'}"
    assert caught.value.remedy == f"did you mean {tmp_path / 'sequences.txt'}?"
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "no" / "folder.fa")


@pytest.mark.parametrize("name", ["a\0b.fa", "x" * 300 + ".txt", "a\0b.parquet"])
def test_a_name_that_no_file_can_have_is_refused(tmp_path, name):
    with pytest.raises(InputError):
        read(tmp_path / name)


def test_a_directory_is_no_input(tmp_path):
    for name in ("d.txt", "d.fa", "d.parquet", "d.csv.gz"):
        (tmp_path / name).mkdir()
        with pytest.raises(InputError, match="is a folder"):
            read(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.fa", b">a\nAC\n>b\n\xff\xfe\n", "the byte 0xff in line 4"),
        ("x.txt", b"ACG\nA\0C\n", "a zero byte in line 2"),
        ("x.fa.gz", b">a\nACG\n", "is no whole gzip file"),
        (
            "x.fa.gz",
            gzip.compress(b">a\nACG\n", mtime=0)[:-6],
            "is no whole gzip file",
        ),
        ("x.fa", gzip.compress(b">a\nACG\n", mtime=0), r"x\.fa holds gzip data"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read(tmp_path / name)


CONTENT = st.binary(max_size=60) | st.text(alphabet=">01ACGTNx \n\r\té\0\x1c", max_size=60).map(
    str.encode
)


@given(CONTENT, CONTENT, st.sampled_from([".fa", ".txt", "", ".fa.gz"]), st.integers(0, 2))
@settings(max_examples=300)
def test_any_bytes_are_a_data_set_or_refused(tmp_path_factory, content, other, ending, how):
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / f"x{ending}").write_bytes(
        gzip.compress(content, mtime=0) if ending.endswith("gz") and how else content
    )
    (folder / "other").write_bytes(other)
    options = [{}, {"labels": folder / "other"}, {"negatives": folder / "other"}][how]
    try:
        data = read(folder / f"x{ending}", **options)
    except InputError:
        return
    assert len(data) > 0
    assert data.lengths.min() > 0


def test_the_primer_set_is_read_as_its_description_says():
    data = read(shared("primer/sequences.txt"), labels=shared("primer/labels.txt"))
    assert data.codes.shape == (2000, 50)
    assert (data.lengths == 50).all()
    assert data.labels.sum() == 987
    matches = exact_matches(data.codes, "CGACCGAACTCC")
    assert (matches.sum(axis=1) == data.labels).all()


def test_fasta_files_of_others_are_read_whole():
    stem = "lsgkm_nfe2/wgEncodeSydhTfbsGm12878Nfe2hStdAlnRep0."
    data = read(shared(stem + "tr.fa"), negatives=shared(stem + "neg.tr.fa"))
    assert (len(data), data.labels.sum()) == (1288, 644)
    assert (data.lengths.min(), data.lengths.max()) == (59, 247)
    headers = read(shared("fastsk_tfbs/CTCF.train.fasta"))
    assert (len(headers), headers.labels.mean()) == (2000, 0.5)
    assert len(read_fasta(shared("deepstarr_demo_ctcf_pu1/ctcf.fa.gz"))) == 39184


def test_two_columns_of_labels_have_the_positives_first(tmp_path):
    sequences = written(tmp_path, "s.txt", "ACG\nTT\nG\n")
    reading = read_source(sequences, labels=written(tmp_path, "l.txt", "1\t0\n0 1\n0\t1\n"))
    assert reading.dataset.labels.tolist() == [1, 0, 0]
    assert "two columns; the first is taken for the positives" in reading.notes[0]
    assert reading.negatives == "given"
    for line in ("1 1", "0 0", "1 2", "0 1 0"):
        labels = written(tmp_path, "l.txt", f"1\t0\n{line}\n0\t1\n")
        with pytest.raises(InputError, match="in line 2 of"):
            read(sequences, labels=labels)


def test_labels_in_headers_are_not_overruled(tmp_path):
    path = written(tmp_path, "x.fa", ">1\nACG\n>0\nTT\n")
    with pytest.raises(InputError, match="the label 0 in line 3 of"):
        read(path, negatives="shuffle")
    only_ones = written(tmp_path, "y.fa", ">1\nACG\n>1\nTT\n")
    assert read(only_ones, negatives="shuffle").labels.tolist() == [1, 1, 0, 0]


def peaks(folder: Path) -> dict[str, Path]:
    written(folder, "g.fa", ">chr1\n" + "ACGGTtacgc" * 60 + "\n>chr2\n" + "N" * 30 + "ACGT" * 3)
    rows = [
        "1\t5\t15\ta_x\t0\t+",
        "1\t5\t15\ta_y\t0\t-",
        "chr2\t0\t35\tb\t0\t.",
        "chr7\t1\t4\tb\t0\t.",
    ]
    rows += ["chr1\t0\t4\ta_z\t0\t."]
    return {"path": written(folder, "p.bed", "\n".join(rows)), "genome": folder / "g.fa"}


def test_peaks_become_windows_with_matched_negatives(tmp_path):
    reading = read_source(**peaks(tmp_path), width=6)
    data = reading.dataset
    assert reading.negatives == "matched"
    assert data.sequences()[:2] == ["CGCACG", "CGTGCG"]
    assert data.names[:2].tolist() == ["a_x", "a_y"]
    assert data.coordinates.chrom.tolist() == ["chr1"] * 4
    assert data.labels.tolist() == [1, 1, 0, 0]
    assert (data.coordinates.start[2:] >= 15).all()
    assert reading.notes[:5] == (
        "2 of 5 rows became windows",
        "1 windows dropped, as the genome lacks their contig",
        "1 windows dropped, as they go over the end of their contig",
        "1 windows dropped, as more than half of them is N",
        "2 windows found under the contig's other name, with or without chr",
    )


def test_sequences_with_their_place_in_the_header_take_matched_negatives(tmp_path):
    genome = peaks(tmp_path)["genome"]
    path = written(tmp_path, "x.txt", ">chr1:5-15\nTACGCACGGT\n>chr1:40-50\nACGGTTACGC\n")
    one, two = (read(path, genome=genome, negatives="matched", seed=seed) for seed in (1, 2))
    assert one.coordinates.start[:2].tolist() == [5, 40]
    assert (one.coordinates.end - one.coordinates.start).tolist() == [10] * 4
    assert one.coordinates.start[2:].tolist() != two.coordinates.start[2:].tolist()


def test_peaks_by_name_as_they_are_with_other_negatives(tmp_path):
    reading = read_source(**peaks(tmp_path), peak_name="a_[xy]", negatives="shuffle")
    assert reading.negatives == "shuffle"
    assert reading.dataset.lengths.tolist() == [10] * 4
    assert reading.dataset.names.tolist() == ["a_x", "a_y", "a_x_shuffled", "a_y_shuffled"]
    with pytest.raises(InputError, match="no peak is named 'c'"):
        read(**peaks(tmp_path), peak_name="c")


@pytest.mark.parametrize(("longest", "width"), [(1000, None), (1001, None), (1001, 60)])
def test_long_intervals_without_a_width_are_told_of(tmp_path, longest, width):
    genome = written(tmp_path, "long.fa", ">chr1\n" + "ACGGTtacgc" * 300)
    rows = f"chr1\t0\t40\nchr1\t100\t{100 + longest}\n"
    reading = read_source(
        written(tmp_path, "p.bed", rows), genome=genome, width=width, negatives="shuffle"
    )
    told = [note for note in reading.notes if "width=200" in note]
    assert len(told) == (longest == 1001 and width is None)
    assert all("the longest with 1,001 bp" in note for note in told)


def test_options_go_with_their_kind_of_file(tmp_path):
    bed = peaks(tmp_path)["path"]
    fasta = written(tmp_path, "x.fa", FASTA)
    with pytest.raises(InputError, match="needs genome=FILE"):
        read(bed)
    with pytest.raises(InputError, match="labels=l is for FASTA"):
        read(bed, genome="g.fa", labels="l")
    with pytest.raises(InputError, match=r"width=9 is for a BED file, and .* is FASTA"):
        read(fasta, width=9, negatives="shuffle")
    with pytest.raises(InputError, match="genome=g is for a BED file or FASTA"):
        read(fasta, signal_column=2, genome="g")
    with pytest.raises(InputError, match="positive_sd=2 and no signal_column"):
        read(fasta, positive_sd=2)
    with pytest.raises(InputError, match="the positives have no coordinates"):
        read(fasta, negatives="matched", genome=tmp_path / "g.fa")


def test_with_a_genome_any_other_name_is_a_bed_file(tmp_path):
    files = peaks(tmp_path)
    renamed = files["path"].rename(tmp_path / "peaks.txt")
    assert len(read(renamed, genome=files["genome"], width=6)) == 4


ROWS = st.lists(
    st.lists(st.sampled_from(["chr1", "ACG", "0", "5", "9", "1", "-", ".", "seq", "Bound"])),
    max_size=4,
).map(lambda rows: "\n".join("\t".join(row) for row in rows).encode())


@given(
    st.binary(max_size=60) | ROWS | ROWS.map(lambda rows: b"seq\tBound\n" + rows),
    st.sampled_from([".bed", ".seq", ".txt", ".seq.gz"]),
    st.booleans(),
)
@settings(max_examples=300)
def test_any_bytes_of_any_kind_are_a_data_set_or_refused(tmp_path_factory, content, ending, more):
    folder = tmp_path_factory.mktemp("fuzz")
    path = folder / f"x{ending}"
    path.write_bytes(gzip.compress(content, mtime=0) if ending.endswith("gz") else content)
    genome = written(folder, "g.fa", ">chr1\nACGGTTACGCACGGTTACGC\n")
    options = {
        ".bed": {"genome": genome, "width": 3 if more else None},
        ".txt": {"signal_column": 2, "positive_sd": 0.5},
    }.get(ending, {"negatives": "shuffle"} if more else {})
    try:
        data = read(path, **options)
    except InputError:
        return
    assert len(data) > 0
    assert data.lengths.min() > 0


def test_peaks_of_others_get_negatives_like_them():
    folder = "human_chr22_20_21M/"
    path = shared(folder + "encode_dream_hg19_local.narrowPeak")
    data = read(
        path,
        genome=shared(folder + "22_20-21M.fa.gz"),
        peak_name="CTCF_*",
        width=200,
    )
    assert [int((data.labels == label).sum()) for label in (1, 0)] == [266, 266]
    gc = np.isin(data.codes, (1, 2)).mean(axis=1)
    assert abs(gc[data.labels == 1].mean() - gc[data.labels == 0].mean()) < 0.01
    assert (data.codes < 4).all()
    negative = data.subset(data.labels == 0).coordinates
    peaks = read_loci(path, name_pattern="CTCF_*")
    for start, end in zip(peaks.start, peaks.end, strict=True):
        assert not ((negative.start < end) & (negative.end > start)).any()
