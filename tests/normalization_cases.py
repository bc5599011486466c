"""What the tests of normalization share."""

import numpy as np
import pytest

from nnscratch.layers.normalization.batch_norm import BatchNorm
from nnscratch.layers.normalization.group_norm import GroupNorm, InstanceNorm
from nnscratch.layers.normalization.layer_norm import LayerNorm, RMSNorm

SHAPES = [(7, 5), (4, 5, 3), (3, 5, 2, 4)]


def drawn(layer, rng):
    """The layer in float64 with gamma and beta that no initializer made."""
    layer.astype("f8")
    for name, array in layer.params.items():
        layer.params[name] = rng.normal(1, 0.5, array.shape)
    for name in layer.buffers.keys() & {"running_mean", "running_var"}:
        layer.buffers[name] = rng.uniform(0.5, 2, layer.features)
    return layer


def in_order(x, order):
    """The same array with its axes in another order of memory."""
    return np.ascontiguousarray(x.transpose(order)).transpose(np.argsort(order))


def layers_for(shape):
    """One layer of every kind and mode for inputs of a shape."""
    return [
        BatchNorm(shape[1]),
        BatchNorm(shape[1], momentum=None, epsilon=0.1),
        BatchNorm(shape[1]).eval(),
        BatchNorm(shape[1], unbiased=False, affine=False),
        BatchNorm(shape[1], affine=False).eval(),
        LayerNorm(shape[-1]),
        LayerNorm(shape[1:], epsilon=0.1),
        LayerNorm(shape),
        LayerNorm(shape[1:], affine=False),
        RMSNorm(shape[-1]),
        RMSNorm(shape[1:], epsilon=0.1, affine=False),
        GroupNorm(1, shape[1], affine=False),
        GroupNorm(1, shape[1]),
        GroupNorm(shape[1], shape[1], epsilon=0.1),
    ]


every_layer = pytest.mark.parametrize(
    ("layer", "shape"),
    [(layer, shape) for shape in SHAPES for layer in layers_for(shape)]
    + [(InstanceNorm(5), (4, 5, 3)), (InstanceNorm(5, affine=False), (3, 5, 2, 4))]
    + [(GroupNorm(3, 6), (7, 6)), (GroupNorm(3, 6), (4, 6, 5)), (GroupNorm(2, 6), (4, 6, 3, 5))],
    ids=lambda value: f"{value!r}{'' if getattr(value, 'training', True) else '.eval()'}",
)


def passes_of(layer, x, dy):
    """y, dx and the gradients."""
    y = layer.forward(x)
    dx, grads = layer.backward(dy)
    return y, dx, *grads.values()
