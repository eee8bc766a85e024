"""Where a motif lies, how many copies there are of it, and how far it lies from another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from motiflens.errors import InputError, one_of
from motiflens.perturbation.effects import Background, Floats, Insert, effect_of, orient
from motiflens.perturbation.insert import check_start
from motiflens.results.experiments import Dose, Effect, Position

N_POSITIONS, MAX_COPIES = 25, 5
GAPS = tuple(range(0, 21, 2))
ORIENTATIONS = ("++", "+-", "-+", "--")


def position_effect(
    module: nn.Module,
    motif: str,
    background: Floats | Tensor,
    *,
    starts: Sequence[int] | None = None,
    strands: str = "forward",
    target: int = 0,
) -> Position:
    """Put a motif at one position after the other of the same backgrounds.

    Parameters
    ----------
    module, motif, background, strands, target
        As in :func:`marginal_effect`.
    starts
        First bases; None for up to 25 from the first to the last that every sequence has.

    Raises
    ------
    InputError
        As :func:`marginal_effect`, and when there are no starts.
    """
    inside = Background.of(background)
    codes = inside.motif(motif)
    if starts is None:
        last = int(inside.lengths.min()) - len(codes)
        starts = np.unique(np.linspace(0, last, N_POSITIONS).round().astype(int)).tolist()
    if not starts:
        raise InputError("there is no start to try", remedy="give one or more", argument="starts")

    def layouts(strand: str) -> Iterator[list[Insert]]:
        for start in starts:
            yield [Insert(orient(codes, strand), check_start(start, len(inside.codes)))]

    effects = map(effect_of, inside.effects(module, strands, layouts, target))
    first = tuple(map(int, starts))
    return Position(motif=motif.upper(), starts=first, effects=tuple(effects))


def copy_number_effect(
    module: nn.Module,
    motif: str,
    background: Floats | Tensor,
    *,
    max_copies: int = MAX_COPIES,
    strands: str = "forward",
    target: int = 0,
    seed: int = 0,
) -> Dose:
    """Put 1, 2, … copies of a motif into the same backgrounds.

    The copies lie at random positions without overlap; where k copies lie, one more joins them.

    Parameters
    ----------
    module, motif, background, strands, target
        As in :func:`marginal_effect`.
    max_copies
        Most copies.
    seed
        Of the positions.

    Raises
    ------
    InputError
        As :func:`marginal_effect`, and where all copies do not fit side by side.
    """
    inside = Background.of(background)
    codes = inside.motif(motif)
    if max_copies < 1:
        raise InputError(
            f"max_copies={max_copies} is no copy", remedy="ask for 5", argument="max_copies"
        )
    n, width = len(inside.codes), len(codes)
    inside.require_room(width * max_copies, f"{max_copies} copies of {width} bases")
    # The starts (N,) of each copy, in random order along each sequence.
    generator = np.random.default_rng(seed)
    free = inside.lengths.astype(np.int64) - width * max_copies
    drawn = generator.integers(free[:, None] + 1, size=(n, max_copies))
    starts = np.sort(drawn, axis=1) + width * np.arange(max_copies)
    starts = generator.permuted(starts, axis=1).T
    copies = tuple(range(1, max_copies + 1))

    def layouts(strand: str) -> list[list[Insert]]:
        inserts = [Insert(orient(codes, strand), start) for start in starts]
        return [inserts[:number] for number in copies]

    effects = map(effect_of, inside.effects(module, strands, layouts, target))
    return Dose(motif=motif.upper(), copies=copies, effects=tuple(effects))


@dataclass(frozen=True)
class Spacing:
    """What two motifs do together.

    Parameters
    ----------
    first, second
        The motifs.
    gaps
        Bases between them.
    together
        Orientation → for each gap the effect of the pair. In orientation ``"+-"`` the first motif
        lies on the forward strand and left of the second, which lies on the reverse strand.
    interaction
        Orientation → for each gap the effect of the pair less the effects of each of them alone
        at the same position: 0 where they add up.
    """

    first: str
    second: str
    gaps: tuple[int, ...]
    together: dict[str, tuple[Effect, ...]]
    interaction: dict[str, tuple[Effect, ...]]


def spacing_effect(
    module: nn.Module,
    motifs: tuple[str, str],
    background: Floats | Tensor | Background,
    *,
    gaps: Sequence[int] = GAPS,
    orientations: Sequence[str] = ORIENTATIONS,
    strands: str = "forward",
    target: int = 0,
) -> Spacing:
    """Put two motifs at several gaps and orientations into the middle of the same backgrounds.

    Parameters
    ----------
    module, background, target
        As in :func:`marginal_effect`.
    motifs
        Two strings over A, C, G, T; the first lies left of the second.
    gaps
        Bases between the two.
    orientations
        Of ``"++"``, ``"+-"``, ``"-+"``, ``"--"``: strand of the first, strand of the second.
    strands
        ``"reverse"`` puts the reverse complement of the pair as a whole, ``"both"`` gives the mean.

    Raises
    ------
    InputError
        As :func:`marginal_effect`, for a gap below 0, one that does not fit, or another
        orientation.
    """
    inside = Background.of(background)
    pair = [inside.motif(motif) for motif in motifs]
    _check(gaps, orientations)
    width = sum(map(len, pair)) + max(gaps)
    inside.require_room(width, f"two motifs {max(gaps)} bases apart, {width} together,")

    def layouts(strand: str) -> Iterator[list[Insert]]:
        left, right = map(orient, pair, orientation)
        if strand == "-":  # the whole block read from its other end
            left, right = orient(right, "-"), orient(left, "-")
        for gap in gaps:
            start = inside.middle(len(left) + gap + len(right))
            both = [Insert(left, start), Insert(right, start + len(left) + gap)]
            yield from (both, both[:1], both[1:])

    together, interaction = {}, {}
    for orientation in orientations:
        changes = inside.effects(module, strands, layouts, target)
        changes = changes.reshape(len(gaps), 3, len(inside.codes))
        together[orientation] = tuple(effect_of(pair) for pair, _, _ in changes)
        interaction[orientation] = tuple(effect_of(pair - a - b) for pair, a, b in changes)
    return Spacing(motifs[0].upper(), motifs[1].upper(), tuple(gaps), together, interaction)


def _check(gaps: Sequence[int], orientations: Sequence[str]) -> None:
    if not len(gaps) or min(gaps) < 0:
        raise InputError(
            f"gaps={list(gaps)} are not one or more whole numbers from 0 on", argument="gaps"
        )
    if not orientations:
        raise InputError("there is no orientation", remedy="give '++'", argument="orientations")
    for orientation in orientations:
        one_of("an orientation", orientation, ORIENTATIONS, argument="orientations")
