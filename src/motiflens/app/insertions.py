"""Motifs put into a sequence: at one position, or at every one beside their shuffles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motiflens.app.served import Bench, Served
from motiflens.app.views import Floats, letters_of, read_sequence, row
from motiflens.app.wire import Inserted, InsertRequest, Sweep, SweepRequest
from motiflens.errors import InputError, one_of
from motiflens.perturbation.effects import Background, Insert, orient
from motiflens.sequences import Codes
from motiflens.shuffles import shuffle

FORMS = ("motif", "reverse complement", "shuffle")
#: Shuffles that a motif is compared with at every position.
N_SHUFFLES = 5
#: Bases that a sweep may score, all its sequences together; beyond, positions are left out.
MAX_WORK = 2_000_000


def insert(request: InsertRequest) -> Inserted:
    """Put a motif in place of bases; :class:`InputError` where it does not fit."""
    codes = read_sequence(request.sequence)
    inside = Background(codes[None], np.array([len(codes)], dtype=np.int32))
    motif = _form(inside.motif(request.letters), request.form, request.seed)
    placed = inside.place([Insert(motif, np.array([request.start], dtype=np.int64))])
    return Inserted(letters_of(placed[0]), letters_of(motif), request.start)


def sweep(bench: Bench, request: SweepRequest) -> Sweep:
    """Put a motif, and shuffles of it, at every position; errors as of :func:`insert`."""
    served = bench.model(request.model)
    codes = read_sequence(request.sequence, served)
    inside = Background(codes[None], np.array([len(codes)], dtype=np.int32))
    given = inside.motif(request.letters)
    motif = _form(given, request.form, 0)
    shuffles = [_form(given, "shuffle", seed) for seed in range(1, N_SHUFFLES + 1)]
    n_positions = len(codes) - len(motif) + 1
    step = -(-n_positions * (1 + N_SHUFFLES) * len(codes) // MAX_WORK)
    starts = np.arange(0, n_positions, step, dtype=np.int64)
    logits, *controls = (_logits(served, codes, one, starts) for one in (motif, *shuffles))
    control = np.stack(controls)
    return Sweep(
        model=request.model,
        letters=letters_of(motif),
        starts=tuple(starts.tolist()),
        logits=row(logits),
        control=row(control.mean(axis=0)),
        control_low=row(control.min(axis=0)),
        control_high=row(control.max(axis=0)),
        shuffles=tuple(map(letters_of, shuffles)),
        without=row(_scored(served, codes[None]))[0],
    )


def _form(motif: Codes, form: str, seed: int) -> Codes:
    """Return a motif's codes (W,) as they are, of the other strand, or shuffled."""
    one_of("a form of a motif", form, FORMS, argument="form")
    if form == "shuffle":
        if seed < 0:
            raise InputError(f"seed={seed} is below 0", argument="seed")
        width = np.array([len(motif)], dtype=np.int32)
        return shuffle(motif[None], width, np.random.default_rng(seed))[0]
    return orient(motif, "+" if form == "motif" else "-")


def _logits(served: Served, codes: Codes, motif: Codes, starts: NDArray[np.int64]) -> Floats:
    """Return the mean logits (P,) of the sequence with the motif at each of P starts."""
    lengths = np.full(len(starts), len(codes), dtype=np.int32)
    copies = Background(np.tile(codes, (len(starts), 1)), lengths)
    return _scored(served, copies.place([Insert(motif, starts)]))


def _scored(served: Served, codes: Codes) -> Floats:
    lengths = np.full(len(codes), codes.shape[1], dtype=np.int32)
    return served.scorer.logits(np.ascontiguousarray(codes), lengths).mean(axis=0)
