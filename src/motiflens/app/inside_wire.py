"""What the look inside a network is asked and replies, as the JSON of the API."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class UnitChoice:
    """A unit of a network: a stage by its name, and the row and column of its table."""

    stage: str
    row: int
    column: int


@dataclass(frozen=True)
class InsideRequest:
    """A network to look into.

    Parameters
    ----------
    model, sequence
        As in `ViewRequest`.
    seed
        Whose network; the first without it.
    strand
        `+`, or `-` for what the network computes of the other strand.
    unit
        The unit to unfold.
    """

    model: str
    sequence: str
    seed: int | None = None
    strand: str = "+"
    unit: UnitChoice | None = None


@dataclass(frozen=True)
class Stage:
    """A stage of a network as a table of its live numbers.

    Parameters
    ----------
    name
        As the layer is called.
    kind
        `filters`, `attention`, `pooled`, `context`, `hidden` or `logit`.
    total
        Rows, or of a stage of one row columns, that there are; those shown are the largest.
    rows, columns
        The numbers of the rows and columns shown: filters or heads, and units or channels.
    values
        Rows by columns.
    starts, width
        Of a stage whose columns are units along the sequence: the first base that each sees, which
        may lie before the sequence, and how many it sees; none of other stages.
    """

    name: str
    kind: str
    total: int
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    values: tuple[tuple[float, ...], ...]
    starts: tuple[int, ...] = ()
    width: int = 0


@dataclass(frozen=True)
class Term:
    """One product of the arithmetic of a unit.

    Parameters
    ----------
    kind
        What is multiplied: `base`, `unit`, `filter`, `context`, `hidden` or `feature`.
    where
        Which: of a base its position, of a unit its first base, of a context head and filter, else
        its number; all from 0.
    letter
        Of a base.
    value, weight, product
        ``value * weight = product``.
    """

    kind: str
    where: tuple[int, ...]
    letter: str
    value: float
    weight: float
    product: float


@dataclass(frozen=True)
class Unfolded:
    """One unit: what it sees, and how its number comes about.

    Parameters
    ----------
    stage, row, column
        The unit.
    sees
        The bases that its number depends on: first, and end.
    source
        Where the number comes from: of a maximum, the bases of the unit that has it; else as
        `sees`.
    terms
        The largest products; `others` is the sum of the rest.
    others, bias, total
        ``sum of products + others + bias = total``.
    value
        The total after the activation; the number of the unit.
    """

    stage: str
    row: int
    column: int
    sees: tuple[int, int]
    source: tuple[int, int]
    terms: tuple[Term, ...]
    others: float
    bias: float
    total: float
    value: float


@dataclass(frozen=True)
class Inside:
    """The stages of one network on one sequence.

    Parameters
    ----------
    model, seed, strand, sequence
        What was looked into; the sequence is in the order of the given strand.
    stages
        In the order of computing.
    logit
        Of this strand.
    other_strand, mean
        Of a network that reads both strands: the logit of the other one, and the mean of both.
    unfolded
        The unit that was asked for.
    """

    model: str
    seed: int
    strand: str
    sequence: str
    stages: tuple[Stage, ...]
    logit: float
    other_strand: float | None
    mean: float | None
    unfolded: Unfolded | None
