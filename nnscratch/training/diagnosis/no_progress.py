"""Whether a run learned anything, and if not, whether it is the net or the data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnscratch.layers import Embedding
from nnscratch.losses import Loss
from nnscratch.training.diagnosis.experiments import (
    best_guess,
    label_disagreement_of_neighbours,
    overfits_ten_samples,
)
from nnscratch.training.diagnosis.findings import Symptom, percent, power_of_ten
from nnscratch.training.diagnosis.recorder import Measurements, Recorder
from nnscratch.training.history import History

# Set on the nets that symptoms.py tells of.
NO_PROGRESS = 0.9  # of the best guess's loss; healthy at most 0.12, broken from 0.94
OVERFITTED = 0.3  # of the loss is left on ten samples; healthy at most 0.09, broken from 0.69
DISAGREEMENT = 0.9  # digits 0.02, shuffled labels 0.97 to 1.07 over a dozen shuffles
SMALL_UPDATE = 1e-5  # of the weights, median of the most active layer; healthy 1e-3, broken 3e-7
ENOUGH_STEPS = 200  # before that, a small learning rate may not have come far


def no_progress(
    recorder: Recorder,
    measured: Measurements,
    loss: Loss,
    x: Any,
    y: Any,
    history: History,
    held_out: int,
) -> list[Symptom]:
    """Whether anything was learned; if not, whether the net can learn, and what there is to."""
    if not len(history):
        return []
    prediction, _ = recorder.start.eval().forward_pass(x[:1])
    guess, share = best_guess(loss, prediction, y)
    if not history["train_loss"][-1] < NO_PROGRESS * guess:
        seen = f"the training loss ended at {history['train_loss'][-1]:.3g}"
        seen += f", and guessing has {guess:.3g}"
        return _untaught(recorder, measured, loss, x, y, seen)
    if share is None:
        return []
    # The net may have memorized its samples, but in the first epoch they were new to it.
    held_out = held_out if "valid_accuracy" in history else 0
    right = history["valid_accuracy"][-1] if held_out else history["train_accuracy"][0]
    luck = 3 * math.sqrt(share * (1 - share) / (held_out or len(x)))  # three deviations
    if right > share + luck:
        return []
    where = "on the validation data" if held_out else "in the first epoch"
    seen = f"the accuracy {where} is {right:.3g}, and guessing has {share:.3g}"
    found = _targets(recorder, x, y, seen)
    if not found and held_out:
        message = (
            f"nothing carries over: {seen}, though the training data is learned; look whether the "
            "validation targets belong to their inputs, and whether both are scaled alike"
        )
        found = [Symptom("no progress", "", message)]
    return found


def _untaught(
    recorder: Recorder, measured: Measurements, loss: Loss, x: Any, y: Any, seen: str
) -> list[Symptom]:
    """Not even the training loss fell."""
    found = _targets(recorder, x, y, seen)
    if found:
        return found
    left = overfits_ten_samples(recorder.start, loss, x, y)
    if left > OVERFITTED:
        message = (
            f"the untrained net cannot overfit ten samples, {percent(left)} of their loss is left "
            "after training on nothing else, so the mistake is in the net, not in the data; "
            "check its layers with check_gradients, its first weights, that it has enough of "
            "them, and that its last layer is no Softmax before SoftmaxCrossEntropy"
        )
        return [Symptom("cannot overfit ten samples", "", message)]
    with np.errstate(all="ignore"):
        ratio = float(np.nanmax(_medians(measured.update_ratio), initial=0))
    if 0 < ratio < SMALL_UPDATE:
        message = (
            f"updates are too small: {seen}, and a step changes the weights by at most "
            f"{ratio:.0e} of their size, where a thousandth is usual; multiply the learning rate "
            f"by {power_of_ten(1e-3 / ratio)} for a start"
        )
        return [Symptom("small updates", "", message)]
    if recorder.taken < ENOUGH_STEPS:
        return []
    message = (
        f"nothing is learned: {seen}, though the net can overfit ten samples; train longer, try "
        "other learning rates, and look at some inputs beside their targets"
    )
    return [Symptom("no progress", "", message)]


def _targets(recorder: Recorder, x: Any, y: Any, seen: str) -> list[Symptom]:
    """Whether like inputs have like targets; indices close to each other are not alike."""
    if any(isinstance(layer, Embedding) for _, layer in recorder.model.walk()):
        return []
    disagreement = label_disagreement_of_neighbours(x, y)
    if not disagreement > DISAGREEMENT:
        return []
    message = (
        f"the targets do not seem to belong to the inputs: {seen}, and the most similar inputs "
        f"have targets as different as any two have ({percent(disagreement)}); look whether x and "
        "y were shuffled or sorted apart"
    )
    return [Symptom("strange targets", "", message)]


def _medians(values: np.ndarray) -> np.ndarray:
    """The median of each layer's finite values; NaN where it has none."""
    columns = [column[np.isfinite(column)] for column in values.T]
    return np.array([np.median(column) if len(column) else np.nan for column in columns])
