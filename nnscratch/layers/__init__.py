"""The layers: values forward, gradients back. One file per idea; `base.py` is the protocol."""

from nnscratch.layers.activations import (
    ELU,
    GELU,
    Identity,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
)
from nnscratch.layers.arithmetic import Add, Div, Mul, Sub
from nnscratch.layers.base import Layer
from nnscratch.layers.containers import Residual, Sequential
from nnscratch.layers.dropout import Dropout
from nnscratch.layers.elementary import Cos, Exp, Log, Power, Sin, Sqrt, Square
from nnscratch.layers.linear import Bias, Linear
from nnscratch.layers.matmul import MatMul
from nnscratch.layers.matrix_functions import Determinant, Inverse, Trace
from nnscratch.layers.rearrange import Concatenate, Reshape, Transpose
from nnscratch.layers.reductions import Mean, Sum
from nnscratch.layers.shape import Flatten
from nnscratch.layers.softmax import LogSoftmax, Softmax

__all__ = [
    "ELU",
    "GELU",
    "Add",
    "Bias",
    "Concatenate",
    "Cos",
    "Determinant",
    "Div",
    "Dropout",
    "Exp",
    "Flatten",
    "Identity",
    "Inverse",
    "Layer",
    "LeakyReLU",
    "Linear",
    "Log",
    "LogSoftmax",
    "MatMul",
    "Mean",
    "Mul",
    "Power",
    "ReLU",
    "Reshape",
    "Residual",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Sin",
    "Softmax",
    "Softplus",
    "Sqrt",
    "Square",
    "Sub",
    "Sum",
    "Tanh",
    "Trace",
    "Transpose",
]
