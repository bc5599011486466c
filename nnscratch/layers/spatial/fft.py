"""Correlation of images with large kernels, by way of their spectra.

The discrete Fourier transform F turns a correlation along an axis into products of numbers. With
x and w filled up by zeros to the same length n,

    y_i = Σ_j x_{i+j} w_j    =>    F(y)_f = Σ_i Σ_j x_{i+j} w_j e^{-2πi f i/n}
                                          = Σ_p x_p e^{-2πi f p/n} · Σ_j w_j e^{+2πi f j/n}
                                          = F(x)_f · conj F(w)_f

by p = i + j, for indices that run on from n - 1 to 0. Where all windows lie inside the n places,
as they do in an x that has its padding, none of them runs on. With channels, each frequency has
a small matrix product instead, over the same images with the samples innermost as in
`im2col.py`, and the gradients follow as there:

    Y = conj(K) X      K (O, C), X (C, N) at each frequency
    dX = Kᵀ dY         the convolution
    dK = conj(dY) Xᵀ   the correlation of x with dy, summed over the samples

This costs the same for a kernel of any size. What rounding loses is small beside the largest
number of an image, not beside each one of its numbers, and one that is not finite spreads over
its image.
"""

from __future__ import annotations

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.spatial.im2col import Axes


def pays(shape: tuple[int, ...], axes: Axes, out_channels: int) -> bool:
    """Whether spectra are the faster way for rows of this shape (H, C, W, N).

    Multiplications of the direct way are compared with those of products and transforms, which
    take as long as so many of them. The two figures are fitted to what
    `python -m tests.benchmarks.spectra` measures.
    """
    if any((axis.stride, axis.dilation) != (1, 1) for axis in axes):
        return False
    height, channels, width, samples = shape
    pairs = channels * out_channels
    transformed = channels + out_channels + pairs / max(1, samples)  # of x, y and the kernels
    direct, spectral = pairs, 140 * transformed + 11 * pairs
    for axis, length in zip(axes, (height, width), strict=True):
        direct *= axis.size * axis.count(length)
        spectral *= length + axis.before + axis.after
    return direct > spectral


class Spectrum:
    """x (H, C, W, N) as its spectrum, for windows of stride and dilation 1."""

    @checks_kinds
    def __init__(self, x: np.ndarray, axes: Axes) -> None:
        from scipy.fft import next_fast_len

        self.axes, self.shape = axes, x.shape
        padded = (n + axis.before + axis.after for axis, n in zip(axes, x.shape[::2], strict=True))
        self.size = tuple(next_fast_len(n, real=True) for n in padded)
        self.x = self._transform(x, self._inside)

    def correlate(self, W: np.ndarray) -> np.ndarray:
        """y = x corr W: (O, C, kh, kw) to (out_h, O, out_w, N)."""
        return self._back(np.conj(self._kernel(W)) @ self.x, self._windows)

    def weight_gradient(self, dy: np.ndarray) -> np.ndarray:
        """dW = x corr dy, summed over the samples: (O, C, kh, kw)."""
        vertical, horizontal = self.axes
        dK = np.conj(self._transform(dy)) @ self.x.swapaxes(2, 3)
        dW = self._back(dK, (slice(vertical.size), slice(horizontal.size)))
        return dW.transpose(1, 3, 0, 2)

    def input_gradient(self, dy: np.ndarray, W: np.ndarray) -> np.ndarray:
        """dx = dy conv W: (out_h, O, out_w, N) back to (H, C, W, N)."""
        return self._back(self._kernel(W).swapaxes(2, 3) @ self._transform(dy), self._inside)

    @property
    def _inside(self) -> tuple[slice, slice]:
        """The places of x among those of the padded x."""
        top, left = (
            slice(axis.before, axis.before + n)
            for axis, n in zip(self.axes, self.shape[::2], strict=True)
        )
        return top, left

    @property
    def _windows(self) -> tuple[slice, slice]:
        vertical, horizontal = self.axes
        return slice(vertical.count(self.shape[0])), slice(horizontal.count(self.shape[2]))

    def _kernel(self, W: np.ndarray) -> np.ndarray:
        return self._transform(W.transpose(2, 0, 3, 1))

    def _transform(self, rows: np.ndarray, places: tuple[slice, slice] | None = None) -> np.ndarray:
        """(h, K, w, M), at those places among zeros, as the spectrum (f, g, K, M)."""
        from scipy.fft import fft, rfft

        vertical, horizontal = places or (slice(rows.shape[0]), slice(rows.shape[2]))
        height, width = self.size
        lines = np.zeros((rows.shape[0], rows.shape[1], width, rows.shape[3]), rows.dtype)
        lines[:, :, horizontal] = rows
        half = rfft(lines, axis=2)
        columns = np.zeros((height, *half.shape[1:]), half.dtype)
        columns[vertical] = half
        return fft(columns, axis=0, overwrite_x=True).transpose(0, 2, 1, 3)

    def _back(self, spectrum: np.ndarray, places: tuple[slice, slice]) -> np.ndarray:
        """(f, g, K, M) as contiguous (h, K, w, M) at those places."""
        from scipy.fft import ifft, irfft

        vertical, horizontal = places
        lines = ifft(spectrum.transpose(0, 2, 1, 3), axis=0)[vertical]
        rows = irfft(lines, self.size[1], axis=2)[:, :, horizontal]
        return np.ascontiguousarray(rows)
