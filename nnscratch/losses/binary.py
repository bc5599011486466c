"""The loss for yes-or-no questions, any number of them per sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.activations.sigmoids import sigmoid, softplus
from nnscratch.losses.base import Loss
from nnscratch.losses.checks import SLACK, check_values, like, product, real

__all__ = ["BCEWithLogits"]


class BCEWithLogits(Loss):
    """Binary cross-entropy of each output on its own, from logits.

    Parameters
    ----------
    positive_weight : float or array, optional
        How much an answer of yes counts beside one of no, such as more where yes is rare; one
        for all outputs, or an array of the shape of a sample.
    reduction : "mean", "sum" or "none"

    Notes
    -----
    *Forward*: with p = σ(x) and the weight w of a yes, -Σ_i (w t_i log p_i + (1 - t_i)
    log(1 - p_i)). Here -log p = log(1 + e⁻ˣ) = max(-x, 0) + s and -log(1 - p) = log(1 + eˣ) =
    max(x, 0) + s, both with s = log(1 + e^-|x|): nothing overflows, and no two large numbers
    are subtracted.

    *Backward*: d log(1 + eˣ)/dx = σ(x) and σ(-x) = 1 - σ(x), so dx = (1 - t) σ(x) -
    w t (1 - σ(x)) = (1 - t + w t) σ(x) - w t, which is σ(x) - t for w = 1. By the target,
    ∂L/∂t = -w log p + log(1 - p).

    *Accuracy*: of the yes-or-no answers. Rows that name one of several classes, with a single 1
    and zeros, are right where that class has the largest logit, as for the losses of classes.

    *Shapes*: prediction and target (batch, ...), equal; targets are probabilities, or 0 and 1.

    *torch*: torch.nn.BCEWithLogitsLoss divides by all outputs: this is torch's times outputs
    per sample.

    Raises
    ------
    ValueError
        A target is not in [0, 1]; the weight does not fit a sample's outputs.

    Examples
    --------
    >>> loss = BCEWithLogits()
    >>> round(loss.forward(np.array([[0.0], [1000.0]]), np.array([[1], [1]])), 4)  # log(2) / 2
    0.3466
    """

    @checks_kinds
    def __init__(self, positive_weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.positive_weight: np.ndarray | None = None
        if isinstance(positive_weight, str):
            remedy = f"write BCEWithLogits(reduction={positive_weight!r})"
            self.refuse("a positive weight", repr(positive_weight), remedy)
        if positive_weight is not None:
            weight = np.array(real(self, "positive weights", positive_weight), np.float64)
            check_values(self, "positive weights", weight, 0, remedy="1 counts a yes as a no")
            self.positive_weight = weight

    def sample_losses(self, prediction: np.ndarray, target: Any) -> tuple[np.ndarray, Any]:
        target = like(self, prediction, target)
        check_values(self, "targets", target, 0, 1, "pass probabilities, or 0 and 1", SLACK)
        yes, no = self._of_yes(prediction) * target, 1 - target
        losses = np.exp(-np.abs(prediction))
        losses = np.log1p(losses, out=losses)
        if self.positive_weight is not None:
            losses *= yes + no
        losses += product(yes, np.maximum(-prediction, 0))
        losses += product(no, np.maximum(prediction, 0))
        return losses.sum(axis=tuple(range(1, losses.ndim))), (prediction, yes, no)

    def sample_gradients(self, kept: Any) -> np.ndarray:
        prediction, yes, no = kept
        p = sigmoid(prediction)
        return p - yes if self.positive_weight is None else (yes + no) * p - yes

    def target_gradients(self, kept: Any) -> np.ndarray:
        prediction, _, _ = kept
        return self._of_yes(prediction) * softplus(-prediction) - softplus(prediction)

    def correct(self, prediction: Any, target: Any) -> np.ndarray:
        prediction, target = np.asarray(prediction), np.asarray(target)
        right = ((prediction > 0) == (target > 0.5)) & ~np.isnan(prediction)
        right = right.mean(axis=tuple(range(1, right.ndim)))
        if target.ndim != 2 or target.shape[1] < 2:
            return right
        of_classes = ((target == 0) | (target == 1)).all(-1) & (target.sum(-1) == 1)
        hit = (prediction.argmax(-1) == target.argmax(-1)) & ~np.isnan(prediction).any(-1)
        return np.where(of_classes, hit, right)

    def _of_yes(self, prediction: np.ndarray) -> Any:
        if self.positive_weight is None:
            return 1
        if self.positive_weight.ndim and self.positive_weight.shape != prediction.shape[1:]:
            self.refuse(
                f"outputs of shape {self.positive_weight.shape}, as the positive weights",
                prediction.shape[1:],
                "pass one weight for all outputs, or one for each of a sample's",
            )
        return self.positive_weight.astype(prediction.dtype)
