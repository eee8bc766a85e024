"""Which model a run's first screen speaks of, and whether anything may be said of it."""

from __future__ import annotations

import math

import numpy as np

from motiflens.report.headline import TELLS_FROM, beyond_chance, ensemble
from motiflens.report.parts import finite, triple
from motiflens.report.reading import Run


def best_model(run: Run) -> str | None:
    """Name the model that motifs are discovered with, or else that of the best validation.

    Of equals the first of the configuration; None for a run without models.
    """
    chosen = (run.motifs.get("discovered_by") or {}).get("model")
    if chosen:
        return str(chosen)
    return max(run.models, key=lambda model: _validation(run, model), default=None)


def _validation(run: Run, model: str) -> float:
    """Give the mean over seeds of the best AUROC on validation data; below all where none is."""
    columns = [h["valid_auroc"] for h in run.histories.get(model, []) if "valid_auroc" in h]
    best = [float(column.max()) for column in columns if column.notna().any()]
    return float(np.mean(best)) if best else -math.inf


def may_claim(run: Run, model: str) -> bool:
    """Tell whether a model tells the classes apart, so that its logits say something of the data.

    Asked are the verdict of trust and the interval of the ensemble's AUROC, as far as they are
    there; without both, the mean over seeds.
    """
    found = (run.trust.get("models") or {}).get(model) or {}
    score = ensemble(run.metrics, model)
    if score and not beyond_chance(score, run.metrics.get("test_groups")):
        return False
    if "may_claim" in found:
        return bool(found["may_claim"])
    auroc = found.get("auroc", auroc_of(run, model))
    return finite(auroc) and auroc >= TELLS_FROM


def auroc_of(run: Run, model: str) -> float:
    """Give the test AUROC of a model's ensemble, or else the mean over seeds; NaN for none."""
    if score := ensemble(run.metrics, model):
        return float(score["value"])
    summary = (run.comparison.get("models", {}).get(model) or {}).get("summary") or {}
    return triple(summary.get("auroc") or {})[0]
