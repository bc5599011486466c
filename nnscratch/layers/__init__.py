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
from nnscratch.layers.average_pooling import AvgPool1d, AvgPool2d, GlobalAvgPool
from nnscratch.layers.base import Layer
from nnscratch.layers.batch_norm import BatchNorm
from nnscratch.layers.containers import Residual, Sequential
from nnscratch.layers.correlation import (
    Conv1d,
    Conv2d,
    Convolution1d,
    Convolution2d,
    Correlation1d,
    Correlation2d,
)
from nnscratch.layers.dropout import Dropout
from nnscratch.layers.elementary import Cos, Exp, Log, Power, Sin, Sqrt, Square
from nnscratch.layers.embedding import Embedding
from nnscratch.layers.layer_norm import GroupNorm, LayerNorm
from nnscratch.layers.linear import Bias, Linear
from nnscratch.layers.matmul import MatMul
from nnscratch.layers.matrix_functions import Determinant, Inverse, Trace
from nnscratch.layers.max_pooling import MaxPool1d, MaxPool2d
from nnscratch.layers.rearrange import Concatenate, Reshape, Transpose
from nnscratch.layers.reductions import Mean, Sum
from nnscratch.layers.scan import Scan
from nnscratch.layers.shape import Flatten
from nnscratch.layers.softmax import LogSoftmax, Softmax
from nnscratch.layers.transposed import ConvTranspose1d, ConvTranspose2d
from nnscratch.layers.upsample import Upsample

__all__ = [
    "ELU",
    "GELU",
    "Add",
    "AvgPool1d",
    "AvgPool2d",
    "BatchNorm",
    "Bias",
    "Concatenate",
    "Conv1d",
    "Conv2d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "Convolution1d",
    "Convolution2d",
    "Correlation1d",
    "Correlation2d",
    "Cos",
    "Determinant",
    "Div",
    "Dropout",
    "Embedding",
    "Exp",
    "Flatten",
    "GlobalAvgPool",
    "GroupNorm",
    "Identity",
    "Inverse",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "Log",
    "LogSoftmax",
    "MatMul",
    "MaxPool1d",
    "MaxPool2d",
    "Mean",
    "Mul",
    "Power",
    "ReLU",
    "Reshape",
    "Residual",
    "Scan",
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
    "Upsample",
]
