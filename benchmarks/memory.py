"""What memory a training takes by the number of rows: a quarter, one and six million.

The table of `benchmarks.reading`, as CSV, trained as on the command line, `--memory 100MB`, one
epoch; the largest file takes nearly ten times that. Each size is a process of its own. The peak is
of its resident set, as the system counts it, `reading` that when the rows were prepared, `stated`
what docs/large.md says is the most; `encoded` is what the prepared rows take on disk.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.reading import write
from chainrule.data.room import as_bytes

ROWS = (250_000, 1_000_000, 6_000_000)
MEMORY = "100MB"
LIBRARIES, A_ROW = 200_000_000, 40
"""Bytes that Python and the libraries take, and a row, whatever the memory allowed."""


def main(options: list[str] | None = None) -> None:
    """`--rows N,N,...` and `--memory SIZE` ask for others."""
    given = dict(zip((options or [])[::2], (options or [])[1::2], strict=False))
    sizes = [int(rows) for rows in given["--rows"].split(",")] if "--rows" in given else ROWS
    memory = given.get("--memory", MEMORY)
    print(f"Memory: CSV of N rows x 20 columns, trained with --memory {memory}, one epoch")
    heads = ("peak MB", "stated", "reading", "CSV MB", "encoded", "CPU s", "seconds")
    print(f"{'rows':>12}{''.join(f'{head:>10}' for head in heads)}")
    for rows in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "orders.csv"
            write(path, rows)
            size = path.stat().st_size / 1e6
            command = [sys.executable, "-m", "benchmarks.memory", str(path), memory]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found = json.loads(output.splitlines()[-1])
        stated = (LIBRARIES + as_bytes(memory) + A_ROW * rows) / 1e6
        shown = (found["peak"], stated, found["read"], size, found["encoded"])
        shown += found["cpu"], found["seconds"]
        print(f"{rows:12,}{''.join(f'{number:10,.0f}' for number in shown)}")


def peak() -> float:
    """The largest resident set of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def trained(path: str, memory: str) -> dict[str, float]:
    """Train on a file; says the peak once the data was ready, and at the end."""
    from chainrule.data import Prepared
    from chainrule.train import Chosen, Settings, Watcher, train_table

    class Peak(Watcher):
        read = 0.0

        def ready(self, settings: Chosen, prepared: Prepared) -> None:
            self.read = peak()

    began, watcher = time.perf_counter(), Peak()
    output = str(Path(path).parent / "run")
    settings = Settings(data=path, target="n0", memory=memory, epochs=1, output=output)
    prepared = train_table(settings, watcher).prepared
    parts = (prepared.train, prepared.validation, prepared.test)
    return {
        "peak": peak(),
        "read": watcher.read,
        "encoded": sum(part.row_bytes * len(part) for part in parts) / 1e6,
        "cpu": time.process_time(),
        "seconds": time.perf_counter() - began,
    }


if __name__ == "__main__":
    print(json.dumps(trained(*sys.argv[1:])))
