"""What is going on in this thread: the recorder at work, and whether history is kept."""

from __future__ import annotations

from contextlib import ContextDecorator
from contextvars import ContextVar, Token
from typing import Any

RECORDER: ContextVar[Any] = ContextVar("recorder", default=None)  # a Recorder, or None
TRACKING: ContextVar[bool] = ContextVar("tracking", default=True)


class set_grad_enabled(ContextDecorator):  # noqa: N801 - PyTorch's name
    """Keep history inside, or not; a context manager and a decorator.

    >>> import chainrule as cr
    >>> w = cr.tensor(2.0, requires_grad=True)
    >>> with cr.set_grad_enabled(False):
    ...     (w * w).requires_grad
    False
    """

    def __init__(self, mode: bool) -> None:
        self.mode = mode
        self.tokens: list[Token[bool]] = []

    def _recreate_cm(self) -> set_grad_enabled:
        return set_grad_enabled(self.mode)  # one per call of a decorated function, in any thread

    def __enter__(self) -> None:
        self.tokens.append(TRACKING.set(self.mode))

    def __exit__(self, *_: Any) -> None:
        TRACKING.reset(self.tokens.pop())


class no_grad(set_grad_enabled):  # noqa: N801 - PyTorch's name
    """Nothing computed inside keeps a history; a context manager and a decorator."""

    def __init__(self) -> None:
        super().__init__(False)


class enable_grad(set_grad_enabled):  # noqa: N801 - PyTorch's name
    """Within no_grad, keep history again; a context manager and a decorator."""

    def __init__(self) -> None:
        super().__init__(True)


def is_grad_enabled() -> bool:
    """Whether what is computed now keeps a history."""
    return TRACKING.get()
