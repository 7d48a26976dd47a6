"""The group of commands, how they are found, and how errors leave the program."""

from __future__ import annotations

import os
import sys
import traceback
from importlib import import_module
from typing import Any

import click

from chainrule.errors import ChainruleError, nearest
from chainrule.version import __version__

# Command -> one line for the help. A command's module, of the same name, loads when it is called.
COMMANDS = {
    "demo": "Train on the built-in digits and show how it learned.",
    "train": "Train a network on a table.",
    "predict": "Predict rows with a trained model.",
    "evaluate": "Score a trained model on rows whose answer is known.",
    "explain": "Open a step of a training, or explain a prediction.",
    "diagnose": "Say what is wrong with a training or with data.",
    "serve": "Answer requests over HTTP with a trained model.",
    "inspect": "Show what a table, a model or a run holds.",
    "tune": "Search the settings of a training, and train with the best.",
    "export": "Write a model as ONNX, as safetensors or as a PyTorch module.",
    "ui": "Show runs as a local page, live: curves, steps, a playground.",
    "runs": "List the trainings done here, or show one.",
}


class Commands(click.Group):
    """Commands whose modules load on use, so that the help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"chainrule.cli.{name}").command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args[0] not in COMMANDS:
            close = nearest(args[0], COMMANDS)
            advice = f"; did you mean {close!r}?" if close else ""
            raise click.UsageError(f"there is no command {args[0]!r}{advice}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="chainrule")
@click.option("--debug", is_flag=True, help="Show where an error comes from; also after a command.")
def cli(debug: bool) -> None:
    """Train neural networks on the machine you have, and see how they learn.

    \b
      chainrule demo                                 a first training, in seconds
      chainrule train houses.csv --target price      a network for your own table
      chainrule predict runs/houses-... new.csv      what it says about new rows
    """


def main() -> None:
    """The entry point: runs a command and turns every error into a line and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that knows no box drawing
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    debug = len(arguments) < len(sys.argv) - 1 or bool(os.environ.get("CHAINRULE_DEBUG"))
    sys.exit(run(arguments, debug))


def run(arguments: list[str], debug: bool = False) -> int:
    """Run a command; gives the exit code. Errors are told on stderr, with `debug` from where."""
    try:
        code = cli.main(arguments, prog_name="chainrule", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.ClickException as wrong:
        wrong.show()
        return 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return 130
    except Exception as problem:
        if debug:
            traceback.print_exc()
        return _told(problem)


def _told(problem: Exception) -> int:
    """Say what went wrong; gives the exit code."""
    from chainrule.cli.text import error_line

    if isinstance(problem, ChainruleError):
        click.echo(f"error: {error_line(problem)}", err=True)
        return problem.exit_code
    click.echo(f"unexpected error: {type(problem).__name__}: {problem}", err=True)
    click.echo("this is a defect of chainrule; --debug shows where it happened", err=True)
    return 1
