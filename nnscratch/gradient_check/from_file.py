"""A student's file -> the object to check: `FILE.py:Class`, made with its arguments."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
import traceback
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnscratch.gradient_check.from_text import array_of, value_of
from nnscratch.gradient_check.methods import methods_of
from nnscratch.modules import load_module

__all__ = ["inputs_for", "load_object", "split_target"]

GUESSES = ((5, 4), (7,), (3, 4, 6), (3, 4, 6, 5))
Made = tuple[tuple[Any, ...], dict[str, Any]]


def split_target(target: str) -> tuple[Path, str, Made]:
    """(file, name, arguments) of `FILE.py:Name` or `FILE.py:Name(4, 3)`.

    The arguments are literals, by name too, or arrays such as `normal(4, 3)`; two names are a
    pair of functions.

    Raises
    ------
    ValueError
        The target is written in another way.

    Examples
    --------
    >>> split_target("layers.py:Linear(4, n_out=3)")[1:]
    ('Linear', ((4,), {'n_out': 3}))
    >>> split_target("layers.py:relu_forward,relu_backward")[1]
    'relu_forward,relu_backward'
    """
    found = re.fullmatch(r"(.+\.py):([A-Za-z_]\w*(?:, *[A-Za-z_]\w*)?)(\(.*\))?", target, re.DOTALL)
    try:
        if found is None:
            raise ValueError
        call = ast.parse(f"made{found[3] or '()'}", mode="eval").body
        if not isinstance(call, ast.Call) or any(k.arg is None for k in call.keywords):
            raise ValueError
        values = tuple(value_of(node) for node in call.args)
        named = {str(keyword.arg): value_of(keyword.value) for keyword in call.keywords}
    except (ValueError, SyntaxError):
        raise ValueError(
            f"expected FILE.py:Class, 'FILE.py:Class(4, 3)' or FILE.py:forward,backward, "
            f"received {target!r}; arguments are numbers, texts, tuples, or arrays: normal(4, 3)"
        ) from None
    return Path(found[1]), found[2].replace(" ", ""), (values, named)


def load_object(target: str) -> Any:
    """Run the file and make the object: a class or function is called, anything else taken.

    Raises
    ------
    OSError
        There is no such file.
    ValueError
        The file does not run, has no such name, or the object cannot be made.
    """
    path, names, (values, named) = split_target(target)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        module = _module(path)
    except Exception as error:
        raise ValueError(f"{path} does not run: {_where(error, path)}") from error
    for name in names.split(","):
        if not hasattr(module, name):
            classes = [k for k, v in vars(module).items() if isinstance(v, type)]
            words = ", ".join(classes) or "none"
            raise ValueError(f"{path} has no {name}; its classes are {words}")
    found = [getattr(module, name) for name in names.split(",")]
    if len(found) == 2:
        return tuple(found)
    made = found[0]
    if isinstance(made, types.FunctionType) and not values and not named and _needs_inputs(made):
        return made  # of a loss and its gradients
    if isinstance(made, type) or (callable(made) and methods_of(made) is None):
        try:
            made = made(*values, **named)
        except Exception as error:
            given = ", ".join([*map(repr, values), *(f"{k}={v!r}" for k, v in named.items())])
            raise ValueError(
                f"{names}({given}) cannot be made: {_where(error, path)}; "
                f"give its arguments as in '{path}:{names}(4, 3)'"
            ) from error
    if methods_of(made) is None:
        lacking = [m for m in ("forward", "backward") if not callable(getattr(made, m, None))]
        raise ValueError(f"{names} of {path} has no method {lacking[0]}; a layer has both")
    return made


def _needs_inputs(function: types.FunctionType) -> bool:
    try:
        inspect.signature(function).bind()
    except TypeError:
        return True
    return False


def _module(path: Path) -> Any:
    """The file as a module, inside its package if it is in one."""
    folder = path.resolve().parent
    depth = max(_relative(path), _packages(folder))
    root = folder.parents[depth - 1] if depth else folder
    sys.path.insert(0, str(root))
    if not depth:
        return load_module(path, path.stem)
    if str(folder) not in sys.path:
        sys.path.append(str(folder))  # files beside it may be imported by their own name too
    return importlib.import_module(".".join([*folder.relative_to(root).parts, path.stem]))


def _relative(path: Path) -> int:
    """How many folders up the file's relative imports reach."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return max((n.level for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)), default=0)


def _packages(folder: Path) -> int:
    """How many folders from here up are packages."""
    count = 0
    while (folder / "__init__.py").is_file():
        folder, count = folder.parent, count + 1
    return count


def inputs_for(
    layer: Any, shapes: Sequence[Sequence[int]], texts: Sequence[str], seed: int
) -> list[Any]:
    """Inputs as they are written, of the given shapes, or of a guess that forward takes.

    Raises
    ------
    ValueError
        A text is not understood, or no guess fits.
    """
    rng = np.random.default_rng(seed)
    if texts:
        return [array_of(text, rng) for text in texts]
    if isinstance(layer, types.FunctionType) and not shapes:
        raise ValueError(
            "a function that returns a loss and its gradients needs its inputs: --input '(5, 4)' "
            f"for each; one that makes a layer is called: '{layer.__name__}(4, 3)'"
        )
    if shapes or isinstance(layer, tuple):
        if not shapes:
            raise ValueError("a pair of functions needs its inputs: --input '(5, 4)' for each")
        return [rng.normal(size=tuple(shape)) for shape in shapes]
    forward = getattr(layer, (methods_of(layer) or ("forward",))[0])
    for shape in [*((5, size) for size in _sizes(layer)), *GUESSES]:
        x = rng.normal(size=shape)
        try:
            forward(x)
        except Exception:  # a guess that does not fit may fail in any way
            continue
        return [x]
    raise ValueError(
        "no guess of the input's shape fits forward; name it, as in --input-shape 5 4 "
        "or --input 'int 0..9 (5,)' (once for each input)"
    )


def _sizes(layer: Any) -> list[int]:
    """The numbers in a layer that may be a number of features."""
    params = getattr(layer, "params", None)
    kept = list(getattr(layer, "__dict__", {}).values())
    held = [*(params.values() if isinstance(params, Mapping) else ()), *kept]
    sizes = {s for array in held if isinstance(array, np.ndarray) for s in array.shape}
    return sorted(sizes | {v for v in kept if type(v) is int and 0 < v < 10_000}, reverse=True)


def _where(error: Exception, path: Path) -> str:
    """The error in one line, with the line of the student's file that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f.lineno for f in frames if Path(f.filename).resolve() == path.resolve()]
    if isinstance(error, SyntaxError):
        lines = [error.lineno]
    return f"{type(error).__name__}: {error}" + (f" (line {lines[-1]})" if lines else "")
