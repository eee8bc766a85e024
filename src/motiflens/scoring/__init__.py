"""A trained model in use: it scores sequences, genomes and variants, in tiles."""
