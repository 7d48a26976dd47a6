"""What happens to a run, told as it happens: server-sent events made from its event log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from chainrule.errors import ArtefactError
from chainrule.train import Run
from chainrule.train.keeping import LOSSES
from chainrule.train.run import EVENTS

PAUSE = 0.3
"""Seconds between two looks at the log."""


async def happenings(run: Run) -> AsyncIterator[dict[str, str]]:
    """An event whenever epochs were added, with the last one and how many
    steps can be opened; "over" when the run has ended."""
    read = epochs = 0
    while True:
        size = (run.path / EVENTS).stat().st_size
        if size > read:
            new, read = await asyncio.to_thread(_whole_lines, run, read)
            epochs += len(new)
            if new:
                told = {"epochs": epochs, "last": new[-1], "steps": _kept(run)}
                yield {"event": "epoch", "data": json.dumps(told)}
        try:
            state: str = run.summary().state
        except ArtefactError:
            state = "unreadable"
        if state != "running" and (run.path / EVENTS).stat().st_size == size:
            yield {"event": "over", "data": json.dumps({"state": state, "steps": _kept(run)})}
            return
        await asyncio.sleep(PAUSE)


def _kept(run: Run) -> int:
    """How many steps can be opened by now: their losses are written some time after the epochs."""
    path = run.path / LOSSES
    return path.stat().st_size // 8 if path.is_file() else 0


def _whole_lines(run: Run, start: int) -> tuple[list[dict[str, float]], int]:
    """The epochs in the log from a byte on, and where the next look begins."""
    with (run.path / EVENTS).open("rb") as file:
        file.seek(start)
        text = file.read()
    whole = text[: text.rfind(b"\n") + 1]
    found = []
    for line in whole.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found, start + len(whole)
