"""The transpose of a correlation: a small image becomes a large one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nnscratch.initializers import Initializer, glorot_uniform
from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Grads
from nnscratch.layers.spatial.im2col import Axes, Patches, input_gradient
from nnscratch.layers.spatial.kernels import Kernels
from nnscratch.layers.spatial.windows import Padding, Windows, one_or_all, per_axis

__all__ = ["ConvTranspose1d", "ConvTranspose2d"]


class _ConvTranspose(Kernels):
    """The passes of both layers: those of a correlation that leads from y to x."""

    @checks_kinds
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: Padding = 0,
        bias: bool = True,
        rng: Any = None,
        initializer: Initializer = glorot_uniform,
        output_padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
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
        )
        self._set_output_padding(output_padding)

    def _channels_of_W(self) -> tuple[int, int]:
        return self.in_channels, self.out_channels

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        rows = self.rows_of(x)
        axes, (height, width) = self._leading_back(rows.shape[::2])
        if height < 1 or width < 1:
            self.refuse("a larger input or less padding", self.from_rows(rows), "y would be empty")
        y = input_gradient(rows, self.kernel(), axes, height, width)
        return self.from_rows(self.add_bias(y)), (rows, axes)

    def backward_pass(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        _, axes = cache
        return self.from_rows(Patches(self.rows(dy), axes).correlate(self.kernel()))

    def gradient_pass(self, dy: np.ndarray, cache: Any) -> Grads:
        x, axes = cache
        dy = self.rows(dy)
        return self.gradients(Patches(dy, axes).weight_gradient(x), dy)

    def _leading_back(self, counts: Sequence[int]) -> tuple[Axes, tuple[int, int]]:
        """The windows of the correlation that leads from y to x, and the height and width of y."""
        axes, sizes = [], []
        longer = (0, *self._output_padding)[-2:]
        for axis, count, more in zip((Windows(1), *self.windows)[-2:], counts, longer, strict=True):
            if axis.fit == "same":
                axes.append(axis.on(count * axis.stride))
                sizes.append(count * axis.stride)
            else:
                axes.append(replace(axis, after=axis.after - more))
                sizes.append(axes[-1].reach(count))
        vertical, horizontal = axes
        return (vertical, horizontal), (sizes[0], sizes[1])

    def _set_output_padding(self, value: int | Sequence[int]) -> None:
        name = type(self).__name__
        numbers = per_axis(name, "output_padding", value, self.space, least=0)
        most = [max(axis.stride, axis.dilation) - 1 for axis in self.windows]
        if any(n > limit for n, limit in zip(numbers, most, strict=True)):
            raise ValueError(
                f"{name} expected output_padding of at most {one_or_all(most)}, less than stride "
                f"or dilation, received {value}; Pad adds more"
            )
        if any(numbers) and self.padding == "same":
            raise ValueError(
                f'{name} expected no output_padding with padding="same", which already makes y '
                f"stride times as long as x, received {value}"
            )
        self._output_padding = numbers

    @property
    def output_padding(self) -> Any:
        return one_or_all(self._output_padding)


class ConvTranspose1d(_ConvTranspose):
    """The transpose of `Correlation1d`: y = x ⊗ w, each x_i spreading a kernel over y.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride : int
        Those of the correlation that leads back: y_{si+j} gets x_i w_j.
    padding : int, pair (before, after), "valid", "same" or "full"
        Cut off from the ends of y, where the correlation would add zeros. "same" makes y stride
        times as long as x.
    bias : bool
    rng : int, numpy.random.Generator or None
        Draws W; b starts at zero.
    initializer : function of `nnscratch.initializers`
    output_padding : int
        Places that y is longer by at its end, less than stride or dilation: a correlation with a
        stride leads from several lengths to the same one, and this says which to go back to.
    dilation : int
        Steps from one element of the kernel to the next: y_{si+dj} gets x_i w_j.

    Notes
    -----
    *Forward*: y_p = b + Σ_i x_i w_{p-si}. A correlation is a linear map, y' = A x'; its backward
    pass is Aᵀ, and that is this layer's forward pass.

    *Backward*: therefore by (Aᵀ)ᵀ = A, the correlation itself: dx = dy ⊙ w.

    *Gradient*: ΔL = Σ_p Σ_i dy_p x_i Δw_{p-si} = ⟨dy ⊙ x, Δw⟩, the correlation's dw with the
    roles of x and dy exchanged; db sums dy.

    *Shapes*: x (batch, in_channels, length); y (batch, out_channels, places) with
    places = (length - 1) stride + dilation (kernel_size - 1) + 1 - padding at both ends +
    output_padding; W (in_channels, out_channels, kernel_size) as in torch; b (out_channels,).

    *Cache*: x with the samples innermost, and the windows of the correlation.

    Raises
    ------
    ValueError
        x has another shape; nothing would be left of y; an argument is out of its range.

    References
    ----------
    [Proofs] 6.2, properties 3 and 4; Dumoulin and Visin, A guide to convolution arithmetic for
    deep learning (2016), chapter 4.

    Examples
    --------
    >>> layer = ConvTranspose1d(1, 1, 3, stride=2)
    >>> layer.params["W"] = [[[1.0, 2.0, 3.0]]]
    >>> layer.forward([[[1.0, 10.0]]])
    array([[[ 1.,  2., 13., 20., 30.]]], dtype=float32)
    """

    space = 1


class ConvTranspose2d(_ConvTranspose):
    """The transpose of `Correlation2d`: each pixel spreads a kernel over y.

    Parameters are those of `ConvTranspose1d`, one per axis where the axes differ; see there for
    the gradients.

    Notes
    -----
    *Shapes*: x (batch, in_channels, height, width); y (batch, out_channels, rows, columns), along
    each axis as in `ConvTranspose1d`; W (in_channels, out_channels, *kernel_size).

    Examples
    --------
    >>> layer = ConvTranspose2d(3, 1, 4, stride=2, padding=1, rng=0)
    >>> layer.forward(np.zeros((5, 3, 7, 7))).shape
    (5, 1, 14, 14)
    """

    space = 2
