"""The group of commands, how they are found, and how errors leave the program."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

from chainrule.errors import ChainruleError
from chainrule.version import __version__

# Command -> (module, one line for the help): a command's module loads when it is called.
COMMANDS = {
    "demo": ("demo", "Train on the built-in digits and show how it learned."),
    "train": ("train", "Train a network on a table."),
    "predict": ("predict", "Predict rows with a trained model."),
    "evaluate": ("evaluate", "Score a trained model on rows whose answer is known."),
    "inspect": ("inspect", "Show what a table, a model or a run holds."),
    "runs": ("runs", "List the trainings done here, or show one."),
}


class Commands(click.Group):
    """Commands whose modules load on use, so that the help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = import_module(f"chainrule.cli.{COMMANDS[name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        from chainrule.errors import nearest

        name = args[0]
        if name not in COMMANDS:
            close = nearest(name, COMMANDS)
            raise click.UsageError(
                f"there is no command {name!r}" + (f"; did you mean {close!r}?" if close else ""), ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="chainrule")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected error.")
def cli(debug: bool) -> None:
    """Train neural networks on the machine you have, and see how they learn.

    \b
      chainrule demo                                 a first training, in seconds
      chainrule train houses.csv --target price      a network for your own table
      chainrule predict runs/houses-... new.csv      what it says about new rows
    """


def main() -> None:
    """The entry point: runs a command and turns every error into a line and an exit code."""
    debug = "--debug" in sys.argv or bool(os.environ.get("CHAINRULE_DEBUG"))
    try:
        code = cli(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        _say("interrupted")
        sys.exit(130)
    except ChainruleError as wrong:
        if debug:
            raise
        _say(f"error: {wrong.one_line()}")
        sys.exit(wrong.exit_code)
    except BrokenPipeError:  # the reader of our output left: `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as unexpected:
        if debug:
            raise
        _say(f"unexpected error: {type(unexpected).__name__}: {unexpected}")
        _say("this is a defect of chainrule; --debug shows where it happened")
        sys.exit(1)


def _say(text: str) -> None:
    click.echo(text, err=True)
