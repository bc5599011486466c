"""Loops compiled from C, where there are any: what NumPy computes in several passes, in one.

    if not compiled.relu(x, y):        True if the loop knew such arrays and has filled y
        np.maximum(x, 0, out=y)        the formula, which stays the reference

A loop takes float32 arrays whose memory has no gaps and which agree in its order, and numbers that
are Python floats. Otherwise it does nothing and returns False, as all do where none was built
(setup.py) or where NNSCRATCH_KERNELS=0 stands in the environment. Results are equal bit for bit:
a loop makes NumPy's operations in NumPy's order. What is not equal is who warns: loops overflow
in silence. And of zeros of both signs, of which none is larger, a loop takes the first.
"""

from __future__ import annotations

import os
from collections.abc import Callable

try:
    if os.environ.get("NNSCRATCH_KERNELS") == "0":
        raise ImportError("switched off")
    import nnscratch._compiled as _found
except ImportError:
    _found = None  # type: ignore[assignment]  # in place of the module

Loop = Callable[..., bool]


def kernels() -> str:
    """What computes the loops: "compiled", or "NumPy" alone.

    >>> kernels() in ("compiled", "NumPy")
    True
    """
    return "NumPy" if _found is None else "compiled"


# What takes anything and gives nothing, at no cost of a frame in each training step
_absent: Loop = "".format  # type: ignore[assignment]  # "" is false


def _loop(name: str) -> Loop:
    return getattr(_found, name, _absent)


sgd = _loop("sgd")
adam = _loop("adam")
rmsprop = _loop("rmsprop")
relu = _loop("relu")
relu_back = _loop("relu_back")
half_square = _loop("half_square")
gelu = _loop("gelu")
scaled = _loop("scaled")
combined = _loop("combined")
sums = _loop("sums")
layer_norm = _loop("layer_norm")
layer_norm_back = _loop("layer_norm_back")
lstm = _loop("lstm")
lstm_back = _loop("lstm_back")
max_pool = _loop("max_pool")
take_rows = _loop("take_rows")
