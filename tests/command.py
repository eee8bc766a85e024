"""The command line as processes of their own, forked from one that has imported everything.

An import of PyTorch takes seconds, and hundreds of calls are tested: each is a process with a
folder, arguments, exit code and output of its own, but begins where the imports end. What the
imports themselves do is tested by calls of the interpreter.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

SERVER = """
import json, os, sys, traceback
import motiflens.cli.data, motiflens.cli.motif_files, motiflens.cli.runs, motiflens.cli.stages
import motiflens.discovery.sequences_alone, motiflens.stages
from motiflens.cli import main

def call(request):
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(request[name], os.O_WRONLY | os.O_CREAT), number)
    sys.stdin = open(os.devnull)
    sys.argv = ["motiflens", *request["arguments"]]
    try:
        main()
    except SystemExit as ended:
        return ended.code or 0
    except BaseException:
        traceback.print_exc()
        return 1

for line in sys.stdin:
    child = os.fork()
    if not child:
        code = call(json.loads(line))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


@cache
def _server() -> subprocess.Popen[str]:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def end() -> None:
        server.communicate()

    atexit.register(end)
    return server


def motiflens(
    *arguments: str | Path, cwd: Path | str | None = None
) -> subprocess.CompletedProcess[str]:
    """Call the command line; return its exit code and what it printed."""
    words = [*map(str, arguments)]
    if not hasattr(os, "fork"):
        command = [sys.executable, "-m", "motiflens", *words]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600)
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        request = {
            "arguments": words,
            "cwd": os.path.abspath(cwd or "."),
            "environment": dict(os.environ),
            "out": str(out),
            "err": str(err),
        }
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        return subprocess.CompletedProcess(words, code, out.read_text(), err.read_text())
