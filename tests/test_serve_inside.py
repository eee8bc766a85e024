"""Inside a network: numbers are those of hooks, arithmetic adds up, marked bases count."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from motiflens.app.inside import look_inside
from motiflens.app.inside_wire import Inside, InsideRequest, Stage, UnitChoice
from motiflens.app.served import Bench, open_bench
from motiflens.errors import InputError
from motiflens.models import BothStrands, WithKmers
from motiflens.runs import load_run
from motiflens.sequences import encode, one_hot, reverse_complement_string
from served_run import MODELS, make_served_run
from toy_models import planted

SEQUENCE = planted().sequences()[1]
LENGTH = len(SEQUENCE)
SOFTMAXES = {
    "attention": "attention.softmax",
    "block 1": "blocks.0.attention.softmax",
    "block 2": "blocks.1.attention.softmax",
}


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_served_run(tmp_path_factory.mktemp("inside") / "run", seeds=2)


@pytest.fixture(scope="module")
def bench(run_dir: Path) -> Bench:
    return open_bench([run_dir])


def inside(bench: Bench, model: str, unit: UnitChoice | None = None, **more: object) -> Inside:
    return look_inside(bench, InsideRequest(model, **{"sequence": SEQUENCE, "unit": unit, **more}))


def network_of(run_dir: Path, model: str) -> nn.Module:
    """Load the network of one strand of the first seed, by itself."""
    found = load_run(run_dir).model(model)
    return found.model if isinstance(found, BothStrands) else found


def hooked(network: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """Run a network with a hook on every layer inside it; what each gave at first."""
    gave: dict[str, Tensor] = {}

    def kept(name: str) -> Callable[..., None]:
        def keep(_: nn.Module, __: object, out: Tensor) -> None:
            gave.setdefault(name, out)

        return keep

    named = network.named_modules()
    handles = [layer.register_forward_hook(kept(name)) for name, layer in named]
    with torch.no_grad():
        network(x)
    for handle in handles:
        handle.remove()
    return gave


def tensor(sequence: str) -> Tensor:
    return torch.from_numpy(one_hot(encode([sequence])[0]))


def stages(found: Inside) -> dict[str, Stage]:
    return {stage.name: stage for stage in found.stages}


def shown(stage: Stage) -> np.ndarray:
    return np.array(stage.values)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("strand", ["+", "-"])
def test_numbers_of_stages_are_those_of_hooks(run_dir, bench, model, strand) -> None:
    found = inside(bench, model, strand=strand)
    network = network_of(run_dir, model)
    read = SEQUENCE if strand == "+" else reverse_complement_string(SEQUENCE)
    gave, x = hooked(network, tensor(read)), tensor(read)
    of = stages(found)
    assert found.logit == pytest.approx(float(gave[""]), abs=1e-5)
    assert of["logit"].values == ((pytest.approx(float(gave["output"]), abs=1e-5),),)
    if "filters" in of:
        rows, columns = list(of["filters"].rows), list(of["filters"].columns)
        wanted = network.first_layer(x).activations[0].detach().numpy()
        if model in ("attention", "hybrid"):  # whose layer itself is called on every unit
            assert gave["activation"][0].mT.numpy() == pytest.approx(wanted, abs=1e-5)
        assert wanted.max() > 0
        assert shown(of["filters"]) == pytest.approx(wanted[np.ix_(rows, columns)], abs=1e-5)
        assert set(np.argsort(-wanted.max(axis=1))[:6].tolist()) <= set(rows)
    for name, softmax in SOFTMAXES.items():
        if softmax in gave:
            weights = gave[softmax][0]
            wanted = weights.mT if name == "attention" else weights.mean(dim=-2)
            assert shown(of[name]) == pytest.approx(wanted.numpy(), abs=1e-5)
    for name in ("hidden", "context"):
        if name in gave:
            wanted = gave[f"{name}_activation"].flatten().numpy()
            columns = list(of[f"{name} units"].columns)
            assert shown(of[f"{name} units"])[0] == pytest.approx(wanted[columns], abs=1e-5)


def test_both_strands_make_the_mean(bench: Bench) -> None:
    forward, reverse = (inside(bench, "cnn", strand=strand) for strand in "+-")
    assert forward.other_strand == pytest.approx(reverse.logit, abs=1e-6)
    assert (
        forward.mean == reverse.mean == pytest.approx((forward.logit + reverse.logit) / 2, abs=1e-6)
    )
    assert inside(bench, "tutorial-cnn").mean is None


def test_the_network_of_a_seed_is_looked_into(run_dir, bench) -> None:
    found = inside(bench, "attention", seed=1)
    network = load_run(run_dir).model("attention", 1)
    assert found.seed == 1
    with torch.no_grad():
        assert found.mean == pytest.approx(float(network(tensor(SEQUENCE))), abs=1e-5)


def units_of(found: Inside) -> list[UnitChoice]:
    """Choose the first, a middle and the last number of every stage."""
    chosen = []
    for stage in found.stages:
        for row in {stage.rows[0], stage.rows[-1]}:
            columns = stage.columns
            few = {columns[0], columns[len(columns) // 2], columns[-1]}
            chosen += [UnitChoice(stage.name, row, column) for column in few]
    return chosen


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("strand", ["+", "-"])
def test_the_arithmetic_of_every_stage_adds_up(bench, model, strand) -> None:
    found = inside(bench, model, strand=strand)
    for unit in units_of(found):
        again = inside(bench, model, unit, strand=strand)
        unfolded, stage = again.unfolded, stages(again)[unit.stage]
        assert unfolded is not None
        row = 0 if len(stage.rows) == 1 else stage.rows.index(unit.row)
        at = (row, stage.columns.index(unit.column))
        assert unfolded.value == pytest.approx(shown(stage)[at], abs=1e-5)
        products = sum(term.product for term in unfolded.terms)
        assert products + unfolded.others + unfolded.bias == pytest.approx(unfolded.total, abs=1e-5)
        for term in unfolded.terms:
            assert term.value * term.weight == pytest.approx(term.product, abs=1e-5)
        if model == "attention" and stage.kind == "filters":
            assert unfolded.value == pytest.approx(np.exp(unfolded.total), abs=1e-4)
        elif stage.kind in ("filters", "hidden", "pooled"):
            assert unfolded.value == pytest.approx(max(unfolded.total, 0), abs=1e-4) or (
                model in ("hybrid", "transformer") and stage.kind == "pooled"
            )
        elif stage.kind in ("context", "logit"):
            assert unfolded.value == pytest.approx(unfolded.total, abs=1e-5)


@pytest.mark.parametrize("model", ["attention", "tutorial-attention"])
def test_the_scores_of_units_make_their_weights(bench, model) -> None:
    found = inside(bench, model)
    stage = stages(found)["attention"]
    for head in stage.rows:
        totals = [
            inside(bench, model, UnitChoice("attention", head, u)).unfolded.total
            for u in stage.columns
        ]
        wanted = np.exp(totals) / np.exp(totals).sum()
        assert shown(stage)[stage.rows.index(head)] == pytest.approx(wanted, abs=1e-5)


def changing(measure: Callable[[str], np.ndarray]) -> set[int]:
    """Find the bases that a number depends on, by putting every other base there."""
    before, found = measure(SEQUENCE), set()
    for at in range(LENGTH):
        for letter in set("ACGT") - {SEQUENCE[at]}:
            if np.abs(measure(SEQUENCE[:at] + letter + SEQUENCE[at + 1 :]) - before).max() > 1e-7:
                found.add(at)
    return found


def bases(span: tuple[int, int]) -> set[int]:
    return set(range(*span))


@pytest.mark.parametrize("model", ["cnn", "attention", "hybrid", "tutorial-cnn"])
@pytest.mark.parametrize("strand", ["+", "-"])
def test_the_bases_of_a_filter_unit_are_those_that_change_it(run_dir, bench, model, strand) -> None:
    network = network_of(run_dir, model)

    def before_activation(sequence: str) -> np.ndarray:
        read = sequence if strand == "+" else reverse_complement_string(sequence)
        with torch.no_grad():
            return network.first(tensor(read))[0, :, 3].double().numpy()

    n_units = len(before_activation(SEQUENCE))
    for unit in (0, n_units // 2, n_units - 1):
        found = inside(bench, model, UnitChoice("filters", 3, unit), strand=strand).unfolded
        wanted = changing(lambda s, unit=unit: before_activation(s)[[unit]])
        assert bases(found.sees) == wanted
        assert {term.where[0] for term in found.terms} == wanted
        of = stages(inside(bench, model, strand=strand))["filters"]
        start = of.starts[unit]
        assert bases((max(start, 0), min(start + of.width, LENGTH))) == wanted


def test_the_bases_of_a_pooled_unit_are_those_that_change_it(run_dir, bench) -> None:
    network = network_of(run_dir, "tutorial-attention")

    def keys(sequence: str) -> np.ndarray:
        with torch.no_grad():
            return network.pool(network.first(tensor(sequence)))[0].double().numpy()

    for unit in range(len(keys(SEQUENCE))):
        found = inside(bench, "tutorial-attention", UnitChoice("attention", 0, unit)).unfolded
        assert bases(found.sees) == changing(lambda s, unit=unit: keys(s)[unit])


@pytest.mark.parametrize("model", ["hybrid", "transformer"])
def test_a_unit_of_a_later_block_sees_all(run_dir, bench, model) -> None:
    network = network_of(run_dir, model)

    def entering(sequence: str) -> np.ndarray:
        x, kept = tensor(sequence), []
        handle = network.blocks[1].register_forward_pre_hook(lambda _, given: kept.append(given[0]))
        with torch.no_grad():
            network(x)
        handle.remove()
        return kept[0][0, 20].double().numpy()

    found = inside(bench, model, UnitChoice("block 2", 0, 20)).unfolded
    assert bases(found.sees) == set(range(LENGTH)) == changing(entering)


def test_the_bases_of_the_logit_are_those_that_change_it(run_dir, bench) -> None:
    for model in ("tutorial-cnn", "tutorial-attention"):
        network = network_of(run_dir, model)

        def logit(sequence: str, network: nn.Module = network) -> np.ndarray:
            with torch.no_grad():
                return network(tensor(sequence)).double().numpy()

        found = inside(bench, model, UnitChoice("logit", 0, 0)).unfolded
        # The pool of 4 drops the last two of 26 units: the last two bases of 37 are not seen.
        assert bases(found.sees) >= changing(logit)
        assert found.sees == (0, 35)


def test_a_largest_value_comes_from_where_it_is_largest(run_dir, bench) -> None:
    found = inside(bench, "cnn", UnitChoice("pooled", 0, 5))
    network = network_of(run_dir, "cnn")
    activations = network.first_layer(tensor(SEQUENCE)).activations[0, 5]
    at, field = int(activations.argmax()), network.first.field
    wanted = (max(field.start(at), 0), min(field.start(at) + field.width, LENGTH))
    assert found.unfolded.source == wanted
    assert found.unfolded.sees == (0, LENGTH)


@pytest.mark.parametrize(
    "unit",
    [
        UnitChoice("filters", 99, 0),
        UnitChoice("filters", 0, 37),
        UnitChoice("filters", -1, 0),
        UnitChoice("pooled", 1, 0),
        UnitChoice("logit", 0, 1),
        UnitChoice("nothing", 0, 0),
    ],
)
def test_a_unit_that_is_not_there_is_refused(bench: Bench, unit: UnitChoice) -> None:
    with pytest.raises(InputError):
        inside(bench, "cnn", unit)


def test_a_shorter_sequence_is_padded_where_it_has_to_be(bench: Bench) -> None:
    found = inside(bench, "tutorial-cnn", UnitChoice("logit", 0, 0), sequence=SEQUENCE[:30])
    assert found.unfolded.sees == (0, 30)
    assert len(found.sequence) == 30


def test_stages_with_kmers_beside_them_are_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = bench.model("cnn").seed(0)
    network = trained.model.model if isinstance(trained.model, BothStrands) else trained.model
    monkeypatch.setattr(trained, "model", WithKmers(network, 5))
    with pytest.raises(InputError, match="k-mers are scored beside them"):
        inside(bench, "cnn", seed=0)
