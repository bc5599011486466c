"""The text of a model before anything is built: parsed within limits, and its size reckoned.

A text may come from a stranger. So its length, how deeply it is nested and how many numbers its
model would have are looked at first, and what is wrong is told with the line where it stands.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Mapping
from math import prod
from typing import Any, NoReturn

from nnscratch.layers.base import Layer

LONGEST = 2**22  # characters
DEEPEST = 60  # calls inside calls; a model of more is refused

# Arguments that make no parameters, however large they are
NO_SIZES = {"stride", "padding", "dilation", "output_padding", "groups", "axis", "axes", "key"}
NO_SIZES |= {"window", "factor", "repeats", "sections", "rng", "ignore_index", "padding_index"}


def parsed(text: str) -> list[ast.stmt]:
    """The statements of a text, after a look at its size."""
    if not isinstance(text, str):
        raise ValueError(f"the text of a model is a str, received {type(text).__name__}")
    if len(text) > LONGEST:
        raise ValueError(f"the text of a model has {len(text)} characters, at most {LONGEST}")
    depth = deepest = 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        deepest = max(deepest, depth)
    if deepest > 4 * DEEPEST:
        raise ValueError(f"the text of a model has {deepest} brackets inside one another")
    try:
        statements = ast.parse(text.strip()).body
    except (SyntaxError, ValueError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        wrong(line, f"{getattr(error, 'msg', None) or 'it cannot be parsed'}")
    if not statements:
        raise ValueError("the text of a model is empty; write the code that print(model) shows")
    return statements


def parameters_asked(statements: list[ast.stmt], table: Mapping[str, Any]) -> int:
    """About how many parameters the whole text asks for, before anything is made."""
    total = 0
    for node in (inside for statement in statements for inside in ast.walk(statement)):
        function = node.func if isinstance(node, ast.Call) else None
        name = getattr(function, "id", None) or getattr(function, "attr", None)
        kind = table.get(name or "")
        if isinstance(node, ast.Call) and isinstance(kind, type) and issubclass(kind, Layer):
            pairs = zip(inspect.signature(kind).parameters, node.args, strict=False)
            total += _product([*pairs, *((k.arg or "", k.value) for k in node.keywords)])
    return total


def _product(sizes: Iterable[tuple[str, ast.expr]]) -> int:
    """About how many numbers the parameters of a layer have: the product of its sizes."""
    found: list[int] = []
    for name, value in sizes:
        parts = value.elts if isinstance(value, (ast.Tuple, ast.List)) else [value]
        whole = [part.value for part in parts if isinstance(part, ast.Constant)]
        numbers = [number for number in whole if type(number) is int and number > 1]
        if name == "kernel_size" and len(numbers) == 1:
            numbers *= 2  # of both axes, perhaps
        found += [] if name in NO_SIZES else numbers
    return prod(found) if found else 0


def shown(node: ast.AST, most: int = 60) -> str:
    """A part of the text, in a few letters."""
    try:
        text = " ".join(ast.unparse(node).split())
    except (RecursionError, ValueError):
        text = type(node).__name__
    return repr(text if len(text) <= most else text[:most] + "...")


def wrong(line: int, message: str, cause: BaseException | None = None) -> NoReturn:
    """A ValueError with the line of the text."""
    raise ValueError(f"the text of a model, line {line}: {message}") from cause
