"""How far explanations can be trusted: checks that can fail, and a verdict."""

from motiflens.evidence.checks import trust_checks
from motiflens.evidence.results import MethodEvidence, Trust
from motiflens.evidence.tracks import true_bases
from motiflens.evidence.verdict import judge

__all__ = ["MethodEvidence", "Trust", "judge", "true_bases", "trust_checks"]
