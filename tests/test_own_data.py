"""Files as people have them, given to the command line: each is read, or one line says why not."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pandas as pd
import pytest
from tests.command import motiflens

N = 12


def sequences(n: int = N, length: int = 30, seed: int = 1) -> list[str]:
    draw = random.Random(seed)
    return ["".join(draw.choice("ACGT") for _ in range(length)) for _ in range(n)]


def table(labels: list[object], separator: str = ",", header: str = "sequence,label") -> str:
    rows = [f"{text}{separator}{label}" for text, label in zip(sequences(), labels, strict=True)]
    return "\n".join([*([header.replace(",", separator)] if header else []), *rows]) + "\n"


LABELS: list[object] = [i % 2 for i in range(N)]
WORDS: list[object] = ["unbound", "bound"] * (N // 2)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def refused(*arguments: str) -> str:
    """Call the command, which refuses in one line and writes nothing; return the line."""
    before = sorted(Path().rglob("*"))
    ended = motiflens(*arguments)
    assert (ended.returncode, ended.stdout) == (2, ""), ended.stderr
    (line,) = ended.stderr.splitlines()
    new = [path for path in sorted(Path().rglob("*")) if path not in before]
    assert not [path for path in new if path.parts[0] != "cache"]
    return line.removeprefix("motiflens: ")


def prepared(*arguments: str) -> pd.DataFrame:
    """Call ``prepare``, which reads as ``run`` does, and return the table that it writes."""
    ended = motiflens("prepare", *arguments, "-o", "made.tsv")
    assert ended.returncode == 0, ended.stderr
    return pd.read_csv("made.tsv", sep="\t")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("semicolons.csv", table(LABELS, ";").encode()),
        ("tabs.csv", table(LABELS, "\t").encode()),
        ("commas.tsv", table(LABELS).encode()),
        ("mark.csv", b"\xef\xbb\xbf" + table(LABELS).encode()),
        ("unicode.txt", table(LABELS, "\t").encode("utf-16")),
        ("rna.csv", table(LABELS).replace("T", "U").encode()),
        ("more.csv", (table(LABELS) + ",\n,\n").encode()),
    ],
)
def test_tables_as_spreadsheets_write_them(name: str, content: bytes) -> None:
    Path(name).write_bytes(content)
    made = prepared(name)
    assert made["sequence"].tolist() == sequences()
    assert made["label"].tolist() == LABELS


def test_a_workbook_is_a_table() -> None:
    pytest.importorskip("openpyxl")
    pd.DataFrame({"Sequence": sequences(), "label": LABELS}).to_excel("data.xlsx", index=False)
    assert prepared("data.xlsx")["sequence"].tolist() == sequences()
    Path("data.xlsx").rename("data.csv")
    assert refused("prepare", "data.csv", "-o", "x.tsv").startswith(
        "data.csv holds an Excel workbook"
    )


def test_two_words_are_labels_once_one_is_named() -> None:
    Path("words.csv").write_text(table(WORDS))
    line = refused("prepare", "words.csv", "-o", "x.tsv")
    assert "'unbound' (6 rows), 'bound' (6 rows)" in line
    assert line.endswith('--positive "bound"')
    assert prepared("words.csv", "--positive", "bound")["label"].tolist() == LABELS
    assert "no label is 'bind' in words.csv" in refused(
        "prepare", "words.csv", "--positive", "bind", "-o", "x.tsv"
    )
    Path("s.txt").write_text("\n".join(sequences()))
    Path("l.txt").write_text("\n".join(map(str, WORDS)))
    made = prepared("s.txt", "--labels", "l.txt", "--positive", "bound", "--overwrite")
    assert made["label"].tolist() == LABELS


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.csv", table([i % 4 for i in range(N)]), ["4 classes, 0, 1, 2, 3", "two classes"]),
        ("a.csv", table([*LABELS[:-1], "maybe"]), ["'maybe'", "in line 13 of a.csv"]),
        ("a.csv", table(LABELS, header=""), ["first line of a.csv is data", "sequence,label"]),
        (
            "a.csv",
            table(LABELS).replace(sequences()[7], ""),
            ["there is no sequence in line 9 of a.csv"],
        ),
        ("a.csv", table(LABELS).replace("sequence", "sequnce"), ["'sequnce' to 'sequence'"]),
        (
            "a.fa",
            ">1\nMKVLAAGIVALLEQWRTNDS\n",
            ["'MKVLAAGIVALLEQWRTNDS' looks like protein", "line 2"],
        ),
        ("a.vcf", "##fileformat=VCFv4.2\n22\t20000\trs7\tG\tA\n", ["a.vcf holds variants (VCF)"]),
        ("a.bed", "1\t2\t9\n", ["a.bed is a BED file and needs --genome FILE"]),
    ],
)
def test_what_cannot_be_read_is_named_as_what_it_is(name: str, text: str, told: list[str]) -> None:
    Path(name).write_text(text)
    line = refused("prepare", name, "-o", "out.tsv")
    assert not [piece for piece in told if piece not in line], line


def fasta(name: str = "p.fa") -> str:
    Path(name).write_text("".join(f">p{i}\n{text}\n" for i, text in enumerate(sequences())))
    return name


def test_a_mistyped_kind_of_negatives_offers_the_nearest() -> None:
    line = refused("prepare", fasta(), "--negatives", "shuffel", "-o", "out.tsv")
    assert line == "'shuffel' is no kind of negatives and no file; did you mean shuffle?"


def test_an_option_of_another_kind_of_file_is_named() -> None:
    line = refused("prepare", fasta(), "--width", "10", "--negatives", "shuffle", "-o", "out.tsv")
    assert line == "--width 10 is for a BED file, and p.fa is FASTA; leave it out"


def peaks(chrom: str = "1") -> list[str]:
    """Write a genome whose chromosome is chr1, and peaks on it; return the arguments for both."""
    (text,) = sequences(1, 6000)
    Path("g.fa").write_text(f">chr1\n{text}\n")
    names = ["CTCF_K562", "CTCF_MCF-7", "REST"]
    rows = [f"{chrom}\t{200 + 400 * i}\t{240 + 400 * i}\t{names[i % 3]}\n" for i in range(10)]
    Path("p.bed").write_text("".join(rows))
    return ["p.bed", "--genome", "g.fa"]


def test_peaks_that_no_name_fits_are_offered_with_their_counts() -> None:
    line = refused("prepare", *peaks(), "--peak-name", "ctcf", "-o", "out.tsv")
    assert "no peak is named 'ctcf' in p.bed; similar: CTCF_K562 (4 rows), CTCF_MCF-7 (3" in line
    assert line.endswith('for all 7 rows: --peak-name "CTCF_*"')
    line = refused("prepare", *peaks(), "--peak-name", "RSET", "-o", "out.tsv")
    assert "similar: REST (3 rows)" in line


def test_names_of_chromosomes_meet_with_a_note() -> None:
    ended = motiflens("prepare", *peaks("1"), "-o", "made.tsv")
    assert ended.returncode == 0, ended.stderr
    assert "10 windows found under the contig's other name, with or without chr" in ended.stderr
    line = refused("prepare", *peaks("chr9"), "-o", "out.tsv")
    assert "of 10, 10 on chromosomes that it lacks (yours: chr9; g.fa: chr1)" in line
    assert line.endswith("; is it the right assembly?")


def test_excluded_regions_hold_no_peak_and_no_negative() -> None:
    Path("excluded.bed").write_text("chr1\t190\t700\nchr1\t3000\t5900\n")
    made = prepared(*peaks(), "--exclude", "excluded.bed")
    inside = (made["start"] < 700) & (made["end"] > 190)
    inside |= (made["start"] < 5900) & (made["end"] > 3000)
    assert not inside.any()
    assert made["label"].sum() == 5
    assert (made["label"] == 0).sum() > 2


def test_a_folder_for_the_audit_is_made() -> None:
    Path("a.csv").write_text(table(LABELS))
    ended = motiflens("audit", "a.csv", "-o", "new/folder/x.json")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(Path("new/folder/x.json").read_text())["duplicates"] is not None


def test_a_genome_that_is_none_is_named() -> None:
    Path("g.xlsx").write_bytes(b"PK\x03\x04 and so on")
    line = refused("prepare", peaks()[0], "--genome", "g.xlsx", "-o", "out.tsv")
    assert line.startswith("g.xlsx is not a genome")


@pytest.mark.parametrize("kind", ["table", "peaks"])
def test_motifs_without_a_model_take_what_a_run_takes(kind: str) -> None:
    if kind == "table":
        Path("a.csv").write_text(table(WORDS))
        data = ["a.csv", "--positive", "bound"]
    else:
        data = [*peaks(), "--width", "30"]
    ended = motiflens("motifs", "--no-model", *data, "-o", "out")
    assert ended.returncode == 0, ended.stderr
    given = json.loads(Path("out/motifs.json").read_text())["discovered_by"]["given"]
    assert given["positives"] == (6 if kind == "table" else 10)


def test_few_rows_end_in_one_clear_line() -> None:
    for n in (2, 4):
        rows = table(LABELS).splitlines()[: 1 + n]
        Path("few.csv").write_text("\n".join(rows))
        line = refused("run", "few.csv", "-o", "out")
        assert "positive" in line
