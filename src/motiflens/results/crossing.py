"""``crossing.json``: what models score against other negative sets than they were trained on."""

from __future__ import annotations

from motiflens.results.base import File, Part
from motiflens.results.scores import Estimate


class RankingScores(Part, frozen=True, kw_only=True):
    """Scores that need no threshold."""

    auroc: Estimate
    auprc: Estimate


class CrossedTests(Part, frozen=True, kw_only=True):
    """Negative set that was tested on → scores."""

    tested_on: dict[str, RankingScores]


class CrossedModel(Part, frozen=True, kw_only=True):
    """Negative set that was trained against → scores."""

    trained_on: dict[str, CrossedTests]


class Crossing(File, frozen=True, kw_only=True):
    """``crossing.json``: models trained against each of the negative sets, tested on every one."""

    kinds: tuple[str, ...]
    models: dict[str, CrossedModel]
