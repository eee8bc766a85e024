"""What a recipe can ask for: augmentation, strands, schedule, class weights, metric, refit."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score
from tests.toy_models import EVERYTHING, LENGTH, Dropping, planted, weights
from torch import nn

from motiflens.datasets import SequenceDataset
from motiflens.errors import InputError
from motiflens.metrics import rank_auprc
from motiflens.models import MODELS, build_model
from motiflens.models.layers import Dropout
from motiflens.sequences import PAD, encode, reverse_complement_codes
from motiflens.training import Job, Recipe, predict_logits, recipe_for, train
from motiflens.training.data import EncodedData, take_splits
from motiflens.training.fit import Fit
from motiflens.training.regularization import augment, other_strand


def seeds(*numbers: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(number) for number in numbers]


def batch(shape: tuple[int, ...] = (3, 5, 17)) -> tuple[torch.Tensor, torch.Tensor]:
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 5, shape).astype(np.uint8)
    lengths = generator.integers(2, shape[-1] + 1, shape[:-1]).astype(np.int32)
    codes[np.arange(shape[-1]) >= lengths[..., None]] = PAD
    return torch.as_tensor(codes), torch.as_tensor(lengths)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text("ACGTN", min_size=1, max_size=9), min_size=1, max_size=4))
def test_the_other_strand_is_that_of_the_sequences_module(sequences: list[str]) -> None:
    codes, lengths = encode(sequences)
    ours = other_strand(torch.as_tensor(codes), torch.as_tensor(lengths))
    assert np.array_equal(ours.numpy(), reverse_complement_codes(codes, lengths))


def test_each_sequence_is_itself_or_its_other_strand_and_both_occur() -> None:
    codes, lengths = batch()
    codes = codes.where(codes < PAD, 2).where(torch.arange(17) < lengths.unsqueeze(-1), PAD)
    changed = augment(codes, lengths, Recipe(rc_augment=True), seeds(1, 2, 3))
    same = (changed == codes).all(-1)
    other = (changed == other_strand(codes, lengths)).all(-1)
    assert (same | other).all()
    assert 3 < same.sum() < 12


def test_a_shift_moves_bases_and_fills_with_n() -> None:
    codes = torch.tensor([[[0, 1, 2, 3, 0, PAD, PAD]] * 40])
    lengths = torch.full((1, 40), 5)
    changed = augment(codes, lengths, Recipe(max_shift=2), seeds(0))[0]
    expected = {
        (2, 3, 0, 4, 4, 4, 4),
        (1, 2, 3, 0, 4, 4, 4),
        (0, 1, 2, 3, 0, 4, 4),
        (4, 0, 1, 2, 3, 0, 4),
        (4, 4, 0, 1, 2, 3, 0),
    }
    assert {tuple(row) for row in changed.tolist()} == expected


def test_a_shift_of_the_other_strand_shifts_what_is_read() -> None:
    codes = torch.tensor([[[0, 0, 1, PAD, PAD]] * 60])
    changed = augment(codes, torch.full((1, 60), 3), Recipe(max_shift=1, rc_augment=True), seeds(0))
    rows = {tuple(row) for row in changed[0].tolist()}
    assert {(2, 3, 3, 4, 4), (4, 2, 3, 3, 4), (3, 3, 4, 4, 4), (4, 0, 0, 1, 4)} <= rows
    assert len(rows) == 6


def test_bases_change_at_the_given_rate_and_become_each_of_the_others() -> None:
    codes = torch.full((2, 50, 101), 1, dtype=torch.uint8)
    codes[..., -1] = PAD
    changed = augment(codes, torch.full((2, 50), 100), Recipe(mutation_rate=0.2), seeds(0, 1))
    share = torch.bincount(changed[..., :-1].flatten()).double() / 10_000
    assert share.tolist() == pytest.approx([0.2 / 3, 0.8, 0.2 / 3, 0.2 / 3], abs=0.01)
    assert (changed[..., -1] == PAD).all()


def test_augmentation_of_a_replica_is_the_same_alone_and_among_others() -> None:
    codes, lengths = batch()
    together = augment(codes, lengths, EVERYTHING, seeds(1, 2, 3))
    alone = augment(codes[1:2], lengths[1:2], EVERYTHING, seeds(2))
    assert torch.equal(together[1:2], alone)


@pytest.mark.parametrize("name", ["attention", "dropping"])
def test_with_everything_on_a_seed_alone_equals_itself_in_company(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MODELS, "dropping", Dropping)
    data = planted(shorter=True)
    together = train(data, Job(name, (4, 0, 9), EVERYTHING), threads=1, dtype=torch.float64)
    for trained in together:
        alone = train(data, Job(name, (trained.seed,), EVERYTHING), threads=1, dtype=torch.float64)
        torch.testing.assert_close(
            weights(trained.model), weights(alone[0].model), rtol=0, atol=1e-8
        )
        assert trained.best_epoch == alone[0].best_epoch


@pytest.mark.parametrize(
    "change",
    [
        {"rc_augment": True},
        {"max_shift": 2},
        {"mutation_rate": 0.1},
        {"input_noise": 0.1},
        {"schedule": "cosine"},
        {"weight_decay": 0.1},
        {"class_weights": "balanced"},
        {"refit": True},
    ],
    ids=str,
)
def test_each_field_changes_the_weights(change: dict[str, object]) -> None:
    data = planted()
    few = data.subset(np.flatnonzero((data.labels > 0) | (np.arange(len(data)) % 3 > 0)))
    plain = Recipe(epochs=2, batch_size=16)
    one, other = (
        train(few, Job("cnn", (0,), r), threads=1)[0]
        for r in (plain, dataclasses.replace(plain, **change))
    )
    assert not torch.equal(weights(one.model), weights(other.model))
    again = train(few, Job("cnn", (0,), dataclasses.replace(plain, **change)), threads=1)[0]
    assert torch.equal(weights(other.model), weights(again.model))


def test_dropout_zeroes_its_share_scales_the_rest_and_rests_outside_training() -> None:
    layer = Dropout(0.3)
    layer.generators = seeds(5, 6)
    x = torch.ones(2, 7, 50, 31)
    dropped = layer.train()(x)
    assert float((dropped == 0).float().mean()) == pytest.approx(0.3, abs=0.01)
    assert dropped.unique().tolist() == pytest.approx([0.0, 1 / 0.7])
    assert not torch.equal(dropped[0], dropped[1])
    assert torch.equal(layer.eval()(x), x)
    alone = Dropout(0.3).train()
    alone.generators = seeds(6)
    assert torch.equal(alone(x[1:]), dropped[1:])
    alone.generators = ()
    assert 0 < (alone(x[0]) == 0).float().mean() < 1


def test_the_rate_rises_then_falls_along_a_cosine() -> None:
    recipe = Recipe(learning_rate=0.5, schedule="cosine")
    rates = [recipe.rate(step, 100) for step in range(100)]
    assert rates[:6] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.5])
    assert recipe.rate(5 + 95 // 2, 100) == pytest.approx(0.25, abs=0.01)
    assert rates[5:] == sorted(rates[5:], reverse=True)
    assert rates[-1] < 0.001
    assert {Recipe().rate(step, 100) for step in range(100)} == {Recipe().learning_rate}


def test_balanced_classes_weigh_the_same_in_the_loss() -> None:
    # Without any information the best output is the log-odds of the weighted classes: 0.
    sequences = ["A" * 20] * 50
    labels = [1.0] * 5 + [0.0] * 45
    split = ["train"] * 50
    data = SequenceDataset.from_sequences(sequences, labels, split=split)
    recipe = Recipe(epochs=150, batch_size=50, learning_rate=0.02, validation_fraction=0.0)
    found = {
        kind: predict_logits(
            train(
                data, Job("cnn", (0,), dataclasses.replace(recipe, class_weights=kind)), threads=1
            )[0].model,
            data,
        )[0]
        for kind in ("none", "balanced")
    }
    assert found["none"] == pytest.approx(np.log(1 / 9), abs=0.1)
    assert found["balanced"] == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("metric", ["auroc", "auprc"])
def test_the_kept_epoch_is_the_one_of_the_highest_metric(metric: str) -> None:
    data = planted(200)
    recipe = Recipe(
        epochs=12, learning_rate=3e-3, validation_fraction=0.3, tolerance=0.0, metric=metric
    )
    for trained in train(data, Job("cnn", (0, 1, 2), recipe), threads=1):
        values = [getattr(epoch, f"valid_{metric}") for epoch in trained.history]
        assert trained.best_epoch == 1 + int(np.argmax(values))
        assert min(values) < max(values)


def test_auprc_of_many_rows_is_scikit_learns_average_precision() -> None:
    generator = np.random.default_rng(2)
    labels = generator.integers(0, 2, (4, 31)).astype(np.float32)
    scores = generator.integers(0, 9, (4, 31)).astype(np.float32)  # with ties
    expected = [average_precision_score(y, s) for y, s in zip(labels, scores, strict=True)]
    assert rank_auprc(labels, scores).tolist() == pytest.approx(expected)
    assert rank_auprc(np.zeros((1, 3)), np.ones((1, 3))).tolist() == [0.0]


def test_a_refit_trains_for_the_steps_of_the_best_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    data = planted(160)
    recipe = Recipe(epochs=6, batch_size=16, learning_rate=1e-2, patience=2, tolerance=0.05)
    steps, found = [], []
    step = Fit.step
    monkeypatch.setattr(Fit, "step", lambda fit, batch: steps.append(batch.n) or step(fit, batch))
    for refit in (False, True):
        steps.clear()
        job = Job("cnn", (0,), dataclasses.replace(recipe, refit=refit))
        found.append((train(data, job, threads=1)[0], len(steps)))
    (first, n_first), (second, n_second) = found
    assert first.best_epoch == second.best_epoch > 1
    assert n_second - n_first == first.best_epoch * -(-first.n_train // 16)
    assert [e.valid_loss for e in first.history] == [e.valid_loss for e in second.history]
    assert second.seconds > second.history[-1].seconds


def test_a_refit_learns_from_the_validation_rows_too() -> None:
    data = planted(160)
    valid = take_splits(data, validation_fraction=0.1, n_train=None, seed=0).valid
    split = data.split.copy()
    split[valid] = "valid"
    data = data.with_split(split)
    flipped = dataclasses.replace(
        data, labels=np.where(split == "valid", 1 - data.labels, data.labels)
    )
    job = Job("cnn", (0,), Recipe(epochs=1, batch_size=16, refit=True))
    one, other = (train(d, job, threads=1)[0] for d in (data, flipped))
    assert not torch.equal(weights(one.model), weights(other.model))


def test_both_strands_give_the_same_logit_in_validation_and_prediction() -> None:
    data = planted(shorter=True)
    recipe = Recipe(epochs=2, rc_average=True, validation_fraction=0.2, tolerance=0.0)
    trained = train(data, Job("attention", (0,), recipe), threads=1)[0]
    flipped = dataclasses.replace(data, codes=reverse_complement_codes(data.codes, data.lengths))
    both = predict_logits(trained.model, data, both_strands=True)
    assert both == pytest.approx(predict_logits(trained.model, flipped, both_strands=True))
    one, other = (predict_logits(trained.model, d) for d in (data, flipped))
    assert both == pytest.approx((one + other) / 2, abs=1e-5)
    assert np.abs(one - other).max() > 1e-3
    valid = take_splits(data, validation_fraction=0.2, n_train=None, seed=0).valid
    loss = nn.functional.binary_cross_entropy_with_logits(
        torch.as_tensor(both[valid]), torch.as_tensor(data.labels[valid]).double()
    )
    assert trained.history[trained.best_epoch - 1].valid_loss == pytest.approx(
        float(loss), abs=1e-5
    )


def test_logits_come_by_batches_for_any_output_and_leave_the_mode() -> None:
    data = planted(23)
    model = build_model("cnn", length=LENGTH, seed=0).train()
    sizes: list[int] = []
    model.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    logits = predict_logits(model, data, batch_size=10)
    assert sizes == [10, 10, 3]
    assert logits.dtype == np.float64
    assert model.training
    whole = predict_logits(nn.Sequential(nn.Flatten(), nn.Linear(4 * LENGTH, 3)), data)
    assert whole.shape == (23, 3)


def test_half_precision_is_for_devices_that_have_it() -> None:
    data = planted(60)
    job = Job("attention", (0,), Recipe(epochs=1))
    half = Job("attention", (0,), Recipe(epochs=1, mixed_precision=True))
    one, other = (train(data, j, threads=1)[0] for j in (job, half))
    assert torch.equal(weights(one.model), weights(other.model))


def test_half_precision_trains_too(monkeypatch: pytest.MonkeyPatch) -> None:
    # The CPU stands in for a device that has it.
    half = torch.autocast("cpu", dtype=torch.bfloat16)
    data = planted(200)
    recipe = Recipe(epochs=20, learning_rate=1e-2)
    full = train(data, Job("cnn", (0, 1), recipe), threads=1)
    monkeypatch.setattr(Fit, "precision", lambda _: half)
    for one, other in zip(full, train(data, Job("cnn", (0, 1), recipe), threads=1), strict=True):
        assert other.history[0].train_loss == pytest.approx(one.history[0].train_loss, abs=0.01)
        assert other.history[0].train_loss != one.history[0].train_loss
        assert other.history[-1].train_loss < 0.5 * other.history[0].train_loss
        assert {p.dtype for p in other.model.parameters()} == {torch.float32}


def test_the_codes_of_a_data_set_are_not_copied() -> None:
    data = planted(20)
    encoded = EncodedData.of(data, "cpu", torch.float32)
    assert encoded.codes.data_ptr() == data.codes.ctypes.data


def test_a_word_that_no_field_takes_is_refused() -> None:
    for field in ("schedule", "class_weights", "metric"):
        with pytest.raises(InputError, match=field):
            Recipe(**{field: "linear"})


def test_both_strands_have_a_recipe_of_their_own_that_makes_all_its_steps() -> None:
    for name in ("cnn", "attention"):
        recipe = recipe_for(name, both_strands=True)
        assert recipe.rc_augment
        assert recipe.rc_average
        assert recipe.patience >= recipe.epochs
        # Few sequences get as many steps as 3,840 do, many get ten epochs.
        assert 1200 <= recipe.n_epochs(2000) * 63 < 1200 + 63
        assert recipe.n_epochs(30_000) == recipe.epochs
        assert not recipe_for(name).rc_augment
    assert recipe_for("transformer", both_strands=True).rc_augment
    assert not recipe_for("tutorial-cnn", both_strands=True).rc_augment
