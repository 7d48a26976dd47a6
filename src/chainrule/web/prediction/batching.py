"""Requests that come together are answered together: many rows cost little more than one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class BusyError(Exception):
    """More rows are waiting than the service keeps."""


class Batcher(Generic[Asked, Answer]):
    """Answers requests in batches, one batch at a time, each in a thread of its own.

    Nobody waits for company: what arrived while one batch was answered is the next one.
    `answer(requests)` gives an answer, or an exception, for each; `size(request)` its rows, of
    which `most` make a batch, unless a single request has more, and `waiting` may wait.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Asked]], Sequence[Answer | Exception]],
        size: Callable[[Asked], int],
        most: int = 1024,
        waiting: int = 100_000,
    ) -> None:
        self._answer, self._size = answer, size
        self._most, self._room = most, waiting
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._running: asyncio.Task[None] | None = None

    async def ask(self, request: Asked) -> Answer:
        """The answer to a request; BusyError if too many are waiting."""
        rows = sum(self._size(waiting) for waiting, _ in self._waiting)
        if rows + self._size(request) > self._room:
            raise BusyError
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((request, future))
        running = self._running
        if running is None or running.done() or running.get_loop() is not loop:
            self._running = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        while self._waiting:
            batch = self._next()
            answers = await asyncio.to_thread(self._answered, [request for request, _ in batch])
            for (_, future), answer in zip(batch, answers, strict=True):
                if future.done():  # who asked did not wait for it
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)

    def _next(self) -> list[tuple[Asked, asyncio.Future[Answer]]]:
        """The requests of the next batch; those that nobody waits for any more are dropped."""
        self._waiting = [pair for pair in self._waiting if not pair[1].done()]
        rows = count = 0
        for request, _ in self._waiting:
            rows += self._size(request)
            if count and rows > self._most:
                break
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    def _answered(self, requests: Sequence[Asked]) -> Sequence[Answer | Exception]:
        try:
            return self._answer(requests)
        except Exception as problem:  # told to everyone who asked
            return [problem] * len(requests)
