"""Genomes in FASTA and 2bit: any stretch, and any damage."""

from __future__ import annotations

import gzip
import os
import struct
from itertools import groupby
from pathlib import Path

import py2bit
import pyfaidx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motiflens.errors import InputError
from motiflens.io.genome import open_genome

CONTIGS = {"chr1": "ACGTnNacgtACCA", "22:5-9": "GGNTT", "MT": "CCCCCCCCCCTG"}

CONTIGS_OF_ANY_KIND = st.dictionaries(
    st.from_regex(r"[!-=?-~][!-~]{0,7}", fullmatch=True),
    st.text("ACGTNacgtn", min_size=1, max_size=50),
    min_size=1,
    max_size=4,
)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


def fasta(contigs: dict[str, str], width: int = 4, end: str = "\n") -> bytes:
    lines = []
    for name, letters in contigs.items():
        lines += [f">{name} more", *(letters[i : i + width] for i in range(0, len(letters), width))]
    return (end.join(lines) + end).encode()


def two_bit(contigs: dict[str, str], order: str = "<", version: int = 0) -> bytes:
    """Write the format as UCSC describes it."""
    offset = f"{order}{'IQ'[version]}"
    place = 16 + sum(1 + struct.calcsize(offset) + len(name.encode()) for name in contigs)
    index, records = b"", b""
    for name, letters in contigs.items():
        index += bytes([len(name.encode())]) + name.encode()
        index += struct.pack(offset, place + len(records))
        blocks = b"".join(_blocks(flags, order) for flags in _flags(letters))
        codes = ["TCAG".index(base) if base in "TCAG" else 0 for base in letters.upper()]
        codes += [0] * (-len(codes) % 4)
        packed = bytes(
            codes[i] << 6 | codes[i + 1] << 4 | codes[i + 2] << 2 | codes[i + 3]
            for i in range(0, len(codes), 4)
        )
        size = struct.pack(f"{order}I", len(letters))
        records += size + blocks + struct.pack(f"{order}I", 0) + packed
    return struct.pack(f"{order}4I", 0x1A412743, version, len(contigs), 0) + index + records


def _flags(letters: str) -> tuple[list[bool], list[bool]]:
    return [base in "Nn" for base in letters], [base.islower() for base in letters]


def _blocks(flags: list[bool], order: str) -> bytes:
    starts, sizes, place = [], [], 0
    for value, run in groupby(flags):
        n = len(list(run))
        if value:
            starts.append(place)
            sizes.append(n)
        place += n
    return struct.pack(f"{order}{1 + 2 * len(starts)}I", len(starts), *starts, *sizes)


def written(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(
        gzip.compress(content, mtime=0) if name.endswith(".gz") else content
    )
    return folder / name


FORMS = {
    "g.fa": fasta(CONTIGS),
    "one_line.fa": fasta(CONTIGS, width=99),
    "crlf.fa": fasta(CONTIGS, end="\r\n"),
    "no_last_line_end.fa": fasta(CONTIGS).rstrip(),
    "g.fa.gz": fasta(CONTIGS),
    "g.2bit": two_bit(CONTIGS),
    "other_order.2bit": two_bit(CONTIGS, ">"),
    "large.2bit": two_bit(CONTIGS, version=1),
    "g.2bit.gz": two_bit(CONTIGS),
}


_N_BLOCKS = struct.pack("<5I", 2, 0, 4, 1, 2)  # of "NACCNN": starts 0 and 4, sizes 1 and 2
BLOCK_BEYOND = two_bit({"a": "NACCNN"}).replace(_N_BLOCKS, struct.pack("<5I", 2, 0, 4, 1, 3))
BLOCKS_MIXED = two_bit({"a": "NACCNN"}).replace(_N_BLOCKS, struct.pack("<5I", 2, 4, 0, 2, 1))
BEFORE_THE_FILE = two_bit({"a": "ACGT"}, version=1).replace(
    struct.pack("<Q", 16 + 10), struct.pack("<q", -9)
)


@pytest.mark.parametrize("name", FORMS)
def test_any_interval_is_read_from_every_genome_format(tmp_path, name):
    genome = open_genome(written(tmp_path, name, FORMS[name]))
    assert {chrom: contig.size for chrom, contig in genome.contigs.items()} == {
        "chr1": 14,
        "22:5-9": 5,
        "MT": 12,
    }
    for chrom, letters in CONTIGS.items():
        for start in range(len(letters) + 1):
            for end in range(start, len(letters) + 1):
                assert genome.fetch(chrom, start, end) == letters[start:end]


@given(CONTIGS_OF_ANY_KIND, st.integers(1, 60), st.sampled_from(["\n", "\r\n"]), st.data())
@settings(max_examples=60, deadline=None)
def test_both_formats_agree_with_the_libraries_of_others(
    tmp_path_factory, contigs, width, end, data
):
    folder = tmp_path_factory.mktemp("parity")
    ours = [
        open_genome(written(folder, "g.fa", fasta(contigs, width, end))),
        open_genome(written(folder, "g.2bit", two_bit(contigs))),
    ]
    name = data.draw(st.sampled_from(sorted(contigs)))
    start = data.draw(st.integers(0, len(contigs[name]) - 1))
    stop = data.draw(st.integers(start + 1, len(contigs[name])))
    with pyfaidx.Fasta(str(folder / "g.fa"), as_raw=True) as theirs:
        assert ours[0].fetch(name, start, stop) == theirs[name][start:stop]
    theirs = py2bit.open(str(folder / "g.2bit"), True)
    masked = theirs.sequence(name, start, stop)
    theirs.close()
    # py2bit has no lower-case N
    assert ours[1].fetch(name, start, stop).replace("n", "N") == masked.replace("n", "N")


def test_what_lies_beyond_the_genome_is_refused(tmp_path):
    genome = open_genome(written(tmp_path, "g.fa", FORMS["g.fa"]))
    for place in [("chr1", 3, 15), ("chr1", -1, 2), ("chr1", 3, 2), ("1", 0, 1)]:
        with pytest.raises(InputError, match=r" is not in .*, where "):
            genome.fetch(*place)


def test_other_names_of_a_chromosome(tmp_path):
    genome = open_genome(written(tmp_path, "g.fa", fasta({"chr1": "A", "2": "C", "chrM": "G"})))
    names = ("1", "chr1", "chr2", "2", "MT", "M", "3", "", "Chr1", "chr22")
    assert [genome.name_of(name) for name in names] == [
        "chr1", "chr1", "2", "2", "chrM", "chrM", None, None, None, None
    ]  # fmt: skip
    genome = open_genome(written(tmp_path, "m.fa", fasta({"MT": "A"})))
    assert [genome.name_of(name) for name in ("chrM", "MT")] == ["MT"] * 2


def test_letters_for_several_bases_are_unknown_and_others_refused(tmp_path):
    genome = open_genome(written(tmp_path, "g.fa", b">a\nACRy\nGKmB\n>b\nAC\nG*\n"))
    assert genome.fetch("a", 0, 8) == "ACNnGNnN"
    assert genome.fetch("b", 0, 3) == "ACG"
    with pytest.raises(InputError, match=r"'\*' at base 4 of b .* in .*g\.fa"):
        genome.fetch("b", 2, 4)


def test_a_compressed_genome_is_unpacked_once(tmp_path, cache):
    path = written(tmp_path, "g.fa.gz", FORMS["g.fa"])
    open_genome(path)
    [unpacked] = (cache / "motiflens" / "genomes").iterdir()
    assert unpacked.read_bytes() == FORMS["g.fa"]
    assert unpacked.name.endswith("-g.fa")
    before = unpacked.stat().st_mtime_ns
    open_genome(path)
    assert unpacked.stat().st_mtime_ns == before
    written(tmp_path, "g.fa.gz", fasta({"new": "ACG"}))
    assert list(open_genome(path).contigs) == ["new"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["g.fa.gz"]


def test_a_cache_that_cannot_be_made_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(InputError, match="unpacked into the user's cache"):
        open_genome(written(tmp_path, "g.fa.gz", FORMS["g.fa"]))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("g.fa", b"", "FILE is empty"),
        ("g.fa", b"ACGT\n", r"FILE is not a genome: it begins with b'ACGT"),
        ("g.fa", b">a\nAC\n>\nAC\n", "a contig has no name in line 3 of FILE"),
        ("g.fa", b">a\nAC\n>a b\nAC\n", "'a' ... in line 3 of FILE"),
        ("g.fa", b">a\nACG\nAC\nACG\nA\n", "about line 3 of FILE"),
        ("g.fa", b">b\nAC\nA\n>a\nACG\nACGT\n", "about line 6 of FILE"),
        ("g.fa", b">a\nACG\n\nACG\n", "about line 3 of FILE"),
        ("g.fa", b">a\nAC \nACG\n", "about line 2 of FILE"),
        ("g.fa", b">a\nACG\rACG\rA", "about line 2 of FILE"),
        ("g.fa", b">a\nACGT\nACGT\nA C\n", "about line 4 of FILE"),
        ("g.fa", gzip.compress(b">a\nACG\n", mtime=0), "FILE holds gzip data"),
        ("g.2bit", two_bit(CONTIGS)[:-1], "an end after"),
        ("g.2bit", two_bit(CONTIGS)[:14], "an end after 14 bytes in FILE"),
        ("g.2bit", BLOCK_BEYOND, "blocks beyond their sequence or out of order in FILE"),
        ("g.2bit", BLOCKS_MIXED, "blocks beyond their sequence or out of order in FILE"),
        ("g.2bit", BEFORE_THE_FILE, "an end after"),
        ("g.2bit", two_bit({}, version=1), "version 1 with 0 contigs in FILE"),
        ("g.2bit", two_bit({}), "version 0 with 0 contigs in FILE"),
    ],
)
def test_a_damaged_genome_is_named_with_its_place(tmp_path, name, content, message):
    path = written(tmp_path, name, content)
    with pytest.raises(InputError) as caught:
        open_genome(path)
    for piece in message.replace("FILE", str(path)).split(" ... "):
        assert piece in str(caught.value)


def test_a_missing_or_damaged_compressed_genome(tmp_path, cache):
    with pytest.raises(InputError, match="no such file"):
        open_genome(tmp_path / "g.fa.gz")
    with pytest.raises(InputError, match="no such file"):
        open_genome(tmp_path / "g.fa")
    (tmp_path / "g.fa.gz").write_bytes(gzip.compress(FORMS["g.fa"], mtime=0)[:-5])
    with pytest.raises(InputError, match="is no whole gzip file"):
        open_genome(tmp_path / "g.fa.gz")
    assert not list((cache / "motiflens" / "genomes").iterdir())


@st.composite
def damaged_two_bit(draw: st.DrawFn) -> bytes:
    content = bytearray(two_bit(draw(CONTIGS_OF_ANY_KIND)))
    for place in draw(st.lists(st.integers(4, len(content) - 1), max_size=3)):
        content[place] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(1, len(content)))])


LINES = st.lists(st.text(">aACGTNn*é \r", max_size=9), max_size=6)


@given(
    st.binary(max_size=60) | damaged_two_bit() | LINES.map(lambda lines: "\n".join(lines).encode()),
    st.sampled_from(["g.fa", "g.2bit", "g.fa.gz"]),
)
@settings(max_examples=300)
def test_any_bytes_are_a_genome_or_refused(tmp_path_factory, content, name):
    path = written(tmp_path_factory.mktemp("fuzz"), name, content)
    try:
        genome = open_genome(path)
        for chrom, contig in genome.contigs.items():
            size = min(contig.size, 10_000)
            assert len(genome.fetch(chrom, 0, size)) == size
    except InputError:
        return
    assert genome.contigs


def test_a_genome_is_opened_without_writing_beside_it(tmp_path):
    path = written(tmp_path, "g.fa", FORMS["g.fa"])
    os.utime(path, (1, 1))
    open_genome(path).fetch("chr1", 0, 3)
    assert [entry.name for entry in tmp_path.iterdir()] == ["g.fa"]
