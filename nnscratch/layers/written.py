"""The code that builds a layer: what `repr` prints, and what the remedies of errors propose."""

from __future__ import annotations

import inspect
from typing import Any

from nnscratch.layers.base import Layer

UNTOLD = {"rng", "initializer"}  # what was drawn is in the params


def written(layer: Layer, **others: Any) -> str:
    """The call that makes a layer like this one, with some arguments replaced by others.

    Every argument without a default, then the others by name where they are not the default. Each
    is read from the attribute of its name.

    >>> import nnscratch as nn
    >>> layer = nn.BatchNorm(5, epsilon=0.1)
    >>> written(layer), written(layer, features=7)
    ('BatchNorm(5, epsilon=0.1)', 'BatchNorm(7, epsilon=0.1)')
    """
    told = []
    for name, parameter in inspect.signature(type(layer)).parameters.items():
        if name in UNTOLD or not (name in others or hasattr(layer, name)):
            continue
        value = others[name] if name in others else getattr(layer, name)
        if parameter.default is parameter.empty:
            told.append(repr(value))
        elif value != parameter.default:
            told.append(f"{name}={value!r}")
    return f"{type(layer).__name__}({', '.join(told)})"
