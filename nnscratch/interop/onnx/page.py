"""An ONNX model while it is being written: nodes, constants and names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

OPSET = 21
FORMAT = 10  # the IR version that came with it


class Value(NamedTuple):
    """A value of the model: its name there, and what it is for the example."""

    name: str
    array: np.ndarray


class Page:
    """The nodes so far, in the order of computation.

    Parameters
    ----------
    taken : sequence of str
        Names that no value of the page may have: those of the inputs.

    Attributes
    ----------
    nodes, constants : list
        As the package onnx has them.
    """

    def __init__(self, taken: Sequence[str] = ()) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.taken = tuple(taken)
        self._count = 0

    def op(self, kind: str, *inputs: Any, outputs: int = 1, **attributes: Any) -> Any:
        """Write a node; returns the name of its output, or of several as a list.

        An input is a value, a name, an array, which becomes a constant, or None for one that is
        left out.
        """
        helper = library().helper
        names = [self._named(x) for x in inputs]
        found = [self._name(kind) for _ in range(outputs)]
        self.nodes.append(helper.make_node(kind, names, found, **attributes))
        return found[0] if outputs == 1 else found

    def ints(self, *numbers: int) -> np.ndarray:
        """What ONNX takes as axes, shapes and sizes."""
        return np.array(numbers, np.int64)

    def floats(self, value: Value, dtype: np.dtype | None = None) -> Value:
        """The value as floating numbers, integers as float32, as a layer would take it."""
        own = value.array.dtype
        wanted = dtype or (own if own.kind == "f" else np.dtype(np.float32))
        return self.cast(value, wanted)

    def cast(self, value: Value, dtype: Any) -> Value:
        dtype = np.dtype(dtype)
        if value.array.dtype == dtype:
            return value
        kind = library().helper.np_dtype_to_tensor_dtype(dtype)
        return Value(self.op("Cast", value, to=kind), value.array.astype(dtype))

    def _named(self, x: Any) -> str:
        if x is None:
            return ""
        if isinstance(x, Value):
            return x.name
        return x if isinstance(x, str) else self._constant(np.asarray(x))

    def _constant(self, array: np.ndarray) -> str:
        name = self._name("constant")
        tensor = library().numpy_helper.from_array(np.array(array, order="C"), name)
        self.constants.append(tensor)
        return name

    def _name(self, kind: str) -> str:
        self._count += 1
        name = f"{kind.lower()}_{self._count}"
        return name if name not in self.taken else self._name(kind)


def library() -> Any:
    """The package onnx, which only this module and its neighbours need."""
    try:
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
        import onnx.shape_inference
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "an .onnx file needs a package; pip install 'nnscratch[onnx]'"
        ) from error
    return onnx
