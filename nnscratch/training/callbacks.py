"""What a trainer calls while it trains, so that others can look on, write down, or end the run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nnscratch.kinds import checks_kinds

if TYPE_CHECKING:
    from nnscratch.training.trainer import Trainer

__all__ = ["Callback", "LogLine"]


class Callback:
    """A callback that looks at more than the ends of epochs.

    A callback is a function (trainer, values), called after each epoch with what the history
    records of it; "stop" ends the run. Where that is not enough, a class derives from this one and
    writes what it needs. While it is called, the trainer has its `history` up to now, with
    `history.steps["loss"]`, and `epochs`, how many were asked for.

    Attributes
    ----------
    on_all_ranks : bool
        Of a class: whether it is called on all ranks of an MPI job, instead of on rank 0 alone.

    Examples
    --------
    The length of the weights after every step:

    >>> import numpy as np, nnscratch as nn
    >>> class Lengths(nn.Callback):
    ...     def begin(self, trainer):
    ...         self.seen = []
    ...     def after_step(self, trainer):
    ...         self.seen.append(np.linalg.norm(trainer.model.params["W"]))
    >>> lengths = Lengths()
    >>> model = nn.Linear(2, 1, rng=0)
    >>> trainer = nn.Trainer(
    ...     model, nn.MSELoss(), nn.SGD(model), callbacks=[lengths], progress=False
    ... )
    >>> x = np.ones((8, 2), np.float32)
    >>> history = trainer.fit(x, x[:, :1], epochs=3, batch_size=4)
    >>> len(lengths.seen)
    6
    """

    on_all_ranks = False
    averages = False  # whether the model is evaluated with other weights than it is trained

    def begin(self, trainer: Trainer) -> None:
        """Called before the first epoch, where what cannot work is best refused."""

    def after_step(self, trainer: Trainer) -> None:
        """Called after each step: the weights have moved, `history.steps` has its loss."""

    def __call__(self, trainer: Trainer, values: dict[str, float]) -> Any:
        """Called after each epoch."""

    def end(self, trainer: Trainer) -> None:
        """Called after the last epoch, and where the run is interrupted or fails."""


class LogLine(Callback):
    """One plain line per epoch, for logs that are read later or searched by programs.

    The line has every column of the history, and no carriage return or colour in it.

    Parameters
    ----------
    write : function (line), optional
        Where the line goes: `logging.getLogger("train").info`, say. By default it is printed on
        standard output at once.

    Examples
    --------
    >>> import numpy as np, nnscratch as nn
    >>> LogLine().report(2, 30, {"train_loss": 0.51234, "learning_rate": 0.1, "seconds": 1.5})
    epoch=2/30 train_loss=0.5123 learning_rate=0.1 seconds=1.5
    """

    @checks_kinds
    def __init__(self, write: Callable[[str], Any] | None = None) -> None:
        if write is not None and not callable(write):
            raise ValueError(
                f"LogLine expected a function that writes a line, received {type(write).__name__}; "
                "for a file pass lambda line: print(line, file=file, flush=True)"
            )
        self.write = write or _print_at_once

    def __call__(self, trainer: Trainer, values: dict[str, float]) -> None:
        self.report(len(trainer.history), trainer.epochs, values)

    def report(self, number: int, epochs: int, values: Mapping[str, float]) -> None:
        """Write the line of one epoch."""
        figures = (f"{name}={value:.4g}" for name, value in values.items())
        self.write(f"epoch={number}/{epochs} {' '.join(figures)}")


def _print_at_once(line: str) -> None:
    print(line, flush=True)


class Callbacks:
    """All callbacks of a trainer, as its run calls them.

    Parameters
    ----------
    trainer : Trainer
    """

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.after_epoch = [
            each
            for each in trainer.callbacks
            if trainer.leads or (isinstance(each, Callback) and each.on_all_ranks)
        ]
        self.watching = [each for each in self.after_epoch if isinstance(each, Callback)]
        self.after_step = [
            each.after_step
            for each in self.watching
            if type(each).after_step is not Callback.after_step
        ]

    @contextmanager
    def called(self) -> Iterator[None]:
        """`begin` before, `end` after whatever happens in between."""
        begun = []
        try:
            for each in self.watching:
                begun.append(each)
                each.begin(self.trainer)
            yield
        finally:
            for each in begun:
                each.end(self.trainer)

    def step_taken(self) -> None:
        """Tell of a step."""
        self.trainer.updater.wait()
        for call in self.after_step:
            call(self.trainer)

    def stop(self, values: dict[str, float]) -> bool:
        """Tell of an epoch; whether the run is to end."""
        stops = False
        for each in self.after_epoch:
            answer = each(self.trainer, dict(values))
            if isinstance(answer, str) and answer != "stop":
                raise ValueError(
                    f'a callback may return "stop", to end the run; it said {answer!r}'
                )
            stops |= isinstance(answer, str)
        return stops


def check_callbacks(callbacks: Any) -> None:
    """A ValueError for what cannot be called after an epoch."""
    if callable(callbacks) or isinstance(callbacks, (str, Mapping)):
        raise ValueError(
            f"callbacks is a list of functions, received {type(callbacks).__name__} alone; put it "
            "into a list: callbacks=[...]"
        )
    if not isinstance(callbacks, (list, tuple)):
        raise ValueError(f"callbacks is a list of functions, received {callbacks!r}")
    _check_functions("callback", "(trainer, values)", callbacks)
    if len([each for each in callbacks if isinstance(each, Callback) and each.averages]) > 1:
        raise ValueError("a model has one average of its weights; pass one WeightAverage")


def check_metrics(metrics: Any) -> None:
    """A ValueError for what is no mapping of names to functions."""
    if metrics is None:
        return
    if not isinstance(metrics, Mapping):
        raise ValueError(
            f"metrics is a dict of name to function, received {type(metrics).__name__}; as in "
            'metrics={"top5": lambda prediction, target: nn.top_k_accuracy(prediction, target, 5)}'
        )
    for name in metrics:
        if not isinstance(name, str) or not f"train_{name}".isidentifier():
            raise ValueError(f"a metric's name is a word such as top5, received {name!r}")
        if name in ("loss", "accuracy"):
            raise ValueError(f"{name} is recorded by itself; give the metric another name")
    _check_functions("metric", "(prediction, target)", metrics.values())


def _check_functions(kind: str, arguments: str, functions: Iterable[Any]) -> None:
    for each in functions:
        if isinstance(each, type):
            raise ValueError(
                f"metrics and callbacks are functions, received the class {each.__name__}; make "
                f"one: {each.__name__}(...)"
            )
        if not callable(each):
            raise ValueError(f"metrics and callbacks are functions, received {each!r}")
        if not _takes_two(each):
            name = getattr(each, "__name__", type(each).__name__)
            raise ValueError(f"a {kind} is a function of {arguments}; {name} is not")


def _takes_two(function: Callable[..., Any]) -> bool:
    """Whether it can be called with two arguments, as far as it tells."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # one of C that tells nothing
        return True
    try:
        signature.bind(None, None)
    except TypeError:
        return False
    return True
