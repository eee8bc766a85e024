"""Data sets in files: what comes out is what went in, a row at a time and never as a whole."""

import contextlib
import gzip
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.toy_models import planted, weights

from motiflens.datasets import MappedDataset, SequenceDataset, open_mapped
from motiflens.errors import InputError
from motiflens.io import mapped
from motiflens.io.mapped import Entry, convert_streaming, stream_entries
from motiflens.io.read import read
from motiflens.io.tables import read_table, write_table
from motiflens.training import Job, Recipe, train
from motiflens.training.data import EncodedData


def assert_same(one: SequenceDataset, other: SequenceDataset) -> None:
    for name in ("codes", "lengths", "labels", "names", "split"):
        a, b = getattr(one, name), getattr(other, name)
        assert np.array_equal(a, b), name
        assert a is b or a.dtype == b.dtype


def entries(data: SequenceDataset) -> list[Entry]:
    columns = (data.sequences(), data.labels.tolist(), data.names.tolist(), data.split.tolist())
    return [Entry(*row) for row in zip(*columns, strict=True)]


SEQUENCES = st.lists(
    st.tuples(st.text("ACGTN", min_size=1, max_size=9), st.sampled_from([0.0, 1.0])),
    min_size=1,
    max_size=7,
)


@settings(max_examples=40, deadline=None)
@given(rows=SEQUENCES, chunk=st.integers(1, 4))
def test_any_sequences_come_back(
    rows: list[tuple[str, float]], chunk: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("mapped") / "x.motiflens"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(mapped, "CHUNK", chunk)
        made = convert_streaming((Entry(*row) for row in rows), folder)
    expected = SequenceDataset.from_sequences([s for s, _ in rows], [label for _, label in rows])
    assert_same(made, expected)
    assert isinstance(made.codes, np.memmap)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv.gz", "a.parquet"])
def test_a_table_is_converted_as_it_is_read(name: str, tmp_path: Path) -> None:
    write_table(planted(33, shorter=True), tmp_path / name)
    made = convert_streaming(tmp_path / name, tmp_path / "a.motiflens")
    assert_same(made, read_table(tmp_path / name))
    assert sorted(path.name for path in (tmp_path / "a.motiflens").iterdir()) == [
        "codes.npy",
        "dataset.json",
        "labels.npy",
        "lengths.npy",
        "names.npy",
        "split.npy",
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_fasta_with_labels_in_its_headers_is_converted_as_it_is_read(
    end: str, tmp_path: Path
) -> None:
    text = end.join([">1 first", "ACGT", "acgn", "", ">0", "TTT", ">1", "C"])
    path = tmp_path / "a.fa.gz"
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    assert_same(convert_streaming(path, tmp_path / "a.motiflens"), read(path))


def test_equal_data_give_equal_bytes_and_the_sha256_tells_others(tmp_path: Path) -> None:
    data = planted(33)
    one, two, other = (
        convert_streaming(rows, tmp_path / name)
        for name, rows in [
            ("1", entries(data)),
            ("2", entries(data)),
            ("3", [*entries(data)[:-1], Entry("ACGT", 1.0, "seq0033", "test")]),
        ]
    )
    assert one.sha256 == two.sha256 != other.sha256
    assert one.fingerprint() == two.fingerprint() != other.fingerprint()
    assert one.fingerprint() != one.with_split(data.split[::-1]).fingerprint()


def test_training_takes_rows_from_the_file_and_gives_the_same_weights(tmp_path: Path) -> None:
    data = planted(shorter=True)
    made = convert_streaming(entries(data), tmp_path / "a.motiflens")
    job = Job("attention", (0, 3), Recipe(epochs=2, rc_augment=True, rc_average=True))
    for one, other in zip(train(data, job, threads=1), train(made, job, threads=1), strict=True):
        assert torch.equal(weights(one.model), weights(other.model))
    encoded = EncodedData.of(made, "cpu", torch.float32)
    assert encoded.codes.data_ptr() == made.codes.ctypes.data
    resplit = made.with_split(np.full(len(made), "train"))
    assert isinstance(resplit, MappedDataset)
    assert type(made.subset([2, 5])) is SequenceDataset


def test_conversion_holds_a_few_sequences_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapped, "CHUNK", 500)
    tracemalloc.start()
    made = convert_streaming((Entry("ACGT" * 100, 1.0) for _ in range(20_000)), tmp_path / "a")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert made.codes.nbytes == 8_000_000
    assert peak < 3_000_000


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "sequence,label\nACGT,1\nACXT,0\n", "'X' at position 3 .* in line 3"),
        ("a.csv", "sequence,label\nACGT,2\n", "'2' .* in line 2"),
        ("a.csv", "sequence,label\nACGT\n", "1 values.* in line 2"),
        ("a.csv", "sequence,label,split\nACGT,1,fold\n", "'fold' .* in line 2"),
        ("a.csv", "read,label\nACGT,1\n", "no column is named 'sequence'"),
        ("a.csv", "", "is empty"),
        ("a.csv", "sequence,label\n", "no sequences"),
        ("a.csv", "sequence,label,name\nACGT,1,a\x01b\n", "sequences 1 to 1"),
        ("a.fa", ">1\nAC\n>0\n>1\nA\n", "no sequence follows '>0' in line 3"),
        ("a.fa", ">1\nAC\n>x\nA\n", "'x' .* in line 3"),
        ("a.fa", ">1\nAC\nA-\n", "'-' at position 2 .* in line 3"),
        ("a.fa", "AC\n>1\nA\n", "no header.* in line 1"),
        ("a.fa", "", "is empty"),
        ("a.fa.gz", ">1\nAC\n", "whole gzip file"),
        ("a.parquet", "x", "Parquet"),
        ("b.csv", None, "no such file"),
    ],
)
def test_what_breaks_a_rule_is_told_with_its_place_and_leaves_nothing(
    name: str, text: str | None, message: str, tmp_path: Path
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        convert_streaming(tmp_path / name, tmp_path / "a.motiflens")
    assert [path.name for path in tmp_path.iterdir()] == ([] if text is None else [name])


@settings(max_examples=100, deadline=None)
@given(
    content=st.binary()
    | st.text("ACGT,;\t\n\r\"'>01 ", max_size=60).map(
        lambda text: b"sequence,label\n" + text.encode()
    ),
    name=st.sampled_from(["a.csv", "a.tsv", "a.csv.gz", "a.fa", "a.fa.gz", "a.parquet"]),
)
def test_any_bytes_give_entries_or_an_input_error(
    content: bytes, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(content)
    found: list[Entry] = []
    with contextlib.suppress(InputError):
        found.extend(stream_entries(path))
    assert all(entry.label in (0, 1) and entry.sequence for entry in found)


def test_parquet_rows_are_read_group_by_group(tmp_path: Path) -> None:
    table = pa.table({"label": [True, False, None], "Sequence": ["AC", "G", "T"]})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=1)
    with pytest.raises(InputError, match="row 3"):
        list(stream_entries(tmp_path / "a.parquet"))
    pq.write_table(table.slice(0, 2), tmp_path / "a.parquet", row_group_size=1)
    assert list(stream_entries(tmp_path / "a.parquet")) == [Entry("AC", 1.0), Entry("G", 0.0)]


def test_a_folder_is_never_replaced_nor_made_deep(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="already exists"):
        convert_streaming([Entry("A", 1.0)], tmp_path)
    with pytest.raises(InputError, match="cannot be written"):
        convert_streaming([Entry("A", 1.0)], tmp_path / "x" / "y")


def test_all_sequences_name_their_part_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [Entry("A", 1.0, split="train"), Entry("C", 0.0)]
    with pytest.raises(InputError, match="the split '' is not train"):
        convert_streaming(rows, tmp_path / "a")
    monkeypatch.setattr(mapped, "CHUNK", 1)
    for order in (rows, rows[::-1]):
        with pytest.raises(InputError, match="some name their split, some do not"):
            convert_streaming(order, tmp_path / "a")


@pytest.mark.parametrize("name", ["codes.npy", "labels.npy", "dataset.json"])
def test_a_changed_or_missing_file_is_told(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "a.motiflens"
    convert_streaming(entries(planted(9)), folder)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match="convert the data again"):
        open_mapped(folder)
    (folder / name).unlink()
    with pytest.raises(InputError, match=name):
        open_mapped(folder)
    (folder / "dataset.json").write_text(json.dumps({"sha256": {}}))
    with pytest.raises(InputError, match="convert the data again"):
        open_mapped(folder)
