"""Attributions against effects worked out on paper, plain loops, captum, and laws."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import captum.attr
import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from motiflens.attribution import (
    METHODS,
    Attributions,
    attention_of_heads,
    attention_on_bases,
    attribute,
    saliency,
    saturation_mutagenesis,
)
from motiflens.errors import InputError
from motiflens.models.base import AttentionMap, ReceptiveField, SequenceModel
from motiflens.sequences import PAD, encode, one_hot

N, L, T = 5, 11, 3


class LinearModel(nn.Module):
    """logit = sum of weight (4, L) at the bases."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.weight).sum(dim=(1, 2))


class DeepModel(nn.Module):
    """A convolution with batch norm and dropout: everything that has a mode. (N, 4, L) → (N, T)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(4, 6, 3), nn.BatchNorm1d(6), nn.GELU(), nn.Dropout(0.5), nn.Flatten()
        )
        self.output = nn.Linear(6 * (L - 2), T)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.layers(x))


class PooledAttention(SequenceModel):
    """Two heads over three units of stride 4 that see 3 bases each; fixed weights."""

    WEIGHTS = torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.3, 0.6]])

    def attention_maps(self, one_hot: Tensor) -> list[AttentionMap]:
        weights = self.WEIGHTS.expand(len(one_hot), 2, 3)
        return [AttentionMap("attention", weights, ReceptiveField(0, 4, 3))]

    def forward(self, x: Tensor) -> Tensor:
        return x.sum(dim=(1, 2))


@pytest.fixture
def sequences() -> np.ndarray:
    codes = np.random.default_rng(0).integers(0, 4, (N, L)).astype(np.uint8)
    codes[1, 4] = PAD
    codes[3, 8:] = PAD
    return one_hot(codes)


@pytest.fixture
def deep() -> DeepModel:
    torch.manual_seed(1)
    model = DeepModel()
    model(torch.rand(7, 4, L))  # running statistics of its own
    return model


def test_a_linear_models_attributions_are_its_weights(sequences: np.ndarray) -> None:
    weight = torch.randn(4, L, generator=torch.Generator().manual_seed(2))
    centred = (weight - weight.mean(dim=0)).numpy()
    present = sequences.sum(axis=1, keepdims=True)
    for method in ("saliency", "ism"):
        found = attribute(LinearModel(weight), sequences, method)
        np.testing.assert_allclose(found.hypothetical, centred * present, atol=1e-5)
    observed = attribute(LinearModel(weight), sequences, "ism").track
    np.testing.assert_allclose(observed, (centred * sequences).sum(axis=1), atol=1e-5)
    kept = attribute(LinearModel(weight), sequences, "tutorial-saliency")
    largest = np.abs(weight.numpy()).max(axis=0) * present[:, 0]
    np.testing.assert_allclose(kept.track, largest, atol=1e-6)
    np.testing.assert_array_equal(kept.contributions[sequences == 0], 0)


def test_effects_of_one_filter_with_a_max_pool() -> None:
    class OneFilter(nn.Module):
        """Largest number of letters of ACG in a row; a detector of the word."""

        def forward(self, x: Tensor) -> Tensor:
            filters = torch.from_numpy(one_hot(encode(["ACG"])[0]))
            return nn.functional.conv1d(x, filters).amax(dim=(1, 2))

    # ACG scores 3. Its best rival, CAG at 2..5 once an A is gone, scores 2 or less.
    sequences = one_hot(encode(["TTACGTT"])[0])
    effects = saturation_mutagenesis(OneFilter(), sequences)
    expected = np.zeros((1, 4, 7))
    expected[0, :, 2:5] = -1  # two of three letters are left
    expected[sequences == 1] = 0
    np.testing.assert_array_equal(effects, expected)
    hypothetical = attribute(OneFilter(), sequences, "ism").hypothetical
    assert hypothetical is not None
    np.testing.assert_allclose(hypothetical[0, :, 2], [0.75, -0.25, -0.25, -0.25])


def test_the_gradient_is_captums(deep: DeepModel, sequences: np.ndarray) -> None:
    target = 2
    found = saliency(deep, sequences, target, gradient_correction=False, batch_size=2)
    explainer = captum.attr.Saliency(deep.eval())
    x = torch.from_numpy(sequences).requires_grad_()
    expected = explainer.attribute(x, target=target, abs=False).detach().numpy()
    known = np.broadcast_to(sequences.sum(axis=1, keepdims=True) > 0, sequences.shape)
    np.testing.assert_allclose(found.hypothetical[known], expected[known], atol=1e-6)
    np.testing.assert_allclose(
        found.track, np.abs(expected).max(axis=1) * sequences.sum(axis=1), atol=1e-6
    )


def test_mutagenesis_is_a_plain_loops(deep: DeepModel, sequences: np.ndarray) -> None:
    found = saturation_mutagenesis(deep, sequences, target=1, batch_size=7)
    deep.eval()
    expected = np.zeros_like(sequences)
    with torch.no_grad():
        for n, b, i in np.ndindex(*sequences.shape):
            if sequences[n, :, i].any():
                mutant = sequences[n : n + 1].copy()
                mutant[0, :, i] = np.eye(4)[b]
                pair = torch.from_numpy(np.concatenate([mutant, sequences[n : n + 1]]))
                after, before = deep(pair)[:, 1]
                expected[n, b, i] = after - before
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(found).max() > 0.01


@pytest.mark.parametrize(
    "method", sorted(set(METHODS) - {"attention", "rollout", "tutorial-saliency"})
)
def test_hypothetical_contributions_sum_to_nothing_over_the_bases(
    method: str, deep: DeepModel, sequences: np.ndarray
) -> None:
    found = attribute(deep, sequences, method)
    assert found.hypothetical is not None
    np.testing.assert_allclose(found.hypothetical.sum(axis=1), 0, atol=1e-5)
    unknown = np.broadcast_to(sequences.sum(axis=1, keepdims=True) == 0, sequences.shape)
    assert not found.hypothetical[unknown].any()
    assert np.abs(found.hypothetical).max() > 0.01


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"attention", "rollout"}))
def test_the_batch_size_is_of_no_consequence(
    method: str, deep: DeepModel, sequences: np.ndarray
) -> None:
    one, many = (attribute(deep, sequences, method, batch_size=size) for size in (1, 256))
    np.testing.assert_allclose(one.contributions, many.contributions, atol=1e-6)
    reverse = attribute(deep, sequences[::-1].copy(), method).contributions[::-1]
    np.testing.assert_allclose(reverse, many.contributions, atol=1e-6)


def state_of(module: nn.Module) -> list[object]:
    return [
        [part.training for part in module.modules()],
        [(p.requires_grad, p.grad) for p in module.parameters()],
        [len(part._forward_hooks) + len(part._backward_hooks) for part in module.modules()],
        [value.tolist() for value in module.state_dict().values()],
        torch.is_grad_enabled(),
    ]


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"attention", "rollout"}))
def test_the_model_is_left_as_it_was_found(
    method: str, deep: DeepModel, sequences: np.ndarray
) -> None:
    deep.train()
    deep.layers[1].eval()  # a frozen batch norm in a model that trains
    deep.output.bias.requires_grad_(False)
    before = state_of(deep)
    attribute(deep, sequences, method)
    assert state_of(deep) == before
    with pytest.raises(InputError, match="target=3"):
        attribute(deep, sequences, method, target=T)
    assert state_of(deep) == before


def test_gradients_are_there_though_the_caller_switched_them_off(
    deep: DeepModel, sequences: np.ndarray
) -> None:
    with torch.no_grad():
        assert np.abs(attribute(deep, sequences, "saliency").track).max() > 0


def test_attention_lies_on_the_bases_its_units_see(sequences: np.ndarray) -> None:
    weights = attention_on_bases(PooledAttention(), sequences, batch_size=2)
    mean = PooledAttention.WEIGHTS.mean(dim=0).numpy() / 3
    expected = [*[mean[0]] * 3, 0, *[mean[1]] * 3, 0, *[mean[2]] * 3]
    np.testing.assert_allclose(weights, np.tile(expected, (N, 1)), atol=1e-6)
    found = attribute(PooledAttention(), sequences, "attention")
    np.testing.assert_allclose(found.track, weights * sequences.sum(axis=1), atol=1e-7)
    assert found.hypothetical is None


@pytest.mark.parametrize("model", [LinearModel(torch.zeros(4, L)), SequenceModel()])
def test_attention_of_a_model_without_any_is_refused(
    model: nn.Module, sequences: np.ndarray
) -> None:
    for method in ("attention", "rollout"):
        with pytest.raises(InputError, match=type(model).__name__):
            attribute(model, sequences, method)


class TwoLayers(SequenceModel):
    """Two heads that look one unit to the right and nowhere, then one that looks at unit 2."""

    def attention_maps(self, one_hot: Tensor) -> list[AttentionMap]:
        n = len(one_hot)
        right, first = torch.zeros(2, 3, 3), torch.zeros(1, 3, 3)
        right[0, range(3), [1, 2, 2]] = 1
        right[1, range(3), range(3)] = 1
        first[0, :, 2] = 1
        field = ReceptiveField(0, 4, 3)
        return [
            AttentionMap(
                f"block {number}", full.mean(1).expand(n, -1, 3), field, full.expand(n, *full.shape)
            )
            for number, full in enumerate((right, first), start=1)
        ]


def test_rollout_multiplies_the_layers(sequences: np.ndarray) -> None:
    # Layer 1 with the identity: rows (3/4, 1/4, 0), (0, 3/4, 1/4), (0, 0, 1); layer 2 adds half of
    # its row 3 to half of each: the mean row is (1/8, 1/6, 17/24). Every unit sees three bases.
    found = attribute(TwoLayers(), sequences, "rollout")
    units = np.repeat(np.array([1 / 8, 1 / 6, 17 / 24]) / 3, [3, 3, 3])
    expected = np.insert(units, [3, 6], 0)
    full = [0, 2, 4]  # sequences without padding
    np.testing.assert_allclose(found.track[full], np.tile(expected, (3, 1)), atol=1e-6)
    # Of sequence 3, the last unit is centred on padding: it is asked nothing, (3/16, 1/4, 9/16).
    padded = np.insert(np.repeat(np.array([3 / 16, 1 / 4, 9 / 16]) / 3, 3), [3, 6], 0)
    padded[8:] = 0
    np.testing.assert_allclose(found.track[3], padded, atol=1e-6)


def test_rollout_needs_self_attention(sequences: np.ndarray) -> None:
    with pytest.raises(InputError, match="the layer attention"):
        attribute(PooledAttention(), sequences, "rollout")


def test_heads_are_told_apart(sequences: np.ndarray) -> None:
    (weights,) = attention_of_heads(PooledAttention(), sequences).values()
    assert weights.shape == (N, 2, L)
    np.testing.assert_allclose(weights[:, 1, 4:7], 0.1, atol=1e-6)
    np.testing.assert_allclose(
        weights.mean(axis=1), attention_on_bases(PooledAttention(), sequences)
    )
    assert attention_on_bases(PooledAttention(), sequences[:0]).shape == (0, L)


def test_no_sequences_give_empty_attributions(deep: DeepModel) -> None:
    for method in set(METHODS) - {"attention", "rollout"}:
        assert attribute(deep, np.zeros((0, 4, L)), method).track.shape == (0, L)


def test_double_precision_models_are_explained(deep: DeepModel, sequences: np.ndarray) -> None:
    single = attribute(deep, sequences, "ism").contributions
    double = attribute(deep.double(), sequences, "ism").contributions
    np.testing.assert_allclose(single, double, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "saliancy"}, "did you mean saliency"),
        ({"sequences": np.zeros((N, L, 4))}, "shape"),
        ({"sequences": np.full((N, 4, L), 0.25)}, "position 1 of sequence 1"),
        ({"sequences": np.ones((N, 4, L))}, "position 1 of sequence 1"),
        ({"target": -1}, "target=-1"),
        ({"target": T}, f"target={T}"),
    ],
)
def test_a_wrong_call_is_refused(
    change: dict[str, object], message: str, deep: DeepModel, sequences: np.ndarray
) -> None:
    call = {"model": deep, "sequences": sequences, "method": "ism"} | change
    with pytest.raises(InputError, match=message):
        attribute(**call)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"attention", "rollout"}))
def test_logits_that_are_not_finite_or_have_another_shape_are_refused(
    method: str, sequences: np.ndarray
) -> None:
    weight = torch.zeros(4, L)
    weight[0, 0] = torch.nan
    with pytest.raises(InputError, match="NaN"):
        attribute(LinearModel(weight), sequences, method)
    with pytest.raises(InputError, match=r"shape \(\d+, 4, 11\)"):
        attribute(nn.Identity(), sequences, method)


@st.composite
def stored(draw: st.DrawFn) -> tuple[list[np.ndarray | None], list[str]]:
    n, length = draw(st.integers(0, 3)), draw(st.integers(1, 5))
    values = hnp.arrays(np.float32, (n, 4, length), elements=st.floats(-9, 9, width=32))
    codes = hnp.arrays(np.uint8, (n, length), elements=st.integers(0, 4))
    text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
    names = draw(st.lists(text, min_size=n, max_size=n))
    hypothetical = draw(st.none() | values)
    delta = draw(st.none() | hnp.arrays(np.float32, n, elements=st.floats(-9, 9, width=32)))
    return [one_hot(draw(codes)), draw(values), hypothetical, delta], names


@settings(max_examples=40, deadline=None)
@given(stored())
def test_a_file_gives_back_what_was_saved(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[list[np.ndarray], list[str]]
) -> None:
    arrays, names = case
    saved = Attributions("ism", *arrays)
    path = tmp_path_factory.mktemp("npz") / "ism.npz"
    saved.save(path, names)
    first = path.read_bytes()
    found = Attributions.load(path)
    found_names = list(found.names)
    assert (found.method, found_names) == ("ism", names)
    for key in ("one_hot", "contributions", "hypothetical", "convergence_delta"):
        before, after = getattr(saved, key), getattr(found, key)
        assert (before is None) == (after is None)
        if before is not None:
            np.testing.assert_array_equal(before, after)
            assert after.dtype == np.float32
    saved.save(path, names)
    assert path.read_bytes() == first
    assert [p.name for p in path.parent.iterdir()] == ["ism.npz"]


def test_a_file_that_is_no_attribution_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ism.npz"
    for write in (
        lambda: None,
        lambda: path.write_text("no zip at all"),
        lambda: path.write_bytes(b""),
        lambda: np.savez(path, something=np.zeros(3)),
        lambda: zipfile.ZipFile(path, "w").close(),
    ):
        write()
        with pytest.raises(InputError, match="no file of attributions"):
            Attributions.load(path)


def test_names_must_fit(tmp_path: Path) -> None:
    found = Attributions("ism", np.zeros((2, 4, 3), np.float32), np.zeros((2, 4, 3), np.float32))
    with pytest.raises(InputError, match="1 names"):
        found.save(tmp_path / "ism.npz", ["one"])
    with pytest.raises(InputError, match="zero character"):
        found.save(tmp_path / "ism.npz", ["one", "two\0"])
    assert not list(tmp_path.iterdir())


def test_the_table_of_methods() -> None:
    assert set(METHODS) == {
        "saliency",
        "tutorial-saliency",
        "input_x_gradient",
        "integrated_gradients",
        "expected_gradients",
        "deeplift_shap",
        "ism",
        "attention",
        "rollout",
    }


@pytest.mark.parametrize("number", [0, -1, 2.5])
@pytest.mark.parametrize("name", ["batch_size", "n_steps", "n_references"])
def test_numbers_below_one_are_refused(name: str, number: float) -> None:
    one_hot = np.eye(4, dtype=np.float32)[[[0, 1, 2, 3, 1]]].transpose(0, 2, 1)
    options: dict[str, Any] = {name: number}
    with pytest.raises(InputError, match=f"{name}={number}"):
        attribute(nn.Flatten(), one_hot, "expected_gradients", **options)


def test_parameters_made_in_inference_mode_are_left_as_they_were() -> None:
    with torch.inference_mode():
        module = nn.Sequential(nn.Conv1d(4, 3, 2), nn.Flatten(), nn.Linear(12, 1))
    one_hot = np.eye(4, dtype=np.float32)[[[0, 1, 2, 3, 1]]].transpose(0, 2, 1)
    with pytest.raises(RuntimeError, match="Inference tensors"):
        attribute(module, one_hot, "saliency")
    assert all(parameter.requires_grad for parameter in module.parameters())
