"""The table of a model: its layers with what they give, how many numbers they learn, how long
they take.

No layer keeps a clock or a shape for it: outputs and times are those of a pass over a copy of the
model that is observed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nnscratch.inspection.observe import Use
from nnscratch.inspection.timing import time_passes
from nnscratch.kinds import as_array, checks_kinds
from nnscratch.layers import Layer, Sequential
from nnscratch.layers.normalization.normalize import passed_unfitted

__all__ = ["summary"]


@dataclass
class Row:
    """One place in the model. What is not known is None.

    Attributes
    ----------
    path : str
        The layer's place, as "3.1".
    depth : int
        How many rows it is inside of.
    layer : str
    parameters : int
        Those that no row above has, and of a container no layer inside it.
    shared_with : str or None
        The path of the row that has its parameters, for a layer that stands there too.
    output : tuple of int or None
        The shape of y; a tuple of shapes where a layer has several outputs.
    times : int
        How often the layer ran here, as a cell does at each step of a sequence.
    seconds : float or None
        Of its forward and backward passes; a container's without those of the layers inside.
    """

    path: str
    depth: int
    layer: str
    parameters: int
    shared_with: str | None = None
    output: tuple[Any, ...] | None = None
    times: int = 0
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
                    _shapes(row.output, row.times),
                    parameters,
                    "" if row.seconds is None else f"{100 * row.seconds / total:.0f} %",
                ]
            )
        known = [True, self.inputs is not None, True, self.seconds is not None]
        columns = [i for i in range(4) if known[i]]
        return [headers[i] for i in columns], [[row[i] for i in columns] for row in rows]


@checks_kinds
def summary(model: Layer, *inputs: Any) -> Summary:
    """A table of the model's layers, their outputs, parameters and share of the time.

    Parameters
    ----------
    model : Layer
        Stays as it is: the pass is a copy's, so no statistic moves and no mask is drawn.
    *inputs : arrays
        What to pass through it. Without them the table has no outputs and no times.

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
    arrays = {id(array): array for array in model.params.values()}.values()
    sizes = [(array.size, array.nbytes) for array in arrays]
    found = Summary(
        type(model).__name__, _rows(model), sum(n for n, _ in sizes), sum(size for _, size in sizes)
    )
    if inputs:
        _run(found, model, tuple(as_array(x) for x in inputs))
    return found


def _run(found: Summary, model: Layer, inputs: tuple[np.ndarray, ...]) -> None:
    """Fill in the shapes and the seconds."""
    with passed_unfitted(model):
        passes, own = time_passes(model, *inputs)
    uses: dict[str, list[Use]] = {}
    for use in passes:
        uses.setdefault(use.where, []).append(use)
    for row in found.rows:
        there = uses.get(row.path)
        if there is not None:
            y = there[-1].output
            row.output = tuple(map(np.shape, y)) if isinstance(y, tuple) else np.shape(y)
            row.times, row.seconds = len(there), own[row.path]
    found.inputs, found.seconds = [x.shape for x in inputs], passes[0].seconds
    found.kept_bytes = _bytes_of(passes[0].cache, passes[0].layer)


def _rows(model: Layer) -> list[Row]:
    """The rows, without shapes and times."""
    rows: list[Row] = []
    arrays: list[dict[int, int]] = []  # of each row: the sizes of its parameters by their ids
    kinds: list[str] = []
    around: list[int] = []  # the rows of the containers that the layer is in
    for path, layer in model.walk():
        while around and not path.startswith(f"{rows[around[-1]].path}.".lstrip(".")):
            around.pop()
        own = {id(array): array.size for array in layer.params.values()}
        for i in around:
            rows[i].layer = kinds[i]  # what is inside has a row itself
            for key in own:
                arrays[i].pop(key, None)
        rows.append(Row(path, len(around), repr(layer), 0))
        kinds.append(type(layer).__name__)
        arrays.append(own)
        around.append(len(rows) - 1)
    _count(rows, arrays)
    if not arrays[0] and (len(rows) > 1 or isinstance(model, Sequential)):
        del rows[0]  # the title tells of the model itself
        for row in rows:
            row.depth -= 1
    return rows


def _count(rows: list[Row], arrays: list[dict[int, int]]) -> None:
    """Give each parameter to the first row that has it."""
    first: dict[int, str] = {}
    for row, own in zip(rows, arrays, strict=True):
        for key, size in own.items():
            if key in first:
                row.shared_with = first[key]
            else:
                first[key] = row.path
                row.parameters += size


def _bytes_of(cache: Any, model: Layer) -> int:
    """The memory of all arrays in a cache, each block once, those of the parameters left out."""
    blocks: dict[int, int] = {id(_block(array)): 0 for array in model.params.values()}
    waiting, seen = [cache], set()
    while waiting:
        inside = waiting.pop()
        if id(inside) in seen:
            continue
        seen.add(id(inside))
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


def _shapes(output: tuple[Any, ...] | None, times: int) -> str:
    """Shapes in words: "(5, 8)", "(5, 8) and (5,)", "12 times (5, 8)"."""
    if output is None:
        return ""
    several = any(isinstance(shape, tuple) for shape in output)
    text = " and ".join(map(str, output)) if several else str(output)
    return f"{times} times {text}" if times > 1 else text


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
