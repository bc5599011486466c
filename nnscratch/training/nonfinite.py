"""What made a number NaN or infinite: the data, a layer on the way forward or back, the loss.

And which sample a loss or a layer refused, since these see a batch and not the data set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import numpy as np

from nnscratch.inspection.nonfinite import all_finite, first_nonfinite, first_nonfinite_gradient
from nnscratch.inspection.observe import Use, observe
from nnscratch.layers.base import Layer
from nnscratch.losses import Loss
from nnscratch.optimizers import Optimizer
from nnscratch.training.samples import Batch

TRAINING = "the training data"
HUGE = 1e15  # of a gradient that has grown on the way, where one that begins it is about 1


class NotFiniteError(RuntimeError):
    """Steps that were too long, or a model that overflows, made a number NaN or infinite."""


def explain_loss(
    model: Layer, optimizer: Optimizer, batch: Batch, when: str, clip_norm: float | None = None
) -> NoReturn:
    """Raise the RuntimeError that names what made the loss of a batch NaN or infinite."""
    check_data(batch, when)
    check_weights(model, optimizer, when, clip_norm)
    explain_forward(model, batch, when, _advice(optimizer, clip_norm))


def check_data(batch: Batch, when: str, of: str = TRAINING) -> None:
    """A RuntimeError that names the first sample with NaN or infinity in inputs or targets."""
    for name, given in (("input", batch.x), ("target", batch.y), ("sample weight", batch.weight)):
        for array in given if isinstance(given, tuple) else (given,):
            if array is None or array.dtype.kind != "f" or np.isfinite(array).all():
                continue
            row = int(np.argmin(np.isfinite(array).reshape(len(array), -1).all(axis=1)))
            raise RuntimeError(
                f"{when}: the {name} itself holds {kind_of(array[row])}, first in "
                f"{_sample(batch, row, of)}; clean the data before training"
            )


def check_weights(
    model: Layer, optimizer: Optimizer, when: str, clip_norm: float | None = None
) -> None:
    """A RuntimeError where a step has ruined the weights: by its gradients, or by its length."""
    ruined = [name for name, array in model.params.items() if not np.isfinite(array).all()]
    if not ruined:
        return
    advice = _advice(optimizer, clip_norm)
    what = f"the weights are not finite, {ruined[0]!r} holds {kind_of(model.params[ruined[0]])}"
    if not optimizer.steps:
        raise NotFiniteError(f"{when}: {what} before the first step; draw or load them again")
    wrong = [n for n in model.trained if n in ruined and not np.isfinite(optimizer.grads[n]).all()]
    if wrong:  # the way back begins at the last of them
        raise NotFiniteError(
            f"{when}: {what}; in the step before, the gradient of {wrong[-1]!r} was the first on "
            f"the way back to be {kind_of(optimizer.grads[wrong[-1]])}; {advice}"
        )
    raise NotFiniteError(
        f"{when}: {what}; the gradients of the step before were finite, so the step itself was "
        f"too long; {advice}"
    )


def explain_forward(model: Layer, batch: Batch, when: str, advice: str) -> NoReturn:
    """Raise the RuntimeError that names the first layer with a non-finite output, or the loss."""
    for name, array in model.buffers.items():
        if not np.isfinite(array).all():
            raise NotFiniteError(
                f"{when}: the buffer {name!r} holds {kind_of(array)}; load the model again, or "
                "count anew with update_batch_norm(model, x)"
            )
    with observe(model) as passes, np.errstate(all="ignore"):
        model.forward_pass(*(batch.x if isinstance(batch.x, tuple) else (batch.x,)))
    use = first_nonfinite(passes)
    if use is None:
        raise NotFiniteError(
            f"{when}: every layer's output is finite, so the loss itself overflowed; scale the "
            f"targets; {advice}"
        )
    raise NotFiniteError(
        f"{when}: the first layer with a non-finite output is {_place(use)}; {advice}"
    )


def check_gradients(
    model: Layer, loss: Loss, batch: Batch, grads: Mapping[str, Any], when: str
) -> None:
    """A RuntimeError where gradients are not finite, though the loss was: by which layer.

    The weights are still those of the step, so the way back can be gone once more and watched.
    """
    if all_finite(tuple(grads.values())):
        return
    inputs = batch.x if isinstance(batch.x, tuple) else (batch.x,)
    with observe(model) as passes, np.errstate(all="ignore"):
        prediction, cache = model.forward_pass(*inputs)
        _, loss_cache = loss.forward_pass(prediction, batch.y, batch.weight)
        dy = loss.backward_pass(1.0, loss_cache)
        model.backprop(dy, cache)
    use = first_nonfinite_gradient(passes)
    if not all_finite(dy):
        raise NotFiniteError(f"{when}: the loss is finite, but its gradient holds {kind_of(dy)}")
    if use is None:  # what is drawn anew, as by Dropout, hides it now
        name = next(name for name, grad in grads.items() if not all_finite(grad))
        raise NotFiniteError(f"{when}: the loss is finite, but the gradient of {name!r} is not")
    made = next(a for a in (use.dx, *(use.grads or {}).values()) if not all_finite(a))
    made = next(a for a in made if not all_finite(a)) if isinstance(made, tuple) else made
    raise NotFiniteError(
        f"{when}: the loss is finite, but on the way back {_place(use)} is the first to give "
        f"{kind_of(made)}; {_remedy(use)}"
    )


def explain_refusal(
    error: ValueError, model: Layer, loss: Loss, batch: Batch, when: str, of: str = TRAINING
) -> None:
    """Raise what a loss refused of a batch with the number that the sample has in the data.

    Returns where it is not the fault of a single sample: then the error itself says enough.
    """
    check_data(batch, when, of)
    if batch.numbers is None or isinstance(batch.y, tuple):
        return
    try:
        prediction, _ = model.forward_pass(*(batch.x if type(batch.x) is tuple else (batch.x,)))
    except ValueError:
        return
    refused = [
        not _accepts(loss.forward_pass, prediction, batch, row) for row in range(len(batch.y))
    ]
    if all(refused) or not any(refused):
        return
    row = refused.index(True)
    raise ValueError(
        f"{when}: {error} (row {row} of the batch is sample {batch.numbers[row]} of {of})"
    ) from error


def _accepts(forward: Callable[..., Any], prediction: Any, batch: Batch, row: int) -> bool:
    rows = slice(row, row + 1)
    try:
        forward(prediction[rows], batch.y[rows], total=1.0)
    except ValueError:
        return False
    return True


def _sample(batch: Batch, row: int, of: str) -> str:
    """A sample by its number in the data set, as far as that is known."""
    if batch.numbers is None:
        return f"sample {row} of the batch"
    return f"sample {batch.numbers[row]} of {of} (row {row} of the batch)"


def _place(use: Use) -> str:
    return f"layer {use.where}, {use.layer.title}" if use.where else use.layer.title


def _remedy(use: Use) -> str:
    """What to try where finite numbers came to a layer from behind, and others left it."""
    parts = use.dy if isinstance(use.dy, tuple) else (use.dy,)
    largest = max((float(np.abs(p).max(initial=0)) for p in parts if p is not None), default=0.0)
    if largest > HUGE:
        return (
            f"gradients explode, {largest:.0e} came to it; draw smaller first weights, or put a "
            "normalization between the layers"
        )
    remedy = (
        "it has no finite slope at some of its inputs, as √x at 0; keep them away from there, as "
        "by adding 1e-6"
    )
    if type(use.layer).__module__.startswith("nnscratch."):
        return remedy
    return f"check its backward_pass with nn.check_gradients(layer, x), or {remedy}"


def _advice(optimizer: Optimizer, clip_norm: float | None) -> str:
    """What to try that is not done already; before the first step no step was too long."""
    if not optimizer.steps:
        return (
            "no step was taken yet: scale what comes in, keep it where the layers are finite, or "
            "draw smaller first weights"
        )
    advice = f"lower the learning rate ({optimizer.learning_rate:g} now)"
    if clip_norm is None:
        return f"{advice} or clip the gradients (clip_norm=1.0)"
    return f"{advice} or clip_norm ({clip_norm:g} now)"


def kind_of(array: np.ndarray) -> str:
    return "NaN" if np.isnan(array).any() else "infinity"
