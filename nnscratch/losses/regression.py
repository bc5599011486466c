"""Losses for numbers: how far each output is from its target."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.losses.base import Loss
from nnscratch.losses.checks import check_values, like

__all__ = ["HuberLoss", "L1Loss", "MSELoss"]


class DistanceLoss(Loss):
    """A loss of the differences d = x - t, whose gradient by t is minus that by x."""

    def of_differences(self, difference: np.ndarray) -> np.ndarray:
        """The loss of each output."""
        raise NotImplementedError(f"{type(self).__name__} has no of_differences")

    def sample_losses(self, prediction: np.ndarray, target: Any) -> tuple[np.ndarray, Any]:
        target = like(self, prediction, target)
        difference = prediction - target
        losses = self.of_differences(difference)
        losses = losses.sum(axis=tuple(range(1, losses.ndim)))
        if not np.isfinite(losses).all():  # the prediction may be, the target may not
            check_values(self, "targets", target)
        return losses, difference

    def target_gradients(self, difference: np.ndarray) -> np.ndarray:
        return -self.sample_gradients(difference)


class MSELoss(DistanceLoss):
    """Half the squared distance: L = ½ ‖x - t‖² per sample.

    Parameters
    ----------
    reduction : "mean", "sum" or "none"

    Notes
    -----
    *Forward*: ½ Σ_i (x_i - t_i)² over the outputs of a sample, then the mean over samples.

    *Backward*: ΔL = ½ ‖x + Δx - t‖² - ½ ‖x - t‖² = ⟨x - t, Δx⟩ + ½ ‖Δx‖²; the last term is of
    second order, so dx = x - t.

    *Shapes*: prediction and target (batch, ...), equal; weights (batch,).

    *torch*: torch.nn.MSELoss has no half and divides by all outputs: this is torch's times
    (outputs per sample) / 2.

    References
    ----------
    [Proofs] 3.

    Examples
    --------
    >>> loss = MSELoss()
    >>> loss.forward([[1.0, 2.0], [3.0, 4.0]], [[0.0, 0.0], [3.0, 3.0]])
    1.5
    >>> loss.backward()
    array([[0.5, 1. ],
           [0. , 0.5]])
    """

    def of_differences(self, difference: np.ndarray) -> np.ndarray:
        squares = difference * difference
        squares *= 0.5
        return squares

    def sample_gradients(self, difference: np.ndarray) -> np.ndarray:
        return difference


class L1Loss(DistanceLoss):
    """The absolute distance: L = Σ_i |x_i - t_i| per sample.

    Parameters
    ----------
    reduction : "mean", "sum" or "none"

    Notes
    -----
    *Backward*: dx = sign(x - t), with 0 where they are equal.

    *Shapes*: prediction and target (batch, ...), equal; weights (batch,).

    *torch*: torch.nn.L1Loss divides by all outputs: this is torch's times outputs per sample.

    Examples
    --------
    >>> loss = L1Loss()
    >>> loss.forward([[1.0, 2.0], [3.0, 4.0]], [[0.0, 0.0], [3.0, 3.0]])
    2.0
    """

    def of_differences(self, difference: np.ndarray) -> np.ndarray:
        return np.abs(difference)

    def sample_gradients(self, difference: np.ndarray) -> np.ndarray:
        return np.sign(difference)


class HuberLoss(DistanceLoss):
    """Squared near the target, absolute far from it, so that outliers pull less.

    Parameters
    ----------
    delta : float > 0
        Where the parabola becomes a line.
    reduction : "mean", "sum" or "none"

    Notes
    -----
    *Forward*: with d = x - t, Σ_i ½ d_i² where |d_i| <= delta, else delta (|d_i| - delta/2).
    Both in one: c (|d| - c/2) with c = min(|d|, delta).

    *Backward*: d clipped to [-delta, delta].

    *Shapes*: prediction and target (batch, ...), equal; weights (batch,).

    *torch*: torch.nn.HuberLoss divides by all outputs: this is torch's times outputs per sample.

    References
    ----------
    Huber, Robust estimation of a location parameter (1964).

    Examples
    --------
    >>> loss = HuberLoss(delta=1.0)
    >>> loss.forward([[0.5], [3.0]], [[0.0], [0.0]])
    1.3125
    """

    @checks_kinds
    def __init__(self, delta: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        if not delta > 0:
            raise ValueError(f"HuberLoss expected delta > 0, received {delta}; choose such as 1.0")
        self.delta = float(delta)

    def of_differences(self, difference: np.ndarray) -> np.ndarray:
        distance = np.abs(difference)
        clipped = np.minimum(distance, self.delta)
        return clipped * (distance - clipped / 2)

    def sample_gradients(self, difference: np.ndarray) -> np.ndarray:
        return np.clip(difference, -self.delta, self.delta)
