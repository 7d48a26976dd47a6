"""How long it takes before anything happens: importing, and the help of the command line."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time


def _seconds(arguments: list[str], rounds: int = 15) -> float:
    """The median time of a whole process, once its bytecode is there, as after an installation."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    taken = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, *arguments], check=True, capture_output=True, env=environment
        )
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[1:])


def main() -> None:
    """`import chainrule` within 60 ms of importing NumPy; `chainrule --help` within 0.3 s."""
    numpy_time = _seconds(["-c", "import numpy"])
    used = _seconds(["-c", "import chainrule; chainrule.Tensor"])
    print("Start-up, whole processes:")
    print(f"  import numpy           {numpy_time * 1e3:6.0f} ms")
    print(f"  import chainrule       {_seconds(['-c', 'import chainrule']) * 1e3:6.0f} ms")
    print(f"  and use its first name {used * 1e3:6.0f} ms, {(used - numpy_time) * 1e3:.0f} ms more")
    print(f"  chainrule --help       {_seconds(['-m', 'chainrule', '--help']) * 1e3:6.0f} ms")
