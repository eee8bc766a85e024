"""What a model gives for sequences, from Python."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import lazy_loader  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray
from torch import nn

from motiflens.errors import InputError
from motiflens.io.inputs import Sequences
from motiflens.models.calling import check_threads
from motiflens.runs import Run
from motiflens.scoring.models import open_predictor
from motiflens.scoring.onnx_scorer import is_onnx, open_onnx
from motiflens.scoring.predictions import Tally, at_prevalence, columns_of, predict_records
from motiflens.scoring.records import open_records
from motiflens.scoring.scorer import Scorer
from motiflens.training import predict as predict_module
from motiflens.training import single_intra_op_thread

if TYPE_CHECKING:
    from pandas import DataFrame

pandas = lazy_loader.load("pandas")


@overload
def predict(
    model: nn.Module,
    sequences: Sequences,
    *,
    batch_size: int = ...,
    threads: int | None = ...,
    device: str | None = ...,
) -> NDArray[np.float64]: ...
@overload
def predict(
    model: Run | Scorer | str | PathLike[str],
    sequences: Sequences,
    *,
    threads: int | None = ...,
    device: str | None = ...,
    architecture: str | None = ...,
    genome: Path | str | None = ...,
    width: int | None = ...,
    prevalence: float | None = ...,
) -> DataFrame: ...
def predict(
    model: Any,
    sequences: Sequences,
    *,
    batch_size: int = 256,
    threads: int | None = None,
    device: str | None = None,
    architecture: str | None = None,
    genome: Path | str | None = None,
    width: int | None = None,
    prevalence: float | None = None,
) -> Any:
    """Return what a module, or a model of a run, gives for sequences.

    Parameters
    ----------
    model
        Any module from one-hot (N, 4, L) to logits (N,) or (N, T), left as it was found; or a run,
        its directory, or a file ``.onnx`` that ``motiflens export`` wrote.
    sequences
        Strings, a file, a data set, or one-hot (N, 4, L): see :func:`motiflens.one_hot`. Of a run
        also BED beside a genome.
    batch_size
        Sequences a forward pass of a module.
    threads
        That torch may use for a module, None for as many as it may now; blocks at once of a run,
        None for one.
    device
        Where to compute; None for where the module is, or the CPU.
    architecture
        Of a run: one of its models; None for the best on validation data.
    genome, width
        Of BED: FASTA or 2bit, and the bases of windows, None for intervals as they are.
    prevalence
        Of a run: the fraction of the sequences that is positive, where it is known. Probabilities
        are then corrected for it, and ``attrs`` of the data frame has it as ``prevalence`` and, as
        ``threshold``, the logit above which that fraction lies.

    Returns
    -------
    logits or DataFrame
        Of a module float64 (N,) or (N, T); ``scipy.special.expit`` makes probabilities of them. Of
        a run a row a sequence, in their order, with the columns ``name``, ``logit`` (the mean of
        the seeds), ``probability`` (calibrated on validation data; NaN where that could not be),
        ``sd`` of the logits over seeds (NaN of one), and ``unusual``: ``longer``, ``shorter``,
        ``composition`` beside the training sequences, or why there is no score. A run of labels
        that are numbers has ``value``, the predicted label, in place of logit and probability.

    Raises
    ------
    InputError
        For sequences that are none; of a module also for those of a length that it does not take;
        for a prevalence of a model without probabilities.
    """
    if isinstance(model, Run | Scorer | str | PathLike):
        check_threads(threads)
        scorer = at_prevalence(_opened(model, architecture, device), prevalence)
        records = open_records(sequences, genome, width)
        with single_intra_op_thread():
            blocks = list(predict_records(scorer, records, threads=threads or 1))
        columns = {
            name: np.concatenate([getattr(block, name) for block in blocks] or [[]])
            for name in columns_of(scorer)
        }
        table = pandas.DataFrame(columns)
        if prevalence is not None:
            tally = Tally(prevalence)
            for block in blocks:
                tally.add(block)
            table.attrs = {"prevalence": prevalence, "threshold": tally.threshold}
        return table
    given: dict[str, object] = {"architecture": architecture, "genome": genome, "width": width}
    given |= {"prevalence": prevalence}
    for name, value in given.items():
        if value is not None:
            raise InputError(
                f"{name}={value} is for a run, not for a module",
                remedy="leave it out, or give the run",
                argument=name,
            )
    return predict_module(model, sequences, batch_size=batch_size, threads=threads, device=device)


def _opened(
    model: Run | Scorer | str | PathLike[str], architecture: str | None, device: str | None
) -> Scorer:
    if isinstance(model, Scorer):
        return model
    if not isinstance(model, Run) and is_onnx(model):
        return open_onnx(model)
    run = model if isinstance(model, Run) else Path(model)
    return open_predictor(run, architecture, device=device or "cpu")
