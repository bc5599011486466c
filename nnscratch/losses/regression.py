"""Losses for numbers: how far each output is from its target."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch.losses.base import Loss, like, per_sample

__all__ = ["HuberLoss", "L1Loss", "MSELoss"]


class MSELoss(Loss):
    """Half the squared distance: L = ½ ‖x - t‖² per sample.

    Parameters
    ----------
    reduction : "mean" or "sum"

    Notes
    -----
    *Forward*: ½ Σ_i (x_i - t_i)² over the outputs of a sample, then the mean over samples.

    *Backward*: ΔL = ½ ‖x + Δx - t‖² - ½ ‖x - t‖² = ⟨x - t, Δx⟩ + ½ ‖Δx‖²; the last term is of
    second order, so dx = x - t.

    *Shapes*: prediction and target (batch, ...), equal.

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

    def sample_losses(self, prediction: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, Any]:
        difference = prediction - like(self, prediction, target)
        return per_sample(difference * difference) / 2, difference

    def sample_gradients(self, difference: np.ndarray) -> np.ndarray:
        return difference


class L1Loss(Loss):
    """The absolute distance: L = Σ_i |x_i - t_i| per sample.

    Parameters
    ----------
    reduction : "mean" or "sum"

    Notes
    -----
    *Backward*: dx = sign(x - t), with 0 where they are equal.

    *Shapes*: prediction and target (batch, ...), equal.

    *torch*: torch.nn.L1Loss divides by all outputs: this is torch's times outputs per sample.

    Examples
    --------
    >>> loss = L1Loss()
    >>> loss.forward([[1.0, 2.0], [3.0, 4.0]], [[0.0, 0.0], [3.0, 3.0]])
    2.0
    """

    def sample_losses(self, prediction: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, Any]:
        difference = prediction - like(self, prediction, target)
        return per_sample(np.abs(difference)), difference

    def sample_gradients(self, difference: np.ndarray) -> np.ndarray:
        return np.sign(difference)


class HuberLoss(Loss):
    """Squared near the target, absolute far from it, so that outliers pull less.

    Parameters
    ----------
    delta : float > 0
        Where the parabola becomes a line.
    reduction : "mean" or "sum"

    Notes
    -----
    *Forward*: with d = x - t, Σ_i ½ d_i² where |d_i| <= delta, else delta (|d_i| - delta/2).
    Both in one: c (|d| - c/2) with c = min(|d|, delta).

    *Backward*: d clipped to [-delta, delta].

    *Shapes*: prediction and target (batch, ...), equal.

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

    def __init__(self, delta: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        if not delta > 0:
            raise ValueError(f"HuberLoss expected delta > 0, received {delta}")
        self.delta = float(delta)

    def sample_losses(self, prediction: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, Any]:
        difference = prediction - like(self, prediction, target)
        distance = np.abs(difference)
        clipped = np.minimum(distance, self.delta)
        return per_sample(clipped * (distance - clipped / 2)), difference

    def sample_gradients(self, difference: np.ndarray) -> np.ndarray:
        return np.clip(difference, -self.delta, self.delta)
