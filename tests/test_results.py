"""The files of a run as types: old runs open, every byte comes back, every fault is named."""

from __future__ import annotations

import ast
import json
import re
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from motiflens.errors import InputError
from motiflens.progress import Silent
from motiflens.results import ARTIFACTS, Results, is_run, read_motifs_without_model
from motiflens.results.artifacts import following_from, of_stage
from motiflens.results.audit import ConstantStretch
from motiflens.results.explanations import Checks
from motiflens.results.loader import RENAMED, as_bytes
from motiflens.results.motifs import MotifsWithoutModel
from motiflens.results.timings import Timings
from motiflens.results.tracks import (
    read_filters,
    read_histories,
    read_lengths,
    read_sites,
    read_tracks,
)
from motiflens.settings import Settings
from motiflens.version import __version__

ROOT = Path(__file__).parents[1]
#: A run that motiflens 0.2 left, of simulated sequences.
OLD = Path(__file__).parent / "old_run"
OF_OLD = [
    "audit",
    "metrics",
    "comparison",
    "timings",
    "attention",
    "motifs",
    "experiments",
    "trust",
]


@pytest.fixture
def copied(tmp_path):
    shutil.copytree(OLD, tmp_path / "run")
    return Results(tmp_path / "run")


def with_old_names(content: bytes) -> bytes:
    for names in RENAMED.values():
        for old, new in names.items():
            content = content.replace(f'"{new}":'.encode(), f'"{old}":'.encode())
    return content


@pytest.mark.parametrize("name", OF_OLD)
def test_what_an_old_run_holds_comes_back_byte_for_byte(name):
    results = Results(OLD)
    path = results.path_of(name)
    assert with_old_names(as_bytes(getattr(results, name))) == path.read_bytes()


def test_an_old_run_opens_with_all_that_it_holds():
    results = Results(OLD)
    assert is_run(OLD)
    assert results.models == {"cnn": (0, 1), "attention": (0, 1)}
    assert results.settings == Settings(
        seeds=2, split="random", strands="forward", sizes=(), target=0.95, n_explained=3,
        threads=1, device="cpu",
        hyperparameters={
            "cnn": {"n_filters": 48, "n_hidden": 8},
            "attention": {"n_filters": 32, "n_heads": 2, "n_hidden": 8},
        },
    )  # fmt: skip
    assert results.provenance.run.n_positives == 180
    assert results.trust.models["cnn"].methods["ism"].deletion_curve.deletion[0] == 1.0
    assert results.experiments.models["cnn"].motifs[0].inserted == "CGACCGAACTCC"
    assert results.trust.models["attention"].attention.heads[1].marks
    assert results.motifs.models["attention"].seeds[1].routes["attention-stretched"][0].n_sites > 0
    checks = results.checks["cnn"]
    assert as_bytes(checks) == results.path_of("checks", model="cnn").read_bytes()
    assert not results.holds("crossing")
    assert not results.holds("report")


def test_the_arrays_of_an_old_run():
    results = Results(OLD)
    assert {model: len(own) for model, own in read_histories(results).items()} == {
        "cnn": 2,
        "attention": 2,
    }
    assert read_filters(results)["cnn"].shape[1] == 4
    tracks = read_tracks(results)["attention"]
    assert set(tracks) == {"ism", "attention"}
    assert tracks["ism"].values.shape == (3, 40)
    assert len(tracks["ism"].sequence(2)) == 40
    assert read_lengths(results).mean == 40.0
    sites = [sites for sites in read_sites(results).values() if sites]
    assert len(sites) == 180
    assert {site.end - site.start for row in sites for site in row} == {12}


def test_fields_that_older_runs_lack_have_defaults(copied):
    for name, lacking in (
        ("audit", ["lengths", "constant"]),
        ("metrics", ["test_groups"]),
        ("comparison", ["differences_cover"]),
        ("motifs", ["discovery", "discovered_by", "untrained"]),
    ):
        path = copied.path_of(name)
        content = json.loads(path.read_text())
        path.write_text(json.dumps({k: v for k, v in content.items() if k not in lacking}))
    assert copied.audit.lengths is None
    assert copied.metrics.test_groups is None
    assert copied.comparison.differences_cover == ()
    assert copied.motifs.discovery == ()
    assert copied.motifs.discovered_by is None


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("metrics", '"threshold": ', '"threshold": "x", "was": ', r"models\.\*.*metrics\.json"),
        ("comparison", '"n_test": 72', '"n_test": "many"', r"n_test of .*comparison\.json"),
        ("comparison", '"n_test": 72,', "", r"'n_test' in .*comparison\.json"),
        ("audit", '"duplicates"', '"copies"', r"copies.*audit\.json"),
        ("trust", '"schema_version": 1', '"schema_version": 7', r"trust\.json.* 7\b.*trust"),
        ("motifs", "{", "", r"motifs\.json.*motiflens motifs"),
    ],
)  # fmt: skip
def test_a_field_that_is_not_as_written_is_named_with_its_file(copied, name, old, new, told):
    change(copied.path_of(name), old, new)
    with pytest.raises(InputError, match=told):
        getattr(copied, name)


@pytest.mark.parametrize(
    ("name", "command"),
    [("trust", "trust"), ("audit", "compare"), ("crossing", "compare --cross-negatives")],
)
def test_what_is_absent_is_made_by_a_command(copied, name, command):
    copied.path_of(name).unlink(missing_ok=True)
    assert not copied.holds(name)
    with pytest.raises(InputError, match=rf"{name}\.json.*`motiflens {command}`"):
        getattr(copied, name)


def test_what_is_no_run_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for path, told in ((tmp_path, "run.toml"), (tmp_path / "file", "file"), (tmp_path / "x", "x")):
        assert not is_run(path)
        with pytest.raises(InputError, match=told):
            _ = Results(path).provenance


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [('"cnn"', '"cnn', "run.toml"), ("\nseed = 0", '\nseed = "no"', "seed of .*run.toml"),
     ("size_seeds = 5", "size_seeds = 0", "configuration of .*run.toml")],
)  # fmt: skip
def test_a_damaged_configuration_is_named(copied, old, new, told):
    change(copied.path_of("configuration"), old, new)
    with pytest.raises(InputError, match=told):
        _ = copied.provenance


def test_a_file_is_read_again_when_it_has_changed(copied):
    assert copied.timings is copied.timings
    content = msgspec.structs.replace(copied.timings, threads=7, version="0.1.0")
    copied.write(content)
    assert copied.timings.threads == 7
    assert copied.timings.version == __version__
    text = copied.path_of("timings").read_text()
    assert text.startswith(f'{{\n "schema_version": 1,\n "version": "{__version__}",\n "threads"')
    Results(copied.path).write(msgspec.structs.replace(content, threads=11))
    assert copied.timings.threads == 11


def test_what_was_made_of_another_content_is_removed_and_said(copied):
    told = []

    class Telling(Silent):
        def note(self, text):
            told.append(text)

    copied.write(copied.motifs, Telling())
    assert copied.holds("experiments")
    assert not told
    copied.write(msgspec.structs.replace(copied.motifs, n_positives=7), Telling())
    assert not copied.holds("experiments")
    assert copied.holds("trust")
    assert copied.holds("sites") == Results(OLD).holds("sites")
    (text,) = told
    assert "experiments.json" in text
    assert "`motiflens experiments`" in text


def test_a_stage_is_finished_when_its_last_file_is_there_and_training_has_ended(copied):
    assert copied.is_finished("trust")
    assert not copied.is_finished("report")
    copied.path_of("checkpoint").mkdir()
    assert not copied.is_finished("trust")


def test_numbers_that_json_has_not_are_refused(copied):
    timings = Timings(threads=1, training={}, stages={"train": np.inf})
    before = copied.timings
    with pytest.raises(ValueError, match="JSON"):
        copied.write(timings)
    assert copied.timings == before


def test_run_toml_is_written_as_it_was(copied):
    before = copied.path_of("configuration").read_bytes()
    copied.write_provenance(copied.provenance)
    # All that is new are settings that old runs had no choice of.
    after = copied.path_of("configuration").read_bytes()
    for new in (b"thorough = false\n", b'recipe = "default"\n'):
        after = after.replace(new, b"")
    assert after == before


def test_a_name_that_python_keeps_for_itself():
    stretch = ConstantStretch(class_="positives", end="start", bases="ACGTAC", first=1, last=6)
    assert list(msgspec.to_builtins(stretch)) == ["class", "end", "bases", "first", "last"]


def test_a_note_that_is_absent_is_not_one_that_says_nothing(copied):
    old = '{"schema_version": 1, "methods": {"ism": {"completeness": null, "strands": null, '
    path = copied.path_of("checks", model="cnn")
    path.write_text(old + '"precision": 0.0}}}')
    checks = copied.read(Checks, model="cnn")
    assert checks.methods["ism"].completeness_note is msgspec.UNSET
    assert b"completeness_note" not in as_bytes(checks)


def test_motifs_of_sequences_alone(tmp_path):
    with pytest.raises(InputError, match="--no-model"):
        read_motifs_without_model(tmp_path)
    by = {
        "method": "sequences alone", "held_out": False, "negatives": "shuffle", "database": "mine",
        "found_in": {"positives": 5, "negatives": 4},
        "tested_on": {"positives": 3, "negatives": 2}, "not_significant": [],
    }  # fmt: skip
    content = {"schema_version": 1, "discovery": [], "discovered_by": by}
    (tmp_path / "motifs.json").write_text(json.dumps(content))
    motifs = read_motifs_without_model(tmp_path)
    assert isinstance(motifs, MotifsWithoutModel)
    assert motifs.discovered_by.tested_on.groups is None


def test_what_follows_from_what():
    assert following_from(["attributions"]) == (
        "track", "intervals", "checks", "route_motifs", "discovery", "discovery_arrays", "seqlets",
        "sites", "motifs", "experiments", "trust", "report",
    )  # fmt: skip
    assert following_from(["motifs"]) == ("experiments", "report")
    assert set(following_from(["configuration"])) == {*ARTIFACTS} - {
        "configuration",
        "timings",
        "profile",
    }


def test_what_a_stage_makes():
    assert of_stage("compare")[-1] == "comparison"
    assert of_stage("explain")[-1] == "attention"
    assert of_stage("motifs")[-1] == "motifs"


def test_what_follows_is_removed_with_its_folder_and_nothing_else(copied):
    motifs = copied.path / "motifs"
    assert copied.holds("route_motifs")
    (copied.path / "notes.txt").write_text("mine")
    assert copied.remove_following(["attributions"]) == [
        "motifs", "motifs.json", "experiments.json", "trust.json",
    ]  # fmt: skip
    assert not motifs.exists()
    assert copied.holds("attributions")
    assert copied.holds("checks")  # which the same stage makes anew
    copied.remove()
    assert [path.name for path in copied.path.iterdir()] == ["notes.txt"]


def strings_of(path: Path) -> set[str]:
    """Every string of a file that is no docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    bare = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    return {
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare
    }


def test_no_other_file_names_an_artefact():
    """But for examples: of what a user may call an audit, or hits."""
    names = {artifact.name for artifact in ARTIFACTS.values() if "{" not in artifact.name}
    names = {name for name in names if "." in name} - {"hits.bed.gz"}
    pattern = re.compile("|".join(rf"(?<![\w-]){re.escape(name)}\b" for name in names))
    package = ROOT / "src" / "motiflens"
    naming = {
        path.relative_to(package).parts[0]
        for path in package.rglob("*.py")
        if any(pattern.search(text) for text in strings_of(path))
    }
    assert naming - {"cli"} == {"results"}
