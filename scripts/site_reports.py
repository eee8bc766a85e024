"""Make the reports that the site shows: ``python -m scripts.site_reports ../shared/data``.

Each is the page of a real run, kept in ``runs/site/reports``; data that are absent are passed by,
and a run that was stopped is resumed. Data and pages are never committed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUNS = ROOT / "runs" / "site" / "reports"
#: Of `make demo`.
DEMO = ROOT / "runs" / "demo"


@dataclass(frozen=True)
class Finished:
    """A report of the site.

    Parameters
    ----------
    title, text
        What it is of, and what to look at in it.
    command
        What makes it in the folder of data, but for its output.
    """

    title: str
    text: str
    command: str

    def needs(self) -> list[str]:
        """Return the files of others that it is made of."""
        return [word for word in self.command.split() if "/" in word]


CHR22 = "human_chr22_20_21M"
REPORTS = {
    "tutorial": Finished(
        "The tutorial",
        "2,000 simulated sequences, half of them with `CGACCGAACTCC`; the tutorial's models beside "
        "ours. All find the motif, and the page says that counting k-mers does so too.",
        "demo",
    ),
    "ctcf": Finished(
        "CTCF",
        "500 ChIP-seq peaks, beside shuffles that keep their dinucleotides: the motif, where it "
        "is, and which methods may claim it.",
        "run gimmemotifs/Gm12878.CTCF.top500.w200.fa --negatives shuffle",
    ),
    "few-peaks": Finished(
        "CTCF, when nothing may be claimed",
        "266 peaks of one megabase of human chromosome 22, beside background of the same GC, split "
        "by homology: too few to learn from, and the page says so.",
        f"run {CHR22}/encode_dream_hg19_local.narrowPeak --genome {CHR22}/22_20-21M.fa.gz "
        "--peak-name CTCF_* --width 200",
    ),
    "jund": Finished(
        "JUND",
        "2,000 peaks of 100 bp, beside genomic sequences. The score is high, but what was learnt "
        "is the motif of GC-rich promoters, not JUND's own.",
        "run fastsk_tfbs/JUND.train.fasta --test fastsk_tfbs/JUND.test.fasta",
    ),
    "microarray": Finished(
        "Egr2 on a protein-binding microarray",
        "40,000 probes of 35 bp; bound are those more than 3 standard deviations above the mean.",
        "run pbm_dream5/Egr2_HK.txt.gz --signal-column 2 --positive-sd 3 --models cnn",
    ),
    "crp0": Finished(
        "CRP, 18 sequences and no model",
        "A classic set of motif discovery, without training: *E. coli* promoters bound by CRP.",
        "motifs --no-model meme_suite_examples/crp0.fna",
    ),
}


def page_of(name: str) -> Path:
    """Return the page of a report, made or not."""
    return (DEMO if name == "tutorial" else RUNS / name) / "report.html"


def main() -> None:
    """Make all that can be made."""
    data = Path(sys.argv[1]).resolve()
    for name, report in REPORTS.items():
        missing = [path for path in report.needs() if not (data / path).exists()]
        if missing or page_of(name).exists():
            print(f"{name}: there is no {missing[0]}" if missing else f"{name}: is there")
            continue
        # The page tells the command, so that paths are relative.
        output = os.path.relpath(page_of(name).parent, data)
        command = [sys.executable, "-m", "motiflens", *report.command.split(), "-o", output]
        subprocess.run(command, cwd=data, check=True)


if __name__ == "__main__":
    main()
