"""Element-wise activations: y_i = g(x_i), so dx_i = dy_i · g'(x_i) ([Recitation], rule 6).

The derivatives are written in y where that is shorter, as for the sigmoid. Both halves of a
piecewise function are computed and masks are multiplied, which in NumPy is several times faster
than `np.where` or assignment through a mask.

A class says of itself that it is `element_wise`, and as `suits` which initializer keeps signals
alive in front of it, where that is not Glorot's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnscratch.initializers import he_normal
from nnscratch.layers.base import Layer, floating

__all__ = ["ELU", "GELU", "Identity", "LeakyReLU", "ReLU", "SiLU", "Sigmoid", "Softplus", "Tanh"]


class Identity(Layer):
    """y = x, with derivative 1.

    Examples
    --------
    >>> Identity().forward(np.array([-1.0, 2.0]))
    array([-1.,  2.])
    """

    element_wise = True

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        return floating(x), None

    def backward_pass(self, dy: np.ndarray, cache: None) -> np.ndarray:
        return dy


class Sigmoid(Layer):
    """y = 1 / (1 + e⁻ˣ), with derivative y (1 - y).

    Notes
    -----
    *Backward*: d/dx (1 + e⁻ˣ)⁻¹ = e⁻ˣ / (1 + e⁻ˣ)². Adding and subtracting 1 in the numerator,
    that is 1/(1 + e⁻ˣ) - 1/(1 + e⁻ˣ)² = y - y².

    *Cache*: y.

    References
    ----------
    [Slides] "Sigmoid Derivative"; [Operators] 8.

    Examples
    --------
    >>> Sigmoid().forward(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """

    element_wise = True

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        y = sigmoid(floating(x))
        return y, y

    def backward_pass(self, dy: np.ndarray, y: np.ndarray) -> np.ndarray:
        return dy * (y * (1 - y))


class Tanh(Layer):
    """y = tanh x = (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ), with derivative 1 - y².

    Notes
    -----
    *Backward*: the quotient rule gives ((eˣ + e⁻ˣ)² - (eˣ - e⁻ˣ)²) / (eˣ + e⁻ˣ)² = 1 - y².

    *Cache*: y.

    References
    ----------
    [Slides] "Tanh Derivative".

    Examples
    --------
    >>> layer = Tanh()
    >>> layer.forward(np.array([0.0]))
    array([0.])
    >>> layer.backward(np.array([3.0]))[0]
    array([3.])
    """

    element_wise = True

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        y = np.tanh(floating(x))
        return y, y

    def backward_pass(self, dy: np.ndarray, y: np.ndarray) -> np.ndarray:
        return dy * (1 - y * y)


class ReLU(Layer):
    """y = max(x, 0), with derivative 1 where x > 0, else 0.

    Notes
    -----
    *Backward*: the derivative does not exist at 0; [Slides] set it to 0 there.

    *Cache*: y, which is positive exactly where x is.

    References
    ----------
    [Slides] "ReLU Derivative"; [Operators] 7.

    Examples
    --------
    >>> layer = ReLU()
    >>> layer.forward(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    >>> layer.backward(np.array([5.0, 5.0, 5.0]))[0]
    array([0., 0., 5.])
    """

    element_wise = True
    suits = staticmethod(he_normal)

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        y = np.maximum(floating(x), 0)
        return y, y

    def backward_pass(self, dy: np.ndarray, y: np.ndarray) -> np.ndarray:
        return dy * (y > 0)


class LeakyReLU(Layer):
    """y = x where x > 0, else slope · x, with derivative 1 and slope.

    Parameters
    ----------
    slope : float
        The derivative for x <= 0.

    References
    ----------
    Maas et al., Rectifier nonlinearities improve neural network acoustic models (2013).

    Examples
    --------
    >>> LeakyReLU(0.1).forward(np.array([-2.0, 3.0]))
    array([-0.2,  3. ])
    """

    element_wise = True
    suits = staticmethod(he_normal)

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = float(slope)

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        return np.maximum(x, 0) + self.slope * np.minimum(x, 0), x

    def backward_pass(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        positive = x > 0
        return dy * positive + self.slope * dy * ~positive

    def __repr__(self) -> str:
        return f"LeakyReLU({self.slope})"


class ELU(Layer):
    """y = x where x > 0, else alpha (eˣ - 1), with derivative 1 and alpha eˣ.

    Parameters
    ----------
    alpha : float
        -alpha is the limit for x to minus infinity.

    References
    ----------
    Clevert et al., Fast and accurate deep network learning by exponential linear units (2015).

    Examples
    --------
    >>> ELU().forward(np.array([-1000.0, 0.0, 3.0]))
    array([-1.,  0.,  3.])
    """

    element_wise = True
    suits = staticmethod(he_normal)

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = float(alpha)

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        return np.maximum(x, 0) + self.alpha * np.expm1(np.minimum(x, 0)), x

    def backward_pass(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        positive = x > 0
        return dy * positive + self.alpha * dy * np.exp(np.minimum(x, 0)) * ~positive

    def __repr__(self) -> str:
        return f"ELU({self.alpha})"


class GELU(Layer):
    """y = x Φ(x), with derivative Φ(x) + x φ(x), for Φ and φ of the standard normal.

    Notes
    -----
    *Forward*: the exact form by the error function, not the approximation by tanh.

    *Backward*: the product rule, with Φ' = φ(x) = e^(-x²/2) / √(2π).

    *Cache*: x.

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
        return x * _normal_cdf(x), x

    def backward_pass(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        density = np.exp(x * x / -2) / math.sqrt(2 * math.pi)
        return dy * (_normal_cdf(x) + x * density)


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


class Softplus(Layer):
    """y = log(1 + eˣ), with derivative σ(x), the sigmoid.

    Notes
    -----
    *Forward*: as max(x, 0) + log(1 + e^-|x|), which cannot overflow. (torch returns x itself
    above 20, which differs by up to 2e-9.)

    *Backward*: eˣ / (1 + eˣ) = σ(x).

    *Cache*: x.

    References
    ----------
    Dugas et al., Incorporating second-order functional knowledge (2001).

    Examples
    --------
    >>> Softplus().forward(np.array([-1000.0, 0.0, 9.0])).round(4)
    array([0.    , 0.6931, 9.0001])
    """

    element_wise = True
    suits = staticmethod(he_normal)

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        return softplus(x), x

    def backward_pass(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return dy * sigmoid(x)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + e⁻ˣ); where e⁻ˣ overflows to infinity the quotient is rightly 0."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + eˣ), written so that nothing overflows."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _normal_cdf(x: np.ndarray) -> np.ndarray:
    from scipy.special import ndtr  # slow to import and needed only here

    wide = x if x.dtype in (np.float32, np.float64) else x.astype(np.float64)  # all that it knows
    return ndtr(wide).astype(x.dtype, copy=False)
