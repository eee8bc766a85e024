"""What every explanation is tested for as it is made."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from motiflens.attribution.result import Attributions, Checks, Floats
from motiflens.models.base import SequenceModel
from motiflens.sequences import reverse_complement

#: Sequences that are explained again at most, and one in how many.
MAX_REPEATED, ONE_IN = 8, 20
#: Largest difference that rounding may make, as a fraction of the largest value.
MAX_ROUNDING = 1e-3
#: Of a logit: what is less tells nothing about a sequence.
CONVERGENCE_ATOL = 1e-6
#: Methods that promise completeness, and the fraction of the differences that they may miss.
MAX_MISSED = {"integrated_gradients": 0.01, "deeplift_shap": 1e-4}
#: Fraction from which a note says what is missing, and what each method can do about it.
NOTED = 0.01
REMEDIES = {
    "integrated_gradients": "1,025 points of the way did not follow the model's bends; take ism",
    "expected_gradients": "more points of each way, such as n_steps=20, miss less",
    "deeplift_shap": "rounding makes up most of it; give the model in float64",
}

Explain = Callable[..., Attributions]


def check(explain: Explain, module: nn.Module, found: Attributions) -> Checks:
    """Test an explanation, and warn where it fails.

    Parameters
    ----------
    explain
        How it was made, from a module, sequences (N, 4, L) and, where it has any, its points.
    module
        The explained module.
    found
        The explanation.

    Returns
    -------
    Checks

    Warns
    -----
    UserWarning
        If completeness misses more than the method promises, or if strand or precision change
        the values by more than 1/1,000 of the largest.
    """
    n = min(MAX_REPEATED, -(-len(found.one_hot) // ONE_IN))
    sample = np.linspace(0, len(found.one_hot), n, endpoint=False, dtype=np.intp)
    completeness = _completeness(found)
    checks = Checks(
        completeness=completeness,
        strands=_strands(explain, module, found, sample),
        precision=_precision(explain, module, found, sample),
        completeness_note=_note(completeness, found.method),
    )
    for problem in _problems(checks, found.method):
        warnings.warn(f"{found.method}: {problem}", UserWarning, stacklevel=3)
    return checks


def _problems(checks: Checks, method: str) -> list[str]:
    limits = {
        "the contributions miss {:.1%} of the logits' differences": (
            checks.completeness,
            MAX_MISSED.get(method, np.inf),
        ),
        "the two strands differ by {:.1%} of the largest value": (checks.strands, MAX_ROUNDING),
        "float64 changes values by {:.1%} of the largest": (checks.precision, MAX_ROUNDING),
    }
    return [
        words.format(value)
        for words, (value, limit) in limits.items()
        if value is not None and value > limit
    ]


def _note(completeness: float | None, method: str) -> str | None:
    """Say that the contributions do not quite add up, and what can be done about it."""
    if completeness is None or completeness <= NOTED:
        return None
    remedy = f"; {REMEDIES[method]}" if method in REMEDIES else ""
    return f"the contributions miss {completeness:.1%} of the logits' differences{remedy}"


def _completeness(found: Attributions) -> float | None:
    if found.convergence_delta is None or found.difference is None:
        return None
    missing = float(np.maximum(np.abs(found.convergence_delta) - CONVERGENCE_ATOL, 0).sum())
    size = float(np.abs(found.difference).sum())
    return missing / size if size > 0 else None


def _strands(
    explain: Explain, module: nn.Module, found: Attributions, sample: np.ndarray
) -> float | None:
    """Compare with the explanation of the other strand, where the model scores both alike."""
    if not (isinstance(module, SequenceModel) and module.both_strands):
        return None
    # What is padding on the right would be N on the left of the other strand.
    known = found.one_hot[sample][:, :, [0, -1]].sum(axis=1).all(axis=1)
    rows = sample[known]
    if not len(rows):
        return None
    other = explain(module, reverse_complement(found.one_hot[rows]), **_points(found, rows))
    return _largest_difference(_values(found)[rows], reverse_complement(_values(other)))


def _precision(
    explain: Explain, module: nn.Module, found: Attributions, sample: np.ndarray
) -> float | None:
    """Compare with the explanation of a copy in float64; None where there can be no such copy."""
    in_single = any(parameter.dtype == torch.float32 for parameter in module.parameters())
    if not (in_single and len(sample)):
        return None
    try:
        double = copy.deepcopy(module).double()
        exact = explain(double, found.one_hot[sample], **_points(found, sample))
    except Exception:  # a user's module may raise what it likes when it is copied or in float64
        return None
    return _largest_difference(_values(found)[sample], _values(exact))


def _points(found: Attributions, rows: np.ndarray) -> dict[str, Any]:
    """Name the points of some sequences: chosen anew, others would be, and give other values."""
    return {} if found.points is None else {"points": [found.points[row] for row in rows]}


def _values(found: Attributions) -> Floats:
    return found.contributions if found.hypothetical is None else found.hypothetical


def _largest_difference(values: Floats, others: Floats) -> float:
    size = float(np.abs(values).max(initial=0))
    return float(np.abs(values - others).max(initial=0)) / size if size > 0 else 0.0
