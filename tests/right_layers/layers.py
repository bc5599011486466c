"""The right layers: ours, small, as students write them, and those of the mutation study."""

import numpy as np

import nnscratch as nn
from tests.mutation_study.textbook import AvgPool, Conv, Gates, Recurrent
from tests.mutation_study.zoo import ZOO


def numbers(rng, *shape):
    return rng.uniform(0.2, 1.8, shape) * rng.choice([-1, 1], shape)


def matrix(rng):
    return (numbers(rng, *rng.integers(2, 5, 2)),)


def rows(rng):
    return (numbers(rng, rng.integers(2, 5), 4),)


def pair(rng):
    shape = rng.integers(2, 4, 2)
    return numbers(rng, *shape), numbers(rng, *shape)


def line(rng):
    return (numbers(rng, 2, 2, rng.integers(5, 8)),)


def image(rng):
    return (numbers(rng, 2, 1, 4, 5),)


def steps(rng):
    return (numbers(rng, 2, 3, 2),)


def classes(rng):
    n = rng.integers(2, 5)
    return numbers(rng, n, 3), rng.integers(0, 3, n)


def bits(rng):
    x = matrix(rng)[0]
    return x, rng.integers(0, 2, x.shape)


def positive(rng):
    return (np.abs(matrix(rng)[0]),)


def images(rng):
    return (numbers(rng, 1, 2, 4, 5),)


class Relu:
    """As students write it: the input is kept."""

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, 0)

    def backward(self, dy):
        return dy * (self.x > 0)


class Affine:
    def __init__(self, rng):
        self.W, self.b = numbers(rng, 4, 3), np.zeros(3)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        self.dW, self.db = self.x.T @ dy, dy.sum(0)
        return dy @ self.W.T


class Squares:
    """A loss without dy."""

    def forward(self, prediction, target):
        self.difference = prediction - target
        return np.mean(self.difference**2)

    def backward(self):
        return 2 * self.difference / self.difference.size


def net(rng):
    return nn.Sequential(nn.Linear(4, 3, rng=rng), nn.ReLU(), nn.Linear(3, 2, rng=rng))


def of(cls, *args, **options):
    return lambda rng: cls(*args, **options)


def drawn(cls, *args):
    return lambda rng: cls(*args, rng=rng)


SMALL = [
    *(
        (of(cls), matrix)
        for cls in (
            *(nn.ReLU, nn.LeakyReLU, nn.ELU, nn.SELU, nn.GELU, nn.SiLU, nn.Softplus, nn.Sigmoid),
            *(nn.Tanh, nn.Abs, nn.HardSigmoid, nn.HardSwish, nn.Mish, nn.PReLU, nn.Softmax),
            *(nn.LogSoftmax, nn.Sin, nn.Exp, nn.Square, nn.Mean, nn.Max, nn.LogSumExp, Relu),
        )
    ),
    (of(nn.Clip, -1, 1), matrix),
    (of(nn.Max, 1), matrix),
    (of(nn.LogSumExp, 0), matrix),
    (lambda rng: nn.Dropout(0.4, rng=rng), matrix),
    (lambda rng: nn.Residual(nn.ReLU()), matrix),
    (lambda rng: nn.Sequential(nn.ReLU(), nn.Tanh()), matrix),
    *((of(cls), positive) for cls in (nn.Log, nn.Sqrt)),
    *((of(cls), pair) for cls in (nn.Add, nn.Sub, nn.Mul, nn.Div, nn.Maximum, nn.Minimum)),
    *((of(cls), pair) for cls in (nn.MSELoss, nn.L1Loss, nn.HuberLoss, Squares)),
    *((of(cls), classes) for cls in (nn.SoftmaxCrossEntropy, nn.HingeLoss)),
    (of(nn.BCEWithLogits), bits),
    *((drawn(nn.Linear, 4, 3), rows), (Affine, rows), (net, rows)),
    *((of(cls, 4), rows) for cls in (nn.BatchNorm, nn.LayerNorm, nn.RMSNorm)),
    (of(nn.GroupNorm, 2, 4), rows),
    (of(nn.MaxPool1d, 2), line),
    (of(nn.MaxPool1d, 3, 1), line),
    (of(nn.AvgPool1d, 2), line),
    (of(nn.AvgPool1d, 3, 2), line),
    (of(nn.AdaptiveMaxPool1d, 2), line),
    (of(nn.GlobalMaxPool), line),
    (of(nn.InstanceNorm, 2), line),
    (drawn(nn.Correlation1d, 2, 2, 3), line),
    (of(nn.MaxPool2d, 2), image),
    (of(nn.MaxPool2d, 3, 1), image),
    (of(nn.AvgPool2d, 2), image),
    (of(nn.GlobalAvgPool), image),
    (drawn(nn.Correlation2d, 1, 2, 3), image),
    *((drawn(cls, 2, 2), steps) for cls in (nn.RNN, nn.GRU, nn.LSTM)),
]


OF_TEXTBOOKS = [
    (lambda rng: Conv(2, 1, 0), images),
    (lambda rng: AvgPool(2, 2), images),
    (lambda rng: Recurrent(), lambda rng: (numbers(rng, 2, 3, 4),)),
    (lambda rng: Gates(), lambda rng: (numbers(rng, 3, 5),)),
]
OF_STUDY = [(lambda rng, c=case: c.build(), case.inputs) for case in ZOO]
SHARES = (0.8664726802457161, 0.8729388942774006)  # up to where small ones and textbooks go


def chosen(u):
    """The (build, inputs) of a number in [0, 1): by fixed shares, so that a new layer of the study
    leaves the small ones their numbers."""
    begun = 0.0
    for cases, ends in zip((SMALL, OF_TEXTBOOKS, OF_STUDY), (*SHARES, 1.0), strict=True):
        if u < ends:
            return cases[int((u - begun) / (ends - begun) * len(cases))]
        begun = ends
    raise AssertionError(u)
