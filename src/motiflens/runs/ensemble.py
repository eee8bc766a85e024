"""The seeds of a model as one model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from motiflens.models import SequenceModel


class Ensemble(nn.Module):
    """The seeds of a model as one, whose logit is the mean of theirs.

    A mean of logits, so that its attributions are the mean of theirs; ``metrics.json`` scores the
    mean of probabilities.

    Parameters
    ----------
    members
        One a seed.
    """

    def __init__(self, members: Sequence[SequenceModel]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.eval()

    @property
    def seeds(self) -> list[SequenceModel]:
        """The model of each seed."""
        return cast("list[SequenceModel]", list(self.members))

    def forward(self, one_hot: Tensor) -> Tensor:
        """Map one-hot (N, 4, L) to the mean logits (N,) of all seeds."""
        total: Tensor = torch.stack([member(one_hot) for member in self.members]).mean(dim=0)
        return total


class Ensembles(Mapping[str, Ensemble]):
    """The models of a run by name, each read from its files when it is asked for.

    Parameters
    ----------
    seeds
        Name → seeds.
    load
        From a name to its ensemble; it refuses names that are not there.
    """

    def __init__(self, seeds: Mapping[str, Sequence[int]], load: Callable[[str], Ensemble]) -> None:
        self._seeds = seeds
        self._load = load

    def __getitem__(self, name: str) -> Ensemble:
        return self._load(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._seeds)

    def __len__(self) -> int:
        return len(self._seeds)

    def __contains__(self, name: object) -> bool:
        return name in self._seeds

    def __repr__(self) -> str:
        shown = ", ".join(f"{name!r}: seeds {list(own)}" for name, own in self._seeds.items())
        return f"{{{shown}}}"
