"""A grammar of motifs, made into labelled sequences whose true sites are known."""

from motiflens.simulation.grammar import (
    NEGATIVES,
    ORIENTATIONS,
    Grammar,
    MotifUse,
    Spacing,
    tutorial_grammar,
)
from motiflens.simulation.grammar_files import read_grammar
from motiflens.simulation.sampling import simulate

__all__ = [
    "NEGATIVES",
    "ORIENTATIONS",
    "Grammar",
    "MotifUse",
    "Spacing",
    "read_grammar",
    "simulate",
    "tutorial_grammar",
]
