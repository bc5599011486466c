"""Correlation of images as one matrix product per output row, almost without copying.

Images lie in memory as (H, C, W, N): row of pixels, channel, column, and innermost the sample.
Whatever is done to an image is then done to runs of N neighbouring numbers. A kernel of
kh x kw is applied in two steps (here kh = kw = 3, and one column of dots is a run of C·N):

    x: row 0  a b c d e f        J: row 0  abcd bcde cdef     1. horizontally: copy each row kw
       row 1  g h i j k l           row 1  ghij hijk ijkl        times, shifted by one column
       row 2  m n o p q r           row 2  mnop nopq opqr        (`gather`)
       row 3  s t u v w x           row 3  stuv tuvw uvwx

       rows 0-2 of J, read on end:  abcd bcde cdef ghij hijk ijkl mnop nopq opqr

    That is the matrix of all patches for output row 0: kh·kw·C rows, one for each weight of a
    kernel, and out_w·N columns, one for each result. Output row 1 starts one row of J later,
    so that its matrix is an overlapping view of the same memory: nothing else is copied.

                                     2. vertically: y[row] = W · patches[row]  (`Patches`)

Textbook im2col copies each number kh·kw times; here it is copied kw times, in long runs. The
two gradients take the same steps: dW sums patches[row] · dy[row]ᵀ over the rows, and dx goes back
from dy to J, whose row collects what it gave to each row of y that saw it, and from J to x by
adding up the kw shifted copies.

Nobody outside sees the layout: `samples_last` and `samples_first` transpose between it and
(N, C, H, W), which costs nothing where one such layer follows another, since a transpose is a
view.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from nnscratch.layers.spatial.windows import Windows, places_of_elements, seers_of_places

Axes = tuple[Windows, Windows]  # the windows along H and along W


def samples_last(x: np.ndarray) -> np.ndarray:
    """(N, C, *space), in whatever order it lies in memory, as contiguous rows.

    Rows are (H, C, W, N) for images, (C, L, N) for signals: the last axis of space behind the
    channels, the others before them.
    """
    return np.ascontiguousarray(x.transpose(*range(2, x.ndim - 1), 1, x.ndim - 1, 0))


def samples_first(rows: np.ndarray) -> np.ndarray:
    """Rows as the view (N, C, *space)."""
    last = rows.ndim - 1
    return rows.transpose(last, last - 2, *range(last - 2), last - 1)


def gather(x: np.ndarray, axes: Axes) -> np.ndarray:
    """J (H + zeros, kw, C, out_w, N): in J[h, j] what element j of the windows of row h sees."""
    vertical, horizontal = axes
    height, channels, width, samples = x.shape
    out_w, top = horizontal.count(width), vertical.before
    if horizontal == Windows(1) and top == vertical.after == 0:
        return x[:, np.newaxis]
    rows = top + height + vertical.after
    J = np.empty((rows, horizontal.size, channels, out_w, samples), x.dtype)
    J[:top] = J[top + height :] = 0
    for j, (columns, places) in enumerate(places_of_elements(horizontal, width)):
        shifted = J[top : top + height, j]
        shifted[:, :, columns] = x[:, :, places]
        shifted[:, :, : columns.start] = shifted[:, :, columns.stop :] = 0
    return J


class Patches:
    """x (H, C, W, N) with its columns gathered: what a correlation and its gradients look at."""

    def __init__(self, x: np.ndarray, axes: Axes) -> None:
        self.axes = axes
        self.height, _, self.width, _ = x.shape
        self.J = gather(x, axes)

    def correlate(self, W: np.ndarray) -> np.ndarray:
        """y = x corr W: (O, C, kh, kw) to (out_h, O, out_w, N)."""
        y = as_matrix(W) @ self._by_row()
        return y.reshape(len(y), len(W), *self.J.shape[3:])

    def weight_gradient(self, dy: np.ndarray) -> np.ndarray:
        """dW = x corr dy, summed over the samples: (O, C, kh, kw)."""
        out_h, out_channels, out_w, samples = dy.shape
        rows = dy.reshape(out_h, out_channels, out_w * samples)
        dW = (self._by_row() @ rows.swapaxes(1, 2)).sum(axis=0)
        kernel = (self.axes[0].size, *self.J.shape[1:3], out_channels)
        return dW.reshape(kernel).transpose(3, 2, 0, 1)

    def input_gradient(self, dy: np.ndarray, W: np.ndarray) -> np.ndarray:
        """dx = dy conv W: (out_h, O, out_w, N) back to (H, C, W, N)."""
        return input_gradient(dy, W, self.axes, self.height, self.width)

    def _by_row(self) -> np.ndarray:
        """The matrices of all patches, one per output row: (out_h, kh·kw·C, out_w·N).

        A view where the rows of a window are neighbours; with a dilation, a copy.
        """
        rows, kw, channels, out_w, samples = self.J.shape
        vertical, _ = self.axes
        J = self.J.reshape(rows, kw * channels, out_w * samples)
        step, *inner = J.strides
        out_h = vertical.count(self.height)
        windows = as_strided(
            J,
            (out_h, vertical.size, *J.shape[1:]),
            (vertical.stride * step, vertical.dilation * step, *inner),
            writeable=False,
        )
        return windows.reshape(out_h, vertical.size * kw * channels, out_w * samples)


def bias_gradient(dy: np.ndarray) -> np.ndarray:
    """db = the sum of dy over samples and places: (O,)."""
    rows = dy.reshape(*dy.shape[:2], -1)
    return (rows @ np.ones(rows.shape[2], dy.dtype)).sum(axis=0)


def input_gradient(
    dy: np.ndarray, W: np.ndarray, axes: Axes, height: int, width: int
) -> np.ndarray:
    """dx = dy conv W: (out_h, O, out_w, N) back to (height, C, width, N)."""
    vertical, horizontal = axes
    _, channels, kh, kw = W.shape
    out_h, out_channels, out_w, samples = dy.shape
    rows = dy.reshape(out_h, out_channels, out_w * samples)
    upside_down = W[:, :, ::-1].transpose(3, 1, 2, 0).reshape(kw * channels, kh, out_channels)
    # dJ[h] = sum of W[:, :, i]' dy[window] over the windows whose element i lies on row h
    dJ = np.empty((height, kw * channels, out_w * samples), dy.dtype)
    seers = seers_of_places(vertical, height, out_h)
    for row, (elements, windows) in zip(dJ, seers, strict=True):
        seen = rows[windows]
        K = len(seen) * out_channels
        weights = upside_down[:, elements].reshape(kw * channels, K)
        np.matmul(weights, seen.reshape(K, out_w * samples), out=row)
    dJ = dJ.reshape(height, kw, channels, out_w, samples)
    if (kw, horizontal.stride, out_w) == (1, 1, width):  # each column was gathered once
        return dJ[:, 0]
    dx = np.zeros((height, channels, width, samples), dJ.dtype)
    for j, (columns, places) in enumerate(places_of_elements(horizontal, width)):
        dx[:, :, places] += dJ[:, j, :, columns]
    return dx


def as_matrix(W: np.ndarray) -> np.ndarray:
    """(O, C, kh, kw) as (O, kh·kw·C), the order in which patches lie; a view if W lies so too."""
    return W.transpose(0, 2, 3, 1).reshape(len(W), -1)
