"""A layer and torch's function on the same float64 numbers: value, dx and every gradient."""

import numpy as np

from tests import numeric


def agrees(torch, layer, function, *inputs, seed=0, tolerance=1e-10):
    """`function(params, *inputs)` of tensors gives what the layer gives, and the same gradients.

    The layer's parameters are drawn anew, in float64.
    """
    rng = np.random.default_rng(seed)
    layer.astype("f8")
    for name, array in layer.params.items():
        layer.params[name] = rng.normal(size=array.shape)
    y = layer.forward(*inputs)
    dy = rng.normal(size=y.shape)
    dx, grads = layer.backward(dy)
    params = {k: torch.tensor(np.array(v), requires_grad=True) for k, v in layer.params.items()}
    tensors = [torch.tensor(np.array(x), requires_grad=True) for x in inputs]
    expected = function(params, *tensors)
    expected.backward(torch.tensor(dy))
    numeric.close(y, expected.detach().numpy(), tolerance)
    for found, tensor in zip(dx if isinstance(dx, tuple) else (dx,), tensors, strict=True):
        numeric.close(found, tensor.grad.numpy(), tolerance)
    assert list(grads) == list(params)
    for name, tensor in params.items():
        numeric.close(grads[name], tensor.grad.numpy(), tolerance)
