"""The sub-command of the bench: serve."""

from __future__ import annotations

import json
import sys
import webbrowser
from pathlib import Path

from motiflens.cli.options import Json
from motiflens.errors import InputError
from motiflens.results import Results
from motiflens.settings import n_cores


def serve(
    run: Path,
    *others: Path,
    port: int = 8765,
    host: str = "127.0.0.1",
    threads: int | None = None,
    device: str = "cpu",
    browser: bool = True,
    as_json: Json = False,
) -> None:
    """Try out the models of runs in the browser: change a base and watch; until Ctrl-C.

    Parameters
    ----------
    run
        Run directory.
    others
        Further runs, to compare their models on one scale.
    port
        To listen on; 0 takes any that is free.
    host
        Address to listen on. With another than 127.0.0.1 others can reach it, who need the token.
    threads
        Requests computed at once; one for each core by default.
    device
        cpu, cuda or cuda:1; auto takes a GPU where there is one.
    browser
        Open the page in the browser.
    """
    for path in (run, *others):
        _ = Results(path).provenance  # before PyTorch is imported, which takes seconds
    if threads is not None and threads < 1:
        raise InputError(f"threads={threads} are none", remedy="give 1 or more", argument="threads")
    try:
        from motiflens.app.launch import serve as work
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("fastapi", "starlette", "uvicorn"):
            raise
        problem = f"the bench needs FastAPI and uvicorn, and there is no module {error.name}"
        raise InputError(problem, remedy="pip install 'motiflens[app]'") from error

    def started(address: str) -> None:
        print(f"serve: {address}", file=sys.stderr, flush=True)
        print("serve: stop it with Ctrl-C", file=sys.stderr, flush=True)
        if as_json:
            print(json.dumps({"address": address}), flush=True)
        if browser:
            webbrowser.open(address)

    work(
        (run, *others),
        host=host,
        port=port,
        threads=threads or n_cores(),
        device=device,
        started=started,
    )
    print("serve: stopped", file=sys.stderr)
