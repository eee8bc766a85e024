"""Mutagenesis of any module: followed through its layers where that is faster, and as exact."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.attribution.base import count_done, tell
from motiflens.attribution.captured import Captured, NotCaptured, captured
from motiflens.attribution.result import Floats
from motiflens.attribution.shares import cut
from motiflens.models.calling import as_input, logits_of, target_of
from motiflens.models.mutants import OTHERS

#: Positions whose mutants are computed both ways before it is chosen, the first and last ones too.
TRIED, AT_EDGES = 12, 2
#: Fewer positions in all are not worth the trial.
FEW = 8 * TRIED
#: Largest difference between both ways, of the largest logit. A GPU's convolutions are in TF32.
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-11}
TOLERANCE_OF_GPU = 3e-3


def followed_logits(
    module: nn.Module, sequences: Floats, positions: slice, target: int
) -> NDArray[np.float64] | None:
    """Return the logits (N, 4, L) of every mutant at some positions, computed in windows.

    Tells what was chosen, and why.

    Returns
    -------
    NDArray or None
        None where whole passes are faster, or the module cannot be captured.
    """
    if len(sequences) * (positions.stop - positions.start) < FEW:
        return None
    x = as_input(module, sequences)
    try:
        follower = captured(module, x)
        reason = _trial(module, follower, x[0], positions, target)
    except NotCaptured as error:
        follower, reason = None, f"it cannot be captured ({error})"
    if follower is None or reason:
        tell(f"mutagenesis computes every mutant as a whole: {reason}")
        return None
    logits = np.zeros(sequences.shape)
    others = np.array(OTHERS)[sequences.argmax(1)]  # (N, L, 3)
    for row in (rows.start for rows in cut(len(x))):
        follower.prepare(x[row])
        found = follower.logits(positions.start, positions.stop, target)
        target_of(found.flatten(), found.numel(), 0)  # refuses what is not finite
        values = found.double().cpu().numpy()
        np.put_along_axis(logits[row, :, positions].T, others[row, positions], values, axis=1)
        count_done(1)
    return logits


def _trial(
    module: nn.Module, follower: Captured, x: Tensor, positions: slice, target: int
) -> str | None:
    """Compute some mutants of x (4, L) both ways; return why not to follow them, or None."""
    start, stop = positions.start, positions.stop
    middle = max(start, (start + stop - TRIED) // 2)
    ranges = [
        (start, min(start + AT_EDGES, stop)),
        (max(start, stop - AT_EDGES), stop),
        (middle, min(middle + TRIED, stop)),
    ]
    whole = [_mutants(x, *one) for one in ranges]
    follower.prepare(x)
    followed = torch.cat([follower.logits(*one, target).view(-1) for one in ranges])
    expected = torch.cat([logits_of(module, mutants, target) for mutants in whole])
    known = (x.amax(0) > 0).repeat_interleave(3)
    at = torch.cat([torch.arange(3 * first, 3 * end, device=x.device) for first, end in ranges])
    difference = (followed - expected)[known[at]].abs()
    error = float(difference.amax() / expected.abs().amax()) if len(difference) else 0.0
    gpu = x.device.type != "cpu" and x.dtype == torch.float32
    if not error <= (TOLERANCE_OF_GPU if gpu else TOLERANCE.get(x.dtype, 0.0)):
        return f"followed through its layers, logits differ by {error:.1g} of the largest"
    by_window = _seconds(lambda: follower.logits(*ranges[-1], target), x)
    as_whole = _seconds(lambda: logits_of(module, whole[-1], target), x)
    if by_window > as_whole:
        return f"followed through its layers they take {by_window / as_whole:.1f} times as long"
    tell(
        "mutagenesis follows each substitution through the layers it changes: "
        f"{as_whole / by_window:.1f} times as fast as whole, logits within {error:.1g} of the "
        "largest"
    )
    return None


def _mutants(x: Tensor, start: int, stop: int) -> Tensor:
    """Return the mutants of x (4, L) at some positions, (P · 3, 4, L)."""
    rows = torch.arange(3 * (stop - start), device=x.device)
    position = start + rows // 3
    bases = torch.tensor(OTHERS, device=x.device)[x.argmax(0)][position, rows % 3]
    mutants = x.repeat(len(rows), 1, 1)
    mutants[rows, :, position] = 0
    mutants[rows, bases, position] = 1
    return mutants


def _seconds(work: Callable[[], Tensor], x: Tensor) -> float:
    """Return the shorter time of two runs."""
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        work().sum().item()  # waits for a GPU
        seconds.append(time.perf_counter() - start)
    return min(seconds)
