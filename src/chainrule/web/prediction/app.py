"""The prediction service as an ASGI application."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from chainrule.errors import ChainruleError
from chainrule.model import Model
from chainrule.web.guard import Guard
from chainrule.web.prediction.answers import answer_rows
from chainrule.web.prediction.batching import Batcher, BusyError
from chainrule.web.prediction.describe import CSV, JSON, TEXT, openapi, schema
from chainrule.web.prediction.limits import Limits
from chainrule.web.prediction.metrics import Metrics
from chainrule.web.prediction.rows import RequestError, Row, rows_of
from chainrule.web.prediction.texts import answer_csv

PAGE = {"/": ("page.html", "text/html"), "/page.js": ("page.js", "text/javascript")}
"""The form: it holds nothing of the model, and asks for it with the token that it is given."""

OPEN = (*PAGE, "/health")
"""What needs no token."""

Handler = Callable[[Request], Awaitable[Response]]


class Service:
    """Answers requests with the predictions of one model."""

    def __init__(self, model: Model, limits: Limits, token: bool) -> None:
        self._model, self._limits, self.metrics = model, limits, Metrics()
        self._described = {
            "/schema": schema(model),
            "/openapi.json": openapi(model, limits, token),
        }
        self._rows = Batcher(self._answered, len, waiting=limits.waiting)
        self._texts = Batcher(self._answered_text, len, most=0, waiting=8 * limits.body)

    def routes(self) -> list[Route]:
        """Each path with what answers there."""
        described = [Route(path, self._timed(self._describe)) for path in self._described]
        pages = [Route(path, self._timed(_page)) for path in PAGE]
        return [
            *pages,
            *described,
            Route("/predict", self._timed(self._predict), methods=["POST"]),
            Route("/health", self._timed(self._health)),
            Route("/metrics", self._timed(self._count)),
        ]

    async def _predict(self, request: Request) -> Response:
        """The rows of the body predicted, answered as they were asked."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in (JSON, CSV):
            raise RequestError(f"the body must be {JSON} or {CSV}", status=415)
        body = await self._body(request)
        async with asyncio.timeout(self._limits.seconds):
            if kind == CSV:
                return Response(await self._texts.ask(body), media_type=CSV)
            rows = rows_of(body, self._model.preparation.inputs, self._limits.rows)
            return Response(_written(await self._rows.ask(rows)), media_type=JSON)

    async def _body(self, request: Request) -> bytes:
        """The body, if it is not too large and comes in time."""
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._limits.seconds):
                async for part in request.stream():
                    size += len(part)
                    if size > self._limits.body:
                        most = f"at most {self._limits.body:,} bytes"
                        raise RequestError(f"the body is too large: {most}", status=413)
                    parts.append(part)
        except TimeoutError:
            raise RequestError("the body did not arrive in time", status=408) from None
        return b"".join(parts)

    def _answered(self, requests: Sequence[list[Row]]) -> list[Row | Exception]:
        self.metrics.batch(sum(map(len, requests)))
        return answer_rows(self._model, requests)

    def _answered_text(self, requests: Sequence[bytes]) -> list[str | Exception]:
        """One at a time: texts have columns of their own."""
        (raw,) = requests
        text, rows = answer_csv(self._model, raw, self._limits.rows)
        self.metrics.batch(rows)
        return [text]

    async def _describe(self, request: Request) -> Response:
        return JSONResponse(self._described[request.url.path])

    async def _health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _count(self, request: Request) -> Response:
        return Response(self.metrics.text(), media_type=f"{TEXT}; version=0.0.4")

    def _timed(self, handler: Handler) -> Handler:
        """A handler whose errors are answered in JSON, and whose answers are counted."""

        async def timed(request: Request) -> Response:
            began = time.perf_counter()
            try:
                response = await handler(request)
            except Exception as problem:
                response = refused(problem)
            taken = time.perf_counter() - began
            self.metrics.request(request.url.path, response.status_code, taken)
            return response

        return timed


def application(
    model: Model, limits: Limits | None = None, token: str | None = None, local: bool = True
) -> ASGIApp:
    """The service of one model. `token`: what requests must bring; `local`: only from here."""
    service = Service(model, limits or Limits(), token is not None)
    app = Starlette(routes=service.routes(), exception_handlers={HTTPException: _http_error})
    return Guard(app, token, OPEN, local)


def refused(problem: Exception) -> Response:
    """An error as an answer: what is wrong with the request, or that something went wrong here."""
    if isinstance(problem, RequestError):
        details = [wrong.as_json() for wrong in problem.wrong]
        return _error(problem.what, problem.status, details)
    if isinstance(problem, ChainruleError):
        return _error(problem.one_line(), 422)
    if isinstance(problem, TimeoutError | BusyError):
        return _error("the service is busy; try again later", 503)
    if isinstance(problem, ClientDisconnect):
        return _error("the connection was closed", 400)
    raise problem


def _error(what: str, status: int, details: Sequence[Row] = ()) -> Response:
    body: dict[str, Any] = {"error": what} | ({"details": list(details)} if details else {})
    headers = {"Retry-After": "1"} if status == 503 else None
    return JSONResponse(body, status, headers)


async def _http_error(request: Request, problem: Exception) -> Response:
    """Unknown paths and methods."""
    assert isinstance(problem, HTTPException)
    return JSONResponse({"error": problem.detail}, problem.status_code, problem.headers)


async def _page(request: Request) -> Response:
    name, kind = PAGE[request.url.path]
    return Response(files("chainrule.web.prediction").joinpath(name).read_bytes(), media_type=kind)


def _written(answer: Row) -> str:
    return json.dumps(answer, ensure_ascii=False, allow_nan=False)
