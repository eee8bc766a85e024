"""How far explanations can be trusted: checks that can fail, and a verdict."""

from motiflens.evidence.case import Controls
from motiflens.evidence.checks import trust_checks
from motiflens.evidence.rule_scores import score_rule
from motiflens.evidence.rules import MinimalPairs, Rule, find_rule, minimal_pairs
from motiflens.evidence.tracks import true_bases

__all__ = [
    "Controls",
    "MinimalPairs",
    "Rule",
    "find_rule",
    "minimal_pairs",
    "score_rule",
    "true_bases",
    "trust_checks",
]
