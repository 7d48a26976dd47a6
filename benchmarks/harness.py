"""Timing contenders fairly: a process each, rounds in turns, medians.

In one process the contenders' thread pools would disturb each other. A contender is a function,
named "module:function", that gives a callable: what is timed.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module, metadata
from typing import Any

ROUNDS = 15


class Contender:
    """A process that times its function whenever it is asked to."""

    def __init__(self, name: str, where: str, threads: int = 1) -> None:
        self.name = name
        self.seconds: list[float] = []
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
            environment.pop(variable, None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.harness", where],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def round(self, repeats: int) -> None:
        """Time one round; the seconds of a single repeat are kept."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{repeats}\n")
        self.process.stdin.flush()
        self.seconds.append(float(self.process.stdout.readline()))

    def close(self) -> None:
        """End the process."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait()

    @property
    def median(self) -> float:
        """The median of the rounds, the first (warm-up) left out, in seconds."""
        return statistics.median(self.seconds[1:])


def race(
    contenders: dict[str, str], repeats: int, rounds: int = ROUNDS, threads: int = 1
) -> dict[str, float]:
    """Median seconds of one repeat for each contender, measured in turns."""
    running = [Contender(name, where, threads) for name, where in contenders.items()]
    try:
        for _ in range(rounds + 1):
            for contender in running:
                contender.round(repeats)
        return {contender.name: contender.median for contender in running}
    finally:
        for contender in running:
            contender.close()


def in_turns(
    first: Callable[[], Any], second: Callable[[], Any], repeats: int, rounds: int = ROUNDS
) -> tuple[float, float]:
    """The median seconds of one call of each, measured in turns within this process."""
    pairs = [(_timed(first, repeats), _timed(second, repeats)) for _ in range(rounds + 1)]
    ones, others = zip(*pairs[1:], strict=True)
    return statistics.median(ones), statistics.median(others)


def _timed(function: Callable[[], Any], repeats: int) -> float:
    began = time.perf_counter()
    for _ in range(repeats):
        function()
    return (time.perf_counter() - began) / repeats


def machine() -> str:
    """The processor, the cores and the versions that the numbers belong to."""
    name = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as lines:
            names = [
                line.partition(":")[2].strip() for line in lines if line.startswith("model name")
            ]
        name = names[0] if names else name
    packages = [f"{p} {metadata.version(p)}" for p in ("numpy", "torch", "jax") if _has(p)]
    return (
        f"{name}, {os.cpu_count()} cores; Python {platform.python_version()}, {', '.join(packages)}"
    )


def _has(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def _serve(where: str) -> None:
    module, _, name = where.partition(":")
    function = getattr(import_module(module), name)()
    for line in sys.stdin:
        print(repr(_timed(function, int(line))), flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1])
