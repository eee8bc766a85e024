"""Genomes that are read at random, and windows taken out of them."""

from motiflens.genomes.genome import Genome, open_genome
from motiflens.genomes.windows import Windows, extract

__all__ = ["Genome", "Windows", "extract", "open_genome"]
