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
    stages
        Whether it can be looked into; not a module of others, of whose stages nothing is known.
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
    stages: bool


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
