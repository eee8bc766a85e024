"""A model given away: ONNX or torch.export, checked before it is written, with a card beside it."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import lazy_loader  # type: ignore[import-untyped]
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from motiflens.errors import InputError
from motiflens.files import make_folder, write_whole
from motiflens.runs import Run
from motiflens.scoring.model_card import card_of_module, card_of_run
from motiflens.scoring.models import ModuleScorer, open_predictor
from motiflens.scoring.onnx_scorer import (
    INPUT,
    INSTALL,
    KEY,
    MEAN,
    SEEDS,
    facts_of,
    session_of,
)
from motiflens.sequences import ONE_HOT

Floats = NDArray[np.float32]
Forward = Callable[[Floats], list[NDArray[Any]]]

onnx = lazy_loader.load("onnx")

SUFFIXES = (".onnx", ".pt2")
#: The largest difference of a logit to PyTorch's, of logits beyond ±1 in units of the logit.
TOLERANCE = 1e-5
#: Operators of ONNX: those of 2024, which runtimes of two years know.
OPSET = 20


class Seeds(nn.Module):
    """The seeds of a model as one graph."""

    def __init__(self, members: tuple[nn.Module, ...]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, one_hot: Tensor) -> tuple[Tensor, Tensor]:
        """Map one-hot (N, 4, L) to the mean logits (N,) and those of every seed (N, S)."""
        logits = torch.stack([member(one_hot) for member in self.members], dim=-1)
        return logits.mean(dim=-1), logits


def export_model(
    model: Run | Path | str | ModuleScorer,
    output: Path | str,
    *,
    architecture: str | None = None,
    overwrite: bool = False,
) -> tuple[Path, Path]:
    """Write a model of a run as a graph that needs none of this package, and a card beside it.

    The graph takes ``one_hot`` (N, 4, L) in float32, with zero columns for N and padding, of any N
    and, where the model takes it, any L. It gives ``logits`` (N,), the mean of the seeds, and
    ``seed_logits`` (N, S), both strands averaged where the model reads both. Before it is written
    it is computed on random sequences of several lengths and numbers, with N and padding, and has
    to agree with PyTorch to 1e-5.

    Parameters
    ----------
    model
        A run or its directory, or a model opened to score.
    output
        ``.onnx``, or ``.pt2`` for ``torch.export.load``. Its card has ``.md`` added.
    architecture
        Of a run: one of its models; None for the best on validation data.
    overwrite
        Replace files that are there.

    Returns
    -------
    output, card
        Their paths.

    Raises
    ------
    InputError
        For another ending, files that are there, ONNX without the extra ``[onnx]``, and a module
        that cannot be exported or whose graph gives other logits.
    """
    path = Path(output)
    card = path.with_name(f"{path.name}.md")
    _check_output(path, card, overwrite=overwrite)
    if isinstance(model, nn.Module):
        raise InputError(
            f"a {type(model).__name__} is a module, and not a run",
            remedy="name the Python file that builds it: "
            "`motiflens export --module FILE.py:FUNCTION -o model.onnx`",
        )
    scorer = model if isinstance(model, ModuleScorer) else open_predictor(model, architecture)
    module = Seeds(scorer.members).cpu().eval()
    content, forward = _GRAPHS[path.suffix](module, scorer)
    _check(module, scorer, forward)
    text = _card(scorer, path.name)
    make_folder(path.parent)
    write_whole(path, content)
    write_whole(card, text.encode())
    return path, card


def _card(scorer: ModuleScorer, file: str) -> str:
    if scorer.results is None:
        return card_of_module(scorer, file)
    return card_of_run(scorer.results, scorer, file)


def _check_output(path: Path, card: Path, *, overwrite: bool) -> None:
    if path.suffix not in SUFFIXES:
        raise InputError(
            f"{path} is not the name of an exported model",
            remedy="let it end in .onnx or .pt2",
            argument="output",
        )
    there = next((one for one in (path, card) if one.exists()), None)
    if there and not overwrite:
        raise InputError(
            f"{there} already exists",
            remedy="use another name, or overwrite=True",
            argument="overwrite",
        )


def _traced(module: Seeds, scorer: ModuleScorer) -> torch.export.ExportedProgram:
    """Make a graph of a module, for any number and, where it may be, any length of sequences."""
    any_size = torch.export.Dim.DYNAMIC
    free = {0: any_size} if scorer.only_length else {0: any_size, 2: any_size}
    example = torch.as_tensor(_random(3, scorer.length, scorer.length))
    try:
        with _quiet(), torch.no_grad():
            program = torch.export.export(module, (example,), dynamic_shapes={"one_hot": free})
    except Exception as error:  # torch has errors of many kinds for what it cannot trace
        told = next((line for line in str(error).splitlines() if line.strip()), "")
        raise InputError(
            f"{scorer.name} cannot be exported: {told[:200]}",
            remedy="its forward pass must not branch on values or lengths; see torch.export",
        ) from error
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # it names files of this machine
    return program


def _as_onnx(module: Seeds, scorer: ModuleScorer) -> tuple[bytes, Forward]:
    program = _traced(module, scorer)
    try:
        with _quiet():
            made = torch.onnx.export(
                program,
                dynamo=True,
                input_names=[INPUT],
                output_names=[MEAN, SEEDS],
                opset_version=OPSET,
                verbose=False,
            )
            assert made is not None
            proto = made.model_proto
            _strip(proto)
            onnx.helper.set_model_props(proto, {KEY: facts_of(scorer)})
            content: bytes = proto.SerializeToString(deterministic=True)
        session = session_of(content)
    except ImportError as error:
        missing = error.name or "a package"
        raise InputError(
            f"ONNX needs {missing}, which is not installed", remedy=INSTALL, argument="output"
        ) from None
    except Exception as error:  # of an operation that ONNX has not
        if isinstance(error, InputError):
            raise
        told = str(error).splitlines()
        raise InputError(
            f"{scorer.name} cannot be written as ONNX: {told[-1] if told else error}",
            remedy="write .pt2",
            argument="output",
        ) from error
    return content, lambda one_hot: session.run([MEAN, SEEDS], {INPUT: one_hot})


def _strip(proto: Any) -> None:
    """Leave out what says where the code that was traced lies on this machine."""
    for graph in (proto.graph, *proto.functions):
        for node in graph.node:
            node.ClearField("metadata_props")
            node.ClearField("doc_string")
    for value in (*proto.graph.input, *proto.graph.output, *proto.graph.value_info):
        value.ClearField("metadata_props")
    proto.graph.ClearField("metadata_props")


def _as_pt2(module: Seeds, scorer: ModuleScorer) -> tuple[bytes, Forward]:
    program, file = _traced(module, scorer), io.BytesIO()
    with _quiet():
        torch.export.save(program, file, extra_files={f"{KEY}.json": facts_of(scorer)})
        loaded = torch.export.load(io.BytesIO(file.getvalue())).module()

    def forward(one_hot: Floats) -> list[NDArray[Any]]:
        with torch.no_grad():
            return [part.numpy() for part in loaded(torch.as_tensor(one_hot))]

    return file.getvalue(), forward


_GRAPHS = {".onnx": _as_onnx, ".pt2": _as_pt2}


def _check(module: Seeds, scorer: ModuleScorer, forward: Forward) -> None:
    """Refuse a graph that gives other logits than PyTorch."""
    lengths = [scorer.length]
    if not scorer.only_length:
        lengths += [scorer.min_length, scorer.length + 1, 2 * scorer.length + 3]
    for n, length in zip((1, 2, 5, 7, 16), (lengths * 5)[:5], strict=True):
        shortest = scorer.min_length if scorer.takes_padding else length
        one_hot = _random(n, length, min(shortest, length))
        with torch.no_grad():
            expected = [part.numpy() for part in module(torch.as_tensor(one_hot))]
        for own, other in zip(forward(one_hot), expected, strict=True):
            off = np.abs(own - other) / np.maximum(1, np.abs(other))
            if own.shape != other.shape or not off.max() <= TOLERANCE:
                raise InputError(
                    f"the exported {scorer.name} differs from PyTorch by {off.max():.1e} of a "
                    f"logit on {n} sequences of {length} bases",
                    remedy="nothing was written; use the run itself",
                )


def _random(n: int, length: int, shortest: int) -> Floats:
    """Draw one-hot sequences (n, 4, length) with some N, and padding behind all but the first."""
    generator = np.random.default_rng(n + length)
    codes = generator.integers(0, 4, (n, length))
    codes[generator.random((n, length)) < 0.02] = 4
    ends = generator.integers(shortest, length + 1, n)
    ends[0] = length
    codes[np.arange(length) >= ends[:, None]] = 4
    return np.ascontiguousarray(ONE_HOT[codes].transpose(0, 2, 1))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to itself what torch and its exporters say about their own insides."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
