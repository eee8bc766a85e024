"""TF-MoDISco as a route, on explanations made by hand: its motif, sites, and what it refuses."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from torch import Tensor, nn

from motiflens.attribution import Attributions
from motiflens.datasets import SequenceDataset
from motiflens.discovery import ROUTES, DiscoveredMotif, find_motifs
from motiflens.discovery.modisco import modisco_motifs
from motiflens.errors import InputError
from motiflens.motifs import motif_from_string
from motiflens.sequences import reverse_complement_string

MOTIF = "CGACCGAACTCC"
PPM = 0.9 * motif_from_string(MOTIF).ppm + 0.1 / 4
LENGTHS = (50, 47)


def explained(n: int = 180) -> tuple[Attributions, SequenceDataset, set[tuple[int, int, str]]]:
    """Short sequences with the motif on either strand, to the ends, which alone contributes."""
    generator = np.random.default_rng(0)
    texts, sites, effects = [], set(), np.zeros((n, 4, max(LENGTHS)))
    for row in range(n):
        length, minus = LENGTHS[row % 2], row % 3 == 0
        start = int(generator.integers(length - len(MOTIF) + 1))
        word = "".join("ACGT"[generator.choice(4, p=column)] for column in PPM.T)
        word = reverse_complement_string(word) if minus else word
        text = "".join(generator.choice(list("ACGT"), length))
        texts.append(text[:start] + word + text[start + len(word) :])
        sites.add((row, start, "-" if minus else "+"))
        effect = (PPM - 0.25) * generator.uniform(0.5, 1.5)
        effects[row, :, start : start + len(MOTIF)] = effect[::-1, ::-1] if minus else effect
    noise = generator.normal(scale=0.05, size=effects.shape)
    dataset = SequenceDataset.from_sequences(texts, np.ones(n, dtype=int))
    bases = dataset.one_hot()
    hypothetical = effects + noise - noise.mean(axis=1, keepdims=True)
    hypothetical = (hypothetical * bases.any(axis=1, keepdims=True)).astype(np.float32)
    return Attributions("deeplift_shap", bases, hypothetical * bases, hypothetical), dataset, sites


class NeverCalled(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        raise AssertionError("the model was called")


def oriented(motif: DiscoveredMotif) -> tuple[str, set[tuple[int, int, str]]]:
    """Consensus and sites on the strand that the motif was planted on."""
    sites = {(site.sequence, site.start, site.strand) for site in motif.sites}
    if motif.consensus == MOTIF:
        return MOTIF, sites
    other = {(row, start, "+" if strand == "-" else "-") for row, start, strand in sites}
    return reverse_complement_string(motif.consensus), other


@pytest.mark.slow
def test_a_motif_of_short_sequences_comes_back_with_its_sites() -> None:
    pytest.importorskip("modiscolite", reason="needs the extra modisco")
    found, dataset, planted = explained()
    shared = {"deeplift_shap": found}
    motifs = find_motifs(NeverCalled(), dataset, ["modisco"], attributions=shared)["modisco"]
    assert [motif.name for motif in motifs] == ["modisco-1"]
    consensus, sites = oriented(motifs[0])
    assert consensus == MOTIF
    assert sites <= planted
    assert len(sites) >= 0.9 * len(planted)
    assert {0, 50 - len(MOTIF)} < {start for _, start, _ in sites}
    np.testing.assert_allclose(motifs[0].ppm.sum(axis=0), 1.0)
    for motif, again in zip(motifs, modisco_motifs(found), strict=True):
        assert again.sites == motif.sites
        np.testing.assert_array_equal(again.ppm, motif.ppm)


def test_few_seqlets_or_none_give_no_motif_and_odd_contributions_a_clear_answer() -> None:
    pytest.importorskip("modiscolite", reason="needs the extra modisco")
    found, _, _ = explained(30)
    flat = np.zeros_like(found.one_hot)
    assert modisco_motifs(Attributions("ism", found.one_hot, flat, flat)) == []
    same = np.ones_like(flat)
    with pytest.raises(InputError, match="no null distribution"):
        modisco_motifs(Attributions("ism", found.one_hot, same * found.one_hot, same))


def test_the_route_is_taken_where_it_is_asked_for_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    found, dataset, _ = explained(30)
    monkeypatch.setitem(sys.modules, "modiscolite", None)
    monkeypatch.setitem(sys.modules, "modiscolite.tfmodisco", None)
    assert "modisco" in ROUTES
    shared = dict.fromkeys(("saliency", "ism", "deeplift_shap"), found)
    assert "modisco" not in find_motifs(NeverCalled(), dataset, attributions=shared)
    with pytest.raises(InputError, match=r"pip install 'motiflens\[modisco\]'"):
        find_motifs(NeverCalled(), dataset, ["modisco"], attributions=shared)
    with pytest.raises(InputError, match="hypothetical"):
        modisco_motifs(Attributions("attention", found.one_hot, found.contributions))
