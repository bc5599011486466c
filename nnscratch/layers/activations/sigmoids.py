"""Smooth steps and ramps: the identity, the sigmoid and its kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch.initializers import glorot
from nnscratch.layers.base import Layer, floating

__all__ = ["HardSigmoid", "Identity", "Sigmoid", "Softplus", "Tanh"]


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
    off_center = True  # y lies around 1/2
    suits = staticmethod(glorot(4))  # the slope at 0 is 1/4

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        y = sigmoid(floating(x))
        return y, y

    def backward_pass(self, dy: np.ndarray, y: np.ndarray) -> np.ndarray:
        return dy * (y * (1 - y))


class HardSigmoid(Layer):
    """y = 0 up to x = -3, 1 from 3 on, and the straight line x/6 + 1/2 between, of derivative 1/6.

    Notes
    -----
    *Backward*: at the two corners the derivative is taken as 0, as in torch.

    *Cache*: x.

    References
    ----------
    Courbariaux et al., BinaryConnect (2015), section 2.2; Howard et al., Searching for
    MobileNetV3 (2019), section 5.2, with these corners.

    Examples
    --------
    >>> layer = HardSigmoid()
    >>> layer.forward(np.array([-5.0, 0.0, 1.5, 5.0]))
    array([0.  , 0.5 , 0.75, 1.  ])
    >>> layer.backward(np.array([6.0, 6.0, 6.0, 6.0]))[0]
    array([0., 1., 1., 0.])
    """

    element_wise = True
    off_center = True
    suits = staticmethod(glorot(6))

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        return hard_sigmoid(x), x

    def backward_pass(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return dy * (np.abs(x) < 3) / 6


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
    off_center = True  # softplus(0) is log 2
    suits = staticmethod(glorot(1.85))  # √ mean σ(x)² is 1/1.85 for standard normal x

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


def hard_sigmoid(x: np.ndarray) -> np.ndarray:
    """x/6 + 1/2 within 0 ... 1."""
    return np.minimum(np.maximum(x / 6 + 0.5, 0), 1)
