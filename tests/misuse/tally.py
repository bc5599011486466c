"""What comes of a call with one wrong argument."""

from __future__ import annotations

import contextlib
import io
import re
import warnings

from numpy._core._exceptions import UFuncTypeError

import nnscratch as nn

NAMES = {name.lower() for name in nn.__all__}


def outcome(found, name, maker):
    """("accepted", "clear", "unnamed" or "crash", what was said)."""
    arguments = {k: v() for k, v in found.arguments.items()}
    arguments[name] = maker()
    places = [arguments.pop(k) for k in found.spread]
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("error")
            warnings.filterwarnings(
                "ignore", "(divide by zero|invalid value|overflow)"
            )  # NumPy says them of log 0
            found.function(*places, **arguments)
    except Exception as error:  # every kind is looked at
        return judged(error, found.name, name), f"{type(error).__name__}: {error}"
    return "accepted", ""


def is_wrong(argument: str, what: str) -> bool:
    """Whether a value can be judged: a function is right where one is asked for."""
    takes_functions = ("initializer", "f", "function", "validation", "x", "metrics", "augment")
    return not (what in ("function", "class") and argument in takes_functions)


def judged(error, called, argument):
    if isinstance(error, AssertionError) and called == "assert_gradients":
        return "clear"
    if isinstance(error, KeyError) and called == "History":
        return "clear"
    if not isinstance(error, (ValueError, TypeError, RuntimeError, OSError, ImportError)):
        return "crash"
    if isinstance(error, (UFuncTypeError, RecursionError, UnicodeError)):
        return "crash"
    words = set(re.findall(r"[a-z_0-9]+", str(error).lower()))
    if argument in ("path", "name") and "text" in words:  # named by what was given
        return "clear"
    places = {argument, "target", "sample", "input", *re.findall(r"[a-z_0-9]+", called.lower())}
    return "clear" if words & (NAMES | places) or isinstance(error, OSError) else "unnamed"
