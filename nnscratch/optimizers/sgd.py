"""Gradient descent: along the gradient, with a memory of where it went before."""

from __future__ import annotations

import numpy as np

from nnscratch import compiled
from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer
from nnscratch.optimizers.base import Optimizer
from nnscratch.optimizers.groups import Groups, asked_for

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
    dampening : float
        What is taken off the gradient where it enters the velocity.
    groups : dict, optional
        As for `Optimizer`.

    Notes
    -----
    g ← g + weight_decay · w

    v ← momentum · v + (1 - dampening) · g, and v ← g in the first step, where v is 0

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

    momentum: float
    nesterov: bool
    weight_decay: float
    dampening: float

    @checks_kinds
    def __init__(
        self,
        model: Layer,
        learning_rate: float = 0.1,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        *,
        dampening: float = 0.0,
        groups: Groups | None = None,
    ) -> None:
        if nesterov and (not momentum or dampening):
            raise ValueError(
                f"SGD expected momentum > 0 and dampening 0 with nesterov, received {momentum} "
                f"and {dampening}; leave out nesterov"
            )
        if momentum or asked_for(groups, "momentum"):
            self.state_names = ("velocity",)
        super().__init__(
            model,
            groups,
            learning_rate=learning_rate,
            momentum=momentum,
            nesterov=nesterov,
            weight_decay=weight_decay,
            dampening=dampening,
        )

    def update(self, w: np.ndarray, g: np.ndarray, *state: np.ndarray) -> None:
        rate, momentum, decay = self.learning_rate, self.momentum, self.weight_decay
        v = state[0] if momentum else None
        share = 1.0 if not self.dampening or self.steps == 1 else 1 - self.dampening
        if compiled.sgd(g, w, v, rate, momentum, share, decay, float(self.nesterov)):
            return
        if decay:
            g = g + decay * w
        if v is not None:
            v *= momentum
            v += g if share == 1 else share * g
            g = g + momentum * v if self.nesterov else v
        w -= rate * g
