"""From a start to a motif: sites and columns found in turn, until both stay."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, gammaln

from motiflens.discovery.windows import FLANK, MAX_WIDTH, Windows
from motiflens.sequences import PAD, Codes

MIN_BITS = 0.15
"""Bits, corrected for the number of sites, that pay for a column of a motif."""

MAX_ROUNDS = 20
COST = 1.5
"""Nats that every column costs, as -ln p of a column without information is 1 on average and the
columns are chosen. With it the best alignments of shuffled sequences have about 0 nats."""


UNLIKELY = 0.05
"""Share of windows with a site, at least, as far as the limit of a score is concerned."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sites:
    """Sites of a motif of one width in windows.

    Parameters
    ----------
    window
        (n,) index of the window.
    minus
        (n,) whether the site is on strand -.
    start
        (n,) on the sequence of the frame.
    excess
        (n,) bits by which the score exceeds what chance asks for.
    width
        Columns of the motif.
    """

    window: Ints
    minus: NDArray[np.bool_]
    start: Ints
    excess: Floats
    width: int

    def __len__(self) -> int:
        return len(self.window)

    def take(self, chosen: NDArray[np.generic]) -> Sites:
        """Give some of the sites."""
        return replace(
            self,
            window=self.window[chosen],
            minus=self.minus[chosen],
            start=self.start[chosen],
            excess=self.excess[chosen],
        )


@dataclass(frozen=True, eq=False)
class Alignment:
    """A motif and its sites: base counts (4, W), and the evidence for it in nats."""

    sites: Sites
    counts: Floats
    evidence: float

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self.counts.shape[1])


def log_probabilities(counts: Floats, background: Floats) -> Floats:
    """log2 of the probabilities of counts (4, W), with one pseudocount a column."""
    smoothed = (counts + background[:, None]) / (counts.sum(axis=0) + 1.0)
    logs: Floats = np.log2(smoothed)
    return logs


def place(windows: Windows, logs: Floats, share: float) -> Sites:
    """Find the best site of every window, if its score exceeds the limit of chance.

    With n places in a window and a site in a share g of all windows, a place with the score s is
    more likely a site than not if s > log2(n (1 - g) / g).
    """
    scores = windows.scores(logs[None])[:, 0]
    flat = scores.reshape(len(scores), -1)
    best = flat.argmax(axis=1)
    score = np.take_along_axis(flat, best[:, None], axis=1)[:, 0].astype(np.float64)
    excess = score - site_limit(windows, share)
    window = np.flatnonzero(excess > 0)
    strand, centre = np.divmod(best[window], scores.shape[2])
    width = logs.shape[1]
    start = windows.start[window] + centre - width // 2
    return Sites(window, strand == 1, start, excess[window], width)


def site_limit(windows: Windows, share: float) -> Floats:
    """Bits that a site of each window needs, (M,)."""
    share = min(max(share, UNLIKELY), windows.likely)
    limit: Floats = np.log2(windows.n_places * (1 - share) / share)
    return limit


def site_bases(windows: Windows, sites: Sites, flank: int) -> Codes:
    """Read the bases of sites and ``flank`` more on either side: codes (n, W + 2 flank)."""
    column = np.arange(-flank, sites.width + flank)
    at = windows.column(sites.window, sites.start)[:, None] + column
    bases = windows.codes[sites.window[:, None], at]
    turned = np.where(bases < PAD, 3 - bases, bases)[:, ::-1]
    read: Codes = np.where(sites.minus[:, None], turned, bases).astype(np.uint8)
    return read


def count_columns(windows: Windows, sites: Sites, flank: int) -> Floats:
    """Count the bases at sites and ``flank`` columns on either side: (4, W + 2 flank)."""
    bases = site_bases(windows, sites, flank)
    counts: Floats = (bases == np.arange(4)[:, None, None]).sum(axis=1).astype(np.float64)
    return counts


def informative_span(counts: Floats, background: Floats) -> tuple[int, int] | None:
    """Trim base counts (4, W) to the columns that make a motif.

    A column is worth its information (divergence from the background in nats, summed over the
    sites) less what a column costs: ``MIN_BITS`` a site and, after Schwarz (Ann Stat 6:461,
    1978), 3/2 ln n for its three frequencies. The motif is the run of columns of largest worth,
    so a gap is bridged where what lies beyond it is worth more than the gap costs; of more than
    ``MAX_WIDTH`` columns, the best run of so many. Columns that fewer than half of the sites
    reach are left out. None where no column is worth its cost.
    """
    n_sites = np.maximum(counts.sum(axis=0), 1.0)
    share = counts / n_sites
    ratio = np.log(np.where(share > 0, share / background[:, None], 1.0))
    worth = n_sites * ((share * ratio).sum(axis=0) - MIN_BITS * np.log(2))
    worth -= 1.5 * np.log(n_sites)
    worth[n_sites < n_sites.max() / 2] = -1e9
    total = np.concatenate([[0.0], np.cumsum(worth)])
    starts = np.arange(len(total))
    gain = total[None, :] - total[:, None]
    wide = starts[None, :] - starts[:, None]
    gain[(wide < 1) | (wide > MAX_WIDTH)] = -np.inf
    low, high = np.unravel_index(gain.argmax(), gain.shape)
    return (int(low), int(high)) if gain[low, high] > 0 else None


def score_sites(windows: Windows, counts: Floats, sites: Sites) -> Floats:
    """Log-odds of every site in bits, (n,), against the background's Markov chain."""
    bases = site_bases(windows, sites, 0)
    logs = np.vstack([log_probabilities(counts, windows.background), np.zeros(sites.width)])
    score: Floats = logs[bases, np.arange(sites.width)].sum(axis=1) + _rarity(windows, sites)
    return score


def _rarity(windows: Windows, sites: Sites) -> Floats:
    """Information of the bases of every site under the background, bits (n,)."""
    at = windows.column(sites.window, sites.start)
    before, after = (windows.rarity[sites.window, at + n] for n in (0, sites.width))
    rarity: Floats = after - before
    return rarity


def evidence(windows: Windows, counts: Floats, sites: Sites) -> float:
    """Evidence for an alignment in nats: -ln of the number of as good ones expected by chance.

    After Hertz and Stormo (Bioinformatics 15:563, 1999) and MEME's E-value: the number of ways to
    choose sites (:func:`ways_to_choose`) times the product of the columns' p-values
    (:func:`column_nats`). Where the background's Markov chain finds the sites less rare than
    their bases one by one are, by so much they are less evidence.
    """
    rarity = float(_rarity(windows, sites).sum())
    n_windows = len(np.unique(sites.window))
    nats = column_nats(counts, windows.background, np.array(rarity))
    return float(nats - ways_to_choose(windows, len(sites), n_windows))


def column_nats(counts: Floats, background: Floats, rarity: Floats) -> Floats:
    """Give -ln of the product of the p-values of the columns of counts (..., 4, W).

    Twice the log-likelihood ratio of a column is chi-square with 3 degrees of freedom. ``rarity``
    (...) is the information of the bases of all sites under the Markov chain, in bits.
    """
    n_sites = np.maximum(counts.sum(axis=-2, keepdims=True), 1.0)
    share = counts / n_sites
    ratio = np.log(np.where(share > 0, share / background[:, None], 1.0))
    williams = 1 + ((1 / background).sum() - 1) / (18 * n_sites[..., 0, :])
    half = (counts * ratio).sum(axis=-2) / williams
    nats = half - np.log(erfcx(np.sqrt(half)) + 2 * np.sqrt(half / np.pi))
    alone = -(counts * np.log2(background)[:, None]).sum(axis=(-2, -1))
    total: Floats = (nats - COST).sum(axis=-1) - np.log(2) * np.maximum(alone - rarity, 0.0)
    return total


def ways_to_choose(windows: Windows, n_sites: int, n_windows: int) -> float:
    """Log of the number of ways: a place in so many windows, and any place for further sites."""
    n_places = float(windows.n_places.sum())
    ways = _log_choose(len(windows), n_windows) + n_windows * np.log(n_places / len(windows))
    return float(ways + _log_choose(n_places, n_sites - n_windows))


def _log_choose(total: float, chosen: int) -> float:
    return float(gammaln(total + 1) - gammaln(chosen + 1) - gammaln(max(total - chosen, 0) + 1))


def realigned(windows: Windows, sites: Sites, min_sites: int) -> Alignment | None:
    """Find the columns of sites anew; None where too few sites, or no column, are left."""
    if len(sites) < min_sites:
        return None
    span = informative_span(count_columns(windows, sites, FLANK), windows.background)
    if span is None:
        return None
    low, high = span[0] - FLANK, span[1] - FLANK
    shift = np.where(sites.minus, sites.width - high, low)
    moved = Sites(sites.window, sites.minus, sites.start + shift, sites.excess, high - low)
    inside = (moved.start >= 0) & (moved.start + moved.width <= windows.length[moved.window])
    moved = moved.take(inside)
    if len(moved) < min_sites:
        return None
    counts = count_columns(windows, moved, 0)
    return Alignment(moved, counts, evidence(windows, counts, moved))


def refine(windows: Windows, logs: Floats, min_sites: int) -> Alignment | None:
    """Align windows from a start, log2 probabilities (4, W); None where nothing is left of it.

    In turn, until sites and columns stay: the best site of every window (:func:`place`), the
    columns (:func:`informative_span`) of their base counts and of the flanks.
    """
    share, sites = 0.5, place(windows, logs, 0.5)
    for _ in range(MAX_ROUNDS):
        if len(sites) < min_sites:
            return None
        counts = count_columns(windows, sites, FLANK)
        span = informative_span(counts, windows.background)
        if span is None:
            return None
        before, share = sites, len(sites) / len(windows)
        logs = log_probabilities(counts[:, slice(*span)], windows.background)
        sites = place(windows, logs, share)
        if _same(before, sites):
            break
    if len(sites) < min_sites:
        return None
    counts = count_columns(windows, sites, 0)
    return Alignment(sites, counts, evidence(windows, counts, sites))


def _same(one: Sites, other: Sites) -> bool:
    return one.width == other.width and all(
        np.array_equal(a, b)
        for a, b in (
            (one.window, other.window),
            (one.minus, other.minus),
            (one.start, other.start),
        )
    )
