"""From a start to a motif: sites and columns found in turn, until both stay."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from motiflens.motifs.discovery.windows import FLANK, MARGIN, MAX_WIDTH, Windows

MIN_BITS = 0.2
"""Bits, corrected for the number of sites, that pay for a column of a motif."""

MAX_ROUNDS = 20

LIKELY, UNLIKELY = 0.5, 0.05
"""Bounds of the share of windows with a site, as far as the limit of a score is concerned."""

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
    share = min(max(share, UNLIKELY), LIKELY)
    limit: Floats = np.log2(windows.n_places * (1 - share) / share)
    return limit


def count_columns(windows: Windows, sites: Sites, flank: int) -> Floats:
    """Count the bases at sites and ``flank`` columns on either side: (4, W + 2 flank)."""
    column = np.arange(-flank, sites.width + flank)
    at = (sites.start - windows.start[sites.window])[:, None] + MARGIN + column
    bases = windows.codes[sites.window[:, None], at]
    bases[sites.minus] = np.where(bases < 4, 3 - bases, bases)[sites.minus][:, ::-1]
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


def evidence(windows: Windows, counts: Floats, sites: Sites) -> float:
    """Evidence for an alignment in nats: -ln of the number of as good ones expected by chance.

    As of Hertz and Stormo (Bioinformatics 15:563, 1999): the number of ways to choose n of all
    places, times the probability that one way has so large a log-likelihood ratio; for the
    latter, Chernoff's bound for twice the ratio as chi-square with 3 W degrees of freedom.
    """
    share = counts / np.maximum(counts.sum(axis=0), 1.0)
    ratio = float((counts * np.log(np.where(share > 0, share, 1.0))).sum())
    at = sites.start - windows.start[sites.window] + MARGIN
    rarity = windows.rarity[sites.window, at + sites.width] - windows.rarity[sites.window, at]
    ratio += np.log(2) * float(rarity.sum())
    freedom, tail = 3.0 * counts.shape[1], 0.0
    if 2 * ratio > freedom:
        tail = freedom / 2 * np.log(2 * ratio / freedom) + (freedom - 2 * ratio) / 2
    n, n_places = len(sites), float(windows.n_places.sum())
    ways = gammaln(n_places + 1) - gammaln(n + 1) - gammaln(max(n_places - n, 0) + 1)
    return float(-tail - ways)


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
