"""The architectures, by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from motiflens.errors import one_of
from motiflens.models.attention import Attention
from motiflens.models.base import (
    AttentionMap,
    FeatureMap,
    ReceptiveField,
    SequenceModel,
    project_to_bases,
)
from motiflens.models.both_strands import BothStrands
from motiflens.models.calling import drawing
from motiflens.models.cnn import CNN
from motiflens.models.hybrid import Hybrid
from motiflens.models.kmer_score import WithKmers
from motiflens.models.transformer import Transformer
from motiflens.models.tutorial import TutorialAttention, TutorialCNN
from motiflens.settings import DISTILLED

__all__ = [
    "MODELS",
    "AttentionMap",
    "BothStrands",
    "FeatureMap",
    "ReceptiveField",
    "SequenceModel",
    "WithKmers",
    "build_model",
    "project_to_bases",
    "require_model",
]

#: Name → class. A class whose weights depend on the length takes ``length`` first.
MODELS: dict[str, Callable[..., SequenceModel]] = {
    "tutorial-cnn": TutorialCNN,
    "tutorial-attention": TutorialAttention,
    "cnn": CNN,
    "attention": Attention,
    "hybrid": Hybrid,
    "transformer": Transformer,
    # What others say of a sequence is less noisy than its label, and needs less dropout.
    DISTILLED: partial(CNN, dropout=0.1),
}

#: Architectures whose last layers are cut to one length.
FIXED_LENGTH = frozenset({"tutorial-cnn", "tutorial-attention"})


def require_model(name: str) -> str:
    """Return the name of an architecture, or raise :class:`InputError` with the nearest one."""
    one_of("an architecture", name, MODELS, argument="models")
    return name


def build_model(
    name: str, *, length: int, seed: int, kmer_size: int = 0, **hyperparameters: Any
) -> SequenceModel:
    """Build an architecture with the initial weights of a seed.

    Parameters
    ----------
    name
        A key of :data:`MODELS`.
    length
        Bases of the (longest) sequence; only the tutorial's models depend on it.
    seed
        Decides the initial weights; the global random state is left as it was.
    kmer_size
        Bases of the k-mers that are scored beside it (:class:`WithKmers`); 0 for none.
    **hyperparameters
        Keyword arguments of the class.

    Returns
    -------
    SequenceModel
        In evaluation mode, on the CPU.

    Raises
    ------
    InputError
        If no architecture has this name.
    """
    require_model(name)
    if name in FIXED_LENGTH:
        hyperparameters["length"] = length
    with drawing(seed):
        model = MODELS[name](**hyperparameters)
    return (WithKmers(model, kmer_size) if kmer_size else model).eval()
