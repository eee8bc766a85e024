"""A model that was exported as ONNX, in use without PyTorch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from os import PathLike
from pathlib import Path
from typing import Any

import lazy_loader  # type: ignore[import-untyped]
import msgspec
import numpy as np

from motiflens.errors import InputError
from motiflens.files import read_bytes
from motiflens.results.scores import Calibration
from motiflens.scoring.scorer import Floats, Scorer, TrainedOn
from motiflens.sequences import Codes, Lengths, one_hot

onnxruntime = lazy_loader.load("onnxruntime")

#: Bases of the sequences of one forward pass: their activations stay in a cache.
BASES_AT_ONCE = 2**14
#: The key of the metadata under which a file says what model it holds.
KEY = "motiflens"
INPUT, MEAN, SEEDS = "one_hot", "logits", "seed_logits"
INSTALL = "pip install 'motiflens[onnx]'"


@dataclass(frozen=True, kw_only=True)
class OnnxScorer(Scorer):
    """A session of onnxruntime on one thread; several threads may call it at a time."""

    session: Any

    def logits(self, codes: Codes, lengths: Lengths) -> Floats:
        """Return the logits (S, N) of every seed."""
        return self.at_lengths(self._forward, codes, lengths)

    def _forward(self, codes: Codes) -> Floats:
        at_once = max(1, BASES_AT_ONCE // codes.shape[1])
        batches = [
            self.session.run([SEEDS], {INPUT: one_hot(codes[start : start + at_once])})[0]
            for start in range(0, len(codes), at_once)
        ]
        joined = np.concatenate(batches) if batches else np.zeros((0, self.n_seeds))
        return np.asarray(joined.T, dtype=np.float64)


def is_onnx(path: PathLike[str] | str) -> bool:
    """Return whether a path is the name of an ONNX file."""
    return str(path).lower().endswith(".onnx")


def facts_of(scorer: Scorer) -> str:
    """Return as JSON what a file has to say of its model."""
    kept = {field.name: getattr(scorer, field.name) for field in fields(Scorer)}
    kept["trained_on"] = scorer.trained_on and asdict(scorer.trained_on)
    kept["calibration"] = scorer.calibration and msgspec.structs.asdict(scorer.calibration)
    return json.dumps(kept)


def open_onnx(path: PathLike[str] | str) -> OnnxScorer:
    """Open a file that ``motiflens export`` wrote.

    Raises
    ------
    InputError
        When the file is missing, damaged or from elsewhere, and without onnxruntime.
    """
    content = read_bytes(Path(path))
    try:
        session = session_of(content)
    except ImportError:
        raise InputError(
            f"{path} needs onnxruntime, which is not installed", remedy=INSTALL
        ) from None
    except Exception as error:  # onnxruntime has errors of many kinds, all of its own
        # Of "[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : what is wrong." only the end is for users.
        told = str(error).splitlines()[0].rpartition(" : ")[2].rstrip(".")
        raise InputError(f"{path} is no whole ONNX file: {told}", remedy="export again") from None
    told = session.get_modelmeta().custom_metadata_map.get(KEY)
    if told is None:
        raise InputError(
            f"{path} does not say what it was trained on",
            remedy="give a file that `motiflens export` wrote",
        )
    facts = json.loads(told)
    known, fitted = facts.pop("trained_on"), facts.pop("calibration")
    return OnnxScorer(
        **facts,
        trained_on=known and TrainedOn(**known),
        calibration=fitted and Calibration(**fitted),
        session=session,
    )


def session_of(content: bytes) -> Any:
    """Open a model in memory on one thread: blocks are what is divided among threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
