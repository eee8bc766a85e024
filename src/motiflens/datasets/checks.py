"""What holds of the arrays of every data set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motiflens.errors import InputError
from motiflens.sequences import PAD, Codes, Lengths


def check_codes(codes: Codes, lengths: Lengths) -> None:
    """Raise an InputError unless codes and lengths go together."""
    width = codes.shape[1]
    if len(codes) and (lengths.min() < 1 or lengths.max() > width):
        problem = f"a length of {lengths.min()} or {lengths.max()} in codes of {width} columns"
    elif codes.size and codes.max() > PAD:
        problem = f"the code {codes.max()}"
    elif (codes < PAD)[np.arange(width) >= lengths[:, None]].any():
        problem = "a base beyond the end of a sequence"
    else:
        return
    raise InputError(f"there is {problem}", remedy="make the codes with motiflens.sequences.encode")


def check_values(what: str, values: NDArray[np.generic], allowed: Sequence[object]) -> None:
    """Raise an InputError for a value that is not allowed."""
    wrong = np.flatnonzero(~np.isin(values, np.array(allowed)))
    if wrong.size:
        raise InputError(
            f"the {what} {values[wrong[0]].item()!r} is not {' or '.join(map(str, allowed))}",
            f"for sequence {wrong[0] + 1}",
        )
