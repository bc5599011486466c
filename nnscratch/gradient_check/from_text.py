"""Inputs and arguments as they are written on a command line: text -> arrays and literals."""

from __future__ import annotations

import ast
import math
import re
from typing import Any

import numpy as np

__all__ = ["array_of", "value_of"]

ARRAYS = ("normal", "uniform", "zeros", "ones")
LIMITS = r"(?:(-?[\d.]+?)(?:\.\.(-?[\d.]+))?)?"
FORM = re.compile(rf"(?:(normal|uniform|int|onehot)\b)?\s*{LIMITS}\s*(\([^()]*\))")
LARGEST = 10_000_000  # numbers in one array
FORMS = "'(5, 4)', 'uniform 0..1 (5, 4)', 'int 0..9 (5,)', 'onehot 10 (5,)' or a literal"


def array_of(text: str, rng: np.random.Generator) -> Any:
    """An input: random numbers of a kind and a shape, or a literal.

    Raises
    ------
    ValueError
        The text is none of these forms.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> array_of("int 0..9 (5,)", rng)
    array([8, 6, 5, 2, 3])
    >>> array_of("onehot 3 (2,)", rng).shape, array_of("(5, 4)", rng).shape
    ((2, 3), (5, 4))
    >>> array_of("{'stride': 2}", rng), array_of("0.5", rng)
    ({'stride': 2}, 0.5)
    """
    form = (
        r"(?:(normal|uniform|int|onehot)\b)?\s*(?:(-?[\d.]+?)(?:\.\.(-?[\d.]+))?)?\s*(\([^()]*\))"
    )
    found = re.fullmatch(form, text.strip())
    try:
        if found is None:
            return ast.literal_eval(text.strip())
        kind, low, high, shape = found.groups()
        return _drawn(kind or "normal", low, high, _shape(shape), rng)
    except (ValueError, SyntaxError):
        raise ValueError(f"input {text!r} is not understood; write {FORMS}") from None


def _drawn(
    kind: str, low: str | None, high: str | None, shape: tuple[int, ...], rng: np.random.Generator
) -> np.ndarray:
    if kind == "int":
        first, last = (int(low or 0), int(high)) if high else (0, int(low or 9))
        return rng.integers(first, last + 1, shape)
    if kind == "onehot":
        classes = int(low or 10)
        return np.eye(classes)[rng.integers(0, classes, shape)]
    if kind == "uniform":
        return rng.uniform(float(low or 0), float(high or 1), shape)
    if low is not None:
        raise ValueError("normal numbers have no limits")
    return rng.normal(size=shape)


def _shape(text: str) -> tuple[int, ...]:
    shape = ast.literal_eval(text)
    shape = shape if isinstance(shape, tuple) else (shape,)
    if not all(type(n) is int and n >= 0 for n in shape) or math.prod(shape) > LARGEST:
        raise ValueError("a shape is a tuple of sizes")
    return shape


def value_of(node: ast.expr) -> Any:
    """An argument: a literal, or an array such as `normal(4, 3)`.

    Examples
    --------
    >>> value_of(ast.parse("zeros(2, 3)", mode="eval").body).shape
    (2, 3)
    """
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        return ast.literal_eval(node)
    if node.func.id not in ARRAYS or node.keywords:
        raise ValueError(f"{node.func.id} is none of {', '.join(ARRAYS)}")
    shape = _shape(f"({', '.join(map(ast.unparse, node.args))},)" if node.args else "()")
    if node.func.id in ("zeros", "ones"):
        return np.zeros(shape) if node.func.id == "zeros" else np.ones(shape)
    rng = np.random.default_rng(len(shape))
    return rng.normal(size=shape) if node.func.id == "normal" else rng.uniform(size=shape)
