"""What holds of the arrays of every data set."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motiflens.errors import InputError
from motiflens.sequences import PAD, Codes, Lengths, Site, format_sites

_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")


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


def check_names(names: NDArray[np.str_]) -> None:
    """Raise an InputError for a name with a control character."""
    if _CONTROL_CHARACTER.search("".join(names.tolist())):
        name = next(n for n in names.tolist() if _CONTROL_CHARACTER.search(n))
        problem = f"the name {name!r} holds a control character"
        raise InputError(problem, remedy="rename the sequence")


def check_sites(sites: Sequence[Sequence[Site]], names: NDArray[np.str_], lengths: Lengths) -> None:
    """Raise an InputError for a site that is not inside its sequence."""
    for row, own in enumerate(sites):
        for site in own:
            if not 0 <= site.start < site.end <= lengths[row]:
                raise InputError(
                    f"the site {format_sites([site])} is not inside {names[row]}, which "
                    f"has {lengths[row]} bases",
                    remedy="correct the site; positions count from 0, the end is excluded",
                )
