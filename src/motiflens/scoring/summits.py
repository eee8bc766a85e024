"""Where in its window the site of a peak lies.

All windows that hold the whole site score alike, so the best of them says where a site is to within
half a window only. What says it base by base is mutagenesis of that window: a substitution in the
site lowers the score, and one beside it changes nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from motiflens.attribution.mutagenesis import saturation_mutagenesis
from motiflens.progress import Advance
from motiflens.scoring.models import ModuleScorer
from motiflens.sequences import Codes, one_hot

#: Standard deviation in bases of the weights by which losses around a base are added up.
SPREAD = 4.0
#: Windows whose mutants are computed together.
AT_ONCE = 256


def summits_of(scorer: ModuleScorer, windows: Codes, advance: Advance) -> NDArray[np.int64]:
    """Return the base (N,) of each window around which substitutions lower the score most.

    Where none lowers it, that is the middle.

    Parameters
    ----------
    scorer
        Whose mean logit is the score.
    windows
        uint8 (N, L).
    advance
        Told how many are done.
    """
    summits = np.zeros(len(windows), dtype=np.int64)
    for first in range(0, len(windows), AT_ONCE):
        rows = slice(first, first + AT_ONCE)
        x = one_hot(windows[rows])
        effects = [saturation_mutagenesis(member, x) for member in scorer.members]
        # A base that is no loss to substitute is of no site, whatever it would be a gain to.
        loss = np.maximum(-np.mean(effects, axis=0, dtype=np.float64).sum(axis=1), 0)
        around = gaussian_filter1d(loss, SPREAD, axis=1, mode="constant")
        summits[rows] = np.where(loss.any(axis=1), around.argmax(axis=1), loss.shape[1] // 2)
        advance(len(x))
    return summits
