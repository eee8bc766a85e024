"""BED and narrowPeak: rows, headers, summits, windows, and any bytes."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motiflens.datasets import Loci
from motiflens.errors import InputError
from motiflens.io.bed import read_loci

DATA = Path(__file__).parents[2] / "shared" / "data"

PEAKS = (
    "track name=peaks\n"
    "browser position chr1:1-9\n"
    "# chr9\t1\t2\n"
    "chr1\t100\t140\tA_x\t7\t+\t1.5\t-1\t3\t4\n"
    "\n"
    "22:5-9\t7\t20\t.\t7\t-\t1.5\t-1\t3\t-1\n"
    "chr1\t100\t140\tB_x\t7\t.\t1.5\t-1\t3\t40\n"
)


def shared(file: str) -> Path:
    path = DATA / file
    if not path.exists():
        pytest.skip(f"{file} of the shared test data is not here")
    return path


def written(folder: Path, text: str, name: str = "x.bed") -> Path:
    content = text.encode()
    (folder / name).write_bytes(gzip.compress(content, mtime=0) if name.endswith("gz") else content)
    return folder / name


def columns(loci: Loci) -> list[tuple]:
    every = (loci.chrom, loci.start, loci.end, loci.strand, loci.name, loci.summit)
    return list(zip(*(column.tolist() for column in every), strict=True))


@pytest.mark.parametrize("name", ["x.narrowPeak", "x.bed.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "\n"])
def test_a_narrow_peak_file_in_any_form(tmp_path, name, end, last):
    path = written(tmp_path, (PEAKS.rstrip("\n") + last).replace("\n", end), name)
    assert columns(read_loci(path)) == [
        ("chr1", 100, 140, "+", "A_x", 104),
        ("22:5-9", 7, 20, "-", "", -1),
        ("chr1", 100, 140, ".", "B_x", 140),
    ]


def test_bgzip_is_read_whole(tmp_path):
    (tmp_path / "x.bed.gz").write_bytes(
        gzip.compress(b"a\t1\t2\n", mtime=0) + gzip.compress(b"b\t3\t4\n", mtime=0)
    )
    assert read_loci(tmp_path / "x.bed.gz").chrom.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("chr1\t5\t8", ("chr1", 5, 8, ".", "", -1)),
        ("chr1 5   8", ("chr1", 5, 8, ".", "", -1)),
        ("chr 1\t5\t8\ta b", ("chr 1", 5, 8, ".", "a b", -1)),
        ("chr1\t5\t8\tn\t0", ("chr1", 5, 8, ".", "n", -1)),
        ("chr1\t5\t8\tn\t0\t-", ("chr1", 5, 8, "-", "n", -1)),
        # nine and twelve columns are other formats, whose tenth is no summit
        ("chr1\t5\t8\tn\t0\t-\t1\t2\t3", ("chr1", 5, 8, "-", "n", -1)),
        ("chr1\t5\t8\tn\t0\t+\t5\t8\t0\t1\t3,\t0,", ("chr1", 5, 8, "+", "n", -1)),
    ],
)
def test_three_to_many_columns(tmp_path, line, row):
    assert columns(read_loci(written(tmp_path, line))) == [row]


def test_names_are_chosen_by_a_pattern(tmp_path):
    path = written(tmp_path, PEAKS)
    assert read_loci(path, name_pattern="?_x").summit.tolist() == [104, 140]
    assert read_loci(path, name_pattern="B*").name.tolist() == ["B_x"]
    with pytest.raises(InputError) as caught:
        read_loci(path, name_pattern="b*")
    assert "no peak is named 'b*'" in str(caught.value)
    assert "B_x (1 rows)" in str(caught.value)


def test_windows_lie_around_the_summit_or_the_middle(tmp_path):
    loci = read_loci(written(tmp_path, PEAKS))
    assert loci.windows(None) is loci
    even, odd = loci.windows(10), loci.windows(5)
    assert (even.start.tolist(), even.end.tolist()) == ([99, 8, 135], [109, 18, 145])
    assert (odd.start.tolist(), odd.end.tolist()) == ([102, 11, 138], [107, 16, 143])
    assert loci.windows(100).start.tolist() == [54, -37, 90]
    assert even.name.tolist() == ["A_x", "", "B_x"]
    with pytest.raises(InputError, match="width=0"):
        loci.windows(0)
    assert columns(loci.subset([2, 0])) == [columns(loci)[2], columns(loci)[0]]
    assert columns(loci.subset(np.array([False, True, False]))) == [columns(loci)[1]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("chr1\t5", "there are 2 columns, where the first row has 3, ... in line 3 of FILE"),
        ("chr1\t5\t8\tx", "there are 4 columns, where the first row has 3, ... in line 3 of FILE"),
        ("chr1\tx\t8", "'x' ... in line 3 of FILE"),
        ("chr1\t-5\t8", "'-5' ... in line 3 of FILE"),
        ("chr1\t5\t8.5", "'8.5' ... in line 3 of FILE"),
        ("chr1\t5\t9999999999999999999999", "'9999999999999999999999' ... in line 3 of FILE"),
        ("chr1\t8\t8", "'chr1', 8 to 8, strand '.' ... in line 3 of FILE"),
        ("\t5\t8", "'', 5 to 8"),
    ],
)
def test_a_line_that_is_none_is_named_with_its_place(tmp_path, line, message):
    path = written(tmp_path, f"#\nchr1\t1\t2\n{line}\n")
    with pytest.raises(InputError) as caught:
        read_loci(path)
    for piece in message.replace("FILE", str(path)).split(" ... "):
        assert piece in str(caught.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("chr1\t5\t8\tn\t0\t*", r"strand '\*' is no interval in line 1"),
        (
            "chr1\t5\t8\tn\t0\t+\t1\t2\t3\t4",
            "the summit 4, .* its interval, 5 to 8, in line 1",
        ),
        ("chr1\t5\t8\tn\t0\t+\t1\t2\t3\t-2", "'-2' is not a whole number from 0 in line 1"),
        ("chr1\t5", "there are 2 columns in line 1"),
        ("#chr1\t5\t8", "has no rows; check how"),
    ],
)
def test_a_first_line_that_is_none_is_named_too(tmp_path, line, message):
    with pytest.raises(InputError, match=message):
        read_loci(written(tmp_path, line))


CONTENT = st.binary(max_size=60) | st.lists(
    st.lists(st.sampled_from(["chr1", "0", "5", "9", "+", "-", ".", "-1", "é", "track", "#"])),
    max_size=4,
).map(lambda rows: "\n".join("\t".join(row) for row in rows).encode())


@given(CONTENT, st.sampled_from(["x.bed", "x.bed.gz"]), st.sampled_from([None, "*", "5"]))
@settings(max_examples=200)
def test_any_bytes_are_loci_or_refused(tmp_path_factory, content, name, pattern):
    path = tmp_path_factory.mktemp("fuzz") / name
    path.write_bytes(gzip.compress(content, mtime=0) if name.endswith("gz") else content)
    try:
        loci = read_loci(path, name_pattern=pattern)
    except InputError:
        return
    assert len(loci) > 0
    assert (loci.start < loci.end).all()
    assert set(loci.windows(3).end - loci.windows(3).start) == {3}


def test_peaks_of_others_are_read_whole():
    local = shared("human_chr22_20_21M/encode_dream_hg19_local.narrowPeak")
    loci = read_loci(local)
    assert len(loci) == 1782
    assert set(loci.chrom) == {"22:20000001-21000000"}
    assert len(set(loci.name)) == 104
    assert (loci.summit >= loci.start).all()
    assert len(read_loci(local, name_pattern="CTCF_*")) == 266
    nrf1 = read_loci(shared("gimmemotifs/NRF1.bed"))
    assert (len(nrf1), nrf1.summit[0]) == (500, 231337796 + 134)
    rest = shared("encode_dream_peaks/ChIPseq.H1-hESC.REST.conservative.train.narrowPeak.gz")
    assert len(read_loci(rest)) == 14082
