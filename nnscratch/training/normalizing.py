"""Mean and spread of the training data, for the layers that normalize by them."""

from __future__ import annotations

import numpy as np

from nnscratch.layers.base import Layer
from nnscratch.layers.normalization.normalize import passed_unfitted, unfitted
from nnscratch.training.evaluation import modes_kept, predicted
from nnscratch.training.nonfinite import check_data
from nnscratch.training.samples import Samples, Stream


def fit_normalize(model: Layer, samples: Samples | Stream, size: int) -> None:
    """Fit every `Normalize` of a model that is not fitted, to what reaches it of the samples."""
    while left := unfitted(model):
        # The later ones wait: what they would see, the first has not normalized yet
        with modes_kept(model), passed_unfitted(model), left[0].fitting():
            model.eval()
            _pass_forward(model, samples, size)


def _pass_forward(model: Layer, samples: Samples | Stream, size: int) -> None:
    done = 0
    with np.errstate(all="ignore"):
        for batch in samples.batches(size):
            check_data(batch, f"before the first epoch (from sample {done} on)")
            predicted(model, batch.x)
            done += batch.size
