"""Further files as people have them, given to the command line, and data frames."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import motiflens as ml
from motiflens.cli import main
from motiflens.errors import InputError
from motiflens.io.options import ReadOptions
from motiflens.io.read import read_files

N = 12


def sequences(n: int = N, length: int = 30, seed: int = 1) -> list[str]:
    draw = random.Random(seed)
    return ["".join(draw.choice("ACGT") for _ in range(length)) for _ in range(n)]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


class Command:
    """The command line in this process: exit code and lines on stderr."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, line: str) -> tuple[object, list[str]]:
        with pytest.raises(SystemExit) as ended:
            main(line.split())
        return ended.value.code, self.capsys.readouterr().err.splitlines()

    def refused(self, line: str) -> str:
        code, lines = self(line)
        assert (code, len(lines)) == (2, 1), lines
        return lines[0].removeprefix("motiflens: ")

    def prepared(self, line: str) -> tuple[pd.DataFrame, list[str]]:
        code, notes = self(f"prepare {line} -o made.tsv --overwrite")
        assert code == 0, notes
        return pd.read_csv("made.tsv", sep="\t"), notes


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


def table(
    name: str, header: str, separator: str = ",", labels: tuple[str, str] = ("0", "1")
) -> str:
    rows = [f"{text}{separator}{labels[i % 2]}" for i, text in enumerate(sequences())]
    Path(name).write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return name


def fasta(name: str, seed: int, header: str = "p{i}", n: int = N) -> str:
    texts = sequences(n, seed=seed)
    Path(name).write_text(
        "".join(f">{header.format(i=i, label=i % 2)}\n{s}\n" for i, s in enumerate(texts))
    )
    return name


def genome(names: tuple[str, ...] = ("CTCF_K562", "REST")) -> str:
    """Write a genome and ten peaks on it; return the arguments for both."""
    Path("g.fa").write_text(f">chr1\n{sequences(1, 6000)[0]}\n")
    rows = [f"chr1\t{200 + 400 * i}\t{240 + 400 * i}\t{names[i % 2]}\n" for i in range(10)]
    Path("p.bed").write_text("".join(rows))
    return "p.bed --genome g.fa"


def windows(name: str) -> None:
    """Write seven intervals without names."""
    rows = [f"chr1\t{10 + 400 * i}\t{90 + 400 * i}\n" for i in range(7)]
    Path(name).write_text("".join(rows))


@pytest.mark.parametrize(
    ("header", "separator"),
    [("seq,label", ","), ("Sequences|labels", "|"), ("序列;标签", ";"), ("sequence|label", "|")],
)
def test_columns_by_the_names_that_people_give_them(command, header, separator) -> None:
    made, _ = command.prepared(table("a.csv", header, separator))
    assert made["sequence"].tolist() == sequences()
    assert made["label"].tolist() == [i % 2 for i in range(N)]


def test_our_own_name_goes_before_another(command) -> None:
    rows = [f"id{i},{text},{i % 2}" for i, text in enumerate(sequences())]
    Path("a.csv").write_text("\n".join(["seq,sequence,label", *rows]))
    assert command.prepared("a.csv")[0]["sequence"].tolist() == sequences()


def test_a_column_that_may_be_the_label_is_offered(command) -> None:
    line = command.refused(f"prepare {table('a.csv', 'sequence,class')} -o x.tsv")
    assert line.endswith("rename the column 'class' to 'label'")


@pytest.mark.parametrize(
    ("name", "text", "told", "remedy"),
    [
        ("a.fastq", "@r1\nACGT\n+\nIIII\n", "a.fastq holds reads of a sequencer (FASTQ)", "seqtk"),
        ("a.txt", "@r1\nACGT\n+\nIIII\n", "a.txt holds reads of a sequencer (FASTQ)", "FASTA"),
        ("a.gb", "LOCUS   x 9 bp\n", "a.gb holds an annotated record (GenBank or EMBL)", "FASTA"),
        ("a.txt", "LOCUS   x 9 bp\n", "a.txt holds an annotated record", "as FASTA"),
    ],
)
@pytest.mark.parametrize("typed", ["prepare {} -o x.tsv", "hits CTCF {} -o x.bed"])
def test_formats_of_others_are_named(command, name, text, told, remedy, typed) -> None:
    Path(name).write_text(text)
    line = command.refused(typed.format(name))
    assert line.startswith(told)
    assert remedy in line.split("; ")[1]


def test_a_bed_file_may_name_its_columns(command) -> None:
    arguments = genome()
    bare, _ = command.prepared(arguments)
    Path("p.bed").write_text("chrom\tchromStart\tchromEnd\tname\n" + Path("p.bed").read_text())
    assert command.prepared(arguments)[0].equals(bare)


def test_splits_by_other_words(command) -> None:
    words = ["Train", "training", "validation", "dev", "val", "test", "testing", "train"]
    rows = [f"{text},{i % 2},{words[i % 8]}" for i, text in enumerate(sequences(16))]
    Path("a.csv").write_text("\n".join(["sequence,label,split", *rows]))
    made, _ = command.prepared("a.csv")
    meant = ["train", "train", "valid", "valid", "valid", "test", "test", "train"]
    assert made["split"].tolist() == meant * 2
    Path("a.csv").write_text(Path("a.csv").read_text().replace("dev", "vallid"))
    line = command.refused("prepare a.csv -o x.tsv")
    assert line == (
        "the split 'vallid' is not train, valid or test in line 5 of a.csv; did you mean valid?"
    )


def test_coordinates_that_are_not_whole_are_told(command) -> None:
    rows = [f"{text},{i % 2},chr1,{i}" for i, text in enumerate(sequences())]
    Path("a.csv").write_text("\n".join(["sequence,label,chrom,start", *rows]))
    _, notes = command.prepared("a.csv")
    assert "chrom and start of a.csv is not used: coordinates need chrom, start and end" in notes


def test_the_count_of_rows_holds_the_excluded(command) -> None:
    Path("excluded.bed").write_text("chr1\t190\t700\n")
    _, notes = command.prepared(f"{genome()} --exclude excluded.bed")
    assert "8 of 10 rows became windows" in notes
    assert "2 windows dropped, as they overlap excluded.bed" in notes


@pytest.mark.parametrize("kind", ["table", "bare table", "bed"])
def test_negatives_of_any_kind_of_file(command, kind) -> None:
    arguments = genome()
    if kind == "bed":
        Path("n.bed").write_text(
            "".join(f"chr1\t{10 + 400 * i}\t{90 + 400 * i}\n" for i in range(7))
        )
        made, _ = command.prepared(f"{arguments} --width 40 --negatives n.bed")
        there = made[made["label"] == 0]
        assert there["start"].tolist() == [30 + 400 * i for i in range(7)]
        text = Path("g.fa").read_text().split()[1]
        assert there["sequence"].tolist() == [text[s : s + 40] for s in there["start"]]
        return
    other = sequences(7, length=40, seed=5)
    rows = [f"{text},0" if kind == "table" else f"x,{text}" for text in other]
    header = "sequence,label" if kind == "table" else "note,sequence"
    Path("n.csv").write_text("\n".join([header, *rows]))
    made, _ = command.prepared(f"{arguments} --negatives n.csv")
    assert made[made["label"] == 0]["sequence"].tolist() == other


def test_negatives_that_are_positives_or_lack_a_genome_are_refused(command) -> None:
    fasta("p.fa", 3)
    line = command.refused(f"prepare p.fa --negatives {table('n.csv', 'sequence,label')} -o x.tsv")
    assert line.startswith("there is --negatives n.csv, and a label 1 in line 3 of n.csv")
    genome()
    line = command.refused("prepare p.fa --negatives p.bed -o x.tsv")
    assert line.startswith("--negatives p.bed is a BED file and needs --genome FILE")


def test_a_test_file_has_no_use_for_options_of_another_kind(tmp_path) -> None:
    arguments = genome()
    options = ReadOptions(genome=Path("g.fa"), width=40, peak_name="CTCF*", negatives="matched")
    test = fasta("t.fa", 4, header="{label}")
    made = read_files(arguments.split()[0], options, {"test": test}).dataset
    assert made.part("test").sequences() == sequences(seed=4)
    assert set(made.part("train").lengths.tolist()) == {40}


def test_a_test_file_of_peaks_without_names_is_whole() -> None:
    genome()
    windows("t.bed")
    options = ReadOptions(genome=Path("g.fa"), width=40, peak_name="CTCF*")
    part = read_files("p.bed", options, {"test": "t.bed"}, test_negatives="shuffle").dataset
    assert part.part("test").labels.sum() == 7
    assert set(part.part("test").lengths.tolist()) == {40}


def test_labels_of_the_main_file_are_not_asked_of_a_test_file(command) -> None:
    fasta("p.fa", 3)
    Path("l.txt").write_text("".join("bound\n" if i % 2 else "free\n" for i in range(N)))
    options = ReadOptions(labels=Path("l.txt"), positive="bound")
    for test in (fasta("t.fa", 4, header="{label}"), table("t.csv", "seq,label")):
        made = read_files("p.fa", options, {"test": test}).dataset
        assert made.part("test").labels.tolist() == [i % 2 for i in range(N)]
    words = table("w.csv", "seq,label", labels=("free", "bound"))
    made = read_files("p.fa", options, {"test": words}).dataset
    assert made.part("test").labels.tolist() == [i % 2 for i in range(N)]
    fasta("bare.fa", 4)
    line = command.refused("audit p.fa --labels l.txt --positive bound --test bare.fa -o a.json")
    assert "in line 1 of bare.fa; a file --test bare.fa has its labels in it" in line
    assert "--test-negatives" in line


def test_a_data_frame_is_a_table() -> None:
    frame = pd.DataFrame(
        {
            "seq": sequences(),
            "label": np.array([i % 2 for i in range(N)], dtype=float),
            "name": [None, *(f"n{i}" for i in range(1, N))],
            "other": range(N),
        }
    )
    made = ml.read(frame, test=frame.iloc[:4])
    assert made.part("train").sequences() == sequences()
    assert made.part("test").labels.tolist() == [0, 1, 0, 1]
    assert made.names[1] == "n1"
    assert ml.read(frame.astype({"label": bool})).labels.tolist() == [i % 2 for i in range(N)]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda frame: ml.read(frame.assign(label=2)), "the label '2' is neither 0 nor 1 in row 1"),
        (lambda frame: ml.read(frame, width=3), "width=3 is not for a data frame"),
        (lambda frame: ml.read(3), "int is no data set"),
        (lambda frame: ml.read("a.bed", width="200"), "width='200' is no whole number"),
        (lambda frame: ml.read("a.bed", width=2.5), "width=2.5 is no whole number"),
        (lambda frame: ml.read("a.txt", positive_sd="4"), "positive_sd='4' is no number"),
    ],
)
def test_what_is_no_data_frame_is_told(call, told) -> None:
    frame = pd.DataFrame({"sequence": sequences(), "label": [i % 2 for i in range(N)]})
    with pytest.raises(InputError) as caught:
        call(frame)
    assert str(caught.value).startswith(told)
