"""The environment of `make bench`: ours and the tools it is timed against, beside `.venv`.

    python -m benchmarks.peers

makes ``.venv-peers`` where it is not there, or of another list than `PEERS`. Versions are pinned
here and in ``constraints.txt``.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".venv-peers"
PYTHON = FOLDER / "bin" / "python"
PEERS = ("captum==0.9.0", "gkmsvm-lite==0.1.0", "modisco-lite==3.0.0", "tangermeme==1.6.0")


def is_ready() -> bool:
    """Return whether the environment was made, of these versions."""
    stamp = FOLDER / "peers.txt"
    return stamp.is_file() and stamp.read_text(encoding="utf-8").split() == list(PEERS)


def make() -> None:
    """Make the environment; what was installed before is kept."""
    if is_ready():
        return
    print(f"installing {', '.join(PEERS)} into {FOLDER}", file=sys.stderr, flush=True)
    venv.create(FOLDER, with_pip=True)
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    # With torch there first no peer brings another build of it.
    for wanted in (["-e", "."], list(PEERS)):
        subprocess.run([*pip, "-c", "constraints.txt", *wanted], cwd=ROOT, check=True)
    # Written last, so that an installation cut short is taken up again.
    (FOLDER / "peers.txt").write_text("\n".join(PEERS) + "\n", encoding="utf-8")


if __name__ == "__main__":
    make()
