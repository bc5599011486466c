"""Losses for one class out of several, from one score per class."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.softmax import log_softmax
from nnscratch.losses.checks import SLACK, check_values, like, product, real
from nnscratch.losses.labels import ClassLoss, Right

__all__ = ["HingeLoss", "NLLLoss", "SoftmaxCrossEntropy"]


class SoftmaxCrossEntropy(ClassLoss):
    """Cross-entropy of a softmax, from logits: L = -Σ_i t_i log softmax(x)_i per sample.

    Parameters
    ----------
    class_weights : array (classes,), optional
        How much each class counts, such as more for a rare one.
    label_smoothing : float in [0, 1]
        The share ε of each target that is spread evenly over the classes.
    ignore_index : int, optional
        The label of what does not count, such as -100 for padding.
    reduction : "mean", "sum" or "none"

    Notes
    -----
    *Forward*: for a label c, -x_c + log Σ_k e^{x_k}, by log-sum-exp with a = max x:
    -x_c + a + log Σ_k e^{x_k - a}. No exponent is positive, so nothing overflows.

    *Weights and smoothing*: L = -Σ_k s_k log p_k with the share s_k = w_k ((1-ε) t_k + ε/C) of
    class k, where t is 1 at the label and 0 elsewhere. The mean divides by Σ w_c over the
    labels c that count; by the number of samples where targets are probabilities.

    *Backward*: ∂log p_k/∂x_j = δ_kj - p_j, so ∂L/∂x_j = Σ_k s_k p_j - s_j. For shares that sum
    to 1, as without weights, dx = softmax(x) - t. Soft targets need not sum to 1: those of a
    distillation may not. By the target, ∂L/∂t_k = -w_k (1-ε) log p_k.

    *Shapes*: logits (batch, classes), target int labels (batch,) or probabilities
    (batch, classes), such as one-hot rows; one sample without the batch axis likewise. Logits
    (batch, ..., classes) with labels (batch, ...): each label counts as a sample.

    *torch*: equal to torch.nn.CrossEntropyLoss, which has the classes on axis 1.

    Raises
    ------
    ValueError
        A label is no integer or not in 0..classes-1; probabilities are negative or not finite;
        another number of class weights.

    References
    ----------
    [Slides] "Softmax Cross Entropy". Szegedy et al., Rethinking the Inception architecture for
    computer vision (2016), 7: label smoothing.

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

    A padded label does not count, neither in the sum nor in what it is divided by:

    >>> loss = SoftmaxCrossEntropy(ignore_index=-1)
    >>> round(loss.forward(np.zeros((2, 3)), np.array([0, -1])), 4)  # log(3)
    1.0986
    """

    takes_ignored = True

    @checks_kinds
    def __init__(
        self,
        class_weights: Any = None,
        label_smoothing: float = 0.0,
        ignore_index: int | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.label_smoothing = label_smoothing = float(label_smoothing)
        if not 0 <= label_smoothing <= 1:
            raise ValueError(
                f"SoftmaxCrossEntropy expected label_smoothing in [0, 1], received "
                f"{label_smoothing}; choose such as 0.1"
            )
        self.set_classes(class_weights, ignore_index)

    def sample_losses(self, prediction: np.ndarray, target: Any) -> tuple[np.ndarray, Any]:
        log_p = log_softmax(self.scores(prediction))
        right = None
        if type(target) is not np.ndarray or target.dtype.kind not in "fiub":
            target = real(self, "a target", target)
        if target.ndim == prediction.ndim:
            shares = self._probabilities(prediction, target).reshape(log_p.shape)
        else:
            right = self.right(prediction, target)
            if not self.label_smoothing:
                losses = -log_p[right.place]
                if right.weight is not None:
                    losses = product(right.weight, losses)
                return losses.reshape(prediction.shape[:-1]), (log_p, right)
            shares = np.zeros_like(log_p)
            shares[right.place] = 1
        shares = self._smoothed(shares)
        if right is not None and right.counted is not None:
            shares[~right.counted] = 0
        losses = -product(shares, log_p).sum(-1)
        return losses.reshape(prediction.shape[:-1]), (log_p, shares)

    def sample_gradients(self, kept: Any) -> np.ndarray:
        log_p, shares = kept
        p = np.exp(log_p)
        if not isinstance(shares, Right):
            return product(shares.sum(-1, keepdims=True), p) - shares
        p[shares.place] -= 1
        return p if shares.weight is None else product(shares.weight[:, np.newaxis], p)

    def target_gradients(self, kept: Any) -> np.ndarray | None:
        log_p, shares = kept
        if isinstance(shares, Right):
            return None
        return -self._of_class(log_p) * (1 - self.label_smoothing) * log_p

    def _smoothed(self, target: np.ndarray) -> np.ndarray:
        """The share of each class: the target, smoothed, times the weights of the classes."""
        if self.label_smoothing:
            even = self.label_smoothing / target.shape[-1]
            target = (1 - self.label_smoothing) * target + even
        return target * self._of_class(target)

    def _of_class(self, like: np.ndarray) -> Any:
        return 1 if self.class_weights is None else self.class_weights.astype(like.dtype)

    def _probabilities(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        if target.shape == (*prediction.shape[:-1], 1) != prediction.shape:
            self.refuse(
                f"labels of shape {prediction.shape[:-1]}", target.shape, "pass labels[..., 0]"
            )
        if self.ignore_index is not None:
            self.refuse(
                f"labels, of which {self.ignore_index} is ignored",
                "probabilities",
                "leave out ignore_index, and give samples that do not count a weight of 0",
            )
        target = like(self, prediction, target)
        check_values(
            self, "probabilities", target, 0, np.inf, "pass probabilities, or int labels", SLACK
        )
        return target


class NLLLoss(ClassLoss):
    """Negative log-likelihood of the right class, from log-probabilities: L = -x_c.

    Parameters
    ----------
    class_weights : array (classes,), optional
        How much each class counts; L = -w_c x_c, and the mean divides by Σ w_c.
    ignore_index : int, optional
        The label of what does not count.
    reduction : "mean", "sum" or "none"

    Notes
    -----
    *Forward*: `LogSoftmax` and this are `SoftmaxCrossEntropy` in two steps. Scores that are no
    log-probabilities, such as logits, would make L fall without bound: above 0 they are refused.

    *Backward*: dx = -w_c at the label c, 0 elsewhere.

    *Shapes*: log-probabilities (batch, ..., classes), int labels (batch, ...).

    *torch*: equal to torch.nn.NLLLoss, which has the classes on axis 1.

    Raises
    ------
    ValueError
        A label is no integer or not in 0..classes-1; a log-probability is above 0, by more than
        rounding.

    Examples
    --------
    >>> round(NLLLoss().forward(np.log([[0.25, 0.75]]), np.array([0])), 4)  # log(4)
    1.3863
    >>> NLLLoss().forward(np.array([[2.0, -1.0]]), np.array([0]))
    Traceback (most recent call last):
    ValueError: NLLLoss() expected log-probabilities, which are at most 0, received 2; put
    LogSoftmax() in front, or use SoftmaxCrossEntropy on the scores
    """

    takes_ignored = True

    @checks_kinds
    def __init__(
        self,
        class_weights: Any = None,
        ignore_index: int | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.set_classes(class_weights, ignore_index)

    def sample_losses(self, prediction: np.ndarray, target: Any) -> tuple[np.ndarray, Any]:
        scores = self.scores(prediction)
        right = self.right(prediction, target)
        largest = scores.max(initial=-np.inf)
        if largest > 64 * np.finfo(scores.dtype).eps:  # a softmax may sum to a little over 1
            self.refuse(
                "log-probabilities, which are at most 0",
                f"{largest:.4g}",
                "put LogSoftmax() in front, or use SoftmaxCrossEntropy on the scores",
            )
        losses = -scores[right.place]
        if right.weight is not None:
            losses = product(right.weight, losses)
        return losses.reshape(prediction.shape[:-1]), (scores, right)

    def sample_gradients(self, kept: Any) -> np.ndarray:
        scores, right = kept
        dx = np.zeros_like(scores)
        dx[right.place] = -1 if right.weight is None else -right.weight
        return dx


class HingeLoss(ClassLoss):
    """The multiclass hinge: every wrong class should score `margin` less than the right one.

    Parameters
    ----------
    margin : float
    reduction : "mean", "sum" or "none"

    Notes
    -----
    *Forward*: Σ_{j≠c} max(0, x_j - x_c + margin) for the label c.

    *Backward*: dx_j = 1 for every j≠c within the margin, and dx_c = -(their number).

    *Shapes*: scores (batch, ..., classes), int labels (batch, ...).

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

    @checks_kinds
    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = float(margin)

    def sample_losses(self, prediction: np.ndarray, target: Any) -> tuple[np.ndarray, Any]:
        scores = self.scores(prediction)
        place = self.right(prediction, target).place
        violation = scores - scores[place][:, np.newaxis] + self.margin
        violation[place] = 0
        violation = np.maximum(violation, 0)
        return violation.sum(-1).reshape(prediction.shape[:-1]), (violation, place)

    def sample_gradients(self, kept: Any) -> np.ndarray:
        violation, place = kept
        active = (violation > 0).astype(violation.dtype)
        active[place] -= active.sum(-1)
        return active
