"""The API of the bench: its addresses, and what carries them out."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from motiflens.app.guard import HEADERS, Guard, Refused, Rules
from motiflens.app.insertions import insert, sweep
from motiflens.app.inside import look_inside
from motiflens.app.inside_wire import Inside, InsideRequest
from motiflens.app.page import Page, api_page
from motiflens.app.queue import Queue
from motiflens.app.served import Bench
from motiflens.app.views import view
from motiflens.app.wire import (
    Inserted,
    InsertRequest,
    Offer,
    Refusal,
    Sweep,
    SweepRequest,
    View,
    ViewRequest,
)
from motiflens.errors import InputError
from motiflens.version import __version__

Result = TypeVar("Result")
PATHS = (
    "/",
    "/api",
    "/openapi.json",
    "/api/models",
    "/api/view",
    "/api/insert",
    "/api/sweep",
    "/api/inside",
)
#: What a request may be refused for, for the page of the API.
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal, "description": why}
    for status, why in {
        401: "No token",
        403: "A foreign host or origin",
        413: "The body is too large",
        415: "The body is not application/json",
        422: "The request is wrong; one line says what, with the position in a sequence",
        429: "Too many requests",
        503: "Too much work at once",
    }.items()
}
DESCRIPTION = (
    "Everything that the page shows. Requests bring the token that `motiflens serve` prints: "
    "`Authorization: Bearer TOKEN`. Positions count from 0, ends are not in."
)


def build(bench: Bench, page: Page, rules: Rules, threads: int) -> Guard:
    """Return the bench as an ASGI application.

    Parameters
    ----------
    bench
        Its models.
    page
        What `/` shows.
    rules
        Who may ask, and what.
    threads
        Requests that are computed at once.
    """
    quick, long = Queue(threads), Queue(1, waiting=4)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        quick.close()
        long.close()

    # The pages of the documentation that FastAPI brings load their scripts from elsewhere.
    app = FastAPI(
        title="motiflens serve",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    _add_pages(app, bench, page)
    _add_api(app, bench, quick, long)
    _add_refusals(app)
    return Guard(app, rules)


def _add_pages(app: FastAPI, bench: Bench, page: Page) -> None:
    @app.get("/", include_in_schema=False)
    async def show() -> HTMLResponse:
        return HTMLResponse(page.html, headers={"content-security-policy": page.policy})

    @app.get("/api", include_in_schema=False)
    async def describe() -> HTMLResponse:
        made = api_page(app.openapi())
        return HTMLResponse(made.html, headers={"content-security-policy": made.policy})

    @app.get("/api/models", responses=REFUSALS)
    async def models() -> Offer:
        """List the models, motifs and example sequences."""
        return bench.offer


def _add_api(app: FastAPI, bench: Bench, quick: Queue, long: Queue) -> None:
    @app.post("/api/view", response_model=View, responses=REFUSALS)
    async def look(request: ViewRequest) -> Response:
        """Predict and explain a sequence."""
        return await _json(quick, partial(view, bench, request))

    @app.post("/api/insert", response_model=Inserted, responses=REFUSALS)
    async def put(request: InsertRequest) -> Response:
        """Put a motif, its reverse complement or a shuffle into a sequence."""
        return await _json(quick, partial(insert, request))

    @app.post("/api/sweep", response_model=Sweep, responses=REFUSALS)
    async def slide(request: SweepRequest) -> Response:
        """Put a motif at every position, and shuffles of it."""
        return await _json(long, partial(sweep, bench, request))

    @app.post("/api/inside", response_model=Inside, responses=REFUSALS)
    async def inside(request: InsideRequest) -> Response:
        """Show the numbers of every stage of a network, and one unit unfolded."""
        return await _json(quick, partial(look_inside, bench, request))


async def _json(queue: Queue, work: Callable[[], Result]) -> Response:
    # Encoded in the thread, and not checked once more, which takes longer than many a network.
    content = await queue.compute(lambda: msgspec.json.encode(work()))
    return Response(content, media_type="application/json")


def _add_refusals(app: FastAPI) -> None:
    """Make one line of everything that goes wrong; what it was is told on stderr, if anywhere."""

    def reply(refused: Refused) -> Response:
        headers = {
            name.decode(): value.decode() for name, value in refused.headers
            if (name, value) not in HEADERS
        }  # fmt: skip
        return Response(refused.body, refused.status, headers)

    @app.exception_handler(Refused)
    async def refuse(_: Request, refused: Refused) -> Response:
        return reply(refused)

    @app.exception_handler(InputError)
    async def is_wrong(_: Request, error: InputError) -> Response:
        return reply(Refused(422, str(error)))

    @app.exception_handler(RequestValidationError)
    async def is_malformed(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "body")[:80]
        return reply(Refused(422, f"the body is no request: {where or 'JSON'}: {first['msg']}"))

    @app.exception_handler(HTTPException)
    async def is_refused(_: Request, error: HTTPException) -> Response:
        return reply(Refused(error.status_code, str(error.detail)))

    @app.exception_handler(Exception)
    async def has_failed(_: Request, error: Exception) -> Response:
        logging.getLogger("uvicorn.error").error("a request failed: %r", error)
        return reply(Refused(500, "the server has failed; its terminal says why"))
