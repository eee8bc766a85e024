"""Routes from a model to motifs: which windows of the positives each kind of evidence points at.

Every route but ``attention-stretched`` and ``modisco`` only says where to look; the windows are
then aligned with each other (:func:`motiflens.discovery.align_windows`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from motiflens.attribution import Attributions, attribute
from motiflens.attribution.result import Floats
from motiflens.datasets import SequenceDataset
from motiflens.discovery.discover import align_windows
from motiflens.discovery.discovered import DiscoveredMotif, MotifSite, Strands
from motiflens.discovery.modisco import modisco_motifs
from motiflens.errors import InputError, one_of
from motiflens.models.base import AttentionMap, ReceptiveField, SequenceModel
from motiflens.models.calling import as_input, evaluating
from motiflens.motifs import ppm_from_codes
from motiflens.sequences import one_hot
from motiflens.shuffles import shuffle

Ints = NDArray[np.int64]

BATCH_SIZE = 256
SMOOTHING = 11
"""Bases over which a track is averaged before its maximum is taken."""

REACH = 10
"""Bases on either side of that maximum that belong to the window."""

TUTORIAL_WIDTH = 12
MIN_FILTER_Z = 4.0
"""Standard errors by which a filter prefers positives to their shuffles (a sign test)."""


@dataclass(frozen=True)
class Evidence:
    """What a model shows of some positives; every part is computed once, when first asked for.

    Parameters
    ----------
    model
        Any module from (N, 4, L) to logits.
    positives
        The sequences to explain.
    strands
        Where motifs may lie.
    attributions
        Attributions of these positives that exist already, by method.
    """

    model: nn.Module
    positives: SequenceDataset
    strands: Strands = "forward"
    attributions: dict[str, Attributions] = field(default_factory=dict)

    def attribution(self, method: str) -> Attributions:
        """Give one attribution of all positives."""
        if method not in self.attributions:
            found = attribute(self.model, self.one_hot, method, batch_size=BATCH_SIZE)
            self.attributions[method] = found
        return self.attributions[method]

    @cached_property
    def one_hot(self) -> Floats:
        """The positives, (N, 4, L)."""
        return self.positives.one_hot()

    @cached_property
    def attention_maps(self) -> list[AttentionMap]:
        """The attention maps of all positives; empty for a model without attention."""
        if not isinstance(self.model, SequenceModel):
            return []
        with evaluating(self.model), torch.inference_mode():
            parts = [
                self.model.attention_maps(as_input(self.model, part))
                for part in _batches(self.one_hot)
            ]
        return [
            AttentionMap(maps[0].layer, torch.cat([m.weights for m in maps]), maps[0].field)
            for maps in zip(*parts, strict=True)
        ]

    def align(self, windows: Ints, name: str) -> list[DiscoveredMotif]:
        """Align windows (M, 3) on the positives; those beyond a sequence are cut or dropped."""
        sequence, start, end = windows.T
        lengths = self.positives.lengths
        cut = np.stack([sequence, np.maximum(start, 0), np.minimum(end, lengths[sequence])], axis=1)
        kept = cut[cut[:, 1] < cut[:, 2]]
        return align_windows(self.positives.codes, kept, strands=self.strands, name=name)


def filters(evidence: Evidence) -> list[DiscoveredMotif]:
    """Read the windows of first-layer filters that prefer positives to their shuffles.

    Of each such filter and each positive, the window of the strongest activation counts if it
    exceeds half the filter's maximum over the positives (after Alipanahi et al., Nat Biotechnol
    33:831, 2015). The windows of all these filters are aligned together, so that a motif that
    many filters see appears once.
    """
    positives = evidence.positives
    generator = np.random.default_rng(0)  # only the null is drawn, so any fixed seed will do
    shuffled = one_hot(shuffle(positives.codes, positives.lengths, generator))
    best, unit, units_field = _strongest(evidence.model, evidence.one_hot)
    null, _, _ = _strongest(evidence.model, shuffled)
    preference = np.sign(best - null).sum(axis=0) / np.sqrt(len(best))
    strong = (preference >= MIN_FILTER_Z) & (best > best.max(axis=0) / 2)
    sequence, chosen = np.nonzero(strong)
    return evidence.align(_seen(sequence, unit[sequence, chosen], units_field), "filters")


def attention(evidence: Evidence) -> list[DiscoveredMotif]:
    """Read the receptive field of the unit with the largest weight, of every map and head."""
    windows = []
    for found in evidence.attention_maps:
        unit = found.weights.argmax(dim=-1).cpu().numpy()
        sequence = np.repeat(np.arange(len(unit)), unit.shape[1])
        windows.append(_seen(sequence, unit.ravel(), found.field))
    return evidence.align(np.concatenate(windows), "attention")


def attention_stretched(evidence: Evidence) -> list[DiscoveredMotif]:
    """Read attention the tutorial's way, which ties a unit to the wrong bases.

    The weights (mean over heads) are interpolated to the length; around their maximum c the
    window [c - 6, c + 6) is pushed inside the sequence; column frequencies, no alignment.
    """
    weights = evidence.attention_maps[0].weights.mean(dim=1, keepdim=True)
    codes, lengths = evidence.positives.codes, evidence.positives.lengths
    stretched = nn.functional.interpolate(
        weights, size=codes.shape[1], mode="linear", align_corners=False
    )
    centre = stretched[:, 0].argmax(dim=-1).cpu().numpy()
    kept = np.flatnonzero(lengths >= TUTORIAL_WIDTH)
    start = np.clip(centre - TUTORIAL_WIDTH // 2, 0, np.maximum(lengths - TUTORIAL_WIDTH, 0))[kept]
    if kept.size == 0:
        return []
    bases = codes[kept[:, None], start[:, None] + np.arange(TUTORIAL_WIDTH)]
    sites = tuple(
        MotifSite(int(n), int(s), int(s) + TUTORIAL_WIDTH, "+")
        for n, s in zip(kept, start, strict=True)
    )
    name, ppm = "attention-stretched-1", ppm_from_codes(bases)
    return [DiscoveredMotif(name, ppm, len(sites), sites=sites)]


def saliency(evidence: Evidence) -> list[DiscoveredMotif]:
    """Read a window around the maximum of the smoothed saliency track."""
    return evidence.align(
        windows_around_maximum(evidence.attribution("saliency").track), "saliency"
    )


def attention_saliency(evidence: Evidence) -> list[DiscoveredMotif]:
    """Read a window around the maximum of saliency times attention, each summing to 1."""
    tracks = [evidence.attribution(method).track for method in ("saliency", "attention")]
    shares = [t / np.maximum(t.sum(axis=1, keepdims=True), 1e-12) for t in tracks]
    return evidence.align(windows_around_maximum(shares[0] * shares[1]), "attention-saliency")


def ism(evidence: Evidence) -> list[DiscoveredMotif]:
    """Read a window around the bases that mutagenesis finds to raise the logit most."""
    track = np.maximum(evidence.attribution("ism").track, 0)
    return evidence.align(windows_around_maximum(track), "ism")


def modisco(evidence: Evidence) -> list[DiscoveredMotif]:
    """Read DeepLIFT/SHAP by TF-MoDISco."""
    return modisco_motifs(evidence.attribution("deeplift_shap"))


ROUTES: dict[str, Callable[[Evidence], list[DiscoveredMotif]]] = {
    "filters": filters,
    "attention": attention,
    "attention-stretched": attention_stretched,
    "saliency": saliency,
    "attention-saliency": attention_saliency,
    "ism": ism,
    "modisco": modisco,
}
BY_NAME = frozenset({"modisco"})
"""Routes that are taken where they are asked for alone: this one needs a package of an extra."""


def find_motifs(
    model: nn.Module,
    positives: SequenceDataset,
    routes: Iterable[str] | None = None,
    *,
    strands: Strands = "forward",
    attributions: Mapping[str, Attributions] | None = None,
) -> dict[str, list[DiscoveredMotif]]:
    """Take every route from a model to motifs.

    Parameters
    ----------
    model
        Any module from (N, 4, L) to logits; it is left as it was found.
    positives
        The sequences to explain, N >= 1.
    routes
        Keys of ``ROUTES``; None takes all that the model can serve, but ``modisco``, which needs
        the extra of that name and looks on both strands whatever ``strands`` says.
    strands
        ``both`` looks for a motif on either strand.
    attributions
        Attributions of these positives that exist already, by method.

    Returns
    -------
    dict
        Route to its motifs, strongest first, in the order of ``ROUTES``. A route that the model
        cannot serve, such as attention of a model without any, is absent.

    Raises
    ------
    InputError
        For an unknown route, or no positives; for ``modisco`` where it is not installed.
    """
    wanted = [r for r in ROUTES if r not in BY_NAME] if routes is None else list(routes)
    for route in wanted:
        one_of("a route", route, ROUTES, argument="routes")
    if len(positives) == 0:
        raise InputError(
            "there is no positive sequence to read motifs from",
            remedy="explain sequences that hold positives",
            argument="positives",
        )
    evidence = Evidence(model, positives, strands, dict(attributions or {}))
    served = _served(evidence)
    return {name: ROUTES[name](evidence) for name in ROUTES if name in wanted and name in served}


def _served(evidence: Evidence) -> set[str]:
    served = {"saliency", "ism", "modisco"}
    if isinstance(evidence.model, SequenceModel) and hasattr(evidence.model, "filters"):
        served.add("filters")
    if evidence.attention_maps:
        served |= {"attention", "attention-stretched", "attention-saliency"}
    return served


def _batches(sequences: Floats) -> list[Floats]:
    return [sequences[s : s + BATCH_SIZE] for s in range(0, len(sequences), BATCH_SIZE)]


def _strongest(model: nn.Module, sequences: Floats) -> tuple[Floats, Ints, ReceptiveField]:
    """Give the largest activation (N, F) of every filter, its unit, and what a unit sees."""
    assert isinstance(model, SequenceModel)
    values, units = [], []
    with evaluating(model), torch.inference_mode():
        for part in _batches(sequences):
            features = model.first_layer(as_input(model, part))
            largest = features.activations.max(dim=-1)
            values.append(largest.values.float().cpu().numpy())
            units.append(largest.indices.cpu().numpy())
    return np.concatenate(values), np.concatenate(units), features.field


def _seen(sequence: Ints, unit: Ints, units_field: ReceptiveField) -> Ints:
    """Give the bases that units see as windows (M, 3)."""
    start = units_field.first + units_field.stride * unit
    return np.stack([sequence, start, start + units_field.width], axis=1)


def windows_around_maximum(track: Floats) -> Ints:
    """Give the window around the maximum of each smoothed track (N, L); none of a flat zero."""
    padded = np.pad(track.astype(np.float64), ((0, 0), (SMOOTHING // 2, SMOOTHING // 2)))
    smooth = np.lib.stride_tricks.sliding_window_view(padded, SMOOTHING, axis=1).mean(axis=-1)
    centre = smooth.argmax(axis=1)
    sequence = np.flatnonzero(smooth.max(axis=1) > 0)
    centre = centre[sequence]
    return np.stack([sequence, centre - REACH, centre + REACH + 1], axis=1)
