"""What a run does by default, what --thorough adds, and what is said of the time it takes."""

from __future__ import annotations

import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.test_defaults import ONE, data

import motiflens
from motiflens.attribution import attribute
from motiflens.attribution.base import by_blocks, sharing_cores
from motiflens.cli import main
from motiflens.models import build_model
from motiflens.models.calling import choose_device
from motiflens.results.provenance import Origin
from motiflens.runs import Run
from motiflens.stages.compare import compare
from motiflens.stages.data import Plan, plan_run
from motiflens.stages.estimate import Costs, as_thorough, estimate, measure
from motiflens.stages.explain import explain
from motiflens.stages.motifs import motifs
from motiflens.stages.stage import in_threads

SHORT = {name: {"recipe": {"epochs": 2}} for name in ("cnn", "attention")}
TWO = replace(ONE, models=("cnn", "attention"), seeds=2, hyperparameters=SHORT)
DEFAULT = {"saliency", "tutorial-saliency", "deeplift_shap", "ism"}
FURTHER = {"input_x_gradient", "integrated_gradients", "expected_gradients"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train two seeds of two models."""
    return compare(data(), tmp_path_factory.mktemp("first") / "run", TWO).path


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Run:
    return motiflens.load_run(shutil.copytree(trained, tmp_path / "run"))


def methods(run: Run, model: str) -> set[str]:
    return {path.stem for path in (run.path / "attributions" / model).glob("*.npz")}


def seeds_read(run: Run) -> list[list[int]]:
    return [[seed.seed for seed in model.seeds] for model in run.results.motifs.models.values()]


def test_the_first_report_takes_its_methods_and_the_first_seed(run: Run) -> None:
    motifs(explain(run))
    assert methods(run, "cnn") == DEFAULT
    assert methods(run, "attention") == DEFAULT | {"attention"}
    assert seeds_read(run) == [[0], [0]]


def test_a_thorough_stage_takes_every_method_and_every_seed(run: Run) -> None:
    motifs(explain(run, thorough=True), thorough=True)
    assert methods(run, "cnn") == DEFAULT | FURTHER
    assert seeds_read(run) == [[0, 1], [0, 1]]
    path = run.results.path_of("attributions", model="cnn", method="expected_gradients")
    np.savez(path, names=np.array(["of another time"]))
    explain(run)  # what is there is made anew too
    assert methods(run, "cnn") == DEFAULT | FURTHER
    assert "contributions" in np.load(path)


def test_explaining_again_by_fewer_methods_takes_no_later_result_away(run: Run) -> None:
    motifs(explain(run, thorough=True))
    explain(run)
    assert methods(run, "cnn") == DEFAULT | FURTHER
    assert run.results.holds("motifs")


def test_more_threads_change_no_byte(run: Run, tmp_path: Path) -> None:
    other = motiflens.load_run(shutil.copytree(run.path, tmp_path / "other"))
    for made, threads in ((run, 1), (other, 5)):
        motiflens.stages.trust.trust(explain(made, threads=threads), threads=threads)
    for name in sorted(path.relative_to(run.path) for path in run.path.rglob("*.npz")):
        first, second = (np.load(one.path / name)["contributions"] for one in (run, other))
        assert np.array_equal(first, second)
    assert (run.path / "trust.json").read_bytes() == (other.path / "trust.json").read_bytes()


def test_two_calls_share_the_cores_and_leave_none_idle() -> None:
    module, running, most = build_model("cnn", length=20, seed=0), 0, 0
    lock, meeting = threading.Lock(), threading.Barrier(3)

    def work(rows: slice) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        meeting.wait(timeout=20)  # which it only does if three blocks are worked on at once
        with lock:
            running -= 1

    torch.set_num_threads(1)
    in_threads(["a", "b"], lambda name: by_blocks(module, 6, 1, work), 3)
    assert most == 3


def test_cores_are_given_back_to_torch() -> None:
    module = build_model("cnn", length=20, seed=0)
    one_hot = data().one_hot()[:5]
    before = torch.get_num_threads()
    with sharing_cores(3, threading.Semaphore(3)):
        found = attribute(module, one_hot, "ism")
    assert torch.get_num_threads() == before
    assert np.array_equal(found.contributions, attribute(module, one_hot, "ism").contributions)


def planned(**changes: object) -> Plan:
    return plan_run(data(), replace(TWO, **changes), Origin(data="some"), explains=True)  # type: ignore[arg-type]


def test_an_estimate_grows_with_what_is_done() -> None:
    costs = {
        name: Costs(0.01, 0.001, {"saliency": 0.01, "ism": 0.1, "deeplift_shap": 0.2})
        for name in TWO.models
    }
    plan = planned()
    seconds = estimate(plan, costs, explains=True)
    # 48 sequences, two epochs stretched to the least number of steps, two seeds, two models.
    n_epochs = plan.jobs[0].settings.n_epochs(48)
    assert seconds["training"] == pytest.approx(2 * 2 * n_epochs * 48 * 0.01)
    assert seconds["explaining"] == pytest.approx(2 * 6 * 0.31)
    assert set(estimate(plan, costs, explains=False)) == {"auditing", "training"}
    thorough = estimate(as_thorough(plan), costs, explains=True)
    assert all(thorough[part] >= seconds[part] for part in seconds)
    assert thorough["explaining"] == pytest.approx(2 * 6 * (0.31 + 2.2 * 0.2))
    halved = estimate(planned(threads=2), costs, explains=True)
    assert halved["checking trust"] == pytest.approx(seconds["checking trust"] / 2)


@pytest.mark.parametrize(("prevalence", "is_told"), [(None, False), (0.5, False), (0.1, True)])
def test_a_prevalence_that_the_test_split_has_not_is_told(prevalence, is_told) -> None:
    notes = planned(prevalence=prevalence).origin.notes
    assert is_told == any("prevalence=0.1: calls at that prevalence" in note for note in notes)
    assert is_told == any(note.startswith("50% of the test split are positive") for note in notes)


def test_what_is_timed_are_the_models_of_the_plan() -> None:
    costs = measure(planned(models=("cnn",), hyperparameters={}))
    assert list(costs) == ["cnn"]
    assert costs["cnn"].epoch > 0
    assert costs["cnn"].methods["ism"] > 0


def told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    said = capsys.readouterr()
    assert ended.value.code == 0, said.err
    return said.out + said.err


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "some.tsv"
    told(
        ["simulate", "--n", "60", "--length", "23", "--motif", "GATTACA", "-o", str(table)], capsys
    )
    options = [str(table), "-o", str(tmp_path / "out"), "--models", "cnn", "--seeds", "1"]
    options += ["--threads", "1"]
    whole = told(["run", *options, "--dry-run"], capsys)
    assert "sequences: 60 of up to 23 bases: 48 train, 0 valid, 12 test" in whole
    assert "explaining: about" in whole
    assert "a thorough run (--thorough): about" in whole
    assert "nothing was written" in whole
    assert "explaining" not in told(["train", *options[:3], "--model", "cnn", "--dry-run"], capsys)
    found = json.loads(told(["run", *options, "--dry-run", "--json"], capsys))
    assert found["sequences"] == {"train": 48, "valid": 0, "test": 12}
    assert found["seconds_of_all"] == pytest.approx(sum(found["seconds"].values()), abs=0.5)
    assert found["seconds_of_a_thorough_run"] > 0
    assert not (tmp_path / "out").exists()


def test_a_profile_is_printed_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, out = tmp_path / "some.tsv", tmp_path / "out"
    told(["simulate", "--n", "60", "--length", "23", "-o", str(table)], capsys)
    said = told(
        ["train", str(table), "--model", "cnn", "-o", str(out), "--threads", "1", "--profile"],
        capsys,
    )
    text = (out / "profile.txt").read_text()
    assert said.endswith(text)
    rows = [line.split() for line in text.splitlines()]
    assert [row[0] for row in rows] == ["stage", "audit", "train", "score", "all"]
    used = json.loads((out / "timings.json").read_text())["used"]
    assert rows[2][2] == f"{used['train']['processor_seconds']:.1f}"
    page = motiflens.report.write_report(out).read_text()
    assert "Processor seconds" in page


def test_auto_is_a_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == "cpu"
    assert planned(device="auto").settings.device == "cpu"
    assert not any("GPU" in note for note in planned(device="auto").origin.notes)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert (choose_device("auto"), choose_device("cpu")) == ("cuda", "cpu")
    plan = planned(device="auto")
    assert plan.settings.device == "cuda"
    assert "models are trained on cuda, as there is a GPU; device=cpu takes none" in (
        plan.origin.notes
    )
