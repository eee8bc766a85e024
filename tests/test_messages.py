"""Mistakes that people make, typed as they type them: what happened first, in one line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.command import motiflens as call

import motiflens
from motiflens.errors import one_of

OLD_RUN = Path(__file__).parent / "old_run"


def command(line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return call(*line.split(), cwd=cwd)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    dataset = motiflens.simulate(n=60)
    sequences, labels = dataset.sequences(), dataset.labels
    fasta = "".join(f">s{i}\n{s}\n" for i, s in enumerate(sequences))
    rows = [f"{s},{int(v)}" for s, v in zip(sequences, labels, strict=True)]
    words = [f"{s},{'bound' if v else 'unbound'}" for s, v in zip(sequences, labels, strict=True)]
    (folder / "pos.fa").write_text(fasta)
    (folder / "neg.fa").write_text(fasta)
    (folder / "hits.bed").write_text("")
    (folder / "mine.csv").write_text("sequence,label\n" + "\n".join(rows) + "\n")
    (folder / "words.csv").write_text("sequence,label\n" + "\n".join(words) + "\n")
    (folder / "semi.csv").write_text(
        "name;sequence;label\n" + "\n".join(f"s;{row.replace(',', ';')}" for row in rows) + "\n"
    )
    (folder / "book.xlsx").write_bytes(b"PK\x03\x04\xf9\xff")
    (folder / "protein.fa").write_text(">p\nMKLEEQRPSTVWYF\n" * 6)
    (folder / "empty.csv").write_text("sequence,label\nACGTACGTAC,1\n,0\n")
    (folder / "genome.fa").write_text(">22\n" + "ACGTTGCAAC" * 500 + "\n")
    (folder / "peaks.bed").write_text("chr1\t10\t90\tCTCF_K562\nchr1\t200\t300\tGATA1_K562\n")
    (folder / "twelve.csv").write_text("sequence,label\n" + "\n".join(rows[:12]) + "\n")
    (folder / "variants.vcf").write_text("##fileformat=VCFv4.2\n#CHROM\tPOS\n1\t5\n")
    return folder


#: What is typed → what the one line holds, in this order; the first stands at its beginning.
MESSAGES = {
    "hits pos.fa pos.fa -o hits.bed": ["hits.bed already exists", "; ", "--overwrite"],
    "run missing.fa -o out": ["no such file: missing.fa"],
    "run pos.fa": ["-o OUT is missing", "such as `motiflens run pos.fa -o out`"],
    "run pos.fa neg.fa -o out": ["nothing is known to do with neg.fa", "--negatives neg.fa"],
    "foretell x": ["there is no command foretell", "the commands are: demo, run"],
    "run book.xlsx -o out": ["book.xlsx is no whole Excel workbook"],
    "run words.csv -o out": ["label", "bound", "30", "unbound", "30", "--positive"],
    "run protein.fa --negatives shuffle -o out": ["looks like protein", "in line 2 of protein.fa"],
    "run empty.csv -o out": ["no sequence", "line 3"],
    "run peaks.bed --genome genome.fa --peak-name CTCF -o out": ["CTCF", "CTCF_K562"],
    "run peaks.bed --genome genome.fa --width 50 -o out": [
        "no interval fits the genome",
        "chr1",
        "22",
        "assembly",
    ],
    "run pos.fa --width 200 --negatives shuffle -o out": ["--width", "BED", "pos.fa"],
    "motifs": ["motifs takes a run folder", "--no-model SEQUENCES"],
    "run peaks.bed --genome book.xlsx --width 50 -o out": ["book.xlsx is not a genome"],
    "run variants.vcf -o out": ["variants.vcf", "VCF"],
    "run pos.fa --negatives shuffel -o out": ["shuffel", "did you mean shuffle?"],
    "run mine.csv -o out --models atention": ["atention", "did you mean attention?"],
    "run mine.csv -o out --split homolgy": ["homolgy", "did you mean homology?"],
    "explain nowhere": ["nowhere does not exist", "motiflens run DATA -o OUT"],
}


@pytest.mark.parametrize("typed", MESSAGES)
def test_what_happened_comes_first_in_one_line(typed: str, folder: Path) -> None:
    before = sorted(folder.iterdir())
    ended = command(typed, folder)
    assert ended.returncode == 2, ended.stderr
    (line,) = ended.stderr.splitlines()
    text = line.removeprefix("motiflens: ")
    assert text != line
    position = 0
    for words in MESSAGES[typed]:
        assert words in text[position:], text
        position = text.index(words, position) + len(words)
    assert ". " not in text
    assert sorted(folder.iterdir()) == before


def test_a_finished_run_is_named_with_its_report(tmp_path: Path) -> None:
    motiflens.simulate(n=60)
    (tmp_path / "mine.csv").write_text("sequence,label\n" + "ACGTTGCA,1\nTTGACCAA,0\n" * 9)
    (tmp_path / "out").symlink_to(OLD_RUN)
    ended = command("train mine.csv -o out", tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.startswith("motiflens: out already holds a finished run; ")
    assert "--overwrite" in ended.stderr


def test_two_models_apart_are_one_list(folder: Path) -> None:
    ended = command("run missing.fa -o out --models cnn attention", folder)
    assert ended.stderr == "motiflens: no such file: missing.fa; did you mean neg.fa?\n"


@pytest.mark.parametrize("typed", ["help", "help run", "run --help"])
def test_help_has_examples(typed: str, tmp_path: Path) -> None:
    ended = command(typed, tmp_path)
    assert ended.returncode == 0
    assert "Examples:\n  motiflens " in ended.stdout


def test_completion_can_be_installed(tmp_path: Path) -> None:
    ended = command("--install-completion --shell bash --output completion.sh", tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "motiflens" in (tmp_path / "completion.sh").read_text()


@pytest.mark.parametrize(
    ("value", "choices", "says"),
    [
        ("homolgy", ["random", "homology"], "'homolgy' is not a split; did you mean homology?"),
        ("x", ["random", "homology"], "'x' is not a split; use one of these: random, homology"),
        ("x", ["random"], "'x' is not a split; use random"),
        ("x", [], "'x' is not a split; there is none"),
    ],
)
def test_a_choice_that_is_none_names_those_that_are(
    value: str, choices: list[str], says: str
) -> None:
    with pytest.raises(motiflens.InputError) as told:
        one_of("a split", value, choices)
    assert str(told.value) == says
