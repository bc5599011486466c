"""Nodes: what a formula is written with before there are numbers.

    x = Input("x");  f = Sqrt()(x) + 1      nothing is computed, each call makes a node
    graph = Graph(inputs=[x], output=f)     the nodes in order, ready to compute

A node knows the layer that computes it and the nodes whose values that layer takes, its parents
([MatrixGradients], formalization: x_i = g_i(x_Pa(i))). The parents are there before the node and
are given once, so formulas cannot have cycles.
"""

from __future__ import annotations

import inspect
from typing import Any, NoReturn

import numpy as np

from nnscratch.kinds import NotNumbersError, as_array, checks_kinds, received
from nnscratch.layers.base import Layer
from nnscratch.layers.operators.arithmetic import Add, Div, Mul, Sub
from nnscratch.layers.operators.elementwise import Power
from nnscratch.layers.operators.indexing import Index
from nnscratch.layers.operators.matmul import MatMul

# The functions that NumPy calls for `array + node` and its like
_OPERATORS = {
    np.add: Add,
    np.subtract: Sub,
    np.multiply: Mul,
    np.divide: Div,
    np.matmul: MatMul,
}
_LAYERS = {name: name.capitalize() for name in ("sin", "cos", "exp", "log", "sqrt", "square")}
_LAYERS |= {"tanh": "Tanh", "absolute": "Abs"}
_OF_TWO = {"maximum": "Maximum", "minimum": "Minimum"}


class Node:
    """One value of a computation: a layer applied to other nodes.

    Made by calling a layer on nodes, by `+ - * / @ **`, unary minus and `node[key]`; users make
    only `Input`. Numbers and arrays that stand among the nodes become constants: they are copied at
    once, take the dtype of the nodes beside them in each forward pass, and belong to the formula
    rather than to `params`, so they are neither trained nor saved. An exponent is a number and
    part of its layer, `Power`.

    Parameters
    ----------
    layer : Layer or None
        None for inputs and constants.
    parents : tuple of Node
        The layer's inputs, in order.
    name : str, optional
        Without dots; else the graph names the node after its layer's class.

    Raises
    ------
    ValueError
        The node is used as if it had a value: `np.sin(node)`, `if node:`, `node ** node`.

    References
    ----------
    [MatrixGradients], formalization of automatic differentiation.

    Examples
    --------
    >>> x = Input("x")
    >>> 1 - x @ np.ones((3, 2))
    Node(Sub())
    >>> np.sin(x)
    Traceback (most recent call last):
    ValueError: np.sin takes arrays, and Input('x') is a node, which has no value before its graph
    runs; write nn.Sin()(node)
    >>> 2 ** x
    Traceback (most recent call last):
    ValueError: ** takes a node and a number as exponent, received 2 ** Input('x'); for a base
    a > 0 write nn.Exp()(b * np.log(a)), or nn.Exp()(b * nn.Log()(a)) where a is a node
    """

    __slots__ = ("layer", "name", "parents")

    @checks_kinds
    def __init__(
        self, layer: Layer | None, parents: tuple[Node, ...], name: str | None = None
    ) -> None:
        self.layer, self.parents, self.name = layer, parents, check_name(name)

    def node_of(self, layer: Layer, inputs: tuple[Any, ...], name: str | None) -> Any:
        """The node of a layer that is called on this node and others; `Layer.__call__` asks.

        A layer of several outputs gives a tuple of nodes, one for each.
        """
        try:
            inspect.signature(layer.forward_pass).bind(*inputs)
        except TypeError as error:
            raise ValueError(
                f"{layer} was called on {len(inputs)} nodes or constants: {error}; "
                "pass as many as its forward takes"
            ) from None
        node = Node(layer, tuple(x if isinstance(x, Node) else Constant(x) for x in inputs), name)
        if layer.output_count is None:
            return node
        return tuple(Output(node, i) for i in range(layer.output_count))

    def __add__(self, other: Any) -> Node:
        return self.node_of(Add(), (self, other), None)

    def __radd__(self, other: Any) -> Node:
        return self.node_of(Add(), (other, self), None)

    def __sub__(self, other: Any) -> Node:
        return self.node_of(Sub(), (self, other), None)

    def __rsub__(self, other: Any) -> Node:
        return self.node_of(Sub(), (other, self), None)

    def __mul__(self, other: Any) -> Node:
        return self.node_of(Mul(), (self, other), None)

    def __rmul__(self, other: Any) -> Node:
        return self.node_of(Mul(), (other, self), None)

    def __truediv__(self, other: Any) -> Node:
        return self.node_of(Div(), (self, other), None)

    def __rtruediv__(self, other: Any) -> Node:
        return self.node_of(Div(), (other, self), None)

    def __matmul__(self, other: Any) -> Node:
        return self.node_of(MatMul(), (self, other), None)

    def __rmatmul__(self, other: Any) -> Node:
        return self.node_of(MatMul(), (other, self), None)

    def __neg__(self) -> Node:
        return self * -1

    def __getitem__(self, key: Any) -> Node:
        return self.node_of(Index(key), (self,), None)

    __iter__ = None  # else Python would ask for node[0], node[1], ... without end

    def __pow__(self, exponent: Any) -> Node:
        if isinstance(exponent, Node) or np.ndim(exponent) or not _is_real(exponent):
            _refuse_power(self, exponent)
        return self.node_of(Power(exponent), (self,), None)

    def __rpow__(self, base: Any) -> NoReturn:
        _refuse_power(base, self)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Node:
        """What NumPy calls for `array + node`, and for np.sin(node), which is refused."""
        if method == "__call__" and not options:
            if ufunc in _OPERATORS:
                return self.node_of(_OPERATORS[ufunc](), inputs, None)
            if ufunc is np.negative:
                return -self
            if ufunc is np.power:
                base, exponent = inputs
                return base**exponent if base is self else self.__rpow__(base)
        function = f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
        remedy = "call a layer on the node instead"
        if ufunc.__name__ in _LAYERS:
            remedy = f"write nn.{_LAYERS[ufunc.__name__]}()(node)"
        elif function.removeprefix("np.") in _OF_TWO:
            remedy = f"write nn.{_OF_TWO[ufunc.__name__]}()(u, v)"
        elif function == "np.maximum.reduce":
            remedy = "write nn.Max(axis)(node)"
        elif function == "np.add.reduce":
            remedy = "write nn.Sum(axis)(node)"
        elif "out" in options:
            remedy = "write `a = a + node` where you wrote `a += node`"
        raise ValueError(
            f"{function} takes arrays, and {self} is a node, which has no value before its graph "
            f"runs; {remedy}"
        )

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise ValueError(
            f"{self} is a node, which has no value before its graph runs; call layers on nodes, "
            "one argument for each, or run the graph and read graph.node_values"
        )

    def __bool__(self) -> bool:
        raise ValueError(
            f"{self} is a node, which is neither true nor false before its graph runs; "
            "a graph computes the same formula for every input, so it has no `if`"
        )

    def __repr__(self) -> str:
        name = "" if self.name is None else f", name={self.name!r}"
        return f"Node({self.layer!r}{name})"


class Input(Node):
    """A node whose value is given when the graph runs.

    Parameters
    ----------
    name : str, optional
        Without dots; "input1", "input2", ... unless given.

    Examples
    --------
    >>> x = Input("x")
    >>> (3 * x).parents
    (Constant(3), Input('x'))
    """

    __slots__ = ()

    @checks_kinds
    def __init__(self, name: str | None = None) -> None:
        super().__init__(None, (), name)

    def __repr__(self) -> str:
        return "Input()" if self.name is None else f"Input({self.name!r})"


class Output(Node):
    """One of several outputs of a layer; made where such a layer is called on nodes.

    Parameters
    ----------
    node : Node
        That of the layer.
    part : int
        The number of the output.
    """

    __slots__ = ("part",)

    @checks_kinds
    def __init__(self, node: Node, part: int) -> None:
        super().__init__(None, (node,))
        self.part = part

    def __repr__(self) -> str:
        return f"Output({self.parents[0]!r}, {self.part})"


class Constant(Node):
    """A number or an array in a formula; made where one meets a node.

    Parameters
    ----------
    value : number or array
        Copied, so that later changes to the array do not change the formula.
    """

    __slots__ = ("value",)

    @checks_kinds
    def __init__(self, value: Any) -> None:
        super().__init__(None, ())
        if not _is_real(value):
            raise ValueError(
                f"a formula of nodes expected a node, a real number or an array of them, received "
                f"{value!r} of {type(value).__name__}; "
                + ("call the layer on a node first" if isinstance(value, Layer) else "convert it")
            )
        self.value = np.array(value)

    def __repr__(self) -> str:
        value = str(self.value) if self.value.size == 1 else f"array of {self.value.shape}"
        return f"Constant({value})"


def check_name(name: Any) -> str | None:
    """The name if it is one: parameters are called `<node>.<key>`, so it has no dot itself."""
    if name is None or (isinstance(name, str) and name and "." not in name):
        return name
    if not isinstance(name, str) or not name:
        raise ValueError(
            f"a node's or an Input's name is text, received {received(name)}; "
            "leave it out to have one made"
        )
    raise ValueError(
        f"a node's name is text without dots, which separate it from its parameters' names, "
        f"received {name!r}; {name.replace('.', '_')!r} would do"
    )


def _is_real(value: Any) -> bool:
    if isinstance(value, Layer):
        return False
    try:
        return as_array(value).dtype.kind in "fiub"
    except NotNumbersError:
        return False


def _refuse_power(base: Any, exponent: Any) -> NoReturn:
    raise ValueError(
        f"** takes a node and a number as exponent, received {base!r} ** {exponent!r}; for a base "
        "a > 0 write nn.Exp()(b * np.log(a)), or nn.Exp()(b * nn.Log()(a)) where a is a node"
    )
