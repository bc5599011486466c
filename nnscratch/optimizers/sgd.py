"""Gradient descent: along the gradient, with a memory of where it went before."""

from __future__ import annotations

import numpy as np

from nnscratch.layers.base import Layer
from nnscratch.optimizers.base import Optimizer

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum.

    Parameters
    ----------
    model : Layer
    learning_rate : float
    momentum : float in [0, 1)
    nesterov : bool
        Look ahead along the velocity.
    weight_decay : float

    Notes
    -----
    g ← g + weight_decay · w

    v ← momentum · v + g

    w ← w - learning_rate · v, with g + momentum · v in place of v for Nesterov.

    References
    ----------
    [Recitation] update rule (w = w - η ∇w); Sutskever et al., On the importance of
    initialization and momentum in deep learning (2013).

    Examples
    --------
    >>> import nnscratch as nn
    >>> model = nn.Bias(2)
    >>> SGD(model, learning_rate=0.1).step({"b": np.array([1.0, -2.0])})
    >>> model.params["b"]
    array([-0.1,  0.2], dtype=float32)
    """

    state_names = ("velocity",)

    def __init__(
        self,
        model: Layer,
        learning_rate: float = 0.1,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        if nesterov and not momentum > 0:
            raise ValueError("SGD expected momentum > 0 with nesterov, received 0")
        super().__init__(model, learning_rate, momentum=momentum, weight_decay=weight_decay)
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay

    def update(self, w: np.ndarray, g: np.ndarray, *state: np.ndarray) -> None:
        (v,) = state
        if self.weight_decay:
            g = g + self.weight_decay * w
        if self.momentum:
            v *= self.momentum
            v += g
            g = g + self.momentum * v if self.nesterov else v
        w -= self.learning_rate * g
