"""The largest activation of every filter after each single substitution, as a change.

Few substitutions change a maximum. One rises only where a unit comes so near to it that another
base can carry it over; it falls only under the unit that holds it. So the units and the bases that
may matter are picked out, and nothing else is computed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from motiflens.models.filters import Filters
from motiflens.models.kmer_sums import largest

#: Units whose bases are tried at once: about what the processor's caches hold, and a GPU's memory.
UNITS_AT_ONCE = {"cpu": 2**14, "cuda": 2**20}
#: Largest number of changes that are laid out at once, zeros too.
CHANGES_AT_ONCE = 2**24
NONE = float("-inf")


@dataclass(frozen=True)
class MaxMutants:
    """What is known of N sequences before anything is substituted.

    Parameters
    ----------
    first, activation
        Filters with one unit a base, and what follows them.
    codes
        (N, L + K - 1): 0 to 3, 4 at zero columns and beyond the edges; K from unit u on are what
        that unit sees.
    activations
        (N, L, F) without the bias, minus infinity at units that do not count.
    highest, unit
        (N, F): the largest activations and the units that hold them.
    floor
        (F,): what an activation has to exceed to be told from none.
    differences
        (F · K · 5, 4): what each base adds in place of what the codes say.
    spread
        (F,): by how much one substitution can raise an activation at most.
    """

    first: Filters
    activation: nn.Module
    codes: Tensor
    activations: Tensor
    highest: Tensor
    unit: Tensor
    floor: Tensor
    differences: Tensor
    spread: Tensor

    @staticmethod
    def of(first: Filters, activation: nn.Module, one_hot: Tensor, valid: Tensor) -> MaxMutants:
        """Find the maxima of sequences (N, 4, L), over their valid units (N, L)."""
        activations = first(one_hot).masked_fill_(~valid.unsqueeze(-1), NONE)
        known = one_hot.amax(-2) > 0
        codes = nn.functional.pad(
            one_hot.argmax(-2).masked_fill_(~known, 4), first.padding, value=4
        )
        cut = isinstance(activation, nn.ReLU)
        floor = -first.bias if cut else torch.full_like(first.bias, NONE)
        highest, unit = largest(activations)
        bases = first.weight.mT.contiguous()  # (F, K, 4)
        differences = bases.unsqueeze(-2) - bases.unsqueeze(-1)
        differences = nn.functional.pad(differences, (0, 0, 0, 1), value=NONE).view(-1, 4)
        # A little more, since sums in another order round otherwise.
        spread = (bases.amax(-1) - bases.amin(-1)).amax(-1) * 1.001
        return MaxMutants(
            first, activation, codes, activations, highest, unit, floor, differences, spread
        )

    @property
    def reached(self) -> Tensor:
        """What another activation has to exceed to change a maximum, (N, F)."""
        return torch.maximum(self.highest, self.floor)

    def pooled(self, values: Tensor, filters: Tensor | slice = slice(None)) -> Tensor:
        """Map largest activations of some filters to what the next layer gets."""
        result: Tensor = self.activation(values + self.first.bias[filters])
        return result

    def changes(self) -> tuple[Tensor, Tensor]:
        """Return which maxima change, as indices into (N, L, 4, F), and by how much.

        What stands at a zero column of the input means nothing.
        """
        risen, fallen = self._risen(), self._under_the_highest()
        # Beneath its highest unit a filter has the exact value, so that none is there twice but
        # where several units rise: the largest counts.
        return torch.cat([risen[0], fallen[0]]), torch.cat([risen[1], fallen[1]])

    def _risen(self) -> tuple[Tensor, Tensor]:
        n_units, n_filters = self.activations.shape[-2:]
        reached = self.reached
        near = self.activations > (reached - self.spread).unsqueeze(-2)
        found = []
        for units in torch.split(near.view(-1).nonzero().squeeze(-1), self._at_once):
            filters = units % n_filters
            sequence_unit = units // n_filters
            of_maximum = sequence_unit // n_units * n_filters + filters
            offsets, table = self._seen(sequence_unit, filters)
            values = self._of(table).add_(self.activations.view(-1)[units][:, None, None])
            limit = reached.view(-1)[of_maximum]
            beside = self._beside(sequence_unit % n_units, of_maximum, offsets)
            limits = limit.unsqueeze(-1).masked_fill(~beside, -NONE).unsqueeze(-1)
            kept = (values > limits).view(-1).nonzero().squeeze(-1)
            row = kept // (4 * len(offsets))
            filters = filters[row]
            # The bases that a unit sees follow each other, and so do what they may become.
            place = (sequence_unit[row] + self.first.field.first - len(offsets) * row) * 4 + kept
            change = self.pooled(values.view(-1)[kept], filters)
            change -= self.pooled(limit[row], filters)
            found.append((place * n_filters + filters, change))
        return _joined(found, self.activations)

    def _beside(self, unit: Tensor, of_maximum: Tensor, offsets: Tensor) -> Tensor:
        """Mark the bases (units, K) that the highest unit does not see, or all if none counts."""
        behind = unit.unsqueeze(-1) + offsets - self.unit.view(-1)[of_maximum].unsqueeze(-1)
        counts = (self.highest > self.floor).view(-1)[of_maximum].unsqueeze(-1)
        return (behind < 0) | (behind >= len(offsets)) | ~counts

    def _under_the_highest(self) -> tuple[Tensor, Tensor]:
        """Return the maxima after a substitution of a base that the highest unit sees."""
        n_units, n_filters = self.activations.shape[-2:]
        kernel_size = self.first.field.width
        of_maximum = (self.highest > self.floor).view(-1).nonzero().squeeze(-1)
        sequence, filters = of_maximum // n_filters, of_maximum % n_filters
        highest = self.unit.view(-1)[of_maximum]
        around = torch.arange(1 - kernel_size, kernel_size, device=highest.device)
        unit = highest.unsqueeze(-1) + around
        inside = (unit >= 0) & (unit < n_units)
        sequence_unit = sequence.unsqueeze(-1) * n_units + unit.clamp(0, n_units - 1)
        index = sequence_unit * n_filters + filters.unsqueeze(-1)
        flat = self.activations.view(-1)
        values = flat[index].masked_fill_(~inside, NONE)
        others = flat.clone().index_fill_(0, index[inside], NONE).view_as(self.activations)
        rest = largest(others)[0].view(-1)[of_maximum]
        least = torch.maximum(rest, self.floor[filters])
        after = least.view(-1, 1, 1).repeat(1, kernel_size, 4)
        near = values > (least - self.spread[filters]).unsqueeze(-1)
        for row, at in zip(
            *(torch.split(x, self._at_once) for x in near.nonzero(as_tuple=True)), strict=True
        ):
            shown = self._with_each_base(
                filters[row], sequence_unit[row, at], values[row, at], around[at]
            )
            to = row[:, None, None].expand_as(shown)
            after.scatter_reduce_(0, to, shown, "amax")
        return self._placed(after, of_maximum)

    def _with_each_base(
        self, filters: Tensor, sequence_unit: Tensor, values: Tensor, behind: Tensor
    ) -> Tensor:
        """Return activations (units, K, 4) with each base at each place the highest unit sees."""
        offsets, table = self._seen(sequence_unit, filters, behind)
        seen = ((offsets >= 0) & (offsets < self.first.field.width)).unsqueeze(-1)
        differences = self._of(table).masked_fill_(~seen, 0)
        return differences.add_(values[:, None, None])

    def _placed(self, after: Tensor, of_maximum: Tensor) -> tuple[Tensor, Tensor]:
        n_units, n_filters = self.activations.shape[-2:]
        sequence, filters = of_maximum // n_filters, of_maximum % n_filters
        offsets = torch.arange(after.shape[1], device=after.device)
        position = self.unit.view(-1)[of_maximum].unsqueeze(-1) + offsets + self.first.field.first
        inside = (position >= 0) & (position < n_units)
        before = self.pooled(self.highest.view(-1)[of_maximum], filters)
        bias = self.first.bias[filters].view(-1, 1, 1)
        change = self.activation(after + bias) - before.view(-1, 1, 1)
        place = (sequence.unsqueeze(-1) * n_units + position).unsqueeze(-1) * 4
        to = (place + torch.arange(4, device=after.device)) * n_filters + filters.view(-1, 1, 1)
        return to[inside].view(-1), change[inside].view(-1)

    def _of(self, table: Tensor) -> Tensor:
        """Return rows (units, K) of the differences, (units, K, 4)."""
        return self.differences.index_select(0, table.view(-1)).view(*table.shape, 4)

    def _seen(
        self, sequence_unit: Tensor, filters: Tensor, behind: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return offsets within units (units, K) or (K,), and their rows in the differences.

        The bases are those that a unit sees, or those that one sees that lies so far ``behind``.
        """
        kernel_size, n_units = self.first.field.width, self.activations.shape[-2]
        offsets = torch.arange(kernel_size, device=filters.device)
        if behind is not None:
            offsets = offsets - behind.unsqueeze(-1)
        within = offsets.clamp(0, kernel_size - 1)
        start = sequence_unit // n_units * self.codes.shape[-1] + sequence_unit % n_units
        codes = self.codes.view(-1)[start.unsqueeze(-1) + within]
        return offsets, (filters.unsqueeze(-1) * kernel_size + within) * 5 + codes

    @property
    def _at_once(self) -> int:
        return UNITS_AT_ONCE.get(self.codes.device.type, UNITS_AT_ONCE["cuda"])


def _joined(found: list[tuple[Tensor, Tensor]], like: Tensor) -> tuple[Tensor, Tensor]:
    if not found:
        return torch.zeros(0, dtype=torch.long, device=like.device), like.new_zeros(0)
    return torch.cat([to for to, _ in found]), torch.cat([change for _, change in found])


def hidden_of_max_mutants(
    first: Filters,
    activation: nn.Module,
    weight: Tensor,
    one_hot: Tensor,
    valid: Tensor,
) -> tuple[Tensor, Tensor]:
    """Return the pooled values, and by how much each substitution changes what they are mapped to.

    Parameters
    ----------
    first, activation
        Filters with one unit a base; ReLU or another monotone activation.
    weight
        (O, F): of the layer that the pooled values go to.
    one_hot
        (N, 4, L).
    valid
        (N, L), bool: the units that count.

    Returns
    -------
    pooled, change
        (N, F), and (N, L, 4, O): base b put at position p, of any value at a zero column.
    """
    maxima = MaxMutants.of(first, activation, one_hot, valid)
    to, change = maxima.changes()
    n_filters = weight.shape[1]
    shape = (*maxima.activations.shape[:2], 4, len(weight))
    n_rows = shape[0] * shape[1] * 4
    at_once = max(1, CHANGES_AT_ONCE // n_filters)
    blocks = []
    for start in range(0, n_rows, at_once):
        size = min(at_once, n_rows - start) * n_filters
        here = slice(None)
        if n_rows > at_once:
            here = (to >= start * n_filters) & (to < start * n_filters + size)
        laid_out = _laid_out(to[here] - start * n_filters, change[here], size)
        blocks.append(laid_out.view(-1, n_filters) @ weight.T)
    return maxima.pooled(maxima.reached), torch.cat(blocks).view(shape)


def _laid_out(to: Tensor, change: Tensor, size: int) -> Tensor:
    # Rises are above 0 and never meet a fall, so what is 0 holds no change yet.
    rise = change.clamp(min=0)
    laid_out = change.new_zeros(size).scatter_reduce_(0, to, rise, "amax")
    return laid_out.scatter_add_(0, to, change - rise)
