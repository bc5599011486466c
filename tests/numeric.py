"""Central differences: what every gradient of the library is compared with."""

import numpy as np


def gradient(function, array, h=1e-6):
    """dL/d(array) of a scalar function without arguments, by moving each element in place."""
    result = np.zeros(array.shape)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + h
        above = function()
        array[index] = kept - h
        below = function()
        array[index] = kept
        result[index] = (above - below) / (2 * h)
    return result


def check_layer(layer, *inputs, seed=0, tolerance=1e-7):
    """Compare dx and every gradient of a float64 layer with central differences.

    Arrays of integers and conditions are not moved, and have None for a gradient.
    """
    rng = np.random.default_rng(seed)
    fixed = [isinstance(x, np.ndarray) and x.dtype in (np.int64, bool) for x in inputs]
    inputs = [np.array(x, x.dtype if f else float) for x, f in zip(inputs, fixed, strict=True)]
    state = _rng_state(layer)
    y = layer.forward(*inputs)
    outputs = y if isinstance(y, tuple) else (y,)
    dy = tuple(np.asarray(rng.normal(size=part.shape)) for part in outputs)
    dx, grads = layer.backward(dy if isinstance(y, tuple) else dy[0])
    dx = dx if isinstance(dx, tuple) else (dx,)

    def loss():
        _set_rng_state(layer, state)
        y = layer.forward(*inputs)
        parts = zip(dy, y if isinstance(y, tuple) else (y,), strict=True)
        return float(sum(np.sum(weight * part) for weight, part in parts))

    for found, x, unmoved in zip(dx, inputs, fixed, strict=True):
        if unmoved:
            assert found is None
        else:
            close(found, gradient(loss, x), tolerance)
    assert list(grads) == list(layer.params)
    for name, array in layer.params.items():
        assert grads[name].shape == array.shape
        close(grads[name], gradient(loss, array), tolerance)


def close(found, expected, tolerance):
    """Equal up to the tolerance, relative to the largest element."""
    assert np.shape(found) == np.shape(expected)
    scale = max(1.0, np.abs(expected).max(initial=0))
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * scale)


def _rng_state(layer):
    return [inner.rng.bit_generator.state for _, inner in layer.walk() if hasattr(inner, "rng")]


def _set_rng_state(layer, states):
    drawing = [inner for _, inner in layer.walk() if hasattr(inner, "rng")]
    for inner, state in zip(drawing, states, strict=True):
        inner.rng.bit_generator.state = state
