"""Models compared: seeds and training sizes, ensembles, kinds of negatives."""
