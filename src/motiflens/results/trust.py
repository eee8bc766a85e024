"""``trust.json``: how far each method's explanations of each model can be trusted."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from motiflens.results.base import File, Part


class DeletionCurve(Part, frozen=True, kw_only=True):
    """How the logit falls as bases are replaced in one order.

    Values are fractions of the effect of all bases together: 1 is the mean logit of the sequences
    as they are, 0 that with all bases replaced.

    Parameters
    ----------
    deletion, insertion
        At each of the ``fractions`` of the bases, replaced or put back first to last.
    deletion_auc, insertion_auc
        Areas under them. The sooner the logit falls, the smaller the first.
    gain, gain_low, gain_high
        ``deletion_auc`` of random order minus that of this one, with its 95 % interval over
        sequences; None for an end that there is not, as of one sequence.
    """

    deletion: tuple[float, ...]
    insertion: tuple[float, ...]
    deletion_auc: float
    insertion_auc: float
    gain: float
    gain_low: float | None
    gain_high: float | None


class Untrained(Part, frozen=True, kw_only=True):
    """The same figures of the model before training; None where they are not computed."""

    base_auroc: float | None
    fraction_above_null: float | None


class MethodTrust(Part, frozen=True, kw_only=True):
    """What speaks for and against one method's explanations of one model.

    Parameters
    ----------
    base_auroc, base_auprc
        Of its bases against the true ones; None where no truth is known.
    ism_rank_correlation, ism_top_overlap
        Agreement with saturation mutagenesis; None where that was not to be had.
    fraction_above_null
        Fraction of the positives whose strongest window is above the null; 0.05 by chance.
    deletion_curve
        None where the logit does not fall at all.
    seed_rank_correlation
        Agreement with other seeds; None where there are none.
    untrained
        A control; None where there is no model before training.
    deletion_auc
        That of ``deletion_curve``.
    """

    base_auroc: float | None
    base_auprc: float | None
    ism_rank_correlation: float | None
    ism_top_overlap: float | None
    fraction_above_null: float
    deletion_curve: DeletionCurve | None
    seed_rank_correlation: float | None
    untrained: Untrained | None
    deletion_auc: float | None


class Replacement(Part, frozen=True, kw_only=True):
    """What a model loses with its attention.

    Parameters
    ----------
    auroc_loss, low, high
        Lost AUROC, with its 95 % interval.
    logit_change
        Mean change of the logit, in standard deviations of the logits.
    """

    auroc_loss: float
    low: float
    high: float
    logit_change: float


class MarkingTest(Part, frozen=True, kw_only=True):
    """Heads that mark bases, replaced together, by equal weights and by a permutation."""

    uniform: Replacement
    permuted: Replacement
    depends: str


class HeadTest(Part, frozen=True, kw_only=True):
    """One head of attention.

    Parameters
    ----------
    layer, head
        Name of its map and its number, from 1; None of a layer without a map.
    fraction_above_null, base_auroc
        As of a method; None without a map, or a truth.
    marks
        Whether it marks bases.
    uniform, permuted, depends
        As in :class:`AttentionTest`, of this head alone.
    """

    layer: str
    head: int | None
    fraction_above_null: float | None
    base_auroc: float | None
    marks: bool
    uniform: Replacement
    permuted: Replacement
    depends: str


class AttentionTest(Part, frozen=True, kw_only=True):
    """Attention replaced by equal weights, and by a permutation of itself.

    Parameters
    ----------
    uniform, permuted
        All attention of the model together.
    depends
        ``ranking``, ``logits`` or ``no``: what of the prediction depends on it; None before 0.2.
    heads, marking
        Each head alone; those that mark bases together, None where none does.
    hidden
        Whether the model has other attention, whose weights cannot be replaced.
    """

    uniform: Replacement
    permuted: Replacement
    depends: str | None = None
    heads: tuple[HeadTest, ...] = ()
    marking: MarkingTest | None = None
    hidden: bool = False


class RuleScore(Part, frozen=True, kw_only=True):
    """How often a figure falls as a rule is broken.

    Parameters
    ----------
    score, low, high
        Fraction of the minimal pairs in which it falls, a change of less than a tenth counting
        half, with its 95 % interval; 0.5 by chance.
    fall
        Median of what is lost, as a fraction of the larger of both values: 1 where nothing is
        left, above 1 where the sign turns.
    """

    score: float
    low: float
    high: float
    fall: float


class RuleTest(Part, frozen=True, kw_only=True):
    """Minimal pairs: the same sequences with a rule kept and broken.

    Parameters
    ----------
    kind, motifs, gaps
        ``and``, ``order`` or ``spacing``; names of the motifs; of ``spacing`` the fewest and the
        most bases between them.
    words
        The rule in words.
    n_pairs, n
        Pairs, and the sequences that they are of.
    logit
        Of what the compared motifs are worth to the logit, by taking them out: whether the model
        itself, and not only an explanation of it, knows the rule.
    methods
        Of the contributions at the motifs that are in both sequences, by method.
    claimed_by
        Methods by which the verdict claims the rule.
    """

    kind: str
    motifs: tuple[str, ...]
    gaps: tuple[int, int] | None
    words: str
    n_pairs: int
    n: int
    logit: RuleScore
    methods: dict[str, RuleScore]
    claimed_by: tuple[str, ...] = ()


class ModelTrust(Part, frozen=True, kw_only=True):
    """How far the explanations of one model can be trusted.

    Parameters
    ----------
    verdict
        What may be claimed, in words.
    auroc
        Of the model's first seed on the sequences of the checks.
    attention
        None of a model without.
    methods
        By name.
    random_order
        Bases in random order; None where the logit does not fall.
    refused
        Method → why it refused the model.
    n
        Positives that the methods were checked on.
    may_claim
        False where nothing may be claimed; None in files of before 0.2.
    stands_out_from
        Fraction of the positives above the null from which they stand out; None before 0.2.
    bases_claimed_by
        Methods by which bases may be claimed, in all positives or some; unset before 0.3.
    rule
        Minimal pairs of the rule of the known sites; unset where there is none.
    """

    verdict: str
    auroc: float | None = None
    attention: AttentionTest | None
    methods: dict[str, MethodTrust]
    random_order: DeletionCurve | None
    refused: dict[str, str]
    n: int
    may_claim: bool | None = None
    stands_out_from: float | None = None
    bases_claimed_by: tuple[str, ...] | UnsetType = UNSET
    rule: RuleTest | UnsetType = UNSET

    @property
    def claims_bases(self) -> bool:
        """Whether any method may claim bases; files of before 0.3 say it in words alone."""
        if self.bases_claimed_by is UNSET:
            return "bases may be claimed by" in self.verdict
        return bool(self.bases_claimed_by)


class Trust(File, frozen=True, kw_only=True):
    """``trust.json``: model → how far it can be trusted.

    Parameters
    ----------
    fractions
        Fractions of the bases at which deletion curves are known.
    models
        By name.
    """

    fractions: tuple[float, ...]
    models: dict[str, ModelTrust]
