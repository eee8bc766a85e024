"""Crossed negatives: one split for all kinds, and the planted failure that only crossing shows."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec import to_builtins
from sklearn.metrics import roc_auc_score
from tests.as_json import as_json
from tests.command import motiflens as command

import motiflens
from motiflens import InputError, Settings
from motiflens.datasets import SequenceDataset, homology_groups
from motiflens.evaluation.ensembles import evaluate_ensembles
from motiflens.io.options import ReadOptions
from motiflens.report import write_report
from motiflens.report.metrics import crossing_section
from motiflens.report.parts import Table, Text
from motiflens.results import Results
from motiflens.stages.negative_sets import cross_negatives, read_negative_sets
from motiflens.training import Job, predict_logits, train

MOTIF = "GATTACCA"
N, N_POOR, LENGTH = 90, 120, 41
SETTINGS = Settings(models=("cnn",), seeds=2, threads=1, strands="forward")


def letters(gc: float, n: int, seed: int) -> list[str]:
    weights = [(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]
    drawn = np.random.default_rng(seed).choice(list("ACGT"), size=(n, LENGTH), p=weights)
    return ["".join(row) for row in drawn]


def fasta(path: Path, sequences: list[str]) -> None:
    path.write_text("".join(f">s{i}\n{text}\n" for i, text in enumerate(sequences)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write positives rich in GC with a motif, and negatives of equal and of little GC."""
    path = tmp_path_factory.mktemp("crossing")
    places = np.random.default_rng(5).integers(0, LENGTH - len(MOTIF), N)
    positives = [
        text[:place] + MOTIF + text[place + len(MOTIF) :]
        for text, place in zip(letters(0.7, N, 1), places, strict=True)
    ]
    fasta(path / "positives.fa", positives)
    fasta(path / "alike.fa", letters(0.7, N, 2))
    fasta(path / "poor.fa", letters(0.2, N_POOR, 3))
    return path


@pytest.fixture
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> motiflens.Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return cross_negatives("positives.fa", ["poor.fa", "alike.fa"], folder / "out", SETTINGS)


def parts(dataset: SequenceDataset) -> list[str]:
    assert dataset.split is not None
    return [str(part) for part in dataset.split]


def by_label(dataset: SequenceDataset, label: int) -> SequenceDataset:
    return dataset.subset(dataset.labels == label)


def test_all_kinds_share_the_positives_and_their_parts(inside: Path) -> None:
    kinds = read_negative_sets("positives.fa", ["shuffle", "poor.fa"], SETTINGS).datasets
    first, second = (by_label(dataset, 1) for dataset in kinds.values())
    assert first.sequences() == second.sequences()
    assert parts(first) == parts(second)
    assert parts(first).count("test") == 18  # a fifth of 90
    assert parts(by_label(kinds["poor.fa"], 0)).count("test") == 24  # and of 120


def test_shuffles_follow_their_positives_in_mixtures_too(inside: Path) -> None:
    kinds = read_negative_sets("positives.fa", ["poor.fa", "poor.fa+shuffle"], SETTINGS).datasets
    mixed = by_label(kinds["poor.fa+shuffle"], 0)
    positives = by_label(kinds["poor.fa"], 1)
    assert len(mixed) == N_POOR + N
    assert parts(mixed)[N_POOR:] == parts(positives)
    shuffles = mixed.subset(np.arange(N_POOR, N_POOR + N)).sequences()
    letters_of = [[sorted(text) for text in found] for found in (shuffles, positives.sequences())]
    assert letters_of[0] == letters_of[1]
    # What two kinds have in common falls to the same parts in both.
    assert parts(mixed)[:N_POOR] == parts(by_label(kinds["poor.fa"], 0))


def test_a_split_by_homology_holds_between_all_kinds(inside: Path) -> None:
    shared = letters(0.5, 30, 9)
    fasta(Path("family.fa"), [f"{text[:35]}{'ACGTAC'}" for text in shared])
    # In another order: equal places in two kinds would fall to the same part by chance.
    fasta(Path("relatives.fa"), [f"{'TTGGCA'}{text[:35]}" for text in reversed(shared)])
    kinds = read_negative_sets(
        "positives.fa", ["family.fa", "relatives.fa"], Settings(split="homology")
    ).datasets
    both = motiflens.datasets.concatenate(list(kinds.values()))
    groups = homology_groups(both)
    assert len(np.unique(groups)) < len(both) - N - 20  # relatives do share groups
    for group in np.unique(groups):
        assert len(set(np.array(parts(both))[groups == group].tolist())) == 1


def test_a_model_that_learnt_composition_fails_where_composition_is_matched(
    run: motiflens.Run,
) -> None:
    assert list(run.results.timings.used) == ["audit", "train", "crossing", "score"]
    found = as_json(run.results.crossing)
    assert found["schema_version"] == 1
    assert found["kinds"] == ["poor.fa", "alike.fa"]
    trained_on = found["models"]["cnn"]["trained_on"]
    auroc = {
        (a, b): scores["auroc"]
        for a, row in trained_on.items()
        for b, scores in row["tested_on"].items()
    }
    assert auroc["poor.fa", "poor.fa"]["value"] > 0.97  # by composition alone
    assert auroc["poor.fa", "alike.fa"]["value"] < 0.85
    assert auroc["alike.fa", "alike.fa"]["value"] > auroc["poor.fa", "alike.fa"]["value"] + 0.1
    for scores in auroc.values():
        assert scores["low"] <= scores["value"] <= scores["high"]
    assert set(trained_on["poor.fa"]["tested_on"]["alike.fa"]) == {"auroc", "auprc"}


def test_the_first_kind_is_the_run_s_own(run: motiflens.Run) -> None:
    assert run.results.provenance.run.negatives == "poor.fa"
    assert len(run.dataset) == N + N_POOR
    assert as_json(run.results.comparison)["models"]["cnn"]["sizes"] == []
    own = as_json(run.results.metrics)["models"]["cnn"]["test"]
    crossed = as_json(run.results.crossing)["models"]["cnn"]["trained_on"]["poor.fa"]
    assert crossed["tested_on"]["poor.fa"] == {m: own[m] for m in ("auroc", "auprc")}
    assert not (run.path / "checkpoint").exists()


def test_every_cell_is_of_the_model_and_the_test_part_that_it_names(
    run: motiflens.Run, inside: Path
) -> None:
    kinds = read_negative_sets("positives.fa", ["poor.fa", "alike.fa"], SETTINGS).datasets
    found = as_json(run.results.crossing)["models"]["cnn"]["trained_on"]
    tests = {kind: dataset.part("test") for kind, dataset in kinds.items()}
    job = Job("cnn", SETTINGS.seed_list)
    trained = {"cnn": train(kinds["alike.fa"], job, threads=1)}
    for kind, test in tests.items():
        alone = evaluate_ensembles(trained, test, seed=SETTINGS.seed)["cnn"].test.auroc
        assert found["alike.fa"]["tested_on"][kind]["auroc"] == to_builtins(alone)
        logits = [predict_logits(run.model("cnn", seed), test) for seed in (0, 1)]
        expected = roc_auc_score(test.labels, np.mean(logits, axis=0))
        value = found["poor.fa"]["tested_on"][kind]["auroc"]["value"]
        assert value == pytest.approx(expected)


def test_the_report_says_what_the_table_says(run: motiflens.Run) -> None:
    page = write_report(run.path).read_text("utf-8")
    assert 'id="crossing"' in page
    blocks = crossing_section(Results(run.path)).blocks
    (words,) = [block.text for block in blocks if isinstance(block, Text)]
    tables = [block for block in blocks if isinstance(block, Table)]
    assert [row[:2] for row in tables[0].rows] == [["cnn", "poor.fa"], ["cnn", "alike.fa"]]
    found = as_json(run.results.crossing)["models"]["cnn"]["trained_on"]
    value = {(a, b): found[a]["tested_on"][b]["auroc"]["value"] for a in found for b in found}
    points = 100 * (value["poor.fa", "poor.fa"] - value["alike.fa", "alike.fa"])
    assert f"against poor.fa exceeds that against alike.fa by {points:.1f} points" in words
    assert tables[0].rows[0][3].startswith(f"{value['poor.fa', 'alike.fa']:.3f}")
    assert f"{value['poor.fa', 'alike.fa']:.3f}" in words


def test_the_sentence_weighs_intervals_and_ties(tmp_path: Path) -> None:
    def words(own: tuple[float, float], crossed: tuple[float, float], width: float) -> str:
        values = [[own[0], crossed[0]], [crossed[1], own[1]]]
        scores = [[{"value": v, "low": v - width, "high": v + width} for v in r] for r in values]
        trained_on = {
            a: {
                "tested_on": {
                    b: dict.fromkeys(("auroc", "auprc"), s) for b, s in zip("st", row, strict=True)
                }
            }
            for a, row in zip("st", scores, strict=True)
        }
        models = {"cnn": {"trained_on": trained_on}}
        content = {"schema_version": 1, "kinds": ["s", "t"], "models": models}
        (tmp_path / "run.toml").write_text("[run]\n[configuration]\n")
        (tmp_path / "crossing.json").write_text(json.dumps(content))
        blocks = crossing_section(Results(tmp_path)).blocks
        (text,) = [block.text for block in blocks if isinstance(block, Text)]
        return text

    apart = words((0.9, 0.8), (0.7, 0.85), 0.01)
    assert "against s exceeds that against t by 10.0 points" in apart
    assert "do not overlap" in apart
    assert "Trained against s and tested against t, it reaches 0.700: 10.0 points below" in apart
    tied = words((0.9, 0.9), (0.95, 0.9), 0.05)
    assert "against s exceeds that against t by 0.0 points" in tied
    assert "their intervals overlap" in tied
    assert tied.endswith("Trained against any other kind, it scores no lower.")


MISTAKES: dict[str, tuple[Callable[[], object], str]] = {
    "one kind": (
        lambda: cross_negatives("positives.fa", ["shuffle"], "no"),
        "^shuffle names",
    ),
    "a kind twice": (
        lambda: cross_negatives("positives.fa", ["shuffle", "shuffle"], "no"),
        "^shuffle, shuffle names",
    ),
    "negatives besides": (
        lambda: cross_negatives(
            "positives.fa",
            ["shuffle", "poor.fa"],
            "no",
            options=ReadOptions(negatives="alike.fa"),
        ),
        "negatives=alike.fa.*positives.fa; leave negatives out",
    ),
    "no such file": (
        lambda: cross_negatives("positives.fa", ["shuffle", "absent.fa"], "no"),
        "absent.fa",
    ),
    "matched without a genome": (
        lambda: cross_negatives("positives.fa", ["shuffle", "matched"], "no"),
        "there is no genome=FILE",
    ),
    "other lengths for the tutorial's model": (
        lambda: cross_negatives(
            "positives.fa", ["shuffle", "long.fa"], "no", Settings(models=("tutorial-cnn",))
        ),
        "one length.*41 bp with shuffle, 46 bp with long.fa",
    ),
    "too short for a model": (
        lambda: cross_negatives("positives.fa", ["shuffle", "short.fa"], "no"),
        r"fewer than the \d+ of the first layer of cnn",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_and_nothing_is_written(name: str, inside: Path) -> None:
    fasta(Path("long.fa"), [f"{text}ACGTA" for text in letters(0.5, 40, 4)])
    fasta(Path("short.fa"), [text[:9] for text in letters(0.5, 40, 4)])
    call, message = MISTAKES[name]
    with pytest.raises(InputError, match=message):
        call()
    assert not Path("no").exists()


COMMAND = [sys.executable, "-m", "motiflens", "compare", "positives.fa", "--models", "cnn"]
COMMAND += ["--seeds", "2", "--threads", "1", "--strands", "forward"]
CROSSED = [*COMMAND, "--cross-negatives", "poor.fa,alike.fa"]


@pytest.mark.slow
def test_the_command_line_crosses_and_goes_on_after_a_kill(
    run: motiflens.Run, inside: Path
) -> None:
    cut = subprocess.Popen([*CROSSED, "-o", "cut"], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(Path("cut").glob("checkpoint/crossing-1/*.state")):
        assert cut.poll() is None, "ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    cut.send_signal(signal.SIGKILL)
    cut.wait()
    assert not (inside / "cut" / "crossing.json").exists()
    ended = subprocess.run(
        [*CROSSED, "-o", "cut", "--json"], capture_output=True, text=True, check=True
    )
    assert (inside / "cut/crossing.json").read_bytes() == (run.path / "crossing.json").read_bytes()
    told = json.loads(ended.stdout)["crossing"]["cnn"]
    found = as_json(run.results.crossing)["models"]["cnn"]["trained_on"]
    assert (
        told["poor.fa"]["alike.fa"] == found["poor.fa"]["tested_on"]["alike.fa"]["auroc"]["value"]
    )


def test_the_command_line_refuses_files_of_parts(inside: Path) -> None:
    ended = command(*CROSSED[3:], "-o", "no", "--test", "alike.fa")
    assert ended.returncode == 2
    assert "--test alike.fa" in ended.stderr
    assert not Path("no").exists()
