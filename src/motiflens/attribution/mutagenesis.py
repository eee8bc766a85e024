"""Saturation mutagenesis: how the logit changes with every single substitution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.attribution.base import by_blocks, count_done, known_mask, reporting, require_counts
from motiflens.attribution.followed import followed_logits
from motiflens.attribution.result import Attributions, Floats
from motiflens.attribution.shares import cut
from motiflens.errors import InputError
from motiflens.io.inputs import Sequences, check_one_hot
from motiflens.io.inputs import one_hot as encode_one_hot
from motiflens.models.base import SequenceModel
from motiflens.models.calling import as_input, computing, evaluating, logits_in_batches, logits_of
from motiflens.progress import Progress

if TYPE_CHECKING:
    from typing import Annotated as Float32

#: Bases of the sequences whose mutants are computed together the incremental way, by device: few
#: stay in a processor's caches, many keep a GPU busy.
BASES_AT_ONCE = {"cpu": 2**11, "cuda": 2**15}


def saturation_mutagenesis(
    model: nn.Module,
    sequences: Sequences,
    start: int = 0,
    end: int | None = None,
    *,
    target: int = 0,
    batch_size: int = 64,
    threads: int | None = None,
    device: str | None = None,
    progress: Progress | bool = False,
) -> Float32[np.ndarray, "N 4 W"]:
    """Compute the effect of every substitution: logit(mutant) − logit(reference).

    Parameters
    ----------
    model
        Any module from one-hot (N, 4, L) to logits (N,) or (N, T).
    sequences
        Strings, a file, a data set, or one-hot (N, 4, L): see :func:`motiflens.one_hot`.
    start, end
        The bases to substitute, 0-based, the end not in; None for all.
    target
        Column of the logits.
    batch_size
        Sequences and mutants a forward pass.
    threads, device, progress
        As in :func:`motiflens.attribute`.

    Returns
    -------
    effects
        float32 (N, 4, end − start); 0 at the observed base, and at N and padding.

    Raises
    ------
    InputError
        For sequences, a range, a target or an output of the model that are none.
    """
    require_counts(batch_size=batch_size)
    x = encode_one_hot(sequences)
    length = x.shape[2]
    stop = length if end is None else end
    if not 0 <= start < stop <= length:
        raise InputError(
            f"start={start}, end={end} is no range of {length} bases",
            remedy="count from 0, the end not in",
            argument=("start", "end"),
        )
    with (
        computing(model, device, threads) as module,
        reporting(progress, "mutagenesis", len(x)),
    ):
        return _effects(module, x, slice(start, stop), target, batch_size)


def _effects(
    module: nn.Module, sequences: Floats, positions: slice, target: int, batch_size: int
) -> Floats:
    mutated = (sequences == 0) & (known_mask(sequences) > 0)
    mutated[:, :, : positions.start] = mutated[:, :, positions.stop :] = False
    with evaluating(module), torch.inference_mode():
        reference = logits_in_batches(module, sequences, target, batch_size)
        effects = _incremental_logits(module, sequences, positions)
        if effects is None:
            effects = followed_logits(module, sequences, positions, target)
        if effects is None:
            effects = _mutant_logits(module, sequences, np.nonzero(mutated), target, batch_size)
    effects -= reference[:, None, None]
    effects[~mutated] = 0.0
    return effects[:, :, positions].astype(np.float32)


def _incremental_logits(
    module: nn.Module, sequences: Floats, positions: slice
) -> NDArray[np.float64] | None:
    """Return the logits (N, 4, L) after every substitution, of a model that updates its units."""
    if not isinstance(module, SequenceModel):
        return None
    update, start, stop = module.single_mutant_logits, positions.start, positions.stop
    if len(sequences) and update(as_input(module, sequences[:1]), start, start + 1) is None:
        return None
    logits = np.zeros(sequences.shape)

    def work(rows: slice) -> None:
        mutants = update(as_input(module, sequences[rows]), start, stop)
        assert mutants is not None
        logits[rows, :, start:stop] = mutants.double().cpu().numpy()

    by_blocks(module, len(sequences), _block(module, sequences.shape[2]), work)
    return logits


def _block(module: nn.Module, length: int) -> int:
    """Return how many sequences of a length are worked on at once where the module is."""
    device = next((parameter.device.type for parameter in module.parameters()), "cpu")
    return max(1, BASES_AT_ONCE.get(device, BASES_AT_ONCE["cuda"]) // length)


def _mutant_logits(
    module: nn.Module,
    sequences: Floats,
    mutants: tuple[NDArray[np.intp], ...],
    target: int,
    batch_size: int,
) -> NDArray[np.float64]:
    """Return the logits (N, 4, L) of the chosen mutants, every one computed as a whole."""
    x, at_mutants = as_input(module, sequences), np.zeros(sequences.shape)
    own = cut(len(sequences))
    finished, last = (own[0].start, own[-1].stop) if own else (0, 0)
    # Mutants stand by sequence. The batches are those of all, also where some are computed.
    begin, end = np.searchsorted(mutants[0], [finished, last]).tolist()
    for start in range(begin - begin % batch_size, end, batch_size):
        chunk = tuple(index[start : start + batch_size] for index in mutants)
        logits = logits_of(module, _substituted(x, *chunk), target)
        at_mutants[chunk] = logits.double().cpu().numpy()
        # All sequences before the last one's are done.
        count_done(int(chunk[0][-1]) - finished)
        finished = int(chunk[0][-1])
    count_done(last - finished)
    return at_mutants


def mutagenesis(
    module: nn.Module, one_hot: Floats | Tensor, target: int = 0, *, batch_size: int = 64
) -> Attributions:
    """Explain by exact saturation mutagenesis.

    ``hypothetical[b, i]`` = logit(x with b at i) − mean over the four bases at i, so that it sums
    to 0 over the bases; ``contributions`` keep the observed base.

    Raises
    ------
    InputError
        As :func:`saturation_mutagenesis`.
    """
    sequences = check_one_hot(one_hot)
    effects = _effects(module, sequences, slice(0, sequences.shape[2]), target, batch_size)
    hypothetical = effects - effects.mean(axis=1, keepdims=True)
    return Attributions("ism", sequences, hypothetical * sequences, hypothetical)


def _substituted(
    x: Tensor, sequence: NDArray[np.intp], base: NDArray[np.intp], position: NDArray[np.intp]
) -> Tensor:
    """Copy one sequence a mutant, with one base of each replaced."""
    rows = torch.arange(len(sequence), device=x.device)
    column = torch.from_numpy(position).to(x.device)
    mutants = x[torch.from_numpy(sequence).to(x.device)]
    mutants[rows, :, column] = 0
    mutants[rows, torch.from_numpy(base).to(x.device), column] = 1
    return mutants
