"""What the weights, gradients and activations of a run show, one sentence for each symptom.

The thresholds lie far from both sides. They were set on 23 nets that learn the digits (1 to 11
layers, ReLU, tanh, sigmoid and GELU, with and without BatchNorm, Dropout and shortcuts, all five
optimizers at usual learning rates, 20 epochs) and on 19 broken ones. "Healthy" and "broken"
beside each of them are the extremes that were measured there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch.training.diagnosis.ends import WIDE_INPUTS, root_mean_square
from nnscratch.training.diagnosis.findings import Symptom, named, percent, plain, power_of_ten
from nnscratch.training.diagnosis.recorder import Measurements, Recorder

LARGE_UPDATE = 3.0  # times the weights in one step; healthy at most 1.4, behind a zero start
LARGE_GRADIENT = 100.0  # times the weights; healthy at most 12, broken from 260
VANISHED = 1e-4  # of the largest layer's gradient, median of all steps; healthy 0.17, broken 1e-12
DEAD = 0.8  # of a layer's ReLUs; healthy at most 0.65 (RMSprop at 0.01), broken from 0.97
SATURATED = 0.6  # of a layer's values; healthy at most 0.31, broken 1.0


def symptoms(recorder: Recorder, measured: Measurements, x: Any) -> list[Symptom]:
    """What is wrong, causes before effects; x are the inputs that the net was trained on."""
    equal = _weights(recorder, measured)
    # Equal units explain idle ones, and updates that are large beside weights close to zero.
    return equal or [*_gradients(measured, x), *_activations(recorder, measured, x)]


def _weights(recorder: Recorder, measured: Measurements) -> list[Symptom]:
    """Units that all compute the same get the same gradient, and stay the same for ever."""
    first, last = recorder.weights_at_start, recorder.weights()
    equal = [
        layer
        for layer, before, after in zip(measured.layers, first, last, strict=True)
        if all(_rows_are_equal(W) for W in (*before, *after))
    ]
    if not equal:
        return []
    message = (
        f"all units of {named(equal[0], len(equal))} have equal weights, so they get equal "
        "gradients and stay equal; draw the first weights at random (initializers.he_normal "
        "for ReLU, glorot_uniform for tanh and sigmoid)"
    )
    return [Symptom("symmetric weights", equal[0], message)]


def _gradients(measured: Measurements, x: np.ndarray) -> list[Symptom]:
    """Gradients and updates that are too large, or too small on the way back."""
    if not measured.gradient_norm.size:
        return []
    updates = measured.update_ratio
    with np.errstate(all="ignore"):
        # NaN is large: it comes from infinities. Weights of a zero start are small for a while.
        to_weights = measured.gradient_norm / measured.weight_norm
        large_gradient = ~(to_weights < LARGE_GRADIENT) & (measured.weight_norm[0] > 0)
        large_update = updates > LARGE_UPDATE
    first_gradient, first_update = _first(large_gradient), _first(large_update)
    if large_gradient.any() and first_gradient <= first_update:
        layer = int(np.argmax(np.nan_to_num(to_weights[first_gradient], nan=np.inf)))
        name, size = measured.layers[layer], to_weights[first_gradient, layer]
        message = (
            f"gradients explode: in step {measured.steps[first_gradient] + 1} that of "
            f"{named(name)} is {plain(size)} times its weights; {_scale_inputs(x)}draw smaller "
            "first weights, put BatchNorm between the layers, or clip the gradients "
            "(clip_norm=1.0)"
        )
        return [Symptom("exploding gradients", name, message)]
    if large_update.any():
        layer = int(np.nanargmax(updates[first_update]))
        name, size = measured.layers[layer], updates[first_update, layer]
        message = (
            f"updates are too large: step {measured.steps[first_update] + 1} changed the weights "
            f"of {named(name)} by {plain(size)} times their size, where a thousandth is usual; "
            f"{_scale_inputs(x)}divide the learning rate by {power_of_ten(size / 1e-2)} "
            "for a start"
        )
        return [Symptom("large updates", name, message)]
    return _vanishing(measured)


def _vanishing(measured: Measurements) -> list[Symptom]:
    """Gradients that shrink from the last layer to the first."""
    gradient = measured.gradient_norm
    largest = gradient.max(axis=1, keepdims=True)
    moving = largest[:, 0] > 0
    if not moving.any():
        return []
    shares = np.median(gradient[moving] / largest[moving], axis=0)
    vanished = np.flatnonzero(shares < VANISHED)
    # A layer behind a dead one has no gradient at all, which the activations explain.
    if not len(vanished) or not shares[vanished].any():
        return []
    name, most = measured.layers[vanished[0]], measured.layers[int(shares.argmax())]
    message = (
        f"gradients vanish on the way back: that of {named(name, len(vanished))} is "
        f"{shares[vanished[0]]:.0e} times that of {named(most)}; use ReLU with "
        "initializers.he_normal, put BatchNorm or Residual between the layers, or take fewer"
    )
    return [Symptom("vanishing gradients", name, message)]


def _activations(recorder: Recorder, measured: Measurements, x: np.ndarray) -> list[Symptom]:
    """Units that have stopped to pass gradients back, at the end of the last epoch."""
    if not len(measured.idle):
        return []
    found, idle = [], measured.idle[-1]
    dead = np.flatnonzero(recorder.rectifies & (idle >= DEAD))
    if len(dead):
        name = measured.activations[dead[0]]
        message = (
            f"{percent(idle[dead[0]])} of the units of {named(name, len(dead))} are dead, they "
            "give 0 for every sample and get no gradient; lower the learning rate, draw the "
            "weights with initializers.he_normal and start biases at 0, or use LeakyReLU"
        )
        found.append(Symptom("dead ReLUs", name, message))
    flat = np.flatnonzero(~recorder.rectifies & (idle >= SATURATED))
    if len(flat):
        name = measured.activations[flat[0]]
        message = (
            f"{percent(idle[flat[0]])} of the values of {named(name, len(flat))} are saturated, "
            f"where the slope is below 5 % of the steepest; {_scale_inputs(x)}draw smaller first "
            "weights, lower the learning rate, or put BatchNorm before it"
        )
        found.append(Symptom("saturated", name, message))
    return found


def _rows_are_equal(W: np.ndarray) -> bool:
    """Up to the rounding of many steps."""
    return len(W) > 1 and bool(np.all(np.abs(W - W[:1]) <= 1e-3 * np.abs(W).max(initial=0)))


def _first(large: np.ndarray) -> int:
    """The first recorded step at which a layer is marked; the number of steps if none is."""
    rows = large.any(axis=1)
    return int(np.argmax(rows)) if np.any(rows) else len(large)


def _scale_inputs(x: Any) -> str:
    size = root_mean_square(x)
    if not size > WIDE_INPUTS:
        return ""
    return f"scale the inputs, whose root mean square is {size:.3g}, to about 1, "
