"""The computation graph: values, gradients, and how formulas are written."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.graph import Graph, Input, Node
from nnscratch.layers.operators.arithmetic import Add, Div, Mul, Sub
from nnscratch.layers.operators.elementwise import Power, Sin, Square
from nnscratch.layers.operators.matmul import MatMul
from nnscratch.layers.operators.reductions import Sum
from tests.graph_cases import (
    OURS,
    assert_gradients_are_numeric,
    network,
    normal,
    random_formula,
    worked_example,
)

# Values and gradients -------------------------------------------------------------------------


@pytest.mark.parametrize("x", [-0.7, 0.3, 1.0])
def test_worked_example_has_the_derivatives_of_the_formula(x):
    graph = worked_example()
    y = graph.forward(x)
    c = x**2 + np.exp(x**2)
    assert y == pytest.approx(np.sqrt(c) + np.cos(c), rel=1e-15)
    dx, grads = graph.backward(1.0)
    g = graph.node_grads
    assert grads == {}
    assert g["f"] == g["d"] == g["e"] == 1
    assert g["c"] == pytest.approx(1 / (2 * np.sqrt(c)) - np.sin(c), rel=1e-14)
    assert g["b"] == g["c"]
    assert g["a"] == pytest.approx(g["b"] * np.exp(x**2) + g["c"], rel=1e-14)
    assert dx == g["x"] == pytest.approx(g["a"] * 2 * x, rel=1e-14)
    printed = 1 * (1 / (2 * np.sqrt(c)) + 1) * -np.sin(c)  # in the source: the branches multiplied
    assert g["c"] != pytest.approx(printed, rel=0.01)


def test_backward_of_the_worked_example_takes_at_most_four_times_the_operations(monkeypatch):
    class Counted(np.ndarray):
        operations = 0

        def __array_ufunc__(self, ufunc, method, *inputs, **options):
            Counted.operations += 1
            plain = [np.asanyarray(x).view(np.ndarray) for x in inputs]
            return getattr(ufunc, method)(*plain, **options).view(Counted)

    monkeypatch.setattr(np, "asarray", np.asanyarray)  # which keeps the class of the array
    graph = worked_example()
    _, record = graph.forward_pass(np.array([0.3, 1.0]).view(Counted))
    forward, Counted.operations = Counted.operations, 0
    graph.backward_pass(np.ones(2).view(Counted), record)
    backward = Counted.operations
    assert forward == 6  # square, exp, add, sqrt, cos, add
    # dy/(2y); dy·(-sin x); their sum; dy·y; its sum with dc; dy·(2x): 2 + 3 + 1 + 1 + 1 + 2
    assert backward == 10
    assert backward <= 4 * forward


def theirs(torch):
    t = torch.tensor
    B = t([[0.5, 0.1, -0.2], [0.3, 0.4, 0.2], [0.1, -0.6, 0.7]], dtype=torch.float64)
    C = torch.linspace(-1, 1, 18, dtype=torch.float64).reshape(6, 3)
    return [
        lambda u, v: u + v,
        lambda u, v: 0.5 * u - v,
        lambda u, v: u * v / 4,
        lambda u, v: u / (v * v + 2),
        lambda u, v: -(u @ B),
        lambda u, v: torch.sin(u) - 1,
        lambda u, v: torch.tanh(torch.exp(u / 10) ** 2),
        lambda u, v: torch.sqrt(u**2 + 1) * v.mean(0),
        lambda u, v: torch.cat((u, v), 1) @ C,
        lambda u, v: t([1.0, 2.0, 3.0], dtype=torch.float64) * torch.cos(v) + 2,
    ]


@pytest.mark.torch
@pytest.mark.parametrize("seed", range(40))
def test_random_graphs_agree_with_torch(seed):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    inputs = [Input("u"), Input("v"), Input("w")]
    output, plan = random_formula(rng, inputs, OURS)
    graph = Graph(inputs, output)
    arrays = [normal(4, 3, seed=seed + k) for k in range(3)]
    tensors = [torch.tensor(x, requires_grad=True) for x in arrays]
    nodes = list(tensors)
    for kind, i, j in plan:
        nodes.append(theirs(torch)[kind](nodes[i], nodes[j]))
    expected = sum(nodes[-4:-1], nodes[-1])
    y = graph.forward(*arrays)
    scale = float(expected.detach().abs().max())
    np.testing.assert_allclose(y, expected.detach().numpy(), 1e-12, 1e-12 * scale)
    dy = normal(4, 3, seed=100)
    dx, _ = graph.backward(dy)
    wanted = torch.autograd.grad(
        expected, tensors, torch.tensor(dy), allow_unused=True, materialize_grads=True
    )
    for found, tensor in zip(dx, wanted, strict=True):
        scale = max(1.0, float(tensor.abs().max()))
        np.testing.assert_allclose(found, tensor.numpy(), 1e-11, 1e-12 * scale, strict=True)


@pytest.mark.parametrize("seed", range(8))
def test_gradients_of_random_graphs_are_numeric(seed):
    inputs = [Input("u"), Input("v")]
    output, _ = random_formula(np.random.default_rng(seed), inputs, OURS, length=6)
    assert_gradients_are_numeric(Graph(inputs, output), normal(4, 3), normal(4, 3, seed=1))


def test_gradients_by_inputs_and_shared_parameters_are_numeric():
    assert_gradients_are_numeric(network(), normal(4, 3))


def test_gradients_of_a_node_used_three_times_add_up():
    x = Input("x")
    h = Sin()(x)
    graph = Graph([x], h * h * h)
    graph.forward(normal(4, 3))
    dx, _ = graph.backward(np.ones((4, 3)))
    np.testing.assert_allclose(dx, 3 * np.sin(normal(4, 3)) ** 2 * np.cos(normal(4, 3)))


def test_a_node_may_be_both_operands():
    x = Input("x")
    graph = Graph([x], (x + x) * (x / x) - (x - x))
    assert graph.forward(3.0) == 6
    assert graph.backward(1.0)[0] == 2


def test_several_inputs_give_a_tuple_and_unused_ones_zeros():
    u, v, w = Input("u"), Input("v"), Input("w")
    graph = Graph([u, v, w], w - 2 * u)
    y = graph.forward(np.float32([1, 2]), normal(3, 4), np.float32([5, 7]))
    np.testing.assert_array_equal(y, [3, 3])
    dx, _ = graph.backward([1, 10])
    np.testing.assert_array_equal(dx[0], [-2, -20])
    np.testing.assert_array_equal(dx[1], np.zeros((3, 4)), strict=True)
    np.testing.assert_array_equal(dx[2], [1, 10])


def test_an_input_may_be_the_output():
    x, y = Input("x"), Input("y")
    graph = Graph([x, y], y)
    np.testing.assert_array_equal(graph.forward([1.0], [2, 3]), np.float32([2, 3]), strict=True)
    dx, grads = graph.backward([5, 7])
    np.testing.assert_array_equal(dx[0], [0.0])
    np.testing.assert_array_equal(dx[1], [5, 7])
    assert grads == {}


def test_backward_twice_gives_equal_results_and_writes_nowhere():
    graph, x, dy = network(), normal(4, 3), normal(4, 2)
    y = graph.forward(x)
    kept = [x.copy(), dy.copy(), y.copy()]
    dx, grads = graph.backward(dy)
    values = {k: v.copy() for k, v in graph.node_values.items()}
    first = {k: v.copy() for k, v in {**grads, "dx": dx}.items()}
    again, grads_again = graph.backward(dy)
    for name, array in {**grads, "dx": dx}.items():
        np.testing.assert_array_equal(array, first[name])
        np.testing.assert_array_equal({**grads_again, "dx": again}[name], first[name])
    for name, value in graph.node_values.items():
        np.testing.assert_array_equal(value, values[name])
    for array, before in zip((x, dy, y), kept, strict=True):
        np.testing.assert_array_equal(array, before)


def test_an_array_that_a_layer_returned_is_never_written_to():
    returned = []

    class Keeps(nn.Layer):
        def forward_pass(self, x):
            return x * 1, None

        def backward_pass(self, dy, cache):
            array = dy * 1
            returned.append((array, array.copy()))
            return array

    x = Input("x")
    h = Keeps()(x)
    graph = Graph([x], Keeps()(h) + Keeps()(h) + Keeps()(h) + Keeps()(x) + Keeps()(x))
    graph.forward(normal(3))
    dy = normal(3, seed=1)
    dx, _ = graph.backward(dy)
    np.testing.assert_allclose(dx, 5 * dy)
    assert len(returned) == 6
    for array, before in returned:
        np.testing.assert_array_equal(array, before)


def test_a_layer_without_gradient_leaves_none_for_integers_and_zeros_for_floats():
    class Lookup(nn.Layer):
        def __init__(self):
            self.params = {"W": np.arange(12.0).reshape(4, 3)}

        def forward_pass(self, x):
            return self.params["W"][x.astype(int)], x

        def backward_pass(self, dy, x):
            return None

        def gradient_pass(self, dy, x):
            W = np.zeros((4, 3))
            np.add.at(W, x.astype(int), dy)
            return {"W": W}

    i, x, W = Input("i"), Input("x"), nn.Linear(2, 2).astype(np.float64)
    graph = Graph([i, x], Lookup()(i, name="table") * 2 + Sum()(Lookup()(W(x, name="dead"))))
    graph.forward(np.array([1, 3]), np.zeros(2))
    (di, dx), grads = graph.backward(np.ones((2, 3)))
    assert di is None
    np.testing.assert_array_equal(dx, np.zeros(2))
    np.testing.assert_array_equal(grads["table.W"], [[0] * 3, [2] * 3, [0] * 3, [2] * 3])
    out = {name: np.full_like(a, 7) for name, a in graph.params.items()}
    _, grads = graph.backprop(np.ones((2, 3)), graph.cache, out, need_dx=False)
    np.testing.assert_array_equal(grads["dead.W"], np.zeros((2, 2)))


def test_without_dx_the_layers_below_the_first_parameters_are_not_visited():
    visited = []

    class Spy(Sin):
        def backward_pass(self, dy, cache):
            visited.append(self)
            return super().backward_pass(dy, cache)

    x, below, beside, above = Input("x"), Spy(), Spy(), Spy()
    graph = Graph([x], above(nn.Linear(3, 3, rng=0)(below(x)) + beside(x)))
    _, record = graph.forward_pass(np.float32(normal(2, 3)))
    dx, grads = graph.backprop(np.float32(normal(2, 3)), record, need_dx=False)
    assert dx is None
    assert visited == [above]
    np.testing.assert_array_equal(
        grads["linear1.W"],
        graph.backprop(np.float32(normal(2, 3)), record)[1]["linear1.W"],
    )


# Writing formulas -----------------------------------------------------------------------------

ARRAY = np.array([[1.5, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("formula", "layers"),
    [
        (lambda x: x + ARRAY, [Add]),
        (lambda x: ARRAY + x, [Add]),
        (lambda x: x - ARRAY, [Sub]),
        (lambda x: ARRAY - x, [Sub]),
        (lambda x: x * ARRAY, [Mul]),
        (lambda x: ARRAY * x, [Mul]),
        (lambda x: x / ARRAY, [Div]),
        (lambda x: ARRAY / x, [Div]),
        (lambda x: x @ ARRAY, [MatMul]),
        (lambda x: ARRAY @ x, [MatMul]),
        (lambda x: -x, [Mul]),
        (lambda x: x**3, [Power]),
        (lambda x: x ** np.float64(-0.5), [Power]),
        (lambda x: 2 - x, [Sub]),
        (lambda x: 2 / x, [Div]),
        (lambda x: np.float64(2) - x, [Sub]),
        (lambda x: np.float32(2) * x, [Mul]),
        (lambda x: True + x, [Add]),
        (lambda x: [1.0, 2.0] - x, [Sub]),
        (lambda x: np.multiply(ARRAY, x), [Mul]),
        (lambda x: np.power(x, 2), [Power]),
        (lambda x: np.negative(x), [Mul]),
    ],
)
def test_operators_with_constants_on_either_side_are_numpys(formula, layers):
    x = Input("x")
    node = formula(x)
    assert isinstance(node, Node)
    graph = Graph([x], node)
    assert [type(layer) for layer in graph.layers] == layers
    value = np.array([[0.5, 3.0], [2.0, 5.0]])
    expected = np.asarray(formula(value))
    np.testing.assert_array_equal(graph.forward(value), expected, strict=True)
    assert_gradients_are_numeric(graph, value)
    assert graph.forward(value.astype(np.float32)).dtype == np.float32  # constants follow
    assert graph.backward(value)[0].dtype == np.float32


def test_augmented_assignment_makes_a_new_node():
    x = Input("x")
    y = x
    y += 1
    y *= y
    assert Graph([x], y).forward(2.0) == 9
    assert x.parents == ()


def test_constants_are_copied_and_not_trained():
    x, shift = Input("x"), np.array([1.0, 2.0])
    graph = Graph([x], x + shift)
    shift[:] = 100
    np.testing.assert_array_equal(graph.forward(np.zeros(2)), [1, 2])
    assert dict(graph.params) == {}


def test_a_constant_beside_integers_is_not_rounded():
    x = Input("x")
    graph = Graph([x], x * 1.5)
    np.testing.assert_array_equal(graph.forward([1, 3]), np.float32([1.5, 4.5]), strict=True)


def test_a_python_float_as_input_takes_the_dtype_of_the_arrays():
    x, s = Input("x"), Input("s")
    graph = Graph([x, s], x * s)
    assert graph.forward(np.float32([1, 2]), 3.0).dtype == np.float32
    dx, _ = graph.backward([1, 10])
    assert [g.dtype for g in dx] == [np.float32, np.float32]
    assert dx[1] == 21


def test_names_are_given_or_counted_per_graph_in_the_order_of_computation():
    x, y = Input("x"), Input()
    h = Add()(x, 1, name="sub1")
    output = nn.Linear(2, 2)(h - y) - nn.Linear(2, 2)(h - 2, name="last") - x
    for _ in range(2):
        graph = Graph([x, y], output)
        names = " ".join(step.name for step in graph.steps)
        assert names == "x input1 constant1 sub1 sub2 linear1 constant2 sub3 last sub4 sub5"
    assert list(graph.params) == ["linear1.W", "linear1.b", "last.W", "last.b"]


def test_values_and_gradients_of_all_nodes_are_there_after_the_passes():
    x = Input("x")
    graph = Graph([x], 3 * Square()(x))
    assert graph.forward(np.array([1.0, 2.0])).tolist() == [3, 12]
    graph.backward([1.0, 10.0])
    assert {k: np.asarray(v).tolist() for k, v in graph.node_values.items()} == {
        "x": [1, 2],
        "constant1": 3,
        "square1": [1, 4],
        "mul1": [3, 12],
    }
    assert {k: np.asarray(v).tolist() for k, v in graph.node_grads.items()} == {
        "x": [6, 120],
        "constant1": 41,
        "square1": [3, 30],
        "mul1": [1, 10],
    }


def test_trace_shows_what_is_there_so_far_and_shapes_of_large_arrays():
    graph = network()
    lines = graph.trace().splitlines()
    assert len(lines) == 2 + len(graph.steps)
    assert lines[2].split() == ["x", "input"]
    graph.forward(normal(4, 3))
    (line,) = [line for line in graph.trace().splitlines() if line.startswith("in ")]
    assert line.split("  ")[0] == "in"
    assert line.endswith("(4, 5) float64")
    graph.backward(normal(4, 2))
    (line,) = [line for line in graph.trace().splitlines() if line.startswith("in ")]
    assert line.count("(4, 5) float64") == 2
    assert "Linear(3, 5)" in line


def test_brackets_on_a_node_take_a_part_and_its_gradient_goes_back_there():
    x = Input("x")
    last = x[:, -1]
    assert repr(last) == "Node(Index((slice(None), -1)))"
    graph = Graph([x], last * x[:, 0] + x[[1, 0, 1]][:, 1])
    assert_gradients_are_numeric(graph, normal(3, 4))
    with pytest.raises(TypeError, match="not iterable"):
        list(x)


def test_a_condition_of_a_graph_chooses_and_gets_no_gradient():
    c, u, v = Input("c"), Input("u"), Input("v")
    graph = Graph([c, u, v], nn.Where()(c, u * 2, nn.Where()(np.array([1, 0, 1]), u, v)))
    condition = np.array([[True, False, False], [False, True, False]])
    u, v = normal(2, 3), normal(2, 3, seed=1)
    y = graph.forward(condition, u, v)
    np.testing.assert_array_equal(y, np.where(condition, 2 * u, np.where([1, 0, 1], u, v)))
    dc, du, dv = graph.backward(np.ones((2, 3)))[0]
    assert dc is None
    np.testing.assert_array_equal(du, [[2, 0, 1], [1, 2, 1]])
    np.testing.assert_array_equal(dv, [[0, 1, 0], [0, 0, 0]])


def test_split_gives_nodes_whose_gradients_are_joined():
    x = Input("x")
    first, second, third = nn.Split([1, 4], 1)(x)
    graph = Graph([x], nn.Tanh()(second) * 2 + first)  # third leads nowhere
    assert_gradients_are_numeric(graph, normal(3, 6))
    graph = Graph([x], nn.Concatenate(1)(third, second, first))
    np.testing.assert_array_equal(graph.forward(np.arange(6.0)[None]), [[4, 5, 1, 2, 3, 0]])
    assert_gradients_are_numeric(graph, normal(3, 6))
