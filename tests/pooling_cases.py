"""What the tests of pooling share."""

import numpy as np
import pytest

from nnscratch.layers.spatial.average_pooling import AvgPool1d, AvgPool2d
from nnscratch.layers.spatial.max_pooling import MaxPool1d, MaxPool2d

MAXIMA, MEANS = [MaxPool1d, MaxPool2d], [AvgPool1d, AvgPool2d]
every_maximum = pytest.mark.parametrize("cls", MAXIMA)
every_pooling = pytest.mark.parametrize("cls", [*MAXIMA, *MEANS])
every_dtype = pytest.mark.parametrize(("dtype", "tolerance"), [("f8", 1e-10), ("f4", 1e-5)])
every_name = pytest.mark.parametrize("name", ["C", "F", "samples innermost", "apart", "backwards"])


def integers(*shape, seed=0):
    """Few different numbers, so that most windows hold a tie."""
    return np.random.default_rng(seed).integers(-1, 2, shape).astype(float)


def distinct(*shape, seed=0):
    """Numbers of which no two are nearer than 0.1, so that central differences meet no kink."""
    return np.random.default_rng(seed).permutation(np.prod(shape)).reshape(shape) / 10


def run(layer, x, dy):
    y = layer.forward(x)
    return y, layer.backward(dy)[0]


def in_memory(x, name):
    """Equal numbers in another order of memory."""
    order = (*range(2, x.ndim - 1), 1, x.ndim - 1, 0)
    if name == "F":
        return np.asfortranarray(x)
    if name == "samples innermost":
        return np.array(x.transpose(order), order="C").transpose(np.argsort(order))
    if name == "apart":
        return np.repeat(x, 2, axis=-1)[..., ::2]
    if name == "backwards":
        return np.flip(np.flip(x).copy())
    return np.array(x, order="C")


def through_torch(torch, function, x, dy):
    tx = torch.tensor(x, requires_grad=True)
    ty = function(tx)
    ty.backward(torch.tensor(dy))
    return ty.detach().numpy(), tx.grad.numpy()
