"""Attributions, mutagenesis, shuffles and seqlets beside those of tangermeme.

The file is slow because tangermeme compiles its functions when they are first called: some 45 s.
"""

from __future__ import annotations

import importlib
from types import ModuleType

import numpy as np
import pytest
import torch
from tests.toy_models import random_one_hot
from torch import nn

from motiflens.attribution import Attributions, deeplift_shap, saturation_mutagenesis
from motiflens.attribution.references import shuffled_references
from motiflens.discovery import find_seqlets
from motiflens.sequences import one_hot
from motiflens.shuffles import dinucleotide_shuffle

pytestmark = pytest.mark.slow

N, LENGTH, N_REFERENCES, N_TARGETS = 6, 17, 5, 2


def tangermeme(module: str) -> ModuleType:
    """Import a module of tangermeme, or skip the test."""
    pytest.importorskip("tangermeme", reason="tangermeme is not installed")
    return importlib.import_module(f"tangermeme.{module}")


def network(pool: nn.Module, activation: nn.Module) -> nn.Module:
    """A CNN of two targets, all of whose axes differ in size, with weights far from linear."""
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv1d(4, 3, 5), activation, pool, nn.Flatten(), nn.LazyLinear(7), nn.Sigmoid(),
        nn.Linear(7, N_TARGETS),
    )  # fmt: skip
    module(torch.zeros(1, 4, LENGTH))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter *= 3
    return module.eval()


@pytest.mark.parametrize("target", range(N_TARGETS))
@pytest.mark.parametrize(
    ("pool", "activation"),
    [(nn.MaxPool1d(2), nn.ReLU()), (nn.AvgPool1d(3), nn.Tanh()), (nn.MaxPool1d(4), nn.ELU())],
)
def test_deeplift_shap_equals_tangermemes(pool, activation, target):
    deep_lift_shap = tangermeme("deep_lift_shap").deep_lift_shap
    module, x = network(pool, activation), random_one_hot(N, LENGTH, 0)
    references = torch.from_numpy(shuffled_references(x, N_REFERENCES, 3))
    ours = deeplift_shap(
        module, x, target, gradient_correction=False, n_references=N_REFERENCES, seed=3
    )
    theirs, hypothetical = (
        deep_lift_shap(
            module,
            torch.from_numpy(x),
            target=target,
            references=references,
            hypothetical=every_base,
            device="cpu",
        ).numpy()
        for every_base in (False, True)
    )
    # Both divide a difference of outputs by one of inputs, in float32: an input that hardly
    # differs from its reference costs digits.
    atol = 1e-4 * np.abs(theirs).max()
    np.testing.assert_allclose(ours.contributions, theirs, atol=atol)
    if isinstance(pool, nn.AvgPool1d):
        # A shuffle can have its maximum, of the same value, at another position: nothing is to be
        # shared out then, and what other bases would contribute is a choice.
        np.testing.assert_allclose(ours.hypothetical, hypothetical, atol=atol)


def test_mutagenesis_equals_tangermemes():
    mutate = tangermeme("saturation_mutagenesis").saturation_mutagenesis
    module, x = network(nn.MaxPool1d(2), nn.ReLU()), random_one_hot(N, LENGTH, 1)
    before, after = mutate(module, torch.from_numpy(x), raw_outputs=True, device="cpu")
    assert after.shape == (N, 4, LENGTH, N_TARGETS)
    for target in range(N_TARGETS):
        theirs = (after[..., target] - before[:, None, None, target]).numpy()
        # A difference of two logits of float32, each wrong by some units in the last digit.
        ours = saturation_mutagenesis(module, x, target=target)
        np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_dinucleotide_shuffles_keep_the_same_counts_and_reach_all_that_tangermemes_reach():
    shuffle = tangermeme("ersatz").dinucleotide_shuffle
    codes = np.array([[0, 1, 0, 2, 0, 1, 1, 3, 0, 2]], dtype=np.uint8)
    n, length = 2000, codes.shape[1]
    theirs = (
        shuffle(torch.from_numpy(one_hot(codes)), n=n, random_state=0)[0]
        .numpy()
        .argmax(1)
        .astype(np.uint8)
    )
    lengths = np.full(n, length, dtype=np.int32)
    ours = dinucleotide_shuffle(np.tile(codes, (n, 1)), lengths, np.random.default_rng(0))

    def counts(sequences: np.ndarray) -> np.ndarray:
        pairs = 4 * sequences[:, :-1].astype(int) + sequences[:, 1:]
        return np.stack([np.bincount(row, minlength=16) for row in pairs])

    expected = np.tile(counts(codes), (n, 1))
    np.testing.assert_array_equal(counts(ours), expected)
    np.testing.assert_array_equal(counts(theirs), expected)
    reached = [{row.tobytes() for row in shuffles} for shuffles in (ours, theirs)]
    # Twelve sequences have these counts; a shuffle of tangermeme's leaves the last step from each
    # base as it is and reaches half of them.
    assert len(reached[0]) == 12
    assert reached[1] < reached[0]


def test_seqlets_of_planted_motifs_are_those_of_tangermeme():
    recursive_seqlets = tangermeme("seqlet").recursive_seqlets
    generator = np.random.default_rng(0)
    n, length, width = 40, 61, 9
    track = generator.normal(0, 0.02, (n, length)).astype(np.float32)
    starts = generator.integers(length - width + 1, size=n)
    for row, start in enumerate(starts):
        track[row, start : start + width] += 1
    x = random_one_hot(n, length, 2)
    ours = find_seqlets(Attributions("ism", x, x * track[:, None]))
    theirs = recursive_seqlets(torch.from_numpy(track), threshold=0.01)
    spans = set(ours[["sequence", "start", "end"]].itertuples(index=False, name=None))
    assert {row for row, *_ in spans} == set(range(n))
    assert theirs["example_idx"].nunique() > n / 2
    for row, first, last in theirs[["example_idx", "start", "end"]].to_numpy():
        shared = [min(end, last) - max(start, first) for i, start, end in spans if i == row]
        # The two set their limits differently: ends differ by a few bases, cores do not.
        assert max(shared) >= width - 3
