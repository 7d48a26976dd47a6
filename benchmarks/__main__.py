"""Runs the benchmarks named, or all of them."""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.harness import machine

NAMES = ("startup", "eager", "depth", "native", "tables")


def main() -> None:
    print(machine())
    for name in sys.argv[1:] or NAMES:
        print()
        import_module(f"benchmarks.{name}").main()


main()
