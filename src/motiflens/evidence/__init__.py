"""How far explanations can be trusted: checks that can fail, and a verdict."""

from motiflens.evidence.case import Controls
from motiflens.evidence.checks import trust_checks
from motiflens.evidence.tracks import true_bases

__all__ = ["Controls", "true_bases", "trust_checks"]
