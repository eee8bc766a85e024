"""The weights of k-mers beside a trained model, fitted to the same training rows."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits
from torch import Tensor

from motiflens.datasets import draw
from motiflens.metrics import rank_auroc
from motiflens.models import SequenceModel
from motiflens.models.kmer_score import KmerScore, WithKmers
from motiflens.sequences import kmers
from motiflens.training.data import EncodedData
from motiflens.training.fit import Rows
from motiflens.training.job import Validation
from motiflens.training.recipes import Recipe
from motiflens.training.regularization import other_strand

#: Inverse strength of the penalty on the weights, chosen on held-out rows of GUE; few rows are
#: penalised more beside what they say, so that their k-mers weigh little.
INVERSE_PENALTY = 0.01

#: How much of the log-odds of k-mers is added to a model's logit.
SHARE = 0.5

#: Rows that weights are fitted to, at most: more take gigabytes and change little.
MOST_ROWS = 100_000

#: Fits of the data in training, by rows, size and strands: seeds and models of the same share one.
_FITS: WeakKeyDictionary[EncodedData, dict[tuple[bytes, int, bool], KmerScore]]
_FITS = WeakKeyDictionary()
#: One at a time: their limit of threads is that of the whole process.
_FITTING = Lock()

Floats = NDArray[np.float64]


def fit_kmers(data: EncodedData, rows: Tensor, size: int, *, both_strands: bool) -> KmerScore:
    """Fit a logistic regression of the class on counts of k-mers.

    Parameters
    ----------
    data
        The data set.
    rows
        (n,) of it; of more than ``MOST_ROWS`` some of each class are drawn.
    size
        Bases of a k-mer.
    both_strands
        Count the k-mers of both strands, and score a sequence and its complement alike.

    Returns
    -------
    KmerScore
        On the CPU.
    """
    if len(rows) > MOST_ROWS:
        every, generator = data.labels.cpu().numpy(), np.random.default_rng(0)
        rows = torch.from_numpy(draw(every, rows.cpu().numpy(), MOST_ROWS, generator))
    codes, lengths, labels = (one.cpu() for one in data.take(rows))
    counts = _counts(codes.numpy(), size)
    if both_strands:
        counts = counts + _counts(other_strand(codes, lengths).numpy(), size)
    # On one thread, as the last bits of sums over many weights depend on how many share them.
    with threadpool_limits(1, "blas"):
        fitted = LogisticRegression(C=INVERSE_PENALTY, tol=1e-2).fit(counts, labels.numpy())
    weight = torch.as_tensor(fitted.coef_[0]).view(*[4] * size)
    if both_strands:  # the k-mer on the other strand counts where this one is
        weight = weight + weight.permute(*reversed(range(size))).flip(*range(size))
    score = KmerScore(size)
    score.weight.copy_(SHARE * weight.flatten())
    score.bias.copy_(SHARE * torch.as_tensor(fitted.intercept_[0]))
    return score


def _counts(codes: NDArray[np.uint8], size: int) -> csr_array:
    """Count the k-mers of codes (n, L), (n, 4^k)."""
    numbers, known = kmers(codes, size)
    rows, _ = np.nonzero(known)
    ones = np.ones(len(rows))
    return csr_array((ones, (rows, numbers[known])), shape=(len(codes), 4**size))


def add_kmers(
    models: Sequence[SequenceModel],
    data: EncodedData,
    rows: Rows,
    recipe: Recipe,
    valid: Sequence[Validation | None],
) -> list[Validation | None]:
    """Set the k-mers of trained replicas where their validation rows then rank better.

    Parameters
    ----------
    models
        Trained, R of them; of other models than :class:`WithKmers` nothing changes.
    data, rows
        The data set, and the rows of each replica.
    recipe
        That they were trained by.
    valid
        What each says of its validation rows; None, where there are none, sets no k-mers.

    Returns
    -------
    list of Validation or None
        What each then says.
    """
    said, both = list(valid), recipe.rc_average
    for replica, (model, alone) in enumerate(zip(models, valid, strict=True)):
        if not isinstance(model, WithKmers) or alone is None:
            continue
        fitted = _fitted(data, rows.train[replica], model.kmers.size, both)
        logits = alone.logits + _scores(fitted, data, rows.valid[replica], recipe)
        if _rank(alone.labels, logits) > _rank(alone.labels, alone.logits):
            model.kmers.load_state_dict(fitted.state_dict())
            said[replica] = Validation(alone.labels, logits)
    return said


def _fitted(data: EncodedData, rows: Tensor, size: int, both_strands: bool) -> KmerScore:
    """Fit, once for the same rows, where the data are computed."""
    key = (rows.cpu().numpy().tobytes(), size, both_strands)
    with _FITTING:
        fits = _FITS.setdefault(data, {})
        if key not in fits:
            found = fit_kmers(data, rows, size, both_strands=both_strands)
            fits[key] = found.to(data.table)
        return fits[key]


def _scores(score: KmerScore, data: EncodedData, rows: Tensor, recipe: Recipe) -> Floats:
    """Return the scores of rows (n,), of both strands where the recipe predicts from both."""
    both = recipe.rc_average
    with torch.no_grad():
        parts = [data.logits(score, part, both_strands=both) for part in torch.split(rows, 256)]
    return torch.cat(parts).double().cpu().numpy()


def _rank(labels: Floats, logits: Floats) -> float:
    return float(rank_auroc(labels[None], logits[None])[0])
