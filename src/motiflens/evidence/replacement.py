"""Other weights instead of attention's, and what that does to the logits."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import norm
from torch import Tensor, nn

from motiflens.attribution.base import by_blocks
from motiflens.attribution.result import Floats
from motiflens.evidence.levels import DEPENDS_FROM, LOGITS_FROM
from motiflens.evidence.recording import Recording
from motiflens.evidence.softmaxes import Layer, watching
from motiflens.models.base import SequenceModel
from motiflens.models.calling import as_input, evaluating, logits_of
from motiflens.results.trust import Replacement

#: Bases of the sequences on which all replacements are tried before the next sequences.
BASES_AT_ONCE = 2**14

#: Maps weights, the mask of the units that may have any, and the axis of the units to weights.
Change = Callable[[Tensor, Tensor, int], Tensor]
Logits = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """Attention that is replaced: all of a layer, or the head ``index`` of its axis ``axis``."""

    layer: Layer
    axis: int | None = None
    index: int = 0


def moves_ranking(replacement: Replacement) -> bool:
    """Return whether the AUROC changes by enough, to either side, and by more than chance."""
    by_chance = replacement.low <= 0 <= replacement.high
    return abs(replacement.auroc_loss) >= DEPENDS_FROM and not by_chance


def depends_on(*replaced: Replacement) -> str:
    """Return what of the prediction depends on attention: ``ranking``, ``logits`` or ``no``."""
    if any(moves_ranking(replacement) for replacement in replaced):
        return "ranking"
    moves_logits = any(replacement.logit_change >= LOGITS_FROM for replacement in replaced)
    return "logits" if moves_logits else "no"


@contextmanager
def replaced_weights(module: nn.Module, parts: Iterable[Part], change: Change) -> Iterator[None]:
    """Put other weights instead of attention's for a while.

    What the softmaxes give goes through ``change``. Units whose score is minus infinity are masked.

    Parameters
    ----------
    module
        The module; left as it was found, also after an error.
    parts
        Of its attention, as :func:`motiflens.evidence.softmaxes.find_attention` finds it.
    change
        ``change(weights, valid, dim)`` gives new weights of the same shape, which are 0 where
        ``valid`` is False and sum to 1 over ``dim``.
    """
    by_layer: dict[Layer, list[Part]] = {}
    for part in parts:
        by_layer.setdefault(part.layer, []).append(part)

    def replace(layer: Layer, scores: Tensor, weights: Tensor, dim: int) -> Tensor:
        valid = scores > float("-inf")
        for part in by_layer.get(layer, []):
            weights = _changed(part, weights, valid, dim, change)
        return weights

    with watching(module, replace, bare=any(layer.bare for layer in by_layer)):
        yield


def _changed(part: Part, weights: Tensor, valid: Tensor, dim: int, change: Change) -> Tensor:
    if part.axis is None:
        return change(weights, valid, dim)
    chosen = torch.tensor([part.index], device=weights.device)
    own, units = (one.index_select(part.axis, chosen) for one in (weights, valid))
    return weights.index_copy(part.axis, chosen, change(own, units, dim))


def uniform(weights: Tensor, valid: Tensor, dim: int) -> Tensor:
    """Return every unit of ``valid`` the same weight; shapes as in :func:`replaced_weights`."""
    kept = valid.to(weights.dtype)
    return kept / kept.sum(dim, keepdim=True)


def permuted(weights: Tensor, valid: Tensor, dim: int, *, generator: torch.Generator) -> Tensor:
    """Permute the weights of the units of ``valid``, each row by itself."""
    weights, valid = weights.movedim(dim, -1), valid.movedim(dim, -1)
    keys = torch.rand(weights.shape, generator=generator, device="cpu")
    whole = bool(valid.all())
    if not whole:
        keys.masked_fill_(~valid.cpu(), 2.0)
    # NumPy sorts rows in less than half the time of torch.
    drawn = torch.from_numpy(np.argsort(keys.numpy(), axis=-1)).to(weights.device)
    moved = weights.gather(-1, drawn)
    if not whole:
        free = (~valid).to(torch.uint8).argsort(dim=-1, stable=True)
        moved = torch.zeros_like(weights).scatter(-1, free, moved)
    return moved.movedim(-1, dim)


@dataclass(frozen=True)
class Trial:
    """Attention that is replaced together, by equal weights and by permutations of itself.

    Parameters
    ----------
    parts
        What is replaced.
    n_permutations
        Permutations over which results are averaged.
    n_tests
        Replacements whose intervals hold together with a confidence of 95 % (Bonferroni).

    References
    ----------
    Jain & Wallace, Attention is not Explanation, NAACL 2019, section 4.2.1 (permutation);
    Wiegreffe & Pinter, Attention is not not Explanation, EMNLP 2019, section 3.2 (uniform).
    """

    parts: tuple[Part, ...]
    n_permutations: int
    n_tests: int


def replaced(
    module: nn.Module,
    held_out: tuple[Floats, Floats],
    trials: Sequence[Trial],
    *,
    target: int = 0,
    seed: int = 0,
) -> list[tuple[Replacement, Replacement]]:
    """Replace attention, trial by trial, by equal weights and by permutations of itself.

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits; left as it was found.
    held_out
        Positives (N, 4, L) and negatives (M, 4, L').
    trials
        What is replaced, each for itself.
    target
        Column of the logits.
    seed
        Of the permutations, which are the same for all trials.

    Returns
    -------
    list
        Of each trial, what equal weights do and what permutations do.
    """
    classes = [
        _logits(module, one_hot, trials, target, (seed, number))
        for number, one_hot in enumerate(held_out)
    ]
    passes = [list(pair) for pair in zip(*classes, strict=True)]
    own, others = passes[0], iter(passes[1:])
    results = []
    for trial in trials:
        even = compare_logits(own, [next(others)], trial.n_tests)
        mixed = [next(others) for _ in range(trial.n_permutations)]
        results.append((even, compare_logits(own, mixed, trial.n_tests)))
    return results


def _logits(
    module: nn.Module,
    one_hot: Floats,
    trials: Sequence[Trial],
    target: int,
    seed: tuple[int, int],
) -> Logits:
    """Return the logits (passes, N): of the module as it is, and of the passes of each trial.

    All passes of a block of sequences are made before the next block, so that what does not depend
    on the weights that are replaced is computed once.
    """
    n_passes = 1 + sum(1 + trial.n_permutations for trial in trials)
    logits = np.zeros((n_passes, len(one_hot)))

    def work(rows: slice) -> None:
        own, mine = module, tuple(trials)
        if isinstance(module, SequenceModel):  # whose blocks several threads may work on
            own, mine = copy.deepcopy((module, mine))
        x, recording = as_input(own, one_hot[rows]), Recording()
        for number, (parts, change) in enumerate(_passes(mine, (*seed, rows.start))):
            kept = recording.read() if number else recording.written()
            with evaluating(own), kept, replaced_weights(own, parts, change):
                found = logits_of(own, x, target)
            logits[number, rows] = found.double().cpu().numpy()

    size = max(1, BASES_AT_ONCE // one_hot.shape[2])
    with torch.inference_mode(False), torch.no_grad():
        by_blocks(module, len(one_hot), size, work)
    return logits


def _passes(
    trials: Sequence[Trial], seed: tuple[int, ...]
) -> Iterator[tuple[tuple[Part, ...], Change]]:
    """Give the parts that each pass over a block replaces, and by what; none in the first."""
    yield (), uniform
    for trial in trials:
        yield trial.parts, uniform
        for number in range(trial.n_permutations):
            (drawn,) = np.random.SeedSequence((*seed, number)).generate_state(1)
            generator = torch.Generator().manual_seed(int(drawn))
            yield trial.parts, partial(permuted, generator=generator)


def compare_logits(own: list[Logits], others: list[list[Logits]], n_tests: int = 1) -> Replacement:
    """Compare logits of positives (N,) and negatives (M,) with those of replaced attention.

    Parameters
    ----------
    own
        With the model's own attention: of positives, of negatives.
    others
        The same, of each draw of other weights; AUROC and changes are means over the draws.
    n_tests
        Comparisons whose two-sided intervals (DeLong) hold together with a confidence of 95 %.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson, Biometrics 44:837 (1988), eq. 5: the variance of the difference
    of two AUROC on the same sequences, from each sequence's own weight in both.
    """
    before = _ranked_rightly(*own)
    after = [
        np.mean(part, axis=0)
        for part in zip(*(_ranked_rightly(*one) for one in others), strict=True)
    ]
    lost = [was - left for was, left in zip(before, after, strict=True)]
    loss = float(lost[0].mean())
    variance = sum(part.var(ddof=1) / len(part) if len(part) > 1 else np.inf for part in lost)
    half = float(norm.isf(0.025 / n_tests) * np.sqrt(variance))
    before_all = np.concatenate(own)
    change = float(np.mean([np.abs(np.concatenate(one) - before_all).mean() for one in others]))
    spread = float(before_all.std())
    moved = change / spread if spread > 0 else float(change > 0)
    low, high = max(loss - half, -1.0), min(loss + half, 1.0)
    return Replacement(auroc_loss=loss, low=low, high=high, logit_change=moved)


def _ranked_rightly(positives: Logits, negatives: Logits) -> list[Logits]:
    """Return the fraction of the other class that each sequence is ranked rightly against.

    Ties count half; the mean over either class is the AUROC.
    """

    def below(values: Logits, others: Logits) -> Logits:
        ordered = np.sort(others)
        sides = [np.searchsorted(ordered, values, side=side) for side in ("left", "right")]
        return np.asarray(np.mean(sides, axis=0) / len(others))

    return [below(positives, negatives), 1 - below(negatives, positives)]
