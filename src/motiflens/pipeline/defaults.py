"""What a run does where the user has not said: it follows from the size of the training part.

Times are those of two cores, on which a run with the default models is to take ten minutes at most.
"""

from __future__ import annotations

from dataclasses import replace

from motiflens.errors import InputError
from motiflens.settings import Settings

#: Replicas of each model; the second number where the training part, as many sequences as it has
#: times the longest of them, holds more than ``MANY_BASES``.
SEEDS, FEWER_SEEDS, MANY_BASES = 5, 3, 1_000_000

#: Learning curves are trained for up to so many training sequences of up to so many bases: each of
#: their points costs as many steps as a model on all of a small training part.
SIZES, MOST_SEQUENCES, LONGEST = (50, 200, 800), 2_000, 120


def with_defaults(
    settings: Settings, n_train: int, longest: int
) -> tuple[Settings, tuple[str, ...]]:
    """Decide the number of seeds and the training sizes where the settings leave them open.

    Parameters
    ----------
    settings
        What they set is kept.
    n_train, longest
        Sequences of the training part, those that choose the epoch included, and the bases of the
        longest sequence.

    Returns
    -------
    settings, notes
        With nothing left open; a sentence on all that is less than a small data set gets.

    Raises
    ------
    InputError
        If a training size is set that is larger than the training part.
    """
    notes = []
    if settings.seeds is None:
        many = n_train * longest > MANY_BASES
        settings = replace(settings, seeds=FEWER_SEEDS if many else SEEDS)
        if many:
            notes.append(
                f"{FEWER_SEEDS} seeds of each model instead of {SEEDS}, as the training part holds "
                f"more than {MANY_BASES:,} bases; --seeds sets another number"
            )
    for size in settings.sizes or ():
        if size > n_train:
            raise InputError(
                f"a training size is at most the {n_train} training sequences",
                got=f"--sizes {size}",
                remedy="leave it out, or take a smaller one",
            )
    if settings.sizes is None:
        settings = replace(settings, sizes=default_sizes(n_train, longest))
        if n_train > MOST_SEQUENCES or longest > LONGEST:
            notes.append(
                f"no learning curves: they are trained by default for up to {MOST_SEQUENCES:,} "
                f"training sequences of up to {LONGEST} bases; --sizes "
                f"{','.join(map(str, SIZES))} trains them"
            )
    return settings, tuple(notes)


def default_sizes(n_train: int, longest: int) -> tuple[int, ...]:
    """Give the training sizes of a small data set below three quarters of it; else none."""
    if n_train > MOST_SEQUENCES or longest > LONGEST:
        return ()
    return tuple(size for size in SIZES if size < 0.75 * n_train)
