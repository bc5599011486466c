"""The graph as a layer among layers, and what it refuses."""

import copy
import pickle

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.graph import Graph, Input
from nnscratch.layers.operators.elementwise import Cos, Sin
from nnscratch.layers.operators.joining import Concatenate
from nnscratch.layers.operators.shapes import Transpose
from tests.graph_cases import (
    assert_gradients_are_numeric,
    network,
    normal,
    worked_example,
)

# A layer among layers -------------------------------------------------------------------------


def same_function():
    """The network written with containers."""
    graph = network()
    first, shared, last = graph[0], dict(graph.walk())["first"], dict(graph.walk())["out"]

    def forward(x):
        h = np.maximum(first.forward_pass(x)[0], 0)
        return last.forward_pass(
            shared.forward_pass(h)[0] + np.tanh(shared.forward_pass(2 * h)[0])
        )[0]

    return graph, forward


def test_a_layer_at_several_nodes_is_listed_once_with_the_sum_of_its_gradients():
    graph, forward = same_function()
    assert list(graph.params) == ["in.W", "in.b", "first.W", "first.b", "out.W", "out.b"]
    x = normal(4, 3)
    np.testing.assert_allclose(graph.forward(x), forward(x), 1e-14)
    paths = [path for path, _ in graph.walk()]
    assert paths == ["", "in", "relu1", "first", "mul1", "second", "tanh1", "add1", "out"]
    assert dict(graph.walk())["first"] is dict(graph.walk())["second"]


def test_it_nests_in_sequential_and_in_other_graphs():
    inner = network()
    plain = nn.Sequential(inner, nn.Tanh()).astype(np.float64)
    x = Input("x")
    outer = Graph([x], inner(x, name="a") * inner(x, name="b"))
    value, dy = normal(4, 3), normal(4, 2)
    assert next(iter(plain.params)) == "0.in.W"
    assert list(outer.params) == [f"a.{name}" for name in inner.params]
    assert_gradients_are_numeric(plain, value)
    assert_gradients_are_numeric(outer, value)
    plain.forward(value)
    plain.backward(dy)
    assert inner.node_grads["out"].shape == (4, 2)  # those of the nested graph
    residual = nn.Residual(Graph([x], Sin()(x)))
    assert_gradients_are_numeric(residual, value)


def test_gradient_and_backward_pass_are_those_of_backprop():
    graph = network()
    _, record = graph.forward_pass(normal(4, 3))
    dy = normal(4, 2)
    dx, grads = graph.backprop(dy, record)
    np.testing.assert_array_equal(graph.backward_pass(dy, record), dx)
    out = {name: np.empty_like(array) for name, array in graph.params.items()}
    for found in (graph.gradient_pass(dy, record), graph.gradient_pass(dy, record, out)):
        for name in grads:
            np.testing.assert_array_equal(found[name], grads[name])
    for name in grads:
        np.testing.assert_array_equal(out[name], grads[name])


def test_layers_keep_the_cache_of_their_last_use():
    graph = network()
    graph.forward(normal(4, 3))
    shared = dict(graph.walk())["first"]
    np.testing.assert_array_equal(shared.cache, graph.node_values["mul1"])


@pytest.mark.parametrize("optimizer", [nn.SGD, nn.Adam, nn.AdamW, nn.RMSprop, nn.Adagrad])
def test_it_trains_with_every_optimizer_like_a_sequential(optimizer):
    def layers():
        rng = np.random.default_rng(0)
        return nn.Linear(6, 8, rng=rng), nn.ReLU(), nn.Linear(8, 3, rng=rng)

    rng = np.random.default_rng(1)
    y = rng.integers(0, 3, 90)
    x = (rng.normal(size=(90, 6)) + 2 * np.eye(3, 6)[y]).astype(np.float32)
    node = start = Input("x")
    for layer in layers():
        node = layer(node)
    losses = []
    for model in (Graph([start], node), nn.Sequential(*layers())):
        trainer = nn.Trainer(
            model, nn.SoftmaxCrossEntropy(), optimizer(model, learning_rate=0.01), progress=False
        )
        losses.append(trainer.fit(x, y, epochs=8, batch_size=16, rng=0)["train_loss"])
    assert losses[0] == losses[1]
    assert losses[0][-1] < 0.95 * losses[0][0]


def test_copies_pickles_and_saved_files_compute_the_same(tmp_path):
    graph, x = network(), normal(4, 3)
    y = graph.forward(x)
    pickled = pickle.loads(pickle.dumps(graph))
    twin = network(seed=5)
    assert not np.allclose(twin.forward(x), y)
    nn.save(graph, tmp_path / "graph.npz")
    for other in (copy.deepcopy(graph), pickled, nn.load(twin, tmp_path / "graph.npz")):
        np.testing.assert_array_equal(other.forward(x), y)
        assert dict(other.walk())["first"] is dict(other.walk())["second"]
        other.params["first.W"] += 1
        assert not np.allclose(other.forward(x), y)
    np.testing.assert_array_equal(graph.forward(x), y)


def test_a_copy_with_its_optimizer_keeps_training_its_own_parameters():
    graph = network()
    twin, optimizer = copy.deepcopy((graph, nn.SGD(graph, 0.1)))
    before = graph.params.copy()
    twin.forward(normal(4, 3))
    optimizer.step(twin.backward(normal(4, 2))[1])
    for name in before:
        np.testing.assert_array_equal(graph.params[name], before[name])
        assert not np.array_equal(twin.params[name], before[name])


def test_astype_and_modes_reach_every_layer():
    x = Input("x")
    graph = Graph([x], nn.Dropout(0.5, rng=0)(nn.Linear(3, 3, rng=0)(x) * 2.0 + np.ones(3)))
    assert graph.forward(np.ones((2, 3))).dtype == np.float32
    assert graph.astype(np.float64).forward(np.ones((2, 3))).dtype == np.float64
    assert graph.eval()[-1].training is False
    assert np.all(graph.forward(np.ones((2, 3))) != 0)
    assert graph.train()[-1].training is True


def test_buffers_are_named_saved_and_listed_once(tmp_path):
    class Counter(nn.Layer):
        def __init__(self):
            self.buffers = {"calls": np.zeros(1)}

        def forward_pass(self, x):
            self.buffers["calls"] += 1
            return x * self.buffers["calls"], None

    x, first, second = Input("x"), Counter(), Counter()
    graph = Graph([x], first(first(second(x))))
    assert list(graph.buffers) == ["counter1.calls", "counter2.calls"]
    assert graph.forward(np.ones(2)).tolist() == [2, 2]
    nn.save(graph, tmp_path / "graph.npz")
    twin = nn.load(Graph([x], (shared := Counter())(shared(Counter()(x)))), tmp_path / "graph.npz")
    assert {k: v.item() for k, v in twin.buffers.items()} == {
        "counter1.calls": 1,
        "counter2.calls": 2,
    }


def test_ten_thousand_nodes_run_copy_and_pickle_without_recursion():
    x = Input("x")
    node = x
    for _ in range(5000):
        node = Sin()(node) + x
    graph = Graph([x], node)
    assert len(graph) == 10_000
    value = np.array([0.5, 1.0])
    y = graph.forward(value)
    dx, _ = graph.backward(np.ones(2))
    expected, slope = value, np.ones(2)
    for _ in range(5000):
        expected, slope = np.sin(expected) + value, np.cos(expected) * slope + 1
    np.testing.assert_allclose(y, expected, 1e-12)
    np.testing.assert_allclose(dx, slope, 1e-12)
    for other in (copy.deepcopy(graph), pickle.loads(pickle.dumps(graph))):
        np.testing.assert_array_equal(other.forward(value), y)
    assert len(graph.trace().splitlines()) == 10_003
    del node, graph  # ends without recursion, too


def test_cost_grows_with_the_nodes_also_where_one_has_many_children():
    calls = []

    class Counting(nn.Layer):
        def forward_pass(self, x):
            return x * 0.5, None

        def backward_pass(self, dy, cache):
            calls.append(1)
            return dy * 0.5

    x = Input("x")
    node = x
    for _ in range(60):  # 2^60 ways from x to the output
        node = Counting()(node) + Counting()(node)
    graph = Graph([x], node)
    assert graph.forward(3.0) == 3
    assert graph.backward(1.0)[0] == 1
    assert len(calls) == 120


# Errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda x, y: Graph([x], x + y), r"Input\('y'\), which is not among"),
        (lambda x, y: Graph([x, x], x + 1), "listed twice"),
        (lambda x, y: Graph([x, x + 1], x), r"expected inputs of Input\(name\)"),
        (lambda x, y: Graph([x], 3.0), "expected a node as output, received 3.0"),
        (lambda x, y: Graph([x], nn.ReLU()), "expected a node as output"),
        (lambda x, y: Graph([x], [x, x]), "several outputs as outputs="),
        (lambda x, y: Graph([x, Input("x")], x), "two nodes of the graph have the name 'x'"),
        (lambda x, y: Graph([x], Sin()(Sin()(x, name="h"), name="h")), "have the name 'h'"),
        (lambda x, y: Sin()(x, name="a.b"), "without dots"),
        (lambda x, y: Input(""), "name is text"),
        (lambda x, y: Input(3), "name is text"),
        (lambda x, y: x**y, r"nn\.Exp\(\)\(b \* nn\.Log\(\)\(a\)\)"),
        (lambda x, y: 2**x, r"nn\.Exp\(\)\(b \* np\.log\(a\)\)"),
        (lambda x, y: np.float64(2) ** x, r"a node and a number as exponent"),
        (lambda x, y: x ** np.ones(2), "a node and a number as exponent"),
        (lambda x, y: x ** "2", "a node and a number as exponent"),
        (lambda x, y: x + "2", "expected a node, a real number"),
        (lambda x, y: x + 2j, "expected a node, a real number"),
        (lambda x, y: x + None, "expected a node, a real number"),
        (lambda x, y: x + nn.ReLU(), "call the layer on a node first"),
        (lambda x, y: bool(x), "neither true nor false"),
        (lambda x, y: 1 if x else 2, "neither true nor false"),
        (lambda x, y: np.sin(x), r"write nn\.Sin\(\)\(node\)"),
        (lambda x, y: np.abs(x), r"write nn\.Abs\(\)\(node\)"),
        (lambda x, y: np.maximum(x, 2.0), r"write nn\.Maximum\(\)\(u, v\)"),
        (lambda x, y: np.max(x), r"write nn\.Max\(axis\)\(node\)"),
        (lambda x, y: np.sum(x), r"write nn\.Sum\(axis\)\(node\)"),
        (lambda x, y: np.floor(x), "call a layer on the node"),
        (lambda x, y: np.ones(2) < x, "takes arrays"),
        (lambda x, y: np.ones(2).__iadd__(x), r"a = a \+ node"),
        (lambda x, y: np.mean(x), "no value before its graph runs"),
        (lambda x, y: np.asarray(x), "no value before its graph runs"),
        (lambda x, y: Concatenate(0)([x, y]), "one argument for each"),
        (lambda x, y: nn.ReLU()(x, y), "was called on 2 nodes"),
        (lambda x, y: nn.ReLU()(np.ones(2), name="h"), "only with nodes"),
    ],
)
def test_misuse_is_refused_with_a_remedy(build, message):
    with pytest.raises(ValueError, match=message):
        build(Input("x"), Input("y"))


def test_a_cycle_made_by_hand_is_refused():
    x = Input("x")
    a = Sin()(x)
    b = a + x
    a.parents = (b,)
    with pytest.raises(ValueError, match="a cycle"):
        Graph([x], Cos()(b))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_another_number_of_inputs_is_refused(count):
    u, v = Input("u"), Input("v")
    with pytest.raises(ValueError, match=rf"expected 2 inputs \(u, v\), received {count}"):
        Graph([u, v], u + v).forward(*[np.ones(2)] * count)


def test_calls_in_the_wrong_order_are_refused():
    graph = worked_example()
    with pytest.raises(RuntimeError, match="before forward"):
        graph.backward(1.0)
    with pytest.raises(RuntimeError, match="no values yet"):
        graph.node_values  # noqa: B018
    graph.forward(1.0)
    with pytest.raises(RuntimeError, match="no gradients yet"):
        graph.node_grads  # noqa: B018
    with pytest.raises(ValueError, match="expected dy of the shape of y"):
        graph.backward([1.0, 2.0])


def test_an_error_inside_names_the_node():
    graph = network()
    with pytest.raises(ValueError, match="expected") as caught:
        graph.forward(normal(4, 7))
    assert "at node 'in' of Graph(x -> out)" in caught.value.__notes__[0]


@pytest.mark.parametrize("wrong", [lambda dy: dy.T, lambda dy: (dy, dy), lambda dy: dy.sum()])
def test_a_layer_that_returns_a_gradient_of_another_shape_is_named(wrong):
    class Wrong(nn.Layer):
        def forward_pass(self, x):
            return x, None

        def backward_pass(self, dy, cache):
            return wrong(dy)

    x = Input("x")
    graph = Graph([x], Wrong()(x, name="mine") + Transpose()(Transpose()(x)))
    graph.forward(normal(4, 3))
    with pytest.raises(ValueError, match=r"at node 'mine'.*mend its backward_pass"):
        graph.backward(normal(4, 3))
