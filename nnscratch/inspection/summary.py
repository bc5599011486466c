"""The table of a model: its layers with what they give, how many numbers they learn, how long
they take.

No layer keeps a clock or a shape for it, so a training step is not slowed down. The table is made
when it is asked for, by a pass over a copy of the model in which every layer is timed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from nnscratch.inspection.timing import time_passes
from nnscratch.layers import Embedding, Layer, Sequential

__all__ = ["summary"]

_noted: WeakKeyDictionary[Layer, tuple[np.ndarray, ...]] = WeakKeyDictionary()


@dataclass
class Row:
    """One use of a layer. What is not known is None.

    Attributes
    ----------
    path : str
        The layer's place, as "3.1".
    depth : int
        How many containers it is in, the model not counted.
    layer : str
    parameters : int
        Those that no row above has.
    shared_with : str or None
        The path of the row that has its parameters, for a layer that stands there too.
    output : tuple of int or None
        The shape of y.
    seconds : float or None
        Of its forward and backward pass; a container's without those of the layers inside.
    """

    path: str
    depth: int
    layer: str
    parameters: int
    shared_with: str | None = None
    output: tuple[int, ...] | None = None
    seconds: float | None = None


@dataclass
class Summary:
    """What `summary` found; `print` shows it as a table, a notebook too.

    Attributes
    ----------
    model : str
        The model's class.
    rows : list of Row
    parameters, parameter_bytes : int
        Of the whole model; what is shared counts once.
    inputs : list of tuple of int, or None
        The shapes of the inputs of the pass.
    seconds : float or None
        Of a forward and a backward pass, as training does them.
    kept_bytes : int or None
        What the forward pass keeps for the backward pass, beside the parameters.
    """

    model: str
    rows: list[Row]
    parameters: int
    parameter_bytes: int
    inputs: list[tuple[int, ...]] | None = None
    seconds: float | None = None
    kept_bytes: int | None = None

    def __str__(self) -> str:
        headers, rows = self._cells()
        widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]
        lines = []
        for row in [headers, ["-" * width for width in widths], *rows]:
            cells = [
                text.ljust(width) if header in ("layer", "output") else text.rjust(width)
                for header, text, width in zip(headers, row, widths, strict=True)
            ]
            lines.append("  ".join(cells).rstrip())
        return "\n".join([self.title, *lines])

    def _repr_html_(self) -> str:
        from nnscratch.display.html import table

        headers, rows = self._cells()
        return table(headers, rows, title=self.title)

    @property
    def title(self) -> str:
        """The line above the table: all parameters, and what a pass takes."""
        line = f"{self.model}: {self.parameters:,} parameters, {_memory(self.parameter_bytes)}"
        if self.seconds is None or self.inputs is None or self.kept_bytes is None:
            return line
        inputs = " and ".join(map(str, self.inputs))
        return (
            f"{line}; forward and backward over {inputs} in {_duration(self.seconds)}, "
            f"{_memory(self.kept_bytes)} kept between them"
        )

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        headers, rows = ["layer", "output", "parameters", "time"], []
        total = sum(row.seconds or 0.0 for row in self.rows) or 1.0
        for row in self.rows:
            parameters = f"{row.parameters:,}" if row.parameters else ""
            if row.shared_with is not None:
                parameters = f"as {row.shared_with}"
            rows.append(
                [
                    "  " * row.depth + f"{row.path} {row.layer}".strip(),
                    "" if row.output is None else str(row.output),
                    parameters,
                    "" if row.seconds is None else f"{100 * row.seconds / total:.0f} %",
                ]
            )
        known = [True, self.inputs is not None, True, self.seconds is not None]
        columns = [i for i in range(4) if known[i]]
        return [headers[i] for i in columns], [[row[i] for i in columns] for row in rows]


def summary(model: Layer, *inputs: Any) -> Summary:
    """A table of the model's layers, their outputs, parameters and share of the time.

    Parameters
    ----------
    model : Layer
        Stays as it is: the pass is a copy's, so no statistic moves and no mask is drawn.
    *inputs : arrays
        What to pass through it. Without them, numbers of the shape that the model saw last, in
        `forward` or in `Trainer.fit`; if it saw nothing, the table has no outputs and no times.

    Raises
    ------
    ValueError
        The inputs do not fit the model.

    Examples
    --------
    >>> import nnscratch as nn
    >>> tied = nn.Linear(8, 8)
    >>> print(summary(nn.Sequential(nn.Linear(4, 8), tied, nn.ReLU(), nn.Residual(tied))))
    Sequential: 112 parameters, 448 B
    layer               parameters
    ------------------  ----------
    0 Linear(4, 8)              40
    1 Linear(8, 8)              72
    2 ReLU()
    3 Residual
      3.0 Linear(8, 8)        as 1
    """
    sizes = [(array.size, array.nbytes) for array in model.params.values()]
    found = Summary(
        type(model).__name__, _rows(model), sum(n for n, _ in sizes), sum(size for _, size in sizes)
    )
    try:
        given = inputs or _inputs_seen(model)
        if given:
            _time(found, model, tuple(np.asarray(x) for x in given))
    except (ValueError, RuntimeError, ArithmeticError):
        if inputs:
            raise
        # `print(model)` must not fail because made-up numbers do not suit a layer.
    return found


def note_inputs(model: Layer, *inputs: np.ndarray) -> None:
    """Remember what shape of inputs a model was trained on, for a later `print(model)`."""
    _noted[model] = tuple(np.broadcast_to(np.zeros((), x.dtype), x.shape) for x in inputs)


def _time(found: Summary, model: Layer, inputs: tuple[np.ndarray, ...]) -> None:
    """Fill in the shapes and the seconds."""
    passes = time_passes(model, *inputs)
    uses = passes.uses[-len(found.rows) :] if found.rows else []  # the model itself has no row
    for row, use in zip(found.rows, uses, strict=True):
        row.output, row.seconds = use.output, use.own
    found.inputs, found.seconds = [x.shape for x in inputs], passes.seconds
    found.kept_bytes = _bytes_of(passes.cache, passes.model)


def _rows(model: Layer) -> list[Row]:
    """The rows, without shapes and times."""
    rows: list[Row] = []
    above: list[str] = []  # the containers that the layer is in
    counted: dict[tuple[int, str], str] = {}  # the row that has a parameter
    for path, layer in model.walk():
        if layer is model and (layer.layers or isinstance(layer, Sequential)):
            continue  # the title tells of it
        while above and not path.startswith(above[-1] + "."):
            above.pop()
        row = Row(path, len(above), type(layer).__name__ if layer.layers else repr(layer), 0)
        rows.append(row)
        if layer.layers:
            above.append(path)
            continue
        for key, array in layer.params.items():
            owner, own_key = layer.params.place(key)
            place = id(owner), own_key
            if place in counted:
                row.shared_with = counted[place]
            else:
                counted[place] = path
                row.parameters += array.size
    return rows


def _inputs_seen(model: Layer) -> tuple[np.ndarray, ...]:
    """Numbers of the shapes that the model saw last; none if it saw nothing."""
    if isinstance(model, Sequential) and model.layers and model.cache:
        kept, shape, dtype = model.cache[0]
        dx = model.layers[0].backprop(np.zeros(shape, dtype), kept)[0]  # of the shape of x
        if isinstance(model.layers[0], Embedding):
            return (np.zeros(shape[:-1], int),)
        noted = dx if isinstance(dx, tuple) else (dx,)
    else:
        noted = _noted.get(model, ())
    rng = np.random.default_rng(0)
    return tuple(
        rng.uniform(0.1, 1.0, x.shape).astype(x.dtype) if x.dtype.kind == "f" else np.zeros_like(x)
        for x in noted
    )


def _bytes_of(cache: Any, model: Layer) -> int:
    """The memory of all arrays in a cache, each block once, those of the parameters left out."""
    blocks: dict[int, int] = {id(_block(array)): 0 for array in model.params.values()}
    waiting = [cache]
    while waiting:
        inside = waiting.pop()
        if isinstance(inside, np.ndarray):
            block = _block(inside)
            blocks.setdefault(id(block), block.nbytes)
        elif isinstance(inside, (tuple, list)):
            waiting += inside
        elif isinstance(inside, dict):
            waiting += inside.values()
        elif hasattr(inside, "__dict__"):
            waiting += vars(inside).values()
    return sum(blocks.values())


def _block(array: np.ndarray) -> np.ndarray:
    """The array whose memory a view looks at."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _memory(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 999.5:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"


def _duration(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{1e6 * seconds:.3g} µs"
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1e3 * seconds:.3g} ms"
