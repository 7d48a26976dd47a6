"""Runs the benchmarks named, with their options, or all of them."""

from __future__ import annotations

import inspect
import sys
from importlib import import_module

from benchmarks.harness import FailedError, machine

NAMES = (
    *("startup", "eager", "depth", "tables", "reading", "memory"),
    *("training", "compiling", "cold_start", "prediction", "serving", "page", "whole_job"),
    *("explaining", "estimators"),
)


def main() -> None:
    """`python -m benchmarks training --rounds 3 --only mlp`: options go to those that take any."""
    given = sys.argv[1:]
    named = [argument for argument in given if argument in NAMES]
    options = [argument for argument in given if argument not in NAMES]
    print(machine())
    for name in named or NAMES:
        print()
        run = import_module(f"benchmarks.{name}").main
        try:
            run(options) if inspect.signature(run).parameters else run()
        except FailedError as failure:  # the other benchmarks go on
            print(f"  {name} failed: {failure}")


main()
