"""What a simulated data set is made of: motifs, where they may lie, and the negatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real

from motiflens.datasets import check_strands
from motiflens.errors import InputError
from motiflens.motifs import UNIFORM, Motif

AS_POSITIVES = ("swapped", "moved")
"""Negatives that hold what positives hold, but not as their spacings say."""

NEGATIVES = ("random", "shuffled", "decoys", "subset", *AS_POSITIVES)
ORIENTATIONS = ("any", "same", "opposite")


LARGEST = 2**31 - 1
"""Largest number of sequences, bases or copies: positions are int32."""


@dataclass(frozen=True, eq=False)
class MotifUse:
    """A motif and how it is put into sequences.

    Parameters
    ----------
    motif
        Every site is drawn from its columns; a motif made of letters A C G T gives itself.
    copies
        Sites in each sequence, 1 or more.
    probability
        With which each copy is there, from 0 to 1.
    strands
        "forward", or "both" for either strand with equal probability.
    start_min, start_max
        First and last possible start, 0-based, both included. Without ``start_max`` a site may
        end with the sequence.
    mutation_rate
        Probability, from 0 to 1, with which each base of a site becomes one of the three others.

    Raises
    ------
    InputError
        When one of these does not hold.
    """

    motif: Motif
    copies: int = 1
    probability: float = 1.0
    strands: str = "forward"
    start_min: int = 0
    start_max: int | None = None
    mutation_rate: float = 0.0

    def __post_init__(self) -> None:
        _require_whole(f"copies of {self.name}", self.copies, 1)
        _require_fraction(f"the probability of {self.name}", self.probability)
        _require_fraction(f"the mutation rate of {self.name}", self.mutation_rate)
        check_strands(self.strands)
        _require_whole(f"start_min of {self.name}", self.start_min, 0)
        if self.start_max is not None:
            _require_whole(f"start_max of {self.name}", self.start_max, self.start_min)

    @property
    def name(self) -> str:
        """Name of the motif, and of its sites."""
        return self.motif.name


@dataclass(frozen=True)
class Spacing:
    """Two motifs of a grammar that keep a distance.

    Where both are in a sequence, ``second`` lies to the right of ``first`` with ``min_gap`` to
    ``max_gap`` bases (both included, each gap as likely as the next) between them and no other
    site in the gap. ``orientation`` "same" or "opposite" ties the strand of ``second``
    to that of ``first``; it needs ``strands = "both"`` for both.

    Raises
    ------
    InputError
        For gaps that are no whole numbers with 0 <= min_gap <= max_gap, for another orientation,
        and when both motifs are one.
    """

    first: str
    second: str
    min_gap: int
    max_gap: int
    orientation: str = "any"

    def __post_init__(self) -> None:
        pair = f"the spacing of {self.first} and {self.second}"
        if not (isinstance(self.first, str) and isinstance(self.second, str)):
            raise InputError(f"{pair} does not name motifs", remedy="give their names")
        _require_whole(f"min_gap of {pair}", self.min_gap, 0)
        _require_whole(f"max_gap of {pair}", self.max_gap, self.min_gap)
        _require_choice(f"the orientation of {pair}", self.orientation, ORIENTATIONS)
        if self.first == self.second:
            raise InputError(f"{pair} is not between two motifs", remedy="name another motif")


@dataclass(frozen=True, eq=False)
class Grammar:
    """A data set to be simulated.

    Parameters
    ----------
    motifs
        What positives hold.
    n
        Number of sequences.
    length
        Bases of a sequence, or the shortest and longest length (each length as likely).
    positive_fraction
        Share of positives, from 0 to 1; ``n`` times it is rounded.
    background
        Probabilities of A C G T outside the sites.
    negatives
        "random": background alone. "shuffled": as positives, but the bases of each site are
        shuffled until they are not the motif any more. "decoys": sites of ``decoys``.
        "subset": some of the motifs and never all of them, each such choice as likely as the
        next, beside the decoys, if there are any; to tell both classes every motif is needed.
        "swapped": as positives, but the motifs of each spacing have changed places, so that their
        order decides. "moved": as positives, but the gap of each spacing is one that positives do
        not have, each such gap with room as likely as the next, so that the distance decides.
    decoys
        Motifs of the negatives. They are never recorded as true sites.
    decoys_in_positives
        Whether positives hold the decoys too, beside their own motifs.
    spacing
        Pairs of motifs that keep a distance.
    label_noise
        Fraction of labels that are flipped, from 0 to 1; ``n`` times it is rounded.
    seed
        Used by `simulate` when it is given no other.

    Raises
    ------
    InputError
        When one of these does not hold, when a motif is longer than the shortest sequence, when
        the sites cannot fit, and when a name is used twice or is not known.
    """

    motifs: tuple[MotifUse, ...]
    n: int = 2000
    length: int | tuple[int, int] = 50
    positive_fraction: float = 0.5
    background: tuple[float, ...] = UNIFORM
    negatives: str = "random"
    decoys: tuple[MotifUse, ...] = ()
    decoys_in_positives: bool = False
    spacing: tuple[Spacing, ...] = ()
    label_noise: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        _require_whole("n, the number of sequences", self.n, 1)
        _require_whole("seed", self.seed, 0)
        _require_fraction("positive_fraction", self.positive_fraction)
        _require_fraction("label_noise", self.label_noise)
        _require_choice("negatives", self.negatives, NEGATIVES)
        _require_choice("decoys_in_positives", self.decoys_in_positives, (False, True))
        _check_length(self.length)
        _check_background(self.background)
        _check_motifs(self)
        for pair in self.spacing:
            _check_spacing(pair, self)
        _check_room(self)

    @property
    def length_range(self) -> tuple[int, int]:
        """Shortest and longest length."""
        return self.length if isinstance(self.length, tuple) else (self.length, self.length)

    def uses(self, positive: bool) -> tuple[MotifUse, ...]:
        """Give what is put into a positive or a negative, before shuffling or choosing."""
        if positive or self.negatives in AS_POSITIVES:
            return self.motifs + (self.decoys if self.decoys_in_positives else ())
        return {
            "random": (),
            "shuffled": self.motifs,
            "decoys": self.decoys,
            "subset": self.motifs + self.decoys,
        }[self.negatives]

    def other_gaps(self, pair: Spacing, length: int) -> list[int]:
        """List the gaps that a spacing does not have, and that all sites of a sequence leave."""
        taken = sum(use.copies * use.motif.width for use in self.uses(True))
        room = (length - taken) // max(1, len(self.spacing))
        return [gap for gap in range(room + 1) if not pair.min_gap <= gap <= pair.max_gap]


def tutorial_grammar(
    motif: str = "CGACCGAACTCC",
    n: int = 2000,
    length: int = 50,
    mutation_rate: float = 0.0,
    strands: str = "forward",
) -> Grammar:
    """Give the grammar of the tutorial: one motif at any start in half of the sequences.

    Background and negatives are random and uniform. Unlike the tutorial's own generator this
    one uses the last possible start, ``length - len(motif)``, too.

    Raises
    ------
    InputError
        As `Grammar`, and when the motif is no IUPAC string.
    """
    use = MotifUse(Motif.from_string(motif), strands=strands, mutation_rate=mutation_rate)
    return Grammar((use,), n=n, length=length)


def _check_length(length: int | tuple[int, int]) -> None:
    low, high = length if isinstance(length, tuple) and len(length) == 2 else (length, length)
    _require_whole("length", low, 1)
    _require_whole("the longest length", high, low)


def _check_background(background: tuple[float, ...]) -> None:
    for probability in background if isinstance(background, tuple) else ():
        _require_fraction("a probability of the background", probability)
    if not isinstance(background, tuple) or len(background) != 4 or abs(sum(background) - 1) > 1e-6:
        raise InputError(
            f"the background {background!r} is not four probabilities (A C G T) that sum to 1",
            remedy="correct it, or leave it out for 0.25 each",
        )


def _check_motifs(grammar: Grammar) -> None:
    if not grammar.motifs:
        raise InputError("the grammar has no motif", remedy="add one")
    if grammar.negatives in AS_POSITIVES and not grammar.spacing:
        raise InputError(
            f"negatives is {grammar.negatives!r}, and the grammar has no spacing",
            remedy="add one, or use other negatives",
        )
    asked = grammar.negatives == "decoys" or grammar.decoys_in_positives
    if asked > bool(grammar.decoys) or bool(grammar.decoys) > (
        asked or grammar.negatives == "subset"
    ):
        raise InputError(
            f"there are {len(grammar.decoys)} decoys, and negatives is {grammar.negatives!r}",
            remedy="decoys go with negatives of decoys or subset, or with decoys_in_positives; add "
            "them, or leave out what asks for them",
        )
    names = [use.name for use in grammar.motifs + grammar.decoys]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(
            f"{twice!r} names two motifs or decoys",
            remedy="rename one; for several sites of one motif use copies",
        )


def _check_spacing(pair: Spacing, grammar: Grammar) -> None:
    shortest, _ = grammar.length_range
    if grammar.negatives == "moved" and not grammar.other_gaps(pair, shortest):
        raise InputError(
            f"the spacing of {pair.first} and {pair.second} takes every gap that {shortest} bases "
            "have room for, and moved negatives need another",
            remedy="use longer sequences or a smaller max_gap",
        )
    uses = {use.name: use for use in grammar.motifs}
    both = [name for other in grammar.spacing for name in (other.first, other.second)]
    for name in (pair.first, pair.second):
        if name not in uses:
            problem = f"{name!r}, which is none of the motifs {', '.join(uses)}"
        elif uses[name].copies != 1:
            problem = f"{name} with {uses[name].copies} copies"
        elif both.count(name) > 1:
            problem = f"{name} in two spacings"
        elif pair.orientation != "any" and uses[name].strands != "both":
            problem = f"the orientation {pair.orientation!r} with {name} on one strand"
        else:
            continue
        raise InputError(
            f"there is {problem}",
            remedy="a spacing names two motifs that have one copy each, no other spacing, and both "
            "strands if it has an orientation",
        )


def _check_room(grammar: Grammar) -> None:
    shortest, _ = grammar.length_range
    for use in grammar.motifs + grammar.decoys:
        first_end = use.start_min + use.motif.width
        last_end = (use.start_max or 0) + use.motif.width
        if max(first_end, last_end) > shortest:
            raise InputError(
                f"a site of {use.name}, {use.motif.width} bases, does not fit into sequences of "
                f"{shortest} bases at all starts from {use.start_min} to "
                f"{'the last' if use.start_max is None else use.start_max}",
                remedy="use longer sequences, a shorter motif or smaller starts",
            )
    gaps = sum(pair.min_gap for pair in grammar.spacing)
    for positive in (True, False):
        needed = gaps + sum(use.copies * use.motif.width for use in grammar.uses(positive))
        if grammar.uses(positive) and needed > shortest:
            raise InputError(
                f"the sites of a sequence and their gaps take {needed} bases, and the shortest "
                f"sequence has {shortest}",
                remedy="use longer sequences, fewer copies or smaller gaps",
            )


def _require_whole(what: str, value: object, low: int) -> None:
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or not low <= int(value) <= LARGEST:  # type: ignore[call-overload]
        raise InputError(
            f"{what} is {value!r}", remedy=f"give a whole number from {low} to {LARGEST}"
        )


def _require_fraction(what: str, value: object) -> None:
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= float(value) <= 1:
        raise InputError(f"{what} is {value!r}", remedy="give a number from 0 to 1")


def _require_choice(what: str, value: object, choices: Sequence[object]) -> None:
    if value not in choices:
        raise InputError(f"{what} is {value!r}", remedy=f"choose {' or '.join(map(str, choices))}")
