"""The motifs that the package carries."""

from __future__ import annotations

import gzip
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from motiflens.motifs import write_meme
from motiflens.motifs.database import FAMILIES, PATH, jaspar_core, jaspar_families
from motiflens.motifs.meme import read_meme

ROOT = Path(__file__).parents[1]
RELEASED = ROOT / "../shared/data/jaspar/JASPAR2026_CORE_vertebrates_nonredundant.meme.gz"


def test_known_profiles_are_there_under_their_names():
    motifs = {motif.name: motif for motif in jaspar_core()}
    assert len(motifs) == len(jaspar_core()) == 1019
    assert len({name.split(".")[0] for name in motifs}) == 1019  # one version of each profile
    assert motifs["MA0139.2"].alt_name == "CTCF"
    assert motifs["MA0139.2"].consensus == "RCCASYAGRKGGCRS"
    assert motifs["MA0093.4"].alt_name == "USF1"
    assert motifs["MA0093.4"].consensus == "GTCATGTGAC"
    assert min(motif.n_sites for motif in motifs.values()) > 0


def test_the_file_says_whose_it_is_and_has_no_time_stamp():
    packed = PATH.read_bytes()
    assert packed[4:8] == bytes(4)
    assert len(packed) < 200_000
    heading = gzip.decompress(packed).decode().split("MOTIF")[0]
    assert "Creative Commons Attribution 4.0" in heading
    assert PATH.name in (ROOT / "NOTICE.md").read_text(encoding="utf-8")


def test_families_are_those_of_the_factors():
    families = jaspar_families()
    assert families.keys() <= {motif.name for motif in jaspar_core()}
    assert len(families) == 1016  # three factors are of none
    named = {motif.name: motif.alt_name for motif in jaspar_core()}
    of_factor = {named[name]: family for name, family in families.items()}
    for factor in ("USF1", "USF2", "MITF", "TFE3"):
        assert of_factor[factor] == "bHLH-ZIP"
    assert of_factor["NFYB"] == "Heteromeric CCAAT-binding"
    assert FAMILIES.read_bytes()[4:8] == bytes(4)
    assert len(FAMILIES.read_bytes()) < 10_000
    assert FAMILIES.name in (ROOT / "NOTICE.md").read_text(encoding="utf-8")


def test_writing_what_was_read_gives_the_same_bytes(tmp_path):
    write_meme(jaspar_core(), tmp_path / "again.meme")
    text = gzip.decompress(PATH.read_bytes()).decode()
    without_heading = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    assert (tmp_path / "again.meme").read_text(encoding="utf-8") == without_heading


def test_the_files_are_installed_with_the_package():
    with (ROOT / "pyproject.toml").open("rb") as file:
        tool = tomllib.load(file)["tool"]["setuptools"]
    for path in (PATH, FAMILIES):
        assert any(path.match(pattern) for pattern in tool["package-data"]["motiflens"])


@pytest.mark.skipif(not RELEASED.is_file(), reason="the shared test data are not here")
def test_the_profiles_are_those_of_the_release():
    released = {motif.name: motif for motif in read_meme(RELEASED)}
    assert released.keys() == {motif.name for motif in jaspar_core()}
    for motif in jaspar_core():
        theirs = released[motif.name]
        assert motif.alt_name == theirs.alt_name
        np.testing.assert_allclose(motif.ppm, theirs.ppm, atol=2e-5)
