"""The sequence browser: what is packed is what the run holds, and a real browser shows it."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from motiflens.report import browser, write_report
from motiflens.report.browser import LOSS
from motiflens.report.explained import read_explained
from motiflens.results import Results
from motiflens.sequences import Site
from synthetic_run import LENGTH, MODELS, N, write_run


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("browser") / "run")


def data_of(run_dir: Path) -> dict:
    html = write_report(run_dir).read_text(encoding="utf-8")
    (text,) = re.findall(r'id="sequences-data">(.*?)</script>', html, re.DOTALL)
    return json.loads(text)


def unpacked(track: dict, lengths: list[int], width: int, chunk: int) -> np.ndarray:
    """Read a track as the page does: scales, then whole numbers, chunk by chunk."""
    rows = []
    for index, text in enumerate(track["chunks"]):
        content = gzip.decompress(base64.b64decode(text))
        n = min(chunk, len(lengths) - index * chunk)
        scales = np.frombuffer(content[: 4 * n], "<f4")
        whole = np.frombuffer(content[4 * n :], np.int8).reshape(n, width)
        rows.append(scales[:, None] * whole)
    return np.concatenate(rows)


@pytest.mark.parametrize("chunk", [3, 256])
def test_packed_values_are_the_runs_own_to_the_stated_loss(run_dir, monkeypatch, chunk) -> None:
    monkeypatch.setattr(browser, "CHUNK", chunk)
    data = data_of(run_dir)
    assert {(t["model"], t["method"]) for t in data["tracks"]} == {
        (path.parent.name, path.stem) for path in run_dir.glob("attributions/*/*.npz")
    }
    for track in data["tracks"]:
        path = run_dir / "attributions" / track["model"] / f"{track['method']}.npz"
        with np.load(path) as arrays:
            wanted = arrays["contributions"].sum(axis=1)
        found = unpacked(track, data["lengths"], data["width"], data["chunk"])
        most = np.abs(wanted).max(axis=1, keepdims=True)
        assert (np.abs(found - wanted) <= 1.01 * LOSS * most).all()
        assert np.allclose(track["sums"], wanted.sum(axis=1), rtol=1e-3, atol=1e-6)


def test_letters_names_and_logits_are_the_runs_own(run_dir) -> None:
    data = data_of(run_dir)
    codes = np.frombuffer(gzip.decompress(base64.b64decode(data["letters"][0])), np.uint8)
    letters = ["".join("ACGTN"[code] for code in row) for row in codes.reshape(N, LENGTH)]
    table = pd.read_parquet(run_dir / "data.parquet")
    assert letters == table["sequence"].tolist()
    assert data["names"] == table["name"].tolist()
    assert data["logits"] == {model: list(map(float, range(N))) for model in MODELS}
    assert [sites[0][:3] for sites in data["true"]] == [
        [3 + 5 * i, 15 + 5 * i, "+"] for i in range(N)
    ]


def test_the_best_models_most_trusted_method_comes_first(run_dir) -> None:
    first = data_of(run_dir)["tracks"][0]
    assert (first["model"], first["method"]) == (MODELS[0], "ism")


def test_tracks_beyond_the_budget_are_named(run_dir, monkeypatch) -> None:
    whole = data_of(run_dir)["tracks"]
    monkeypatch.setattr(browser, "MAX_BYTES", sum(map(len, whole[0]["chunks"])))
    html = write_report(run_dir).read_text(encoding="utf-8")
    assert [t["method"] for t in data_of(run_dir)["tracks"]] == ["ism"]
    assert "Left out, as the page would be too large: " in html
    assert f"{MODELS[-1]}, mutagenesis" in html


def write_hits(run_dir: Path, rows: list[tuple]) -> None:
    head = ("#chrom", "start", "end", "name", "score", "strand", "motif_id", "log_odds", "p_value",
            "q_value", "label")  # fmt: skip
    lines = ["\t".join(map(str, row)) for row in [head, *rows]]
    path = run_dir / "motifs" / "hits.bed.gz"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress("\n".join(lines).encode() + b"\n"))


def hit(contig: str, start: int, end: int, strand: str) -> tuple:
    return (contig, start, end, "motif-1", 1, strand, "motif-1", 9.5, 1e-6, 1e-4, 1)


def test_found_sites_are_laid_on_sequences_by_name(tmp_path) -> None:
    run_dir = write_run(tmp_path / "run")
    write_hits(run_dir, [hit("seq2", 13, 25, "+"), hit("seq5", 1, 13, "-"), hit("no", 1, 13, "-")])
    found = read_explained(Results(run_dir)).found
    assert found[2] == [Site("motif-1", 13, 25, "+")]
    assert found[5] == [Site("motif-1", 1, 13, "-")]
    assert sum(map(len, found)) == 2


def test_found_sites_on_a_genome_are_turned_with_the_window(tmp_path) -> None:
    """Windows of one name are told apart by what is in them."""
    run_dir = write_run(tmp_path / "run", names=["peak"] * N)
    path = run_dir / "data.parquet"
    starts = [1000 * (1 + i) for i in range(N)]
    place = {"chrom": "chr2", "start": starts, "end": [s + LENGTH for s in starts],
             "strand": ["+", "-", "."] + ["+"] * (N - 3)}  # fmt: skip
    pd.read_parquet(path).assign(**place).to_parquet(path)
    rows = [("chr2", s + 7, s + 19, "+") for s in starts[:3]] + [("chr2", 995, 1007, "-")]
    write_hits(run_dir, [hit(*row) for row in rows])
    explained = read_explained(Results(run_dir))
    assert explained.places[:2] == ["chr2:1,001–1,050", "chr2:2,001–2,050"]
    assert explained.found[0] == [Site("motif-1", 7, 19, "+")]
    assert explained.found[1] == [Site("motif-1", LENGTH - 19, LENGTH - 7, "-")]
    assert explained.found[2] == [Site("motif-1", 7, 19, "+")]


@pytest.mark.parametrize("name", ["</script><b>", "<!--", "\u2028x", "a&b"])
def test_hostile_names_stay_in_the_data(tmp_path, name) -> None:
    run_dir = write_run(tmp_path / "run", names=[f"{name}{i}" for i in range(N)])
    assert data_of(run_dir)["names"] == [f"{name}{i}" for i in range(N)]
