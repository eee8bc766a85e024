"""Motifs read from explanations: alignment of windows, routes, recovery of a known truth."""
