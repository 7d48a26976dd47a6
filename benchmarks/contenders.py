"""Each library at its best: a network trained over batches that are gathered from memory.

A contender takes a network and gives `epoch(order)`: order int64 [rows] says which rows, in
batches one after the other, and what comes back is the loss of every step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.networks.network import Network

RATE, DECAY = 1e-3, 0.01

Epoch = Callable[[NDArray[np.int64]], Any]


def _optimizer(library: Any, network: Network, parameters: Any, **settings: Any) -> Any:
    if network.optimizer == "AdamW":
        settings["weight_decay"] = DECAY
    return getattr(library.optim, network.optimizer)(parameters, lr=RATE, **settings)


def _criterion(library: Any, network: Network) -> Any:
    return library.nn.MSELoss() if network.loss == "mse" else library.nn.CrossEntropyLoss()


def _flat(network: Network, y: Any) -> Any:
    """Targets as the loss wants them: classes in one row, however many a sample has."""
    return y if network.loss == "mse" else y.reshape(-1)


def chainrule_step(network: Network, backend: Literal["interpret", "native"] = "native") -> Any:
    """The compiled training step."""
    import chainrule as cr

    module, criterion = network.build(cr), _criterion(cr, network)
    module.load_state_dict(network.weights())
    optimizer = _optimizer(cr, network, module.parameters())

    def step(x: Any, y: Any) -> Any:
        loss = criterion(module(x), _flat(network, y))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss

    return cr.compile(step, backend)


def chainrule_epochs(
    network: Network, rows: Any, batch: int, backend: Literal["interpret", "native"] = "native"
) -> Epoch:
    """A native call for many steps."""
    from chainrule.compiler.epoch import run_epoch

    compiled = chainrule_step(network, backend)

    def epoch(order: NDArray[np.int64]) -> Any:
        return run_epoch(compiled, rows, order, batch)

    def threads() -> str:
        runs = [v.run for known in compiled.variants.values() for v in known]
        return str(runs[0].choice.best) if backend == "native" else ""

    epoch.note = threads  # type: ignore[attr-defined]
    return epoch


def torch_epochs(
    network: Network,
    rows: Any,
    batch: int,
    compiled: bool = False,
    channels_last: bool = False,
    threads: int = 2,
) -> Epoch:
    """PyTorch's own loop with fused Adam; forward and loss are compiled, if at all."""
    import torch

    torch.set_num_threads(threads)
    x, y = map(torch.from_numpy, rows)
    module = network.build(torch)
    module.load_state_dict({k: torch.from_numpy(v) for k, v in network.weights().items()})
    if channels_last:
        module, x = (a.to(memory_format=torch.channels_last) for a in (module, x))
    criterion = _criterion(torch, network)
    optimizer = _optimizer(torch, network, module.parameters(), fused=True)
    loss_of: Any = lambda x, y: criterion(module(x), _flat(network, y))
    if compiled:
        loss_of = torch.compile(loss_of)

    def epoch(order: NDArray[np.int64]) -> Any:
        losses = []
        for chosen in torch.from_numpy(order).split(batch):
            loss = loss_of(x.index_select(0, chosen), y.index_select(0, chosen))
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.detach())
        return torch.stack(losses).numpy()

    return epoch


def jax_step(network: Network) -> tuple[Callable[..., Any], Any]:
    """The training step (carry, x, y, chosen rows) -> (carry, loss), and the first carry."""
    import jax
    import jax.numpy as jnp
    import optax

    optimizer = (
        optax.adamw(RATE, weight_decay=DECAY) if network.optimizer == "AdamW" else optax.adam(RATE)
    )

    def loss_of(weights: Any, x: Any, y: Any) -> Any:
        out = network.forward(weights, x)
        if network.loss == "mse":
            return jnp.mean((out - y) ** 2)
        return optax.softmax_cross_entropy_with_integer_labels(out, _flat(network, y)).mean()

    def step(carry: Any, x: Any, y: Any, chosen: Any) -> Any:
        weights, state = carry
        loss, slopes = jax.value_and_grad(loss_of)(weights, x[chosen], y[chosen])
        updates, state = optimizer.update(slopes, state, weights)
        return (optax.apply_updates(weights, updates), state), loss

    weights = {name: jnp.asarray(w) for name, w in network.weights_inwards().items()}
    return step, (weights, optimizer.init(weights))


def jax_epochs(network: Network, rows: Any, batch: int, scanned: bool) -> Epoch:
    """jit(scan) over an epoch, or a jitted call for every step; what changes is donated."""
    import jax
    import jax.numpy as jnp

    step, carry = jax_step(network)
    x, y = map(jnp.asarray, rows)

    def whole(carry: Any, x: Any, y: Any, orders: Any) -> Any:
        return jax.lax.scan(lambda carry, chosen: step(carry, x, y, chosen), carry, orders)

    run = jax.jit(whole if scanned else step, donate_argnums=0)

    def epoch(order: NDArray[np.int64]) -> Any:
        nonlocal carry
        orders = order.astype("int32").reshape(-1, batch)
        if scanned:
            carry, losses = run(carry, x, y, orders)
            return np.asarray(losses)
        found = []
        for chosen in orders:
            carry, loss = run(carry, x, y, chosen)
            found.append(loss)
        return np.asarray(jax.block_until_ready(found))

    return epoch


def sklearn_epochs(network: Network, rows: Any, batch: int) -> Epoch:
    """scikit-learn's own loop over the rows in the order given."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    regression = network.loss == "mse"
    hidden = [len(v) for k, v in network.weights().items() if k.endswith("bias")][:-1]
    kind = MLPRegressor if regression else MLPClassifier
    model = kind(
        hidden_layer_sizes=hidden,
        batch_size=batch,
        learning_rate_init=RATE,
        alpha=0.0,
        shuffle=False,
    )
    x, y = rows
    target = y.ravel() if regression else y
    known = {} if regression else {"classes": np.unique(y)}

    def epoch(order: NDArray[np.int64]) -> Any:
        model.partial_fit(x[order], target[order], **known)
        return model.loss_

    return epoch
