"""Motifs, their numbers, and MEME files."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy

from motiflens.errors import InputError
from motiflens.matrices import consensus
from motiflens.motifs import Motif, information, motif_from_string, ppm_from_codes, pwm, write_meme
from motiflens.motifs.meme import read_meme
from motiflens.sequences import IUPAC, encode

DATA = Path(__file__).parents[2] / "shared" / "data"
SKEWED = (0.1, 0.2, 0.3, 0.4)


def random_ppm(seed: int, width: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet([0.3] * 4, size=width).T


def test_a_motif_keeps_its_own_scaled_read_only_matrix():
    given_ppm = np.array([[0.5, 1.0, 0.2], [0.2, 0, 0.2], [0.2, 0, 0.3], [0.1005, 0, 0.3]])
    motif = Motif("m", given_ppm, n_sites=7, alt_name="other")
    given_ppm[:] = 9
    assert motif.width == 3
    np.testing.assert_allclose(motif.ppm.sum(axis=0), 1, atol=1e-15)
    assert motif.ppm[0, 0] == pytest.approx(0.5 / 1.0005)
    with pytest.raises(ValueError, match="read-only"):
        motif.ppm[0, 0] = 1


@pytest.mark.parametrize(
    ("ppm", "got"),
    [
        (np.full((3, 4), 0.25), "shape"),
        (np.zeros((4, 0)), "shape"),
        (np.full(4, 0.25), "shape"),
        (np.full((4, 2), 0.2505), "column 1 with the sum 1.002"),
        (np.array([[1.5], [-0.5], [0], [0]]), "negative"),
        (np.array([[np.nan], [0.5], [0.5], [0]]), "not finite"),
        (np.array([[5.0], [1], [0], [0]]), "sum 6"),
    ],
)
def test_what_is_no_matrix_of_probabilities_is_refused(ppm, got):
    with pytest.raises(InputError, match=got):
        Motif("m", ppm)


@pytest.mark.parametrize(
    "fields", [{"name": ""}, {"name": "a b"}, {"alt_name": "a\tb"}, {"n_sites": -1}]
)
def test_names_are_words_and_sites_are_counted_from_zero(fields):
    with pytest.raises(InputError):
        Motif(**{"name": "m", "ppm": np.full((4, 3), 0.25), **fields})


def test_reverse_complement_turns_rows_and_columns():
    motif = Motif.from_string("AACRT", name="x")
    other = motif.reverse_complement()
    assert (motif.consensus, other.consensus, other.name) == ("AACRT", "AYGTT", "x")
    np.testing.assert_array_equal(other.reverse_complement().ppm, motif.ppm)


@given(st.text(alphabet="".join(IUPAC), min_size=1, max_size=20))
def test_consensus_gives_back_every_iupac_string(text):
    motif = motif_from_string(text.lower())
    assert motif.consensus == text
    assert motif.name == text
    np.testing.assert_allclose(motif.ppm.sum(axis=0), 1)


@pytest.mark.parametrize(
    ("column", "letter"),
    [
        ([0.51, 0.25, 0.24, 0.0], "A"),
        ([0.0, 0.51, 0.26, 0.23], "S"),  # 0.51 is not more than twice 0.26
        ([0.4, 0.1, 0.36, 0.14], "R"),
        ([0.4, 0.11, 0.35, 0.14], "N"),  # 0.75 is not more than 0.75
        ([0.34, 0.32, 0.30, 0.04], "V"),
        ([0.34, 0.31, 0.30, 0.05], "N"),
        ([0.25, 0.25, 0.25, 0.25], "N"),
        ([0.02, 0.02, 0.02, 0.94], "T"),
    ],
)
def test_consensus_follows_the_rule_of_cavener(column, letter):
    columns = np.array([[0, 0, 1, 0], column]).T
    assert consensus(columns) == "G" + letter


def test_information_is_two_minus_entropy_and_against_a_background_kl():
    ppm = random_ppm(0, 7)
    ppm[:, 2] = [0, 1, 0, 0]
    np.testing.assert_allclose(information(ppm), 2 - entropy(ppm, base=2, axis=0), atol=1e-12)
    expected = entropy(ppm, np.tile(np.array(SKEWED)[:, None], 7), base=2, axis=0)
    np.testing.assert_allclose(information(ppm, SKEWED), expected, atol=1e-12)
    np.testing.assert_allclose(information(np.array(SKEWED)[:, None], SKEWED), 0, atol=1e-12)


def test_pwm_is_log_odds_with_the_background_as_pseudocount():
    ppm = random_ppm(1, 5)
    ppm[:, 3] = [0, 0, 0, 1]
    n_sites, k = 20, 0.1  # as FIMO adds it
    counts = ppm * n_sites + k * np.array(SKEWED)[:, None]
    expected = np.log2(counts / (n_sites + k) / np.array(SKEWED)[:, None])
    np.testing.assert_allclose(pwm(ppm, SKEWED, k / n_sites), expected)
    with pytest.raises(InputError, match="pseudocount"):
        pwm(ppm, SKEWED, 0.0)


@pytest.mark.parametrize("background", [(0.5, 0.5, 0.0, 0.0), (0.3, 0.3, 0.3, 0.3), (0.5, 0.5)])
def test_a_background_is_four_probabilities(background):
    with pytest.raises(InputError, match="not four probabilities"):
        information(random_ppm(0, 3), background)


def test_ppm_of_windows_leaves_n_out_and_calls_an_empty_column_uniform():
    codes, _ = encode(["ACGNN", "ACTNA", "AGTNA"])
    ppm = ppm_from_codes(codes)
    assert ppm.shape == (4, 5)
    np.testing.assert_allclose(ppm[:, 0], [1, 0, 0, 0])
    np.testing.assert_allclose(ppm[:, 1], [0, 2 / 3, 1 / 3, 0])
    np.testing.assert_allclose(ppm[:, 2], [0, 0, 1 / 3, 2 / 3])
    np.testing.assert_allclose(ppm[:, 3], 0.25)
    np.testing.assert_allclose(ppm[:, 4], [1, 0, 0, 0])
    np.testing.assert_allclose(ppm_from_codes(codes, 0.5)[:, 1], [0.1, 0.5, 0.3, 0.1])


MINIMAL = """MEME version 5

ALPHABET= ACGT

MOTIF m1 factor
letter-probability matrix: alength= 4 w= 2 nsites= 12 E= 0
0.1 0.2 0.3 0.4
1 0 0 0
URL https://example.org

MOTIF m2
letter-probability matrix:
0.25 0.25 0.25 0.25
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "m.meme"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("change", [lambda t: t, lambda t: t.replace("\n", "\r\n"), str.rstrip])
def test_minimal_meme_with_and_without_keys(tmp_path, change):
    first, second = read_meme(written(tmp_path, change(MINIMAL)))
    assert (first.name, first.alt_name, first.n_sites) == ("m1", "factor", 12)
    np.testing.assert_allclose(first.ppm, np.array([[0.1, 0.2, 0.3, 0.4], [1, 0, 0, 0]]).T)
    assert (second.name, second.alt_name, second.n_sites, second.width) == ("m2", "", 0, 1)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("0.1 0.2", "0.1 0.1", 7),
        ("0.1 0.2", "nan 0.2", 7),
        ("0.1 0.2 0.3 0.4", "-0.1 0.4 0.3 0.4", 7),
        ("0.1 0.2 0.3 0.4", "0.3 0.3 0.4", 7),
        ("1 0 0 0\n", "", 6),
        ("w= 2", "w= 3", 6),
        ("w= 2", "w= x", 6),
        ("nsites= 12", "nsites= inf", 6),
        ("alength= 4", "alength= 20", 6),
        ("= ACGT", "= ACDEFGHIKLMNPQRSTVWY", 3),
        ("ALPHABET= ACGT", 'ALPHABET "RNA" RNA-LIKE', 3),
        ("MOTIF m1 factor\n", "", 5),
        ("MOTIF m1 factor", "MOTIF ", 5),
        ("letter-probability matrix:\n0.25 0.25 0.25 0.25\n", "", 11),
        ("MEME version 5", "motifs", 1),
    ],
)
def test_a_defect_is_named_with_file_and_line(tmp_path, old, new, line):
    assert old in MINIMAL
    path = written(tmp_path, MINIMAL.replace(old, new))
    with pytest.raises(InputError) as caught:
        read_meme(path)
    assert caught.value.where == f"in line {line} of {path}"


@pytest.mark.parametrize("text", ["", " \n", "MEME version 4\n\nALPHABET= ACGT\n"])
def test_a_file_without_a_motif_is_refused(tmp_path, text):
    with pytest.raises(InputError, match=r"is empty|ends without a motif in line"):
        read_meme(written(tmp_path, text))


MOTIFS = st.builds(
    lambda seed, width, name, n_sites, alt: Motif(name, random_ppm(seed, width), n_sites, alt),
    st.integers(0, 10**6),
    st.integers(1, 12),
    st.from_regex(r"[!-~]{1,8}", fullmatch=True),
    st.integers(0, 10**6),
    st.sampled_from(["", "CTCF", "Ahr::Arnt"]),
)


@given(st.lists(MOTIFS, min_size=1, max_size=3), st.sampled_from(["m.meme", "m.meme.gz"]))
@settings(max_examples=40)
def test_what_is_written_is_read_and_written_again_alike(tmp_path_factory, motifs, name):
    folder = tmp_path_factory.mktemp("meme")
    write_meme(motifs, folder / name, background=SKEWED)
    back = read_meme(folder / name)
    for motif, other in zip(motifs, back, strict=True):
        assert (other.name, other.n_sites, other.alt_name) == (
            motif.name,
            motif.n_sites,
            motif.alt_name,
        )
        np.testing.assert_allclose(other.ppm, motif.ppm, atol=1.01e-6)
    write_meme(back, folder / f"again-{name}", background=SKEWED)
    assert (folder / name).read_bytes() == (folder / f"again-{name}").read_bytes()


def test_written_columns_sum_to_one_as_printed(tmp_path):
    write_meme([Motif("thirds", np.full((4, 1), 0.25)), Motif.from_string("BHVD")], tmp_path / "m")
    rows = [
        line.split() for line in (tmp_path / "m").read_text().splitlines() if line[:2] in "0.1."
    ]
    sums = [sum(round(float(p) * 10**6) for p in row) for row in rows if len(row) == 4]
    assert sums == [10**6] * 5
    assert (
        "Background letter frequencies\nA 0.25 C 0.25 G 0.25 T 0.25\n"
        in (tmp_path / "m").read_text()
    )


@given(st.binary(max_size=200), st.booleans())
@settings(max_examples=100)
def test_any_bytes_are_read_or_refused(tmp_path_factory, content, zipped):
    path = tmp_path_factory.mktemp("fuzz") / ("m.meme.gz" if zipped else "m.meme")
    path.write_bytes(gzip.compress(content, mtime=0) if zipped else content)
    with pytest.raises(InputError):
        read_meme(path)


PIECES = ["MEME version 4", "ALPHABET= ACGT", "MOTIF a", "0 0 1 0", "nan 1 0 0", "1e999 0 0 0"]
PIECES += ["letter-probability matrix: w= 1", "letter-probability matrix: nsites= 9e9", "", "x"]


@given(st.lists(st.sampled_from(PIECES), max_size=9).map("\n".join))
def test_any_order_of_lines_is_read_or_refused(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("fuzz") / "m.meme"
    path.write_text(text)
    try:
        motifs = read_meme(path)
    except InputError:
        return
    assert all(motif.ppm[2].min() == 1 for motif in motifs)


@pytest.mark.parametrize(
    ("file", "n_motifs", "first"),
    [
        ("jaspar/JASPAR2026_CORE_vertebrates_nonredundant.meme.gz", 1019, "Runx1"),
        ("jaspar/JASPAR2024_CORE_vertebrates_nonredundant.meme.gz", 879, "Runx1"),
        ("jaspar/JASPAR2026_CORE_fungi_nonredundant.meme.gz", 193, "ABF1"),
        ("hocomoco/H13CORE_meme_format.meme.gz", 1611, ""),
        ("meme_suite_examples/crp0.meme", 2, "MEME"),
        ("meme_suite_examples/some_vertebrates.meme", 5, "TBP"),
        ("meme_suite_examples/STRGGTCAN.meme", 1, "MEME-1"),
        ("tangermeme_tests/test.meme", 12, ""),
        ("tangermeme_tests/test2.meme", 4, "BHLHE41"),
    ],
)
def test_files_of_others_are_read_whole_and_come_back_digit_by_digit(
    tmp_path, file, n_motifs, first
):
    path = DATA / file
    if not path.exists():
        pytest.skip(f"{file} of the shared test data is not here")
    motifs = read_meme(path)
    assert len(motifs) == n_motifs
    assert motifs[0].alt_name == first
    assert all(motif.n_sites > 0 for motif in motifs)
    write_meme(motifs, tmp_path / "once.meme")
    back = read_meme(tmp_path / "once.meme")
    names = [(motif.name, motif.alt_name, motif.n_sites) for motif in motifs]
    assert [(motif.name, motif.alt_name, motif.n_sites) for motif in back] == names
    for motif, other in zip(motifs, back, strict=True):
        np.testing.assert_allclose(other.ppm, motif.ppm, atol=1.01e-6, rtol=0)
    write_meme(back, tmp_path / "twice.meme")
    assert (tmp_path / "once.meme").read_bytes() == (tmp_path / "twice.meme").read_bytes()
