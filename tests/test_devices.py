"""A GPU gives what the processor gives."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from motiflens.attribution import METHODS, attribute
from motiflens.errors import InputError
from motiflens.models import MODELS, build_model
from motiflens.sequences import one_hot

N, LENGTH = 5, 67

#: Integrated gradients choose their steps by errors of rounding, so that other steps are taken.
TOLERANCE = {"integrated_gradients": 2e-2}


@pytest.fixture(scope="module")
def sequences() -> np.ndarray:
    codes = np.random.default_rng(0).integers(4, size=(N, LENGTH)).astype(np.uint8)
    codes[1, 60:] = 4
    return one_hot(codes)


@pytest.mark.parametrize("name", MODELS)
def test_logits_of_a_gpu_are_those_of_the_processor(name, sequences, cuda):
    model = build_model(name, length=LENGTH, seed=2).eval()
    with torch.inference_mode():
        here = model(torch.from_numpy(sequences)).numpy()
        there = copy.deepcopy(model).to(cuda)(torch.from_numpy(sequences).to(cuda)).cpu().numpy()
    np.testing.assert_allclose(there, here, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["cnn", "attention"])
def test_explanations_of_a_gpu_are_those_of_the_processor(name, method, sequences, cuda):
    model = build_model(name, length=LENGTH, seed=2).eval()
    try:
        here = attribute(model, sequences, method)
    except InputError:
        pytest.skip(f"{name} has no {method}")
    there = attribute(copy.deepcopy(model).to(cuda), sequences, method)
    scale = np.abs(here.contributions).max()
    atol = TOLERANCE.get(method, 1e-4) * scale
    np.testing.assert_allclose(there.contributions, here.contributions, atol=atol)
