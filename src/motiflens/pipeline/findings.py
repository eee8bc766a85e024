"""What discovery leaves in a run directory: entries of ``motifs.json``, and ``motifs/``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from motiflens.datasets import SequenceDataset
from motiflens.files import write_whole
from motiflens.motifs import (
    Motif,
    read_motifs,
    recover,
    write_motifs,
)
from motiflens.perturbation import Ablation
from motiflens.pipeline.discovering import METHOD, Discovery, Finding, discover_motifs
from motiflens.pipeline.sites import write_sites
from motiflens.runs import Run

N_SEEDS = 3
"""Seeds of the best model that explain the sequences, in turn, and whose logits are tested."""

JASPAR = "JASPAR 2026 CORE vertebrates"

FILES = ("discovery.meme", "discovery.npz", "discovery-seqlets.tsv", "hits.bed.gz")


def discover_in_run(
    run: Run, truths: Sequence[Motif] = (), database: Path | str | None = None
) -> dict[str, Any]:
    """Discover the motifs of the best model of a run, write their files, and describe them.

    The best model is that of the highest AUROC on validation data, averaged over its seeds. Its
    motifs are found in the training and validation parts, and tested on the test part.

    Parameters
    ----------
    run
        With trained models.
    truths
        True motifs, where known; they only score what was found.
    database
        File of known motifs to name the found ones by; JASPAR CORE vertebrates by default.

    Returns
    -------
    dict
        The parts ``discovery`` and ``discovered_by`` of ``motifs.json``.
    """
    dataset, settings = run.dataset, run.settings
    name = best_model(run)
    seeds = run.models[name][:N_SEEDS]
    found = discover_motifs(
        [run.model(name, seed) for seed in seeds],
        dataset.subset(np.flatnonzero(np.asarray(dataset.split) != "test")),
        dataset.subset(np.flatnonzero(np.asarray(dataset.split) == "test")),
        strands="both" if settings.strands == "both" else "forward",
        n_explained=settings.n_explained,
        database=None if database is None else read_motifs(database),
        seed=settings.seed,
    )
    folder = run.path / "motifs"
    folder.mkdir(exist_ok=True)
    write_files(found, folder)
    return {
        "discovery": [describe(finding, truths) for finding in found.found],
        "discovered_by": {
            "model": name,
            "seeds": seeds,
            "method": METHOD,
            "database": JASPAR if database is None else Path(database).name,
            "found_in": counts(found.explained),
            "tested_on": counts_tested(found),
            "note": note_on_groups(found),
            "not_significant": [describe_dismissed(one) for one in found.not_significant],
        },
    }


def best_model(run: Run) -> str:
    """Name the model with the highest validation AUROC; of equals that of the lowest loss.

    The first of the settings where no model was validated.
    """
    scores = {name: _validation(run, name, seeds) for name, seeds in run.models.items()}
    return max(scores, key=lambda name: scores[name])


def _validation(run: Run, name: str, seeds: Sequence[int]) -> tuple[float, float]:
    """Average the best validation AUROC, to four digits, and minus the loss there, over seeds."""
    found = []
    for seed in seeds:
        history = pd.read_csv(run.path / "models" / f"{name}-seed{seed}" / "history.csv")
        history = history.dropna(subset=["valid_auroc", "valid_loss"])
        if history.empty:
            return -1.0, 0.0
        auroc, loss = history["valid_auroc"].to_numpy(), history["valid_loss"].to_numpy()
        best = int(auroc.argmax())
        found.append((float(auroc[best]), -float(loss[best])))
    mean = np.mean(found, axis=0)
    return round(float(mean[0]), 4), float(mean[1])


def counts(dataset: SequenceDataset) -> dict[str, int]:
    """Count positives and negatives."""
    n_positives = int((dataset.labels > 0).sum())
    return {"positives": n_positives, "negatives": len(dataset) - n_positives}


def counts_tested(found: Discovery) -> dict[str, int]:
    """Count the held-out sequences that motifs were tested on, and the others."""
    counted = found.counted
    return {
        **counts(found.held_out.subset(counted.held_out)),
        "groups": counted.n_groups,
        "overlapping": counted.overlapping,
        "left_out": counted.left_out,
    }


def note_on_groups(found: Discovery) -> str:
    """Say which held-out sequences do not count; nothing where all do."""
    n, counted = len(found.held_out), found.counted
    texts = []
    if counted.left_out:
        texts.append(
            f"{counted.left_out:,} of the {n:,} sequences of the test part share 31 bases, "
            "directly or by a chain, with those that motifs were found in, and are left out."
        )
    if counted.overlapping:
        texts.append(
            f"{counted.overlapping:,} of {n:,} overlap another of the test part, and a group of "
            "overlapping windows counts once in each class."
        )
    if not all(counts(found.held_out.subset(counted.held_out)).values()):
        texts.append(
            "None is left of one class, so no motif can be confirmed: split by homology, and cut "
            "off what all sequences share, such as a primer."
        )
    return " ".join(texts)


def describe(finding: Finding, truths: Sequence[Motif] = ()) -> dict[str, Any]:
    """Give the entry of a found motif in ``motifs.json``."""
    motif, enrichment, match = finding.motif, finding.enrichment, finding.match
    entry: dict[str, Any] = {
        "name": motif.name,
        "consensus": motif.consensus,
        "direction": motif.direction,
        "ppm": _rows(motif.ppm),
        "cwm": None if motif.cwm is None else _rows(motif.cwm),
        "n_seqlets": motif.n_sites,
        "n_sites": enrichment.n_sites,
        "p_threshold": enrichment.p_threshold,
        "positives_with_site": enrichment.positives_with_site,
        "negatives_with_site": enrichment.negatives_with_site,
        "p_value": enrichment.p_value,
        "log_p_value": enrichment.log_p_value,
        "q_value": enrichment.q_value,
        "fold": enrichment.fold,
        "profile": list(enrichment.profile),
        "central": None if enrichment.central is None else asdict(enrichment.central),
        "mean_contribution": _mean_contribution(finding),
        "ablation": _ablation(finding.ablations, finding.n_agreeing),
        "match": None if match is None else {**vars(match), "ppm": _rows(match.ppm)},
    }
    if truths:
        entry["recovery"] = vars(recover(motif.ppm, truths))
    return entry


def describe_dismissed(finding: Finding) -> dict[str, Any]:
    """Give what is kept of a motif that held-out sequences do not confirm."""
    return {
        "consensus": finding.motif.consensus,
        "direction": finding.motif.direction,
        "n_seqlets": finding.motif.n_sites,
        "q_value": finding.enrichment.q_value,
    }


def write_files(discovery: Discovery, folder: Path) -> None:
    """Write the motifs as MEME text and arrays, their seqlets and sites; remove those of before."""
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    if not discovery.found:
        return
    motifs = [
        replace(f.motif, alt_name="" if f.match is None else f.match.name) for f in discovery.found
    ]
    for name in FILES[:2]:
        write_motifs(motifs, folder / name)
    names = discovery.explained.names
    lines = ["sequence\tstart\tend\tstrand\tmotif\tcontribution"]
    lines += [
        f"{names[s.sequence]}\t{s.start}\t{s.end}\t{s.strand}\t{finding.motif.name}\t{s.score:.6g}"
        for finding in discovery.found
        for s in finding.motif.sites
    ]
    write_whole(folder / FILES[2], ("\n".join(lines) + "\n").encode())
    write_sites(discovery.found, discovery.held_out, folder / FILES[3])


def _mean_contribution(finding: Finding) -> float | None:
    if finding.motif.cwm is None:
        return None
    return float(np.mean([seqlet.score for seqlet in finding.motif.sites]))


def _ablation(ablations: Sequence[Ablation], n_agreeing: int) -> dict[str, Any] | None:
    """Average the change of the logit over the models."""
    if not ablations:
        return None
    controls = [one.control.mean for one in ablations if one.control is not None]
    return {
        "logit_change": float(np.mean([one.effect.mean for one in ablations])),
        "control": float(np.mean(controls)) if controls else None,
        "by_seed": [one.effect.mean for one in ablations],
        "n_seeds": len(ablations),
        "n_agreeing": n_agreeing,
    }


def _rows(matrix: np.ndarray[Any, Any]) -> list[list[float]]:
    return [[round(float(value), 6) for value in row] for row in matrix]
