"""The one exception that a user's mistake raises."""

from __future__ import annotations


class InputError(ValueError):
    """An input or a call breaks a rule that the user can keep.

    The command line prints it as one line, ``motiflens: <rule>; got <got>; <remedy>``,
    and ends with exit code 2.

    Parameters
    ----------
    rule
        What must hold, in words, with the expected value: "labels are 0 or 1".
    got
        What came instead, with its place: "'maybe' in line 7 of labels.txt".
    remedy
        What the user can do about it: "correct the line or drop the sequence".
    """

    def __init__(self, rule: str, *, got: str, remedy: str) -> None:
        self.rule = rule
        self.got = got
        self.remedy = remedy
        super().__init__(" ".join(f"{rule}; got {got}; {remedy}".split()))
