"""Sites taken out of sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.errors import InputError
from motiflens.perturbation.backgrounds import Floats, as_codes
from motiflens.perturbation.effects import Effect, differences
from motiflens.sequences import PAD, Codes, Site, one_hot
from motiflens.shuffles import dinucleotide_shuffle

REPLACEMENTS = ("shuffled", "random")
N_DRAWS = 10

Sites = Sequence[Sequence[Site]]


@dataclass(frozen=True)
class Ablation:
    """What is lost with the sites.

    Parameters
    ----------
    replacement
        What came in place of the sites.
    effect
        Mean over sequences of logit without their sites minus logit with them.
    control
        The same for as many stretches of the same widths that touch no site, over the sequences
        that have room for them; None where none has.
    n_sites
        Number of sites.
    """

    replacement: str
    effect: Effect
    control: Effect | None
    n_sites: int


def ablate(
    sequences: Floats | Tensor, sites: Sites, *, replacement: str = "shuffled", seed: int = 0
) -> Floats:
    """Take the sites out of sequences.

    Parameters
    ----------
    sequences
        One-hot (N, 4, L).
    sites
        Of each sequence; 0-based, half-open.
    replacement
        ``"shuffled"``: the bases of each site are shuffled with their dinucleotide counts, which
        keeps its first and last base and may leave a short or repetitive site as it was.
        ``"random"``: each base is drawn anew, every base as likely as the next.
    seed
        Of either.

    Returns
    -------
    one_hot
        (N, 4, L), a copy.

    Raises
    ------
    InputError
        If there is not one list of sites for each sequence, a site lies outside its sequence, or
        for another replacement.
    """
    codes = _checked(sequences, sites, replacement)
    return one_hot(_without(codes, sites, replacement, np.random.default_rng(seed)))


def ablation(
    module: nn.Module,
    sequences: Floats | Tensor,
    sites: Sites,
    *,
    spared: Sites | None = None,
    replacement: str = "shuffled",
    n_draws: int = N_DRAWS,
    target: int = 0,
    seed: int = 0,
) -> Ablation:
    """Tell how far the logit falls when sites are taken out, and beside it as many other bases.

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits; left as it was found.
    sequences
        One-hot (N, 4, L); those without sites are left out.
    sites
        Of each sequence; 0-based, half-open.
    spared
        Other sites of each sequence, such as those of other motifs, that the control leaves alone.
    replacement
        As in :func:`ablate`.
    n_draws
        Replacements drawn for each sequence, whose effects are averaged.
    target
        Column of the logits.
    seed
        Of the replacements and of the places of the control.

    Raises
    ------
    InputError
        As :func:`ablate`, when no sequence has a site, or for no draw.
    """
    codes = _checked(sequences, sites, replacement)
    rows = [row for row, found in enumerate(sites) if found]
    if not rows or n_draws < 1:
        raise InputError(
            "there are sites to take out, and at least one draw of what comes instead",
            got=f"{len(rows)} sequences with sites, {n_draws} draws",
            remedy="pass the sites of the sequences that have some",
        )
    _checked(sequences, spared or [()] * len(codes), replacement)
    chosen, own = codes[rows], [list(sites[row]) for row in rows]
    kept = [[*sites[row], *(spared[row] if spared else ())] for row in rows]
    generator = np.random.default_rng(seed)
    elsewhere = [
        _elsewhere(found, _free(row, barred), generator)
        for found, row, barred in zip(own, chosen, kept, strict=True)
    ]

    def effect(before: Codes, places: Sites) -> Effect:
        after = (_without(before, places, replacement, generator) for _ in range(n_draws))
        return Effect.of(differences(module, before, after, target).mean(axis=0))

    found = effect(chosen, own)
    room = [row for row, places in enumerate(elsewhere) if places]
    control = effect(chosen[room], [elsewhere[row] for row in room]) if room else None
    return Ablation(replacement, found, control, sum(map(len, own)))


def _checked(sequences: Floats | Tensor, sites: Sites, replacement: str) -> Codes:
    codes, lengths = as_codes(sequences)
    if replacement not in REPLACEMENTS:
        raise InputError(
            f"the replacement is one of {', '.join(REPLACEMENTS)}",
            got=repr(replacement),
            remedy="choose one of them",
        )
    if len(sites) != len(codes):
        raise InputError(
            "there is a list of sites for every sequence",
            got=f"{len(codes)} sequences, {len(sites)} lists of sites",
            remedy="pass an empty list for a sequence without any",
        )
    for row, found in enumerate(sites):
        for site in found:
            if not 0 <= site.start < site.end <= lengths[row]:
                raise InputError(
                    "a site lies within its sequence",
                    got=f"{site.start}-{site.end} in the {int(lengths[row])} bases of sequence "
                    f"{row + 1}",
                    remedy="pass the sites of these sequences, 0-based and half-open",
                )
    return codes


def _without(codes: Codes, sites: Sites, replacement: str, generator: np.random.Generator) -> Codes:
    """Copy codes (N, L) with all sites replaced; N stays N."""
    changed = codes.copy()
    flat = [(row, site) for row, found in enumerate(sites) for site in found]
    width = max(site.end - site.start for _, site in flat) if flat else 1
    lengths = np.array([site.end - site.start for _, site in flat], dtype=np.int32)
    cut = np.full((len(flat), width), PAD, dtype=np.uint8)
    for piece, (row, site) in zip(cut, flat, strict=True):
        piece[: site.end - site.start] = codes[row, site.start : site.end]
    if replacement == "shuffled":
        drawn = dinucleotide_shuffle(cut, lengths, generator)
    else:
        random = generator.integers(4, size=cut.shape, dtype=np.uint8)
        drawn = np.where(cut == PAD, PAD, random).astype(np.uint8)
    for piece, (row, site) in zip(drawn, flat, strict=True):
        changed[row, site.start : site.end] = piece[: site.end - site.start]
    return changed


def _free(codes: Codes, sites: Sequence[Site]) -> NDArray[np.bool_]:
    """Mark the known bases of codes (L,) that lie on no site."""
    free: NDArray[np.bool_] = codes < PAD
    for site in sites:
        free[site.start : site.end] = False
    return free


def _elsewhere(
    sites: Sequence[Site], free: NDArray[np.bool_], generator: np.random.Generator
) -> list[Site]:
    """Draw free bases for each site; none at all where one finds no room."""
    found = []
    for site in sites:
        width = site.end - site.start
        room = np.convolve(free, np.ones(width, dtype=int), mode="valid")
        starts = np.flatnonzero(room == width)
        if not starts.size:
            return []
        start = int(generator.choice(starts))
        free[start : start + width] = False
        found.append(site._replace(start=start, end=start + width))
    return found
