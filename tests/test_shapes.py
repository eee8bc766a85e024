"""Shapes of public functions, stated in signatures and checked as they are called.

Axes of one name have one size in a call; every axis of the inputs has a size of its own.
"""
# ruff: noqa: F722  (axes are written as text that is no Python)

import numpy as np
import pytest
import torch
from beartype import beartype
from jaxtyping import Bool, Float, Float32, Float64, Int8, UInt8, jaxtyped
from tests.toy_models import random_codes
from torch import Tensor

from motiflens.attribution import METHODS, attribute, saturation_mutagenesis
from motiflens.evidence import true_bases
from motiflens.evidence.tracks import rank_correlations
from motiflens.metrics import rank_auprc, rank_auroc
from motiflens.models import MODELS, SequenceModel, build_model
from motiflens.motifs import motif_from_string
from motiflens.sequences import one_hot, reverse_complement
from motiflens.shuffles import dinucleotide_shuffle

N, LENGTH = 6, 53

Codes = UInt8[np.ndarray, "n l"]
OneHot = Float32[np.ndarray, "n 4 l"]
checked = jaxtyped(typechecker=beartype)


@checked
def encode(codes: Codes) -> OneHot:
    return one_hot(codes)


@checked
def other_strand(sequences: OneHot) -> OneHot:
    return reverse_complement(sequences)


@checked
def shuffled(codes: Codes) -> Codes:
    lengths = np.full(len(codes), codes.shape[1], dtype=np.int32)
    return dinucleotide_shuffle(codes, lengths, np.random.default_rng(0))


@checked
def logits(model: SequenceModel, sequences: Float32[Tensor, "n 4 l"]) -> Float32[Tensor, " n"]:
    return model(sequences)


@checked
def first_layer(
    model: SequenceModel, sequences: Float32[Tensor, "n 4 l"]
) -> Float32[Tensor, "n f u"]:
    return model.first_layer(sequences).activations


@checked
def explained(
    model: SequenceModel, sequences: OneHot, method: str
) -> tuple[Float[np.ndarray, "n 4 l"], Float[np.ndarray, "n l"]]:
    attributions = attribute(model, sequences, method, checks=False)
    return attributions.contributions, attributions.track


@checked
def mutated(model: SequenceModel, sequences: OneHot) -> OneHot:
    return saturation_mutagenesis(model, sequences)


@checked
def scores(
    labels: Float64[np.ndarray, "r n"], values: Float64[np.ndarray, "r n"]
) -> tuple[Float64[np.ndarray, " r"], Float64[np.ndarray, " r"]]:
    return rank_auroc(labels, values), rank_auprc(labels, values)


@checked
def agreement(
    a: Float[np.ndarray, "n l"], b: Float[np.ndarray, "n l"], known: Bool[np.ndarray, "n l"]
) -> Float64[np.ndarray, " n"]:
    return rank_correlations(a, b, known)


@pytest.fixture(scope="module")
def codes() -> np.ndarray:
    return random_codes(N, LENGTH)


def test_sequences_keep_their_shapes(codes):
    assert encode(codes).sum() == N * LENGTH
    assert shuffled(codes).shape == other_strand(encode(codes))[:, 0].shape


@pytest.mark.parametrize("name", MODELS)
def test_models_go_from_one_hot_to_one_logit_a_sequence(name, codes):
    model = build_model(name, length=LENGTH, seed=0).eval()
    sequences = torch.from_numpy(one_hot(codes))
    assert logits(model, sequences).requires_grad
    if name != "transformer":  # which has no filters
        assert first_layer(model, sequences).shape[0] == N


@pytest.mark.parametrize("method", METHODS)
def test_explanations_are_of_every_base(method, codes):
    model = build_model("attention", length=LENGTH, seed=0).eval()
    if method == "rollout":
        model = build_model("transformer", length=LENGTH, seed=0).eval()
    contributions, track = explained(model, one_hot(codes), method)
    np.testing.assert_allclose(contributions.sum(1), track, atol=1e-6)


def test_effects_of_substitutions_and_figures_of_tracks_have_the_shapes_they_say(codes):
    model = build_model("cnn", length=LENGTH, seed=0).eval()
    effects = mutated(model, one_hot(codes)).sum(1)
    assert agreement(effects, -effects, codes < 4) == pytest.approx(1)
    labels = np.tile([1.0, 0.0, 1.0], (5, 1))
    assert scores(labels, np.tile([3.0, 2.0, 1.0], (5, 1)))[0] == pytest.approx(0.5)


def test_true_bases_are_marked_in_every_sequence():
    motif = motif_from_string("ACGTG")

    @checked
    def truth(n: int, length: int) -> Int8[np.ndarray, "{n} {length}"]:
        return true_bases([[]] * n, [motif], np.full(n, length, dtype=np.int32), length)

    assert not truth(3, 17).any()


def test_a_wrong_shape_is_seen():
    with pytest.raises(Exception, match="n l"):
        shuffled(np.zeros((3, 4, 5), dtype=np.uint8))
