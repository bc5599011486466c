"""Elementary functions, element by element: dx_i = dy_i · g'(x_i) ([Recitation], rule 6).

Outside their domain these follow NumPy, forward and backward: the result is nan or inf and NumPy
warns. Nothing is clipped, so a NaN shows where it comes from.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer, floating

__all__ = ["Cos", "Erf", "Exp", "Log", "Power", "Sin", "Sqrt", "Square"]


class Sin(Layer):
    """y = sin x, with derivative cos x.

    References
    ----------
    [Operators] 9.

    Examples
    --------
    >>> layer = Sin()
    >>> layer.forward(np.array([0.0]))
    array([0.])
    >>> layer.backward([3.0])[0]
    array([3.])
    """

    element_wise = True

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        return np.sin(x), x

    def backward_pass(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return dy * np.cos(x)


class Cos(Layer):
    """y = cos x, with derivative -sin x.

    Notes
    -----
    *Backward*: cos x = sin(x + π/2), so its derivative is cos(x + π/2) = -sin x. [Operators] 3
    prints sin x, without the sign.

    References
    ----------
    [Operators] 3; [MatrixGradients], the worked example, which has the sign.

    Examples
    --------
    >>> layer = Cos()
    >>> layer.forward(np.array([0.0, np.pi / 2])).round(12)
    array([1., 0.])
    >>> layer.backward([5.0, 5.0])[0]
    array([-0., -5.])
    """

    element_wise = True

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        return np.cos(x), x

    def backward_pass(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return dy * -np.sin(x)


class Erf(Layer):
    """y = 2/√π ∫₀ˣ e^(-t²) dt, the error function, with derivative 2/√π e^(-x²).

    Notes
    -----
    *Backward*: the derivative of an integral by its upper end is what is integrated there. The
    distribution of the standard normal is Φ(x) = (1 + erf(x/√2)) / 2, of which GELU is made.

    References
    ----------
    Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 7.1.1 and 7.1.19.

    Examples
    --------
    >>> layer = Erf()
    >>> layer.forward(np.array([0.0, 1.0])).round(4)
    array([0.    , 0.8427])
    >>> layer.backward([1.0, 1.0])[0].round(4)
    array([1.1284, 0.4151])
    """

    element_wise = True

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        from scipy.special import erf  # slow to import and needed only here

        x = floating(x)
        known = x if x.dtype.itemsize <= 8 else x.astype(np.float64)  # all that it knows
        return np.asarray(erf(known)).astype(x.dtype, copy=False), x

    def backward_pass(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return dy * (2 / math.sqrt(math.pi) * np.exp(-x * x))


class Exp(Layer):
    """y = eˣ, with derivative y.

    Notes
    -----
    *Cache*: y.

    References
    ----------
    [MatrixGradients], the worked example.

    Examples
    --------
    >>> layer = Exp()
    >>> layer.forward(np.log([1.0, 2.0]))
    array([1., 2.])
    >>> layer.backward([3.0, 3.0])[0]
    array([3., 6.])
    """

    element_wise = True

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        y = np.exp(floating(x))
        return y, y

    def backward_pass(self, dy: np.ndarray, y: np.ndarray) -> np.ndarray:
        return dy * y


class Log(Layer):
    """y = log x, the natural logarithm, with derivative 1/x.

    Notes
    -----
    *Forward*: -inf at 0 and nan below it, with NumPy's RuntimeWarning.

    *Backward*: x = eʸ, so 1 = eʸ dy/dx and dy/dx = 1/x.

    *Cache*: x.

    References
    ----------
    [Recitation] rule 6.

    Examples
    --------
    >>> layer = Log()
    >>> layer.forward(np.array([1.0, 2.0])).round(4)
    array([0.    , 0.6931])
    >>> layer.backward([3.0, 3.0])[0]
    array([3. , 1.5])
    """

    element_wise = True

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        return np.log(x), x

    def backward_pass(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return dy / x


class Sqrt(Layer):
    """y = √x, with derivative 1 / (2y).

    Notes
    -----
    *Forward*: nan below 0, with NumPy's RuntimeWarning.

    *Backward*: x = y², so 1 = 2y dy/dx and dy/dx = 1 / (2y). At 0 the slope is infinite: dx is
    inf there (nan where dy is 0), with NumPy's RuntimeWarning.

    *Cache*: y.

    References
    ----------
    [MatrixGradients], the worked example.

    Examples
    --------
    >>> layer = Sqrt()
    >>> layer.forward(np.array([1.0, 4.0]))
    array([1., 2.])
    >>> layer.backward([2.0, 2.0])[0]
    array([1. , 0.5])
    """

    element_wise = True

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        y = np.sqrt(floating(x))
        return y, y

    def backward_pass(self, dy: np.ndarray, y: np.ndarray) -> np.ndarray:
        return dy / (2 * y)


class Square(Layer):
    """y = x², with derivative 2x.

    Notes
    -----
    *Backward*: the product rule on x · x: x + x = 2x.

    *Cache*: x.

    References
    ----------
    [MatrixGradients], the worked example; [Operators] 6 for the product rule.

    Examples
    --------
    >>> layer = Square()
    >>> layer.forward(np.array([-3.0, 2.0]))
    array([9., 4.])
    >>> layer.backward([1.0, 10.0])[0]
    array([-6., 40.])
    """

    element_wise = True

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        return x * x, x

    def backward_pass(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return dy * (2 * x)


class Power(Layer):
    """y = xᵖ for a constant exponent p, with derivative p xᵖ⁻¹.

    Parameters
    ----------
    exponent : float
        p, any finite number.

    Notes
    -----
    *Forward*: a negative x has a power only for a whole p, else nan; 0 to a negative power is
    inf. Both with NumPy's RuntimeWarning.

    *Backward*: xᵖ = e^(p log x) has the derivative xᵖ · p/x for x > 0; for a whole p the product
    rule gives the same for every x. For p = 0 the function is the constant 1 (NumPy has 0⁰ = 1
    too), so the derivative is 0 everywhere, where p xᵖ⁻¹ would be 0 · inf at x = 0.

    *Cache*: x.

    Raises
    ------
    ValueError
        The exponent is not finite.

    References
    ----------
    [Recitation] rule 6.

    Examples
    --------
    >>> layer = Power(3)
    >>> layer.forward(np.array([-2.0, 1.0]))
    array([-8.,  1.])
    >>> layer.backward([1.0, 10.0])[0]
    array([12., 30.])
    """

    element_wise = True

    @checks_kinds
    def __init__(self, exponent: float) -> None:
        if not math.isfinite(exponent):
            raise ValueError(f"Power expected a finite exponent, received {exponent}")
        self.exponent = float(exponent)  # a NumPy scalar would turn float32 into float64

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        return np.power(x, self.exponent), x

    def backward_pass(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        if self.exponent == 0:
            return np.zeros_like(dy)
        return dy * (self.exponent * np.power(x, self.exponent - 1))

    def __repr__(self) -> str:
        return f"Power({self.exponent})"
