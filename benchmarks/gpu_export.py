"""Put what `benchmarks.gpu` needs on a machine with neither network nor data into one folder.

    python -m benchmarks.gpu_export [--old 57a2b71] [--output runs/bench-gpu] [--python 3.12]

That is the source of an old commit, GUE's tf/3 where ``../shared`` has it (or else simulated
sequences of the same number and length), and the packages that a machine with PyTorch lacks,
for its Python.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np

from motiflens.datasets import SequenceDataset
from motiflens.motifs import Motif
from motiflens.simulation import Grammar, MotifUse, simulate

ROOT = Path(__file__).parents[1]
OLD = "57a2b71"
GUE = ROOT.parent / "shared" / "data" / "gue" / "tf" / "3"
N_TRAIN, N_TEST, LENGTH = 27_294, 1_000, 101

PACKAGES = "cyclopts docstring_parser lazy-loader msgspec pybigtools resvg_py rich-rst tomli_w"
"""What we import and an image with PyTorch, pandas, scikit-learn, pyarrow, rich does not have."""


def export_source(commit: str, folder: Path) -> None:
    """Write ``src`` of a commit, and its name, into a folder."""
    archive = subprocess.run(
        ["git", "archive", "--format=tar", commit, "src"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    (folder / "commit.txt").write_text(f"{commit}\n", "utf-8")


def export_data(folder: Path) -> tuple[Path, Path]:
    """Write training and test files of the whole run."""
    folder.mkdir(parents=True)
    given = {path.name.partition(".")[0]: path for path in GUE.glob("*.csv*")}
    if {"train", "test"} <= given.keys():
        return tuple(Path(shutil.copy(given[split], folder)) for split in ("train", "test"))  # type: ignore[return-value]
    use = MotifUse(Motif.from_string("TGACTCAGCA"), probability=0.8, strands="both")
    data = simulate(Grammar((use,), n=N_TRAIN + N_TEST, length=LENGTH), 0)
    rows = np.arange(len(data))
    return (
        write_table(data.subset(rows[:N_TRAIN]), folder / "train.csv"),
        write_table(data.subset(rows[N_TRAIN:]), folder / "test.csv"),
    )


def write_table(data: SequenceDataset, path: Path) -> Path:
    """Write sequences and labels as a table."""
    pairs = zip(data.sequences(), data.labels, strict=True)
    lines = [f"{sequence},{label:.0f}\n" for sequence, label in pairs]
    path.write_text("sequence,label\n" + "".join(lines), "utf-8")
    return path


def export_packages(folder: Path, python: str) -> None:
    """Install packages for another Python into a folder, none of what they need with them."""
    target = ["--target", str(folder), "--python-version", python, "--only-binary=:all:"]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    command += ["--no-deps", "-c", "constraints.txt", *target, *PACKAGES.split()]
    subprocess.run(command, cwd=ROOT, check=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the folder anew, and say what to type on the other machine."""
    parser = argparse.ArgumentParser(prog="benchmarks.gpu_export")
    parser.add_argument("--old", default=OLD, help="commit of the old state")
    parser.add_argument("--output", type=Path, default=Path("runs/bench-gpu"))
    parser.add_argument("--python", default="3.12", help="version on the other machine")
    asked = parser.parse_args(arguments)
    shutil.rmtree(asked.output, ignore_errors=True)
    asked.output.mkdir(parents=True)
    export_source(asked.old, asked.output / "old")
    train, test = export_data(asked.output / "data")
    export_packages(asked.output / "packages", asked.python)
    size = sum(path.stat().st_size for path in asked.output.rglob("*") if path.is_file())
    print(f"{asked.output} holds {size / 1e6:.0f} MB. Where it was copied to, beside this folder:")
    print(
        f"PYTHONPATH=src:{asked.output}/packages python3 -m benchmarks.gpu "
        f"--old {asked.output}/old --data {train} --test {test} --output gpu.json"
    )


if __name__ == "__main__":
    main()
