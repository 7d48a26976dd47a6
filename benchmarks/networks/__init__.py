"""The networks that are trained beside peers, each once for chainrule and PyTorch and once for JAX.

chainrule takes PyTorch's names, so one function builds both modules: `build(library)`. They share
the names and shapes of their weights, which JAX's functions read from a flat dict.
"""

from benchmarks.networks import cnn, factors, gpt, lstm, mlp, vit
from benchmarks.networks.network import Network

NETWORKS: dict[str, Network] = {
    network.name: network
    for module in (mlp, cnn, gpt, vit, lstm, factors)
    for network in module.NETWORKS
}
