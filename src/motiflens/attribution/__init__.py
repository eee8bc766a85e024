"""Explanations, base by base, of any module from one-hot (N, 4, L) to logits.

A new method is a function in a file of its own and a line in ``METHODS``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from torch import nn

from motiflens.attribution.attention import (
    attention,
    attention_of_heads,
    attention_on_bases,
    rollout,
)
from motiflens.attribution.base import reporting, require_counts, usual_batch
from motiflens.attribution.checks import check
from motiflens.attribution.contrast import attention_contrast
from motiflens.attribution.deeplift import deeplift_shap
from motiflens.attribution.export import save_for_modisco
from motiflens.attribution.gradients import expected_gradients, input_x_gradient, saliency
from motiflens.attribution.integrated import integrated_gradients
from motiflens.attribution.mutagenesis import mutagenesis, saturation_mutagenesis
from motiflens.attribution.result import Attributions, Checks
from motiflens.errors import InputError, one_of
from motiflens.io.inputs import Sequences, one_hot_and_names
from motiflens.models.calling import computing
from motiflens.progress import Progress

METHODS: dict[str, Callable[..., Attributions]] = {
    "saliency": saliency,
    "tutorial-saliency": partial(saliency, gradient_correction=False),
    "input_x_gradient": input_x_gradient,
    "integrated_gradients": integrated_gradients,
    "expected_gradients": expected_gradients,
    "deeplift_shap": deeplift_shap,
    "ism": mutagenesis,
    "attention": attention,
    "rollout": rollout,
}

#: Options that count something.
_COUNTS = ("batch_size", "n_steps", "n_references")


def attribute(
    model: nn.Module,
    sequences: Sequences,
    method: str = "deeplift_shap",
    *,
    target: int = 0,
    batch_size: int | None = None,
    checks: bool = True,
    threads: int | None = None,
    device: str | None = None,
    progress: Progress | bool = False,
    **options: Any,
) -> Attributions:
    """Explain the logits of a model, base by base.

    The model is called under eval and left exactly as it was found. A model of this package is
    called by as many threads as torch may use, and gives the same bits whatever their number.

    Parameters
    ----------
    model
        Any module from one-hot (N, 4, L) to logits (N,) or (N, T).
    sequences
        Strings, a file, a data set, or one-hot (N, 4, L): see :func:`motiflens.one_hot`.
    method
        A key of ``METHODS``: ``saliency``, ``tutorial-saliency`` (without gradient correction),
        ``input_x_gradient``, ``integrated_gradients``, ``expected_gradients``,
        ``deeplift_shap``, ``ism``, ``attention`` or ``rollout``.
    target
        Column of the logits.
    batch_size
        Sequences a forward pass; None for 64, and 1,024 on a GPU.
    checks
        Test the explanation as it is made (:class:`Checks`), for some per cent of the time.
    threads
        That torch may use; None for as many as it may now.
    device
        Where to compute; None for where the model is.
    progress
        Told how far the work has come; True for a bar on stderr.
    **options
        What the method takes beside these: ``gradient_correction`` of all that are made of
        gradients, ``n_steps``, ``n_references``, ``seed``; see the function of the method.

    Raises
    ------
    InputError
        For an unknown method or option, sequences that are none or of another length than the
        model takes, a target out of range, logits that are not finite, or a number below 1 of
        ``batch_size``, ``n_steps`` or ``n_references``.
    """
    one_of("an attribution method", method, METHODS, argument="method")
    given = {} if batch_size is None else {"batch_size": batch_size}
    require_counts(
        **{name: number for name, number in {**given, **options}.items() if name in _COUNTS}
    )
    if options and not _options_of(method):
        raise InputError(f"{method} takes no option, and there is {', '.join(options)}")
    for name in options:
        one_of(f"an option of {method}", name, _options_of(method), argument=name)
    x, names = one_hot_and_names(sequences)
    with computing(model, device, threads) as module:
        given = {"batch_size": batch_size or usual_batch(module), **options}
        explain = partial(METHODS[method], target=target, **given)
        with reporting(progress, method, len(x)):
            attributions = replace(explain(module, x), names=names)
        if not checks:
            return attributions
        return replace(attributions, checks=check(explain, module, attributions))


def _options_of(method: str) -> list[str]:
    """Return the options of a method beside those of all."""
    parameters = inspect.signature(METHODS[method]).parameters.values()
    common = ("target", "batch_size")
    return [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in common]


__all__ = [
    "METHODS",
    "Attributions",
    "Checks",
    "attention",
    "attention_contrast",
    "attention_of_heads",
    "attention_on_bases",
    "attribute",
    "deeplift_shap",
    "expected_gradients",
    "input_x_gradient",
    "integrated_gradients",
    "mutagenesis",
    "rollout",
    "saliency",
    "saturation_mutagenesis",
    "save_for_modisco",
]
