"""`chainrule tune`: a search for settings, and the run of the best."""

from __future__ import annotations

from typing import Any

import click

from chainrule.cli.options import quiet_option, setting_options
from chainrule.cli.text import note, number, out
from chainrule.cli.train import advise, told
from chainrule.data import source_name
from chainrule.errors import SettingError
from chainrule.train import gather
from chainrule.tune import space_of, tune


@click.command("tune")
@click.argument("data")
@setting_options
@click.option("--config", metavar="FILE", help="A TOML file of settings; flags go over it.")
@click.option("--trials", type=click.IntRange(1), default=30, help="How many settings to try.")
@click.option("--jobs", type=click.IntRange(1), default=1, help="Processes that work at a time.")
@click.option("--study", metavar="DIR", help="The folder of the search; it goes on if it is there.")
@click.option(
    "--search", multiple=True, metavar="NAME=SPACE",
    help="Search a setting otherwise: lr=0.001..0.1, activation=relu|gelu, or one value.",
)  # fmt: skip
@quiet_option
def command(
    data: str,
    config: str | None,
    trials: int,
    jobs: int,
    study: str | None,
    search: tuple[str, ...],
    quiet: bool,
    **flags: Any,
) -> None:
    """Search settings for DATA with many trainings, and train with the best.

    Interrupted or done, the same command goes on, with more --trials too.
    """
    settings = gather({"data": data, **flags}, config)
    folder = study or f"studies/{source_name(data)}"
    space = space_of(dict(map(_pair, search)))
    if not quiet:
        note("Searched: " + ", ".join(f"{name} {part}" for name, part in space.items()))
        note(f"Trials are kept in {folder}")

    def tell(trial: int, loss: float | None, values: dict[str, Any]) -> None:
        if not quiet:
            result = "ended early" if loss is None else f"validation loss {number(loss)}"
            note(
                f"{trial:>4}  {result}  {', '.join(f'{k} {_short(v)}' for k, v in values.items())}"
            )

    trained = tune(settings, trials, folder, space=space, jobs=jobs, told=tell)
    out(told(trained))
    out(f"\nThe run is in {trained.run.path}")
    advise(trained, quiet)


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _pair(text: str) -> tuple[str, str]:
    name, equals, space = text.partition("=")
    if not equals:
        raise SettingError(f"--search cannot be {text!r}", expected="NAME=SPACE")
    return name, space
