"""Experiments in silico: what a trained model does with sequences made on purpose."""

from motiflens.experiments.ablations import REPLACEMENTS, Ablation, ablate, ablation
from motiflens.experiments.backgrounds import random_background, shuffled_background
from motiflens.experiments.contrast import attention_contrast
from motiflens.experiments.doses import Dose, dose
from motiflens.experiments.effects import Effect
from motiflens.experiments.inserting import substitute
from motiflens.experiments.marginals import marginal_effect
from motiflens.experiments.mismatches import MismatchProfile, mismatch_profile
from motiflens.experiments.positions import Position, position
from motiflens.experiments.shortcut import ShortcutTest, shortcut_test
from motiflens.experiments.spacings import ORIENTATIONS, Spacing, spacing

__all__ = [
    "ORIENTATIONS",
    "REPLACEMENTS",
    "Ablation",
    "Dose",
    "Effect",
    "MismatchProfile",
    "Position",
    "ShortcutTest",
    "Spacing",
    "ablate",
    "ablation",
    "attention_contrast",
    "dose",
    "marginal_effect",
    "mismatch_profile",
    "position",
    "random_background",
    "shortcut_test",
    "shuffled_background",
    "spacing",
    "substitute",
]
