"""Layers of one's own that hold layers: their parameters, several outputs, and what is replaced."""

import copy
import pickle

import numpy as np
import pytest

import nnscratch as nn
from tests import numeric


class Net(nn.Layer):
    """y = W2 tanh(W1 x) + c, with layers in an attribute, in a list and in a dict."""

    def __init__(self, rng=0):
        rng = np.random.default_rng(rng)
        self.body = nn.Linear(5, 4, rng=rng)
        self.rest = [nn.Tanh(), {"head": nn.Linear(4, 3, rng=rng)}]
        self.params = {"c": np.zeros(3, np.float32)}

    def forward_pass(self, x):
        caches = []
        for layer in (self.body, self.rest[0], self.rest[1]["head"]):
            x, cache = layer.forward_pass(x)
            caches.append(cache)
        return x + self.params["c"], caches

    def backprop(self, dy, caches, out=None, need_dx=True):
        grads = {"c": dy.sum(axis=0)}
        for (name, layer), cache in zip(reversed([*self.children()]), caches[::-1], strict=True):
            dy, found = layer.backprop(dy, cache)
            grads |= {f"{name}.{key}": grad for key, grad in found.items()}
        return dy if need_dx else None, {name: grads[name] for name in self.trained}


class Halves(nn.Layer):
    """The two halves of the features: a layer with two outputs."""

    output_count = 2

    def forward_pass(self, x):
        middle = x.shape[-1] // 2
        return (x[..., :middle], x[..., middle:]), x.shape

    def backward_pass(self, dy, shape):
        dx, middle = np.zeros(shape), shape[-1] // 2
        for part, where in zip(dy, (slice(middle), slice(middle, None)), strict=True):
            if part is not None:
                dx[..., where] = part
        return dx


class Forgetful(Net):
    def backprop(self, dy, caches, out=None, need_dx=True):
        dx, grads = super().backprop(dy, caches, out, need_dx)
        del grads["rest.1.head.b"]
        return dx, grads


NAMES = ["c", "body.W", "body.b", "rest.1.head.W", "rest.1.head.b"]


def x_of(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


# Layers in attributes --------------------------------------------------------------------------


def test_layers_in_attributes_lists_and_dicts_have_their_parameters_under_dotted_names():
    net = Net()
    assert list(net.params) == NAMES
    assert [path for path, _ in net.walk()] == ["", "body", "rest.0", "rest.1.head"]
    assert list(nn.Sequential(nn.Flatten(), net).params) == [f"1.{name}" for name in NAMES]
    net.astype("f8")
    assert {array.dtype for array in net.params.values()} == {np.dtype("f8")}
    assert not net.eval().body.training
    numeric.check_layer(net, x_of(7, 5))


def test_such_a_net_trains_saves_and_copies(tmp_path):
    x, y = x_of(64, 5), np.arange(64) % 3
    net = Net()
    trainer = nn.Trainer(net, nn.SoftmaxCrossEntropy(), nn.Adam(net, 0.05), progress=False)
    before = net.params.copy()
    history = trainer.fit(x, y, epochs=60, batch_size=16, rng=0)
    assert history["train_loss"][-1] < 0.6 * history["train_loss"][0]
    assert all((net.params[name] != before[name]).any() for name in NAMES)
    nn.save(net, tmp_path / "net.npz")
    twin = nn.load(Net(rng=9), tmp_path / "net.npz")
    for copied in (twin, copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        np.testing.assert_array_equal(copied.forward(x), net.forward(x))


def test_a_gradient_that_is_forgotten_is_an_error_at_the_first_step():
    net = Forgetful()
    x, y = x_of(6, 5), np.arange(6) % 3
    trainer = nn.Trainer(net, nn.SoftmaxCrossEntropy(), nn.SGD(net), progress=False)
    with pytest.raises(ValueError, match=r"differ in rest\.1\.head\.b; .* mend the gradient_pass"):
        trainer.fit(x, y, epochs=1)
    assert not nn.check_gradients(net, x).ok


def test_a_layer_that_two_attributes_hold_is_listed_once():
    net = Net()
    net.again = net.body
    assert list(net.params) == NAMES
    assert "again" not in [path for path, _ in net.walk()]


def test_a_reference_to_a_layer_around_is_not_followed():
    net = Net()
    net.outer = nn.Sequential(net)
    assert list(net.params) == NAMES
    assert [path for path, _ in net.walk()][-2:] == ["rest.1.head", "outer"]


# What is replaced ------------------------------------------------------------------------------


@pytest.mark.parametrize("replace", ["layer", "params"])
def test_a_replaced_head_is_followed_by_container_file_and_a_new_optimizer(tmp_path, replace):
    net = Net()
    model = nn.Sequential(nn.Flatten(), net)
    old = nn.SGD(model, 0.1)
    head = {"W": np.ones((2, 4), np.float32), "b": np.zeros(2, np.float32)}
    if replace == "layer":
        net.rest[1] = {"head": nn.Linear(4, 2, rng=1)}
        net.rest[1]["head"].params = head
    else:
        net.rest[1]["head"].params = head
    net.params["c"] = 0
    net.params = {"c": np.zeros(2, np.float32)}
    assert model.params["1.rest.1.head.W"].shape == (2, 4)
    assert model.params["1.c"].shape == (2,)
    x = x_of(6, 5)
    y = model.forward(x)
    assert y.shape == (6, 2)
    _, grads = model.backward(np.ones((6, 2)))
    with pytest.raises(RuntimeError, match=r"replaced after this optimizer was made: '1\.c' was"):
        old.step(grads)
    nn.SGD(model, 0.1).step(grads)
    np.testing.assert_allclose(model.params["1.c"], -0.6 * np.ones(2), rtol=1e-6)
    assert model.params["1.c"] is net.params["c"]
    nn.save(model, tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz") as saved:
        np.testing.assert_array_equal(saved["1.rest.1.head.W"], net.rest[1]["head"].params["W"])


def test_a_layer_that_takes_the_place_of_another_is_followed_without_a_new_one_being_made():
    first, second = nn.Linear(5, 4, rng=0), nn.Linear(5, 4, rng=1)
    net = Net()
    net.body = first
    model = nn.Sequential(net)
    assert model.params["0.body.W"] is first.params["W"]
    net.body = second
    assert model.params["0.body.W"] is second.params["W"]
    del net.rest
    assert list(model.params) == ["0.c", "0.body.W", "0.body.b"]


# Several outputs -------------------------------------------------------------------------------


def test_several_outputs_go_to_the_next_layer_as_its_inputs():
    model = nn.Sequential(nn.Linear(5, 6, rng=0).astype("f8"), Halves(), nn.Mul())
    x = x_of(7, 5)
    np.testing.assert_allclose(model.forward(x), np.prod(model[:2].forward(x), axis=0))
    numeric.check_layer(model, x)


def test_a_dy_of_several_outputs_is_a_tuple_and_none_counts_as_zeros():
    model = nn.Sequential(nn.Linear(5, 6, rng=0).astype("f8"), Halves())
    y = model.forward(x_of(7, 5))
    assert [part.shape for part in y] == [(7, 3), (7, 3)]
    dy = x_of(7, 3, seed=1)
    dx, grads = model.backward((dy, None))
    same_dx, same_grads = model.backward((dy, np.zeros((7, 3))))
    np.testing.assert_array_equal(dx, same_dx)
    np.testing.assert_array_equal(grads["0.W"], same_grads["0.W"])
    for wrong in (dy, (dy,), (dy, dy, dy)):
        with pytest.raises(ValueError, match="a tuple of 2 gradients"):
            model.backward(wrong)
    with pytest.raises(ValueError, match=r"shape of y \(7, 3\), received \(3,\)"):
        model.backward((dy, np.ones(3)))


def test_residual_adds_to_each_of_several_outputs():
    class Swap(nn.Layer):
        def forward_pass(self, u, v):
            return (2 * v, 3 * u), None

        def backward_pass(self, dy, cache):
            return 3 * dy[1], 2 * dy[0]

    block = nn.Residual(Swap())
    u, v = x_of(4, 3), x_of(4, 3, seed=1)
    y = block.forward(u, v)
    np.testing.assert_allclose(y, (u + 2 * v, v + 3 * u))
    dx, _ = block.backward((u, v))
    np.testing.assert_allclose(dx, (u + 3 * v, v + 2 * u))


def test_a_graph_has_several_outputs_and_layers_with_several():
    x = nn.Input("x")
    linear = nn.Linear(5, 6, rng=0).astype("f8")
    left, right = Halves()(linear(x, name="linear"), name="halves")
    product = nn.Mul()(left, right, name="product")
    graph = nn.Graph([x], outputs=[product, left])
    values = x_of(7, 5)
    y = graph.forward(values)
    numeric_y = linear.forward(values)
    np.testing.assert_allclose(y[0], numeric_y[:, :3] * numeric_y[:, 3:])
    np.testing.assert_allclose(y[1], numeric_y[:, :3])
    dy = x_of(7, 3, seed=1), x_of(7, 3, seed=2)
    dx, grads = graph.backward(dy)
    dlinear = np.hstack([dy[0] * numeric_y[:, 3:] + dy[1], dy[0] * numeric_y[:, :3]])
    np.testing.assert_allclose(dx, dlinear @ linear.params["W"])
    np.testing.assert_allclose(grads["linear.W"], dlinear.T @ values)
    dx, _ = graph.backward((None, dy[1]))
    np.testing.assert_allclose(dx, np.hstack([dy[1], 0 * dy[1]]) @ linear.params["W"])
    assert "output 1" in graph.trace()
    assert [edge.sources for edge in graph.edges()] == [
        ("x",),
        ("linear",),
        ("halves[0]", "halves[1]"),
    ]
    with pytest.raises(ValueError, match="output=f or outputs="):
        nn.Graph([x])


def test_a_graph_asks_for_the_number_of_outputs():
    class Unsaid(Halves):
        output_count = None

    x = nn.Input("x")
    graph = nn.Graph([x], Unsaid()(x))
    with pytest.raises(ValueError, match="set output_count = 2 on its class"):
        graph.forward(np.ones((3, 4)))


# What forward returns and backward needs -------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        nn.Tanh,
        nn.Softmax,
        lambda: nn.Sequential(nn.Linear(4, 4, rng=0), nn.Sigmoid(), nn.Flatten()),
        lambda: nn.Residual(nn.Sequential(nn.Linear(4, 4, rng=0), nn.ReLU())),
    ],
)
def test_writing_into_an_output_that_backward_needs_is_an_error_at_the_write(make):
    layer, x = make(), x_of(7, 4)
    y = layer.forward(x)
    expected = layer.backward(np.ones((7, 4)))[0]
    try:
        y[0] = 5
    except ValueError as error:
        assert "read-only" in str(error)
    np.testing.assert_array_equal(layer.backward(np.ones((7, 4)))[0], expected)
    x[0] = 3  # one's own array stays writable


def test_tanh_protects_its_output_and_linear_need_not():
    with pytest.raises(ValueError, match="read-only"):
        nn.Tanh().forward(np.ones(3))[0] = 1
    nn.Linear(3, 2).forward(np.ones(3, "f4"))[0] = 1


# Freezing --------------------------------------------------------------------------------------


def test_frozen_parameters_have_no_gradient_and_neither_step_nor_decay():
    model = nn.mlp([5, 4, 3], rng=0)
    optimizer = nn.Adam(model, weight_decay=0.1)
    x, y = x_of(64, 5).astype("f4"), np.arange(64) % 3
    body = next(layer for layer in model.layers if layer.params)
    assert body.freeze() is body
    before = model.params.copy()
    _, cache = model.forward_pass(x)
    _, grads = model.backprop(np.ones((64, 3), "f4"), cache)
    assert set(grads) == set(model.trained) == {n for n in model.params if not n.startswith("1.")}
    nn.Trainer(model, nn.SoftmaxCrossEntropy(), optimizer, progress=False).fit(x, y, epochs=2)
    moved = {name for name in before if (before[name] != model.params[name]).any()}
    assert moved == set(model.trained)
    body.unfreeze()
    assert set(model.trained) == set(model.params)
    nn.Trainer(model, nn.SoftmaxCrossEntropy(), optimizer, progress=False).fit(x, y, epochs=2)
    assert all((before[name] != model.params[name]).any() for name in before)


def test_nothing_is_computed_below_the_first_layer_that_trains():
    model = nn.Sequential(nn.Linear(5, 4, rng=0), nn.Tanh(), nn.Linear(4, 3, rng=1))
    model[0].freeze()
    _, cache = model.forward_pass(np.ones((7, 5), "f4"))
    cache[0] = cache[1] = None  # a pass that looked would fail
    _, grads = model.backprop(np.ones((7, 3), "f4"), cache, need_dx=False)
    assert set(grads) == {"2.W", "2.b"}


def test_freezing_reaches_graphs_and_nets_of_ones_own():
    net = Net()
    net.body.freeze()
    x = nn.Input("x")
    graph = nn.Graph([x], net(x, name="net"))
    y = graph.forward(x_of(7, 5))
    _, grads = graph.backward(np.ones_like(y))
    assert set(grads) == {"net.c", "net.rest.1.head.W", "net.rest.1.head.b"}


# Linear on the last axis -----------------------------------------------------------------------


def test_linear_acts_on_the_last_axis_whatever_stands_before_it():
    for make in (lambda: nn.Linear(5, 3, rng=0), lambda: nn.Linear(5, 3, bias=False, rng=0)):
        layer = make().astype("f8")
        x = x_of(4, 6, 2, 5)
        y = layer.forward(x)
        np.testing.assert_allclose(y[2, 3], layer.forward(x[2, 3]), rtol=1e-13)
        numeric.check_layer(layer, x)
    numeric.check_layer(nn.Bias(5).astype("f8"), x_of(4, 6, 5))
