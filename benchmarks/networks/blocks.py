"""A transformer's block: attention, then two layers with gelu, each on what layer_norm gives."""

from __future__ import annotations

from typing import Any

from benchmarks.networks.network import Product


def block(library: Any, width: int, heads: int, causal: bool) -> Any:
    """The module for chainrule or PyTorch: [batch, tokens, width] to the same."""
    nn, functional = library.nn, library.nn.functional

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.before_attention, self.before_layers = nn.LayerNorm(width), nn.LayerNorm(width)
            self.attend, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def forward(self, x: Any) -> Any:
            batch, tokens, _ = x.shape
            parts = self.attend(self.before_attention(x))
            parts = parts.reshape(batch, tokens, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
            mixed = functional.scaled_dot_product_attention(
                parts[0], parts[1], parts[2], is_causal=causal
            )
            x = x + self.project(mixed.transpose(1, 2).reshape(batch, tokens, width))
            return x + self.narrow(functional.gelu(self.widen(self.before_layers(x))))

    return Block()


def apply_block(weights: Any, name: str, x: Any, heads: int, causal: bool) -> Any:
    """The same in JAX, with the weights under `name`."""
    import jax
    import jax.numpy as jnp

    batch, tokens, width = x.shape
    parts = linear(weights, f"{name}.attend", layer_norm(weights, f"{name}.before_attention", x))
    q, k, v = jnp.moveaxis(parts.reshape(batch, tokens, 3, heads, width // heads), 2, 0)
    scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) * (width // heads) ** -0.5
    if causal:
        scores = jnp.where(jnp.tri(tokens, dtype=bool), scores, -jnp.inf)
    mixed = jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(scores), v)
    x = x + linear(weights, f"{name}.project", mixed.reshape(x.shape))
    wide = linear(weights, f"{name}.widen", layer_norm(weights, f"{name}.before_layers", x))
    return x + linear(weights, f"{name}.narrow", jax.nn.gelu(wide, approximate=False))


def linear(weights: Any, name: str, x: Any) -> Any:
    return x @ weights[f"{name}.weight"] + weights[f"{name}.bias"]


def layer_norm(weights: Any, name: str, x: Any) -> Any:
    import jax

    apart = x - x.mean(-1, keepdims=True)
    spread = jax.lax.rsqrt((apart * apart).mean(-1, keepdims=True) + 1e-5)
    return apart * spread * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def block_products(batch: int, tokens: int, width: int, heads: int, times: int) -> list[Product]:
    """Attention counts whole, the half that a causal one may skip included."""
    rows, narrow = batch * tokens, width // heads
    return [
        Product(rows, width, 12 * width, times),
        Product(tokens, narrow, tokens, 2 * batch * heads * times),
    ]
