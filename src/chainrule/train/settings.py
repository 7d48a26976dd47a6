"""Every setting of a training as data: the command line, files and the run folder read this table."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chainrule.errors import SettingError, nearest

PREFIX = "CHAINRULE_"


class Settings(BaseModel):
    """What to train on, and how. None means: chosen from the task and the size of the data."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str = Field("", description="The table: a CSV file, or the name of a built-in one.")
    target: str = Field("", description="The column to predict: its header, or a position such as -1.")
    names: list[str] | None = Field(None, description="Column names, for a file without a header.")
    validation: str | None = Field(None, description="A file of validation rows.")
    test: str | None = Field(None, description="A file of test rows.")
    task: Literal["regression", "classification"] | None = Field(
        None, description="What is predicted: a number or a category."
    )
    types: dict[str, str] = Field(
        {}, description="A column's type, where the choice is wrong: COLUMN=numeric or category."
    )
    drop: list[str] = Field([], description="Columns that are no inputs.")
    layers: list[int] | None = Field(None, description="Widths of the hidden layers.")
    activation: Literal["relu", "gelu", "silu", "tanh"] = Field(
        "relu", description="What stands between the layers."
    )
    dropout: float | None = Field(None, ge=0, lt=1, description="Share of neurons left out a step.")
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop", "adagrad"] = Field(
        "adamw", description="How gradients become updates."
    )
    schedule: Literal["constant", "cosine", "one-cycle"] = Field(
        "one-cycle", description="How the learning rate changes over the training."
    )
    lr: float | None = Field(None, gt=0, description="The (highest) learning rate.")
    batch_size: int | None = Field(None, ge=1, description="Rows in a batch.")
    epochs: int | None = Field(None, ge=1, description="Passes over the training rows, at most.")
    weight_decay: float | None = Field(None, ge=0, description="Pull of the weights towards zero.")
    patience: int | None = Field(
        None, ge=1, description="Epochs without a better validation loss before stopping."
    )
    seed: int = Field(0, ge=0, description="Fixes split, initial weights, order and dropout.")
    output: str | None = Field(None, description="The folder of the run.")

    def to_toml(self) -> str:
        """The settings as a TOML file that runs the same training again."""
        return "".join(
            f"{name} = {_toml(value)}\n" for name, value in self if value not in (None, {}, [])
        )


def gather(
    flags: Mapping[str, Any],
    config: str | Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Settings from, each over the one before: defaults, a TOML file, CHAINRULE_* and flags.

    Raises SettingError for an unknown key, with the nearest known one, and for a value that is not
    allowed, with what is.
    """
    found: dict[str, Any] = {}
    if config is not None:
        found |= _known(_from_file(Path(config)), str(config))
    found |= _known(_from_environment(environment or os.environ), "the environment")
    found |= {name: value for name, value in flags.items() if value is not None}
    return checked(found)


def checked(values: Mapping[str, Any]) -> Settings:
    """The Settings of these values, or a SettingError that names the wrong one."""
    try:
        return Settings.model_validate(dict(values))
    except ValidationError as wrong:
        first = wrong.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        raise SettingError(
            f"{name.replace('_', '-')} cannot be {first['input']!r}",
            expected=first["msg"].removeprefix("Input should be "),
        ) from None


def _known(found: dict[str, Any], where: str) -> dict[str, Any]:
    tidy = {key.replace("-", "_"): value for key, value in found.items()}
    for key in tidy:
        if key not in Settings.model_fields:
            close = nearest(key, Settings.model_fields)
            raise SettingError(
                f"{where} has an unknown setting {key!r}",
                hint=f"did you mean {close!r}?" if close else ", ".join(Settings.model_fields),
            )
    return tidy


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise SettingError(f"there is no settings file {path}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise SettingError(f"{path} is not a TOML file: {wrong}") from None


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """CHAINRULE_BATCH_SIZE=64 and the like; lists are separated by commas."""
    found = {}
    for key, text in environment.items():
        if key.startswith(PREFIX) and key != f"{PREFIX}DEBUG":
            name = key.removeprefix(PREFIX).lower()
            found[name] = text.split(",") if name in {"names", "drop", "layers"} else text
    return found


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        items = (f"{_toml(str(key))} = {_toml(item)}" for key, item in value.items())
        return f"{{ {', '.join(items)} }}"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 32 else c for c in escaped) + '"'
    return repr(value)
