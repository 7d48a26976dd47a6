"""What the tests of the service share: a small model of every kind of column, and its service."""

from __future__ import annotations

import asyncio
import csv
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule.model import Model, load
from chainrule.train import Settings, train_table

pytest.importorskip("starlette")
pytest.importorskip("httpx")

import httpx

PORTS = [f"port {i}" for i in range(25)]
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
INPUTS = ["kg", "port", "size", "note", "paid"]


def ships(rows: int, seed: int) -> list[dict[str, Any]]:
    """Rows with gaps and, for seeds other than 0, categories that training did not have."""
    rng = np.random.default_rng(seed)
    ports = PORTS if seed == 0 else [*PORTS, "Atlantis"]
    found = []
    for i in range(rows):
        kg = round(float(rng.gamma(2.0)), 3)
        found.append(
            {
                "kg": None if i % 9 == 4 else kg,
                "port": ports[int(rng.integers(len(ports)))],
                "size": [None, "small", "large", "middle"][int(rng.integers(4))],
                "note": " ".join(rng.choice(["warm", "cold", "dry", "wet"], 3)),
                "paid": bool(rng.integers(2)),
                "late": "yn"[int(kg > 2)],
            }
        )
    return found


def without_target(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows without what is predicted, the columns in another order."""
    return [{name: item[name] for name in reversed(INPUTS)} for item in rows]


def write_csv(path: Path, rows: list[dict[str, Any]], names: list[str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(["" if row[name] is None else row[name] for name in names] for row in rows)
    return path


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ships")
    data = write_csv(folder / "ships.csv", ships(300, 0), [*INPUTS, "late"])
    settings = {"data": str(data), "target": "late", "epochs": 2, "layers": [8]}
    settings |= {"types": {"note": "text"}, "output": str(folder / "run")}
    train_table(Settings.model_validate(settings))
    return folder / "run" / "model"


@pytest.fixture(scope="session")
def model(saved: Path) -> Model:
    return load(saved)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real one, without a window."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    sync_api = pytest.importorskip("playwright.sync_api")
    if chromium is None:
        pytest.skip("chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield found
        found.close()


class Client:
    """Asks an ASGI application, without a network."""

    def __init__(self, app: Any, **headers: str) -> None:
        self.app, self.headers = app, headers

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self.all_at_once([(method, path, options)]))[0]

    def predict(self, *rows: Any) -> httpx.Response:
        return self.ask("POST", "/predict", json={"rows": list(rows)})

    async def all_at_once(
        self, requests: list[tuple[str, str, dict[str, Any]]]
    ) -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8000", headers=self.headers
        ) as client:
            return await asyncio.gather(*(client.request(m, p, **o) for m, p, o in requests))
