"""BatchNorm's running statistics for weights that no training has seen, such as an average."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers import BatchNorm
from nnscratch.layers.base import Layer
from nnscratch.training.evaluation import modes_kept, predicted
from nnscratch.training.samples import Batch, Samples, Stream, checked_size, inputs_of

__all__ = ["update_batch_norm"]


@checks_kinds
def update_batch_norm(model: Layer, x: Any, batch_size: int = 128) -> None:
    """Count the running statistics of every `BatchNorm` anew, from data passed forward once.

    What a training leaves there is of the weights on its way. Where weights were averaged, loaded
    or changed by hand, the statistics of these weights are still to be found.

    Parameters
    ----------
    model : Layer
        Changed in nothing else; its mode is kept.
    x : array, tuple of arrays, or an iterable of minibatches (x, y)
        The training data.
    batch_size : int
        As in training.

    Notes
    -----
    The running mean and variance become the means of those of the batches, all with equal weight
    as in algorithm 2 of the paper. All other layers are in evaluation mode: what comes after a
    Dropout is then normalized as it will be.

    References
    ----------
    Ioffe and Szegedy, Batch normalization (2015), algorithm 2; Izmailov et al., Averaging weights
    leads to wider optima and better generalization (2018), section 3.2.

    Examples
    --------
    >>> import numpy as np, nnscratch as nn
    >>> model = nn.Sequential(nn.BatchNorm(1))
    >>> update_batch_norm(model, np.array([[1.0], [3.0], [11.0], [13.0]]), batch_size=2)
    >>> model.buffers["0.running_mean"], model.buffers["0.running_var"]
    (array([7.], dtype=float32), array([2.], dtype=float32))
    """
    samples: Samples | Stream
    if isinstance(x, tuple) or hasattr(x, "shape"):
        rows = len(inputs_of(x, "update_batch_norm")[0])
        samples = Samples(x, np.arange(rows), who="update_batch_norm")
    else:
        samples = Stream(x)
    recount(model, samples.batches(checked_size(batch_size), join_single=True))


def recount(model: Layer, batches: Iterable[Batch]) -> None:
    """`update_batch_norm` from batches."""
    found = [layer for _, layer in model.walk() if isinstance(layer, BatchNorm)]
    layers = list(dict.fromkeys(found))
    if not layers:
        return
    parts = [vars(layer).pop("part", None) for layer in layers]  # every rank sees all batches
    with modes_kept(model):
        model.eval()
        for layer in layers:
            layer.train().begin_count()
        try:
            for batch in batches:
                predicted(model, batch.x)
        finally:
            for layer, part in zip(layers, parts, strict=True):
                layer.counted = None
                if part is not None:
                    layer.part = part
