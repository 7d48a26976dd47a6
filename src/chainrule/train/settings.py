"""Every setting of a training as data: command line, files and run folder read this table."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from chainrule.data import whole_source
from chainrule.data.room import as_bytes
from chainrule.errors import SettingError, nearest

PREFIX = "CHAINRULE_"
_NOT_SETTINGS = (
    "CACHE",
    "DEBUG",
    "THREADS",
    "TOKEN",
    "VECTOR_BYTES",
)  # how it runs, not what it makes

COLUMNS = ("types", "drop", "missing", "strict")
"""The settings that say what to make of the columns."""

READING = ("names", "delimiter", "encoding", "decimal", "header", "sheet")
"""The settings that say how a table is read."""

Width = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0)]

Network = Literal["convolutional", "fully-connected"]


class Settings(BaseModel):
    """What to train on, and how. None means: chosen from the task and the size of the data.

    >>> Settings(data="houses.csv", target="price", epochs=20).epochs
    20
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, coerce_numbers_to_str=True
    )

    data: str = Field(
        default="",
        description="The table: a file, folder, pattern, query, hf://OWNER/NAME, or built-in name.",
    )
    target: str | list[str] = Field(
        default="",
        description="The column to predict: its header, or a position such as -1; several, as A,B.",
    )
    names: list[str] | None = Field(
        default=None, description="Column names, for a file without a header."
    )
    delimiter: str | None = Field(
        default=None, description="What stands between cells: a character, or tab."
    )
    encoding: str | None = Field(
        default=None, description="The encoding of a text, such as latin-1."
    )
    decimal: Literal[".", ","] | None = Field(
        default=None, description="What stands before the decimals of a number."
    )
    header: bool | None = Field(
        default=None, description="Whether the first row names the columns."
    )
    sheet: str | None = Field(default=None, description="The sheet of a workbook.")
    validation: str | None = Field(default=None, description="A file of validation rows.")
    test: str | None = Field(default=None, description="A file of test rows.")
    task: Literal["regression", "classification", "multi-label"] | None = Field(
        default=None, description="What is predicted: a number, a category, or labels."
    )
    types: dict[str, str] = Field(
        default={},
        description="A column's type, where the choice is wrong: COLUMN=numeric or category, "
        "integer-category, boolean, text, id, date, date:%d.%m.%Y; of a target, also labels, "
        "labels:; (what separates them).",
    )
    drop: list[str] = Field(default=[], description="Columns that are no inputs.")
    encode: dict[str, str] = Field(
        default={},
        description="How a column becomes numbers, where the choice is wrong: COLUMN=standard, "
        "robust, log or quantile; one-hot, embedding or hash; bag or sequence (of words).",
    )
    bins: int | None = Field(
        default=None,
        ge=0,
        le=256,
        description="Quantile bins that each column of numbers is spread over; 0 for none.",
    )
    split: Literal["random", "group", "time", "column"] | None = Field(
        default=None, description="How rows are split into training, validation and test rows."
    )
    group: str | None = Field(
        default=None, description="A column: rows that are equal in it are in one part."
    )
    time: list[str] | None = Field(
        default=None, description="Columns that say when a row was: the latest rows judge."
    )
    split_column: str | None = Field(
        default=None, description="A column that says train, validation or test in each row."
    )
    weight: str | None = Field(
        default=None, description="A column that says how much each row counts in the loss."
    )
    class_weight: Literal["balanced"] | None = Field(
        default=None, description="balanced: all classes count the same in the loss."
    )
    missing: dict[str, str] = Field(
        default={}, description="Texts that mean missing in a column: COLUMN=999 or COLUMN=n.d.|x."
    )
    strict: bool = Field(
        default=False,
        description="Refuse a table in which something looks wrong; end with exit code 10 if "
        "something does in the training.",
    )
    network: Network | None = Field(default=None, description="What reads images and sounds first.")
    layers: list[Width] | None = Field(default=None, description="Widths of the hidden layers.")
    activation: Literal["relu", "gelu", "silu", "tanh"] = Field(
        default="relu", description="What stands between the layers."
    )
    dropout: float | None = Field(
        default=None, ge=0, lt=1, description="Share of neurons left out a step."
    )
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop", "adagrad"] = Field(
        default="adamw", description="How gradients become updates."
    )
    schedule: Literal["constant", "cosine", "one-cycle"] = Field(
        default="one-cycle", description="How the learning rate changes over the training."
    )
    lr: Rate | Literal["auto"] | None = Field(
        default=None, description="The (highest) learning rate; auto: found by trying rates."
    )
    batch_size: int | None = Field(default=None, ge=1, description="Rows in a batch.")
    epochs: int | None = Field(
        default=None, ge=1, description="Passes over the training rows, at most."
    )
    weight_decay: float | None = Field(
        default=None, ge=0, description="Pull of the weights towards zero."
    )
    patience: int | None = Field(
        default=None, ge=1, description="Epochs without a better validation loss before stopping."
    )
    seed: int = Field(
        default=0, ge=0, lt=2**63, description="Fixes split, initial weights, order and dropout."
    )
    track: list[Literal["tensorboard", "mlflow"]] = Field(
        default=[], description="Also tell other trackers: tensorboard, mlflow."
    )
    memory: Annotated[int, BeforeValidator(as_bytes)] | None = Field(
        default=None,
        description="About how much memory the data may take, such as 500MB; else half of what "
        "is free.",
    )
    backend: Literal["native", "interpret"] = Field(
        default="native",
        description="What runs the updates: machine code, where compiling pays, or NumPy.",
    )
    output: str | None = Field(default=None, description="The folder of the run.")

    def to_toml(self) -> str:
        """The settings as a TOML file that runs the same training again, in a folder of its own.

        Files are written with their whole path, so that it does not matter where it is run.
        """
        plain = self.model_copy(update={"output": None, **self._whole_paths()})
        return "".join(
            f"{name} = {_toml(value)}\n"
            for name, value in plain
            if value is not None and not (value in ({}, []) and _default(name) == value)
        )

    def reading(self) -> dict[str, Any]:
        """What the settings say about how tables are read: the arguments of `read_table`."""
        return {name: getattr(self, name) for name in READING}

    def _whole_paths(self) -> dict[str, str]:
        given = {name: getattr(self, name) for name in ("data", "validation", "test")}
        return {name: whole_source(path) for name, path in given.items() if path}


class Chosen(Settings):
    """Settings in which everything that concerns the training is decided."""

    task: Literal["regression", "classification", "multi-label"] | None  # None: mixed
    network: Network = "fully-connected"  # so it was with runs that do not say
    layers: list[Width]
    dropout: float
    lr: float
    batch_size: int
    epochs: int
    weight_decay: float
    patience: int


def gather(
    flags: Mapping[str, Any],
    config: str | Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Settings from, each over the one before: defaults, a TOML file, CHAINRULE_* and flags.

    A flag that is None was not given; `environment` is that of the process if not given. Raises
    SettingError for an unknown key, with the nearest known one, and for a value that is not
    allowed, with what is, and where it was set.

    >>> gather({"epochs": 3}, environment={"CHAINRULE_EPOCHS": "5", "CHAINRULE_LR": "0.1"}).lr
    0.1
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    in_file = _from_file(Path(config)) if config is not None else {}
    in_environment = _from_environment(os.environ if environment is None else environment)
    given = {name: value for name, value in flags.items() if value is not None}
    for found, called in (
        (in_file, lambda key: f"{key} in {config}"),
        (in_environment, lambda key: PREFIX + key.upper()),
        (given, lambda key: f"--{key.replace('_', '-')}"),
    ):
        for key, value in found.items():
            name = key.replace("-", "_")
            _refuse_unknown(name, called(key))
            values[name], origins[name] = value, called(key)
    return checked(values, origins)


def checked(values: Mapping[str, Any], origins: Mapping[str, str] | None = None) -> Settings:
    """The Settings of these values, or a SettingError that names the wrong one.

    `origins` says what a setting is called where it was set, such as CHAINRULE_LR.

    >>> checked({"epochs": 0})
    Traceback (most recent call last):
    chainrule.errors.SettingError: epochs cannot be 0
      expected: greater than or equal to 1
    """
    try:
        return Settings.model_validate(dict(values))
    except ValidationError as wrong:
        errors = wrong.errors()
        first = errors[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        allowed = dict.fromkeys(
            _allowed(error) for error in errors if error["loc"][:1] == first["loc"][:1]
        )
        called = (origins or {}).get(name, name.replace("_", "-"))
        raise SettingError(
            f"{called} cannot be {first['input']!r}", expected=" or ".join(allowed)
        ) from None


def _allowed(error: Mapping[str, Any]) -> str:
    """What would be allowed in place of a wrong value, in words."""
    message: str = error["msg"]
    for start in ("Input should be ", "Value error, "):
        message = message.removeprefix(start)
    return message.partition(", unable to parse")[0]


def _refuse_unknown(name: str, called: str) -> None:
    if name not in Settings.model_fields:
        close = nearest(name, Settings.model_fields)
        raise SettingError(
            f"there is no setting {called}",
            hint=f"did you mean {close!r}?" if close else ", ".join(Settings.model_fields),
        )


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingError(f"there is no settings file {path}") from None
    except OSError as problem:
        raise SettingError(f"{path} cannot be read: {problem.strerror}") from None
    except ValueError as wrong:  # not TOML, or not even text
        raise SettingError(f"{path} is not a TOML file: {wrong}") from None


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """CHAINRULE_BATCH_SIZE=64 and the like; lists and pairs are separated by commas."""
    found: dict[str, Any] = {}
    for key, text in environment.items():
        name = key.removeprefix(PREFIX)
        if key.startswith(PREFIX) and name not in _NOT_SETTINGS:
            found[name.lower()] = _split(name.lower(), text)
    return found


def _split(name: str, text: str) -> Any:
    """What a setting given as one text means: A,B is a list, COLUMN=TYPE,COLUMN=TYPE a table."""
    if name in ("names", "drop", "time", "layers", "track"):
        return listed(text)
    if name in ("types", "missing", "encode"):
        pairs = [part.rpartition("=") for part in listed(text)]
        return {column: kind for column, _, kind in pairs}
    return text


def listed(text: str) -> list[str]:
    """The parts of a text that commas separate.

    >>> listed("age, sex")
    ['age', 'sex']
    """
    return [part.strip() for part in text.split(",") if part.strip()]


def _default(name: str) -> Any:
    return Settings.model_fields[name].default


def _toml(value: Any) -> str:
    """A value in TOML's notation."""
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        items = (f"{_toml(str(key))} = {_toml(item)}" for key, item in value.items())
        return f"{{ {', '.join(items)} }}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        control = {ord(c): f"\\u{ord(c):04x}" for c in escaped if ord(c) < 32 or ord(c) == 127}
        return f'"{escaped.translate(control)}"'
    return repr(value)
