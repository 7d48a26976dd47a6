"""A training step of each network beside its peers: times, ratios, and the share of the peak.

Every contender runs an epoch, in the order of a NumPy permutation, at its best. The peak is what
NumPy's OpenBLAS reaches in a float32 product of 1024 x 1024 x 1024, measured in the same rounds.
The memory is what each process had at most (peak RSS), its libraries and the data included.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import contenders
from benchmarks.cores import second_thread
from benchmarks.goals import Goal, slower, table
from benchmarks.harness import WARM_UP, attempt
from benchmarks.networks import NETWORKS
from benchmarks.networks.network import Network

PEAK = 1024  # rows and columns of the product that says what the machine can do
ROUNDS = 5


@dataclass(frozen=True)
class Goals:
    """Of a network: how many times our time its peers take, and our percentage of the peak."""

    torch: Goal
    jax: Goal | None
    peak: Goal | None
    threads: int = 2  # those of the peak


GOALS = {
    "mlp-8-64-64-1": Goals(Goal(35, 50), Goal(2.5, 4), Goal(35, 50), threads=1),
    "mlp-8-256-256-1": Goals(Goal(2.8, 3.8), Goal(1.2, 1.6), Goal(70, 92)),
    "mlp-784-512-256-10": Goals(Goal(2.4, 3.3), Goal(1.3, 1.8), Goal(75, 95)),
    "mlp-1024-1024-1024-10": Goals(Goal(1.9, 2.5), Goal(1.0, 1.3), Goal(75, 96)),
    "cnn": Goals(Goal(3, 8), Goal(8, 20), Goal(40, 90)),
    "gpt": Goals(Goal(1.8, 3), Goal(1.8, 3), Goal(50, 80)),
    "vit": Goals(Goal(1.7, 3.2), Goal(2.2, 4.5), Goal(35, 65)),
    "lstm": Goals(Goal(1.3, 3), Goal(1.0, 2), None),
    "factors": Goals(Goal(3, 8), None, None),
}
MEMORY = Goal(1, 0.5, at_most=True)  # our part of the memory of PyTorch's process

CONTENDERS: dict[str, Callable[..., contenders.Epoch]] = {
    "chainrule": contenders.chainrule_epochs,
    "torch": contenders.torch_epochs,
    "torch-channels-last": lambda *a: contenders.torch_epochs(*a, channels_last=True),
    "torch-compiled": lambda *a: contenders.torch_epochs(*a, compiled=True),
    "jax-scan": lambda *a: contenders.jax_epochs(*a, scanned=True),
    "jax-jit": lambda *a: contenders.jax_epochs(*a, scanned=False),
    "sklearn": contenders.sklearn_epochs,
}
EAGER, JAX = ("torch", "torch-channels-last"), ("jax-scan", "jax-jit")
LABELS = {
    "chainrule": "chainrule",
    "torch": "PyTorch eager",
    "torch-channels-last": "PyTorch, channels last",
    "torch-compiled": "torch.compile",
    "jax-scan": "JAX, jit(scan)",
    "jax-jit": "JAX, jitted steps",
    "sklearn": "scikit-learn",
}


def epoch(kind: str, name: str) -> Callable[[], Any]:
    """What is timed of a contender: an epoch in an order of its own."""
    network, rng = NETWORKS[name], np.random.default_rng(1)
    rows = network.rows()
    run = CONTENDERS[kind](network, rows, network.batch)

    def timed() -> Any:
        return run(rng.permutation(len(rows[0])))

    timed.note = getattr(run, "note", lambda: "")  # type: ignore[attr-defined]
    return timed


def product(threads: str) -> Callable[[], Any]:
    """NumPy's float32 product on so many threads."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(int(threads))
    a, b = np.random.default_rng(0).standard_normal((2, PEAK, PEAK), dtype="float32")
    out = np.empty_like(a)
    return lambda: np.matmul(a, b, out=out)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks training")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default="", help="networks whose names contain this")
    parser.add_argument("--without", default="", help="contenders to leave out: a,b")
    chosen = parser.parse_args(arguments or [])
    print("A training step (forward, loss, backward, Adam), its memory; each peer's time over ours")
    for name, network in NETWORKS.items():
        if chosen.only in name:
            print(_block(network, chosen.rounds, chosen.without.split(",")), flush=True)


def _block(network: Network, rounds: int, without: list[str]) -> str:
    """Everything about one network in lines."""
    kinds = [kind for kind in _kinds(network) if kind not in without]
    where = {kind: f"benchmarks.training:epoch {kind} {network.name}" for kind in kinds}
    for threads in (1, 2):
        where[f"peak{threads}"] = f"benchmarks.training:product {threads}"
    probes: list[float] = []
    found = attempt(
        where, 1, rounds, threads=2, before_round=lambda: probes.append(second_thread())
    )
    seconds = found.seconds
    peaks = {n: 2 * PEAK**3 / seconds[f"peak{n}"] for n in (1, 2) if f"peak{n}" in seconds}
    steps = {kind: seconds[kind] / network.batches for kind in kinds if kind in seconds}
    remarks = _with_memory(found.peaks, _remarks(network, steps, peaks))
    threads = ", ".join(found.notes.get("chainrule", []))
    labels = {kind: LABELS[kind] for kind in kinds}
    return "\n".join(
        [
            f"\n{network.title}: {network.flops() / 1e6:.4g} MFLOP in matrix products",
            _machine_line(peaks, probes),
            table(labels, steps, found.failures, remarks),
            f"  chainrule chose, round by round, so many threads: {threads}",
        ]
    )


def _kinds(network: Network) -> list[str]:
    left_out = set()
    if not network.images:
        left_out.add("torch-channels-last")
    if not network.name.startswith("mlp"):
        left_out.add("sklearn")
    return [kind for kind in CONTENDERS if kind not in left_out]


def _machine_line(peaks: dict[int, float], probes: list[float]) -> str:
    rates = ", ".join(f"{rate / 1e9:.0f} on {n}" for n, rate in peaks.items())
    counted = probes[WARM_UP:]
    two = f"{statistics.median(counted):.2f} (least {min(counted):.2f})"
    return f"  sgemm GFLOP/s by threads: {rates}; two threads multiply {two} times as much as one"


def _remarks(network: Network, steps: dict[str, float], peaks: dict[int, float]) -> dict[str, str]:
    """Our share of the peak, and how many times our time each peer takes; goals for the best."""
    goals = GOALS[network.name]
    judged: dict[str, Goal | None] = {}
    for goal, kinds in ((goals.torch, EAGER), (goals.jax, JAX)):
        measured = [kind for kind in kinds if kind in steps]
        if measured:
            judged[min(measured, key=steps.__getitem__)] = goal
    remarks = {kind: slower(steps, kind, "chainrule", judged.get(kind)) for kind in steps}
    if "chainrule" in steps and goals.threads in peaks and network.flops():
        peak = max(rate for n, rate in peaks.items() if n <= goals.threads)
        share = 100 * network.flops() / steps["chainrule"] / peak
        verdict = f"   {goals.peak.verdict(share)}" if goals.peak else ""
        remarks["chainrule"] = f"{share:5.1f}% of the peak on {goals.threads}{verdict}"
    return remarks


def _with_memory(memory: dict[str, int], remarks: dict[str, str]) -> dict[str, str]:
    """Each remark behind the peak memory of its process; ours is judged by PyTorch's."""
    lines = {kind: f"{memory[kind] / 1e6:5.0f} MB {remark}" for kind, remark in remarks.items()}
    if "chainrule" in lines and memory.get("torch"):
        share = memory["chainrule"] / memory["torch"]
        lines["chainrule"] += f"   {share:.2f} of PyTorch's memory, {MEMORY.verdict(share)}"
    return lines
