"""Motifs of a model, confirmed on other sequences, named, and taken out again."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from motiflens.attribution import attribute
from motiflens.datasets import SequenceDataset, concatenate, split_at_random
from motiflens.discovery import held_out as discovering
from motiflens.discovery.held_out import attributions_in_turn, discover_and_confirm, to_explain
from motiflens.discovery.written import note_on_groups
from motiflens.errors import InputError
from motiflens.motifs import jaspar_core, motif_from_string
from motiflens.sequences import encode
from motiflens.simulation import Grammar, MotifUse, simulate
from motiflens.training import Job, recipe_for, train

EBOX, CCAAT = "GTCACGTGACC", "AGCCAATCAGC"
LENGTH = 71


class Matches(nn.Module):
    """Logit: for each word, `weight` times the best match above all but two of its bases."""

    def __init__(self, words: dict[str, float]) -> None:
        super().__init__()
        width = max(map(len, words))
        self.conv = nn.Conv1d(4, 2 * len(words), width)
        weight = torch.zeros_like(self.conv.weight)
        for row, word in enumerate(words):
            ppm = torch.from_numpy(np.array(motif_from_string(word).ppm)).float()
            weight[2 * row, :, : len(word)] = ppm
            weight[2 * row + 1, :, : len(word)] = ppm.flip((0, 1))
        self.conv.weight.data = weight
        limits = [2.0 - len(word) for word in words for _ in "+-"]
        self.conv.bias.data = torch.tensor(limits)
        self.register_buffer("signs", torch.tensor([w for w in words.values() for _ in "+-"]))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.conv(x)).amax(dim=-1) @ self.signs


def implanted(n: int, seed: int, *, positive: str = EBOX, negative: str | None = None):
    """Random sequences; positives hold one word, and negatives another or none."""
    generator = np.random.default_rng(seed)
    rows = []
    for index in range(n):
        word = positive if index % 2 else negative
        row = "".join(generator.choice(list("ACGT"), LENGTH))
        if word is not None:
            at = int(generator.integers(LENGTH - len(word) + 1))
            row = row[:at] + word + row[at + len(word) :]
        rows.append(row)
    return SequenceDataset.from_sequences(rows, [index % 2 for index in range(n)])


class Sorted(Matches):
    """The same model by an operation that DeepLIFT has no rule for."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.conv(x)).sort(dim=-1).values[..., -1] @ self.signs


def test_a_model_that_deeplift_refuses_is_explained_by_mutagenesis():
    few = implanted(12, 3)
    with pytest.raises(InputError, match="sort"):
        attribute(Sorted({EBOX: 3.0}), few.one_hot(), "deeplift_shap")
    found = attributions_in_turn([Matches({EBOX: 3.0}), Sorted({EBOX: 3.0})], few)
    assert found.method == "ism"
    expected = attribute(Matches({EBOX: 3.0}), few.one_hot(), "ism").contributions
    np.testing.assert_allclose(found.contributions, expected, atol=1e-5)


def test_both_motifs_of_a_model_come_back_with_direction_name_and_effect():
    model = Matches({EBOX: 3.0, CCAAT: -2.0})
    found_in, held_out = implanted(240, 1, negative=CCAAT), implanted(160, 2, negative=CCAAT)
    discovery = discover_and_confirm([model, model], found_in, held_out)
    by_direction = {one.motif.direction: one for one in discovery.found}
    assert len(discovery.found) == len(by_direction) == 2
    assert [one.motif.name for one in discovery.found] == ["motif-1", "motif-2"]
    ebox, ccaat = by_direction["positive"], by_direction["negative"]
    assert "CACGTG" in ebox.motif.consensus
    assert {"USF1", "USF2", "TFE3"} & {ebox.match.name, *ebox.match.others}
    assert "NFY" in ccaat.match.name
    # Without its sites a sequence loses two bases over the limit, times the weight; the E-box,
    # nearly its own reverse complement, loses the match on the other strand as well.
    assert ccaat.ablations[0].effect.mean == pytest.approx(4.0, rel=0.1)
    assert ebox.ablations[0].effect.mean < -6.0
    for one in (ebox, ccaat):
        assert one.n_agreeing == 2
        assert one.enrichment.q_value < 1e-15
    assert discovery.not_significant == ()


def test_what_held_out_sequences_do_not_confirm_is_not_found():
    model = Matches({EBOX: 3.0})
    found_in, held_out = implanted(240, 1), implanted(160, 2, negative=EBOX)
    discovery = discover_and_confirm([model], found_in, held_out)
    assert discovery.found == ()
    (dismissed,) = discovery.not_significant
    assert "CACGTG" in dismissed.motif.consensus
    assert (dismissed.match, dismissed.ablations, dismissed.n_agreeing) == (None, (), 0)


def test_a_locus_is_explained_and_tested_once_and_not_where_it_was_learnt():
    model, found_in, own = Matches({EBOX: 3.0}), implanted(240, 1), implanted(160, 2)
    alone = discover_and_confirm([model], found_in, own)
    shifted = [row[3:] for row in own.sequences()[:50]]
    learnt = [row[:-2] for row in found_in.sequences()[:30]]
    held_out = concatenate([own, _labelled(shifted), _labelled(learnt)])
    found = discover_and_confirm([model], concatenate([found_in, _labelled(learnt)]), held_out)
    assert (len(found.explained), len(found.held_out)) == (240, 240)
    assert (found.counted.n_groups, found.counted.overlapping, found.counted.left_out) == (
        160,
        50,
        30,
    )
    (one,), (other,) = alone.found, found.found
    assert one.enrichment.p_value == other.enrichment.p_value
    assert one.ablations[0].effect == other.ablations[0].effect
    assert other.enrichment.n_sites > one.enrichment.n_sites
    note = note_on_groups(found)
    assert "30 of the 240 sequences of the test split share 31 bases" in note
    assert "50 of 240 overlap another" in note
    assert note_on_groups(alone) == ""


def test_where_no_held_out_sequence_is_new_nothing_is_found():
    found_in = implanted(240, 1)
    discovery = discover_and_confirm([Matches({EBOX: 3.0})], found_in, found_in)
    assert discovery.found == ()
    assert discovery.counted.left_out == 240
    assert "no motif can be confirmed" in note_on_groups(discovery)


def test_a_model_that_looks_at_nothing_has_no_motif():
    discovery = discover_and_confirm([Matches({EBOX: 0.0})], implanted(100, 1), implanted(60, 2))
    assert discovery.found == discovery.not_significant == ()


def test_names_come_from_the_database_that_is_given():
    database = [motif_from_string(EBOX, "mine")]
    discovery = discover_and_confirm(
        [Matches({EBOX: 3.0})], implanted(160, 1), implanted(80, 2), database=database
    )
    assert [one.match.name for one in discovery.found] == ["mine"]


def test_models_explain_in_turn_within_each_class():
    strong, weak = Matches({EBOX: 4.0}), Matches({EBOX: 1.0})
    positives = SequenceDataset.from_sequences([EBOX.rjust(LENGTH, "A")] * 5, [1] * 5)
    found = attributions_in_turn([strong, weak], positives)
    totals = found.track.sum(axis=1)
    np.testing.assert_allclose(totals[::2], totals[0], rtol=0.3)
    assert totals[0] > 2.5 * totals[1] > 0
    assert found.hypothetical.shape == (5, 4, LENGTH)


def test_long_sequences_are_explained_in_smaller_numbers(monkeypatch):
    dataset = implanted(100, 1)
    assert len(to_explain(dataset, 30)) == 60
    monkeypatch.setattr(discovering, "MAX_BASES", 20 * LENGTH)
    chosen = to_explain(dataset, 30)
    assert (len(chosen), int(chosen.labels.sum())) == (20, 10)
    codes, _ = encode(dataset.sequences())
    assert (chosen.codes[-1] == codes[90:]).all(axis=1).any()  # spread over the order


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_random_labels_give_no_motif(seed):
    generator = np.random.default_rng(seed)
    rows = ["".join(generator.choice(list("ACGT"), 60)) for _ in range(600)]
    dataset = SequenceDataset.from_sequences(rows, generator.integers(0, 2, 600))
    assert _found(split_at_random(dataset, test=0.3, seed=seed), seed).found == ()


@pytest.mark.slow
def test_a_trained_model_gives_the_implanted_motifs_and_no_decoy():
    known = {motif.name: motif for motif in jaspar_core()}
    ctcf, usf, decoy = (known[name] for name in ("MA0139.2", "MA0093.4", "MA0732.2"))
    grammar = Grammar(
        motifs=tuple(MotifUse(motif, probability=0.8, strands="both") for motif in (ctcf, usf)),
        n=1600,
        length=80,
        negatives="decoys",
        decoys=(MotifUse(decoy, probability=0.8, strands="both"),),
        decoys_in_positives=True,
    )
    found = _found(split_at_random(simulate(grammar, 0), test=0.25, seed=0), 0).found
    assert [one.match.name for one in found if one.motif.direction == "positive"] == [
        "CTCF",
        "USF1",
    ]


def _labelled(rows: list[str]) -> SequenceDataset:
    return SequenceDataset.from_sequences(rows, [index % 2 for index in range(len(rows))])


def _found(dataset: SequenceDataset, seed: int):
    job = Job("cnn", (seed,), recipe_for("cnn", both_strands=True), None, {"n_filters": 64})
    model = train(dataset, job, threads=1)[0].model
    is_test = np.asarray(dataset.split) == "test"
    learnt, held_out = dataset.subset(~is_test), dataset.subset(is_test)
    return discover_and_confirm([model], learnt, held_out, seed=seed)
