"""The local page as an ASGI application: its files, the runs as JSON, what happens as events."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from sse_starlette.sse import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from chainrule.errors import ArtefactError, ChainruleError
from chainrule.explain.pictures.drawing import style
from chainrule.explain.plain import plain
from chainrule.train.replay import chosen_settings
from chainrule.train.report.document import stylesheet
from chainrule.train.settings import checked
from chainrule.web.guard import Guard
from chainrule.web.page.live import happenings
from chainrule.web.page.playground import ALLOWED, watched
from chainrule.web.page.shelf import Shelf

TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
STATIC = (
    *("page.html", "page.css", "main.js", "dom.js", "words.js"),
    *("runs.js", "run.js", "step.js", "node.js", "play.js"),
)
"""The files of the page; no others are given away."""


class Page:
    """Answers what the page asks."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def routes(self) -> list[Route]:
        """Each path with what answers there."""
        told: dict[str, Callable[[Request], Any]] = {
            "/api/runs": lambda _: self.shelf.listed(),
            "/api/runs/{name}": lambda r: self.shelf.facts(_name(r)),
            "/api/runs/{name}/pictures": lambda r: self.shelf.pictures(_name(r)),
            "/api/runs/{name}/seen": lambda r: self.shelf.seen(_name(r)),
            "/api/runs/{name}/steps/{step:int}": self.step,
            "/api/runs/{name}/diagnosis": lambda r: self.shelf.diagnosis(_name(r)),
            "/api/compare": lambda r: self.shelf.compared(r.query_params.getlist("run")),
        }
        return [
            Route("/", _file("page.html")),
            Route("/style.css", _style),
            *(Route(f"/{name}", _file(name)) for name in STATIC),
            *(Route(path, _told(answer)) for path, answer in told.items()),
            Route("/api/runs/{name}/events", self.events),
            Route("/api/play", self.play),
        ]

    def step(self, request: Request) -> dict[str, Any]:
        """A step opened; `line` and `layer` as for `chainrule explain`."""
        line, layer = request.query_params.get("line"), request.query_params.get("layer", "")
        chosen = int(line) if line and line.isdecimal() else None
        return self.shelf.step(_name(request), request.path_params["step"], chosen, layer)

    async def events(self, request: Request) -> Response:
        """What happens to a run, from its beginning on."""
        return EventSourceResponse(happenings(self.shelf.run(_name(request))))

    async def play(self, request: Request) -> Response:
        """A training on two columns, of spirals or of a run's data."""
        asked = dict(request.query_params)
        return EventSourceResponse(watched(self._settings(asked)))

    def _settings(self, asked: dict[str, str]) -> dict[str, Any]:
        """The settings of a training in the playground; SettingError where they cannot be."""
        values: dict[str, Any] = {name: asked[name] for name in ALLOWED if asked.get(name)}
        if "layers" in values:
            values["layers"] = [part for part in values["layers"].split(",") if part.strip()]
        values |= {"data": "spirals", "schedule": "constant"}
        if name := asked.get("run"):
            run = self.shelf.run(name)
            kept = chosen_settings(run.path).model_dump(include={"data", "target", "types", "task"})
            inputs = {asked.get("x", ""), asked.get("y", "")}
            columns = [c.name for c in run.columns() if c.use != "the target"]
            values |= kept | {"drop": [name for name in columns if name not in inputs]}
        checked(values)
        return values


def application(runs: str | Path) -> ASGIApp:
    """The page of the runs in a folder; it answers only to this machine and its own pages."""
    page = Page(Shelf(Path(runs)))
    app = Starlette(routes=page.routes(), exception_handlers={ChainruleError: _refused})
    return Guard(app, None, (), local=True)


def _told(answer: Callable[[Request], Any]) -> Callable[[Request], Response]:
    """A handler of what is answered as JSON; it runs in a thread, so that others are not kept."""

    def told(request: Request) -> Response:
        text = json.dumps(plain(answer(request)), ensure_ascii=False, allow_nan=False)
        return Response(text, media_type="application/json")

    return told


def _name(request: Request) -> str:
    name: str = request.path_params["name"]
    return name


def _file(name: str) -> Callable[[Request], Response]:
    content = files("chainrule.web.page").joinpath("static", name).read_bytes()
    kind = TYPES[Path(name).suffix]
    return lambda _: Response(content, media_type=kind)


def _style(_: Request) -> Response:
    return Response(style() + stylesheet(), media_type="text/css")


def _refused(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, ChainruleError)
    status = 404 if isinstance(problem, ArtefactError) else 422
    return JSONResponse({"error": problem.one_line()}, status)
