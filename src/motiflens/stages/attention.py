"""Attention on true sites, beside them and on negatives, for the third stage."""

from __future__ import annotations

import msgspec
import numpy as np
import torch
from msgspec import UNSET, UnsetType, convert
from torch import Tensor

from motiflens.attribution import attention_contrast, attribute
from motiflens.attribution.contrast import stretched_to
from motiflens.datasets import SequenceDataset
from motiflens.models import ReceptiveField, SequenceModel
from motiflens.models.tutorial import TutorialAttention
from motiflens.results.explanations import AttentionContrast, AttentionSteps, UnitWeights
from motiflens.settings import Settings
from motiflens.stages.defaults import n_explained
from motiflens.stages.stage import of_test


def contrast_attention(
    model: SequenceModel, dataset: SequenceDataset, positives: SequenceDataset, settings: Settings
) -> AttentionContrast:
    """Compare attention on true sites, beside them, and at the same positions of negatives."""
    negatives = of_test(dataset, 0, n_explained(settings))
    attention = model.attention_maps(torch.as_tensor(positives.one_hot()))[0]
    units = attention.weights.detach().mean(1)
    assert positives.sites is not None
    compared = attention_contrast(
        attribute(model, positives.one_hot(), "attention").track,
        positives.sites,
        lengths=positives.lengths,
        null_weights=attribute(model, negatives.one_hot(), "attention").track,
        null_lengths=negatives.lengths,
        unit_weights=units,
        seed=settings.seed,
    )
    found = convert(compared, AttentionContrast)
    row = _near_end(positives)
    example = _example(positives, row, attention.field, units)
    steps = _steps(model, positives, row)
    return msgspec.structs.replace(found, example=example, steps=steps)


def _near_end(positives: SequenceDataset) -> int:
    """Choose a positive with a site near its end, if there is any."""
    assert positives.sites is not None
    middles = [sites[0].start + sites[0].end if sites else 0 for sites in positives.sites]
    near_end = np.flatnonzero(np.array(middles) / 2 > 2 / 3 * positives.lengths)
    return int(near_end[0]) if near_end.size else int(np.argmax(middles))


def _example(
    positives: SequenceDataset, row: int, field: ReceptiveField, units: Tensor
) -> UnitWeights:
    """Keep the units' weights of one positive."""
    length = int(positives.lengths[row])
    stretched = stretched_to(units[row : row + 1], length)[0]
    return UnitWeights(
        sequence=str(positives.names[row]),
        first=field.first,
        stride=field.stride,
        width=field.width,
        weights=tuple(float(f"{w:.6g}") for w in units[row]),
        stretched=tuple(float(f"{w:.6g}") for w in stretched),
    )


def _steps(
    model: SequenceModel, positives: SequenceDataset, row: int
) -> AttentionSteps | UnsetType:
    """Keep how the tutorial's model comes from one positive to its logit."""
    if not isinstance(model, TutorialAttention):
        return UNSET
    one_hot = positives.subset(np.array([row])).one_hot()
    with torch.no_grad():
        found = model.steps(torch.as_tensor(one_hot))
    steps = {name: value[0] if value.ndim else value for name, value in found._asdict().items()}
    steps["logit"] = steps.pop("logits")
    return convert({name: _rounded(value) for name, value in steps.items()}, AttentionSteps)


def _rounded(values: Tensor) -> list[float]:
    written = [float(f"{z:.6g}") for z in values.flatten().tolist()]
    return np.reshape(written, tuple(values.shape)).tolist()
