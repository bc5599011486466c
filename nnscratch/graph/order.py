"""From the output's node to all nodes in the order of computation, each with a name.

Nothing here is recursive: a chain of 10,000 nodes is deeper than Python's stack. For the same
reason a graph keeps no nodes, which point to one another, but a list of steps: it can be copied
and pickled at any length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from nnscratch.graph.node import Constant, Input, Node, Output, check_name
from nnscratch.layers.base import Layer


class Step(NamedTuple):
    """A node in the order of computation; its parents are the numbers of earlier steps."""

    name: str
    layer: Layer | None  # None for inputs and constants
    parents: tuple[int, ...] = ()
    constants: tuple[int, ...] = ()  # those of the parents that are constants
    value: np.ndarray | None = None  # of a constant
    part: int | None = None  # the number of the parent's output that this is

    @property
    def operation(self) -> str:
        """What is computed, in a few letters."""
        if self.part is not None:
            return f"output {self.part}"
        if self.layer is None:
            return "input" if self.value is None else "constant"
        text = repr(self.layer)
        return text if len(text) <= 30 and "\n" not in text else type(self.layer).__name__


def steps_of(inputs: Sequence[Input], outputs: Sequence[Node]) -> tuple[list[Step], list[int]]:
    """The nodes as steps, the inputs first, and the numbers of the outputs' steps.

    Raises
    ------
    ValueError
        These inputs and outputs make no graph; the message says why.
    """
    for given in inputs:
        if not isinstance(given, Input):
            raise ValueError(f"Graph expected inputs of Input(name), received {given!r}")
    if len({id(node) for node in inputs}) < len(inputs):
        raise ValueError(f"an input of the graph is listed twice: {inputs}; list it once")
    if not outputs:
        raise ValueError("Graph expected at least one output, received none")
    for output in outputs:
        if not isinstance(output, Node):
            raise ValueError(
                f"Graph expected a node as output, received {output!r}; call layers on "
                "Input(name), and pass several outputs as outputs=[f, g]"
            )
    nodes = topological_order(inputs, outputs)
    place = {id(node): i for i, node in enumerate(nodes)}
    steps = []
    for node, name in zip(nodes, names_of(nodes), strict=True):
        parents = tuple(place[id(parent)] for parent in node.parents)
        constants = tuple(p for p in parents if isinstance(nodes[p], Constant))
        value = node.value if isinstance(node, Constant) else None
        part = node.part if isinstance(node, Output) else None
        steps.append(Step(name, node.layer, parents, constants, value, part))
    return steps, [place[id(output)] for output in outputs]


def topological_order(inputs: Sequence[Input], outputs: Sequence[Node]) -> list[Node]:
    """The inputs, then every other node an output depends on, parents always before children.

    Depth first from each output, parents from left to right: the order in which the formula
    would be computed by hand, the same whenever the formula is. A node is entered when it is
    first on top of the stack, and left, that is listed, when it is on top again with its
    parents done. A parent that was entered and not left is a node's own descendant.

    Raises
    ------
    ValueError
        There is a cycle, or an input that is not listed.

    Examples
    --------
    >>> x, y = Input("x"), Input("y")
    >>> topological_order([x, y], [(x - y) / x])
    [Input('x'), Input('y'), Node(Sub()), Node(Div())]
    """
    order: list[Node] = list(inputs)
    left = {id(node): True for node in inputs}  # False while the node is entered, not left
    stack = list(reversed(outputs))
    while stack:
        node = stack[-1]
        if id(node) not in left:
            if isinstance(node, Input):
                raise ValueError(
                    f"an output depends on {node}, which is not among the inputs "
                    f"{list(inputs)}; list it in Graph(inputs=[...])"
                )
            left[id(node)] = False
            for parent in reversed(node.parents):
                if left.get(id(parent)) is False:
                    raise ValueError(
                        f"{parent} depends on itself by way of {node}: a cycle, which has no "
                        "order of computation; build new nodes instead of changing `parents`"
                    )
                if id(parent) not in left:
                    stack.append(parent)
        else:
            stack.pop()
            if not left[id(node)]:
                left[id(node)] = True
                order.append(node)
    return order


def names_of(nodes: Sequence[Node]) -> list[str]:
    """A name for every node: its own, else its class in lower case, numbered from 1 up.

    Raises
    ------
    ValueError
        Two nodes have the same name.

    Examples
    --------
    >>> x = Input("x")
    >>> names_of([x, x + 1, x - 1, Input(), x + 2])
    ['x', 'add1', 'sub1', 'input1', 'add2']
    """
    taken: set[str] = set()
    for node in nodes:
        name = check_name(node.name)
        if name in taken:
            raise ValueError(
                f"two nodes of the graph have the name {name!r}; give each its own, or none"
            )
        if name is not None:
            taken.add(name)
    count: Counter[str] = Counter()
    names: list[str] = []
    for node in nodes:
        name = node.name
        if isinstance(node, Output):
            name = f"{names[nodes.index(node.parents[0])]}[{node.part}]"
        if name is None:
            kind = _kind(node if node.layer is None else node.layer)
            while name is None or name in taken:  # a given name may look like a numbered one
                count[kind] += 1
                name = f"{kind}{count[kind]}"
        names.append(name)
    return names


def kind_of(step: Step) -> str:
    """What a step is named after, where nobody named it."""
    if step.layer is None:
        return "input" if step.value is None else "constant"
    return _kind(step.layer)


def _kind(thing: Any) -> str:
    name: str = getattr(thing, "node_kind", type(thing).__name__)  # a loss has its own
    return name.lower()
