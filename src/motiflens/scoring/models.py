"""Models of a run, and modules of others, opened to score."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
import torch
from torch import Tensor, nn

from motiflens.datasets import CLASSIFICATION, REGRESSION
from motiflens.errors import InputError
from motiflens.models import SequenceModel
from motiflens.models.base import PooledFilters
from motiflens.models.calling import require_device, takes_length, told_by_length
from motiflens.results import Results
from motiflens.results.scores import Calibration
from motiflens.results.tracks import best_validated
from motiflens.runs import Run, load_run
from motiflens.scoring.scorer import Floats, Scorer, TrainedOn
from motiflens.sequences import ONE_HOT, Codes, Lengths

#: Bases of the sequences of one forward pass, by device: their activations stay in a cache.
BASES_AT_ONCE = {"cpu": 2**14, "cuda": 2**22}


@dataclass(frozen=True, kw_only=True)
class ModuleScorer(Scorer):
    """Modules of PyTorch, one a seed, in evaluation mode.

    Several threads may call one of them at a time.

    Parameters
    ----------
    members, device
        The modules, and where they are.
    results
        Of the run that they are of; None for others.
    """

    members: tuple[nn.Module, ...]
    device: torch.device
    results: Results | None = None

    def logits(self, codes: Codes, lengths: Lengths) -> Floats:
        """Return the logits (S, N) of every seed."""
        return self.at_lengths(self._forward, codes, lengths)

    def _forward(self, codes: Codes) -> Floats:
        table = torch.as_tensor(ONE_HOT, device=self.device)
        at_once = max(1, BASES_AT_ONCE.get(self.device.type, 2**22) // codes.shape[1])
        batches = []
        with torch.inference_mode(), told_by_length(codes.shape[1]):
            for start in range(0, len(codes), at_once):
                batch = torch.as_tensor(codes[start : start + at_once], device=self.device)
                x = nn.functional.embedding(batch.int(), table).mT
                members = [cast(Tensor, member(x)) for member in self.members]
                batches.append(torch.stack(members).double().cpu().numpy())
        return np.concatenate(batches, axis=1) if batches else np.zeros((self.n_seeds, 0))

    def pooled_filters(self) -> list[PooledFilters]:
        """Return filters and head of all members; nothing where one of them is not made of them."""
        models = [member for member in self.members if isinstance(member, SequenceModel)]
        found = [filters for model in models if (filters := model.pooled_filters()) is not None]
        return found if len(found) == len(self.members) else []


def open_models(
    run: Run | Path | str, model: str | None = None, *, device: str = "cpu"
) -> ModuleScorer:
    """Open the seeds of a model of a run.

    Parameters
    ----------
    run
        A run, or its directory.
    model
        One of its models; None for the best on validation data.
    device
        Where to compute; "auto" is a GPU where there is one.

    Raises
    ------
    InputError
        If there is no such run or model, its weights are damaged, or there is no such device.
    """
    opened = run if isinstance(run, Run) else load_run(run)
    results = opened.results
    name = model or best_validated(results) or next(iter(results.models), None)
    if name is None:
        raise InputError(
            f"{opened.path} holds no weights of a model",
            remedy="resume or repeat its training by the command that began it",
        )
    ensemble, home = opened.models[name], require_device(device)
    foreign = ensemble.seeds[0].is_foreign
    members: tuple[nn.Module, ...] = tuple(
        (seed.model if foreign else seed).to(home).eval() for seed in ensemble.seeds
    )
    return ModuleScorer(
        name=name,
        sha256=hash_weights(members),
        n_seeds=len(members),
        min_length=ensemble.min_length,
        length=ensemble.length,
        both_strands=ensemble.both_strands,
        only_length=not takes_length(members[0], 2 * ensemble.length + 1),
        takes_padding=not foreign,
        calibration=_calibration(results, name),
        task=REGRESSION if results.is_regression else CLASSIFICATION,
        members=members,
        device=home,
        results=results,
    )


def open_predictor(
    run: Run | Path | str, model: str | None = None, *, device: str = "cpu"
) -> ModuleScorer:
    """Open the seeds of a model of a run, and look at all sequences that they were trained on.

    As :func:`open_models`, which leaves the data where they are. Modules of others, which know no
    padding, were trained on what the run does not hold.
    """
    opened = run if isinstance(run, Run) else load_run(run)
    scorer = open_models(opened, model, device=device)
    known = TrainedOn.of(opened.dataset) if scorer.takes_padding else None
    return replace(scorer, trained_on=known)


def _calibration(results: Results, name: str) -> Calibration | None:
    if not results.holds("metrics") or name not in results.metrics.models:
        return None
    calibration = results.metrics.models[name].calibration
    return None if calibration is msgspec.UNSET else calibration


def hash_weights(members: tuple[nn.Module, ...]) -> str:
    """Return the SHA-256 of the kinds of all parts of modules, and of their weights."""
    digest = hashlib.sha256()
    for member in members:
        digest.update(repr(member).encode())
        for name, value in member.state_dict().items():
            digest.update(name.encode())
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
