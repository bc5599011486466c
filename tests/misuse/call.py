"""What a call is: a function and its right arguments, each made anew."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Call:
    """One way to call something: `function(**arguments)`, each made anew by a function."""

    name: str
    function: Callable[..., Any]
    arguments: dict[str, Callable[[], Any]]
    spread: tuple[str, ...] = ()  # given by their places, in this order


def made(value):
    return lambda: value


def call(name, function, /, **arguments):
    """A call by keywords; a value that is no function is made by one."""
    makers = {k: v if inspect.isfunction(v) else made(v) for k, v in arguments.items()}
    return Call(name, function, makers)


def by_place(name, function, /, **arguments):
    found = call(name, function, **arguments)
    found.spread = tuple(arguments)
    return found


def others(function, known):
    """The arguments that may be left out, each as it would be anyway."""
    parameters = inspect.signature(function).parameters.values()
    left = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return {
        p.name: made(p.default) for p in left if p.name not in known and p.default is not p.empty
    }
