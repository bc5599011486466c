"""An .onnx file -> a Graph of ours.

The file may be a stranger's. It is parsed, not run; it is asked for what it holds before that is
unpacked; and nothing outside of it is opened.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from nnscratch.files import open_regular, printable
from nnscratch.graph import Graph, Input
from nnscratch.interop.onnx.call import MOST, Call, Examples, Operand
from nnscratch.interop.onnx.from_attention import FROM_ATTENTION
from nnscratch.interop.onnx.from_layers import FROM_LAYERS
from nnscratch.interop.onnx.from_operators import FROM_OPERATORS
from nnscratch.interop.onnx.from_sequences import FROM_SEQUENCES
from nnscratch.interop.onnx.from_sizes import FROM_SIZES
from nnscratch.interop.onnx.from_space import FROM_SPACE
from nnscratch.interop.onnx.needed import needed, wanted_outputs, way_round
from nnscratch.interop.onnx.page import library
from nnscratch.interop.onnx.softplus import without_thresholds
from nnscratch.kinds import checks_kinds

READ: dict[str, Callable[[Call], Any]] = {
    **FROM_LAYERS,
    **FROM_OPERATORS,
    **FROM_SEQUENCES,
    **FROM_SPACE,
    **FROM_ATTENTION,
}
OLDEST, NEWEST = 7, 28  # opsets
MOST_NODES = 100_000
SCALER = "ai.onnx.ml", "Scaler"  # what is read of other domains: scikit-learn's StandardScaler
FLOATS = 1, 10, 11, 16  # the numbers of float32, float16, float64 and bfloat16
SIZES = (2, 3), (32, 48)  # of the batch and of other axes that the file leaves free, twice


@checks_kinds
def load(path: str | os.PathLike[str], outputs: str | Sequence[str] | None = None) -> Graph:
    """Read an ONNX model as a Graph, in evaluation mode, which may be trained on.

    Parameters
    ----------
    path : path
    outputs : str or sequence of str, optional
        The values that the graph is to give, by their names in the file, and in place of its
        outputs: what they do not need is not looked at.

    Returns
    -------
    graph : Graph
        Weights of the file's matrix products, convolutions and normalizations are parameters;
        other arrays in it are constants of the formula.

    Raises
    ------
    OSError
        The file is missing or cannot be read.
    ValueError
        It is damaged, of an opset that is not known, keeps data in other files, or has an
        operator or an attribute of one that is not there; the message names it.
    ModuleNotFoundError
        onnx is not installed: the extra `onnx`.
    """
    name = os.fspath(path)
    with open_regular(path) as file:
        content = file.read()
    try:
        model = library().load_model_from_string(content)
    except Exception as error:
        told = printable(str(error))[:200]
        raise ValueError(f"{name} is damaged or no .onnx file ({told})") from error
    free: list[str] = []
    try:
        return _Reader(model, free, outputs).graph()
    except Exception as error:  # what layers say of such arguments, too
        told = " ".join(printable(str(error).replace("\n", " ")).split()) or type(error).__name__
        if free:
            first, second = SIZES[True]
            told += (
                f"; the file leaves {printable(free[0])} free, and {first} and {second} were tried "
                "there: if it has one size, write that into the file"
            )
        raise ValueError(f"{name}: {told}") from error


class _Reader:
    """Goes through the nodes of a file in their order, which is that of computation."""

    def __init__(self, model: Any, free: list[str], outputs: str | Sequence[str] | None) -> None:
        self.free = free  # the axes that any size was tried for, but for the first ones
        opsets = {entry.domain: entry.version for entry in model.opset_import}
        self.opset = opsets.get("", opsets.get("ai.onnx", 0))
        if not OLDEST <= self.opset <= NEWEST:
            raise ValueError(f"opset {self.opset} is not read, {OLDEST} to {NEWEST} are")
        if model.functions:
            raise ValueError("functions of the file's own are not read; export it without them")
        self.model = model.graph
        self.single = any(
            node.op_type == "Cast" and attribute.name == "to" and attribute.i in FLOATS
            for node in self.model.node
            for attribute in node.attribute
        )
        if self.model.sparse_initializer:
            raise ValueError("sparse tensors are not read")
        if len(self.model.node) > MOST_NODES:
            raise ValueError(f"{len(self.model.node)} nodes, at most {MOST_NODES} are read")
        self.outputs, self.nodes = wanted_outputs(self.model, outputs), list(self.model.node)
        if outputs is not None:
            self.nodes = needed(self.nodes, self.outputs)
        self.found: dict[str, Operand | None] = {"": None}
        self.examples = Examples()
        self.sizes: dict[str, tuple[int, int]] = {}
        self.names: set[str] = set()

    def graph(self) -> Graph:
        for tensor in self.model.initializer:
            array = self._widened(array_of(tensor))
            self.found[tensor.name] = Operand.constant(array, trained=True)
        constants = {name: x.array for name, x in self.found.items() if x is not None}
        self.nodes = without_thresholds(self.nodes, constants)
        inputs = [self._input(x) for x in self.model.input if x.name not in self.found]
        for node in self.nodes:
            try:
                self._read(node)
            except ValueError as error:
                raise ValueError(f"{error}{way_round(self.nodes, self.outputs, node)}") from error
        ends = [self._taken(name, "the outputs") for name in self.outputs]
        nodes = []
        for end, name in zip(ends, self.outputs, strict=True):
            if end is None or end.node is None:
                raise ValueError(f"output {name!r} does not depend on the inputs")
            nodes.append(end.node)
        if not nodes:
            raise ValueError("there are no outputs")
        outputs = {"output": nodes[0]} if len(nodes) == 1 else {"outputs": nodes}
        return Graph(inputs, **outputs).eval()

    def _input(self, x: Any) -> Input:
        """An input as a node, with examples of two sizes where a size is free."""
        kind = x.type.tensor_type
        if not x.type.HasField("tensor_type") or not kind.HasField("shape"):
            raise ValueError(f"input {x.name!r} is no tensor of known rank")
        dtype = library().helper.tensor_dtype_to_np_dtype(kind.elem_type)
        if dtype.kind not in "fiub":
            raise ValueError(f"input {x.name!r} holds {dtype}, which is no number")
        shapes: list[list[int]] = [[], []]
        for axis, dim in enumerate(kind.shape.dim):
            both = (dim.dim_value,) * 2 if dim.HasField("dim_value") else None
            if both is None or min(both) < 1:
                key = dim.dim_param or f"{x.name} {axis}"
                both = self.sizes.setdefault(key, SIZES[axis > 0])
                self.free += [f"axis {axis} of input {x.name[:60]!r}"] * (both == SIZES[True])
            for shape, size in zip(shapes, both, strict=True):
                shape.append(size)
        if max(map(prod, shapes)) > MOST:
            raise ValueError(f"input {x.name!r} has {max(map(prod, shapes))} numbers")
        node = Input(self._name(x.name) or None)
        rng = np.random.default_rng(0)
        arrays = [rng.uniform(0.1, 1, shape).astype(dtype) for shape in shapes]
        self.found[x.name] = self.examples.set(node, arrays)
        return node

    def _name(self, name: str) -> str:
        """Without dots, and as no other input is called."""
        name = name.replace(".", "_")
        while name and name in self.names:
            name += "_"
        self.names.add(name)
        return name

    def _read(self, node: Any) -> None:
        """What a node of the file is here, and under which names its outputs are found."""
        title = f"node {node.name!r} ({node.op_type})" if node.name else f"a node {node.op_type}"
        if node.domain not in ("", "ai.onnx") and (node.domain, node.op_type) != SCALER:
            raise ValueError(f"{title} is of the domain {node.domain!r}, which is not there")
        inputs = [self._taken(name, title) for name in node.input]
        attributes = {k: self._widened(v) for k, v in attributes_of(node, title).items()}
        call = Call(node.op_type, inputs, attributes, self.opset, len(node.output))
        try:
            constant = all(x is None or x.node is None for x in inputs)
            if call.op == "Shape":
                results: Any = FROM_SIZES["Shape"](call)
            elif constant and call.op in FROM_SIZES:
                results = call.folded(FROM_SIZES[call.op])
            elif constant and call.op in READ and call.has(0):
                results = self._of_constants(call)
            elif call.op in READ:
                results = READ[call.op](call)
            else:
                raise ValueError("there is no such operator here")
            results = results if isinstance(results, tuple) else (results,)
            for name, result in zip(node.output, results, strict=False):
                if not name:  # an output that is left out
                    continue
                if name in self.found:
                    raise ValueError(f"{name!r} is given twice")
                self.found[name] = self._operand(result)
            if unknown := [n for n in node.output[len(results) :] if n]:
                self.found |= dict.fromkeys(unknown)
        except Exception as error:
            raise ValueError(f"{title}: {error}") from error

    def _widened(self, value: Any) -> Any:
        """float16 as float32, in a file that casts: what it computes in float32 stays so."""
        half = isinstance(value, np.ndarray) and value.dtype == np.float16
        return value.astype(np.float32) if half and self.single else value

    def _of_constants(self, call: Call) -> tuple[Operand, ...]:
        """What a layer gives for constants, as if the first of them were an input."""
        own = call.operand(0)
        call.inputs[0] = self.examples.set(Input(), list(own.arrays))
        results = READ[call.op](call)
        results = results if isinstance(results, tuple) else (results,)
        return tuple(
            replace(self._operand(result), node=None, trained=own.trained and call.op == "Split")
            for result in results
        )

    def _operand(self, result: Any) -> Operand:
        return result if isinstance(result, Operand) else self.examples.of(result)

    def _taken(self, name: str, title: str) -> Operand | None:
        if name not in self.found:
            raise ValueError(
                f"{title}: takes {name!r}, which nothing before it gives; the file has a cycle, "
                "or its nodes are not in the order of computation"
            )
        found = self.found[name]
        if found is None and name:
            raise ValueError(f"{title}: takes {name!r}, an output that is not there")
        return found


def attributes_of(node: Any, title: str) -> dict[str, Any]:
    """The attributes as Python has them."""
    found: dict[str, Any] = {}
    for attribute in node.attribute:
        if attribute.type in (attribute.GRAPH, attribute.GRAPHS) or attribute.ref_attr_name:
            raise ValueError(f"{title}: graphs inside nodes are not read")
        if attribute.type == attribute.TENSOR:
            found[attribute.name] = array_of(attribute.t)
            continue
        value = library().helper.get_attribute_value(attribute)
        found[attribute.name] = value.decode() if isinstance(value, bytes) else value
    return found


def array_of(tensor: Any) -> np.ndarray:
    """A tensor of the file, after a look at what it says of its size."""
    name = tensor.name or "a tensor"
    if tensor.data_location == tensor.EXTERNAL or tensor.external_data:
        raise ValueError(
            f"{name!r} lies in another file; save the model as one file: "
            "onnx.save(onnx.load(path), path), or torch.onnx.export(..., external_data=False)"
        )
    dtype = library().helper.tensor_dtype_to_np_dtype(tensor.data_type)
    if dtype.kind not in "fiub" and dtype.name != "bfloat16":
        raise ValueError(f"{name!r} holds {dtype}, which is no number")
    numbers = prod(tensor.dims)
    if min(tensor.dims, default=1) < 0:
        raise ValueError(f"{name!r} has the shape {tuple(tensor.dims)}")
    if tensor.HasField("raw_data"):
        given = len(tensor.raw_data) / dtype.itemsize
    else:
        field = library().helper.tensor_dtype_to_field(tensor.data_type)
        given = len(getattr(tensor, field))
    if given != numbers:
        raise ValueError(
            f"{name!r} is said to be {tuple(tensor.dims)}, and holds {given:g} numbers"
        )
    array: np.ndarray = library().numpy_helper.to_array(tensor)
    return array.astype(np.float32) if dtype.name == "bfloat16" else array
