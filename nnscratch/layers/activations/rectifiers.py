"""Rectifiers: what is positive passes, what is negative is bent.

Both halves of such a function are computed and masks are multiplied, which in NumPy is several
times faster than `np.where` or assignment through a mask.
"""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from nnscratch import compiled
from nnscratch.initializers import he_normal, lecun_normal
from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Grads, Layer, floating
from nnscratch.layers.wider import summed
from nnscratch.layers.written import written

__all__ = ["ELU", "SELU", "LeakyReLU", "PReLU", "ReLU"]


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
        x = floating(x)
        y = np.empty_like(x)
        if not compiled.relu(x, y):
            np.maximum(x, 0, out=y)
        return y, y

    def backward_pass(self, dy: np.ndarray, y: np.ndarray) -> np.ndarray:
        dx = np.empty_like(dy)
        return dx if compiled.relu_back(dy, y, dx) else np.multiply(dy, y > 0, out=dx)


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

    @checks_kinds
    def __init__(self, slope: float = 0.01) -> None:
        self.slope = float(slope)

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        return np.maximum(x, 0) + self.slope * np.minimum(x, 0), x

    def backward_pass(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        positive = x > 0
        return dy * (positive + dy.dtype.type(self.slope) * ~positive)

    def __repr__(self) -> str:
        return f"LeakyReLU({self.slope})"


class PReLU(Layer):
    """y = x where x > 0, else slope · x, with a slope that is learned.

    Parameters
    ----------
    count : int
        How many slopes there are: 1 for all numbers, or one for each place of axis 1, that is for
        each feature of rows or channel of images.

    Notes
    -----
    *Backward*: 1 for x > 0, else slope; at 0 that of the left side, as for `LeakyReLU`.

    *Gradient*: ∂y/∂slope = x where x <= 0, else 0: dslope = Σ dy · min(x, 0), over all numbers that
    share the slope.

    *Shapes*: x and y any; with a count above 1 (batch, count, ...). slope (count,), 0.25 at first.

    *Cache*: x.

    Raises
    ------
    ValueError
        x has not so many places on axis 1, or count is not positive.

    References
    ----------
    He et al., Delving deep into rectifiers (2015), section 2.1.

    Examples
    --------
    >>> layer = PReLU()
    >>> layer.forward(np.array([-2.0, 3.0], np.float32))
    array([-0.5,  3. ], dtype=float32)
    >>> layer.backward(np.array([10.0, 10.0], np.float32))
    (array([ 2.5, 10. ], dtype=float32), {'slope': array([-20.], dtype=float32)})
    """

    suits = staticmethod(he_normal)

    @checks_kinds
    def __init__(self, count: int = 1) -> None:
        self.count = index(count)
        if self.count < 1:
            raise ValueError(f"PReLU expected a count of at least 1, received {count}")
        self.params = {"slope": np.full(self.count, 0.25, np.float32)}

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x, self.dtype)
        if self.count > 1 and (x.ndim < 2 or x.shape[1] != self.count):
            shape = f"(batch, {self.count}, ...)"
            remedy = "pass one sample as a batch of one: x[np.newaxis]"
            if x.ndim > 1:
                remedy = f"make it {written(self, count=x.shape[1])}, or PReLU() with one for all"
            self.refuse(shape, x, remedy)
        return np.maximum(x, 0) + self._along(x) * np.minimum(x, 0), x

    def backward_pass(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        positive = x > 0
        return dy * (positive + self._along(x) * ~positive)

    def gradient_pass(self, dy: np.ndarray, x: np.ndarray) -> Grads:
        products = dy * np.minimum(x, 0)
        axes = (0, *range(2, x.ndim)) if self.count > 1 else None
        return {"slope": summed(products, axes).reshape(self.count)}

    def _along(self, x: np.ndarray) -> np.ndarray:
        """The slopes in a shape that broadcasts against x."""
        slope = self.params["slope"]
        # one slope as an array without axes, so that y has x's shape where x has none either
        return slope.reshape(()) if self.count == 1 else slope.reshape(-1, *(1,) * (x.ndim - 2))

    def __repr__(self) -> str:
        return written(self)


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

    @checks_kinds
    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = float(alpha)

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        return np.maximum(x, 0) + self.alpha * np.expm1(np.minimum(x, 0)), x

    def backward_pass(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        positive = x > 0
        return dy * (positive + self.alpha * np.exp(np.minimum(x, 0)) * ~positive)

    def __repr__(self) -> str:
        return f"ELU({self.alpha})"


class SELU(Layer):
    """y = scale · ELU(x) with such a scale and alpha that mean 0 and variance 1 stay in deep nets.

    Notes
    -----
    *Forward*: y = scale · x where x > 0, else scale · alpha (eˣ - 1). For x standard normal, y has
    mean 0 and variance 1; these two conditions give alpha = 1.6733 and scale = 1.0507.

    *Backward*: scale, and scale · alpha eˣ where x <= 0.

    *Cache*: x.

    References
    ----------
    Klambauer et al., Self-normalizing neural networks (2017), equation 2.

    Examples
    --------
    >>> SELU().forward(np.array([-1000.0, 0.0, 1.0])).round(4)
    array([-1.7581,  0.    ,  1.0507])
    """

    element_wise = True
    suits = staticmethod(lecun_normal)
    alpha, scale = 1.6732632423543772, 1.0507009873554805

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        bent = self.alpha * np.expm1(np.minimum(x, 0))
        return self.scale * (np.maximum(x, 0) + bent), x

    def backward_pass(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        positive = x > 0
        slope = positive + self.alpha * np.exp(np.minimum(x, 0)) * ~positive
        return self.scale * dy * slope
