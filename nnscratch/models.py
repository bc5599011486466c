"""Ready-made networks: what one would write down anyway, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from nnscratch.initializers import for_activation, glorot_uniform
from nnscratch.layers import Dropout, Flatten, Layer, Linear, ReLU, Sequential


def mlp(
    sizes: Sequence[int],
    activation: type[Layer] = ReLU,
    dropout: float = 0.0,
    rng: int | np.random.Generator | None = None,
) -> Sequential:
    """A multilayer perceptron: Flatten, then Linear layers with an activation between them.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, hidden units of each layer, outputs: at least two numbers.
    activation : class of layers
        Behind every Linear but the last, whose weights are drawn to suit it.
    dropout : float in [0, 1]
        The share dropped behind every activation; no Dropout layers for 0.
    rng : int, numpy.random.Generator or None
        Draws weights and masks.

    Raises
    ------
    ValueError
        There are fewer than two sizes, or one is not positive.

    Examples
    --------
    >>> mlp([784, 256, 10], rng=0)
    Sequential(
      0: Flatten(),
      1: Linear(784, 256),
      2: ReLU(),
      3: Linear(256, 10),
    )
    """
    if len(sizes) < 2:
        raise ValueError(f"mlp expected sizes like [784, 256, 10], received {list(sizes)}")
    rng = np.random.default_rng(rng)
    layers: list[Layer] = [Flatten()]
    for inputs, outputs in pairwise(sizes[:-1]):
        layers += [Linear(inputs, outputs, rng=rng, initializer=for_activation(activation))]
        layers += [activation()]
        layers += [Dropout(dropout, rng=rng.spawn(1)[0])] if dropout else []
    layers += [Linear(sizes[-2], sizes[-1], rng=rng, initializer=glorot_uniform)]
    return Sequential(*layers)
