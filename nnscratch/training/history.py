"""What a training run leaves behind: numbers per epoch, from the trainer to files and plots.

The trainer appends one entry per epoch; the user reads columns, writes a CSV file, draws curves.
"""

import math
import os
from collections.abc import ItemsView, Iterable, Iterator, KeysView
from typing import TYPE_CHECKING, Any, SupportsFloat

from nnscratch.asking import answers
from nnscratch.kinds import checks_kinds
from nnscratch.training.history_file import read_csv, write_csv
from nnscratch.words import OF_HISTORIES

__all__ = ["History"]

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = (  # the usual ones; a metric f1 of the trainer's adds train_f1 and valid_f1
    "train_loss",
    "train_accuracy",
    "valid_loss",
    "valid_accuracy",
    "learning_rate",
    "seconds",
)

_EPOCHS_IN_REPR = 5


@answers(OF_HISTORIES)
class History:
    """What a training run recorded, one entry per epoch.

    Attributes
    ----------
    stopped : str
        How the run ended: "finished", "early stopping" or "interrupted"; "" while it runs, and
        after :meth:`from_csv`, since the file holds the columns alone.
    steps : dict of str to list of float
        ``steps["loss"]`` has the loss of every step, before its update; not in the file.
    diagnosis : Diagnosis or None
        What ``Trainer(..., diagnose=True)`` found out; printed, it is a sentence for each symptom.

    Notes
    -----
    Columns, in this order when present: ``train_loss``, ``train_accuracy``, ``valid_loss``,
    ``valid_accuracy``, ``learning_rate``, ``seconds``; behind the accuracies those of the
    trainer's metrics, such as ``train_f1`` and ``valid_f1``. What does not apply has no column: no
    accuracy for a regression, no ``valid_*`` without validation.

    ``history["train_loss"]`` is a plain list of floats, a copy: changing it changes no record.
    ``len(history)`` is the number of epochs; iteration, ``in``, ``keys()`` and ``items()`` give
    columns. Two histories are equal when columns and values are, NaN being equal to NaN;
    ``stopped`` and ``diagnosis`` do not count, so that a history equals the one read back from
    its file.

    Examples
    --------
    >>> history = History()
    >>> history.append(train_loss=0.9, learning_rate=0.1)
    >>> history.append(train_loss=0.5, learning_rate=0.1)
    >>> history["train_loss"]
    [0.9, 0.5]
    >>> history.stopped = "finished"
    >>> history
    History of 2 epochs (finished)
    epoch  train_loss  learning_rate
        1         0.9            0.1
        2         0.5            0.1
    """

    def __init__(self) -> None:
        self._columns: dict[str, list[float]] = {}
        self.steps: dict[str, list[float]] = {}
        self.stopped = ""
        self.diagnosis: object | None = None

    def append(self, **values: SupportsFloat) -> None:
        """Add one epoch.

        Parameters
        ----------
        **values : float
            One number per column (Python's, NumPy's, or an array of no dimension). The first
            call fixes which columns there are.

        Raises
        ------
        ValueError
            Unknown column names, other columns than those of the first epoch, no column at all,
            or a value that is not a number. Nothing is appended then.

        Examples
        --------
        >>> history = History()
        >>> history.append(train_loss=0.9)
        >>> history.append(train_loss=0.7, valid_loss=0.8)
        Traceback (most recent call last):
        ValueError: History: each epoch has the columns of the first, train_loss; received also
        valid_loss
        """
        unknown = [name for name in values if not _is_column(name)]
        if unknown:
            raise ValueError(
                f"History has no column {', '.join(unknown)}; known are {', '.join(COLUMNS)}, and "
                "train_<name> and valid_<name> for a metric"
            )
        if not values:
            raise ValueError("History.append needs at least one value, such as train_loss=0.5")
        if self._columns and values.keys() != self._columns.keys():
            missing = [name for name in self._columns if name not in values]
            added = [name for name in _in_order(values) if name not in self._columns]
            raise ValueError(
                f"History: each epoch has the columns of the first, {', '.join(self._columns)}"
                + (f"; received also {', '.join(added)}" if added else "")
                + (f"; missing {', '.join(missing)}" if missing else "")
            )
        # All numbers are converted before any is stored: a bad one leaves no half epoch.
        epoch = {name: _to_float(name, values[name]) for name in _in_order(values)}
        for name, value in epoch.items():
            self._columns.setdefault(name, []).append(value)

    def __getitem__(self, column: str) -> list[float]:
        if not isinstance(column, str) or column not in self._columns:
            available = ", ".join(self._columns) or "none, no epoch was recorded"
            raise KeyError(f"no column {column!r}; available: {available}")
        return list(self._columns[column])

    def __len__(self) -> int:
        return max((len(values) for values in self._columns.values()), default=0)

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __contains__(self, column: object) -> bool:
        return column in self._columns

    def keys(self) -> KeysView[str]:
        """Return the names of the columns, in order."""
        return self._columns.keys()

    def items(self) -> ItemsView[str, list[float]]:
        """Return the pairs of a column's name and a copy of its values, in order."""
        return {name: self[name] for name in self}.items()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, History):
            return NotImplemented
        return self.keys() == other.keys() and all(
            len(self[name]) == len(other[name]) and all(map(_same, self[name], other[name]))
            for name in self
        )

    __hash__ = None  # type: ignore[assignment]  # it grows; as a key it would be lost

    def __repr__(self) -> str:
        count = len(self)
        ending = f" ({self.stopped})" if self.stopped else ""
        line = f"History of {count} {'epoch' if count == 1 else 'epochs'}{ending}"
        if count == 0:
            return line
        first = max(0, count - _EPOCHS_IN_REPR)
        if first:
            line += f", the last {count - first}"
        rows = [["epoch", *self]]
        rows += [
            [str(row + 1), *(f"{values[row]:.4g}" for values in self._columns.values())]
            for row in range(first, count)
        ]
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        table = ("  ".join(map(str.rjust, row, widths)) for row in rows)
        return "\n".join([line, *table])

    def _repr_html_(self) -> str:
        from nnscratch.display.html import of_history

        return of_history(self)

    @checks_kinds
    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write one line per epoch, after a header, to a CSV file.

        The first column, ``epoch``, counts from 1. Values have all their digits: reading them
        gives the same floats. An older file is replaced at once or, if writing fails, kept.

        Parameters
        ----------
        path : str or os.PathLike
            The file; its folder must exist.

        Raises
        ------
        OSError
            The file cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> history = History()
        >>> history.append(train_loss=0.25, train_accuracy=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     history.to_csv(Path(folder, "history.csv"))
        ...     print(Path(folder, "history.csv").read_text())
        ...     History.from_csv(Path(folder, "history.csv")) == history
        epoch,train_loss,train_accuracy
        1,0.25,1.0
        True
        """
        write_csv(path, dict(self.items()))

    def to_frame(self) -> Any:
        """The columns as a pandas DataFrame, a row per epoch, counted from 1.

        Raises
        ------
        ModuleNotFoundError
            pandas is not installed.
        """
        try:
            import pandas
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError("to_frame needs pandas; pip install pandas") from error
        epochs = pandas.RangeIndex(1, len(self) + 1, name="epoch")
        return pandas.DataFrame({name: list(self[name]) for name in self}, epochs)

    @classmethod
    @checks_kinds
    def from_csv(cls, path: str | os.PathLike[str]) -> "History":
        """Read the file that :meth:`to_csv` wrote.

        Parameters
        ----------
        path : str or os.PathLike
            The file. One that a spreadsheet saved again as CSV, with commas, can be read too.

        Returns
        -------
        History
            With the columns and values that were written, and ``stopped == ""``.

        Raises
        ------
        FileNotFoundError
            There is no such file.
        ValueError
            The file is not the history of a training run, or is damaged; names path and line.
        """
        history = cls()
        read_csv(path, history.append, _is_column)
        return history

    def plot(self, path: str | os.PathLike[str] | None = None, **options: Any) -> "Figure":
        """Draw the curves of this run, and save the picture if a path is given.

        Parameters
        ----------
        path : str or os.PathLike, optional
            The ending (.png, .svg, .pdf) tells the format.
        **options
            Those of :func:`nnscratch.plots.plot_history`, such as ``log=True``.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ValueError
            No epoch was recorded, or matplotlib does not know the ending.

        Examples
        --------
        >>> history = History()
        >>> history.append(train_loss=0.9, train_accuracy=0.5)
        >>> [axes.get_ylabel() for axes in history.plot().axes]
        ['loss (mean per sample)', 'accuracy (share correct)']
        """
        from nnscratch.plots import plot_history

        figure = plot_history(self, **options)
        if path is not None:
            figure.savefig(path)
        return figure


def _is_column(name: str) -> bool:
    return name in COLUMNS or (name.startswith(("train_", "valid_")) and name.isidentifier())


def _in_order(names: Iterable[str]) -> list[str]:
    """The columns in the order in which they stand: those of the training first."""
    parts = ("train", "valid", "learning", "seconds")

    def rank(name: str) -> tuple[int, int]:
        return parts.index(name.partition("_")[0]), -name.endswith("_loss") * 2 - (
            name.endswith("_accuracy")
        )

    return sorted(names, key=rank)


def _to_float(name: str, value: SupportsFloat) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"History: {name} must be a number, received {value!r}") from error
    # NaN has many bit patterns (inf - inf has the sign set) but one spelling in a file.
    return math.nan if math.isnan(number) else number


def _same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))
