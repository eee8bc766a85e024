"""A sequence as a model sees it: its prediction, contributions and attention."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from motiflens.app.served import MAX_BASES, Bench, Served
from motiflens.app.wire import Prediction, View, ViewRequest
from motiflens.attribution import attention_on_bases, attribute
from motiflens.errors import InputError, one_of
from motiflens.models.calling import as_input
from motiflens.scoring.predictions import predict_block
from motiflens.scoring.records import Record
from motiflens.sequences import PAD, Codes, decode, encode, one_hot
from motiflens.training import TrainedModel

Floats = NDArray[np.floating]

#: Decimals of what is sent: finer than what a float32 of a usual logit holds.
DECIMALS = 7


def view(bench: Bench, request: ViewRequest) -> View:
    """Look at a sequence with a model; errors name what of the request is wrong."""
    served = bench.model(request.model)
    codes = read_sequence(request.sequence, served)
    method = request.method or served.about.methods[0]
    one_of("a method of this model", method, served.about.methods, argument="method")
    members = _members(served, request)
    contributions, effects = _explained(served, members, codes, method)
    return View(
        model=request.model,
        seed=None if request.mean else members[0].seed,
        method=method,
        sequence=letters_of(codes),
        prediction=predict(served, codes),
        contributions=row(contributions),
        effects=None if effects is None else tuple(map(row, effects)),
        attention=_attention(served, members, codes),
    )


def read_sequence(text: str, served: Served | None = None) -> Codes:
    """Return the codes (L,) of letters, or raise :class:`InputError` with the position."""
    most = MAX_BASES if served is None else served.about.max_length
    least = 1 if served is None else served.about.min_length
    if len(text) > most:
        raise InputError(
            f"the sequence has {len(text):,} bases, too many from position {most + 1:,} on",
            remedy=f"cut it to {most:,} bases",
        )
    if len(text) < least:
        raise InputError(
            f"the sequence has {len(text):,} bases, and it takes {least:,} at least",
            remedy="give a longer one",
        )
    codes: Codes = encode([text])[0][0]
    if (codes == PAD).all():
        raise InputError("the sequence holds only N", remedy="give one with known bases")
    return codes


def letters_of(codes: Codes) -> str:
    """Return the letters of codes (L,)."""
    return decode(codes[None], np.array([len(codes)], dtype=np.int32))[0]


def padded(served: Served, codes: Codes) -> NDArray[np.float32]:
    """Return one-hot (1, 4, L), as long as the model needs."""
    missing = served.scorer.length - len(codes) if served.scorer.only_length else 0
    return one_hot(np.pad(codes, (0, missing), constant_values=PAD))[None]


def predict(served: Served, codes: Codes) -> Prediction:
    """Return what `motiflens predict` says of codes (L,)."""
    found = predict_block(served.scorer, [Record("sequence", codes.tobytes(), len(codes))])
    logit, probability, sd = (
        None if np.isnan(values[0]) else round(float(values[0]), DECIMALS)
        for values in (found.logit, found.probability, found.sd)
    )
    assert logit is not None
    return Prediction(logit, probability, sd, found.unusual[0])


def row(values: Floats) -> tuple[float, ...]:
    """Return values (L,) as they are sent."""
    return tuple(np.round(np.asarray(values, dtype=np.float64), DECIMALS).tolist())


def _members(served: Served, request: ViewRequest) -> list[TrainedModel]:
    """Return the networks that are explained."""
    return served.whole.seeds if request.mean else [served.seed(request.seed)]


def _explained(
    served: Served, members: list[TrainedModel], codes: Codes, method: str
) -> tuple[Floats, Floats | None]:
    """Return contributions (L,), and by mutagenesis the effects (4, L) of all substitutions."""
    module = members[0] if len(members) == 1 else served.whole
    x, n = padded(served, codes), len(codes)
    if method == "ism":
        with torch.inference_mode():
            mutants = module.single_mutant_logits(as_input(module, x))
        if mutants is not None:
            return _by_mutants(mutants[0, :, :n].double().cpu().numpy(), codes)
    found = attribute(module, x, method, checks=False)
    track = found.track[0, :n]
    if method != "ism" or found.hypothetical is None:
        return track, None
    return track, np.where(codes < PAD, found.hypothetical[0, :, :n] - track, 0)


def _by_mutants(logits: Floats, codes: Codes) -> tuple[Floats, Floats]:
    """Explain by the logits (4, L) of all single mutants, as :func:`mutagenesis` does."""
    known = codes < PAD
    observed = logits[np.where(known, codes, 0), np.arange(len(codes))]
    effects = np.where(known, logits - observed, 0)
    return -effects.mean(axis=0), effects


def _attention(
    served: Served, members: list[TrainedModel], codes: Codes
) -> tuple[float, ...] | None:
    if not served.about.attends:
        return None
    x = padded(served, codes)
    weights = [attention_on_bases(member, x)[0] for member in members]
    mean = np.mean(weights, axis=0)[: len(codes)]
    return row(np.where(codes == PAD, 0, mean))
