"""Draw the pictures of the docs: ``python -m scripts.pictures runs/demo found scanned``.

The first folder is of ``motiflens demo``, the second of ``motiflens motifs --no-model`` on CTCF
peaks (500 peaks of GM12878, 200 bases each), the third of ``python -m benchmarks.scan_ecoli``.
Reads their files alone and trains nothing.
``python -m scripts.pictures --hits RUN SEQUENCES HITS NAME`` draws the hits of ``motiflens
annotate`` on the contributions of one sequence.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas
import pyarrow.parquet as pq
import pybigtools
from benchmarks.scan_ecoli import CONTIG, read_sites

from motiflens.io.genome import open_genome
from motiflens.io.inputs import read_sequences
from motiflens.plots import base_track, line_chart, logo_pair
from motiflens.plots.svg import GRID, INK, MUTED, SERIES, SITE, figure, label, line, rect
from motiflens.scoring.annotator import Annotator

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
MODEL = "tutorial-attention"
METHODS = {
    "ism": "saturation mutagenesis",
    "deeplift_shap": "DeepLIFT/SHAP",
    "saliency": "saliency",
    "attention": "attention, on the bases that each unit sees",
}
OTHERS = {
    "integrated_gradients": "integrated gradients",
    "expected_gradients": "expected gradients",
    "input_x_gradient": "input × gradient",
    "tutorial-saliency": "saliency without gradient correction",
}
STRIDE, WIDTH, UNITS, LENGTH = 4, 15, 9, 50  # of the tutorial's model
REGION = (3_407_400, 3_408_700)  # of the scan of E. coli
Values = npt.NDArray[np.float64]


def read(path: Path) -> Any:
    """Return the content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def save(name: str, svg: str) -> None:
    """Write a picture and say how large it is."""
    path = PICTURES / f"{name}.svg"
    path.write_text(svg + "\n", encoding="utf-8")
    print(path.name, len(svg), "bytes")


def stacked(panels: Sequence[tuple[str, str]], title: str) -> str:
    """Put tracks below each other, with a heading each and positions below the last alone."""
    width = int(float(re.search(r'width="([\d.]+)"', panels[0][1])[1]))  # type: ignore[index]
    y = 8
    body: list[str] = []
    body.append(rect(width - 190, 9, 14, 14, fill=SITE))
    body.append(label("where the motif was put", width - 170, 20, fill=MUTED))
    for index, (heading, svg) in enumerate(panels):
        height = 212 if index == len(panels) - 1 else 174
        body.append(label(heading, 70, y + 12, font_weight="bold", fill=INK))
        view = f'viewBox="0 14 {width} {height}" width="{width}" height="{height}" y="{y + 16}"'
        body.append(re.sub(r'width="[\d.]+" height="[\d.]+" viewBox="[^"]+"', view, svg, count=1))
        y += height + 22
    return figure(width, y, title, "; ".join(heading for heading, _ in panels), *body)


def explained(run: Path, method: str) -> tuple[list[str], list[str], Values]:
    """Return names, sequences and (N, L) tracks."""
    arrays = np.load(run / "attributions" / MODEL / f"{method}.npz")
    letters = np.array(list("ACGTN"))
    codes = np.where(arrays["one_hot"].any(axis=1), arrays["one_hot"].argmax(axis=1), 4)
    sequences = ["".join(row) for row in letters[codes]]
    return arrays["names"].tolist(), sequences, arrays["contributions"].sum(axis=1)


def true_sites(run: Path) -> dict[str, tuple[int, int]]:
    """Return name → the site of a positive, half-open."""
    table = pq.read_table(run / "data.parquet", columns=["name", "sites"]).to_pydict()
    found = zip(table["name"], table["sites"], strict=True)
    return {n: (int(m[1]), int(m[2])) for n, s in found if (m := re.search(r":(\d+)-(\d+):", s))}


def tracks_of_one(run: Path, methods: dict[str, str]) -> str:
    """Draw one positive, with its motif near the middle, under several methods."""
    sites = true_sites(run)
    panels = []
    for method, heading in methods.items():
        names, sequences, tracks = explained(run, method)
        chosen = next(i for i, name in enumerate(names) if 16 <= sites[name][0] <= 20)
        unit = "weight" if method == "attention" else "logit"
        sign = "largest |gradient|" if "saliency" in method else unit
        svg = base_track(sequences[chosen], tracks[chosen], [sites[names[chosen]]],
                         title=heading, y_label=sign, site_name="")  # fmt: skip
        panels.append((heading, svg))
    return stacked(panels, "One sequence under several methods")


def unit_weights(track: Values) -> Values:
    """Return the weights (9,) of the units whose equal division among bases a track is."""
    seen = np.zeros((LENGTH, UNITS))
    for unit in range(UNITS):
        seen[STRIDE * unit : STRIDE * unit + WIDTH, unit] = 1 / WIDTH
    return np.linalg.lstsq(seen, track, rcond=None)[0]


def stretched_and_exact(run: Path) -> str:
    """Draw the attention of one positive, whose motif is near the end, in two ways."""
    sites = true_sites(run)
    names, sequences, tracks = explained(run, "attention")
    chosen = next(i for i, name in enumerate(names) if 33 <= sites[name][0] <= 34)
    weights = unit_weights(tracks[chosen])
    at = (np.arange(LENGTH) + 0.5) * UNITS / LENGTH - 0.5
    panels = []
    for heading, values in {
        "the nine weights stretched to fifty bases (as in the tutorial)":
            np.interp(at, np.arange(UNITS), weights),
        "the same nine weights on the bases that each unit sees": tracks[chosen],
    }.items():  # fmt: skip
        svg = base_track(sequences[chosen], values, [sites[names[chosen]]], title=heading,
                         y_label="weight", site_name="")  # fmt: skip
        panels.append((heading, svg))
    return stacked(panels, "Attention stretched, and on receptive fields")


def receptive_fields() -> str:
    """Draw what each unit of the tutorial's model sees, and where stretching puts its middle."""
    step, left, top = 15.0, 60.0, 52.0
    right = left + step * LENGTH
    body = [label("each bar: the 15 bases that one unit sees, with their middle", left, 20,
                  fill=SERIES[0], font_weight="bold"),
            label("×: where stretching puts the middle", left + 480, 20, fill=SERIES[1],
                  font_weight="bold")]  # fmt: skip
    for position in (0, 10, 20, 30, 40, 49):
        x = left + step * (position + 0.5)
        body.append(line(x, top - 12, x, top + 26 * UNITS, stroke=GRID))
        body.append(label(position, x, top + 26 * UNITS + 16, text_anchor="middle", fill=MUTED))
    body.append(rect(left + step * 47, top - 12, 3 * step, 26 * UNITS + 12, fill=SITE))
    body.append(label("seen by none", right, top - 18, text_anchor="end", fill=MUTED))
    for unit in range(UNITS):
        y = top + 26 * unit
        first = left + step * STRIDE * unit
        middle = left + step * (STRIDE * unit + 7.5)
        wrong = left + step * (LENGTH / UNITS * (unit + 0.5))
        body.append(label(f"unit {unit}", left - 8, y + 12, text_anchor="end", fill=MUTED))
        body.append(rect(first, y + 2, step * WIDTH, 12, fill=SERIES[0], fill_opacity=0.3))
        body.append(line(middle, y, middle, y + 16, stroke=SERIES[0], stroke_width=3))
        if abs(wrong - middle) > 8:
            body.append(line(middle, y + 8, wrong, y + 8, stroke=SERIES[1], stroke_width=1.5))
        body.append(label("×", wrong, y + 14, text_anchor="middle", fill=SERIES[1], font_size=18))
    body.append(label("base, from 0", (left + right) / 2, top + 26 * UNITS + 36,
                      text_anchor="middle"))  # fmt: skip
    text = "The middle of unit 0 is put 4.7 bases too far left, that of unit 8 7.7 too far right"
    title = "What nine units see, and where stretching puts them"
    return figure(right + 16, top + 26 * UNITS + 48, title, text, *body)


def motif_and_twin(found: Path) -> str:
    """Draw the first discovered motif above the known one that it matches."""
    motif = read(found / "motifs.json")["discovery"][0]
    match = motif["match"]
    return logo_pair(
        np.array(motif["ppm"]), np.array(match["ppm"]), offset=match["offset"],
        strand=match["strand"], below=match["name"],
        title=f"A motif found in peaks, above {match['name']} of JASPAR",
    )  # fmt: skip


def learning_curves(run: Path) -> str:
    """Draw test accuracy by the number of training sequences."""
    series = {}
    for model, found in read(run / "comparison.json")["models"].items():
        means = [size["summary"]["accuracy"] for size in found["sizes"]]
        ends = ("mean", "low", "high")
        curve = [[min(mean[end], 1.0) for mean in means] for end in ends]
        series[model] = ([size["n_train"] for size in found["sizes"]], *curve)
    return line_chart(series, "Learning curves", "training sequences", "test accuracy", log_x=True)


def deletion_curves(run: Path) -> str:
    """Draw how the logit falls when bases are replaced in the order of each method."""
    trust = read(run / "trust.json")
    model, fractions = trust["models"][MODEL], trust["fractions"]
    orders = {METHODS[m].split(",")[0]: model["methods"][m] for m in METHODS}
    curves = {
        name: found.get("deletion_curve", found.get("erasure"))["deletion"]
        for name, found in orders.items()
    }
    curves["random order"] = model["random_order"]["deletion"]
    series = {name: (fractions, curve, curve, curve) for name, curve in curves.items()}
    return line_chart(series, "Deletion curves", "fraction of bases replaced",
                      "logit that is left", chance="random order")  # fmt: skip


def scanned_region(bench: Path) -> str:
    """Draw the scores of windows along two kilobases, and the known sites in them."""
    genome = open_genome(bench / "genome.fa")
    sites = [site for half in read_sites(genome.contigs[CONTIG].size) for site in half]
    with pybigtools.open(str(bench / "scan.bw")) as track:
        scores = np.asarray(track.values(CONTIG, *REGION, fillna=np.nan))
    shown, floor = range(REGION[0], REGION[1], 4), float(np.nanmin(scores)) - 1
    curves = {"mean logit of the window": (shown, scores[::4].tolist())}
    for start, end, _ in sites:
        if REGION[0] <= start < end <= REGION[1]:
            curves[f"CRP site at {start + 1:,}"] = (range(start, end), [floor] * (end - start))
    series = {name: ([base / 1000 for base in x], y, y, y) for name, (x, y) in curves.items()}
    title = "A scan of E. coli around CRP sites that training has not seen"
    return line_chart(series, title, f"position on {CONTIG} (kb)", "logit")


def contribution_hits(run: Path, sequences: Path, bed: Path, name: str) -> str:
    """Draw the part of a sequence that holds its hits, these shaded."""
    dataset, hits = read_sequences(sequences), pandas.read_csv(bed, sep="\t")
    row = dataset.names.tolist().index(name)
    length = int(dataset.lengths[row])
    track = Annotator(run, dataset).caller.explain(dataset.codes[[row], :length])[0]
    own = hits[hits["#chrom"] == name]
    first, last = max(own["start"].min() - 8, 0), min(own["end"].max() + 8, length)
    sites = list(zip(own["start"], own["end"], strict=True))
    told = ", ".join(f"{n} ({s})" for n, s in zip(own["name"], own["strand"], strict=True))
    letters, shown = dataset.sequences()[row][first:last], track[first:last]
    title = f"{name}: {told}"
    return base_track(letters, shown, sites, title=title, start=int(first), site_name="hit")


def main() -> None:
    """Draw all of them."""
    if sys.argv[1] == "--hits":
        save("contribution-hits", contribution_hits(*map(Path, sys.argv[2:5]), sys.argv[5]))
        return
    run, found, scanned = map(Path, sys.argv[1:4])
    PICTURES.mkdir(exist_ok=True)
    save("one-sequence", tracks_of_one(run, METHODS))
    save("more-methods", tracks_of_one(run, OTHERS))
    save("attention-stretched", stretched_and_exact(run))
    save("receptive-fields", receptive_fields())
    save("motif-twin", motif_and_twin(found))
    save("learning-curves", learning_curves(run))
    save("deletion", deletion_curves(run))
    save("scan", scanned_region(scanned))


if __name__ == "__main__":
    main()
