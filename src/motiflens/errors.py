"""The one exception that a user's mistake raises."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """A user's mistake, told in one line: what happened, where, and what to do.

    ``hits.bed.gz already exists; use another name, or overwrite=True``. The command line prints
    the same line with its own options (``--overwrite``) and ends with exit code 2.

    Parameters
    ----------
    problem
        What happened, not the rule that it broke: "the label 'maybe' is neither 0 nor 1".
    where
        The place, with its preposition, or "": "in line 7 of labels.txt".
    remedy
        What the user can do, or "" where that is plain: "correct the line or delete it".
    argument
        The Python arguments that the text names as ``name=value`` or ``name``; the command line
        writes them as options.
    """

    def __init__(
        self,
        problem: str,
        where: str = "",
        remedy: str = "",
        argument: str | tuple[str, ...] = (),
    ) -> None:
        self.problem = problem
        self.where = where
        self.remedy = remedy
        self.arguments = (argument,) if isinstance(argument, str) else argument
        told = f"{problem} {where}"
        super().__init__(" ".join(f"{told.rstrip()}{'; ' if remedy else ''}{remedy}".split()))


def one_of(
    what: str, value: str, choices: Iterable[str], argument: str | tuple[str, ...] = ()
) -> None:
    """Raise :class:`InputError` unless a name is one of those that exist; offer the nearest.

    Parameters
    ----------
    what
        What the name is one of, with its article: "an architecture".
    value, choices
        The name given, and those that exist.
    argument
        See :class:`InputError`.
    """
    known = list(choices)
    if value in known:
        return
    near = difflib.get_close_matches(str(value).lower(), known, n=1)
    if near:
        remedy = f"did you mean {near[0]}?"
    elif known:
        remedy = f"use {'one of these: ' * (len(known) > 1)}{', '.join(known)}"
    else:
        remedy = "there is none"
    raise InputError(f"{value!r} is not {what}", remedy=remedy, argument=argument)
