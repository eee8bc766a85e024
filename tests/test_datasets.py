"""The data set, its parts and its true sites, and its table form."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motiflens.datasets import (
    Loci,
    SequenceDataset,
    exact_matches,
    mark_sites,
    require_at_least,
    require_two_classes,
)
from motiflens.errors import InputError
from motiflens.io.tables import read_table, write_table
from motiflens.sequences import Site, encode

DATA = Path(__file__).parents[2] / "shared" / "data"
KINDS = ["parquet", "tsv", "csv", "tsv.gz", "csv.gz"]

LETTERS = st.text(alphabet="ACGTN", min_size=1, max_size=20)
NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=6)


@st.composite
def datasets(draw: st.DrawFn) -> SequenceDataset:
    sequences = draw(st.lists(LETTERS, min_size=1, max_size=5))
    n = len(sequences)

    def column(values: st.SearchStrategy) -> list | None:
        return draw(st.none() | st.lists(values, min_size=n, max_size=n))

    with_site = column(st.booleans())
    return SequenceDataset.from_sequences(
        sequences,
        draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)),
        names=column(NAMES),
        split=column(st.sampled_from(["train", "valid", "test"])),
        sites=with_site
        and [
            [Site("a:b", 0, len(text), "-"), Site("c", 0, 1, "+")] * has
            for text, has in zip(sequences, with_site, strict=True)
        ],
        coordinates=draw(st.none() | coordinates(n)),
    )


def coordinates(n: int) -> st.SearchStrategy[Loci]:
    row = st.tuples(NAMES, st.integers(0, 10**11), st.integers(0, 500), st.sampled_from("+-."))
    return st.lists(row, min_size=n, max_size=n).map(
        lambda rows: Loci(
            np.array([chrom for chrom, *_ in rows]),
            np.array([start for _, start, *_ in rows]),
            np.array([start + width for _, start, width, _ in rows]),
            np.array([strand for *_, strand in rows]),
        )
    )


def toy() -> SequenceDataset:
    return SequenceDataset.from_sequences(
        ["ACGTACG", "TTT", "GGNAC", "CC"],
        [1, 0, 1, 0],
        names=["a", "b", "c", "b"],
        split=["train", "test", "train", "valid"],
        sites=[[Site("m", 0, 3, "+")], [], [Site("m", 2, 5, "-")], []],
        coordinates=Loci(
            np.array(["chr1", "2:x", "chr1", ""]),
            np.array([10, 0, 30, 0]),
            np.array([17, 3, 35, 0]),
            np.array(list("+.-.")),
        ),
    )


def assert_same(one: SequenceDataset, other: SequenceDataset) -> None:
    assert one.sequences() == other.sequences()
    np.testing.assert_array_equal(one.labels, other.labels)
    assert one.names.tolist() == other.names.tolist()
    assert (one.split is None) == (other.split is None)
    assert one.split is None or one.split.tolist() == other.split.tolist()
    assert one.sites == other.sites
    assert (one.coordinates is None) == (other.coordinates is None)
    for column in ("chrom", "start", "end", "strand"):
        values = [getattr(data.coordinates, column, np.zeros(0)) for data in (one, other)]
        assert values[0].tolist() == values[1].tolist()


def test_a_data_set_of_strings_has_codes_and_default_names():
    data = SequenceDataset.from_sequences(["ACG", "T"], [1, 0])
    assert len(data) == 2
    assert data.codes.tolist() == [[0, 1, 2], [3, 4, 4]]
    assert (data.codes.dtype, data.lengths.dtype, data.labels.dtype) == (
        np.uint8,
        np.int32,
        np.float32,
    )
    assert data.names.tolist() == ["seq0001", "seq0002"]
    assert data.split is None
    assert data.sites is None


def test_rows_keep_what_belongs_to_them():
    rows = toy().subset([2, 0])
    assert rows.sequences() == ["GGNAC", "ACGTACG"]
    assert rows.names.tolist() == ["c", "a"]
    assert rows.labels.tolist() == [1, 1]
    assert rows.lengths.tolist() == [5, 7]
    assert rows.split.tolist() == ["train", "train"]
    assert rows.sites == ((Site("m", 2, 5, "-"),), (Site("m", 0, 3, "+"),))
    assert rows.coordinates.start.tolist() == [30, 10]
    assert rows.coordinates.end.tolist() == [35, 17]
    assert rows.coordinates.strand.tolist() == ["-", "+"]
    assert_same(toy().subset(np.array([True, False, True, False])), toy().subset([0, 2]))
    assert len(toy().subset([])) == 0


def test_parts_are_the_rows_of_their_split():
    assert toy().part("train").names.tolist() == ["a", "c"]
    assert toy().part("valid").sequences() == ["CC"]
    assert len(replace(toy(), split=np.array(["train"] * 4)).part("test")) == 0
    with pytest.raises(InputError, match="'dev'"):
        toy().part("dev")
    with pytest.raises(InputError, match="without a split"):
        toy().with_split(None).part("train")


def test_one_hot_of_all_and_of_some_rows():
    data = toy()
    assert data.one_hot().shape == (4, 4, 7)
    np.testing.assert_array_equal(data.one_hot([2, 1]), data.one_hot()[[2, 1]])
    assert data.one_hot()[2].sum(axis=0).tolist() == [1, 1, 0, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"labels": np.array([0, 1, 2, 0], np.float32)},
            "the label 2.0 is not 0 or 1 for sequence 3",
        ),
        ({"labels": np.array([0, np.nan, 1, 0], np.float32)}, "nan is not 0 or 1 for sequence 2"),
        ({"labels": np.array([0, 1, 1], np.float32)}, "labels (3,)"),
        ({"names": np.array(["a", "b"])}, "names (2,)"),
        ({"names": np.array(["a", "b", "c", "d\te"])}, "'d\\te'"),
        ({"split": np.array(["train"] * 5)}, "split (5,)"),
        (
            {"split": np.array(["train", "dev", "test", "x"])},
            "'dev' is not train or",
        ),
        ({"sites": ((), ())}, "sites (2,)"),
        (
            {"sites": ((), (), (Site("m", 3, 6, "+"),), ())},
            "m:3-6:+ is not inside c",
        ),
        ({"sites": ((), (), (Site("m", -1, 4, "+"),), ())}, "'m:-1-4:+' is no site"),
        ({"lengths": np.array([7, 3, 5, 0], np.int32)}, "a length of 0"),
        ({"lengths": np.array([7, 3, 5, 8], np.int32)}, "or 8 in codes of 7"),
        ({"lengths": np.array([7, 2, 5, 2], np.int32)}, "a base beyond the end"),
        ({"codes": np.full((4, 7), 5, np.uint8)}, "the code 5"),
        ({"codes": np.full((4, 7), 4, np.int64)}, "codes int64"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(change, message):
    with pytest.raises(InputError, match=re.escape(message)):
        replace(toy(), **change)


def test_two_classes_and_a_width_can_be_asked_for():
    require_two_classes(toy())
    with pytest.raises(InputError, match="all 2 sequences have label 1"):
        require_two_classes(toy().part("train"))
    require_at_least(toy(), 2, "the kernel")
    with pytest.raises(InputError, match="b has 2 bases, fewer than the 3 of the kernel"):
        require_at_least(toy(), 3, "the kernel")


def test_exact_matches_of_an_iupac_string():
    codes, _ = encode(["ACGACT", "NCGTTAC", "AC"])
    assert np.argwhere(exact_matches(codes, "ACK")).tolist() == [[0, 0], [0, 3]]
    starts = [np.flatnonzero(row).tolist() for row in exact_matches(codes, "ny")]
    assert starts == [[0, 3, 4], [2, 3, 5], [0]]
    assert exact_matches(codes, "ACGTACGTA").shape == (3, 0)


def test_sites_are_marked_in_positives_on_the_strands_asked_for():
    data = SequenceDataset.from_sequences(["TTAACGTAACG", "CGTTAACC", "AACGCGTT"], [1, 1, 0])
    forward = mark_sites(data, "aacg")
    assert forward.sites == ((Site("AACG", 2, 6, "+"), Site("AACG", 7, 11, "+")), (), ())
    both = mark_sites(data, "AACG", strands="both")
    assert both.sites[0] == forward.sites[0]
    assert both.sites[1:] == ((Site("AACG", 0, 4, "-"),), ())
    palindrome = mark_sites(data, "TTAA", strands="both")
    assert palindrome.sites == ((Site("TTAA", 0, 4, "+"),), (Site("TTAA", 2, 6, "+"),), ())
    assert mark_sites(data, "RACSB").sites[0] == (Site("RACSB", 2, 7, "+"),)
    with pytest.raises(InputError, match="strands='reverse'"):
        mark_sites(data, "AACG", strands="reverse")


def test_the_fingerprint_sees_everything_but_names():
    data = toy()
    same = data.data_sha256()
    assert len(same) == 64
    assert replace(data, names=np.array(list("wxyz"))).data_sha256() == same
    assert replace(data, coordinates=None).data_sha256() == same
    wider = np.pad(data.codes, ((0, 0), (0, 3)), constant_values=4)
    assert replace(data, codes=wider).data_sha256() == same
    others = [
        data.with_split(None),
        data.with_split(["test", "test", "train", "valid"]),
        data.with_sites(None),
        data.with_sites([[], [], [], []]),
        data.subset([1, 0, 2, 3]),
        replace(data, labels=1 - data.labels),
        SequenceDataset.from_sequences(["ACGTACG", "TTT", "GGNAC", "CA"], data.labels),
    ]
    assert len({same, *(other.data_sha256() for other in others)}) == len(others) + 1


@given(datasets(), st.sampled_from(KINDS))
@settings(max_examples=80)
def test_a_table_gives_back_what_was_written(tmp_path_factory, data, kind):
    path = tmp_path_factory.mktemp("table") / f"data.{kind}"
    write_table(data, path)
    back = read_table(path)
    assert_same(back, data)
    assert back.data_sha256() == data.data_sha256()
    first = path.read_bytes()
    write_table(back, path)
    assert path.read_bytes() == first
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_coordinates_without_one_of_their_columns_are_passed_over(tmp_path):
    text = "sequence,label,chrom,end,start,strand\nACG,1,22:5-9,8,5,\nTT,0,,0,0,-\n"
    where = read_table(written(tmp_path, text)).coordinates
    assert where.chrom.tolist() == ["22:5-9", ""]
    assert (where.start.tolist(), where.end.tolist()) == ([5, 0], [8, 0])
    assert where.strand.tolist() == [".", "-"]
    assert read_table(written(tmp_path, text.replace("end", "stop"))).coordinates is None


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("chr1,5,x,+", "'x' ... in line 3 of FILE"),
        ("chr1,-5,8,+", "'-5' ... in line 3 of FILE"),
        ("chr1,1234567890123,8,+", "'1234567890123' ... in line 3 of FILE"),
        ("chr1,9,8,+", "9 to 8 for sequence 2 ... in FILE"),
        ("chr1,5,8,=", "the strand '=' for sequence 2 ... in FILE"),
        ("ch\x07r1,5,8,+", "a control character in the name of a chromosome in FILE"),
    ],
)
def test_wrong_coordinates_in_a_table_are_refused(tmp_path, row, message):
    path = written(tmp_path, f"sequence,label,chrom,start,end,strand\nA,1,x,1,2,.\nACG,1,{row}\n")
    with pytest.raises(InputError) as caught:
        read_table(path)
    for piece in message.replace("FILE", str(path)).split(" ... "):
        assert piece in str(caught.value)


def test_coordinates_are_columns_of_one_length():
    with pytest.raises(InputError, match="columns of"):
        Loci(np.array(["a", "b"]), np.array([1]), np.array([2]), np.array(["+"]))
    data = toy()
    with pytest.raises(InputError, match=r"coordinates \(3,\)"):
        replace(data, coordinates=data.coordinates.subset(np.array([0, 1, 2])))
    joined = Loci.join([Loci.unknown(2), data.coordinates])
    assert joined.chrom.tolist() == ["", "", "chr1", "2:x", "chr1", ""]
    assert joined.end.tolist() == [0, 0, 17, 3, 35, 0]


def written(tmp_path: Path, text: str, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends_case_and_other_columns_do_not_matter(tmp_path, end, last):
    lines = ["\ufeffLabel,id,Note,SEQUENCE", "1,x,p,acgT", "", '0,y,," GGN"']
    data = read_table(written(tmp_path, end.join(lines) + end * last))
    assert data.sequences() == ["ACGT", "GGN"]
    assert data.labels.tolist() == [1, 0]
    assert data.names.tolist() == ["x", "y"]


@pytest.mark.parametrize("ones", ["1", "1.0", "true", "True", " 1 "])
@pytest.mark.parametrize("zeros", ["0", "0.0", "FALSE"])
def test_spellings_of_a_label(tmp_path, ones, zeros):
    text = f"sequence\tlabel\nA\t{ones}\nC\t{zeros}\n"
    assert read_table(written(tmp_path, text, "t.tsv")).labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    "labels",
    [pa.array([1, 0]), pa.array([1.0, 0.0]), pa.array([True, False]), pa.array(["1", "0"])],
)
def test_labels_of_any_type_in_parquet(tmp_path, labels):
    pq.write_table(pa.table({"label": labels, "sequence": ["AC", "G"]}), tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seqence,label\nA,1\n", "no column is named 'sequence' among 'seqence', 'label' in FILE"),
        ("seqence,label\nA,1\n", "rename the column 'seqence' to 'sequence'"),
        ("sequence\nA\n", "no column is named 'label' among"),
        ("sequence,label,Label\nA,1,1\n", "two columns are named 'label'"),
        ("sequence,label\n", "FILE holds the names of columns and nothing else"),
        ("sequence,label\nAC,1\nAXC,0\n", "'X' at position 2 ... in line 3 of FILE"),
        ("sequence,label\n\nAC,1\n\n  AXC,0\n", "'X' at position 4 ... in line 5 of FILE"),
        ("sequence,label\nAC,1\n,0\n", "there is no sequence ... in line 3 of FILE"),
        ("sequence,label\nAC,1\nA,maybe\n", "'maybe' ... in line 3 of FILE"),
        ("sequence,label\nAC,\n", "'' ... in line 2 of FILE"),
        ("sequence,label\nAC,1\nA\n", "there are 1 values ... in line 3 of FILE"),
        ("sequence,label\nAC,1,1\n", "there are 3 values ... in line 2 of FILE"),
        ("sequence,label,split\nAC,1,fold\n", "'fold' ... in line 2 of FILE"),
        ("sequence,label,sites\nAC,1,m:0-1\n", "'m:0-1' ... in line 2 of FILE"),
        (
            "sequence,label,sites\nAC,1,m:0-3:+\n",
            "m:0-3:+ ... seq0001, which has 2 bases ... FILE",
        ),
        ("", "FILE is empty"),
        (" \n\n", "FILE is empty"),
    ],
)
def test_a_defect_in_a_table_is_named_with_file_and_line(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_table(path)
    for piece in message.replace("FILE", str(path)).split(" ... "):
        assert piece in str(caught.value)


def test_a_value_in_parquet_is_named_with_its_row(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"sequence": ["AC", None], "label": [1, 0]}), path)
    with pytest.raises(InputError, match=r"there is no sequence in row 2 of .*t\.parquet"):
        read_table(path)
    pq.write_table(pa.table({"sequence": ["AC", "A"], "label": [1, 7]}), path)
    with pytest.raises(InputError, match=r"'7' \(1 rows\), not 0 and 1 in .*t\.parquet"):
        read_table(path)
    pq.write_table(pa.table({"sequnce": ["AC", "A"], "label": [1, 7]}), path)
    with pytest.raises(InputError, match="rename the column 'sequnce'"):
        read_table(path)


def test_a_file_that_is_no_parquet_though_it_says_so_is_refused(tmp_path):
    path = written(tmp_path, "sequence,label\nA,1\n", "t.parquet")
    with pytest.raises(InputError, match="is no whole Parquet file"):
        read_table(path)


def test_a_cut_parquet_or_gzip_file_is_refused(tmp_path):
    for kind in ("parquet", "csv.gz"):
        path = tmp_path / f"t.{kind}"
        write_table(toy(), path)
        path.write_bytes(path.read_bytes()[:-5])
        with pytest.raises(InputError):
            read_table(path)


@pytest.mark.parametrize("name", ["t.txt", "t", "t.parquet.gz", "tsv"])
def test_another_ending_is_no_table(tmp_path, name):
    for call in (lambda path: write_table(toy(), path), read_table):
        with pytest.raises(InputError, match=r"is not the name of a table|no such file"):
            call(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_nothing_is_left_where_nothing_can_be_written(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_table(toy(), tmp_path / "missing" / "t.csv")
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_table(toy(), tmp_path / "t.csv")
    assert [entry.name for entry in tmp_path.iterdir()] == ["t.csv"]


TEXTS = st.text(alphabet='sequencelabelACGT01,\t\n\r"xé\ufeff', max_size=60)


@given(TEXTS.map(str.encode) | st.binary(max_size=80), st.sampled_from(KINDS), st.booleans())
@settings(max_examples=150)
def test_any_bytes_are_a_table_or_refused(tmp_path_factory, content, kind, with_header):
    if with_header:
        content = b"sequence,label,sites\n" + content
    path = tmp_path_factory.mktemp("fuzz") / f"t.{kind}"
    path.write_bytes(gzip.compress(content, mtime=0) if kind.endswith("gz") else content)
    try:
        data = read_table(path)
    except InputError:
        return
    assert len(data) > 0


@given(st.data())
@settings(max_examples=100)
def test_a_damaged_parquet_file_is_read_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "t.parquet"
    write_table(toy(), path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        found = read_table(path)
    except InputError:
        return
    assert len(found) > 0
    assert found.codes.max() <= 4
    assert np.isfinite(found.labels).all()
    assert len(found.names) == len(found.labels) == len(found.codes)


@pytest.mark.parametrize(
    ("file", "n"), [("gue/tf/2/test.csv", 1000), ("gue/mouse/2/train.csv.gz", 2620)]
)
def test_tables_of_others_are_read_whole(file, n):
    path = DATA / file
    if not path.exists():
        pytest.skip(f"{file} of the shared test data is not here")
    data = read_table(path)
    assert data.codes.shape == (n, 101)
    assert 0 < data.labels.mean() < 1
