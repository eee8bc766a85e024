"""Motifs discovered in explanations, and in sequences alone."""

from motiflens.motifs.discovery.explained import discover

__all__ = ["discover"]
