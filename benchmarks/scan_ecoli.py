"""CRP sites of E. coli found by a scan of the whole genome, beside a plain matrix scan.

    python -m benchmarks.scan_ecoli [--output runs/bench-scan] [--threads 2]

Trained are two seeds of ``cnn``, on both strands, on windows of 100 bases around the sites of
RegulonDB in the first half of the genome, with matched windows of that half as negatives; the
matrix is counted from the same sites. Both are then measured on the second half: each site counts
once, by its best base, against every base more than a window away from any site. What a base scores
is what the window of 100 bases around it does: of the matrix, its best match there. Files that are
there already are not made again. ``SHARED_DATA`` names the folder of the shared data.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pybigtools
from sklearn.metrics import average_precision_score

from benchmarks.peers import ROOT
from motiflens.hits import find_hits
from motiflens.io.genome import Genome, open_genome
from motiflens.motifs import Motif
from motiflens.scoring.models import open_models
from motiflens.scoring.shared_windows import sliding_maxima
from motiflens.scoring.summits import summits_of
from motiflens.sequences import encode, reverse_complement_string

DATA = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data")) / "ecoli_regulondb"
CONTIG, FACTOR, WIDTH = "K-12-MG1655", "CRP", 100
LINE = 70
NONE = -1e3
"""The score of a window without a match."""

Site = tuple[int, int, str]


def read_sites(size: int) -> tuple[list[Site], list[Site]]:
    """Return the sites of the first half and of the second, none of whose windows crosses it."""
    halves: tuple[list[Site], list[Site]] = ([], [])
    for row in (DATA / "sites.bed").read_text("utf-8").splitlines():
        _, start, end, name, _, strand = row.split("\t")[:6]
        if name != FACTOR:
            continue
        if int(end) + WIDTH < size // 2:
            halves[0].append((int(start), int(end), strand))
        elif int(start) - WIDTH > size // 2:
            halves[1].append((int(start), int(end), strand))
    return halves


def prepare(folder: Path) -> tuple[Genome, list[Site], list[Site]]:
    """Write the genome, its first half and the training sites, and return what they are of."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / "genome.fa"
    if not whole.exists():
        whole.write_bytes(gzip.decompress((DATA / "MG1655-K12.fasta.gz").read_bytes()))
    genome = open_genome(whole)
    size = genome.contigs[CONTIG].size
    trained, held_out = read_sites(size)
    bases = genome.fetch(CONTIG, 0, size // 2)
    lines = (bases[first : first + LINE] for first in range(0, len(bases), LINE))
    (folder / "half.fa").write_text(f">{CONTIG}\n" + "\n".join(lines) + "\n", "utf-8")
    rows = (f"{CONTIG}\t{start}\t{end}\t{FACTOR}\t0\t{strand}\n" for start, end, strand in trained)
    (folder / "train.bed").write_text("".join(rows), "utf-8")
    return genome, trained, held_out


def command(*arguments: str | Path) -> dict[str, float]:
    """Run a command of motiflens; return its processor seconds and its memory."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "motiflens", *map(str, arguments)], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"processor_seconds": seconds, "peak_mb": after.ru_maxrss / 1024}


def train(folder: Path) -> None:
    """Train on the first half."""
    if not (folder / "run").exists():
        command(
            *("train", folder / "train.bed", "--genome", folder / "half.fa", "-o", folder / "run"),
            *("--width", str(WIDTH), "--negatives", "matched", "--model", "cnn", "--seeds", "2"),
        )


def scan(folder: Path, threads: int) -> dict[str, float]:
    """Scan the whole genome, and keep what it took."""
    cost = folder / "scan.json"
    if not cost.exists():
        took = command(
            *("scan", folder / "run", folder / "genome.fa", "-o", folder / "scan.bw"),
            *("--stride", "1", "--threads", str(threads), "--overwrite"),
        )
        cost.write_text(json.dumps(took))
    return json.loads(cost.read_text())


def matrix_of(genome: Genome, sites: list[Site]) -> Motif:
    """Count the bases of sites of the commonest width, each on its strand."""
    widths = [end - start for start, end, _ in sites]
    width = max(set(widths), key=widths.count)
    bases = []
    for start, end, strand in sites:
        if end - start == width:
            read = genome.fetch(CONTIG, start, end).upper()
            bases.append(reverse_complement_string(read) if strand == "-" else read)
    codes = encode(bases)[0]
    counts = np.array([(codes == base).sum(axis=0) for base in range(4)])
    return Motif.from_counts(FACTOR, counts)


def matrix_track(genome: Genome, motif: Motif) -> np.ndarray:
    """Return of every base the best match in the window around it, NONE where there is none."""
    size = genome.contigs[CONTIG].size
    hits = find_hits([motif], [genome.fetch(CONTIG, 0, size).upper()], p=1e-3)
    best = np.full((size, 1), NONE, dtype=np.float32)
    np.maximum.at(best[:, 0], hits["start"].to_numpy(), hits["score"].to_numpy(np.float32))
    starts = np.arange(size - WIDTH + 1)
    track = np.full(size, np.nan, dtype=np.float32)
    inside = sliding_maxima(best[: size - motif.width + 1], WIDTH - motif.width + 1, starts)
    track[starts + WIDTH // 2] = inside[:, 0]
    return track


def auprc(track: np.ndarray, sites: list[Site], all_sites: list[Site]) -> tuple[float, int]:
    """Measure a track on the second half: sites by their best base, against bases far away."""
    near = np.zeros(len(track), dtype=bool)
    for start, end, _ in all_sites:
        near[max(start - WIDTH, 0) : end + WIDTH] = True
    far = ~near & ~np.isnan(track)
    far[: len(track) // 2] = False
    best = [np.nanmax(track[start:end]) for start, end, _ in sites]
    scores = np.concatenate([best, track[far]])
    labels = np.repeat([1, 0], [len(best), int(far.sum())])
    return float(average_precision_score(labels, scores)), int(far.sum())


def summit_distances(
    run: Path, genome: Genome, track: np.ndarray, sites: list[Site]
) -> dict[str, np.ndarray]:
    """Return how far from sites, each in the best of its windows, lie summits and middles."""
    middles = np.array([(start + end - 1) / 2 for start, end, _ in sites])
    best = []
    for start, end, _ in sites:
        first = end - WIDTH  # of the windows that hold the whole site
        positions = np.arange(first, start + 1) + WIDTH // 2
        best.append(first + int(np.nanargmax(track[positions])))
    windows = encode([genome.fetch(CONTIG, at, at + WIDTH) for at in best])[0]
    starts, summits = np.array(best), summits_of(open_models(run), windows, lambda n: None)
    offsets = {"summit": summits, "middle of the window": WIDTH // 2}
    return {name: np.abs(starts + offset - middles) for name, offset in offsets.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "runs" / "bench-scan")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    genome, trained, held_out = prepare(given.output)
    train(given.output)
    took = scan(given.output, given.threads)
    with pybigtools.open(str(given.output / "scan.bw")) as file:
        size = file.chroms()[CONTIG]
        model = np.asarray(file.values(CONTIG, 0, size, fillna=np.nan))
    every = [*trained, *held_out]
    print("| score of a base | AUPRC over bases |\n|---|---:|")
    tracks = {"`cnn`, 2 seeds": model, "matrix": matrix_track(genome, matrix_of(genome, trained))}
    for name, track in tracks.items():
        value, n_far = auprc(track, held_out, every)
        print(f"| {name} | {value:.3f} |")
    print(
        "\n| distance from the site, in its best window | median | 90 % of them |\n|---|---:|---:|"
    )
    for name, away in summit_distances(given.output / "run", genome, model, held_out).items():
        print(f"| {name} | {np.median(away):g} | {np.quantile(away, 0.9):g} |")
    print(
        f"\n{len(held_out)} sites against {n_far:,} bases; the scan took "
        f"{took['processor_seconds']:.0f} s of processors and {took['peak_mb']:.0f} MB"
    )


if __name__ == "__main__":
    main()
