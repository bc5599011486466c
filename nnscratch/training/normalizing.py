"""Mean and spread of the training data, for the layers that normalize by them."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np

from nnscratch.layers import Normalize
from nnscratch.layers.base import Layer
from nnscratch.training.evaluation import modes_kept, predicted
from nnscratch.training.nonfinite import check_data
from nnscratch.training.samples import Samples, Stream


def fit_normalize(model: Layer, samples: Samples | Stream, size: int) -> None:
    """Fit every `Normalize` of a model that is not fitted, to what reaches it of the samples."""
    while unfitted := _unfitted(model):
        with ExitStack() as stack:
            stack.enter_context(modes_kept(model))
            for layer in unfitted:  # the later ones see what the first has not yet normalized
                stack.enter_context(layer.fitting(kept=layer is unfitted[0]))
            model.eval()
            _pass_forward(model, samples, size)


def _unfitted(model: Layer) -> list[Normalize]:
    found = [layer for _, layer in model.walk() if isinstance(layer, Normalize)]
    return [layer for layer in dict.fromkeys(found) if not layer.fitted]


def _pass_forward(model: Layer, samples: Samples | Stream, size: int) -> None:
    done = 0
    with np.errstate(all="ignore"):
        for batch in samples.batches(size):
            check_data(batch, f"before the first epoch (from sample {done} on)")
            predicted(model, batch.x)
            done += batch.size
