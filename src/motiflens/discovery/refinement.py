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
COLUMN_PENALTY = 1.5
"""Nats that every column costs, as -ln p of a column without information is 1 on average and the
columns are chosen. With it the best alignments of shuffled sequences have about 0 nats."""

MIN_SITE_FRACTION = 0.05
"""Fraction of windows with a site, at least, as far as the limit of a score is concerned."""

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
        (n,) on the sequence as oriented.
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
        """Return some of the sites."""
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
    """Return log2 of the probabilities of counts (4, W), with one pseudocount a column."""
    smoothed = (counts + background[:, None]) / (counts.sum(axis=0) + 1.0)
    logs: Floats = np.log2(smoothed)
    return logs


def place_sites(windows: Windows, logs: Floats, site_fraction: float) -> Sites:
    """Find the best site of every window, if its score exceeds the limit of chance.

    With n offsets in a window and a site in a fraction g of all windows, an offset with the score
    s is more likely a site than not if s > log2(n (1 - g) / g).
    """
    scores = windows.scores(logs[None])[:, 0]
    flat = scores.reshape(len(scores), -1)
    best = flat.argmax(axis=1)
    score = np.take_along_axis(flat, best[:, None], axis=1)[:, 0].astype(np.float64)
    excess = score - site_limit(windows, site_fraction)
    window = np.flatnonzero(excess > 0)
    strand, centre = np.divmod(best[window], scores.shape[2])
    width = logs.shape[1]
    start = windows.start[window] + centre - width // 2
    return Sites(window, strand == 1, start, excess[window], width)


def site_limit(windows: Windows, site_fraction: float) -> Floats:
    """Return the bits that a site of each window needs, (M,)."""
    g = min(max(site_fraction, MIN_SITE_FRACTION), windows.max_site_fraction)
    limit: Floats = np.log2(windows.n_offsets * (1 - g) / g)
    return limit


def site_bases(windows: Windows, sites: Sites, flank: int) -> Codes:
    """Read the bases of sites and ``flank`` more on either side: codes (n, W + 2 flank)."""
    column = np.arange(-flank, sites.width + flank)
    at = windows.column(sites.window, sites.start)[:, None] + column
    bases = windows.codes[sites.window[:, None], at]
    complements = np.where(bases < PAD, 3 - bases, bases)[:, ::-1]
    on_strand: Codes = np.where(sites.minus[:, None], complements, bases).astype(np.uint8)
    return on_strand


def count_columns(windows: Windows, sites: Sites, flank: int) -> Floats:
    """Count the bases at sites and ``flank`` columns on either side: (4, W + 2 flank)."""
    bases = site_bases(windows, sites, flank)
    counts: Floats = (bases == np.arange(4)[:, None, None]).sum(axis=1).astype(np.float64)
    return counts


def informative_span(counts: Floats, background: Floats) -> tuple[int, int] | None:
    """Trim base counts (4, W) to the columns that make a motif.

    A column gains its information (divergence from the background in nats, summed over the
    sites) less what a column costs: ``MIN_BITS`` a site and, after Schwarz (Ann Stat 6:461,
    1978), 3/2 ln n for its three frequencies. The motif is the run of columns of largest gain,
    so a gap is bridged where what lies beyond it gains more than the gap costs; of more than
    ``MAX_WIDTH`` columns, the best run of so many. Columns that fewer than half of the sites
    reach are left out. None where no column gains.
    """
    n_sites = np.maximum(counts.sum(axis=0), 1.0)
    frequency = counts / n_sites
    ratio = np.log(np.where(frequency > 0, frequency / background[:, None], 1.0))
    column_gain = n_sites * ((frequency * ratio).sum(axis=0) - MIN_BITS * np.log(2))
    column_gain -= 1.5 * np.log(n_sites)
    column_gain[n_sites < n_sites.max() / 2] = -1e9
    total = np.concatenate([[0.0], np.cumsum(column_gain)])
    starts = np.arange(len(total))
    gain = total[None, :] - total[:, None]
    width = starts[None, :] - starts[:, None]
    gain[(width < 1) | (width > MAX_WIDTH)] = -np.inf
    low, high = np.unravel_index(gain.argmax(), gain.shape)
    return (int(low), int(high)) if gain[low, high] > 0 else None


def score_sites(windows: Windows, counts: Floats, sites: Sites) -> Floats:
    """Return the log-odds of every site in bits, (n,), against the background's Markov chain."""
    bases = site_bases(windows, sites, 0)
    logs = np.vstack([log_probabilities(counts, windows.background), np.zeros(sites.width)])
    score: Floats = logs[bases, np.arange(sites.width)].sum(axis=1) + _site_bits(windows, sites)
    return score


def _site_bits(windows: Windows, sites: Sites) -> Floats:
    """Return -log2 of the background's probability of the bases of every site, (n,)."""
    at = windows.column(sites.window, sites.start)
    before, after = (windows.background_bits[sites.window, at + n] for n in (0, sites.width))
    bits: Floats = after - before
    return bits


def evidence(windows: Windows, counts: Floats, sites: Sites) -> float:
    """Return the evidence in nats: -ln of the number of as good alignments expected by chance.

    After Hertz and Stormo (Bioinformatics 15:563, 1999) and MEME's E-value: the number of ways to
    choose sites (:func:`log_n_choices`) times the product of the columns' p-values
    (:func:`column_nats`). Where the background's Markov chain finds the sites likelier than
    their bases one by one are, by so much they are less evidence.
    """
    bits = float(_site_bits(windows, sites).sum())
    n_windows = len(np.unique(sites.window))
    nats = column_nats(counts, windows.background, np.array(bits))
    return float(nats - log_n_choices(windows, len(sites), n_windows))


def column_nats(counts: Floats, background: Floats, background_bits: Floats) -> Floats:
    """Return -ln of the product of the p-values of the columns of counts (..., 4, W).

    Twice the log-likelihood ratio of a column is chi-square with 3 degrees of freedom.
    ``background_bits`` (...) is -log2 of the Markov chain's probability of all sites.
    """
    n_sites = np.maximum(counts.sum(axis=-2, keepdims=True), 1.0)
    frequency = counts / n_sites
    ratio = np.log(np.where(frequency > 0, frequency / background[:, None], 1.0))
    williams = 1 + ((1 / background).sum() - 1) / (18 * n_sites[..., 0, :])
    half = (counts * ratio).sum(axis=-2) / williams
    nats = half - np.log(erfcx(np.sqrt(half)) + 2 * np.sqrt(half / np.pi))
    alone = -(counts * np.log2(background)[:, None]).sum(axis=(-2, -1))
    likelier = np.log(2) * np.maximum(alone - background_bits, 0.0)
    total: Floats = (nats - COLUMN_PENALTY).sum(axis=-1) - likelier
    return total


def log_n_choices(windows: Windows, n_sites: int, n_windows: int) -> float:
    """Log of the number of choices: an offset in so many windows, and any for further sites."""
    n_offsets = float(windows.n_offsets.sum())
    ways = _log_choose(len(windows), n_windows) + n_windows * np.log(n_offsets / len(windows))
    return float(ways + _log_choose(n_offsets, n_sites - n_windows))


def _log_choose(total: float, chosen: int) -> float:
    return float(gammaln(total + 1) - gammaln(chosen + 1) - gammaln(max(total - chosen, 0) + 1))


def realign(windows: Windows, sites: Sites, min_sites: int) -> Alignment | None:
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

    In turn, until sites and columns stay: the best site of every window (:func:`place_sites`), the
    columns (:func:`informative_span`) of their base counts and of the flanks.
    """
    sites = place_sites(windows, logs, 0.5)
    for _ in range(MAX_ROUNDS):
        if len(sites) < min_sites:
            return None
        counts = count_columns(windows, sites, FLANK)
        span = informative_span(counts, windows.background)
        if span is None:
            return None
        before = sites
        logs = log_probabilities(counts[:, slice(*span)], windows.background)
        sites = place_sites(windows, logs, len(before) / len(windows))
        if _are_same(before, sites):
            break
    if len(sites) < min_sites:
        return None
    counts = count_columns(windows, sites, 0)
    return Alignment(sites, counts, evidence(windows, counts, sites))


def _are_same(one: Sites, other: Sites) -> bool:
    return one.width == other.width and all(
        np.array_equal(a, b)
        for a, b in (
            (one.window, other.window),
            (one.minus, other.minus),
            (one.start, other.start),
        )
    )
