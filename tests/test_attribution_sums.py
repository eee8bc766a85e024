"""Contributions add up to the difference of the logits, as they are returned, and say if not."""

from __future__ import annotations

from pathlib import Path

import captum.attr
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from motiflens.attribution import attribute, integrated_gradients, save_for_modisco
from motiflens.attribution.references import even_baseline, shuffled_references
from motiflens.discovery.oriented import orient_attributions
from motiflens.models import BothStrands, build_model
from motiflens.sequences import PAD, encode, one_hot

N, L, R = 5, 41, 6
REFERENCED = ("deeplift_shap", "expected_gradients")


@pytest.fixture
def sequences() -> np.ndarray:
    codes = np.random.default_rng(5).integers(0, 4, (N, L)).astype(np.uint8)
    codes[1, 7] = PAD
    codes[3, -6:] = PAD
    return one_hot(codes)


def sharp(name: str) -> nn.Module:
    """Give a model whose filters have a strong off-simplex part, as training leaves it."""
    small = {} if name.startswith("tutorial") else {"n_filters": 16}
    model = build_model(name, length=L, seed=1, **small)
    with torch.no_grad():
        model.filters.add_(0.1)
        model.output.weight.mul_(9)
    return model if name.startswith("tutorial") else BothStrands(model).eval()


def logits(model: nn.Module, one_hot: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return model(torch.from_numpy(one_hot)).reshape(len(one_hot)).double().numpy()


@pytest.mark.parametrize("name", ["tutorial-cnn", "tutorial-attention", "cnn", "attention"])
def test_what_is_returned_adds_up_to_the_logits_difference(
    name: str, sequences: np.ndarray
) -> None:
    model = sharp(name)
    references = shuffled_references(sequences, R, seed=0).reshape(-1, 4, L)
    starts = {
        "deeplift_shap": logits(model, references).reshape(N, R).mean(axis=1),
        "integrated_gradients": logits(model, even_baseline(sequences)),
    }
    for method, at_start in starts.items():
        options = {"n_references": R} if method == "deeplift_shap" else {}
        found = attribute(model, sequences, method, checks=False, **options)
        wanted = logits(model, sequences) - at_start
        missed = found.track.sum(axis=1, dtype=np.float64) - wanted
        assert np.abs(missed).sum() <= 0.01 * np.abs(wanted).sum()
        np.testing.assert_allclose(found.convergence_delta, missed, atol=2e-5)


@pytest.mark.parametrize("method", REFERENCED)
def test_the_correction_is_of_hypothetical_alone(method: str, sequences: np.ndarray) -> None:
    model = sharp("cnn")
    kept = attribute(model, sequences, method, gradient_correction=False, checks=False)
    removed = attribute(model, sequences, method, checks=False)
    assert kept.hypothetical is not None
    assert removed.hypothetical is not None
    np.testing.assert_array_equal(removed.contributions, kept.contributions)
    np.testing.assert_array_equal(kept.contributions, kept.hypothetical * sequences)
    mean = kept.hypothetical.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(removed.hypothetical, kept.hypothetical - mean, atol=1e-6)
    assert np.abs(mean).max() > 0.01


@pytest.mark.parametrize("method", REFERENCED)
def test_motif_finders_read_corrected_contributions(
    method: str, sequences: np.ndarray, tmp_path: Path
) -> None:
    found = attribute(sharp("cnn"), sequences, method, checks=False)
    hypothetical = found.hypothetical
    assert hypothetical is not None
    corrected = (hypothetical * sequences).sum(axis=1)
    assert np.abs(corrected - found.track).max() > 0.01
    np.testing.assert_array_equal(found.for_motifs().track, corrected)
    tracks = orient_attributions(found, both_strands=False)
    np.testing.assert_allclose(tracks.track, corrected[tracks.rows], atol=1e-7)
    _, path = save_for_modisco(found, tmp_path)
    with np.load(path) as stored:
        np.testing.assert_array_equal(stored["arr_0"][:, :, 40:-40], hypothetical)
    same = attribute(sharp("cnn"), sequences, "saliency", checks=False)
    assert same.for_motifs() is same


@pytest.mark.filterwarnings("ignore:Setting forward, backward", "ignore:Input Tensor")
def test_contributions_are_captums_attributions(sequences: np.ndarray) -> None:
    torch.manual_seed(4)
    model = nn.Sequential(
        nn.Conv1d(4, 7, 5), nn.ReLU(), nn.Flatten(), nn.Linear(7 * (L - 4), 6), nn.Tanh(),
        nn.Linear(6, 3),
    )  # fmt: skip
    references = shuffled_references(sequences, R, seed=0)
    ends = torch.from_numpy(sequences)
    by_captum = [
        captum.attr.DeepLift(model).attribute(ends, torch.from_numpy(references[:, r]), target=2)
        for r in range(R)
    ]
    # captum leaves m (x - r) where x and r are; a base of ours holds both.
    expected = torch.stack(by_captum).mean(0).sum(1).detach().numpy()
    found = attribute(model, sequences, "deeplift_shap", target=2, n_references=R)
    np.testing.assert_allclose(
        found.contributions,
        sequences * expected[:, None],
        atol=1e-5 * np.abs(expected).max(),
    )


def test_another_baseline_of_integrated_gradients_adds_up_too(sequences: np.ndarray) -> None:
    model = sharp("cnn")
    whole = sequences[[0, 2]]

    def first_shuffle(given: np.ndarray) -> np.ndarray:
        return shuffled_references(given, 1, seed=3)[:, 0]

    found = integrated_gradients(model, whole, baseline=first_shuffle)
    wanted = logits(model, whole) - logits(model, first_shuffle(whole))
    np.testing.assert_allclose(found.track.sum(axis=1), wanted, atol=0.011 * np.abs(wanted).max())


def test_too_few_points_are_told_with_the_true_figure(sequences: np.ndarray) -> None:
    model = sharp("attention")
    few = attribute(model, sequences, "expected_gradients", n_references=R, n_steps=1)
    assert few.checks is not None
    assert few.difference is not None
    missed = np.abs(few.track.sum(axis=1, dtype=np.float64) - few.difference).sum()
    share = missed / np.abs(few.difference).sum()
    assert share > 0.02
    assert few.checks.completeness == pytest.approx(share, rel=0.01)
    note = few.checks.completeness_note
    assert note is not None
    told = f"the contributions miss {few.checks.completeness:.1%} of the logits' differences; "
    assert note.startswith(told)
    assert "n_steps=20" in note
    many = attribute(model, sequences, "expected_gradients", n_references=R, n_steps=200)
    assert many.checks is not None
    assert many.checks.completeness_note is None


class Composition(nn.Module):
    """The share of C and G: 0 for a sequence that has as many of them as of A and T."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(20.0))

    def forward(self, x: Tensor) -> Tensor:
        return self.slope * (x[:, 1:3].sum((1, 2)) / x.sum((1, 2)) - 0.5)


def test_deeplift_takes_a_model_whose_logits_are_zero() -> None:
    generator = np.random.default_rng(0)
    even = np.repeat(np.arange(4, dtype=np.uint8), 53)
    codes = np.stack([generator.permutation(even) for _ in range(7)])
    found = attribute(Composition(), one_hot(codes), "deeplift_shap")
    np.testing.assert_allclose(found.track.sum(axis=1), 0, atol=1e-5)
    constant = attribute(Composition(), one_hot(encode(["ACGT"])[0]), "deeplift_shap")
    np.testing.assert_allclose(constant.track.sum(axis=1), 0, atol=1e-6)
