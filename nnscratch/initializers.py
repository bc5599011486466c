"""Initial weights: random numbers whose spread keeps signals and gradients alive.

For y = W x with independent entries, Var(y_i) = fan_in · Var(W) · E(x²), and on the way back
Var(dx_j) = fan_out · Var(W) · Var(dy). Neither grows nor fades from layer to layer when Var(W)
is about 1/fan_in or 1/fan_out; each scheme below is one way to settle between the two.

Every initializer is a function `(shape, rng=None, dtype=float32) -> array` for weights of shape
(out, in, *kernel), where fan_in = in · prod(kernel) and fan_out = out · prod(kernel). `normal` and
`zeros` look at neither.
"""

from __future__ import annotations

import math
from typing import Any, NoReturn, Protocol

import numpy as np

from nnscratch.kinds import checks_kinds, received
from nnscratch.words import INITIALIZERS


class Initializer(Protocol):
    """What all functions of this file look like."""

    def __call__(self, shape: tuple[int, ...], rng: Any = None, dtype: Any = ...) -> np.ndarray:
        """An array of `shape` and `dtype`, drawn from `rng`."""


def drawn(name: str, initializer: Initializer, shape: tuple[int, ...], rng: Any) -> np.ndarray:
    """The first weights of a layer with that name; a ValueError where an initializer gives others.

    Examples
    --------
    >>> drawn("Linear", lambda shape, rng: np.zeros(3), (2, 3), None)
    Traceback (most recent call last):
    ValueError: Linear expected initializer as a function (shape, rng) that gives floating numbers
    of shape (2, 3), it gave an array float64 (3,)
    """
    expected = f"{name} expected initializer as a function (shape, rng) that gives"
    try:
        W = initializer(shape, rng)
    except TypeError as error:
        raise ValueError(f"{expected} numbers; {error}") from error
    if not isinstance(W, np.ndarray) or W.shape != shape or W.dtype.kind != "f":
        raise ValueError(f"{expected} floating numbers of shape {shape}, it gave {received(W)}")
    return W


@checks_kinds
def glorot_uniform(shape: tuple[int, ...], rng: Any = None, dtype: Any = np.float32) -> np.ndarray:
    """Uniform with Var(W) = 2 / (fan_in + fan_out), for tanh, sigmoid and no activation.

    The mean of what the forward and the backward pass ask for: Glorot and Bengio,
    Understanding the difficulty of training deep feedforward neural networks (2010), eq. 16.

    Parameters
    ----------
    shape : tuple of int
        (out, in, *kernel).
    rng : int, numpy.random.Generator or None
    dtype : floating dtype

    Examples
    --------
    >>> W = glorot_uniform((3, 5), rng=0)
    >>> W.shape, W.dtype.name, bool(abs(W).max() <= (6 / 8) ** 0.5)
    ((3, 5), 'float32', True)
    """
    fan_in, fan_out = fans(shape)
    return _uniform(shape, 2 / (fan_in + fan_out), rng, dtype)


@checks_kinds
def glorot_normal(shape: tuple[int, ...], rng: Any = None, dtype: Any = np.float32) -> np.ndarray:
    """Normal with Var(W) = 2 / (fan_in + fan_out); see `glorot_uniform`."""
    fan_in, fan_out = fans(shape)
    return _normal(shape, 2 / (fan_in + fan_out), rng, dtype)


@checks_kinds
def he_uniform(shape: tuple[int, ...], rng: Any = None, dtype: Any = np.float32) -> np.ndarray:
    """Uniform with Var(W) = 2 / fan_in; see `he_normal`."""
    return _uniform(shape, 2 / fans(shape)[0], rng, dtype)


@checks_kinds
def he_normal(shape: tuple[int, ...], rng: Any = None, dtype: Any = np.float32) -> np.ndarray:
    """Normal with Var(W) = 2 / fan_in, for ReLU and its relatives.

    ReLU lets half of a symmetric signal's power through, E(relu(y)²) = Var(y)/2, and the 2
    makes up for it: He et al., Delving deep into rectifiers (2015), eq. 10.

    Examples
    --------
    Through ten layers the signal neither dies out nor grows:

    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(100, 200))
    >>> for _ in range(10):
    ...     x = np.maximum(x @ he_normal((200, 200), rng).T, 0)
    >>> bool(0.5 < np.mean(x**2) < 2)
    True
    """
    return _normal(shape, 2 / fans(shape)[0], rng, dtype)


@checks_kinds
def lecun_uniform(shape: tuple[int, ...], rng: Any = None, dtype: Any = np.float32) -> np.ndarray:
    """Uniform with Var(W) = 1 / fan_in; see `lecun_normal`."""
    return _uniform(shape, 1 / fans(shape)[0], rng, dtype)


@checks_kinds
def lecun_normal(shape: tuple[int, ...], rng: Any = None, dtype: Any = np.float32) -> np.ndarray:
    """Normal with Var(W) = 1 / fan_in: LeCun et al., Efficient BackProp (1998), eq. 16."""
    return _normal(shape, 1 / fans(shape)[0], rng, dtype)


@checks_kinds
def normal(deviation: float) -> Initializer:
    """An initializer: normal with a standard deviation of one's own, whatever the layer's size.

    Parameters
    ----------
    deviation : float >= 0

    Raises
    ------
    ValueError
        It is negative or not finite.

    Examples
    --------
    >>> import nnscratch as nn
    >>> layer = nn.Linear(500, 200, rng=0, initializer=normal(0.01))
    >>> round(float(layer.params["W"].std()), 4)
    0.01
    """
    if not 0 <= deviation < math.inf:
        raise ValueError(
            f"normal expected a standard deviation of at least 0, received {deviation}"
        )

    def drawn(shape: tuple[int, ...], rng: Any = None, dtype: Any = np.float32) -> np.ndarray:
        return _normal(shape, deviation**2, rng, dtype)

    return drawn


@checks_kinds
def glorot(gain: float) -> Initializer:
    """An initializer: `glorot_uniform` times a gain.

    An activation with slope s at 0 passes on s² of a variance, which the gain 1/s makes up for.

    Parameters
    ----------
    gain : float > 0

    Examples
    --------
    >>> W = glorot(4)((30, 50), rng=0)
    >>> bool(np.allclose(W, 4 * glorot_uniform((30, 50), rng=0)))
    True
    """
    if not 0 < gain < math.inf:
        raise ValueError(f"glorot expected a positive gain, received {gain}")

    def drawn(shape: tuple[int, ...], rng: Any = None, dtype: Any = np.float32) -> np.ndarray:
        fan_in, fan_out = fans(shape)
        return _uniform(shape, 2 * gain**2 / (fan_in + fan_out), rng, dtype)

    return drawn


@checks_kinds
def centered(initializer: Initializer) -> Initializer:
    """The same weights, but those of each unit sum to 0; their variance is kept.

    For inputs that lie around a mean m other than 0, as the outputs of a sigmoid around ½:
    W (m + x) = m W 1 + W x, and the first term, which says nothing of the sample but pushes the
    next sigmoid onto its flat ends, is 0.

    Examples
    --------
    >>> W = centered(glorot_uniform)((30, 50), rng=0)
    >>> bool(abs(W.sum(axis=1)).max() < 1e-5)
    True
    """

    def drawn(shape: tuple[int, ...], rng: Any = None, dtype: Any = np.float32) -> np.ndarray:
        fan_in, _ = fans(shape)
        W = initializer(shape, rng, np.float64)
        if fan_in > 1:  # a single weight cannot sum to 0 and say something
            W -= W.mean(axis=tuple(range(1, W.ndim)), keepdims=True)
            W *= math.sqrt(fan_in / (fan_in - 1))
        return W.astype(dtype)

    return drawn


@checks_kinds
def zeros(shape: tuple[int, ...], rng: Any = None, dtype: Any = np.float32) -> np.ndarray:
    """All zero: right for a bias; equal weights of one layer would stay equal for ever."""
    return np.zeros(shape, dtype)


@checks_kinds
def for_activation(activation: object, behind: object = None) -> Initializer:
    """The initializer that suits the activation behind a linear layer.

    What its class says: `he_normal` for the ReLU family, a `glorot` with the gain 1/slope for
    sigmoids, and `glorot_uniform` for everything else.

    Parameters
    ----------
    activation : Layer, class of layers or None
    behind : Layer, class of layers or None
        The activation whose outputs the linear layer gets, None for data. Where they do not lie
        around 0, the weights are `centered`.

    Examples
    --------
    >>> import nnscratch as nn
    >>> for_activation(nn.ReLU()).__name__, for_activation(nn.Tanh).__name__
    ('he_normal', 'glorot_uniform')
    >>> W = for_activation(nn.Sigmoid, behind=nn.Sigmoid)((64, 64), rng=0)
    >>> round(float(W.std()), 2), bool(abs(W.sum(axis=1)).max() < 1e-4)
    (0.5, True)
    """
    chosen: Initializer = getattr(activation, "suits", glorot_uniform)
    return centered(chosen) if getattr(behind, "off_center", False) else chosen


@checks_kinds
def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """(fan_in, fan_out) of weights of shape (out, in, *kernel)."""
    if len(shape) < 2:
        raise ValueError(f"weights have shape (out, in, *kernel), received {shape}")
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window


def __getattr__(name: str) -> NoReturn:
    from nnscratch.asking import unknown_name

    known = [each for each, thing in globals().items() if callable(thing) and each[0].islower()]
    unknown_name(__name__, name, known, INITIALIZERS)


def _uniform(shape: tuple[int, ...], variance: float, rng: Any, dtype: Any) -> np.ndarray:
    limit = math.sqrt(3 * variance)  # Var U(-a, a) = a²/3
    return np.random.default_rng(rng).uniform(-limit, limit, shape).astype(dtype)


def _normal(shape: tuple[int, ...], variance: float, rng: Any, dtype: Any) -> np.ndarray:
    return np.random.default_rng(rng).normal(0, math.sqrt(variance), shape).astype(dtype)
