"""A server for this machine, or for others: it binds, and stops without losing answers."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from chainrule.errors import SettingError
from chainrule.web.guard import is_loopback

GRACE = 10
"""Seconds that requests have to end when the server is told to stop."""

BACKLOG = 2048


def listening(host: str, port: int, token: str | None) -> socket.socket:
    """A socket bound to `host` and `port`, 0 for any free one.

    SettingError if that is not possible, or if others could reach it and there is no token.
    """
    if token is None and not is_loopback(host):
        raise SettingError(
            f"others can reach {host}, so requests must bring a token",
            hint="CHAINRULE_TOKEN=..., or --host 127.0.0.1 for this machine alone",
        )
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        bound = socket.create_server((host, port), family=family, backlog=BACKLOG)
        # Connections inherit it. Without, the kernel holds small answers back for 40 ms.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return bound
    except OSError as problem:
        what = f"cannot listen on {host}, port {port}: {problem.strerror or problem}"
        raise SettingError(what, hint="another --port; 0 takes any free one") from None


def address(bound: socket.socket) -> str:
    """Where browsers find it."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(app: ASGIApp, bound: socket.socket, ready: Callable[[], None]) -> None:
    """Answer until told to stop by Ctrl-C or SIGTERM; what was begun is answered first.

    `ready` is called when requests can come.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE,
        backlog=BACKLOG,
    )
    _Server(config, ready).run([bound])


class _Server(uvicorn.Server):
    """Says when it is ready; to be told to stop is no error of the process."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            yield
            self._captured_signals.clear()  # else they are raised again afterwards
