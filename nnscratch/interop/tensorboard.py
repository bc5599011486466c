"""Training runs for TensorBoard, through the package tensorboardX.

nn.Trainer(..., callbacks=[nn.interop.tensorboard.Writer("runs/first")])
tensorboard --logdir runs
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nnscratch.kinds import checks_kinds
from nnscratch.training.callbacks import Callback

try:
    from tensorboardX import SummaryWriter
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "tensorboard.Writer needs the package tensorboardX; pip install 'nnscratch[tensorboard]'"
    ) from error

if TYPE_CHECKING:
    from nnscratch.training.trainer import Trainer

__all__ = ["Writer"]

PARTS = {"train": "train", "valid": "validation"}


class Writer(Callback):
    """A callback that writes what a run records where TensorBoard reads it.

    Each column of the history is a curve over the epochs, training and validation under one title,
    as in `loss/train` and `loss/validation`; `loss/step` is the loss over the steps. The code of
    the model stands under Text.

    Parameters
    ----------
    folder : path
        One for each run; made if it is not there. A resumed run goes on in the same folder.
    weights : bool
        Whether to write a histogram of each parameter after every epoch, too.

    Raises
    ------
    OSError
        The folder cannot be written to.

    Examples
    --------
    >>> import tempfile, nnscratch as nn
    >>> data, model = nn.load_dataset("digits"), nn.mlp([64, 10], rng=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     writer = nn.interop.tensorboard.Writer(folder)
    ...     loss = nn.SoftmaxCrossEntropy()
    ...     trainer = nn.Trainer(model, loss, nn.SGD(model), callbacks=[writer], progress=False)
    ...     history = trainer.fit(data.x_train, data.y_train, epochs=2, rng=0)
    ...     len(os.listdir(folder))
    1
    """

    @checks_kinds
    def __init__(self, folder: str | os.PathLike[str], weights: bool = False) -> None:
        self.folder, self.weights = os.fspath(folder), bool(weights)
        self._file: Any = None
        self._steps = 0  # how many are written

    def begin(self, trainer: Trainer) -> None:
        done = len(trainer.history)
        # Files are named by the second, and one more of the same name would replace the first
        self._file = SummaryWriter(self.folder, filename_suffix=f".{time.time_ns()}")
        self._steps = len(trainer.history.steps.get("loss", ())) if done else 0
        if not done:
            self._file.add_text("model", f"```\n{trainer.model!r}\n```", 0)

    def __call__(self, trainer: Trainer, values: Mapping[str, float]) -> None:
        epoch = len(trainer.history)
        for column, value in values.items():
            part, _, name = column.partition("_")
            tag = f"{name}/{PARTS[part]}" if part in PARTS else f"run/{column}"
            self._file.add_scalar(tag, value, epoch)
        losses = trainer.history.steps["loss"]
        for step, loss in enumerate(losses[self._steps :], self._steps + 1):
            self._file.add_scalar("loss/step", loss, step)
        self._steps = len(losses)
        if self.weights:
            for name, array in trainer.model.params.items():
                self._file.add_histogram(f"weights/{name}", array, epoch)
        self._file.flush()

    def end(self, trainer: Trainer) -> None:
        if self._file is not None:
            self._file.close()
