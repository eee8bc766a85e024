"""What the command line says when something is wrong, and what it then does not say."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import motiflens
from motiflens import stages
from motiflens.cli import main
from motiflens.errors import InputError
from motiflens.io.mapped import convert_streaming, stream_entries
from motiflens.io.negatives import split_kind
from motiflens.io.tables import write_table
from motiflens.simulation import tutorial_grammar


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    dataset = motiflens.simulate(tutorial_grammar(n=60), 0)
    write_table(dataset, "good.parquet")
    rows = [f"{sequence},1" for sequence in dataset.sequences()]
    Path("one-class.csv").write_text("sequence,label,sites\n" + ",\n".join(rows) + ",\n")
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 2) -> str:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == code
    return capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_a_conversion_that_fails_says_its_error_alone(capsys: pytest.CaptureFixture[str]) -> None:
    error = said(capsys, "prepare", "one-class.csv", "-o", "new.motiflens")
    assert error.startswith("motiflens: all sequences have label 1")
    assert error.count("\n") == 1
    assert "not carried into new.motiflens: sites" in said(
        capsys, "prepare", "good.parquet", "-o", "new.motiflens", code=0
    )


@pytest.mark.usefixtures("folder")
def test_a_report_that_fails_says_its_error_alone(capsys: pytest.CaptureFixture[str]) -> None:
    error = said(capsys, "report", "good.parquet")
    assert "good.parquet is a file, not a run directory" in error
    assert "nothing does not exist" in said(capsys, "report", "nothing")
    settings = motiflens.Settings(models=("cnn",), seeds=1, sizes=(), threads=1)
    stages.compare.compare(motiflens.read("good.parquet"), "run", settings)
    Path("run/audit.json").write_text("{}")
    error = said(capsys, "report", "run")
    assert "is of schema_version None, not 1" in error
    assert error.count("\n") == 1


@pytest.mark.usefixtures("folder")
def test_what_is_trained_names_the_settings_that_have_changed() -> None:
    settings = motiflens.Settings(models=("cnn",), seeds=1, sizes=(), threads=1)
    stages.compare.compare(motiflens.read("good.parquet"), "run", settings)
    other = motiflens.Settings(models=("cnn",), seeds=2, sizes=(), target=0.9, threads=1)
    with pytest.raises(InputError) as found:
        motiflens.run("good.parquet", "run", other)
    assert "(seeds, target)" in str(found.value)


@pytest.mark.parametrize("kind", ["shuffle+", "+shuffle", "a.fa++b.fa", "+", ""])
def test_an_empty_kind_of_negatives_is_refused(kind: str) -> None:
    with pytest.raises(InputError) as found:
        split_kind(kind)
    assert repr(kind) in found.value.problem


@given(st.lists(st.text("abc", min_size=1), min_size=1, max_size=4))
def test_kinds_of_negatives_come_apart(kinds: list[str]) -> None:
    assert split_kind("+".join(kinds)) == kinds


def test_an_interrupt_while_the_application_is_imported_leaves_one_line() -> None:
    script = (
        "import builtins, sys\n"
        "original = builtins.__import__\n"
        "def interrupted(name, *rest):\n"
        "    if name == 'cyclopts':\n"
        "        raise KeyboardInterrupt\n"
        "    return original(name, *rest)\n"
        "builtins.__import__ = interrupted\n"
        "from motiflens.cli import main\n"
        "main(['--version'])\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (
        130,
        "motiflens: interrupted; the same command goes on with a run\n",
    )


@pytest.mark.usefixtures("folder")
def test_what_a_killed_conversion_has_left_is_removed() -> None:
    killed = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                            capture_output=True, text=True, check=True)  # fmt: skip
    of_killed, of_living, of_another_machine, of_another_name = (
        Path(name)
        for name in (
            f".new.motiflens.{platform.node()}.{killed.stdout.strip()}",
            f".new.motiflens.{platform.node()}.{os.getppid()}",
            f".new.motiflens.{platform.node()}x.{killed.stdout.strip()}",
            f".newer.motiflens.{platform.node()}.{killed.stdout.strip()}",
        )
    )
    for path in (of_killed, of_living, of_another_machine, of_another_name):
        path.mkdir()
        (path / "bases").write_text("ACGT")
    convert_streaming(stream_entries("good.parquet"), "new.motiflens")
    assert not of_killed.exists()
    assert of_living.is_dir()
    assert of_another_machine.is_dir()
    assert of_another_name.is_dir()
