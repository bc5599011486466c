"""The graph as a layer: values in the order of computation, gradients in the reverse order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from nnscratch.graph.node import Input, Node
from nnscratch.graph.order import Step, steps_of
from nnscratch.graph.record import Sums, Values, gradients_of_parents, input_arrays
from nnscratch.graph.table import table
from nnscratch.graph.written import graph_on
from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import NOWHERE, Grads, Layer, Out, floating
from nnscratch.layers.caches import form_of
from nnscratch.layers.containers import Edge, add_up
from nnscratch.layers.written import Page


class Graph(Layer):
    """A formula of layers with one or several inputs and outputs.

    Parameters
    ----------
    inputs : sequence of Input
        In the order in which `forward` takes their values.
    output : Node
        Made from the inputs by calling layers and by `+ - * / @ **`, unary minus and `node[key]`.
    outputs : sequence of Node
        Instead of `output`, for several: y and dy are then tuples.

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

    *Several outputs*: dy is a tuple, whose parts are where the gradients begin; they add up where
    one output lies on the way to another. A layer of several outputs, such as `Split`, gets the
    gradients of its outputs as a tuple, None for one that leads nowhere.

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

    takes_out = True

    @checks_kinds
    def __init__(
        self,
        inputs: Sequence[Input] | Input,
        output: Node | None = None,
        *,
        outputs: Sequence[Node] | None = None,
    ) -> None:
        if (output is None) == (outputs is None):
            raise ValueError("Graph expected output=f or outputs=[f, g], one of the two")
        inputs = [inputs] if isinstance(inputs, Input) else list(inputs)
        ends: list[Any] = [output] if outputs is None else list(outputs)
        self.steps, self._ends = steps_of(inputs, ends)
        self.input_names = tuple(step.name for step in self.steps[: len(inputs)])
        self.output_names = tuple(self.steps[end].name for end in self._ends)
        self.output_count = None if outputs is None else len(ends)
        self.layers = tuple(step.layer for step in self.steps if step.layer is not None)
        self._parts: dict[int, dict[int, int]] = {}  # of a step: number of an output -> its step
        for i, step in enumerate(self.steps):
            if step.part is not None:
                self._parts.setdefault(step.parents[0], {})[step.part] = i

    def children(self) -> Iterator[tuple[str, Layer]]:
        """(node, layer) in the order of computation."""
        for step in self.steps:
            if step.layer is not None:
                yield step.name, step.layer

    def edges(self) -> list[Edge]:
        """Each layer with the nodes that it takes; see `Edge`."""
        return [
            Edge(step.name, step.layer, tuple(self.steps[p].name for p in step.parents))
            for step in self.steps
            if step.layer is not None
        ]

    def forward_pass(self, *inputs: Any) -> tuple[Any, Any]:
        values, caches = self._run(inputs)
        y = tuple(values[end] for end in self._ends)
        return y[0] if self.output_count is None else y, Values(values, caches)

    def backward_pass(self, dy: Any, cache: Any) -> Any:
        return self._reverse(dy, cache, NOWHERE, need_dx=True, need_grads=False)[0]

    def gradient_pass(self, dy: Any, cache: Any, out: Out = NOWHERE) -> Grads:
        return self.backprop(dy, cache, out, need_dx=False)[1]

    def backprop(
        self, dy: Any, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        return self._reverse(dy, cache, out, need_dx, need_grads=True)

    def _run(self, inputs: tuple[Any, ...]) -> tuple[list[Any], list[Any]]:
        """Call every layer in turn: (the values, the caches)."""
        values: list[Any] = input_arrays(self.title, self.input_names, inputs)
        for end in self._ends:
            if end < len(values):
                values[end] = floating(values[end])  # an input that is an output itself
        values += [None] * (len(self.steps) - len(inputs))
        caches: list[Any] = [None] * len(self.steps)
        for i, step in enumerate(self.steps):
            if step.part is not None:
                values[i] = values[step.parents[0]][step.part]
            if step.layer is None:
                continue
            if step.constants:
                self._set_constants(step, values)
            try:
                given = [values[p] for p in step.parents]
                values[i], caches[i] = step.layer.forward_pass(*given)
            except (ValueError, TypeError) as error:
                error.add_note(f"at node {step.name!r} of {self.title}: {step.layer}")
                raise
            if step.layer.output_count is None and isinstance(values[i], tuple):
                raise ValueError(
                    f"{step.layer} at node {step.name!r} of {self.title} returned {len(values[i])} "
                    f"outputs, which a graph has to know before; set output_count = "
                    f"{len(values[i])} on its class"
                )
        return values, caches

    def _set_constants(self, step: Step, values: list[Any]) -> None:
        """The constants among a node's parents, in the dtype of the others."""
        dtype = np.result_type(*[values[p].dtype for p in step.parents if p not in step.constants])
        wanted = dtype if dtype.kind == "f" else np.dtype(np.float32)
        as_is = getattr(step.layer, "takes_labels", False)  # a loss, to which it casts
        for p in step.constants:
            value = self.steps[p].value
            values[p] = value if as_is else floating(value, wanted)

    def _reverse(
        self, dy: Any, record: Values, out: Out, need_dx: bool, need_grads: bool
    ) -> tuple[Any, Grads]:
        """Reverse accumulation: (dx, grads)."""
        names_at = self._names_at()
        needed = self._leading(names_at, need_dx)
        sums = Sums(len(self.steps))
        for end, part in zip(self._ends, (dy,) if self.output_count is None else dy, strict=True):
            sums.add(end, part)
        grads: dict[str, Any] = dict.fromkeys(self.trained)
        for i in range(len(self.steps) - 1, -1, -1):
            step, arrived = self.steps[i], self._arrived(i, sums)
            if step.layer is None or arrived is None:
                continue
            if need_grads:
                own = names_at[i]
                free = {k: out[n] for k, n in own.items() if n in out and grads.get(n) is None}
                need = any(needed[p] for p in step.parents)
                dx, found = step.layer.backprop(arrived, record.caches[i], free, need)
                add_up(grads, own, found, out)
            else:
                dx = step.layer.backward_pass(arrived, record.caches[i])
            parts = gradients_of_parents(self.title, step, dx, record.values)
            for p, part in zip(step.parents, parts, strict=True):
                sums.add(p, part)
            if not record.kept:
                sums.at[i] = None  # its memory serves the next ones
        if need_grads:
            self._fill_with_zeros(grads, out)
        if record.kept:
            record.grads = sums.at
        return self._input_gradients(sums, record) if need_dx else None, grads

    def _names_at(self) -> list[dict[str, str]]:
        """For each step: its layer's own name of a parameter -> the name here."""
        of_layers = iter(self.listing.names)
        return [{} if step.layer is None else next(of_layers) for step in self.steps]

    def _leading(self, names_at: list[dict[str, str]], to_inputs: bool) -> list[bool]:
        """For each step whether its gradient is needed: it leads to an input, or a parameter."""
        if to_inputs:
            return [step.value is None for step in self.steps]
        trained, found = set(self.trained), list[bool]()
        for step, names in zip(self.steps, names_at, strict=True):
            own = not trained.isdisjoint(names.values())
            found.append(own or any(found[p] for p in step.parents))
        return found

    def _arrived(self, i: int, sums: Sums) -> Any:
        """dL/dy of a step: a tuple where it has several outputs; None where nothing came."""
        layer = self.steps[i].layer
        if layer is not None and layer.output_count is not None:
            own = self._parts[i]  # the step of each output, where there is one
            parts = tuple(sums.at[own[k]] if k in own else None for k in range(layer.output_count))
            sums.at[i] = parts if any(part is not None for part in parts) else None
        return sums.at[i]

    def _fill_with_zeros(self, grads: dict[str, Any], out: Out) -> None:
        """Gradients of the parameters of which no output depends, or only by integers."""
        for name, grad in grads.items():
            if grad is None:
                grads[name] = out.get(name, np.empty_like(self.params[name]))
                grads[name][...] = 0

    def _input_gradients(self, sums: Sums, record: Values) -> Any:
        """dx: an array, or a tuple for several inputs."""
        dx = []
        for i in range(len(self.input_names)):
            value = record.values[i]
            if sums.at[i] is None and value.dtype.kind == "f":
                sums.at[i] = np.zeros_like(value)
            dx.append(sums.at[i])
        return dx[0] if len(dx) == 1 else tuple(dx)

    def remember(self, cache: Any, form: Any) -> None:
        super().remember(cache, form)
        if cache is None:
            return
        cache.kept = True
        for step, value, kept in zip(self.steps, cache.values, cache.caches, strict=True):
            if step.layer is not None:
                step.layer.remember(kept, form_of(value))

    @property
    def record(self) -> tuple[list[Any], list[Any]]:
        """(values, gradients) of the last passes, one per step, None where there is none."""
        none = [None] * len(self.steps)
        cache = self.cache or Values(none, none)
        return cache.values, cache.grads or none

    @property
    def node_values(self) -> dict[str, np.ndarray]:
        if self.cache is None:
            raise RuntimeError(f"{self.title} has no values yet; call forward first")
        return {s.name: x for s, x in zip(self.steps, self.cache.values, strict=True)}

    @property
    def node_grads(self) -> dict[str, np.ndarray]:
        if self.cache is None or self.cache.grads is None:
            raise RuntimeError(f"{self.title} has no gradients yet; call forward and then backward")
        return {s.name: g for s, g in zip(self.steps, self.cache.grads, strict=True)}

    def trace(self) -> str:
        """A printable table of the nodes: name, operation, parents, value, gradient.

        Small arrays stand there in full, large ones as their shape and dtype; before `forward`
        and `backward` the columns of values and gradients are left empty.
        """
        return table(self.steps, *self.record)

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, index: int) -> Layer:
        """The layer at a place in the order of computation; `dict(walk())` has them by name."""
        return self.layers[index]

    @property
    def title(self) -> str:
        """The graph in a few letters, for the middle of a sentence."""
        return f"Graph({', '.join(self.input_names)} -> {', '.join(self.output_names)})"

    def written_on(self, page: Page) -> str:
        several = self.output_count is not None
        return graph_on(page, self.steps, len(self.input_names), self._ends, several)
