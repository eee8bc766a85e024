"""Rules that relate motifs: found in known sites, and kept or broken in pairs of sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motiflens.attribution.result import Floats
from motiflens.errors import InputError, one_of
from motiflens.sequences import PAD, Codes, Site, codes_of, evenly, one_hot

RULES = ("and", "order", "spacing")

MOST = 0.9
"""Fraction of a class that has to keep, or to break, what is called a rule: labels may be wrong."""

Sites = Sequence[Sequence[Site]]


@dataclass(frozen=True)
class Rule:
    """What the motifs of a positive have to do with each other.

    Parameters
    ----------
    kind
        ``and``: all motifs are there. ``order``: the first lies left of the second. ``spacing``:
        the second lies right of the first, at some distance.
    motifs
        Names of the sites: two, or of ``and`` more.
    gaps
        Of ``spacing``: fewest and most bases between the two sites, both included.

    Raises
    ------
    InputError
        For another kind, fewer than two motifs, more than two of ``order`` and ``spacing``, and a
        ``spacing`` without gaps.
    """

    kind: str
    motifs: tuple[str, ...]
    gaps: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        one_of("a rule", self.kind, RULES, argument="kind")
        if len(set(self.motifs)) < 2 or (self.kind != "and" and len(self.motifs) > 2):
            raise InputError(
                f"a rule of {self.kind} is given {len(self.motifs)} motifs",
                remedy="give the names of two that differ",
                argument="motifs",
            )
        if (self.kind == "spacing") != (self.gaps is not None):
            raise InputError(
                f"a rule of {self.kind} is given gaps={self.gaps}",
                remedy="give the fewest and the most bases with spacing alone",
                argument="gaps",
            )

    def __str__(self) -> str:
        """Return the rule in words."""
        if self.kind == "and":
            every = "both" if len(self.motifs) == 2 else "all"
            return f"{join_names(self.motifs)} are {every} needed"
        first, second = self.motifs
        if self.gaps is None:
            return f"{first} lies left of {second}"
        low, high = self.gaps
        bases = f"{low} bases" if low == high else f"{low} to {high} bases"
        return f"{second} lies {bases} right of {first}"

    def is_kept(self, sites: Sequence[Site]) -> bool:
        """Return whether a sequence with these sites keeps the rule, by one site of each motif."""
        held = _single(sites)
        if not all(name in held for name in self.motifs):
            return False
        if self.kind == "and":
            return True
        gap = _gap(*(held[name] for name in self.motifs))
        low, high = self.gaps or (0, gap)
        return low <= gap <= high


def join_names(names: Sequence[str]) -> str:
    """Write names as "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def find_rule(sites: Sites, labels: ArrayLike) -> Rule | None:
    """Find the rule by which the known sites tell the classes apart.

    The sites of the negatives have to be known too, as those of simulated negatives are that are
    ``subset``, ``swapped`` or ``moved``.

    Parameters
    ----------
    sites
        Of each of N sequences.
    labels
        (N,); above 0 of positives.

    Returns
    -------
    Rule or None
        None where positives do not hold two motifs once each, and where the negatives show no rule:
        for ``and`` some have to hold each motif, none all of them; for the others, both.
    """
    of_class: dict[bool, list[dict[str, Site]]] = {True: [], False: []}
    for row, label in zip(sites, np.asarray(labels).tolist(), strict=True):
        of_class[label > 0].append(_single(row))
    positives, negatives = of_class[True], of_class[False]
    all_names = dict.fromkeys(name for held in positives for name in sorted(held))
    names = tuple(name for name in all_names if _share(positives, (name,)) >= MOST)
    if len(names) < 2:
        return None
    if _share(negatives, names) <= 1 - MOST:
        each = min(_share(negatives, (name,)) for name in names)
        return Rule("and", tuple(sorted(names))) if each > 1 - MOST else None
    if len(names) > 2:
        return None
    gaps = [_gaps(of, names) for of in (positives, negatives)]
    if np.median(gaps[0]) < 0:
        names = names[::-1]
        gaps = [_gaps(of, names) for of in (positives, negatives)]
    return _of_gaps(names, *gaps)


def _single(sites: Sequence[Site]) -> dict[str, Site]:
    """Return the motifs that lie once in a sequence, and where."""
    names = [site.name for site in sites]
    return {site.name: site for site in sites if names.count(site.name) == 1}


def _share(rows: Sequence[Mapping[str, Site]], names: Sequence[str]) -> float:
    """Return the fraction of the sequences that hold each of the motifs once."""
    return float(np.mean([all(name in held for name in names) for held in rows])) if rows else 0.0


def _gap(first: Site, second: Site) -> int:
    """Return the bases from the first site to the second; below 0 where that lies left of it."""
    return second.start - first.end if second.start >= first.start else second.end - first.start - 1


def _gaps(rows: Sequence[Mapping[str, Site]], names: tuple[str, ...]) -> NDArray[np.int64]:
    both = [held for held in rows if all(name in held for name in names)]
    return np.sort([_gap(*(held[name] for name in names)) for held in both]).astype(np.int64)


def _of_gaps(
    names: tuple[str, ...], positives: NDArray[np.int64], negatives: NDArray[np.int64]
) -> Rule | None:
    """Return the rule that parts the gaps of both classes, sorted, if there is one."""
    if np.mean(positives >= 0) >= MOST and np.mean(negatives < 0) >= MOST:
        return Rule("order", names)
    # The narrowest range that holds most of the positives; all of them, where no label is wrong.
    for fraction in (1.0, MOST):
        n = int(np.ceil(fraction * len(positives)))
        starts = np.arange(len(positives) - n + 1)
        start = int(starts[np.argmin(positives[starts + n - 1] - positives[starts])])
        low, high = int(positives[start]), int(positives[start + n - 1])
        inside = np.mean((negatives >= low) & (negatives <= high))
        if low >= 0 and inside <= 1 - MOST:
            return Rule("spacing", names, (low, high))
    return None


@dataclass(frozen=True, eq=False)
class MinimalPairs:
    """Sequences that keep a rule, and the same with the rule broken.

    Parameters
    ----------
    rows
        (P,) which of the given sequences keeps the rule.
    broken
        One-hot (P, 4, L).
    kept_at, broken_at
        (P, L) where the motifs lie, in the one and in the other, that are in both.
    """

    rows: NDArray[np.intp]
    broken: Floats
    kept_at: NDArray[np.bool_]
    broken_at: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.rows)


def minimal_pairs(
    sequences: Floats, sites: Sites, rule: Rule, *, n: int | None = None, seed: int = 0
) -> MinimalPairs:
    """Break a rule in sequences that keep it, and leave all else as it is.

    Of ``and``, one motif after the other is replaced by bases drawn from those of the sequence
    outside its sites. Of ``order``, the two sites change places, with the same bases between
    them. Of ``spacing``, the second site is cut out and put back at another distance to
    the right of the first, each as likely as the next. So order and spacing are broken without a
    base of the sequence being another.

    Parameters
    ----------
    sequences
        One-hot (N, 4, L).
    sites
        Of each sequence.
    rule
        What is broken.
    n
        Pairs at most, spread evenly over the sequences; None for all.
    seed
        Of what is drawn.

    Raises
    ------
    InputError
        If no sequence keeps the rule, or none has room to break it.
    """
    generator = np.random.default_rng(seed)
    known = [row for row, own in enumerate(sites) if rule.is_kept(own)]
    per_row = len(rule.motifs) if rule.kind == "and" else 1
    most = len(known) if n is None else max(1, n // per_row)
    pairs = []
    for row in (known[index] for index in evenly(len(known), most)):
        codes = codes_of(sequences[row : row + 1])[0]
        pairs += [(row, *pair) for pair in _broken(codes, sites[row], rule, generator)]
    if not pairs:
        raise InputError(
            f"none of {len(sequences)} sequences keeps the rule that {rule}, with room to break it",
            remedy="give positives with the sites of its motifs",
            argument="sequences",
        )
    rows, broken, kept_at, broken_at = map(np.array, zip(*pairs, strict=True))
    return MinimalPairs(rows, one_hot(broken), kept_at, broken_at)


Pair = tuple[Codes, NDArray[np.bool_], NDArray[np.bool_]]


def _broken(
    codes: Codes, sites: Sequence[Site], rule: Rule, generator: np.random.Generator
) -> list[Pair]:
    """Return the ways in which the rule is broken: codes, and where the motifs were and are."""
    held = _single(sites)
    own = [held[name] for name in rule.motifs]
    if rule.kind == "and":
        return _without_each(codes, sites, own, generator)
    moved = (
        _swapped(codes, *own)
        if rule.kind == "order"
        else _moved(codes, sites, own, rule.gaps or (0, 0), generator)
    )
    if moved is None:
        return []
    changed, now = moved
    return [(changed, _marked(codes, own), _marked(codes, now))]


def _marked(codes: Codes, sites: Sequence[Site]) -> NDArray[np.bool_]:
    mask = np.zeros(len(codes), dtype=np.bool_)
    for site in sites:
        mask[site.start : site.end] = True
    return mask


def _without_each(
    codes: Codes, sites: Sequence[Site], own: Sequence[Site], generator: np.random.Generator
) -> list[Pair]:
    background = codes[~_marked(codes, sites) & (codes != PAD)]
    if not len(background):
        return []
    pairs = []
    for site in own:
        changed = codes.copy()
        changed[site.start : site.end] = generator.choice(background, site.end - site.start)
        others = _marked(codes, [other for other in own if other is not site])
        pairs.append((changed, others, others))
    return pairs


def _swapped(codes: Codes, left: Site, right: Site) -> tuple[Codes, list[Site]]:
    between = right.start - left.end
    pieces = (
        codes[: left.start],
        codes[right.start : right.end],
        codes[left.end : right.start],
        codes[left.start : left.end],
        codes[right.end :],
    )
    middle = left.start + right.end - right.start
    now = [
        right._replace(start=left.start, end=middle),
        left._replace(start=middle + between, end=right.end),
    ]
    return np.concatenate(pieces), now


def _moved(
    codes: Codes,
    sites: Sequence[Site],
    own: Sequence[Site],
    gaps: tuple[int, int],
    generator: np.random.Generator,
) -> tuple[Codes, list[Site]] | None:
    first, second = own
    width = second.end - second.start
    rest = np.delete(codes, np.arange(second.start, second.end))
    shifted = [
        (s.start, s.end) if s.end <= second.start else (s.start - width, s.end - width)
        for s in sites
        if s is not second
    ]
    end = int(np.flatnonzero(rest != PAD)[-1]) + 1
    free = [
        at
        for at in range(first.end, end + 1)
        if not gaps[0] <= at - first.end <= gaps[1]
        and not any(start < at < end for start, end in shifted)
    ]
    if not free:
        return None
    at = int(generator.choice(free))
    now = [first, second._replace(start=at, end=at + width)]
    return np.concatenate([rest[:at], codes[second.start : second.end], rest[at:]]), now
