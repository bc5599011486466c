"""The graph as a layer: values in the order of computation, gradients in the reverse order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from nnscratch.graph.node import Input, Node
from nnscratch.graph.order import Record, steps_of
from nnscratch.graph.table import table
from nnscratch.layers.base import NOWHERE, Grads, Layer, Out, floating
from nnscratch.layers.params import NestedArrays


class Graph(Layer):
    """A formula of layers with several inputs and one output.

    Parameters
    ----------
    inputs : sequence of Input
        In the order in which `forward` takes their values.
    output : Node
        Made from the inputs by calling layers and by + - * / @ **, unary minus and node[key].

    Attributes
    ----------
    node_values, node_grads : dict of str to array
        The value of every node and the gradient by it, after `forward` and `backward`, inputs
        and constants included. They are the arrays of the passes: read them only.
    steps : list of Step
        The nodes in the order of computation. What is not named is called `<class><number>`,
        the layer's class in lower case, numbered from 1 in this order.

    Notes
    -----
    *Forward*: x_i = g_i(x_Pa(i)) for every node, parents before children.

    *Backward*: ∂f/∂x_D = 1 at the output (here dy), then in the reverse order ∂f/∂x_i =
    Σ_{j: i ∈ Pa(j)} ∂f/∂x_j · ∂g_j/∂x_i: each node passes dx to its parents, where the dx of
    several children add up, from zero with += ([Recitation], "cheap trick"). Every node is
    visited once. The zero is not stored: 0 + dx is dx, an array of the layer's, and only a sum
    of two is the graph's own, to which further ones are added in place.

    *Parameters*: named `<node>.<key>`. A layer used at several nodes is listed once, under the
    first, and gets the sum of its gradients.

    *Shapes*: those of the layers. `dx` is an array for one input and a tuple for several, zeros
    for an input that the output does not depend on, None for integers (an Embedding's).

    *Cache*: every node's value and cache, and after `backward` its gradient.

    Raises
    ------
    ValueError
        `output` is not a node or depends on an input that is not listed; an input is listed
        twice or no `Input`; two nodes have one name; a node was put among its own ancestors
        by hand (no formula does). `forward`: another number of inputs.
    RuntimeError
        The values before `forward`, or the gradients before `backward`.

    References
    ----------
    [MatrixGradients], formalization of automatic differentiation and the worked example, which
    prints ∂f/∂c = 1 · (1/(2√c) + 1) · (-sin c). The branches d and e add, as below.

    Examples
    --------
    The worked example, f(x) = √(x² + exp(x²)) + cos(x² + exp(x²)):

    >>> from nnscratch.layers.operators.elementwise import Cos, Exp, Sqrt, Square
    >>> from nnscratch.layers.operators.arithmetic import Add
    >>> x = Input("x")
    >>> a = Square()(x, name="a")
    >>> b = Exp()(a, name="b")
    >>> c = Add()(a, b, name="c")
    >>> d = Sqrt()(c, name="d")
    >>> e = Cos()(c, name="e")
    >>> graph = Graph(inputs=[x], output=Add()(d, e, name="f"))
    >>> y = graph.forward(1.0)
    >>> dx, grads = graph.backward(1.0)
    >>> print(graph.trace())
    name  operation  parents      value  gradient
    ----  ---------  -------  ---------  --------
    x     input                       1   5.98308
    a     Square()   x                1   2.99154
    b     Exp()      a          2.71828  0.804549
    c     Add()      a, b       3.71828  0.804549
    d     Sqrt()     c          1.92828         1
    e     Cos()      c        -0.838272         1
    f     Add()      d, e       1.09001         1

    Each gradient is the formula's:

    >>> a, b, c, d, e, f = (graph.node_values[name] for name in "abcdef")
    >>> dc = 1 / (2 * np.sqrt(c)) - np.sin(c)  # two branches: they add
    >>> db = dc
    >>> da = db * np.exp(a) + dc
    >>> [bool(np.isclose(graph.node_grads[n], g)) for n, g in zip("abcx", (da, db, dc, da * 2))]
    [True, True, True, True]
    """

    def __init__(self, inputs: Sequence[Input], output: Node) -> None:
        inputs = [inputs] if isinstance(inputs, Input) else list(inputs)
        self.steps, self._last = steps_of(inputs, output)
        self.input_names = tuple(step.name for step in self.steps[: len(inputs)])
        self.output_name = self.steps[self._last].name
        self.layers = tuple(step.layer for step in self.steps if step.layer is not None)
        nothing = Layer()
        layers = [(f"{s.name}.", nothing if s.layer is None else s.layer) for s in self.steps]
        params = NestedArrays((prefix, layer.params) for prefix, layer in layers)
        self.params, self._names = params, params.names
        self.buffers = NestedArrays((prefix, layer.buffers) for prefix, layer in layers)
        # the steps whose gradient is needed, for it leads to an input or a parameter
        self._to_inputs = [step.value is None for step in self.steps]
        self._to_params: list[bool] = []
        for step, names in zip(self.steps, self._names, strict=True):
            self._to_params.append(bool(names) or any(self._to_params[p] for p in step.parents))

    def forward_pass(self, *inputs: Any) -> tuple[np.ndarray, Any]:
        values, caches = self._run("forward_pass", inputs)
        return values[self._last], Record(values, caches)

    def backward_pass(self, dy: np.ndarray, cache: Any) -> Any:
        return self._reverse(dy, cache, NOWHERE, need_dx=True, need_grads=False)[0]

    def gradient_pass(self, dy: np.ndarray, cache: Any, out: Out = NOWHERE) -> Grads:
        return self.backprop(dy, cache, out, need_dx=False)[1]

    def backprop(
        self, dy: np.ndarray, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        return self._reverse(dy, cache, out, need_dx, need_grads=True)

    def _run(self, method: str, inputs: tuple[Any, ...]) -> tuple[list[Any], list[Any]]:
        """Call a method of every layer in turn: (the values, what else it returned)."""
        values: list[Any] = [*self._arrays(inputs), *[None] * (len(self.steps) - len(inputs))]
        others: list[Any] = [None] * len(self.steps)
        for i, (name, layer, parents, constants, _) in enumerate(self.steps):
            if layer is None:
                continue
            if constants:
                found = [values[p].dtype for p in parents if p not in constants]
                dtype = np.result_type(*found)
                for p in constants:
                    wanted = dtype if dtype.kind == "f" else np.dtype(np.float32)
                    value = self.steps[p].value
                    as_is = getattr(layer, "takes_labels", False)  # a loss, to which it casts
                    values[p] = value if as_is else floating(value, wanted)
            try:
                values[i], others[i] = getattr(layer, method)(*[values[p] for p in parents])
            except (ValueError, TypeError) as error:
                error.add_note(f"at node {name!r} of {self}: {layer}")
                raise
        return values, others

    def _arrays(self, inputs: tuple[Any, ...]) -> list[np.ndarray]:
        """The inputs as arrays; a Python float beside floating arrays takes their dtype."""
        if len(inputs) != len(self.input_names):
            raise ValueError(
                f"{self} expected {len(self.input_names)} inputs "
                f"({', '.join(self.input_names)}), received {len(inputs)}; pass one array for each"
            )
        arrays = [np.asarray(x) for x in inputs]
        pairs = list(zip(inputs, arrays, strict=True))
        found = [a.dtype for x, a in pairs if type(x) is not float and a.dtype.kind == "f"]
        if found and len(found) < len(arrays):
            common = np.result_type(*found)
            arrays = [a.astype(common) if type(x) is float else a for x, a in pairs]
        if self.steps[self._last].layer is None and self._last < len(arrays):
            arrays[self._last] = floating(arrays[self._last])  # the output itself
        return arrays

    def _reverse(
        self, dy: np.ndarray, record: Record, out: Out, need_dx: bool, need_grads: bool
    ) -> tuple[Any, Grads]:
        """Reverse accumulation: (dx, grads)."""
        needed = self._to_inputs if need_dx else self._to_params
        at: list[Any] = [None] * len(self.steps)  # the gradient at each node
        own = set()  # the nodes whose gradient is an array made here, which may be written to
        grads: dict[str, Any] = dict.fromkeys(self.params)
        at[self._last] = dy
        for i in range(len(self.steps) - 1, -1, -1):
            _, layer, parents, _, _ = self.steps[i]
            if layer is None or at[i] is None:
                continue
            found: Grads = {}
            if need_grads:
                names = self._names[i]
                free = {k: out[n] for k, n in names.items() if n in out and grads[n] is None}
                need = any(needed[p] for p in parents)
                dx, found = layer.backprop(at[i], record.caches[i], free, need)
            else:
                dx = layer.backward_pass(at[i], record.caches[i])
            for key, grad in found.items():
                n = names[key]  # the sum is not made in place: a layer may have returned dy itself
                grads[n] = grad if grads[n] is None else np.add(grads[n], grad, out=out.get(n))
            for p, part in zip(parents, self._parts(i, dx, record), strict=True):
                if part is None:
                    continue
                if at[p] is None:
                    at[p] = part
                elif p in own:
                    at[p] += part
                else:
                    at[p] = at[p] + part
                    own.add(p)
            if not record.kept:
                at[i] = None  # its memory serves the next ones
        for n, array in self.params.items():
            if need_grads and grads[n] is None:  # a layer above passed no gradient on
                grads[n] = out.get(n, np.empty_like(array))
                grads[n][...] = 0
        inputs = range(len(self.input_names)) if need_dx else ()
        for i in inputs:
            if at[i] is None and record.values[i].dtype.kind == "f":
                at[i] = np.zeros_like(record.values[i])
        if record.kept:
            record.grads = at
        dx = tuple(at[i] for i in inputs)
        return (dx[0] if len(dx) == 1 else dx) if need_dx else None, grads

    def _parts(self, i: int, dx: Any, record: Record) -> tuple[Any, ...]:
        """A layer's dx as one gradient per parent, None where it has none."""
        name, layer, parents, _, _ = self.steps[i]
        if dx is None:
            return (None,) * len(parents)
        parts = dx if isinstance(dx, tuple) else (dx,)
        expected = [record.values[p].shape for p in parents]
        received = [np.shape(part) for part in parts]
        if len(parts) != len(parents) or any(
            part is not None and shape != wanted
            for part, shape, wanted in zip(parts, received, expected, strict=True)
        ):
            raise ValueError(
                f"{layer} at node {name!r} of {self} was expected to return gradients of the "
                f"shapes of its inputs {expected}, received {received}; mend its backward_pass"
            )
        return parts

    def remember(self, cache: Any, shape: tuple[int, ...], dtype: np.dtype) -> None:
        super().remember(cache, shape, dtype)
        cache.kept = True
        for step, value, kept in zip(self.steps, cache.values, cache.caches, strict=True):
            if step.layer is not None:
                step.layer.remember(kept, value.shape, value.dtype)

    @property
    def record(self) -> tuple[list[Any], list[Any]]:
        """(values, gradients) of the last passes, one per step, None where there is none."""
        none = [None] * len(self.steps)
        cache = self.cache or Record(none, none)
        return cache.values, cache.grads or none

    @property
    def node_values(self) -> dict[str, np.ndarray]:
        if self.cache is None:
            raise RuntimeError(f"{self} has no values yet; call forward first")
        return {s.name: x for s, x in zip(self.steps, self.cache.values, strict=True)}

    @property
    def node_grads(self) -> dict[str, np.ndarray]:
        if self.cache is None or self.cache.grads is None:
            raise RuntimeError(f"{self} has no gradients yet; call forward and then backward")
        return {s.name: g for s, g in zip(self.steps, self.cache.grads, strict=True)}

    def trace(self) -> str:
        """A printable table of the nodes: name, operation, parents, value, gradient.

        Small arrays stand there in full, large ones as their shape and dtype; before `forward`
        and `backward` the columns of values and gradients are left empty.
        """
        return table(self.steps, *self.record)

    def walk(self, path: str = "") -> Iterator[tuple[str, Layer]]:
        yield path, self
        for step in self.steps:
            if step.layer is not None:
                yield from step.layer.walk(f"{path}.{step.name}" if path else step.name)

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, index: int) -> Layer:
        """The layer at a place in the order of computation; `dict(walk())` has them by name."""
        return self.layers[index]

    def __repr__(self) -> str:
        return f"Graph({', '.join(self.input_names)} -> {self.output_name})"
