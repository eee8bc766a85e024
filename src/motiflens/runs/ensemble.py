"""The seeds of a model as one model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.io.inputs import Sequences
from motiflens.models import SequenceModel
from motiflens.results.base import table
from motiflens.training import TrainedModel, predict


class Ensemble(SequenceModel):
    """The seeds of a model as one, whose logit is the mean of theirs.

    A mean of logits, so that its attributions are the mean of theirs.

    Parameters
    ----------
    members
        One a seed.
    """

    def __init__(self, members: Sequence[TrainedModel]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.length, self.min_length = members[0].length, members[0].min_length
        self.both_strands = members[0].both_strands
        self.eval()

    def __repr__(self) -> str:
        first = self.seeds[0]
        seeds = ", ".join(str(member.seed) for member in self.seeds)
        return f"Ensemble({first.architecture!r}, seeds {seeds}, {self.length} bp)"

    def _repr_html_(self) -> str:
        """Show the model of each seed in a notebook."""
        first = self.seeds[0]._repr_html_()
        return f"<p><code>{escape(repr(self))}</code>, the first of which:</p>{first}"

    @property
    def seeds(self) -> list[TrainedModel]:
        """The model of each seed."""
        return cast("list[TrainedModel]", list(self.members))

    def forward(self, one_hot: Tensor) -> Tensor:
        """Map one-hot (N, 4, L) to the mean logits (N,) of all seeds."""
        return torch.stack([member(one_hot) for member in self.members]).mean(dim=0)

    def single_mutant_logits(
        self, one_hot: Tensor, start: int = 0, end: int | None = None
    ) -> Tensor | None:
        """Return the logits after every single substitution, if all members can."""
        logits = [member.single_mutant_logits(one_hot, start, end) for member in self.seeds]
        known = [values for values in logits if values is not None]
        return torch.stack(known).mean(dim=0) if len(known) == len(logits) else None

    def predict(
        self,
        sequences: Sequences,
        *,
        batch_size: int = 256,
        threads: int | None = None,
        device: str | None = None,
    ) -> NDArray[np.float64]:
        """Return the logits (N,) of sequences; see :func:`motiflens.predict`."""
        return predict(self, sequences, batch_size=batch_size, threads=threads, device=device)


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

    def _repr_html_(self) -> str:
        """Show the names and seeds in a notebook."""
        return table({name: f"seeds {list(own)}" for name, own in self._seeds.items()})
