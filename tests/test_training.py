"""Many seeds at once give what each seed gives alone; epochs are chosen by validation only."""

import dataclasses

import numpy as np
import pytest
import torch
from tests.toy_models import LENGTH, planted, weights

from motiflens.errors import InputError
from motiflens.models import MODELS, build_model
from motiflens.models.calling import choose_device
from motiflens.training import (
    Job,
    Recipe,
    count_epochs,
    loop,
    single_intra_op_thread,
    train,
    train_all,
)
from motiflens.training.data import take_splits
from motiflens.training.group import group_sizes
from motiflens.training.replicas import snapshot, stack, unstack


@pytest.mark.parametrize("name", MODELS)
def test_seeds_together_equal_each_alone_in_float64(name: str) -> None:
    # Float64 after an epoch: what differs is a wrong mix of replicas, not rounding.
    data = planted(shorter=name not in ("tutorial-cnn", "tutorial-attention"))
    recipe = Recipe(epochs=1, batch_size=7)
    together = train(data, Job(name, (4, 0, 9), recipe), threads=1, dtype=torch.float64)
    for trained in together:
        alone = train(data, Job(name, (trained.seed,), recipe), threads=1, dtype=torch.float64)[0]
        fresh = build_model(name, length=LENGTH, seed=trained.seed)
        torch.testing.assert_close(weights(trained.model), weights(alone.model), rtol=0, atol=1e-8)
        assert trained.history[0].train_loss == pytest.approx(alone.history[0].train_loss, abs=1e-8)
        assert (weights(trained.model) - weights(fresh).double()).abs().max() > 1e-4
    assert len({float(weights(t.model).sum()) for t in together}) == 3


@pytest.mark.parametrize("name", MODELS)
def test_seeds_together_equal_each_alone_in_float32_after_20_steps(name: str) -> None:
    data = planted()
    # 90 training rows, none for validation: 20 steps are 4 epochs of 5.
    recipe = Recipe(epochs=4, batch_size=18, validation_fraction=0.0)
    together = train(data, Job(name, (1, 2, 3, 5), recipe), threads=1)
    alone = train(data, Job(name, (3,), recipe), threads=1)[0]
    torch.testing.assert_close(weights(together[2].model), weights(alone.model), rtol=0, atol=1e-5)


def test_stacking_and_unstacking_gives_the_models_back() -> None:
    models = [build_model("attention", length=LENGTH, seed=seed, n_heads=2) for seed in range(3)]
    copies = [build_model("attention", length=LENGTH, seed=9, n_heads=2) for _ in range(3)]
    unstack(snapshot(stack(models)), copies)
    for model, copy in zip(models, copies, strict=True):
        assert torch.equal(weights(model), weights(copy))


def test_same_seed_same_bytes_and_other_seed_others() -> None:
    data = planted()
    recipe = Recipe(epochs=2)
    runs = [train(data, Job("attention", (7, 8), recipe), threads=2) for _ in range(2)]
    assert torch.equal(weights(runs[0][0].model), weights(runs[1][0].model))
    assert not torch.equal(weights(runs[0][0].model), weights(runs[0][1].model))
    losses = [[epoch.train_loss for epoch in run[0].history] for run in runs]
    assert losses[0] == losses[1]


def test_the_kept_epoch_is_the_one_of_lowest_validation_loss() -> None:
    data = planted(200)
    recipe = Recipe(
        epochs=25, learning_rate=1e-2, patience=3, validation_fraction=0.2, tolerance=0.0
    )
    for trained in train(data, Job("cnn", (0, 1, 2), recipe), threads=1):
        losses = [epoch.valid_loss for epoch in trained.history]
        assert trained.best_epoch == 1 + int(np.argmin(losses))
        assert len(losses) == min(25, trained.best_epoch + 3)
        # The weights kept are that epoch's: they give its loss again.
        parts = take_splits(data, validation_fraction=0.2, n_train=None, seed=trained.seed)
        with torch.no_grad():
            logits = trained.model(torch.as_tensor(data.one_hot(parts.valid)))
        labels = torch.as_tensor(data.labels[parts.valid])
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
        assert float(loss) == pytest.approx(min(losses), abs=1e-5)


def test_a_loss_must_fall_by_the_tolerance_to_count() -> None:
    data = planted(200)
    recipe = Recipe(epochs=40, learning_rate=2e-3, patience=3, validation_fraction=0.2)
    small = {"n_filters": 32, "dropout": 0.0}
    strict, lax = (
        train(data, Job("cnn", (0,), one, hyperparameters=small), threads=1)[0]
        for one in (dataclasses.replace(recipe, tolerance=t) for t in (0.0, 0.05))
    )
    assert len(lax.history) < len(strict.history)
    losses = [epoch.valid_loss for epoch in lax.history]
    best, expected = np.inf, 0
    for number, loss in enumerate(losses, start=1):
        if loss < best - 0.05:
            best, expected = loss, number
    assert lax.best_epoch == expected


def test_an_early_stop_of_one_seed_does_not_depend_on_its_company() -> None:
    data = planted(200)
    recipe = Recipe(epochs=30, learning_rate=1e-2, patience=2, validation_fraction=0.2)
    together = train(data, Job("cnn", (0, 1, 2, 3), recipe), threads=1, dtype=torch.float64)
    for trained in together:
        alone = train(data, Job("cnn", (trained.seed,), recipe), threads=1, dtype=torch.float64)[0]
        assert alone.best_epoch == trained.best_epoch
        assert len(alone.history) == len(trained.history)
    assert len({len(trained.history) for trained in together}) > 1


def test_without_validation_the_last_epoch_is_kept() -> None:
    data = planted()
    job = Job("tutorial-attention", (0,), Recipe(epochs=3, validation_fraction=0.0))
    trained = train(data, job, threads=1)[0]
    assert trained.best_epoch == 3
    assert [epoch.epoch for epoch in trained.history] == [1, 2, 3]
    assert trained.n_valid == 0
    assert trained.history[0].valid_loss is None
    test_rows = np.flatnonzero(data.split == "test")
    with torch.no_grad():
        logits = trained.model(torch.as_tensor(data.one_hot(test_rows))).numpy()
    accuracy = np.mean((logits > 0) == (data.labels[test_rows] > 0))
    assert trained.history[-1].test_accuracy == pytest.approx(accuracy)


def test_the_test_part_changes_nothing() -> None:
    data = planted()
    scrambled = dataclasses.replace(
        data, labels=np.where(data.split == "test", 1 - data.labels, data.labels)
    )
    job = Job("attention", (0,), Recipe(epochs=8, learning_rate=1e-2))
    one, other = (train(d, job, threads=1)[0] for d in (data, scrambled))
    assert torch.equal(weights(one.model), weights(other.model))
    accuracies = [[epoch.test_accuracy for epoch in t.history] for t in (one, other)]
    assert np.allclose(np.sum(accuracies, axis=0), 1.0)
    assert not np.allclose(accuracies, 0.5)


def test_parts_are_disjoint_stratified_and_drawn_by_the_seed() -> None:
    data = planted(400)
    parts = [
        take_splits(data, validation_fraction=0.2, n_train=50, seed=seed) for seed in (0, 0, 1)
    ]
    assert [len(p.train) + len(p.valid) for p in parts] == [50, 50, 50]
    assert not set(parts[0].train) & set(parts[0].valid)
    assert set(np.r_[parts[0].train, parts[0].valid]) <= set(np.flatnonzero(data.split == "train"))
    assert np.array_equal(parts[0].train, parts[1].train)
    assert not np.array_equal(parts[0].train, parts[2].train)
    assert data.labels[parts[0].train].mean() == pytest.approx(0.5, abs=0.03)
    whole = [take_splits(data, validation_fraction=0.2, n_train=None, seed=s) for s in (0, 1)]
    assert np.array_equal(whole[0].valid, whole[1].valid)


def test_a_valid_part_of_the_data_set_is_used_as_it_is() -> None:
    data = planted(100)
    split = data.split.copy()
    split[np.flatnonzero(split == "train")[:12]] = "valid"
    parts = take_splits(data.with_split(split), validation_fraction=0.3, n_train=None, seed=0)
    assert np.array_equal(parts.valid, np.flatnonzero(split == "valid"))
    assert np.array_equal(parts.train, np.flatnonzero(split == "train"))


def test_several_jobs_come_back_in_order_and_are_counted() -> None:
    data = planted()
    recipe = Recipe(epochs=2)
    jobs = [Job("cnn", (5, 1), recipe), Job("attention", (2,), recipe, n_train=40)]
    finished: list[int] = []
    results = train_all(data, jobs, threads=2, advance=finished.append)
    assert [[t.seed for t in job] for job in results] == [[5, 1], [2]]
    assert results[1][0].n_train + results[1][0].n_valid == 40
    assert sum(finished) == count_epochs(data, jobs) == 6


def test_few_sequences_get_enough_steps() -> None:
    recipe = Recipe(epochs=30, batch_size=32, min_steps=600)
    assert (recipe.n_epochs(40), recipe.n_patience(40)) == (300, 100)  # two steps an epoch
    assert (recipe.n_epochs(500), recipe.n_patience(500)) == (38, 13)  # 16 steps
    assert (recipe.n_epochs(1600), recipe.n_patience(1600)) == (30, 10)


def test_threads_are_put_back_also_after_an_error() -> None:
    before = torch.get_num_threads()
    seen = []

    def fail() -> None:
        with single_intra_op_thread():
            seen.append(torch.get_num_threads())
            raise RuntimeError

    torch.set_num_threads(2)
    with pytest.raises(RuntimeError):
        fail()
    assert seen == [1]
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)
    assert torch.get_num_threads() == before


def test_errors_say_what_to_do() -> None:
    data = planted()
    with pytest.raises(InputError, match="did you mean attention"):
        train(data, Job("atention", (0,)))
    with pytest.raises(InputError, match="between 2 and the 90"):
        train(data, Job("cnn", (0,), n_train=91))
    unsplit = dataclasses.replace(data, split=None)
    with pytest.raises(InputError, match="split"):
        train(unsplit, Job("cnn", (0,)))


def test_groups_are_fine_enough_to_share_threads_and_one_on_a_gpu() -> None:
    data = planted()
    jobs = [Job("cnn", (0, 1, 2)), Job("attention", (0, 1, 2)), Job("tutorial-cnn", (0, 1))]
    assert group_sizes(data, jobs, 2, True) == [2, 2, 4]
    assert group_sizes(data, jobs, 1, True) == [8, 8, 8]
    assert group_sizes(data, [Job("cnn", tuple(range(100)))], 1, True) == [10]
    assert group_sizes(data, [Job("cnn", tuple(range(100)))], 1, False) == [100]


def test_the_longest_group_begins_first_and_results_keep_their_order(monkeypatch) -> None:
    begun = []

    def train_group(data, group, *slots):
        begun.append(group.n_steps)
        return [(group.job.n_train, seed) for seed in group.seeds]

    monkeypatch.setattr(loop, "train_group", train_group)
    jobs = [Job("cnn", (5, 1, 3), n_train=n) for n in (20, 80)]
    assert train_all(planted(), jobs, threads=1) == [
        [(n, seed) for seed in (5, 1, 3)] for n in (20, 80)
    ]
    assert begun == sorted(begun, reverse=True)


def test_the_device_is_found_and_the_processor_gives_the_same_as_by_name() -> None:
    data, job = planted(), Job("tutorial-cnn", (0,), Recipe(epochs=1))
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert choose_device("auto") == expected
    auto, named = (train(data, job, device=name)[0] for name in ("auto", expected))
    assert torch.equal(weights(auto.model), weights(named.model))


def test_a_gpu_learns_what_the_processor_does(cuda) -> None:
    data = planted()
    job = Job("attention", (0, 1, 2), Recipe(epochs=2), hyperparameters={"dropout": 0.0})
    here, there = (train(data, job, device=name) for name in ("cpu", str(cuda)))
    for one, other in zip(here, there, strict=True):
        torch.testing.assert_close(weights(one.model), weights(other.model), rtol=0, atol=1e-3)
