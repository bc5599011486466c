"""Optimizers that give every weight a step size of its own, from its past squared gradients."""

from __future__ import annotations

import numpy as np

from nnscratch import compiled
from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer
from nnscratch.optimizers.base import Optimizer
from nnscratch.optimizers.groups import Groups, asked_for

__all__ = ["Adadelta", "Adagrad", "RMSprop"]


class RMSprop(Optimizer):
    """Steps divided by the running root mean square of the gradient.

    Parameters
    ----------
    model : Layer
    learning_rate : float
    decay : float in [0, 1)
        How long the mean square remembers; torch calls it alpha.
    epsilon : float
    momentum : float in [0, 1)
    weight_decay : float
    centered : bool
        Divide by the running standard deviation instead.
    groups : dict, optional
        As for `Optimizer`.

    Notes
    -----
    g ← g + weight_decay · w

    s ← decay · s + (1 - decay) · g², and m ← decay · m + (1 - decay) · g where centered

    v ← momentum · v + g / (√s + epsilon), with s - m² in place of s where centered

    w ← w - learning_rate · v

    References
    ----------
    Hinton, Neural networks for machine learning, lecture 6e (2012); Graves, Generating sequences
    with recurrent neural networks (2013), equations 38 to 41, for the centered form.

    Examples
    --------
    The mean square begins at 0, so the first step is 1 / √(1 - decay) = 10 rates long, the next
    ones less and less:

    >>> import nnscratch as nn
    >>> model = nn.Bias(1)
    >>> optimizer = RMSprop(model, learning_rate=0.1)
    >>> for _ in range(3):
    ...     optimizer.step({"b": np.array([2.0])})
    ...     print(model.params["b"].round(2))
    [-1.]
    [-1.71]
    [-2.29]
    """

    decay: float
    epsilon: float
    momentum: float
    weight_decay: float
    centered: bool

    @checks_kinds
    def __init__(
        self,
        model: Layer,
        learning_rate: float = 1e-2,
        decay: float = 0.99,
        epsilon: float = 1e-8,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        *,
        centered: bool = False,
        groups: Groups | None = None,
    ) -> None:
        used = {
            "mean_square": True,
            "mean": centered or asked_for(groups, "centered"),
            "velocity": momentum or asked_for(groups, "momentum"),
        }
        self.state_names = tuple(name for name, needed in used.items() if needed)
        super().__init__(
            model,
            groups,
            learning_rate=learning_rate,
            decay=decay,
            epsilon=epsilon,
            momentum=momentum,
            weight_decay=weight_decay,
            centered=centered,
        )

    def update(self, w: np.ndarray, g: np.ndarray, *state: np.ndarray) -> None:
        s, *others = state
        rate, keep, decay = self.learning_rate, self.decay, self.weight_decay
        v = others[-1] if self.momentum else None
        if not self.centered and compiled.rmsprop(
            g, w, s, v, rate, keep, 1 - keep, self.epsilon, self.momentum, decay
        ):
            return
        if decay:
            g = g + decay * w
        s *= keep
        s += (1 - keep) * g * g
        if self.centered:
            m = others[0]
            m *= keep
            m += (1 - keep) * g
            s = s - m * m
        g = g / (np.sqrt(s) + self.epsilon)
        if v is not None:
            v *= self.momentum
            v += g
            g = v
        w -= rate * g


class Adagrad(Optimizer):
    """Steps divided by the root of all squared gradients so far.

    Parameters
    ----------
    model : Layer
    learning_rate : float
    epsilon : float
    weight_decay : float
    groups : dict, optional
        As for `Optimizer`.

    Notes
    -----
    g ← g + weight_decay · w

    s ← s + g²

    w ← w - learning_rate · g / (√s + epsilon)

    References
    ----------
    Duchi et al., Adaptive subgradient methods for online learning (2011).

    Examples
    --------
    With the same gradient again and again the steps become shorter, as 1 / √t:

    >>> import nnscratch as nn
    >>> model = nn.Bias(1)
    >>> optimizer = Adagrad(model, learning_rate=0.1)
    >>> for _ in range(3):
    ...     optimizer.step({"b": np.array([2.0])})
    ...     print(model.params["b"].round(3))
    [-0.1]
    [-0.171]
    [-0.228]
    """

    state_names = ("square_sum",)
    epsilon: float
    weight_decay: float

    @checks_kinds
    def __init__(
        self,
        model: Layer,
        learning_rate: float = 1e-2,
        epsilon: float = 1e-10,
        weight_decay: float = 0.0,
        *,
        groups: Groups | None = None,
    ) -> None:
        super().__init__(
            model,
            groups,
            learning_rate=learning_rate,
            epsilon=epsilon,
            weight_decay=weight_decay,
        )

    def update(self, w: np.ndarray, g: np.ndarray, *state: np.ndarray) -> None:
        (s,) = state
        if self.weight_decay:
            g = g + self.weight_decay * w
        s += g * g
        w -= self.learning_rate * g / (np.sqrt(s) + self.epsilon)


class Adadelta(Optimizer):
    """Steps in the units of the weights: past steps over past gradients, each by its mean square.

    Parameters
    ----------
    model : Layer
    learning_rate : float
        A factor of the step, usually 1.
    decay : float in [0, 1)
        How long both mean squares remember; torch calls it rho.
    epsilon : float
        Also what the very first step is made of.
    weight_decay : float
    groups : dict, optional
        As for `Optimizer`.

    Notes
    -----
    g ← g + weight_decay · w

    s ← decay · s + (1 - decay) · g²

    d ← √(u + epsilon) / √(s + epsilon) · g

    u ← decay · u + (1 - decay) · d²

    w ← w - learning_rate · d

    References
    ----------
    Zeiler, ADADELTA: an adaptive learning rate method (2012), algorithm 1.

    Examples
    --------
    How large a gradient is plays no part: both weights take the same step.

    >>> import nnscratch as nn
    >>> model = nn.Bias(2)
    >>> Adadelta(model).step({"b": np.array([1.0, 1000.0])})
    >>> print(model.params["b"].round(4))
    [-0.0032 -0.0032]
    """

    state_names = ("mean_square", "mean_square_step")
    decay: float
    epsilon: float
    weight_decay: float

    @checks_kinds
    def __init__(
        self,
        model: Layer,
        learning_rate: float = 1.0,
        decay: float = 0.9,
        epsilon: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        groups: Groups | None = None,
    ) -> None:
        super().__init__(
            model,
            groups,
            learning_rate=learning_rate,
            decay=decay,
            epsilon=epsilon,
            weight_decay=weight_decay,
        )

    def update(self, w: np.ndarray, g: np.ndarray, *state: np.ndarray) -> None:
        s, u = state
        if self.weight_decay:
            g = g + self.weight_decay * w
        s *= self.decay
        s += (1 - self.decay) * g * g
        d = np.sqrt(u + self.epsilon) / np.sqrt(s + self.epsilon) * g
        u *= self.decay
        u += (1 - self.decay) * d * d
        w -= self.learning_rate * d
