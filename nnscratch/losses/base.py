"""The protocol of the losses: the reduction over samples, their weights, the order of calls."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple, NoReturn

import numpy as np

from nnscratch.asking import answers
from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import floating
from nnscratch.losses.checks import check_values, product, real
from nnscratch.losses.node import as_layer
from nnscratch.words import OF_LOSSES

__all__ = ["Loss"]


class Passed(NamedTuple):
    """What a forward pass leaves for the backward pass."""

    kept: Any  # what the gradients of the samples' losses need
    losses: np.ndarray  # one per sample, not yet weighted
    weight: np.ndarray | None  # one per sample
    total: float  # what their weighted sum was divided by: 1 unless it is a mean
    shape: tuple[int, ...]  # of the prediction
    dtype: np.dtype


@answers(OF_LOSSES)
class Loss:
    """What all losses share: weights, the reduction over the samples, and the order of calls.

    A subclass writes `sample_losses`, the loss L_i of each sample, and `sample_gradients`, the
    gradient of their sum; `target_gradients` where the target is of floating numbers, and
    `sample_counts` where samples count differently in a mean.

    Parameters
    ----------
    reduction : "mean", "sum" or "none"
        What becomes of the samples' losses. "none" keeps one value per sample, and `backward`
        then takes one dy per value.

    Notes
    -----
    *Forward*: L = Σ_i w_i L_i / Σ_i w_i c_i for "mean", with the weight w_i of a sample (1
    unless given) and the count c_i of the loss (1 but for weights of classes and labels that are
    ignored); Σ_i w_i L_i for "sum", w_i L_i for "none".

    *Backward*: the samples do not meet before the sum, so ∂L/∂x_i = w_i / (Σ w c) · ∂L_i/∂x_i.
    By a weight: ∂L/∂w_i = (L_i - L c_i) / Σ w c, the quotient rule, for "mean".

    *Weights*: one per sample, or where each label counts as a sample one per label. A sample of
    weight 0 adds nothing, even where its loss is infinite.

    *dtype*: float16 is computed in float32. A mean or sum is a Python float, added up in
    float64; "none" and gradients have the dtype of the prediction.

    Raises
    ------
    ValueError
        For another reduction, a target, weight or dy that does not fit, or the mean over no
        sample or no weight.
    RuntimeError
        `backward` came before `forward`.
    """

    counts_evenly = True  # whether each loss counts 1, so that `sample_counts` need not be asked

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.counts_evenly = cls.sample_counts is Loss.sample_counts

    @checks_kinds
    def __init__(self, reduction: str = "mean") -> None:
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(
                f"{type(self).__name__} expected reduction to be 'mean', 'sum' or 'none', "
                f"received {reduction!r}; choose one of them"
            )
        self.reduction = reduction
        self.cache: Passed | None = None

    # Written by each loss ------------------------------------------------------------------

    def sample_losses(self, prediction: np.ndarray, target: Any) -> tuple[np.ndarray, Any]:
        """(the loss of each sample, what the gradients need)."""
        raise NotImplementedError(f"{type(self).__name__} has no sample_losses")

    def sample_gradients(self, kept: Any) -> np.ndarray:
        """The gradient of the sum of the samples' losses by the prediction."""
        raise NotImplementedError(f"{type(self).__name__} has no sample_gradients")

    def target_gradients(self, kept: Any) -> np.ndarray | None:
        """The same by the target; None where that is of integers."""
        return None

    def sample_counts(self, prediction: Any, target: Any) -> np.ndarray:
        """How much each sample counts in a mean, before any weight."""
        return np.ones(np.shape(target)[:1])

    def correct(self, prediction: Any, target: Any) -> np.ndarray | None:
        """For each sample that counts whether it is answered right; None if nothing is asked.

        The mean of it is the accuracy. One entry per label that is not ignored; a share where
        a sample is several questions; NaN answers are wrong.
        """
        return None

    # What is made from them ----------------------------------------------------------------

    def total_weight(self, prediction: Any, target: Any, weight: Any = None) -> float:
        """What "mean" divides by: the number of samples, or of what they and their classes weigh.

        The mean over several batches is the mean of their means weighted by this. Of the
        prediction only the number of axes counts, so that who has the scores of a part of the
        batch may ask with the target of the whole.

        Examples
        --------
        >>> import nnscratch as nn
        >>> loss = nn.SoftmaxCrossEntropy(ignore_index=-1)
        >>> loss.total_weight(np.zeros((3, 5)), np.array([0, 4, -1]), weight=[0.5, 1, 1])
        1.5
        """
        counts = self.sample_counts(prediction, target)
        if weight is not None:
            counts = counts * self._weights(weight, counts.shape)
        return float(counts.sum())

    def forward_pass(
        self, prediction: Any, target: Any, weight: Any = None, *, total: float | None = None
    ) -> tuple[Any, Passed]:
        """(the loss, what `backward_pass` needs).

        `total` is what "mean" divides by, `total_weight` unless given: with that of a whole
        batch the values and gradients of its parts add up to those of the whole; with 1 the
        value is the sum. It is kept as `cache.total`, by which the value times it is that sum.
        """
        if type(prediction) is not np.ndarray or prediction.dtype.kind != "f":
            prediction = floating(real(self, "a prediction", prediction))
        wide = prediction.astype(np.float32) if prediction.dtype == np.float16 else prediction
        with np.errstate(all="ignore"):  # what overflows is infinite in the value, to be seen
            losses, kept = self.sample_losses(wide, target)
            if weight is not None:
                weight = self._weights(weight, losses.shape).astype(losses.dtype)
            weighted = losses if weight is None else product(weight, losses)
            if self.reduction != "mean":
                total = 1.0
            elif total is None:
                evenly = weight is None and self.counts_evenly
                total = losses.size if evenly else self.total_weight(prediction, target, weight)
            if not total > 0:
                self._refuse_total(prediction)
            cache = Passed(kept, losses, weight, total, prediction.shape, prediction.dtype)
            if self.reduction == "none":
                return np.array(weighted, prediction.dtype), cache
            return float(weighted.sum(dtype=np.float64)) * (1 / total), cache

    def backward_pass(self, dy: Any, cache: Passed) -> np.ndarray:
        """The gradient by the prediction."""
        with np.errstate(all="ignore"):
            gradients = self.sample_gradients(cache.kept)
            if type(dy) is float and cache.weight is None and self.reduction != "none":
                gradients = gradients * (dy / cache.total)
                if gradients.shape == cache.shape and gradients.dtype == cache.dtype:
                    return gradients
                return gradients.reshape(cache.shape).astype(cache.dtype)
            return self._scaled(gradients, dy, cache)

    def target_pass(self, dy: Any, cache: Passed) -> np.ndarray | None:
        """The gradient by the target, which has the prediction's shape; None for labels."""
        with np.errstate(all="ignore"):
            gradients = self.target_gradients(cache.kept)
            return None if gradients is None else self._scaled(gradients, dy, cache)

    def forward(self, prediction: Any, target: Any, weight: Any = None) -> Any:
        """The loss; keeps in `cache` what `backward` needs."""
        value, self.cache = self.forward_pass(prediction, target, weight)
        return value

    def __call__(
        self, prediction: Any, target: Any, weight: Any = None, *, name: str | None = None
    ) -> Any:
        """`forward`; on nodes of a graph instead a node, which may be given a name."""
        given = (prediction, target) if weight is None else (prediction, target, weight)
        layer, inputs = as_layer(self, given)
        for x in inputs:
            if hasattr(x, "node_of"):
                return x.node_of(layer, inputs, name)
        if name is not None:
            raise ValueError(f"{self} expected name={name!r} only with nodes, received arrays")
        return self.forward(prediction, target, weight)

    def backward(self, dy: Any = 1.0) -> np.ndarray:
        """dL/dprediction, in the shape of the prediction; dy is dL/dvalue."""
        if self.cache is None:
            raise RuntimeError(
                f"{self}.backward came before forward; call forward(prediction, target) first"
            )
        return self.backward_pass(dy if type(dy) is float else real(self, "a dy", dy), self.cache)

    def refuse(self, expected: str, received: object, remedy: str) -> NoReturn:
        raise ValueError(f"{self} expected {expected}, received {received}; {remedy}")

    def _weights(self, weight: Any, shape: tuple[int, ...]) -> np.ndarray:
        """The weights, checked, one for each value; a sample's for all of its labels."""
        weight = np.asarray(real(self, "weights", weight), np.float64)
        if weight.shape not in (shape, shape[:1]):
            each = "" if len(shape) < 2 else f" or {shape}"
            self.refuse(
                f"weights of shape {shape[:1]}{each}", weight.shape, "pass one weight per sample"
            )
        check_values(self, "weights", weight, 0, remedy="a weight of 0 leaves a sample out")
        ones = (1,) * (len(shape) - weight.ndim)
        return np.broadcast_to(weight.reshape(weight.shape + ones), shape)

    def _refuse_total(self, prediction: np.ndarray) -> NoReturn:
        if prediction.ndim and len(prediction) == 0:
            raise ValueError(f"{self}: the mean over an empty batch; pass at least one sample")
        raise ValueError(
            f"{self}: the mean over samples that all weigh 0 or are ignored; leave the batch out, "
            "or use reduction='sum'"
        )

    def _scaled(self, gradients: np.ndarray, dy: Any, cache: Passed) -> np.ndarray:
        """The gradients of the samples' losses, each times what is multiplied by its loss."""
        losses, weight = cache.losses, cache.weight
        wanted = losses.shape if self.reduction == "none" else ()
        if (() if isinstance(dy, float) else np.shape(dy)) != wanted:
            self.refuse(
                f"dy of the shape {wanted} of its value",
                f"one of shape {np.shape(dy)}",
                f"pass np.ones({wanted}) for the gradient of the sum",
            )
        if weight is None and wanted == ():
            scaled = gradients * (float(dy) * (1 / cache.total))
        else:
            each = np.asarray(dy, losses.dtype) / cache.total
            each = np.broadcast_to(each if weight is None else each * weight, losses.shape)
            rows = gradients.reshape(each.size, -1 if each.size else 0)
            scaled = product(each.reshape(-1, 1), rows)
        return scaled.reshape(cache.shape).astype(cache.dtype, copy=False)

    def __repr__(self) -> str:
        """What builds it, without what is as it would be anyway."""
        settings = []
        for name, parameter in inspect.signature(type(self)).parameters.items():
            value = getattr(self, name, parameter.default)
            value = value.tolist() if isinstance(value, np.ndarray) else value
            if value != parameter.default:
                settings.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(settings)})"
