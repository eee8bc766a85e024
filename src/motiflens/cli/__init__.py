"""The command line: one function = one sub-command = one Python call."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process.

    Exit code 0: done; 2: the input or the call is wrong, one line on stderr says how; 130:
    interrupted; 1: anything else.

    Parameters
    ----------
    arguments
        None for those of the process.
    """
    try:
        # Here, since an interruption may come while the application is still being imported.
        from motiflens.cli.app import call

        call(arguments)
    except KeyboardInterrupt:
        print("motiflens: interrupted; the same command goes on with a run", file=sys.stderr)
        sys.exit(130)
