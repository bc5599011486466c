"""GELU in files older than the operator Gelu, opset 20: taken apart into products and erf.

x · Φ(x) = x · (1 + erf(x/√2)) · 1/2        with the factors in whatever order
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isclose, sqrt

from nnscratch.graph.node import Constant, Node
from nnscratch.layers import Add, Div, Erf, Mul


def argument_of_gelu(y: Node) -> Node | None:
    """x where the node y is GELU of x, else None."""
    number, nodes = _factors(y)
    sums = [node for node in nodes if isinstance(node.layer, Add)]
    if len(nodes) != 2 or len(sums) != 1 or not isclose(number, 0.5, rel_tol=1e-6):
        return None
    x = next(node for node in nodes if node is not sums[0])
    ones = [_number(part) == 1 for part in sums[0].parents]
    if sorted(ones) != [False, True]:
        return None
    erf = sums[0].parents[ones.index(False)]
    if not isinstance(erf.layer, Erf):
        return None
    number, inside = _factors(erf.parents[0])
    return x if inside == [x] and isclose(number, 1 / sqrt(2), rel_tol=1e-6) else None


def _factors(y: Node) -> tuple[float, list[Node]]:
    """A product as the number among its factors, and the nodes."""
    number, nodes = 1.0, []
    for factor, power in _taken_apart(y):
        value = _number(factor)
        if value is None or (value == 0 and power < 0):
            nodes.append(factor)
        else:
            number *= value**power
    return number, nodes


def _taken_apart(y: Node) -> Iterator[tuple[Node, int]]:
    """(factor, 1), or (number, -1) for what is divided by."""
    if isinstance(y.layer, Mul):
        for part in y.parents:
            yield from _taken_apart(part)
    elif isinstance(y.layer, Div) and _number(y.parents[1]) is not None:
        yield from _taken_apart(y.parents[0])
        yield y.parents[1], -1
    else:
        yield y, 1


def _number(node: Node) -> float | None:
    """The value of a constant that is one number."""
    if isinstance(node, Constant) and node.value.size == 1:
        return float(node.value.item())
    return None
