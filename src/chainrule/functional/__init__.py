"""Composites written from ops, with the names, arguments and numbers of torch.nn.functional."""

from chainrule.functional.activation import (
    gelu,
    leaky_relu,
    relu,
    sigmoid,
    silu,
    softplus,
    tanh,
)
from chainrule.functional.attention import attention_weights, scaled_dot_product_attention
from chainrule.functional.bag import embedding_bag
from chainrule.functional.binary import binary_cross_entropy, binary_cross_entropy_with_logits
from chainrule.functional.classification import cross_entropy, nll_loss
from chainrule.functional.convolution import conv1d, conv2d, conv_transpose1d, conv_transpose2d
from chainrule.functional.dropout import dropout, dropout1d, dropout2d
from chainrule.functional.linear import embedding, linear, one_hot
from chainrule.functional.normalization import batch_norm, group_norm, layer_norm, rms_norm
from chainrule.functional.pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    avg_pool1d,
    avg_pool2d,
    max_pool1d,
    max_pool2d,
)
from chainrule.functional.positions import rotary_positions, sinusoidal_positions
from chainrule.functional.recurrence import scan
from chainrule.functional.regression import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from chainrule.functional.sequences import masked_mean, sequence_mask
from chainrule.functions import log_softmax, logsumexp, softmax

__all__ = [
    "relu", "leaky_relu", "gelu", "silu", "sigmoid", "tanh", "softplus",
    "softmax", "log_softmax", "logsumexp",
    "linear", "embedding", "embedding_bag", "one_hot", "dropout", "dropout1d", "dropout2d",
    "conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d",
    "max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d",
    "adaptive_avg_pool1d", "adaptive_avg_pool2d",
    "layer_norm", "batch_norm", "group_norm", "rms_norm",
    "scaled_dot_product_attention", "attention_weights",
    "rotary_positions", "sinusoidal_positions", "scan", "sequence_mask", "masked_mean",
    "mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss",
    "cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits",
]  # fmt: skip
