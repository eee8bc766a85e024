"""How far explanations can be trusted: checks that can fail, and a verdict."""

from motiflens.evidence.checks import Controls, trust_checks
from motiflens.evidence.tracks import true_bases
from motiflens.evidence.verdict import judge
from motiflens.results.trust import MethodTrust, ModelTrust

__all__ = ["Controls", "MethodTrust", "ModelTrust", "judge", "true_bases", "trust_checks"]
