"""The run folder: everything about one training, written as it happens."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule.errors import ArtefactError, SettingError

# What lies in a run folder:
SETTINGS = "settings.toml"  # runs the same training again
EVENTS = "events.jsonl"  # one line per epoch
DATA = "data.json"  # what was found in the data, and what was done about it
SUMMARY = "run.json"  # state, scores, baseline, times, versions
MODEL = "model"  # the model's own folder


@dataclass(frozen=True)
class Run:
    """One training, as its folder tells it."""

    path: Path

    @staticmethod
    def create(path: str | Path | None, name: str) -> Run:
        """Make the folder of a new run: `path`, or runs/NAME-DATE-TIME.

        Raises SettingError when `path` exists already and is not an empty folder.
        """
        if path is not None:
            folder = Path(path)
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise SettingError(
                    f"{folder} exists already", hint="another --output, or remove it first"
                )
            folder.mkdir(parents=True, exist_ok=True)
            return Run(folder)
        stamp = time.strftime("%Y%m%d-%H%M%S")
        number = 1
        while True:
            folder = Path("runs") / (f"{name}-{stamp}" + (f"-{number}" if number > 1 else ""))
            try:
                folder.mkdir(parents=True)
                return Run(folder)
            except FileExistsError:
                number += 1

    def write(self, name: str, text: str) -> None:
        """Write a file of the run; whole, or not at all."""
        temporary = self.path / f".{name}.part"
        temporary.write_text(text)
        os.replace(temporary, self.path / name)

    def summarise(self, **facts: Any) -> None:
        """Add facts to the run's summary."""
        known = self.summary() if (self.path / SUMMARY).exists() else {}
        self.write(SUMMARY, json.dumps({**known, **facts}, indent=1))

    def log(self, event: dict[str, Any]) -> None:
        """Append one event."""
        with (self.path / EVENTS).open("a") as file:
            file.write(json.dumps(event) + "\n")

    def summary(self) -> dict[str, Any]:
        """State, scores, baseline, times and versions."""
        try:
            found: dict[str, Any] = json.loads((self.path / SUMMARY).read_text())
            return found
        except (OSError, ValueError) as broken:
            raise ArtefactError(
                f"{self.path} is not the folder of a run, or cannot be read: {broken}",
                hint="chainrule runs list shows the runs here",
            ) from None

    def events(self) -> list[dict[str, Any]]:
        """What happened, in order; a line cut off by a crash is left out."""
        lines = (self.path / EVENTS).read_text().splitlines() if self._has(EVENTS) else []
        return [event for line in lines if (event := _parsed(line)) is not None]

    def settings_text(self) -> str:
        """The settings file."""
        return (self.path / SETTINGS).read_text() if self._has(SETTINGS) else ""

    def data_report(self) -> dict[str, Any]:
        """The report on the data."""
        found: dict[str, Any] = json.loads((self.path / DATA).read_text()) if self._has(DATA) else {}
        return found

    def _has(self, name: str) -> bool:
        return (self.path / name).is_file()


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def runs_in(folder: str | Path) -> Iterator[Run]:
    """The runs in a folder, the newest last."""
    root = Path(folder)
    found = [path.parent for path in root.glob(f"*/{SUMMARY}")] if root.is_dir() else []
    yield from (Run(path) for path in sorted(found, key=lambda p: (p / SUMMARY).stat().st_mtime))
