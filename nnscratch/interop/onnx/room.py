"""How many numbers a layer would give, before it is run on a stranger's word."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from nnscratch import layers as nn
from nnscratch.layers.spatial.kernels import Kernels

BROADCAST = (nn.Add, nn.Sub, nn.Mul, nn.Div, nn.Maximum, nn.Minimum, nn.Where)


def numbers_of(layer: Any, shapes: Sequence[tuple[int, ...]]) -> int:
    """At least as many as the layer's output has, from the shapes of its inputs."""
    sizes = [prod(shape) for shape in shapes]
    most = max([1, *sizes])
    if isinstance(layer, BROADCAST):
        return prod(np.broadcast_shapes(*shapes))
    if isinstance(layer, nn.Attention):  # a score for each pair of steps
        return max(most, sizes[0] // max(1, shapes[0][-1]) * prod(shapes[1][-2:-1]))
    if isinstance(layer, nn.MatMul):
        rows, columns = shapes
        return (
            prod(np.broadcast_shapes(rows[:-2], columns[:-2]))
            * prod(rows[-2:-1])
            * (columns[-1] if len(columns) > 1 else 1)
        )
    if isinstance(layer, (nn.Concatenate, nn.Stack)):
        return sum(sizes)
    if isinstance(layer, (nn.Linear, nn.Embedding)):
        return most * max(
            array.shape[-1 if isinstance(layer, nn.Embedding) else 0]
            for array in layer.params.values()
        )
    if isinstance(layer, nn.Index):
        parts = layer.key if isinstance(layer.key, tuple) else (layer.key,)
        return most * prod(max(1, part.size) for part in parts if isinstance(part, np.ndarray))
    if isinstance(layer, nn.Tile):
        return most * prod(np.atleast_1d(layer.repeats).tolist())
    if isinstance(layer, nn.Pad):
        widths = np.atleast_1d(np.array(layer.widths)).reshape(-1, np.ndim(layer.widths[0]) + 1)
        return prod(shapes[0][:2]) * prod(
            n + int(w.sum()) for n, w in zip(shapes[0][2:], widths, strict=True)
        )
    if isinstance(layer, nn.Upsample):
        return most * prod(np.broadcast_to(layer.factor, len(shapes[0]) - 2).tolist())
    if isinstance(layer, Kernels):
        return _of_kernels(layer, shapes[0])
    return most


def _of_kernels(layer: Kernels, shape: tuple[int, ...]) -> int:
    """With padded copies of x and patches, each a copy of what one element of a kernel looks at."""
    back = isinstance(layer, (nn.ConvTranspose1d, nn.ConvTranspose2d))
    padded = seen = patches = 1
    for axis, n in zip(layer.windows, shape[2:], strict=True):
        on = axis.on(n)
        padded *= n + on.before + on.after
        seen *= n * on.stride + on.extent if back else on.count(n)
        patches *= (n if back else on.count(n)) * on.size
    channels = layer.out_channels if back else layer.in_channels
    return shape[0] * max(padded * channels, seen * layer.out_channels, patches * channels)
