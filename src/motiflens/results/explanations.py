"""``attention.json`` and ``attributions/MODEL/checks.json``: what explanations show and hold."""

from __future__ import annotations

from msgspec import UNSET, UnsetType, field

from motiflens.results.base import File, Interval, Part


class Stretched(Part, frozen=True, kw_only=True):
    """Raw weights stretched over the sequence, as the tutorial does: on and beside the motif."""

    motif: float | None
    background: float | None


class UnitWeights(Part, frozen=True, kw_only=True):
    """Attention on one positive before it is laid on bases, by units, the mean of all heads.

    Parameters
    ----------
    sequence
        Its name.
    first, stride, width
        Unit i sees the bases from ``first + i * stride`` (0-based) on, ``width`` of them.
    weights, stretched
        Of each unit; and of each base where these are stretched over the sequence, as the tutorial
        does.
    """

    sequence: str
    first: int
    stride: int
    width: int
    weights: tuple[float, ...]
    stretched: tuple[float, ...]


class AttentionSteps(Part, frozen=True, kw_only=True):
    """How additive attention comes from a sequence to its logit, step by step; U units, F filters.

    Parameters
    ----------
    keys
        (U, F): of each unit, also its value.
    query
        (F,): their mean.
    scores, weights
        (U,): how well each key matches the query, and the softmax of that.
    context
        (F,): the sum of the values by their weights.
    from_context, from_filters, bias, logit
        What the context, the units themselves and the bias of the output add up to.
    """

    keys: tuple[tuple[float, ...], ...]
    query: tuple[float, ...]
    scores: tuple[float, ...]
    weights: tuple[float, ...]
    context: tuple[float, ...]
    from_context: float
    from_filters: float
    bias: float
    logit: float


class AttentionContrast(Part, frozen=True, kw_only=True):
    """Attention of a model on and beside the motif; 1 is uniform attention.

    Parameters
    ----------
    motif, background
        On the true sites of positives, and beside them; None where there is nothing to average.
    null
        On negatives, under the sites of positives.
    n
        Positives with sites.
    stretched_first_100
        The tutorial's own figure, of the first 100 positives.
    example
        The attention on one positive; unset in files of before 0.5.
    steps
        Of the tutorial's model: how it comes from that positive to its logit; unset of others.
    """

    motif: Interval | None
    background: Interval | None
    null: Interval | None
    n: int
    stretched_first_100: Stretched
    example: UnitWeights | UnsetType = UNSET
    steps: AttentionSteps | UnsetType = UNSET


class Attention(File, frozen=True, kw_only=True):
    """``attention.json``: model → its attention, where it has any and true sites are known."""

    models: dict[str, AttentionContrast]


class MethodChecks(Part, frozen=True, kw_only=True):
    """What an explanation was tested for.

    Parameters
    ----------
    completeness
        Mean difference between the sum of a sequence's contributions and what it should be, as a
        fraction of that; None of methods that promise no sum.
    strands
        Largest difference between the strands of a model that reads both, as a fraction of the
        largest value; None of other models.
    precision
        The same between float32 and float64.
    completeness_note
        What is missing where more than 1 % is; unset in files of before 0.2, whose completeness is
        that of other contributions.
    """

    completeness: float | None
    strands: float | None
    precision: float | None
    completeness_note: str | UnsetType | None = UNSET


class Agreement(Part, frozen=True, kw_only=True):
    """How far contributions of a distilled network are those of the ensemble that it learnt from.

    Parameters
    ----------
    median, low, high
        Of the correlation over the bases of a sequence, by sequences, and its quartiles.
    n
        Sequences.
    example
        The sequence of the median.
    """

    median: float
    low: float
    high: float
    n: int
    example: str


class Checks(File, frozen=True, kw_only=True):
    """``checks.json`` of a model.

    Parameters
    ----------
    methods, refused
        Method → its checks, and method → why it refused the model.
    logits
        Of the explained sequences, in their order, by the explained seed; unset before 0.5.
    negative_logits
        Of the explained negatives, likewise; unset where none is.
    agreement
        Method → agreement with the ensemble; unset but of the distilled network.
    """

    methods: dict[str, MethodChecks]
    refused: dict[str, str] = field(default_factory=dict)
    logits: tuple[float, ...] | UnsetType = UNSET
    negative_logits: tuple[float, ...] | UnsetType = UNSET
    agreement: dict[str, Agreement] | UnsetType = UNSET
