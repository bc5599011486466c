"""One step of training on one minibatch: forward, loss, backward, update."""

from __future__ import annotations

import math

import numpy as np

from nnscratch.layers.base import Layer
from nnscratch.layers.flat import clip_norm
from nnscratch.losses import Loss
from nnscratch.optimizers import Optimizer
from nnscratch.training.diagnosis.recorder import Recorder
from nnscratch.training.evaluation import Totals, explain_nonfinite


class Steps:
    """The steps of a run, all in this process.

    Parameters
    ----------
    model, loss, optimizer, clip_norm
        Those of the `Trainer`.
    recorder : Recorder, optional
        Told of every step, before and after it.
    """

    def __init__(
        self,
        model: Layer,
        loss: Loss,
        optimizer: Optimizer,
        clip_norm: float | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.clip_norm, self.recorder = clip_norm, recorder

    def step(self, x: np.ndarray, y: np.ndarray, totals: Totals, when: str) -> None:
        """Train on one minibatch; its loss and accuracy before the update go into the totals.

        Raises
        ------
        RuntimeError
            The loss is NaN or infinite; says when, and which layer made it so.
        """
        optimizer = self.optimizer
        prediction, cache = self.model.forward_pass(x)
        value, loss_cache = self.loss.forward_pass(prediction, y)
        if not math.isfinite(value):
            explain_nonfinite(
                self.model, x, f"{when}: the loss is {value}", optimizer.learning_rate
            )
        optimizer.attach()
        dy = self.loss.backward_pass(1.0, loss_cache)
        _, grads = self.model.backprop(dy, cache, optimizer.grads, need_dx=False)
        if self.clip_norm is not None:
            grads, _ = clip_norm(grads, self.clip_norm)
        if self.recorder is not None:
            self.recorder.before_step(grads)
        optimizer.step(grads)
        if self.recorder is not None:
            self.recorder.after_step()
        totals.add(self.loss, value * loss_cache.total, prediction, y)

    def finish(self) -> None:
        """Return when the last step is done with: at once, in one process."""

    def close(self) -> None:
        """Give back what the steps took for themselves: nothing, in one process."""
