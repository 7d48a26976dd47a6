"""Composites written from ops, with the names, arguments and numbers of torch.nn.functional."""

from chainrule.functional.activation import (
    gelu,
    leaky_relu,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from chainrule.functional.attention import scaled_dot_product_attention
from chainrule.functional.binary import binary_cross_entropy, binary_cross_entropy_with_logits
from chainrule.functional.classification import cross_entropy, nll_loss
from chainrule.functional.convolution import conv1d, conv2d
from chainrule.functional.dropout import dropout
from chainrule.functional.linear import embedding, linear, one_hot
from chainrule.functional.normalization import batch_norm, layer_norm
from chainrule.functional.pooling import (
    adaptive_avg_pool2d,
    avg_pool1d,
    avg_pool2d,
    max_pool1d,
    max_pool2d,
)
from chainrule.functional.recurrence import scan
from chainrule.functional.regression import huber_loss, l1_loss, mse_loss, smooth_l1_loss

__all__ = [
    "relu", "leaky_relu", "gelu", "silu", "sigmoid", "tanh", "softplus",
    "softmax", "log_softmax", "logsumexp",
    "linear", "embedding", "one_hot", "conv1d", "conv2d", "dropout",
    "max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d", "adaptive_avg_pool2d",
    "layer_norm", "batch_norm", "scaled_dot_product_attention", "scan",
    "mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss",
    "cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits",
]  # fmt: skip
