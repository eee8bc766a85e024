"""Motifs discovered from explanations and from sequences alone."""

from __future__ import annotations

import numpy as np

from motiflens.motifs import DiscoveredMotif, Seqlet


def test_a_motif_says_what_it_is():
    ppm = np.array([[0.9, 0.0, 0.1], [0.1, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.9]])
    seqlets = (Seqlet(0, 4, 7, "+", 2.5), Seqlet(1, 0, 3, "-", 1.5))
    motif = DiscoveredMotif("motif-1", ppm, ppm * 2, None, seqlets)
    assert (motif.width, motif.consensus, motif.n_seqlets) == (3, "AGT", 2)
    assert motif.seqlets[1].width == 3
    assert motif.as_motif().n_sites == 2
    assert motif.direction == "positive"
