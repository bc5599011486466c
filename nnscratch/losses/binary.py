"""The loss for yes-or-no questions, any number of them per sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch.layers.activations.sigmoids import sigmoid, softplus
from nnscratch.losses.base import Loss, like, per_sample

__all__ = ["BCEWithLogits"]


class BCEWithLogits(Loss):
    """Binary cross-entropy of each output on its own, from logits.

    Parameters
    ----------
    reduction : "mean" or "sum"

    Notes
    -----
    *Forward*: with p = σ(x), -Σ_i (t_i log p_i + (1 - t_i) log(1 - p_i)). Since
    log p = -log(1 + e⁻ˣ) = x - log(1 + eˣ) and log(1 - p) = -log(1 + eˣ), that is
    Σ_i (log(1 + e^{x_i}) - t_i x_i), which cannot overflow as softplus is written.

    *Backward*: dx = σ(x) - t.

    *Shapes*: prediction and target (batch, ...), equal; targets are probabilities, or 0 and 1.

    *torch*: torch.nn.BCEWithLogitsLoss divides by all outputs: this is torch's times outputs
    per sample.

    Examples
    --------
    >>> loss = BCEWithLogits()
    >>> round(loss.forward(np.array([[0.0], [1000.0]]), np.array([[1], [1]])), 4)  # log(2) / 2
    0.3466
    """

    def sample_losses(self, prediction: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, Any]:
        target = like(self, prediction, target)
        if target.size and not (target.min() >= 0 and target.max() <= 1):
            found = f"{target.min()} to {target.max()}"
            self.refuse("targets in [0, 1]", found, "pass probabilities, or 0 and 1")
        losses = per_sample(softplus(prediction) - target * prediction)
        return losses, (prediction, target)

    def sample_gradients(self, cache: Any) -> np.ndarray:
        prediction, target = cache
        return sigmoid(prediction) - target

    def correct(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        right = (prediction > 0) == (target > 0.5)
        return right.mean(axis=tuple(range(1, right.ndim)))
