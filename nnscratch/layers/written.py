"""The code that builds a layer: what `repr` prints, and what the remedies of errors propose.

    a = Linear(4, 4)      a line of its own for what is used twice, or cannot stand in a call
    Sequential(           the expression that builds the model
      a,
      ReLU(),
      a,
    )

A layer writes itself on a `Page`, and asks the page for the layers inside, so that each is
written once. `nnscratch.build` reads such text.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from nnscratch.layers.base import Layer

UNTOLD = {"rng", "initializer"}  # what was drawn is in the params
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Page:
    """What has been written of a model so far.

    Parameters
    ----------
    model : Layer

    Attributes
    ----------
    lines : list of str
        Each gives a name to something.
    taken : set of str
        The names that are in use.
    """

    def __init__(self, model: Layer) -> None:
        self.lines: list[str] = []
        self.taken: set[str] = set()
        self._shared = _used_twice(model)
        self._names: dict[int, str] = {}
        self._open: set[int] = set()

    def of(self, layer: Layer) -> str:
        """The expression for a layer: its code, or its name if it stands on a line of its own."""
        if id(layer) in self._open:
            return "..."  # it contains itself: no code builds it
        if id(layer) not in self._names:
            self._open.add(id(layer))
            text = layer.written_on(self)
            self._open.remove(id(layer))
            if id(layer) not in self._shared:
                return text
            self._names[id(layer)] = self.named(self._letter(), text)
        return self._names[id(layer)]

    def named(self, name: str, text: str) -> str:
        """Write a line that gives the name to what the text builds; returns the name."""
        self.taken.add(name)
        self.lines.append(f"{name} = {text}")
        return name

    def _letter(self) -> str:
        names = (
            letter + number for number in ("", *map(str, range(2, 10**6))) for letter in LETTERS
        )
        return next(name for name in names if name not in self.taken)

    def free(self, name: str) -> str:
        """The name, with a number behind it if it is taken."""
        return next(
            n for i in count(1) if (n := f"{name}_{i}" if i > 1 else name) not in self.taken
        )


def code(layer: Layer) -> str:
    """The code that builds a layer, whole: lines with names, then the expression.

    >>> import nnscratch as nn
    >>> shared = nn.Linear(4, 4)
    >>> print(code(nn.Sequential(shared, nn.ReLU(), nn.Residual(shared))))
    a = Linear(4, 4)
    Sequential(
      a,
      ReLU(),
      Residual(a),
    )
    """
    page = Page(layer)
    expression = page.of(layer)
    if page.lines and expression == page.lines[-1].partition(" = ")[0]:
        expression = page.lines.pop().partition(" = ")[2]  # nobody else uses the name
    return "\n".join([*page.lines, expression])


def written(layer: Layer, page: Page | None = None, /, **others: Any) -> str:
    """The call that makes a layer like this one, with some arguments replaced by others.

    Every argument without a default, then the others by name where they are not the default. Each
    is read from the attribute of its name; what cannot be read is `...`, which builds nothing.

    >>> import nnscratch as nn
    >>> layer = nn.BatchNorm(5, epsilon=0.1)
    >>> written(layer), written(layer, features=7)
    ('BatchNorm(5, epsilon=0.1)', 'BatchNorm(7, epsilon=0.1)')
    """
    told = []
    for name, parameter in inspect.signature(type(layer)).parameters.items():
        if name in UNTOLD:
            continue
        value = others[name] if name in others else getattr(layer, name, ...)
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            told += [] if value is ... else ["..."]
        elif parameter.default is parameter.empty:
            prefix = f"{name}=" if parameter.kind is parameter.KEYWORD_ONLY else ""
            told.append(prefix + literal(value, page))
        elif value is not ... and not _equal(value, parameter.default):
            told.append(f"{name}={literal(value, page)}")
    return f"{type(layer).__name__}({', '.join(told)})"


def call(name: str, arguments: Iterable[str]) -> str:
    """A call with each argument on a line of its own.

    >>> print(call("Sequential", ["Tanh()"]), call("Sequential", []))
    Sequential(
      Tanh(),
    ) Sequential()
    """
    lines = [f"\n{text},".replace("\n", "\n  ") for text in arguments]
    return f"{name}({''.join(lines)}" + ("\n)" if lines else ")")


def literal(value: Any, page: Page | None = None) -> str:
    """A value as Python writes it: numbers, text, tuples, lists, slices, and layers.

    >>> literal((1, np.float32(0.5), None)), literal([float("inf")]), literal(np.arange(2))
    ('(1, 0.5, None)', "[float('inf')]", '[0, 1]')
    """
    if hasattr(value, "written_on"):
        return code(value) if page is None else page.of(value)
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, (tuple, list)):
        parts = [literal(part, page) for part in value]
        if isinstance(value, list):
            return f"[{', '.join(parts)}]"
        return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"
    if isinstance(value, slice):
        return f"slice({value.start!r}, {value.stop!r}, {value.step!r})"
    if isinstance(value, float) and not np.isfinite(value):
        return f"float('{value}')"
    if value is None or isinstance(value, (bool, int, float, str)):
        return repr(value)
    return "..."


def _equal(value: Any, default: Any) -> bool:
    """Whether they are the same, which arrays do not say in one word."""
    if isinstance(value, np.ndarray):
        return bool(np.array_equal(value, default))
    return value is default or bool(value == default)


def _used_twice(model: Layer) -> set[int]:
    """The ids of the layers that stand at several places in a model."""
    uses: Counter[int] = Counter()
    seen: set[int] = set()

    def visit(layers: Iterator[tuple[str, Layer]]) -> None:
        for _, layer in layers:
            uses[id(layer)] += 1
            if id(layer) not in seen:
                seen.add(id(layer))
                visit(layer.children())

    visit(iter([("", model)]))
    return {layer for layer, number in uses.items() if number > 1}
