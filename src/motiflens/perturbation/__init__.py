"""Experiments in silico: what a trained model does with sequences made on purpose."""

from motiflens.perturbation.ablations import REPLACEMENTS, Ablation, ablate, ablation
from motiflens.perturbation.backgrounds import random_background, shuffled_background
from motiflens.perturbation.contrast import attention_contrast
from motiflens.perturbation.doses import Dose, dose
from motiflens.perturbation.effects import Effect
from motiflens.perturbation.inserting import substitute
from motiflens.perturbation.marginals import marginal_effect
from motiflens.perturbation.mismatches import MismatchProfile, mismatch_profile
from motiflens.perturbation.positions import Position, position
from motiflens.perturbation.shortcut import ShortcutTest, shortcut_test
from motiflens.perturbation.spacings import ORIENTATIONS, Spacing, spacing

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
