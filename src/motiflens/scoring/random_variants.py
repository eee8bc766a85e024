"""What random variants of a genome do to a score, so that the difference of one means something.

To measure it takes seconds, so it is kept in the cache of the user, where later starts and shards
find it.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from threading import Lock
from typing import Literal

import numpy as np
import torch

from motiflens.errors import InputError
from motiflens.files import write_whole
from motiflens.io.genome import Genome, cache_folder, state_of
from motiflens.scoring.alleles import Allele, Stretch, windows_of
from motiflens.scoring.scorer import Floats, Scorer
from motiflens.scoring.substitutions import Substitutions
from motiflens.sequences import ALPHABET, encode
from motiflens.version import __version__

#: Random substitutions of each base, and random variants of each change of length.
N_SUBSTITUTIONS, N_OTHERS = 1000, 300
#: Positions that are tried for each that is wanted.
TRIES = 20

SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")

#: Two bases; or a change of length and, where it is 0, the number of bases.
Kind = tuple[str, str] | tuple[int, int]


def score_pairs(scorer: Scorer, pairs: list[tuple[str, str]]) -> tuple[Floats, Floats]:
    """Return the logits (S, N) of the first and of the second window of N pairs.

    Windows that come again are scored once.
    """
    distinct = {window: row for row, window in enumerate(dict.fromkeys(sum(pairs, ())))}
    if not pairs:
        return np.zeros((scorer.n_seeds, 0)), np.zeros((scorer.n_seeds, 0))
    logits = scorer.logits(*encode(list(distinct)))
    first, second = ([distinct[pair[side]] for pair in pairs] for side in (0, 1))
    return logits[:, first], logits[:, second]


class RandomVariants:
    """Differences of random variants of a genome, drawn by a seed, kind by kind when asked for.

    Parameters
    ----------
    substitutions
        What scores single substitutions.
    genome
        Where random positions lie: any whose window has known bases only.
    seed
        Decides the positions; those of one kind do not depend on other kinds.
    """

    def __init__(self, substitutions: Substitutions, genome: Genome, seed: int = 0) -> None:
        self._substitutions, self._genome, self._seed = substitutions, genome, seed
        self._sizes: dict[Kind, Floats] = {}
        self._lock = Lock()

    def percentiles(self, alleles: Sequence[Allele], differences: Floats) -> list[float | None]:
        """Return how many of a hundred random variants of the same kind change the score less.

        Of the same kind is a substitution of the same base by the same; else the same change of
        length, and where there is none, of as many bases. None where the genome has no window to
        draw.
        """
        rows: dict[Kind, list[int]] = {}
        for row, allele in enumerate(alleles):
            rows.setdefault(_kind(allele), []).append(row)
        found: list[float | None] = [None] * len(alleles)
        for kind, own in rows.items():
            sizes = self._of(kind)
            below, up_to = (np.searchsorted(sizes, np.abs(differences[own]), s) for s in SIDES)
            if len(sizes):
                values = 50 * (below + up_to) / len(sizes)
                for row, value in zip(own, values.tolist(), strict=True):
                    found[row] = value
        return found

    def _of(self, kind: Kind) -> Floats:
        with self._lock:
            if kind not in self._sizes:
                base, other = kind
                if isinstance(base, str):
                    rows = self._kept(base, lambda: self._substituted(base))
                    others = [letter for letter in ALPHABET if letter != base]
                    self._sizes |= {(base, to): row for to, row in zip(others, rows, strict=True)}
                else:
                    assert isinstance(other, int)
                    rows = self._kept(f"{base}-{other}", lambda: self._changed(base, other))
                    self._sizes[kind] = rows
            return self._sizes[kind]

    def _kept(self, name: str, measure: Callable[[], Floats]) -> Floats:
        """Return what was measured once, by the same model in the same genome."""
        path = cache_folder("random-variants") / self._key / f"{name}.npy"
        try:
            return np.asarray(np.load(path, allow_pickle=False), dtype=np.float64)
        except (OSError, ValueError, EOFError):
            found, content = measure(), io.BytesIO()
        np.save(content, found)
        with suppress(OSError, InputError):  # nowhere to keep it: it is measured again
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, content.getvalue())
        return found

    @cached_property
    def _key(self) -> str:
        """Of all that decides what is measured."""
        scorer = self._substitutions.scorer
        facts = (
            *(scorer.sha256, scorer.length, scorer.device.type, state_of(self._genome.path)),
            *(self._seed, N_SUBSTITUTIONS, N_OTHERS, __version__, str(torch.__version__)),
        )
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]

    def _draw(self, key: list[int], n: int, width: int, base: str = "") -> list[str]:
        """Draw n stretches of known bases, with one base in their middle if any is given."""
        generator = np.random.default_rng([self._seed, *key])
        contigs = [name for name, of in self._genome.contigs.items() if of.size >= width]
        ends = np.cumsum([self._genome.contigs[name].size - width + 1 for name in contigs])
        found: list[str] = []
        for _ in range(TRIES * n if contigs else 0):
            place = int(generator.integers(ends[-1]))
            row = int(np.searchsorted(ends, place, side="right"))
            start = place - (int(ends[row - 1]) if row else 0)
            letters = self._genome.fetch(contigs[row], start, start + width).upper()
            if "N" not in letters and base in ("", letters[width // 2]):
                found.append(letters)
                if len(found) == n:
                    break
        return found

    def _substituted(self, reference: str) -> Floats:
        """Score what the three others do at random positions that have a base, (3, N)."""
        length, base = self._substitutions.scorer.length, ALPHABET.index(reference)
        drawn = self._draw([base], N_SUBSTITUTIONS, length, reference)
        others = [letter for letter in ALPHABET if letter != reference]
        if not drawn:
            return np.zeros((len(others), 0))
        codes, n = encode(drawn)[0].reshape(-1), len(drawn)
        centres = np.arange(n) * length + length // 2
        owners = np.tile(np.arange(n), len(others))
        bases = np.repeat(encode(["".join(others)])[0][0], n)
        logits = self._substitutions.logits(codes, centres, owners, bases)
        changes = (logits.alternate - logits.reference[:, owners]).mean(axis=0)
        return np.sort(np.abs(changes.reshape(len(others), n)), axis=1)

    def _changed(self, change: int, n_bases: int) -> Floats:
        """Score random insertions and deletions, or replacements of so many bases."""
        scorer = self._substitutions.scorer
        span = max(-change, 0) if change else n_bases
        key = [len(ALPHABET), abs(change), int(change < 0), span]
        around = self._draw(key, N_OTHERS, 2 * scorer.length + span)
        around = around or self._draw(key, N_OTHERS, scorer.length)
        generator = np.random.default_rng([self._seed, *key, 1])
        pairs = []
        for letters in around:
            start = (len(letters) - span) // 2
            reference = letters[start : start + span]
            # A replacement has another base at every place; an insertion has none to differ from.
            old = 0 if change else encode([reference])[0][0]
            new = old + generator.integers(0 if change else 1, 4, size=max(span + change, 0))
            alternate = "".join(ALPHABET[code] for code in new % 4)
            allele = Allele("", start, span, reference, alternate)
            pair = windows_of(allele, Stretch("", 0, letters, len(letters)), scorer)
            if isinstance(pair, tuple):
                pairs.append(pair)
        reference_logits, alternate_logits = score_pairs(scorer, pairs)
        return np.sort(np.abs((alternate_logits - reference_logits).mean(axis=0)))


def _kind(allele: Allele) -> Kind:
    if allele.is_substitution:
        return allele.reference, allele.alternate
    change = len(allele.alternate) - len(allele.reference)
    return change, 0 if change else len(allele.reference)
