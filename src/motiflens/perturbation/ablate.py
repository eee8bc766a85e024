"""Sites taken out of sequences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.errors import InputError, one_of
from motiflens.perturbation.effects import Background, Floats, differences, effect_of
from motiflens.results.experiments import Ablation, Effect
from motiflens.sequences import PAD, Codes, Site, one_hot
from motiflens.shuffles import dinucleotide_shuffle

REPLACEMENTS = ("shuffled", "random")
N_DRAWS = 10

Sites = Sequence[Sequence[Site]]


def shuffle_out(
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
    codes = _check(sequences, sites, replacement)
    return one_hot(_without(codes, sites, replacement, np.random.default_rng(seed)))


def replace_sites(
    sequences: Floats | Tensor, sites: Sites, replacement: str, n: int, seed: int
) -> Iterator[Codes]:
    """Give the codes (N, L) without the sites, n times; errors as of :func:`shuffle_out`."""
    codes = _check(sequences, sites, replacement)
    generator = np.random.default_rng(seed)
    return (_without(codes, sites, replacement, generator) for _ in range(n))


def ablate_sites(
    module: nn.Module,
    sequences: Floats | Tensor,
    sites: Sites,
    *,
    exclude_sites: Sites | None = None,
    replacement: str = "shuffled",
    n_draws: int = N_DRAWS,
    target: int = 0,
    seed: int = 0,
) -> Ablation:
    """Measure how far the logit falls without the sites, and without as many other bases.

    Parameters
    ----------
    module, target
        See :mod:`motiflens.perturbation.effects`.
    sequences
        One-hot (N, 4, L); those without sites are left out.
    sites
        Of each sequence; 0-based, half-open.
    exclude_sites
        Other sites of each sequence, such as those of other motifs, that the control leaves alone.
    replacement
        As in :func:`shuffle_out`.
    n_draws
        Replacements drawn for each sequence, whose effects are averaged.
    seed
        Of the replacements and of the positions of the control.

    Raises
    ------
    InputError
        As :func:`shuffle_out`, when no sequence has a site, or for no draw.
    """
    codes = _check(sequences, sites, replacement)
    rows = [row for row, own in enumerate(sites) if own]
    if not rows or n_draws < 1:
        raise InputError(
            f"{len(rows)} sequences with sites and {n_draws} draws are nothing to measure",
            remedy="pass the sites of the sequences that have some",
            argument="n_draws",
        )
    _check(sequences, exclude_sites or [()] * len(codes), replacement)
    generator = np.random.default_rng(seed)
    barred = [[*sites[row], *(exclude_sites[row] if exclude_sites else ())] for row in rows]
    elsewhere = [
        _elsewhere(sites[row], _free(codes[row], kept), generator)
        for row, kept in zip(rows, barred, strict=True)
    ]

    def effect(before: Codes, removed: Sites) -> Effect:
        after = (_without(before, removed, replacement, generator) for _ in range(n_draws))
        return effect_of(differences(module, before, after, target).mean(axis=0))

    effect_of_sites = effect(codes[rows], own := [sites[row] for row in rows])
    room = [(row, free) for row, free in zip(rows, elsewhere, strict=True) if free]
    control = effect(codes[[row for row, _ in room]], [free for _, free in room]) if room else None
    return Ablation(
        replacement=replacement,
        effect=effect_of_sites,
        control=control,
        n_sites=sum(map(len, own)),
    )


def _check(sequences: Floats | Tensor, sites: Sites, replacement: str) -> Codes:
    codes, lengths = vars(Background.of(sequences)).values()
    one_of("a replacement", replacement, REPLACEMENTS, argument="replacement")
    if len(sites) != len(codes):
        raise InputError(
            f"{len(codes)} sequences have {len(sites)} lists of sites",
            remedy="pass an empty list for a sequence without any",
            argument="sites",
        )
    for row, own in enumerate(sites):
        for site in own:
            if not 0 <= site.start < site.end <= lengths[row]:
                raise InputError(
                    f"{site.start}-{site.end} does not lie in the {int(lengths[row])} bases of "
                    f"sequence {row + 1}",
                    remedy="count bases from 0, and the end not in",
                )
    return codes


def _without(codes: Codes, sites: Sites, replacement: str, generator: np.random.Generator) -> Codes:
    """Copy codes (N, L) with all sites replaced; N stays N."""
    changed = codes.copy()
    flat = [(row, site) for row, own in enumerate(sites) for site in own]
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
    elsewhere = []
    for site in sites:
        width = site.end - site.start
        room = np.convolve(free, np.ones(width, dtype=int), mode="valid")
        starts = np.flatnonzero(room == width)
        if not starts.size:
            return []
        start = int(generator.choice(starts))
        free[start : start + width] = False
        elsewhere.append(site._replace(start=start, end=start + width))
    return elsewhere
