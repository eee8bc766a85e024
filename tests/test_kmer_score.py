"""K-mers scored beside a model: their weights, their fit, and that everything takes the sum."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.test_models import random_one_hot
from tests.toy_models import LENGTH, planted

import motiflens
from motiflens.attribution import METHODS, attribute
from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.metrics import rank_auroc
from motiflens.models import BothStrands, WithKmers, build_model
from motiflens.models.kmer_score import KmerScore
from motiflens.settings import Settings
from motiflens.stages.defaults import with_defaults
from motiflens.stages.hyperparameters import built, changes_notes, job_of
from motiflens.training import (
    Job,
    Recipe,
    Trained,
    predict_logits,
    predict_trained,
    train,
    train_all,
)
from motiflens.training.kmers import fit_kmers
from motiflens.training.replicas import stack
from motiflens.training.trained import TrainedModel, load_model

RECIPE = Recipe(epochs=3, rc_augment=True, rc_average=True, metric="auroc")
ATTENTION = ("attention", "rollout")  # of a model that has some
SMALL = {"n_filters": 8, "kernel_size": 7, "kmer_size": 5}


def set_kmers(model: WithKmers, seed: int = 0) -> WithKmers:
    generator = torch.Generator().manual_seed(seed)
    model.kmers.weight.copy_(torch.randn(model.kmers.weight.shape, generator=generator))
    model.kmers.bias.fill_(0.5)
    return model


def by_hand(score: KmerScore, one_hot: torch.Tensor) -> list[float]:
    """Look up the weight of every k-mer without an N."""
    sums = []
    for row in one_hot:
        codes = [int(column.argmax()) if column.any() else -1 for column in row.T]
        total = float(score.bias)
        for start in range(len(codes) - score.size + 1):
            kmer = codes[start : start + score.size]
            if -1 not in kmer:
                number = sum(4 ** (score.size - 1 - i) * base for i, base in enumerate(kmer))
                total += float(score.weight[number])
        sums.append(total)
    return sums


@pytest.mark.parametrize("size", [2, 3, 7])
def test_the_score_is_the_sum_of_the_weights_of_all_kmers(size: int) -> None:
    score = KmerScore(size)
    score.weight.copy_(torch.randn(4**size, generator=torch.Generator().manual_seed(1)))
    score.bias.fill_(-1.5)
    x = random_one_hot(5, 21)
    x[1, :, 9], x[2, :, 16:] = 0, 0
    torch.testing.assert_close(score(x), torch.tensor(by_hand(score, x)))
    for size in (1, 9):
        with pytest.raises(InputError, match="between 2 and 8"):
            KmerScore(size)


def test_substitutions_are_exact_also_beside_an_n() -> None:
    model = set_kmers(build_model("cnn", length=23, seed=0, **SMALL))
    x = random_one_hot(3, 23)
    x[0, :, 11] = 0
    found = model.single_mutant_logits(x, 2, 19)
    for base in range(4):
        for position in range(2, 19):
            mutant = x.clone()
            mutant[:, :, position] = torch.eye(4)[base]
            known = x[:, :, position].any(-1)  # of any value at a zero column
            torch.testing.assert_close(
                found[known, base, position - 2], model(mutant)[known], rtol=1e-5, atol=1e-5
            )


@pytest.mark.parametrize("method", [one for one in METHODS if one not in ATTENTION])
def test_every_method_explains_the_sum(method: str) -> None:
    model = BothStrands(set_kmers(build_model("cnn", length=31, seed=0, **SMALL)))
    x = random_one_hot(4, 31)
    found = attribute(model, x, method)
    assert found.contributions.shape == x.shape
    assert np.abs(found.contributions).max() > 0


def test_a_model_before_its_kmers_is_the_model_alone() -> None:
    alone = build_model("cnn", length=31, seed=3)
    beside = build_model("cnn", length=31, seed=3, kmer_size=5)
    x = random_one_hot(2, 30, 31)
    torch.testing.assert_close(beside(x[0]), alone(x[0]), rtol=0, atol=0)
    joined = stack([beside, beside]).eval()
    assert not isinstance(joined.read(x), torch.Tensor)
    torch.testing.assert_close(joined(joined.read(x)), joined(x))
    set_kmers(joined)
    assert joined.read(x) is x
    assert not torch.allclose(joined(x)[0], alone(x[0]))


def test_kmers_are_fitted_to_the_training_rows_and_kept_where_validation_gains(
    tmp_path: Path,
) -> None:
    data = planted(200)
    job = Job("cnn", (0, 1), RECIPE, hyperparameters={**SMALL, "n_filters": 2})
    plain = Job("cnn", (0, 1), RECIPE, hyperparameters={"n_filters": 2, "kernel_size": 7})
    both, alone = train(data, job, threads=1), train(data, plain, threads=1)
    for one, without in zip(both, alone, strict=True):
        assert isinstance(one.model, WithKmers)
        kmers = one.model.kmers
        assert kmers.weight.any()
        assert one.n_parameters == without.n_parameters + 4**5 + 1
        by_other_strand = kmers.weight.view(*[4] * 5).permute(4, 3, 2, 1, 0).flip(*range(5))
        torch.testing.assert_close(kmers.weight, by_other_strand.flatten())
        state = {name[6:]: v for name, v in one.model.state_dict().items() if "kmers" not in name}
        for name, value in without.model.state_dict().items():
            torch.testing.assert_close(state[name], value, rtol=0, atol=0)
        assert auroc(one) > auroc(without)
    # A seed alone is the seed of a group.
    (second,) = train(data, replace(job, seeds=(1,)), threads=1)
    assert torch.equal(second.model.kmers.weight, both[1].model.kmers.weight)
    # What was said of validation rows is what the saved model says of them.
    TrainedModel.of(both[0], LENGTH).save(tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    found = predict_logits(loaded, data)
    assert np.allclose(found, predict_trained(both[0], data), atol=1e-5)


def auroc(one: Trained) -> float:
    assert one.valid is not None
    return float(rank_auroc(one.valid.labels[None], one.valid.logits[None])[0])


def test_of_many_rows_in_any_order_some_of_each_class_are_fitted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("motiflens.training.kmers.MOST_ROWS", 50)
    data = planted(200)
    # Class by class in turn: every second row is of one class.
    rows = np.argsort(data.labels, kind="stable").reshape(2, 100).T.ravel()
    data = data.subset(rows)
    assert data.labels[::2].max() == 0
    split = ["train"] * 160 + ["valid"] * 40
    job = Job("cnn", (0,), RECIPE, hyperparameters={**SMALL, "n_filters": 2})
    (trained,) = train(data.with_split(split), job, threads=1)
    assert trained.model.kmers.weight.any()


def test_rows_that_models_share_are_fitted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fits = []
    monkeypatch.setattr(
        "motiflens.training.kmers.fit_kmers",
        lambda *given, **how: fits.append(given) or fit_kmers(*given, **how),
    )
    job = Job("cnn", (0, 1, 2), RECIPE, hyperparameters=SMALL)
    data = planted(200)
    split = np.where(np.arange(200) % 5 == 0, "valid", "train")
    train_all(data.with_split(split), [job, replace(job, seeds=(3, 4))], threads=2)
    assert len(fits) == 1


def test_kmers_that_say_nothing_are_left_out() -> None:
    data = planted(200)
    labels = np.random.default_rng(0).permutation(data.labels)
    noise = SequenceDataset(data.codes, data.lengths, labels, data.names, data.split)
    trained = train(noise, Job("cnn", (0, 1, 2, 3), RECIPE, hyperparameters=SMALL), threads=1)
    kept = [bool(one.model.kmers.weight.any()) for one in trained]
    assert not all(kept)


def test_the_distilled_network_takes_no_kmers() -> None:
    settings = Settings(
        models=("cnn", "distilled"), hyperparameters={"distilled": {"kmer_size": 7}}
    )
    with pytest.raises(InputError, match="kmer_size"):
        job_of("distilled", settings)


def test_the_accurate_recipe_has_more_seeds_and_kmers() -> None:
    settings = Settings(models=("cnn", "tutorial-cnn"), recipe="accurate", strands="both")
    assert with_defaults(settings, 1000, 100).seeds == 10
    assert with_defaults(settings, 10_001, 100).seeds == 5
    assert with_defaults(replace(settings, seeds=2), 1000, 100).seeds == 2
    assert job_of("cnn", settings).hyperparameters == {"kmer_size": 7}
    assert job_of("tutorial-cnn", settings).hyperparameters == {}
    assert "7-mers" in changes_notes(settings)[0]
    without = replace(settings, hyperparameters={"cnn": {"kmer_size": 0}})
    assert not isinstance(built(job_of("cnn", without), 50), WithKmers)
    with pytest.raises(InputError, match="recipe"):
        Settings(recipe="acurate")
    with pytest.raises(InputError, match="between 2 and 8"):
        built(Job("cnn", (), hyperparameters={"kmer_size": 12}), 50)


@pytest.mark.slow  # 1,200 steps
def test_train_takes_a_recipe_by_its_name() -> None:
    small = {"n_filters": 2, "kernel_size": 7, "kmer_size": 4}
    (model,) = motiflens.train(planted(), "cnn", recipe="accurate", hyperparameters=small)
    assert model.hyperparameters["kmer_size"] == 4
    with pytest.raises(InputError, match="did you mean accurate"):
        motiflens.train(planted(), "cnn", recipe="acurate")
