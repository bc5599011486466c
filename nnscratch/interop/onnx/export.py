"""A model of ours -> an .onnx file."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnscratch.files import atomic_write
from nnscratch.graph import Graph
from nnscratch.interop.onnx.of_layers import OF_LAYERS
from nnscratch.interop.onnx.of_operators import OF_OPERATORS
from nnscratch.interop.onnx.of_sequences import OF_SEQUENCES
from nnscratch.interop.onnx.of_space import OF_SPACE
from nnscratch.interop.onnx.page import FORMAT, OPSET, Page, Value, library
from nnscratch.kinds import as_array, checks_kinds, received
from nnscratch.layers import (
    Embedding,
    Layer,
    Residual,
    Scan,
    Sequential,
    TransformerBlock,
    Where,
)

WRITTEN: dict[type[Layer], Callable[..., Any]] = {
    **OF_LAYERS,
    **OF_OPERATORS,
    **OF_SEQUENCES,
    **OF_SPACE,
}
LARGEST = 2**31 - 2**20  # bytes of one file, as protobuf has it


@checks_kinds
def export(model: Layer, path: str | os.PathLike[str], x: Any) -> None:
    """Write a model as ONNX, in evaluation mode, for whatever runs that.

    Parameters
    ----------
    model : Layer
    path : path
        `.onnx` is the usual ending. An existing file is replaced, whole or not at all.
    x : array, or tuple of arrays for several inputs
        An example: dtypes and shapes are its own, but for the first axis, the batch, which stays
        free.

    Notes
    -----
    Of opset 21. Inputs are called as the inputs of a Graph, else "x" or "x1", "x2", ...; outputs
    "y" or "y1", "y2", ..., with a _ behind it where an input is called so.
    `nnscratch.interop.onnx.load` reads the file back.

    Raises
    ------
    ValueError
        A layer has no counterpart in ONNX, such as Inverse, or is one of your own; it is named.
    OSError
        The file cannot be written.
    ModuleNotFoundError
        onnx is not installed: the extra `onnx`.
    """
    onnx = library()
    inputs = tuple(_example(part) for part in (x if isinstance(x, tuple) else (x,)))
    model = copy.deepcopy(model).eval()
    page = Page(_input_names(model, len(inputs)))
    values = [Value(n, a) for n, a in zip(page.taken, inputs, strict=True)]
    found = written(page, model, values)
    several = len(found) > 1
    outputs = [Value(page.op("Identity", value), value.array) for value in found]
    names = {
        v.name: _untaken(f"y{i}" if several else "y", page.taken) for i, v in enumerate(outputs, 1)
    }
    for node in page.nodes:
        node.output[:] = [names.get(name, name) for name in node.output]
    outputs = [Value(names[value.name], value.array) for value in outputs]
    free = _free_axes(model, inputs, outputs)
    ends = [_info(value, axes) for value, axes in zip([*values, *outputs], free, strict=True)]
    graph = onnx.helper.make_graph(
        page.nodes,
        "nnscratch",
        ends[: len(values)],
        ends[len(values) :],
        page.constants,
    )
    opset = onnx.helper.make_opsetid("", OPSET)
    whole = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=FORMAT)
    whole.producer_name = "nnscratch"
    if whole.ByteSize() > LARGEST:
        raise ValueError(f"the model has {whole.ByteSize()} bytes, an .onnx file at most 2 GB")
    onnx.checker.check_model(whole)
    with atomic_write(path) as file:
        file.write(whole.SerializeToString())


def _example(x: Any) -> np.ndarray:
    """An input as an array of numbers that ONNX has a kind for, which know one order of bytes."""
    array = as_array(x)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"export expected x as an array of numbers, received {received(x)}")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def written(page: Page, layer: Layer, inputs: Sequence[Value]) -> list[Value]:
    """Write a layer and what is inside of it; returns its outputs."""
    if isinstance(layer, Graph):
        return _graph(page, layer, inputs)
    if isinstance(layer, (Sequential, Residual)):
        return _edges(page, layer, inputs)
    if isinstance(layer, Scan):
        return _scan(page, layer, inputs[0])
    if isinstance(layer, TransformerBlock):
        return _block(page, layer, inputs[0])
    write = _writer(layer)
    dtype = layer.dtype
    if isinstance(layer, Embedding):
        taken = list(inputs)
    elif isinstance(layer, Where):
        taken = [inputs[0], *(page.floats(value) for value in inputs[1:])]
    else:
        taken = [page.floats(value, dtype) for value in inputs]
    y, _ = layer.forward_pass(*(value.array for value in taken))
    names = write(page, layer, *taken)
    if isinstance(y, tuple):
        return [Value(name, part) for name, part in zip(names, y, strict=True)]
    return [Value(names, y)]


def _writer(layer: Layer) -> Callable[..., Any]:
    """What writes layers of this class; a subclass that computes otherwise is another one."""
    for kind in type(layer).__mro__:
        if kind in WRITTEN and type(layer).forward_pass is kind.forward_pass:
            return WRITTEN[kind]
    raise ValueError(
        f"ONNX has no counterpart of {' '.join(repr(layer).split())}; leave it out of the model "
        "that is exported"
    )


def _edges(page: Page, model: Any, inputs: Sequence[Value]) -> list[Value]:
    """A container that tells by its edges which layer feeds which."""
    values = {"input": list(inputs)}
    last = list(inputs) if model.layers else [page.floats(value) for value in inputs]
    for edge in model.edges():
        taken = [value for source in edge.sources for value in values[source]]
        last = values[edge.name] = written(page, edge.layer, taken)
    return last


def _graph(page: Page, graph: Graph, inputs: Sequence[Value]) -> list[Value]:
    """The nodes in the order of computation."""
    found: list[list[Value]] = [[value] for value in inputs]
    for step in graph.steps[len(inputs) :]:
        if step.part is not None:
            found.append([found[step.parents[0]][step.part]])
        elif step.layer is None:
            found.append([])  # a constant, written where it is used
        else:
            others = [found[p][0].array for p in step.parents if p not in step.constants]
            dtype = np.result_type(*others)
            dtype = dtype if dtype.kind == "f" else np.dtype(np.float32)
            taken = []
            for p in step.parents:
                if p in step.constants:
                    array = np.asarray(graph.steps[p].value).astype(dtype)
                    taken.append(Value(page.op("Identity", array), array))
                else:
                    taken.append(found[p][0])
            found.append(written(page, step.layer, taken))
    numbers = {step.name: i for i, step in enumerate(graph.steps)}
    return [page.floats(found[numbers[name]][0]) for name in graph.output_names]


def _scan(page: Page, scan: Scan, x: Value) -> list[Value]:
    """Windows by their places in time, as rows; then the rows as a sequence again."""
    dtype = scan.dtype
    x = page.floats(x, dtype)
    _, time, features = x.array.shape
    starts = range(0, time - scan.window + 1, scan.stride)
    places = np.array([range(start, start + scan.window) for start in starts], np.int64)
    width = scan.window * features
    windows = page.op("Gather", x, places, axis=1)
    rows = Value(
        page.op("Reshape", windows, page.ints(-1, width)),
        x.array[:, places].reshape(-1, width),
    )
    [y] = written(page, scan.layers[0], [rows])
    shape = (len(places), *y.array.shape[1:])
    name = page.op("Reshape", y, page.ints(-1, *shape))
    return [Value(name, y.array.reshape(-1, *shape))]


def _block(page: Page, block: TransformerBlock, x: Value) -> list[Value]:
    """Two chains of layers, each with x added."""
    x = page.floats(x, block.dtype)
    for chain in block.chains:
        part = x
        for name in chain:
            [part] = written(page, getattr(block, name), [part])
        x = Value(page.op("Add", x, part), x.array + part.array)
    return [x]


def _input_names(model: Layer, count: int) -> list[str]:
    if isinstance(model, Graph):
        if len(model.input_names) != count:
            raise ValueError(
                f"{model.title} expected {len(model.input_names)} inputs as the example, received "
                f"{count}; pass x as a tuple of arrays"
            )
        return list(model.input_names)
    return ["x"] if count == 1 else [f"x{i}" for i in range(1, count + 1)]


def _untaken(name: str, taken: Sequence[str]) -> str:
    """The name, or one like it that no input has."""
    return name if name not in taken else _untaken(name + "_", taken)


def _free_axes(
    model: Layer, inputs: Sequence[np.ndarray], outputs: Sequence[Value]
) -> list[set[int]]:
    """The axes of inputs, then of outputs that grow with the batch: by a pass over a sample more.

    An input of another length than the first one may be no batch, such as a matrix that all
    samples are multiplied by. Where the model takes no other batch, as with a Reshape to a fixed
    shape, no axis is free.
    """
    lengths = [len(x) if x.ndim else None for x in inputs]
    for batches in (inputs, [x for x, n in zip(inputs, lengths, strict=True) if n == lengths[0]]):
        longer = [_longer(x) if any(x is one for one in batches) else x for x in inputs]
        try:
            y, _ = model.forward_pass(*longer)
        except ValueError:
            continue
        pairs = [*zip(inputs, longer, strict=True)]
        pairs += zip([v.array for v in outputs], y if isinstance(y, tuple) else (y,), strict=True)
        return [{i for i, n in enumerate(a.shape) if b.shape[i] != n} for a, b in pairs]
    return [set()] * (len(inputs) + len(outputs))


def _longer(x: np.ndarray) -> np.ndarray:
    """With a sample more: the first one again, or zeros where there is none."""
    if not x.ndim:
        return x
    return np.concatenate([x, x[:1] if len(x) else np.zeros((1, *x.shape[1:]), x.dtype)])


def _info(value: Value, free: set[int]) -> Any:
    helper = library().helper
    shape = ["batch" if i in free else n for i, n in enumerate(value.array.shape)]
    if free - {0}:  # a name of its own for what is not the batch alone
        shape = [f"free_{i}" if i in free - {0} else n for i, n in enumerate(shape)]
    kind = helper.np_dtype_to_tensor_dtype(value.array.dtype)
    return helper.make_tensor_value_info(value.name, kind, shape)
