"""Sequences scored by a run: every row kept, in order, as the model itself gives it."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import expit

import motiflens as ml
from command import motiflens
from motiflens.models import SequenceModel, build_model
from motiflens.results.scores import Calibration
from motiflens.scoring import predictions
from motiflens.scoring.models import ModuleScorer, open_models
from motiflens.scoring.prediction_files import notes_on, write_predictions
from motiflens.scoring.predictions import predict_records
from motiflens.scoring.records import open_records
from motiflens.scoring.scorer import TrainedOn

LENGTH = 30
SETTINGS = ml.Settings(
    models=("cnn",),
    seeds=2,
    strands="both",
    threads=1,
    hyperparameters={
        "cnn": {
            "n_filters": 8,
            "kernel_size": 9,
            "recipe": {"epochs": 4, "min_steps": 0, "validation_fraction": 0.4},
        }
    },
)


def drawn(n: int, length: int, seed: int = 0) -> list[str]:
    letters = np.random.default_rng(seed).choice(list("ACGT"), (n, length))
    return ["".join(row) for row in letters]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from motiflens.stages.compare import compare

    texts = drawn(260, LENGTH)
    texts = [text[:9] + "TGACTCA" + text[16:] if i % 2 else text for i, text in enumerate(texts)]
    data = ml.SequenceDataset.from_sequences(texts, [i % 2 for i in range(260)])
    folder = tmp_path_factory.mktemp("trained") / "run"
    compare(data, folder, SETTINGS)
    return folder


def scorer_of(module: torch.nn.Module, **facts: object) -> ModuleScorer:
    known: dict[str, object] = {
        "name": "net",
        "sha256": "",
        "n_seeds": 1,
        "min_length": 9,
        "length": LENGTH,
        "both_strands": False,
        "members": (module.eval(),),
        "device": torch.device("cpu"),
    }
    return ModuleScorer(**{**known, **facts})  # type: ignore[arg-type]


def net(seed: int = 0) -> SequenceModel:
    return build_model("cnn", length=LENGTH, seed=seed, n_filters=8, kernel_size=9)


def scored(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", dtype={"name": str, "unusual": str}, keep_default_na=False)


def test_every_kind_of_file_gives_what_the_model_gives(run: Path, tmp_path: Path) -> None:
    texts = drawn(7, LENGTH, seed=1)
    named = [f"s{i}" for i in range(7)]
    files = {
        "one.txt": "".join(f"{text}\r\n" for text in texts),
        "two.fa": "".join(
            f">s{i} about\n{t[:11]}\n\n{t[11:].lower()}\n" for i, t in enumerate(texts)
        ),
        "three.csv": "name,seq\n" + "".join(f"s{i},{text}\n" for i, text in enumerate(texts)),
        "four.seq": "FoldID\tEventID\tseq\n"
        + "".join(f"A\ts{i}\t{t}\n" for i, t in enumerate(texts)),
        "five.fa.gz": "".join(f">s{i}\n{text}\n" for i, text in enumerate(texts)),
    }
    ensemble = ml.load_run(run).models["cnn"]
    expected = ml.predict(ensemble, texts)
    seeds = np.stack([seed.predict(texts) for seed in ensemble.seeds])
    for name, content in files.items():
        path = tmp_path / name
        data = content.encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        frame = ml.predict(run, path)
        assert list(frame) == ["name", "logit", "probability", "sd", "unusual"]
        assert frame["logit"].to_numpy() == pytest.approx(expected, abs=1e-5), name
        assert frame["sd"].to_numpy() == pytest.approx(seeds.std(axis=0, ddof=1), abs=1e-5)
        assert frame["name"].tolist() == (
            named if name != "one.txt" else [f"seq{i:04}" for i in range(1, 8)]
        )
    fitted = ml.load_run(run).results.metrics.models["cnn"].calibration
    assert isinstance(fitted, Calibration)
    probability = expit(fitted.slope * expected + fitted.bias)
    assert frame["probability"].to_numpy() == pytest.approx(probability, abs=1e-5)


def test_a_data_frame_is_read_by_its_columns(run: Path) -> None:
    texts = [*drawn(5, LENGTH, seed=1), ""]
    frame = pd.DataFrame({"score": range(6), "name": list("abcdef"), "Sequence": texts})
    found = ml.predict(run, frame)
    assert found["name"].tolist() == list("abcdef")
    assert found["unusual"].tolist()[-1] == "empty"
    columns = ["logit", "probability", "sd", "unusual"]
    pd.testing.assert_frame_equal(found[columns], ml.predict(run, texts)[columns])
    assert (ml.one_hot(frame[:5]) == ml.one_hot(texts[:5])).all()
    model = ml.load_run(run).models["cnn"]
    assert (ml.predict(model, frame[:5]) == ml.predict(model, texts[:5])).all()
    assert ml.attribute(model, frame[:5], "saliency").names == tuple("abcde")
    identified = ml.predict(run, frame.rename(columns={"name": "ID"}))
    assert identified["name"].tolist() == list("abcdef")
    with pytest.raises(ml.InputError, match="no column is named 'sequence' among 'score'"):
        ml.predict(run, frame[["score"]])
    with pytest.raises(ml.InputError, match="a dict holds no sequences in order"):
        ml.predict(run, {"a": texts[0]})  # type: ignore[call-overload]


def test_the_command_writes_the_same_as_text_and_parquet(run: Path, tmp_path: Path) -> None:
    texts = drawn(9, LENGTH, seed=2)
    (tmp_path / "in.txt").write_text("\n".join(texts))
    expected = ml.predict(run, texts)
    for name in ("out.tsv", "new/folder/out.tsv.gz", "out.parquet"):
        told = motiflens("predict", run, "in.txt", "-o", name, "--threads", "2", cwd=tmp_path)
        assert told.returncode == 0, told.stderr
        assert f"{name}: 9 sequences by cnn, 2 seeds, both strands, 30 bp" in told.stdout
        path = tmp_path / name
        found = pd.read_parquet(path) if name.endswith("parquet") else scored(path)
        assert found["name"].tolist() == expected["name"].tolist()
        for column in ("logit", "probability", "sd"):
            assert found[column].to_numpy(float) == pytest.approx(expected[column], abs=2e-6)
    again = motiflens("predict", run, "in.txt", "-o", "out.tsv", cwd=tmp_path)
    assert again.returncode == 2
    assert again.stderr == ("motiflens: out.tsv already exists; use another name, or --overwrite\n")


def test_no_row_is_lost_and_each_without_a_score_says_why(run: Path, tmp_path: Path) -> None:
    long = "ACGT" * (predictions.LONGEST // 4 + 1)
    content = (
        f">a\nACGRYNACGUACGTTGCAACGTTGCAACGT\n>b\n>b\nNNNNNNNNNNNN\n>c\nacgtacgt\n>d\n{long}\n"
    )
    (tmp_path / "odd.fa").write_text(content + f">a\n{'G' * LENGTH}\n>e\n{'AC' * 20}\n>")
    told = motiflens("predict", run, "odd.fa", "-o", "odd.tsv", "--json", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    rows = scored(tmp_path / "odd.tsv")
    assert rows["name"].tolist() == ["a", "b", "b", "c", "d", "a", "e", "seq0008"]
    assert rows["unusual"].tolist() == [
        "", "empty", "only N", "too short", "too long", "composition", "longer", "empty"
    ]  # fmt: skip
    assert (rows["logit"] != "").tolist() == [True, False, False, False, False, True, True, False]
    assert (rows["sd"] != "").tolist() == (rows["probability"] != "").tolist()
    assert (rows["sd"] != "").tolist() == (rows["logit"] != "").tolist()
    counts = json.loads(told.stdout)
    assert (counts["sequences"], counts["scored"]) == (8, 3)
    assert counts["unusual"]["empty"] == 2
    assert "5 of 8 sequences have no score: 2 empty, 1 only N, 1 too short, 1 too long" in (
        told.stderr
    )


def test_a_blank_line_is_an_empty_sequence_and_the_last_ones_are_none(run: Path) -> None:
    frame = ml.predict(run, ["", *drawn(1, LENGTH)])
    assert frame["unusual"].tolist() == ["empty", ""]


@pytest.mark.parametrize("name", ["lines", "fasta", "packed", "table"])
def test_a_pipe_is_read_once(run: Path, name: str) -> None:
    texts = drawn(5, LENGTH, seed=3)
    content = {
        "lines": "\n".join([texts[0], "", *texts[1:], "", ""]),
        "table": "\n".join(["label\tsequence", *(f"1\t{text}" for text in texts)]),
    }.get(name, "".join(f">s{i}\n{text}\n" for i, text in enumerate(texts))).encode()
    command = [sys.executable, "-m", "motiflens", "predict", str(run), "-", "-o", "-"]
    told = subprocess.run(
        command, input=gzip.compress(content) if name == "packed" else content,
        capture_output=True, check=True,
    )  # fmt: skip
    rows = [line.split("\t") for line in told.stdout.decode().splitlines()]
    expected = ml.predict(run, texts)["logit"].tolist()
    if name == "lines":
        assert rows.pop(2) == ["seq0002", "", "", "", "empty"]
    assert [float(row[1]) for row in rows[1:]] == pytest.approx(expected, abs=2e-6)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_named_pipe_is_read_once(run: Path, tmp_path: Path) -> None:
    texts = drawn(2, LENGTH)
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["sh", "-c", f"printf '>x\\n{texts[0]}\\n' > {tmp_path}/pipe"]):
        frame = ml.predict(run, tmp_path / "pipe")
    assert frame["logit"].tolist() == pytest.approx(ml.predict(run, texts[:1])["logit"], abs=1e-6)


def test_bed_rows_that_the_genome_lacks_stay(run: Path, tmp_path: Path) -> None:
    (contig,) = drawn(1, 200, seed=4)
    (tmp_path / "g.fa").write_text(f">chr1\n{contig}\n")
    rows = [
        "1\t10\t40\tp\t0\t+",
        "chr1\t10\t40\t.\t0\t-",
        "chr1\t190\t220\tq\t0\t.",
        "x\t0\t30\tr\t0\t.",
    ]
    (tmp_path / "p.bed").write_text("\n".join(rows))
    frame = ml.predict(run, tmp_path / "p.bed", genome=tmp_path / "g.fa")
    assert frame["name"].tolist() == ["p", "chr1:10-40", "q", "r"]
    assert frame["unusual"].tolist() == ["", "", "not in the genome", "not in the genome"]
    expected = ml.predict(run, [contig[10:40], ml.reverse_complement(contig[10:40])])["logit"]
    assert frame["logit"].tolist()[:2] == pytest.approx(expected.tolist(), abs=1e-6)
    wide = ml.predict(run, tmp_path / "p.bed", genome=tmp_path / "g.fa", width=50)
    assert wide["unusual"].tolist()[:2] == ["longer", "longer"]
    one = ml.predict(run, [contig[0:50]])["logit"]
    assert wide["logit"].tolist()[0] == pytest.approx(one[0], abs=1e-6)


WRONG = {
    "protein": ("MKVLAAGIVGLCAKEFLLQQ\n", "looks like protein"),
    "letter": (f"{'ACGT' * 9}\nACG-ACGT\n", "'-' at position 4 is no nucleotide in line 2 of"),
    "nothing": ("", "is empty"),
    "blank": ("\n \n", "is empty"),
    "variants": ("##fileformat=VCF4.2\n", "holds variants"),
    "reads": ("@r1\nACGT\n+\nFFFF\n", "FASTQ"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_in_a_line_and_nothing_is_written(
    run: Path, tmp_path: Path, name: str
) -> None:
    content, said = WRONG[name]
    (tmp_path / "in").write_text(content)
    told = motiflens("predict", run, "in", "-o", "out.tsv", cwd=tmp_path)
    assert (told.returncode, told.stdout) == (2, "")
    last = told.stderr.strip().splitlines()[-1]
    assert last.startswith("motiflens: ")
    assert said in last
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_calls_that_cannot_be_are_refused(run: Path, tmp_path: Path) -> None:
    (tmp_path / "in.bed").write_text("chr1\t0\t30\n")
    (tmp_path / "in.fa").write_text(">a\nACGT\n")
    calls = {
        ("in.bed", "-o", "o.tsv"): "is a BED file and needs --genome",
        ("in.fa", "-o", "o.tsv", "--width", "9"): "there is --width 9",
        ("in.fa", "-o", "o.csv"): "is not the name of a table",
        ("in.fa", "-o", "o.tsv", "--model", "net"): "is not a model of this run; use cnn\n",
        ("in.fa", "-o", "-", "--json"): "both go to standard output",
        ("-o", "o.tsv"): "SEQUENCES is missing",
        ("in.fa", "-o", "o.tsv", "--weights", "w.pt"): "and there is no --module FILE.py:NAME",
        ("in.fa", "-o", "o.tsv", "--length", "20"): "--length 20 is for a module, and there",
        ("in.fa", "-o", "in.fa/o.tsv"): "in.fa cannot be written",
    }
    for call, said in calls.items():
        told = motiflens("predict", run, *call, cwd=tmp_path)
        assert told.returncode == 2, call
        assert said in told.stderr, call
    with pytest.raises(ml.InputError, match="architecture=cnn is for a run"):
        ml.predict(net(), ["ACGT" * 9], architecture="cnn")  # type: ignore[call-overload]


def test_a_dry_run_says_rows_and_model(run: Path, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("\n".join(drawn(300, LENGTH)))
    told = motiflens("predict", run, "in.txt", "-o", "o.tsv", "--dry-run", cwd=tmp_path)
    assert told.stdout.startswith("300 sequences by cnn, 2 seeds, both strands, 30 bp, about ")
    assert not (tmp_path / "o.tsv").exists()


def test_threads_and_blocks_keep_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    texts = [drawn(1, int(n), seed=int(n))[0] for n in generator.integers(5, 90, 70)]
    scorer = scorer_of(net())
    monkeypatch.setattr(predictions, "BLOCK", 6)
    rows = []
    for threads in (1, 3):
        blocks = list(predict_records(scorer, open_records(texts), threads=threads))
        assert [len(block.name) for block in blocks] == [6] * 11 + [4]
        rows.append(np.concatenate([block.logit for block in blocks]))
    assert np.array_equal(rows[0], rows[1], equal_nan=True)
    one_by_one = [ml.predict(net().eval(), text)[0] if len(text) > 8 else np.nan for text in texts]
    assert rows[0] == pytest.approx(one_by_one, abs=1e-5, nan_ok=True)


def test_few_blocks_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader is never far ahead of the writer, however much there is to read."""
    ahead, read = [], 0

    def texts(_: int):
        nonlocal read
        for number in range(400):
            read += 1
            yield predictions.Record(str(number), bytes(LENGTH), LENGTH)

    monkeypatch.setattr(predictions, "BLOCK", 10)
    records = replace(open_records(["A"]), read=texts)
    written = 0
    for block in predict_records(scorer_of(net()), records, threads=2):
        ahead.append(read - written)
        written += len(block.name)
    assert written == 400
    assert max(ahead) <= 60


class ByLength(torch.nn.Module):
    """Knows no padding: its logit is the number of columns it was given."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.full((len(x),), float(x.shape[-1])) + 0 * x.sum((1, 2))


def test_a_model_that_knows_no_padding_gets_none() -> None:
    texts = drawn(6, 20) + drawn(3, 21) + drawn(4, 33)
    scorer = scorer_of(ByLength(), takes_padding=False)
    frame = ml.predict(scorer, texts[::-1])
    assert frame["logit"].tolist() == [float(len(text)) for text in texts[::-1]]
    codes, lengths = (
        ml.SequenceDataset.from_sequences(texts, [0] * 13).codes,
        [len(t) for t in texts],
    )
    assert scorer.logits(codes, np.array(lengths, np.int32)).tolist() == [[*map(float, lengths)]]


def test_a_model_of_one_length_gets_padding_up_to_it(run: Path) -> None:
    model = build_model("tutorial-cnn", length=LENGTH, seed=1)
    scorer = scorer_of(model, min_length=15, only_length=True)
    texts = [drawn(1, n, seed=n)[0] for n in (14, 15, 29, 30, 31)]
    frame = ml.predict(scorer, texts)
    assert frame["unusual"].tolist() == ["too short", "", "", "", "too long"]
    x = torch.zeros(1, 4, LENGTH)
    x[..., :15] = torch.from_numpy(ml.one_hot(texts[1]))
    with torch.no_grad():
        assert frame["logit"][1] == pytest.approx(model.eval()(x).item(), abs=1e-5)
    assert not open_models(run).only_length


def test_unusual_compares_with_the_training_sequences() -> None:
    known = TrainedOn(shortest=20, longest=40, gc_low=0.4, gc_high=0.6)
    frame = ml.predict(
        scorer_of(net(), trained_on=known),
        ["ACGT" * 5, "ACGT" * 10, "ACGT" * 4, "ACGT" * 11, "AT" * 10, "GC" * 24, "AACGTN" * 5],
    )
    assert frame["unusual"].tolist() == [
        "", "", "shorter", "longer", "composition", "longer,composition", ""
    ]  # fmt: skip


def test_what_is_not_calibrated_is_empty_with_a_note(tmp_path: Path) -> None:
    notes: list[str] = []

    class Told:
        def stage(self, *_: object):
            raise AssertionError("nobody knows how many there are")

        def note(self, text: str) -> None:
            notes.append(text)

    trained = scorer_of(net(), trained_on=TrainedOn(LENGTH, LENGTH, 0.1, 0.9))
    tally = write_predictions(
        trained, open_records(drawn(3, LENGTH)), tmp_path / "o.tsv", progress=Told()
    )
    assert (tally.n, tally.n_scored) == (3, 3)
    assert scored(tmp_path / "o.tsv")["probability"].tolist() == [""] * 3
    assert notes[0].startswith("probability is empty: no calibration was fitted")
    assert notes[1] == "sd is empty: there is one seed"
    assert notes_on(scorer_of(net()), tally)[0].endswith("a module of your own has logits alone")


def test_one_hot_without_any_base_is_only_n(run: Path) -> None:
    x = ml.one_hot(drawn(3, LENGTH, seed=1))
    x[1] = 0
    found = ml.predict(run, x)
    assert found["unusual"].tolist() == ["", "only N", ""]
    assert found["logit"].isna().tolist() == [False, True, False]


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    records = open_records(["ACGTACGTACGT", "ACGTACGTAC!"])
    for name in ("o.tsv", "o.tsv.gz", "o.parquet"):
        with pytest.raises(ml.InputError, match="in sequence 2"):
            write_predictions(scorer_of(net()), records, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_known_share_of_positives_corrects_probabilities_and_says_the_threshold(
    run: Path, tmp_path: Path
) -> None:
    texts = drawn(40, LENGTH, seed=7)
    plain, rare = ml.predict(run, texts), ml.predict(run, texts, prevalence=0.1)
    fitted = open_models(run).calibration
    assert fitted is not None
    before = fitted.n_positives / (fitted.n_positives + fitted.n_negatives)
    # Bayes' theorem, not the sum of logits: odds times the ratio of the prior odds.
    odds = plain["probability"] / (1 - plain["probability"])
    odds *= (0.1 / 0.9) / (before / (1 - before))
    assert rare["probability"].to_numpy() == pytest.approx((odds / (1 + odds)).to_numpy())
    assert (rare["logit"] == plain["logit"]).all()
    assert int((rare["logit"] > rare.attrs["threshold"]).sum()) == 4
    (tmp_path / "in.txt").write_text("\n".join(texts))
    call = ("predict", run, "in.txt", "-o", "o.tsv", "--prevalence", "0.1", "--json")
    told = motiflens(*call, cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["prevalence"] == 0.1
    assert found["threshold"] == rare.attrs["threshold"]
    assert f"0.1 of the sequences are positive, and not {before:.3g}" in told.stderr
    written = scored(tmp_path / "o.tsv")["probability"].to_numpy(float)
    assert written == pytest.approx(rare["probability"], abs=2e-6)


def test_a_share_that_is_none_and_a_model_without_probabilities_are_refused(
    run: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.txt").write_text("ACGT" * 9)
    told = motiflens("predict", run, "in.txt", "-o", "o.tsv", "--prevalence", "1.5", cwd=tmp_path)
    assert told.returncode == 2
    assert "--prevalence 1.5 is no fraction between 0 and 1" in told.stderr
    with pytest.raises(ml.InputError, match="the model has none"):
        predictions.at_prevalence(scorer_of(net()), 0.5)
    with pytest.raises(ml.InputError, match="is for a run, not for a module"):
        ml.predict(net(), ["ACGT" * 9], prevalence=0.5)  # type: ignore[call-overload]
