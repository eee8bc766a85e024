"""Variants scored: windows and alleles by hand, planted motifs, files of every kind."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pysam
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import motiflens as ml
from command import motiflens
from motiflens.errors import InputError
from motiflens.io.genome import open_genome
from motiflens.models import build_model
from motiflens.motifs import Motif
from motiflens.plots.alleles import STEP
from motiflens.plots.svg import SITE as SITE_COLOUR
from motiflens.scoring.alleles import REASONS, Allele, RefMismatch, Stretch, alleles_of
from motiflens.scoring.carry_out import carry_out, merge
from motiflens.scoring.random_variants import RandomVariants
from motiflens.scoring.substitutions import substitutions_of
from motiflens.scoring.variant_files import Record, read_variants
from motiflens.scoring.variant_pictures import draw_variant
from motiflens.scoring.variant_scores import AlleleScore, VariantScoring
from motiflens.scoring.variants import Variants
from motiflens.scoring.work import Shard
from motiflens.training import single_intra_op_thread
from variant_runs import (
    MOTIF,
    SITE,
    hand_set,
    make_genome,
    make_run,
    random_letters,
    scorer_of,
    write_vcf,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("variants"))


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_genome(tmp_path_factory.mktemp("genome"))


def letters_of(genome: Path, chrom: str = "chr1") -> str:
    opened = open_genome(genome)
    return opened.fetch(chrom, 0, opened.contigs[chrom].size).upper()


def other(letter: str) -> str:
    return "ACGT"[("ACGT".index(letter) + 1) % 4]


def scored(genome: Path, *records: Record, mismatch: RefMismatch = "skip") -> list[AlleleScore]:
    """Score records by the model of hand-set weights, for the first alternate of each."""
    motif = Motif.from_string(MOTIF, name="AP-1")
    scoring = VariantScoring(hand_set(), open_genome(genome), [motif], mismatch)
    return [scores[0] for scores in scoring.score(list(records))]


def test_a_window_is_centred_on_either_allele() -> None:
    text = random_letters(60)
    stretch = Stretch("c", 10, text[10:50], 60)
    insertion = Allele("c", 30, 0, "", "ACGTA")
    assert stretch.window(insertion, "", 9) == text[26:35]
    assert stretch.window(insertion, "ACGTA", 9) == text[28:30] + "ACGTA" + text[30:32]
    deletion = Allele("c", 30, 4, text[30:34], "")
    assert stretch.window(deletion, text[30:34], 9) == text[28:37]
    assert stretch.window(deletion, "", 9) == text[26:30] + text[34:39]


def test_a_window_at_an_end_is_shifted_inside() -> None:
    text = random_letters(30)
    stretch = Stretch("c", 0, text, 30)
    assert stretch.window(Allele("c", 2, 1, text[2], "A"), "A", 9) == f"{text[:2]}A{text[3:9]}"
    last = Allele("c", 29, 1, text[29], "")
    assert stretch.window(last, text[29], 9) == text[21:]
    assert stretch.window(last, "", 9) == text[20:29]
    assert stretch.window(last, "GG", 50) == f"{text[:29]}GG"


def test_what_both_alleles_share_is_cut_off() -> None:
    stretch = Stretch("c", 0, "GATTACAGATTACA", 14)
    record = Record("c", 1, "ATTA", ("ATA", "ATTTA", "CTTA", "ACCA"))
    assert alleles_of(record, stretch, "skip") == [
        Allele("c", 2, 1, "T", ""),
        Allele("c", 2, 0, "", "T"),
        Allele("c", 1, 1, "A", "C"),
        Allele("c", 2, 2, "TT", "CC"),
    ]


def test_a_contig_shorter_than_the_only_length_is_padded(genome: Path) -> None:
    model = build_model("tutorial-cnn", length=37, seed=1)
    scorer = replace(
        scorer_of(model, length=37, both_strands=False), min_length=15, only_length=True
    )
    letters = letters_of(genome, "short")
    changed = letters[:8] + other(letters[8]) + letters[9:]
    scoring = VariantScoring(scorer, open_genome(genome))
    record = Record("short", 8, letters[8], (other(letters[8]),))
    [[score]] = scoring.score([record])
    x = torch.zeros(2, 4, 37)
    x[..., :20] = torch.from_numpy(ml.one_hot([letters, changed]))
    with torch.no_grad():
        expected = model.eval()(x).tolist()
    assert [score.reference, score.alternate] == pytest.approx(expected, abs=1e-5)


def test_a_substitution_in_the_motif_lowers_the_score(genome: Path) -> None:
    text = letters_of(genome)
    inside, outside = SITE + 2, SITE + 15
    within, beside = scored(
        genome,
        *(Record("1", at, text[at], (other(text[at]),)) for at in (inside, outside)),
    )
    # Seven bases fit on one strand and six on the other, one less of each with the substitution.
    assert within.reference == pytest.approx((3 + 2) / 2)
    assert within.difference == pytest.approx(-1)
    assert within.percentile is not None
    assert within.percentile > 90
    assert (within.lost, within.gained) == (("AP-1",), ())
    assert beside.difference == pytest.approx(0)
    assert (beside.lost, beside.gained) == ((), ())
    assert within.standard_error is None  # of one seed


def test_exchanged_alleles_give_the_opposite(genome: Path, tmp_path: Path) -> None:
    text, at = letters_of(genome), SITE + 2
    deletion = Record("chr1", at - 1, text[at - 1 : at + 2], (text[at - 1],))
    substitution = Record("chr1", at, text[at], (other(text[at]),))
    changed = {
        "one": (substitution, text[:at] + other(text[at]) + text[at + 1 :]),
        "two": (deletion, text[:at] + text[at + 2 :]),
    }
    for record, altered in changed.values():
        (tmp_path / "altered.fa").write_text(f">chr1\n{altered}\n")
        back = Record("chr1", record.start, record.alternates[0], (record.reference,))
        (there,), (again,) = scored(genome, record), scored(tmp_path / "altered.fa", back)
        assert there.difference == pytest.approx(-again.difference)
        assert there.difference < -0.4
        assert (there.lost, there.gained) == (again.gained, again.lost) == (("AP-1",), ())
        # The same two sequences, put into one genome.
        (swapped,) = scored(tmp_path / "altered.fa", record, mismatch="swap")
        assert swapped.swapped
        assert swapped.difference == pytest.approx(there.difference)


def test_a_reference_that_is_not_the_genomes(genome: Path) -> None:
    text = letters_of(genome)
    wrong = Record("chr1", 99, other(text[99]), (text[99],))
    hopeless = Record("chr1", 99, other(text[99]), (other(other(text[99])),))
    assert scored(genome, wrong)[0].skipped == "ref_mismatch"
    first, second = scored(genome, wrong, hopeless, mismatch="swap")
    assert first.swapped
    assert not first.skipped
    assert second.skipped == "ref_mismatch"
    with pytest.raises(InputError, match=f"REF {wrong.reference} of chr1:100 is not the genome's"):
        scored(genome, wrong, mismatch="fail")


@pytest.mark.parametrize(
    ("chrom", "start", "reference", "alternate", "reason"),
    [
        ("chr1", 9, None, "<DEL>", "symbolic"),
        ("chr1", 9, None, "A]chr1:5]", "symbolic"),
        ("chr1", 9, None, ".A", "symbolic"),
        ("chr1", 9, None, "*", "star"),
        ("chr1", 9, None, "N", "unknown_bases"),
        ("chr1", 9, "N", "A", "unknown_bases"),
        ("chr1", 9, "R", "A", "unknown_bases"),
        ("chr1", 9, None, "", "no_alternate"),
        ("chr1", 9, None, None, "same"),
        ("chr7", 9, "A", "C", "contig_missing"),
        ("chr1", 420, "A", "C", "outside_contig"),
        ("chr1", -1, "A", "C", "outside_contig"),
        ("chr1", 9, None, "ACGT" * 6, "too_long"),
        ("short", 3, None, "ACGTACGT", ""),
        ("gaps", 99, None, None, "same"),
        ("gaps", 98, None, "ACG", ""),
        ("gaps", 130, "N", "A", "unknown_bases"),
    ],
)
def test_what_is_skipped_says_why(
    genome: Path, chrom: str, start: int, reference: str | None, alternate: str | None, reason: str
) -> None:
    own = letters_of(genome, chrom)[start] if reference is None else reference
    alternates = {None: (own,), "": ()}.get(alternate, (alternate,))
    (score,) = scored(genome, Record(chrom, start, own, alternates))
    assert score.skipped == reason
    assert (score.difference is None) == bool(reason)
    assert reason in {"", *REASONS}


def test_percentiles_are_of_variants_of_the_same_kind(genome: Path) -> None:
    text = letters_of(genome)
    records = [Record("chr1", at, text[at], (other(text[at]),)) for at in range(30, 390)]
    records += [Record("chr1", at, text[at : at + 2], (text[at],)) for at in range(391, 395)]
    first = scored(genome, *records)
    assert first == scored(genome, *records)
    ranks = np.array([score.percentile for score in first])
    assert ranks.min() >= 0
    assert ranks.max() <= 100
    sizes = np.abs([score.difference for score in first])
    kinds = np.array([record.reference for record in records])
    for kind in "ACGT":
        own = np.argsort(sizes[kinds == kind])
        assert (np.diff(ranks[kinds == kind][own]) >= 0).all()
        assert 25 < ranks[kinds == kind].mean() < 75


ROWS = [
    "1 {site} a {in} {alt}",
    "chr1 50 b {r50} <DEL>,{a50}",
    "HLA:a-1 40 c {h40} {h40}ACG",
    "short 3 d {s3} {t3}",
    "chr9 5 e A C",
]


def rows_of(genome: Path) -> list[str]:
    one, hla, short = (letters_of(genome, name) for name in ("chr1", "HLA:a-1", "short"))
    names = {
        "site": str(SITE + 3),
        "in": one[SITE + 2],
        "alt": other(one[SITE + 2]),
        "r50": one[49],
        "a50": other(one[49]),
        "h40": hla[39],
        "s3": short[2],
        "t3": other(short[2]),
    }
    return [row.format_map(names) for row in ROWS]


def call(run: Path, vcf: Path, genome: Path, *options: str | Path) -> dict[str, object]:
    done = motiflens(
        *("variants", run, vcf, "--genome", genome, "--threads", "1", "--json", *options)
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


def test_a_vcf_keeps_its_records(run: Path, genome: Path, tmp_path: Path) -> None:
    vcf, out = write_vcf(tmp_path / "in.vcf", rows_of(genome)), tmp_path / "out.vcf.gz"
    told = call(run, vcf, genome, "-o", out, "--table", tmp_path / "out.tsv.gz")
    assert told["records"] == {"scored": 4, "skipped": {"contig_missing": 1}}
    assert told["alleles"] == {"scored": 4, "skipped": {"symbolic": 1, "contig_missing": 1}}
    with pysam.VariantFile(str(out)) as file:
        records = list(file)
        assert [record.id for record in records] == list("abcde")
        assert all("\tAC=1;ML_" in str(record) for record in records)
        assert [record.info.get("ML_SKIPPED") for record in records] == [
            None,
            ("symbolic", "."),
            None,
            None,
            ("contig_missing",),
        ]
        first = records[0].info
        assert first["ML_LOST"] == ("AP-1",)
        change = first["ML_ALT"][0] - first["ML_REF"][0]
        assert first["ML_DIFF"][0] == pytest.approx(change, abs=1e-4)
        assert records[1].info["ML_DIFF"][0] is None
        assert [record.id for record in file.fetch("HLA:a-1", 0, 100)] == ["c"]
        described = file.header.info
        assert {name for name in described if name.startswith("ML_")} == {
            *("ML_REF", "ML_ALT", "ML_DIFF", "ML_SE", "ML_PCT"),
            *("ML_LOST", "ML_GAINED", "ML_SKIPPED", "ML_SWAPPED"),
        }
        assert "ModelSHA256=" in str(file.header)
    table = pd.read_csv(tmp_path / "out.tsv.gz", sep="\t")
    assert list(table["id"]) == list("abbcde")
    assert list(table["skipped"]) == [*(".", "symbolic", ".", ".", ".", "contig_missing")]
    # Scored again, it has no field twice.
    call(run, out, genome, "-o", tmp_path / "again.vcf")
    assert (tmp_path / "again.vcf").read_text() == gzip.decompress(out.read_bytes()).decode()


def packed(vcf: Path, kind: str, folder: Path) -> Path:
    """Write a VCF in another form."""
    path = folder / f"in.{kind}"
    if kind == "vcf.gz":
        path.write_bytes(gzip.compress(vcf.read_bytes()))
    elif kind == "vcf.bgz":
        pysam.tabix_compress(str(vcf), str(path), force=True)
    else:
        with (
            pysam.VariantFile(str(vcf)) as file,
            pysam.VariantFile(str(path), "wb", header=file.header) as out,
        ):
            for record in file:
                out.write(record)
    return path


@pytest.mark.parametrize("kind", ["vcf.gz", "vcf.bgz", "bcf"])
def test_all_kinds_of_files_are_read_alike(genome: Path, tmp_path: Path, kind: str) -> None:
    header = "##fileformat=VCFv4.2\n" + "".join(
        f"##contig=<ID={name}>\n" for name in ("1", "chr1", "HLA:a-1", "short", "chr9")
    )
    header += '##INFO=<ID=AC,Number=A,Type=Integer,Description="x">\n'
    header += '##INFO=<ID=END,Number=1,Type=Integer,Description="x">\n'
    vcf = write_vcf(tmp_path / "in.vcf", rows_of(genome), header)
    plain, other_kind = read_variants(vcf), read_variants(packed(vcf, kind, tmp_path))
    rows = slice(None)
    assert other_kind.records(rows) == plain.records(rows)
    # pysam adds END to what it writes of a symbolic allele.
    lines = [line.removesuffix(";END=50") for line in other_kind.lines()]
    assert lines == list(plain.lines())


def test_without_a_header_or_order_or_records(run: Path, genome: Path, tmp_path: Path) -> None:
    text = letters_of(genome)
    rows = [f"chr1 {at} . {text[at - 1]} {other(text[at - 1])}" for at in (90, 30, 60)]
    vcf = write_vcf(tmp_path / "bare.vcf", rows, "")
    done = motiflens(
        *("variants", run, vcf, "--genome", genome, "-o", tmp_path / "out.vcf.gz", "--threads", "1")
    )
    assert done.returncode == 0, done.stderr
    assert "not in order of position: they are sorted" in done.stderr
    assert "has no header" in done.stderr
    assert "3 of 3 variants scored" in done.stdout
    with pysam.VariantFile(str(tmp_path / "out.vcf.gz")) as file:
        assert [record.pos for record in file.fetch("chr1")] == [30, 60, 90]
    none = write_vcf(tmp_path / "none.vcf", [])
    assert read_variants(none).notes == ()
    assert call(run, none, genome, "-o", tmp_path / "none.out.vcf.gz")["records"] == {
        "scored": 0,
        "skipped": {},
    }
    with pysam.VariantFile(str(tmp_path / "none.out.vcf.gz")) as file:
        assert list(file) == []
    (tmp_path / "empty.vcf").write_text("")
    with pytest.raises(InputError, match=r"empty\.vcf is empty"):
        read_variants(tmp_path / "empty.vcf")
    (tmp_path / "no.vcf").write_text("a table\nof words\n")
    with pytest.raises(InputError, match=r"no\.vcf is no whole VCF or BCF file"):
        read_variants(tmp_path / "no.vcf")
    blanks = write_vcf(tmp_path / "blanks.vcf", rows)
    blanks.write_text(blanks.read_text().replace("\t", " "))
    with pytest.raises(InputError, match="file: its header cannot be read, such as for blanks"):
        read_variants(blanks)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("in.vcf", "-o", "-"), "- is not named as a VCF"),
        (("in.vcf", "-o", "out.txt"), "out.txt is not named as a VCF; use .vcf.gz or .vcf"),
        (
            ("in.vcf", "-o", "out.vcf", "--table", "a.docx"),
            "--table a.docx is not named",
        ),
        (("in.vcf", "-o", "out.vcf", "--plot", "chr1:3"), "out.vcf is not named as a picture"),
        (("-", "-o", "out.vcf"), "standard input can be read only once"),
    ],
)
def test_names_are_refused_before_anything_is_read(
    run: Path, genome: Path, tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    text = letters_of(genome)
    rows = [f"chr1 {at} . {text[at - 1]} {other(text[at - 1])}" for at in (90, 30)]
    write_vcf(tmp_path / "in.vcf", rows)
    done = motiflens("variants", run, *options, "--genome", genome, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"motiflens: {told}")
    assert os.listdir(tmp_path) == ["in.vcf"]


def test_a_genome_without_any_of_the_contigs_is_told(
    run: Path, genome: Path, tmp_path: Path
) -> None:
    vcf = write_vcf(tmp_path / "in.vcf", [f"c{n} 5 . A C" for n in range(5)])
    work = work_of(run, vcf, genome, tmp_path / "out.vcf")
    (note,) = work.notes
    assert f"no variant is on a contig of {genome} (chr1, HLA:a-1, gaps, …)" in note
    assert note.endswith("the file has c0, c1, c2, …: is it the right genome?")
    one = write_vcf(tmp_path / "one.vcf", ["c1 5 . A C", "1 5 . A C"])
    assert work_of(run, one, genome, tmp_path / "out.vcf").notes == []


FIELD = st.text("ACGTNacgt<>[].,*:;=-019 R", max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(st.tuples(st.sampled_from(["chr1", "1", "x"]), FIELD, FIELD, FIELD)))
def test_odd_lines_are_refused_or_kept(
    genome: Path, tmp_path: Path, rows: list[tuple[str, ...]]
) -> None:
    lines = [f"{chrom}\t{at}\t.\t{ref}\t{alt}\t.\t.\t.\n" for chrom, at, ref, alt in rows]
    vcf = write_vcf(tmp_path / "odd.vcf", [])
    vcf.write_text(vcf.read_text() + "".join(lines))
    try:
        file = read_variants(vcf)
    except InputError:
        return
    assert len(file) == len(rows)
    found = scored(genome, *file.records(slice(None)))
    assert len(found) == len(rows)
    assert all((score.difference is None) == bool(score.skipped) for score in found)


def work_of(run: Path, vcf: Path, genome: Path, output: Path, **changed: object) -> Variants:
    arguments = {"run": str(run), "model": None, "device": "cpu", "variants": str(vcf)}
    arguments |= {"genome": str(genome), "ref_mismatch": "skip", "table": None}
    return Variants(**{**arguments, **changed}, output=str(output))


def many(genome: Path, folder: Path) -> Path:
    text = letters_of(genome)
    rows = [f"chr1 {at + 1} . {text[at]} {other(text[at])}" for at in range(20, 400)]
    return write_vcf(folder / "many.vcf", rows)


def test_shards_make_the_same_bytes(
    run: Path, genome: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("motiflens.scoring.variants.AT_ONCE", 37)
    vcf, table = many(genome, tmp_path), str(tmp_path / "parts.tsv")
    for number in (3, 1, 2):
        work = work_of(run, vcf, genome, tmp_path / "parts.vcf.gz", table=table)
        assert not carry_out(work, shard=Shard(number, 3))
    merge(tmp_path / "parts.vcf.gz")
    whole = work_of(run, vcf, genome, tmp_path / "whole.vcf.gz")
    assert len(whole.sizes) == 11
    carry_out(whole, threads=3)
    for ending in ("", ".tbi"):
        parts = (tmp_path / f"parts.vcf.gz{ending}").read_bytes()
        assert parts == (tmp_path / f"whole.vcf.gz{ending}").read_bytes()
    assert len((tmp_path / "parts.tsv").read_text().splitlines()) == 381
    other_work = work_of(run, vcf, genome, tmp_path / "other.vcf.gz", ref_mismatch="swap")
    assert other_work.settings["ref_mismatch"] == "swap"


KILLED = """
import sys
from pathlib import Path
import motiflens.scoring.variants as variants
from motiflens.scoring.carry_out import carry_out
from motiflens.training import single_intra_op_thread
variants.AT_ONCE = 5
run, vcf, genome, out = sys.argv[1:]
work = variants.Variants(run=run, model=None, device="cpu", variants=vcf, genome=genome,
                         ref_mismatch="skip", output=out, table=None)
with single_intra_op_thread():
    carry_out(work)
"""


@pytest.mark.slow
def test_what_was_killed_is_resumed(
    run: Path, genome: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vcf, out = many(genome, tmp_path), tmp_path / "out.vcf.gz"
    command = [sys.executable, "-c", KILLED, *map(str, (run, vcf, genome, out))]
    process = subprocess.Popen(command)
    deadline = time.monotonic() + 120
    tiles = tmp_path / "out.vcf.gz.tiles"
    while len(list(tiles.glob("*.tile"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL
    assert not out.exists()
    assert tiles.is_dir()
    subprocess.run(command, check=True)
    monkeypatch.setattr("motiflens.scoring.variants.AT_ONCE", 5)
    again = tmp_path / "again.vcf.gz"
    # As the command does: more threads an operation add in another order.
    with single_intra_op_thread():
        carry_out(work_of(run, vcf, genome, again))
    assert out.read_bytes() == again.read_bytes()
    assert not tiles.exists()


def test_a_run_whose_weights_are_gone(run: Path, genome: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(run, tmp_path / "run"))
    for path in broken.rglob("*.safetensors"):
        path.unlink()
    vcf = write_vcf(tmp_path / "in.vcf", rows_of(genome))
    done = motiflens("variants", broken, vcf, "--genome", genome, "-o", tmp_path / "out.vcf.gz")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert str(broken) in done.stderr
    assert sorted(os.listdir(tmp_path)) == ["in.vcf", "run"]


def test_a_data_frame_is_scored_as_a_file(run: Path, genome: Path, tmp_path: Path) -> None:
    text = letters_of(genome)
    at = [SITE + 4, 30, 200, 419]
    frame = pd.DataFrame({"chrom": "1", "pos": at, "ref": [text[p - 1] for p in at]})
    frame["alt"] = [other(base) for base in frame["ref"]]
    table = ml.score_variants(run, frame, genome, threads=2)
    assert list(table["pos"]) == at
    assert (table["skipped"] == "").all()
    rows = [f"1 {p} . {r} {a}" for _, p, r, a in frame.itertuples(index=False)]
    from_file = ml.score_variants(run, write_vcf(tmp_path / "in.vcf", rows), genome)
    pd.testing.assert_frame_equal(
        from_file, table.sort_values("pos", ignore_index=True), check_exact=False, atol=1e-6
    )
    model = ml.load_run(run).models["cnn"]
    window = text[SITE + 3 - 18 : SITE + 3 + 19]
    alternate = window[:18] + frame["alt"][0] + window[19:]
    assert table["reference"][0] == pytest.approx(model.predict([window])[0], abs=1e-5)
    assert table["alternate"][0] == pytest.approx(model.predict([alternate])[0], abs=1e-5)
    with pytest.raises(InputError, match="no column alt"):
        ml.score_variants(run, frame.drop(columns="alt"), genome)


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("pos", 100.5, "the pos 100.5 in row 2 is no whole number"),
        ("pos", np.nan, "the pos nan in row 2 is no whole number"),
        ("pos", np.inf, "the pos inf in row 2 is no whole number"),
        ("pos", "x", "the pos x in row 2 is no whole number"),
        ("ref", None, "the ref .* in row 2 is missing"),
        ("chrom", None, "the chrom .* in row 2 is missing"),
    ],
)
def test_rows_that_are_no_variants_are_refused(
    run: Path, genome: Path, column: str, value: object, told: str
) -> None:
    columns: dict[str, list[object]] = {"chrom": ["1"] * 3, "pos": [30, 40.0, "50"]}
    columns |= {"ref": ["A"] * 3, "alt": ["C"] * 3}
    assert list(ml.score_variants(run, pd.DataFrame(columns), genome)["pos"]) == [30, 40, 50]
    columns[column][1] = value
    with pytest.raises(InputError, match=told):
        ml.score_variants(run, pd.DataFrame(columns), genome)


def test_arguments_of_other_types_are_refused(run: Path, genome: Path) -> None:
    wrong: Any
    for wrong in (None, [("1", 30, "A", "C")]):
        with pytest.raises(InputError, match="variants are of the type"):
            ml.score_variants(run, wrong, genome)
    missing: Any = None
    with pytest.raises(InputError, match="genome=None is no path"):
        ml.score_variants(run, "in.vcf", missing)
    with pytest.raises(InputError, match="genome=None is no path"):
        ml.score_mutations(run, [("1", 30, 60)], missing)


def test_a_plan_counts_one_tile(run: Path, genome: Path, tmp_path: Path) -> None:
    vcf = write_vcf(tmp_path / "in.vcf", ["1 5 . A C"])
    done = motiflens(
        *("variants", run, vcf, "--genome", genome, "-o", tmp_path / "out.vcf", "--dry-run")
    )
    assert done.stdout.startswith("1 variant in 1 tile (model: cnn; ")


def test_a_variant_is_drawn(run: Path, genome: Path, tmp_path: Path) -> None:
    vcf = write_vcf(tmp_path / "in.vcf", rows_of(genome))
    shared = ("variants", run, vcf, "--genome", genome)
    for place, ending in ((f"1:{SITE + 3}", "svg"), ("HLA:a-1:40", "png")):
        out = tmp_path / f"one.{ending}"
        done = motiflens(*shared, "--plot", place, "-o", out)
        assert done.returncode == 0, done.stderr
    text = (tmp_path / "one.svg").read_text()
    assert f"1:{SITE + 3} " in text
    assert text.count("AP-1 (") == 1  # on the reference allele alone
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    for place, told in (
        ("chr1:7", "no variant of"),
        ("chr1", "is no place"),
        ("chr9:5", "has a score: on contigs that the genome lacks"),
    ):
        done = motiflens(*shared, "--plot", place, "-o", tmp_path / "none.svg")
        assert done.returncode == 2
        assert told in done.stderr


@pytest.mark.parametrize(("at", "first", "last"), [(8, 1, 37), (210, 192, 228), (415, 385, 420)])
def test_a_picture_ends_where_its_windows_end(
    run: Path, genome: Path, tmp_path: Path, at: int, first: int, last: int
) -> None:
    text, out = letters_of(genome), tmp_path / "one.svg"
    others = ",".join(base for base in "ACGT" if base != text[at - 1])
    vcf = write_vcf(tmp_path / "in.vcf", [f"1 {at} . {text[at - 1]} {others}"])
    scores = draw_variant(
        work_of(run, vcf, genome, out).scoring, read_variants(vcf).records(slice(None))[0], out
    )
    svg = out.read_text()
    drawn = others.split(",")[int(np.argmax([abs(score.difference or 0.0) for score in scores]))]
    assert f"1:{at} {text[at - 1]}&gt;{drawn} (1 of 3 alternates), cnn" in svg
    place = float(re.findall(rf'<rect x="([\d.]+)"[^>]*{SITE_COLOUR}', svg)[0])
    ticks = {
        int(n): float(x) for x, n in re.findall(r'<text x="([\d.]+)"[^>]*>(\d{2,3})</text>', svg)
    }
    tens = range(10 * ((first + 9) // 10), last + 1, 10)
    assert ticks == {n: pytest.approx(place + STEP * (n - at + 0.5)) for n in tens}


def test_a_small_effect_is_written_with_digits_that_say_something(
    run: Path, genome: Path, tmp_path: Path
) -> None:
    text, out = letters_of(genome), tmp_path / "one.svg"
    vcf = write_vcf(tmp_path / "in.vcf", [f"1 30 . {text[29]} {other(text[29])}"])
    (score,) = draw_variant(
        work_of(run, vcf, genome, out).scoring, read_variants(vcf).records(slice(None))[0], out
    )
    assert score.difference is not None
    written = re.findall(r"difference ([-+.\de]+)", out.read_text())
    assert float(written[0]) == pytest.approx(score.difference, rel=0.05)


def test_what_random_variants_do_is_measured_once(
    genome: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    alleles = [Allele("c", 400, 1, "A", "G"), Allele("c", 400, 0, "", "TT")]

    def percentiles() -> list[float | None]:
        random = RandomVariants(substitutions_of(hand_set()), open_genome(genome))
        return random.percentiles(alleles, np.array([0.5, 2.0]))

    first = percentiles()
    kept = sorted((tmp_path / "cache").rglob("*.npy"))
    assert [path.name for path in kept] == ["2-0.npy", "A.npy"]
    with monkeypatch.context() as patch:
        patch.delattr(RandomVariants, "_draw")  # nothing is asked for again
        assert percentiles() == first
    kept[1].write_bytes(b"cut")
    assert percentiles() == first
    # Without a place for it.
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert percentiles() == first
