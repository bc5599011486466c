"""Correlation and convolution with learned kernels ([Proofs] 6 and 7).

    correlation   y_i = sum over j of x_{i+j} w_j        what the field calls a convolution
    convolution   y_i = sum over j of x_{i-j} w_j        the same with the kernel flipped

Here are the parameters and the derivation; `im2col.py` does the work, for large kernels
`fft.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnscratch.initializers import Initializer, glorot_uniform
from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Grads
from nnscratch.layers.spatial.fft import Spectrum, pays
from nnscratch.layers.spatial.im2col import Patches
from nnscratch.layers.spatial.kernels import Kernels
from nnscratch.layers.spatial.windows import Padding

__all__ = ["Conv1d", "Conv2d", "Convolution1d", "Convolution2d", "Correlation1d", "Correlation2d"]


class _Correlation(Kernels):
    """The passes of all four layers, which differ in the axes of space and in the flip."""

    @checks_kinds
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: Padding = 0,
        dilation: int | Sequence[int] = 1,
        bias: bool = True,
        rng: Any = None,
        initializer: Initializer = glorot_uniform,
        groups: int = 1,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            bias,
            rng,
            initializer,
            groups,
        )

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        rows = self.rows_of(x)
        axes = self.image_axes(rows.shape[::2])
        self.check_room(rows, axes)
        seen: Patches | Spectrum
        if self.groups == 1 and pays(rows.shape, axes, self.out_channels):
            seen = Spectrum(rows, axes)
        else:
            seen = Patches(rows, axes, self.groups)
        return self.from_rows(self.add_bias(seen.correlate(self.kernel()))), seen

    def backward_pass(self, dy: np.ndarray, seen: Patches | Spectrum) -> np.ndarray:
        return self.from_rows(seen.input_gradient(self.rows(dy), self.kernel()))

    def gradient_pass(self, dy: np.ndarray, seen: Patches | Spectrum) -> Grads:
        dy = self.rows(dy)
        return self.gradients(seen.weight_gradient(dy), dy)


class Correlation1d(_Correlation):
    """Learned kernels along a signal: y_i = Σ_j x_{i+j} w_j. `Conv1d` is another name for it.

    Parameters
    ----------
    in_channels, out_channels : int
        y has a kernel, and a sum over all channels of x, for each of its own channels.
    kernel_size : int
    stride : int
        Steps from one window to the next.
    padding : int, pair (before, after), "valid", "same" or "full"
        Zeros at the ends of x: none if "valid"; as many as keep the length if "same", or with
        a stride ⌈length / stride⌉, the odd zero at the end; dilation · (kernel_size - 1) at each
        end if "full".
    dilation : int
        Steps from one element of a window to the next.
    bias : bool
        Whether there is a b.
    rng : int, numpy.random.Generator or None
        Draws W; b starts at zero.
    initializer : function of `nnscratch.initializers`
        `glorot_uniform` unless told; `he_normal` suits a ReLU behind the layer.
    groups : int
        How many parts of the channels have nothing to do with one another: neighbouring channels
        of x lead to neighbouring channels of y. With in_channels groups ("depthwise") each channel
        has kernels of its own.

    Notes
    -----
    *Forward*: y = x ⊙ w + b, that is y_i = b + Σ_j x_{i+j} w_j for one channel; with several,
    y_o = b_o + Σ_c x_c ⊙ w_oc. Samples are independent.

    *Backward*: Δy = Δx ⊙ w, so ΔL = ⟨dy, Δx ⊙ w⟩ = Σ_i Σ_j dy_i Δx_{i+j} w_j. With p = i + j
    that is Σ_p Δx_p Σ_j dy_{p-j} w_j = ⟨Δx, dy ⊗ w⟩, the third adjoint property of [Proofs]
    6.2: dx = dy ⊗ w, a convolution. p takes each value at which any window looks, which is
    the convolution's "full" range for the correlation's "valid" one.

    *Gradient*: Δy = x ⊙ Δw, so ΔL = Σ_i Σ_j dy_i x_{i+j} Δw_j = ⟨x ⊙ dy, Δw⟩, the first
    adjoint property: dw = x ⊙ dy; db = Σ_i dy_i. A batch sums over its samples.

    *Padding* makes x longer by zeros, which are no input: dx loses its ends again. A *stride* s
    keeps each s-th y: x_{si+j}, and dy is spread out with s - 1 zeros between its elements
    before it is convolved. A *dilation* d spreads out w in the same way: x_{i+dj}. *Groups* are
    as many correlations side by side: W is 0 between one group's channels and another's, and
    only the rest of it is kept.

    *Shapes*: x (batch, in_channels, length); y (batch, out_channels, positions) with
    positions = ⌊(length + zeros - dilation (kernel_size - 1) - 1) / stride⌋ + 1;
    W (out_channels, in_channels / groups, kernel_size); b (out_channels,). y is a view whose
    memory has the samples innermost.

    *Cache*: x with the samples innermost and its columns gathered, kernel_size times as large as
    x (for images, as many times as the kernel is wide), and x's shape. Where the kernel is so
    large that products of spectra are faster, the spectrum of x instead; rounding errors are
    then small beside the largest number of a sample, and a NaN spreads over its sample.

    Raises
    ------
    ValueError
        x has another shape or is shorter than the kernel; an argument is out of its range.

    References
    ----------
    [Proofs] 6.2 with the erratum of its second property, and 7.

    Examples
    --------
    >>> layer = Correlation1d(1, 1, 3)
    >>> layer.params["W"] = [[[1.0, 2.0, 3.0]]]
    >>> layer.forward([[[1.0, 0.0, 0.0, 1.0, 0.0]]])
    array([[[1., 3., 2.]]], dtype=float32)
    >>> dx, grads = layer.backward([[[1.0, 0.0, 10.0]]])
    >>> dx
    array([[[ 1.,  2., 13., 20., 30.]]], dtype=float32)
    >>> grads["W"]
    array([[[ 1., 10.,  0.]]], dtype=float32)
    """

    space = 1


class Correlation2d(_Correlation):
    """Learned kernels over an image: y_ik = Σ_jl x_{i+j,k+l} w_jl. `Conv2d` is another name.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, dilation : int or one per axis
        As in `Correlation1d`, (vertical, horizontal) if they differ.
    padding : int, one per axis, or "valid", "same", "full"
        An entry per axis is an int or a pair (before, after): ((top, bottom), (left, right)).
    bias, rng, initializer, groups
        As in `Correlation1d`.

    Notes
    -----
    *Forward*: y_o = b_o + Σ_c x_c ⊙ w_oc for images, with the sums over both axes.

    *Backward*, *gradient*: those of `Correlation1d` with every index a pair:
    dx_c = Σ_o dy_o ⊗ w_oc and dw_oc = x_c ⊙ dy_o; db_o sums dy_o. A batch sums over its samples.

    *Shapes*: x (batch, in_channels, height, width); y (batch, out_channels, rows, columns);
    W (out_channels, in_channels / groups, *kernel_size); b (out_channels,). y is a view whose
    memory has the samples innermost.

    *Cache*: as in `Correlation1d`.

    Raises
    ------
    ValueError
        x has another shape or is smaller than the kernel; an argument is out of its range.

    References
    ----------
    [Proofs] 6 and 7.

    Examples
    --------
    >>> layer = Correlation2d(1, 8, 5, padding="same", rng=0)
    >>> layer.forward(np.zeros((3, 1, 28, 28))).shape
    (3, 8, 28, 28)
    >>> layer.forward(np.zeros((3, 28, 28, 1)))
    Traceback (most recent call last):
    ValueError: Correlation2d(1, 8, 5, padding=2) expected (batch, 1, height, width), received
    (3, 28, 28, 1); channels are axis 1 here: np.moveaxis(x, -1, 1)
    """

    space = 2


class Convolution1d(_Correlation):
    """Learned kernels along a signal, flipped: y_i = Σ_j x_{i-j} w_j.

    Parameters are those of `Correlation1d`; the windows stand where they stand there.

    Notes
    -----
    *Forward*: the correlation with the kernel from its end to its start, so that "full" padding
    gives y = x ⊗ w to the letter of [Proofs] 6.1.

    *Backward*: dx = dy ⊙ w, the fourth adjoint property. *Gradient*: that of the flipped kernel,
    flipped back.

    References
    ----------
    [Proofs] 6.1 and 6.2.

    Examples
    --------
    >>> layer = Convolution1d(1, 1, 2, padding="full")
    >>> layer.params["W"] = [[[1.0, 10.0]]]
    >>> layer.forward([[[1.0, 2.0, 3.0]]])
    array([[[ 1., 12., 23., 30.]]], dtype=float32)
    """

    space, flipped = 1, True


class Convolution2d(_Correlation):
    """Learned kernels over an image, flipped: y_ik = Σ_jl x_{i-j,k-l} w_jl.

    Parameters are those of `Correlation2d`; see `Convolution1d` for the gradients.

    References
    ----------
    [Proofs] 6.1 and 6.2.

    Examples
    --------
    >>> layer = Convolution2d(1, 1, 2, padding="full")
    >>> layer.params["W"] = [[[[1.0, 2.0], [3.0, 4.0]]]]
    >>> layer.forward([[[[1.0]]]])
    array([[[[1., 2.],
             [3., 4.]]]], dtype=float32)
    """

    space, flipped = 2, True


class Conv1d(Correlation1d):
    """`Correlation1d` by the name that the field uses; errors and `repr` name it as it was made."""


class Conv2d(Correlation2d):
    """`Correlation2d` by the name that the field uses; errors and `repr` name it as it was made.

    Examples
    --------
    >>> layer = Conv2d(3, 8, 5, padding="same", rng=0)
    >>> layer.forward(np.zeros((2, 3, 9, 7), np.float32)).shape
    (2, 8, 9, 7)
    """
