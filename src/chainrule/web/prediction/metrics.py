"""What the service counts, in the text format that Prometheus reads."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator

BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
"""Seconds: a histogram's buckets."""


class Metrics:
    """Counts of requests, rows and batches, and how long requests took.

    >>> metrics = Metrics()
    >>> metrics.request("/predict", 200, 0.004)
    >>> print(metrics.text().splitlines()[2])
    chainrule_requests_total{path="/predict",status="200"} 1
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._buckets = [0] * (len(BOUNDS) + 1)
        self._seconds = 0.0
        self._rows = self._batches = 0

    def request(self, path: str, status: int, seconds: float) -> None:
        """A request was answered; `path` is one of the service's own."""
        with self._lock:
            self._requests[path, status] += 1
            self._buckets[bisect_left(BOUNDS, seconds)] += 1
            self._seconds += seconds

    def batch(self, rows: int) -> None:
        """So many rows were predicted together."""
        with self._lock:
            self._rows += rows
            self._batches += 1

    def text(self) -> str:
        """All of it in Prometheus's text format, version 0.0.4."""
        with self._lock:
            return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield from _head("requests_total", "counter", "Requests answered.")
        for (path, status), count in sorted(self._requests.items()):
            yield f'chainrule_requests_total{{path="{path}",status="{status}"}} {count}'
        yield from _head("rows_total", "counter", "Rows predicted.")
        yield f"chainrule_rows_total {self._rows}"
        yield from _head("batches_total", "counter", "Batches that the rows were predicted in.")
        yield f"chainrule_batches_total {self._batches}"
        yield from _head("request_seconds", "histogram", "Seconds until a request was answered.")
        below = 0
        for bound, count in zip([*BOUNDS, "+Inf"], self._buckets, strict=True):
            below += count
            yield f'chainrule_request_seconds_bucket{{le="{bound}"}} {below}'
        yield f"chainrule_request_seconds_sum {self._seconds:.6f}"
        yield f"chainrule_request_seconds_count {below}"


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP chainrule_{name} {text}"
    yield f"# TYPE chainrule_{name} {kind}"
