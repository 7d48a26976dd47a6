"""Requests a second, and how long the slowest of a hundred takes, over HTTP on this machine.

`chainrule serve` beside FastAPI with PyTorch: the same network (8-64-64-1), a row a request, JSON,
each in a process of its own with one worker, asked by the same number of clients.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.harness import FailedError

CLIENTS, REQUESTS, ROUNDS = 8, 400, 5
COLUMNS = [f"x{place}" for place in range(8)]
ROW = {name: float(place) / 8 for place, name in enumerate(COLUMNS)}


def main(arguments: list[str] | None = None) -> None:
    """Rounds in turns; medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks serving")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args(arguments or []).rounds
    print(f"A row a request over HTTP, {CLIENTS} clients, 8-64-64-1; medians of {rounds} rounds")
    with tempfile.TemporaryDirectory() as folder, _both(Path(folder)) as ports:
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in ports}
        for _ in range(rounds + 1):
            for name, port in ports.items():
                found[name].append(_load(port))
    for name, measured in found.items():
        rates, slowest = zip(*measured[1:], strict=True)
        rate, p99 = statistics.median(rates), statistics.median(slowest)
        print(f"  {name:<24}{rate:>8,.0f} requests/s   p99 {p99 * 1e3:.1f} ms", flush=True)


def _load(port: int) -> tuple[float, float]:
    """Requests a second, and the 99th percentile of their seconds."""
    taken: list[float] = []
    clients = [
        threading.Thread(target=_client, args=(port, REQUESTS // CLIENTS, taken))
        for _ in range(CLIENTS)
    ]
    began = time.perf_counter()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    if len(taken) < REQUESTS // CLIENTS * CLIENTS:
        raise FailedError("some requests were not answered")
    return len(taken) / (time.perf_counter() - began), float(np.quantile(taken, 0.99))


def _client(port: int, requests: int, taken: list[float]) -> None:
    """Asks over one connection, a request after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body, headers = json.dumps({"rows": [ROW]}), {"Content-Type": "application/json"}
    for _ in range(requests):
        began = time.perf_counter()
        connection.request("POST", "/predict", body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            return
        taken.append(time.perf_counter() - began)
    connection.close()


@contextmanager
def _both(folder: Path) -> Iterator[dict[str, int]]:
    """The ports of both services, while they run."""
    here = Path(__file__)
    trained = subprocess.run([sys.executable, "-c", _TRAIN, str(folder)], capture_output=True)
    if trained.returncode:
        raise FailedError(trained.stderr.decode().strip().splitlines()[-1])
    commands = {
        "chainrule serve": ["-m", "chainrule", "serve", str(folder / "run"), "--port", "0", "-q"],
        "FastAPI and PyTorch": [str(here.with_name("serving_torch.py"))],
    }
    processes = {
        name: subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True)
        for name, command in commands.items()
    }
    try:
        yield {name: _port(name, process) for name, process in processes.items()}
    finally:
        for process in processes.values():
            process.terminate()
            process.communicate()


def _port(name: str, process: subprocess.Popen[str]) -> int:
    """The port that a service prints at the end of its first line."""
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line:
        raise FailedError(f"{name} did not start")
    return int(line.rpartition(":")[2])


_TRAIN = f"""
import sys
import numpy as np
from chainrule.train import Settings, train_table
x = np.random.default_rng(0).normal(size=(40, 9)).round(4)
folder = sys.argv[1]
header = ",".join({[*COLUMNS, "y"]!r})
np.savetxt(folder + "/t.csv", x, delimiter=",", header=header, comments="")
train_table(Settings(data=folder + "/t.csv", target="y", task="regression", layers=[64, 64],
                     epochs=1, output=folder + "/run", backend="interpret"))
"""
