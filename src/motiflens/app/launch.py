"""The bench started: a port taken, an example computed, the server run until it is stopped."""

from __future__ import annotations

import errno
import secrets
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import uvicorn

from motiflens.app.guard import Rules
from motiflens.app.page import bench_page, first_inside
from motiflens.app.served import Bench, open_bench
from motiflens.app.server import PATHS, build
from motiflens.app.views import view
from motiflens.app.wire import View, ViewRequest
from motiflens.errors import InputError

#: Models that are shown beside each other at most.
MOST_SHOWN = 4
#: Connections that are open at once at most.
CONNECTIONS = 200


def serve(
    runs: Sequence[Path],
    *,
    host: str,
    port: int,
    threads: int,
    device: str,
    started: Callable[[str], None],
) -> None:
    """Serve runs until the process is told to stop.

    Parameters
    ----------
    runs
        Run directories.
    host, port
        Where to listen; port 0 is any that is free.
    threads
        Requests that are computed at once.
    device
        Where to compute.
    started
        Told the address of the page, with its token, when the server takes requests.

    Raises
    ------
    InputError
        As :func:`motiflens.app.served.open_bench`, and where it cannot listen there.
    """
    listening = _listen(host, port)
    with listening:
        number = listening.getsockname()[1]
        bench = open_bench(runs, device)
        token = secrets.token_urlsafe(24)
        rules = Rules.of(token, number, PATHS, _names(host))
        page = bench_page(bench, first_views(bench), first_inside(bench))
        app = build(bench, page, rules, threads)
        shown = host if host not in ("0.0.0.0", "::") else "127.0.0.1"
        _run(app, listening, lambda: started(f"http://{_bracketed(shown)}:{number}/?token={token}"))


def first_views(bench: Bench) -> list[View]:
    """Look at the first example with the best model of each run.

    Of one run, also with the best that attends where that is another, or else with the next one.
    """
    models = [served.about for served in bench.models.values()]
    ids = list({model.run: model.id for model in reversed(models)}.values())[::-1]
    if len(ids) == 1:
        attending = sorted(
            models[1:], key=lambda model: not model.attends and not models[0].attends
        )
        ids += [model.id for model in attending[:1]]
    example = bench.offer.examples[0].sequence
    fitting = [id for id in ids if len(example) <= bench.models[id].about.max_length]
    return [view(bench, ViewRequest(id, example)) for id in fitting[:MOST_SHOWN]]


def _listen(host: str, port: int) -> socket.socket:
    """Take a port, or raise :class:`InputError`."""
    if not 0 <= port <= 65535:
        raise InputError(f"port={port} is no port", remedy="use 0 to 65535", argument="port")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            problem, remedy = f"port={port} is in use", "use another, or port=0 for any free one"
        elif error.errno in (errno.EACCES, errno.EPERM):
            problem, remedy = f"port={port} is not yours to use", "use one above 1023"
        else:
            problem = f"host={host} is no address of this machine"
            remedy = "leave it out to serve this machine alone"
        raise InputError(problem, remedy=remedy, argument=("host", "port")) from None


def _names(host: str) -> list[str]:
    """Return the names under which a server that others may reach is asked for."""
    if host in ("0.0.0.0", "::"):
        return [socket.gethostname(), socket.getfqdn()]
    return [_bracketed(host)]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _run(app: object, listening: socket.socket, started: Callable[[], None]) -> None:
    """Run the server until it is stopped; an interruption is the way to do so."""

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started()

    configuration = uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_level="error",
        access_log=False,
        server_header=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=3,
        ws="none",
    )
    with suppress(KeyboardInterrupt):
        Server(configuration).run([listening])
