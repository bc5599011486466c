"""The correct layers, operators and losses that are mutated, each with inputs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import nnscratch as nn


def signed(rng, *shape):
    return rng.uniform(0.4, 1.6, shape) * rng.choice([-1, 1], shape)


def positive(rng, *shape):
    return rng.uniform(0.4, 1.6, shape)


def regular(rng, *shape):
    return rng.uniform(-1, 1, shape) + (shape[-1] + 1) * np.eye(shape[-1])


def labels(rng, n, classes):
    return rng.integers(0, classes, n)


@dataclass(frozen=True)
class Case:
    """A layer to mutate, and what to feed it."""

    build: Callable[[], Any]
    inputs: Callable[[np.random.Generator], tuple]
    part: Any = None  # the class whose passes are mutated, if not the object's own

    @property
    def mutated(self):
        return self.part or type(self.build())


def one(*shape, sample=signed):
    return lambda rng: (sample(rng, *shape),)


def two(first, second, sample=signed):
    return lambda rng: (sample(rng, *first), sample(rng, *second))


def shared():
    layer = nn.Linear(5, 5, rng=1)
    return nn.Sequential(layer, nn.Tanh(), layer)


def normalized():
    layer = nn.Normalize(5)
    layer.fit(signed(np.random.default_rng(1), 40, 5))
    return layer


def scores(rng):
    return signed(rng, 7, 5), labels(rng, 7, 5)


def alignments(rng):
    lengths = np.array([3, 2, 1, 2]), np.array([7, 6, 7, 5])
    return signed(rng, 4, 7, 5), (rng.integers(1, 5, (4, 3)), *lengths)


def attended(rng):
    return signed(rng, 3, 5, 4), signed(rng, 3, 6, 4), signed(rng, 3, 6, 2)


ZOO = [
    Case(lambda: nn.Linear(5, 3, rng=1), one(7, 5)),
    Case(lambda: nn.Linear(5, 5, rng=1), one(7, 5)),
    Case(lambda: nn.Bias(5), one(7, 5)),
    *(
        Case(build, one(7, 5))
        for build in (
            nn.Identity,
            nn.Sigmoid,
            nn.Tanh,
            nn.ReLU,
            lambda: nn.LeakyReLU(0.2),
            lambda: nn.ELU(1.3),
            nn.GELU,
            nn.SiLU,
            nn.Softplus,
            nn.Softmax,
            nn.LogSoftmax,
            nn.Erf,
            nn.Sin,
            nn.Cos,
            nn.Exp,
            nn.Square,
            lambda: nn.Power(3),
            lambda: nn.Dropout(0.4, rng=3),
            nn.Sum,
            lambda: nn.Sum(1),
            nn.Mean,
            lambda: nn.Mean(1),
            nn.Transpose,
            lambda: nn.Reshape((5, -1)),
        )
    ),
    Case(nn.Log, one(7, 5, sample=positive)),
    Case(nn.Sqrt, one(7, 5, sample=positive)),
    Case(lambda: nn.Power(-0.5), one(7, 5, sample=positive)),
    Case(lambda: nn.Softmax(1), one(7, 5, 3)),
    Case(lambda: nn.LogSoftmax(0), one(7, 5)),
    Case(nn.Flatten, one(7, 3, 4)),
    Case(lambda: nn.Transpose((1, 2, 0)), one(7, 5, 3)),
    *(
        Case(build, two(*shapes))
        for build in (nn.Add, nn.Sub, nn.Mul, nn.Div)
        for shapes in (((7, 5), (7, 5)), ((7, 5), (5,)), ((7, 1, 3), (5, 1)))
    ),
    Case(nn.MatMul, two((7, 5), (5, 3))),
    Case(nn.MatMul, two((5, 5), (5, 5))),
    Case(nn.MatMul, two((4, 7, 5), (5, 3))),
    Case(lambda: nn.Concatenate(1), two((7, 5), (7, 3))),
    Case(nn.Trace, one(7, 4, 4)),
    Case(nn.Determinant, one(7, 4, 4, sample=regular)),
    Case(nn.Inverse, one(7, 4, 4, sample=regular)),
    Case(shared, one(7, 5)),
    Case(lambda: nn.Sequential(nn.Linear(5, 4, rng=1), nn.ReLU(), nn.Linear(4, 3)), one(7, 5)),
    Case(lambda: nn.Residual(nn.Linear(5, 5, rng=1)), one(7, 5)),
    Case(lambda: nn.Residual(nn.Tanh()), one(7, 5)),
    Case(lambda: nn.Correlation1d(3, 4, 3, 2, (1, 3), 2, rng=1), one(7, 3, 9)),
    Case(lambda: nn.Correlation2d(3, 4, (2, 3), rng=1), one(7, 3, 5, 6)),
    Case(lambda: nn.Correlation2d(3, 4, (3, 2), (2, 3), 1, (2, 1), rng=1), one(7, 3, 6, 8)),
    Case(lambda: nn.Convolution1d(3, 4, 3, 2, "full", rng=1), one(7, 3, 6)),
    Case(lambda: nn.Convolution2d(3, 4, (2, 3), (1, 2), (0, 1), rng=1), one(7, 3, 5, 6)),
    Case(lambda: nn.ConvTranspose1d(3, 4, 2, 3, 1, rng=1), one(7, 3, 5)),
    Case(lambda: nn.ConvTranspose2d(3, 4, (3, 2), (2, 1), (1, 0), rng=1), one(7, 3, 5, 6)),
    Case(lambda: nn.MaxPool1d(3, 2, 1), one(5, 3, 7)),
    Case(lambda: nn.MaxPool2d(2), one(5, 3, 6, 7)),
    Case(lambda: nn.AvgPool1d(2), one(5, 3, 7)),
    Case(lambda: nn.AvgPool2d(3, 2, 1), one(5, 3, 6, 7)),
    Case(nn.GlobalAvgPool, one(5, 3, 6, 7)),
    Case(lambda: nn.Upsample((2, 3)), one(5, 3, 4, 6)),
    Case(lambda: nn.BatchNorm(5), one(7, 5)),
    Case(lambda: nn.BatchNorm(3), one(7, 3, 4, 2)),
    Case(lambda: nn.BatchNorm(5).eval(), one(7, 5)),
    Case(lambda: nn.LayerNorm(5), one(7, 5)),
    Case(lambda: nn.GroupNorm(3, 6), one(7, 6, 4)),
    Case(lambda: nn.Embedding(6, 3, rng=1), lambda rng: (labels(rng, 7, 6),)),
    Case(lambda: nn.Scan(nn.Linear(12, 5, rng=1), window=4, stride=3), one(7, 11, 3)),
    Case(lambda: nn.Scan(nn.Linear(6, 5, rng=1), window=3), one(4, 7, 2)),
    Case(nn.SoftmaxCrossEntropy, scores),
    Case(nn.SoftmaxCrossEntropy, lambda rng: (signed(rng, 7, 5), np.eye(5)[labels(rng, 7, 5)])),
    Case(nn.NLLLoss, scores),
    Case(nn.HingeLoss, scores),
    Case(nn.MSELoss, two((7, 5), (7, 5))),
    Case(lambda: nn.MSELoss("sum"), two((7, 5), (7, 5))),
    Case(nn.L1Loss, two((7, 5), (7, 5))),
    Case(nn.HuberLoss, two((7, 5), (7, 5))),
    Case(nn.BCEWithLogits, lambda rng: (signed(rng, 7, 5), rng.integers(0, 2, (7, 5)))),
    *(
        Case(build, one(7, 5))
        for build in (
            nn.Abs,
            nn.HardSigmoid,
            nn.HardSwish,
            nn.Mish,
            nn.SELU,
            lambda: nn.PReLU(5),
            lambda: nn.Clip(-1, 1),
            lambda: nn.Flip(1),
            lambda: nn.Index((slice(None), 2)),
            lambda: nn.LogSumExp(1),
            lambda: nn.Max(1),
            lambda: nn.Min(1),
            lambda: nn.RMSNorm(5),
            lambda: nn.Tile((2, 3)),
        )
    ),
    Case(nn.GLU, one(7, 6)),
    Case(normalized, one(7, 5)),
    Case(lambda: nn.Split(2, 1), one(7, 6)),
    Case(lambda: nn.Pad(((1, 2), (0, 3))), one(5, 3, 4, 6)),
    Case(lambda: nn.Conv1d(3, 4, 3, 2, 1, rng=1), one(7, 3, 9)),
    Case(lambda: nn.Conv2d(3, 4, (3, 2), 2, rng=1), one(7, 3, 6, 8)),
    Case(lambda: nn.Split([2], 1), one(7, 5)),
    *(Case(build, two((7, 5), (7, 5))) for build in (nn.Maximum, nn.Minimum)),
    Case(lambda: nn.Stack(1), two((7, 5), (7, 5))),
    Case(nn.Where, lambda rng: (rng.random((7, 5)) > 0.5, signed(rng, 7, 5), signed(rng, 7, 5))),
    Case(lambda: nn.InstanceNorm(3), one(7, 3, 4, 5)),
    Case(lambda: nn.AdaptiveAvgPool1d(2), one(5, 3, 7)),
    Case(lambda: nn.AdaptiveAvgPool2d((2, 3)), one(5, 3, 6, 7)),
    Case(lambda: nn.AdaptiveMaxPool1d(2), one(5, 3, 7)),
    Case(lambda: nn.AdaptiveMaxPool2d((2, 3)), one(5, 3, 6, 7)),
    Case(nn.GlobalMaxPool, one(5, 3, 6, 7)),
    Case(lambda: nn.Correlation2d(4, 6, 3, padding=1, groups=2, rng=1), one(5, 4, 6, 5)),
    Case(nn.CTCLoss, alignments),
    *(
        Case(build, one(3, 5, 4))
        for build in (
            lambda: nn.RNN(4, 3, rng=1),
            lambda: nn.GRU(4, 3, return_state=True, rng=1),
            lambda: nn.LSTM(4, 3, rng=1),
            lambda: nn.LSTM(4, 3, return_state=True, reverse=True, rng=1),
            lambda: nn.Unroll(nn.RNNCell(4, 3, rng=1)),
            lambda: nn.Bidirectional(nn.GRU(4, 3, rng=1)),
            nn.LastStep,
            lambda: nn.PositionalEncoding(4),
            lambda: nn.MultiHeadAttention(4, 2, causal=True, rng=1),
            lambda: nn.TransformerBlock(4, 2, 6, rng=1),
        )
    ),
    Case(nn.Attention, attended),
    Case(lambda: nn.RNNCell(4, 3, rng=1), two((5, 4), (5, 3))),
    Case(lambda: nn.GRUCell(4, 3, rng=1), two((5, 4), (5, 3))),
    Case(lambda: nn.LSTMCell(4, 3, rng=1), two((5, 4), (5, 6))),
]
