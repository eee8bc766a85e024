"""Trust of trained models: the checks can fail, and they pass where the truth is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.as_json import as_json
from torch import Tensor, nn

import motiflens
from motiflens import Settings
from motiflens.datasets import SequenceDataset, split_at_random
from motiflens.evidence import Controls, true_bases
from motiflens.models import MODELS, Attention, SequenceModel
from motiflens.motifs import motif_from_string
from motiflens.results.trust import ModelTrust
from motiflens.sequences import Site
from motiflens.simulation import simulate, tutorial_grammar
from motiflens.stages.compare import compare
from motiflens.stages.explain import explain
from motiflens.stages.trust import trust
from motiflens.training import Job, train

MOTIF = "GATTACCA"
SMALL = {"n_filters": 32, "n_heads": 2}
LENGTH = 60


def motif_decides() -> SequenceDataset:
    grammar = tutorial_grammar(motif=MOTIF, n=800, length=LENGTH)
    return split_at_random(simulate(grammar, 0), test=0.3, seed=0)


def gc_decides() -> SequenceDataset:
    """Label by the share of G and C, with the motif in every sequence of either class."""
    generator = np.random.default_rng(0)
    labels = np.arange(800) % 2
    is_gc = generator.random((800, LENGTH)) < np.where(labels, 0.6, 0.4)[:, None]
    codes = np.where(
        is_gc,
        generator.integers(1, 3, size=is_gc.shape),
        3 * generator.integers(2, size=is_gc.shape),
    )
    starts = generator.integers(LENGTH - len(MOTIF) + 1, size=800)
    for row, start in zip(codes, starts, strict=True):
        row[start : start + len(MOTIF)] = ["ACGT".index(base) for base in MOTIF]
    return split_at_random(
        SequenceDataset.from_sequences(
            ["".join("ACGT"[code] for code in row) for row in codes],
            labels,
            sites=[[Site(MOTIF, int(start), int(start) + len(MOTIF), "+")] for start in starts],
        ),
        test=0.3,
        seed=0,
    )


class Equal(nn.Softmax):
    """Gives all valid units the same weight, whatever their scores."""

    def forward(self, scores: Tensor) -> Tensor:
        valid = (scores > float("-inf")).to(scores.dtype)
        return valid / valid.sum(self.dim, keepdim=True)


class ConstantAttention(Attention):
    """Attention whose weights are a constant, in training and after."""

    def __init__(self, **sizes: int) -> None:
        super().__init__(**sizes)
        self.attention.softmax = Equal(dim=-2)


def trained(dataset: SequenceDataset, name: str, **sizes: int) -> SequenceModel:
    (found,) = train(dataset, Job(name, (0,), hyperparameters=sizes), threads=1)
    return found.model


def checked(dataset: SequenceDataset, model: nn.Module) -> ModelTrust:
    test = dataset.part("test")
    positives, negatives = test.subset(test.labels > 0), test.subset(test.labels == 0)
    assert positives.sites is not None
    truth = true_bases(positives.sites, [motif_from_string(MOTIF)], positives.lengths, LENGTH)
    return motiflens.trust_checks(
        model,
        positives.one_hot(),
        negatives.one_hot(),
        methods=["attention", "saliency", "ism"],
        controls=Controls(truth=truth),
    )


@pytest.mark.slow
def test_attention_of_a_model_that_needs_no_motif_explains_nothing() -> None:
    found = checked(gc_decides(), trained(gc_decides(), "attention", **SMALL))
    assert found.auroc > 0.9
    assert found.verdict.startswith("attention explains nothing")
    assert "no method of gradients or mutations may be claimed" in found.verdict
    assert found.methods["ism"].base_auroc < 0.7
    assert found.methods["ism"].fraction_above_null < 0.2


@pytest.mark.slow
def test_attention_that_was_a_constant_in_training_explains_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(MODELS, "constant", ConstantAttention)
    found = checked(motif_decides(), trained(motif_decides(), "constant", **SMALL))
    assert found.auroc > 0.95
    assert found.attention is not None
    assert found.attention.uniform.logit_change == 0.0
    assert found.verdict.startswith(
        "attention explains nothing: the prediction is made without it (uniform attention loses "
        "0.000 AUROC); bases may be claimed by "
    )
    assert "ism" in found.bases_claimed_by


@pytest.mark.slow
def test_attention_of_a_good_model_marks_its_motif_and_counts() -> None:
    found = checked(motif_decides(), trained(motif_decides(), "attention", **SMALL))
    assert found.verdict.startswith("attention marks the motif's bases (0.")
    # Both heads mark the motif: one may do without the other.
    assert " and the prediction depends on " in found.verdict
    assert "bases may be claimed by ism" in found.verdict
    random = found.random_order
    assert random is not None
    for evidence in found.methods.values():
        assert evidence.base_auroc is not None
        assert evidence.base_auroc > 0.9
        assert evidence.deletion_curve is not None
        assert evidence.deletion_curve.deletion_auc < random.deletion_auc / 2
        assert evidence.deletion_curve.insertion_auc > 2 * random.insertion_auc


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> motiflens.Run:
    settings = Settings(
        models=("tutorial-attention", "tutorial-cnn"), seeds=2, sizes=(), motif=MOTIF, threads=1
    )
    grammar = tutorial_grammar(motif=MOTIF, n=160, length=41)
    dataset = simulate(grammar, 0)
    made = compare(dataset, tmp_path_factory.mktemp("runs") / "one", settings)
    return explain(made)


def test_trust_json_has_the_documented_form(run: motiflens.Run) -> None:
    trust(run.path)
    found = as_json(run.results.trust)
    assert found["schema_version"] == 1
    assert list(found["models"]) == ["tutorial-attention", "tutorial-cnn"]
    for name, model in found["models"].items():
        kept = {path.stem for path in (run.path / "attributions" / name).glob("*.npz")}
        assert set(model["methods"]) == kept
        assert model["verdict"]
        assert model["may_claim"] == (not model["verdict"].startswith("nothing may be claimed"))
        assert 0.2 <= model["stands_out_from"] <= 1.1
        for evidence in model["methods"].values():
            assert set(evidence) >= {
                "base_auroc", "base_auprc", "ism_rank_correlation", "fraction_above_null",
                "deletion_auc", "seed_rank_correlation", "untrained",
            }  # fmt: skip
            assert 0 <= evidence["base_auroc"] <= 1
            assert -1 <= evidence["seed_rank_correlation"] <= 1
    assert found["models"]["tutorial-cnn"]["attention"] is None
    attention = found["models"]["tutorial-attention"]["attention"]
    assert set(attention) == {"uniform", "permuted", "depends", "heads", "marking", "hidden"}
    (head,) = attention["heads"]
    assert (head["layer"], head["head"]) == ("attention", 1)
    for test in (attention, head):
        assert test["depends"] in ("ranking", "logits", "no")
        for kind in ("uniform", "permuted"):
            assert test[kind]["low"] <= test[kind]["auroc_loss"] <= test[kind]["high"]
    assert 0 <= head["fraction_above_null"] <= 1
    timings = as_json(run.results.timings)["stages"]
    assert timings["trust"] > 0


def test_trust_is_the_same_again_and_without_kept_attributions(
    run: motiflens.Run, tmp_path: Path
) -> None:
    first = trust(run).results.trust
    with torch.random.fork_rng():
        torch.manual_seed(5)
        assert trust(run).results.trust == first
    folder = run.path / "attributions"
    folder.rename(tmp_path / "aside")
    try:
        again = trust(run).results.trust
    finally:
        (tmp_path / "aside").rename(folder)
    name = "tutorial-attention"
    assert again.models[name].attention == first.models[name].attention
    method, expected = next(iter(first.models[name].methods.items()))
    assert again.models[name].methods[method] == expected
