"""The two ends of a net: how its inputs are scaled, and whether the loss can use its outputs.

A net that ends in the wrong layer, or gets inputs of another size, may learn something all the
same; so these are looked for in every run, not only in those that came to nothing.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnscratch.layers import (
    BatchNorm,
    Embedding,
    GroupNorm,
    Layer,
    LayerNorm,
    ReLU,
    RMSNorm,
    Sigmoid,
    Softmax,
    Tanh,
)
from nnscratch.losses import BCEWithLogits, Loss
from nnscratch.losses.labels import ClassLoss
from nnscratch.training.diagnosis.findings import Symptom, percent, plain
from nnscratch.training.evaluation import modes_kept

WIDE_INPUTS = 10.0  # root mean square; that of data scaled to [0, 1] or to variance 1 is at most 1
SCALED_APART = 4.0  # times the other's; halves of one data set differ by a few hundredths
CUT = 0.05  # of the scores are exactly 0; a healthy net gives none
BEYOND = 0.02  # of the targets that the last layer cannot give; rounding and noise stay below

_NORMALIZES = (BatchNorm, LayerNorm, GroupNorm, RMSNorm)
_BOUNDS: dict[type[Layer], tuple[float, float]] = {
    ReLU: (0.0, math.inf),
    Sigmoid: (0.0, 1.0),
    Tanh: (-1.0, 1.0),
    Softmax: (0.0, 1.0),
}


def ends(model: Layer, loss: Loss, probes: Any, y: Any, held_out: Any, x: Any) -> list[Symptom]:
    """What does not fit at the ends; the probes are some of the inputs x."""
    with modes_kept(model), np.errstate(all="ignore"):
        prediction = model.eval().forward_pass(probes)[0]
    leaves = [(path, layer) for path, layer in model.walk() if not layer.layers]
    found: list[Symptom] = []
    finite = isinstance(prediction, np.ndarray) and bool(np.isfinite(prediction).all())
    if finite and prediction.size and leaves:
        path, last = leaves[-1]
        found += _outputs(f"{path} {last}".strip(), last, loss, prediction, y)
    return [*found, *_held_out(x, held_out), *_inputs(leaves, x)]


def _outputs(name: str, last: Layer, loss: Loss, prediction: np.ndarray, y: Any) -> list[Symptom]:
    """A last layer behind which the loss does not get what it takes."""
    classes = isinstance(loss, ClassLoss)
    several = prediction.ndim > 1 and prediction.shape[-1] > 1
    sums = prediction.sum(axis=-1, dtype=np.float64) if several else None
    shares = prediction.min() >= 0 and sums is not None and bool(np.allclose(sums, 1, atol=1e-4))
    if (classes and shares) or (isinstance(loss, BCEWithLogits) and isinstance(last, Sigmoid)):
        message = (
            f"{type(loss).__name__} expects scores, which it turns into probabilities itself, and "
            f"layer {name} gives it probabilities, from which it cannot come far: leave that "
            "layer out while you train"
        )
        return [Symptom("probabilities as scores", name, message)]
    if classes or isinstance(loss, BCEWithLogits):
        cut = float(np.mean(prediction == 0))
        if prediction.min() >= 0 and cut > CUT:
            message = (
                f"no score is below 0, and {percent(cut)} are exactly 0: layer {name} cuts off "
                "what speaks against a class, and its gradient; end the net in a Linear"
            )
            return [Symptom("scores cut off", name, message)]
        return []
    low, high = _BOUNDS.get(type(last), (-math.inf, math.inf))
    targets = np.asarray(y, np.float64)
    beyond = float(np.mean((targets < low - 0.01) | (targets > high + 0.01)))
    if beyond <= BEYOND:
        return []
    message = (
        f"{percent(beyond)} of the targets lie outside {low:g} to {high:g}, which is all that "
        f"layer {name} can give; end the net in a Linear, or scale the targets"
    )
    return [Symptom("targets out of reach", name, message)]


def _held_out(x: Any, held_out: Any) -> list[Symptom]:
    """Validation inputs of another size than those that are trained on."""
    if held_out is None:
        return []
    here, there = root_mean_square(x), root_mean_square(held_out)
    ratio = there / here if here else math.nan
    if not (ratio > SCALED_APART or ratio < 1 / SCALED_APART):
        return []
    message = (
        f"the validation inputs are {plain(ratio)} times as large as those that are trained on "
        f"(root mean square {there:.3g} and {here:.3g}); scale both alike"
    )
    return [Symptom("validation scaled apart", "", message)]


def _inputs(leaves: list[tuple[str, Layer]], x: Any) -> list[Symptom]:
    """Inputs that are large where nothing scales them before the first weights."""
    size = root_mean_square(x)
    first = next((layer for _, layer in leaves if layer.params), None)
    if not size > WIDE_INPUTS or first is None or isinstance(first, (Embedding, *_NORMALIZES)):
        return []
    message = (
        f"the inputs are large, their root mean square is {size:.3g}; scale them to about 1, as by "
        f"x / {float(f'{np.abs(x[:1000]).max():.3g}'):g}, or put a normalization in front"
    )
    return [Symptom("wide inputs", "", message)]


def root_mean_square(x: Any) -> float:
    """√ mean x² of the first thousand samples."""
    with np.errstate(all="ignore"):
        return float(np.sqrt(np.mean(np.square(x[:1000], dtype=np.float64))))
