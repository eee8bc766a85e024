"""What a trained model does with sequences made on purpose: motifs put in, sites taken out."""

from motiflens.perturbation.ablate import ablate_sites
from motiflens.perturbation.insert import (
    marginal_effect,
    mismatch_profile,
    random_background,
    shuffled_background,
    substitute,
)
from motiflens.perturbation.measure import ablate, marginalize, space
from motiflens.perturbation.shortcut import shortcut_test
from motiflens.perturbation.spacing import copy_number_effect, position_effect, spacing_effect

__all__ = [
    "ablate",
    "ablate_sites",
    "copy_number_effect",
    "marginal_effect",
    "marginalize",
    "mismatch_profile",
    "position_effect",
    "random_background",
    "shortcut_test",
    "shuffled_background",
    "space",
    "spacing_effect",
    "substitute",
]
