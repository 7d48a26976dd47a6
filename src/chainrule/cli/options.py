"""Command-line options: those made from the table of settings, and those that commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from chainrule.train.settings import COLUMNS, READING, Settings, listed

_VALUES = {"types": "TYPE", "missing": "TEXT", "encode": "HOW"}  # of a setting per column
_METAVARS = {
    "target": "COLUMN,...",
    "group": "COLUMN",
    "split_column": "COLUMN",
    "weight": "COLUMN",
    "delimiter": "CHAR",
    "encoding": "NAME",
    "sheet": "NAME",
    "validation": "FILE",
    "test": "FILE",
    "layers": "N,N,...",
    "memory": "SIZE",
    "output": "DIR",
}


def setting_options(command: Any) -> Any:
    """A decorator that adds an option per setting; the data itself is an argument."""
    for name, about in reversed(Settings.model_fields.items()):
        if name != "data":
            command = _option(name, about)(command)
    return command


def reading_options(command: Any) -> Any:
    """Adds --names, --delimiter and the others that say how a table is read."""
    for name in reversed(READING):
        command = _option(name, Settings.model_fields[name])(command)
    return command


def column_options(command: Any) -> Any:
    """Adds --type, --drop, --missing and --strict, which say what to make of the columns."""
    for name in reversed(COLUMNS):
        command = _option(name, Settings.model_fields[name])(command)
    return command


def json_option(what: str) -> Callable[[Any], Any]:
    """A decorator that adds --json, as the argument `as_json`; `what` says what it prints."""
    return click.option("--json", "as_json", is_flag=True, help=what)


def quiet_option(command: Any) -> Any:
    """Adds -q, --quiet."""
    about = "No progress and no advice, only results and errors."
    return click.option("-q", "--quiet", is_flag=True, help=about)(command)


def _option(name: str, about: FieldInfo) -> Any:
    kinds = _kinds(about)
    flag = "--type" if name == "types" else f"--{name.replace('_', '-')}"
    default = "" if about.default in (None, [], {}, "") else f"  [default: {about.default}]"
    settings: dict[str, Any] = {"help": f"{about.description}{default}"}
    choices = [choice for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)]
    if choices and float in kinds:
        settings["metavar"] = "|".join(["X", *choices])
    elif choices:
        settings["type"] = click.Choice(choices)
    elif dict in kinds:
        metavar = f"COLUMN={_VALUES[name]}"
        settings |= {"multiple": True, "metavar": metavar, "callback": _pairs}
    elif list in kinds and str not in kinds:
        settings |= {"metavar": "A,B,...", "callback": _listed}
    elif bool in kinds:
        return click.option(f"{flag}/--no-{name}", name, default=None, **settings)
    elif int in kinds:
        settings |= {"type": int, "metavar": "N"}
    elif float in kinds:
        settings |= {"type": float, "metavar": "X"}
    if name in _METAVARS:
        settings["metavar"] = _METAVARS[name]
    return click.option(flag, name, **settings)


def _kinds(about: FieldInfo) -> list[Any]:
    """The plain types that a setting may have."""
    annotation = about.annotation
    whole = get_origin(annotation) in (Literal, list, dict)
    parts = (annotation,) if whole else get_args(annotation) or (annotation,)
    bare = [get_args(part)[0] if get_origin(part) is Annotated else part for part in parts]
    return [get_origin(part) if get_origin(part) in (list, dict) else part for part in bare]


def _listed(_: click.Context, __: click.Parameter, text: str | None) -> list[str] | None:
    return None if text is None else listed(text)


def _pairs(
    _: click.Context, wanted: click.Parameter, texts: tuple[str, ...]
) -> dict[str, str] | None:
    pairs: dict[str, str] = {}
    for text in texts:
        name, sign, kind = text.rpartition("=")
        if not (name and (kind or wanted.name == "missing")):
            raise click.BadParameter(f"{text!r} is not of the form {wanted.metavar}")
        more = name in pairs and wanted.name == "missing"
        pairs[name] = f"{pairs[name]}|{kind}" if more else kind
    return pairs or None
