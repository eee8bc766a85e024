"""Modules of others, opened to score in place of the models of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from motiflens.models.calling import require_device
from motiflens.models.foreign import file_of, open_foreign
from motiflens.scoring.models import ModuleScorer, hash_weights, open_models


def open_module(
    spec: str,
    weights: Path | str | None = None,
    length: int | None = None,
    device: str = "cpu",
    target: int = 0,
) -> ModuleScorer:
    """Open a module of a Python file to score.

    Parameters
    ----------
    spec
        ``FILE.py:NAME``, a function without arguments, or a class, that gives a
        ``torch.nn.Module`` from one-hot (N, 4, L) to logits (N,) or (N, T). The file is run.
    weights
        Its state dict, ``.safetensors`` or what ``torch.save`` wrote; None for the module as built.
    length
        Bases of a window; None for the only length that it takes, found by trying, or for 200.
    device
        Where to compute.
    target
        Which of T outputs.

    Returns
    -------
    ModuleScorer
        Without calibration, and without knowledge of the training sequences. As such a module need
        not know padding, only sequences of one length go through it together.

    Raises
    ------
    InputError
        In a line: no such file or function, a function that fails or gives no module, weights that
        cannot be read without running code or do not fit, a module of other shapes.
    """
    home = require_device(device)
    opened = open_foreign(spec, weights, length, target)
    members = (opened.module.to(home),)
    return ModuleScorer(
        name=file_of(spec)[1],
        sha256=hash_weights(members),
        n_seeds=1,
        min_length=opened.min_length,
        length=opened.length,
        both_strands=False,
        only_length=opened.only_length,
        takes_padding=False,
        members=members,
        device=home,
    )


def open_scorer(arguments: Mapping[str, Any]) -> ModuleScorer:
    """Open what the arguments of a work name to score with.

    Parameters
    ----------
    arguments
        ``run``, ``model`` and ``device`` as of :func:`motiflens.scoring.models.open_models`; or, in
        place of the run, ``own``: the further arguments of :func:`open_module`, by name.
    """
    device = arguments["device"]
    if own := arguments.get("own"):
        return open_module(**own, device=device)
    return open_models(arguments["run"], arguments["model"], device=device)
