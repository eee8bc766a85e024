"""Motifs discovered in explanations, and in sequences alone."""

from motiflens.motifs.discovery.explained import discover
from motiflens.motifs.discovery.plain import discover_in_sequences

__all__ = ["discover", "discover_in_sequences"]
