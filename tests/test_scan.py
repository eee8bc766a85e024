"""Genomes scanned: every way of scoring, dividing and interrupting gives the same track."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pybigtools
import pytest
import torch
from tests.command import motiflens
from tests.toy_models import planted, random_codes

import motiflens as ml
from motiflens.errors import InputError
from motiflens.io.tables import write_table
from motiflens.models import BothStrands
from motiflens.models.attention import Attention
from motiflens.models.cnn import CNN
from motiflens.scoring import scan as scans
from motiflens.scoring import scan_tiles, shared_windows
from motiflens.scoring.carry_out import carry_out, merge
from motiflens.scoring.genome_scans import open_scan, scan_genome
from motiflens.scoring.models import ModuleScorer, hash_weights
from motiflens.scoring.peaks import local_maxima, shuffled, significance
from motiflens.scoring.shared_windows import sliding_maxima
from motiflens.scoring.summits import summits_of
from motiflens.scoring.window_scores import Mean, OneByOne, window_scores
from motiflens.scoring.work import Shard
from motiflens.sequences import one_hot

TOLERANCE = 1e-4
#: Of the run below.
LENGTH = 41


def made_up(n: int, seed: int) -> str:
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), n))


def as_fasta(contigs: dict[str, str], width: int = 60) -> str:
    lines = []
    for name, bases in contigs.items():
        lines += [f">{name}", *(bases[i : i + width] for i in range(0, len(bases), width))]
    return "\n".join(lines) + "\n"


def genome_of(n: int) -> dict[str, str]:
    """Give contigs with gaps, lower case, odd names; some too short for a window."""
    first = made_up(n, 1)
    gap, lone = n // 3, n // 2
    first = f"{first[:gap]}{'N' * 173}{first[gap:lone]}N{first[lone:]}"
    lower = slice(n // 5, n // 4)
    first = first[: lower.start] + first[lower].lower() + first[lower.stop :]
    return {
        "chr22:20-21": first,
        "short": made_up(LENGTH - 1, 2),
        "just": made_up(LENGTH, 3),
        "gap-end": made_up(300, 4) + "N" * 50,
        "none": "N" * 200,
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train two seeds of a small cnn on both strands."""
    folder = tmp_path_factory.mktemp("scan")
    write_table(planted(800, length=LENGTH), folder / "set.parquet")
    changes = folder / "changes.toml"
    changes.write_text("[cnn]\nn_filters = 70\nkernel_size = 11\n[cnn.recipe]\nepochs = 30\n")
    done = motiflens(
        *("train", "set.parquet", "-o", "run", "--model", "cnn", "--seeds", "2", "--threads", "1"),
        *("--strands", "both", "--hyperparameters", changes),
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return folder / "run"


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_tiles, "TILE", 2000)


def values(path: Path, contig: str) -> np.ndarray:
    """Read a contig of a bigWig, NaN where there is no value."""
    with pybigtools.open(str(path)) as track:
        size = track.chroms()[contig]
        return np.asarray(track.values(contig, 0, size, fillna=np.nan))


def window_by_window(run: Path, bases: str, stride: int) -> np.ndarray:
    """Score every window as a sequence, by the models themselves."""
    ensemble = ml.load_run(run).models["cnn"]
    length, expected = ensemble.length, np.full(len(bases), np.nan)
    middles = [
        middle
        for middle in range(0, len(bases), stride)
        if 0 <= middle - length // 2 <= len(bases) - length
        and "N" not in bases[middle - length // 2 :][:length]
    ]
    windows = [bases[middle - length // 2 :][:length].upper() for middle in middles]
    if windows:
        expected[middles] = ml.predict(ensemble, windows, threads=1)
    return expected


@pytest.mark.parametrize(
    ("n", "stride"), [(3000, 1), (200_000, 50), pytest.param(200_000, 1, marks=pytest.mark.slow)]
)
def test_a_track_is_that_of_windows_by_themselves(
    run: Path, tmp_path: Path, n: int, stride: int
) -> None:
    contigs = genome_of(n)
    (tmp_path / "g.fa").write_text(as_fasta(contigs))
    result = scan_genome(run, tmp_path / "g.fa", tmp_path / "scan.bw", stride=stride, threads=1)
    with pybigtools.open(str(tmp_path / "scan.bw")) as track:
        sizes = track.chroms()
    expected = {name: window_by_window(run, bases, stride) for name, bases in contigs.items()}
    scored = {name for name, one in expected.items() if not np.isnan(one).all()}
    assert sizes == {name: len(contigs[name]) for name in scored}
    assert {"chr22:20-21", "gap-end"} <= scored
    assert ("just" in scored) == (stride == 1)
    for name in scored:
        found = values(tmp_path / "scan.bw", name)
        np.testing.assert_array_equal(np.isnan(found), np.isnan(expected[name]))
        np.testing.assert_allclose(found, expected[name], rtol=0, atol=TOLERANCE)
    assert result.n_windows == sum(int((~np.isnan(one)).sum()) for one in expected.values())


def scorer_of(*models: torch.nn.Module, length: int) -> ModuleScorer:
    members = tuple(model.eval() for model in models)
    return ModuleScorer(
        name="toy", sha256=hash_weights(members), n_seeds=len(members), min_length=1,
        length=length, both_strands=False, members=members, device=torch.device("cpu"),
    )  # fmt: skip


def toy(kernel_size: int, n_filters: int, *, bias: float, seed: int, both: bool) -> torch.nn.Module:
    torch.manual_seed(seed)
    model = CNN(n_filters=n_filters, kernel_size=kernel_size, n_hidden=5)
    with torch.no_grad():
        model.first.weight.normal_()
        model.first.bias.fill_(bias).add_(torch.randn(n_filters))
    return BothStrands(model) if both else model


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize(
    ("kernel_size", "length", "n_filters", "bias"),
    [
        (1, 6, 3, 0.0),
        (2, 2, 5, 0.0),
        (4, 9, 65, -2.0),
        (7, 7, 13, -1.0),
        (8, 30, 70, -4.0),
        (12, 13, 6, 9.0),
        (19, 50, 130, -6.0),
        (24, 31, 9, 0.0),
        (35, 60, 11, -8.0),
    ],
)
def test_shared_activations_are_exact_at_the_ends_of_windows(
    kernel_size: int, length: int, n_filters: int, bias: float, both: bool
) -> None:
    models = [toy(kernel_size, n_filters, bias=bias, seed=s, both=both) for s in (0, 1)]
    scorer = scorer_of(*models, length=length)
    shared = window_scores(scorer)
    assert isinstance(shared, Mean)
    codes = np.random.default_rng(5).integers(4, size=600).astype(np.uint8)
    codes[[0, 200, 201, 599]] = 4
    last = 600 - length
    free = np.array([s for s in range(last + 1) if (codes[s : s + length] < 4).all()])
    for starts in (free, free[::7], free[[3]], free[free % 50 == 1]):
        expected = OneByOne(scorer).scores(codes, starts)
        scale = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(shared.scores(codes, starts), expected, atol=1e-5 * scale)


def test_blocks_meet_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = scorer_of(toy(9, 66, bias=-3.0, seed=3, both=True), length=40)
    codes = np.random.default_rng(6).integers(4, size=500).astype(np.uint8)
    starts = np.arange(461)
    whole = window_scores(scorer).scores(codes, starts)
    monkeypatch.setattr(shared_windows, "BLOCK", 37)
    np.testing.assert_allclose(window_scores(scorer).scores(codes, starts), whole, atol=1e-6)


def test_most_activations_are_computed_once_whatever_the_stride(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first layer is one look-up a unit and partial sum, not one a window."""
    looked_up: list[int] = []
    plain = shared_windows.look_up

    def counted(tables: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        looked_up.append(rows.shape[0])
        return plain(tables, rows)

    monkeypatch.setattr(shared_windows, "look_up", counted)
    scorer = scorer_of(toy(19, 64, bias=-6.0, seed=3, both=False), length=100)
    codes = np.random.default_rng(6).integers(4, size=4000).astype(np.uint8)
    costs = []
    for stride in (1, 50):
        looked_up.clear()
        window_scores(scorer).scores(codes, np.arange(0, 3901, stride))
        costs.append(sum(looked_up))
    assert costs == [3 * 4000, 3 * 4000]


@pytest.mark.parametrize("model", [CNN(n_filters=4, activation="exponential"), Attention()])
def test_other_models_score_window_by_window(model: torch.nn.Module) -> None:
    scorer = scorer_of(model, length=25)
    scores = window_scores(scorer)
    assert isinstance(scores, OneByOne)
    codes = np.random.default_rng(5).integers(4, size=60).astype(np.uint8)
    one = scorer.logits(codes[None, 7:32], np.array([25], dtype=np.int32)).mean()
    np.testing.assert_allclose(scores.scores(codes, np.arange(36))[7], one, atol=1e-5)


@pytest.mark.parametrize("width", [1, 2, 3, 8, 29])
def test_sliding_maxima(width: int) -> None:
    table = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    last = 40 - width
    for starts in (np.arange(last + 1), np.array([0, 4, last]), np.arange(2, last, 5)):
        expected = [table[start : start + width].max(axis=0) for start in starts]
        np.testing.assert_array_equal(sliding_maxima(table, width, starts), expected)


@pytest.mark.parametrize(("width", "stride"), [(1, 1), (2, 1), (7, 1), (8, 3), (9, 3), (5, 50)])
def test_local_maxima_are_at_least_a_window_apart(width: int, stride: int) -> None:
    generator = np.random.default_rng(width)
    positions = np.flatnonzero(generator.random(400) < 0.8) * stride
    scores = generator.integers(0, 9, len(positions)).astype(np.float32)  # many are equal
    near = np.abs(positions[:, None] - positions) < width
    before = near & (positions[:, None] > positions)
    highest = np.where(near, scores, -np.inf).max(axis=1) == scores
    first = np.where(before, scores, -np.inf).max(axis=1) < scores
    found = local_maxima(positions, scores, width, stride)
    np.testing.assert_array_equal(found, np.flatnonzero(highest & first))
    assert (np.diff(positions[found]) >= width).all()


def test_no_positions_have_no_maxima() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert len(local_maxima(none, none.astype(np.float32), 5, 1)) == 0


def test_q_values_count_the_null_and_never_fall_with_the_score() -> None:
    scores = np.array([1.0, 9.0, 3.0, 7.0], dtype=np.float32)
    null = np.array([0.0, 1.0, 3.0, 8.0], dtype=np.float32)
    found = significance(scores, null)
    # One more than there are in the null: 9 → 1, 7 → 2, 3 → 3, 1 → 4.
    np.testing.assert_allclose(found.p_values, [4 / 5, 1 / 5, 3 / 5, 2 / 5])
    np.testing.assert_allclose(found.q_values, [1.0, 1.0, 1.0, 1.0])
    many = np.concatenate([np.full(50, 9.0), scores]).astype(np.float32)
    found = significance(many, null)
    np.testing.assert_allclose(
        found.q_values[[1, -3, -1, -2, -4]], [1 / 51, 1 / 51, 2 / 52, 3 / 53, 4 / 54]
    )


def test_a_null_of_the_same_kind_gives_no_peaks() -> None:
    generator = np.random.default_rng(3)
    n_found = [
        (significance(*generator.normal(size=(2, 500)).astype(np.float32)).q_values <= 0.05).sum()
        for _ in range(40)
    ]
    assert np.mean(np.array(n_found) > 0) <= 0.1


def test_shuffles_keep_what_is_local_and_do_not_depend_on_their_surroundings() -> None:
    codes = np.random.default_rng(2).integers(4, size=3400).astype(np.uint8)
    codes[:1000] %= 2
    codes[1500:1520] = 4
    whole = shuffled(codes, 5, (0, 7))
    np.testing.assert_array_equal(shuffled(codes[1000:], 6, (0, 7)), whole[1000:])
    np.testing.assert_array_equal(whole == 4, codes == 4)
    assert whole[:1000].max() == 1
    assert (whole[:1000] != codes[:1000]).mean() > 0.3
    pairs = [np.bincount(5 * c[2000:2999] + c[2001:3000], minlength=25) for c in (codes, whole)]
    np.testing.assert_array_equal(*pairs)
    assert (shuffled(codes, 5, (0, 8)) != whole).any()


def test_an_empty_contig_has_no_peaks_and_hinders_none(run: Path, tmp_path: Path) -> None:
    full, tracks = {"c": made_up(900, 1)}, []
    for name, contigs in {"with": {"empty": ""} | full, "without": full}.items():
        (tmp_path / f"{name}.fa").write_text(as_fasta(contigs))
        files = tmp_path / f"{name}.bw", tmp_path / f"{name}.narrowPeak"
        assert scan_genome(run, tmp_path / f"{name}.fa", files[0], peaks=files[1]).n_null > 0
        tracks.append(values(files[0], "c"))
    np.testing.assert_array_equal(*tracks)


def test_shards_and_resumption_give_the_same_bytes(
    run: Path, tmp_path: Path, small_tiles: None
) -> None:
    (tmp_path / "g.fa").write_text(as_fasta(genome_of(9000)))

    def scan_to(name: str) -> scans.Scan:
        files = tmp_path / f"{name}.bw", tmp_path / f"{name}.narrowPeak"
        return open_scan(run, tmp_path / "g.fa", files[0], peaks=files[1], fdr=1.0)

    def content(name: str) -> list[bytes]:
        return [(tmp_path / f"{name}.{end}").read_bytes() for end in ("bw", "narrowPeak")]

    whole = scan_to("whole")
    assert len(whole.tiles) > 4
    assert carry_out(whole, threads=2)
    for number in (2, 3, 1):
        assert not carry_out(scan_to("parts"), shard=Shard(number, 3))
    merge(tmp_path / "parts.bw")
    assert content("parts") == content("whole")


SLOW_SCAN = """
import sys, time
from motiflens.scoring import scan, scan_tiles
scan_tiles.TILE = 2000
plain = scan.Scan.compute
def slowly(self, tile):
    time.sleep(0.1)
    return plain(self, tile)
scan.Scan.compute = slowly
from motiflens.cli import main
main()
"""


@pytest.mark.slow
def test_a_killed_scan_is_resumed_to_the_same_bytes(
    run: Path, tmp_path: Path, small_tiles: None
) -> None:
    (tmp_path / "g.fa").write_text(as_fasta(genome_of(40_000)))
    command = ["scan", str(run), "g.fa", "-o", "cut.bw", "--peaks", "cut.narrowPeak"]
    command += ["--fdr", "1", "--threads", "1"]
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_SCAN, *command], cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    tiles = tmp_path / "cut.bw.tiles"
    deadline = time.monotonic() + 120
    while len(list(tiles.glob("*.tile"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "cut.bw").exists()
    assert not (tmp_path / "cut.narrowPeak").exists()
    n_done = len(list(tiles.glob("*.tile")))
    again = open_scan(
        run, tmp_path / "g.fa", tmp_path / "cut.bw", peaks=tmp_path / "cut.narrowPeak", fdr=1.0
    )
    assert 3 <= n_done < len(again.tiles)
    assert carry_out(again)
    scan_genome(
        run, tmp_path / "g.fa", tmp_path / "whole.bw", peaks=tmp_path / "whole.narrowPeak",
        fdr=1.0, threads=1,
    )  # fmt: skip
    for end in ("bw", "narrowPeak"):
        assert (tmp_path / f"cut.{end}").read_bytes() == (tmp_path / f"whole.{end}").read_bytes()
    assert not tiles.exists()


def test_peaks_lie_where_the_track_is_highest(run: Path, tmp_path: Path, small_tiles: None) -> None:
    contigs = genome_of(5000)
    (tmp_path / "g.fa").write_text(as_fasta(contigs))
    files = tmp_path / "scan.bw", tmp_path / "scan.narrowPeak"
    result = scan_genome(run, tmp_path / "g.fa", files[0], peaks=files[1], fdr=1.0, threads=1)
    rows = [line.split("\t") for line in files[1].read_text().splitlines()]
    assert len(rows) == result.n_peaks == result.n_maxima > 50
    assert abs(result.n_null - result.n_maxima) < 0.3 * result.n_maxima
    summits: dict[str, list[int]] = {}
    for chrom, start, end, name, score, strand, signal_value, p, q, summit in rows:
        assert int(end) - int(start) == LENGTH
        assert 0 <= int(summit) < LENGTH
        assert name.startswith("peak_")
        assert strand == "."
        assert min(float(p), float(q)) >= 0
        assert int(score) == min(1000, round(10 * float(q)))
        track = values(files[0], chrom)
        at = int(start) + LENGTH // 2
        assert float(signal_value) == pytest.approx(track[at], rel=1e-5)
        around = track[max(at - LENGTH + 1, 0) : at + LENGTH]
        assert track[at] == np.nanmax(around)
        summits.setdefault(chrom, []).append(at)
    assert list(summits) == [name for name in contigs if name in summits]
    assert all((np.diff(own) >= LENGTH).all() for own in summits.values())


def test_planted_sites_are_peaks(run: Path, tmp_path: Path) -> None:
    """A track that tells a motif has its peaks around it; the shuffles have none so high."""
    bases = list(made_up(60_000, 9))
    planted_at = np.arange(500, 59_500, 600)
    for start in planted_at:
        bases[start : start + 8] = "GATTACCA"
    (tmp_path / "g.fa").write_text(as_fasta({"c": "".join(bases)}))
    files = tmp_path / "scan.bw", tmp_path / "scan.narrowPeak"
    scan_genome(run, tmp_path / "g.fa", files[0], peaks=files[1], fdr=0.2, threads=1)
    rows = [line.split("\t") for line in files[1].read_text().splitlines()]
    starts, ends = np.array([[int(row[1]), int(row[2])] for row in rows]).T
    inside = (planted_at >= starts[:, None]) & (planted_at + 8 <= ends[:, None])
    assert len(rows) > 20
    assert inside.any(axis=1).mean() > 0.7
    peak, site = np.nonzero(inside)
    summits = starts + np.array([int(row[9]) for row in rows])
    assert (np.abs(summits[peak] - planted_at[site] - 3.5) <= 4).mean() > 0.9


def test_regions_hold_the_middles_of_windows(run: Path, tmp_path: Path, small_tiles: None) -> None:
    contigs = genome_of(6000)
    (tmp_path / "g.fa").write_text(as_fasta(contigs))
    bed = "chr22:20-21\t100\t130\nchr22:20-21\t120\t140\nchr22:20-21\t3900\t4500\n"
    bed += "gap-end\t0\t299\nelsewhere\t5\t900\n"
    (tmp_path / "r.bed").write_text(bed)
    files = tmp_path / "some.bw", tmp_path / "all.bw", tmp_path / "some.narrowPeak"
    scan_genome(
        run, tmp_path / "g.fa", files[0], regions=tmp_path / "r.bed", peaks=files[2], fdr=1.0
    )
    scan_genome(run, tmp_path / "g.fa", files[1])
    for name, inside in {"chr22:20-21": ((100, 140), (3900, 4500)), "gap-end": ((0, 299),)}.items():
        some, every = values(files[0], name), values(files[1], name)
        asked = np.zeros(len(every), dtype=bool)
        for start, end in inside:
            asked[start:end] = True
        np.testing.assert_array_equal(np.isnan(some), np.isnan(every) | ~asked)
        np.testing.assert_allclose(some[asked], every[asked], atol=1e-5)
    for line in files[2].read_text().splitlines():
        chrom, start, *_ = line.split("\t")
        assert not np.isnan(values(files[0], chrom)[int(start) + LENGTH // 2])


def test_a_genome_in_a_folder_that_cannot_be_written_to(run: Path, tmp_path: Path) -> None:
    home = tmp_path / "locked"
    home.mkdir()
    (home / "g.fa").write_text(as_fasta({"c": made_up(500, 1)}))
    os.chmod(home, 0o555)
    try:
        done = motiflens("scan", run, home / "g.fa", "-o", "scan.bw", "--json", cwd=tmp_path)
    finally:
        os.chmod(home, 0o755)
    assert done.returncode == 0, done.stderr
    assert '"windows": 460' in done.stdout
    assert sorted(path.name for path in home.iterdir()) == ["g.fa"]


def test_mistakes_are_told_in_one_line_and_leave_nothing(run: Path, tmp_path: Path) -> None:
    (tmp_path / "g.fa").write_text(as_fasta({"c": made_up(500, 1)}))
    (tmp_path / "empty.fa").write_text("")
    (tmp_path / "short.fa").write_text(">c\nACGT\n>d\nNNNNNNNNNNNNNNNN\n")
    (tmp_path / "out.bed").write_text("c\t400\t900\nx\t1\t9\n")
    (tmp_path / "x.bed").write_text("x\t1\t9\n")
    (tmp_path / "protein.fa").write_text(">p\nMKVLHEEEEEEQQ\n")
    (tmp_path / "there.bw").write_text("precious")
    good = ["scan", run, "g.fa", "-o", "scan.bw"]
    for arguments, told in {
        ("scan", run, "empty.fa", "-o", "scan.bw"): "empty.fa is empty",
        ("scan", run, "short.fa", "-o", "scan.bw"): "41 bases without N lies in short.fa;",
        ("scan", run, "protein.fa", "-o", "scan.bw"): "protein.fa",
        ("scan", run, "none.fa", "-o", "scan.bw"): "no such file",
        (*good, "--regions", "out.bed"): "such as c:400-900, where c of g.fa has 500 bases",
        (*good, "--regions", "x.bed"): "(yours: x; g.fa: c)",
        (*good, "--stride", "0"): "--stride 0 is no whole number of 1 or more",
        (*good, "--fdr", "0"): "--fdr 0 is no rate",
        (*good, "--fdr", "0.1"): "--fdr 0.1 is of peaks, and none are asked for",
        (*good, "--shard", "3/2"): "--shard 3/2 is no shard",
        (*good, "--model", "attention"): "cnn",
        ("scan", run, "g.fa", "-o", "scan.wig"): "is not named as a bigWig file",
        ("scan", run, "g.fa", "-o", "there.bw"): "there.bw already exists",
        (*good, "--peaks", "there.bw"): "there.bw already exists",
        ("scan", "g.fa", "g.fa", "-o", "scan.bw"): "",
    }.items():
        done = motiflens(*arguments, cwd=tmp_path)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
        assert told in done.stderr
        assert str(tmp_path / "g.fa") not in done.stderr
        assert done.stderr.splitlines()[-1].startswith("motiflens: ")
        assert "bedGraph" not in done.stderr
    assert (tmp_path / "there.bw").read_text() == "precious"
    assert not list(tmp_path.glob("scan*"))


@pytest.mark.parametrize(
    ("command", "name", "n_files"),
    [("scan run g.fa", "new/out.bw", 1), ("mutations run all --genome g.fa", "new/out", 4)],
)
def test_a_shard_says_that_it_is_done_and_merge_joins(
    run: Path, tmp_path: Path, command: str, name: str, n_files: int
) -> None:
    (tmp_path / "g.fa").write_text(as_fasta({"c": made_up(300, 1)}))
    (tmp_path / "run").symlink_to(run)
    shared = (*command.split(), "-o", name, "--threads", "1", "--shard")
    second = motiflens(*shared, "2/2", cwd=tmp_path)
    assert second.returncode == 0, second.stderr
    assert "resuming" not in second.stderr
    told = f"shard 2/2 of {name} is done; `motiflens merge {name}` joins all of them"
    assert second.stderr.splitlines()[-1] == told
    first = motiflens(*shared, "1/2", "--json", cwd=tmp_path)
    assert json.loads(first.stdout) == {"file": name, "shard": "1/2"}
    merged = motiflens("merge", Path(name).name, cwd=tmp_path / "new")
    assert merged.returncode == 0, merged.stderr
    assert len(list((tmp_path / "new").iterdir())) == n_files


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"stride": 1.5}, "stride=1.5 is no whole number"),
        ({"stride": "2"}, "stride=2 is no whole number"),
        ({"fdr": "x", "peaks": "p"}, "fdr='x' is no number"),
        ({"fdr": 0.1}, "name their file by peaks="),
        ({"threads": "two"}, "threads=two is no whole number"),
        ({"genome": None}, "genome is None; give a path"),
        ({"genome": {"chr1": "ACGT"}}, "genome is of type dict"),
        ({"regions": [("c", 0, 9)]}, "regions is of type list"),
        ({"output": None}, "output is None; give a path"),
        ({"run": 3}, "run is of type int"),
    ],
)
def test_arguments_of_other_kinds_are_refused(
    run: Path, tmp_path: Path, wrong: dict[str, object], told: str
) -> None:
    (tmp_path / "g.fa").write_text(as_fasta({"c": made_up(100, 1)}))
    good = {"run": run, "genome": tmp_path / "g.fa", "output": tmp_path / "scan.bw"}
    with pytest.raises(InputError, match=told):
        scan_genome(**good | wrong)  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["g.fa"]


def test_a_run_without_weights_is_named(run: Path, tmp_path: Path) -> None:
    copied = tmp_path / "run"
    subprocess.run(["cp", "-r", run, copied], check=True)
    for path in copied.rglob("*.safetensors"):
        path.unlink()
    (tmp_path / "g.fa").write_text(as_fasta({"c": made_up(500, 1)}))
    done = motiflens("scan", copied, "g.fa", "-o", "scan.bw", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "weights" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_dry_run_writes_nothing(run: Path, tmp_path: Path) -> None:
    (tmp_path / "g.fa").write_text(as_fasta({"c": made_up(5000, 1)}))
    done = motiflens("scan", run, "g.fa", "-o", "scan.bw", "--dry-run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "5000 positions in 1 tile" in done.stdout
    assert "about" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["g.fa"]


def test_a_genome_of_nothing_but_n_is_no_track(run: Path, tmp_path: Path) -> None:
    (tmp_path / "g.fa").write_text(as_fasta({"c": "N" * 400}))
    with pytest.raises(InputError, match="no window of 41 bases without N"):
        scan_genome(run, tmp_path / "g.fa", tmp_path / "scan.bw")
    assert not (tmp_path / "scan.bw").exists()


def test_a_summit_is_on_the_site_wherever_that_lies_in_the_window() -> None:
    """Of a filter set by hand, both strands, at both ends too."""
    model = CNN(n_filters=3, kernel_size=9, n_hidden=2)
    word, codes = "GATTACCAC", random_codes(30, LENGTH, seed=1)
    as_codes = np.array(["ACGT".index(base) for base in word], dtype=np.uint8)
    with torch.no_grad():
        for weights in model.parameters():
            weights.zero_()
        model.first.weight[1] = torch.as_tensor(one_hot(as_codes))
        model.first.bias[1] = -6.0
        model.hidden.weight[1, 1], model.output.weight[0, 1] = 1.0, 4.0
    starts = np.arange(30) * (LENGTH - 9) // 29
    for number, (row, start) in enumerate(zip(codes, starts, strict=True)):
        row[start : start + 9] = 3 - as_codes[::-1] if number % 2 else as_codes
    scorer = scorer_of(BothStrands(model), length=LENGTH)
    told: list[int] = []
    np.testing.assert_allclose(summits_of(scorer, codes, told.append), starts + 4, atol=1)
    assert sum(told) == 30
    # Nothing to lose: the middle.
    codes[:] = 0
    assert (summits_of(scorer, codes, told.append) == LENGTH // 2).all()
