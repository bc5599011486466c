"""Graphs that the tests of the graph share, and central differences through them."""

import numpy as np

import nnscratch as nn
from nnscratch.graph import Graph, Input
from nnscratch.layers.operators.arithmetic import Add
from nnscratch.layers.operators.elementwise import Cos, Exp, Sin, Sqrt, Square
from nnscratch.layers.operators.joining import Concatenate
from nnscratch.layers.operators.reductions import Mean
from tests import numeric
from tests.passes import normal


def worked_example():
    x = Input("x")
    a = Square()(x, name="a")
    b = Exp()(a, name="b")
    c = Add()(a, b, name="c")
    d, e = Sqrt()(c, name="d"), Cos()(c, name="e")
    return Graph(inputs=[x], output=Add()(d, e, name="f"))


def network(seed=0, dtype=np.float64):
    """x -> linear -> relu, twice through one shared layer, with a shortcut around it."""
    rng = np.random.default_rng(seed)
    x = Input("x")
    shared = nn.Linear(5, 5, rng=rng)
    h = nn.ReLU()(nn.Linear(3, 5, rng=rng)(x, name="in"))
    z = shared(h, name="first") + nn.Tanh()(shared(h * 2, name="second"))
    graph = Graph([x], nn.Linear(5, 2, rng=rng)(z, name="out"))
    for array in graph.params.values():
        array += 0.1 * rng.normal(size=array.shape)
    return graph.astype(dtype)


def assert_gradients_are_numeric(graph, *inputs):
    inputs = [np.array(x) for x in inputs]
    dy = normal(*np.shape(graph.forward(*inputs)), seed=9)
    dx, grads = graph.backward(dy)
    dx = dx if len(inputs) > 1 else (dx,)
    arrays = [*inputs, *graph.params.values()]
    found = [*dx, *(grads[name] for name in graph.params)]
    expected = [
        numeric.gradient(lambda: np.sum(dy * graph.forward_pass(*inputs)[0]), a) for a in arrays
    ]
    for g, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(g, e, 1e-7, 1e-7, strict=True)


def random_formula(rng, inputs, layers, length=12):
    """A node that depends on random earlier ones, and the same formula in torch."""
    nodes = list(inputs)
    plan = []
    for _ in range(length):
        kind = int(rng.integers(len(layers)))
        i, j = (int(k) for k in rng.integers(len(nodes), size=2))
        plan.append((kind, i, j))
        nodes.append(layers[kind](nodes[i], nodes[j]))
    total = nodes[-1]
    for node in nodes[-4:-1]:
        total = total + node
    return total, plan


OURS = [
    lambda u, v: u + v,
    lambda u, v: 0.5 * u - v,
    lambda u, v: u * v / 4,
    lambda u, v: u / (v * v + 2),
    lambda u, v: -(u @ np.array([[0.5, 0.1, -0.2], [0.3, 0.4, 0.2], [0.1, -0.6, 0.7]])),
    lambda u, v: Sin()(u) - 1,
    lambda u, v: nn.Tanh()(Exp()(u / 10) ** 2),
    lambda u, v: Sqrt()(u**2 + 1) * Mean(0)(v),
    lambda u, v: Concatenate(1)(u, v) @ np.linspace(-1, 1, 18).reshape(6, 3),
    lambda u, v: np.array([1.0, 2.0, 3.0]) * Cos()(v) + 2,
]
