"""Files of a user: sequences, genomes, loci, labels and negatives, read into data sets."""
