"""Ready networks, one readable file each, configured by a small frozen dataclass.

They are meant to be read and copied from: each is made of the layers of `chainrule.nn` alone.
"""

from chainrule.nn.networks.factorization import MatrixFactorization, MatrixFactorizationConfig
from chainrule.nn.networks.gpt import GPT, GPTConfig
from chainrule.nn.networks.gpt2 import gpt2
from chainrule.nn.networks.lstm import (
    LSTMForecaster,
    LSTMForecasterConfig,
    LSTMTagger,
    LSTMTaggerConfig,
)
from chainrule.nn.networks.mlp import MLP, MLPConfig
from chainrule.nn.networks.resnet import ResNet, ResNetConfig
from chainrule.nn.networks.seq2seq import Seq2Seq, Seq2SeqConfig
from chainrule.nn.networks.vit import ViT, ViTConfig

__all__ = [
    "MLP", "MLPConfig", "ResNet", "ResNetConfig", "ViT", "ViTConfig", "GPT", "GPTConfig", "gpt2",
    "Seq2Seq", "Seq2SeqConfig", "LSTMTagger", "LSTMTaggerConfig", "LSTMForecaster",
    "LSTMForecasterConfig", "MatrixFactorization", "MatrixFactorizationConfig",
]  # fmt: skip
