"""Who may ask: a token, the hosts that a local server answers to, and headers for browsers."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "::1")

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "script-src 'self'; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'",
}
"""Nothing is loaded from elsewhere, nothing is framed, nothing is kept."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server bound to `host`.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return host in LOOPBACK or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """An ASGI application before another: it lets through who may ask.

    With a `token`, requests need the header "Authorization: Bearer TOKEN", save those for the
    `open_paths`. A `local` server answers only to its local names, so that no page of the web can
    reach it under a name of its own (DNS rebinding), and not to what another page sends or embeds.
    """

    def __init__(
        self, app: ASGIApp, token: str | None, open_paths: Collection[str], local: bool
    ) -> None:
        self._app, self._open, self._local = app, open_paths, local
        self._wanted = None if token is None else f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        headers = Headers(scope=scope)
        if self._local and _name(headers.get("host", "")) not in LOOPBACK:
            return JSONResponse({"error": "this server answers only on its own machine"}, 403)
        if self._local and _from_elsewhere(headers):
            return JSONResponse({"error": "this server answers only to its own pages"}, 403)
        given = headers.get("authorization", "").encode()
        if self._wanted is None or scope["path"] in self._open:
            return None
        if hmac.compare_digest(given, self._wanted):
            return None
        what = {"error": "a token is needed: Authorization: Bearer TOKEN"}
        return JSONResponse(what, 401, {"WWW-Authenticate": "Bearer"})


def _from_elsewhere(headers: Headers) -> bool:
    """Whether a browser says that another page asks; a link that is followed is no such case."""
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != headers.get("host"):
        return True
    embedded = headers.get("sec-fetch-mode", "navigate") != "navigate"
    return embedded and headers.get("sec-fetch-site") in ("cross-site", "same-site")


def _name(host: str) -> str:
    """A Host header without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
