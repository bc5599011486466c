"""Optimizers that give every weight a step size of its own, from its past gradients."""

from __future__ import annotations

import math

import numpy as np

from nnscratch.layers.base import Layer
from nnscratch.optimizers.base import Optimizer

__all__ = ["Adagrad", "Adam", "AdamW", "RMSprop"]


class Adam(Optimizer):
    """Steps scaled by running moments of the gradient, with L2 decay.

    Parameters
    ----------
    model : Layer
    learning_rate : float
    beta1, beta2 : float in [0, 1)
        How long the mean and the mean square remember.
    epsilon : float
    weight_decay : float
        Added to the gradient, weight_decay · w; see `AdamW` for the decoupled form.

    Notes
    -----
    w ← w - learning_rate · m̂ / (√v̂ + epsilon), with m̂ the mean of all gradients so far, where
    one of i steps ago weighs beta1ⁱ, and v̂ the mean of their squares, weighed by beta2ⁱ.

    The state keeps the weighted sums, which need no other factor in a step:
    s ← beta1 · s + g and q ← beta2 · q + g². At step t the weights add up to
    1 + beta1 + ... + beta1ᵗ⁻¹ = (1 - beta1ᵗ) / (1 - beta1) = n₁, so m̂ = s / n₁ and likewise
    v̂ = q / n₂. In the paper m = (1 - beta1) s, and m / (1 - beta1ᵗ) is the same m̂.

    References
    ----------
    Kingma and Ba, Adam: a method for stochastic optimization (2015), algorithm 1.

    Examples
    --------
    >>> import nnscratch as nn
    >>> model = nn.Bias(2)
    >>> Adam(model, learning_rate=0.1).step({"b": np.array([1.0, -2.0])})
    >>> model.params["b"]
    array([-0.1,  0.1], dtype=float32)
    """

    state_names = ("gradient_sum", "square_sum")

    def __init__(
        self,
        model: Layer,
        learning_rate: float = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        settings = {"beta1": beta1, "beta2": beta2, "epsilon": epsilon}
        super().__init__(model, learning_rate, **settings, weight_decay=weight_decay)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.weight_decay = weight_decay

    def update(self, w: np.ndarray, g: np.ndarray, *state: np.ndarray) -> None:
        if self.weight_decay:
            g = g + self.weight_decay * w
        self._move(w, g, *state)

    def _move(self, w: np.ndarray, g: np.ndarray, s: np.ndarray, q: np.ndarray) -> None:
        s *= self.beta1
        s += g
        q *= self.beta2
        q += g * g
        n1 = (1 - self.beta1**self.steps) / (1 - self.beta1)
        n2 = (1 - self.beta2**self.steps) / (1 - self.beta2)
        # (s / n1) / (√(q / n2) + ε) = √n2 / n1 · s / (√q + √n2 ε), to save passes
        root = np.sqrt(q)
        root += math.sqrt(n2) * self.epsilon
        step = s / root
        step *= self.learning_rate * math.sqrt(n2) / n1
        w -= step


class AdamW(Adam):
    """Adam with decoupled decay: weights shrink by themselves, not through the gradient.

    Parameters
    ----------
    model : Layer
    learning_rate, beta1, beta2, epsilon : float
        As for `Adam`.
    weight_decay : float

    Notes
    -----
    w ← w - learning_rate · weight_decay · w, then Adam's step.

    References
    ----------
    Loshchilov and Hutter, Decoupled weight decay regularization (2019), algorithm 2.
    """

    def __init__(
        self,
        model: Layer,
        learning_rate: float = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(model, learning_rate, beta1, beta2, epsilon, weight_decay)

    def update(self, w: np.ndarray, g: np.ndarray, *state: np.ndarray) -> None:
        w *= 1 - self.learning_rate * self.weight_decay
        self._move(w, g, *state)


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

    Notes
    -----
    g ← g + weight_decay · w

    s ← decay · s + (1 - decay) · g²

    v ← momentum · v + g / (√s + epsilon)

    w ← w - learning_rate · v

    References
    ----------
    Hinton, Neural networks for machine learning, lecture 6e (2012).
    """

    state_names = ("mean_square", "velocity")

    def __init__(
        self,
        model: Layer,
        learning_rate: float = 1e-2,
        decay: float = 0.99,
        epsilon: float = 1e-8,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        settings = {"decay": decay, "epsilon": epsilon, "momentum": momentum}
        super().__init__(model, learning_rate, **settings, weight_decay=weight_decay)
        self.decay, self.epsilon = decay, epsilon
        self.momentum, self.weight_decay = momentum, weight_decay

    def update(self, w: np.ndarray, g: np.ndarray, *state: np.ndarray) -> None:
        s, v = state
        if self.weight_decay:
            g = g + self.weight_decay * w
        s *= self.decay
        s += (1 - self.decay) * g * g
        g = g / (np.sqrt(s) + self.epsilon)
        if self.momentum:
            v *= self.momentum
            v += g
            g = v
        w -= self.learning_rate * g


class Adagrad(Optimizer):
    """Steps divided by the root of all squared gradients so far.

    Parameters
    ----------
    model : Layer
    learning_rate : float
    epsilon : float

    Notes
    -----
    s ← s + g²

    w ← w - learning_rate · g / (√s + epsilon)

    References
    ----------
    Duchi et al., Adaptive subgradient methods for online learning (2011).
    """

    state_names = ("square_sum",)

    def __init__(self, model: Layer, learning_rate: float = 1e-2, epsilon: float = 1e-10) -> None:
        super().__init__(model, learning_rate, epsilon=epsilon)
        self.epsilon = epsilon

    def update(self, w: np.ndarray, g: np.ndarray, *state: np.ndarray) -> None:
        (s,) = state
        s += g * g
        w -= self.learning_rate * g / (np.sqrt(s) + self.epsilon)
