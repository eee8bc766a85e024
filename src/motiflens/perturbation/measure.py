"""What a motif, a stretch of bases or a pair of motifs does to a logit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import nn

from motiflens.attribution.base import reporting
from motiflens.errors import InputError
from motiflens.io.inputs import Sequences, codes_of, one_hot
from motiflens.models.calling import computing
from motiflens.perturbation.ablate import replace_sites
from motiflens.perturbation.effects import (
    STRANDS,
    Background,
    differences,
    effect_of,
    logits_of_codes,
)
from motiflens.perturbation.insert import check_start, motif_differences, random_background
from motiflens.perturbation.shortcut import LENGTH
from motiflens.perturbation.spacing import GAPS, ORIENTATIONS, Spacing, spacing_effect
from motiflens.progress import Progress
from motiflens.sequences import Site

Doubles = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Perturbation:
    """The logits of sequences before and after a change.

    Parameters
    ----------
    before, after
        (N,); where several changes are drawn or both strands are asked for, their mean.
    """

    before: Doubles
    after: Doubles

    @property
    def differences(self) -> Doubles:
        """After minus before, (N,)."""
        return self.after - self.before

    @property
    def effect(self) -> float:
        """The mean difference."""
        return effect_of(self.differences).mean

    @property
    def se(self) -> float:
        """The standard error of the effect, over the sequences."""
        return effect_of(self.differences).standard_error

    def __repr__(self) -> str:
        return f"Perturbation(effect={self.effect:.3g}, se={self.se:.2g}, n={len(self.before)})"

    def _repr_html_(self) -> str:
        """Show the means in a notebook."""
        return f"<code>{escape(repr(self))}</code>"


def marginalize(
    model: nn.Module,
    motif: str,
    background: Sequences | None = None,
    *,
    start: int | None = None,
    strands: str = "forward",
    target: int = 0,
    n: int = 100,
    length: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    device: str | None = None,
    progress: Progress | bool = False,
) -> Perturbation:
    """Measure what a motif does to the logit of sequences that it is put into.

    Parameters
    ----------
    model
        Any module from one-hot (N, 4, L) to logits (N,) or (N, T).
    motif
        A string over A, C, G, T.
    background
        Sequences, see :func:`motiflens.one_hot`; None for ``n`` random ones of ``length`` bases.
    start
        First base of the motif, 0-based; None for the middle of each sequence.
    strands
        ``"forward"``, ``"reverse"``, or ``"both"`` for the mean of the two.
    target
        Column of the logits.
    n, length, seed
        Of the random background; a length of None is that of the model's training data, or 200.
    threads, device, progress
        As in :func:`motiflens.attribute`.

    Raises
    ------
    InputError
        For a background that is none, a motif with other letters, one that does not fit, or a
        target that the model does not have.
    """
    inside = _background(model, background, n, length, seed)
    n_changes = len(STRANDS.get(strands, ""))
    with (
        computing(model, device, threads) as module,
        reporting(progress, "marginalize", n_changes, "changes"),
    ):
        change = motif_differences(module, motif, inside, start, strands, target)
        before = logits_of_codes(module, inside.codes, target)
    return Perturbation(before, before + change)


def ablate(
    model: nn.Module,
    sequences: Sequences,
    start: ArrayLike | None = None,
    end: ArrayLike | None = None,
    *,
    replacement: str = "shuffled",
    n: int = 10,
    target: int = 0,
    seed: int = 0,
    threads: int | None = None,
    device: str | None = None,
    progress: Progress | bool = False,
    **former: Any,
) -> Perturbation:
    """Measure what the bases from start to end do to the logit, by taking them out.

    Parameters
    ----------
    model
        Any module from one-hot (N, 4, L) to logits (N,) or (N, T).
    sequences
        See :func:`motiflens.one_hot`.
    start, end
        0-based, the end not in: one number, or one for each sequence (N,).
    replacement
        ``"shuffled"``: the bases are shuffled with their dinucleotide counts, which keeps the
        first and the last and may leave few bases as they were; ``"random"``: each is drawn anew.
    n
        Replacements drawn for each sequence, whose logits are averaged.
    target
        Column of the logits.
    seed
        Decides the replacements.
    threads, device, progress
        As in :func:`motiflens.attribute`.

    Raises
    ------
    InputError
        For sequences or a range that are none, and for arguments of before 0.3, when this function
        returned edited sequences.
    """
    if not isinstance(model, nn.Module) or "sites" in former or start is None or end is None:
        raise InputError(
            "ablate measures what bases do: ablate(model, sequences, start, end)",
            remedy="for the edited sequences that it returned before 0.3, use "
            "motiflens.perturbation.shuffle_out(sequences, sites)",
        )
    if former:
        raise InputError(f"ablate has no argument {', '.join(former)}", argument=tuple(former))
    if n < 1:
        raise InputError(f"n={n} is no replacement", remedy="ask for 10", argument="n")
    x = one_hot(sequences)
    if not len(x):
        raise InputError("there is no sequence to ablate", remedy="give one sequence or more")
    starts, ends = check_start(start, len(x)), check_start(end, len(x))
    sites = [[Site("", *row, "+")] for row in zip(starts.tolist(), ends.tolist(), strict=True)]
    codes, _ = codes_of(x)
    changed = replace_sites(x, sites, replacement, n, seed)
    with computing(model, device, threads) as module, reporting(progress, "ablate", n, "changes"):
        after = differences(module, codes, changed, target)
        before = logits_of_codes(module, codes, target)
    return Perturbation(before, before + after.mean(axis=0))


def space(
    model: nn.Module,
    motifs: tuple[str, str],
    background: Sequences | None = None,
    *,
    gaps: Sequence[int] = GAPS,
    orientations: Sequence[str] = ORIENTATIONS,
    strands: str = "forward",
    target: int = 0,
    n: int = 100,
    length: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    device: str | None = None,
    progress: Progress | bool = False,
) -> Spacing:
    """Measure what two motifs do together, by the gap between them and their orientation.

    Parameters
    ----------
    model, background, target, n, length, seed, threads, device, progress
        As in :func:`marginalize`.
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
        As :func:`marginalize`, for a gap below 0, one that does not fit, or another orientation.
    """
    inside = _background(model, background, n, length, seed)
    if isinstance(motifs, str) or len(motifs) != 2:
        told = "one string" if isinstance(motifs, str) else f"{len(motifs)} motifs"
        problem = f"motifs={told}, and a spacing has two"
        raise InputError(problem, remedy='give ("CGACC", "GAACTCC")', argument="motifs")
    n_changes = len(orientations) * len(gaps) * 3 * len(STRANDS.get(strands, ""))
    with (
        computing(model, device, threads) as module,
        reporting(progress, "space", n_changes, "changes"),
    ):
        return spacing_effect(
            module,
            motifs,
            inside,
            gaps=gaps,
            orientations=orientations,
            strands=strands,
            target=target,
        )


def _background(
    model: nn.Module, background: Sequences | None, n: int, length: int | None, seed: int
) -> Background:
    if background is not None:
        return Background(*codes_of(one_hot(background)))
    if length is None:
        length = getattr(model, "length", None) or LENGTH
    return Background(*codes_of(random_background(length, n=n, seed=seed)))
