"""Explanations, base by base, of any module from one-hot (N, 4, L) to logits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from numbers import Integral
from typing import Any

from torch import Tensor, nn

from motiflens.attribution.attention import (
    attention,
    attention_of_heads,
    attention_on_bases,
    rollout,
)
from motiflens.attribution.checks import check
from motiflens.attribution.contrast import attention_contrast
from motiflens.attribution.deeplift import deeplift_shap
from motiflens.attribution.export import save_for_modisco
from motiflens.attribution.gradients import expected_gradients, input_x_gradient, saliency
from motiflens.attribution.integrated import integrated_gradients
from motiflens.attribution.mutagenesis import mutagenesis, saturation_mutagenesis
from motiflens.attribution.result import Attributions, Checks, Floats
from motiflens.errors import InputError, one_of

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
COUNTS = ("batch_size", "n_steps", "n_references")


def attribute(
    module: nn.Module,
    one_hot: Floats | Tensor,
    method: str,
    *,
    target: int = 0,
    batch_size: int = 64,
    checks: bool = True,
    **options: Any,
) -> Attributions:
    """Explain the logits of a module, base by base.

    The module is called under eval and left exactly as it was found. A model of this package is
    called by as many threads as torch may use, and gives the same bits whatever their number.

    Parameters
    ----------
    module
        Any module from (N, 4, L) to logits (N,) or (N, T).
    one_hot
        (N, 4, L); a zero column is N or padding.
    method
        A key of ``METHODS``: ``saliency``, ``tutorial-saliency`` (without gradient correction),
        ``input_x_gradient``, ``integrated_gradients``, ``expected_gradients``,
        ``deeplift_shap``, ``ism``, ``attention`` or ``rollout``.
    target
        Column of the logits.
    batch_size
        Sequences a forward pass.
    checks
        Test the explanation as it is made (:class:`Checks`), for some per cent of the time.
    **options
        What the method takes beside these: ``gradient_correction`` of all that are made of
        gradients, ``n_steps``, ``n_references``, ``seed``; see the function of the method.

    Raises
    ------
    InputError
        For an unknown method, input that is not one-hot or of another length than the module
        takes, a target out of range, logits that are not finite, or a number below 1 of
        ``batch_size``, ``n_steps`` or ``n_references``.
    """
    one_of("an attribution method", method, METHODS, argument="method")
    for name, number in {"batch_size": batch_size, **options}.items():
        if name in COUNTS and (not isinstance(number, Integral) or number < 1):
            raise InputError(
                f"{name}={number!r} is not a whole number of at least 1", argument=name
            )
    explain = partial(METHODS[method], target=target, batch_size=batch_size, **options)
    attributions = explain(module, one_hot)
    if not checks:
        return attributions
    return replace(attributions, checks=check(explain, module, attributions))


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
