"""What tests feed layers with, and how they run them."""

import numpy as np


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def double(layer, seed=11):
    """The layer in float64, with parameters that no initializer made."""
    layer.astype("f8")
    rng = np.random.default_rng(seed)
    for name, array in layer.params.items():
        layer.params[name] = rng.normal(size=array.shape)
    return layer


def several(outputs):
    """The outputs of a layer, or its gradients by inputs, always as a tuple."""
    return outputs if isinstance(outputs, tuple) else (outputs,)


def random_dy(y, seed=5):
    """A dy for y, a tuple for several outputs."""
    rng = np.random.default_rng(seed)
    parts = [np.asarray(rng.normal(size=part.shape)).astype(part.dtype) for part in several(y)]
    return tuple(parts) if isinstance(y, tuple) else parts[0]


def run(layer, *inputs, seed=5):
    """(y, dx, grads) under a random dy."""
    y = layer.forward(*inputs)
    return y, *layer.backward(random_dy(y, seed))


def arrays(y, dx, grads):
    """All that a run gave, in a list; what has no gradient is left out."""
    return [
        *several(y),
        *(part for part in several(dx) if part is not None),
        *grads.values(),
    ]
