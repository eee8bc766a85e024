"""Motifs in the files of JASPAR and TRANSFAC, and in arrays; MEME is in test_matrices.py."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from motiflens.errors import InputError
from motiflens.motifs import Motif, read_motifs, resolve_motifs, write_meme, write_motifs
from motiflens.motifs.meme import read_meme

COUNTS = np.array([[4, 19, 0], [16, 0, 20], [0, 1, 0], [0, 0, 0]])
JASPAR = """>MA0004.1\tArnt
A  [ 4 19  0 ]
C  [16  0 20 ]
G  [ 0  1  0 ]
T  [ 0  0  0 ]

>MA0002.1 RUNX1 var
T [ 1.5 0 ]
G [ 0.5 2 ]
C [ 0 0 ]
A [ 0 0 ]
"""
RAW = ">MA0004.1 Arnt\n 4 19  0\n16 0 20\n0 1 0\n0 0 0\n"
TRANSFAC = """VV  TRANSFAC MATRIX TABLE, Release 1
XX
//
AC  M00001
XX
ID  V$ARNT_01
NA  Arnt complex
P0      A      C      G      T
01      4     16      0      0      C
02     19      0      1      0      A
03      0     20      0      0      C
XX
BF  T00001; Arnt
//
ID second
PO T G C A
1 1 0 0 0
2 0 2 0 0
//
"""


def written(folder: Path, text: str, name: str = "my motif.txt") -> Path:
    path = folder / name
    path.write_bytes(
        gzip.compress(text.encode(), mtime=0) if name.endswith(".gz") else text.encode()
    )
    return path


@pytest.mark.parametrize("name", ["m.jaspar", "m.txt", "m.jaspar.gz"])
def test_jaspar(tmp_path, name):
    first, second = read_motifs(written(tmp_path, JASPAR, name))
    assert (first.name, first.alt_name, first.n_sites) == ("MA0004.1", "Arnt", 20)
    np.testing.assert_allclose(first.ppm, COUNTS / 20)
    assert (second.name, second.alt_name, second.n_sites) == ("MA0002.1", "RUNX1_var", 2)
    np.testing.assert_allclose(second.ppm[:, 0], [0, 0, 0.25, 0.75])


@pytest.mark.parametrize(
    ("text", "name"), [(RAW, "MA0004.1"), (RAW.partition("\n")[2], "my_motif")]
)
def test_raw_counts_with_and_without_a_header(tmp_path, text, name):
    (motif,) = read_motifs(written(tmp_path, text))
    assert (motif.name, motif.n_sites) == (name, 20)
    np.testing.assert_allclose(motif.ppm, COUNTS / 20)


def test_frequencies_are_of_an_unknown_number_of_sites(tmp_path):
    (motif,) = read_motifs(written(tmp_path, ">m\n0.5 0.2\n0.5 0.3\n0 0.25\n0 0.25\n"))
    assert motif.n_sites == 0


def test_transfac(tmp_path):
    first, second = read_motifs(written(tmp_path, TRANSFAC))
    assert (first.name, first.alt_name, first.n_sites) == ("M00001", "Arnt_complex", 20)
    np.testing.assert_allclose(first.ppm, COUNTS / 20)
    assert (second.name, second.alt_name) == ("second", "")
    np.testing.assert_allclose(second.ppm, [[0, 0], [0, 0], [0, 1], [1, 0]])


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("A  [ 4 19  0 ]", "A  [ 4 19 ]", 3),
        ("A  [ 4 19  0 ]", "A  [ 4 x 0 ]", 2),
        ("C  [16", "A  [16", 3),
        ("C  [16  0 20 ]\n", "", 1),
        ("A  [ 4 19  0 ]\n", "A  [ 4 19  0 ]\nACGT\n", 3),
        ("C  [16", "C  [-16", 1),
        ("T  [ 0", "T  [ 1e400", 1),
        ("A  [ 4 19  0 ]\nC  [16", "A  [ 0 19  0 ]\nC  [ 0", 1),
        ("C [ 0 0 ]\nA [ 0 0 ]\n", "", 7),
        (">MA0002.1 RUNX1 var", ">", 7),
        (">MA0002.1 RUNX1 var", ">MA0003\n>MA0002", 7),
    ],
)
def test_a_defect_of_jaspar_is_named_with_its_line(tmp_path, old, new, line):
    assert old in JASPAR
    path = written(tmp_path, JASPAR.replace(old, new))
    with pytest.raises(InputError) as caught:
        read_motifs(path)
    assert caught.value.where == f"in line {line} of {path}"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("02     19", "04     19", 10),
        ("02     19", "02     a", 10),
        ("02     19", "02     1..9", 10),
        ("02     19", "02", 10),
        ("03      0     20      0      0", "03  0  0  0  0", 8),
        ("PO T G C A", "PO T G C C", 16),
        ("ID second\n", "", 15),
        ("2 0 2 0 0\n//\n", "2 0 2 0 0\n", 16),  # cut short
        ("1 1 0 0 0\n2 0 2 0 0\n", "", 16),
    ],
)
def test_a_defect_of_transfac_is_named_with_its_line(tmp_path, old, new, line):
    assert old in TRANSFAC
    path = written(tmp_path, TRANSFAC.replace(old, new))
    with pytest.raises(InputError) as caught:
        read_motifs(path)
    assert caught.value.where == f"in line {line} of {path}"


def test_without_a_matrix_there_is_no_motif(tmp_path):
    with pytest.raises(InputError, match="begins with 'sequence,label'"):
        read_motifs(written(tmp_path, "sequence,label\nACGT,1\n"))
    with pytest.raises(InputError, match="is empty"):
        read_motifs(written(tmp_path, ""))
    with pytest.raises(InputError, match="0 rows"):
        read_motifs(written(tmp_path, ">seq1\n"))


def test_the_content_tells_meme_from_the_others(tmp_path):
    motifs = [Motif.from_counts("MA1", COUNTS)]
    write_meme(motifs, tmp_path / "m.jaspar")
    (motif,) = read_motifs(tmp_path / "m.jaspar")
    np.testing.assert_allclose(motif.ppm, read_meme(tmp_path / "m.jaspar")[0].ppm)


COUNT_MATRICES = st_numpy.arrays(
    np.int64, st.tuples(st.just(4), st.integers(1, 9)), elements=st.integers(0, 999)
).filter(lambda counts: bool((counts.sum(axis=0) > 0).all()))


@given(COUNT_MATRICES, st.permutations("ACGT"), st.sampled_from(["jaspar", "raw", "transfac"]))
@settings(max_examples=60)
def test_what_is_written_is_read(tmp_path_factory, counts, order, kind):
    rows = {base: counts["ACGT".index(base)] for base in order}
    if kind == "jaspar":
        lines = [">x y", *(f"{base} [ {' '.join(map(str, row))} ]" for base, row in rows.items())]
    elif kind == "raw":
        lines = [">x y", *("\t".join(map(str, row)) for row in counts)]
    else:
        columns = zip(*rows.values(), strict=True)
        lines = ["AC x", "NA y", f"P0 {' '.join(order)}"]
        lines += [f"{n:02} {' '.join(map(str, c))} N" for n, c in enumerate(columns, start=1)]
        lines.append("//")
    path = written(tmp_path_factory.mktemp("files"), "\n".join(lines))
    (motif,) = read_motifs(path)
    assert (motif.name, motif.alt_name) == ("x", "y")
    np.testing.assert_allclose(motif.ppm, counts / counts.sum(axis=0))
    if (counts.sum(axis=0) > 1).any():
        assert motif.n_sites == round(counts.sum(axis=0).mean())


PIECES = [">a", ">", "1 2", "0 0", "A [ 1 2 ]", "c|3 4", "P0 A C G T", "01 1 0 0 0 A", "02 0 0 1 0"]
PIECES += ["//", "XX", "AC m", "MEME version 4", "", "nan 1", "- 1", "x"]


@given(st.lists(st.sampled_from(PIECES), max_size=9).map("\n".join) | st.text(max_size=80))
@settings(max_examples=200)
def test_any_text_is_read_or_refused(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("fuzz") / "m"
    path.write_text(text, encoding="utf-8", newline="")
    try:
        motifs = read_motifs(path)
    except InputError:
        return
    assert motifs
    assert all(np.isfinite(motif.ppm).all() for motif in motifs)


@pytest.mark.parametrize(
    ("counts", "problem"),
    [
        (np.ones((3, 4)), "shape"),
        (np.ones((4, 0)), "shape"),
        (np.array([[1.0, 0], [1, 0], [1, 0], [1, 0]]), "only zeros in column 2"),
        (np.array([[-1.0], [2], [0], [0]]), "negative"),
        (np.array([[np.inf], [2], [0], [0]]), "not finite"),
    ],
)
def test_what_is_no_count_matrix_is_refused(counts, problem):
    with pytest.raises(InputError, match=problem):
        Motif.from_counts("m", counts)


def arrays_of(seed: int, width: int) -> Motif:
    generator = np.random.default_rng(seed)
    ppm = generator.dirichlet([1.0] * 4, size=width).T
    cwm, hypothetical = generator.normal(size=(2, 4, width))
    return Motif(f"m{seed}", ppm, seed, "alt" * (seed % 2), cwm, hypothetical)


def test_arrays_come_back_as_they_were_and_as_the_same_bytes(tmp_path):
    motifs = [arrays_of(1, 7), arrays_of(4, 3), Motif("plain", arrays_of(2, 5).ppm)]
    write_motifs(motifs, tmp_path / "a.npz")
    back = read_motifs(tmp_path / "a.npz")
    for one, other in zip(motifs, back, strict=True):
        assert (one.name, one.alt_name) == (other.name, other.alt_name)
        assert one.n_sites == other.n_sites
        np.testing.assert_allclose(one.ppm, other.ppm, rtol=1e-14)
    for key in ("cwm", "hypothetical_cwm"):
        np.testing.assert_array_equal(getattr(back[0], key), getattr(motifs[0], key))
        assert getattr(back[2], key) is None
    write_motifs(motifs, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_contributions_are_finite_and_of_the_motifs_shape():
    motif = arrays_of(1, 7)
    for matrix in (np.zeros((4, 6)), np.full((4, 7), np.nan)):
        with pytest.raises(InputError, match="cwm"):
            replace(motif, cwm=matrix)


@given(st.binary(max_size=80))
@settings(max_examples=30)
def test_any_bytes_are_no_arrays(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "m.npz"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_motifs(path)


def test_arrays_of_something_else_are_refused(tmp_path):
    np.savez(tmp_path / "x.npz", names=np.array(["a"]))
    with pytest.raises(InputError, match="no motifs as arrays"):
        read_motifs(tmp_path / "x.npz")


def test_the_suffix_says_how_motifs_are_written(tmp_path):
    motifs = [arrays_of(3, 6)]
    for name in ("m.meme", "m.meme.gz", "m.txt"):
        write_motifs(motifs, tmp_path / name)
        (motif,) = read_motifs(tmp_path / name)
        np.testing.assert_allclose(motif.ppm, motifs[0].ppm, atol=1e-6)
    with pytest.raises(InputError, match=r"m\.bed is not named"):
        write_motifs(motifs, tmp_path / "m.bed")


def test_motifs_are_files_names_of_jaspar_or_letters(tmp_path):
    assert [m.name for m in resolve_motifs("MA0139.2")] == ["MA0139.2"]
    assert {m.alt_name for m in resolve_motifs("ctcf")} == {"CTCF"}
    assert [m.name for m in resolve_motifs("TGASTCA")] == ["TGASTCA"]
    assert resolve_motifs("sry")[0].alt_name.upper() == "SRY"  # all letters of it are IUPAC's
    path = tmp_path / "m.meme"
    write_motifs([arrays_of(3, 6)], path)
    own = Motif.from_string("AC")
    assert [m.name for m in resolve_motifs([path, own, "MA0139.2"])] == ["m3", "AC", "MA0139.2"]


@pytest.mark.parametrize(("text", "remedy"), [("CTFC", "CTCF"), ("gata1x", "GATA1")])
def test_of_a_name_that_is_none_the_nearest_are_offered(text, remedy):
    with pytest.raises(InputError, match=f"'{text}'.*did you mean .*{remedy}"):
        resolve_motifs(text)
