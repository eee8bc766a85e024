"""A grammar of motifs, made into labelled sequences whose true sites are known."""

from motiflens.simulation.grammar import Grammar, MotifUse, Spacing, tutorial_grammar
from motiflens.simulation.grammar_files import read_grammar
from motiflens.simulation.sampling import simulate

__all__ = [
    "Grammar",
    "MotifUse",
    "Spacing",
    "read_grammar",
    "simulate",
    "tutorial_grammar",
]
