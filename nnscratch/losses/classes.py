"""Losses for one class out of several, from one score per class."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch.layers.softmax import log_softmax
from nnscratch.losses.base import Loss, like

__all__ = ["HingeLoss", "NLLLoss", "SoftmaxCrossEntropy"]


class ClassLoss(Loss):
    """A loss of one score per class, which is right where the largest is at the label."""

    def correct(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        labels = target if target.ndim < prediction.ndim else target.argmax(-1)
        return prediction.argmax(-1) == labels


class SoftmaxCrossEntropy(ClassLoss):
    """Cross-entropy of a softmax, from logits: L = -Σ_i t_i log softmax(x)_i per sample.

    Parameters
    ----------
    reduction : "mean" or "sum"

    Notes
    -----
    *Forward*: for a label c, -x_c + log Σ_k e^{x_k}, by log-sum-exp with a = max x:
    -x_c + a + log Σ_k e^{x_k - a}. No exponent is positive, so nothing overflows.

    *Backward*: ∂L/∂x_j = -t_j + e^{x_j} / Σ_k e^{x_k}, so dx = softmax(x) - t, for Σ t = 1.

    *Shapes*: logits (batch, classes), target int labels (batch,) or probabilities
    (batch, classes), such as one-hot rows; one sample without the batch axis likewise.

    *torch*: equal to torch.nn.CrossEntropyLoss.

    Raises
    ------
    ValueError
        A label is no integer or not in 0..classes-1; probabilities are negative or do not sum
        to 1.

    References
    ----------
    [Slides] "Softmax Cross Entropy".

    Examples
    --------
    >>> loss = SoftmaxCrossEntropy()
    >>> round(loss.forward(np.array([[2.0, 0.0, 0.0]]), np.array([0])), 4)
    0.2395
    >>> loss.backward().round(3)
    array([[-0.213,  0.107,  0.107]])
    >>> loss.forward(np.zeros((2, 3)), np.array([0, 3]))
    Traceback (most recent call last):
    ValueError: SoftmaxCrossEntropy() expected labels in 0..2 for 3 classes, received 3 at index 1;
    check the labels, or give the last layer more outputs
    """

    def sample_losses(self, prediction: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, Any]:
        log_p = log_softmax(_with_classes(self, prediction))
        if target.ndim == prediction.ndim:
            target = _probabilities(self, prediction, target)
            counted = np.where(target > 0, log_p, 0)  # 0 · log 0 is 0
            return -np.sum(target * counted, axis=-1), (log_p, target)
        right = _right_class(self, prediction, target)
        return -log_p[right], (log_p, right)

    def sample_gradients(self, cache: Any) -> np.ndarray:
        log_p, target = cache
        p = np.exp(log_p)
        if isinstance(target, np.ndarray):
            return p - target
        p[target] -= 1
        return p


class NLLLoss(ClassLoss):
    """Negative log-likelihood of the right class, from log-probabilities: L = -x_c.

    Parameters
    ----------
    reduction : "mean" or "sum"

    Notes
    -----
    *Forward*: `LogSoftmax` and this are `SoftmaxCrossEntropy` in two steps.

    *Backward*: dx = -1 at the label, 0 elsewhere.

    *Shapes*: log-probabilities (batch, classes), int labels (batch,).

    *torch*: equal to torch.nn.NLLLoss.

    Raises
    ------
    ValueError
        A label is no integer or not in 0..classes-1.

    Examples
    --------
    >>> round(NLLLoss().forward(np.log([[0.25, 0.75]]), np.array([0])), 4)  # log(4)
    1.3863
    """

    def sample_losses(self, prediction: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, Any]:
        right = _right_class(self, _with_classes(self, prediction), target)
        return -prediction[right], (prediction, right)

    def sample_gradients(self, cache: Any) -> np.ndarray:
        prediction, right = cache
        dx = np.zeros_like(prediction)
        dx[right] = -1
        return dx


class HingeLoss(ClassLoss):
    """The multiclass hinge: every wrong class should score `margin` less than the right one.

    Parameters
    ----------
    margin : float
    reduction : "mean" or "sum"

    Notes
    -----
    *Forward*: Σ_{j≠c} max(0, x_j - x_c + margin) for the label c.

    *Backward*: dx_j = 1 for every j≠c within the margin, and dx_c = -(their number).

    *Shapes*: scores (batch, classes), int labels (batch,).

    *torch*: torch.nn.MultiMarginLoss divides by the classes: this is torch's times classes.

    Raises
    ------
    ValueError
        A label is no integer or not in 0..classes-1.

    References
    ----------
    Weston and Watkins, Support vector machines for multi-class pattern recognition (1999).

    Examples
    --------
    >>> loss = HingeLoss()
    >>> loss.forward(np.array([[3.0, 2.5, 5.0]]), np.array([0]))
    3.5
    >>> loss.backward()
    array([[-2.,  1.,  1.]])
    """

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = float(margin)

    def sample_losses(self, prediction: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, Any]:
        right = _right_class(self, _with_classes(self, prediction), target)
        violation = prediction - prediction[right][..., np.newaxis] + self.margin
        violation[right] = 0
        violation = np.maximum(violation, 0)
        return violation.sum(-1), (violation, right)

    def sample_gradients(self, cache: Any) -> np.ndarray:
        violation, right = cache
        active = (violation > 0).astype(violation.dtype)
        active[right] -= active.sum(-1)
        return active


def _with_classes(loss: Loss, prediction: np.ndarray) -> np.ndarray:
    if prediction.ndim not in (1, 2) or prediction.shape[-1] == 0:
        loss.refuse("scores (batch, classes)", prediction.shape, "give each class one score")
    return prediction


def _right_class(loss: Loss, prediction: np.ndarray, labels: np.ndarray) -> tuple[Any, ...]:
    """Checked labels as the index of each sample's right class among the scores."""
    classes = prediction.shape[-1]
    if labels.shape != prediction.shape[:-1]:
        loss.refuse(
            f"labels of shape {prediction.shape[:-1]}",
            labels.shape,
            "pass labels[:, 0]" if labels.shape[1:] == (1,) else "pass one label per sample",
        )
    if labels.dtype.kind not in "iu":
        loss.refuse("integer labels", f"labels of {labels.dtype}", "use labels.astype(np.int64)")
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        wrong = int(np.argmax((labels < 0) | (labels >= classes)))
        loss.refuse(
            f"labels in 0..{classes - 1} for {classes} classes",
            f"{labels.flat[wrong]} at index {wrong}",
            "check the labels, or give the last layer more outputs",
        )
    return (np.arange(len(labels)), labels) if labels.ndim else (labels,)


def _probabilities(loss: Loss, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    if target.shape[:-1] == prediction.shape[:-1] and target.shape[-1] == 1:
        loss.refuse(f"labels of shape {prediction.shape[:-1]}", target.shape, "pass labels[:, 0]")
    target = like(loss, prediction, target)
    sums = target.sum(-1)
    if target.size and not (target.min() >= 0 and np.abs(sums - 1).max() < 1e-3):
        loss.refuse(
            "probabilities that sum to 1 in each row",
            f"entries from {target.min():g} and sums {sums.min():g} to {sums.max():g}",
            "normalize them, or pass int labels",
        )
    return target
