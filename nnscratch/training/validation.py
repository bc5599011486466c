"""The samples that a run is validated on: tried before the first epoch, evaluated after each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from nnscratch.training.evaluation import evaluated
from nnscratch.training.figures import figures, figures_of_metrics
from nnscratch.training.nonfinite import check_data, explain_forward
from nnscratch.training.samples import Batch, Samples, Stream

if TYPE_CHECKING:
    from nnscratch.training.trainer import Trainer

AT_ONCE = 512  # samples


class Validation:
    """The held-out samples of one `fit`.

    Parameters
    ----------
    trainer : Trainer
    samples : Samples or Stream
    """

    def __init__(self, trainer: Trainer, samples: Samples | Stream) -> None:
        self.trainer, self.samples = trainer, samples

    def try_out(self) -> None:
        """Find out before the first epoch what would fail after it.

        The model sees some of the samples, the loss the targets of all, if they are at hand.
        """
        samples, trainer = self.samples, self.trainer
        trial = samples.first(AT_ONCE)
        check_data(trial, "before the first epoch", samples.name)
        few = Samples(trial.x, trial.y, trial.weight, who="validation")
        _, kept = evaluated(trainer.model, trainer.loss, few, trial.size, keep=True)
        figures_of_metrics("valid", trainer.metrics, kept)
        prediction = kept[0][0]
        if isinstance(samples, Stream) or isinstance(prediction, tuple):
            return
        for batch in samples.batches(AT_ONCE):
            check_data(batch, "before the first epoch", samples.name)
            answers = np.broadcast_to(prediction[:1], (batch.length, *prediction.shape[1:]))
            trainer.loss.forward_pass(answers, batch.y, batch.weight, total=1.0)

    def figures(self, when: str) -> dict[str, float]:
        """The columns valid_...; a RuntimeError if the loss is NaN or infinite."""
        trainer, metrics = self.trainer, self.trainer.metrics
        means, kept = evaluated(
            trainer.model,
            trainer.loss,
            self.samples,
            AT_ONCE,
            keep=bool(metrics),
            updater=trainer.updater,
        )
        if not math.isfinite(means[0]):
            self._explain(f"{when}: the validation loss is {means[0]}")
        return figures("valid", means, metrics, kept)

    def _explain(self, when: str) -> None:
        """Raise the RuntimeError that names what made the loss non-finite."""
        model, loss = self.trainer.model, self.trainer.loss
        done = 0
        for batch in self.samples.batches(AT_ONCE):
            single = Batch(*batch)
            (value, _), _ = evaluated(model, loss, Samples(*single[:3], who="validation"), AT_ONCE)
            if not math.isfinite(value):
                where = f"{when} (from sample {done} on)"
                check_data(batch, where, self.samples.name)
                model.eval()
                advice = "scale the data as that for training, or lower the learning rate"
                explain_forward(model, batch, where, advice)
            done += batch.size
