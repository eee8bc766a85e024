"""`motiflens hits`: sequences of every kind in, a BED file out."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.test_genomes import two_bit as as_two_bit

from motiflens import find_hits
from motiflens.cli import main
from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.hits import intervals, sequence_files, write_hits
from motiflens.hits.bed import compress_blocks
from motiflens.hits.sequence_files import open_sequences
from motiflens.io.mapped import convert_streaming, stream_entries
from motiflens.io.tables import write_table
from motiflens.motifs import Motif, motif_from_string, write_meme

DATA = Path(__file__).parents[2] / "shared" / "data"
P = 1e-2
MOTIFS = [
    Motif.from_string("GATA", "m1"),
    Motif("m2", Motif.from_string("CACGTGRNW").ppm, 0, "E-box"),
    Motif.from_string("T", "m3"),
]


def sequence(seed: int, length: int, letters: str = "ACGT") -> str:
    return "".join(np.random.default_rng(seed).choice(list(letters), size=length))


SEQUENCES = [sequence(1, 150), "GA", sequence(2, 97, "acgtN"), sequence(3, 61)]


def bed(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", dtype={"#chrom": str})


def hits_of(source: Path, folder: Path, **options: object) -> pd.DataFrame:
    write_hits(MOTIFS, source, folder / "hits.bed", **{"p": P, **options})
    return bed(folder / "hits.bed")


def expected(sequences: list[str], names: list[str]) -> pd.DataFrame:
    found = find_hits(MOTIFS, sequences, p=P)
    return pd.DataFrame(
        {
            "#chrom": [names[row] for row in found["sequence"]],
            "start": found["start"],
            "end": found["end"],
            "name": [MOTIFS[m].alt_name or MOTIFS[m].name for m in found["motif"]],
            "score": np.rint(-10 * np.log10(found["p_value"])).astype(int),
            "strand": found["strand"],
            "motif_id": [MOTIFS[m].name for m in found["motif"]],
            "log_odds": found["score"],
            "p_value": found["p_value"],
            "q_value": found["q_value"],
        }
    )


def assert_same(found: pd.DataFrame, wanted: pd.DataFrame) -> None:
    assert len(wanted) > 5
    pd.testing.assert_frame_equal(found, wanted, rtol=1e-3, check_dtype=False)


@pytest.mark.parametrize("name", ["s.fa", "s.fasta.gz", "s.txt", "s.txt.gz", "crlf.fa"])
def test_fasta_gives_what_the_sequences_give(tmp_path, name):
    names = ["chr1:5-9", "b", "c", "b"]
    text = "".join(
        f">{called} more\n{s[:40]}\n\n{s[40:]}\n"
        for called, s in zip(names, SEQUENCES, strict=True)
    )
    content = text.replace("\n", "\r\n" if name == "crlf.fa" else "\n").encode()
    (tmp_path / name).write_bytes(
        gzip.compress(content, mtime=0) if name.endswith(".gz") else content
    )
    assert_same(hits_of(tmp_path / name, tmp_path), expected(SEQUENCES, names))


def test_lines_tables_and_mapped_folders_give_what_the_sequences_give(tmp_path):
    names = [f"seq000{n}" for n in range(1, 5)]
    (tmp_path / "lines").write_text("\n".join(SEQUENCES))
    dataset = SequenceDataset.from_sequences(SEQUENCES, [1, 0, 1, 0])
    write_table(dataset, tmp_path / "t.tsv")
    write_table(dataset, tmp_path / "t.parquet")
    convert_streaming(stream_entries(tmp_path / "t.tsv"), tmp_path / "d.motiflens")
    for source in ("lines", "t.tsv", "t.parquet", "d.motiflens"):
        assert_same(hits_of(tmp_path / source, tmp_path), expected(SEQUENCES, names))


def test_blanks_in_names_stay_in_their_column(tmp_path):
    dataset = SequenceDataset.from_sequences(["GATAAG" * 9], [1], names=["a b  c"])
    write_table(dataset, tmp_path / "t.parquet")
    assert set(hits_of(tmp_path / "t.parquet", tmp_path)["#chrom"]) == {"a_b_c"}


@pytest.mark.parametrize("block", [1, 7, 64])
def test_where_a_genome_is_cut_makes_no_difference(tmp_path, monkeypatch, block):
    monkeypatch.setattr(sequence_files, "BLOCK", block)
    monkeypatch.setattr(intervals, "BLOCK", block)
    contigs = {"chrI": sequence(4, 401, "ACGTacgtN"), "chrII": sequence(5, 310), "tiny": "AC"}
    fasta, two_bit = tmp_path / "g.fa", tmp_path / "g.2bit"
    fasta.write_text("".join(f">{name}\n{text}\n" for name, text in contigs.items()))
    two_bit.write_bytes(as_two_bit(contigs))
    wanted = expected(list(contigs.values()), list(contigs))
    assert_same(hits_of(fasta, tmp_path), wanted)
    assert_same(hits_of(two_bit, tmp_path), wanted)


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 150), st.integers(1, 40)),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([3, 1000]),
)
@settings(max_examples=40, deadline=None)
def test_a_site_of_overlapping_windows_comes_once(tmp_path_factory, rows, block):
    """What lies whole in one window or more, in the coordinates of the genome."""
    folder = tmp_path_factory.mktemp("windows")
    contigs = {"chrb": sequence(6, 190), "a": sequence(7, 190)}
    (folder / "g.fa").write_text("".join(f">{name}\n{s}\n" for name, s in contigs.items()))
    lines = [f"{chrom}\t{start}\t{start + width}" for chrom, start, width in rows]
    (folder / "w.bed").write_text("\n".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intervals, "BLOCK", block)
        found = hits_of(folder / "w.bed", folder, genome=folder / "g.fa", p=0.4)
    every = hits_of(folder / "g.fa", folder, p=0.4)
    named = [({"a": "a", "b": "chrb"}[chrom], start, start + w) for chrom, start, w in rows]
    inside = [
        any(c == hit[0] and s <= hit[1] and hit[2] <= e for c, s, e in named)
        for hit in every[["#chrom", "start", "end"]].itertuples(index=False)
    ]
    columns = ["#chrom", "start", "end", "motif_id", "strand", "p_value"]
    pd.testing.assert_frame_equal(
        found[columns].reset_index(drop=True),
        every[inside][columns].reset_index(drop=True),
        check_dtype=False,
    )


def test_windows_that_the_genome_lacks_are_counted_and_others_are_tested_once(tmp_path):
    (tmp_path / "g.fa").write_text(f">chr1\n{'GATA' * 25}\n")
    (tmp_path / "w.bed").write_text("1\t0\t20\nchr1\t10\t30\nchr1\t90\t101\nchrX\t1\t9\n")
    found = write_hits(
        MOTIFS[:1], tmp_path / "w.bed", tmp_path / "h.bed", genome=tmp_path / "g.fa", p=P
    )
    assert found.notes == (
        "2 of 4 intervals left out, as the genome does not hold them whole",
        "1 of 4 intervals found under the contig's other name, with or without chr",
    )
    assert found.n_windows == (2 * (30 - 3),)  # every start of the 30 bases but the last three
    assert set(bed(tmp_path / "h.bed")["#chrom"]) == {"chr1"}
    write_hits(
        MOTIFS[:1],
        tmp_path / "w.bed",
        tmp_path / "h.bed",
        genome=tmp_path / "g.fa",
        p=P,
        strands="forward",
    )
    assert set(bed(tmp_path / "h.bed")["strand"]) == {"+"}


def test_the_bytes_are_the_same_again_and_any_program_unpacks_them(tmp_path):
    (tmp_path / "s.fa").write_text(f">a\n{sequence(8, 30000)}\n")
    for name in ("a.bed.gz", "b.bed.gz", "c.bed"):
        write_hits(MOTIFS, tmp_path / "s.fa", tmp_path / name, p=0.1)
    packed = (tmp_path / "a.bed.gz").read_bytes()
    assert packed == (tmp_path / "b.bed.gz").read_bytes()
    assert gzip.decompress(packed) == (tmp_path / "c.bed").read_bytes()
    assert len((tmp_path / "c.bed").read_bytes()) > 3 * 65536


@given(st.lists(st.binary(max_size=40), max_size=4), st.integers(1, 3000))
def test_blocks_of_bgzf_are_linked_by_their_sizes(chunks, times):
    content = [chunk * times for chunk in chunks]
    packed = b"".join(compress_blocks(content))
    assert gzip.decompress(packed) == b"".join(content)
    place, unpacked = 0, b""
    while place < len(packed):
        assert packed[place : place + 4] == b"\x1f\x8b\x08\x04"
        assert packed[place + 12 : place + 16] == b"BC\x02\0"
        size = int.from_bytes(packed[place + 16 : place + 18], "little") + 1
        unpacked += gzip.decompress(packed[place : place + size])
        place += size
    assert unpacked == b"".join(content)
    assert packed.endswith(bytes.fromhex("1b0003000000000000000000"))  # the empty block


def test_a_motif_that_cannot_reach_p_is_named(tmp_path):
    (tmp_path / "s.fa").write_text(">a\nGATAAGATAA\n")
    found = write_hits(MOTIFS, tmp_path / "s.fa", tmp_path / "h.bed", p=1e-4)
    assert found.n_hits == (0, 0, 0)
    (note,) = found.notes
    assert note.startswith("2 of 3 motifs can have no hits")
    assert note.endswith("reaches p 0.0001: m1 (best p 0.0047), m3 (best p 0.27)")
    many = [MOTIFS[0]] * 7
    (note,) = write_hits(many, tmp_path / "s.fa", tmp_path / "h.bed", p=1e-4).notes
    assert note.count("best p") == 5
    assert note.endswith(" and 2 more")
    assert bed(tmp_path / "h.bed").empty
    assert (tmp_path / "h.bed").read_text().startswith("#chrom\tstart\tend\tname\tscore\tstrand\t")


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("s.fa", "", "is empty"),
        ("s.fa", "ACGT\n", "no header"),
        ("s.fa", ">a\nACGT\nACXT\n", "'X' at position 3 is no nucleotide in line 3 of"),
        ("s.fa", ">a\n>b\nAC\n", "no sequence follows '>a' in line 1"),
        ("s.fa", ">a\nAC\n>b\n", "no sequence follows '>b' in line 3"),
        ("s.fa.gz", ">a\nAC\n", "no whole gzip file"),
        ("w.bed", "chr1\t1\t9\n", "needs genome=FILE"),
        ("t.tsv", "label\n1\n", "sequence"),
        ("lines", "ACGT\nAC-T\n", "line 2"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(tmp_path, name, text, rule):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=rule):
        write_hits(MOTIFS, tmp_path / name, tmp_path / "h.bed")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_genome_goes_with_bed_that_lies_in_it(tmp_path):
    (tmp_path / "s.fa").write_text(">chr1\nACGT\n")
    (tmp_path / "w.bed").write_text("chr2\t0\t4\n")
    with pytest.raises(InputError, match="is FASTA, and there is genome="):
        write_hits(MOTIFS, tmp_path / "s.fa", tmp_path / "h.bed", genome=tmp_path / "s.fa")
    for interval, says in {
        "chr2\t0\t4": "all 1 are on chromosomes that it lacks",
        "1\t2\t9": r"1 of 1 end beyond their chromosomes, such as 1:2-9, where chr1 .* has 4 bases",
    }.items():
        (tmp_path / "w.bed").write_text(interval)
        with pytest.raises(InputError, match=f"no interval fits the genome: {says}"):
            write_hits(MOTIFS, tmp_path / "w.bed", tmp_path / "h.bed", genome=tmp_path / "s.fa")


@given(
    st.binary(max_size=60), st.sampled_from(["x.fa", "x.fa.gz", "x", "x.bed", "x.tsv", "x.2bit"])
)
@settings(max_examples=80, deadline=None)
def test_any_bytes_are_read_or_refused(tmp_path_factory, content, name):
    path = tmp_path_factory.mktemp("fuzz") / name
    path.write_bytes(content)
    names: list[str] = []
    try:
        stretches = list(open_sequences(path).read(5, lambda steps: None, names))
    except InputError:
        return
    assert all(set(stretch.codes.tolist()) <= {0, 1, 2, 3, 4} for stretch in stretches)
    assert len(names) == len({stretch.sequence for stretch in stretches})


def test_the_command_line(tmp_path, capsys):
    write_meme(MOTIFS, tmp_path / "m.meme")
    (tmp_path / "s.fa").write_text(f">a\n{SEQUENCES[0]}\n")
    call = ["hits", str(tmp_path / "m.meme"), str(tmp_path / "s.fa"), "-o", str(tmp_path / "h.bed")]
    with pytest.raises(SystemExit) as ended:
        main([*call, "--p", "0.01", "--json"])
    assert ended.value.code == 0
    summary = json.loads(capsys.readouterr().out)
    assert (
        summary["hits"]
        == len(bed(tmp_path / "h.bed"))
        == len(find_hits(MOTIFS, SEQUENCES[:1], p=P))
    )
    assert [motif["motif_id"] for motif in summary["motifs"]] == ["m1", "m2", "m3"]
    with pytest.raises(SystemExit) as ended:
        main(call)
    assert ended.value.code == 2
    assert "--overwrite" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is empty"),
        ("MEME version 4\n", "ends without a motif"),
        ("MEME version 4\nMOTIF a\nletter-probability matrix: w= 2\n1 0 0 0\n", "1 rows, not w= 2"),
        ("MEME version 4\nMOTIF a\nletter-probability matrix:\n0 0 0 0\n", "four probabilities"),
        (">a\n1 0\n0 0\n1 0\n0 0\n", "only zeros in column 2"),
        ("hello\n", "begins with 'hello'"),
    ],
)
def test_a_motif_file_that_is_none_ends_in_one_line(tmp_path, capsys, content, problem):
    (tmp_path / "m").write_text(content)
    (tmp_path / "s.fa").write_text(">a\nACGT\n")
    with pytest.raises(SystemExit) as ended:
        main(["hits", str(tmp_path / "m"), str(tmp_path / "s.fa"), "-o", str(tmp_path / "h.bed")])
    assert ended.value.code == 2
    message = capsys.readouterr().err
    assert re.search(problem, message)
    assert len(message.splitlines()) == 1


PEAK_MEMORY = """
import sys
from motiflens.motifs import motif_from_string
from motiflens.hits import write_hits
write_hits([motif_from_string("CACGTGACGT")], sys.argv[1], sys.argv[2])
print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_genome(tmp_path):
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak of a process is read from /proc")
    line = sequence(9, 80) + "\n"
    peaks = []
    for millions in (2, 30):
        path = tmp_path / f"{millions}.fa"
        path.write_text(">chr1\n" + line * (millions * 10**6 // 80))
        ended = subprocess.run(
            [sys.executable, "-c", PEAK_MEMORY, str(path), str(tmp_path / "h.bed.gz")],
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(ended.stdout) / 1024)
    assert peaks[1] - peaks[0] < 10  # MiB, for 28 MB more


def test_sites_of_crp_in_the_genome_of_e_coli(tmp_path):
    folder = DATA / "ecoli_regulondb"
    if not folder.exists():
        pytest.skip("the genome of E. coli of the shared test data is not here")
    crp = motif_from_string("WWWTGTGATNNNNATCACAWWW", "CRP")
    found = write_hits(
        [crp], folder / "MG1655-K12.fasta.gz", tmp_path / "h.bed.gz", background="sequences", p=1e-5
    )
    assert found.n_sequences == 1
    assert abs(found.background[0] - 0.246) < 1e-3
    assert found.n_windows == (2 * (4639675 - 21),)
    hits = bed(tmp_path / "h.bed.gz")
    sites = pd.read_csv(folder / "sites.bed", sep="\t", header=None, usecols=[1, 2, 3])
    known = sites[sites[3].str.contains("CRP")]
    middles = (hits["start"] + hits["end"]).to_numpy() / 2
    best = hits.nsmallest(40, "p_value").index
    near = [
        bool(((known[1] - 5 <= middles[row]) & (middles[row] <= known[2] + 5)).any())
        for row in best
    ]
    assert np.mean(near) > 0.5


@pytest.mark.parametrize("name", ["hits.csv", "hits.txt", "hits.bed.zip", "hits.gz", "hits"])
def test_hits_are_not_named_as_what_they_are_not(tmp_path: Path, name: str) -> None:
    (tmp_path / "s.fa").write_text(">a\nACGT\n")
    with pytest.raises(InputError, match="not named as a BED file"):
        write_hits(MOTIFS, tmp_path / "s.fa", tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["s.fa"]
