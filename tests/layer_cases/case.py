"""What a case is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import nnscratch as nn


def away_from_zero(rng, shape):
    """Normal numbers with none nearer to 0 than 0.1."""
    x = rng.normal(size=shape)
    return np.asarray(x + 0.1 * np.where(x < 0, -1, 1))


@dataclass(frozen=True)
class LayerCase:
    """How to build a layer, what to feed it, and what torch calls the same."""

    build: Callable[[], nn.Layer]
    shape: Any = (7, 5)  # of a batch; a list of them for several inputs
    torch: Callable[..., Any] | None = None  # (torch, params, *inputs) -> y
    batch_axis: bool = True  # whether the first axis of the inputs numbers samples
    single: bool = False  # whether one sample without batch axis is taken too
    float32: float = 1e-5  # how near to torch's float32; less where large terms cancel
    sample: Any = away_from_zero  # (rng, shape) -> an input; a list of them, one per input
    drawn: Any = None  # a strategy for other shapes, where a batch size is not enough

    @property
    def name(self) -> str:
        return type(self.build()).__name__

    @property
    def shapes(self) -> Sequence[tuple[int, ...]]:
        return self.shape if isinstance(self.shape, list) else [self.shape]

    def inputs(self, rng, batch=None, shapes=None):
        """One array for each input, for another batch size or for other shapes."""
        shapes = shapes or self.shapes
        if batch is not None:
            shapes = [(batch, *shape[1:]) for shape in shapes]
        samples = self.sample if isinstance(self.sample, list) else [self.sample] * len(shapes)
        return [sample(rng, shape) for sample, shape in zip(samples, shapes, strict=True)]


def functional(name, **options):
    def call(torch, params, x):
        return getattr(torch.nn.functional, name)(x, **options)

    return call
