"""Timing contenders fairly: a process each, rounds in turns, medians.

In one process the contenders' thread pools would disturb each other. Before each timed round stands
one that is not timed: after a rest everybody's first is slower. A contender is a function, named
"module:function argument ...", that gives a callable: what is timed. Where the callable has a
`note`, that is called after each round, and says how it ran. Beside the time stands the memory that
the process needed at most, its libraries included.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Any

ROUNDS = 15
WARM_UP = 3  # rounds that do not count: others are still being made, and what adapts has not yet
REST = 0.05  # seconds between rounds: OpenBLAS's idle threads spin for half of that


class FailedError(Exception):
    """A contender could not do what was asked; the message says why in a line."""


class Contender:
    """A process that times its function whenever it is asked to."""

    def __init__(
        self, where: str, threads: int = 1, changes: Mapping[str, Any] | None = None
    ) -> None:
        self.seconds: list[float] = []
        self.peak = 0  # bytes
        self.notes: list[str] = []
        self.process = _python(
            ["-m", "benchmarks.harness", where], {"OMP_NUM_THREADS": threads, **(changes or {})}
        )

    def round(self, repeats: int) -> None:
        """Time one round; the seconds of a single repeat are kept. FailedError if it cannot."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{repeats}\n")
            self.process.stdin.flush()
        except BrokenPipeError:  # it has ended, and said why
            pass
        seconds, self.peak, note = _answer(self.process)
        self.seconds.append(seconds)
        self.notes.append(note)

    def forget(self) -> None:
        """The last round does not count."""
        self.seconds.pop()
        self.notes.pop()

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()

    @property
    def median(self) -> float:
        """The median of the rounds that count, in seconds."""
        return statistics.median(self.seconds[WARM_UP:])


@dataclass
class Found:
    """Of a race, by contender: median seconds of a repeat, peak bytes, why it failed, its notes."""

    seconds: dict[str, float]
    peaks: dict[str, int]
    failures: dict[str, str]
    notes: dict[str, list[str]]


def race(
    contenders: Mapping[str, str], repeats: int, rounds: int = ROUNDS, threads: int = 1
) -> dict[str, float]:
    """Median seconds of one repeat for each contender, measured in turns; they must not fail."""
    found = attempt(contenders, repeats, rounds, threads)
    if found.failures:
        raise FailedError("; ".join(f"{name}: {why}" for name, why in found.failures.items()))
    return found.seconds


def attempt(
    contenders: Mapping[str, str],
    repeats: int,
    rounds: int = ROUNDS,
    threads: int = 1,
    before_round: Callable[[], Any] = lambda: None,
) -> Found:
    """As `race`; where a contender fails, the others go on without it."""
    running = {name: Contender(where, threads) for name, where in contenders.items()}
    failures: dict[str, str] = {}
    try:
        for _ in range(WARM_UP + rounds):
            time.sleep(REST)
            before_round()
            for name, contender in running.items():
                if name not in failures:
                    time.sleep(REST)
                    try:
                        contender.round(repeats)
                        contender.forget()  # after the rest the clock is low and caches are cold
                        contender.round(repeats)
                    except FailedError as failure:
                        failures[name] = str(failure)
        ended = {name: c for name, c in running.items() if name not in failures}
        return Found(
            {name: c.median for name, c in ended.items()},
            {name: c.peak for name, c in ended.items()},
            failures,
            {name: c.notes[WARM_UP:] for name, c in ended.items()},
        )
    finally:
        for contender in running.values():
            contender.close()


def once(where: str, changes: Mapping[str, Any] | None = None) -> float:
    """The seconds of a single call in a fresh process, whose environment is changed so."""
    contender = Contender(where, changes=changes)
    try:
        contender.round(1)
        return contender.seconds[0]
    finally:
        contender.close()


def in_turns(
    first: Callable[[], Any], second: Callable[[], Any], repeats: int, rounds: int = ROUNDS
) -> tuple[float, float]:
    """The median seconds of one call of each, measured in turns within this process."""
    pairs = [(_timed(first, repeats), _timed(second, repeats)) for _ in range(rounds + 1)]
    ones, others = zip(*pairs[1:], strict=True)
    return statistics.median(ones), statistics.median(others)


def whole_processes(
    contenders: Mapping[str, list[str]],
    rounds: int,
    changes: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[dict[str, float], dict[str, str]]:
    """The median seconds of Python processes with these arguments, run in turns; and failures.

    `changes` to the environment are by contender. "{round}" in an argument is replaced by its
    number. The first round, which leaves compiled bytecode behind as an installation does, does
    not count.
    """
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    failures: dict[str, str] = {}
    for number in range(rounds + 1):
        for name, arguments in contenders.items():
            filled = [argument.replace("{round}", str(number)) for argument in arguments]
            began = time.perf_counter()
            process = _python(filled, (changes or {}).get(name, {}))
            _, complaint = process.communicate()
            taken[name].append(time.perf_counter() - began)
            if process.returncode:
                failures[name] = _last_line(complaint)
    medians = {name: statistics.median(seconds[1:]) for name, seconds in taken.items()}
    return {name: m for name, m in medians.items() if name not in failures}, failures


def machine() -> str:
    """The processor, the cores and the versions that the numbers belong to."""
    name = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as lines:
            names = [
                line.partition(":")[2].strip() for line in lines if line.startswith("model name")
            ]
        name = names[0] if names else name
    wanted = ("numpy", "llvmlite", "torch", "jax", "optax", "scikit-learn")
    packages = [f"{p} {metadata.version(p)}" for p in wanted if _has(p)]
    return (
        f"{name}, {os.cpu_count()} cores; Python {platform.python_version()}, {', '.join(packages)}"
    )


def _has(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def _timed(function: Callable[[], Any], repeats: int) -> float:
    began = time.perf_counter()
    for _ in range(repeats):
        function()
    return (time.perf_counter() - began) / repeats


def _python(arguments: list[str], changes: Mapping[str, Any]) -> subprocess.Popen[str]:
    """A Python process in which nothing is chosen for a peer: not the kernels of NumPy's BLAS."""
    undone = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PYTHONDONTWRITEBYTECODE")
    environment = {k: v for k, v in os.environ.items() if k not in undone}
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment | {name: str(value) for name, value in changes.items()},
    )


def _answer(process: subprocess.Popen[str]) -> tuple[float, int, str]:
    assert process.stdout is not None
    answer = process.stdout.readline()
    seconds, peak, note = [*answer.strip().split(" ", 2), "", ""][:3]
    try:
        return float(seconds), int(peak), note
    except ValueError:
        pass
    _, complaint = process.communicate()
    raise FailedError(answer.strip() or _last_line(complaint) or f"it ended: {process.returncode}")


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def peak_memory() -> int:
    """The bytes of memory that this process had at most (peak RSS); 0 where Linux does not say."""
    if not os.path.exists("/proc/self/status"):
        return 0
    with open("/proc/self/status") as lines:  # getrusage would count what started this process
        found = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return 1024 * int(found[0]) if found else 0


def _serve(where: str) -> None:
    name, *arguments = where.split()
    module, _, function = name.partition(":")
    try:
        timed = getattr(import_module(module), function)(*arguments)
        note = getattr(timed, "note", lambda: "")
        for line in sys.stdin:
            print(repr(_timed(timed, int(line))), peak_memory(), note(), flush=True)
    except Exception as failure:  # the process that asked says so, and goes on with the others
        print(f"{type(failure).__name__}: {str(failure).partition(chr(10))[0]}", flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1])
