"""Batch normalization: every feature gets mean 0 and variance 1 over the batch."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import NOWHERE, Grads, Layer, Out, floating
from nnscratch.layers.normalization.frames import combined, frame_of, scaled, sums
from nnscratch.layers.normalization.standardize import (
    checked_epsilon,
    gamma_and_beta,
    moments,
    moments_of_parts,
    share,
)
from nnscratch.layers.part import Part
from nnscratch.layers.wider import narrowed, widened
from nnscratch.layers.written import written

__all__ = ["BatchNorm"]


class BatchNorm(Layer):
    """Normalize each feature over the batch, then scale and shift: y = gamma · xhat + beta.

    Parameters
    ----------
    features : int
        Features of rows, or channels of images: the size of axis 1.
    momentum : float in [0, 1] or None
        The weight of the newest batch in the running statistics. None weighs all batches
        equally, and counts them in the buffer `batches`, which is saved with the others.
    epsilon : float
        Added to the variance.
    affine : bool
        Whether there are gamma and beta; without them y = xhat.
    unbiased : bool
        Whether the running variance is n/(n-1) times that of the batch, as torch keeps it. ONNX
        and Keras keep the batch's own.

    Notes
    -----
    *Forward*: for one feature, with its n values x_1 ... x_n in all samples and places,

    - mean = (1/n) Σ x_i
    - var = (1/n) Σ (x_i - mean)²
    - xhat_i = (x_i - mean) / σ with σ = √(var + epsilon)
    - y_i = gamma · xhat_i + beta.

    Training then moves running_mean += momentum · (mean - running_mean), and running_var
    likewise towards n/(n-1) · var, the unbiased estimate, or var. Evaluation normalizes with
    these two in place of mean and var. An empty batch gives an empty y; it moves nothing and is
    not counted.

    *Gradient*: y_i = gamma · xhat_i + beta, where all i share gamma and beta, so
    dgamma = Σ dy_i xhat_i and dbeta = Σ dy_i.

    *Backward*: dxhat_i = gamma · dy_i. From there x_i is reached on three ways: directly,
    through var, and through mean, on which var depends as well.

    - ∂xhat_i/∂var = (x_i - mean) · (-1/2) (var + epsilon)^(-3/2) = -xhat_i / (2σ²), so
      dvar = -1/(2σ²) Σ dxhat_i xhat_i.
    - ∂xhat_i/∂mean = -1/σ and ∂var/∂mean = -(2/n) Σ (x_i - mean) = 0, so
      dmean = -(1/σ) Σ dxhat_i.
    - ∂xhat_i/∂x_i = 1/σ, ∂var/∂x_i = (2/n) (x_i - mean) = (2σ/n) xhat_i, ∂mean/∂x_i = 1/n.
      The sum over the three ways is
      dx_i = dxhat_i / σ + dvar · (2σ/n) xhat_i + dmean / n
      = (1/σ) (dxhat_i - xhat_i · (1/n) Σ dxhat_j xhat_j - (1/n) Σ dxhat_j).
    - With dxhat = gamma · dy, and mean() for the mean over the n values,
      dx = (gamma/σ) (dy - mean(dy) - xhat · mean(dy ∘ xhat)).

    The two means are dbeta/n and dgamma/n. What they take from dy is its part along 1 and its
    part along xhat: shifting or stretching x changes no xhat (up to epsilon). In evaluation the
    statistics are constants and the direct way is the only one: dx = (gamma/σ) dy.

    *Shapes*: x and y (batch, features) or (batch, features, ...) with any number of further
    axes; gamma, beta, running_mean, running_var (features,).

    *Cache*: x, or x - mean where the mean is far from 0, with its mean, then 1/σ, and whether the
    statistics were the batch's.

    Raises
    ------
    ValueError
        x has another shape, or in training a single value per feature, whose variance says
        nothing; an argument is out of range.

    References
    ----------
    [Operators] 2, whose sums for mean and variance run over one too many and which only links
    the gradient; Ioffe and Szegedy, Batch normalization (2015), algorithms 1 and 2.

    Examples
    --------
    >>> layer = BatchNorm(2)
    >>> layer.forward(np.array([[1.0, 10.0], [3.0, 30.0]])).round(3)
    array([[-1., -1.],
           [ 1.,  1.]], dtype=float32)
    >>> layer.buffers["running_mean"]
    array([0.2, 2. ], dtype=float32)
    >>> layer.forward(np.ones((1, 2)))
    Traceback (most recent call last):
    ValueError: BatchNorm(2) expected more than one value per feature in training,
    received (1, 2); pass a larger batch, or call eval() to use the running statistics
    """

    part: Part | None = None  # where other processes have the other rows of the batch
    counted: int | None = None  # batches so far, while the statistics are counted anew

    @checks_kinds
    def __init__(
        self,
        features: int,
        momentum: float | None = 0.1,
        epsilon: float = 1e-5,
        affine: bool = True,
        unbiased: bool = True,
    ) -> None:
        self.features = index(features)
        if self.features < 1:
            raise ValueError(f"BatchNorm expected features of at least 1, received {features}")
        if momentum is not None and not 0 <= momentum <= 1:
            raise ValueError(
                f"BatchNorm expected momentum in [0, 1], the weight of the newest batch, or None "
                f"for equal weights, received {momentum}"
            )
        self.momentum = None if momentum is None else float(momentum)
        self.epsilon = checked_epsilon("BatchNorm", epsilon)
        self.affine, self.unbiased = bool(affine), bool(unbiased)
        self.params = gamma_and_beta((self.features,), self.affine)
        buffers = {
            "running_mean": np.zeros(self.features, np.float32),
            "running_var": np.ones(self.features, np.float32),
        }
        if momentum is None:
            buffers["batches"] = np.zeros((), np.int64)  # a count, which astype leaves exact
        self.buffers = buffers

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x, self.dtype)
        if x.ndim < 2 or x.shape[1] != self.features:
            expected = f"(batch, {self.features}) or (batch, {self.features}, ...)"
            self.refuse(expected, x, self._remedy(x))
        dtype, by_batch = x.dtype, self.training
        x = widened(x)
        if by_batch:
            x, mean, variance = self._by_batch(x)
        else:
            names = ("running_mean", "running_var")
            mean, variance = (self.buffers[name].astype(x.dtype) for name in names)
        scale = 1 / np.sqrt(variance + self.epsilon)
        A = scale * self._gamma()
        B = self.params["beta"] - mean * A if self.affine else -mean * A
        frame = frame_of(x, _all_but_features(x))
        y = scaled(frame, x, _across(A, x), _across(B, x)).astype(dtype, copy=False)
        return y, (x, mean, scale, by_batch)

    def backprop(
        self, dy: np.ndarray, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        x, mean, scale, by_batch = cache
        dtype, dy = dy.dtype, dy.astype(x.dtype, copy=False)
        axes, A = _all_but_features(x), scale * self._gamma()
        frame, grads = frame_of(x, axes), {}
        if by_batch or self.affine:
            dbeta, of_both = (of.ravel() for of in sums(frame, dy, x))
            dgamma = scale * (of_both - mean * dbeta)
            grads = {"gamma": dgamma, "beta": dbeta} if self.affine else {}
        if not need_dx:
            dx = None
        elif by_batch:
            every, dgamma, dbeta = self._of_the_whole(x, axes, dgamma, dbeta)
            C = A * -scale * dgamma * every
            D = A * -dbeta * every - C * mean
            dx = combined(frame, dy, *(_across(A, x), x, _across(C, x), _across(D, x)))
        else:
            dx = dy * _across(A, dy)
        return narrowed(dtype, dx, grads)

    def _gamma(self) -> Any:
        return widened(self.params["gamma"]) if self.affine else 1

    def _by_batch(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(x, mean, var) by the batch's own statistics, which the running ones follow."""
        axes, n = _all_but_features(x), x.size // self.features
        found = None
        if self.part is not None:
            n, found = moments_of_parts(x, axes, self.part)
        if n == 1:
            self.refuse(
                "more than one value per feature in training",
                x,
                "pass a larger batch, or call eval() to use the running statistics",
            )
        x, mean, variance, whole_mean = found or moments(x, axes)
        variance = variance.ravel()
        if n > 0:
            self._follow(whole_mean.ravel(), variance * (n / (n - 1) if self.unbiased else 1))
        return x, mean.ravel(), variance

    def _of_the_whole(
        self, x: np.ndarray, axes: tuple[int, ...], dgamma: np.ndarray, dbeta: np.ndarray
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """(1/n, dgamma, dbeta) over all parts of the batch."""
        if self.part is None:
            return share(x, axes), dgamma, dbeta
        n, *sums = self.part.sums(x.size // self.features, dgamma, dbeta)
        dgamma, dbeta = (of.astype(x.dtype) for of in sums)
        return 1 / max(float(n), 1), dgamma, dbeta

    def begin_count(self) -> None:
        """Forget the running statistics; until `counted` is None again, all batches weigh alike."""
        self.counted = 0
        for buffer in self.buffers.values():
            buffer[...] = 0

    def _follow(self, mean: np.ndarray, variance: np.ndarray) -> None:
        """Move the running statistics towards those of a batch."""
        weight = self.momentum
        if weight is None:
            self.buffers["batches"] += 1
            weight = 1 / int(self.buffers["batches"])
        elif self.counted is not None:
            self.counted += 1
            weight = 1 / self.counted
        for name, value in (("running_mean", mean), ("running_var", variance)):
            self.buffers[name] += weight * (value - self.buffers[name])

    def _remedy(self, x: np.ndarray) -> str:
        if x.ndim < 2:
            return "pass samples as rows; one alone, in evaluation, as x[np.newaxis]"
        if x.shape[-1] == self.features:
            return "move the features to axis 1: np.moveaxis(x, -1, 1)"
        return f"make it {written(self, features=x.shape[1])}"

    def __repr__(self) -> str:
        return written(self)


def _all_but_features(x: np.ndarray) -> tuple[int, ...]:
    return (0, *range(2, x.ndim))


def _across(array: np.ndarray, x: np.ndarray) -> np.ndarray:
    """One number per feature, in a shape that broadcasts against x."""
    return array.reshape(1, -1, *(1,) * (x.ndim - 2))
