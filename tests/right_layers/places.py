"""Where the numbers lie, and how they are computed: what makes right layers look wrong."""

import numpy as np

from nnscratch.gradient_check.draws import is_float

# Where the numbers lie -----------------------------------------------------------------------


def plain(rng, x):
    return x


def tenths(rng, x):
    """Many equal numbers and many zeros, in float32."""
    return np.round(x, 1).astype(np.float32)


def integers(rng, x):
    """At every kink that lies at a whole number, and with many ties."""
    return np.round(2 * x)


def zeros(rng, x):
    """Images are full of zeros."""
    return x * (rng.random(x.shape) > 0.4)


def beside(rng, x):
    """1e-12 to 1e-4 beside tenths."""
    distance = 10.0 ** rng.uniform(-12, -4, x.shape) * rng.choice([-1, 0, 1], x.shape)
    return np.round(x, 1) + distance


def beside_integers(rng, x):
    return np.round(2 * x) + 10.0 ** rng.uniform(-12, -4, x.shape) * rng.choice([-1, 1], x.shape)


def small(rng, x):
    return x * 10.0 ** rng.integers(-12, -2)


def large(rng, x):
    return x * 10.0 ** rng.integers(2, 7)


def shifted(rng, x):
    """Close together and far from 0: differences lose digits."""
    return x * 1e-3 + 10.0 ** rng.integers(1, 5)


def single(rng, x):
    return x.astype(np.float32)


PLACES = (
    *(plain, tenths, integers, zeros, beside, beside_integers),
    *(small, large, shifted, single),
)

# How they are computed -----------------------------------------------------------------------


class Mixed:
    """A layer as strangers wrap them: rounded to float32 or float16 inside."""

    def __init__(self, layer, dtype):
        self.layer, self.dtype = layer, dtype

    def forward(self, *inputs):
        inputs = [x.astype(self.dtype) if is_float(x) else x for x in inputs]
        y = self.layer.forward(*(x.astype(float) if is_float(x) else x for x in inputs))
        return np.asarray(y, np.float32).astype(np.float64)

    def backward(self, dy):
        return self.layer.backward(dy)


class Digits:
    """A layer whose outputs are known to some digits only."""

    def __init__(self, layer, digits):
        self.layer, self.digits = layer, digits

    def forward(self, *inputs):
        y = np.asarray(self.layer.forward(*inputs), np.float64)
        with np.errstate(all="ignore"):
            size = 10.0 ** (self.digits - np.floor(np.log10(np.abs(y))))
            return np.where(y == 0, 0.0, np.round(y * size) / size)

    def backward(self, dy):
        return self.layer.backward(dy)


def double(layer, rng):
    return layer


def in_float32(layer, rng):
    return Mixed(layer, np.float32)


def in_float16(layer, rng):
    return Mixed(layer, np.float16)


def in_digits(layer, rng):
    return Digits(layer, int(rng.integers(3, 13)))


WAYS = (double, double, double, double, double, in_float32, in_float16, in_digits)
