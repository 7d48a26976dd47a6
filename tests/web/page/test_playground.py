"""The playground: it learns what it is given, and ends when nobody looks."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import numpy as np
import pytest

from chainrule.web.page import playground
from chainrule.web.page.playground import play, watched


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_it_learns_the_spirals(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playground, "EPOCHS", 60)
    play({"data": "spirals", "layers": [16], "lr": 0.01, "schedule": "constant"})
    head, *frames = lines(capsys.readouterr().out)
    cells = [len(edges) - 1 for edges in head["edges"]]
    assert all(len(f["sure"]) == len(f["group"]) == cells[0] * cells[1] for f in frames)
    assert frames[-1]["validation_loss"] < 0.5 * frames[0]["validation_loss"]
    # What the last picture says where the rows are is what the rows are.
    x, y, group = map(np.array, head["rows"])
    column, row = (
        np.clip(np.searchsorted(edges, values) - 1, 0, len(edges) - 2)
        for edges, values in zip(head["edges"], (x, y), strict=True)
    )
    said = np.array(frames[-1]["group"]).reshape(cells[1], cells[0])[row, column]
    assert (said == group).mean() > 0.85


def test_an_error_is_the_last_frame() -> None:
    async def first() -> dict[str, Any]:
        async for event in watched({"data": "digits"}):
            found: dict[str, Any] = json.loads(event["data"])
            return found
        return {}

    assert "two columns" in asyncio.run(first())["error"]


def test_the_process_ends_with_its_audience(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[asyncio.subprocess.Process] = []
    start = asyncio.create_subprocess_exec

    async def kept(*args: Any, **options: Any) -> asyncio.subprocess.Process:
        made.append(await start(*args, **options))
        return made[-1]

    async def look_once() -> None:
        monkeypatch.setattr(asyncio, "create_subprocess_exec", kept)
        events = watched({"data": "spirals"})
        await anext(events)
        await events.aclose()  # type: ignore[attr-defined]

    asyncio.run(look_once())
    assert made[0].returncode is not None
