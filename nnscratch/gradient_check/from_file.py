"""A student's file -> the object to check: `FILE.py:Class`, made with its arguments."""

from __future__ import annotations

import ast
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnscratch.modules import load_module

GUESSES = ((5, 4), (7,), (3, 4, 6), (3, 4, 6, 5))


def split_target(target: str) -> tuple[Path, str, tuple[Any, ...]]:
    """(file, name, arguments) of `FILE.py:Name` or `FILE.py:Name(4, 3)`.

    The arguments are literals: numbers, strings, tuples, lists, True, False, None.

    Raises
    ------
    ValueError
        The target is written in another way.

    Examples
    --------
    >>> split_target("layers.py:Linear(4, 3)")[1:]
    ('Linear', (4, 3))
    """
    found = re.fullmatch(r"(.+\.py):([A-Za-z_]\w*)(\(.*\))?", target, re.DOTALL)
    try:
        if found is None:
            raise ValueError
        arguments = ast.literal_eval(
            f"({found[3][1:-1].strip().rstrip(',')},)" if found[3] not in (None, "()") else "()"
        )
    except (ValueError, SyntaxError):
        raise ValueError(
            f"expected FILE.py:Class or 'FILE.py:Class(4, 3)', received {target!r}"
        ) from None
    return Path(found[1]), found[2], arguments


def load_object(target: str) -> Any:
    """Run the file and make the object: a class or function is called, anything else taken.

    Raises
    ------
    OSError
        There is no such file.
    ValueError
        The file does not run, has no such name, or the object cannot be made.
    """
    path, name, arguments = split_target(target)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    sys.path.insert(0, str(path.resolve().parent))  # for the files beside it
    try:
        module = load_module(path, path.stem)
    except Exception as error:
        raise ValueError(f"{path} does not run: {_where(error, path)}") from error
    if not hasattr(module, name):
        classes = [k for k, v in vars(module).items() if isinstance(v, type)]
        raise ValueError(f"{path} has no {name}; its classes are {', '.join(classes) or 'none'}")
    made = getattr(module, name)
    if isinstance(made, type) or (callable(made) and not hasattr(made, "forward")):
        try:
            made = made(*arguments)
        except Exception as error:
            raise ValueError(
                f"{name}{arguments} cannot be made: {_where(error, path)}; "
                f"give its arguments as in '{path}:{name}(4, 3)'"
            ) from error
    for method in ("forward", "backward"):
        if not callable(getattr(made, method, None)):
            raise ValueError(f"{name} of {path} has no method {method}; a layer has both")
    return made


def inputs_for(layer: Any, shapes: Sequence[Sequence[int]], seed: int) -> list[np.ndarray]:
    """Random inputs of the given shapes, or of the first guess that the layer's forward takes.

    Raises
    ------
    ValueError
        No guess fits.
    """
    rng = np.random.default_rng(seed)
    if shapes:
        return [rng.normal(size=tuple(shape)) for shape in shapes]
    params = getattr(layer, "params", None)
    held = [*(params.values() if isinstance(params, dict) else ()), *vars(layer).values()]
    sizes = {s for array in held if isinstance(array, np.ndarray) for s in array.shape}
    sizes |= {value for value in vars(layer).values() if isinstance(value, int) and value > 0}
    for shape in [*((5, size) for size in sorted(sizes, reverse=True)), *GUESSES]:
        x = rng.normal(size=shape)
        try:
            layer.forward(x)
        except Exception:  # a guess that does not fit may fail in any way
            continue
        return [x]
    raise ValueError(
        "no guess of the input's shape fits forward; name it, as in --input-shape 5 4 "
        "(once for each input)"
    )


def _where(error: Exception, path: Path) -> str:
    """The error in one line, with the line of the student's file that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f.lineno for f in frames if Path(f.filename).resolve() == path.resolve()]
    if isinstance(error, SyntaxError):
        lines = [error.lineno]
    return f"{type(error).__name__}: {error}" + (f" (line {lines[-1]})" if lines else "")
