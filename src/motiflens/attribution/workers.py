"""Explanations by several methods, made here or, in shares of the sequences, by workers."""

from __future__ import annotations

import pickle
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import numpy as np
from torch import nn

from motiflens.attribution import METHODS, attribute
from motiflens.attribution.base import usual_batch
from motiflens.attribution.checks import check
from motiflens.attribution.result import Attributions
from motiflens.attribution.shares import Share, sharing
from motiflens.cluster import Engine
from motiflens.errors import InputError
from motiflens.models.calling import computing
from motiflens.progress import Advance, Within
from motiflens.sequences import Codes, one_hot

#: Sequences of a share, about: not fewer than most methods work on together.
SEQUENCES = 64
#: Methods that read attention maps, and are done as soon as they are sent.
UNDIVIDED = ("attention", "rollout")


@dataclass(frozen=True)
class Piece:
    """One share, of ``count``, of an explanation by one method."""

    method: str
    batch_size: int
    number: int
    count: int


@dataclass(frozen=True)
class Found:
    """What a method gives of its rows of the sequences, or of all; or why it refuses the model."""

    rows: slice | None
    explanation: Attributions | InputError


def explanations(
    model: nn.Module,
    codes: Codes,
    methods: Sequence[str],
    engine: Engine | None,
    advance: Advance,
) -> Callable[[str], Attributions]:
    """Explain the first logit of a model by several methods, with the same bits here and elsewhere.

    Parameters
    ----------
    model
        From one-hot (N, 4, L) to logits.
    codes
        Of the sequences, uint8 (N, L).
    methods
        Keys of ``METHODS``.
    engine
        Workers, to whom the model and the sequences are sent, pickled; explanations are checked
        here. None to :func:`motiflens.attribute` here, each when it is asked for.
    advance
        Told how many sequences are explained by one method.

    Returns
    -------
    Callable
        From one of the methods to its explanation. It raises the InputError of a method that
        refuses the model.
    """
    if engine is None:
        x = one_hot(codes)
        return lambda method: attribute(model, x, method, progress=Within(advance))
    batch_size, count = usual_batch(model), max(1, -(-len(codes) // SEQUENCES))
    pieces = [
        Piece(method, batch_size, number, n)
        for method in methods
        for n in [1 if method in UNDIVIDED else count]
        for number in range(n)
    ]
    known: defaultdict[str, dict[int, Found]] = defaultdict(dict)
    sent = _pickled(model, codes)
    with closing(engine(partial(explain_piece, sent), pieces)) as done:
        for piece, found in done:
            known[piece.method][piece.number] = found
            advance(len(codes[found.rows or slice(None)]))

    def explained(method: str) -> Attributions:
        parts = known[method]
        joined = _join([parts[number] for number in sorted(parts)])
        explain = partial(METHODS[method], batch_size=batch_size)
        return replace(joined, checks=check(explain, model, joined))

    return explained


def _pickled(model: nn.Module, codes: Codes) -> bytes:
    try:
        return pickle.dumps((model, codes))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InputError(
            f"this {type(model).__name__} cannot be sent to the workers of scheduler= ({error})",
            remedy="explain it without them",
            argument="scheduler",
        ) from None


def explain_piece(sent: bytes, piece: Piece) -> Found:
    """Explain one share of the sequences on a worker.

    Parameters
    ----------
    sent
        The model, and the codes of all sequences, pickled.
    piece
        What is explained.
    """
    model, codes = pickle.loads(sent)
    share = Share(piece.number, piece.count)
    try:
        with computing(model, None, 1) as module, sharing(share):
            explanation = METHODS[piece.method](module, one_hot(codes), batch_size=piece.batch_size)
    except InputError as error:
        return Found(share.rows, error)
    if share.rows is not None:
        held = {name: value[share.rows] for name, value in _by_sequence(explanation).items()}
        explanation = replace(explanation, **held)
    return Found(share.rows, explanation)


def _by_sequence(explanation: Attributions) -> dict[str, Any]:
    """Return by its name all that an explanation holds for each sequence."""
    values = {field.name: getattr(explanation, field.name) for field in fields(explanation)}
    return {name: one for name, one in values.items() if isinstance(one, np.ndarray | tuple)}


def _join(parts: Sequence[Found]) -> Attributions:
    """Put shares together, in order, or raise the error that one process would meet first."""
    explanations = []
    for part in parts:
        if isinstance(part.explanation, InputError):
            raise part.explanation
        explanations.append(part.explanation)
    if parts[0].rows is None:
        return explanations[0]
    columns = [_by_sequence(one) for one in explanations]
    joined: dict[str, Any] = {
        name: sum((column[name] for column in columns), ())
        if isinstance(values, tuple)
        else np.concatenate([column[name] for column in columns])
        for name, values in columns[0].items()
    }
    return replace(explanations[0], **joined)
