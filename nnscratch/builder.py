"""Models as text: from the code that `repr(model)` prints back to the model.

The text is parsed and its size looked at in `model_text`; it is never executed. What may stand in
it: lines `name = ...` and at the end the expression for the model; calls of the classes in a table
of names, of layers on nodes of a graph; numbers, text, None, True, False, tuples, lists and slices.
Everything else is refused.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, NoReturn

import numpy as np

from nnscratch import graph, layers, losses
from nnscratch.asking import meant
from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer
from nnscratch.losses.base import Loss
from nnscratch.model_text import DEEPEST, parameters_asked, parsed, shown, wrong
from nnscratch.words import NAMES

__all__ = ["build"]

PACKAGES = (layers, losses, graph)
MOST = 2**28  # numbers: 1 GB in float32

# Remedies for who calls `build` himself
ALLOWED = "; where that is meant, allow it with build(text, most=...)"
PASSED = "; one's own classes are passed as layers=[...]"


@checks_kinds
def build(
    text: str,
    layers: Iterable[type[Layer]] = (),
    *,
    rng: int | np.random.Generator | None = None,
    most: int = MOST,
) -> Layer:
    """The model that a text describes, the one that `repr(model)` prints.

    Parameters
    ----------
    text : str
        Such as "Sequential(Flatten(), Linear(64, 32), ReLU(), Linear(32, 10))"; an `nn.` in
        front of the names is read too.
    layers : iterable of classes
        Layers of one's own that may stand in the text.
    rng : int, numpy.random.Generator or None
        Draws the weights of all layers, one after the other.
    most : int
        Numbers in the parameters, as far as the arguments say; more is refused before any
        array is made.

    Returns
    -------
    model : Layer
        With new parameters: the text says nothing of them.

    Raises
    ------
    ValueError
        The text builds no model; the message is one line, and says where and why.

    Examples
    --------
    >>> import nnscratch as nn
    >>> model = build("Sequential(Linear(4, 3), ReLU(), Linear(3, 2))", rng=0)
    >>> model
    Sequential(
      Linear(4, 3),
      ReLU(),
      Linear(3, 2),
    )
    >>> build(repr(model)).params.keys() == model.params.keys()
    True

    A layer that is used twice has a name, on a line of its own:

    >>> model = build("a = Linear(4, 4); Sequential(a, Tanh(), a)")
    >>> list(model.params)
    ['0.W', '0.b']
    >>> build("Sequential(Lineal(4, 3))")
    Traceback (most recent call last):
    ValueError: the text of a model, line 1: no layer is called 'Lineal'; did you mean Linear; one's
    own classes are passed as layers=[...]
    >>> build("__import__('os').system('ls')")
    Traceback (most recent call last):
    ValueError: the text of a model, line 1: "__import__('os').system" is no name of a layer; write
    the code that print(model) shows
    """
    try:
        statements = parsed(text)
        return _Reader({c.__name__: c for c in layers}, np.random.default_rng(rng), most).model(
            statements
        )
    except RecursionError:
        raise ValueError("the text of a model is nested too deeply") from None


def table() -> dict[str, Callable[..., Any]]:
    """The names that may be called: layers, losses, and what graphs are made of."""
    public = [(name, vars(package)[name]) for package in PACKAGES for name in names_of(package)]
    classes = {name: thing for name, thing in public if isinstance(thing, type)}
    return {name: kind for name, kind in classes.items() if kind not in (Layer, Loss, graph.Node)}


def names_of(package: ModuleType) -> list[str]:
    """What the package lists as its own."""
    names: list[str] = vars(package)["__all__"]
    return names


class _Reader:
    """Goes through the tree of a text and builds what it says.

    Parameters
    ----------
    own : dict of str to class
        Further names.
    rng : numpy.random.Generator
    most : int
        Numbers in parameters.
    """

    def __init__(self, own: dict[str, type[Layer]], rng: np.random.Generator, most: int) -> None:
        self.table = {**table(), **own}
        self.rng, self.most, self.depth = rng, most, 0
        self.found: dict[str, Any] = {}  # what has a name

    def model(self, statements: list[ast.stmt]) -> Layer:
        """Read the lines with names, then the expression at the end."""
        if (size := parameters_asked(statements, self.table)) > self.most:
            raise ValueError(
                f"the text of a model with {size} parameters, which are more than {self.most}"
                + ALLOWED
            )
        *lines, last = statements
        for line in lines:
            target = line.targets[0] if isinstance(line, ast.Assign) else None
            if not isinstance(line, ast.Assign) or not isinstance(target, ast.Name):
                wrong(line.lineno, f"{shown(line)} is no line of the form name = layer")
            if len(line.targets) > 1 or target.id in self.table or target.id in self.found:
                wrong(line.lineno, f"the name {target.id!r} is taken; choose another one")
            self.found[target.id] = self.value(line.value)
        if not isinstance(last, ast.Expr):
            wrong(last.lineno, "the text ends in the expression for the model, without a name")
        model = self.value(last.value)
        if not isinstance(model, Layer):
            wrong(last.lineno, f"{shown(last)} is {type(model).__name__}, not a layer")
        return model

    def value(self, node: ast.expr) -> Any:
        """What an expression stands for."""
        self.depth += 1
        if self.depth > DEEPEST:
            wrong(node.lineno, "the text is nested too deeply")
        try:
            reader = getattr(self, f"_{type(node).__name__.lower()}", None)
            if reader is None:
                wrong(node.lineno, f"{shown(node)} may not stand in the text of a model")
            return reader(node)
        finally:
            self.depth -= 1

    def _constant(self, node: ast.Constant) -> Any:
        if node.value is not ... and isinstance(node.value, (bytes, complex)):
            wrong(node.lineno, f"{shown(node)} may not stand in the text of a model")
        return node.value

    def _tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self.value(part) for part in node.elts)

    def _list(self, node: ast.List) -> list[Any]:
        return [self.value(part) for part in node.elts]

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        number = node.operand.value if isinstance(node.operand, ast.Constant) else None
        if type(number) not in (int, float) or not isinstance(node.op, (ast.USub, ast.UAdd)):
            wrong(node.lineno, f"{shown(node)} may not stand in the text of a model")
        return -number if isinstance(node.op, ast.USub) else number  # type: ignore[operator]  # an int or float

    def _name(self, node: ast.Name) -> Any:
        if node.id in self.found:
            return self.found[node.id]
        if node.id not in self.table:
            self._unknown(node.lineno, node.id)
        return wrong(node.lineno, f"{node.id} is a class; write {node.id}(...), with brackets")

    def _subscript(self, node: ast.Subscript) -> Any:
        """One of the several outputs of a layer, `split1[0]`."""
        several, place = self.value(node.value), self.value(node.slice)
        if not isinstance(several, tuple) or type(place) is not int:
            wrong(node.lineno, f"{shown(node)} is not an output of a layer with several")
        if not 0 <= place < len(several):
            wrong(node.lineno, f"{shown(node)}: there are {len(several)} outputs, from 0 on")
        return several[place]

    def _call(self, node: ast.Call) -> Any:
        special = node.func.id if isinstance(node.func, ast.Name) else None
        if special in ("float", "slice") and special not in self.found:
            return self._of_python(special, node)
        function = self._function(node.func)
        if any(keyword.arg is None for keyword in node.keywords):
            wrong(node.lineno, f"{shown(node)} has ** in it; write the arguments one by one")
        arguments = [self.value(argument) for argument in node.args]
        named = {str(keyword.arg): self.value(keyword.value) for keyword in node.keywords}
        left_out = any(value is ... for value in (*arguments, *named.values()))
        if left_out and function is not layers.Index:  # whose key it may be
            wrong(node.lineno, f"{shown(node)} leaves arguments out; no text has them")
        try:
            return self._made(function, arguments, named)
        except Exception as error:  # whatever a class says to such arguments, in one line
            wrong(node.lineno, " ".join(str(error).split()) or type(error).__name__, error)

    def _function(self, node: ast.expr) -> Any:
        """The class that is called, or the layer or loss."""
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in {"nn", "nnscratch"} - set(self.found)
        ):
            node = ast.copy_location(ast.Name(node.attr), node)
        if isinstance(node, ast.Name) and node.id in self.table:
            return self.table[node.id]
        if isinstance(node, ast.Name) and node.id not in self.found:
            self._unknown(node.lineno, node.id)
        if not isinstance(node, (ast.Name, ast.Call)):
            remedy = "write the code that print(model) shows"
            wrong(node.lineno, f"{shown(node)} is no name of a layer; {remedy}")
        function = self.value(node)
        if not isinstance(function, (Layer, Loss)):
            wrong(node.lineno, f"{shown(node)} is no layer that could be called on nodes")
        return function

    def _made(self, function: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
        if not isinstance(function, type):  # a layer on nodes
            flat = [part for x in arguments for part in (x if isinstance(x, tuple) else (x,))]
            if not any(hasattr(x, "node_of") for x in flat):
                raise ValueError("a layer is called on nodes, which begin with Input()")
            return function(*arguments, **named)
        parameters = inspect.signature(function).parameters
        if "rng" in parameters and "rng" not in named:
            named["rng"] = self.rng.spawn(1)[0] if function is layers.Dropout else self.rng
        return function(*arguments, **named)

    def _of_python(self, name: str, node: ast.Call) -> Any:
        """float('inf') and slice(1, None, 2)."""
        values = [self.value(argument) for argument in node.args]
        numbers = all(value is None or type(value) is int for value in values)
        if name == "float" and values in (["inf"], ["-inf"], ["nan"]) and not node.keywords:
            return float(values[0])
        if name == "slice" and 1 <= len(values) <= 3 and numbers and not node.keywords:
            return slice(*values)
        return wrong(node.lineno, f"{shown(node)} may not stand in the text of a model")

    def _unknown(self, line: int, name: str) -> NoReturn:
        remedy = meant(name, [*self.table, *self.found], NAMES).removesuffix("?")
        wrong(line, f"no layer is called {name[:60]!r}{remedy}{PASSED}")
