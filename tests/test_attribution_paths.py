"""Integrated and expected gradients and DeepLIFT: paper, captum, completeness, refusals."""

from __future__ import annotations

import captum.attr
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from motiflens.attribution import METHODS, attribute
from motiflens.attribution.references import even_baseline, shuffled_references
from motiflens.errors import InputError
from motiflens.models import MODELS, BothStrands, build_model
from motiflens.sequences import PAD, encode, one_hot, reverse_complement

N, L, T = 5, 23, 3
OF_GRADIENTS = ("input_x_gradient", "integrated_gradients", "expected_gradients", "deeplift_shap")


def sequences_of(length: int) -> np.ndarray:
    codes = np.random.default_rng(0).integers(0, 4, (N, length)).astype(np.uint8)
    codes[1, 4] = PAD
    codes[3, -6:] = PAD
    return one_hot(codes)


@pytest.fixture
def sequences() -> np.ndarray:
    return sequences_of(L)


class Threshold(nn.Module):
    """relu(s - 1), where s gets 1 for a C at place 1 and 2 for a G at place 3."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x[:, 1, 1] + 2 * x[:, 2, 3] - 1)


class Smooth(nn.Module):
    """A convolution and GELU, T outputs."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.layers = nn.Sequential(nn.Conv1d(4, 6, 3), nn.GELU(), nn.Flatten())
        self.output = nn.Linear(6 * (L - 2), T)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.layers(x))


class Pools(nn.Module):
    """A user's own: a fixed length, two outputs, overlapping and stacked pools, bare functions."""

    def __init__(self, length: int) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.first = nn.Conv1d(4, 8, 5)
        self.norm = nn.BatchNorm1d(8)
        self.pool = nn.MaxPool1d(4, stride=2, padding=1)
        self.second = nn.Conv1d(8, 6, 3)
        self.groups = nn.GroupNorm(2, 6)
        self.encoder = nn.TransformerEncoderLayer(6, 2, 7, batch_first=True, activation="gelu")
        self.output = nn.LazyLinear(2)
        with torch.no_grad():
            self(torch.rand(9, 4, length))

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(functional.relu(self.norm(self.first(x)), inplace=True))
        x = functional.max_pool1d(functional.gelu(self.groups(self.second(x))), 3, 2)
        x = self.encoder(x.transpose(1, 2))
        y = torch.softmax(x @ x.mT / 2, -1) @ x
        y += functional.scaled_dot_product_attention(x, y, x)
        y = torch.maximum(y / (1 + y.abs().sum(-1, keepdim=True)), 0.1 * x)
        return self.output(torch.cat([y.exp() * y.tanh(), y.amax(1, keepdim=True)], 1).flatten(1))


# ACAGA has two shuffles of its dinucleotides, itself and AGACA. s is 3 for it, and 0 for AGACA.
PAPER = one_hot(encode(["ACAGA"])[0])


def share_of_the_other_shuffle() -> float:
    references = shuffled_references(PAPER, 20, seed=0)[0]
    share = float((references[:, 2, 1] == 1).mean())
    assert 0.2 < share < 0.8
    return share


def test_numbers_worked_out_on_paper() -> None:
    # The gradient is 1 and 2 at the two places; its off-simplex part is a quarter of that.
    plain = attribute(Threshold(), PAPER, "input_x_gradient", gradient_correction=False)
    np.testing.assert_allclose(plain.track, [[0, 1, 0, 2, 0]])
    removed = attribute(Threshold(), PAPER, "input_x_gradient")
    np.testing.assert_allclose(removed.track, [[0, 0.75, 0, 1.5, 0]])
    assert plain.convergence_delta is None

    # From s = 3/4 to 3 the slope is 0 for the first ninth of the way: 8/9 on average.
    found = attribute(Threshold(), PAPER, "integrated_gradients", n_steps=512)
    expected = np.array([0, 2 / 3, 0, 4 / 3, 0])
    np.testing.assert_allclose(found.track, [expected], atol=0.005)
    np.testing.assert_allclose(
        found.hypothetical[0, :, 1], [-2 / 9, 2 / 3, -2 / 9, -2 / 9], atol=0.002
    )

    # AGACA explains 2 by the slope 2/3, ACAGA explains nothing; its own slope is 1.
    share = share_of_the_other_shuffle()
    for method, options in (("deeplift_shap", {}), ("expected_gradients", {"n_steps": 200})):
        kept = attribute(Threshold(), PAPER, method, gradient_correction=False, **options)
        np.testing.assert_allclose(kept.track, [expected * share], atol=0.005)
        # Against a reference nothing of the contributions is arbitrary: the correction is one of
        # gradients, and of motif finders, whose contributions are hypothetical times one-hot.
        removed = attribute(Threshold(), PAPER, method, **options)
        np.testing.assert_array_equal(removed.contributions, kept.contributions)
        slope = share * 2 / 3 + (1 - share)
        np.testing.assert_allclose(
            removed.for_motifs().track, [[0, 0.75 * slope, 0, 1.5 * slope, 0]], atol=0.005
        )
        np.testing.assert_array_equal(kept.for_motifs().contributions, kept.contributions)
        assert removed.for_motifs().convergence_delta is None


def test_integrated_gradients_are_captums(sequences: np.ndarray) -> None:
    explainer = captum.attr.IntegratedGradients(Smooth())
    ends, starts = torch.from_numpy(sequences), torch.from_numpy(even_baseline(sequences))
    expected = explainer.attribute(ends, starts, target=2, n_steps=32).sum(1).detach().numpy()
    found = attribute(Smooth(), sequences, "integrated_gradients", target=2)
    np.testing.assert_allclose(found.track, expected, atol=1e-4 * np.abs(expected).max())


def test_expected_gradients_are_captums_mean_over_references(sequences: np.ndarray) -> None:
    explainer = captum.attr.IntegratedGradients(Smooth())
    references = shuffled_references(sequences, 4, seed=3)
    expected = np.mean(
        [
            explainer.attribute(
                torch.from_numpy(sequences), torch.from_numpy(references[:, r]), target=1, n_steps=6
            )
            .sum(1)
            .numpy()
            for r in range(4)
        ],
        axis=0,
    )
    options = {"n_references": 4, "n_steps": 6, "seed": 3}
    found = attribute(Smooth(), sequences, "expected_gradients", target=1, **options)
    np.testing.assert_allclose(found.track, expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.filterwarnings("ignore:Setting forward, backward", "ignore:Input Tensor")
def test_deeplift_is_captums_where_captum_is_right(sequences: np.ndarray) -> None:
    torch.manual_seed(4)
    model = nn.Sequential(
        nn.Conv1d(4, 7, 5), nn.ReLU(), nn.Flatten(), nn.Linear(7 * (L - 4), 6), nn.Tanh(),
        nn.Linear(6, T),
    )  # fmt: skip
    references = shuffled_references(sequences, 3, seed=0)
    explainer = captum.attr.DeepLift(model)
    expected = np.mean(
        [
            explainer.attribute(
                torch.from_numpy(sequences), torch.from_numpy(references[:, r]), target=2
            )
            .sum(1)
            .detach()
            .numpy()
            for r in range(3)
        ],
        axis=0,
    )
    found = attribute(model, sequences, "deeplift_shap", target=2, n_references=3)
    np.testing.assert_allclose(found.track, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", [*MODELS, "both-strands", "pools"])
def test_deeplift_is_complete(name: str) -> None:
    length = 41
    sequences = sequences_of(length)
    if name == "pools":
        model: nn.Module = Pools(length).eval()
    elif name == "both-strands":
        model = BothStrands(build_model("attention", length=length, seed=1, n_filters=8))
    else:
        model = build_model(name, length=length, seed=1)
    references = shuffled_references(sequences, 4, seed=0)
    options = {"n_references": 4, "target": int(name == "pools")}
    found = attribute(model, sequences, "deeplift_shap", **options)
    with torch.no_grad():
        own, others = (
            model(torch.from_numpy(x)).reshape(len(x), -1)[:, int(name == "pools")].double().numpy()
            for x in (sequences, references.reshape(-1, 4, length))
        )
    differences = own[:, None] - others.reshape(N, 4)
    error = found.track.sum(1, dtype=np.float64) - differences.mean(1)
    assert (np.abs(error) <= 1e-4 * np.abs(differences).mean(1)).all()
    assert np.abs(differences).max() > 1e-4
    np.testing.assert_allclose(found.convergence_delta, error, atol=1e-6)


@pytest.mark.parametrize("name", ["cnn", "transformer", "pools"])
def test_integrated_gradients_are_complete(name: str) -> None:
    length = 41
    sequences = sequences_of(length)
    options = {"n_filters": 16} if name == "cnn" else {}
    model = (
        Pools(length).eval()
        if name == "pools"
        else build_model(name, length=length, seed=1, **options)
    )
    found = attribute(model, sequences, "integrated_gradients", n_steps=4)
    with torch.no_grad():
        ends, starts = (
            model(torch.from_numpy(x)).reshape(N, -1)[:, 0].numpy()
            for x in (sequences, even_baseline(sequences))
        )
    error = found.track.sum(1) - (ends - starts)
    assert (np.abs(error) <= 0.011 * np.abs(ends - starts)).all()
    np.testing.assert_allclose(found.convergence_delta, error, atol=1e-5)


class Ramps(nn.Module):
    """From 1/4 to 1 of A at place 0 the logit gains 1 at 0.70, of C at place 1 it loses 1 at 0.42.

    Both are steep ramps, 1/2,000 of the way; G at place 2 gains 3/4 all along.
    """

    def forward(self, x: Tensor) -> Tensor:
        way = (x - 0.25) / 0.75
        up, down = ((way[:, b, b] - at) * 2000 for b, at in ((0, 0.7003), (1, 0.4203)))
        return up.clamp(0, 1) - down.clamp(0, 1) + x[:, 2, 2]


def test_steps_are_taken_where_the_logit_bends_and_misses_do_not_cancel() -> None:
    found = attribute(Ramps(), one_hot(encode(["ACGTT"])[0]), "integrated_gradients")
    # Steps of 1/32 see neither ramp: the slopes add up to 3/4, as they should, and miss both.
    np.testing.assert_allclose(found.track, [[1, -1, 0.75, 0, 0]], atol=0.03)
    assert found.convergence_delta is not None
    assert found.points is not None
    assert np.abs(found.convergence_delta).max() < 0.0075
    (points,) = found.points
    beside = (np.abs(points - 0.7003) < 0.04) | (np.abs(points - 0.4203) < 0.04)
    assert beside.sum() > 33
    assert (~beside).sum() < 34
    with pytest.raises(InputError, match="points of 2"):
        attribute(Ramps(), PAPER, "integrated_gradients", points=[points, points])


class Teeth(nn.Module):
    """Jumps up and down all along the way: no steps show its gradient."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sign(torch.sin(200 * x[:, 0].sum(-1))) + x[:, 1, 0]


@pytest.mark.parametrize(("n_steps", "most"), [(32, 1025), (1030, 1031), (2000, 2001)])
def test_points_end_at_their_limit_or_at_what_is_asked_for(n_steps: int, most: int) -> None:
    found = attribute(Teeth(), PAPER, "integrated_gradients", n_steps=n_steps, checks=False)
    assert found.points is not None
    assert max(map(len, found.points)) <= most


def test_neighbours_do_not_change_the_points_of_a_sequence() -> None:
    length = 41
    model = build_model("attention", length=length, seed=1, n_filters=16)
    with torch.no_grad():
        model.first.weight *= 20  # type: ignore[operator]
    sequences = sequences_of(length)
    together = attribute(model, sequences, "integrated_gradients", batch_size=7).points
    assert together is not None
    assert len({len(points) for points in together}) > 1
    for row in range(N):
        alone = attribute(model, sequences[row : row + 1], "integrated_gradients").points
        assert alone is not None
        np.testing.assert_array_equal(alone[0], together[row])


@pytest.mark.parametrize("method", OF_GRADIENTS)
def test_a_sequence_of_only_n_gets_nothing_and_spoils_nothing(
    method: str, sequences: np.ndarray
) -> None:
    with_n = sequences.copy()
    with_n[2] = 0
    found = attribute(Smooth(), with_n, method)
    assert not found.contributions[2].any()
    others = [0, 1, 3, 4]
    alone = attribute(Smooth(), sequences[others], method)
    np.testing.assert_allclose(found.contributions[others], alone.contributions, atol=1e-5)
    if found.convergence_delta is not None:
        assert found.convergence_delta[2] == pytest.approx(0, abs=1e-6)
    assert not attribute(Smooth(), np.zeros((2, 4, L)), method).contributions.any()


def test_references_are_shuffles_that_depend_on_their_sequence_alone(sequences: np.ndarray) -> None:
    references = shuffled_references(sequences, 6, seed=0)
    pairs = np.einsum("nil,njl->nij", sequences[..., :-1], sequences[..., 1:])
    of_references = np.einsum("nril,nrjl->nrij", references[..., :-1], references[..., 1:])
    np.testing.assert_array_equal(
        of_references, np.broadcast_to(pairs[:, None], of_references.shape)
    )
    np.testing.assert_array_equal(shuffled_references(sequences[2:3], 6, seed=0)[0], references[2])
    assert (shuffled_references(sequences, 6, seed=1) != references).any()
    assert (references[:, 0] != references[:, 1]).any()


class SecondTime(nn.Module):
    """It raises in its second forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        if self.calls > 1:
            raise RuntimeError("the second time")
        return self.norm(x).sum((1, 2))


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"attention", "rollout"}))
def test_a_module_that_raises_is_left_as_it_was_found(method: str, sequences: np.ndarray) -> None:
    module = SecondTime().train()
    module.norm.bias.requires_grad_(False)
    with pytest.raises(RuntimeError, match="the second time"):
        attribute(module, sequences, method, batch_size=2)
    assert module.training
    assert module.norm.training
    assert module.calls == 0
    assert module.norm.weight.grad is None
    assert [p.requires_grad for p in module.parameters()] == [True, False]
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in module.modules())


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"attention", "rollout"}))
def test_another_length_than_a_module_takes_is_refused(method: str) -> None:
    module = Smooth().train()
    module.output.bias.requires_grad_(False)
    with pytest.raises(InputError, match=rf"\(N, 4, {L + 4}\): mat1 and mat2 shapes") as caught:
        attribute(module, sequences_of(L + 4), method)
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert module.training
    assert [p.requires_grad for p in module.parameters()] == [True, True, True, False]
    assert all(p.grad is None for p in module.parameters())


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"attention", "rollout"}))
def test_half_precision_is_refused(method: str, sequences: np.ndarray) -> None:
    with pytest.raises(InputError, match="bfloat16"):
        attribute(Smooth().bfloat16(), sequences, method)


@pytest.mark.parametrize("method", OF_GRADIENTS[:3])
def test_a_model_without_derivatives_is_refused(method: str, sequences: np.ndarray) -> None:
    class Places(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.table(x.argmax(1)).sum((1, 2))

    with pytest.raises(InputError, match="this Places"):
        attribute(Places(), sequences, method)


def test_both_strands_get_the_same_references(sequences: np.ndarray) -> None:
    forward, reverse = (
        shuffled_references(x, 4, seed=0) for x in (sequences, reverse_complement(sequences))
    )
    np.testing.assert_array_equal(reverse_complement(forward), reverse)
