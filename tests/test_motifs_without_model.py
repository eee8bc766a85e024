"""Motifs of sequences alone, by the command line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.as_json import as_json

from motiflens.cli import main
from motiflens.datasets import SequenceDataset, concatenate, homology_groups
from motiflens.discovery.sequences_alone import cut_in_halves, discover_without_model
from motiflens.errors import InputError
from motiflens.motifs.meme import read_meme
from motiflens.report import write_report

EBOX = "GTCACGTGACC"


def write(path: Path, n: int, word: str | None, seed: int) -> Path:
    generator = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        row = "".join(generator.choice(list("ACGT"), 60))
        if word is not None:
            at = int(generator.integers(60 - len(word) + 1))
            row = row[:at] + word + row[at + len(word) :]
        rows.append(f">s{number}\n{row}\n")
    path.write_text("".join(rows))
    return path


@pytest.mark.parametrize(("n", "held_out"), [(40, False), (240, True)])
def test_the_motif_of_a_file_is_found_tested_and_named(tmp_path, capsys, n, held_out):
    path, output = write(tmp_path / "some.fa", n, EBOX, 0), tmp_path / "out"
    with pytest.raises(SystemExit) as ended:
        main(["motifs", "--no-model", str(path), "-o", str(output), "--json"])
    assert ended.value.code == 0
    (short,) = json.loads(capsys.readouterr().out)["motifs"]
    assert "CACGTG" in short["consensus"]
    found = json.loads((output / "motifs.json").read_text())
    assert found["discovered_by"]["held_out"] is held_out
    (entry,) = found["discovery"]
    assert entry["positives_with_site"] == 1.0
    assert entry["q_value"] < 1e-6
    assert {"USF1", "USF2", "TFE3"} & {entry["match"]["name"], *entry["match"]["others"]}
    assert entry["match"]["family"] == short["family"] == "bHLH-ZIP"
    (meme,) = read_meme(output / "discovery.meme")
    assert meme.consensus == entry["consensus"]
    page = (output / "report.html").read_text()
    assert page.count("<svg") == 2  # the motif above its name's, and the places
    assert f"some.fa: {n}" in page
    assert "of the family bHLH-ZIP by Tomtom" in page
    assert ("Motifs confirmed on the other half" in page) == held_out
    sites = pd.read_csv(output / "hits.bed.gz", sep="\t")
    assert len(sites) == entry["n_sites"]
    first = sites[sites["label"] == 1].iloc[0]
    cells = f">{first['#chrom']}</th><td>{first['start'] + 1} to {first['end']}</td>"
    assert cells in page
    # A site in a negative is in the file, and not on the page.
    sites.assign(label=1 - sites["label"]).to_csv(output / "hits.bed.gz", sep="\t", index=False)
    assert cells not in write_report(output).read_text()


def test_sequences_without_a_motif_give_none(tmp_path):
    path = write(tmp_path / "none.fa", 60, None, 1)
    found = as_json(discover_without_model(path, tmp_path / "out"))
    assert found["discovery"] == []
    assert not (tmp_path / "out" / "discovery.meme").exists()
    assert not (tmp_path / "out" / "hits.bed.gz").exists()
    page = write_report(tmp_path / "out").read_text()
    assert "No motif was found." in page
    assert "Found in" not in page
    assert "unknown" not in page


def windows(path: Path, n_loci: int, n_windows: int, seed: int) -> Path:
    """Random sequence; the windows of a locus lie close together and come one after another."""
    generator = np.random.default_rng(seed)
    rows = []
    for locus in range(n_loci):
        letters = "".join(generator.choice(list("ACGT"), 120))
        starts = generator.integers(0, 21, n_windows)
        rows += [f">p{locus}.{k}\n{letters[s : s + 100]}\n" for k, s in enumerate(starts)]
    path.write_text("".join(rows))
    return path


def test_overlapping_windows_of_random_sequence_hold_no_motif(tmp_path, capsys):
    path, output = windows(tmp_path / "loci.fa", 25, 12, 0), tmp_path / "out"
    with pytest.raises(SystemExit):
        main(["motifs", "--no-model", str(path), "-o", str(output)])
    by = json.loads((output / "motifs.json").read_text())
    assert by["discovery"] == []
    by = by["discovered_by"]
    assert (by["held_out"], by["found_in"]) == (False, {"positives": 25, "negatives": 25})
    texts = path.read_text().splitlines()[1::2]
    copies = len(texts) - len(set(texts))
    assert by["given"] == {"positives": 300, "negatives": 0, "groups": 25, "copies": copies}
    assert 0 < copies < 275
    page, told = (output / "report.html").read_text(), capsys.readouterr().err
    for text in (page, told):
        assert "The 300 positives are 25 groups" in text
        assert f"{copies} sequences are copies of another" in text
    assert "loci.fa: 300, 25 independent" in page


def test_no_group_is_in_both_halves_and_shuffles_stay_with_their_positives():
    generator = np.random.default_rng(0)
    loci = ["".join(generator.choice(list("ACGT"), 70)) for _ in range(620)]
    rows = [letters[at : at + 61] for letters in loci[:420] for at in (0, 9)]
    # Of the negatives, 101 lie on a positive's locus and 200 elsewhere, two windows each.
    beside = [letters[at : at + 61] for letters in loci[319:] for at in (4, 7)]
    positives = SequenceDataset.from_sequences(rows, [1] * len(rows))
    negatives = SequenceDataset.from_sequences(beside, [0] * len(beside))
    halves = cut_in_halves(positives, negatives, 0)
    assert halves.held_out
    assert (halves.n_positives, halves.n_groups, halves.largest) == (840, 420, 2)
    assert (halves.searched.labels.sum(), len(halves.searched)) == (210, 210 + 50 + 100)
    assert (halves.tested.labels.sum(), len(halves.tested)) == (210, 210 + 51 + 100)
    both = homology_groups(concatenate([halves.searched, halves.tested]))
    assert not set(both[:360]) & set(both[360:])
    halves = cut_in_halves(positives, None, 0)
    for half in (halves.searched, halves.tested):
        names = half.names.tolist()
        assert [f"{name}_shuffled" for name in names[:210]] == names[210:]


def test_a_stretch_that_all_share_is_spoken_of(tmp_path):
    generator = np.random.default_rng(0)
    rows = ["".join(generator.choice(list("ACGT"), 40)) for _ in range(30)]
    path = tmp_path / "primer.fa"
    path.write_text("".join(f">{n}\n{rows[0]}{row}\n" for n, row in enumerate(rows)))
    found = as_json(discover_without_model(path, tmp_path / "out"))
    assert found["discovery"] == []
    assert "One group holds 30 of them" in found["discovered_by"]["note"]


def test_a_run_does_not_lose_its_motifs(tmp_path):
    (tmp_path / "run.toml").write_text("")
    (tmp_path / "motifs.json").write_text("of the run")
    with pytest.raises(InputError, match="holds a run"):
        discover_without_model(write(tmp_path / "a.fa", 5, EBOX, 0), tmp_path)
    assert (tmp_path / "motifs.json").read_text() == "of the run"


def test_sequences_of_odd_and_equal_names_keep_their_sites(tmp_path):
    path, output = write(tmp_path / "odd.fa", 30, EBOX, 0), tmp_path / "out"
    text = path.read_text().replace(">s1\n", ">NA\n").replace(">s2\n", '>q"u"\n')
    other = write(tmp_path / "other.fa", 1, EBOX, 7).read_text()
    path.write_text(text + other)  # another sequence of the name s0
    found = as_json(discover_without_model(path, output))
    lines = gzip.decompress((output / "hits.bed.gz").read_bytes()).decode().splitlines()[1:]
    names = [line.split("\t")[0] for line in lines]
    assert len(lines) == found["discovery"][0]["n_sites"]
    assert names.count("s0") == 2
    assert {"NA", 'q"u"'} <= set(names)
    page = write_report(output).read_text()
    assert ">NA</th>" in page
    assert ">q&quot;u&quot;</th>" in page or '>q"u"</th>' in page or ">q&#34;u&#34;</th>" in page


def test_a_damaged_file_of_motifs_is_named(tmp_path):
    for content in ("{", '{"schema_version": 1}', '{"schema_version": 1, "discovered_by": 3}'):
        (tmp_path / "motifs.json").write_text(content)
        with pytest.raises(InputError, match=r"motifs\.json"):
            write_report(tmp_path)
        assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("arguments", [[], ["--no-model", "x.fa"], ["run", "--no-model", "x.fa"]])
def test_a_call_names_a_run_or_sequences_with_a_folder(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["motifs", *arguments])
    assert ended.value.code == 2
    assert "--no-model SEQUENCES and --output OUT" in capsys.readouterr().err
