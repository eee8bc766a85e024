"""``experiments.json``: motifs put into sequences and taken out of them."""

from __future__ import annotations

from motiflens.results.base import File, Part


class Effect(Part, frozen=True, kw_only=True):
    """Mean change of the logit over ``n`` sequences, and its standard error."""

    mean: float
    standard_error: float
    n: int


class Dose(Part, frozen=True, kw_only=True):
    """The effect of so many copies of a motif."""

    motif: str
    copies: tuple[int, ...]
    effects: tuple[Effect, ...]


class Position(Part, frozen=True, kw_only=True):
    """The effect of a motif whose first base is at each of ``starts`` (0-based)."""

    motif: str
    starts: tuple[int, ...]
    effects: tuple[Effect, ...]


class Ablation(Part, frozen=True, kw_only=True):
    """What is lost with the sites of a motif.

    Parameters
    ----------
    replacement
        ``shuffled`` or ``random``: what came in their place.
    effect, control
        Without the sites minus with them; the same of other stretches, None where none has room.
    n_sites
        Number of sites.
    """

    replacement: str
    effect: Effect
    control: Effect | None
    n_sites: int


class Spacing(Part, frozen=True, kw_only=True):
    """Two motifs together.

    Parameters
    ----------
    first_name, second_name, first, second
        Their names and letters.
    gaps
        Bases between them.
    together, interaction
        Orientation such as ``+-`` → effect at each gap; of both, and less that of each alone.
    """

    first_name: str
    second_name: str
    first: str
    second: str
    gaps: tuple[int, ...]
    together: dict[str, tuple[Effect, ...]]
    interaction: dict[str, tuple[Effect, ...]]


class MotifExperiments(Part, frozen=True, kw_only=True):
    """One motif alone.

    Parameters
    ----------
    name, inserted
        Its name, and the letters that were put in.
    marginal, dose, position
        The effect of one copy, of several, and at each position.
    ablation
        None where no explained sequence has a site.
    """

    name: str
    inserted: str
    marginal: Effect
    dose: Dose
    position: Position
    ablation: Ablation | None


class ModelExperiments(Part, frozen=True, kw_only=True):
    """One model's first seed.

    Parameters
    ----------
    strands
        ``forward`` or ``both``: where motifs were put.
    n_backgrounds
        Sequences that they were put into.
    motifs, spacing
        Each motif alone; the first two together, None of one.
    """

    strands: str
    n_backgrounds: int
    motifs: tuple[MotifExperiments, ...]
    spacing: Spacing | None


class Experiments(File, frozen=True, kw_only=True):
    """``experiments.json``: model → what was tried with it."""

    models: dict[str, ModelExperiments]
