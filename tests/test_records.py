"""FASTA read and read back, and the places that its headers tell."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.as_pairs import read_fasta

from motiflens.io.read import read

FASTA = ">a first\nACGT\nacg\n\n>b\nTTN\n"


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    content = text.encode()
    path.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
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


def test_headers_that_say_where_a_sequence_lies(tmp_path):
    zero_based = written(tmp_path, "z.fa", ">chr1:5-9\nACGT\n>22:5-9:0-3(-)\nACG\n")
    # A shuffle has no place.
    where = read(zero_based, negatives="shuffle").coordinates
    assert where.chrom.tolist() == ["chr1", "22:5-9", "", ""]
    assert (where.start.tolist(), where.end.tolist()) == ([5, 0, 0, 0], [9, 3, 0, 0])
    assert where.strand.tolist() == [".", "-", ".", "."]
    one_based = written(tmp_path, "o.fa", ">chr1:5-8\nACGT\n")
    negatives = written(tmp_path, "n.fa", ">other\nAAC\n")
    mixed = read(one_based, negatives=negatives).coordinates
    assert mixed.chrom.tolist() == ["chr1", ""]
    assert (mixed.start.tolist(), mixed.end.tolist()) == ([4, 0], [8, 0])
    for header in ("chr1:5-10", "chr1:0-3", "chr1:9-5", "chr1"):
        path = written(tmp_path, "x.fa", f">{header}\nACGT\n")
        assert read(path, negatives=negatives).coordinates is None
