"""The protocol of the losses: the reduction over samples, the order of calls, the checks."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from nnscratch.layers.base import floating

__all__ = ["Loss"]


class Loss:
    """What all losses share: the reduction over samples, and the order of calls.

    A subclass writes `sample_losses`, the loss of each sample, and `sample_gradients`, the
    gradient of their sum; the mean over N samples multiplies both by 1/N.

    Parameters
    ----------
    reduction : "mean" or "sum"
        Over the samples, the first axis.

    Raises
    ------
    ValueError
        For another reduction, a target that does not fit the prediction, or the mean over no
        sample.
    RuntimeError
        `backward` came before `forward`.
    """

    def __init__(self, reduction: str = "mean") -> None:
        if reduction not in ("mean", "sum"):
            raise ValueError(f"reduction is 'mean' or 'sum', received {reduction!r}")
        self.reduction = reduction
        self.cache: Any = None

    def sample_losses(self, prediction: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, Any]:
        """(the loss of each sample, what the gradient needs)."""
        raise NotImplementedError

    def sample_gradients(self, cache: Any) -> np.ndarray:
        """The gradient of the sum of the samples' losses by the prediction."""
        raise NotImplementedError

    def correct(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray | None:
        """For each sample whether (or to which share) it is classified right; None if not asked."""
        return None

    def forward_pass(self, prediction: Any, target: Any) -> tuple[float, Any]:
        losses, kept = self.sample_losses(floating(prediction), np.asarray(target))
        if self.reduction == "mean" and losses.size == 0:
            raise ValueError(f"{self}: the mean over an empty batch; pass at least one sample")
        scale = 1 / losses.size if self.reduction == "mean" else 1.0
        return float(losses.sum(dtype=np.float64)) * scale, (kept, scale)

    def backward_pass(self, dy: Any, cache: Any) -> np.ndarray:
        kept, scale = cache
        return self.sample_gradients(kept) * (float(dy) * scale)

    def forward(self, prediction: Any, target: Any) -> float:
        """The loss; keeps in `cache` what `backward` needs."""
        value, self.cache = self.forward_pass(prediction, target)
        return value

    def __call__(self, prediction: Any, target: Any) -> float:
        return self.forward(prediction, target)

    def backward(self, dy: Any = 1.0) -> np.ndarray:
        """dL/dprediction, in the shape of the prediction; dy is dL/dvalue."""
        if self.cache is None:
            raise RuntimeError(
                f"{self}.backward came before forward; call forward(prediction, target) first"
            )
        return self.backward_pass(dy, self.cache)

    def refuse(self, expected: str, received: object, remedy: str) -> NoReturn:
        raise ValueError(f"{self} expected {expected}, received {received}; {remedy}")

    def __repr__(self) -> str:
        reduction = "" if self.reduction == "mean" else f"reduction={self.reduction!r}"
        return f"{type(self).__name__}({reduction})"


def per_sample(losses: np.ndarray) -> np.ndarray:
    return losses.sum(axis=tuple(range(1, losses.ndim)))


def like(loss: Loss, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The target in the prediction's dtype; its shape must be equal, never broadcast."""
    if target.shape != prediction.shape:
        loss.refuse(
            f"a target of the prediction's shape {prediction.shape}",
            target.shape,
            f"reshape it to {prediction.shape}"
            if target.size == prediction.size
            else "give every output its target",
        )
    return floating(target, prediction.dtype)
