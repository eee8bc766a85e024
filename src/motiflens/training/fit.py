"""Replicas in training; its whole state can be saved, and training resumed from it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from motiflens.metrics import rank_auprc, rank_auroc
from motiflens.models.base import SequenceModel
from motiflens.models.layers import Dropout, masks_for
from motiflens.training import distributed
from motiflens.training.batches import Batch, Batches
from motiflens.training.checkpoint import Slot, State
from motiflens.training.data import EncodedData
from motiflens.training.recipes import Recipe
from motiflens.training.regularization import AttentionEntropy
from motiflens.training.replicas import BestWeights, in_one_row

#: Sequences of one forward pass in evaluation.
EVALUATED_AT_ONCE = 128


@dataclass(frozen=True)
class Epoch:
    """What is recorded after an epoch; epochs count from 1.

    ``seconds`` is the time since the start of training, divided by the replicas trained together.
    ``valid_auprc`` is computed where it chooses the epoch.
    """

    epoch: int
    train_loss: float
    valid_loss: float | None
    valid_auroc: float | None
    test_accuracy: float | None
    seconds: float
    valid_auprc: float | None = None


@dataclass(frozen=True)
class Rows:
    """Row numbers of R replicas, (R, n) each; an epoch is ``n_epoch`` rows of ``train``."""

    train: Tensor
    valid: Tensor
    test: Tensor
    n_epoch: int

    def joined(self) -> Rows:
        """Put the validation rows to the training rows; an epoch has as many steps as before."""
        none = self.valid[:, :0]
        return Rows(torch.cat([self.train, self.valid], dim=1), none, none, self.n_epoch)


class Fit:
    """R stacked replicas in training.

    Parameters
    ----------
    data
        The data set.
    joined
        The replicas with their initial weights; they are trained in place.
    best
        Which weights are kept, and how long each replica trains.
    seeds
        One a replica: of the order of its rows, its augmentation and its dropout.
    recipe
        How to train.
    rows
        Of each replica.
    """

    def __init__(
        self,
        data: EncodedData,
        joined: SequenceModel,
        best: BestWeights,
        seeds: Sequence[int],
        recipe: Recipe,
        rows: Rows,
    ) -> None:
        self.data, self.joined, self.best = data, joined.train(), best
        self.seeds, self.recipe, self.rows = seeds, recipe, rows
        self.weights = in_one_row(joined)
        self.optimizer = torch.optim.AdamW(
            [self.weights], recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
        )
        self.batches = Batches(data, recipe, seeds, joined.read)
        self.orders = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.order_states = [one.get_state() for one in self.orders]
        self.masks = [torch.Generator(data.table.device) for _ in seeds]
        self.dropouts = [layer for layer in joined.modules() if isinstance(layer, Dropout)]
        for layer in self.dropouts:
            layer.generators = self.masks
        self.entropy = AttentionEntropy(joined) if recipe.attention_entropy > 0 else None
        self.class_weights = _class_weights(data, rows.train, recipe)
        self.histories: list[list[Epoch]] = [[] for _ in seeds]
        self.total = torch.zeros(len(seeds), device=data.table.device, dtype=data.table.dtype)
        self.epoch, self.seen, self.seconds = 0, 0, 0.0

    @property
    def steps_an_epoch(self) -> int:
        """Optimiser steps of one epoch."""
        return math.ceil(self.rows.n_epoch / self.recipe.batch_size)

    @property
    def n_epochs(self) -> int:
        """Epochs at most."""
        return self.recipe.n_epochs(self.rows.n_epoch)

    def run(
        self,
        slot: Slot,
        advance: Callable[[int], None] = lambda epochs: None,
        watch: Callable[[Fit], None] | None = None,
    ) -> None:
        """Train until every replica has ended, from the state in a slot if there is one.

        ``advance`` is told of epochs, one a replica, that are done or will not be needed, and
        ``watch`` called after each epoch of all.
        """
        self._restore(slot.read())
        advance(self.epoch * len(self.seeds))
        started = time.perf_counter() - self.seconds
        while self.epoch < self.n_epochs and self.best.running(self.epoch + 1):
            first = self.epoch * self.steps_an_epoch
            for batch in self.batches.of(self._shuffled(), first, self.seen):
                self.step(batch)
                self.seen += batch.n
                self.seconds = time.perf_counter() - started
                if slot.due():
                    slot.write(self._state())
            self._close_epoch(started)
            advance(len(self.seeds))
            if watch is not None:
                watch(self)
        advance((self.n_epochs - self.epoch) * len(self.seeds))
        slot.write(self._state())

    def _shuffled(self) -> Tensor:
        """Draw the rows of an epoch, (R, n_epoch), in each replica's own order."""
        self.order_states = [one.get_state() for one in self.orders]
        n = self.rows.train.shape[1]
        order = torch.stack([torch.randperm(n, generator=one) for one in self.orders])
        order = order[:, : self.rows.n_epoch].to(self.rows.train.device)
        return self.rows.train.gather(1, order)

    def step(self, batch: Batch) -> None:
        """Make one optimiser step, and add up the losses."""
        step = self.epoch * self.steps_an_epoch + self.seen // self.recipe.batch_size
        n_steps = self.n_epochs * self.steps_an_epoch
        self.optimizer.param_groups[0]["lr"] = self.recipe.rate(step, n_steps)
        if batch.own.start < batch.own.stop:
            losses, gradient = self._learn(batch)
        else:
            losses, gradient = torch.zeros_like(self.total), torch.zeros_like(self.weights)
        distributed.sum_over_processes([gradient, losses])
        self.weights.grad = gradient
        self.optimizer.step()
        self.total += losses

    def _learn(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the summed losses of a batch, (R,), and the gradient of all weights, in a row."""
        if self.dropouts:
            for generator, seed in zip(self.masks, batch.seeds, strict=True):
                generator.manual_seed(seed)
        with self.precision(), masks_for(self.dropouts, batch.n, batch.own):
            logits = self.joined(batch.x).to(batch.labels.dtype)
        summed = self._losses(logits, batch.labels).sum(-1)
        if self.entropy is not None:
            summed = summed + self.recipe.attention_entropy * self.entropy.take().sum(-1)
        # Each replica's mean depends on its own weights only, so the sum trains all of them.
        loss = summed.sum() / batch.n
        gradients = torch.autograd.grad(
            loss, list(self.joined.parameters()), allow_unused=True, materialize_grads=True
        )
        return summed.detach(), torch.cat([one.flatten() for one in gradients])

    def precision(self) -> torch.autocast:
        """Compute in bfloat16 where the recipe asks for it and the device has it."""
        kind = self.data.table.device.type
        able = kind == "cuda" and torch.cuda.is_bf16_supported()
        enabled = self.recipe.mixed_precision and able
        return torch.autocast(kind, dtype=torch.bfloat16, enabled=enabled)

    def _losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of every sequence, (R, B), with the weight of its class.

        Of a regression it is the squared error of the standardised label.
        """
        if self.data.scale is not None:
            return (logits - labels) ** 2
        losses = nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
        if self.class_weights is not None:
            losses = losses * self.class_weights.gather(1, labels.long())
        return losses

    def _close_epoch(self, started: float) -> None:
        """Evaluate, record, and keep the weights of the replicas that became better."""
        self.epoch += 1
        valid = self._validate()
        watched = {"train_loss": self.total / self.rows.n_epoch, **valid}
        watched["test_accuracy"] = self._accuracy()
        self.seconds = time.perf_counter() - started
        for replica in self.best.running(self.epoch):
            values = {n: None if v is None else float(v[replica]) for n, v in watched.items()}
            seconds = self.seconds / len(self.seeds)
            self.histories[replica].append(Epoch(self.epoch, seconds=seconds, **values))  # type: ignore[arg-type]
        score = valid[f"valid_{self.recipe.metric}"]
        if score is not None and self.recipe.metric != "loss":
            score = -score
        self.best.update(self.joined, self.epoch, score)
        self.seen, self.total = 0, torch.zeros_like(self.total)

    @torch.no_grad()
    def logits(self, rows: Tensor) -> Tensor:
        """Return the logits (R, n) of each replica's rows, with the replicas in evaluation mode."""
        self.joined.eval()
        own = distributed.own_slice(rows.shape[1])
        logits = torch.zeros(rows.shape, device=self.total.device, dtype=self.total.dtype)
        for start in range(own.start, own.stop, EVALUATED_AT_ONCE):
            batch = slice(start, min(start + EVALUATED_AT_ONCE, own.stop))
            logits[:, batch] = self.data.logits(
                lambda x: self.joined(self.joined.read(x)),
                rows[:, batch],
                both_strands=self.recipe.rc_average,
            )
        distributed.sum_over_processes([logits])
        self.joined.train()
        return logits

    def _validate(self) -> dict[str, Tensor | None]:
        """Return the metrics of the validation rows, (R,) each, or None where there are none."""
        names = ("valid_loss", "valid_auroc", "valid_auprc")
        rows = self.rows.valid
        if rows.shape[1] == 0:
            return dict.fromkeys(names)
        logits, labels = self.logits(rows), self.labels(rows)
        if self.data.scale is not None:
            return {**dict.fromkeys(names), "valid_loss": self._losses(logits, labels).mean(-1)}
        pair = labels.cpu().numpy(), logits.cpu().numpy()
        auprc = rank_auprc(*pair) if self.recipe.metric == "auprc" else None
        values = (self._losses(logits, labels).mean(-1), rank_auroc(*pair), auprc)
        return {
            name: None if value is None else torch.as_tensor(value)
            for name, value in zip(names, values, strict=True)
        }

    def _accuracy(self) -> Tensor | None:
        """Return the fraction of test rows right at logit 0, (R,), or None where there are none."""
        rows = self.rows.test
        if rows.shape[1] == 0:
            return None
        right = (self.logits(rows) > 0) == (self.labels(rows) > 0)
        return right.to(self.total.dtype).mean(-1)

    def labels(self, rows: Tensor) -> Tensor:
        """Return the labels (R, n) of each replica's rows."""
        labels = self.data.labels
        return labels[rows.to(labels.device)].to(self.total.device)

    def _state(self) -> State:
        """Return all that the rest of training depends on."""
        tensors = {"weights": self.weights.detach()}
        tensors |= {f"best.{name}": value for name, value in self.best.weights.items()}
        moments = self.optimizer.state_dict()["state"].get(0, {})
        tensors |= {f"adam.{name}": value for name, value in moments.items()}
        tensors |= {f"order.{r}": state for r, state in enumerate(self.order_states)}
        tensors |= {"scores": self.best.scores, "total": self.total}
        tensors["epochs"] = torch.as_tensor(self.best.epochs)
        facts: dict[str, Any] = {"epoch": self.epoch, "seen": self.seen, "seconds": self.seconds}
        facts["histories"] = [[asdict(epoch) for epoch in one] for one in self.histories]
        return State(tensors, facts)

    def _restore(self, state: State | None) -> None:
        """Go back to a state; the order of its epoch is drawn again."""
        if state is None:
            return
        saved, facts = state.tensors, state.facts
        with torch.no_grad():
            self.weights.copy_(saved["weights"])
            for name, value in self.best.weights.items():
                value.copy_(saved[f"best.{name}"])
        moments = {n[5:]: value for n, value in saved.items() if n.startswith("adam.")}
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict(
            {"state": {0: moments} if moments else {}, "param_groups": groups}
        )
        for replica, order in enumerate(self.orders):
            order.set_state(saved[f"order.{replica}"])
        self.best.scores, self.best.epochs = saved["scores"], saved["epochs"].numpy()
        self.total.copy_(saved["total"])
        self.epoch, self.seen, self.seconds = facts["epoch"], facts["seen"], facts["seconds"]
        self.histories = [[Epoch(**epoch) for epoch in one] for one in facts["histories"]]


def _class_weights(data: EncodedData, rows: Tensor, recipe: Recipe) -> Tensor | None:
    """Return the weights of labels 0 and 1, (R, 2), or None."""
    if recipe.class_weights == "none":
        return None
    positives = data.labels[rows.to(data.labels.device)].mean(-1, keepdim=True)
    fractions = torch.cat([1.0 - positives, positives], dim=1)
    return (0.5 / fractions).to(data.table.device)
