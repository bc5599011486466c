"""Curves that grow while a model trains: in a notebook, in a window, or in a file."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.files import atomic_write
from nnscratch.kinds import checks_kinds
from nnscratch.plots.axes import show_epochs, use_log_scale
from nnscratch.plots.colours import COLOURS
from nnscratch.plots.legend import legend_below
from nnscratch.plots.panels import PANEL_INCHES, open_panel
from nnscratch.plots.screens import File, screen_for
from nnscratch.training.callbacks import Callback

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from nnscratch.training.history import History
    from nnscratch.training.trainer import Trainer

__all__ = ["LiveCurves"]

LOOKS: dict[str, dict[str, Any]] = {  # of each curve, and what the legend calls it
    "step": {"label": "each step", "color": "0.75", "linewidth": 0.8},
    "train": {"label": "train", "color": COLOURS[0], "linestyle": "--", "marker": "o"},
    "valid": {"label": "validation", "color": COLOURS[1], "marker": "o"},
}
LABELS = {"loss": "loss (mean per sample)", "accuracy": "accuracy (share correct)"}
SHARE = 0.1  # of the time, at most, goes into drawing
BREATH = 0.05  # seconds between looks at what a window is asked for
ABREAST = 3  # panels beside each other
FEW = 15  # epochs, up to which each has a marker


class LiveCurves(Callback):
    """A callback that draws loss, accuracy and metrics while the model trains.

    In a notebook the picture stands below the cell and is replaced in its place; a script opens
    a window, where matplotlib has one; with a path the picture is also, or only, written there.
    The loss of each step is drawn faintly behind the curves over the epochs.

    Parameters
    ----------
    path : path, optional
        A file, such as "curves.png", to write after every epoch.
    every : float >= 0
        Seconds between two pictures, at least. Where drawing takes long there are fewer, so that
        it costs at most a tenth of the training.
    log : bool
        Draw the loss on a logarithmic axis.

    Raises
    ------
    ValueError
        There is neither a notebook nor a window nor a path, or every is negative.
    OSError
        The file cannot be written.

    Examples
    --------
    >>> import tempfile, nnscratch as nn
    >>> data, model = nn.load_dataset("digits"), nn.mlp([64, 10], rng=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     live = LiveCurves(os.path.join(folder, "curves.png"))
    ...     loss = nn.SoftmaxCrossEntropy()
    ...     trainer = nn.Trainer(model, loss, nn.SGD(model), callbacks=[live], progress=False)
    ...     history = trainer.fit(data.x_train, data.y_train, epochs=2, rng=0)
    ...     os.listdir(folder)
    ['curves.png']
    """

    @checks_kinds
    def __init__(
        self, path: str | os.PathLike[str] | None = None, every: float = 0.5, log: bool = False
    ) -> None:
        if not every >= 0:
            raise ValueError(f"LiveCurves expected every, in seconds, of at least 0; got {every}")
        self.path, self.every, self.log = path, float(every), bool(log)
        self._screen: File
        self._drawn_at = self._cost = 0.0

    def begin(self, trainer: Trainer) -> None:
        self._screen = screen_for(self.path)
        self._check_path()
        self._curves = Curves(self._screen.figure, self.log)
        self._ends: list[int] = []  # of epochs, as numbers of steps
        self._drawn_at, self._cost = time.perf_counter(), 0.0

    def after_step(self, trainer: Trainer) -> None:
        waited = time.perf_counter() - self._drawn_at
        if waited >= max(self.every, self._cost / SHARE):
            self._draw(trainer)
        elif waited >= BREATH:
            self._screen.breathe()

    def __call__(self, trainer: Trainer, values: dict[str, float]) -> None:
        self._draw(trainer)
        self._write()

    def end(self, trainer: Trainer) -> None:
        if len(trainer.history):
            self._draw(trainer)

    def _draw(self, trainer: Trainer) -> None:
        start = time.perf_counter()
        self._curves.update(trainer.history, trainer.epochs, self._places(trainer))
        self._screen.show()
        self._drawn_at = time.perf_counter()
        self._cost = self._drawn_at - start

    def _places(self, trainer: Trainer) -> np.ndarray:
        """Where on the axis of epochs each step stands: evenly within its epoch."""
        done, steps = len(trainer.history), len(trainer.history.steps.get("loss", ()))
        if len(self._ends) < done:  # an epoch has ended, or several before the run was resumed
            known = self._ends[-1] if self._ends else 0
            now = steps if trainer.steps_per_epoch is None else done * trainer.steps_per_epoch
            now = min(now, steps)
            missing = np.linspace(known, now, done - len(self._ends) + 1)[1:]
            self._ends += [round(end) for end in missing]
        last = self._ends[-1] if self._ends else 0
        expected = trainer.steps_per_epoch or (last / done if done else 0)
        ahead = last + max(expected, steps - last, 1)
        return np.interp(np.arange(1, steps + 1), [0, *self._ends, ahead], np.arange(done + 2))

    def _check_path(self) -> None:
        """Find out before the first epoch what would fail after it."""
        if self.path is None:
            return
        if not Path(self.path).parent.is_dir():
            raise FileNotFoundError(f"LiveCurves expected a folder {Path(self.path).parent} to be")
        known = self._screen.figure.canvas.get_supported_filetypes()
        if self._ending not in known:
            raise ValueError(
                f"LiveCurves expected a path with one of the endings {', '.join(sorted(known))}, "
                f"received {os.fspath(self.path)!r}"
            )

    @property
    def _ending(self) -> str:
        return PurePath(self.path or "").suffix.removeprefix(".").lower() or "png"

    def _write(self) -> None:
        if self.path is None:
            return
        with atomic_write(self.path) as file:
            self._screen.figure.savefig(file, format=self._ending)


class Curves:
    """The panels of a figure, one for each quantity, with lines that are given new points."""

    def __init__(self, figure: Figure, log: bool) -> None:
        self.figure, self.log = figure, log
        self.quantities: Sequence[str] = ()
        self.panels: list[Axes] = []
        self.lines: dict[str, Line2D] = {}

    def update(self, history: History, epochs: int, places: np.ndarray) -> None:
        """Show the columns of a history, and its steps at their places."""
        columns = [name for name in history if name.partition("_")[0] in LOOKS]
        quantities = list(dict.fromkeys(["loss", *(c.partition("_")[2] for c in columns)]))
        if quantities != self.quantities or {*columns} - {*self.lines}:
            self._open(quantities, columns)
        steps = np.array(history.steps.get("loss", ()), float)
        self.lines["step_loss"].set_data(places, _drawable(steps))
        for name in columns:
            values = _drawable(np.array(history[name], float))
            self.lines[name].set_data(np.arange(1, len(values) + 1), values)
            self.lines[name].set_markevery(max(1, len(values) // FEW))
        for axes in self.panels:
            axes.relim()
            axes.autoscale_view()
            show_epochs(axes, max(epochs, 1))
        if steps.size:  # they begin before the end of the first epoch
            self.panels[0].set_xlim(left=0)

    def _open(self, quantities: list[str], columns: list[str]) -> None:
        """Panels and empty lines for these columns."""
        self.figure.clear()
        (width, height), count = PANEL_INCHES, len(quantities)
        rows, abreast = -(-count // ABREAST), min(count, ABREAST)
        self.figure.set_size_inches(width * max(abreast, 1.35), height * rows)
        self.panels = [self.figure.add_subplot(rows, abreast, i + 1) for i in range(count)]
        self.quantities = quantities
        of_quantity = dict(zip(quantities, self.panels, strict=True))
        for quantity, axes in of_quantity.items():
            open_panel(axes, "epoch", LABELS.get(quantity, quantity))
        if self.log:
            use_log_scale(of_quantity["loss"])
        self.lines = {}
        for name in ["step_loss", *columns]:
            part, _, quantity = name.partition("_")
            look = {"markersize": 4, **LOOKS[part]}
            (self.lines[name],) = of_quantity[quantity].plot([], [], **look)
        first = {name.partition("_")[0]: line for name, line in reversed(self.lines.items())}
        legend_below(self.figure, [first[part] for part in LOOKS if part in first])


def _drawable(values: np.ndarray) -> np.ndarray:
    """The values, NaN where one is too large to be drawn."""
    return np.where(np.abs(values) <= 1e100, values, np.nan)
