"""From a data set to a run directory: what is in it, that it is true, and that it comes back."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from tests.as_json import as_json

import motiflens
from motiflens import Settings
from motiflens.attribution import METHODS, Attributions
from motiflens.datasets import homology_groups, mark_sites
from motiflens.errors import InputError
from motiflens.evaluation.models import compare as compare_models
from motiflens.io.tables import write_table
from motiflens.metrics import score
from motiflens.metrics.intervals import paired_difference, seed_scores
from motiflens.progress import Silent
from motiflens.report import write_report
from motiflens.report.explained import read_explained
from motiflens.results.folder import TOP
from motiflens.results.tracks import best_validated
from motiflens.simulation import tutorial_grammar
from motiflens.stages.compare import compare
from motiflens.stages.data import prepare
from motiflens.stages.defaults import FURTHER_METHODS
from motiflens.stages.explain import explain
from motiflens.stages.stage import true_motifs
from motiflens.training import Job, predict_logits, recipe_for

MOTIF = "GATTACCA"
SETTINGS = Settings(
    models=("tutorial-attention", "cnn"),
    seeds=2,
    sizes=(60,),
    size_seeds=2,
    motif=MOTIF,
    threads=2,
    strands="forward",
    hyperparameters={"cnn": {"recipe": {"epochs": 15, "min_steps": 0}}},
)
BRIEF = {"recipe": {"epochs": 2, "min_steps": 0}}  # where it does not matter what is learnt


def data(seed: int = 0, n: int = 240) -> motiflens.SequenceDataset:
    return motiflens.simulate(tutorial_grammar(motif=MOTIF, n=n, length=41), seed)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> motiflens.Run:
    return motiflens.run(data(), tmp_path_factory.mktemp("runs") / "one", SETTINGS)


def test_the_run_directory_holds_what_is_documented(run: motiflens.Run) -> None:
    names = {path.name for path in run.path.iterdir()}
    assert names == {
        "run.toml", "data.parquet", "audit.json", "comparison.json", "metrics.json",
        "timings.json", "attention.json", "motifs.json", "experiments.json", "trust.json", "models",
        "attributions", "motifs", "report.html",
    }  # fmt: skip
    assert names < set(TOP)  # or --overwrite would leave it behind
    assert {path.name for path in (run.path / "models").iterdir()} == {
        f"{model}-seed{seed}" for model in SETTINGS.models for seed in (0, 1)
    }
    for folder in (run.path / "models").iterdir():
        assert {p.name for p in folder.iterdir()} == {
            "weights.safetensors", "model.toml", "history.csv"
        }  # fmt: skip
    for name in (
        "audit.json",
        "comparison.json",
        "metrics.json",
        "motifs.json",
        "experiments.json",
    ):
        assert json.loads((run.path / name).read_text())["schema_version"] == 1


def test_scores_are_those_of_the_saved_models(run: motiflens.Run) -> None:
    test = run.dataset.part("test")
    for name, seeds in run.results.models.items():
        for seed, entry in zip(
            seeds, as_json(run.results.comparison)["models"][name]["seeds"], strict=True
        ):
            logits = predict_logits(run.model(name, seed), test)
            assert entry["test"] == pytest.approx(score(test.labels, logits))


def test_comparison_has_the_documented_form(run: motiflens.Run) -> None:
    found = as_json(run.results.comparison)
    assert set(found["models"]) == set(SETTINGS.models)
    cnn = found["models"]["cnn"]
    assert [one["seed"] for one in cnn["seeds"]] == [0, 1]
    assert set(cnn["seeds"][0]["test"]) == {"accuracy", "auroc", "auprc", "mcc"}
    assert [point["n_train"] for point in cnn["sizes"]] == [60, 192]
    for metric, interval in cnn["summary"].items():
        if metric != "epochs_to_target":
            values = [one["test"][metric] for one in cnn["seeds"]]
            assert interval["mean"] == pytest.approx(np.mean(values))
            assert interval["low"] <= interval["mean"] <= interval["high"] <= 1
    (difference,) = found["differences"]
    assert (difference["a"], difference["b"]) == SETTINGS.models
    means = [found["models"][name]["summary"]["auroc"]["mean"] for name in SETTINGS.models]
    assert difference["auroc"]["mean"] == pytest.approx(means[0] - means[1])
    assert difference["auroc"]["n"] == 2
    assert found["differences_cover"] == ["seeds", "test sequences"]
    assert set(found["baselines"]) == {"composition", "kmer", "best-motif"}


def test_differences_are_those_of_the_saved_models(run: motiflens.Run) -> None:
    test = run.dataset.part("test")
    first, second = (
        seed_scores(test.labels, [predict_logits(run.model(name, seed), test) for seed in (0, 1)])
        for name in SETTINGS.models
    )
    expected = paired_difference(test.labels, first, second, homology_groups(test))
    (difference,) = as_json(run.results.comparison)["differences"]
    for metric, interval in expected.items():
        assert difference[metric] == pytest.approx(interval._asdict(), abs=1e-6)


def test_the_groups_of_the_test_part_are_counted(run: motiflens.Run, tmp_path: Path) -> None:
    test = run.dataset.part("test")
    groups = homology_groups(test)
    assert as_json(run.results.metrics)["test_groups"] == {
        "positives": len(set(groups[test.labels == 1])),
        "negatives": len(set(groups[test.labels == 0])),
        "groups": len(set(groups)),
    }
    copied = shutil.copytree(run.path, tmp_path / "copy")
    page = write_report(copied).read_text()
    assert f"sequences that share 31 bases count as one: {len(set(groups))} groups" in page


def test_motifs_have_the_documented_form_and_a_control(run: motiflens.Run) -> None:
    found = as_json(run.results.motifs)
    assert [truth["consensus"] for truth in found["truth"]] == [MOTIF]
    routes = found["models"]["tutorial-attention"]["seeds"][1]["routes"]
    assert set(routes) == {
        "filters", "attention", "attention-stretched", "saliency", "attention-saliency", "ism"
    }  # fmt: skip
    assert set(found["models"]["cnn"]["seeds"][0]["routes"]) == {"filters", "saliency", "ism"}
    (stretched,) = routes["attention-stretched"]
    assert np.shape(stretched["ppm"]) == (4, 12)
    assert set(stretched["recovery"]) == {"truth", "similarity", "offset", "strand", "exact"}
    assert found["models"]["cnn"]["seeds"][0]["routes"]["ism"][0]["recovery"]["exact"]
    assert [one["seed"] for one in found["untrained"]["cnn"]["seeds"]] == [0, 1]
    assert found["shortcut"]["cnn"]["verdict"].startswith("order is learnt")
    memes = motiflens.read_motifs(run.path / "motifs" / "cnn-ism.meme")
    assert memes[0].consensus == MOTIF


def test_the_discovered_motif_is_the_implanted_one_and_unknown(run: motiflens.Run) -> None:
    found = as_json(run.results.motifs)
    (entry,) = found["discovery"]
    assert (entry["name"], entry["consensus"], entry["match"]) == ("motif-1", MOTIF, None)
    assert entry["direction"] == "positive"
    assert entry["recovery"]["exact"]
    assert entry["positives_with_site"] > 0.95
    assert entry["negatives_with_site"] < 0.05
    assert entry["q_value"] < 1e-6
    assert entry["ablation"]["n_agreeing"] == entry["ablation"]["n_seeds"] == 2
    by = found["discovered_by"]
    assert by["model"] == "cnn"  # the other one has no validation part
    parts = np.asarray(run.dataset.split)
    tested = dict(by["tested_on"])
    assert tested.pop("groups") == (parts == "test").sum()  # no two share 31 bases
    assert sum(tested.values()) == (parts == "test").sum()
    assert by["note"] == ""
    (meme,) = motiflens.read_motifs(run.path / "motifs" / "discovery.meme")
    assert meme.consensus == MOTIF
    lines = (run.path / "motifs" / "discovery-seqlets.tsv").read_text().splitlines()
    assert len(lines) == 1 + entry["n_seqlets"]
    name, start, end, _, motif, _ = lines[1].split("\t")
    sequence = run.dataset.sequences()[run.dataset.names.tolist().index(name)]
    assert (sequence[int(start) : int(end)], motif) == (MOTIF, "motif-1")
    assert parts[run.dataset.names.tolist().index(name)] != "test"
    hits = pd.read_csv(run.path / "motifs" / "hits.bed.gz", sep="\t")
    assert len(hits) == entry["n_sites"]
    assert set(hits["#chrom"]) <= set(run.dataset.names[parts == "test"].tolist())


def test_a_method_that_refuses_a_model_is_left_out_and_the_others_stay(
    run: motiflens.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise InputError("a rule", remedy="choose ism")

    copied = shutil.copytree(run.path, tmp_path / "copy", ignore=lambda *_: {"attributions"})
    monkeypatch.setitem(METHODS, "deeplift_shap", refuse)
    explain(copied)
    for name in SETTINGS.models:
        folder = copied / "attributions" / name
        checks = json.loads((folder / "checks.json").read_text())
        assert checks["refused"] == {"deeplift_shap": "a rule; choose ism"}
        assert {f"{method}.npz" for method in checks["methods"]} == {
            path.name for path in folder.glob("*.npz")
        }
        assert (folder / "ism.npz").is_file()
        assert not (folder / "deeplift_shap.npz").exists()


def test_explaining_again_keeps_what_rests_on_equal_explanations_and_removes_the_rest(
    run: motiflens.Run, tmp_path: Path
) -> None:
    class Notes(Silent):
        def note(self, text: str) -> None:
            heard.append(text)

    heard: list[str] = []
    copied = shutil.copytree(run.path, tmp_path / "copy")
    bytes_before = {path: path.read_bytes() for path in copied.rglob("*.*")}
    explain(copied, progress=Notes())
    assert not heard
    for path, before in bytes_before.items():
        assert path.name == "timings.json" or path.read_bytes() == before
    saliency = copied / "attributions" / "cnn" / "saliency.npz"
    found = motiflens.Attributions.load(saliency)
    replace(found, contributions=2 * found.contributions).save(saliency)
    explain(copied, progress=Notes())
    made_of_them = {"motifs.json", "motifs", "experiments.json", "trust.json", "report.html"}
    assert {path.name for path in run.path.iterdir()} - made_of_them == {
        path.name for path in copied.iterdir()
    }
    assert heard[0].startswith("attributions changed")
    assert all(f"{name}" in heard[0] for name in made_of_them)
    assert saliency.read_bytes() == bytes_before[saliency]


def test_a_method_that_refuses_now_leaves_nothing_of_before(
    run: motiflens.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise InputError("a rule", remedy="choose ism")

    copied = shutil.copytree(run.path, tmp_path / "copy")
    monkeypatch.setitem(METHODS, "saliency", refuse)
    explain(copied)
    assert not list(copied.rglob("saliency.npz"))
    assert not (copied / "trust.json").exists()


def _units_make_the_track(run: motiflens.Run) -> None:
    """Dividing the weight of each unit among the bases that it sees gives the track."""
    example = run.results.attention.models["tutorial-attention"].example
    path = run.results.path_of("attributions", model="tutorial-attention", method="attention")
    with np.load(path) as arrays:
        row = arrays["names"].tolist().index(example.sequence)
        track = arrays["contributions"].sum(axis=1)[row]
    found = np.zeros_like(track)
    for unit, weight in enumerate(example.weights):
        start = example.first + unit * example.stride
        found[start : start + example.width] += weight / example.width
    assert found == pytest.approx(track, abs=1e-5)
    assert len(example.stretched) == len(track)
    assert max(example.stretched) <= max(example.weights) + 1e-6


def test_attributions_are_of_test_positives_and_come_back(run: motiflens.Run) -> None:
    with np.load(run.path / "attributions" / "tutorial-attention" / "ism.npz") as kept:
        names, contributions = kept["names"].tolist(), kept["contributions"]
    dataset = run.dataset
    rows = [dataset.names.tolist().index(name) for name in names]
    assert set(dataset.split[rows]) == {"test"}
    assert dataset.labels[rows].min() == 1
    assert contributions.shape == (len(names), 4, 41)
    taken = set(METHODS) - {"rollout", *FURTHER_METHODS}
    folder = run.path / "attributions" / "tutorial-attention"
    # No genome tracks, as the data have no coordinates.
    files = {*(f"{m}.npz" for m in taken), "checks.json", "negatives"}
    assert {p.name for p in folder.iterdir()} == files
    checks = as_json(run.results.checks["tutorial-attention"])["methods"]
    assert set(checks) == taken
    assert checks["deeplift_shap"]["completeness"] < 1e-4
    contrast = as_json(run.results.attention)["models"]["tutorial-attention"]
    _units_make_the_track(run)
    assert contrast["motif"]["mean"] > contrast["background"]["mean"]


def test_the_same_seed_gives_the_same_bytes(run: motiflens.Run, tmp_path: Path) -> None:
    again = motiflens.run(data(), tmp_path / "two", SETTINGS)
    files = sorted(p.relative_to(run.path) for p in run.path.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(again.path) for p in again.path.rglob("*") if p.is_file())
    for file in files:
        if file.name not in ("timings.json", "report.html"):
            assert (run.path / file).read_bytes() == (again.path / file).read_bytes(), file


def test_another_seed_gives_other_weights(run: motiflens.Run, tmp_path: Path) -> None:
    other = replace(SETTINGS, models=("cnn",), seeds=1, seed=5, sizes=(), threads=1)
    other = replace(other, hyperparameters={"cnn": BRIEF})
    made = compare(data(), tmp_path / "other", other)
    assert made.results.models == {"cnn": (5,)}
    assert not torch.equal(made.model("cnn").filters, run.model("cnn").filters)
    assert as_json(made.results.comparison)["models"]["cnn"]["sizes"] == []


def test_a_run_is_loaded_with_its_settings(run: motiflens.Run) -> None:
    loaded = motiflens.load_run(run.path)
    assert loaded.settings == replace(SETTINGS, split="random", target=0.95, device="cpu")
    assert len(loaded.dataset) == 240
    assert not loaded.model("cnn", 1).training
    with pytest.raises(motiflens.InputError, match="no seed 7"):
        loaded.model("cnn", 7)
    with pytest.raises(motiflens.InputError, match=r"run\.toml"):
        motiflens.load_run(run.path / "models")


def test_an_untrained_model_has_the_initial_weights(run: motiflens.Run) -> None:
    initial = motiflens.build_model("cnn", length=41, seed=1)
    assert torch.equal(run.untrained_model("cnn", 1).filters, initial.filters)
    assert not torch.equal(run.model("cnn", 1).filters, initial.filters)


def test_a_finished_run_is_not_replaced_unless_asked(run: motiflens.Run, tmp_path: Path) -> None:
    before = (run.path / "comparison.json").read_bytes()
    with pytest.raises(motiflens.InputError, match="overwrite=True"):
        compare(data(1), run.path, SETTINGS)
    assert (run.path / "comparison.json").read_bytes() == before
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(motiflens.InputError, match="other files"):
        compare(data(), tmp_path, SETTINGS, overwrite=True)
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_overwriting_leaves_nothing_of_the_earlier_run(run: motiflens.Run, tmp_path: Path) -> None:
    shutil.copytree(run.path, tmp_path / "run")
    (tmp_path / "run" / "notes.txt").write_text("mine")
    brief = {"attention": BRIEF}
    two = Settings(models=("attention",), seeds=1, sizes=(), threads=1, hyperparameters=brief)
    made = compare(data(n=80), tmp_path / "run", two, overwrite=True)
    assert made.results.models == {"attention": (0,)}
    assert not (made.path / "motifs.json").exists()
    assert not (made.path / "attributions").exists()
    assert (made.path / "notes.txt").read_text() == "mine"


def test_a_missing_stage_names_its_command(tmp_path: Path) -> None:
    settings = Settings(models=("tutorial-cnn",), seeds=1, sizes=(), threads=1)
    made = compare(data(n=80), tmp_path / "run", settings)
    with pytest.raises(motiflens.InputError, match="motiflens motifs"):
        _ = as_json(made.results.motifs)


def test_a_split_of_the_users_own_is_kept() -> None:
    dataset = data()
    split = np.where(np.arange(240) % 3 == 0, "test", "train")
    kept, _ = prepare(dataset.with_split(split), SETTINGS)
    assert np.array_equal(kept.split, split)
    with pytest.raises(motiflens.InputError, match="in the split train"):
        prepare(dataset.with_split(np.full(240, "test")), SETTINGS)
    # Without a test part of its own, one is cut out of what there is to train on.
    split = np.where(np.arange(240) % 3 == 0, "valid", "train")
    cut, _ = prepare(dataset.with_split(split), SETTINGS)
    assert np.array_equal(cut.split == "valid", split == "valid")
    assert (cut.split == "test").sum() == 32


def test_the_motif_marks_sites_only_where_none_are_known() -> None:
    dataset = data()
    truth = [[site.start for site in row] for row in dataset.sites]
    unknown = dataset.with_sites(None)
    found, _ = prepare(unknown, SETTINGS)
    assert [[site.start for site in row] for row in found.sites] == truth
    kept, _ = prepare(dataset, Settings(motif="TTTT"))
    assert [[site.start for site in row] for row in kept.sites] == truth
    with pytest.raises(motiflens.InputError, match="motif"):
        prepare(unknown, Settings(motif="A" * 42))


def test_true_motifs_come_from_the_sites_read_on_their_strand() -> None:
    sequences = ["AAGATTC", "CGAATCC", "ACGTACG"]
    sites = [
        [motiflens.datasets.dataset.Site("m", 2, 6, "+")],
        [motiflens.datasets.dataset.Site("m", 2, 6, "-")],
        [],
    ]
    dataset = motiflens.SequenceDataset.from_sequences(sequences, [1, 1, 0], sites=sites)
    (motif,) = true_motifs(dataset, None)
    assert (motif.name, motif.consensus, motif.n_sites) == ("m", "GATT", 2)
    assert true_motifs(dataset.with_sites(None), None) == []
    marked = mark_sites(dataset.with_sites(None), "GATT")
    assert [m.consensus for m in true_motifs(marked, "GATT")] == ["GATT"]


def test_all_sizes_share_one_test_part() -> None:
    dataset, _ = prepare(data(), SETTINGS)
    brief = replace(recipe_for("cnn"), **BRIEF["recipe"])
    found = compare_models(dataset, [Job("cnn", (0,), brief)], sizes=[40, 80], threads=1)
    assert found.comparison.n_test == 48
    assert [p.n_train for p in found.comparison.models["cnn"].sizes] == [40, 80, 192]


def test_metrics_are_the_ensembles_with_intervals(run: motiflens.Run) -> None:
    found = as_json(run.results.metrics)
    test = run.dataset.part("test")
    assert found["negatives"] == "given"
    for name, seeds in run.results.models.items():
        entry = found["models"][name]
        logits = [predict_logits(run.model(name, seed), test) for seed in seeds]
        probabilities = 1 / (1 + np.exp(-np.mean(logits, axis=0)))
        brier = np.mean((probabilities - test.labels) ** 2)
        assert entry["test"]["brier"]["value"] == pytest.approx(brier, abs=1e-9)
        for metric in ("auroc", "auprc", "mcc", "accuracy", "brier", "ece", "recall_at_fdr10"):
            interval = entry["test"][metric]
            assert interval["low"] <= interval["value"] <= interval["high"]
            assert metric in entry["seeds"][0]
    # The tutorial's models have no validation part to choose a threshold on.
    assert found["models"]["tutorial-attention"]["threshold"] == 0.0
    assert found["models"]["cnn"]["threshold"] != 0.0


def test_a_killed_run_goes_on_and_ends_with_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(models=("cnn",), seeds=2, sizes=(), threads=1, strands="forward")
    settings = replace(settings, hyperparameters={"cnn": BRIEF})
    whole = compare(data(), tmp_path / "whole", settings)

    class Killed(BaseException):
        pass

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("motiflens.stages.compare.evaluate_ensembles", killed)
        with pytest.raises(Killed):
            compare(data(), tmp_path / "cut", settings)
    assert (tmp_path / "cut" / "checkpoint").is_dir()
    assert not (tmp_path / "cut" / "comparison.json").exists()
    with pytest.raises(motiflens.InputError, match="other settings"):
        compare(data(), tmp_path / "cut", replace(settings, seeds=3))
    with pytest.raises(motiflens.InputError, match="other data"):
        compare(data(seed=9), tmp_path / "cut", settings)
    cut = compare(data(), tmp_path / "cut", settings)
    for file in ("comparison.json", "metrics.json", "models/cnn-seed1/weights.safetensors"):
        assert (cut.path / file).read_bytes() == (whole.path / file).read_bytes()
    assert not (cut.path / "checkpoint").exists()


def test_a_mistake_found_late_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise motiflens.InputError("a rule", remedy="do that")

    monkeypatch.setattr("motiflens.stages.compare.evaluate_ensembles", refuse)
    with pytest.raises(motiflens.InputError):
        compare(data(), tmp_path / "run", Settings(models=("tutorial-cnn",), seeds=1, sizes=()))
    assert list(tmp_path.iterdir()) == []


def test_strands_are_decided_by_the_training_part_and_kept(tmp_path: Path) -> None:
    grammar = tutorial_grammar(motif=MOTIF, n=240, length=41, strands="both")
    models = ("cnn", "tutorial-cnn")
    brief = {"cnn": BRIEF}
    settings = Settings(models=models, seeds=1, sizes=(), threads=1, hyperparameters=brief)
    made = compare(motiflens.simulate(grammar, 0), tmp_path / "run", settings)
    assert made.settings.strands == "both"
    x = torch.as_tensor(made.dataset.one_hot([0, 1, 2]))
    complement = x.flip((-2, -1))
    with torch.no_grad():
        torch.testing.assert_close(made.model("cnn")(x), made.model("cnn")(complement))
        plain = made.model("tutorial-cnn")
        assert not torch.allclose(plain(x), plain(complement))


def test_files_of_parts_become_one_data_set(tmp_path: Path) -> None:
    sets = {part: data(seed, n) for part, seed, n in (("a", 1, 60), ("b", 2, 20), ("c", 3, 30))}
    for name, dataset in sets.items():
        write_table(dataset, tmp_path / f"{name}.csv")
    joined = motiflens.read(tmp_path / "a.csv", valid=tmp_path / "b.csv", test=tmp_path / "c.csv")
    assert joined.sequences() == [s for d in sets.values() for s in d.sequences()]
    assert joined.split.tolist() == ["train"] * 60 + ["valid"] * 20 + ["test"] * 30
    split, _ = prepare(joined, Settings())
    assert np.array_equal(split.split, joined.split)
    write_table(joined, tmp_path / "split.csv")
    with pytest.raises(motiflens.InputError, match="column 'split'"):
        motiflens.read(tmp_path / "split.csv", test=tmp_path / "c.csv")


def test_a_run_killed_after_training_goes_on_with_the_missing_stages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(models=("cnn",), seeds=1, sizes=(), threads=1, strands="forward")

    class Killed(BaseException):
        pass

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("motiflens.stages.motifs.find_motifs", killed)
        with pytest.raises(Killed):
            motiflens.run(data(n=80), tmp_path / "run", settings)
    for name in (".motifs.json.x1", "attributions/cnn/.ism.npz.x2"):  # as a kill leaves them
        (tmp_path / "run" / name).write_text("half")
    (tmp_path / "run" / ".notes").write_text("mine")
    with pytest.raises(motiflens.InputError, match="overwrite=True"):
        compare(data(n=80), tmp_path / "run", settings)  # for this the run is finished
    with pytest.raises(motiflens.InputError, match="other data"):
        motiflens.run(data(seed=1, n=80), tmp_path / "run", settings)
    # Somebody wrote the page of what was there, and the process ended as it removed the checkpoint.
    (tmp_path / "run" / "report.html").write_text("of an unfinished run")
    (tmp_path / "run" / "checkpoint").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr("motiflens.evaluation.models.compare", killed)
        patch.setattr("motiflens.attribution.workers.attribute", killed)
        made = motiflens.run(data(n=80), tmp_path / "run", settings)
    assert made.results.path_of("report").read_text(encoding="utf-8").startswith("<!")
    assert as_json(made.results.motifs)["models"]["cnn"]
    hidden = [path.name for path in made.path.rglob(".*")]
    assert hidden == [".notes"]
    with pytest.raises(motiflens.InputError, match="overwrite=True"):
        motiflens.run(data(n=80), tmp_path / "run", settings)
    # Killed while the checkpoint was removed: the same call removes the rest.
    (made.path / "checkpoint").mkdir()
    compare(data(n=80), tmp_path / "run", settings)
    assert not (made.path / "checkpoint").exists()


def logits_of(model: torch.nn.Module, sequences: motiflens.SequenceDataset) -> np.ndarray:
    with torch.no_grad():
        return model.eval()(torch.as_tensor(sequences.one_hot())).numpy()


def test_the_negatives_that_look_most_like_positives_are_explained(run: motiflens.Run) -> None:
    dataset, results = run.dataset, run.results
    of_test = (np.asarray(dataset.split) == "test") & (dataset.labels == 0)
    negatives = dataset.subset(np.flatnonzero(of_test))
    logits = logits_of(run.model(best_validated(results)), negatives)
    n_positives = len(next(iter(results.checks.values())).logits)
    wanted = negatives.subset(np.argsort(-logits, kind="stable")[: math.ceil(n_positives / 8)])
    assert 1 < len(wanted) < len(negatives)
    for model in SETTINGS.models:
        found = sorted(p.stem for p in results.path.glob(f"attributions/{model}/negatives/*.npz"))
        assert found == sorted(p.stem for p in results.path.glob(f"attributions/{model}/*.npz"))
        path = results.path_of("negative_attributions", model=model, method="ism")
        explained = Attributions.load(path)
        assert explained.names == tuple(wanted.names)
        assert np.array_equal(explained.one_hot, wanted.one_hot())
        own = logits_of(run.model(model), wanted)
        assert np.allclose(results.checks[model].negative_logits, own, atol=1e-4)
    shown = read_explained(results)
    assert (shown.n_positives, list(shown.names[n_positives:])) == (n_positives, list(wanted.names))
