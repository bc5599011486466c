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

                                     2. vertically: y[row] = W · patches[row]  (`correlate`)

Textbook im2col copies each number kh·kw times; here it is copied kw times, in long runs. The
two gradients take the same steps: dW sums dy[row] · patches[row]ᵀ over the rows, and dx goes
back from dy to J by a correlation of rows with the kernel upside down, and from J to x by
adding up the kw shifted copies.

Nobody outside sees the layout: `to_rows` and `to_images` transpose between it and (N, C, H, W),
which costs nothing where one such layer follows another, since a transpose is a view.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from nnscratch.layers.windows import Windows

Axes = tuple[Windows, Windows]  # the windows along H and along W


def to_rows(x: np.ndarray) -> np.ndarray:
    """(N, C, H, W), in whatever order it lies in memory, as contiguous (H, C, W, N)."""
    return np.ascontiguousarray(x.transpose(2, 1, 3, 0))


def to_images(rows: np.ndarray) -> np.ndarray:
    """(H, C, W, N) as the view (N, C, H, W)."""
    return rows.transpose(3, 1, 0, 2)


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
    for j in range(horizontal.size):
        columns, places = horizontal.inside(j, width)
        shifted = J[top : top + height, j]
        shifted[:, :, columns] = x[:, :, places]
        shifted[:, :, : columns.start] = shifted[:, :, columns.stop :] = 0
    return J


def correlate(J: np.ndarray, W: np.ndarray, vertical: Windows) -> np.ndarray:
    """y = x corr W: the gathered x and (O, C, kh, kw) to (out_h, O, out_w, N)."""
    y = as_matrix(W) @ _patches(J, vertical)
    return y.reshape(len(y), len(W), *J.shape[3:])


def weight_gradient(dy: np.ndarray, J: np.ndarray, vertical: Windows) -> np.ndarray:
    """dW = x corr dy, summed over the samples: (O, C, kh, kw)."""
    out_h, out_channels, out_w, samples = dy.shape
    by_row = dy.reshape(out_h, out_channels, out_w * samples) @ _patches(J, vertical).swapaxes(1, 2)
    kernel = (out_channels, vertical.size, J.shape[1], J.shape[2])
    return by_row.sum(axis=0).reshape(kernel).transpose(0, 3, 1, 2)


def input_gradient(
    dy: np.ndarray, W: np.ndarray, axes: Axes, height: int, width: int
) -> np.ndarray:
    """dx = dy conv W: (out_h, O, out_w, N) back to (height, C, width, N)."""
    vertical, horizontal = axes
    _, channels, kh, kw = W.shape
    _, out_channels, out_w, samples = dy.shape
    # dJ[h] = sum over i of W[:, :, i]' dy[(h + before - i·dilation) / stride]. The rows of dy are
    # laid out `stride` apart between rows of zeros; the windows then run over them one by one,
    # and i runs backwards.
    spread = _spread_rows(dy, vertical, height)
    upside_down = W[:, :, ::-1].transpose(3, 1, 2, 0).reshape(kw * channels, kh * out_channels)
    windows = _row_windows(spread, height, kh, 1, vertical.dilation)
    dJ = (upside_down @ windows).reshape(height, kw, channels, out_w, samples)
    if (kw, horizontal.stride, out_w) == (1, 1, width):  # each column was gathered once
        return dJ[:, 0]
    dx = np.zeros((height, channels, width, samples), dJ.dtype)
    for j in range(kw):
        columns, places = horizontal.inside(j, width)
        dx[:, :, places] += dJ[:, j, :, columns]
    return dx


def as_matrix(W: np.ndarray) -> np.ndarray:
    """(O, C, kh, kw) as (O, kh·kw·C), the order in which patches lie; a view if W lies so too."""
    return W.transpose(0, 2, 3, 1).reshape(len(W), -1)


def _patches(J: np.ndarray, vertical: Windows) -> np.ndarray:
    """The matrices of all patches, one per output row: (out_h, kh·kw·C, out_w·N)."""
    rows, kw, channels, out_w, samples = J.shape
    out_h = (rows - vertical.extent) // vertical.stride + 1
    J = J.reshape(rows, kw * channels, out_w * samples)
    return _row_windows(J, out_h, vertical.size, vertical.stride, vertical.dilation)


def _spread_rows(dy: np.ndarray, vertical: Windows, height: int) -> np.ndarray:
    """dy's rows as (height + extent - 1, O, out_w·N), so that windows over them give dJ."""
    out_h, out_channels, out_w, samples = dy.shape
    if vertical == Windows(1):
        return dy.reshape(out_h, out_channels, out_w * samples)
    rows = np.zeros((height + vertical.extent - 1, out_channels, out_w * samples), dy.dtype)
    # dy[0] belongs extent - 1 rows below the start of its window, and so on for each `stride`.
    # Windows that lie on nothing but zeros have no row to belong to.
    top = vertical.extent - 1 - vertical.before
    first = max(0, -(top // vertical.stride))
    places = rows[top + first * vertical.stride :: vertical.stride]
    kept = dy[first : first + len(places)]
    places[: len(kept)] = kept.reshape(len(kept), *rows.shape[1:])
    return rows


def _row_windows(rows: np.ndarray, count: int, size: int, stride: int, dilation: int) -> np.ndarray:
    """(R, K, M) as (count, size·K, M): the windows of `size` rows, each as one matrix.

    A view where the rows of a window are neighbours; with a dilation, a copy.
    """
    _, K, M = rows.shape
    step, *inner = rows.strides
    windows = as_strided(
        rows, (count, size, K, M), (stride * step, dilation * step, *inner), writeable=False
    )
    return windows.reshape(count, size * K, M)
