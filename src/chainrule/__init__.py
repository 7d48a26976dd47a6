"""chainrule trains neural networks on the machine you have, fast, and shows its work."""

from typing import TYPE_CHECKING

from chainrule.compile import compile as compile
from chainrule.core.apply import define as define
from chainrule.core.state import enable_grad as enable_grad
from chainrule.core.state import is_grad_enabled as is_grad_enabled
from chainrule.core.state import no_grad as no_grad
from chainrule.core.state import set_grad_enabled as set_grad_enabled
from chainrule.creation import arange as arange
from chainrule.creation import empty as empty
from chainrule.creation import eye as eye
from chainrule.creation import full as full
from chainrule.creation import full_like as full_like
from chainrule.creation import linspace as linspace
from chainrule.creation import ones as ones
from chainrule.creation import ones_like as ones_like
from chainrule.creation import rand as rand
from chainrule.creation import rand_like as rand_like
from chainrule.creation import randint as randint
from chainrule.creation import randn as randn
from chainrule.creation import randn_like as randn_like
from chainrule.creation import randperm as randperm
from chainrule.creation import zeros as zeros
from chainrule.creation import zeros_like as zeros_like
from chainrule.functions import abs as abs
from chainrule.functions import absolute as absolute
from chainrule.functions import add as add
from chainrule.functions import allclose as allclose
from chainrule.functions import amax as amax
from chainrule.functions import amin as amin
from chainrule.functions import argmax as argmax
from chainrule.functions import argmin as argmin
from chainrule.functions import cat as cat
from chainrule.functions import clamp as clamp
from chainrule.functions import clip as clip
from chainrule.functions import concat as concat
from chainrule.functions import concatenate as concatenate
from chainrule.functions import cos as cos
from chainrule.functions import div as div
from chainrule.functions import divide as divide
from chainrule.functions import equal as equal
from chainrule.functions import erf as erf
from chainrule.functions import exp as exp
from chainrule.functions import expm1 as expm1
from chainrule.functions import flatten as flatten
from chainrule.functions import floor as floor
from chainrule.functions import isfinite as isfinite
from chainrule.functions import isnan as isnan
from chainrule.functions import log as log
from chainrule.functions import log1p as log1p
from chainrule.functions import logaddexp as logaddexp
from chainrule.functions import maximum as maximum
from chainrule.functions import mean as mean
from chainrule.functions import minimum as minimum
from chainrule.functions import mul as mul
from chainrule.functions import multiply as multiply
from chainrule.functions import neg as neg
from chainrule.functions import norm as norm
from chainrule.functions import permute as permute
from chainrule.functions import pow as pow
from chainrule.functions import relu as relu
from chainrule.functions import reshape as reshape
from chainrule.functions import sigmoid as sigmoid
from chainrule.functions import sign as sign
from chainrule.functions import sin as sin
from chainrule.functions import sqrt as sqrt
from chainrule.functions import square as square
from chainrule.functions import squeeze as squeeze
from chainrule.functions import stack as stack
from chainrule.functions import sub as sub
from chainrule.functions import subtract as subtract
from chainrule.functions import sum as sum
from chainrule.functions import tanh as tanh
from chainrule.functions import transpose as transpose
from chainrule.functions import unsqueeze as unsqueeze
from chainrule.functions import where as where
from chainrule.generator import Generator as Generator
from chainrule.generator import manual_seed as manual_seed
from chainrule.gradient import grad as grad
from chainrule.gradient import gradient_check as gradient_check
from chainrule.spec import bool_ as bool_
from chainrule.spec import float32 as float32
from chainrule.spec import float64 as float64
from chainrule.spec import int32 as int32
from chainrule.spec import int64 as int64
from chainrule.tensor import Buffer as Buffer
from chainrule.tensor import Cell as Cell
from chainrule.tensor import Parameter as Parameter
from chainrule.tensor import Tensor as Tensor
from chainrule.tensor import as_tensor as as_tensor
from chainrule.tensor import from_numpy as from_numpy
from chainrule.tensor import matmul as matmul
from chainrule.tensor import tensor as tensor
from chainrule.version import __version__ as __version__

if TYPE_CHECKING:  # what `__getattr__` loads when it is first asked for, for those who read types
    from chainrule import functional as functional
    from chainrule import nn as nn
    from chainrule import optim as optim
    from chainrule.compile.threads import get_num_threads as get_num_threads
    from chainrule.compile.threads import set_num_threads as set_num_threads
    from chainrule.functional import log_softmax as log_softmax
    from chainrule.functional import scan as scan
    from chainrule.functional import softmax as softmax
    from chainrule.model import Model as Model
    from chainrule.model.opening import load as load
    from chainrule.serialization import save as save

_FOLDERS = ("data", "explain", "functional", "model", "nn", "optim", "train", "utils")
_LATER = {
    "get_num_threads": "chainrule.compile.threads",
    "load": "chainrule.model.opening",
    "log_softmax": "chainrule.functional",
    "Model": "chainrule.model",
    "save": "chainrule.serialization",
    "scan": "chainrule.functional",
    "set_num_threads": "chainrule.compile.threads",
    "softmax": "chainrule.functional",
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _FOLDERS:
        return import_module(f"chainrule.{name}")
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module 'chainrule' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_FOLDERS, *_LATER})
