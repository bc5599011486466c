"""Normalization of the data: by the mean and spread that the training data had, for good."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from operator import index
from typing import Any, Self

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer, floating
from nnscratch.layers.written import written

__all__ = ["Normalize"]

ROWS = 1024  # of the data that are looked at together


class Normalize(Layer):
    """Bring each feature of the data to mean 0 and standard deviation 1: y = (x - mean) / std.

    Stands in front of the layers that learn, and is saved with them, so that whatever the model
    is later asked of is normalized as its training data were. `fit` looks at them; `Trainer.fit`
    does that itself where it has not been done, with the samples that it trains on and none of
    those that it validates on.

    Parameters
    ----------
    features : int
        The size of the axis; for images their channels, for rows their columns.
    axis : int
        Along which the features stand, the others being samples and places. -1 for sequences
        (batch, time, features).

    Attributes
    ----------
    fitted : bool
        Whether mean and std are known.

    Notes
    -----
    *Forward*: y = (x - mean) / std, in training and in evaluation. mean and std are those of
    all training data: for the n numbers of one feature mean = (1/n) Σ x_i and
    std = √((1/n) Σ (x_i - mean)²). A feature that never changes has std 1, and so y = 0.

    *Backward*: mean and std are constants, so dx = dy / std.

    *Shapes*: x and y (batch, features), (batch, features, ...), or with the features on another
    axis than 1; the buffers mean and std (features,).

    *Cache*: 1/std in a shape that broadcasts against dy.

    Raises
    ------
    ValueError
        x has another shape; what is fitted holds NaN or infinity, or nothing at all.
    RuntimeError
        Nothing was fitted.

    References
    ----------
    LeCun, Bottou, Orr and Müller, Efficient BackProp (1998), section 4.3.

    Examples
    --------
    >>> x = np.array([[1.0, 500.0], [3.0, 900.0]])
    >>> layer = Normalize(2).fit(x)
    >>> layer.forward(x)
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> layer.buffers["std"]
    array([  1., 200.], dtype=float32)
    >>> Normalize(2).forward(x)
    Traceback (most recent call last):
    RuntimeError: Normalize(2) knows no mean and std yet; call fit(x_train) first, or train the
    model with Trainer.fit, which does
    """

    buffers_are_constant = True
    _moments: _Moments | None = None  # of what comes by, while it is being fitted

    @checks_kinds
    def __init__(self, features: int, axis: int = 1) -> None:
        self.features, self.axis = index(features), index(axis)
        if self.features < 1 or self.axis == 0:
            raise ValueError(
                f"Normalize expected features of at least 1, not on axis 0, which numbers the "
                f"samples; received features={features}, axis={axis}"
            )
        zeros = np.zeros(self.features, np.float32)
        self.buffers = {"mean": zeros, "std": zeros.copy()}  # a std of 0 says: not fitted

    @property
    def fitted(self) -> bool:
        return bool((self.buffers["std"] > 0).all())

    def fit(self, x: Any) -> Self:
        """Take mean and std from the training data. Returns the layer.

        Parameters
        ----------
        x : array
            All inputs to train on, and nothing that the model is to be tested on.
        """
        x = x if hasattr(x, "shape") else np.asarray(x)
        if not x.shape:
            self._refuse_shape(np.asarray(x))
        with self.fitting():
            for start in range(0, len(x), ROWS):
                self.forward_pass(x[start : start + ROWS])
        return self

    @contextmanager
    def fitting(self, kept: bool = True) -> Iterator[None]:
        """Leave what is passed forward meanwhile as it is; its mean and std are taken, if kept."""
        before, self._moments = self._moments, (seen := _Moments())
        try:
            yield
            found = seen.found(self) if kept else None
        finally:
            self._moments = before
        if found is not None:
            self.buffers["mean"], self.buffers["std"] = found

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        if x.ndim < 2 or not -x.ndim < self.axis < x.ndim or x.shape[self.axis] != self.features:
            self._refuse_shape(x)
        if self._moments is not None:
            self._moments.add(np.moveaxis(x, self.axis, -1).reshape(-1, self.features))
            return x, None
        if not self.fitted:
            raise RuntimeError(
                f"{self.title} knows no mean and std yet; call fit(x_train) first, or train the "
                "model with Trainer.fit, which does"
            )
        wide = np.float32 if x.dtype == np.float16 else x.dtype  # squares and large means overflow
        mean, std = (self._across(self.buffers[k].astype(wide), x) for k in ("mean", "std"))
        y = x - mean
        y /= std
        return y.astype(x.dtype, copy=False), 1 / std

    def backward_pass(self, dy: np.ndarray, scale: np.ndarray | None) -> np.ndarray:
        return dy if scale is None else (dy * scale).astype(dy.dtype, copy=False)

    def _across(self, array: np.ndarray, x: np.ndarray) -> np.ndarray:
        """One number per feature, in a shape that broadcasts against x."""
        behind = x.ndim - 1 - self.axis % x.ndim
        return array.reshape(-1, *(1,) * behind)

    def _refuse_shape(self, x: np.ndarray) -> None:
        if x.ndim < 2:
            remedy = "pass one sample as a batch of one: x[np.newaxis]"
        elif self.axis == 1 and x.shape[-1] == self.features:
            remedy = f"make it {written(self, axis=-1)}"
        elif -x.ndim < self.axis < x.ndim:
            remedy = f"make it {written(self, features=x.shape[self.axis])}"
        else:
            remedy = f"make it {written(self, axis=1)}"
        self.refuse(f"{self.features} features on axis {self.axis} of a batch", x, remedy)


@contextmanager
def passed_unfitted(model: Layer) -> Iterator[None]:
    """What is not fitted passes x on meanwhile: for a look at shapes, before there are data."""
    with ExitStack() as stack:
        for layer in unfitted(model):
            stack.enter_context(layer.fitting(kept=False))
        yield


def unfitted(model: Layer) -> list[Normalize]:
    """The layers of a model that are still to be fitted, in their order."""
    found = [layer for _, layer in model.walk() if isinstance(layer, Normalize)]
    return [layer for layer in dict.fromkeys(found) if not layer.fitted]


class _Moments:
    """Mean and spread of rows that come in parts, in float64.

    Two parts with n and m rows, means a and b, have together the mean a + (b - a) m / (n + m), and
    Σ (x - mean)² is the sum of theirs and (b - a)² n m / (n + m).
    """

    @checks_kinds
    def __init__(self) -> None:
        self.count = 0
        self.mean: Any = 0.0
        self.squares: Any = 0.0

    def add(self, rows: np.ndarray) -> None:
        if not len(rows):
            return
        rows = rows.astype(np.float64, copy=False)
        n, m, mean = self.count, len(rows), rows.mean(axis=0)
        between = mean - self.mean
        self.count = n + m
        self.mean = self.mean + between * (m / self.count)
        self.squares = self.squares + ((rows - mean) ** 2).sum(axis=0)
        self.squares = self.squares + between**2 * (n * m / self.count)

    def found(self, layer: Normalize) -> tuple[np.ndarray, np.ndarray]:
        """(mean, std), or a ValueError where the data have none."""
        if not self.count:
            layer.refuse("samples to be fitted to", "none", "pass all inputs to train on")
        std = np.sqrt(self.squares / self.count)
        # A feature without change: what rounding left of it is no spread
        still = std <= 1e-12 * np.abs(self.mean)
        if not np.isfinite(std).all():
            which = int(np.argmin(np.isfinite(std)))
            layer.refuse(
                "finite numbers to be fitted to",
                f"NaN or infinity in feature {which}",
                "clean the data first",
            )
        return self.mean, np.where(still, 1.0, std)
