"""The application, and how errors leave it."""

from __future__ import annotations

import errno
import os
import re
import sys
import time
from collections.abc import Sequence

import cyclopts

from motiflens.cli import data, experiment, motif_files, stages
from motiflens.cli.progress import is_first_process
from motiflens.errors import InputError
from motiflens.version import __version__

#: Seconds that the other processes of torchrun leave to the first to say what is wrong.
WAIT_FOR_FIRST = 10.0

app = cyclopts.App(
    name="motiflens",
    help="Show what DNA sequence models look at, and how far to believe it.",
    version=__version__,
    version_flags=["--version"],
)
for command in (
    experiment.demo,
    experiment.run,
    data.simulate,
    data.prepare,
    data.audit,
    experiment.train,
    experiment.compare,
    stages.explain,
    stages.motifs,
    stages.experiments,
    stages.trust,
    stages.report,
    motif_files.hits,
    motif_files.logo,
):
    app.command(command)


def call(arguments: Sequence[str] | None = None) -> None:
    """Run a sub-command and end the process; see :func:`motiflens.cli.main`."""
    try:
        app(
            arguments,
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
    except InputError as error:
        _fail(str(error))
    except cyclopts.CycloptsError as error:
        _fail(_in_one_line(error))
    except BrokenPipeError:
        # Whoever read the output has gone; nobody is left to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        what = f"{error.strerror}: {error.filename}" if error.filename else str(error.strerror)
        message = f"files can be read and written; got {what}; check the path and the disk"
        print(f"motiflens: {message}", file=sys.stderr)
        sys.exit(2 if error.errno == errno.ENAMETOOLONG else 1)
    sys.exit(0)


def _fail(message: str) -> None:
    if not is_first_process():
        # All processes of torchrun meet the same mistake, and the first one's end ends them all.
        # Who is still there after a while has met a mistake of its own.
        time.sleep(WAIT_FOR_FIRST)
    print(f"motiflens: {message}", file=sys.stderr)
    sys.exit(2)


def _in_one_line(error: cyclopts.CycloptsError) -> str:
    """Put a mistake in the call into the form rule; got; remedy."""
    text = " ".join(str(error).split())
    problem, _, suggestion = text.partition(" Did you mean ")
    problem = problem.partition(" Available commands")[0]
    problem = re.sub(
        r'Command ".*" parameter (\S+) requires an argument', r"no value of \1", problem
    )
    chain = " ".join(["motiflens", *(error.command_chain or ())])
    remedy = f"did you mean {suggestion.split('?')[0]}?" if suggestion else f"see `{chain} --help`"
    # An InputError that a settings class raised while the call was read comes wrapped.
    inner = error.__cause__
    if isinstance(inner, InputError):
        return str(inner)
    return f"a call is as `{chain} --help` says; got {problem.rstrip('.')}; {remedy}"
