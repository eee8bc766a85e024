"""What stands before the bench: who may ask, what, how much and how often."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

import msgspec

from motiflens.app.page import refusal_page
from motiflens.app.wire import Refusal
from motiflens.report.translate import translate

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Names that this machine has for itself.
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
COOKIE = "motiflens"
NO_TOKEN = "the token is missing or not this one's; open the address that motiflens serve printed"
#: What the reader of a page can do about it.
OPEN_ADDRESS = (
    "It stands in the terminal in which motiflens serve runs. Copy it whole, up to the last letter "
    "behind token=.",
    "Each start has a token of its own: a bookmark or an address of an earlier start does not open "
    "this one.",
    "A program sends the token as a header, Authorization: Bearer TOKEN.",
)
#: Seconds in which a body has to be here.
PATIENCE = 10.0

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class Refused(Exception):
    """A request that is not carried out: an HTTP status, and why in one line."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why

    @property
    def body(self) -> bytes:
        """The reply."""
        return msgspec.json.encode(Refusal(self.why, translate(self.why)))

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Those of the reply; a refusal that passes says when to come again."""
        found = [(b"content-type", b"application/json"), *HEADERS]
        return [*found, (b"retry-after", b"1")] if self.status in (429, 503) else found


@dataclass
class Bucket:
    """Requests that are still free: `rate` a second, up to `burst` at once.

    Parameters
    ----------
    rate, burst
        Of all clients together, as they all come from this machine.
    clock
        Seconds.
    """

    rate: float = 60.0
    burst: float = 120.0
    clock: Callable[[], float] = time.monotonic
    left: float = field(init=False)
    at: float = field(init=False)

    def __post_init__(self) -> None:
        self.left, self.at = self.burst, self.clock()

    def take(self) -> bool:
        """Take one, or return that none is left."""
        now = self.clock()
        self.left = min(self.burst, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


@dataclass(frozen=True)
class Rules:
    """Who may ask, and what.

    Parameters
    ----------
    token
        That a request has to bring: as a cookie, as a header `Authorization: Bearer`, or in the
        address of the page.
    hosts
        Names of this server, with the port, that a request may be sent to.
    paths
        The paths that there are; no other reaches the application.
    max_body
        Bytes.
    bucket
        Limits how often.
    """

    token: str
    hosts: frozenset[str]
    paths: frozenset[str]
    max_body: int = 2 * 2**20
    bucket: Bucket = field(default_factory=Bucket)

    @staticmethod
    def of(token: str, port: int, paths: Iterable[str], names: Iterable[str] = ()) -> Rules:
        """Return the rules of a server on a port, known by further names beside loopback."""
        hosts = frozenset(f"{name.lower()}:{port}" for name in (*LOOPBACK, *names))
        return Rules(token, hosts, frozenset(paths))

    def check(self, scope: Scope) -> None:
        """Raise :class:`Refused` for a request that may not be carried out, whatever its body."""
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if headers.get(b"host", "").lower() not in self.hosts:
            raise Refused(403, "this name of the host is not allowed")
        origin = headers.get(b"origin")
        own = origin is None or origin.lower().removeprefix("http://") in self.hosts
        if not own or headers.get(b"sec-fetch-site", "none") not in ("none", "same-origin"):
            raise Refused(403, "requests from another page are not allowed")
        if scope["path"] not in self.paths:
            raise Refused(404, "there is nothing at this address")
        if not self._is_known(scope, headers):
            raise Refused(401, NO_TOKEN)
        if scope["method"] == "POST":
            kind = headers.get(b"content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise Refused(415, "the body has to be application/json")
            size = headers.get(b"content-length", "0")
            if not size.isdecimal() or int(size) > self.max_body:
                raise self._too_large()
        if not self.bucket.take():
            raise Refused(429, "too many requests; wait a second")

    def _is_known(self, scope: Scope, headers: dict[bytes, str]) -> bool:
        """Return whether a request brings the token."""
        brought = [headers.get(b"authorization", "").removeprefix("Bearer ")]
        try:
            cookies = SimpleCookie(headers.get(b"cookie", ""))
        except CookieError:
            cookies = SimpleCookie()
        brought += [one.value for name, one in cookies.items() if name == self.cookie_name(scope)]
        if scope["path"] == "/":
            brought += parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        known = self.token.encode()
        return any(secrets.compare_digest(one.encode(), known) for one in brought)

    @staticmethod
    def cookie_name(scope: Scope) -> str:
        """Return the name of the cookie; browsers do not tell the ports of a host apart."""
        return f"{COOKIE}-{(scope.get('server') or ('', 0))[1]}"

    def cookie(self, scope: Scope) -> str:
        """Return the cookie that a page gets."""
        return f"{self.cookie_name(scope)}={self.token}; Path=/; HttpOnly; SameSite=Strict"

    def _too_large(self) -> Refused:
        return Refused(413, f"the body is larger than {self.max_body:,} bytes")

    async def read(self, receive: Receive) -> bytes:
        """Return a body, or raise :class:`Refused` where it is too large or too slow."""
        body = bytearray()
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Refused(400, "the body ended early")
                    body += message.get("body", b"")
                    if len(body) > self.max_body:
                        raise self._too_large()
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            raise Refused(408, "the body did not come in time") from None


class Guard:
    """An application behind rules; replies get headers that keep browsers careful."""

    def __init__(self, app: App, rules: Rules) -> None:
        self.app, self.rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry a request out, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # the bench speaks nothing else
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            self.rules.check(scope)
            body = await self.rules.read(receive) if scope["method"] == "POST" else b""
        except Refused as refused:
            await _reply(scope, send, refused)
            return
        await self.app(scope, _replay(body, receive), self._with_headers(scope, send))

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        further = list(HEADERS)
        if scope["path"] == "/":
            further.append((b"set-cookie", self.rules.cookie(scope).encode()))

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *further]}
            await send(message)

        return sent


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the application a body that has been read."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _reply(scope: Scope, send: Send, refused: Refused) -> None:
    """Refuse a request: by a page where a browser opens one, else by one line of JSON."""
    headers, body = refused.headers, refused.body
    accepted = dict(scope["headers"]).get(b"accept", b"")
    if scope["method"] == "GET" and b"text/html" in accepted:
        page = refusal_page(refused.why, *(OPEN_ADDRESS if refused.status == 401 else ()))
        kind = (b"content-type", b"text/html; charset=utf-8")
        headers = [kind, (b"content-security-policy", page.policy.encode()), *headers[1:]]
        body = page.html.encode()
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
