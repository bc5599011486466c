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
adding up the kw shifted copies. Where groups have few channels, dx is instead what it is by its
formula too, the correlation of dy, with zeros around it, with the kernel from its end to its start.

With groups of channels, each group is a correlation of its own. J has them as its outermost axis,
(G, H, kw, C/G, out_w, N), so that a group's part of J is laid out as above, and one call of
`matmul` runs over the groups as it runs over the rows.

Nobody outside sees the layout: `samples_last` and `samples_first` transpose between it and
(N, C, H, W), which costs nothing where one such layer follows another, since a transpose is a
view.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from nnscratch.kinds import checks_kinds
from nnscratch.layers.spatial.windows import Windows, places_of_elements, seers_of_places

Axes = tuple[Windows, Windows]  # the windows along H and along W
FEW = 8  # channels of a group: so few that its products take less time than what is between them


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


def gather(x: np.ndarray, axes: Axes, groups: int = 1) -> np.ndarray:
    """J (G, H + zeros, kw, C/G, out_w, N): in J[g, h, j] what element j of row h's windows sees."""
    vertical, horizontal = axes
    height, channels, width, samples = x.shape
    each = channels // groups
    x = x.reshape(height, groups, each, width, samples).swapaxes(0, 1)
    out_w, top = horizontal.count(width), vertical.before
    if horizontal == Windows(1) and top == vertical.after == 0:
        return x[:, :, np.newaxis]
    rows = top + height + max(vertical.after, 0)  # below 0 where windows leave the last rows out
    J = np.empty((groups, rows, horizontal.size, each, out_w, samples), x.dtype)
    J[:, :top] = J[:, top + height :] = 0
    for j, (columns, places) in enumerate(places_of_elements(horizontal, width)):
        shifted = J[:, top : top + height, j]
        shifted[..., columns, :] = x[..., places, :]
        shifted[..., : columns.start, :] = shifted[..., columns.stop :, :] = 0
    return J


class Patches:
    """x (H, C, W, N) with its columns gathered: what a correlation and its gradients look at."""

    @checks_kinds
    def __init__(self, x: np.ndarray, axes: Axes, groups: int = 1) -> None:
        self.axes, self.groups = axes, groups
        self.height, _, self.width, _ = x.shape
        self.J = gather(x, axes, groups)

    def correlate(self, W: np.ndarray) -> np.ndarray:
        """y = x corr W: (O, C/G, kh, kw) to (out_h, O, out_w, N)."""
        patches = self._by_row()
        groups, out_h, K, places = patches.shape
        y = np.empty((out_h, groups, len(W) // groups, places), patches.dtype)
        np.matmul(as_matrix(W).reshape(groups, 1, -1, K), patches, out=y.swapaxes(0, 1))
        return y.reshape(out_h, len(W), *self.J.shape[4:])

    def weight_gradient(self, dy: np.ndarray) -> np.ndarray:
        """dW = x corr dy, summed over the samples: (O, C/G, kh, kw)."""
        out_h, out_channels, out_w, samples = dy.shape
        of_group = out_channels // self.groups
        rows = dy.reshape(out_h, self.groups, of_group, out_w * samples).swapaxes(0, 1)
        dW = (self._by_row() @ rows.swapaxes(2, 3)).sum(axis=1)
        _, _, kw, each, *_ = self.J.shape
        dW = dW.reshape(self.groups, self.axes[0].size, kw, each, of_group)
        return dW.transpose(0, 4, 3, 1, 2).reshape(out_channels, each, -1, kw)

    def input_gradient(self, dy: np.ndarray, W: np.ndarray) -> np.ndarray:
        """dx = dy conv W: (out_h, O, out_w, N) back to (H, C, W, N)."""
        return input_gradient(dy, W, self.axes, self.height, self.width, self.groups)

    def _by_row(self) -> np.ndarray:
        """The matrices of all patches, for groups and output rows: (G, out_h, kh·kw·C/G, out_w·N).

        A view where the rows of a window are neighbours; with a dilation, a copy.
        """
        groups, rows, kw, each, out_w, samples = self.J.shape
        vertical, _ = self.axes
        J = self.J.reshape(groups, rows, kw * each, out_w * samples)
        group, step, *inner = J.strides
        out_h = vertical.count(self.height)
        windows = as_strided(
            J,
            (groups, out_h, vertical.size, *J.shape[2:]),
            (group, vertical.stride * step, vertical.dilation * step, *inner),
            writeable=False,
        )
        return windows.reshape(groups, out_h, vertical.size * kw * each, out_w * samples)


def bias_gradient(dy: np.ndarray) -> np.ndarray:
    """db = the sum of dy over samples and places: (O,)."""
    rows = dy.reshape(*dy.shape[:2], -1)
    return (rows @ np.ones(rows.shape[2], dy.dtype)).sum(axis=0)


def input_gradient(
    dy: np.ndarray, W: np.ndarray, axes: Axes, height: int, width: int, groups: int = 1
) -> np.ndarray:
    """dx = dy conv W: (out_h, O, out_w, N) back to (height, C, width, N)."""
    vertical, horizontal = axes
    _, each, kh, kw = W.shape
    out_h, out_channels, out_w, samples = dy.shape
    of_group, places = out_channels // groups, out_w * samples
    if groups > 1 and max(each, of_group) <= FEW:
        back = vertical.mirrored(height), horizontal.mirrored(width)
        if back[0] is not None and back[1] is not None:
            mirrored = W[:, :, ::-1, ::-1].reshape(groups, of_group, each, kh, kw).swapaxes(1, 2)
            kernels = np.ascontiguousarray(mirrored).reshape(groups * each, of_group, kh, kw)
            return Patches(dy, (back[0], back[1]), groups).correlate(kernels)
    rows = dy.reshape(out_h, groups, of_group, places).swapaxes(0, 1)
    rows = np.ascontiguousarray(rows)  # for one group they are
    upside_down = W[:, :, ::-1].reshape(groups, of_group, each, kh, kw).transpose(0, 4, 2, 3, 1)
    upside_down = upside_down.reshape(groups, kw * each, kh, of_group)
    # dJ[h] = sum of W[:, :, i]' dy[window] over the windows whose element i lies on row h
    dJ = np.empty((height, groups, kw * each, places), dy.dtype)
    seers = seers_of_places(vertical, height, out_h)
    for row, (elements, windows) in zip(dJ, seers, strict=True):
        seen = rows[:, windows]
        K = seen.shape[1] * of_group
        weights = upside_down[:, :, elements].reshape(groups, kw * each, K)
        np.matmul(weights, seen.reshape(groups, K, places), out=row)
    if (kw, horizontal.stride, horizontal.before, out_w) == (1, 1, 0, width):  # gathered once
        return dJ.reshape(height, groups * each, width, samples)
    dJ = dJ.reshape(height, groups, kw, each, out_w, samples)
    dx = np.zeros((height, groups, each, width, samples), dJ.dtype)
    for j, (columns, into) in enumerate(places_of_elements(horizontal, width)):
        dx[..., into, :] += dJ[:, :, j, :, columns]
    return dx.reshape(height, groups * each, width, samples)


def as_matrix(W: np.ndarray) -> np.ndarray:
    """(O, C/G, kh, kw) as (O, kh·kw·C/G), in the order of the patches; a view if W lies so too."""
    return W.transpose(0, 2, 3, 1).reshape(len(W), -1)
