"""What the bench is asked and what it replies, as the JSON of its API."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ViewRequest:
    """A sequence to look at.

    Parameters
    ----------
    model
        One of `/api/models`.
    sequence
        Letters A, C, G, T (or U) and N.
    seed
        Explain by this seed; the first without it. The prediction is of all seeds.
    mean
        Explain by the mean of all seeds, in place of one.
    method
        One of the model's methods; its first without it.
    """

    model: str
    sequence: str
    seed: int | None = None
    mean: bool = False
    method: str | None = None


@dataclass(frozen=True)
class Prediction:
    """What `motiflens predict` says of a sequence.

    Parameters
    ----------
    logit
        The mean of the seeds.
    probability
        The logit calibrated; None where the run has no calibration.
    sd
        Standard deviation of the logits over seeds; None of a single seed.
    unusual
        How the sequence differs from those of training: `longer`, `shorter`, `composition`.
    """

    logit: float
    probability: float | None
    sd: float | None
    unusual: str


@dataclass(frozen=True)
class View:
    """A sequence as a model sees it; values of its L bases.

    Parameters
    ----------
    model, method
        As asked for, or chosen.
    seed
        Whose network is explained; None where it is the mean of all.
    sequence
        In capital letters.
    prediction
        See there.
    contributions
        What each base adds to the logit, by the method, (L,).
    effects
        By `ism`: how the logit changes with A, C, G and T at each base, (4, L); else None.
    attention
        The weight of each base, the mean of all layers and heads, (L,); None without attention.
    """

    model: str
    seed: int | None
    method: str
    sequence: str
    prediction: Prediction
    contributions: tuple[float, ...]
    effects: tuple[tuple[float, ...], ...] | None
    attention: tuple[float, ...] | None


@dataclass(frozen=True)
class InsertRequest:
    """A motif to put into a sequence.

    Parameters
    ----------
    sequence, letters
        Of the sequence, and of the motif over A, C, G and T.
    start
        The first base that is replaced, from 0.
    form
        `motif`, `reverse complement` or `shuffle`.
    seed
        Of the shuffle.
    """

    sequence: str
    letters: str
    start: int
    form: str = "motif"
    seed: int = 0


@dataclass(frozen=True)
class Inserted:
    """The sequence with the motif in it, and the letters that were put there."""

    sequence: str
    letters: str
    start: int


@dataclass(frozen=True)
class SweepRequest:
    """A motif to put at every position of a sequence; see `InsertRequest`, `ViewRequest`."""

    model: str
    sequence: str
    letters: str
    form: str = "motif"


@dataclass(frozen=True)
class Sweep:
    """The logit with a motif at each position, beside that of its shuffles.

    Parameters
    ----------
    model, letters
        As they were put in.
    starts
        First bases, from 0; every one, unless the sequence is so long that some are left out.
    logits
        With the motif there.
    control, control_low, control_high
        With shuffles of it there: their mean, least and largest.
    shuffles
        The letters of the shuffles.
    without
        The logit of the sequence itself.
    """

    model: str
    letters: str
    starts: tuple[int, ...]
    logits: tuple[float, ...]
    control: tuple[float, ...]
    control_low: tuple[float, ...]
    control_high: tuple[float, ...]
    shuffles: tuple[str, ...]
    without: float


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


@dataclass(frozen=True)
class ServedModel:
    """A model that the bench has open.

    Parameters
    ----------
    id, run, name
        The model in requests; its run and architecture.
    seeds
        Its seeds.
    methods
        By which it is explained, the default first.
    min_length, max_length
        In bases.
    length
        Of the sequences that it was trained on.
    both_strands, attends
        Whether its logit is the mean over both strands; whether it has attention.
    """

    id: str
    run: str
    name: str
    seeds: tuple[int, ...]
    methods: tuple[str, ...]
    min_length: int
    max_length: int
    length: int
    both_strands: bool
    attends: bool


@dataclass(frozen=True)
class KnownMotif:
    """A motif to put in: its name, its most likely bases, and where it is from."""

    name: str
    letters: str
    origin: str


@dataclass(frozen=True)
class Example:
    """A sequence of the runs' test data."""

    name: str
    sequence: str
    label: int
    logit: float


@dataclass(frozen=True)
class Offer:
    """What the bench has: `/api/models`."""

    models: tuple[ServedModel, ...]
    motifs: tuple[KnownMotif, ...]
    examples: tuple[Example, ...]
    max_bases: int


@dataclass(frozen=True)
class Refusal:
    """Why there is no answer, in one line; the same in Chinese."""

    error: str
    error_zh: str
