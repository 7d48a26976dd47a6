"""What all gradients cost, in forward passes, as a network gets deeper (L23)."""

from __future__ import annotations

import numpy as np

from benchmarks.harness import in_turns


def main() -> None:
    """All gradients together over one forward pass: flat, and under 4, from depth 2 to 64."""
    import chainrule as cr

    print("All gradients over one forward pass, width 64, batch 256, eager:")
    x = cr.from_numpy(np.random.default_rng(0).standard_normal((256, 64)).astype("float32"))
    for depth in (2, 4, 8, 16, 32, 64):
        layers = [layer for _ in range(depth) for layer in (cr.nn.Linear(64, 64), cr.nn.Tanh())]
        network = cr.nn.Sequential(*layers)

        def forward(network: cr.nn.Module = network) -> None:
            network(x).sum()

        def all_gradients(network: cr.nn.Module = network) -> None:
            network(x).sum().backward()
            network.zero_grad()

        once, both = in_turns(forward, all_gradients, repeats=max(2, 128 // depth))
        alone = (both - once) / once
        by_hand = 2 * depth  # one forward pass more for every parameter tensor moved a little
        print(
            f"  depth {depth:>2}: forward {once * 1e3:6.2f} ms, all gradients {alone:4.2f} of it; "
            f"one parameter tensor at a time: at least {by_hand}"
        )
