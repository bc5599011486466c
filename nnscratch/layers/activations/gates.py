"""Gates: each number times the share of it that is let through."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from nnscratch import compiled
from nnscratch.initializers import he_normal
from nnscratch.kinds import checks_kinds
from nnscratch.layers.activations.sigmoids import hard_sigmoid, sigmoid, softplus
from nnscratch.layers.base import Layer, floating
from nnscratch.layers.written import written

__all__ = ["GELU", "GLU", "HardSwish", "Mish", "SiLU"]


class GELU(Layer):
    """y = x Φ(x), with derivative Φ(x) + x φ(x), for Φ and φ of the standard normal.

    Notes
    -----
    *Forward*: the exact form by the error function, not the approximation by tanh. In float32
    Φ is computed by a fit to the error function whose error is that of the numbers, 2e-7, block by
    block, so that a block stays in the processor's cache.

    *Backward*: the product rule, with Φ' = φ(x) = e^(-x²/2) / √(2π).

    *Cache*: x and Φ(x), which takes longer to compute than all the rest.

    References
    ----------
    Hendrycks and Gimpel, Gaussian error linear units (2016).

    Examples
    --------
    >>> GELU().forward(np.array([-100.0, 0.0, 100.0]))
    array([ -0.,   0., 100.])
    """

    element_wise = True
    suits = staticmethod(he_normal)

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        share = _normal_cdf(x)
        return x * share, (x, share)

    def backward_pass(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        x, share = cache
        dx = np.empty_like(x)
        for dy_part, x_part, phi, out in blocks(dx, dy, x, share):
            density = np.exp(x_part * x_part / -2)
            if not compiled.gelu_back(dy_part, x_part, phi, density, out):
                density /= math.sqrt(2 * math.pi)
                density *= x_part
                density += phi
                np.multiply(dy_part, density, out=out)
        return dx


class SiLU(Layer):
    """y = x σ(x) for the sigmoid σ, with derivative σ(x) (1 + x (1 - σ(x))).

    Notes
    -----
    *Backward*: the product rule: σ + x σ' = σ + x σ (1 - σ).

    *Cache*: x and σ(x).

    References
    ----------
    Elfwing et al., Sigmoid-weighted linear units (2017); also known as swish.

    Examples
    --------
    >>> SiLU().forward(np.array([-1000.0, 0.0, 1000.0]))
    array([  -0.,    0., 1000.])
    """

    element_wise = True
    suits = staticmethod(he_normal)

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        s = sigmoid(x)
        return x * s, (x, s)

    def backward_pass(self, dy: np.ndarray, cache: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        x, s = cache
        return dy * (s * (1 + x * (1 - s)))


class Mish(Layer):
    """y = x tanh(s) with s = log(1 + eˣ), and derivative tanh(s) + x (1 - tanh²(s)) σ(x).

    Notes
    -----
    *Backward*: the product rule, with tanh' = 1 - tanh² and ds/dx = σ(x), that of `Softplus`.

    *Cache*: x and tanh(s).

    References
    ----------
    Misra, Mish: a self regularized non-monotonic activation function (2019).

    Examples
    --------
    >>> Mish().forward(np.array([-1000.0, 0.0, 1000.0]))
    array([  -0.,    0., 1000.])
    """

    element_wise = True
    suits = staticmethod(he_normal)

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        gate = np.tanh(softplus(x))
        return x * gate, (x, gate)

    def backward_pass(self, dy: np.ndarray, cache: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        x, gate = cache
        return dy * (gate + x * sigmoid(x) * (1 - gate * gate))


class HardSwish(Layer):
    """y = x h(x) for the `HardSigmoid` h, with derivative x/3 + 1/2 between -3 and 3.

    Notes
    -----
    *Backward*: h + x h', which is 0 up to -3, 1 from 3 on, and (x/6 + 1/2) + x/6 between. At the
    two corners the outer values are taken, as in torch.

    *Cache*: x.

    References
    ----------
    Howard et al., Searching for MobileNetV3 (2019), section 5.2.

    Examples
    --------
    >>> layer = HardSwish()
    >>> layer.forward(np.array([-3.0, 1.5, 3.0]))
    array([-0.   ,  1.125,  3.   ])
    >>> layer.backward(np.array([1.0, 1.0, 1.0]))[0]
    array([0., 1., 1.])
    """

    element_wise = True
    suits = staticmethod(he_normal)

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        return x * hard_sigmoid(x), x

    def backward_pass(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        bent = (x / 3 + 0.5) * (np.abs(x) < 3)
        return dy * (bent + (x >= 3))


class GLU(Layer):
    """The first half of an axis, let through by the second: y = a ∘ σ(b) for x = [a, b].

    Parameters
    ----------
    axis : int

    Notes
    -----
    *Backward*: the product rule, da = dy ∘ σ(b) and db = dy ∘ a ∘ σ(b) (1 - σ(b)), side by side.

    *Shapes*: x any with an even size on that axis; y half of it.

    *Cache*: a, σ(b) and the axis.

    Raises
    ------
    ValueError
        x has no such axis, or the size of it is odd.

    References
    ----------
    Dauphin et al., Language modeling with gated convolutional networks (2016), section 2.

    Examples
    --------
    >>> layer = GLU()
    >>> layer.forward(np.array([10.0, 20.0, 0.0, 1000.0]))
    array([ 5., 20.])
    >>> layer.backward(np.array([2.0, 2.0]))[0]
    array([1., 2., 5., 0.])
    """

    @checks_kinds
    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        if not -x.ndim <= self.axis < x.ndim or x.shape[self.axis] % 2:
            self.refuse(
                f"an axis {self.axis} of even size, both halves on it",
                x,
                "let the layer before it have twice as many features as this one shall",
            )
        a, b = np.split(x, 2, self.axis)
        gate = sigmoid(b)
        return a * gate, (a, gate, self.axis)

    def backward_pass(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        a, gate, axis = cache
        da = dy * gate
        return np.concatenate([da, da * a * (1 - gate)], axis)

    def __repr__(self) -> str:
        return written(self)


def _normal_cdf(x: np.ndarray) -> np.ndarray:
    """Φ(x) = erfc(-x/√2) / 2."""
    if x.dtype == np.float32:
        share = np.empty_like(x)
        with np.errstate(under="ignore", invalid="ignore"):  # of what is far out
            for part, out in blocks(share, x):
                _single_normal_cdf(part, out)
        return share
    from scipy.special import ndtr  # slow to import and needed only here

    wide = x if x.dtype in (np.float32, np.float64) else x.astype(np.float64)  # all that it knows
    return ndtr(wide).astype(x.dtype, copy=False)


BLOCK = 16384  # numbers: several arrays of them fit into a cache of 512 KB

# c of erfc(z) = t exp(-z² + Σ c_k t^k) with t = 1 / (1 + z/2) and z >= 0: Press et al., Numerical
# recipes (1992), section 6.2. The error is at most 1.2e-7 of erfc(z), wherever z lies.
ERFC = np.empty(10, np.float32)
ERFC[:5] = -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806
ERFC[5:] = 0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277


def _single_normal_cdf(x: np.ndarray, out: np.ndarray) -> None:
    """Φ(x) = erfc(|x|/√2) / 2 for x <= 0, and 1 less that of -x for x > 0, in float32."""
    exponent = np.empty_like(x)
    if compiled.erfc_exponent(x, exponent):
        np.exp(exponent, out=exponent)
        if compiled.erfc_share(x, exponent, out):
            return
    z = np.abs(x) * math.sqrt(0.5)
    t = 1 / (0.5 * z + 1)
    exponent.fill(ERFC[-1])
    for c in ERFC[-2::-1]:
        exponent *= t
        exponent += c
    exponent -= z * z
    half = np.exp(exponent, out=exponent)
    half *= 0.5 * t
    np.copyto(out, np.where(x > 0, 1 - half, half))


def blocks(like: np.ndarray, *arrays: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """Equally long pieces of arrays of one shape, and of `like` itself, in the order of its memory.

    >>> like, x = np.zeros((2, 3)), np.ones((3, 2)).T
    >>> for part, out in blocks(like, x):
    ...     out += part
    >>> bool((like == x).all())
    True
    """
    flat = [_in_memory_of(like, array).ravel(order="K") for array in arrays]
    flat.append(like.ravel(order="K"))
    for start in range(0, like.size, BLOCK):
        yield tuple(array[start : start + BLOCK] for array in flat)


def _in_memory_of(like: np.ndarray, array: np.ndarray) -> np.ndarray:
    """The array, copied if its memory has another order than that of `like`."""
    if array.strides == like.strides:
        return array
    copied = np.empty_like(like, dtype=array.dtype)
    copied[...] = array
    return copied
