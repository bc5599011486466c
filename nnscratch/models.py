"""Ready-made networks: what one would write down anyway, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from nnscratch.initializers import for_activation, he_normal
from nnscratch.kinds import checks_kinds
from nnscratch.layers import (
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Layer,
    Linear,
    MaxPool2d,
    ReLU,
    Sequential,
)

__all__ = ["cnn", "lenet", "mlp"]


@checks_kinds
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
        Behind every Linear but the last; the weights are drawn to suit it.
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
      Flatten(),
      Linear(784, 256),
      ReLU(),
      Linear(256, 10),
    )
    """
    if len(sizes) < 2:
        raise ValueError(f"mlp expected sizes like [784, 256, 10], received {list(sizes)}")
    rng = np.random.default_rng(rng)
    layers: list[Layer] = [Flatten()]
    behind: type[Layer] | None = None
    for inputs, outputs in pairwise(sizes[:-1]):
        initializer = for_activation(activation, behind)
        layers += [Linear(inputs, outputs, rng=rng, initializer=initializer), activation()]
        layers += [Dropout(dropout, rng=rng.spawn(1)[0])] if dropout else []
        behind = activation
    layers += [Linear(sizes[-2], sizes[-1], rng=rng, initializer=for_activation(None, behind))]
    return Sequential(*layers)


@checks_kinds
def lenet(
    image_shape: Sequence[int] = (1, 28, 28),
    classes: int = 10,
    batch_norm: bool = False,
    rng: int | np.random.Generator | None = None,
) -> Sequential:
    """A small convolutional net after LeNet: 8 and 16 kernels of 5 x 5, each with a pooling.

    Parameters
    ----------
    image_shape : (channels, height, width)
        Of at least 16 x 16 pixels.
    classes : int
    batch_norm : bool
        Whether a BatchNorm follows each convolution.
    rng : int, numpy.random.Generator or None
        Draws the weights.

    References
    ----------
    LeCun et al., Gradient-based learning applied to document recognition (1998), section II.

    Examples
    --------
    >>> lenet(rng=0)
    Sequential(
      Conv2d(1, 8, 5),
      ReLU(),
      MaxPool2d(2),
      Conv2d(8, 16, 5),
      ReLU(),
      MaxPool2d(2),
      Flatten(),
      Linear(256, 10),
    )
    """
    channels, height, width = _checked_shape("lenet", image_shape)
    if min(height, width) < 16:
        raise ValueError(f"lenet expected images of at least 16 x 16, received {image_shape}")
    rng = np.random.default_rng(rng)
    layers: list[Layer] = []
    for inputs, outputs in ((channels, 8), (8, 16)):
        layers += [Conv2d(inputs, outputs, 5, rng=rng, initializer=he_normal)]
        layers += [BatchNorm(outputs)] if batch_norm else []
        layers += [ReLU(), MaxPool2d(2)]
    features = 16 * _after_pools(height) * _after_pools(width)
    return Sequential(*layers, Flatten(), Linear(features, classes, rng=rng))


@checks_kinds
def cnn(
    image_shape: Sequence[int] = (1, 28, 28),
    classes: int = 10,
    width: int = 24,
    dropout: float = 0.1,
    rng: int | np.random.Generator | None = None,
) -> Sequential:
    """A deeper convolutional net: five convolutions with BatchNorm, two poolings, and a mean.

    Each pooling halves the image, and the channels double: width, then twice 2·width, then twice
    4·width. The mean over what is left of the image makes the net indifferent to its size.

    Parameters
    ----------
    image_shape : (channels, height, width)
        Of at least 4 x 4 pixels.
    classes : int
    width : int
        Channels of the first convolution.
    dropout : float in [0, 1]
        The share of the means that is dropped before the last layer; no Dropout for 0.
    rng : int, numpy.random.Generator or None
        Draws weights and masks.

    References
    ----------
    Simonyan and Zisserman, Very deep convolutional networks (2014), for the stacks of 3 x 3;
    Lin et al., Network in network (2013), section 3.2, for the mean instead of large layers.

    Examples
    --------
    >>> model = cnn(rng=0)
    >>> sum(array.size for array in model.params.values())
    157714
    """
    channels, *size = _checked_shape("cnn", image_shape)
    if min(size) < 4:
        raise ValueError(
            f"cnn expected images of at least 4 x 4, received {tuple(image_shape)}; an mlp takes "
            "images of any size"
        )
    rng = np.random.default_rng(rng)
    stages = ((channels, width, 5), (width, 2 * width, 3), (2 * width, 2 * width, 3))
    layers: list[Layer] = [*_stage(*stages[0], rng), MaxPool2d(2)]
    layers += [*_stage(*stages[1], rng), *_stage(*stages[2], rng), MaxPool2d(2)]
    layers += [*_stage(2 * width, 4 * width, 3, rng), *_stage(4 * width, 4 * width, 3, rng)]
    layers += [GlobalAvgPool()]
    layers += [Dropout(dropout, rng=rng.spawn(1)[0])] if dropout else []
    return Sequential(*layers, Linear(4 * width, classes, rng=rng))


def _checked_shape(name: str, shape: Sequence[int]) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise ValueError(
            f"{name} expected image_shape as (channels, height, width), received {shape}"
        )
    channels, height, width = shape
    return channels, height, width


def _stage(inputs: int, outputs: int, size: int, rng: np.random.Generator) -> list[Layer]:
    """Convolution, BatchNorm, ReLU. BatchNorm's beta makes a bias before it superfluous."""
    convolution = Conv2d(
        inputs, outputs, size, padding="same", bias=False, rng=rng, initializer=he_normal
    )
    return [convolution, BatchNorm(outputs), ReLU()]


def _after_pools(size: int) -> int:
    """Pixels along an axis that lenet's two convolutions and poolings leave of it."""
    return ((size - 4) // 2 - 4) // 2
