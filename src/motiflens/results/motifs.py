"""``motifs.json``: motifs read from models by every route, and those that new sequences confirm."""

from __future__ import annotations

from msgspec import field

from motiflens.results.base import ClassCounts, File, Matrix, Part


class Recovery(Part, frozen=True, kw_only=True):
    """How well a motif recovers a true one.

    Parameters
    ----------
    truth
        Name of the nearest true motif.
    similarity
        1 for a match of all columns, about 0 for chance.
    offset, strand
        Start of the found motif minus start of the true one, read along the true one; ``-`` where
        the reverse complement matches.
    exact
        Whether it holds the whole true motif and nothing else.
    """

    truth: str
    similarity: float
    offset: int
    strand: str
    exact: bool


class TrueMotif(Part, frozen=True, kw_only=True):
    """A true motif, (4, W)."""

    name: str
    consensus: str
    ppm: Matrix


class RouteMotif(Part, frozen=True, kw_only=True):
    """A motif that a route read from one seed of a model.

    Parameters
    ----------
    name, consensus, ppm, n_sites
        Its name, IUPAC letters, probabilities (4, W) and the windows that it was made of.
    recovery
        None where no truth is known.
    """

    name: str
    consensus: str
    ppm: Matrix
    n_sites: int
    recovery: Recovery | None = None


class SeedMotifs(Part, frozen=True, kw_only=True):
    """Route → motifs of one seed, best first."""

    seed: int
    routes: dict[str, tuple[RouteMotif, ...]]


class ModelMotifs(Part, frozen=True, kw_only=True):
    """The motifs of each seed of a model."""

    seeds: tuple[SeedMotifs, ...]


class Central(Part, frozen=True, kw_only=True):
    """The central region with most sites for its width.

    Parameters
    ----------
    p_value
        Times the number of regions that differ.
    region, sites_inside
        Fractions of all positions, and of the sites, within it.
    """

    p_value: float
    region: float
    sites_inside: float


class SiteAblation(Part, frozen=True, kw_only=True):
    """What the logit loses with the sites of a motif, averaged over seeds.

    Parameters
    ----------
    logit_change, control
        Without the sites minus with them; the same of other stretches, None where none has room.
    by_seed, n_seeds
        Each seed's, and their number.
    n_agreeing
        Seeds whose logit moves the way the motif says.
    """

    logit_change: float
    control: float | None
    by_seed: tuple[float, ...]
    n_seeds: int
    n_agreeing: int


class NamedMatch(Part, frozen=True, kw_only=True):
    """The known motif that a found one is like.

    Parameters
    ----------
    id, name
        In the database, such as MA0139.2 and CTCF.
    q_value, p_value
        Of the comparison with all its motifs, and with this one.
    offset, strand
        Start of the found motif minus start of the known one, and its strand.
    ppm
        Of the known motif, (4, W).
    others
        Names of the next nearest.
    family
        Structural family of the factor; None where it is not known.
    """

    id: str
    name: str
    q_value: float
    p_value: float
    offset: int
    strand: str
    ppm: Matrix
    others: tuple[str, ...]
    family: str | None = None


class ConfirmedMotif(Part, frozen=True, kw_only=True, omit_defaults=True):
    """A motif with the evidence of sequences that it was not found in.

    Parameters
    ----------
    name, consensus
        ``motif-1`` is the best; IUPAC letters.
    direction
        ``positive`` or ``negative``: the class that it speaks for.
    ppm, cwm
        Probabilities and contributions, (4, W); no contributions without a model.
    n_seqlets, n_sites
        Seqlets that it was made of; its sites in the tested sequences.
    p_threshold
        p-value up to which a position is a site.
    positives_with_site, negatives_with_site
        Fractions of the tested sequences.
    p_value, log_p_value, q_value, fold
        Of Fisher's test between them; its natural logarithm; over all motifs; their ratio.
    profile
        Sites by position, in 20 bins of the sequence.
    central
        None where there are too few sites.
    mean_contribution
        Of its seqlets.
    ablation, match
        None where nothing was taken out; where no known motif is alike.
    recovery
        None where no truth is known.
    """

    name: str
    consensus: str
    direction: str
    ppm: Matrix
    cwm: Matrix | None
    n_seqlets: int
    n_sites: int
    p_threshold: float
    positives_with_site: float
    negatives_with_site: float
    p_value: float
    log_p_value: float
    q_value: float
    fold: float
    profile: tuple[int, ...]
    central: Central | None
    mean_contribution: float | None
    ablation: SiteAblation | None
    match: NamedMatch | None
    recovery: Recovery | None = None


class DismissedMotif(Part, frozen=True, kw_only=True):
    """What is kept of a motif that new sequences do not confirm."""

    consensus: str
    direction: str
    n_seqlets: int
    q_value: float


class SequencesTested(ClassCounts, frozen=True, kw_only=True):
    """Sequences that motifs were tested on, and those left out; None in files of before 0.2.

    Parameters
    ----------
    groups
        Homology groups that count.
    overlapping, left_out
        Sequences that overlap another tested one; those related to what motifs were found in.
    """

    groups: int | None = None
    overlapping: int | None = None
    left_out: int | None = None


class DiscoveredBy(Part, frozen=True, kw_only=True):
    """How the motifs of a run's best model were found and tested.

    Parameters
    ----------
    model, seeds, method
        Whose explanations, by which method.
    database
        Of the names.
    found_in, tested_on
        Sequences.
    note
        Sentences on those that do not count.
    not_significant
        Motifs that were dismissed.
    """

    model: str
    seeds: tuple[int, ...]
    method: str
    database: str
    found_in: ClassCounts
    tested_on: SequencesTested
    note: str = ""
    not_significant: tuple[DismissedMotif, ...]


class Shortcut(Part, frozen=True, kw_only=True):
    """Whether a model has learnt the order of a motif's bases, or their composition alone.

    Parameters
    ----------
    motif
        The inserted letters; "" in files of before 0.2.
    motif_effect, standard_error, low, high
        Mean change of the logit over backgrounds, and its 95 % interval.
    outcome
        ``order``, ``part``, ``composition`` or ``no effect``.
    shuffled_fraction, homopolymer_fraction
        Fraction of the effect that shuffles keep, and the best run of one base.
    homopolymer_fractions
        Base → fraction.
    mismatch_loss
        Fraction of the effect that a mismatch at each position costs, (W,).
    verdict
        A sentence.
    """

    motif: str = ""
    motif_effect: float
    standard_error: float | None = None
    low: float | None = None
    high: float | None = None
    outcome: str | None = None
    shuffled_fraction: float
    homopolymer_fraction: float
    homopolymer_fractions: dict[str, float] = field(default_factory=dict)
    mismatch_loss: tuple[float, ...]
    verdict: str

    @property
    def has_effect(self) -> bool:
        """Whether the effect is more than chance; files of before 0.2 say it in words alone."""
        none = "no effect" in self.verdict if self.outcome is None else self.outcome == "no effect"
        return self.motif_effect != 0 and not none


class Motifs(File, frozen=True, kw_only=True):
    """``motifs.json`` of a run.

    Parameters
    ----------
    truth
        The true motifs, as far as they are known.
    n_positives
        Sequences that the routes read.
    models, untrained
        Model → motifs of every seed and route, after and before training.
    discovery, discovered_by
        Motifs of the best model that the test split confirms, best first, and how.
    shortcut
        Model → test of its motif.
    """

    truth: tuple[TrueMotif, ...] = ()
    n_positives: int | None = None
    models: dict[str, ModelMotifs]
    untrained: dict[str, ModelMotifs] = field(default_factory=dict)
    discovery: tuple[ConfirmedMotif, ...] = ()
    discovered_by: DiscoveredBy | None = None
    shortcut: dict[str, Shortcut] = field(default_factory=dict)


class Given(ClassCounts, frozen=True, kw_only=True):
    """Sequences that were given, their homology groups, and copies of another one."""

    groups: int
    copies: int


class DiscoveredInSequences(Part, frozen=True, kw_only=True):
    """How motifs were found in sequences alone.

    Parameters
    ----------
    method, sequences, negatives
        ``sequences alone``; name of the file; ``shuffle`` or name of the file.
    held_out
        Whether they were tested on other sequences than they were found in.
    database
        Of the names.
    given
        None in folders of before 0.2.
    note, found_in, tested_on, not_significant
        As in :class:`DiscoveredBy`.
    """

    method: str
    sequences: str = ""
    held_out: bool
    negatives: str
    database: str
    given: Given | None = None
    note: str = ""
    found_in: ClassCounts
    tested_on: SequencesTested
    not_significant: tuple[DismissedMotif, ...]


class MotifsWithoutModel(File, frozen=True, kw_only=True):
    """``motifs.json`` of ``motifs --no-model``: motifs of sequences alone."""

    discovery: tuple[ConfirmedMotif, ...]
    discovered_by: DiscoveredInSequences
