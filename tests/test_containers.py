"""Containers: layers inside layers, the same layer at several places, and the arrays' names."""

import copy
import pickle
import weakref

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.layers.params import Params
from tests import numeric


def linear(inputs=4, outputs=4, seed=0):
    return nn.Linear(inputs, outputs, rng=seed)


def test_params_are_one_flat_dict_with_dotted_names():
    inner = nn.Sequential(linear(), nn.Residual(linear()))
    model = nn.Sequential(nn.Flatten(), inner, linear(4, 3))
    assert isinstance(model.params, Params)
    names = ["1.0.W", "1.0.b", "1.1.W", "1.1.b", "2.W", "2.b"]
    assert list(model.params) == names
    assert list({**model.params}) == list(dict(model.params)) == names
    assert model.params["1.1.W"] is inner[1].params["W"]
    assert len(model) == 3
    assert model[1] is inner
    assert list(model) == list(model.layers)


def test_gradient_of_shared_layer_adds_up():
    shared = linear()
    model = nn.Sequential(shared, nn.Tanh(), shared).astype("f8")
    assert list(model.params) == ["0.W", "0.b"]
    numeric.check_layer(model, np.random.default_rng(0).normal(size=(7, 4)))


def test_a_layer_shared_across_nested_containers_is_listed_once_under_its_first_name():
    shared = linear()
    inner = nn.Sequential(linear(seed=1), nn.Sequential(shared, nn.Tanh()))
    model = nn.Sequential(inner, nn.Tanh(), shared, nn.Residual(shared)).astype("f8")
    assert list(model.params) == ["0.0.W", "0.0.b", "0.1.0.W", "0.1.0.b"]
    numeric.check_layer(model, np.random.default_rng(0).normal(size=(7, 4)))


def test_shared_gradients_are_written_into_out_once():
    shared = linear()
    model = nn.Sequential(shared, nn.Tanh(), shared, linear(4, 3, 1)).astype("f8")
    y, cache = model.forward_pass(np.random.default_rng(0).normal(size=(7, 4)))
    dy = np.random.default_rng(1).normal(size=y.shape)
    expected = model.backprop(dy, cache)[1]
    out = {name: np.full_like(array, 99.0) for name, array in model.params.items()}
    for need_dx in (True, False):
        _, found = model.backprop(dy, cache, out, need_dx)
        for name in out:
            assert found[name] is out[name]
            np.testing.assert_allclose(out[name], expected[name])


def test_a_layer_that_returns_dy_itself_does_not_spoil_the_sum():
    class Passing(nn.Layer):
        def __init__(self):
            self.params = {"b": np.zeros(4)}

        def forward_pass(self, x):
            return x + self.params["b"], None

        def backward_pass(self, dy, cache):
            return dy

        def gradient_pass(self, dy, cache):
            return {"b": dy}

    layer = Passing()
    model = nn.Sequential(layer, layer, layer)
    model.forward(np.ones(4))
    dy = np.array([1.0, 2.0, 3.0, 4.0])
    dx, grads = model.backward(dy)
    np.testing.assert_array_equal(dx, [1, 2, 3, 4])
    np.testing.assert_array_equal(grads["0.b"], [3, 6, 9, 12])
    np.testing.assert_array_equal(dy, [1, 2, 3, 4])


def test_a_layer_of_ones_own_trains_without_out_and_without_init():
    class Scale(nn.Layer):
        def __init__(self):
            self.params = {"s": np.ones(1, np.float32)}

        def forward_pass(self, x):
            return self.params["s"] * x, x

        def backward_pass(self, dy, x):
            return self.params["s"] * dy

        def gradient_pass(self, dy, x):
            return {"s": np.sum(dy * x).reshape(1)}

    x = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    model = nn.Sequential(nn.Identity(), Scale())
    trainer = nn.Trainer(model, nn.MSELoss(), nn.SGD(model, 0.1), progress=False)
    trainer.fit(x, 3 * x, epochs=40, rng=0)
    assert model.params["1.s"][0] == pytest.approx(3, abs=1e-3)


def test_after_forward_each_layer_has_the_cache_of_its_last_use():
    first, second = linear(), linear(seed=1)
    model = nn.Sequential(first, nn.Sequential(nn.Tanh(), nn.Residual(second)))
    x = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)
    model.forward(x)
    np.testing.assert_array_equal(first.cache, x)
    dy = np.ones((7, 4), np.float32)
    np.testing.assert_array_equal(second.backward(dy)[0], dy @ second.params["W"])
    with pytest.raises(ValueError, match=r"expected dy of the shape of y \(7, 4\)"):
        second.backward(dy[:, :1])


def test_repeated_forwards_leak_nothing():
    model = nn.Sequential(linear(), nn.Residual(nn.Sequential(nn.Tanh(), linear())))
    outputs = []
    for _ in range(5):
        outputs.append(weakref.ref(model.forward(np.ones((3, 4), np.float32))))
    model.forward(np.ones((3, 4), np.float32))
    assert all(reference() is None for reference in outputs)


def test_several_inputs_go_to_the_first_layer():
    model = nn.Sequential(nn.MatMul(), nn.Tanh())
    rng = np.random.default_rng(0)
    numeric.check_layer(model, rng.normal(size=(5, 3)), rng.normal(size=(3, 4)))


def test_slices_share_their_layers():
    model = nn.Sequential(linear(), nn.ReLU(), linear(4, 3))
    head = model[1:]
    assert isinstance(head, nn.Sequential)
    assert head[1] is model[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [nn.Linear(3, 4), nn.ReLU],
            r"argument 1 of Sequential .* write ReLU\(\) with parentheses",
        ),
        ([[nn.Linear(3, 4)]], r"put a star before the list: Sequential\(\*layers\)"),
        ([np.tanh], "pass layers one by one"),
    ],
)
def test_what_is_no_layer_is_refused_with_the_remedy(arguments, message):
    with pytest.raises(ValueError, match=message):
        nn.Sequential(*arguments)


def test_an_error_inside_says_in_which_layer():
    model = nn.Sequential(nn.Flatten(), nn.Sequential(linear(4, 3), linear(5, 2)))
    with pytest.raises(ValueError, match=r"Linear\(5, 2\) expected") as error:
        model.forward(np.zeros((6, 4)))
    assert "in layer 1 of Sequential: Linear(5, 2)" in error.value.__notes__


def test_residual_needs_equal_shapes():
    with pytest.raises(ValueError, match=r"expected an output of the input's shape \(6, 4\)"):
        nn.Residual(linear(4, 3)).forward(np.zeros((6, 4)))


def test_train_eval_and_astype_reach_every_layer():
    model = nn.Sequential(linear(), nn.Residual(nn.Sequential(nn.Dropout(0.5), linear())))
    model.forward(np.ones((3, 4)))
    assert model.eval() is model
    assert not any(layer.training for _, layer in model.walk())
    assert all(layer.training for _, layer in model.train().walk())
    arrays = model.params
    assert model.astype(np.float64) is model
    assert {array.dtype for array in arrays.values()} == {np.dtype("f8")}
    with pytest.raises(RuntimeError, match="before forward"):
        model.backward(np.ones((3, 4)))
    with pytest.raises(ValueError, match="floating dtype"):
        model.astype(int)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_keep_what_is_shared(copied):
    shared = linear()
    twin = copied(nn.Sequential(shared, nn.Sequential(nn.Tanh(), shared)))
    assert twin[0] is twin[1][1]
    assert twin.params["0.W"] is twin[0].params["W"]
    assert twin.params["0.W"].strides == shared.params["W"].strides


# The dicts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "params", [nn.Linear(3, 2).params, nn.Sequential(nn.Linear(3, 2)).params], ids=["own", "nested"]
)
def test_params_have_fixed_keys_and_write_in_place(params):
    name = list(params)[1]
    array = params[name]
    params[name] = [1, 2]
    params[name] -= np.float32(0.5)
    np.testing.assert_array_equal(array, [0.5, 1.5])
    assert params[name] is array
    params.update({name: [3, 4]})
    np.testing.assert_array_equal(array, [3, 4])
    for wrong in ([1, 2, 3], [[1, 2]]):
        with pytest.raises(ValueError, match=r"has shape \(2,\), received"):
            params[name] = wrong
    with pytest.raises(ValueError, match="broadcast"):
        params[name] -= np.ones((3, 2), np.float32)
    with pytest.raises(KeyError, match="no array named 'V'; there are"):
        params["V"] = [1]
    with pytest.raises(KeyError, match="no array named 'V'"):
        params["V"]
    for change in (params.clear, params.popitem, lambda: params.pop(name)):
        with pytest.raises(TypeError, match="fixed"):
            change()
    with pytest.raises(TypeError, match="fixed"):
        del params[name]
    assert name in params
    assert "V" not in params
    assert params.get("V") is None
    assert len(params) == len(list(params.items())) == len(list(params.values())) == 2
    assert list(params | {"V": 1}) == [*params, "V"]
    copied = params.copy()
    copied[name][:] = 0
    np.testing.assert_array_equal(array, [3, 4])


def test_a_containers_params_stay_live_when_arrays_are_replaced():
    model = nn.Sequential(linear())
    params = model.params
    nn.SGD(model)  # moves the arrays into one vector
    params["0.b"] = [1, 2, 3, 4]
    np.testing.assert_array_equal(model[0].params["b"], [1, 2, 3, 4])
    with pytest.raises(ValueError, match="has shape"):
        params.rebind("0.b", np.zeros(3))


def test_a_layer_without_arrays_has_empty_dicts():
    assert nn.ReLU().params == {}
    assert nn.ReLU().buffers == {}
    assert isinstance(nn.ReLU().params, Params)
