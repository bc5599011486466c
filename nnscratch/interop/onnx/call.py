"""One node of an ONNX file: what it takes, and what is known of it before anything is computed.

Sizes that a file computes, such as the length of a batch, depend on the input. So each value has
two examples, of inputs of two sizes: what differs between them is free, what does not is fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnscratch.graph.node import Constant, Node, Output
from nnscratch.interop.onnx.room import numbers_of
from nnscratch.layers import Layer

MOST = 2**26  # numbers in an input's example, or in a constant that is computed
ROOM = 2**27  # numbers that a layer may take to compute an example
TOTAL = 2**28  # numbers in all examples

# What gives the numbers of a weight in another order or kind: they are weights still
MOVES = {"Transpose", "Reshape", "Squeeze", "Unsqueeze", "Slice", "Cast", "DequantizeLinear"}


@dataclass(frozen=True)
class Operand:
    """A value of the file.

    Attributes
    ----------
    node : Node or None
        None for a constant, and for sizes.
    arrays : two arrays
        Its examples.
    trained : bool
        Whether it is one of the file's weights.
    """

    node: Node | None
    arrays: tuple[np.ndarray, np.ndarray]
    trained: bool = False

    @classmethod
    def constant(cls, array: np.ndarray, trained: bool = False) -> Operand:
        return cls(None, (array, array), trained)

    @property
    def array(self) -> np.ndarray:
        """The first example."""
        return self.arrays[0]

    @property
    def fixed(self) -> bool:
        """Whether it is the same for every input."""
        first, second = self.arrays
        return self.node is None and (first is second or np.array_equal(first, second))

    @property
    def shape(self) -> tuple[int, ...]:
        return self.arrays[0].shape

    @property
    def ndim(self) -> int:
        return self.arrays[0].ndim


class Examples:
    """The examples of all nodes, each computed once."""

    def __init__(self) -> None:
        self._of: dict[int, tuple[Node, list[Any]]] = {}
        self._left = TOTAL

    def set(self, node: Node, arrays: list[Any]) -> Operand:
        self._of[id(node)] = node, arrays
        return Operand(node, (arrays[0], arrays[1]))

    def of(self, node: Node) -> Operand:
        """A node, with its examples and those of the nodes before it that are new."""
        arrays = self._arrays(node)
        return Operand(node, (arrays[0], arrays[1]))

    def _arrays(self, node: Node) -> list[Any]:
        if id(node) not in self._of:
            self.set(node, [self._computed(node, i) for i in range(2)])
        return self._of[id(node)][1]

    def _computed(self, node: Node, i: int) -> Any:
        if isinstance(node, Constant):
            return node.value
        inputs = [self._arrays(parent)[i] for parent in node.parents]
        if isinstance(node, Output):
            return inputs[0][node.part]
        floats = [x.dtype for x in inputs if x.dtype.kind == "f"]
        if floats:  # a graph gives constants the dtype of the others
            pairs = zip(inputs, node.parents, strict=True)
            inputs = [x.astype(floats[0]) if isinstance(p, Constant) else x for x, p in pairs]
        assert node.layer is not None
        if (count := numbers_of(node.layer, [x.shape for x in inputs])) > ROOM:
            raise ValueError(f"{node.layer} would take {count} numbers for an input of few samples")
        with np.errstate(all="ignore"):
            y, _ = node.layer.eval().forward_pass(*inputs)
        self._left -= sum(part.size for part in (y if isinstance(y, tuple) else (y,)))
        if self._left < 0:
            raise ValueError(f"the file takes more than {TOTAL} numbers for a few samples")
        return y


class Call:
    """A node of the file.

    Parameters
    ----------
    op : str
    inputs : list of Operand or None
        None for one that is left out.
    attributes : dict
    opset : int
    outputs : int
        How many names it gives.
    """

    def __init__(
        self,
        op: str,
        inputs: list[Operand | None],
        attributes: dict[str, Any],
        opset: int,
        outputs: int,
    ) -> None:
        self.op, self.inputs, self.attributes, self.opset = op, inputs, attributes, opset
        self.outputs = outputs

    def operand(self, i: int) -> Operand:
        """An input that must be there."""
        found = self.inputs[i] if i < len(self.inputs) else None
        if found is None:
            raise ValueError(f"input {i} is missing")
        return found

    def node(self, i: int = 0) -> Any:
        """An input as part of a formula: a node, or a constant's array."""
        found = self.operand(i)
        if found.node is None and not found.fixed:
            raise ValueError(f"input {i} is a size that depends on the batch")
        return found.array if found.node is None else found.node

    def terms(self) -> list[Any]:
        """The inputs of an element-wise operator, whose shapes NumPy makes one.

        A constant that is as long as the batch, with equal rows, is one row beside a node that has
        the batch.
        """
        terms = [self.row(i) for i in range(len(self.inputs))]
        for example in range(2):
            whole = [self.operand(i).arrays[example].shape for i in range(len(terms))]
            shapes = [
                term.shape if isinstance(term, np.ndarray) else shape
                for term, shape in zip(terms, whole, strict=True)
            ]
            if np.broadcast_shapes(*shapes) != np.broadcast_shapes(*whole):
                raise ValueError(
                    "a constant as long as the batch, and nothing beside it, is not there"
                )
        return terms

    def row(self, i: int) -> Any:
        """As `node`; of a constant as long as the batch, with equal rows, one of them."""
        found = self.operand(i)
        if found.node is not None or found.fixed:
            return self.node(i)
        sizes = [array.shape for array in found.arrays]
        if len(sizes[0]) == len(sizes[1]):
            key = tuple(slice(None) if n == m else slice(0, 1) for n, m in zip(*sizes, strict=True))
            row = found.array[key]
            if all(np.array_equal(np.broadcast_to(row, a.shape), a) for a in found.arrays):
                return row
        return self.node(i)

    def has(self, i: int) -> bool:
        return i < len(self.inputs) and self.inputs[i] is not None

    def constant(self, i: int, name: str | None = None) -> Any:
        """An input that is an array of the file, or in old opsets an attribute; None without."""
        if name is not None and name in self.attributes:
            return np.asarray(self.attributes[name])
        if not self.has(i):
            return None
        found = self.operand(i)
        if not found.fixed:
            raise ValueError(f"input {i} must be a constant of the file here")
        return found.array

    def get(self, name: str, default: Any) -> Any:
        """An attribute."""
        return self.attributes.get(name, default)

    def only(self, name: str, *allowed: Any) -> None:
        """Refuse an attribute of another value; the first allowed one is its default."""
        value = self.get(name, allowed[0])
        if value not in allowed:
            told = " or ".join(map(repr, allowed))
            raise ValueError(f"the attribute {name}={value!r} is not there, {told} is")

    def folded(self, compute: Callable[[Call], Any]) -> Any:
        """What the operator gives for constants and sizes, for both examples."""
        trained = self.op in MOVES and self.has(0) and self.operand(0).trained
        first, second = (
            compute(
                Call(
                    self.op,
                    [_one(x, i) for x in self.inputs],
                    self.attributes,
                    self.opset,
                    self.outputs,
                )
            )
            for i in range(2)
        )
        if isinstance(first, tuple):
            return tuple(Operand(None, pair) for pair in zip(first, second, strict=True))
        return Operand(None, (first, second), trained)


def _one(x: Operand | None, i: int) -> Operand | None:
    return None if x is None else Operand.constant(x.arrays[i])


def filled(layer: Layer, **arrays: np.ndarray) -> Layer:
    """The layer with weights of the file, in their dtype."""
    dtypes = {array.dtype for array in arrays.values() if array.dtype.kind == "f"}
    if dtypes and (dtype := max(dtypes)) != layer.dtype:
        layer.astype(dtype)
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} has numbers that are not finite")
        layer.params[name] = array
    return layer.eval()
