"""Write JASPAR CORE vertebrates and its families, as the package carries them, from pyjaspar.

    pip install pyjaspar
    python -m scripts.jaspar_core

The same release gives the same bytes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from pyjaspar import JASPAR_LATEST_RELEASE, jaspardb

from motiflens.files import write_whole
from motiflens.motifs import Motif, write_meme
from motiflens.motifs.database import FAMILIES, PATH

HEADER = f"""\
# JASPAR CORE vertebrates, {JASPAR_LATEST_RELEASE}, the latest version of each profile, made from
# the package pyjaspar by scripts/jaspar_core.py: counts as frequencies, nothing else is changed.
# JASPAR (https://jaspar.elixir.no) is under the Creative Commons Attribution 4.0 International
# licence (https://creativecommons.org/licenses/by/4.0/). Please cite its latest publication,
# which the site names.
"""


def main() -> None:
    """Write the files into the package."""
    profiles = jaspardb(release=JASPAR_LATEST_RELEASE).fetch_motifs(
        collection="CORE", tax_group=["vertebrates"], all_versions=False
    )
    motifs = [as_motif(profile) for profile in sorted(profiles, key=lambda p: p.matrix_id)]
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "jaspar.meme"
        write_meme(motifs, plain)
        first, rest = plain.read_text(encoding="utf-8").split("\n", 1)
    write_whole(PATH, f"{first}\n{HEADER}{rest}".encode())
    lines = [f"{p.matrix_id}\t{' and '.join(p.tf_family)}\n" for p in profiles if p.tf_family]
    write_whole(FAMILIES, "".join(sorted(lines)).encode())
    print(f"{len(motifs)} motifs in {PATH}, {PATH.stat().st_size:,} bytes")


def as_motif(profile: object) -> Motif:
    """Turn the counts of a profile into a motif with its id and the name of the factor."""
    counts = np.array([list(profile.counts[base]) for base in "ACGT"])
    name = "_".join(profile.name.split())
    n_sites = round(counts.sum(axis=0).max())
    return Motif(profile.matrix_id, counts / counts.sum(axis=0), n_sites, name)


if __name__ == "__main__":
    main()
