"""What made a number NaN or infinite: the data, a layer on the way forward or back, the loss."""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from nnscratch.inspection.nonfinite import first_nonfinite
from nnscratch.inspection.observe import observe
from nnscratch.layers.base import Layer
from nnscratch.optimizers import Optimizer
from nnscratch.training.samples import Batch


class NotFiniteError(RuntimeError):
    """Steps that were too long, or a model that overflows, made a number NaN or infinite."""


def explain_loss(
    model: Layer, optimizer: Optimizer, batch: Batch, when: str, clip_norm: float | None = None
) -> NoReturn:
    """Raise the RuntimeError that names what made the loss of a batch NaN or infinite."""
    check_data(batch, when)
    check_weights(model, optimizer, when, clip_norm)
    explain_forward(model, batch, when, _advice(optimizer, clip_norm))


def check_data(batch: Batch, when: str) -> None:
    """A RuntimeError that names the first sample with NaN or infinity in inputs or targets."""
    for name, given in (("input", batch.x), ("target", batch.y), ("sample weight", batch.weight)):
        for array in given if isinstance(given, tuple) else (given,):
            if array is None or array.dtype.kind != "f" or np.isfinite(array).all():
                continue
            sample = int(np.argmin(np.isfinite(array).reshape(len(array), -1).all(axis=1)))
            raise RuntimeError(
                f"{when}: the {name} itself holds {kind_of(array)}, first in sample {sample} of "
                "the batch; clean the data before training"
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
    with observe(model) as passes, np.errstate(all="ignore"):
        model.forward_pass(*(batch.x if isinstance(batch.x, tuple) else (batch.x,)))
    use = first_nonfinite(passes)
    if use is None:
        raise NotFiniteError(
            f"{when}: every layer's output is finite, so the loss itself overflowed; scale the "
            f"targets, or {advice}"
        )
    place = f"layer {use.where}, {use.layer}" if use.where else f"{use.layer}"
    raise NotFiniteError(f"{when}: the first layer with a non-finite output is {place}; {advice}")


def _advice(optimizer: Optimizer, clip_norm: float | None) -> str:
    """What to try that is not done already."""
    advice = f"lower the learning rate ({optimizer.learning_rate:g} now)"
    if clip_norm is None:
        return f"{advice} or clip the gradients (clip_norm=1.0)"
    return f"{advice} or clip_norm ({clip_norm:g} now)"


def kind_of(array: np.ndarray) -> str:
    return "NaN" if np.isnan(array).any() else "infinity"
