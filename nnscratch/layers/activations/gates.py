"""Gates: each number times the share of it that is let through."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch import compiled
from nnscratch.initializers import he_normal
from nnscratch.kinds import checks_kinds
from nnscratch.layers.activations.normal import BLOCK, DENSITY_AT_0, blocks, normal_cdf
from nnscratch.layers.activations.sigmoids import hard_sigmoid, sigmoid, softplus
from nnscratch.layers.base import Layer, floating
from nnscratch.layers.written import written

__all__ = ["GELU", "GLU", "HardSwish", "Mish", "SiLU"]


class GELU(Layer):
    """y = x Φ(x), with derivative Φ(x) + x φ(x), for Φ and φ of the standard normal.

    Notes
    -----
    *Forward*: the exact form by the error function, not the approximation by tanh. In float32
    Φ is computed by a fit whose error is that of the numbers, 2e-7 (`normal.py`), block by block,
    so that a block stays in the processor's cache.

    *Backward*: the product rule, with Φ' = φ(x) = e^(-x²/2) / √(2π). It shares its exponential
    with Φ, so the forward pass computes it too.

    *Cache*: the derivative.

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
        y, slope, memory = np.empty_like(x), np.empty_like(x), np.empty(min(BLOCK, x.size), x.dtype)
        with np.errstate(under="ignore", over="ignore", invalid="ignore"):  # of what is far out
            for of_y, of_slope, of_x in blocks(y, slope, _laid_out_as(y, x)):
                power = memory[: of_x.size]
                if not compiled.half_square(of_x, power):
                    np.multiply(of_x, of_x, out=power)
                    power *= -0.5
                np.exp(power, out=power)
                if not compiled.gelu(of_x, power, of_y, of_slope):
                    share = normal_cdf(of_x, power)
                    np.multiply(of_x, share, out=of_y)
                    power *= DENSITY_AT_0
                    power *= of_x
                    np.add(power, share, out=of_slope)
        return y, slope

    def backward_pass(self, dy: np.ndarray, slope: np.ndarray) -> np.ndarray:
        return dy * slope


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
        near = np.minimum(np.maximum(x, -3), 3)  # infinity times 0 would be NaN
        bent = (near / 3 + 0.5) * (np.abs(x) < 3)
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


def _laid_out_as(like: np.ndarray, x: np.ndarray) -> np.ndarray:
    """x, copied if its memory has gaps that `like` has not."""
    if x.strides == like.strides:
        return x
    copied = np.empty_like(like)
    copied[...] = x
    return copied
