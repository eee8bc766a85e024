"""The stage of a run that experiments: planted motifs, known and unknown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import to_builtins
from tests.as_json import as_json

import motiflens
from motiflens.perturbation import marginal_effect
from motiflens.simulation import Grammar, MotifUse
from motiflens.stages import experiments as experimenting
from motiflens.stages.experiments import experiments

FIRST, SECOND = "CGACCGAACTCC", "TTGATAAGCGTA"
SETTINGS = motiflens.Settings(models=("tutorial-cnn",), seeds=1, sizes=(), n_explained=60)


def make(folder: Path, *motifs: str, **options) -> motiflens.Run:
    uses = tuple(MotifUse(motiflens.Motif.from_string(motif)) for motif in motifs)
    data = motiflens.simulate(Grammar(uses, n=300, length=53), 0)
    if not options.pop("sites", True):
        data = replace(data, sites=None)
    return motiflens.run(data, folder, replace(SETTINGS, **options))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> motiflens.Run:
    return make(tmp_path_factory.mktemp("runs") / "pair", FIRST, SECOND)


def test_true_motifs_are_put_in_and_taken_out(run: motiflens.Run) -> None:
    found = as_json(run.results.experiments)["models"]["tutorial-cnn"]
    assert [one["inserted"] for one in found["motifs"]] == [FIRST, SECOND]
    assert (found["strands"], found["n_backgrounds"]) == ("forward", 50)
    for one in found["motifs"]:
        marginal = one["marginal"]
        assert marginal["mean"] > 10 * marginal["standard_error"] > 0
        doses = [effect["mean"] for effect in one["dose"]["effects"]]
        assert one["dose"]["copies"] == [1, 2, 3, 4]  # four of 12 fit into 53
        assert doses[0] == pytest.approx(marginal["mean"], rel=0.5)
        assert one["position"]["starts"][-1] == 41
        removed = one["ablation"]
        assert removed["effect"]["mean"] < 5 * removed["control"]["mean"] < 2
    pair = found["spacing"]
    assert (pair["first_name"], pair["second_name"]) == (FIRST, SECOND)
    assert pair["gaps"] == list(range(0, 21, 2))
    assert set(pair["interaction"]) == {"++", "+-"}


def test_the_figures_are_those_of_the_functions(run: motiflens.Run) -> None:
    found = as_json(run.results.experiments)["models"]["tutorial-cnn"]
    motifs = experimenting.true_motifs(run.dataset, None)
    background = experimenting._background(run, motifs)
    effect = marginal_effect(run.model("tutorial-cnn"), SECOND, background)
    assert found["motifs"][1]["marginal"] == to_builtins(effect)


def test_the_stage_gives_the_same_bytes_again(run: motiflens.Run) -> None:
    before = (run.path / "experiments.json").read_bytes()
    experiments(run.path)
    assert (run.path / "experiments.json").read_bytes() == before


def test_without_a_truth_the_motifs_found_are_tried_on_both_strands(tmp_path: Path) -> None:
    made = make(tmp_path / "out", FIRST, sites=False, strands="both", models=("tutorial-cnn",))
    (first, *_) = as_json(made.results.motifs)["models"]["tutorial-cnn"]["seeds"][0]["routes"][
        "ism"
    ]
    found = as_json(made.results.experiments)["models"]["tutorial-cnn"]
    assert found["strands"] == "both"
    assert found["motifs"][0]["name"] == first["name"]
    assert found["motifs"][0]["ablation"]["effect"]["mean"] < 0


def test_the_work_has_an_end_on_long_sequences(
    run: motiflens.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    motifs = experimenting.true_motifs(run.dataset, None)
    monkeypatch.setattr(experimenting, "MAX_BASES", 200_000)
    assert len(experimenting._background(run, motifs)) == 200_000 // (146 * 53)
    monkeypatch.setattr(experimenting, "MAX_BASES", 1)
    assert len(experimenting._background(run, motifs)) == 10
