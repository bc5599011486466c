"""The scanned layer: one network at every place of a sequence, with the same weights."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from operator import index
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nnscratch.kinds import as_array, checks_kinds
from nnscratch.layers.base import NOWHERE, Grads, Layer, Out
from nnscratch.layers.containers import Sequential, check_layer
from nnscratch.layers.flatten import Flatten
from nnscratch.layers.linear import Bias, Linear
from nnscratch.layers.softmax import LogSoftmax, Softmax
from nnscratch.layers.spatial.correlation import Correlation1d
from nnscratch.layers.written import Page

__all__ = ["Scan"]


class Scan(Layer):
    """A layer moved along a sequence: y(t) = f(x[t·stride : t·stride + window]).

    Parameters
    ----------
    layer : Layer
        f, from rows of window · features numbers to rows of out_features. `params` has f's own
        names.
    window : int
        Steps of time that f sees at once.
    stride : int
        From the start of one window to that of the next.

    Notes
    -----
    *Forward*: the windows of all samples, each flattened time first, are the rows of one batch,
    and y = f(rows). Time left over behind the last window is not seen.

    A layer that looks at its whole batch, such as BatchNorm, has all windows of all samples for
    that batch; Dropout draws a mask of its own for each window.

    *Backward*: the rows dx(t) go back to where they were cut out. Windows overlap, so a place
    has a child in each window that covers it, and its gradients add up: dX = 0, then
    dX[:, t·s : t·s + N] += dx(t) for every t, in any order. What no window sees keeps 0.

    *Gradient*: the weights are the same at every t, so dW = Σ_t dW(t), which f's sum over its
    batch already is; db likewise.

    *Shapes*: x (batch, time, features) with time >= window; y (batch, positions, out_features)
    with positions = ⌊(time - window) / stride⌋ + 1.

    *Cache*: that of f, and the shapes of its output and of x.

    Raises
    ------
    ValueError
        x has another number of axes or less time than a window, `layer` is no layer or does not
        take such rows, or window or stride is no positive int.

    References
    ----------
    [Recitation] Example 2, whose steps 15 and 16 set the last column with "=": that holds only
    for stride 1 and t ascending; its "cheap trick" of zeros and += holds always.

    Examples
    --------
    >>> scan = Scan(Linear(2, 1, rng=0), window=2)
    >>> scan.params["W"] = [[1, 10]]
    >>> x = np.array([[[1], [2], [3], [4]]])
    >>> scan.forward(x)[0, :, 0]
    array([21., 32., 43.], dtype=float32)
    >>> dx, grads = scan.backward([[[1], [1], [1]]])
    >>> dx[0, :, 0]
    array([ 1., 11., 11., 10.], dtype=float32)
    >>> grads["W"]
    array([[6., 9.]], dtype=float32)
    """

    takes_out = wraps = True

    @checks_kinds
    def __init__(self, layer: Layer, window: int, stride: int = 1) -> None:
        check_layer(layer, "the argument of Scan")
        self.window, self.stride = _positive("window", window), _positive("stride", stride)
        self.layers: tuple[Layer] = (layer,)

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = as_array(x)
        y, cache, shape = self._on_rows(self.layers[0].forward_pass, x)
        return y.reshape(shape), (cache, y.shape, y.dtype, x.shape)

    def backward_pass(self, dy: np.ndarray, cache: Any) -> Any:
        kept, y_shape, _, x_shape = cache
        return self._overlapped(self.layers[0].backward_pass(dy.reshape(y_shape), kept), x_shape)

    def gradient_pass(self, dy: np.ndarray, cache: Any, out: Out = NOWHERE) -> Grads:
        return self.backprop(dy, cache, out, need_dx=False)[1]

    def backprop(
        self, dy: np.ndarray, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        kept, y_shape, _, x_shape = cache
        rows, grads = self.layers[0].backprop(dy.reshape(y_shape), kept, out, need_dx)
        return self._overlapped(rows, x_shape), grads

    def remember(self, cache: Any, form: Any) -> None:
        super().remember(cache, form)
        if cache is not None:
            kept, shape, dtype, _ = cache
            self.layers[0].remember(kept, (shape, dtype))

    def as_correlation(self) -> Sequential:
        """The equal Sequential of 1-D correlations: a scanned MLP is a convolutional network.

        The windows of the first Linear are those of a Correlation1d with the same numbers, its
        W (hidden, window · features) rearranged to (hidden, features, window); every later
        Linear looks at one position, so it is a Correlation1d with a kernel of 1.

        Returns
        -------
        Sequential
            From (batch, features, time) to (batch, out_features, positions). It has copies of
            the weights: training one does not train the other, and a layer that stands twice in
            the MLP becomes two.

        Notes
        -----
        An MLP is a Linear, or a Sequential of Linear, Bias directly behind a Linear (the two
        become one correlation with b), the element-wise activations and functions, Dropout,
        Flatten (which changes nothing in rows), and, behind the first Linear, Softmax or
        LogSoftmax over the features, which become those over axis 1.

        Dropout draws other masks here, so with it the two are equal in evaluation only.

        Raises
        ------
        ValueError
            The scanned layer is not such an MLP, or its first Linear does not take a multiple
            of `window` numbers.

        References
        ----------
        [Recitation] Example 2; [Proofs] 7.

        Examples
        --------
        >>> import nnscratch as nn
        >>> mlp = nn.Sequential(nn.Linear(12, 5), nn.Tanh(), nn.Linear(5, 2))
        >>> scan = Scan(mlp, window=4, stride=3)
        >>> x = np.ones((7, 10, 3), np.float32)
        >>> y = scan.as_correlation().forward(x.transpose(0, 2, 1))
        >>> y.shape
        (7, 2, 3)
        >>> np.allclose(y.transpose(0, 2, 1), scan.forward(x), atol=1e-6)
        True
        """
        found: list[Layer] = []
        kernel, stride = self.window, self.stride
        scanned = False  # whether the first Linear is behind us
        # Exact classes are asked for, since a subclass may compute something else.
        for layer in _merged_biases(_unnested(self.layers[0])):
            if type(layer) is Linear:
                found.append(_correlation(layer, kernel, stride))
                kernel, stride, scanned = 1, 1, True
            elif vars(type(layer)).get("element_wise"):
                found.append(copy.deepcopy(layer))
            elif isinstance(layer, (Softmax, LogSoftmax)) and scanned and layer.axis in (-1, 1):
                found.append(type(layer)(axis=1))
            elif type(layer) is not Flatten:
                raise ValueError(
                    "Scan.as_correlation expected Linear and element-wise layers only, received "
                    f"{layer}; keep the Scan, which takes any layer"
                )
        if not scanned:
            raise ValueError(
                "Scan.as_correlation expected a layer with a Linear inside, received "
                f"{self.layers[0]}; without one there are no weights to correlate with"
            )
        return Sequential(*found)

    def _on_rows(self, function: Any, x: np.ndarray) -> tuple[np.ndarray, Any, tuple[int, ...]]:
        """function(rows) for the windows of x as rows, and the shape that y has in samples."""
        if x.ndim != 3:
            self.refuse(
                "(batch, time, features)",
                x,
                "one sequence is a batch of one, x[np.newaxis], and one feature is an axis of 1, "
                "x[..., np.newaxis]",
            )
        batch, time, features = x.shape
        if time < self.window:
            self.refuse(
                f"(batch, time, features) with time of at least {self.window}",
                x,
                "pass longer sequences or choose a smaller window",
            )
        windows = self._windows(x)
        positions = windows.shape[1]
        rows = windows.reshape(batch * positions, self.window * features)
        try:
            y, found = function(rows)
        except ValueError as error:
            error.add_note(
                f"in Scan: a window of {self.window} steps with {features} features each is a row "
                f"of {self.window * features}"
            )
            raise
        if y.shape[:1] != rows.shape[:1]:
            self.refuse(
                f"its layer to return {len(rows)} rows, one for each window",
                y,
                "scan a layer that keeps the batch axis",
            )
        return y, found, (batch, positions, *y.shape[1:])

    def _windows(self, x: np.ndarray, writeable: bool = False) -> np.ndarray:
        """x as (batch, positions, window, features): a view, so windows overlap in memory."""
        starts = sliding_window_view(x, self.window, axis=1, writeable=writeable)
        return starts[:, :: self.stride].swapaxes(2, 3)

    def _overlapped(self, rows: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray | None:
        """dX of this shape, from the rows dx(t) added up where their windows overlap."""
        if rows is None:  # not needed, or f reads indices as Embedding does
            return None
        dx = np.zeros(shape, rows.dtype)
        windows = self._windows(dx, writeable=True)
        rows = rows.reshape(windows.shape)
        # Each apart-th window has no place in common with the next: one += adds all of them.
        apart = -(-self.window // self.stride)
        for first in range(apart):
            windows[:, first::apart] += rows[:, first::apart]
        return dx

    def written_on(self, page: Page) -> str:
        stride = f", stride={self.stride}" if self.stride > 1 else ""
        return f"Scan({page.of(self.layers[0])}, window={self.window}{stride})"


def _positive(argument: str, value: Any) -> int:
    try:
        number = index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise ValueError(f"Scan expected {argument} to be a positive int, received {value!r}")
    return number


def _unnested(layer: Layer) -> Iterator[Layer]:
    """The layers in the order of the data's path, those of a Sequential one by one."""
    if type(layer) is Sequential:
        for inner in layer.layers:
            yield from _unnested(inner)
    else:
        yield layer


def _merged_biases(layers: Iterator[Layer]) -> list[Layer]:
    """The layers with W x and then + b as one Linear: (W x + b) + c = W x + (b + c)."""
    merged: list[Layer] = []
    for layer in layers:
        before = merged[-1] if merged else None
        if type(layer) is Bias and type(before) is Linear:
            both = Linear(before.in_features, before.out_features).astype(before.dtype)
            b = before.params.get("b", 0) + layer.params["b"]
            both.params = {"W": before.params["W"], "b": b}
            merged[-1] = both
        else:
            merged.append(layer)
    return merged


def _correlation(linear: Linear, kernel: int, stride: int) -> Correlation1d:
    """The Correlation1d that does at every place what the Linear does on a flattened window."""
    W, bias = linear.params["W"], "b" in linear.params
    hidden, features = linear.out_features, linear.in_features // kernel
    if features * kernel != linear.in_features:
        raise ValueError(
            f"Scan.as_correlation expected a Linear that takes window * features numbers with "
            f"window={kernel}, received {linear}; its first size is no multiple of {kernel}"
        )
    correlation = Correlation1d(features, hidden, kernel, stride=stride, bias=bias)
    correlation.astype(W.dtype)
    # time first in W's rows, as in a flattened window; channels first in a kernel
    correlation.params["W"] = W.reshape(hidden, kernel, features).transpose(0, 2, 1)
    if bias:
        correlation.params["b"] = linear.params["b"]
    return correlation
