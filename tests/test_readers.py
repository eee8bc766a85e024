"""FASTA, files of lines, tables: all become one data set, or one clear error."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motiflens.datasets import SequenceDataset, exact_matches, write_table
from motiflens.errors import InputError
from motiflens.readers import read_dataset, read_fasta

DATA = Path(__file__).parents[2] / "shared" / "data"

FASTA = ">a first\nACGT\nacg\n\n>b\nTTN\n"


def shared(file: str) -> Path:
    path = DATA / file
    if not path.exists():
        pytest.skip(f"{file} of the shared test data is not here")
    return path


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    content = text.encode()
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


@pytest.mark.parametrize("name", ["x.fa", "x.fasta", "x.FNA", "x.fa.gz", "x.txt", "x"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_fasta_over_several_lines_in_any_form(tmp_path, name, end):
    path = written(tmp_path, name, FASTA.replace("\n", end))
    assert read_fasta(path) == [("a", "ACGTacg"), ("b", "TTN")]


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[!-~]{1,6}", fullmatch=True),
            st.text(alphabet="ACGTNacgtn", min_size=1, max_size=25),
        ),
        min_size=1,
        max_size=4,
    ),
    st.integers(1, 30),
    st.sampled_from(["x.fa", "x.fa.gz"]),
)
@settings(max_examples=60)
def test_written_fasta_is_read_back(tmp_path_factory, records, width, name):
    text = "".join(
        f">{title}  more\n" + "".join(s[i : i + width] + "\n" for i in range(0, len(s), width))
        for title, s in records
    )
    path = written(tmp_path_factory.mktemp("fasta"), name, text)
    assert read_fasta(path) == records


def test_positives_and_negatives(tmp_path):
    positives = written(tmp_path, "p.fa", FASTA)
    negatives = written(tmp_path, "n.fasta.gz", ">c\nGGGGG\n")
    data = read_dataset(positives, negatives=negatives)
    assert data.sequences() == ["ACGTACG", "TTN", "GGGGG"]
    assert data.labels.tolist() == [1, 1, 0]
    assert data.names.tolist() == ["a", "b", "c"]
    lines = read_dataset(positives, negatives=written(tmp_path, "n.txt", "GG\n"))
    assert lines.names.tolist() == ["a", "b", "negative0001"]


def test_labels_in_headers(tmp_path):
    data = read_dataset(written(tmp_path, "x.fa", ">0\nACG\n>1 b\nTT\n"))
    assert data.labels.tolist() == [0, 1]
    assert data.names.tolist() == ["seq0001", "seq0002"]


@pytest.mark.parametrize("last", ["", "\n", "\r\n\r\n"])
def test_sequences_and_labels_a_line_each(tmp_path, last):
    sequences = written(tmp_path, "s.txt", "ACG\r\nttn " + last)
    data = read_dataset(sequences, labels=written(tmp_path, "l.txt", "0\n1.0" + last))
    assert data.sequences() == ["ACG", "TTN"]
    assert data.labels.tolist() == [0, 1]
    fasta = read_dataset(written(tmp_path, "s.fa", FASTA), labels=tmp_path / "l.txt")
    assert fasta.names.tolist() == ["a", "b"]


def test_a_table_is_known_by_its_ending(tmp_path):
    data = SequenceDataset.from_sequences(["ACG", "T"], [1, 0], names=["x", "y"])
    for name in ("t.parquet", "t.tsv.gz"):
        write_table(data, tmp_path / name)
        assert read_dataset(tmp_path / name).names.tolist() == ["x", "y"]
    with pytest.raises(InputError, match="a table has its labels in the column"):
        read_dataset(tmp_path / "t.parquet", labels="l.txt")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.fa", ">a\nACGT\nACXT\n", "'X' at position 3 in line 3 of FILE"),
        ("x.fa", ">a\n  ACXT\n", "'X' at position 5 in line 2 of FILE"),
        ("x.fa", "\nACGT\n>a\nA\n", "'ACGT' in line 2 of FILE"),
        ("x.fa", "ACGT\n", "a FASTA file begins with a header"),
        ("x.fa", ">a\nAC\n>b\n\n>c\nA\n", "'>b' without one in line 3 of FILE"),
        ("x.fa", ">a\nAC\n>b", "'>b' without one in line 3 of FILE"),
        ("x.txt", "ACGT\nAC-T\n", "'-' at position 3 in line 2 of FILE"),
        ("x.txt", "ACGT\n\nACGT\n", "an empty sequence in line 2 of FILE"),
        ("x.txt", "", "the empty file FILE"),
        ("x.fa", "\ufeff\u2003\n", "the empty file FILE"),
        ("x.fa.gz", "", "the empty file FILE"),
    ],
)
def test_a_defect_in_sequences_is_named_with_its_place(tmp_path, name, text, message):
    path = written(tmp_path, name, text)
    labels = written(tmp_path, "l.txt", "1\n0\n")
    with pytest.raises(InputError) as caught:
        read_dataset(path, labels=labels)
    assert message.replace("FILE", str(path)) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\n2\n0\n", "'2' in line 2 of FILE"),
        ("1\nyes\n0\n", "'yes' in line 2 of FILE"),
        ("1\n\n0\n", "'' in line 2 of FILE"),
        ("1\n0\n", "2 labels in FILE for 3 sequences in"),
        ("1\n0\n0\n1\n", "4 labels in FILE for 3 sequences in"),
    ],
)
def test_a_defect_in_labels_is_named_with_its_place(tmp_path, text, message):
    sequences = written(tmp_path, "s.txt", "ACG\nTT\nG\n")
    labels = written(tmp_path, "l.txt", text)
    with pytest.raises(InputError) as caught:
        read_dataset(sequences, labels=labels)
    assert message.replace("FILE", str(labels)) in str(caught.value)


def test_it_must_be_told_where_the_labels_are(tmp_path):
    path = written(tmp_path, "x.fa", ">1\nACGT\n>chr1:5-9\nACCT\n")
    with pytest.raises(InputError, match="no label for the sequence in line 3 of"):
        read_dataset(path)
    with pytest.raises(InputError, match="no label for the sequence in line 1 of"):
        read_dataset(written(tmp_path, "x.txt", "ACG\n"))
    with pytest.raises(InputError, match="labels come from one place"):
        read_dataset(path, labels=path, negatives=path)


def test_a_missing_file_offers_the_nearest_name(tmp_path):
    written(tmp_path, "sequences.txt", "ACG\n")
    with pytest.raises(InputError) as caught:
        read_dataset(tmp_path / "sequence.txt")
    assert caught.value.got == f"no such file: {tmp_path / 'sequence.txt'}"
    assert caught.value.remedy == f"did you mean {tmp_path / 'sequences.txt'}?"
    with pytest.raises(InputError, match="no such file"):
        read_dataset(tmp_path / "no" / "folder.fa")


@pytest.mark.parametrize("name", ["a\0b.fa", "x" * 300 + ".txt", "a\0b.parquet"])
def test_a_name_that_no_file_can_have_is_refused(tmp_path, name):
    with pytest.raises(InputError):
        read_dataset(tmp_path / name)


def test_a_directory_is_no_input(tmp_path):
    for name in ("d.txt", "d.fa", "d.parquet", "d.csv.gz"):
        (tmp_path / name).mkdir()
        with pytest.raises(InputError, match="got the directory"):
            read_dataset(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.fa", b">a\nAC\n>b\n\xff\xfe\n", "the byte 0xff in line 4"),
        ("x.txt", b"ACG\nA\0C\n", "one in line 2"),
        ("x.fa.gz", b">a\nACG\n", r"a file named \.gz is a whole gzip file"),
        ("x.fa.gz", gzip.compress(b">a\nACG\n")[:-6], r"a file named \.gz is a whole gzip file"),
        ("x.fa", gzip.compress(b">a\nACG\n"), r"gzip data in .*x\.fa"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_dataset(tmp_path / name)


CONTENT = st.binary(max_size=60) | st.text(alphabet=">01ACGTNx \n\r\té\0\x1c", max_size=60).map(
    str.encode
)


@given(CONTENT, CONTENT, st.sampled_from([".fa", ".txt", "", ".fa.gz"]), st.integers(0, 2))
@settings(max_examples=300)
def test_any_bytes_are_a_data_set_or_refused(tmp_path_factory, content, other, ending, how):
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / f"x{ending}").write_bytes(
        gzip.compress(content) if ending.endswith("gz") and how else content
    )
    (folder / "other").write_bytes(other)
    options = [{}, {"labels": folder / "other"}, {"negatives": folder / "other"}][how]
    try:
        data = read_dataset(folder / f"x{ending}", **options)
    except InputError:
        return
    assert len(data) > 0
    assert data.lengths.min() > 0


def test_the_primer_set_is_read_as_its_description_says():
    data = read_dataset(shared("primer/sequences.txt"), labels=shared("primer/labels.txt"))
    assert data.codes.shape == (2000, 50)
    assert (data.lengths == 50).all()
    assert data.labels.sum() == 987
    matches = exact_matches(data.codes, "CGACCGAACTCC")
    assert (matches.sum(axis=1) == data.labels).all()


def test_fasta_files_of_others_are_read_whole():
    stem = "lsgkm_nfe2/wgEncodeSydhTfbsGm12878Nfe2hStdAlnRep0."
    data = read_dataset(shared(stem + "tr.fa"), negatives=shared(stem + "neg.tr.fa"))
    assert (len(data), data.labels.sum()) == (1288, 644)
    assert (data.lengths.min(), data.lengths.max()) == (59, 247)
    headers = read_dataset(shared("fastsk_tfbs/CTCF.train.fasta"))
    assert (len(headers), headers.labels.mean()) == (2000, 0.5)
    assert len(read_fasta(shared("deepstarr_demo_ctcf_pu1/ctcf.fa.gz"))) == 39184
