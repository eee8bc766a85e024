"""Routes on models with hand-set weights: the motif put into them comes out of every route."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from motiflens.attribution import attribute
from motiflens.datasets import SequenceDataset
from motiflens.discovery import ROUTES, find_motifs
from motiflens.discovery.routes import windows_around_maximum
from motiflens.errors import InputError
from motiflens.models.base import AttentionMap, FeatureMap, ReceptiveField, SequenceModel
from motiflens.sequences import encode, one_hot, reverse_complement_string

MOTIF = "CGACCGAACTCC"
KERNEL, POOL = 12, 4
PRIMER = Path(__file__).parents[2] / "shared" / "data" / "primer"


class Detector(SequenceModel):
    """Filter 0 is the motif, filters 1 to 4 are other words; the logit is filter 0's maximum.

    Two heads attend over pooled units as filter 0 responds, the second one only half as much.
    """

    def __init__(self, word: str = MOTIF) -> None:
        super().__init__()
        others = ["ATATATATATAT", "GGGGGGGGGGGG", "TTTGTTTGTTTG", "CATCATCATCAT"]
        weight = torch.from_numpy(one_hot(encode([word, *others])[0]))
        self.weight = nn.Parameter(weight)
        self.sharpness = 2.0

    @property
    def filters(self) -> Tensor:
        return self.weight

    def first_layer(self, one_hot: Tensor) -> FeatureMap:
        activations = nn.functional.conv1d(one_hot, self.weight).sub(5).relu()
        return FeatureMap(activations, ReceptiveField(0, 1, KERNEL))

    def attention_maps(self, one_hot: Tensor) -> list[AttentionMap]:
        units = nn.functional.max_pool1d(self.first_layer(one_hot).activations[:, :1], POOL)
        scores = torch.cat([units, units / 2], dim=1) * self.sharpness
        field = ReceptiveField(0, 1, KERNEL).pooled(POOL)
        return [AttentionMap("attention", scores.softmax(dim=-1), field)]

    def forward(self, one_hot: Tensor) -> Tensor:
        return self.first_layer(one_hot).activations[:, 0].amax(dim=-1)


def positives(n: int = 120, length: int = 50, *, both: bool = False) -> SequenceDataset:
    """Random sequences with the motif in places that a pooled unit sees."""
    generator = np.random.default_rng(0)
    texts = []
    for _ in range(n):
        letters = generator.choice(list("ACGT"), length)
        start = generator.integers(0, length - KERNEL - POOL)
        word = reverse_complement_string(MOTIF) if both and generator.random() < 0.5 else MOTIF
        letters[start : start + KERNEL] = list(word)
        texts.append("".join(letters))
    return SequenceDataset.from_sequences(texts, np.ones(n, dtype=int))


@pytest.fixture(scope="module")
def dataset() -> SequenceDataset:
    return positives()


def test_every_route_gives_back_the_motif(dataset: SequenceDataset) -> None:
    found = find_motifs(Detector(), dataset)
    assert list(found) == [route for route in ROUTES if route != "modisco"]
    for route, motifs in found.items():
        assert motifs[0].name == f"{route}-1"
        if route != "attention-stretched":
            assert motifs[0].consensus == MOTIF, route
            # A chance match of a word can stand beside the true one.
            assert motifs[0].n_sites >= len(dataset) - 2


def test_the_stretched_route_is_the_tutorials(dataset: SequenceDataset) -> None:
    model = Detector()
    (found,) = find_motifs(model, dataset, ["attention-stretched"])["attention-stretched"]
    x = torch.from_numpy(dataset.one_hot())
    weights = model.attention_maps(x)[0].weights.mean(dim=1, keepdim=True)
    stretched = nn.functional.interpolate(weights, size=50, mode="linear", align_corners=False)
    counts = np.zeros((4, 12))
    for n, row in enumerate(stretched[:, 0].detach().numpy()):
        start = min(max(int(row.argmax()) - 6, 0), 50 - 12)
        counts += dataset.one_hot()[n, :, start : start + 12]
        assert found.sites[n][:4] == (n, start, start + 12, "+")
    np.testing.assert_allclose(found.ppm, counts / len(dataset))
    assert found.consensus != MOTIF


def test_sites_on_both_strands() -> None:
    dataset = positives(both=True)

    class BothStrands(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            detector = Detector()
            return torch.maximum(detector(x), detector(x.flip((1, 2))))

    for motifs in find_motifs(BothStrands(), dataset, strands="both").values():
        assert motifs[0].consensus in {MOTIF, reverse_complement_string(MOTIF)}
        assert {site.strand for site in motifs[0].sites} == {"+", "-"}


def test_a_filter_that_positives_do_not_excite_gives_no_motif(dataset: SequenceDataset) -> None:
    assert find_motifs(Detector("ATTGCAATAGTG"), dataset, ["filters"])["filters"] == []


def test_a_filter_that_knows_composition_alone_gives_no_motif(dataset: SequenceDataset) -> None:
    class CountsC(Detector):
        def first_layer(self, one_hot: Tensor) -> FeatureMap:
            counts = nn.functional.avg_pool1d(one_hot[:, 1:2], KERNEL, stride=1)
            return FeatureMap(counts, ReceptiveField(0, 1, KERNEL))

    assert find_motifs(CountsC(), dataset, ["filters"])["filters"] == []


def test_a_flat_track_has_no_window() -> None:
    track = np.zeros((3, 40))
    track[1, 20] = 1.0
    ((sequence, start, end),) = windows_around_maximum(track)
    assert sequence == 1
    assert start < 20 < end


def test_a_model_that_looks_nowhere_gives_no_motif(dataset: SequenceDataset) -> None:
    class Blind(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.sum(dim=(1, 2)) * 0

    assert find_motifs(Blind(), dataset) == {"saliency": [], "ism": []}


def test_a_model_that_looks_beside_the_motif_does_not_show_it(dataset: SequenceDataset) -> None:
    class EdgeCounter(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x[:, 2, :6].sum(dim=1)

    for motifs in find_motifs(EdgeCounter(), dataset).values():
        assert all(motif.consensus != MOTIF for motif in motifs)


def test_routes_that_a_model_cannot_serve_are_absent(dataset: SequenceDataset) -> None:
    class NoAttention(Detector):
        def attention_maps(self, one_hot: Tensor) -> list[AttentionMap]:
            return []

    class Plain(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return Detector()(x)

    assert list(find_motifs(NoAttention(), dataset)) == ["filters", "saliency", "ism"]
    assert list(find_motifs(Plain(), dataset)) == ["saliency", "ism"]
    assert list(find_motifs(Plain(), dataset, ["attention", "ism"])) == ["ism"]


def test_attributions_that_exist_are_used(dataset: SequenceDataset) -> None:
    found = {"ism": attribute(Detector(), dataset.one_hot(), "ism")}

    class NeverCalled(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise AssertionError("the model was called")

    motifs = find_motifs(NeverCalled(), dataset, ["ism"], attributions=found)["ism"]
    assert motifs[0].consensus == MOTIF
    assert list(found) == ["ism"]


def test_the_model_is_left_as_it_was_found(dataset: SequenceDataset) -> None:
    model = Detector().train()
    find_motifs(model, dataset)
    assert model.training
    assert model.weight.grad is None


def test_sequences_of_unequal_length(dataset: SequenceDataset) -> None:
    texts = [text[: 50 - n % 3] for n, text in enumerate(dataset.sequences())]
    shorter = SequenceDataset.from_sequences(texts, dataset.labels)
    for route, motifs in find_motifs(Detector(), shorter).items():
        if route != "attention-stretched":
            assert motifs[0].consensus == MOTIF
        lengths = shorter.lengths
        assert all(site.end <= lengths[site.sequence] for m in motifs for site in m.sites)


def test_a_wrong_call_is_refused(dataset: SequenceDataset) -> None:
    with pytest.raises(InputError, match="did you mean saliency"):
        find_motifs(Detector(), dataset, ["salience"])
    with pytest.raises(InputError, match="no positive sequence"):
        find_motifs(Detector(), dataset.subset(np.zeros(0, dtype=int)))


@pytest.mark.skipif(not PRIMER.is_dir(), reason="the shared test data are not here")
def test_the_primer_sets_motif_comes_back_from_a_detector_of_its_core() -> None:
    labels = (PRIMER / "labels.txt").read_text().split()
    texts = (PRIMER / "sequences.txt").read_text().split()
    chosen = [text for text, label in zip(texts, labels, strict=True) if label == "1"][:300]
    dataset = SequenceDataset.from_sequences(chosen, np.ones(300, dtype=int))

    class CoreDetector(nn.Module):
        """Knows the seven middle letters alone: the rest comes from the alignment."""

        def forward(self, x: Tensor) -> Tensor:
            core = torch.from_numpy(one_hot(encode([MOTIF[3:10]])[0]))
            return nn.functional.conv1d(x, core).sub(4).relu().amax(dim=(1, 2))

    for motifs in find_motifs(CoreDetector(), dataset).values():
        assert motifs[0].consensus == MOTIF
