"""Scores of sequences, block by block: logits, probabilities, and what is unusual about each."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from motiflens.errors import InputError
from motiflens.metrics import prior_shift, threshold_of_share
from motiflens.progress import Advance
from motiflens.scoring.records import Record, Records
from motiflens.scoring.scorer import Floats, Scorer, gc_fraction
from motiflens.sequences import PAD, Codes, Lengths

#: A block holds so many sequences, or the first that fill so many bases.
BLOCK, BLOCK_BASES = 4096, 2**20
#: Longer sequences have no score, but where the model was trained on longer ones: `motiflens scan`
#: looks at them window by window.
LONGEST = 2**14
#: In a forward pass the longest sequence has at most so many times the bases of the shortest.
SPREAD = 1.125
#: Sequences whose time says how long all of them take.
TIMED = 256

COLUMNS = ("name", "logit", "probability", "sd", "unusual")
#: Of a model that predicts numbers.
NUMBER_COLUMNS = ("name", "value", "sd", "unusual")
TOO_SHORT, TOO_LONG, ONLY_N, EMPTY = "too short", "too long", "only N", "empty"


@dataclass(frozen=True, eq=False)
class Predictions:
    """Scores of N sequences.

    Parameters
    ----------
    name
        N strings.
    logit
        (N,), the mean of the seeds; NaN where a sequence has no score.
    probability
        (N,), NaN also where the model is not calibrated.
    sd
        (N,), standard deviation of the logits over seeds; NaN also of a single seed.
    unusual
        N strings: ``longer``, ``shorter``, ``composition`` joined by commas, beside the sequences
        of training; or why a sequence has no score.
    """

    name: list[str]
    logit: Floats
    probability: Floats
    sd: Floats
    unusual: list[str]

    @property
    def value(self) -> Floats:
        """The predicted labels (N,) of a regression, which are its logits."""
        return self.logit

    @property
    def is_scored(self) -> NDArray[np.bool_]:
        """Which have a score (N,)."""
        return ~np.isnan(self.logit)


@dataclass
class Tally:
    """What is counted of all predictions: sequences, those with a score, and words of unusual.

    Where a share of positives is known, so is the threshold that belongs to it: all logits are
    kept for that.
    """

    prevalence: float | None = None
    n: int = 0
    n_scored: int = 0
    unusual: Counter[str] = field(default_factory=Counter)
    logits: list[Floats] = field(default_factory=list)

    def add(self, block: Predictions) -> None:
        """Count a block."""
        self.n += len(block.name)
        self.n_scored += int(block.is_scored.sum())
        self.unusual.update(word for words in block.unusual if words for word in words.split(","))
        if self.prevalence is not None:
            self.logits.append(block.logit[block.is_scored])

    @property
    def threshold(self) -> float | None:
        """The logit above which the known share of what was scored lies; None of no share."""
        if self.prevalence is None or not self.n_scored:
            return None
        return threshold_of_share(np.concatenate(self.logits), self.prevalence)


def at_prevalence(scorer: Scorer, prevalence: float | None) -> Scorer:
    """Return a scorer whose probabilities are those of another share of positives.

    Parameters
    ----------
    scorer
        With a calibration.
    prevalence
        The share among what is scored, above 0 and below 1; None for that of the sequences that
        fitted the probabilities.

    Raises
    ------
    InputError
        For a share that is none, and a scorer that knows no probabilities.
    """
    if prevalence is None:
        return scorer
    if not 0 < prevalence < 1:
        raise InputError(
            f"prevalence={prevalence:g} is no fraction between 0 and 1",
            remedy="use a value such as 0.01",
            argument="prevalence",
        )
    fitted = scorer.calibration
    if fitted is None:
        why = "a run has them whose validation split holds 20 of each class"
        if scorer.is_regression:
            why = "the model predicts numbers"
        raise InputError(
            f"prevalence={prevalence:g} corrects probabilities, and the model has none",
            remedy=f"leave it out; {why}",
            argument="prevalence",
        )
    bias = fitted.bias + prior_shift(fitted.prevalence, prevalence)
    return replace(scorer, calibration=msgspec.structs.replace(fitted, bias=bias))


def columns_of(scorer: Scorer) -> tuple[str, ...]:
    """Return the columns of a model's predictions."""
    return NUMBER_COLUMNS if scorer.is_regression else COLUMNS


def longest_scored(scorer: Scorer) -> int:
    """Return the bases of the longest sequence that gets a score."""
    return scorer.length if scorer.only_length else max(LONGEST, scorer.length)


def predict_records(
    scorer: Scorer, records: Records, *, threads: int = 1, advance: Advance = lambda n: None
) -> Iterator[Predictions]:
    """Score sequences in their order; few of them are in memory at a time.

    Parameters
    ----------
    scorer
        The model.
    records
        The sequences.
    threads
        Blocks at once.
    advance
        Told how many sequences are done.

    Raises
    ------
    InputError
        For what cannot be read, with the place.
    """
    waiting: deque[Future[Predictions]] = deque()

    def first() -> Predictions:
        done = waiting.popleft().result()
        advance(len(done.name))
        return done

    with ThreadPoolExecutor(threads) as pool:
        try:
            for block in blocks_of(records.read(longest_scored(scorer))):
                waiting.append(pool.submit(predict_block, scorer, block))
                if len(waiting) > 2 * threads:
                    yield first()
            while waiting:
                yield first()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def blocks_of(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Cut sequences into blocks; equal sequences are always cut alike."""
    block: list[Record] = []
    n_bases = 0
    for record in records:
        block.append(record)
        n_bases += len(record.codes)
        if len(block) == BLOCK or n_bases >= BLOCK_BASES:
            yield block
            block, n_bases = [], 0
    if block:
        yield block


def predict_block(scorer: Scorer, records: list[Record]) -> Predictions:
    """Score a block of sequences; those alike in length go through the model together."""
    reasons = [_reason(scorer, record) for record in records]
    usable = np.array([not reason for reason in reasons], dtype=np.bool_)
    codes, lengths = _padded([record.codes for record in records if record.codes])
    held = np.array([bool(record.codes) for record in records], dtype=np.bool_)
    codes, lengths = codes[usable[held]], lengths[usable[held]]
    logits = np.full((scorer.n_seeds, len(records)), np.nan)
    logits[:, usable] = _logits(scorer, codes, lengths)
    mean = logits.mean(axis=0)
    sd = logits.std(axis=0, ddof=1) if scorer.n_seeds > 1 else np.full(len(records), np.nan)
    fitted = scorer.calibration
    probability = (
        np.full(len(records), np.nan)
        if fitted is None
        else expit(fitted.slope * mean + fitted.bias)
    )
    words = iter(_unusual(scorer, codes, lengths))
    unusual = [reason or next(words) for reason in reasons]
    return Predictions([record.name for record in records], mean, probability, sd, unusual)


def _reason(scorer: Scorer, record: Record) -> str:
    """Say why a sequence has no score; nothing where it has one."""
    if record.problem:
        return record.problem
    if record.length == 0:
        return EMPTY
    if record.length > longest_scored(scorer):
        return TOO_LONG
    if record.length < scorer.min_length:
        return TOO_SHORT
    return ONLY_N if record.codes.count(PAD) == record.length else ""


def _padded(texts: list[bytes]) -> tuple[Codes, Lengths]:
    lengths = np.array([len(text) for text in texts], dtype=np.int32)
    flat = np.frombuffer(b"".join(texts), dtype=np.uint8)
    width = int(lengths.max(initial=0))
    if len(flat) == width * len(texts):
        return flat.reshape(len(texts), width), lengths
    codes = np.full((len(texts), width), PAD, dtype=np.uint8)
    codes[np.arange(width) < lengths[:, None]] = flat
    return codes, lengths


def _logits(scorer: Scorer, codes: Codes, lengths: Lengths) -> Floats:
    """Return the logits (S, N) of every seed."""
    logits = np.zeros((scorer.n_seeds, len(codes)))
    order = np.argsort(lengths, kind="stable")
    ranked, spread = lengths[order], SPREAD if scorer.takes_padding else 1.0
    start = 0
    while start < len(order):
        end = int(np.searchsorted(ranked, spread * ranked[start], side="right"))
        rows = order[start:end]
        chosen = codes[rows, : int(lengths[rows[-1]])]
        logits[:, rows] = scorer.logits(np.ascontiguousarray(chosen), lengths[rows])
        start = end
    return logits


def _unusual(scorer: Scorer, codes: Codes, lengths: Lengths) -> list[str]:
    """Say how each sequence differs from those of training."""
    known = scorer.trained_on
    if known is None:
        return [""] * len(codes)
    gc = gc_fraction(codes)
    marks = {
        "longer": lengths > known.longest,
        "shorter": lengths < known.shortest,
        "composition": (gc < known.gc_low) | (gc > known.gc_high),
    }
    found = np.stack(list(marks.values()), axis=1)
    words = list(marks)
    return [
        ",".join(word for word, is_so in zip(words, row, strict=True) if is_so) if any(row) else ""
        for row in found.tolist()
    ]


def estimate_seconds(scorer: Scorer, records: Records, n: int, *, threads: int) -> float:
    """Return about how long n sequences take, from the time of the first of them."""
    few = list(islice(records.read(longest_scored(scorer)), TIMED))
    if not few:
        return 0.0
    predict_block(scorer, few)  # the first call is slower than those that follow
    started = time.perf_counter()
    predict_block(scorer, few)
    return (time.perf_counter() - started) * n / len(few) / threads


def in_short(scorer: Scorer) -> str:
    """Describe a model in a line."""
    seeds = f"{scorer.n_seeds} seed{'s' * (scorer.n_seeds > 1)}"
    strands = "both strands" if scorer.both_strands else "forward strand"
    any_length = scorer.trained_on is None and not scorer.only_length
    lengths = f"{scorer.min_length} bp or more" if any_length else f"{scorer.length} bp"
    return f"{scorer.name}, {seeds}, {strands}, {lengths}"
