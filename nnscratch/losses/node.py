"""A loss as a layer, so that a graph may end in its loss, or go on with it."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer

__all__: list[str] = []


class LossLayer(Layer):
    """What a loss called on nodes puts into the graph; see `Loss`.

    Parameters
    ----------
    loss : Loss
    parts : int or None
        The number of arrays of a target that is a tuple of them; None where it is an array.
    weighted : bool
        Whether the last input is the samples' weights.

    Notes
    -----
    *Forward*: the value in the dtype of the prediction, as a graph keeps to one dtype.

    *Backward*: by the prediction and a target of floating numbers as the loss derives them. By a
    weight, for L = Σ w_i L_i / D with D = Σ w_i c_i: ∂L/∂w_i = (L_i - L c_i) / D, the quotient
    rule; just L_i without a mean.
    """

    takes_labels = True  # constants come as they are: labels are integers

    @checks_kinds
    def __init__(self, loss: Any, parts: int | None, weighted: bool) -> None:
        self.loss, self.parts, self.weighted = loss, parts, weighted

    @property
    def node_kind(self) -> str:
        """What a graph names the node after."""
        return type(self.loss).__name__

    def forward_pass(self, prediction: Any, *rest: Any) -> tuple[np.ndarray, Any]:
        targets = rest[:-1] if self.weighted else rest
        target = targets[0] if self.parts is None else targets
        weight = rest[-1] if self.weighted else None
        value, kept = self.loss.forward_pass(prediction, target, weight)
        with np.errstate(over="ignore"):  # of a float16, whose infinity is seen
            y = np.asarray(value, kept.dtype)
        return y, (kept, value, prediction, target, weight)

    def backward_pass(self, dy: np.ndarray, cache: Any) -> tuple[np.ndarray | None, ...]:
        kept, value, prediction, target, weight = cache
        dx: list[np.ndarray | None] = [self.loss.backward_pass(dy, kept)]
        if self.parts is not None:
            dx += [None] * self.parts
        elif np.asarray(target).dtype.kind == "f":
            dx.append(self.loss.target_pass(dy, kept))
        else:
            dx.append(None)
        if self.weighted:
            losses = kept.losses
            if self.loss.reduction == "mean":
                losses = (losses - value * self.loss.sample_counts(prediction, target)) / kept.total
            each = (dy * losses).reshape(*np.shape(weight), -1).sum(-1)
            dx.append(each.astype(np.asarray(weight).dtype))
        return tuple(dx)

    def __repr__(self) -> str:
        return repr(self.loss)


def as_layer(loss: Any, inputs: tuple[Any, ...]) -> tuple[LossLayer, tuple[Any, ...]]:
    """The loss as a layer for (prediction, target) or (prediction, target, weight), and its inputs.

    A target that is a tuple becomes as many inputs.
    """
    prediction, target, *weight = inputs
    parts = target if isinstance(target, tuple) else (target,)
    layer = LossLayer(loss, len(parts) if parts is target else None, bool(weight))
    return layer, (prediction, *parts, *weight)
