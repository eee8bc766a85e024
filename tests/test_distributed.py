"""Two processes train the very models that one trains."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.distributed_training import JOB, losses
from tests.toy_models import planted

from motiflens.errors import InputError
from motiflens.training import distributed, train

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("processes")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", "tests.distributed_training", str(folder)]
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=180
    )
    assert ended.returncode == 0, ended.stderr
    return [json.loads((folder / f"{number}.json").read_text()) for number in range(2)]


@pytest.mark.slow
def test_the_loss_curves_are_those_of_one_process(found: list[dict[str, Any]]) -> None:
    assert found[0]["processes"] == 2
    for kind, dtype, tolerance in (
        ("single", torch.float32, 1e-5),
        ("double", torch.float64, 1e-12),
    ):
        alone = train(planted(shorter=True), JOB, threads=1, dtype=dtype)
        np.testing.assert_allclose(found[0][kind], losses(alone), rtol=0, atol=tolerance)
        assert np.ptp(losses(alone)) > 1e-3


@pytest.mark.slow
def test_all_processes_have_the_same_weights(found: list[dict[str, Any]]) -> None:
    assert found[0] == found[1]


@pytest.mark.slow
def test_processes_that_were_stopped_go_on_to_the_same_weights(found: list[dict[str, Any]]) -> None:
    assert found[0]["interrupted"] == found[0]["weights"]


def test_alone_nothing_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with distributed.connected():
        assert (distributed.n_processes(), distributed.process()) == (1, 0)
        assert distributed.own_slice(7) == slice(0, 7)
        assert distributed.from_first(b"x") == b"x"
        value = torch.ones(3)
        distributed.sum_over_processes([value])
        assert value.tolist() == [1.0] * 3


@pytest.mark.parametrize("n", [0, 1, 2, 7, 16])
def test_slices_cover_a_batch_without_overlap(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "n_processes", lambda: 3)
    rows = []
    for number in range(3):
        monkeypatch.setattr(distributed, "process", lambda number=number: number)
        rows += list(range(n))[distributed.own_slice(n)]
    assert rows == list(range(n))


def test_each_process_has_its_own_cuda_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "LOCAL_RANK", "3")
    assert [distributed.own_device(d) for d in ("cuda", "cuda:1", "cpu")] == [
        "cuda:3",
        "cuda:1",
        "cpu",
    ]


@pytest.mark.parametrize("number", [0, 1])
def test_a_mistake_of_the_first_process_is_one_of_all(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes | None] = [b'["a problem", "in line 3", "do that", ["seeds"]]', None]
    done = []

    def from_first(content: bytes | None) -> bytes | None:
        assert content == (sent[0] if number == 0 else None)
        return sent[0]

    def refuse() -> None:
        done.append(number)
        if sent[0] is not None:
            raise InputError("a problem", "in line 3", "do that", "seeds")

    monkeypatch.setattr(distributed, "process", lambda: number)
    monkeypatch.setattr(distributed, "from_first", from_first)
    with pytest.raises(InputError, match="a problem in line 3; do that") as refused:
        distributed.in_first(refuse)
    assert refused.value.arguments == ("seeds",)
    sent.pop(0)
    distributed.in_first(refuse)
    assert done == [0, 0] * (number == 0)
