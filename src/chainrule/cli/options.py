"""Command-line options made from the table of settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from chainrule.train.settings import Settings


def setting_options(names: list[str]) -> Callable[[Any], Any]:
    """A decorator that adds an option per setting, in this order."""

    def decorate(command: Any) -> Any:
        for name in reversed(names):
            command = _option(name, Settings.model_fields[name])(command)
        return command

    return decorate


def _option(name: str, about: FieldInfo) -> Any:
    kind = _kinds(about)
    flag = f"--{name.replace('_', '-').removesuffix('s') if dict in kind else name.replace('_', '-')}"
    choices = [choice for k in kind if get_origin(k) is Literal for choice in get_args(k)]
    default = "" if about.default in (None, [], {}, "") else f"  [default: {about.default}]"
    settings: dict[str, Any] = {"help": f"{about.description}{default}"}
    if choices:
        settings["type"] = click.Choice(choices)
    elif dict in kind:
        settings |= {"multiple": True, "metavar": "COLUMN=TYPE", "callback": _pairs}
    elif list in kind:
        settings |= {"metavar": "A,B,...", "callback": _listed}
    elif int in kind:
        settings |= {"type": int, "metavar": "N"}
    elif float in kind:
        settings |= {"type": float, "metavar": "X"}
    else:
        settings["metavar"] = {"validation": "FILE", "test": "FILE", "output": "DIR"}.get(
            name, name.upper()
        )
    return click.option(flag, name, **settings)


def _kinds(about: FieldInfo) -> list[Any]:
    """The plain types that a setting may have."""
    annotation = about.annotation
    parts = get_args(annotation) if get_origin(annotation) not in (Literal, list, dict) else ()
    return [
        get_origin(part) if get_origin(part) in (list, dict) else part
        for part in (parts or (annotation,))
    ]


def _listed(_: Any, __: Any, text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def _pairs(_: Any, __: Any, texts: tuple[str, ...]) -> dict[str, str] | None:
    if not texts:
        return None
    pairs = [text.partition("=") for text in texts]
    for (name, sign, kind), text in zip(pairs, texts, strict=True):
        if not (name and sign and kind):
            raise click.BadParameter(f"{text!r} is not of the form COLUMN=TYPE")
    return {name: kind for name, _, kind in pairs}
