"""Attention replaced: what becomes of the logits when other weights stand in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.attribution.base import Floats
from motiflens.evidence.logits import logits_in_batches
from motiflens.metrics import rank_auroc

N_PERMUTATIONS = 5
N_BOOTSTRAP = 1000

#: Random sequences on which attention is told from a softmax over classes, and the share of the
#: spread of their logits below which all are the same.
N_TRIED, SAME = 8, 1e-5

#: Maps weights, the mask of the units that may have any, and the axis of the units to weights.
Change = Callable[[Tensor, Tensor, int], Tensor]
Logits = NDArray[np.float64]


@dataclass(frozen=True)
class Replacement:
    """What other attention weights do to a model on held-out sequences.

    Parameters
    ----------
    auroc_loss
        AUROC with the model's own attention minus AUROC with the other.
    low, high
        95 % bootstrap interval of it over sequences, each class resampled by itself.
    logit_change
        Mean of the absolute change of the logit, in standard deviations of the logit.
    """

    auroc_loss: float
    low: float
    high: float
    logit_change: float


@dataclass(frozen=True)
class AttentionTest:
    """Attention replaced by equal weights, and by a permutation of itself."""

    uniform: Replacement
    permuted: Replacement


def attention_layers(module: nn.Module, length: int, target: int = 0) -> list[nn.Softmax]:
    """Find the attention of a module: its ``torch.nn.Softmax``, of ours or of a user's own.

    One that decides the logits by itself shares out probabilities of classes, not the values of
    units: it gives equal logits for all sequences where what it gives is the same for all.

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits; left as it was found.
    length
        L, of the random sequences on which this is tried.
    target
        Column of the logits.

    Returns
    -------
    list
        Empty when none is found; attention written otherwise, with a bare ``softmax``, is not.
    """
    codes = np.random.default_rng(0).integers(4, size=(N_TRIED, length))
    sequences = np.eye(4, dtype=np.float32)[codes].transpose(0, 2, 1)

    def spread(layers: Iterable[nn.Softmax]) -> float:
        with other_weights(layers, _first_for_all):
            return float(np.ptp(logits_in_batches(module, sequences, target)))

    found = [part for part in module.modules() if isinstance(part, nn.Softmax)]
    least = SAME * spread([]) if found else 0.0
    return [layer for layer in found if least == 0 or spread([layer]) > least]


def _first_for_all(weights: Tensor, valid: Tensor, dim: int) -> Tensor:
    return weights[:1].expand_as(weights)


@contextmanager
def other_weights(layers: Iterable[nn.Softmax], change: Change) -> Iterator[None]:
    """Put other weights into the place of those of attention for a while.

    What the layers give goes through ``change``. Units whose score is minus infinity are masked.

    Parameters
    ----------
    layers
        As :func:`attention_layers` finds them; left as they were found, also after an error.
    change
        ``change(weights, valid, dim)`` gives new weights of the same shape, which are 0 where
        ``valid`` is False and sum to 1 over ``dim``.
    """

    def replace(part: nn.Module, scores: tuple[Tensor, ...], weights: Any) -> Tensor:
        assert isinstance(part, nn.Softmax)
        dim = -1 if part.dim is None else part.dim
        return change(weights, scores[0] > float("-inf"), dim)

    with ExitStack() as stack:
        for part in layers:
            stack.callback(part.register_forward_hook(replace).remove)
        yield


def uniform(weights: Tensor, valid: Tensor, dim: int) -> Tensor:
    """Give every unit of ``valid`` the same weight; shapes as in :func:`other_weights`."""
    kept = valid.to(weights.dtype)
    return kept / kept.sum(dim, keepdim=True)


def permuted(weights: Tensor, valid: Tensor, dim: int, *, generator: torch.Generator) -> Tensor:
    """Permute the weights of the units of ``valid``, each row by itself."""
    weights, valid = weights.movedim(dim, -1), valid.movedim(dim, -1)
    keys = torch.rand(weights.shape, generator=generator, device="cpu").to(weights.device)
    drawn = keys.masked_fill(~valid, 2.0).argsort(-1)
    places = (~valid).to(torch.uint8).argsort(dim=-1, stable=True)
    result = torch.zeros_like(weights).scatter(-1, places, weights.gather(-1, drawn))
    return result.movedim(-1, dim)


def attention_test(
    module: nn.Module,
    positives: Floats,
    negatives: Floats,
    *,
    target: int = 0,
    seed: int = 0,
) -> AttentionTest | None:
    """Replace a model's attention and score it on held-out sequences.

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits; left as it was found.
    positives, negatives
        Held-out sequences, (N, 4, L) and (M, 4, L).
    target
        Column of the logits.
    seed
        Of the permutations, whose results are averaged, and of the bootstrap.

    Returns
    -------
    AttentionTest or None
        None for a module in which :func:`attention_layers` finds none.

    References
    ----------
    Jain & Wallace, Attention is not Explanation, NAACL 2019, section 4.2.1 (permutation); Wiegreffe
    & Pinter, Attention is not not Explanation, EMNLP 2019, section 3.2 (uniform weights).
    """
    layers = attention_layers(module, positives.shape[2], target)
    if not layers:
        return None
    labels = np.repeat([1.0, 0.0], [len(positives), len(negatives)])

    def logits(change: Change | None = None) -> Logits:
        with ExitStack() as stack:
            if change is not None:
                stack.enter_context(other_weights(layers, change))
            parts = [logits_in_batches(module, part, target) for part in (positives, negatives)]
        return np.concatenate(parts)

    own = logits()
    permute = partial(permuted, generator=torch.Generator().manual_seed(seed))
    shuffled = np.stack([logits(permute) for _ in range(N_PERMUTATIONS)])
    rows = _resampled(labels, np.random.default_rng(seed))
    return AttentionTest(
        _replacement(labels, own, logits(uniform)[None], rows),
        _replacement(labels, own, shuffled, rows),
    )


def _resampled(labels: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.intp]:
    """Draw rows with replacement within each class, (N_BOOTSTRAP, N)."""
    classes = [np.flatnonzero(labels == label) for label in (1, 0)]
    return np.concatenate(
        [rows[generator.integers(len(rows), size=(N_BOOTSTRAP, len(rows)))] for rows in classes],
        axis=1,
    )


def _replacement(
    labels: NDArray[np.float64], own: Logits, other: Logits, rows: NDArray[np.intp]
) -> Replacement:
    """Compare logits (N,) with those of replaced attention (R, N), averaged over R."""

    def loss(chosen: NDArray[np.intp]) -> NDArray[np.float64]:
        truth = labels[chosen]
        left = np.mean([rank_auroc(truth, one[chosen]) for one in other], axis=0)
        return np.asarray(rank_auroc(truth, own[chosen]) - left)

    (value,) = loss(np.arange(len(own))[None])
    low, high = np.quantile(loss(rows), [0.025, 0.975])
    change = np.abs(other - own).mean()
    spread = own.std()
    moved = change / spread if spread > 0 else float(change > 0)
    return Replacement(float(value), float(low), float(high), float(moved))
