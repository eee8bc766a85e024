"""DeepBind's files, microarrays, and labels in two columns."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from motiflens.errors import InputError
from motiflens.io.options import ReadOptions
from motiflens.io.read import read, read_files

DATA = Path(__file__).parents[2] / "shared" / "data"


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


DEEPBIND = "FoldID\tEventID\tseq\tBound\nA\tp1\tACGGT\t1\nB\tp1\tTTacg\t1\n"


def test_positives_of_deepbind_take_shuffles(tmp_path):
    path = written(tmp_path, "x.seq.gz", DEEPBIND.replace("\n", "\r\n"))
    reading = read_files(path, seed=3)
    assert reading.negatives == "shuffle"
    assert reading.notes[0] == "the file has positives only"
    assert reading.notes[1] == "2 negatives: shuffle; GC 50% in positives, 50% in negatives"
    assert reading.dataset.sequences()[:2] == ["ACGGT", "TTACG"]
    assert reading.dataset.labels.tolist() == [1, 1, 0, 0]
    assert reading.dataset.names.tolist() == ["p1", "p1", "p1_shuffled", "p1_shuffled"]
    negatives = written(tmp_path, "n.txt", "GG\n")
    other = read_source(path, negatives=negatives)
    assert (other.negatives, len(other.notes)) == (str(negatives), 1)
    assert other.dataset.sequences()[2:] == ["GG"]


def test_a_deepbind_file_with_both_labels_is_taken_as_it_is(tmp_path):
    path = written(tmp_path, "x.seq", DEEPBIND.replace("acg\t1", "acg\t0"))
    assert read_files(path).negatives == "given"
    assert read(path).labels.tolist() == [1, 0]
    with pytest.raises(InputError, match=r"negatives=shuffle, and .*both labels"):
        read(path, negatives="shuffle")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (DEEPBIND.replace("seq", "read"), "['FoldID', 'EventID', 'read', 'Bound']"),
        (DEEPBIND.split("\n")[0], "has no rows"),
        (DEEPBIND.replace("B\t", ""), "there are 3 values ... in line 3 of FILE"),
        (DEEPBIND.replace("ACGGT", "ACXGT"), "'X' at position 3 ... in line 2 of FILE"),
        (DEEPBIND.replace("acg\t1", "acg\t0.7"), "'0.7' ... in line 3 of FILE"),
    ],
)
def test_a_defect_of_a_deepbind_file_is_named(tmp_path, text, message):
    path = written(tmp_path, "x.seq", text)
    with pytest.raises(InputError) as caught:
        read(path)
    for piece in message.replace("FILE", str(path)).split(" ... "):
        assert piece in str(caught.value)


PROBES = "ACG\t1\t9\nTTT\t2.5\t7\nGGA\t1e1\t8\nCCC\t3\t7\n"


def test_bright_probes_are_positives(tmp_path):
    path = written(tmp_path, "pbm.txt.gz", PROBES)
    # signals 1, 2.5, 10, 3: mean 4.125, sd 3.47; signals 9, 7, 8, 7: mean 7.75, sd 0.83
    reading = read_source(path, signal_column=2, positive_sd=1.5)
    assert reading.dataset.sequences() == ["ACG", "TTT", "GGA", "CCC"]
    assert reading.dataset.labels.tolist() == [0, 0, 1, 0]
    assert reading.notes == (
        "1 of 4 probes are positives: signal above the mean plus 1.5 standard deviations",
    )
    labels = read(path, signal_column=3, positive_sd=0.25).labels
    assert labels.tolist() == [1, 0, 1, 0]
    with pytest.raises(InputError, match=r"0 of 4 probes .* mean plus 4 .* is 1\.7 above"):
        read(path, signal_column=2)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        (PROBES, 1, "signal_column=1 is below 2"),
        (PROBES, 4, "there is no column 4, and 3 columns"),
        (PROBES.replace("2.5", "nan"), 2, "'nan' ... in line 2 of FILE"),
        (PROBES.replace("2.5", "1e999"), 2, "'1e999' ... in line 2 of FILE"),
        (PROBES.replace("2.5", ""), 2, "'' ... in line 2 of FILE"),
        (PROBES.replace("2.5\t", ""), 2, "there are 2 values ... in line 2 of FILE"),
        (PROBES.replace("GGA", "GXA"), 2, "'X' at position 2 ... in line 3 of FILE"),
    ],
)
def test_a_defect_of_a_microarray_is_named(tmp_path, text, column, message):
    path = written(tmp_path, "pbm.txt", text)
    with pytest.raises(InputError) as caught:
        read(path, signal_column=column, positive_sd=1)
    for piece in message.replace("FILE", str(path)).split(" ... "):
        assert piece in str(caught.value)


def test_sets_of_others_are_labelled_as_their_description_says():
    deepbind = "deepbind_encode/{}__ARID3A_HepG2_ARID3A_NB100-279_Stanford_{}.seq.gz"
    reading = read_files(shared(deepbind.format("test", "B")))
    assert (len(reading.dataset), reading.dataset.labels.sum()) == (1000, 500)
    train = read_files(shared(deepbind.format("train", "AC")))
    assert (len(train.dataset), train.negatives) == (2 * 17122, "shuffle")
    target = "keras_genomics_ctcf/valid."
    keras = read(shared(target + "fa"), labels=shared(target + "target"))
    assert keras.labels.sum() == 500
    named = [name.endswith("_shuf") for name in keras.names]
    assert (keras.labels == 1 - np.array(named)).all()
    probes = read(shared("pbm_dream5/Foxj2_HK.txt.gz"), signal_column=2, positive_sd=4)
    bright = probes.labels == 1
    assert (len(probes), bright.sum()) == (40184, 463)
    words = ["GTAAACA" in s or "TGTTTAC" in s for s in probes.sequences()]
    assert np.mean(np.array(words)[bright]) > 10 * np.mean(np.array(words)[~bright])
