"""What a trained model does with sequences made on purpose: motifs put in, sites taken out."""

from motiflens.perturbation.ablate import REPLACEMENTS, Ablation, ablate_sites, shuffle_out
from motiflens.perturbation.effects import Effect
from motiflens.perturbation.insert import (
    MismatchProfile,
    marginal_effect,
    mismatch_profile,
    random_background,
    shuffled_background,
    substitute,
)
from motiflens.perturbation.measure import Perturbation, ablate, marginalize, space
from motiflens.perturbation.shortcut import ShortcutTest, shortcut_test
from motiflens.perturbation.spacing import (
    ORIENTATIONS,
    CopyNumber,
    PositionEffect,
    Spacing,
    copy_number_effect,
    position_effect,
    spacing_effect,
)

__all__ = [
    "ORIENTATIONS",
    "REPLACEMENTS",
    "Ablation",
    "CopyNumber",
    "Effect",
    "MismatchProfile",
    "Perturbation",
    "PositionEffect",
    "ShortcutTest",
    "Spacing",
    "ablate",
    "ablate_sites",
    "copy_number_effect",
    "marginal_effect",
    "marginalize",
    "mismatch_profile",
    "position_effect",
    "random_background",
    "shortcut_test",
    "shuffle_out",
    "shuffled_background",
    "space",
    "spacing_effect",
    "substitute",
]
