"""From a step function to a Program that runs: recording, guards, and what executes it."""

from chainrule.compiler.step import CompiledStep, compile

__all__ = ["CompiledStep", "compile"]
