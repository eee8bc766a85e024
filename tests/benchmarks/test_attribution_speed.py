"""The benchmark of attribution: what it measures, on a model that takes no time."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.attribution_speed import held, measured

from motiflens.attribution import METHODS, attribute
from motiflens.models import build_model
from motiflens.sequences import one_hot

N, L = 5, 31


def test_every_method_is_timed_or_refused(capsys: pytest.CaptureFixture[str]) -> None:
    codes = np.random.default_rng(0).integers(0, 4, (N, L)).astype(np.uint8)
    model = build_model("attention", length=L, seed=1, n_filters=8).eval()
    total, largest = measured(model, one_hot(codes))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" | ")[0] for line in lines] == [f"| {method}" for method in METHODS]
    assert [line for line in lines if "refused" in line] == [lines[-1]]
    assert total[0] > 0
    found = attribute(model, one_hot(codes), "deeplift_shap")
    assert held(found) == largest > 0
