"""Draw docs/readout.svg from a finished run: ``python -m benchmarks.readme_picture runs/demo``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import motiflens
from motiflens.plots import logo

MODEL = "tutorial-attention"
PANELS = {
    "attention-stretched": ("stretched to the sequence", "the tutorial's read-out"),
    "attention": ("tied to the bases each unit sees", "the same weights of the same model"),
}


def main() -> None:
    run = motiflens.load_run(sys.argv[1])
    seeds = run.results.motifs.models[MODEL].seeds
    width, height = 300, 116
    parts = []
    for column, (route, (first, second)) in enumerate(PANELS.items()):
        motif = seeds[0].routes[route][0]
        exact = sum(s.routes[route][0].recovery.exact for s in seeds)
        drawn = logo(np.array(motif.ppm), title=route)
        x = 20 + column * (width + 30)
        lines = [
            f'<text x="{x + 34}" y="24" font-weight="600">{first}</text>',
            f'<text x="{x + 34}" y="42">{second}</text>',
            drawn.replace("<svg ", f'<svg x="{x}" y="54" ', 1),
            f'<text x="{x + 34}" y="{height + 78}">exact in {exact} of {len(seeds)} seeds</text>',
        ]
        parts += lines
    size = f'width="{2 * width + 60}" height="{height + 94}"'
    Path("docs/readout.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-size="14" '
        'font-family="system-ui, sans-serif" fill="#1d2129">'
        f'<rect {size} fill="#ffffff"/>{"".join(parts)}</svg>\n',
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
