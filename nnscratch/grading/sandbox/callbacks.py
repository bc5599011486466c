"""In the worker: functions and objects that are computed in the parent, and a count of calls.

What student code is given to work with (a function to differentiate, an operator to judge, the
layers of earlier items) holds no answer that could be read off an attribute: it holds a number,
and asks the parent.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np

from nnscratch.grading.sandbox.protocol import message
from nnscratch.grading.sandbox.values import Caps, Proxy, pack, unpack

Exchange = Callable[[list[bytes | memoryview]], tuple[dict[str, Any], list[Any]]]
ERRORS = {"TypeError": TypeError, "ValueError": ValueError, "RuntimeError": RuntimeError}


class TooManyForwards(BaseException):
    """A single backward ran forward so often that it cannot be but a numeric derivative."""


class Asking:
    """A function of the parent's: sends its arguments, and returns or raises what comes back."""

    def __init__(self, number: int, caps: Caps, exchange: Exchange) -> None:
        self._number, self._caps, self._exchange = number, caps, exchange

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        contents: list[Any] = []
        plain = [list(a) if type(a) is range else a for a in arguments]  # as NumPy takes them
        value = pack([plain, keywords], contents, self._caps, "an argument")
        header, arrays = self._exchange(
            message({"asks": self._number, "value": value}, contents),
        )
        if "raised" in header:
            kind, text = header["raised"]
            raise ERRORS.get(kind, RuntimeError)(text)
        return unpack(header["value"], arrays)


def proxy(described: Proxy, asking: Callable[[int], Asking]) -> Any:
    """The object, or the class of objects, that a proxy describes."""
    methods = {name: asking(number) for name, number in described.methods.items()}
    if not described.name:
        return type("Operator", (), {name: staticmethod(call) for name, call in methods.items()})()
    return type(described.name, (_Layer,), {"_ask": methods})


class _Layer:
    """A layer whose numbers lie here, and whose formulas lie in the parent."""

    _ask: dict[str, Asking]

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        drawn = [a for a in arguments if isinstance(a, np.random.Generator)]
        arguments = tuple(a for a in arguments if not isinstance(a, np.random.Generator))
        generator = keywords.pop("rng", drawn[0] if drawn else None)
        if isinstance(generator, np.random.Generator):  # which cannot travel
            generator = int(generator.integers(2**31))
        if generator is not None:
            keywords["rng"] = generator
        self._number, self.params = self._ask["new"](*arguments, **keywords)
        self.grads: dict[str, Any] = {}

    def forward(self, *inputs: Any) -> Any:
        return self._ask["forward"](self._number, list(inputs), self.params)

    def backward(self, dy: Any) -> Any:
        dx, self.grads = self._ask["backward"](self._number, dy, self.params)
        return dx


@contextmanager
def counted(most: int, folder: str) -> Iterator[None]:
    """End what runs here once it has called a student's `forward` more than `most` times.

    Student code could switch this off, and gains only that the time limit ends it instead.
    """
    if not most:
        yield
        return
    calls = 0

    def look(frame: FrameType, event: str, _: Any) -> None:
        nonlocal calls
        code = frame.f_code
        if event == "call" and code.co_name == "forward" and code.co_filename.startswith(folder):
            calls += 1
            if calls > most:
                raise TooManyForwards(f"forward was called more than {most} times")

    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(None)
