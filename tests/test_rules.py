"""The rules of [Recitation] and [Proofs] 1, each with the operator that it lives in.

The slides write the derivative of a scalar L by a column as a row, ∇_x L of shape (1, N), and by
an (N, M) matrix as (M, N). `row` turns a gradient of ours, which has the shape of its variable,
into one of theirs; every rule is then tested as it is printed. The table is docs/rules.md.
"""

import re
from pathlib import Path

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.graph import Graph, Input
from nnscratch.inspection.jacobians import jacobian, numerical_jacobian
from nnscratch.layers.operators.arithmetic import Add, Mul
from nnscratch.layers.operators.elementwise import Cos, Exp, Sin, Square
from nnscratch.layers.operators.matmul import MatMul
from nnscratch.layers.operators.matrix_functions import Trace
from nnscratch.layers.operators.reductions import Sum
from nnscratch.layers.operators.shapes import Transpose
from tests.passes import normal

TABLE = Path(__file__).parents[1] / "docs" / "rules.md"


def row(gradient):
    """A gradient of ours, in the shape of a column or matrix, as the ∇ of the slides."""
    return gradient.T


def backward(layer, *inputs, dz):
    """The gradients by the inputs, as ∇ of the slides, from ∇_z L."""
    layer.forward(*inputs)
    dx, _ = layer.backward(row(dz))
    return tuple(map(row, dx)) if isinstance(dx, tuple) else row(dx)


def equal(found, expected):
    np.testing.assert_allclose(found, expected, 1e-13, 1e-13, strict=True)


def test_rule_1a_scalar_multiplication():
    W, x, dz = 3.0, 0.5, 7.0
    layer = Mul()
    layer.forward(W, x)
    dW, dx = layer.backward(dz)[0]
    assert dx == dz * W
    assert dW == x * dz


def test_rule_2a_scalar_addition():
    layer = Add()
    layer.forward(3.0, 0.5)
    dx, dy = layer.backward(7.0)[0]
    assert dx == dy == 7.0


@pytest.mark.parametrize(
    ("g", "derivative"),
    [(Sin(), np.cos), (Cos(), lambda x: -np.sin(x)), (Exp(), np.exp), (Square(), lambda x: 2 * x)],
)
def test_rule_3a_scalar_chain_rule(g, derivative):
    g.forward(np.array(0.5))
    assert g.backward(7.0)[0] == pytest.approx(7.0 * derivative(0.5), rel=1e-15)
    x = Input("x")
    chain = Graph([x], Sin()(g(x, name="z")))  # L = sin z: ∂L/∂z = cos z
    chain.forward(0.5)
    dL = np.cos(chain.node_values["z"])
    assert chain.backward(1.0)[0] == pytest.approx(dL * derivative(0.5), rel=1e-14)


def test_rule_4a_generalized_chain_rule_of_a_scalar():
    x = Input("x")
    g1, g2, g3 = Sin()(x, name="g1"), Exp()(x, name="g2"), Square()(x, name="g3")
    graph = Graph([x], g1 * g2 / g3)
    graph.forward(0.5)
    dx, _ = graph.backward(1.0)
    d = graph.node_grads
    expected = d["g1"] * np.cos(0.5) + d["g2"] * np.exp(0.5) + d["g3"] * 2 * 0.5
    assert dx == pytest.approx(expected, rel=1e-14)
    slope = numerical_jacobian(lambda x: np.sin(x) * np.exp(x) / x**2, 0.5)
    assert dx == pytest.approx(slope.item(), rel=1e-8)


def test_rule_1b_matrix_multiplication():
    W, x, dz = normal(4, 3), normal(3, 1, seed=1), normal(1, 4, seed=2)
    dW, dx = backward(MatMul(), W, x, dz=dz)
    equal(dx, dz @ W)
    equal(dW, x @ dz)  # (M, N) for W of shape (N, M)
    linear = nn.Linear(3, 4, bias=False).astype(np.float64)
    linear.params["W"] = W
    linear.forward(x[:, 0])
    du, grads = linear.backward(dz[0])
    equal(du, dx[0])
    equal(row(grads["W"]), dW)


def test_rule_2b_vector_addition():
    x, y, dz = normal(4, 1), normal(4, 1, seed=1), normal(1, 4, seed=2)
    dx, dy = backward(Add(), x, y, dz=dz)
    equal(dx, dz)
    equal(dy, dz)
    bias = nn.Bias(4).astype(np.float64)
    bias.forward(x[:, 0])
    du, grads = bias.backward(dz[0])
    equal(du, dz[0])
    equal(grads["b"], dz[0])


def test_rule_3b_chain_rule_of_a_vector():
    x, dz = normal(4, 1), normal(1, 4, seed=2)
    for g in (nn.Softmax(axis=0), Sin(), nn.Tanh()):
        J = jacobian(g, x, layout="matrix")
        equal(backward(g, x, dz=dz), dz @ J)
        if not isinstance(g, nn.Softmax):
            equal(J, np.diag(np.diag(J)))  # "may be a diagonal matrix"


def test_rule_4b_generalized_chain_rule_of_a_vector():
    x, A, B = Input("x"), normal(3, 4), normal(3, 4, seed=1)
    layers = [MatMul(), nn.Softmax(axis=0), Sin()]
    g = [
        layers[0](A, x, name="g1"),
        layers[1](B @ x, name="g2"),
        layers[2](A @ x, name="g3"),
    ]
    graph = Graph([x], g[0] * g[1] + g[1] * g[2])
    value, dy = normal(4, 1, seed=2), normal(3, 1, seed=3)
    graph.forward(value)
    dx, _ = graph.backward(dy)
    total = np.zeros((1, 4))
    for node, name in zip(g, ("g1", "g2", "g3"), strict=True):
        J = jacobian(Graph([x], node), value, layout="matrix")
        assert J.shape == (3, 4)  # M × N
        total += row(graph.node_grads[name]) @ J
    equal(row(dx), total)


def test_rule_5_element_wise_multiplication():
    x, y, dz = normal(4, 1), normal(4, 1, seed=1), normal(1, 4, seed=2)
    dx, dy = backward(Mul(), x, y, dz=dz)
    equal(dx, dz * y.T)
    equal(dy, dz * x.T)


@pytest.mark.parametrize(
    ("g", "derivative"),
    [
        (nn.ReLU(), lambda x: 1.0 * (x > 0)),
        (nn.Sigmoid(), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
        (nn.Tanh(), lambda x: 1 / np.cosh(x) ** 2),
        (Cos(), lambda x: -np.sin(x)),
    ],
)
def test_rule_6_element_wise_function(g, derivative):
    x, dz = normal(4, 1), normal(1, 4, seed=2)
    equal(backward(g, x, dz=dz), dz * derivative(x).T)


def test_trace_is_cyclic():
    A, B, C = normal(2, 3), normal(3, 4, seed=1), normal(4, 2, seed=2)
    trace = Trace()
    equal(trace.forward(A @ B @ C), trace.forward(B @ C @ A))
    equal(trace.forward(A @ B @ C), trace.forward(C @ A @ B))
    a, b, c = Input("A"), Input("B"), Input("C")
    first = Graph([a, b, c], Trace()(a @ b @ c))
    second = Graph([a, b, c], Trace()(b @ c @ a))
    equal(first.forward(A, B, C), second.forward(A, B, C))
    for found, expected in zip(first.backward(1.0)[0], second.backward(1.0)[0], strict=True):
        equal(found, expected)
    equal(first.backward(1.0)[0][0], (B @ C).T)  # ∂tr(AX)/∂A = Xᵀ


def test_trace_of_a_scalar_is_the_scalar():
    s = normal(1, 1)
    assert Trace().forward(s) == s[0, 0]


def test_inner_product_is_the_trace_of_the_product():
    A, B = normal(3, 4), normal(3, 4, seed=1)
    a, b = Input("A"), Input("B")
    by_trace = Graph([a, b], Trace()(Transpose()(a) @ b))
    by_sum = Graph([a, b], Sum()(a * b))
    equal(by_trace.forward(A, B), by_sum.forward(A, B))
    for graph in (by_trace, by_sum):
        dA, dB = graph.backward(1.0)[0]
        equal(dA, B)  # ∂⟨A, B⟩/∂A = B
        equal(dB, A)


def test_inner_product_of_a_product_is_a_trace():
    A, B, C = normal(2, 3), normal(3, 4, seed=1), normal(2, 4, seed=2)
    equal(np.sum(A @ B * C), Trace().forward((A @ B).T @ C))
    dA, dB = backward(MatMul(), A, B, dz=C.T)  # ⟨AB, C⟩ = ⟨A, CBᵀ⟩ = ⟨B, AᵀC⟩
    equal(np.sum(A @ B * C), np.sum(A * row(dA)))
    equal(np.sum(A @ B * C), np.sum(B * row(dB)))


def test_small_changes_follow_the_inner_product_with_the_gradient():
    x, W = normal(3), normal(4, 3, seed=1)
    node = Input("x")
    graph = Graph([node], Sum()(nn.Tanh()(W @ node)))
    y = graph.forward(x)
    gradient, _ = graph.backward(1.0)
    change = 1e-6 * normal(3, seed=2)
    delta = graph.forward(x + change) - y
    assert delta == pytest.approx(np.sum(gradient * change), rel=1e-5)  # Δy = ⟨dy/dx, Δx⟩
    assert delta == pytest.approx(np.trace(np.outer(gradient, change)), rel=1e-5)


def test_the_table_names_tests_and_layers_that_exist():
    lines = TABLE.read_text("utf-8").split("\n## ")[0].splitlines()
    rows = [line for line in lines if line.startswith("| ")][1:]
    tests = {name for name in globals() if name.startswith("test_")}
    listed = set()
    for line in rows:
        (test,) = re.findall(r"`(test_\w+)`", line)
        assert test in tests, line
        listed.add(test)
        places = re.findall(r"`(\w+)` in `([\w/]+\.py)`", line)
        assert places, line
        for name, path in places:
            source = (TABLE.parents[1] / "nnscratch" / path).read_text("utf-8")
            assert re.search(rf"^(class|def) {name}\b", source, re.MULTILINE), line
    assert listed == tests - {"test_the_table_names_tests_and_layers_that_exist"}
